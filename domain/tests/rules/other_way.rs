//! A call that does not arrive by one way goes by another.

use crate::estate::{Hand, Seen, configuration};
use domain::{Environment, Sent, Way};

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
    assert!(calls(&hand).contains(&"callout/1/email".to_owned()), "{:?}", calls(&hand));
    hand.rounds(2, &[RESULTS], Seen::Fail);
    assert!(calls(&hand).len() >= 2, "{:?}", calls(&hand));
}
