//! What can go wrong between connecting and the last byte.

use crate::{
    servers::{Server, answer, head, nobody, ok},
    setting::{check, failed, impatient, message, noon, probe, prober, request, settings},
};
use domain::{FailureKind::*, Layer};
use prober::{Limits, Prober};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};

#[tokio::test]
async fn a_good_answer_has_its_phases_and_no_failure() {
    let server = Server::says(ok("pong")).await;
    let outcome = probe(&check(&server.url())).await;
    assert_eq!(failed(&outcome), None);
    let phases = outcome.phases;
    assert_eq!((phases.dns, phases.tls), (None, None), "an address needs no name, http no TLS");
    assert!(phases.connect.is_some() && phases.first_byte.is_some() && phases.body.is_some());
    let http = outcome.http.unwrap();
    assert_eq!((http.status, http.version.as_str(), http.bytes), (200, "HTTP/1.1", 4));
    assert_eq!(http.remote_ip, Some(server.address.ip()));
    assert_eq!(outcome.certificate, None);
    assert!(outcome.at.duration_since(noon()).as_secs() < 5, "when it started: {}", outcome.at);
}

#[tokio::test]
async fn nothing_listens() {
    let address = nobody().await;
    let outcome = probe(&check(&format!("http://{address}"))).await;
    assert_eq!(failed(&outcome), Some((Layer::Connect, Refused)));
    assert_eq!(message(&outcome), format!("{address} refused"));
    assert!(outcome.phases.connect.is_some() && outcome.phases.first_byte.is_none());
    assert_eq!(outcome.http, None);
}

#[tokio::test]
async fn every_address_is_tried_and_told() {
    let port = nobody().await.port();
    let outcome = probe(&check(&format!("http://localhost:{port}"))).await;
    assert_eq!(failed(&outcome), Some((Layer::Connect, Refused)));
    let told = message(&outcome);
    assert!(told.contains(&format!("127.0.0.1:{port} refused; [::1]:{port} ")), "{told}");
}

#[tokio::test]
async fn a_connection_that_nobody_takes_is_given_up() {
    // A listener whose queue is full lets further connections hang.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        waiting.push(stream);
        assert!(waiting.len() < 64, "the queue does not fill");
    }
    let check = domain::Check { timeout: Duration::from_secs(1), ..check(&format!("http://{address}")) };
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), Some((Layer::Connect, ConnectTimeout)));
    assert_eq!(message(&outcome), format!("{address} timed out"));
    assert!(outcome.total < check.timeout, "half of its time, then it is named: {:?}", outcome.total);
}

#[tokio::test]
async fn a_server_that_takes_the_connection_and_cuts_it() {
    let server = Server::start(|stream| async move { stream.set_zero_linger().unwrap() }).await;
    let outcome = probe(&check(&server.url())).await;
    assert!(
        matches!(failed(&outcome), Some((Layer::Backend, ClosedEarly) | (Layer::Connect, Reset))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_server_that_reads_the_request_and_closes() {
    let server = Server::says("").await;
    let outcome = probe(&check(&server.url())).await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, ClosedEarly)));
    assert!(outcome.phases.first_byte.is_some());
}

