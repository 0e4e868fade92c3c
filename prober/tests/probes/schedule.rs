//! Every check at its time.

use crate::{
    running::{LONG, Running, configuration, quick, rare, track, until},
    servers::{Server, head, ok},
    setting::{check_id, expect, failed, internet, message, noon, running, settings},
};
use domain::{Check, Clock, FailureKind, Layer, TrackId, VantageId, Wanted, next_due};
use jiff::Timestamp;
use prober::{Error, Limits, Settings, Work};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt,
    sync::{Semaphore, mpsc},
};

#[tokio::test]
async fn a_check_is_probed_at_its_time_and_at_no_other() {
    let server = Server::says(ok("")).await;
    let mut running = Running::start(vec![quick("ping", &server.url())]);
    let mut due = next_due(&track("ping"), Duration::from_millis(100), noon());
    for _ in 0..10 {
        let outcome = running.next().await;
        assert_eq!(failed(&outcome), None);
        assert!(!outcome.confirm);
        // The id tells which beat it was.
        while outcome.request_id
            != Some(prober::request_id(&crate::setting::KEY, &track("ping"), due).to_string())
        {
            due += Duration::from_millis(100);
            assert!(due < noon() + LONG, "scheduled for a beat");
        }
        assert!(outcome.at >= due, "{} is not before {due}", outcome.at);
    }
    let lag = running.prober.metrics().start_lag();
    assert!(lag.count() >= 10, "{lag:?}");
    running.stop.cancel();
    running.ends().await.unwrap();
}

#[tokio::test]
async fn checks_of_another_vantage_are_left_alone() {
    let server = Server::says(ok("")).await;
    let elsewhere =
        Check { from: vec![VantageId::parse("inside").unwrap()], ..quick("status", &server.url()) };
    let mut running = Running::start(vec![elsewhere, quick("ping", &server.url())]);
    for _ in 0..5 {
        assert_eq!(running.next().await.check, check_id("ping"));
    }
    let wanted = Wanted {
        at: noon(),
        track: TrackId { check: check_id("ping"), vantage: VantageId::parse("inside").unwrap() },
    };
    running.wanted.send(wanted).await.unwrap();
    for _ in 0..5 {
        assert!(!running.next().await.confirm);
    }
}

