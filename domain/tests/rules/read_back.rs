//! What the desk does with a ticket, read back: who has it, closed too early, merged, cancelled, and one that was there first.

use crate::estate::{Hand, Seen, configuration, secs};
use domain::{
    Change, Command, Environment, Event, IncidentId, IncidentStatus, MOST_TICKETS, Message, Note,
    NotificationKind, ParentTicket, Priority, Receipt, SeenTicket, Sent, Ticket, TicketState, With,
};
use std::sync::Arc;

const RESULTS: (&str, Environment) = ("results", Environment::Production);
const ID: IncidentId = IncidentId(1);

/// A ticket was raised and the calls have begun.
pub(crate) fn raised() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    hand
}

fn new() -> SeenTicket {
    SeenTicket {
        state: TicketState::New,
        assigned_to: None,
        group: Some("API Platform".into()),
        priority: Some(Priority::P1),
        parent: None,
    }
}

pub(crate) fn in_state(state: TicketState) -> SeenTicket {
    SeenTicket { state, ..new() }
}

/// The record of the incident's present ticket.
fn record(hand: &Hand) -> String {
    let record = match &hand.incident(1).ticket {
        Ticket::Raised { record, .. } => Some(record.clone()),
        Ticket::None | Ticket::Asked { .. } => None,
    };
    record.expect("a ticket")
}

/// The reader tells how the present ticket stands.
pub(crate) fn reads(hand: &mut Hand, seen: SeenTicket) {
    let record = record(hand);
    hand.tell(Message::Ticket { incident: ID, record, seen }).expect("folded in");
}

/// All notes that went into tickets: the notification's name, the record, the note.
pub(crate) fn notes(hand: &Hand) -> Vec<(String, String, Note)> {
    let note = |change: &Change| {
        let Change::Notify(told) = change else { return None };
        let NotificationKind::TicketNote { record, note } = &told.kind else { return None };
        Some((told.key.split_once('/')?.1.to_owned(), record.clone(), note.clone()))
    };
    hand.changes.iter().filter_map(note).collect()
}

/// The desk has each note that is under way.
pub(crate) fn desk_takes_notes(hand: &mut Hand) {
    for (name, ..) in notes(hand) {
        hand.receipt(1, &name, Sent::Accepted { provider_id: "abc".into() });
    }
}

pub(crate) fn asked(hand: &Hand, name: &str) -> usize {
    hand.told().iter().filter(|told| *told == name).count()
}

pub(crate) fn says(hand: &Hand, words: &str) -> usize {
    hand.incident(1).timeline.iter().filter(|entry| entry.text.contains(words)).count()
}

fn receipt_of(hand: &mut Hand, name: &str, number: &str, record: &str) {
    let outcome = Sent::Ticket { number: number.into(), record: record.into(), mismatch: None };
    let receipt = Receipt { notification: hand.key(1, name), incident: ID, at: hand.now, outcome };
    hand.tell(Message::Receipt(receipt)).expect("folded in");
}

#[test]
fn an_agent_who_is_assigned_has_not_answered_for_a_major_incident() {
    let mut hand = raised();
    let calls = |hand: &Hand| hand.told().iter().filter(|name| name.starts_with("callout/")).count();
    let before = calls(&hand);
    let assigned =
        SeenTicket { assigned_to: Some("Beth Anglin".into()), ..in_state(TicketState::InProgress) };
    reads(&mut hand, assigned.clone());
    let incident = hand.incident(1);
    assert_eq!(incident.status, IncidentStatus::Open);
    assert_eq!(incident.ticket.seen(), Some(&assigned));
    assert_eq!(says(&hand, "is assigned to Beth Anglin; that is no answer"), 1);
    hand.rounds(40, &[RESULTS], Seen::Fail);
    assert!(calls(&hand) > before, "the next are called");
    reads(&mut hand, assigned);
    assert_eq!(says(&hand, "Beth Anglin"), 1, "said once");
}

