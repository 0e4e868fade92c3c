use super::*;
use FailureKind::*;
use domain::{Expect, Matches, Statuses};
use hyper::header::HeaderValue;

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn answer<'a>(status: u16, headers: &'a HeaderMap, body: &'a str) -> Answer<'a> {
    let size = body.len() as u64;
    let took = Duration::from_millis(250);
    Answer {
        status,
        headers,
        body: body.as_bytes(),
        size,
        took,
        broke_off: None,
        certificate: None,
        asked: true,
    }
}

fn reading(expect: &Expect, health: bool, status: u16, body: &str) -> Reading {
    let mut headers = HeaderMap::new();
    headers.append("content-type", HeaderValue::from_static("application/fhir+json"));
    headers.append("vary", HeaderValue::from_static("accept"));
    headers.append("vary", HeaderValue::from_static("origin"));
    let dialect = if health { Dialect::Health } else { Dialect::Plain };
    read(&Expectations::new(expect).unwrap(), dialect, answer(status, &headers, body), noon())
}

fn failed(reading: &Reading) -> Option<(Layer, FailureKind)> {
    reading.failure.as_ref().map(|failure| (failure.layer, failure.kind))
}

#[test]
fn a_status_is_accepted_or_not() {
    for (accepted, status, expected) in [
        (vec![], 200, None),
        (vec![], 204, None),
        (vec![], 299, None),
        (vec![], 302, Some((Layer::Contract, UnexpectedStatus))),
        (vec![], 404, Some((Layer::Contract, UnexpectedStatus))),
        (vec![], 500, Some((Layer::Backend, ServerError))),
        (vec![204], 204, None),
        (vec![204], 200, Some((Layer::Contract, UnexpectedStatus))),
        // That the gateway refuses who brings no key may be just what is wanted.
        (vec![401], 401, None),
        (vec![401], 200, Some((Layer::Contract, UnexpectedStatus))),
        (vec![200, 503], 503, None),
        (vec![302], 302, None),
    ] {
        let statuses = accepted.iter().copied().map(Into::into).collect();
        let expect = Expect { status: statuses, ..Expect::default() };
        let reading = reading(&expect, false, status, "");
        assert_eq!(failed(&reading), expected, "{accepted:?} and {status}");
        assert_eq!(reading.expectations[0].ok, expected.is_none());
    }
}