#[tokio::test]
async fn a_head_that_breaks_off() {
    let server = Server::says("HTTP/1.1 200 OK\r\nContent-Le").await;
    assert_eq!(failed(&probe(&check(&server.url())).await), Some((Layer::Backend, ClosedEarly)));
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let server = Server::says_and_hangs("").await;
    let outcome = probe(&impatient(&server.url())).await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, FirstByteTimeout)));
    assert!(outcome.total >= Duration::from_millis(300) && outcome.total < Duration::from_secs(3));
    assert_eq!(outcome.phases.body, None);
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_for_ever() {
    let server = Server::start(|mut stream| async move {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.ok();
        let mut beat = tokio::time::interval(Duration::from_millis(10));
        loop {
            beat.tick().await;
            if stream.write_all(b"x: y\r\n").await.is_err() {
                return;
            }
        }
    })
    .await;
    let outcome = probe(&impatient(&server.url())).await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, FirstByteTimeout)));
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_for_ever() {
    let server = Server::start(|mut stream| async move {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await.ok();
        let mut beat = tokio::time::interval(Duration::from_millis(10));
        loop {
            beat.tick().await;
            if stream.write_all(b"x").await.is_err() {
                return;
            }
        }
    })
    .await;
    let outcome = probe(&impatient(&server.url())).await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, BodyTimeout)));
    let http = outcome.http.unwrap();
    assert!(http.status == 200 && http.bytes > 0, "{http:?}");
    assert!(outcome.phases.body.is_some());
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
    small.limits = Limits { body: 100_000, ..Limits::default() };
    let outcome = Prober::new(small).unwrap().probe(&check(&server.url()), noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, TooLarge)));
    assert_eq!(message(&outcome), "the body is larger than 100000 bytes");
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_read() {
    let server = Server::says_and_hangs("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n").await;
    let outcome = probe(&check(&server.url())).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, TooLarge)));
    assert_eq!(outcome.http.unwrap().bytes, 0);
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    for sent in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let server = Server::says(sent).await;
        let outcome = probe(&check(&server.url())).await;
        assert_eq!(failed(&outcome), Some((Layer::Backend, BodyTruncated)), "{sent}");
    }
}

#[tokio::test]
async fn a_bad_status_says_more_than_a_body_that_broke_off() {
    let server = Server::says("HTTP/1.1 500 Oh\r\nContent-Length: 10\r\n\r\nabc").await;
    assert_eq!(failed(&probe(&check(&server.url())).await), Some((Layer::Backend, ServerError)));
}

#[tokio::test]
async fn a_head_of_ten_megabytes() {
    let line = format!("X-Long: {}\r\n", "y".repeat(10 * 1024 * 1024));
    let server = Server::says(format!("HTTP/1.1 200 OK\r\n{line}\r\n")).await;
    assert_eq!(failed(&probe(&check(&server.url())).await), Some((Layer::Contract, TooLarge)));
    let server = Server::says(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-Many: y\r\n".repeat(1_000_000))).await;
    assert_eq!(failed(&probe(&check(&server.url())).await), Some((Layer::Contract, TooLarge)));
}

#[tokio::test]
async fn what_is_not_http() {
    for sent in [
        "SSH-2.0-OpenSSH_9.2p1\r\n",
        "220 mail ESMTP\r\n",
        "\u{0}\u{1}\u{2}\u{3}\r\n\r\n",
        "HTTP/1.1 9x9 no\r\n\r\n",
    ] {
        let server = Server::says(sent).await;
        let outcome = probe(&check(&server.url())).await;
        assert_eq!(failed(&outcome), Some((Layer::Contract, NotHttp)), "{sent:?}: {}", message(&outcome));
    }
    let server = Server::says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").await;
    assert_eq!(failed(&probe(&check(&server.url())).await), Some((Layer::Contract, NotHttp)));
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
async fn a_status_is_read_from_whatever_comes() {
    for (status, expected) in [
        ("204 No Content", None),
        ("401 Unauthorized", Some((Layer::Gateway, AccessRefused))),
        ("404 Not Found", Some((Layer::Contract, UnexpectedStatus))),
        ("429 Too Many Requests", Some((Layer::Gateway, RateLimited))),
        ("500 Internal Server Error", Some((Layer::Backend, ServerError))),
        ("502 Bad Gateway", Some((Layer::Gateway, BackendUnavailable))),
        ("503 Service Unavailable", Some((Layer::Gateway, GatewayError))),
        ("504 Gateway Timeout", Some((Layer::Gateway, BackendUnavailable))),
    ] {
        let server = Server::says(format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n")).await;
        assert_eq!(failed(&probe(&check(&server.url())).await), expected, "{status}");
    }
    let body = r#"{"fault":{"detail":{"errorcode":"messaging.adaptors.http.flow.ServiceUnavailable"}}}"#;
    let server = Server::says(answer("503 Service Unavailable", body)).await;
    assert_eq!(failed(&probe(&check(&server.url())).await), Some((Layer::Backend, BackendUnavailable)));
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
