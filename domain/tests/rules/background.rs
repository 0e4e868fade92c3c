//! What a ticket says of what went before: planned work there, and incidents like it.

use crate::estate::{Hand, Seen, configuration};
use domain::{ApiId, Command, Environment, Message, Text};
use jiff::SignedDuration;

const RESULTS: (&str, Environment) = ("results", Environment::Production);

fn plans(hand: &mut Hand, api: &str, from: i64, minutes: i64, why: &str) {
    let planned = Command::Maintain {
        by: "ann".into(),
        why: Text::new(why, format!("{why} (cy)")),
        from: hand.now + SignedDuration::from_mins(from),
        until: hand.now + SignedDuration::from_mins(from + minutes),
        environment: Environment::Production,
        api: Some(ApiId::parse(api).expect("an id")),
    };
    hand.tell(Message::Command(planned)).expect("planned");
}

#[test]
fn a_ticket_names_planned_work_of_the_last_day_there_and_incidents_like_it() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(20, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    assert!(hand.incident(1).background.is_empty(), "{:?}", hand.incident(1).background);
    hand.rounds(12, &[], Seen::Pass);
    plans(&mut hand, "results", 0, 5, "New disks");
    plans(&mut hand, "documents", 0, 5, "Another API");
    plans(&mut hand, "results", 600, 5, "Later");
    hand.rounds(6 * 60 * 3, &[], Seen::Pass);
    hand.rounds(20, &[RESULTS], Seen::Fail);
    let background = &hand.incident(2).background;
    let [work, like] = background.as_slice() else { panic!("two lines: {background:?}") };
    assert!(work.starts_with("Planned work of ann, from 02:05:") && work.ends_with(": New disks"), "{work}");
    assert!(
        like.starts_with("Like it: C-1, INC0010001, over 3 h ") && like.contains("ago, lasted 3 min"),
        "{like}"
    );
}
