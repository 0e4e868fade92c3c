//! Our own clock is set: whoever runs Curiad hears of it, in office hours, once.

use crate::estate::{Hand, Seen, configuration};
use domain::{Command, Message, Priority};
use jiff::SignedDuration;

fn set(hand: &mut Hand, seconds: i64) {
    hand.tell(Message::ClockSet { by_ms: seconds * 1_000 }).expect("heard");
}

#[test]
fn it_is_one_incident_that_calls_nobody_and_ends_when_it_was_not_set_again_for_days() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    set(&mut hand, 37);
    hand.rounds(2, &[], Seen::Pass);
    let open = hand.open();
    let [incident] = open.as_slice() else { panic!("{open:?}") };
    assert_eq!((incident.cause.to_string().as_str(), incident.priority), ("ahead:clock", Priority::P4));
    assert!(incident.diagnosis.en.contains(" was set forward by 37 s at "), "{}", incident.diagnosis.en);
    assert!(incident.diagnosis.cy.contains(" ei droi ymlaen 37 eil am "), "{}", incident.diagnosis.cy);
    assert!(incident.cause.is_internal() && incident.escalation.is_none());

    hand.now += SignedDuration::from_hours(24);
    set(&mut hand, -40);
    hand.rounds(1, &[], Seen::Pass);
    let said = hand.incident(incident.id.0).diagnosis.clone();
    assert!(said.en.contains(" was set back by 40 s at "), "{}", said.en);
    let timeline = hand.incident(incident.id.0).timeline.clone();
    assert!(timeline.iter().any(|entry| entry.text == "the clock was set back by 40 s"), "{timeline:?}");
    // After a start nobody knows how, and it is not forgotten.
    hand.restart(10);
    hand.rounds(1, &[], Seen::Pass);
    assert_eq!(hand.incident(incident.id.0).diagnosis, said);
    assert_eq!(hand.open().len(), 1);

    hand.now += SignedDuration::from_hours(4 * 24);
    hand.rounds(2, &[], Seen::Pass);
    assert!(hand.open().is_empty(), "{:?}", hand.open());
}

#[test]
fn whoever_has_seen_to_it_may_call_it_over() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    set(&mut hand, 37);
    hand.rounds(2, &[], Seen::Pass);
    let incident = hand.open().first().expect("one").id;
    let over = Command::Resolve { incident, by: "ann".into(), why: "chrony was off".into() };
    hand.tell(Message::Command(over)).expect("over");
    hand.rounds(3, &[], Seen::Pass);
    assert!(hand.open().is_empty(), "{:?}", hand.open());
}
