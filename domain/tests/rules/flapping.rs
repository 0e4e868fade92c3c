//! What comes and goes: one incident with one ticket, not twenty.

use crate::estate::{Hand, Seen, configuration, secs};
use domain::{Command, Configuration, Environment, IncidentId, IncidentStatus, Message, PostSays, Ticket};

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);
const DOCUMENTS: (&str, Environment) = ("documents", PRODUCTION);
const IDENTITY: (&str, Environment) = ("identity", PRODUCTION);

/// An outage that had a ticket and a call, was answered, and is over.
fn over(change: impl FnOnce(&mut Configuration)) -> Hand {
    let mut configuration = configuration();
    change(&mut configuration);
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(8, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    hand.rounds(8, &[RESULTS], Seen::Fail);
    hand.receipt(1, "callout/1/text", domain::Sent::Delivered);
    let taken = Command::Acknowledge { incident: IncidentId(1), by: "ann".into() };
    hand.tell(Message::Command(taken)).expect("taken");
    hand.rounds(10, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    hand
}

fn count(hand: &Hand, name: &str) -> usize {
    hand.told().iter().filter(|told| told.as_str() == name).count()
}

fn notes(hand: &Hand) -> usize {
    match &hand.incident(1).ticket {
        Ticket::Raised { notes, waiting, .. } => usize::try_from(*notes).expect("few") + waiting.len(),
        Ticket::None | Ticket::Asked { .. } => 0,
    }
}

#[test]
fn what_fails_again_soon_is_the_same_incident_with_the_same_ticket() {
    let mut hand = over(|_| ());
    let before = notes(&hand);
    hand.rounds(5, &[RESULTS], Seen::Fail);
    let again = hand.incident(1);
    assert_eq!((again.status, again.flaps.epoch), (IncidentStatus::Open, 1));
    assert_eq!(again.resolved_at, None);
    assert!(again.failing_since() > again.started_at, "since when it fails now");
    assert_eq!(hand.open().len(), 1);
    assert_eq!(notes(&hand), before, "a blip is no news: the hold counts again");
    hand.rounds(8, &[RESULTS], Seen::Fail);
    assert_eq!(notes(&hand), before + 1);
    assert_eq!(count(&hand, "ticket"), 1);
    assert!(matches!(hand.incident(1).posts.last().expect("a post").says, PostSays::Returned { .. }));
    assert_eq!(
        (count(&hand, "told"), count(&hand, "told/again/1")),
        (1, 1),
        "the provider's team hears of both"
    );
}

#[test]
fn how_it_went_is_kept_for_each_time_by_itself() {
    let mut hand = over(|_| ());
    let first = hand.incident(1);
    hand.rounds(12, &[RESULTS], Seen::Fail);
    let epochs = hand.incident(1).epochs();
    let [before, now] = epochs.as_slice() else { panic!("{epochs:?}") };
    assert_eq!((before.since, before.opened_at), (first.started_at, first.opened_at));
    assert_eq!(before.answered.as_ref().map(|(by, _)| by.as_str()), Some("ann"));
    assert_eq!((before.recovered_at, before.resolved_at), (first.recovered_at, first.resolved_at));
    assert!(before.resolved_at.is_some_and(|over| over < now.since));
    assert_eq!((&now.answered, now.recovered_at, now.resolved_at), (&None, None, None), "nobody has it yet");
}

#[test]
fn who_had_it_before_is_asked_again_after_the_same_holds_and_is_stood_down_again() {
    let mut hand = over(|_| ());
    assert_eq!(count(&hand, "stand-down/one/text"), 1);
    hand.rounds(10, &[RESULTS], Seen::Fail);
    assert_eq!(count(&hand, "callout/2/text"), 0, "not before the hold");
    assert!(hand.incident(1).acknowledged.is_none());
    hand.rounds(6, &[RESULTS], Seen::Fail);
    assert_eq!(count(&hand, "callout/2/text"), 1);
    hand.receipt(1, "callout/2/text", domain::Sent::Delivered);
    hand.rounds(12, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert_eq!(count(&hand, "stand-down/one/text/again/1"), 1);
}

#[test]
fn who_was_called_before_is_not_stood_down_for_what_called_nobody() {
    let mut hand = over(|_| ());
    hand.rounds(5, &[RESULTS], Seen::Fail);
    hand.rounds(12, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert_eq!(count(&hand, "stand-down/one/text/again/1"), 0);
}

#[test]
fn after_the_window_it_is_another_incident_and_without_one_at_once() {
    let mut late = over(|_| ());
    late.rounds(6 * 31, &[], Seen::Pass);
    late.rounds(5, &[RESULTS], Seen::Fail);
    assert_eq!(late.open().first().expect("an incident").id, IncidentId(2));
    let mut never = over(|configuration| {
        configuration.environments.get_mut(&PRODUCTION).expect("production").flapping.reopen = secs(0);
    });
    never.rounds(5, &[RESULTS], Seen::Fail);
    assert_eq!(never.open().first().expect("an incident").id, IncidentId(2));
}

#[test]
fn what_comes_back_three_times_in_an_hour_is_unstable_and_its_ticket_says_so_once() {
    let mut hand = over(|_| ());
    for _ in 0..3 {
        hand.rounds(5, &[RESULTS], Seen::Fail);
        hand.rounds(10, &[], Seen::Pass);
    }
    let unstable = hand.incident(1);
    assert!(unstable.flaps.unstable.is_some());
    assert_eq!(unstable.status, IncidentStatus::Recovering, "well for a minute is no longer enough");
    let before = notes(&hand);
    for _ in 0..10 {
        hand.rounds(5, &[RESULTS], Seen::Fail);
        hand.rounds(10, &[], Seen::Pass);
    }
    assert_eq!(notes(&hand), before, "nothing is said of each time");
    assert_eq!(count(&hand, "ticket"), 1);
    assert_eq!(hand.open().len(), 1);
    hand.rounds(6 * 31, &[], Seen::Pass);
    let over = hand.incident(1);
    assert_eq!((over.status, over.flaps.unstable), (IncidentStatus::Resolved, None));
    assert_eq!(notes(&hand), before + 1, "that it is over");
}

#[test]
fn what_a_parent_that_comes_and_goes_holds_back_answers_for_itself_once_the_parent_is_well() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    for _ in 0..4 {
        hand.rounds(6, &[IDENTITY], Seen::Fail);
        hand.rounds(10, &[], Seen::Pass);
    }
    hand.rounds(6, &[IDENTITY, RESULTS], Seen::Fail);
    let parent = hand.incident(1);
    assert!(parent.flaps.unstable.is_some());
    assert_eq!(parent.held_back.len(), 1, "its child is held back while it fails");
    hand.rounds(12, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering, "not over for half an hour");
    let own = hand.open().into_iter().find(|incident| incident.id != IncidentId(1));
    let own = own.expect("its child has a reason of its own");
    assert!(own.major.is_some() && own.affects.iter().any(|instance| instance.api.as_str() == "results"));
    // And whatever the parent does then, it stays one incident.
    hand.rounds(6, &[IDENTITY, RESULTS], Seen::Fail);
    hand.rounds(10, &[RESULTS], Seen::Fail);
    assert_eq!(hand.open().len(), 2);
}

#[test]
fn what_comes_back_lighter_weighs_what_it_is_now_unless_a_human_said_otherwise() {
    let mut hand = over(|_| ());
    assert!(hand.incident(1).major.is_some());
    hand.rounds(40, &[RESULTS], Seen::Slow);
    let slow = hand.incident(1);
    assert_eq!((slow.status, slow.flaps.epoch), (IncidentStatus::Open, 1));
    assert!(slow.priority > domain::Priority::P1, "{}", slow.priority);
    assert!(slow.major.is_none(), "slowness wakes nobody");
    assert_eq!(slow.rank.cell.as_ref().map(|cell| cell.priority), Some(slow.priority), "its cell is of now");
    assert_eq!(count(&hand, "callout/2/text"), 0);
    let gravest = (domain::Priority::P1, "impact 1 × urgency 1".to_owned());
    assert_eq!(slow.gravest(domain::Language::En), gravest, "the report still knows");
    assert!(slow.was_major());
    hand.rounds(16, &[RESULTS], Seen::Fail);
    assert!(hand.incident(1).major.is_some(), "and worse is major again");
    assert_eq!(count(&hand, "callout/2/text"), 1);

    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(8, &[DOCUMENTS], Seen::Fail);
    let declared = Command::Declare { incident: IncidentId(1), by: "ann".into(), why: "a hunch".into() };
    hand.tell(Message::Command(declared)).expect("declared");
    hand.rounds(12, &[], Seen::Pass);
    hand.rounds(40, &[DOCUMENTS], Seen::Slow);
    assert_eq!(hand.incident(1).flaps.epoch, 1);
    assert!(hand.incident(1).major.is_some(), "a human said so");
}
