//! Our own network gone: a probe that got no answer asks the guards before it blames an API.

use crate::{
    certificates::Authority,
    servers::{Server, answer, nobody, ok, swallows},
    setting::{check, failed, impatient, message, noon, settings},
};
use domain::{Check, FailureKind::*, Guard, Guards, Layer, Outcome, Sight};
use prober::Prober;
use std::{net::SocketAddr, sync::Arc};
use tokio::task::JoinSet;

fn guard(address: SocketAddr) -> Guard {
    Guard { tls: false, host: address.ip().to_string(), port: address.port() }
}

pub(crate) fn guarded(outside: &[SocketAddr], inside: &[SocketAddr]) -> Prober {
    let all = |side: &[SocketAddr]| side.iter().map(|address| guard(*address)).collect();
    let mut settings = settings();
    settings.guards = Guards { outside: all(outside), inside: all(inside) };
    Prober::new(settings).unwrap()
}

async fn seen(prober: &Prober, check: &Check) -> Outcome {
    prober.probe(check, noon(), false).await
}

#[tokio::test]
async fn guards_that_answer_leave_the_silence_to_the_api() {
    let (outside, inside) = (Server::says("").await, Server::says("").await);
    let prober = guarded(&[nobody(), outside.address], &[inside.address]);
    let silent = swallows().await;
    for (check, expected) in [
        (check(&format!("http://{}", nobody())), (Layer::Connect, Refused)),
        (impatient(&format!("http://{}", silent.address)), (Layer::Connect, ConnectTimeout)),
    ] {
        let outcome = seen(&prober, &check).await;
        assert_eq!(failed(&outcome), Some(expected), "{}", message(&outcome));
        assert_eq!(outcome.sight, Some(Sight::Clear));
    }
}

#[tokio::test]
async fn when_no_guard_answers_the_silence_is_ours() {
    let (a, b, target) = (nobody(), nobody(), nobody());
    let prober = guarded(&[a], &[b]);
    let silent = swallows().await;
    for check in [
        check(&format!("http://{target}")),
        impatient(&format!("http://{}", silent.address)),
        impatient(&Server::says_and_hangs("").await.url()),
        check("http://no-resolver.example"),
    ] {
        let outcome = seen(&prober, &check).await;
        assert_eq!(failed(&outcome), Some((Layer::Ours, NoNetwork)), "{}: {}", check.url, message(&outcome));
        assert_eq!(outcome.sight, Some(Sight::Nothing));
        let told = format!("our own network is gone: no guard answers (tcp://{a}, tcp://{b}); ");
        assert!(message(&outcome).starts_with(&told), "{}", message(&outcome));
        assert!(message(&outcome).len() > told.len(), "and what was seen of the API itself");
    }
}

#[tokio::test]
async fn a_side_that_is_gone_is_named() {
    let there = Server::says("").await;
    let target = check(&format!("http://{}", nobody()));
    for (prober, sight, words) in [
        (guarded(&[there.address], &[nobody()]), Sight::NoInside, "the NHS Wales network cannot be reached"),
        (guarded(&[nobody()], &[there.address]), Sight::NoOutside, "the internet cannot be reached"),
    ] {
        let outcome = seen(&prober, &target).await;
        assert_eq!(failed(&outcome), Some((Layer::Ours, NoNetwork)));
        assert_eq!(outcome.sight, Some(sight));
        assert!(message(&outcome).starts_with(words), "{}", message(&outcome));
    }
}

#[tokio::test]
async fn a_guard_that_was_silent_while_the_api_was_reached_says_nothing_of_it_any_more() {
    let there = Server::says("").await;
    let prober = guarded(&[there.address], &[nobody()]);
    let (first, well) = (nobody(), Server::says(ok("")).await);
    // The only guard inside is gone by itself; that shows with the first API that fails.
    let mut gone = check(&format!("http://{first}"));
    assert_eq!(seen(&prober, &gone).await.sight, Some(Sight::NoInside));
    // Another one is reached meanwhile, and fails after that: this has another reason.
    let mut other = gone.clone();
    other.id.operation = domain::OperationId::parse("other").unwrap();
    other.url = well.url();
    assert_eq!(failed(&seen(&prober, &other).await), None);
    other.url = gone.url.clone();
    let outcome = seen(&prober, &other).await;
    assert_eq!(
        (failed(&outcome), outcome.sight),
        (Some((Layer::Connect, Refused)), None),
        "{}",
        message(&outcome)
    );
    // Of one that was never reached since, nobody knows.
    gone.timeout += std::time::Duration::from_millis(1);
    assert_eq!(seen(&prober, &gone).await.sight, Some(Sight::NoInside));
}

#[tokio::test]
async fn an_answer_is_never_doubted_and_asks_no_guard() {
    let guards = Server::says("").await;
    let watched = guarded(&[guards.address], &[]);
    let blind = guarded(&[nobody()], &[]);
    let failing = Server::says(answer("500 Internal Server Error", "")).await;
    let well = Server::says(ok("")).await;
    for prober in [&watched, &blind] {
        let outcome = seen(prober, &check(&failing.url())).await;
        assert_eq!((failed(&outcome), outcome.sight), (Some((Layer::Backend, ServerError)), None));
        assert_eq!(failed(&seen(prober, &check(&well.url())).await), None);
    }
    assert_eq!(guards.accepted(), 0);
}

#[tokio::test]
async fn many_that_fail_at_once_look_once() {
    let guards = Server::says("").await;
    let prober = Arc::new(guarded(&[guards.address], &[]));
    let target = check(&format!("http://{}", nobody()));
    let mut flying = JoinSet::new();
    for _ in 0..200 {
        let (prober, target) = (prober.clone(), target.clone());
        flying.spawn(async move { seen(&prober, &target).await });
    }
    while let Some(outcome) = flying.join_next().await {
        assert_eq!(outcome.unwrap().sight, Some(Sight::Clear));
    }
    // One look speaks for a second; a machine may take longer than that over 200 flying.
    assert!(guards.accepted() < 20, "{}", guards.accepted());
}

#[tokio::test]
async fn a_guard_over_tls_is_there_whatever_its_certificate() {
    let stranger = Authority::new().signs(&["another.example"], 2020, 2021).serves().await;
    let mut settings = settings();
    settings.roots = vec![Authority::new().der];
    let port = stranger.address.port();
    settings.guards.outside = vec![Guard { tls: true, host: "127.0.0.1".to_owned(), port }];
    let target = check(&format!("http://{}", nobody()));
    let outcome = seen(&Prober::new(settings.clone()).unwrap(), &target).await;
    assert_eq!(outcome.sight, Some(Sight::Clear), "{}", message(&outcome));
    // What accepts and says nothing is not there.
    let mute = Server::says_and_hangs("").await;
    settings.guards.outside =
        vec![Guard { tls: true, host: mute.address.ip().to_string(), port: mute.address.port() }];
    let outcome = seen(&Prober::new(settings).unwrap(), &target).await;
    assert_eq!(outcome.sight, Some(Sight::Nothing), "{}", message(&outcome));
}
