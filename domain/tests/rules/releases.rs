//! Which version runs where, as answers name it.

use crate::estate::*;
use domain::{Change, CheckId, Event, HealthWords, OperationId, Outcome, Release, Says, TrackId, VantageId};
use std::sync::Arc;

fn track(environment: domain::Environment, operation: &str) -> TrackId {
    let operation = OperationId::parse(operation).expect("an id");
    TrackId {
        check: CheckId { instance: instance("results", environment), operation },
        vantage: VantageId::parse("internet").expect("an id"),
    }
}

impl Hand {
    /// Ten seconds later an operation in production answers, and names `version`.
    fn named(&mut self, operation: &str, version: &str) {
        self.now += jiff::SignedDuration::from_secs(10);
        self.named_at(operation, version, self.now);
    }

    fn named_at(&mut self, operation: &str, version: &str, at: jiff::Timestamp) {
        let track = track(domain::Environment::Production, operation);
        let health = Some(Box::new(HealthWords {
            says: Says::Pass,
            version: Some(version.to_owned()),
            failing: Vec::new(),
        }));
        let outcome = Outcome { health, ..Outcome::new(track.check, track.vantage, at) };
        self.event(&Event::Outcome(Arc::new(outcome)));
    }

    fn releases(&self) -> Vec<Release> {
        let of = |change: &Change| {
            let Change::Release(release) = change else { return None };
            Some((**release).clone())
        };
        self.changes.iter().filter_map(of).collect()
    }

    fn versions(&self) -> Vec<String> {
        self.releases().into_iter().map(|release| release.version).collect()
    }
}

#[test]
fn the_first_version_counts_at_once_and_the_next_when_three_answers_in_a_row_name_it_from_the_first_of_them()
{
    let mut hand = Hand::new(configuration());
    hand.named("status", "1.4.1");
    let first = hand.releases();
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].version.as_str(), &first[0].before, first[0].since), ("1.4.1", &None, hand.now));
    for _ in 0..5 {
        hand.named("status", "1.4.1");
    }
    hand.named("status", "1.4.2");
    let began = hand.now;
    hand.named("status", "1.4.2");
    assert_eq!(hand.versions(), ["1.4.1"]);
    hand.named("status", "1.4.2");
    let next = hand.releases().pop().unwrap();
    assert_eq!((next.version.as_str(), next.before.as_deref(), next.since), ("1.4.2", Some("1.4.1"), began));
    let known = hand.situation.releases.get(&instance("results", domain::Environment::Production)).unwrap();
    assert_eq!(**known, next);
}

#[test]
fn while_two_versions_answer_in_turn_none_of_them_is_new() {
    let mut hand = Hand::new(configuration());
    hand.named("status", "1");
    for _ in 0..20 {
        hand.named("status", "2");
        hand.named("status", "2");
        hand.named("status", "1");
    }
    assert_eq!(hand.versions(), ["1"]);
    for _ in 0..3 {
        hand.named("status", "2");
    }
    assert_eq!(hand.versions(), ["1", "2"]);
}

#[test]
fn a_version_that_is_put_back_is_a_release_too_and_a_restart_makes_none() {
    let mut hand = Hand::new(configuration());
    for version in ["1", "2", "2", "2", "1", "1"] {
        hand.named("status", version);
    }
    hand.restart(30);
    assert_eq!(hand.versions(), ["1", "2"]);
    // What was half seen before the stop is seen anew.
    for version in ["1", "1", "1"] {
        hand.named("status", version);
    }
    assert_eq!(hand.versions(), ["1", "2", "1"]);
}

#[test]
fn of_two_operations_that_name_different_things_the_first_is_believed_as_long_as_there_is_one() {
    let mut hand = Hand::new(configuration());
    hand.named("status", "1.4.1");
    for _ in 0..5 {
        hand.named("ping", "8f5a8e0");
    }
    assert_eq!(hand.versions(), ["1.4.1"]);
    let mut without = configuration();
    without.checks.retain(|check, _| check.operation.as_str() != "status");
    hand.restart_with(30, without);
    for _ in 0..3 {
        hand.named("ping", "8f5a8e0");
    }
    assert_eq!(hand.versions(), ["1.4.1", "8f5a8e0"]);
}

#[test]
fn what_comes_late_and_what_is_no_version_says_nothing_and_a_long_one_is_cut() {
    let mut hand = Hand::new(configuration());
    hand.named("status", " ");
    assert_eq!(hand.versions(), [""; 0]);
    hand.named("status", "1");
    let before = hand.now - jiff::SignedDuration::from_secs(5);
    for _ in 0..4 {
        hand.named_at("status", "0", before);
    }
    assert_eq!(hand.versions(), ["1"]);
    for _ in 0..3 {
        hand.named("status", &"ŵ".repeat(500));
    }
    assert_eq!(hand.versions(), ["1".to_owned(), "ŵ".repeat(64)]);
}

#[test]
fn what_leaves_the_configuration_runs_no_version() {
    let mut hand = Hand::new(configuration());
    hand.named("status", "1");
    let mut without = configuration();
    without.apis.retain(|api, _| api.as_str() != "results");
    without.checks.retain(|check, _| check.instance.api.as_str() != "results");
    hand.restart_with(30, without);
    assert!(hand.situation.releases.is_empty());
}

const PRODUCTION: domain::Environment = domain::Environment::Production;

impl Hand {
    /// Its `ping` fails three times, ten seconds apart.
    fn fails(&mut self) {
        for _ in 0..3 {
            self.wait(10);
            self.see(&track(PRODUCTION, "ping"), Seen::Broken);
        }
    }
}

#[test]
fn what_began_to_run_a_day_before_trouble_or_less_is_the_first_line_of_its_evidence() {
    let mut hand = Hand::new(configuration());
    hand.named("status", "2.3.0");
    hand.wait(50);
    hand.named("status", "2.3.1");
    let since = hand.now;
    hand.named("status", "2.3.1");
    hand.named("status", "2.3.1");
    hand.wait(630);
    hand.fails();
    let first = hand.incident(1).evidence[0].clone();
    let said = "version 2.3.1 runs, 11 min before the trouble began (it was 2.3.0)";
    assert_eq!((first.at, first.text.as_str()), (since, said));
}

#[test]
fn what_has_run_for_longer_and_what_was_always_there_is_no_evidence() {
    for versions in [&["1"][..], &["1", "2", "2", "2"]] {
        let mut hand = Hand::new(configuration());
        for version in versions {
            hand.named("status", version);
        }
        if versions.len() > 1 {
            hand.wait(24 * 3_600);
        }
        hand.fails();
        assert!(hand.incident(1).evidence.iter().all(|line| !line.text.contains("version")));
    }
}

#[test]
fn a_version_that_is_known_only_while_it_fails_is_a_note_on_the_ticket() {
    let mut hand = Hand::new(configuration());
    hand.named("status", "1");
    hand.fails();
    hand.wait(60);
    hand.ticket_raised(1);
    for _ in 0..3 {
        hand.named("status", "0.9");
    }
    assert_eq!(hand.told(), ["ticket", "told", "note/1"]);
    let said = hand.incident(1).timeline.last().unwrap().text.clone();
    assert_eq!(said, "Since 02:01:50 GMT: version 0.9 runs, 1 min 30 s after the trouble began (it was 1).");
}
