//! What a request asks for in words: forms and queries (`application/x-www-form-urlencoded`), and `Accept`.

use crate::body::quality;
use axum::http::{HeaderMap, header};

/// Decodes one value; a broken escape stands as it is, bytes that are not UTF-8 are replaced.
pub(crate) fn decode(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        rest = match escaped {
            Some(_) => tail.get(2..).unwrap_or_default(),
            None => tail,
        };
        bytes.push(match (first, escaped) {
            (_, Some(byte)) => byte,
            (b'+', None) => b' ',
            (byte, None) => *byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Encodes one value, with all but letters and digits of ASCII escaped.
pub(crate) fn encode(value: &str) -> String {
    let encoded = value.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// The value of `name` in a form's body.
pub(crate) fn value(body: &str, name: &str) -> Option<String> {
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decode(value))
}

/// Whether a media type is asked for by its name, and rather than the `usual` one (RFC 9110 §12.5.1).
pub(crate) fn accepts(headers: &HeaderMap, kind: &str, usual: &str) -> bool {
    let weight = |wanted: &str| {
        let lines = headers.get_all(header::ACCEPT);
        let kinds = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        let weights = kinds.filter_map(|asked| {
            let mut parts = asked.split(';');
            let named = parts.next()?.trim().eq_ignore_ascii_case(wanted);
            let weight = parts.map(str::trim).find(|part| part.starts_with("q=")).map_or(1.0, quality);
            named.then_some(weight)
        });
        weights.fold(0.0_f32, f32::max)
    };
    weight(kind) > 0.0 && weight(kind) >= weight(usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn what_is_asked_for_rather_is_given() {
        for (accept, csv) in [
            ("text/csv", true),
            ("text/csv, application/json;q=0.9", true),
            ("text/csv;q=0, application/json", false),
            ("application/json, text/csv;q=0.1", false),
            ("TEXT/CSV; charset=utf-8; q=0.5, */*;q=0.1", true),
            ("*/*", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(accepts(&headers, "text/csv", "application/json"), csv, "{accept}");
        }
    }

    #[test]
    fn values_are_decoded() {
        assert_eq!(decode("a+b%20c%C3%A2"), "a b câ");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode(&encode("a b&c=ŵ")), "a b&c=ŵ");
        assert_eq!(decode("%zz%+1"), "%zz% 1");
        assert_eq!(value("x=1&answer=mine", "answer").as_deref(), Some("mine"));
        assert_eq!(value("answers=mine", "answer"), None);
    }
}
