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
        let health =
            Some(HealthWords { says: Says::Pass, version: Some(version.to_owned()), failing: Vec::new() });
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
