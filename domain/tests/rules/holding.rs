//! Causes and their children: a parent takes the blame for what it explains, and for nothing else.

use crate::estate::{Hand, Seen, configuration, instance};
use domain::{ApiId, Cause, Environment, IncidentStatus, Priority, ServiceLevel};

const PRODUCTION: Environment = Environment::Production;
const IDENTITY: (&str, Environment) = ("identity", PRODUCTION);
const RESULTS: (&str, Environment) = ("results", PRODUCTION);
const DOCUMENTS: (&str, Environment) = ("documents", PRODUCTION);

fn well() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand
}

/// Rounds in which the first are slow and the second fail.
fn rounds(hand: &mut Hand, count: usize, slow: &[(&str, Environment)], failing: &[(&str, Environment)]) {
    for _ in 0..count {
        hand.wait(10);
        let all: Vec<_> = hand.situation.configuration.checks.keys().cloned().collect();
        for check in all {
            let of = |these: &[(&str, Environment)]| {
                these.iter().any(|(api, environment)| check.instance == instance(api, *environment))
            };
            let seen = if of(failing) {
                Seen::Fail
            } else if of(slow) {
                Seen::Slow
            } else {
                Seen::Pass
            };
            let track = crate::estate::track(
                check.instance.api.as_str(),
                check.instance.environment,
                check.operation.as_str(),
            );
            hand.see(&track, seen);
        }
    }
}

fn causes(hand: &Hand) -> Vec<String> {
    hand.open().iter().map(|incident| incident.cause.to_string()).collect()
}

#[test]
fn a_slow_parent_does_not_hide_that_a_child_is_down() {
    let mut hand = well();
    rounds(&mut hand, 3, &[IDENTITY], &[]);
    rounds(&mut hand, 15, &[IDENTITY], &[RESULTS]);
    assert_eq!(causes(&hand), ["instance:identity/production", "instance:results/production"]);
    assert!(hand.told().contains(&"callout/1/text".to_owned()));
}

#[test]
fn a_slow_parent_does_not_take_in_a_child_that_was_down_before() {
    let mut hand = well();
    rounds(&mut hand, 3, &[], &[RESULTS]);
    rounds(&mut hand, 15, &[IDENTITY], &[RESULTS]);
    assert_eq!(causes(&hand).len(), 2);
}

#[test]
fn a_child_held_back_while_slow_answers_for_itself_once_it_is_down() {
    let mut hand = well();
    rounds(&mut hand, 3, &[IDENTITY], &[]);
    rounds(&mut hand, 3, &[IDENTITY, RESULTS], &[]);
    assert_eq!(causes(&hand).len(), 1, "a slow parent explains a slow child");
    rounds(&mut hand, 15, &[IDENTITY], &[RESULTS]);
    assert_eq!(causes(&hand).len(), 2);
    assert!(hand.incident(1).held_back.is_empty());
    assert!(hand.told().contains(&"callout/1/text".to_owned()));
}

#[test]
fn a_child_is_let_go_when_its_parent_is_no_longer_down_but_it_is() {
    let mut hand = well();
    rounds(&mut hand, 4, &[], &[IDENTITY, RESULTS]);
    assert_eq!(causes(&hand).len(), 1);
    rounds(&mut hand, 18, &[IDENTITY], &[RESULTS]);
    assert_eq!(causes(&hand).len(), 2);
}

#[test]
fn a_slow_parent_that_goes_down_takes_in_what_fails_because_of_it() {
    let mut hand = well();
    rounds(&mut hand, 40, &[IDENTITY], &[]);
    // The child is confirmed a round before its parent.
    rounds(&mut hand, 1, &[IDENTITY], &[RESULTS]);
    rounds(&mut hand, 6, &[], &[IDENTITY, RESULTS]);
    assert_eq!(causes(&hand), ["instance:identity/production"]);
    assert_eq!(hand.incident(1).held_back.len(), 1);
}

#[test]
fn a_child_that_fails_while_its_parent_recovers_is_taken_in_when_the_parent_fails_again() {
    let mut hand = well();
    rounds(&mut hand, 4, &[], &[IDENTITY]);
    rounds(&mut hand, 3, &[], &[]);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    rounds(&mut hand, 1, &[], &[RESULTS]);
    rounds(&mut hand, 3, &[], &[IDENTITY, RESULTS]);
    assert_eq!(causes(&hand), ["instance:identity/production"]);
}

#[test]
fn a_parent_has_the_priority_of_the_gravest_it_holds_back() {
    let mut configuration = configuration();
    let identity = ApiId::parse("identity").expect("an id");
    if let Some(api) = configuration.apis.get_mut(&identity) {
        api.service_level = ServiceLevel::Standard;
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    rounds(&mut hand, 4, &[], &[IDENTITY]);
    assert!(hand.incident(1).major.is_none());
    rounds(&mut hand, 20, &[], &[IDENTITY, RESULTS]);
    assert_eq!(causes(&hand).len(), 1);
    assert_eq!(hand.incident(1).priority, Priority::P1);
    assert!(hand.told().contains(&"callout/1/text".to_owned()));
}

#[test]
fn a_child_whose_parent_is_not_in_its_environment_answers_for_itself() {
    let mut configuration = configuration();
    let identity = ApiId::parse("identity").expect("an id");
    if let Some(api) = configuration.apis.get_mut(&identity) {
        api.instances.remove(&PRODUCTION);
    }
    configuration.checks.retain(|id, _| id.instance != instance("identity", PRODUCTION));
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    rounds(&mut hand, 15, &[], &[RESULTS]);
    assert_eq!(causes(&hand), ["instance:results/production"]);
    assert!(hand.told().contains(&"callout/1/text".to_owned()));
}

#[test]
fn children_are_not_forgotten_when_their_parent_can_no_longer_be_seen() {
    let mut hand = well();
    rounds(&mut hand, 4, &[], &[IDENTITY, RESULTS, DOCUMENTS]);
    for _ in 0..200 {
        hand.wait(10);
        for api in ["results", "documents"] {
            for operation in ["ping", "status"] {
                hand.see(&crate::estate::track(api, PRODUCTION, operation), Seen::Fail);
            }
        }
    }
    assert!(hand.told().contains(&"callout/1/text".to_owned()), "by the parent's incident");
    assert!(matches!(hand.open()[..], [ref one] if matches!(one.cause, Cause::Instance(_))));
}
