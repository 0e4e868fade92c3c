//! What a desk has agreed: how soon an incident is answered, how often it is heard of, and that the ticket says so in time.

use crate::estate::{Hand, Seen, configuration, secs};
use domain::{
    Awaited, Command, Environment, HoursId, IncidentId, Message, Phrases, Priority, SeenTicket,
    ServiceTarget, Text, TicketState, service_clocks,
};

const RESULTS: (&str, Environment) = ("results", Environment::Production);
const ID: IncidentId = IncidentId(1);

/// A P1 has a ticket; it is to be answered within 20 minutes, and heard of every hour.
fn raised(change: impl FnOnce(&mut ServiceTarget)) -> Hand {
    let mut configuration = configuration();
    let mut target = ServiceTarget { respond: Some(secs(20 * 60)), update: Some(secs(60 * 60)), hours: None };
    change(&mut target);
    for desk in configuration.desks.values_mut() {
        desk.targets.insert(Priority::P1, target.clone());
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    hand
}

/// The lines that speak of a time, and the minutes after the incident opened.
fn said(hand: &Hand, words: &str) -> Vec<(i64, String)> {
    let incident = hand.incident(1);
    let lines = incident.timeline.iter().filter(|entry| entry.text.contains(words));
    lines.map(|entry| (entry.at.duration_since(incident.opened_at).as_mins(), entry.text.clone())).collect()
}

fn minutes(said: &[(i64, String)]) -> Vec<i64> {
    said.iter().map(|(minute, _)| *minute).collect()
}

fn command(hand: &mut Hand, command: Command) {
    hand.tell(Message::Command(command)).expect("done");
}

#[test]
fn while_nobody_has_it_the_ticket_says_how_much_of_the_time_is_over() {
    let mut hand = raised(|_| ());
    hand.rounds(200, &[RESULTS], Seen::Fail);
    let said = said(&hand, "Nobody has taken it");
    assert_eq!(minutes(&said), [10, 15, 18, 20]);
    assert_eq!(
        said[0].1,
        "Nobody has taken it: 50 % of the time is over, it is due by 02:20:40 GMT (P1: 20 min)."
    );
    assert_eq!(said[3].1, "Nobody has taken it in time: it was due by 02:20:40 GMT (P1: 20 min).");
}

#[test]
fn whoever_takes_it_stops_that_time_and_an_update_begins_the_other_anew() {
    let mut hand = raised(|_| ());
    hand.rounds(70, &[RESULTS], Seen::Fail);
    command(&mut hand, Command::Acknowledge { incident: ID, by: "ann".into() });
    hand.rounds(200, &[RESULTS], Seen::Fail);
    assert_eq!(minutes(&said(&hand, "Nobody has taken it")), [10]);
    let taken = hand.incident(1).acknowledged.clone().expect("ann").at;
    let opened = hand.incident(1).opened_at;
    let from = taken.duration_since(opened).as_mins();
    assert_eq!(minutes(&said(&hand, "An update is due")), [from + 30], "it counts from what was said last");
    let words = Text::new("We restarted it.", "Rydym wedi ei ailgychwyn.");
    command(&mut hand, Command::Update { incident: ID, by: "ann".into(), phrases: Phrases::own(words) });
    let clocks = service_clocks(&hand.situation.configuration, &hand.incident(1), hand.now);
    let [clock] = clocks.as_slice() else { panic!("one: {clocks:?}") };
    assert_eq!((clock.awaited, clock.due.duration_since(hand.now).as_mins()), (Awaited::Update, 60));
    hand.rounds(370, &[RESULTS], Seen::Fail);
    assert_eq!(said(&hand, "An update is due").len(), 4, "50, 75 and 90 % of the next one");
    assert_eq!(said(&hand, "Nothing was said of it in time").len(), 1);
}

#[test]
fn an_agent_who_is_assigned_stops_the_time_of_what_is_no_major_incident() {
    let seen = SeenTicket {
        state: TicketState::InProgress,
        assigned_to: Some("Beth Anglin".into()),
        group: None,
        priority: Some(Priority::P1),
        parent: None,
    };
    for major in [true, false] {
        let mut hand = raised(|_| ());
        hand.tell(Message::Ticket { incident: ID, record: "abc".into(), seen: seen.clone() }).expect("read");
        let mut incident = (*hand.incident(1)).clone();
        incident.major = incident.major.filter(|_| major);
        let clocks = service_clocks(&hand.situation.configuration, &incident, hand.now);
        let waits = clocks.iter().any(|clock| clock.awaited == Awaited::Response);
        assert_eq!(waits, major);
    }
}

#[test]
fn no_time_runs_once_it_works_again_nor_in_hours_that_never_open() {
    let mut hand = raised(|_| ());
    hand.rounds(3, &[], Seen::Pass);
    assert!(service_clocks(&hand.situation.configuration, &hand.incident(1), hand.now).is_empty());
    let never = raised(|target| target.hours = Some(HoursId::parse("never").expect("an id")));
    assert!(service_clocks(&never.situation.configuration, &never.incident(1), never.now).is_empty());
}

/// What the ticket was told since `from`, and after how many minutes.
fn noted(hand: &Hand, from: jiff::Timestamp) -> Vec<(i64, String)> {
    let notes = crate::read_back::notes(hand).into_iter().map(|(.., note)| note);
    let since = notes.filter(|note| note.at >= from);
    since.map(|note| (note.at.duration_since(from).as_mins(), note.text)).collect()
}

#[test]
fn what_a_time_has_to_say_waits_a_quarter_of_an_hour_or_joins_the_note_before_that() {
    for sooner in [false, true] {
        let mut hand = raised(|target| target.update = Some(secs(20 * 60)));
        hand.rounds(1, &[RESULTS], Seen::Fail);
        crate::read_back::desk_takes_notes(&mut hand);
        command(&mut hand, Command::Acknowledge { incident: ID, by: "ann".into() });
        let taken = hand.now;
        for minute in 0..35 {
            if sooner && minute == 12 {
                let (by, why) = ("ann".to_owned(), "a drill".to_owned());
                let priority = hand.incident(1).priority;
                command(&mut hand, Command::Prioritise { incident: ID, by, why, priority });
            }
            hand.rounds(6, &[RESULTS], Seen::Fail);
            crate::read_back::desk_takes_notes(&mut hand);
        }
        assert_eq!(minutes(&said(&hand, "An update is due")).len(), 3, "the timeline says each in its time");
        let noted = noted(&hand, taken);
        let at: Vec<i64> = noted.iter().map(|(minute, _)| *minute).collect();
        if sooner {
            assert_eq!(at, [0, 12, 27], "{noted:?}");
            let (first, along) = noted[1].1.split_once('\n').expect("two lines");
            assert!(first.starts_with("ann keeps the priority at P1") && along.contains("50 %"), "{noted:?}");
        } else {
            assert_eq!(at, [0, 15, 30], "{noted:?}");
            assert!(noted[1].1.contains("75 %") && !noted[1].1.contains("50 %"), "{noted:?}");
        }
        assert!(noted[2].1.starts_with("Nothing was said of it in time"), "{noted:?}");
    }
}

#[test]
fn a_new_ticket_is_no_note_so_that_half_of_the_time_is_said_while_half_of_it_is_left() {
    let mut configuration = configuration();
    let target = ServiceTarget { respond: Some(secs(15 * 60)), update: None, hours: None };
    for desk in configuration.desks.values_mut() {
        desk.targets.insert(Priority::P1, target.clone());
    }
    // Nobody is called, of whom the ticket would hear.
    for policy in configuration.environments.values_mut() {
        policy.major = None;
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    let opened = hand.incident(1).opened_at;
    for _ in 0..20 * 6 {
        hand.rounds(1, &[RESULTS], Seen::Fail);
        crate::read_back::desk_takes_notes(&mut hand);
    }
    let noted = noted(&hand, opened);
    assert!(matches!(&noted[..], [(7, text)] if text.contains("50 % of the time is over")), "{noted:?}");
}

#[test]
fn what_is_no_longer_so_is_not_said_later() {
    let mut hand = raised(|target| target.update = None);
    // Half of the time is over; and somebody takes it before the ticket may hear of that.
    while said(&hand, "Nobody has taken it").is_empty() {
        hand.rounds(1, &[RESULTS], Seen::Fail);
        crate::read_back::desk_takes_notes(&mut hand);
    }
    command(&mut hand, Command::Acknowledge { incident: ID, by: "ann".into() });
    let taken = hand.now;
    hand.rounds(200, &[RESULTS], Seen::Fail);
    crate::read_back::desk_takes_notes(&mut hand);
    let noted = noted(&hand, taken);
    assert!(!noted.iter().any(|(_, text)| text.contains("Nobody has taken it")), "{noted:?}");
}

#[test]
fn what_was_taken_in_time_and_is_handed_over_was_responded_to() {
    let mut hand = raised(|_| ());
    let running = hand.incident(1).escalation.clone().expect("calling");
    let reference = running.callouts.first().expect("a call").reference.clone();
    let says = |answer| Message::Answer { reference: reference.clone(), answer, by: None };
    hand.tell(says(domain::Answer::Mine)).expect("taken");
    hand.rounds(180, &[RESULTS], Seen::Fail);
    hand.tell(says(domain::Answer::CallNext)).expect("handed over");
    hand.rounds(30, &[RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).status, domain::IncidentStatus::Open);
    assert_eq!(said(&hand, "Nobody has taken it"), [], "somebody had, within minutes");
}

#[test]
fn what_has_to_be_answered_anew_has_its_time_anew() {
    let mut hand = raised(|_| ());
    command(&mut hand, Command::NotMajor { incident: ID, by: "ann".into(), why: "a drill".into() });
    command(&mut hand, Command::Acknowledge { incident: ID, by: "ann".into() });
    command(&mut hand, Command::Declare { incident: ID, by: "ben".into(), why: "it is none".into() });
    assert_eq!(hand.incident(1).status, domain::IncidentStatus::Open, "it has to be answered anew");
    hand.rounds(130, &[RESULTS], Seen::Fail);
    assert!(!said(&hand, "Nobody has taken it").is_empty());
}

#[test]
fn a_time_that_was_kept_before_it_was_a_major_incident_is_not_said_to_have_run_out() {
    let mut hand = raised(|_| ());
    command(&mut hand, Command::NotMajor { incident: ID, by: "ann".into(), why: "a drill".into() });
    command(&mut hand, Command::Acknowledge { incident: ID, by: "ann".into() });
    hand.rounds(180, &[RESULTS], Seen::Fail);
    let declared = hand.now;
    command(&mut hand, Command::Declare { incident: ID, by: "ben".into(), why: "it is one".into() });
    hand.rounds(3, &[RESULTS], Seen::Fail);
    assert_eq!(
        said(&hand, "Nobody has taken it"),
        [],
        "it was taken in time, and is to be taken anew within 20 minutes"
    );
    let clocks = service_clocks(&hand.situation.configuration, &hand.incident(1), hand.now);
    let response = clocks.iter().find(|clock| clock.awaited == Awaited::Response).expect("one is owed");
    assert_eq!(response.due, declared + jiff::SignedDuration::from_mins(20));
}
