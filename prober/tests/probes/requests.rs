//! What is sent, and what of the answer is looked at.

use crate::{
    servers::{Server, answer, head, ok},
    setting::{
        KEY, USER_AGENT, check, check_id, expect, failed, internet, message, noon, probe, prober, request,
    },
};
use domain::{Check, Dialect, FailureKind::*, Layer, Matches, Method, Redirects, Says, TrackId};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    request.lines().filter_map(|line| line.strip_prefix(&format!("{name}: "))).collect()
}

#[tokio::test]
async fn a_request_says_who_asks_and_carries_an_id_that_can_be_computed_again() {
    let (server, mut heard) = Server::listens().await;
    let outcome = probe(&check(&server.url())).await;
    assert_eq!(failed(&outcome), None);
    let request = heard.recv().await.unwrap();
    assert!(request.starts_with("GET /ping HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(&request, "user-agent"), [USER_AGENT]);
    assert_eq!(header(&request, "host"), [server.address.to_string()]);
    let track = TrackId { check: check_id("ping"), vantage: internet() };
    let id = prober::request_id(&KEY, &track, noon()).to_string();
    assert_eq!(header(&request, "x-request-id"), [id.as_str()]);
    assert_eq!(outcome.request_id.as_deref(), Some(id.as_str()));
}

#[tokio::test]
async fn configured_headers_are_sent_as_they_are_with_the_id_where_it_is_asked_for() {
    let (server, mut heard) = Server::listens().await;
    let mut check = check(&format!("{}/base", server.url()));
    request(&mut check).path = "/Patient?name=a%20b".to_owned();
    request(&mut check).headers = [
        ("apikey", "s3cret"),
        ("X-Correlation-ID", "curiad-{uuid}"),
        ("X-Request-ID", "{uuid}"),
        ("User-Agent", "another"),
        ("Accept", "application/fhir+json"),
        ("Host", "virtual.example"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let outcome = probe(&check).await;
    let request = heard.recv().await.unwrap();
    let id = outcome.request_id.unwrap();
    assert!(request.starts_with("GET /base/Patient?name=a%20b HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(&request, "apikey"), ["s3cret"]);
    assert_eq!(header(&request, "x-correlation-id"), [format!("curiad-{id}")]);
    assert_eq!(header(&request, "x-request-id"), [id], "once");
    assert_eq!(header(&request, "user-agent"), ["another"]);
    assert_eq!(header(&request, "accept"), ["application/fhir+json"]);
    assert_eq!(header(&request, "host"), ["virtual.example"]);
}

#[tokio::test]
async fn a_soap_envelope_is_posted() {
    let (server, mut heard) = Server::listens().await;
    let mut check = check(&server.url());
    request(&mut check).method = Method::Post;
    request(&mut check).body = Some("<Envelope/>".to_owned());
    assert_eq!(failed(&probe(&check).await), None);
    let request = heard.recv().await.unwrap();
    assert!(
        request.starts_with("POST /ping HTTP/1.1\r\n") && request.ends_with("\r\n\r\n<Envelope/>"),
        "{request}"
    );
}

#[tokio::test]
async fn a_head_is_judged_by_its_status_alone() {
    let server = Server::says_and_hangs("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n").await;
    let mut check = check(&server.url());
    request(&mut check).method = Method::Head;
    request(&mut check).dialect = Dialect::Health;
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.http.unwrap().bytes, 0);
}

async fn asked_for_health(status: &str, body: &str) -> domain::Outcome {
    let server = Server::says(answer(status, body)).await;
    let mut check = check(&server.url());
    request(&mut check).dialect = Dialect::Health;
    probe(&check).await
}

#[tokio::test]
async fn what_the_api_says_of_itself_is_believed() {
    let outcome = asked_for_health("200 OK", r#"{"status":"UP","version":"1.2"}"#).await;
    assert_eq!(failed(&outcome), None);
    let words = outcome.health.unwrap();
    assert_eq!((words.says, words.version.as_deref()), (Says::Pass, Some("1.2")));

    let outcome = asked_for_health("200 OK", r#"{"status":"DOWN","dependencies":{"mpi":"DOWN"}}"#).await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, HealthFail)));
    assert_eq!(message(&outcome), "status 200, but the API says that it is down (mpi)");

    let outcome = asked_for_health("200 OK", "Degraded").await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, HealthWarn)));

    let outcome = asked_for_health("503 Service Unavailable", r#"{"status":"pass"}"#).await;
    assert_eq!(failed(&outcome), None);
    assert_eq!(outcome.expectations[0].seen, "503, but the body says that it is well");

    let outcome = asked_for_health("200 OK", "<html>welcome</html>").await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, BadBody)));
}

#[tokio::test]
async fn what_was_agreed_is_looked_at_and_written_down() {
    let body =
        r#"{"resourceType":"CapabilityStatement","status":"active","total":3,"text":"Claf 943 476 5919"}"#;
    let server = Server::says(ok(body)).await;
    let mut check = check(&server.url());
    let expect = expect(&mut check);
    expect.headers = vec![("content-type".to_owned(), Matches::Contains("json".to_owned()))];
    expect.json = vec![
        ("$.resourceType".to_owned(), Matches::Equals("CapabilityStatement".to_owned())),
        ("$.total".to_owned(), Matches::Equals("3".to_owned())),
        ("$.text".to_owned(), Matches::Exists),
        ("$.status".to_owned(), Matches::Regex("^(draft|active)$".to_owned())),
    ];
    expect.text = vec![Matches::Contains("Claf".to_owned())];
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), None);
    let seen: Vec<_> =
        outcome.expectations.iter().map(|e| (e.what.as_str(), e.seen.as_str(), e.ok)).collect();
    assert_eq!(
        seen,
        [
            ("status", "200", true),
            ("header content-type", "application/json", true),
            ("json $.resourceType", "CapabilityStatement", true),
            ("json $.total", "3", true),
            ("json $.text", "there", true),
            ("json $.status", "active", true),
            ("text", "so it is", true),
        ]
    );
}

