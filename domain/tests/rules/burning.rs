//! What may be missed of an objective is used up too fast, by outages of which none lasted: an incident of its own.

use crate::estate::{Hand, Seen, configuration};
use domain::{Configuration, Environment, IncidentStatus, Objective, Priority, Ticket};

const RESULTS: (&str, Environment) = ("results", Environment::Production);

/// 52 seconds down within an hour are 14.4 times too many.
fn promised() -> Configuration {
    let mut configuration = configuration();
    configuration.availability.critical = Objective::parse("99.9% in 30d").ok();
    configuration
}

fn hand(configuration: Configuration) -> Hand {
    let mut hand = Hand::new(configuration);
    hand.rounds(6, &[], Seen::Pass);
    hand
}

/// It fails for half a minute, and works for some.
fn blip(hand: &mut Hand, well_for_minutes: usize) {
    hand.rounds(3, &[RESULTS], Seen::Broken);
    hand.rounds(6 * well_for_minutes, &[], Seen::Pass);
}

fn causes(hand: &Hand) -> Vec<String> {
    hand.open().iter().map(|incident| incident.cause.to_string()).collect()
}

#[test]
fn short_outages_of_which_none_had_a_ticket_are_one_incident_when_they_use_up_too_much() {
    let mut hand = hand(promised());
    blip(&mut hand, 15);
    assert!(hand.open().is_empty(), "half a minute is not too much");
    blip(&mut hand, 2);
    assert_eq!(causes(&hand), ["burn:results/production"]);
    let burn = hand.open().pop().expect("one");
    assert!(
        burn.diagnosis.en.contains("(99.9% in 30d) lets it miss 17 times too fast"),
        "{}",
        burn.diagnosis.en
    );
    assert!(burn.priority > Priority::P1 && burn.major.is_none(), "as what is degraded: {}", burn.priority);
    assert_eq!(hand.incident(1).ticket, Ticket::None);
    hand.rounds(6, &[], Seen::Pass);
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket").count(), 1);
    assert!(!hand.told().iter().any(|name| name.starts_with("callout/")));
    assert_eq!(causes(&hand), ["burn:results/production"]);

    // Five minutes without another.
    hand.rounds(24, &[], Seen::Pass);
    assert_eq!(hand.incident(burn.id.0).status, IncidentStatus::Resolved);
    hand.rounds(60, &[], Seen::Pass);
    assert!(hand.open().is_empty());
}

#[test]
fn it_is_counted_on_after_a_restart() {
    let mut hand = hand(promised());
    blip(&mut hand, 15);
    hand.restart(30);
    blip(&mut hand, 2);
    assert_eq!(causes(&hand), ["burn:results/production"]);
}

#[test]
fn an_outage_that_has_its_ticket_is_that_and_nothing_more() {
    let mut hand = hand(promised());
    hand.rounds(20, &[RESULTS], Seen::Broken);
    for _ in 0..40 {
        hand.rounds(3, &[], Seen::Pass);
        assert!(
            causes(&hand).iter().all(|cause| cause == "instance:results/production"),
            "{:?}",
            causes(&hand)
        );
    }
    assert!(hand.open().is_empty());
}

#[test]
fn an_outage_that_follows_and_stays_takes_it_in() {
    let mut hand = hand(promised());
    blip(&mut hand, 15);
    blip(&mut hand, 2);
    let burn = hand.open().pop().expect("one");
    hand.rounds(12, &[RESULTS], Seen::Broken);
    assert_eq!(causes(&hand), ["instance:results/production"]);
    let last = hand.incident(burn.id.0).timeline.last().expect("a line").text.clone();
    assert_eq!(last, "taken in by C-1: it is out, and does not come back");
}

#[test]
fn where_nothing_is_promised_nothing_burns() {
    let mut hand = hand(configuration());
    for _ in 0..4 {
        blip(&mut hand, 5);
    }
    assert!(
        hand.situation.incidents.values().all(|incident| incident.cause.to_string().starts_with("instance:"))
    );
}

#[test]
fn what_burns_slowly_for_hours_is_one_too() {
    let mut hand = hand(promised());
    // Half a minute an hour: 8 times too fast, and never so much of one hour as to be seen by that.
    for _ in 0..4 {
        blip(&mut hand, 61);
        assert!(hand.open().is_empty(), "{:?}", causes(&hand));
    }
    blip(&mut hand, 2);
    assert_eq!(causes(&hand), ["burn:results/production"]);
    let said = hand.open().pop().expect("one").diagnosis.en.clone();
    assert!(said.contains("times too fast"), "{said}");
}

#[test]
fn what_burns_and_is_major_calls_after_the_hold_and_never_before() {
    let mut configuration = promised();
    let policy = configuration.environments.get_mut(&Environment::Production).expect("a policy");
    policy.major.as_mut().expect("it calls").when = Priority::new(3).expect("a priority");
    let mut hand = hand(configuration);
    blip(&mut hand, 15);
    blip(&mut hand, 2);
    let burn = hand.open().pop().expect("one");
    assert_eq!((burn.cause.to_string().as_str(), burn.major.is_some()), ("burn:results/production", true));
    let called = |hand: &Hand| hand.incident(burn.id.0).escalation.is_some();
    let hold = jiff::SignedDuration::from_secs(120);
    while hand.now + jiff::SignedDuration::from_secs(10) < burn.opened_at + hold {
        assert!(!called(&hand), "at {}", hand.now);
        hand.rounds(1, &[], Seen::Pass);
    }
    hand.rounds(3, &[], Seen::Pass);
    assert!(called(&hand), "{:#?}", hand.incident(burn.id.0).timeline);
}
