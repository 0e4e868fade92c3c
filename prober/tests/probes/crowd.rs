//! Who is slow takes no place from those that answer; and where we are, we say so.

use crate::{
    running::{Running, quick, until},
    servers::{Server, head, ok},
    setting::{check, check_id, failed, message, noon, request, settings},
};
use domain::{ApiId, Check, CheckId, Environment, FailureKind::*, InstanceId, LATE, Layer};
use jiff::Timestamp;
use prober::{Limits, Prober};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpListener, sync::Semaphore, task::JoinSet, time::Instant};

/// One check of an API of this name.
fn named(api: &str, url: &str, every: Duration, timeout: Duration) -> Check {
    let id = check_id("ping");
    let instance = InstanceId { api: ApiId::parse(api).unwrap(), ..id.instance };
    Check { id: CheckId { instance, ..id }, every, timeout, ..check(url) }
}

#[tokio::test]
async fn two_hundred_hosts_that_swallow_leave_the_others_as_they_were() {
    const ANSWERS: usize = 600;
    const WELL: Duration = Duration::from_millis(200);
    const SILENT: Duration = Duration::from_millis(1_900);
    // Every address of 127/8 is this host: two hundred hosts behind one listener.
    let silent = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let _silent = Server::on(silent, |mut stream| async move {
        head(&mut stream).await;
        std::future::pending::<()>().await;
    });
    let well = Server::start(|mut stream| async move {
        head(&mut stream).await;
        stream.write_all(ok("").as_bytes()).await.ok();
    })
    .await;
    let mut checks = Vec::new();
    for host in 1..=200 {
        for each in 0..4 {
            let url = format!("http://127.1.0.{host}:{port}");
            let name = format!("silent-{host}-{each}");
            checks.push(named(&name, &url, Duration::from_secs(2), SILENT));
        }
    }
    for each in 0..20 {
        checks.push(named(&format!("well-{each}"), &well.url(), WELL, Duration::from_secs(5)));
    }
    // Two probes of each silent host at a time are as many as there are places.
    let mut crowded = settings();
    crowded.limits = Limits { in_flight: 400, ..Limits::default() };
    let mut running = Running::with(crowded, checks, 4_096);
    let (mut answered, mut unanswered) = (0, 0);
    let mut beats: HashMap<CheckId, Vec<Timestamp>> = HashMap::new();
    while answered < ANSWERS {
        let outcome = running.next().await;
        if outcome.check.instance.api.as_str().starts_with("well") {
            assert_eq!(failed(&outcome), None, "after {answered}: {}", message(&outcome));
            answered += 1;
            beats.entry(outcome.check).or_default().push(outcome.at);
        } else {
            // A busy machine may be late to take a connection.
            let known = [
                Some((Layer::Backend, FirstByteTimeout)),
                Some((Layer::Ours, NoPermit)),
                Some((Layer::Connect, ConnectTimeout)),
            ];
            assert!(known.contains(&failed(&outcome)), "{}", message(&outcome));
            unanswered += 1;
        }
    }
    let skipped = running.prober.metrics().beats_skipped();
    println!("{answered} answered, {unanswered} did not, {skipped} beats left out");
    assert!(unanswered > 0, "the silent ones are told too");
    // Who answers keeps its pace: starved, it would see eight of them for each of its own.
    assert!(unanswered < 4 * answered, "{unanswered} for {answered}");
    running.stop.cancel();
    assert_eq!(beats.len(), 20);
    for (check, beats) in beats {
        let passed = Duration::try_from(beats[beats.len() - 1].duration_since(beats[0])).unwrap();
        // From the first to the last, whole beats: neither is late by half of one.
        let due = (passed + WELL / 2).as_millis() / WELL.as_millis() + 1;
        // A busy machine stands still for longer than a beat now and then: that one nobody could have sent.
        assert!(due <= beats.len() as u128 + 2, "{check} left beats out: {beats:?}");
    }
}

