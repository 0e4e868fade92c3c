//! What carriers say late, twice and in any order: never a wrong state, never a call because of it.

use crate::estate::{Hand, Seen, configuration};
use domain::{Answer, Callout, Command, Environment, IncidentId, Message, Receipt, Sent, Way};
use proptest::prelude::*;
use std::collections::BTreeSet;

const RESULTS: (&str, Environment) = ("results", Environment::Production);

fn called() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    assert_eq!(callouts(&hand).len(), 1);
    hand
}

fn callouts(hand: &Hand) -> Vec<Callout> {
    hand.incident(1).escalation.as_ref().map_or_else(Vec::new, |running| running.callouts.clone())
}

/// What can be said of a call by one way.
const WORDS: [&str; 4] = ["accepted", "unclear", "given up", "delivered"];

fn sent(word: &str) -> Sent {
    match word {
        "accepted" => Sent::Accepted { provider_id: "x".into() },
        "unclear" => Sent::Unclear { why: "no answer in time".into() },
        "given up" => Sent::GivenUp { why: "no such number".into() },
        _ => Sent::Delivered,
    }
}

type Said = Vec<(Way, &'static str)>;

/// Some receipts, each way and word; and the same in another order, some of them twice.
fn receipts() -> impl Strategy<Value = (Said, Said)> {
    let one = (prop_oneof![Just(Way::Text), Just(Way::Email)], prop::sample::select(WORDS.to_vec()));
    prop::collection::vec(one, 0..10).prop_flat_map(|once| {
        let doubled: Vec<_> = once.iter().chain(once.iter().take(3)).copied().collect();
        (Just(once).prop_shuffle(), Just(doubled).prop_shuffle())
    })
}

fn tell(hand: &mut Hand, receipts: &[(Way, &'static str)]) {
    for (way, word) in receipts {
        hand.receipt(1, &format!("callout/1/{}", way.word()), sent(word));
    }
}

/// All that is known of a call, whatever the order in which it was told.
fn known(callout: &Callout) -> Vec<(Way, bool, bool, bool, bool, bool)> {
    [Way::Text, Way::Email]
        .map(|way| {
            let accepted = callout.accepted.iter().any(|(taken, _)| *taken == way);
            let (failed, arrived) = (callout.given_up.contains(&way), callout.delivered.contains(&way));
            (way, accepted, failed, arrived, callout.unclear.contains(&way), callout.reached_by(way))
        })
        .to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The same words in another order, some of them twice, leave the same state.
    #[test]
    fn receipts_commute_and_may_come_twice((once, other) in receipts()) {
        let (mut one, mut two) = (called(), called());
        tell(&mut one, &once);
        tell(&mut two, &other);
        prop_assert_eq!(known(&callouts(&one)[0]), known(&callouts(&two)[0]));
        for hand in [&one, &two] {
            let said: BTreeSet<_> = once.iter().copied().collect();
            let failed = [Way::Text, Way::Email].iter().all(|way| said.contains(&(*way, "given up")));
            let arrived = said.iter().any(|(_, word)| *word == "delivered");
            // What arrives after the next was called comes too late; but nobody is called by a word twice said.
            let calls = callouts(hand).len();
            prop_assert!(calls <= 2, "{} calls", calls);
            prop_assert!(calls == 1 || failed, "a call was made although the first may have reached somebody");
            prop_assert!(calls == 2 || !failed || arrived, "nobody was reached, and nobody is called");
        }
    }

    /// After somebody took it, whoever a call reached all the same is stood down.
    #[test]
    fn who_is_reached_late_is_stood_down((once, other) in receipts()) {
        let mut hand = called();
        let id = IncidentId(1);
        hand.tell(Message::Command(Command::Acknowledge { incident: id, by: "ann".into() })).expect("hers");
        let person = callouts(&hand)[0].person.clone();
        tell(&mut hand, &once);
        tell(&mut hand, &other);
        prop_assert_eq!(callouts(&hand).len(), 1, "nobody else is called");
        for way in [Way::Text, Way::Email] {
            let name = format!("taken/{person}/{}", way.word());
            // Told again under the same name is told once: the outbox has a name only once.
            let stood_down = hand.told().iter().any(|told| told.starts_with(&name));
            let reached = callouts(&hand)[0].reached_by(way);
            prop_assert!(stood_down || !reached, "{} was reached by {}", person, way.word());
        }
    }
}

/// A voicemail may have taken the call up; whoever it was is told quietly that another has it.
#[test]
fn who_was_rung_up_is_told_by_text_that_another_has_it_and_a_call_taken_up_is_no_answer() {
    let mut configuration = configuration();
    configuration.people.values_mut().for_each(|person| person.ways = vec![Way::Voice, Way::Text]);
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.receipt(1, "callout/1/text", sent("given up"));
    hand.receipt(1, "callout/1/voice", sent("delivered"));
    assert!(hand.incident(1).acknowledged.is_none(), "nobody pressed a digit");
    let person = callouts(&hand)[0].person.clone();
    let id = IncidentId(1);
    hand.tell(Message::Command(Command::Acknowledge { incident: id, by: "ann".into() })).expect("hers");
    let told = hand.told();
    let taken = |way: &str| told.iter().any(|told| told.starts_with(&format!("taken/{person}/{way}")));
    assert!(taken("text") && !taken("voice"), "{told:?}");
}

#[test]
fn what_another_database_told_is_not_ours() {
    let mut hand = called();
    for key in ["C-1-zzzzzz/callout/1/text", "C-1/callout/1/text", "C-1-/ticket"] {
        let receipt = Receipt {
            notification: key.into(),
            incident: IncidentId(1),
            at: hand.now,
            outcome: Sent::GivenUp { why: "no such number".into() },
        };
        hand.tell(Message::Receipt(receipt)).expect_err(key);
    }
    assert!(callouts(&hand)[0].given_up.is_empty());
    assert!(!hand.told().contains(&"fallback".to_owned()));
}

#[test]
fn what_is_said_of_nobody_changes_nothing() {
    let mut hand = called();
    let before = hand.incident(1);
    for name in ["callout/7/text", "callout/1/pigeon", "callout/x/text", "", "note/0", "told/else"] {
        for word in WORDS.into_iter().filter(|word| *word != "given up") {
            hand.receipt(1, name, sent(word));
        }
    }
    assert_eq!(hand.incident(1), before);
    hand.receipt(1, "callout/7/text", sent("given up"));
    assert_eq!(callouts(&hand).len(), 1);
}

#[test]
fn a_button_pressed_twice_calls_one_person() {
    let mut hand = called();
    let reference = callouts(&hand)[0].reference.clone();
    for _ in 0..3 {
        let answer = Message::Answer { reference: reference.clone(), answer: Answer::CallNext, by: None };
        hand.tell(answer).expect("heard");
    }
    assert_eq!(callouts(&hand).len(), 2);
}

/// The desk refused the ticket for good.
fn refused() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(8, &[RESULTS], Seen::Fail);
    hand.receipt(1, "ticket", Sent::GivenUp { why: "the desk hides correlation_id".into() });
    hand
}

fn asked(hand: &Hand, name: &str) -> usize {
    hand.told().iter().filter(|told| *told == name).count()
}

#[test]
fn a_desk_that_refused_the_ticket_is_asked_for_another_when_the_trouble_comes_back() {
    let mut hand = refused();
    hand.rounds(60, &[RESULTS], Seen::Fail);
    assert_eq!((asked(&hand, "ticket"), asked(&hand, "ticket/2")), (1, 0), "not again and again");
    hand.rounds(12, &[], Seen::Pass);
    assert!(!hand.incident(1).is_open());
    hand.rounds(10, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).flaps.epoch, 1);
    assert_eq!((asked(&hand, "ticket"), asked(&hand, "ticket/2")), (1, 1), "{:?}", hand.told());
    let raised = Sent::Ticket { number: "INC0010002".into(), record: "def".into(), mismatch: None };
    hand.receipt(1, "ticket/2", raised);
    assert!(matches!(hand.incident(1).ticket, domain::Ticket::Raised { .. }));
    assert!(hand.incident(1).earlier_tickets[0].given_up);
}

#[test]
fn a_desk_that_refused_the_ticket_is_asked_once_a_day_while_the_trouble_goes_on() {
    let mut hand = refused();
    for minute in 0..25 * 60 {
        hand.wait(50);
        hand.rounds(1, &[RESULTS], Seen::Fail);
        assert!(minute > 23 * 60 || asked(&hand, "ticket/2") == 0, "after {minute} minutes");
    }
    assert_eq!((asked(&hand, "ticket"), asked(&hand, "ticket/2")), (1, 1), "{:?}", hand.told());
    let said =
        hand.incident(1).timeline.iter().filter(|entry| entry.text.contains("ticket asked for")).count();
    assert_eq!(said, 2);
    let mailed = asked(&hand, "fallback") + asked(&hand, "ticket/2/fallback");
    assert_eq!(mailed, 1, "who was told by mail is not told again");
}
