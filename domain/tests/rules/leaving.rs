//! A new configuration while things are under way: what stays, what leaves, and what returns.

use crate::estate::{Hand, Seen, configuration, instance, outcome, secs, start, track};
use domain::{
    Change, Configuration, Environment, Event, HttpRequest, IncidentStatus, Lifecycle, Request, Status,
    StatusChange, TrackId,
};
use jiff::SignedDuration;
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::Arc};

const PRODUCTION: Environment = Environment::Production;
const SIT: Environment = Environment::Sit;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);

/// A new set of files is taken.
fn read(hand: &mut Hand, configuration: Configuration) {
    hand.event(&Event::Configured(Arc::new(configuration)));
}

/// Without the API, or without its instance in one environment.
fn without(api: &str, environment: Option<Environment>) -> Configuration {
    let mut configuration = configuration();
    let gone = instance(api, PRODUCTION).api;
    let leaves = |there: Environment| environment.is_none_or(|environment| environment == there);
    if let Some(api) = configuration.apis.get_mut(&gone).map(Arc::make_mut) {
        api.instances.retain(|there, _| !leaves(*there));
    }
    if environment.is_none() {
        configuration.apis.remove(&gone);
    }
    configuration.checks.retain(|id, _| id.instance.api != gone || !leaves(id.instance.environment));
    configuration
}

/// With every check of the API changed.
fn changed(api: &str, change: impl Fn(&mut domain::Check)) -> Configuration {
    let mut configuration = configuration();
    let api = instance(api, PRODUCTION).api;
    for (id, check) in &mut configuration.checks {
        if id.instance.api == api {
            change(Arc::make_mut(check));
        }
    }
    configuration
}

fn moved() -> Configuration {
    changed("results", |check| check.url = "http://127.0.0.1:2/results".into())
}

fn status_changes(hand: &Hand, api: &str, environment: Environment) -> Vec<StatusChange> {
    let of = |change: &Change| {
        let Change::Status(change) = change else { return None };
        (change.health.instance == instance(api, environment)).then(|| change.clone())
    };
    hand.changes.iter().filter_map(of).collect()
}

fn round_of(hand: &Hand, id: &TrackId) -> bool {
    hand.situation.tracks.get(id).is_some_and(|track| track.round.is_some())
}

#[test]
fn a_late_outcome_of_a_check_that_left_is_kept_and_brings_nothing_back() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    let gone = track("results", SIT, "ping");
    let sent_at = hand.now;
    hand.now += SignedDuration::from_secs(1);
    read(&mut hand, without("results", Some(SIT)));
    let before = hand.changes.len();
    let decision = hand.event(&Event::Outcome(outcome(&gone, sent_at, Seen::Fail)));
    assert!(decision.verdict.is_some(), "a fact is stored with its verdict");
    assert_eq!(hand.changes.len(), before);
    assert!(hand.situation.tracks.get(&gone).is_none() && hand.situation.latest.get(&gone).is_none());
    assert!(hand.situation.healths.get(&instance("results", SIT)).is_none());
}

#[test]
fn what_returns_goes_on_with_its_history_and_the_gap_between_is_unknown() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    read(&mut hand, without("results", Some(SIT)));
    let left_at = hand.now;
    hand.rounds(3, &[], Seen::Pass);
    read(&mut hand, configuration());
    hand.rounds(2, &[], Seen::Pass);
    let mut seen = status_changes(&hand, "results", SIT);
    seen.dedup_by_key(|change| change.health.status);
    let statuses: Vec<Status> = seen.iter().map(|change| change.health.status).collect();
    let (unknown, operational) = (Status::Unknown, Status::Operational);
    assert_eq!(statuses, [unknown, operational, unknown, operational]);
    assert_eq!(seen[2].health.since, left_at);
    assert_eq!(hand.status("results", SIT), Status::Operational);
}

#[test]
fn an_open_incident_stays_the_same_while_the_files_change_around_it_and_its_escalation_goes_on() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    let calls =
        |hand: &Hand| hand.incident(1).escalation.as_ref().map_or(0, |running| running.callouts.len());
    assert_eq!(calls(&hand), 1);
    for n in 0..30 {
        let next = match n % 4 {
            0 => without("documents", Some(SIT)),
            1 => changed("results", |check| check.timeout = secs(4)),
            2 => moved(),
            _ => configuration(),
        };
        read(&mut hand, next);
        hand.rounds(1, &[RESULTS], Seen::Fail);
    }
    assert_eq!(calls(&hand), 2, "the second step came in its time");
    let told: Vec<String> = hand.told();
    let distinct: BTreeSet<&String> = told.iter().collect();
    assert_eq!(distinct.len(), told.len(), "nothing is told twice: {told:?}");
    assert_eq!(hand.open().len(), 1);
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
}

fn expect(check: &mut domain::Check) -> &mut domain::Expect {
    Arc::make_mut(&mut Arc::make_mut(&mut check.operation).expect)
}

