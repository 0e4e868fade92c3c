//! What the desk makes of what it was told: a ticket that it confirms late, a priority that it does not take.

use crate::{
    estate::{Hand, Seen, configuration},
    read_back::{desk_takes_notes, in_state, notes, raised, reads},
};
use domain::{Environment, IncidentStatus, Priority, SeenTicket, ServiceLevel, TicketState, With};
use std::sync::Arc;

const RESULTS: (&str, Environment) = ("results", Environment::Production);

#[test]
fn a_ticket_that_is_confirmed_after_the_end_is_resolved_where_the_desk_wants_that() {
    for wants in [true, false] {
        let mut configuration = configuration();
        configuration.desks.values_mut().for_each(|desk| desk.resolves = wants);
        let mut hand = Hand::new(configuration);
        hand.rounds(2, &[], Seen::Pass);
        hand.rounds(14, &[RESULTS], Seen::Fail);
        hand.rounds(12, &[], Seen::Pass);
        assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
        hand.ticket_raised(1);
        (0..9).for_each(|_| desk_takes_notes(&mut hand));
        let all = notes(&hand);
        let (.., last) = all.last().expect("the desk hears that it is over");
        assert!(last.text.starts_with("Over: "), "{}", last.text);
        assert_eq!(last.with == With::Resolve, wants);
        let resolve = all.iter().filter(|(.., note)| note.with == With::Resolve).count();
        assert_eq!(resolve, usize::from(wants), "once");
    }
}

/// `results` matters little at first, so that its ticket is of a lower priority.
fn of_little_weight() -> Hand {
    let mut configuration = configuration();
    for api in configuration.apis.values_mut() {
        Arc::make_mut(api).service_level = ServiceLevel::Standard;
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    hand
}

#[test]
fn a_raised_priority_that_the_desk_does_not_take_is_said_though_the_ticket_looks_as_before() {
    for takes in [false, true] {
        let mut hand = of_little_weight();
        let before = hand.incident(1).priority;
        assert!(before > Priority::P1, "{before}");
        let as_before = SeenTicket { priority: Some(before), ..in_state(TicketState::New) };
        reads(&mut hand, as_before.clone());
        let set = domain::Command::Prioritise {
            incident: domain::IncidentId(1),
            by: "ann".into(),
            why: "patients wait".into(),
            priority: Priority::P1,
        };
        hand.tell(domain::Message::Command(set)).expect("set");
        // The ticket is read once more before the note arrives: that says nothing yet.
        reads(&mut hand, as_before.clone());
        (0..9).for_each(|_| desk_takes_notes(&mut hand));
        assert!(notes(&hand).iter().any(|(.., note)| note.with == With::Priority(Priority::P1)));
        let differs = |hand: &Hand| {
            let lines = hand.incident(1).timeline.clone();
            lines.iter().filter(|line| line.text.contains("the desk's priority differs")).count()
        };
        assert_eq!(differs(&hand), 0);
        let priority = Some(if takes { Priority::P1 } else { before });
        (0..3).for_each(|_| reads(&mut hand, SeenTicket { priority, ..as_before.clone() }));
        assert_eq!(differs(&hand), usize::from(!takes), "said once, if it is so");
    }
}

#[test]
fn what_says_that_it_is_over_and_does_not_arrive_goes_by_another_quiet_way() {
    let mut hand = raised();
    hand.receipt(1, "callout/1/text", domain::Sent::Delivered);
    hand.rounds(12, &[], Seen::Pass);
    let stood_down = |hand: &Hand| -> Vec<String> {
        hand.told().into_iter().filter(|name| name.starts_with("stand-down/")).collect()
    };
    assert_eq!(stood_down(&hand), ["stand-down/one/text"]);
    hand.receipt(1, "stand-down/one/text", domain::Sent::GivenUp { why: "no such number".into() });
    assert_eq!(stood_down(&hand), ["stand-down/one/text", "stand-down/one/email"]);
    hand.receipt(1, "stand-down/one/email", domain::Sent::GivenUp { why: "no such mailbox".into() });
    assert_eq!(stood_down(&hand).len(), 2, "and then by none");
}

/// The same desk by another name.
fn renamed() -> (domain::Configuration, domain::DeskId) {
    let mut renamed = configuration();
    let known = renamed.desks.pop_first().expect("a desk").1;
    let other = domain::DeskId::parse("other").expect("an id");
    renamed.desks.insert(other.clone(), known);
    renamed.environments.values_mut().for_each(|policy| policy.service_desk = Some(other.clone()));
    (renamed, other)
}

#[test]
fn an_incident_whose_desk_is_not_there_any_more_is_asked_for_at_the_desk_of_now() {
    for is_raised in [true, false] {
        let mut hand = Hand::new(configuration());
        hand.rounds(2, &[], Seen::Pass);
        hand.rounds(14, &[RESULTS], Seen::Fail);
        if is_raised {
            hand.ticket_raised(1);
        }
        let (renamed, other) = renamed();
        hand.event(&domain::Event::Configured(Arc::new(renamed)));
        hand.rounds(2, &[RESULTS], Seen::Fail);
        let incident = hand.incident(1);
        assert!(
            matches!(&incident.ticket, domain::Ticket::Asked { desk, .. } if *desk == other),
            "{:?}",
            incident.ticket
        );
        assert_eq!(hand.told().iter().filter(|name| *name == "ticket/2").count(), 1);
        assert!(
            incident.timeline.iter().any(|line| line.text.contains("is not in the configuration any more"))
        );
    }
}

#[test]
fn while_there_is_no_other_desk_the_ticket_is_kept_and_for_what_works_no_other_is_asked_for() {
    let mut hand = raised();
    let mut without = configuration();
    without.desks.clear();
    without.environments.values_mut().for_each(|policy| policy.service_desk = None);
    hand.event(&domain::Event::Configured(Arc::new(without)));
    assert!(hand.incident(1).earlier_tickets.is_empty(), "it may come back");
    hand.event(&domain::Event::Configured(Arc::new(configuration())));
    hand.rounds(2, &[RESULTS], Seen::Fail);
    assert_eq!(hand.told().iter().filter(|name| name.starts_with("ticket/2")).count(), 0);

    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    let (renamed, _) = renamed();
    hand.event(&domain::Event::Configured(Arc::new(renamed)));
    hand.rounds(1, &[], Seen::Pass);
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket/2").count(), 0, "it works");
    hand.rounds(4, &[RESULTS], Seen::Fail);
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket/2").count(), 1, "and now it does not");
}
