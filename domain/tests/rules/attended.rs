//! The heartbeat stops where somebody waits for a human in vain.

use crate::estate::{Hand, Seen, configuration, secs};
use domain::{Answer, Command, Environment, IncidentId, Message, Priority, Sent, Way, is_attended};
use jiff::SignedDuration;

const RESULTS: (&str, Environment) = ("results", Environment::Production);

/// Called by text alone, a step every ten minutes.
fn called() -> Hand {
    let mut configuration = configuration();
    for person in configuration.people.values_mut() {
        person.ways = vec![Way::Text];
    }
    for escalation in configuration.escalations.values_mut() {
        escalation.steps.iter_mut().skip(1).for_each(|step| step.after = secs(600));
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand
}

fn attended(hand: &Hand) -> bool {
    is_attended(&hand.situation, hand.now)
}

#[test]
fn a_call_that_is_overdue_by_a_minute_is_not_placed_by_itself() {
    let hand = called();
    hand.incident(1).escalation.as_ref().expect("calling");
    let next = domain::next_call_at(&hand.situation, &hand.incident(1), hand.now).expect("a next call");
    let mut heard = called();
    heard.receipt(1, "callout/1/text", Sent::Delivered);
    // Of a P1 nothing else may be overdue either.
    let (by, why, priority) = ("ann".to_owned(), "a few wards".to_owned(), Priority::P2);
    let lower = Command::Prioritise { incident: IncidentId(1), by, why, priority };
    heard.tell(Message::Command(lower)).expect("lowered");
    assert!(is_attended(&heard.situation, next + SignedDuration::from_secs(59)));
    assert!(!is_attended(&heard.situation, next + SignedDuration::from_secs(61)), "nobody decides any more");
}

#[test]
fn where_else_majors_call_out_somebody_must_be_called_too() {
    let sit = ("results", Environment::Sit);
    let mut configuration = configuration();
    let production = configuration.environments[&Environment::Production].clone();
    let major = domain::MajorPolicy { when: Priority::P5, ..production.major.expect("calls") };
    configuration.environments.get_mut(&Environment::Sit).expect("SIT").major = Some(major);
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(20, &[sit], Seen::Fail);
    let incident = hand.open().pop().expect("an incident");
    assert!(incident.environment == Environment::Sit && incident.major.is_some(), "{incident:?}");
    hand.receipt(incident.id.0, "callout/1/text", Sent::Delivered);
    let incident = hand.incident(incident.id.0);
    let next = domain::next_call_at(&hand.situation, &incident, hand.now).expect("a next call");
    assert!(is_attended(&hand.situation, next + SignedDuration::from_secs(59)));
    assert!(!is_attended(&hand.situation, next + SignedDuration::from_secs(61)), "nobody decides any more");
}

#[test]
fn also_of_a_p1_that_somebody_has_nothing_may_be_overdue() {
    let mut hand = called();
    hand.receipt(1, "callout/1/text", Sent::Delivered);
    let reference = hand.incident(1).escalation.as_ref().expect("calling").callouts[0].reference.clone();
    hand.tell(Message::Answer { reference, answer: Answer::Mine, by: None }).expect("taken");
    assert_eq!(hand.incident(1).priority, Priority::P1);
    let next = domain::next_action(&hand.situation, &hand.incident(1), hand.now).expect("its answer ends").at;
    assert!(is_attended(&hand.situation, next + SignedDuration::from_secs(59)));
    assert!(!is_attended(&hand.situation, next + SignedDuration::from_secs(61)), "nobody asks them again");
}

#[test]
fn calls_that_no_carrier_takes_for_three_minutes_are_heard_by_nobody() {
    let mut hand = called();
    hand.rounds(17, &[RESULTS], Seen::Fail);
    assert!(attended(&hand), "it is too soon to say");
    hand.rounds(2, &[RESULTS], Seen::Fail);
    assert!(!attended(&hand));
    hand.receipt(1, "callout/1/text", Sent::Accepted { provider_id: "x".into() });
    assert!(attended(&hand));
}

#[test]
fn that_the_first_call_arrived_says_nothing_of_a_carrier_that_died_since() {
    let mut hand = called();
    hand.receipt(1, "callout/1/text", Sent::Delivered);
    hand.rounds(60, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).escalation.as_ref().expect("calling").callouts.len(), 2);
    assert!(attended(&hand));
    hand.rounds(19, &[RESULTS], Seen::Fail);
    assert!(!attended(&hand), "nobody heard the second");
}

#[test]
fn what_nobody_heard_before_it_was_over_is_no_trouble_of_now() {
    let mut hand = called();
    hand.rounds(8, &[], Seen::Pass);
    assert!(!hand.incident(1).is_open());
    hand.rounds(16, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).escalation.as_ref().expect("calling").callouts.len(), 2);
    assert!(attended(&hand), "of the present call it is too soon to say");
}

/// A server that fails as servers do answers 500, and nobody knows what became of the text.
#[test]
fn a_try_without_a_clear_end_is_no_call_that_left_nor_is_an_e_mail_beside_a_text() {
    let mut hand = called();
    hand.receipt(1, "callout/1/text", Sent::Unclear { why: "answered 500".into() });
    hand.rounds(19, &[RESULTS], Seen::Fail);
    assert!(!attended(&hand), "no carrier is known to have it");

    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.receipt(1, "callout/1/email", Sent::Accepted { provider_id: "x".into() });
    hand.receipt(1, "callout/1/text", Sent::Unclear { why: "answered 500".into() });
    hand.rounds(19, &[RESULTS], Seen::Fail);
    assert!(!attended(&hand), "an e-mail is read in the morning");
    hand.receipt(1, "callout/1/text", Sent::Accepted { provider_id: "y".into() });
    hand.receipt(1, "callout/2/text", Sent::Accepted { provider_id: "z".into() });
    assert!(attended(&hand));
}
