//! Time in which nobody looked: a stop, a frozen machine, a clock that was wrong. It is no trouble of any API's.

use crate::estate::{Hand, Seen, configuration, instance, secs, track};
use domain::{Cause, Environment, Event, IncidentStatus, Status};
use jiff::SignedDuration;

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);

fn everything() -> Vec<(&'static str, Environment)> {
    ["identity", "results", "documents"].into_iter().map(|api| (api, PRODUCTION)).collect()
}

fn well() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(3, &[], Seen::Pass);
    hand
}

#[test]
fn after_a_long_stop_nobody_is_told_of_time_in_which_nobody_looked() {
    let mut hand = well();
    hand.restart(3_600);
    assert!(hand.open().is_empty(), "{:?}", hand.open());
    hand.rounds(3, &everything(), Seen::Ours);
    assert!(hand.open().is_empty(), "the network may come up later than we do");
    hand.rounds(20, &[], Seen::Pass);
    assert!(hand.told().is_empty());
}

#[test]
fn a_restart_before_production_was_measured_does_not_blind_it() {
    let mut hand = Hand::new(configuration());
    hand.wait(1);
    hand.see(&track("identity", Environment::Sit, "ping"), Seen::Pass);
    hand.restart(5);
    assert!(hand.open().is_empty(), "{:?}", hand.open());
    hand.rounds(20, &[], Seen::Pass);
    assert!(hand.told().is_empty());
}

#[test]
fn a_machine_that_was_frozen_for_an_hour_calls_nobody_when_it_thaws() {
    let mut hand = well();
    hand.wait(3_600);
    assert!(hand.open().is_empty(), "{:?}", hand.open());
    hand.rounds(20, &[], Seen::Pass);
    assert!(hand.told().is_empty());
}

#[test]
fn what_stays_unseen_after_a_stop_is_told_in_its_time() {
    let mut hand = well();
    hand.restart(3_600);
    hand.rounds(17, &everything(), Seen::Ours);
    assert!(hand.open().is_empty());
    hand.rounds(3, &everything(), Seen::Ours);
    assert!(matches!(hand.open()[..], [ref one] if matches!(one.cause, Cause::Blind(_))));
}

#[test]
fn a_vantage_that_never_saw_anything_is_blind_too() {
    let mut hand = Hand::new(configuration());
    for _ in 0..20 {
        hand.wait(10);
    }
    assert!(matches!(hand.open()[..], [ref one] if matches!(one.cause, Cause::Blind(_))));
}

#[test]
fn a_restart_in_the_dark_goes_on_with_the_same_incident() {
    let mut hand = well();
    hand.rounds(40, &everything(), Seen::Ours);
    for _ in 0..4 {
        hand.restart(5);
        hand.rounds(3, &everything(), Seen::Ours);
    }
    hand.restart(600);
    hand.rounds(30, &everything(), Seen::Ours);
    assert_eq!(hand.situation.next_incident, 2, "one incident");
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket").count(), 1);
    assert!(!hand.incident(1).timeline.iter().any(|entry| entry.text.starts_with("works again")));
}

#[test]
fn a_restart_while_we_are_refused_goes_on_with_the_same_incident() {
    let mut hand = well();
    let two = [RESULTS, ("documents", PRODUCTION)];
    hand.rounds(12, &two, Seen::Refused);
    hand.restart(5);
    hand.rounds(12, &two, Seen::Refused);
    assert_eq!(hand.situation.next_incident, 2, "one incident");
    assert!(!hand.incident(1).timeline.iter().any(|entry| entry.text.starts_with("works again")));
}

#[test]
fn after_a_long_stop_the_escalation_waits_for_a_first_look_and_no_longer() {
    let failing = || {
        let mut hand = well();
        hand.rounds(16, &[RESULTS], Seen::Fail);
        assert_eq!(hand.told().iter().filter(|name| name.starts_with("callout")).count(), 2);
        hand.restart(7_200);
        assert!(!hand.told().contains(&"callout/2/text".to_owned()), "it may be over by now");
        hand
    };
    let mut mended = failing();
    mended.rounds(20, &[], Seen::Pass);
    assert!(!mended.told().contains(&"callout/2/text".to_owned()));
    assert_eq!(mended.incident(1).status, IncidentStatus::Resolved);
    let mut still = failing();
    still.rounds(3, &[RESULTS], Seen::Fail);
    assert!(still.told().contains(&"callout/2/text".to_owned()));
    let mut unseen = failing();
    unseen.rounds(7, &everything(), Seen::Ours);
    assert!(unseen.told().contains(&"callout/2/text".to_owned()));
}

