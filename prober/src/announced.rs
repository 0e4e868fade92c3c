//! What the headers of an answer announce: when to ask again, and when the API goes.

use domain::Deprecation;
use hyper::{HeaderMap, header};
use jiff::{Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};
use std::time::Duration;

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let wait = date(value)?.duration_since(now);
    (!wait.is_negative()).then(|| wait.unsigned_abs())
}

/// `Deprecation` (RFC 9745: `@1688169599`; the drafts before it: a date, or `true`) and `Sunset` (RFC 8594: a date).
pub(crate) fn deprecation(headers: &HeaderMap) -> Option<Deprecation> {
    let value = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let (deprecated, sunset) = (value("deprecation"), value("sunset").and_then(date));
    // The drafts knew a way to say that it is not; so does the kind of field that it is now, for what is true or not.
    let deprecated = deprecated.filter(|value| !value.eq_ignore_ascii_case("false") && *value != "?0");
    if deprecated.is_none() && sunset.is_none() {
        return None;
    }
    let since = deprecated.and_then(|value| match value.strip_prefix('@') {
        Some(seconds) => Timestamp::from_second(seconds.parse().ok()?).ok(),
        None => date(value),
    });
    Some(Deprecation { since, sunset })
}

/// A date in any of the three forms of HTTP (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`. The day of the week says nothing more, and is often wrong.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text) {
        return Some(time);
    }
    let utc = |form: &str, text: &str| TimeZone::UTC.to_timestamp(DateTime::strptime(form, text).ok()?).ok();
    match text.split_once(", ") {
        Some((_, rest)) => utc("%d-%b-%y %H:%M:%S GMT", rest),
        None => utc("%b %e %H:%M:%S %Y", text.split_once(' ')?.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{HeaderName, HeaderValue};

    fn noon() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn when_to_ask_again() {
        for (value, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Fri, 20 Nov 2026 12:02:00 GMT", Some(120)),
            ("Fri, 20 Nov 2026 11:59:59 GMT", None),
            ("Tue, 20 Nov 2026 12:02:00 GMT", Some(120)),
            ("Friday, 20-Nov-26 12:02:00 GMT", Some(120)),
            ("Monday, 20-Nov-26 12:02:00 GMT", Some(120)),
            ("Fri Nov 20 12:02:00 2026", Some(120)),
            ("Tue Dec  1 12:00:00 2026", Some(11 * 86_400)),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let seen = retry_after(&headers(&[("retry-after", value)]), noon());
            assert_eq!(seen, seconds.map(Duration::from_secs), "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), noon()), None);
    }

    #[test]
    fn when_an_api_goes() {
        let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let new_year = "Fri, 01 Jan 2027 00:00:00 GMT";
        for (pairs, expected) in [
            (vec![], None),
            (vec![("deprecation", "@1688169599")], Some((time("2023-06-30T23:59:59Z"), None))),
            (vec![("deprecation", new_year)], Some((time("2027-01-01T00:00:00Z"), None))),
            (vec![("deprecation", "true")], Some((None, None))),
            (vec![("deprecation", "false")], None),
            (vec![("deprecation", "?0")], None),
            (vec![("deprecation", "?1")], Some((None, None))),
            (vec![("sunset", "Friday, 01-Jan-27 00:00:00 GMT")], Some((None, time("2027-01-01T00:00:00Z")))),
            (vec![("sunset", new_year)], Some((None, time("2027-01-01T00:00:00Z")))),
            (vec![("sunset", "next year")], None),
            (
                vec![("deprecation", "@0"), ("sunset", new_year)],
                Some((time("1970-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"))),
            ),
        ] {
            let expected = expected.map(|(since, sunset)| Deprecation { since, sunset });
            assert_eq!(deprecation(&headers(&pairs)), expected, "{pairs:?}");
        }
    }
}
