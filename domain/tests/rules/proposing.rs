//! Major incidents that a rule only proposes.

use crate::estate::{Hand, Seen, configuration};
use domain::{Answer, Command, Environment, IncidentId, Message};

/// A rule that only proposes wakes people as one that declares: to wait for a human may be to wait for nobody.
#[test]
fn what_is_proposed_calls_people_out_and_a_human_who_declares_it_takes_nothing_from_who_has_it() {
    let mut configuration = configuration();
    for policy in configuration.environments.values_mut() {
        if let Some(major) = &mut policy.major {
            major.declare = domain::Declare::Propose;
        }
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[("results", Environment::Production)], Seen::Fail);
    let incident = hand.incident(1).clone();
    assert!(incident.major.as_ref().is_some_and(|major| major.proposed && major.by.is_none()));
    let callouts = incident.escalation.clone().expect("calling").callouts;
    assert_eq!(callouts.len(), 1);
    let reference = callouts[0].reference.clone();
    hand.tell(Message::Answer { reference, answer: Answer::Mine, by: None }).expect("taken");
    let declare = Command::Declare { incident: IncidentId(1), by: "ann".into(), why: "many callers".into() };
    let until = |hand: &Hand| hand.incident(1).acknowledged.as_ref().and_then(|taken| taken.until);
    let before = until(&hand);
    hand.rounds(3, &[("results", Environment::Production)], Seen::Fail);
    hand.tell(Message::Command(declare.clone())).expect("declared");
    assert!(until(&hand) > before, "it is a sign of life");
    let major = hand.incident(1).major.clone().expect("major");
    assert!(!major.proposed && major.by.as_deref() == Some("ann"));
    assert!(hand.incident(1).acknowledged.is_some(), "who has it still has it");
    assert!(hand.tell(Message::Command(declare)).expect_err("once").contains("is a major incident since"));
}