#[tokio::test]
async fn what_begins_long_after_its_time_says_so() {
    let server = Server::says(ok("")).await;
    let checks = (0..10).map(|n| quick(&format!("op-{n}"), &server.url())).collect();
    let mut running = Running::with(settings(), checks, 1);
    let metrics = running.prober.metrics().clone();
    until("an outcome is held up", || metrics.outcomes_held_up() > 0).await;
    until("what was in flight has ended", || metrics.in_flight() == 0).await;
    let (began, due) = (metrics.probes(), Instant::now() + LATE * 2);
    until("all beats are late", || Instant::now() > due).await;
    let mut late = None;
    // Those that were sent before are not.
    for _ in 0..=began {
        late = running.next().await.late;
    }
    assert!(late.is_some_and(|late| late > LATE), "{late:?}");
}

#[tokio::test]
async fn who_waits_for_a_place_that_others_have_begins_late_and_who_waits_for_its_own_host_does_not() {
    for (in_flight, per_host, others_have_it) in [(1, 8, true), (8, 1, false)] {
        let slow = Server::start(|mut stream| async move {
            let path = head(&mut stream).await;
            if path.starts_with("GET /slow") {
                tokio::time::sleep(LATE + LATE / 4).await;
            }
            stream.write_all(ok("").as_bytes()).await.ok();
        })
        .await;
        let mut few = settings();
        few.limits = Limits { in_flight, per_host, ..Limits::default() };
        let prober = Prober::new(few).unwrap();
        let mut slowly = check(&slow.url());
        request(&mut slowly).path = "/slow".to_owned();
        let host = if others_have_it { "localhost" } else { "127.0.0.1" };
        let quick = check(&format!("http://{host}:{}", slow.address.port()));
        let all = [slowly, quick].map(|check| prober.prepare(Arc::new(check)));
        for prepared in &all {
            // So that both have answered before.
            assert_eq!(prober.probe_prepared(prepared, noon(), false).await.late, None);
        }
        let (_, waited) = tokio::join!(
            prober.probe_prepared(&all[0], noon(), false),
            prober.probe_prepared(&all[1], noon(), false)
        );
        assert_eq!(failed(&waited), None, "{}", message(&waited));
        assert_eq!(waited.late.is_some_and(|late| late > LATE), others_have_it, "{:?}", waited.late);
    }
}

#[tokio::test]
async fn a_test_environment_has_half_of_the_places_and_production_what_it_needs() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = gate.clone();
    let slow = Server::start(move |mut stream| {
        let gate = gate.clone();
        async move {
            head(&mut stream).await;
            let _passed = gate.acquire().await.unwrap();
            stream.write_all(ok("").as_bytes()).await.ok();
        }
    })
    .await;
    let well = Server::says(ok("")).await;
    let mut few = settings();
    few.limits = Limits { in_flight: 8, ..Limits::default() };
    let prober = Arc::new(Prober::new(few).unwrap());
    let at = |environment, url: &str| {
        let check = check(url);
        let instance = InstanceId { environment, ..check.id.instance };
        Check { id: CheckId { instance, ..check.id }, ..check }
    };
    // Who has never answered has less; what is made ready keeps in mind that it has.
    opened.add_permits(1);
    let known = prober.prepare(Arc::new(at(Environment::Sit, &slow.url())));
    assert_eq!(failed(&prober.probe_prepared(&known, noon(), false).await), None);
    opened.acquire().await.unwrap().forget();
    let mut loaded = JoinSet::new();
    for _ in 0..8 {
        let (prober, check) = (Arc::clone(&prober), at(Environment::Sit, &slow.url()));
        loaded.spawn(async move { prober.probe(&check, noon(), false).await });
    }
    until("four are sent, and four wait", || slow.accepted() == 5 && prober.metrics().permits_waited() == 4)
        .await;
    for environment in [Environment::Production, Environment::Sandbox] {
        let outcome = prober.probe(&at(environment, &well.url()), noon(), false).await;
        assert_eq!(failed(&outcome), None, "{environment}: {}", message(&outcome));
    }
    assert_eq!((slow.accepted(), prober.metrics().permits_waited()), (5, 4), "neither had to wait");
    opened.add_permits(1);
    while let Some(outcome) = loaded.join_next().await {
        assert_eq!(failed(&outcome.unwrap()), None, "those that waited had their turn");
    }
}
