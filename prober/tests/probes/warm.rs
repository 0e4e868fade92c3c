//! Connections that are kept from one probe to the next.

use crate::{
    certificates::{Authority, secure},
    guards::guarded,
    servers::{Server, head, nobody, ok},
    setting::{check, expect, failed, impatient, message, noon, prober, request, settings},
};
use bytes::Bytes;
use domain::{Check, Connection, FailureKind, Layer, Matches, Outcome, Sight};
use http_body_util::Full;
use hyper::{Response, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prober::{Prepared, Prober, Settings};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::io::AsyncWriteExt;

fn warm(check: Check) -> Check {
    let mut check = check;
    request(&mut check).connection = Connection::Warm;
    check
}

/// Probes of one check, one after the other.
struct Probes {
    prober: Prober,
    prepared: Prepared,
}

impl Probes {
    fn of(prober: Prober, check: Check) -> Self {
        let prepared = prober.prepare(Arc::new(warm(check)));
        Self { prober, prepared }
    }

    async fn next(&self) -> Outcome {
        self.prober.probe_prepared(&self.prepared, noon(), false).await
    }
}

/// Whether the system has a timer running for a connection to this port on which nothing is under way: it asks whether the
/// other side is still there.
#[cfg(target_os = "linux")]
fn is_kept_alive(port: u16) -> bool {
    let all = std::fs::read_to_string("/proc/net/tcp").expect("the system's connections");
    let (to, established) = (format!("0100007F:{port:04X}"), "01");
    all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).any(|words| {
        words.get(2) == Some(&to.as_str())
            && words.get(3) == Some(&established)
            && words.get(5).is_some_and(|timer| timer.starts_with("02:"))
    })
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_on_the_way_does_not_forget_a_kept_connection() {
    let server = answers(2, &[]).await;
    let probes = Probes::of(prober(), check(&server.url()));
    assert_eq!(failed(&probes.next().await), None);
    let port = server.url().rsplit_once(':').unwrap().1.parse().unwrap();
    assert!(is_kept_alive(port));
}

/// Answers so many requests on each connection, each with the next of these; then closes it.
async fn answers(each: usize, all: &'static [&'static str]) -> Server {
    let next = Arc::new(AtomicUsize::new(0));
    Server::start(move |mut stream| {
        let next = Arc::clone(&next);
        async move {
            for _ in 0..each {
                if head(&mut stream).await.is_empty() {
                    return;
                }
                let index = next.fetch_add(1, Ordering::SeqCst);
                let said = all.get(index).map_or_else(|| ok("{}"), |said| (*said).to_owned());
                stream.write_all(said.as_bytes()).await.ok();
            }
        }
    })
    .await
}

/// Answers so many requests on each connection, and then says nothing any more.
async fn falls_silent_after(each: usize) -> Server {
    Server::start(move |mut stream| async move {
        for _ in 0..each {
            head(&mut stream).await;
            stream.write_all(ok("{}").as_bytes()).await.ok();
        }
        std::future::pending::<()>().await;
    })
    .await
}

#[tokio::test]
async fn the_next_probe_goes_over_the_connection_of_the_one_before_and_says_so() {
    let server = answers(100, &[]).await;
    let probes = Probes::of(prober(), check(&server.url()));
    let first = probes.next().await;
    assert_eq!((failed(&first), first.warm), (None, false));
    assert!(first.phases.connect.is_some());
    for _ in 0..5 {
        let next = probes.next().await;
        assert_eq!((failed(&next), next.warm), (None, true));
        assert_eq!((next.phases.connect, next.phases.tls), (None, None), "nothing of it is measured");
        assert!(next.phases.first_byte.is_some());
        assert_eq!(next.http.and_then(|http| http.remote_ip), Some(server.address.ip()));
    }
    assert_eq!(server.accepted(), 1);
    let fresh = prober().probe(&check(&server.url()), noon(), false).await;
    assert!(!fresh.warm, "by default each has its own");
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_no_failure() {
    // Closed at once; and at the moment when something is sent over it.
    for closes in ["after the answer", "before the next"] {
        let server = Server::start(move |mut stream| async move {
            head(&mut stream).await;
            stream.write_all(ok("{}").as_bytes()).await.ok();
            if closes == "before the next" {
                head(&mut stream).await;
            }
        })
        .await;
        let shows = Prober::new(Settings { transcripts: true, ..settings() }).unwrap();
        let probes = Probes::of(shows, check(&server.url()));
        for count in 1..=4 {
            let outcome = probes.next().await;
            assert_eq!((failed(&outcome), outcome.warm), (None, false), "{closes}: {}", message(&outcome));
            assert!(outcome.phases.connect.is_some());
            assert_eq!(server.accepted(), count);
        }
        let said = probes.next().await.expectations;
        let told = said.iter().any(|one| one.what == "kept connection" && one.ok);
        assert_eq!(told, closes == "before the next", "{said:?}");
    }
}

#[tokio::test]
async fn what_comes_over_a_kept_connection_is_judged_like_any_other() {
    let server = answers(
        4,
        &[
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        ],
    )
    .await;
    let probes = Probes::of(prober(), check(&server.url()));
    assert_eq!(failed(&probes.next().await), None);
    let unwell = probes.next().await;
    assert_eq!((failed(&unwell), unwell.warm), (Some((Layer::Gateway, FailureKind::GatewayError)), true));
    let last = probes.next().await;
    assert_eq!((failed(&last), last.warm), (None, true), "it stood after a failure");
    // That one was the last on its connection, as it said.
    let outcome = probes.next().await;
    assert!(!outcome.warm, "{}", message(&outcome));
    assert_eq!(server.accepted(), 2);
}

/// Answers over HTTP/2 with this body, for as long as a connection stands.
async fn h2(authority: &Authority, body: Bytes) -> Server {
    let acceptor = authority.acceptor(&["h2"]);
    Server::start(move |stream| {
        let (acceptor, body) = (acceptor.clone(), body.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(|_| {
                std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(body.clone()))))
            });
            http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await
                .ok();
        }
    })
    .await
}