#[test]
fn what_is_resolved_while_the_trouble_goes_on_is_opened_again_and_once() {
    let mut hand = raised();
    reads(&mut hand, in_state(TicketState::Resolved));
    hand.rounds(5, &[RESULTS], Seen::Fail);
    assert!(notes(&hand).is_empty(), "who mended it may have closed it before that can be seen");
    hand.rounds(2, &[RESULTS], Seen::Fail);
    let [(_, _, note)] = notes(&hand).try_into().expect("one note");
    assert_eq!(note.with, With::Reopen);
    assert!(note.text.starts_with("Opened again: the trouble is still there, since 02:00:"), "{}", note.text);
    hand.rounds(20, &[RESULTS], Seen::Fail);
    let reopened = |hand: &Hand| notes(hand).iter().filter(|(.., note)| note.with == With::Reopen).count();
    assert_eq!(reopened(&hand), 1, "a desk that does not want it open is not pestered");

    desk_takes_notes(&mut hand);
    reads(&mut hand, in_state(TicketState::InProgress));
    reads(&mut hand, in_state(TicketState::Resolved));
    hand.rounds(8, &[RESULTS], Seen::Fail);
    desk_takes_notes(&mut hand);
    assert_eq!(reopened(&hand), 2, "once each time");
    assert_eq!(asked(&hand, "ticket/2"), 0, "the ticket stays the same");
}

