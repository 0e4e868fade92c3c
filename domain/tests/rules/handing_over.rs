//! A rota is handed over while its people are called.

use crate::{
    estate::{Hand, Seen, configuration, secs},
    read_back::desk_takes_notes,
};
use domain::{Answer, Command, Environment, IncidentId, Message, PersonId, Target, next_action};

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
fn who_has_it_keeps_it_when_their_shift_ends_and_is_asked_first_when_nothing_is_heard_of_them() {
    let mut hand = called_before_nine();
    let first = people(&hand);
    let running = hand.incident(1).escalation.clone().expect("calling");
    let reference = running.callouts.first().expect("a call").reference.clone();
    hand.tell(Message::Answer { reference, answer: Answer::Mine, by: None }).expect("taken");
    // Past nine, and half of the time that an answer lasts.
    hand.rounds(120, &[RESULTS], Seen::Fail);
    let taken = hand.incident(1).acknowledged.clone().expect("still theirs");
    assert_eq!(taken.person.map(|person| person.to_string()).as_ref(), first.first());
    assert_eq!(people(&hand), first, "whoever came on call is left alone");
    while hand.now <= taken.until.expect("an end") {
        hand.rounds(1, &[RESULTS], Seen::Fail);
    }
    hand.rounds(2, &[RESULTS], Seen::Fail);
    assert_eq!(people(&hand), [&first[..], &first[..]].concat(), "whoever had it is asked first");
    hand.rounds(32, &[RESULTS], Seen::Fail);
    let all = people(&hand);
    assert!(all.len() == 3 && all[2] != first[0], "then whoever is on call by now: {all:?}");
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

/// With two people, whoever hands it over may be the next to be called.
#[test]
fn a_button_that_is_pressed_twice_is_pressed_once() {
    let mut configuration = configuration();
    for escalation in configuration.escalations.values_mut() {
        escalation.steps.truncate(2);
        escalation.steps.iter_mut().skip(1).for_each(|step| step.after = secs(60));
        escalation.repeat = 2;
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    while hand.open().is_empty() || hand.incident(1).escalation.is_none() || people(&hand).len() < 2 {
        hand.rounds(1, &[RESULTS], Seen::Fail);
    }
    let press = |hand: &mut Hand, answer| {
        let running = hand.incident(1).escalation.clone().expect("calling");
        let reference = running.callouts.first().expect("a call").reference.clone();
        hand.tell(Message::Answer { reference, answer, by: None })
    };
    hand.now += secs(1);
    press(&mut hand, Answer::Mine).expect("taken");
    hand.now += secs(1);
    press(&mut hand, Answer::CallNext).expect("handed over");
    let called = people(&hand);
    assert_eq!(called.len(), 3);
    assert_eq!(called.first(), called.last(), "it is their turn again");
    press(&mut hand, Answer::CallNext).expect("heard");
    assert_eq!(people(&hand), called, "once");

    for _ in 0..2 {
        hand.now += secs(1);
        press(&mut hand, Answer::NotReal).expect("heard");
    }
    let said = |entry: &&domain::Entry| entry.text.ends_with("says it is not real");
    assert_eq!(hand.incident(1).timeline.iter().filter(said).count(), 1);
}

#[test]
fn who_is_called_was_written_when_the_calls_began_whatever_is_written_since() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    let boss = PersonId::parse("boss").expect("an id");
    let mut other = configuration();
    for escalation in other.escalations.values_mut() {
        escalation.steps.iter_mut().for_each(|step| step.call = Target::Person(boss.clone()));
    }
    hand.event(&domain::Event::Configured(std::sync::Arc::new(other)));
    hand.rounds(30, &[RESULTS], Seen::Fail);
    let running = hand.incident(1).escalation.clone().expect("calling");
    let called: Vec<&PersonId> = running.callouts.iter().map(|callout| &callout.person).collect();
    assert!(called.len() > 1 && !called.contains(&&boss), "{called:?}");
}

fn takes(hand: &mut Hand, by: &str) -> String {
    let command = Command::Acknowledge { incident: IncidentId(1), by: by.to_owned() };
    hand.tell(Message::Command(command)).expect("taken")
}

/// Both would believe that they have it.
#[test]
fn whoever_took_it_without_a_call_hears_that_another_has_it_now() {
    let mut hand = called_before_nine();
    let first = people(&hand).pop().expect("called");
    let other = hand.situation.configuration.people.keys().find(|id| id.to_string() != first).cloned();
    let other = other.expect("another");
    let name = |id: &PersonId| hand.situation.configuration.people[id].name.clone();
    let (other_name, first_name) = (name(&other), name(&PersonId::parse(&first).expect("an id")));
    takes(&mut hand, &other_name);
    let before = hand.told().len();
    takes(&mut hand, &first_name);
    let told = hand.told().split_off(before);
    let relieved: Vec<_> = told.iter().filter(|name| name.contains(&format!("taken/{other}/"))).collect();
    assert_eq!(relieved.len(), 1, "{told:?}");
}

#[test]
fn whoever_has_it_and_cannot_be_called_is_not_said_to_be_asked_again() {
    let mut hand = called_before_nine();
    let said = takes(&mut hand, "Nobody At All");
    assert!(said.contains("if nothing more is heard by ") && said.ends_with("the next is called"), "{said}");
    hand.ticket_raised(1);
    let until = hand.incident(1).acknowledged.as_ref().and_then(|taken| taken.until).expect("an end");
    while hand.now + jiff::SignedDuration::from_secs(10) < until {
        hand.rounds(1, &[RESULTS], Seen::Fail);
        desk_takes_notes(&mut hand);
    }
    let next = next_action(&hand.situation, &hand.incident(1), hand.now).expect("a next action");
    assert_eq!((next.what.as_str(), next.at), ("call", until));
    hand.rounds(2, &[RESULTS], Seen::Fail);
    let called = people(&hand).pop().expect("called");
    assert_eq!(next.who.map(|who| who.to_lowercase()), Some(called));
}
