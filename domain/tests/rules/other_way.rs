//! A call that does not arrive by one way goes by another.

use crate::estate::{Hand, Seen, configuration};
use domain::{Environment, Priority, Sent, Way};

const RESULTS: (&str, Environment) = ("results", Environment::Production);

/// Called by text alone, at first.
fn called() -> Hand {
    let mut configuration = configuration();
    for escalation in configuration.escalations.values_mut() {
        for step in &mut escalation.steps {
            step.by = vec![Way::Text];
            step.after *= 10;
        }
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), ["callout/1/text"]);
    hand
}

fn calls(hand: &Hand) -> Vec<String> {
    hand.told().into_iter().filter(|name| name.starts_with("callout/")).collect()
}

#[test]
fn a_text_that_its_carrier_took_and_did_not_deliver_is_followed_by_an_e_mail() {
    let mut hand = called();
    hand.receipt(1, "callout/1/text", Sent::Accepted { provider_id: "x".into() });
    hand.rounds(7, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), ["callout/1/text"]);
    hand.rounds(2, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), ["callout/1/text", "callout/1/email"]);
    hand.rounds(10, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand).len(), 2, "once");
}

/// An e-mail beside it says nothing of the text.
#[test]
fn a_text_that_does_not_arrive_is_followed_by_the_telephone_whatever_an_e_mail_did() {
    for text in [Sent::Accepted { provider_id: "x".into() }, Sent::GivenUp { why: "no such number".into() }] {
        let mut configuration = configuration();
        for escalation in configuration.escalations.values_mut() {
            for step in &mut escalation.steps {
                step.by = vec![Way::Text, Way::Email];
                step.after *= 10;
            }
        }
        for person in configuration.people.values_mut() {
            person.ways = vec![Way::Text, Way::Email, Way::Voice];
        }
        let mut hand = Hand::new(configuration);
        hand.rounds(2, &[], Seen::Pass);
        hand.rounds(14, &[RESULTS], Seen::Fail);
        hand.receipt(1, "callout/1/email", Sent::Accepted { provider_id: "y".into() });
        hand.receipt(1, "callout/1/text", text.clone());
        hand.rounds(9, &[RESULTS], Seen::Fail);
        assert!(calls(&hand).contains(&"callout/1/voice".to_owned()), "{text:?}: {:?}", calls(&hand));
    }
}

#[test]
fn one_that_arrived_is_not_and_one_that_never_will_is_at_once() {
    let mut hand = called();
    hand.receipt(1, "callout/1/text", Sent::Accepted { provider_id: "x".into() });
    hand.receipt(1, "callout/1/text", Sent::Delivered);
    hand.rounds(20, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), ["callout/1/text"]);

    let mut hand = called();
    hand.receipt(1, "callout/1/text", Sent::GivenUp { why: "no such number".into() });
    hand.rounds(2, &[RESULTS], Seen::Fail);
    let calls = calls(&hand);
    assert!(calls.contains(&"callout/1/email".to_owned()), "{calls:?}");
    assert!(calls.contains(&"callout/2/text".to_owned()), "an e-mail wakes nobody: {calls:?}");
}

/// Everybody has these ways in an order of their own, and the steps name none. The API fails.
fn in_turn(ways: &[Way], api: (&str, Environment)) -> Hand {
    let mut configuration = configuration();
    for escalation in configuration.escalations.values_mut() {
        for step in &mut escalation.steps {
            step.by.clear();
            step.after *= 10;
        }
    }
    for person in configuration.people.values_mut() {
        (person.ways, person.in_turn) = (ways.to_vec(), true);
    }
    for major in configuration.environments.values_mut().filter_map(|policy| policy.major.as_mut()) {
        major.when = Priority::P2;
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[api], Seen::Fail);
    hand
}

const DOCUMENTS: (&str, Environment) = ("documents", Environment::Production);
const OWN: [Way; 3] = [Way::Voice, Way::Text, Way::Email];

