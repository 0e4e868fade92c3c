//! What is our own, and what comes before the API is asked: places, the configuration, the clock, tokens.

use super::Fault;
use crate::{
    certificates::{Authority, secure},
    identity::{client, of, says},
    servers::{Server, answer, head, ok},
    setting::{check, expect, noon, settings},
};
use domain::{Clock, FailureKind::*, Layer, Matches, OAuth2, Verdict};
use jiff::SignedDuration;
use prober::{Limits, Prober};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{io::AsyncWriteExt, task::JoinSet};

pub(super) async fn all(authority: &Authority) -> Vec<Fault> {
    let mut all = tokens().await;
    all.extend([no_place().await, not_sent().await, clock(authority).await, slow().await]);
    all
}

async fn tokens() -> Vec<Fault> {
    let mut all = Vec::new();
    for (name, status, body) in [
        ("a token endpoint that refuses our credential", "401 Unauthorized", r#"{"error":"invalid_client"}"#),
        ("a token endpoint that is down", "503 Service Unavailable", "{}"),
        ("a token endpoint without tokens", "200 OK", "<html>"),
    ] {
        let (endpoint, forms) = says(move |_| answer(status, body)).await;
        let api = Server::says(ok("{}")).await;
        let credential = of(client(&endpoint));
        let fault = Fault::at(name, &api.url(), (api, endpoint, forms)).marks("");
        let fault = fault.with(|check| check.credential = Some(credential));
        all.push(match status {
            "401 Unauthorized" => fault.is(Verdict::Inconclusive, Layer::Ours, CredentialRefused),
            _ => fault.fails(Layer::Token, TokenBroken),
        });
    }
    let api = Server::says(ok("{}")).await;
    let oauth2 = OAuth2 { token_url: "http://127.0.0.1:1/token".to_owned(), ..client(&api) };
    let fault = Fault::at("a token endpoint where nobody listens", &api.url(), api).marks("");
    let fault = fault.with(|check| check.credential = Some(of(oauth2)));
    all.push(fault.fails(Layer::Token, TokenUnreachable));
    all
}

/// Another probe has the only place, and keeps it.
async fn no_place() -> Fault {
    let hangs = Server::says_and_hangs("").await;
    let mut narrow = settings();
    narrow.limits = Limits { per_host: 1, ..Limits::default() };
    let prober = std::sync::Arc::new(Prober::new(narrow).unwrap());
    // Not by its address, which the neighbour has, too.
    let url = hangs.url().replace("127.0.0.1", "localhost");
    let (holds, mut patient) = (prober.clone(), check(&url));
    patient.timeout = Duration::from_secs(60);
    let mut held = JoinSet::new();
    held.spawn(async move { drop(holds.probe(&patient, noon(), false).await) });
    while hangs.accepted() == 0 {
        tokio::task::yield_now().await;
    }
    let fault = Fault::at("no place among the probes in flight", &url, (hangs, held)).marks("");
    let mut fault = fault.with(|check| check.timeout = Duration::from_millis(300));
    fault.prober = Some(prober);
    fault.is(Verdict::Inconclusive, Layer::Ours, NoPermit)
}

async fn not_sent() -> Fault {
    let api = Server::says(ok("{}")).await;
    let fault = Fault::at("a check that cannot be sent", &api.url(), api).marks("");
    let path = "$.entry[?search(@.id, 'a')]".to_owned();
    let fault = fault.with(|check| expect(check).json = vec![(path, Matches::Exists)]);
    fault.is(Verdict::Inconclusive, Layer::Ours, ProbeBroke)
}

/// All others have a time that is years before ours.
async fn clock(authority: &Authority) -> Fault {
    let says = b"HTTP/1.1 200 OK\r\nDate: Wed, 20 Nov 2024 12:00:00 GMT\r\nContent-Length: 0\r\n\r\n";
    let others = authority.signs(&["other.localhost"], 2024, 2025).says(says).await;
    let mut jumps = settings();
    jumps.roots = vec![authority.der.clone()];
    let ahead = Arc::new(AtomicI64::new(-730));
    let days = ahead.clone();
    jumps.clock = Clock::new(move || noon() + SignedDuration::from_hours(24 * days.load(Ordering::SeqCst)));
    let prober = Prober::new(jumps).unwrap();
    let well = prober.probe(&secure(&others, "other.localhost"), noon(), false).await;
    assert_eq!(well.failure, None);
    ahead.store(0, Ordering::SeqCst);
    let server = authority.signs(&["localhost"], 2024, 2025).serves().await;
    let url = format!("https://localhost:{}", server.address.port());
    let fault = Fault::at("a certificate that is over by our own clock alone", &url, (server, others));
    let fault = fault.with(|check| check.timeout = Duration::from_secs(9));
    fault.marks("dns connect tls").by(prober).is(Verdict::Inconclusive, Layer::Ours, CertificateExpired)
}

async fn slow() -> Fault {
    let server = Server::start(|mut stream| async move {
        head(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        stream.write_all(ok("{}").as_bytes()).await.ok();
    })
    .await;
    let mut fault = Fault::at("well, and slow", &server.url(), server);
    fault.slow = Duration::from_millis(50);
    fault.verdict = Verdict::Slow;
    fault
}
