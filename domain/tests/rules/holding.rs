//! Whoever has a major incident may fall asleep over it, or not be able to go on.

use crate::estate::{Hand, Seen, configuration};
use domain::{Answer, Command, Environment, IncidentId, IncidentStatus, Message, Phrases, Text, next_action};

const RESULTS: (&str, Environment) = ("results", Environment::Production);
/// Rounds, of ten seconds each.
const A_MINUTE: usize = 6;

impl Hand {
    fn people_called(&self) -> Vec<String> {
        let running = self.incident(1).escalation.clone().expect("calling");
        running.callouts.iter().map(|callout| callout.person.to_string()).collect()
    }

    fn says_to(&mut self, callout: usize, answer: Answer) -> Result<String, String> {
        let running = self.incident(1).escalation.clone().expect("calling");
        let reference = running.callouts.get(callout).expect("a call").reference.clone();
        self.tell(Message::Answer { reference, answer, by: None })
    }

    fn goes_on_failing(&mut self, minutes: usize) {
        self.rounds(minutes * A_MINUTE, &[RESULTS], Seen::Fail);
    }
}

/// Called, and the first has it.
fn held() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.says_to(0, Answer::Mine).expect("taken");
    assert_eq!(hand.people_called(), ["one"]);
    hand
}

#[test]
fn of_whom_nothing_is_heard_is_asked_again_and_then_the_next_is_called_at_the_step_where_the_calls_had_stopped()
 {
    let mut hand = held();
    assert!(
        next_action(&hand.situation, &hand.incident(1), hand.now).is_some(),
        "there is always a next action"
    );
    hand.goes_on_failing(44);
    assert_eq!(hand.people_called(), ["one"]);
    hand.goes_on_failing(2);
    assert_eq!(hand.people_called(), ["one", "one"], "asked again");
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
    hand.goes_on_failing(6);
    assert_eq!(hand.people_called(), ["one", "one", "two"], "and the next is called");
}

#[test]
fn any_sign_of_life_puts_it_off() {
    let mut hand = held();
    hand.goes_on_failing(40);
    hand.says_to(0, Answer::Mine).expect("still on it");
    hand.goes_on_failing(40);
    let phrases = Phrases::own(Text::new("We know why.", "Gwyddom pam."));
    let update = Command::Update { incident: IncidentId(1), by: "ann".into(), phrases };
    hand.tell(Message::Command(update)).expect("published");
    hand.goes_on_failing(40);
    assert_eq!(hand.people_called(), ["one"]);
    hand.goes_on_failing(6);
    assert_eq!(hand.people_called(), ["one", "one"]);
}

#[test]
fn who_cannot_go_on_hands_it_over_and_the_next_is_called_at_once() {
    let mut hand = held();
    hand.says_to(0, Answer::CallNext).expect("handed over");
    assert_eq!(hand.people_called(), ["one", "two"]);
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
    hand.says_to(1, Answer::Mine).expect("taken");
    assert_eq!(hand.incident(1).acknowledged.as_ref().map(|taken| taken.by.as_str()), Some("Two"));
}

#[test]
fn another_takes_it_over_and_who_had_it_hears_of_it() {
    let mut hand = held();
    let take = Command::Acknowledge { incident: IncidentId(1), by: "ann".into() };
    let said = hand.tell(Message::Command(take)).expect("taken over");
    assert!(said.contains("no longer One"), "{said}");
    assert_eq!(hand.incident(1).acknowledged.as_ref().map(|taken| taken.by.as_str()), Some("ann"));
    assert!(hand.told().iter().any(|name| name.starts_with("taken/one/")), "{:?}", hand.told());
    // She cannot be called: when nothing is heard of her, those on call are.
    hand.goes_on_failing(46);
    assert_eq!(hand.people_called().len(), 2);
}

#[test]
fn whoever_it_is_taken_from_again_hears_that_again() {
    let mut hand = held();
    hand.receipt(1, "callout/1/text", domain::Sent::Delivered);
    let heard = |hand: &Hand| hand.told().iter().filter(|name| name.starts_with("taken/one/text")).count();
    for times in 1..4 {
        let take = Command::Acknowledge { incident: IncidentId(1), by: "ann".into() };
        hand.tell(Message::Command(take)).expect("taken over");
        assert_eq!(heard(&hand), times);
        hand.wait(10);
        let back = Command::Acknowledge { incident: IncidentId(1), by: "one".into() };
        hand.tell(Message::Command(back)).expect("taken back");
        hand.wait(10);
    }
}

#[test]
fn who_takes_it_by_a_command_and_can_be_called_is_asked_again_too() {
    for typed in ["two", "Two", "two "] {
        let mut hand = Hand::new(configuration());
        hand.rounds(2, &[], Seen::Pass);
        hand.rounds(14, &[RESULTS], Seen::Fail);
        let take = Command::Acknowledge { incident: IncidentId(1), by: typed.into() };
        hand.tell(Message::Command(take)).expect("taken");
        assert_eq!(hand.incident(1).acknowledged.as_ref().map(|taken| taken.by.as_str()), Some("Two"));
        hand.goes_on_failing(46);
        assert_eq!(hand.people_called(), ["one", "two"], "asked again");
    }
}

#[test]
fn of_what_failed_again_and_was_taken_before_its_calls_all_are_called_anew() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.goes_on_failing(40);
    let before = hand.people_called().len();
    assert!(before > 3, "as far as the last resort: {:?}", hand.people_called());
    hand.rounds(30, &[], Seen::Pass);
    assert!(!hand.incident(1).is_open());
    hand.rounds(6, &[RESULTS], Seen::Fail);
    let take = Command::Acknowledge { incident: IncidentId(1), by: "ann".into() };
    hand.tell(Message::Command(take)).expect("taken");
    hand.goes_on_failing(46);
    let called = hand.people_called().split_off(before);
    assert_eq!(called.first().map(String::as_str), Some("one"), "{called:?}");
}
