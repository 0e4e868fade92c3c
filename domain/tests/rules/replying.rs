//! Answers by text: who means it has it, and nobody else has.

use crate::estate::{Hand, Seen, configuration, instance};
use domain::{Answer, Command, Environment, IncidentStatus, Message, PersonId, Reply, Way};
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);

fn person(name: &str) -> PersonId {
    PersonId::parse(name).expect("an id")
}

impl Hand {
    /// A text from the telephone of `who`, which the carrier calls `id`.
    fn texts(&mut self, who: &[&str], id: &str, words: &str) -> Result<String, String> {
        let people = who.iter().map(|name| person(name)).collect();
        self.tell(Message::Reply { people, id: id.to_owned(), reply: Reply::parse(words) })
    }

    fn heard(&self) -> Vec<String> {
        self.told().into_iter().filter(|name| name.starts_with("heard/")).collect()
    }

    fn callouts(&self) -> usize {
        self.incident(1).escalation.as_ref().map_or(0, |running| running.callouts.len())
    }
}

/// Somebody is called for C-1.
fn called() -> Hand {
    called_by(configuration())
}

fn called_by(configuration: domain::Configuration) -> Hand {
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    assert_eq!(hand.callouts(), 1);
    hand
}

/// The same, where each that fails is called for.
fn called_of_critical_ones() -> Hand {
    let mut configuration = configuration();
    for api in configuration.apis.values_mut().map(Arc::make_mut) {
        api.service_level = domain::ServiceLevel::Critical;
    }
    called_by(configuration)
}

fn first(hand: &Hand) -> String {
    let running = hand.incident(1).escalation.clone().expect("calling");
    running.callouts.first().expect("a call").person.to_string()
}

#[test]
fn the_incidents_number_takes_it_and_that_is_said_back_once_however_often_the_carrier_tells_it() {
    let mut hand = called();
    let who = first(&hand);
    for _ in 0..3 {
        hand.texts(&[&who], "a", "1").expect("taken");
    }
    assert_eq!(hand.incident(1).status, IncidentStatus::Acknowledged);
    assert_eq!(hand.heard(), ["heard/a"]);
    hand.rounds(60, &[RESULTS], Seen::Fail);
    assert_eq!(hand.callouts(), 1, "nobody else is called");
    assert!(hand.situation.proofs.contains_key(&(person(&who), Way::Text)), "a text has reached them");
}

#[test]
fn a_no_calls_the_next_at_once() {
    let mut hand = called();
    let who = first(&hand);
    hand.texts(&[&who], "a", "1 no").expect("passed on");
    assert_eq!(hand.callouts(), 2);
    let running = hand.incident(1).escalation.clone().expect("calling");
    assert_eq!(running.callouts[0].answer.map(|(_, answer)| answer), Some(Answer::CallNext));
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
}

#[test]
fn a_telephone_that_answers_by_itself_has_taken_nothing_and_no_talk_of_machines_is_endless() {
    let mut hand = called();
    let who = first(&hand);
    for number in 0..50 {
        hand.texts(&[&who], &format!("auto-{number}"), "I am driving, back in 5 minutes").unwrap_err();
    }
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
    assert_eq!(hand.heard().len(), 4);
    hand.texts(&[&who], "at last", "1").expect("an answer counts all the same");
    assert_eq!(hand.incident(1).status, IncidentStatus::Acknowledged);
}

#[test]
fn of_two_incidents_a_text_without_a_number_takes_neither() {
    let mut hand = called_of_critical_ones();
    let who = first(&hand);
    hand.rounds(14, &[RESULTS, ("documents", PRODUCTION)], Seen::Fail);
    let called = hand.situation.open_incidents().filter(|incident| incident.escalation.is_some()).count();
    assert_eq!(called, 2);
    hand.texts(&[&who], "a", "yes").unwrap_err();
    assert!(hand.situation.open_incidents().all(|incident| incident.acknowledged.is_none()));
    hand.texts(&[&who], "b", "1").expect("taken");
    assert!(hand.incident(1).acknowledged.is_some() && hand.incident(2).acknowledged.is_none());
}