#[test]
fn a_desk_whose_own_rule_resolves_the_ticket_each_time_is_not_fought_for_ever() {
    let mut hand = raised();
    for _ in 0..8 {
        reads(&mut hand, in_state(TicketState::Resolved));
        hand.rounds(8, &[RESULTS], Seen::Fail);
        desk_takes_notes(&mut hand);
        // Opened again, by our note or by their own people.
        reads(&mut hand, in_state(TicketState::InProgress));
    }
    let reopened = |hand: &Hand| notes(hand).iter().filter(|(.., note)| note.with == With::Reopen).count();
    assert_eq!(reopened(&hand), 3);
    assert_eq!(says(&hand, "a rule of the desk's? Telephone them."), 1, "{:?}", hand.incident(1).timeline);
    assert_eq!((asked(&hand, "desk-resolves"), asked(&hand, "ticket/2")), (1, 0));
    assert_eq!(hand.incident(1).status, IncidentStatus::Open, "the incident goes on by itself");

    // It was over and is back: another epoch, and the desk may have mended its rule.
    hand.rounds(12, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    reads(&mut hand, in_state(TicketState::Resolved));
    hand.rounds(8, &[RESULTS], Seen::Fail);
    (0..5).for_each(|_| desk_takes_notes(&mut hand));
    assert_eq!((hand.incident(1).flaps.epoch, reopened(&hand)), (1, 4));
}

#[test]
fn a_ticket_that_is_closed_a_moment_before_all_is_well_leads_to_nothing() {
    let mut hand = raised();
    reads(&mut hand, in_state(TicketState::Closed));
    hand.rounds(2, &[RESULTS], Seen::Fail);
    hand.rounds(12, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert_eq!(asked(&hand, "ticket/2"), 0);
    assert!(notes(&hand).is_empty(), "nothing can be written into it: {:?}", notes(&hand));
}

#[test]
fn for_a_ticket_closed_while_the_trouble_goes_on_there_is_another_with_notes_of_its_own() {
    let mut hand = raised();
    hand.tell(Message::Command(Command::Acknowledge { incident: ID, by: "ann".into() })).expect("hers");
    assert_eq!(asked(&hand, "note/1"), 1);
    reads(&mut hand, in_state(TicketState::Closed));
    hand.rounds(8, &[RESULTS], Seen::Fail);
    assert_eq!((asked(&hand, "ticket"), asked(&hand, "ticket/2")), (1, 1));
    let incident = hand.incident(1);
    assert!(matches!(incident.ticket, Ticket::Asked { .. }));
    let [earlier] = incident.earlier_tickets.as_slice() else { panic!("one before it") };
    assert_eq!(earlier.known, Some(("INC0010001".into(), "abc".into())));
    assert_eq!(earlier.why, "INC0010001 was closed while the trouble went on");

    // Word of the first one that comes late says nothing of the second.
    receipt_of(&mut hand, "ticket", "INC0010001", "abc");
    hand.receipt(1, "note/1", Sent::Accepted { provider_id: "abc".into() });
    assert!(matches!(hand.incident(1).ticket, Ticket::Asked { .. }));
    receipt_of(&mut hand, "ticket/2", "INC0010007", "def");
    assert_eq!(record(&hand), "def");
    hand.rounds(4, &[], Seen::Pass);
    let (name, of, _) = notes(&hand).pop().expect("a note");
    assert_eq!((name.as_str(), of.as_str()), ("ticket/2/note/1", "def"));
}

#[test]
fn what_the_desk_refuses_to_change_with_a_note_is_said_and_the_next_note_goes() {
    let mut hand = raised();
    reads(&mut hand, in_state(TicketState::Resolved));
    hand.rounds(8, &[RESULTS], Seen::Fail);
    hand.rounds(4, &[], Seen::Pass);
    assert_eq!(notes(&hand).len(), 1, "one at a time");
    let refused = "to change the state to In Progress: the service desk answered 403 Forbidden".to_owned();
    hand.receipt(1, "note/1", Sent::InPart { provider_id: "abc".into(), refused: refused.clone() });
    assert_eq!(says(&hand, &format!("the desk refused {refused}")), 1);
    assert_eq!(notes(&hand).len(), 2, "the next follows");
}

#[test]
fn a_ticket_that_is_closed_instead_of_opened_again_is_replaced() {
    let mut hand = raised();
    reads(&mut hand, in_state(TicketState::Resolved));
    hand.rounds(8, &[RESULTS], Seen::Fail);
    let [(.., note)] = notes(&hand).try_into().expect("one note");
    assert_eq!(note.with, With::Reopen);
    reads(&mut hand, in_state(TicketState::Closed));
    hand.rounds(4, &[RESULTS], Seen::Fail);
    assert_eq!(asked(&hand, "ticket/2"), 0, "who closed it may have mended it");
    hand.rounds(4, &[RESULTS], Seen::Fail);
    assert_eq!(asked(&hand, "ticket/2"), 1);
}

#[test]
fn a_ticket_that_is_closed_as_a_part_once_all_is_well_leads_to_nothing() {
    let mut hand = raised();
    hand.rounds(12, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    let before = notes(&hand).len();
    let parent =
        ParentTicket { number: "INC0009000".into(), record: "par".into(), state: TicketState::InProgress };
    reads(&mut hand, SeenTicket { parent: Some(parent), ..in_state(TicketState::Closed) });
    assert_eq!((record(&hand).as_str(), notes(&hand).len()), ("abc", before));
}

#[test]
fn a_ticket_that_is_of_more_than_ours_is_the_desks_to_resolve_and_to_rank() {
    let mut configuration = configuration();
    configuration.desks.values_mut().for_each(|desk| desk.resolves = true);
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    let parent =
        ParentTicket { number: "INC0009000".into(), record: "par".into(), state: TicketState::InProgress };
    reads(&mut hand, SeenTicket { parent: Some(parent), ..in_state(TicketState::Closed) });
    hand.rounds(12, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    (0..3).for_each(|_| desk_takes_notes(&mut hand));
    let of_parent = notes(&hand).into_iter().filter(|(_, record, _)| record == "par");
    let with: Vec<With> = of_parent.map(|(.., note)| note.with).collect();
    assert!(!with.contains(&With::Resolve) && with.len() > 1, "{with:?}");
}

#[test]
fn a_desk_that_closes_every_ticket_is_not_asked_for_ever() {
    let mut hand = raised();
    for number in 2..MOST_TICKETS + 3 {
        reads(&mut hand, in_state(TicketState::Closed));
        hand.rounds(8, &[RESULTS], Seen::Fail);
        if number <= MOST_TICKETS {
            receipt_of(&mut hand, &format!("ticket/{number}"), "INC", &format!("r{number}"));
        }
    }
    let tickets = hand.told().iter().filter(|name| name.starts_with("ticket")).count();
    assert_eq!(tickets, MOST_TICKETS);
    assert_eq!(says(&hand, "no other is taken"), 1);
}

#[test]
fn what_is_cancelled_or_a_duplicate_is_asked_for_again_only_when_it_came_back() {
    for state in [TicketState::Cancelled, TicketState::Duplicate] {
        let mut hand = raised();
        reads(&mut hand, in_state(state));
        hand.rounds(30, &[RESULTS], Seen::Fail);
        assert_eq!(asked(&hand, "ticket/2"), 0, "the desk has judged it");
        hand.rounds(12, &[], Seen::Pass);
        hand.rounds(14, &[RESULTS], Seen::Fail);
        let incident = hand.incident(1);
        assert_eq!((incident.flaps.epoch, asked(&hand, "ticket/2")), (1, 1));
        assert_eq!(incident.earlier_tickets.len(), 1);
    }
}

#[test]
fn a_ticket_that_is_closed_as_a_duplicate_is_followed_to_the_one_that_goes_on() {
    let mut hand = raised();
    let parent =
        ParentTicket { number: "INC0009000".into(), record: "par".into(), state: TicketState::InProgress };
    reads(&mut hand, SeenTicket { parent: Some(parent.clone()), ..new() });
    assert_eq!(record(&hand), "abc", "what is only part of another goes on");
    reads(&mut hand, SeenTicket { parent: Some(parent), ..in_state(TicketState::Closed) });
    assert_eq!(record(&hand), "par");
    assert_eq!(says(&hand, "INC0010001 was closed as part of INC0009000: followed there"), 1);
    let [(name, of, note)] = notes(&hand).try_into().expect("one note");
    assert_eq!((name.as_str(), of.as_str(), note.with), ("ticket/2/note/1", "par", With::Description));
    // Merged back: nobody is sent round in circles.
    let back = ParentTicket { number: "INC0010001".into(), record: "abc".into(), state: TicketState::New };
    reads(&mut hand, SeenTicket { parent: Some(back), ..in_state(TicketState::Closed) });
    assert_eq!(record(&hand), "par");
    let late = Message::Ticket { incident: ID, record: "abc".into(), seen: new() };
    assert_eq!(hand.tell(late), Err("C-1 has another ticket by now".into()));
}

#[test]
fn another_priority_at_the_desk_is_said_once_and_a_higher_one_of_ours_goes_into_the_ticket() {
    let mut hand = Hand::new(configuration());
    let documents = ("documents", Environment::Production);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(100, &[documents], Seen::Slow);
    hand.ticket_raised(1);
    let ours = hand.incident(1).priority;
    reads(&mut hand, SeenTicket { priority: Some(ours), ..new() });
    assert!(notes(&hand).is_empty());
    hand.rounds(8, &[documents], Seen::Fail);
    let higher = hand.incident(1).priority;
    assert!(higher < ours);
    let (.., note) = notes(&hand).pop().expect("a note");
    assert_eq!(note.with, With::Priority(higher));
    let (found, proposed) = note.text.split_once('\n').expect("two lines");
    assert!(found.starts_with("Worse now: major outage."), "{found}");
    assert!(proposed.starts_with(&format!("Proposed priority: {higher} instead of {ours}")), "{proposed}");
    desk_takes_notes(&mut hand);

    let chosen = SeenTicket { priority: Some(Priority::P5), ..new() };
    reads(&mut hand, chosen.clone());
    let (.., note) = notes(&hand).pop().expect("a note");
    assert_eq!(
        (note.with, note.text.as_str()),
        (With::Nothing, format!("The priority here is P5; Curiad proposes {higher}.").as_str())
    );
    reads(&mut hand, SeenTicket { assigned_to: Some("Beth Anglin".into()), ..chosen });
    assert_eq!(says(&hand, "the desk's priority differs: P5"), 1);
}

fn links(hand: &mut Hand, number: &str, record: &str) -> Result<String, String> {
    let link = Command::Link { incident: ID, by: "ann".into(), number: number.into(), record: record.into() };
    hand.tell(Message::Command(link))
}

#[test]
fn a_ticket_that_a_caller_had_opened_is_gone_on_with_and_ours_says_so() {
    let mut hand = raised();
    assert_eq!(links(&mut hand, "INC0005555", "call"), Ok("INC0005555 is the ticket of C-1".into()));
    assert_eq!(record(&hand), "call");
    let said = notes(&hand);
    let [(first, of, note), (second, old, moved)] = said.as_slice() else { panic!("two notes: {said:?}") };
    assert_eq!((first.as_str(), of.as_str(), note.with), ("ticket/2/note/1", "call", With::Description));
    assert_eq!((second.as_str(), old.as_str()), ("moved", "abc"));
    assert_eq!(moved.text, "Followed in INC0005555. This one can be closed.");
    let again = links(&mut hand, "INC0005555", "call").expect_err("it is");
    assert_eq!(again, "INC0005555 is the ticket of C-1 already");
    hand.rounds(60, &[RESULTS], Seen::Fail);
    assert_eq!(asked(&hand, "ticket/2") + asked(&hand, "ticket/3"), 0);
}

#[test]
fn a_ticket_that_was_asked_for_is_called_off_by_one_that_is_linked_or_told_that_it_came_too_late() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    links(&mut hand, "INC0005555", "call").expect("linked");
    let key = hand.key(1, "ticket");
    assert!(hand.changes.contains(&Change::Withdraw(key)));
    receipt_of(&mut hand, "ticket", "INC0010001", "abc");
    receipt_of(&mut hand, "ticket", "INC0010001", "abc");
    assert_eq!(record(&hand), "call");
    let moved: Vec<_> = notes(&hand).into_iter().filter(|(name, ..)| name == "moved").collect();
    let [(_, of, _)] = moved.as_slice() else { panic!("told once: {moved:?}") };
    assert_eq!(of, "abc");
}

#[test]
fn one_that_is_linked_before_any_was_asked_for_is_the_only_one() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(3, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).ticket, Ticket::None);
    links(&mut hand, "INC0005555", "call").expect("linked");
    hand.rounds(20, &[RESULTS], Seen::Fail);
    assert_eq!(asked(&hand, "ticket"), 0);
    assert!(hand.incident(1).earlier_tickets.is_empty());
}

#[test]
fn only_a_desk_that_wants_it_has_its_ticket_resolved_by_us_and_opened_again_when_it_is_back() {
    let mut hand = raised();
    hand.rounds(12, &[], Seen::Pass);
    assert!(notes(&hand).iter().all(|(.., note)| note.with != With::Resolve), "not by itself");

    let mut configuration = configuration();
    for desk in configuration.desks.values_mut() {
        desk.resolves = true;
    }
    configuration.environments.values_mut().for_each(|policy| policy.flapping.reopen = secs(600));
    let mut hand = raised();
    hand.event(&Event::Configured(Arc::new(configuration)));
    for _ in 0..12 {
        hand.rounds(1, &[], Seen::Pass);
        desk_takes_notes(&mut hand);
    }
    let (.., note) = notes(&hand).pop().expect("a note");
    assert_eq!(note.with, With::Resolve);
    assert!(note.text.starts_with("Over: "), "{}", note.text);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    desk_takes_notes(&mut hand);
    let (.., note) = notes(&hand).pop().expect("a note");
    assert_eq!(note.with, With::Reopen);
}