#[tokio::test]
async fn a_check_never_overlaps_itself() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (open.clone(), most.clone());
    let gate = Arc::new(Semaphore::new(0));
    let opened = gate.clone();
    let server = Server::start(move |mut stream| {
        let ((open, most), gate) = (counted.clone(), gate.clone());
        async move {
            head(&mut stream).await;
            most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let _passed = gate.acquire().await.unwrap();
            open.fetch_sub(1, Ordering::SeqCst);
            stream.write_all(ok("").as_bytes()).await.ok();
        }
    })
    .await;
    let mut running = Running::start(vec![quick("ping", &server.url())]);
    let metrics = running.prober.metrics().clone();
    until("a beat is left out", || metrics.beats_skipped() >= 3).await;
    // Not even for one that is wanted.
    running.wanted.send(Wanted { at: noon(), track: track("ping") }).await.unwrap();
    until("another beat is left out", || metrics.beats_skipped() >= 6).await;
    // Nor when the check is changed in mid-flight.
    let changed = Check { slow: Duration::from_millis(1), ..quick("ping", &server.url()) };
    running.takes(vec![changed]);
    until("yet another beat is left out", || metrics.beats_skipped() >= 9).await;
    assert_eq!(open.load(Ordering::SeqCst), 1);
    opened.add_permits(1);
    assert!(!running.next().await.confirm, "the first one");
    let mut confirming = running.next().await;
    while !confirming.confirm {
        confirming = running.next().await;
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_wanted_is_probed_at_its_time_and_marked() {
    let server = Server::says(ok("")).await;
    let mut running = Running::start(vec![rare("ping", &server.url()), rare("status", &server.url())]);
    let now = running.clock.now();
    let later = now + Duration::from_millis(300);
    for (at, operation) in [(later, "status"), (later, "status"), (now, "ping"), (now, "unknown")] {
        running.wanted.send(Wanted { at, track: track(operation) }).await.unwrap();
    }
    let first = running.next().await;
    assert_eq!((first.check, first.confirm), (check_id("ping"), true));
    let second = running.next().await;
    assert_eq!((&second.check, second.confirm), (&check_id("status"), true));
    assert!(second.at >= Timestamp::from_millisecond(later.as_millisecond()).unwrap());
    running.stop.cancel();
    running.ends().await.unwrap();
    assert!(running.outcomes.recv().await.is_none(), "once, though it was asked for twice");
}

#[tokio::test]
async fn a_change_of_configuration_takes_effect_and_leaves_probes_in_flight_alone() {
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
    let fast = Server::says(ok("")).await;
    let mut running = Running::start(vec![quick("old", &slow.url())]);
    until("the old one is in flight", || slow.accepted() == 1).await;
    running.takes(vec![quick("new", &fast.url())]);
    assert_eq!(running.next().await.check, check_id("new"));
    opened.add_permits(1);
    loop {
        let outcome = running.next().await;
        if outcome.check == check_id("old") {
            assert_eq!(failed(&outcome), None);
            break;
        }
    }
    for _ in 0..3 {
        assert_eq!(running.next().await.check, check_id("new"));
    }
    assert_eq!(slow.accepted(), 1, "no more of the old one");
}

#[tokio::test]
async fn a_prober_that_takes_over_says_its_own_name_and_goes_on_counting() {
    let (heads, mut heard) = mpsc::unbounded_channel();
    let server = Server::start(move |mut stream| {
        let heads = heads.clone();
        async move {
            heads.send(head(&mut stream).await).ok();
            stream.write_all(ok("").as_bytes()).await.ok();
        }
    })
    .await;
    let check = quick("ping", &server.url());
    let mut running = Running::start(vec![check.clone()]);
    assert_eq!(running.next().await.question, Some(check.question()));
    let mut renamed = settings();
    renamed.identity.user_agent = "Curiad/0 (+https://elsewhere.example.wales)".to_owned();
    let fresh = Arc::new(running.prober.again(renamed).unwrap());
    let counted = running.prober.metrics().probes();
    running
        .work
        .send(Work { prober: fresh.clone(), others: Vec::new(), configuration: configuration(vec![check]) })
        .unwrap();
    while !heard.recv().await.unwrap().contains("elsewhere.example") {}
    assert!(fresh.metrics().probes() > counted, "one count over both");
}

#[tokio::test]
async fn a_full_channel_slows_probing_and_loses_nothing() {
    let server = Server::says(ok("")).await;
    let checks = (0..10).map(|n| quick(&format!("op-{n}"), &server.url())).collect();
    let mut running = Running::with(settings(), checks, 1);
    let metrics = running.prober.metrics().clone();
    until("an outcome is held up", || metrics.outcomes_held_up() > 0).await;
    // What was in flight then comes to its end; nothing new is started for as long as one is held up.
    until("what was in flight has ended", || metrics.in_flight() == 0).await;
    let started = metrics.probes();
    let due = Instant::now() + Duration::from_millis(500);
    until("many beats pass", || Instant::now() > due).await;
    assert_eq!(metrics.probes(), started, "probing waits");
    let mut seen = 0;
    for _ in 0..50 {
        assert_eq!(failed(&running.next().await), None);
        seen += 1;
    }
    assert!(metrics.probes() > started, "and goes on");
    running.stop.cancel();
    let all = async {
        while running.outcomes.recv().await.is_some() {
            seen += 1;
        }
    };
    tokio::time::timeout(LONG, all).await.unwrap();
    running.task.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(seen, metrics.probes(), "one outcome a probe");
}

#[tokio::test]
async fn when_told_to_stop_what_is_in_flight_is_finished() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = gate.clone();
    let server = Server::start(move |mut stream| {
        let gate = gate.clone();
        async move {
            head(&mut stream).await;
            let _passed = gate.acquire().await.unwrap();
            stream.write_all(ok("").as_bytes()).await.ok();
        }
    })
    .await;
    let mut running = Running::start(vec![quick("ping", &server.url())]);
    until("it is in flight", || server.accepted() == 1).await;
    running.stop.cancel();
    opened.add_permits(1);
    running.ends().await.unwrap();
    assert_eq!(failed(&running.next().await), None);
    assert!(running.outcomes.recv().await.is_none());
    assert_eq!(server.accepted(), 1, "nothing new");
}

#[tokio::test]
async fn when_told_to_stop_what_does_not_end_is_abandoned_after_the_grace() {
    let server = Server::says_and_hangs("").await;
    let mut hasty = settings();
    hasty.limits = Limits { grace: Duration::from_millis(50), ..Limits::default() };
    let endless = Check { timeout: LONG * 2, ..quick("ping", &server.url()) };
    let mut running = Running::with(hasty, vec![endless], 16);
    until("it is in flight", || server.accepted() == 1).await;
    running.stop.cancel();
    running.ends().await.unwrap();
    assert_eq!(running.prober.metrics().in_flight(), 0);
}