#[test]
fn whom_nobody_called_cannot_take_it() {
    let mut hand = called();
    let who = first(&hand);
    let other = ["one", "two", "boss"].into_iter().find(|name| **name != *who).expect("another");
    hand.texts(&[other], "a", "1").unwrap_err();
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
    assert!(hand.heard().is_empty(), "nor do they hear of it");
    // A telephone that two share is that of whoever was called.
    hand.texts(&[other, &who], "b", "1").expect("taken");
    assert_eq!(hand.incident(1).status, IncidentStatus::Acknowledged);
}

#[test]
fn test_answers_a_test_and_nothing_that_is_real() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.tell(Message::Command(Command::TestCall { by: "ann".into(), person: person("one") }))
        .expect("called");
    hand.texts(&["one"], "a", "TEST").expect("answered");
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert!(hand.situation.proofs.contains_key(&(person("one"), Way::Text)));

    let mut hand = called();
    let who = first(&hand);
    hand.texts(&[&who], "a", "test").unwrap_err();
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
    assert_eq!(hand.situation.status(&instance("results", PRODUCTION)), domain::Status::MajorOutage);
}

#[test]
fn who_is_late_hears_who_has_it() {
    let mut hand = called();
    let who = first(&hand);
    hand.tell(Message::Command(Command::Acknowledge { incident: domain::IncidentId(1), by: "ann".into() }))
        .expect("taken");
    let late = hand.texts(&[&who], "a", "1").unwrap_err();
    assert!(late.contains("ann has had it"), "{late}");
    assert_eq!(hand.heard(), ["heard/a"]);
}

#[test]
fn what_somebody_has_already_is_not_what_their_yes_is_about() {
    let mut hand = called_of_critical_ones();
    let who = first(&hand);
    hand.texts(&[&who], "a", "yes").expect("the only one");
    hand.rounds(14, &[RESULTS, ("documents", PRODUCTION)], Seen::Fail);
    hand.texts(&[&who], "b", "yes").expect("the other");
    assert!(hand.incident(2).acknowledged.is_some());
}

#[test]
fn whoever_took_one_of_two_and_says_thanks_has_not_taken_the_other_nor_has_a_text_that_is_told_again() {
    let mut hand = called_of_critical_ones();
    let who = first(&hand);
    hand.rounds(14, &[RESULTS, ("documents", PRODUCTION)], Seen::Fail);
    hand.texts(&[&who], "a", "1").expect("taken");
    hand.texts(&[&who], "b", "OK thanks").unwrap_err();
    assert!(hand.incident(2).acknowledged.is_none(), "it may be the first that is meant");

    let mut hand = called();
    let who = first(&hand);
    hand.texts(&[&who], "a", "yes").expect("the only one");
    hand.rounds(14, &[RESULTS, ("identity", PRODUCTION)], Seen::Fail);
    hand.texts(&[&who], "a", "yes").unwrap_err();
    assert!(hand.open().iter().all(|incident| incident.id.0 == 1 || incident.acknowledged.is_none()));
}

#[test]
fn thanks_for_one_incident_take_no_other() {
    let mut hand = called_of_critical_ones();
    let who = first(&hand);
    hand.rounds(14, &[RESULTS, ("documents", PRODUCTION)], Seen::Fail);
    let take = Command::Acknowledge { incident: domain::IncidentId(1), by: "ann".into() };
    hand.tell(Message::Command(take)).expect("taken");
    for (id, words) in [("a", "OK thanks"), ("b", "Diolch")] {
        hand.texts(&[&who], id, words).unwrap_err();
        assert!(hand.incident(2).acknowledged.is_none(), "{words}: she meant the first");
    }
    // One of the two is over: for half an hour that may still be what is meant.
    hand.rounds(20, &[("documents", PRODUCTION)], Seen::Fail);
    assert!(!hand.incident(1).is_open());
    hand.texts(&[&who], "c", "ok").unwrap_err();
    hand.texts(&[&who], "n", "no").expect("a no needs less: the next is called");
    hand.rounds(6 * 31, &[("documents", PRODUCTION)], Seen::Fail);
    hand.texts(&[&who], "d", "ok").expect("only one is left to mean");
    assert!(hand.incident(2).acknowledged.is_some());
}

