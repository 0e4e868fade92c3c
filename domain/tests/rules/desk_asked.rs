//! A desk that is asked through its ticket, and does other things with the ticket.

use crate::{
    estate::{Hand, Seen, configuration, secs},
    read_back::{in_state, notes, reads},
};
use domain::{Answer, DeskId, Environment, Message, ParentTicket, Step, Target, TicketState};

const RESULTS: (&str, Environment) = ("results", Environment::Production);

/// The desk is asked first, and the rota ten minutes later. There is a ticket, and nobody has been asked yet.
fn raised() -> Hand {
    let mut configuration = configuration();
    for escalation in configuration.escalations.values_mut() {
        let first = escalation.steps.first().expect("a step").clone();
        for step in &mut escalation.steps {
            step.after += secs(600);
        }
        let desk = Target::Desk(DeskId::parse("nsd").expect("an id"));
        escalation.steps.insert(0, Step { call: desk, ..first });
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(8, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    hand
}

fn calls(hand: &Hand) -> usize {
    hand.incident(1).escalation.as_ref().map_or(0, |running| running.callouts.len())
}

#[test]
fn one_that_has_closed_the_ticket_reads_no_more_of_it_and_nobody_waits_for_its_answer() {
    let mut hand = raised();
    reads(&mut hand, in_state(TicketState::Cancelled));
    hand.rounds(10, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 1, "the rota is called at once: {:#?}", hand.incident(1).timeline);
    let asked = hand.incident(1).escalation.clone().expect("calling").desks;
    assert_eq!(asked, [], "nobody says that it was asked");
}

#[test]
fn another_ticket_that_the_incident_follows_asks_the_same_question() {
    let mut hand = raised();
    hand.rounds(8, &[RESULTS], Seen::Fail);
    let asked = hand.incident(1).escalation.clone().expect("calling").desks;
    let link = format!("/ack/{}", asked.first().expect("asked").reference);
    let questions = |hand: &Hand| notes(hand).iter().filter(|(.., note)| note.text.contains(&link)).count();
    assert_eq!((questions(&hand), calls(&hand)), (1, 0));
    let parent =
        ParentTicket { number: "INC0010009".into(), record: "other".into(), state: TicketState::InProgress };
    let merged = domain::SeenTicket { parent: Some(parent), ..in_state(TicketState::Closed) };
    reads(&mut hand, merged);
    for note in 1..6 {
        hand.rounds(1, &[RESULTS], Seen::Fail);
        let name = format!("ticket/2/note/{note}");
        if notes(&hand).iter().any(|(known, ..)| *known == name) {
            hand.receipt(1, &name, domain::Sent::Accepted { provider_id: String::new() });
        }
    }
    assert_eq!(questions(&hand), 2, "{:#?}", notes(&hand));
}

#[test]
fn one_that_closes_the_ticket_after_it_was_asked_is_not_waited_for_either() {
    let mut hand = raised();
    hand.rounds(8, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 0);
    reads(&mut hand, in_state(TicketState::Cancelled));
    hand.rounds(1, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 1, "{:#?}", hand.incident(1).timeline);
}

#[test]
fn a_desk_without_a_ticket_cannot_be_asked_and_the_next_is_called_at_once() {
    let mut configuration = configuration();
    for escalation in configuration.escalations.values_mut() {
        escalation.steps.first_mut().expect("a step").call =
            Target::Desk(DeskId::parse("nsd").expect("an id"));
    }
    if let Some(policy) = configuration.environments.get_mut(&Environment::Production) {
        policy.service_desk = None;
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 1);
}

#[test]
fn a_no_of_the_desk_leaves_whoever_was_called_since_their_time() {
    let mut hand = raised();
    hand.rounds(8, &[RESULTS], Seen::Fail);
    let asked = hand.incident(1).escalation.clone().expect("calling").desks;
    let reference = asked.first().expect("asked").reference.clone();
    while calls(&hand) == 0 {
        hand.rounds(1, &[RESULTS], Seen::Fail);
    }
    hand.tell(Message::Answer { reference, answer: Answer::CallNext, by: None }).expect("noted");
    hand.rounds(3, &[RESULTS], Seen::Fail);
    assert_eq!(calls(&hand), 1);
}
