//! A rota is handed over while its people are called.

use crate::estate::{Hand, Seen, configuration, secs};
use domain::{Environment, next_action};

const RESULTS: (&str, Environment) = ("results", Environment::Production);

fn people(hand: &Hand) -> Vec<String> {
    let running = hand.incident(1).escalation.clone().expect("calling");
    running.callouts.iter().map(|callout| callout.person.to_string()).collect()
}

/// Two hands over to one on Mondays at 09:00. The first call is a few minutes before.
fn called_before_nine() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.now = "2026-11-23T08:54:00Z".parse().expect("a Monday");
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand
}

#[test]
fn who_comes_on_call_in_the_midst_of_a_round_is_called_next_and_not_who_was_called_already() {
    let mut hand = called_before_nine();
    let first = people(&hand);
    assert_eq!(first.len(), 1);
    hand.rounds(24, &[RESULTS], Seen::Fail);
    let next = next_action(&hand.situation, &hand.incident(1), hand.now).expect("a next action");
    hand.rounds(8, &[RESULTS], Seen::Fail);
    let all = people(&hand);
    let [before, after] = all.as_slice() else { panic!("{all:?}") };
    assert_ne!(before, after, "the one who was on call is not called twice while the other sleeps");
    assert_eq!(next.who.map(|who| who.to_lowercase()).as_ref(), Some(after), "and that is said before");
}

#[test]
fn who_is_on_call_and_was_called_is_followed_by_the_next_in_turn() {
    let mut configuration = configuration();
    for escalation in configuration.escalations.values_mut() {
        escalation.steps.iter_mut().skip(1).for_each(|step| step.after = secs(60));
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(24, &[RESULTS], Seen::Fail);
    let all = people(&hand);
    let [first, second] = all.as_slice() else { panic!("{all:?}") };
    assert_ne!(first, second);
}