#[test]
fn whoever_has_an_order_of_their_own_is_tried_by_one_way_after_another() {
    let mut hand = in_turn(&OWN, DOCUMENTS);
    assert_eq!(hand.incident(1).priority, Priority::P2);
    assert_eq!(calls(&hand), ["callout/1/voice"]);
    // Nothing says that it arrived, and nothing that it did not: each has its time.
    hand.rounds(9, &[DOCUMENTS], Seen::Fail);
    assert_eq!(calls(&hand), ["callout/1/voice", "callout/1/text"]);
    hand.receipt(1, "callout/1/text", Sent::Accepted { provider_id: "x".into() });
    hand.rounds(5, &[DOCUMENTS], Seen::Fail);
    assert_eq!(calls(&hand).len(), 2, "the text has its time, too");
    hand.rounds(4, &[DOCUMENTS], Seen::Fail);
    assert_eq!(calls(&hand), ["callout/1/voice", "callout/1/text", "callout/1/email"]);
    hand.rounds(10, &[DOCUMENTS], Seen::Fail);
    assert_eq!(calls(&hand).len(), 3, "once each");
}

#[test]
fn what_is_gravest_goes_by_the_first_two_at_once_and_what_arrived_is_not_followed() {
    let mut hand = in_turn(&OWN, RESULTS);
    assert_eq!(hand.incident(1).priority, Priority::P1);
    assert_eq!(calls(&hand), ["callout/1/voice", "callout/1/text"]);
    hand.receipt(1, "callout/1/text", Sent::Delivered);
    hand.rounds(20, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand).len(), 2);
}

#[test]
fn a_way_of_an_order_that_fails_is_followed_at_once() {
    let mut hand = in_turn(&OWN, DOCUMENTS);
    hand.receipt(1, "callout/1/voice", Sent::GivenUp { why: "busy".into() });
    hand.rounds(1, &[DOCUMENTS], Seen::Fail);
    assert_eq!(calls(&hand), ["callout/1/voice", "callout/1/text"], "the same person's, and nobody else's");
}

#[test]
fn that_a_telephone_was_picked_up_is_no_answer_it_may_have_been_a_machine() {
    let mut configuration = configuration();
    for escalation in configuration.escalations.values_mut() {
        for step in &mut escalation.steps {
            step.by = vec![Way::Voice];
            step.after *= 10;
        }
    }
    for person in configuration.people.values_mut() {
        person.ways = vec![Way::Voice, Way::Text];
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.receipt(1, "callout/1/voice", Sent::Accepted { provider_id: "x".into() });
    hand.receipt(1, "callout/1/voice", Sent::Delivered);
    hand.rounds(9, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), ["callout/1/voice", "callout/1/text"]);
}

#[test]
fn a_call_from_before_it_was_over_is_not_repeated_when_it_comes_back() {
    let mut hand = called();
    hand.receipt(1, "callout/1/text", Sent::Accepted { provider_id: "x".into() });
    hand.rounds(10, &[], Seen::Pass);
    assert!(!hand.incident(1).is_open());
    hand.rounds(16, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), ["callout/1/text", "callout/2/text"], "the calls begin anew, with the first");
}

#[test]
fn a_text_that_no_carrier_is_known_to_have_is_followed_by_their_next_way_in_the_same_time() {
    for said in [None, Some(Sent::Unclear { why: "the carrier answered 500".into() })] {
        let mut hand = called();
        if let Some(said) = said.clone() {
            hand.receipt(1, "callout/1/text", said);
        }
        hand.rounds(6, &[RESULTS], Seen::Fail);
        assert_eq!(calls(&hand), ["callout/1/text"]);
        hand.rounds(3, &[RESULTS], Seen::Fail);
        assert_eq!(calls(&hand), ["callout/1/text", "callout/1/email"], "{said:?}");
    }
}