#[test]
fn thanks_for_the_last_time_do_not_take_what_fails_again() {
    for words in ["OK", "no"] {
        let mut hand = called();
        let who = first(&hand);
        let take = Command::Acknowledge { incident: domain::IncidentId(1), by: "ann".into() };
        hand.tell(Message::Command(take)).expect("taken");
        hand.rounds(30, &[], Seen::Pass);
        assert!(!hand.incident(1).is_open());
        hand.rounds(6, &[RESULTS], Seen::Fail);
        assert_eq!(
            (hand.incident(1).status, hand.callouts()),
            (IncidentStatus::Open, 1),
            "again, and no call yet"
        );
        hand.texts(&[&who], "a", words).unwrap_err();
        assert!(hand.incident(1).acknowledged.is_none(), "{words}: that was for the stand-down");
        hand.rounds(14, &[RESULTS], Seen::Fail);
        assert!(hand.callouts() > 1, "they are called");
    }
}

#[test]
fn a_text_that_is_told_again_after_it_was_handed_over_takes_nothing_back() {
    let mut hand = called();
    let who = first(&hand);
    hand.texts(&[&who], "a", "1").expect("taken");
    hand.texts(&[&who], "b", "1 no").expect("handed over");
    let calls = hand.callouts();
    for id in ["a", "b"] {
        hand.texts(&[&who], id, if id == "a" { "1" } else { "1 no" }).expect("heard already");
        assert_eq!((hand.incident(1).status, hand.callouts()), (IncidentStatus::Open, calls));
    }
}

#[test]
fn a_carrier_whose_clock_is_behind_ours_is_believed_and_what_was_said_before_another_call_is_not_about_that()
{
    let mut hand = called();
    let who = first(&hand);
    let called_at = hand.incident(1).escalation.as_ref().expect("calling").started_at;
    let yes =
        |id: &str| Message::Reply { people: vec![person(&who)], id: id.into(), reply: Reply::parse("yes") };
    hand.tell_at(called_at - jiff::SignedDuration::from_secs(90), yes("a")).expect("taken");
    assert_eq!(hand.incident(1).status, IncidentStatus::Acknowledged);

    let mut hand = called_of_critical_ones();
    let called_at = hand.incident(1).escalation.as_ref().expect("calling").started_at;
    hand.rounds(30, &[RESULTS, ("documents", PRODUCTION)], Seen::Fail);
    assert!(hand.incident(2).escalation.is_some());
    hand.tell_at(called_at + jiff::SignedDuration::from_secs(10), yes("a"))
        .expect("only the first can be meant");
    assert!(hand.incident(1).acknowledged.is_some() && hand.incident(2).acknowledged.is_none());
}

#[test]
fn a_test_that_waits_for_its_answer_makes_no_yes_ambiguous() {
    let mut configuration = configuration();
    for api in configuration.apis.values_mut().map(Arc::make_mut) {
        api.service_level = domain::ServiceLevel::Critical;
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.tell(Message::Command(Command::TestCall { by: "ann".into(), person: person("one") }))
        .expect("called");
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.texts(&["one"], "a", "2").expect("taken");
    hand.rounds(14, &[RESULTS, ("documents", PRODUCTION)], Seen::Fail);
    assert!(hand.incident(1).is_open() && hand.incident(3).escalation.is_some());
    hand.texts(&["one"], "b", "yes").expect("the one they have not taken yet");
    assert!(hand.incident(3).acknowledged.is_some());
}

#[test]
fn a_no_without_a_number_is_about_what_they_have_or_watch_where_that_is_one() {
    let mut hand = called();
    let who = first(&hand);
    hand.texts(&[&who], "a", "1").expect("taken");
    hand.texts(&[&who], "b", "no").expect("handed over");
    assert_eq!((hand.incident(1).status, hand.callouts()), (IncidentStatus::Open, 2));

    let mut hand = called();
    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    let said = hand.texts(&[&who], "c", "no").expect("heard");
    assert!(said.contains("nobody is called unless it fails again"), "{said}");

    // They have the one, and were called for the other, which works again: which is meant?
    let mut hand = called_of_critical_ones();
    let who = first(&hand);
    hand.texts(&[&who], "d", "1").expect("taken");
    let documents = ("documents", PRODUCTION);
    hand.rounds(14, &[RESULTS, documents], Seen::Fail);
    assert_eq!(hand.open().len(), 2, "{:?}", hand.open());
    hand.rounds(2, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(2).status, IncidentStatus::Recovering);
    hand.texts(&[&who], "e", "no").expect_err("it cannot be told");
    assert!(hand.incident(1).acknowledged.is_some());
}
