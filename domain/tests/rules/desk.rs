//! The desk: what is told while its own system is away, and how it catches up.

use crate::estate::{Hand, Seen, configuration};
use domain::{
    Change, Command, Environment, Event, IncidentId, Message, Note, NotificationKind, Sent, Ticket,
};
use std::sync::Arc;

const RESULTS: (&str, Environment) = ("results", Environment::Production);

/// A ticket was asked for and the calls have begun.
fn asked() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"ticket".to_owned()));
    hand
}

fn given_up() -> Sent {
    Sent::GivenUp { why: "no time is left".into() }
}

fn taken() -> Sent {
    Sent::Accepted { provider_id: "abc".into() }
}

fn acknowledge(hand: &mut Hand) {
    let id = IncidentId(1);
    hand.tell(Message::Command(Command::Acknowledge { incident: id, by: "ann".into() })).expect("hers");
}

/// The notes that went out by e-mail.
fn mailed(hand: &Hand) -> Vec<String> {
    let note = |change: &Change| {
        let Change::Notify(told) = change else { return None };
        let NotificationKind::FallbackNote { note: Note { text, .. } } = &told.kind else { return None };
        Some(text.clone())
    };
    hand.changes.iter().filter_map(note).collect()
}

#[test]
fn after_the_fallback_what_happens_goes_by_mail_too_and_waits_for_the_ticket() {
    let mut hand = asked();
    hand.rounds(40, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"fallback".to_owned()));
    assert!(mailed(&hand).is_empty(), "the fallback says how things stand");
    acknowledge(&mut hand);
    hand.rounds(4, &[], Seen::Pass);
    let said = mailed(&hand);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("ann") && said[1].contains("Recovered"), "{said:?}");
    hand.ticket_raised(1);
    let Ticket::Raised { waiting, .. } = &hand.incident(1).ticket else { panic!("raised") };
    assert!(hand.told().contains(&"note/1".to_owned()) && waiting.len() == 1, "and are in the ticket");
    hand.rounds(40, &[], Seen::Pass);
    assert_eq!(mailed(&hand).len(), 2, "once there is a ticket, it is told there");
}

#[test]
fn a_ticket_that_is_given_up_leaves_the_desk_told_by_mail_to_the_end() {
    let mut hand = asked();
    hand.receipt(1, "ticket", given_up());
    hand.receipt(1, "ticket", given_up());
    assert_eq!(hand.told().iter().filter(|name| *name == "fallback").count(), 1);
    acknowledge(&mut hand);
    hand.rounds(80, &[], Seen::Pass);
    let said = mailed(&hand);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[2].starts_with("Over"), "{said:?}");
    let Ticket::Asked { waiting, given_up: true, .. } = &hand.incident(1).ticket else { panic!("given up") };
    assert!(waiting.is_empty(), "nothing waits for what will not come");
}

#[test]
fn work_notes_go_one_after_the_other_and_one_that_is_lost_goes_by_mail() {
    let mut hand = asked();
    hand.ticket_raised(1);
    acknowledge(&mut hand);
    hand.rounds(4, &[], Seen::Pass);
    let notes = |hand: &Hand| hand.told().iter().filter(|name| name.starts_with("note/")).count();
    assert_eq!(notes(&hand), 1, "the second waits for the first");
    hand.receipt(1, "note/2", taken());
    hand.receipt(1, "note/1", Sent::Delivered);
    assert_eq!(notes(&hand), 1, "not for anything else");
    hand.receipt(1, "note/1", given_up());
    hand.receipt(1, "note/1", given_up());
    hand.receipt(1, "note/1", taken());
    assert!(hand.told().contains(&"note/2".to_owned()));
    assert_eq!(mailed(&hand).len(), 1);
    assert!(hand.told().contains(&"note/1/mail".to_owned()));
    hand.receipt(1, "note/2", taken());
    let Ticket::Raised { notes: 2, under_way: None, waiting, .. } = &hand.incident(1).ticket else {
        panic!("all is told");
    };
    assert!(waiting.is_empty());
}

#[test]
fn a_desk_that_is_away_for_days_gets_the_newest_notes_and_the_timeline_says_what_was_left_out() {
    let mut hand = asked();
    let mut configuration = (*hand.situation.configuration).clone();
    for policy in configuration.environments.values_mut() {
        // Else it would be unstable, and have no note for each time.
        policy.flapping.unstable = u32::MAX;
    }
    hand.event(&Event::Configured(Arc::new(configuration)));
    for _ in 0..40 {
        hand.rounds(4, &[], Seen::Pass);
        hand.rounds(4, &[RESULTS], Seen::Fail);
    }
    let incident = hand.incident(1);
    let Ticket::Asked { waiting, .. } = &incident.ticket else { panic!("asked") };
    assert_eq!(waiting.len(), 50);
    assert!(incident.timeline.iter().any(|entry| entry.text.contains("left out")), "no drop in silence");
}
