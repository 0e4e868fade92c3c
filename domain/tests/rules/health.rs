//! Rule two: verdicts become a confirmed status.

use crate::estate::{Hand, Seen, configuration, outcome, start, track};
use domain::{Environment, Event, Expectation, Outcome, Status};
use jiff::SignedDuration;
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;

/// Feeds verdicts to one check, ten seconds apart, and says what its status became after each.
fn statuses(seen: &[Seen]) -> Vec<Status> {
    let mut hand = Hand::new(configuration());
    let id = track("results", PRODUCTION, "ping");
    seen.iter()
        .map(|seen| {
            hand.now += SignedDuration::from_secs(10);
            hand.see(&id, *seen);
            hand.situation.tracks.get(&id).expect("a track").status
        })
        .collect()
}

#[test]
fn trouble_takes_two_of_three_probes_and_ends_after_two_passes() {
    use Seen::{Fail, Ours, Pass, Refused, Slow};
    use Status::{Degraded as D, MajorOutage as M, Operational as O, Unknown as U};
    let check = |seen: &[Seen], expected: &[Status]| assert_eq!(statuses(seen), expected, "{seen:?}");
    check(&[Pass, Fail, Fail], &[O, O, M]);
    check(&[Pass, Fail, Pass, Fail], &[O, O, O, M]);
    // A blip: one failure of three.
    check(&[Pass, Fail, Pass, Pass, Fail, Pass, Pass], &[O; 7]);
    // Slow counts towards degraded, a failure beside it too; two failures are an outage.
    check(&[Pass, Slow, Slow], &[O, O, D]);
    check(&[Pass, Slow, Fail], &[O, O, D]);
    check(&[Pass, Slow, Slow, Fail, Fail], &[O, O, D, D, M]);
    // Recovery takes two in a row, and slow ones only lift it to degraded.
    check(&[Pass, Fail, Fail, Pass, Fail, Pass, Pass], &[O, O, M, M, M, M, O]);
    check(&[Pass, Fail, Fail, Slow, Slow, Pass, Pass], &[O, O, M, M, D, D, O]);
    // Inconclusive neither adds nor resets.
    check(&[Pass, Fail, Ours, Fail], &[O, O, O, M]);
    check(&[Pass, Fail, Fail, Pass, Refused, Pass], &[O, O, M, M, M, O]);
    // Not known until something conclusive is confirmed.
    check(&[Ours, Refused], &[U, U]);
    check(&[Fail, Fail], &[U, M]);
    check(&[Pass], &[O]);
}

#[test]
fn confirmed_trouble_starts_at_its_first_failure_and_ends_at_the_first_pass() {
    let mut hand = Hand::new(configuration());
    hand.round(&[], Seen::Pass);
    hand.wait(10);
    let first_failure = hand.now;
    hand.round(&[("results", PRODUCTION)], Seen::Fail);
    assert_eq!(hand.status("results", PRODUCTION), Status::Operational, "one failure changes nothing");
    hand.wait(5);
    hand.round(&[("results", PRODUCTION)], Seen::Fail);
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
    let health = hand.situation.healths.get(&crate::estate::instance("results", PRODUCTION)).expect("health");
    assert_eq!(health.since, first_failure);
    hand.wait(10);
    let first_pass = hand.now;
    hand.round(&[], Seen::Pass);
    hand.wait(10);
    hand.round(&[], Seen::Pass);
    let health = hand.situation.healths.get(&crate::estate::instance("results", PRODUCTION)).expect("health");
    assert_eq!((health.status, health.since), (Status::Operational, first_pass));
}

#[test]
fn a_failing_probe_asks_for_confirmation_five_seconds_later() {
    let mut hand = Hand::new(configuration());
    let id = track("results", PRODUCTION, "ping");
    hand.see(&id, Seen::Pass);
    assert!(hand.probes.is_empty());
    hand.now += SignedDuration::from_secs(10);
    hand.see(&id, Seen::Fail);
    let wanted = hand.probes.last().expect("a probe is wanted");
    assert_eq!((wanted.at, &wanted.track), (hand.now + SignedDuration::from_secs(5), &id));
    assert_eq!(hand.situation.wanted(hand.now).len(), 1, "a restart asks again");
}

