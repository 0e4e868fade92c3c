//! A mail as people read it: headers decoded, the plain text found.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;

/// Multiparts inside multiparts that are looked into.
const DEPTH: usize = 4;

/// A mail that the server took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// Counts the mails taken, from 1.
    pub id: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The plain text, decoded; of a mail that has none, the HTML.
    pub text: String,
    /// All headers, unfolded and decoded.
    pub headers: Vec<(String, String)>,
}

impl Mail {
    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    pub(crate) fn read(id: u64, at: Timestamp, from: String, to: Vec<String>, raw: &[u8]) -> Self {
        let (head, body) = split(raw);
        let headers = headers(head);
        let text = text_of(&headers, body, DEPTH).map_or_else(String::new, |(_, text)| text);
        let subject = header(&headers, "subject").unwrap_or_default().to_owned();
        Self { id, at, from, to, subject, text, headers }
    }
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Headers and body, parted at the first empty line.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let place = raw.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, rest) = place.and_then(|place| raw.split_at_checked(place)).unwrap_or((raw, b""));
    (head, rest.get(4..).unwrap_or_default())
}

fn headers(head: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(head).replace("\r\n ", " ").replace("\r\n\t", " ");
    text.split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), decode_words(value.trim())))
        .collect()
}

/// RFC 2047: `=?utf-8?B?…?=` and `=?utf-8?Q?…?=`; white space between two encoded words belongs to neither.
fn decode_words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut after_word = false;
    while let Some((before, tail)) = rest.split_once("=?") {
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        let mut parts = tail.splitn(3, '?');
        let (Some(charset), Some(encoding), Some(tail)) = (parts.next(), parts.next(), parts.next()) else {
            out.push_str("=?");
            rest = tail;
            after_word = false;
            continue;
        };
        let Some((word, after)) = tail.split_once("?=") else {
            out.push_str("=?");
            out.push_str(charset);
            rest = tail;
            after_word = false;
            continue;
        };
        let bytes = match encoding {
            "B" | "b" => STANDARD.decode(word).unwrap_or_default(),
            _ => quoted_printable(word.replace('_', " ").as_bytes()),
        };
        out.push_str(&decode_charset(charset, &bytes));
        rest = after;
        after_word = true;
    }
    out.push_str(rest);
    out
}

fn decode_charset(charset: &str, bytes: &[u8]) -> String {
    if charset.eq_ignore_ascii_case("iso-8859-1") {
        bytes.iter().map(|byte| char::from(*byte)).collect()
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    }
}

fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'=' {
            out.push(*first);
            continue;
        }
        if let Some(tail) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
            rest = tail;
            continue;
        }
        let pair = rest.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = rest.get(2..).unwrap_or_default();
            }
            None => out.push(b'='),
        }
    }
    out
}

/// The best text in a part, and whether it is plain.
fn text_of(headers: &[(String, String)], body: &[u8], depth: usize) -> Option<(bool, String)> {
    let kind = header(headers, "content-type").unwrap_or("text/plain");
    let lower = kind.to_lowercase();
    if lower.starts_with("multipart/") {
        let boundary = parameter(kind, "boundary")?;
        let parts = parts(body, &boundary);
        let found: Vec<_> = parts
            .iter()
            .filter(|_| depth > 0)
            .filter_map(|part| {
                let (head, body) = split(part);
                text_of(&self::headers(head), body, depth - 1)
            })
            .collect();
        return found.iter().find(|(plain, _)| *plain).or_else(|| found.first()).cloned();
    }
    if !lower.starts_with("text/") {
        return None;
    }
    let encoding = header(headers, "content-transfer-encoding").unwrap_or("7bit").to_lowercase();
    let bytes = match encoding.as_str() {
        "base64" => {
            let bare: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            STANDARD.decode(bare).unwrap_or_default()
        }
        "quoted-printable" => quoted_printable(body),
        _ => body.to_vec(),
    };
    let charset = parameter(kind, "charset").unwrap_or_else(|| "utf-8".to_owned());
    let text = decode_charset(&charset, &bytes).replace("\r\n", "\n").trim_end().to_owned();
    Some((lower.starts_with("text/plain"), text))
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn parts(body: &[u8], boundary: &str) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(body);
    let mark = format!("--{boundary}");
    text.split(mark.as_str())
        .skip(1)
        .take_while(|part| !part.starts_with("--"))
        .take(50)
        .map(|part| part.trim_start_matches("\r\n").as_bytes().to_vec())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_welsh_come_out_as_they_went_in() {
        assert_eq!(decode_words("=?utf-8?B?VMW3IGJhY2g=?= yn iawn"), "Tŷ bach yn iawn");
        assert_eq!(decode_words("=?utf-8?Q?D=C5=B5r_oer?=\t=?utf-8?Q?_a_glan?="), "Dŵr oer a glan");
        assert_eq!(decode_words("plain"), "plain");
        assert_eq!(decode_words("a =? b"), "a =? b");
    }

    #[test]
    fn of_a_mail_in_two_shapes_the_plain_one_is_read() {
        let raw = b"Subject: P1\r\n folded\r\nContent-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n\
            --b1\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\nMae=20system i lawr =\r\n=E2=80=93 nawr\r\n--b1--\r\n";
        let mail = Mail::read(1, Timestamp::UNIX_EPOCH, String::new(), Vec::new(), raw);
        assert_eq!(mail.subject, "P1 folded");
        assert_eq!(mail.text, "Mae system i lawr – nawr");
    }
}