#[tokio::test]
async fn a_connection_over_which_an_answer_broke_off_is_not_kept() {
    let authority = Authority::new();
    let server = h2(&authority, Bytes::from(vec![b'x'; 3 << 20])).await;
    let mut check = secure(&server, "localhost");
    expect(&mut check).text = vec![Matches::Exists];
    let probes = Probes::of(authority.prober(), check);
    for count in 1..=3 {
        let outcome = probes.next().await;
        assert_eq!(failed(&outcome), Some((Layer::Contract, FailureKind::TooLarge)), "{}", message(&outcome));
        assert_eq!((outcome.warm, server.accepted()), (false, count));
    }
}

#[tokio::test]
async fn http2_over_tls_is_kept_too_and_its_certificate_still_seen() {
    let authority = Authority::new();
    let server = h2(&authority, Bytes::from("{}")).await;
    let probes = Probes::of(authority.prober(), secure(&server, "localhost"));
    let first = probes.next().await;
    assert_eq!(failed(&first), None, "{}", message(&first));
    for _ in 0..3 {
        let next = probes.next().await;
        assert_eq!((failed(&next), next.warm), (None, true), "{}", message(&next));
        assert_eq!(next.http.map(|http| http.version).as_deref(), Some("HTTP/2"));
        assert_eq!((next.phases.tls, next.certificate), (None, first.certificate.clone()));
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn more_than_may_be_kept_are_fresh() {
    let server = answers(100, &[]).await;
    let mut few = crate::setting::settings();
    few.limits.in_flight = 8;
    let prober = Prober::new(few).unwrap();
    let ready = |_| prober.prepare(Arc::new(warm(check(&server.url()))));
    let both: Vec<Prepared> = (0..2).map(ready).collect();
    for (round, warm) in [(1, [false, false]), (2, [true, false])] {
        for (prepared, warm) in both.iter().zip(warm) {
            let outcome = prober.probe_prepared(prepared, noon(), false).await;
            assert_eq!((failed(&outcome), outcome.warm), (None, warm), "round {round}");
        }
    }
}

#[tokio::test]
async fn a_kept_connection_that_nothing_comes_over_is_the_apis_while_guards_answer_and_ours_when_they_are_gone()
 {
    for (gone, expected, sight) in [
        (false, (Layer::Backend, FailureKind::FirstByteTimeout), Sight::Clear),
        (true, (Layer::Ours, FailureKind::NoNetwork), Sight::Nothing),
    ] {
        let server = falls_silent_after(1).await;
        let guard = Server::says("").await;
        let probes = Probes::of(guarded(&[guard.address], &[]), impatient(&server.url()));
        assert_eq!(failed(&probes.next().await), None);
        let guard = Some(guard).filter(|_| !gone);
        let silent = probes.next().await;
        assert_eq!((failed(&silent), silent.warm), (Some(expected), true), "{}", message(&silent));
        assert_eq!(silent.sight, Some(sight));
        drop(guard);
    }
}

#[tokio::test]
async fn where_one_side_is_gone_a_kept_connection_shows_that_its_target_is_reached_only_by_an_answer() {
    for (answers, expected, sight) in [
        (1, (Layer::Ours, FailureKind::NoNetwork), Some(Sight::NoInside)),
        (2, (Layer::Backend, FailureKind::FirstByteTimeout), None),
    ] {
        let server = falls_silent_after(answers).await;
        let there = Server::says("").await;
        let probes = Probes::of(guarded(&[there.address], &[nobody()]), impatient(&server.url()));
        assert_eq!(failed(&probes.next().await), None);
        // Another check finds that a side is gone.
        let mut another = check(&format!("http://{}", nobody()));
        another.id.operation = domain::OperationId::parse("another").unwrap();
        let found = probes.prober.probe(&another, noon(), false).await;
        assert_eq!(found.sight, Some(Sight::NoInside));
        for _ in 1..answers {
            let answered = probes.next().await;
            assert_eq!((failed(&answered), answered.warm), (None, true), "{}", message(&answered));
        }
        let silent = probes.next().await;
        assert_eq!((failed(&silent), silent.warm), (Some(expected), true), "{}", message(&silent));
        assert_eq!(silent.sight, sight);
        assert_eq!(server.accepted(), 1);
    }
}