#[test]
fn a_check_keeps_status_and_streak_when_what_its_answer_must_be_changes() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(1, &[RESULTS], Seen::Fail);
    let id = track("results", PRODUCTION, "ping");
    assert!(round_of(&hand, &id));
    read(&mut hand, changed("results", |check| expect(check).status = vec![200.into()]));
    assert!(round_of(&hand, &id), "the first failure counts on");
    hand.rounds(1, &[RESULTS], Seen::Fail);
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
}

#[test]
fn a_check_that_moves_keeps_its_status_but_what_was_half_proven_at_the_old_address_proves_nothing() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(1, &[RESULTS], Seen::Fail);
    let id = track("results", PRODUCTION, "ping");
    let asked = hand.situation.configuration.checks[&id.check].question();
    let sent_at = hand.now + SignedDuration::from_secs(1);
    hand.now = sent_at + SignedDuration::from_secs(1);
    read(&mut hand, moved());
    assert!(!round_of(&hand, &id));
    assert_eq!(hand.status("results", PRODUCTION), Status::Operational, "its history hangs on its id");
    // In flight to the old address while the files changed.
    for _ in 0..3 {
        let late = domain::Outcome { question: Some(asked), ..(*outcome(&id, sent_at, Seen::Fail)).clone() };
        let decision = hand.event(&Event::Outcome(Arc::new(late)));
        assert_eq!(decision.verdict, Some(domain::Verdict::Fail));
        assert!(decision.changes.is_empty(), "{:?}", decision.changes);
    }
    hand.rounds(1, &[RESULTS], Seen::Fail);
    assert_eq!(hand.status("results", PRODUCTION), Status::Operational, "one failure of the new address");
    hand.rounds(1, &[RESULTS], Seen::Fail);
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
}

#[test]
fn a_question_is_the_address_and_the_request_and_nothing_else() {
    let check = |change: &dyn Fn(&mut domain::Check)| {
        let configuration = changed("results", change);
        configuration.checks[&track("results", PRODUCTION, "ping").check].question()
    };
    let same = check(&|_| {});
    assert_eq!(same, check(&|check| expect(check).status = vec![204.into()]));
    assert_eq!(same, check(&|check| check.every = secs(60)));
    assert_ne!(same, check(&|check| check.url.push('x')));
    let asking = |change: &dyn Fn(&mut HttpRequest)| {
        check(&|check| {
            let Request::Http(request) = &mut Arc::make_mut(&mut check.operation).request else {
                panic!("not over HTTP")
            };
            change(request);
        })
    };
    assert_ne!(same, asking(&|request| request.path.push('x')));
    assert_ne!(same, asking(&|request| request.method = domain::Method::Head));
    assert_ne!(same, asking(&|request| request.body = Some("x".into())));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let one = asking(&|request| request.headers = vec![header("ab", "c")]);
    let other = asking(&|request| request.headers = vec![header("a", "bc")]);
    assert!(one != other && one != same);
}

#[test]
fn an_instance_in_production_leaves_only_when_its_api_is_retired() {
    let before = configuration();
    let not_retired = |after: &Configuration| -> Vec<String> {
        after.not_retired(before.in_production()).map(ToString::to_string).collect()
    };
    assert!(not_retired(&configuration()).is_empty());
    assert_eq!(not_retired(&without("results", None)), ["results"]);
    assert_eq!(not_retired(&without("results", Some(PRODUCTION))), ["results"]);
    assert!(not_retired(&without("results", Some(SIT))).is_empty());
    let mut retired = without("results", Some(PRODUCTION));
    for api in retired.apis.values_mut().map(Arc::make_mut).filter(|api| api.id.as_str() == "results") {
        api.instances.clear();
        api.lifecycle = Lifecycle::Retired;
    }
    assert!(not_retired(&retired).is_empty());
    let gone: Vec<_> = without("results", None).not_retired(retired.in_production()).cloned().collect();
    assert!(gone.is_empty(), "once retired, its file may go: {gone:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Reading the same files again, at any moment, is a look at the time and nothing more.
    #[test]
    fn the_same_configuration_read_again_at_any_moment_is_a_look_at_the_time(
        stream in prop::collection::vec((0..4_usize, 0..4_usize, 1..15_i64, any::<bool>()), 1..120),
    ) {
        let tracks: Vec<TrackId> = ["identity", "results"]
            .into_iter()
            .flat_map(|api| ["ping", "status"].map(|operation| track(api, PRODUCTION, operation)))
            .collect();
        let drive = |reads: bool| {
            let mut hand = Hand::new(configuration());
            assert_eq!(hand.now, start());
            for (which, seen, seconds, again) in &stream {
                hand.wait(*seconds);
                match (again, reads) {
                    (true, true) => read(&mut hand, configuration()),
                    (true, false) => drop(hand.event(&Event::Due)),
                    (false, _) => {}
                }
                hand.see(&tracks[*which], [Seen::Pass, Seen::Slow, Seen::Fail, Seen::Refused][*seen]);
            }
            hand.changes
        };
        prop_assert_eq!(drive(true), drive(false));
    }
}