#[tokio::test]
async fn when_nobody_takes_the_outcomes_the_run_ends_with_an_error() {
    let server = Server::says(ok("")).await;
    let mut running = Running::start(vec![quick("ping", &server.url())]);
    running.outcomes.close();
    assert!(matches!(running.ends().await, Err(Error::OutcomesClosed)));
}

#[tokio::test]
async fn a_run_goes_on_when_nobody_wants_or_configures_any_more() {
    let server = Server::says(ok("")).await;
    let running = Running::start(vec![quick("ping", &server.url())]);
    let Running { work, wanted, mut outcomes, stop, mut task, .. } = running;
    drop((work, wanted));
    for _ in 0..5 {
        assert_eq!(failed(&outcomes.recv().await.unwrap()), None);
    }
    stop.cancel();
    task.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_clock_that_is_set_back_or_forward_stops_nothing() {
    let server = Server::says(ok("")).await;
    let (clock, shift) = (running(), Arc::new(AtomicI64::new(0)));
    let shifted = shift.clone();
    let mut odd = settings();
    odd.clock =
        Clock::new(move || clock.now() + jiff::SignedDuration::from_secs(shifted.load(Ordering::SeqCst)));
    let mut running = Running::with(odd, vec![quick("ping", &server.url())], 1024);
    running.next().await;
    for seconds in [-3_600, 3_600] {
        shift.store(seconds, Ordering::SeqCst);
        let set = noon() + jiff::SignedDuration::from_secs(seconds);
        loop {
            let outcome = running.next().await;
            if outcome.at.duration_since(set).abs() < jiff::SignedDuration::from_mins(5) {
                break;
            }
        }
    }
    // No burst for the hour that was jumped over.
    assert!(running.prober.metrics().probes() < 200);
}

#[tokio::test]
async fn a_check_that_cannot_be_sent_is_told_at_every_beat() {
    let server = Server::says(ok("")).await;
    let mut bad = quick("bad", &server.url());
    expect(&mut bad).json = vec![("$[".to_owned(), domain::Matches::Exists)];
    let mut running = Running::start(vec![bad]);
    for _ in 0..2 {
        let outcome = running.next().await;
        assert_eq!(failed(&outcome), Some((Layer::Ours, FailureKind::ProbeBroke)));
        assert!(outcome.failure.unwrap().message.contains("'$[' is not a JSONPath"));
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn a_check_is_probed_from_each_of_its_vantages() {
    let server = Server::says(ok("{}")).await;
    let nhs = VantageId::parse("nhs").unwrap();
    let both = Check { from: vec![internet(), nhs.clone()], ..quick("both", &server.url()) };
    let theirs = Check { from: vec![nhs.clone()], ..quick("theirs", &server.url()) };
    let later = Check { from: vec![nhs.clone()], ..rare("later", &server.url()) };
    let all = || vec![both.clone(), theirs.clone(), later.clone()];
    let mut running = Running::start(all());
    let prober = Arc::clone(&running.prober);
    let another = Arc::new(prober.again(Settings { vantage: nhs.clone(), ..settings() }).unwrap());
    let work = Work { prober, others: vec![another], configuration: configuration(all()) };
    running.work.send(work).unwrap();
    let wanted = TrackId { check: check_id("later"), vantage: nhs.clone() };
    running.wanted.send(Wanted { at: running.clock.now(), track: wanted }).await.unwrap();
    let mut expected = vec![
        ("both", internet(), false),
        ("both", nhs.clone(), false),
        ("later", nhs.clone(), true),
        ("theirs", nhs.clone(), false),
    ];
    while !expected.is_empty() {
        let outcome = running.next().await;
        assert_eq!(failed(&outcome), None, "{}", message(&outcome));
        let operation = outcome.check.operation.as_str();
        assert!(operation == "both" || outcome.vantage == nhs, "{operation} from {}", outcome.vantage);
        expected.retain(|(name, from, confirm)| {
            *name != operation || *from != outcome.vantage || *confirm != outcome.confirm
        });
    }
    // A vantage that is gone is not probed from any more.
    running.takes(all());
    let alone = async {
        while running.next().await.vantage == nhs {}
        running.next().await.vantage
    };
    assert_eq!(alone.await, internet());
}