#[tokio::test]
async fn a_slow_answer_is_a_good_one_here_and_judged_elsewhere() {
    let server = Server::says(ok("")).await;
    let check = Check { slow: Duration::ZERO, ..check(&server.url()) };
    let outcome = prober().probe(&check, noon(), true).await;
    assert_eq!(failed(&outcome), None);
    assert!(outcome.confirm);
    assert_eq!(domain::judge(&outcome, check.slow), domain::Verdict::Slow);
}

/// Redirects there, whatever is asked for, with this status; tells what it was sent.
async fn leads(status: u16, location: String) -> (Server, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let (told, heard) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(move |mut stream| {
        let (told, location) = (told.clone(), location.clone());
        async move {
            let request = head(&mut stream).await;
            let on = request.contains(" /ping ");
            told.send(request).ok();
            let redirect =
                format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(if on { redirect } else { ok("there") }.as_bytes()).await.ok();
        }
    })
    .await;
    (server, heard)
}

fn credentials() -> Vec<(String, String)> {
    [
        ("apikey", "s3cret"),
        ("X-Audit-User", "somebody"),
        ("Accept", "application/json"),
        ("X-Correlation-ID", "{uuid}"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_where_that_is_asked_for() {
    let (server, mut heard) = leads(302, "/there?page=2".to_owned()).await;
    let mut check = check(&server.url());
    request(&mut check).redirects.at_most = 1;
    request(&mut check).headers = credentials();
    expect(&mut check).text = vec![Matches::Contains("there".to_owned())];
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.http.as_ref().unwrap().status, 200);
    let first = heard.recv().await.unwrap();
    let second = heard.recv().await.unwrap();
    assert!(second.starts_with("GET /there?page=2 HTTP/1.1\r\n"), "{second}");
    assert_eq!(header(&second, "apikey"), ["s3cret"], "the same host gets the same headers");
    assert_eq!(header(&second, "x-request-id"), header(&first, "x-request-id"));
    let whats: Vec<&str> = outcome.expectations.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(whats, ["redirect 1", "status", "text"]);
    assert_eq!(outcome.expectations[0].seen, format!("302 to {}", server.address));
}

#[tokio::test]
async fn no_credential_follows_to_another_host() {
    let (elsewhere, mut heard) = Server::listens().await;
    let (server, _first) = leads(307, format!("{}/landing", elsewhere.url())).await;
    let mut check = check(&server.url());
    request(&mut check).redirects = Redirects { at_most: 1, to: vec![elsewhere.address.to_string()] };
    request(&mut check).headers = credentials();
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    let request = heard.recv().await.unwrap();
    let names: Vec<&str> =
        request.lines().skip(1).filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["user-agent", "accept", "x-request-id", "host"], "{request}");
    assert_eq!(header(&request, "host"), [elsewhere.address.to_string()]);
}

#[tokio::test]
async fn a_post_that_is_led_elsewhere_becomes_a_get_as_everybody_does_it() {
    for (status, method) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
        let (server, mut heard) = leads(status, "/there".to_owned()).await;
        let mut check = check(&server.url());
        request(&mut check).method = Method::Post;
        request(&mut check).redirects.at_most = 1;
        assert_eq!(failed(&probe(&check).await), None);
        heard.recv().await.unwrap();
        let second = heard.recv().await.unwrap();
        assert!(second.starts_with(&format!("{method} /there ")), "{status}: {second}");
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, body).unwrap();
    encoder.finish().unwrap()
}

