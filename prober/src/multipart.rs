//! Answers of several parts (`multipart/related`, RFC 2387), as SOAP has them with attachments and MTOM: the part that the
//! others hang on, and nothing of those.

use hyper::{HeaderMap, header};

/// Parts that are looked at until the root is found.
const PARTS: usize = 64;

/// Bytes of a part's own head.
const HEAD: usize = 8 * 1024;

/// Characters of a boundary (RFC 2046 §5.1.1).
const BOUNDARY: usize = 70;

/// The document that an answer is: its root part, or else the whole body. What cannot be taken apart is no document, and is
/// said to be none by whoever reads it.
pub(crate) fn document<'b>(headers: &HeaderMap, body: &'b [u8]) -> &'b [u8] {
    root(headers, body).unwrap_or(body)
}

fn root<'b>(headers: &HeaderMap, body: &'b [u8]) -> Option<&'b [u8]> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let mut words = words(kind);
    if !words.next()?.eq_ignore_ascii_case("multipart/related") {
        return None;
    }
    let (mut boundary, mut start) = (None, None);
    for word in words {
        let (name, value) = word.split_once('=')?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        match name.trim().to_ascii_lowercase().as_str() {
            "boundary" => boundary = Some(value),
            "start" => start = Some(id(value)),
            _ => {}
        }
    }
    let boundary = boundary.filter(|boundary| (1..=BOUNDARY).contains(&boundary.len()))?;
    let delimiter = format!("--{boundary}").into_bytes();
    let mut rest = after_delimiter(body, &delimiter)?.1;
    for _ in 0..PARTS {
        let (part, after) = after_delimiter(rest, &delimiter)?;
        if let Some(content) = content(part, start) {
            return Some(content);
        }
        rest = after;
    }
    None
}

/// What stands between the semicolons, but for those in quotes.
fn words(kind: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let word = kind.split(move |c: char| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    word.map(str::trim).filter(|word| !word.is_empty())
}

/// A name of a part, which some write without its brackets.
fn id(text: &str) -> &str {
    text.trim().trim_start_matches('<').trim_end_matches('>')
}

/// What stands before the next delimiter, which begins a line, and behind it.
fn after_delimiter<'b>(text: &'b [u8], delimiter: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let mut from = 0;
    loop {
        let found = text.get(from..)?.windows(delimiter.len()).position(|part| part == delimiter)? + from;
        let (before, at) = text.split_at_checked(found)?;
        let after = at.get(delimiter.len()..)?;
        let line_end =
            |text: &'b [u8]| text.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let ends = after.first().is_none_or(|byte| b"\r\n- \t".contains(byte));
        match if before.is_empty() { Some(before) } else { line_end(before) } {
            Some(before) if ends => return Some((before, after)),
            Some(_) | None => from = found + 1,
        }
    }
}

/// What is in a part, if it is the one: that of this name, or the first.
fn content<'b>(part: &'b [u8], start: Option<&str>) -> Option<&'b [u8]> {
    let mut rest = part.get(line(part)?..)?;
    let (mut is_it, mut read) = (start.is_none(), 0);
    let mut field = String::new();
    loop {
        let length = line(rest)?;
        read += length;
        let (head, after) = rest.split_at_checked(length).filter(|_| read <= HEAD)?;
        rest = after;
        let head = std::str::from_utf8(head).ok()?;
        // A field may go on in the next line (RFC 5322 §2.2.3).
        let goes_on = head.starts_with([' ', '\t']) && !field.is_empty();
        if goes_on && !head.trim().is_empty() {
            field.push_str(head.trim_end());
            continue;
        }
        if !field.is_empty() {
            let (name, value) = field.split_once(':')?;
            if name.eq_ignore_ascii_case("content-id") {
                is_it = start.is_none_or(|start| id(value) == start);
            }
            let plain =
                ["7bit", "8bit", "binary"].iter().any(|plain| value.trim().eq_ignore_ascii_case(plain));
            if name.eq_ignore_ascii_case("content-transfer-encoding") && !plain {
                return None;
            }
        }
        head.trim().clone_into(&mut field);
        if field.is_empty() {
            return is_it.then_some(rest);
        }
    }
}

/// The length of the first line, with its end.
fn line(text: &[u8]) -> Option<usize> {
    text.iter().take(HEAD).position(|byte| *byte == b'\n').map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn check(kind: &str, body: &str, expected: &str) {
        for body in [body.to_owned(), body.replace('\n', "\r\n")] {
            let headers =
                HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap())]);
            let found = std::str::from_utf8(document(&headers, body.as_bytes())).unwrap();
            let expected = if expected == "all" { body.as_str() } else { expected };
            assert_eq!(found, expected, "{kind}\n{body}");
        }
    }

    #[test]
    fn the_root_is_the_part_that_is_named_or_the_first() {
        let body = "preamble\n--b;1\nContent-Type: image/png\nContent-ID: <picture>\n\n--b;2 \u{0}<no>\n--b;1 \n\
            content-id: <root@x>\nContent-Transfer-Encoding: 8bit\nContent-Type: application/xop+xml\n\n<e/>\n--b;1--\n";
        let kind =
            |more: &str| format!("Multipart/Related; type=\"application/xop+xml\"; boundary=\"b;1\"{more}");
        check(&kind("; start=\"<root@x>\""), body, "<e/>");
        check(&kind("; start=root@x"), body, "<e/>");
        check(&kind(""), body, "--b;2 \u{0}<no>");
        check(&kind("; start=\"<other>\""), body, "all");
    }

    #[test]
    fn a_field_of_a_part_may_go_on_in_the_next_line() {
        let body = "--b\nContent-ID: <picture>\n\nno\n--b\nContent-Type: application/xop+xml;\n charset=UTF-8;\n\t\
            type=\"text/xml\"\nContent-Transfer-Encoding:\n 8bit\nContent-ID:\n\t<root@x>\n\n<e/>\n--b--\n";
        check("multipart/related; boundary=b; start=\"<root@x>\"", body, "<e/>");
        let packed = "--b\nContent-Transfer-Encoding:\n base64\n\nPGUvPg==\n--b--";
        check("multipart/related; boundary=b", packed, "all");
        check("multipart/related; boundary=b", "--b\n A: b\n\n<e/>\n--b--", "<e/>");
    }

    #[test]
    fn what_is_no_such_answer_or_a_broken_one_stays_whole() {
        let part = "--b\nA: b\n\n<e/>\n--b--\n";
        check("multipart/related; boundary=b", part, "<e/>");
        check("multipart/related; boundary=b", "--b\n\n<e/>\n--b--", "<e/>");
        for kind in [
            "text/xml",
            "multipart/mixed; boundary=b",
            "multipart/related",
            "multipart/related; boundary=\"\"",
        ] {
            check(kind, part, "all");
        }
        for body in [
            "",
            "--b",
            "--b\n",
            "--b\n\n<e/>",
            "--bb\n\n<e/>\n--bb--",
            "--b\nA\n\n<e/>\n--b--",
            "x--b\n\n<e/>\n--b--",
        ] {
            check("multipart/related; boundary=b", body, "all");
        }
        let packed = "--b\nContent-Transfer-Encoding: base64\n\nPGUvPg==\n--b--";
        check("multipart/related; boundary=b", packed, "all");
        let many = format!("{}--b\nContent-ID: <r>\n\n<e/>\n--b--", "--b\n\n\n".repeat(PARTS));
        check("multipart/related; boundary=b; start=r", &many, "all");
    }
}