#[test]
fn a_short_restart_changes_nothing_for_who_is_called() {
    let mut hand = well();
    hand.rounds(12, &[RESULTS], Seen::Fail);
    hand.restart(20);
    hand.rounds(1, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"callout/1/text".to_owned()));
}

#[test]
fn a_round_that_was_begun_before_a_stop_confirms_nothing_after_it() {
    let mut hand = Hand::new(configuration());
    let ping = track("results", PRODUCTION, "ping");
    hand.see(&ping, Seen::Fail);
    hand.restart(3_600);
    hand.see(&ping, Seen::Fail);
    assert_eq!(hand.situation.tracks.get(&ping).expect("a track").status, Status::Unknown);
    hand.now += SignedDuration::from_secs(5);
    hand.see(&ping, Seen::Fail);
    let failing = hand.situation.tracks.get(&ping).expect("a track");
    assert_eq!(failing.status, Status::MajorOutage);
    assert_eq!(failing.since, hand.now - SignedDuration::from_secs(5), "an hour was not measured");
}

#[test]
fn a_clock_set_forward_an_hour_and_back_does_not_blind_us() {
    let mut hand = well();
    hand.now += SignedDuration::from_hours(1);
    hand.rounds(3, &[], Seen::Pass);
    hand.now -= SignedDuration::from_hours(1);
    hand.rounds(3, &[RESULTS], Seen::Fail);
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
    hand.rounds(13, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"callout/1/text".to_owned()));
    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.status("results", PRODUCTION), Status::Operational);
}

#[test]
fn a_clock_that_was_ahead_before_a_restart_does_not_blind_us_either() {
    let mut hand = well();
    hand.now += SignedDuration::from_hours(1);
    hand.rounds(3, &[], Seen::Pass);
    hand.restart(-3_600);
    hand.rounds(3, &[RESULTS], Seen::Fail);
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
}

#[test]
fn a_clock_set_back_an_hour_does_not_put_off_the_next_call() {
    let mut hand = well();
    hand.now += SignedDuration::from_hours(1);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"callout/1/text".to_owned()));
    hand.now -= SignedDuration::from_hours(1);
    hand.rounds(31, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"callout/2/text".to_owned()), "five minutes after the first");
}

#[test]
fn an_outcome_of_a_time_to_come_does_not_silence_those_that_follow() {
    let mut hand = well();
    let ping = track("results", PRODUCTION, "ping");
    let ahead = hand.now + SignedDuration::from_hours(1);
    hand.event(&Event::Outcome(crate::estate::outcome(&ping, ahead, Seen::Pass)));
    hand.rounds(3, &[RESULTS], Seen::Fail);
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
}

#[test]
fn what_left_the_configuration_while_we_were_stopped_is_over() {
    let mut hand = well();
    hand.rounds(2, &[RESULTS], Seen::Fail);
    let mut smaller = configuration();
    let gone = instance("results", PRODUCTION).api;
    smaller.apis.remove(&gone);
    smaller.checks.retain(|id, _| id.instance.api != gone);
    hand.restart_with(600, smaller.clone());
    assert!(hand.open().is_empty());
    assert!(!hand.situation.healths.contains_key(&instance("results", PRODUCTION)));
    let changes = hand.changes.len();
    hand.restart_with(5, smaller);
    assert_eq!(hand.changes.len(), changes, "said once");
}

#[test]
fn what_recovered_is_not_called_over_while_it_cannot_be_seen() {
    let mut configuration = configuration();
    if let Some(policy) = configuration.environments.get_mut(&PRODUCTION) {
        policy.hold.resolve = secs(120);
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(3, &[], Seen::Pass);
    hand.rounds(8, &[RESULTS], Seen::Fail);
    hand.rounds(3, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    hand.rounds(20, &[RESULTS], Seen::Ours);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering, "nobody saw that it stayed well");
    hand.rounds(60, &[RESULTS], Seen::Ours);
    assert_eq!(hand.incident(1).status, IncidentStatus::Open, "unknown for ten minutes");
    hand.rounds(16, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
}
