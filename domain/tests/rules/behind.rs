//! Curiad is behind: an incident of its own, and nobody else's.

use crate::estate::{Hand, Seen, configuration, outcome};
use domain::{Cause, Environment, Event, IncidentStatus, Outcome, Priority, TrackId, VantageId};
use std::{sync::Arc, time::Duration};

/// Every check is seen to be well, by a probe that began so late.
fn round(hand: &mut Hand, late: Option<Duration>) {
    let vantage = VantageId::parse("internet").expect("an id");
    let checks: Vec<_> = hand.situation.configuration.checks.keys().cloned().collect();
    for check in checks {
        let track = TrackId { check, vantage: vantage.clone() };
        let seen = Outcome { late, ..(*outcome(&track, hand.now, Seen::Pass)).clone() };
        hand.event(&Event::Outcome(Arc::new(seen)));
    }
}

fn rounds(hand: &mut Hand, count: usize, late: Option<Duration>) {
    for _ in 0..count {
        hand.wait(10);
        round(hand, late);
    }
}

const LATE: Option<Duration> = Some(Duration::from_millis(1_200));

#[test]
fn a_minute_of_late_probes_is_an_incident_of_curiads_own_and_over_when_they_are_in_time() {
    let mut hand = Hand::new(configuration());
    rounds(&mut hand, 3, None);
    rounds(&mut hand, 6, LATE);
    assert!(hand.open().is_empty(), "not yet a minute");
    rounds(&mut hand, 2, LATE);
    let incident = hand.incident(1);
    assert_eq!(incident.cause, Cause::Behind(VantageId::parse("internet").expect("an id")));
    assert_eq!((incident.priority, incident.environment), (Priority::P2, Environment::Production));
    assert!(incident.affects.is_empty() && incident.api.is_none(), "no API has anything to do with it");
    assert!(incident.major.is_none());
    rounds(&mut hand, 10, LATE);
    assert_eq!(hand.open().len(), 1, "one cause, one incident");
    assert_eq!(hand.told(), ["ticket"], "nobody is called, nothing is published");
    rounds(&mut hand, 1, None);
    hand.wait(1);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    rounds(&mut hand, 1, LATE);
    hand.wait(1);
    assert_eq!(hand.incident(1).status, IncidentStatus::Open, "late again");
    rounds(&mut hand, 60, None);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
}

#[test]
fn one_probe_in_time_ends_what_was_late_before() {
    let mut hand = Hand::new(configuration());
    for _ in 0..10 {
        rounds(&mut hand, 5, LATE);
        rounds(&mut hand, 1, None);
    }
    assert!(hand.open().is_empty());
}

#[test]
fn a_restart_while_behind_goes_on_with_the_same_incident() {
    let mut hand = Hand::new(configuration());
    rounds(&mut hand, 12, LATE);
    hand.restart(5);
    rounds(&mut hand, 2, LATE);
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
    assert_eq!(hand.open().len(), 1);
}