#[test]
fn what_fhir_says_beside_a_status_that_was_expected_is_no_failure() {
    let outcome = |code: &str| {
        format!(r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","code":"{code}"}}]}}"#)
    };
    let all = [
        (&[404, 410][..], 404, "not-found", None),
        (&[404, 410], 410, "deleted", None),
        (&[401], 401, "login", None),
        (&[404], 404, "exception", None),
        (&[200, 404], 200, "not-found", Some((Layer::Contract, RequestRefused))),
        (&[404], 404, "throttled", Some((Layer::Gateway, RateLimited))),
        (&[503], 503, "throttled", Some((Layer::Gateway, RateLimited))),
        (&[404], 410, "deleted", Some((Layer::Contract, UnexpectedStatus))),
    ];
    let dialects = [Dialect::Fhir, Dialect::Capabilities];
    for (dialect, (accepted, status, code, expected)) in
        dialects.into_iter().flat_map(|dialect| all.map(|one| (dialect, one)))
    {
        let statuses = accepted.iter().copied().map(Into::into).collect();
        let expect = Expectations::new(&Expect { status: statuses, ..Expect::default() }).unwrap();
        let (headers, body) = (HeaderMap::new(), outcome(code));
        let reading = read(&expect, dialect, answer(status, &headers, &body), noon());
        assert_eq!(failed(&reading), expected, "{dialect:?} {accepted:?}: {status} {code}");
    }
}

#[test]
fn health_comes_first() {
    let gateway = r#"{"fault":{"detail":{"errorcode":"messaging.adaptors.http.flow.GatewayTimeout"}}}"#;
    for (status, body, expected) in [
        (200, r#"{"status":"pass"}"#, None),
        (200, r#"{"status":"UP","dependencies":{"mpi":"DOWN"}}"#, None),
        (200, r#"{"status":"DOWN"}"#, Some((Layer::Backend, HealthFail))),
        (200, r#"{"status":"fail"}"#, Some((Layer::Backend, HealthFail))),
        (200, r#"{"status":"warn"}"#, Some((Layer::Backend, HealthWarn))),
        (200, "Unhealthy", Some((Layer::Backend, HealthFail))),
        (200, "", Some((Layer::Contract, BadBody))),
        (200, "<html>", Some((Layer::Contract, BadBody))),
        (200, r#"{"status":"sleeping"}"#, Some((Layer::Contract, BadBody))),
        (503, r#"{"status":"pass"}"#, None),
        (500, r#"{"status":"pass"}"#, None),
        (503, r#"{"status":"warn"}"#, Some((Layer::Backend, HealthWarn))),
        (503, r#"{"status":"DOWN"}"#, Some((Layer::Backend, HealthFail))),
        (500, r#"{"status":"DOWN"}"#, Some((Layer::Backend, HealthFail))),
        // No health in it: the status, or the gateway, is what there is.
        (503, "", Some((Layer::Gateway, GatewayError))),
        (504, gateway, Some((Layer::Backend, BackendUnavailable))),
        (500, "boom", Some((Layer::Backend, ServerError))),
        // Whoever says these did not ask the API.
        (401, r#"{"status":"pass"}"#, Some((Layer::Gateway, AccessRefused))),
        (429, r#"{"status":"error"}"#, Some((Layer::Gateway, RateLimited))),
        (404, r#"{"status":"error"}"#, Some((Layer::Contract, UnexpectedStatus))),
        (502, r#"{"status":"DOWN"}"#, Some((Layer::Backend, HealthFail))),
        (504, r#"{"status":"warn"}"#, Some((Layer::Backend, HealthWarn))),
    ] {
        let reading = reading(&Expect::default(), true, status, body);
        assert_eq!(failed(&reading), expected, "{status} {body}");
    }
}

#[test]
fn a_503_that_says_it_is_well_is_believed_and_told() {
    let well = reading(&Expect::default(), true, 503, r#"{"status":"pass"}"#);
    let status = &well.expectations[0];
    assert_eq!((status.ok, status.seen.as_str()), (true, "503, but the body says that it is well"));
    let degraded = reading(&Expect::default(), true, 503, r#"{"status":"warn"}"#);
    assert_eq!(degraded.expectations[0].seen, "503, but the body says that it is only degraded");
    let down =
        reading(&Expect::default(), true, 503, r#"{"status":"fail","checks":{"spine:status":"fail"}}"#);
    assert!(!down.expectations[0].ok);
    assert_eq!(down.failure.unwrap().message, "status 503: the API says that it is down (spine:status)");
}

fn equals(text: &str) -> Matches {
    Matches::Equals(text.to_owned())
}

fn contains(text: &str) -> Matches {
    Matches::Contains(text.to_owned())
}

fn regex(text: &str) -> Matches {
    Matches::Regex(text.to_owned())
}

#[test]
fn headers() {
    for (name, matches, seen, ok) in [
        ("content-type", contains("fhir"), "application/fhir+json", true),
        ("content-type", equals("application/fhir+json"), "application/fhir+json", true),
        ("content-type", equals("text/html"), "application/fhir+json", false),
        ("Content-Type", regex("^application/"), "application/fhir+json", true),
        ("content-type", Matches::Exists, "application/fhir+json", true),
        ("vary", equals("origin"), "origin", true),
        ("vary", equals("cookie"), "accept", false),
        ("etag", Matches::Exists, "nothing", false),
        ("etag", contains(""), "nothing", false),
    ] {
        let expect = Expect { headers: vec![(name.to_owned(), matches)], ..Expect::default() };
        let reading = reading(&expect, false, 200, "");
        let last = reading.expectations.last().unwrap();
        assert_eq!((last.seen.as_str(), last.ok), (seen, ok), "{expect:?}");
        assert_eq!(failed(&reading), (!ok).then_some((Layer::Contract, ExpectationFailed)));
    }
}

#[test]
fn of_a_header_that_may_be_about_somebody_nothing_is_said() {
    let mut headers = HeaderMap::new();
    headers.append("set-cookie", HeaderValue::from_static("session=s3cret"));
    headers.append("location", HeaderValue::from_static("/Patient/ann"));
    for (name, matches, seen, ok) in [
        ("set-cookie", Matches::Exists, "there", true),
        ("set-cookie", contains("session="), "so it is", true),
        ("set-cookie", contains("other"), "something else, 14 characters long", false),
        ("location", equals("/Patient/ann"), "/Patient/ann", true),
        ("location", equals("/Patient"), "something else, 12 characters long", false),
        ("location", regex("^/Patient/"), "so it is", true),
        ("x-missing", Matches::Exists, "nothing", false),
    ] {
        let expect = Expect { headers: vec![(name.to_owned(), matches)], ..Expect::default() };
        let expect = Expectations::new(&expect).unwrap();
        let reading = read(&expect, Dialect::Plain, answer(200, &headers, ""), noon());
        let last = reading.expectations.last().unwrap();
        assert_eq!((last.seen.as_str(), last.ok), (seen, ok), "{expect:?}");
    }
}

#[test]
fn json() {
    let body = r#"{"a":{"b":[1,2.5,"x",true,null]},"id":"9434765919","o":{"k":"v"}}"#;
    for (path, matches, seen, kind) in [
        ("$.a.b[0]", equals("1"), "1", None),
        ("$.a.b[1]", equals("2.5"), "2.5", None),
        ("$.a.b[2]", equals("x"), "x", None),
        ("$.a.b[3]", equals("true"), "true", None),
        ("$.a.b[4]", Matches::Exists, "there", None),
        ("$.a.b[*]", equals("1"), "1", None),
        ("$.a.b[?@ == 'x']", Matches::Exists, "there", None),
        ("$.o", contains("\"k\""), "an object", None),
        ("$.o", equals("x"), "an object", Some(ExpectationFailed)),
        ("$.a.b", equals("x"), "a list", Some(ExpectationFailed)),
        ("$.id", regex("^[0-9]{10}$"), "so it is", None),
        ("$.id", equals("other"), "something else, 10 characters long", Some(ExpectationFailed)),
        ("$.missing", Matches::Exists, "nothing", Some(ExpectationFailed)),
        ("$.a.b[0]", equals("2"), "1", Some(ExpectationFailed)),
    ] {
        let expect = Expect { json: vec![(path.to_owned(), matches)], ..Expect::default() };
        let reading = reading(&expect, false, 200, body);
        assert_eq!(reading.expectations.last().unwrap().seen, seen, "{expect:?}");
        assert_eq!(failed(&reading), kind.map(|kind| (Layer::Contract, kind)), "{expect:?}");
        let told = reading.failure.map(|failure| failure.message).unwrap_or_default();
        assert!(!told.contains("9434765919"), "{told}");
    }
    let expect = Expect { json: vec![("$.a".to_owned(), Matches::Exists)], ..Expect::default() };
    for body in ["", "<a/>", "{\"a\":"] {
        let reading = reading(&expect, false, 200, body);
        assert_eq!(failed(&reading), Some((Layer::Contract, BadBody)), "{body}");
    }
}

#[test]
fn text() {
    for (matches, body, ok) in [
        (contains("pong"), "ping pong", true),
        (contains("pong"), "ping", false),
        (equals("pong"), "pong\r\n", true),
        (equals("pong"), "pong!", false),
        (regex("(?m)^<Envelope"), "<?xml?>\n<Envelope>", true),
        (regex("^$"), "x", false),
        (Matches::Exists, "x", true),
        (Matches::Exists, "", false),
    ] {
        let expect = Expect { text: vec![matches], ..Expect::default() };
        let reading = reading(&expect, false, 200, body);
        assert_eq!(
            failed(&reading),
            (!ok).then_some((Layer::Contract, ExpectationFailed)),
            "{expect:?} on {body}"
        );
        assert!(
            !reading.expectations.last().unwrap().seen.contains(body) || body.len() < 2,
            "never the body"
        );
    }
}

#[test]
fn classes_of_a_status() {
    for (accepted, status, ok) in [
        (vec![Statuses::Class(2)], 204, true),
        (vec![Statuses::Class(2)], 301, false),
        (vec![Statuses::Class(2), Statuses::One(404)], 404, true),
        (vec![Statuses::Class(4)], 418, true),
        (vec![Statuses::Class(4)], 418, true),
    ] {
        let expect = Expect { status: accepted, ..Expect::default() };
        let reading = reading(&expect, false, status, "");
        assert_eq!(reading.expectations[0].ok, ok, "{expect:?} and {status}");
    }
    let expect = Expect { status: vec![Statuses::Class(2), Statuses::One(404)], ..Expect::default() };
    assert_eq!(reading(&expect, false, 200, "").expectations[0].expected, "200–299, 404");
}

#[test]
fn size_and_latency() {
    // The answer has ten bytes and took 250 ms.
    for (size, latency, said) in [
        (Some(0..=10), None, None),
        (Some(0..=9), None, Some("size: expected at most 9 bytes, saw 10 bytes")),
        (Some(11..=u64::MAX), None, Some("size: expected at least 11 bytes, saw 10 bytes")),
        (Some(1..=2), None, Some("size: expected 1 to 2 bytes, saw 10 bytes")),
        (None, Some(250), None),
        (None, Some(249), Some("latency: expected at most 249 ms, saw 250 ms")),
    ] {
        let latency = latency.map(Duration::from_millis);
        let expect = Expect { size, latency, ..Expect::default() };
        let failure = reading(&expect, false, 200, "0123456789").failure;
        assert_eq!(failure.as_ref().map(|failure| failure.message.as_str()), said);
        assert!(failure.is_none_or(|failure| failure.layer == Layer::Contract));
    }
}

#[test]
fn why_a_body_is_no_json_is_said() {
    let expect = Expect { json: vec![("$.a".to_owned(), Matches::Exists)], ..Expect::default() };
    let deep = "[".repeat(200) + &"]".repeat(200);
    for (body, why) in [
        ("", "an empty body"),
        (" \r\n", "an empty body"),
        ("{\"a\":", "JSON that ends too early"),
        ("<a/>", "not JSON"),
        (deep.as_str(), "JSON nested deeper than 127 levels"),
    ] {
        let reading = reading(&expect, false, 200, body);
        assert_eq!(reading.expectations.last().unwrap().seen, why);
        assert_eq!(failed(&reading), Some((Layer::Contract, BadBody)));
    }
}

#[test]
fn days_of_a_certificate() {
    let day = |days: i64| noon() + jiff::SignedDuration::from_hours(24 * days);
    for (ends, seen, ok) in [
        (Some(day(14)), "14 days left", true),
        (Some(day(400)), "400 days left", true),
        (Some(day(14) - jiff::SignedDuration::from_secs(1)), "13 days left", false),
        (Some(day(-1)), "over for 1 day", false),
        (Some(day(-3)), "over for 3 days", false),
        (Some(day(0) - jiff::SignedDuration::from_hours(1)), "over for less than a day", false),
        (Some(day(0) + jiff::SignedDuration::from_hours(1)), "less than a day left", false),
        (Some(day(1)), "1 day left", false),
        (None, "no certificate", false),
    ] {
        let certificate = ends.map(|not_after| Certificate { not_after, fingerprint: String::new() });
        let expect = Expect { certificate_days: Some(14), ..Expect::default() };
        let headers = HeaderMap::new();
        let answer = Answer { certificate: certificate.as_ref(), ..answer(200, &headers, "") };
        let reading = read(&Expectations::new(&expect).unwrap(), Dialect::Plain, answer, noon());
        assert_eq!(reading.expectations.last().unwrap().seen, seen);
        assert_eq!(failed(&reading), (!ok).then_some((Layer::Contract, CertificateEndsSoon)), "{seen}");
    }
}

#[test]
fn the_first_failure_is_told_and_all_expectations_are_written_down() {
    let expect = Expect {
        headers: vec![("etag".to_owned(), Matches::Exists)],
        json: vec![("$.a".to_owned(), equals("2")), ("$.a".to_owned(), equals("1"))],
        text: vec![contains("nowhere")],
        ..Expect::default()
    };
    let reading = reading(&expect, false, 200, r#"{"a":1}"#);
    assert_eq!(reading.failure.unwrap().message, "header etag: expected there, saw nothing");
    let held: Vec<bool> = reading.expectations.iter().map(|expectation| expectation.ok).collect();
    assert_eq!(held, [true, false, false, true, false]);
}

#[test]
fn an_answer_that_is_not_whole_is_not_looked_into() {
    let broke_off = Failure { layer: Layer::Backend, kind: BodyTruncated, message: "short".to_owned() };
    let expect = Expect { text: vec![contains("x")], ..Expect::default() };
    for (status, expected) in [(200, BodyTruncated), (500, ServerError)] {
        let headers = HeaderMap::new();
        let answer = Answer { broke_off: Some(broke_off.clone()), ..answer(status, &headers, "") };
        let reading = read(&Expectations::new(&expect).unwrap(), Dialect::Plain, answer, noon());
        assert_eq!(failed(&reading), Some((Layer::Backend, expected)));
        assert_eq!(reading.expectations.len(), 1);
    }
}

#[test]
fn what_cannot_be_compiled_is_named() {
    for (expect, words) in [
        (
            Expect { json: vec![("a".to_owned(), Matches::Exists)], ..Expect::default() },
            "'a' is not a JSONPath",
        ),
        (Expect { text: vec![regex("(")], ..Expect::default() }, "the regular expression '('"),
        (Expect { text: vec![regex("(\\w{1000}){1000}")], ..Expect::default() }, "the regular expression"),
        (Expect { headers: vec![("a b".to_owned(), Matches::Exists)], ..Expect::default() }, "'a b' is not"),
    ] {
        let problem = Expectations::new(&expect).unwrap_err();
        assert!(problem.starts_with(words), "{problem}");
    }
}

#[test]
fn reading_never_breaks() {
    let expect = Expect {
        json: vec![("$..a".to_owned(), Matches::Exists)],
        text: vec![contains("ŵ")],
        ..Expect::default()
    };
    for body in ["", "\u{0}", "[[[[", "{\"status\":{}}", "{\"status\":{\"code\":1}}", "nul", "1e999"] {
        for status in [100, 200, 299, 300, 503, 999] {
            reading(&expect, true, status, body);
        }
    }
}
