//! What can go wrong between connecting and the last byte.

use crate::{
    servers::{Server, head, nobody, ok},
    setting::{check, failed, impatient, message, noon, probe, prober, request, settings},
};
use domain::{FailureKind::*, Layer, Matches};
use prober::{Limits, Prober};
use std::{sync::Arc, time::Duration};
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_good_answer_has_its_phases_and_no_failure() {
    let server = Server::says(ok("pong")).await;
    let outcome = probe(&check(&server.url())).await;
    assert_eq!(failed(&outcome), None);
    let phases = outcome.phases;
    assert_eq!((phases.dns, phases.tls), (None, None), "an address needs no name, http no TLS");
    assert!(phases.connect.is_some() && phases.first_byte.is_some() && phases.body.is_some());
    let http = outcome.http.unwrap();
    assert_eq!((http.status, &*http.version, http.bytes), (200, "HTTP/1.1", 4));
    assert_eq!(http.remote_ip, Some(server.address.ip()));
    assert_eq!(outcome.certificate, None);
    assert!(outcome.at.duration_since(noon()).as_secs() < 5, "when it started: {}", outcome.at);
}

#[tokio::test]
async fn every_address_is_tried_and_told() {
    let port = nobody().port();
    let outcome = probe(&check(&format!("http://localhost:{port}"))).await;
    assert_eq!(failed(&outcome), Some((Layer::Connect, Refused)));
    let told = message(&outcome);
    assert!(told.contains(&format!("127.0.0.1:{port} refused; [::1]:{port} ")), "{told}");
}

#[tokio::test]
async fn a_body_without_end() {
    let server = Server::start(|mut stream| async move {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok();
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
    })
    .await;
    let mut small = settings();
    small.limits = Limits { body: 100_000, counted: 300_000, ..Limits::default() };
    let prober = Prober::new(small).unwrap();
    let counted = check(&server.url());
    let mut looked_into = check(&server.url());
    Arc::make_mut(&mut Arc::make_mut(&mut looked_into.operation).expect).text =
        vec![Matches::Contains("x".to_owned())];
    for (check, limit) in [(counted, 300_000), (looked_into, 100_000)] {
        let outcome = prober.probe(&check, noon(), false).await;
        assert_eq!(failed(&outcome), Some((Layer::Contract, TooLarge)));
        assert_eq!(message(&outcome), format!("the body is larger than {limit} bytes"));
    }
}

#[tokio::test]
async fn the_largest_body_that_an_api_may_send_is_counted() {
    let server = Server::says(ok(&"x".repeat(10 << 20))).await;
    let outcome = probe(&check(&server.url())).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.http.unwrap().bytes, 10 << 20);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, mut heard) = Server::listens().await;
    let server = Server::says(format!(
        "HTTP/1.1 302 Found\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n",
        elsewhere.url()
    ))
    .await;
    let outcome = probe(&check(&server.url())).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, UnexpectedStatus)));
    assert!(heard.try_recv().is_err(), "nobody went there");
}

#[tokio::test]
async fn a_probe_that_breaks_is_our_own_trouble_and_ends_nothing_else() {
    let mut broken = settings();
    broken.clock = domain::Clock::new(|| panic!("9434765919"));
    let prober = Prober::new(broken).unwrap();
    let server = Server::says(ok("")).await;
    let outcome = prober.probe(&check(&server.url()), noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, ProbeBroke)));
    assert!(!message(&outcome).contains("943"), "a panic's words may quote anything");
    assert_eq!(prober.metrics().probes_broke(), 1);
    assert_eq!(prober.metrics().in_flight(), 0);
}

#[tokio::test]
async fn a_check_that_cannot_be_sent_is_our_own_trouble() {
    for url in ["ftp://127.0.0.1", "http://", "not a url", "http://user:secret@127.0.0.1", "http://a b"] {
        let outcome = probe(&check(url)).await;
        assert_eq!(failed(&outcome), Some((Layer::Ours, ProbeBroke)), "{url}");
        assert!(!message(&outcome).contains("secret"), "{}", message(&outcome));
    }
    let mut bad = check("http://127.0.0.1:1");
    request(&mut bad).headers = vec![("apikey".to_owned(), "s3cret\nx".to_owned())];
    let outcome = probe(&bad).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, ProbeBroke)));
    assert!(message(&outcome).contains("'apikey'") && !message(&outcome).contains("s3cret"));
}

#[tokio::test]
async fn too_many_in_flight_is_our_own_trouble_and_each_waits_its_turn() {
    let hangs = Server::says_and_hangs("").await;
    let answers = Server::says(ok("")).await;
    let mut few = settings();
    few.limits = Limits { in_flight: 8, per_host: 1, ..Limits::default() };
    let prober = Arc::new(Prober::new(few).unwrap());

    // One holds the only place at 127.0.0.1 for 2 s; another waits for it no longer than its own deadline.
    let mut holds = tokio::task::JoinSet::new();
    let (first, url) = (prober.clone(), hangs.url());
    holds.spawn(async move {
        let patient = domain::Check { timeout: Duration::from_secs(2), ..check(&url) };
        first.probe(&patient, noon(), false).await
    });
    while hangs.accepted() == 0 {
        tokio::task::yield_now().await;
    }
    let outcome = prober.probe(&impatient(&answers.url()), noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, NoPermit)));
    assert_eq!(answers.accepted(), 0, "nothing was sent");
    assert_eq!(prober.metrics().permits_waited(), 1);
    // `localhost` is another host by its name: it need not wait.
    let outcome =
        prober.probe(&check(&format!("http://localhost:{}", answers.address.port())), noon(), false).await;
    assert_eq!(failed(&outcome), None);
    // With patience the place comes free, and the wait is no part of the probe.
    let outcome = prober.probe(&check(&answers.url()), noon(), false).await;
    assert_eq!(failed(&outcome), None);
    assert!(outcome.total < Duration::from_secs(1), "{:?}", outcome.total);
    let held = holds.join_next().await.unwrap().unwrap();
    assert_eq!(failed(&held), Some((Layer::Backend, FirstByteTimeout)));
}

#[tokio::test]
async fn a_probe_is_one_connection_and_leaves_none_behind() {
    let server = Server::says(ok("")).await;
    let prober = prober();
    for _ in 0..5 {
        assert_eq!(failed(&prober.probe(&check(&server.url()), noon(), false).await), None);
    }
    assert_eq!(server.accepted(), 5, "fresh connections");
    assert_eq!((prober.metrics().probes(), prober.metrics().in_flight()), (5, 0));
}