#[test]
fn an_outcome_speaks_for_sixty_seconds_and_then_nothing_is_known() {
    let mut hand = Hand::new(configuration());
    hand.round(&[], Seen::Pass);
    hand.wait(59);
    assert_eq!(hand.status("results", PRODUCTION), Status::Operational);
    hand.wait(30);
    assert_eq!(hand.status("results", PRODUCTION), Status::Unknown);
    let health = hand.situation.healths.get(&crate::estate::instance("results", PRODUCTION)).expect("health");
    assert_eq!(health.since, start() + SignedDuration::from_secs(60), "unknown since it ceased to speak");
}

#[test]
fn some_critical_operations_failing_is_partial_and_all_is_major() {
    let mut hand = Hand::new(configuration());
    let ping = track("results", PRODUCTION, "ping");
    let status = track("results", PRODUCTION, "status");
    for seen in [Seen::Pass, Seen::Fail, Seen::Fail] {
        hand.now += SignedDuration::from_secs(10);
        hand.see(&ping, Seen::Pass);
        hand.see(&status, seen);
    }
    assert_eq!(hand.status("results", PRODUCTION), Status::PartialOutage);
    for _ in 0..2 {
        hand.now += SignedDuration::from_secs(10);
        hand.see(&ping, Seen::Fail);
        hand.see(&status, Seen::Fail);
    }
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
}

#[test]
fn an_outcome_that_comes_late_or_twice_changes_nothing() {
    let mut hand = Hand::new(configuration());
    let id = track("results", PRODUCTION, "ping");
    hand.see(&id, Seen::Pass);
    let before = hand.changes.len();
    hand.see(&id, Seen::Fail);
    for _ in 0..2 {
        let late = outcome(&id, hand.now - SignedDuration::from_secs(30), Seen::Fail);
        hand.event(&Event::Outcome(late));
    }
    assert_eq!(hand.changes.len(), before);
}

#[test]
fn of_a_probe_that_passed_only_the_record_keeps_all_that_was_seen() {
    let mut hand = Hand::new(configuration());
    let id = track("results", Environment::Production, "status");
    for (seen, kept) in [(Seen::Pass, false), (Seen::Fail, true)] {
        hand.wait(10);
        let expectation =
            Expectation { what: "status".into(), expected: "200".into(), seen: "200".into(), ok: true };
        let all = Outcome {
            transcript: Some(Box::default()),
            expectations: vec![expectation],
            request_id: Some("7f3c1c1e".to_owned()),
            ..(*outcome(&id, hand.now, seen)).clone()
        };
        hand.event(&Event::Outcome(Arc::new(all.clone())));
        let remembered = hand.situation.outcome(&id).expect("the last");
        let expected = if kept { all } else { Outcome { transcript: None, expectations: vec![], ..all } };
        assert_eq!(**remembered, expected);
    }
}

#[test]
fn evidence_has_our_own_request_id_apart_from_what_was_said() {
    const ID: &str = "fc943476-5919-821f-8123-9434765919ab";
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    let id = track("results", Environment::Production, "status");
    for _ in 0..6 {
        hand.wait(10);
        let failed = outcome(&id, hand.now, Seen::Fail);
        let failed = Outcome { request_id: Some(ID.to_owned()), ..(*failed).clone() };
        hand.event(&Event::Outcome(Arc::new(failed)));
    }
    let evidence = hand.incident(1).evidence.clone();
    let said = evidence.iter().find(|said| said.text.starts_with("status ")).expect("what it said");
    assert_eq!(said.text, "status from internet: it Refused");
    assert_eq!(said.request, domain::RequestId::parse(ID));
    assert_eq!(said.words(), format!("status from internet: it Refused, request {ID}"));
}