/// An answer with this body, said to be packed.
fn sent(packed: &[u8]) -> Vec<u8> {
    let length = packed.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), packed].concat()
}

#[tokio::test]
async fn a_packed_answer_is_asked_for_only_where_it_is_wanted_and_read_as_it_was() {
    let packed = gzip(br#"{"status":"UP","padding":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#);
    let server = Server::says(sent(&packed)).await;
    let mut check = check(&server.url());
    request(&mut check).dialect = Dialect::Health;
    expect(&mut check).size = Some(74..=74);
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.http.unwrap().bytes, u64::try_from(packed.len()).unwrap(), "as they came");
    assert_eq!(outcome.health.unwrap().says, Says::Pass);

    let (server, mut heard) = Server::listens().await;
    let mut check = crate::setting::check(&server.url());
    probe(&check).await;
    assert_eq!(header(&heard.recv().await.unwrap(), "accept-encoding"), [""; 0]);
    request(&mut check).headers = vec![("Accept-Encoding".to_owned(), "gzip".to_owned())];
    probe(&check).await;
    assert_eq!(header(&heard.recv().await.unwrap(), "accept-encoding"), ["gzip"]);
}

#[tokio::test]
async fn how_a_body_is_packed_that_nobody_looks_into_does_not_matter() {
    let server =
        Server::says("HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 4\r\n\r\npong").await;
    let mut check = check(&server.url());
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    expect(&mut check).text = vec![Matches::Exists];
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, BadBody)), "{}", message(&outcome));
}

#[tokio::test]
async fn a_packed_body_is_as_large_as_it_is_unpacked_and_may_be_as_large_as_any_that_is_counted() {
    let large = u64::try_from(9 << 20).unwrap();
    // What cannot be packed any further, and is larger than what may be looked into.
    let mut word = 1_u32;
    let noise = std::iter::repeat_with(|| {
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        word.to_le_bytes()
    });
    let noise: Vec<u8> = noise.take(3 << 18).flatten().collect();
    let long = u64::try_from(noise.len()).unwrap();
    for (body, size, expected) in [
        (gzip(&vec![b'x'; 9 << 20]), None, None),
        (gzip(&vec![b'x'; 9 << 20]), Some(large..=large), None),
        (gzip(&noise), None, None),
        (gzip(&noise), Some(long..=long), None),
        (gzip(&vec![b'x'; 9 << 20]), Some(0..=1_000_000), Some((Layer::Contract, ExpectationFailed))),
        (gzip(&vec![b'x'; 11 << 20]), Some(0..=u64::MAX), Some((Layer::Contract, TooLarge))),
        // Nobody unpacks what nobody wants to know anything of.
        (gzip(&vec![b'x'; 11 << 20]), None, None),
        (b"not packed".to_vec(), None, None),
        (b"not packed".to_vec(), Some(0..=10), Some((Layer::Contract, BadBody))),
    ] {
        let server = Server::says(sent(&body)).await;
        let mut check = check(&server.url());
        expect(&mut check).size = size.clone();
        let outcome = probe(&check).await;
        let what = format!("{} bytes, {size:?}: {}", body.len(), message(&outcome));
        assert_eq!(failed(&outcome), expected, "{what}");
    }
}

#[tokio::test]
async fn what_an_answer_announces_is_written_down() {
    let server = Server::says(
        "HTTP/1.1 200 OK\r\nDeprecation: @1688169599\r\nSunset: Fri, 01 Jan 2027 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let goes = probe(&check(&server.url())).await.deprecation.unwrap();
    assert_eq!(goes.since.unwrap().to_string(), "2023-06-30T23:59:59Z");
    assert_eq!(goes.sunset.unwrap().to_string(), "2027-01-01T00:00:00Z");
    let server = Server::says("HTTP/1.1 503 Oh\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(probe(&check(&server.url())).await.retry_after, Some(Duration::from_secs(120)));
}
