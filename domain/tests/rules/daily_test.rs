//! Every day a machine is called by the way of a real callout; when that does not arrive, it is an incident ahead of time.

use crate::estate::*;
use domain::{
    Answer, Cause, Configuration, DailyTest, Message, Person, PersonId, Priority, Sent, Ticket, Way,
};
use jiff::{SignedDuration, civil::time};

/// A Saturday, in summer time until that night.
const MORNING: &str = "2026-10-24T09:59:30Z";
const SUNDAY: &str = "2026-10-25T11:00:00Z";

fn tested() -> Configuration {
    let mut configuration = configuration();
    let robot = PersonId::parse("robot").expect("an id");
    let ways = vec![Way::Text, Way::Email];
    let person = Person { name: "Robot".into(), language: domain::Language::En, ways, in_turn: false };
    configuration.people.insert(robot.clone(), person);
    configuration.daily_test = Some(DailyTest { call: robot, at: time(11, 0, 0, 0) });
    configuration
}

fn before() -> Hand {
    let mut hand = Hand::new(tested());
    hand.now = MORNING.parse().expect("a time");
    hand.rounds(1, &[], Seen::Pass);
    hand
}

impl Hand {
    fn minutes(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
        self.rounds(2, &[], Seen::Pass);
    }

    fn taken(&mut self, number: u64, ways: &[&str]) {
        for way in ways {
            self.receipt(number, &format!("callout/1/{way}"), Sent::Accepted { provider_id: "id".into() });
        }
    }

    fn delivered(&mut self, number: u64) {
        self.receipt(number, "callout/1/text", Sent::Delivered);
    }

    fn ahead(&self) -> Vec<(String, Priority)> {
        let ahead = self.open().into_iter().filter(|incident| matches!(incident.cause, Cause::Ahead(_)));
        ahead.map(|incident| (incident.cause.to_string(), incident.priority)).collect()
    }
}

#[test]
fn once_a_day_at_that_time_by_the_clock_on_the_wall_and_nobody_else_hears_of_it() {
    let mut hand = before();
    assert_eq!(hand.told(), [] as [&str; 0]);
    hand.rounds(6, &[], Seen::Pass);
    assert_eq!(hand.told(), ["callout/1/text", "callout/1/email"]);
    hand.taken(1, &["text", "email"]);
    hand.delivered(1);
    hand.restart(60);
    hand.minutes(20);
    assert!(!hand.incident(1).is_open() && hand.ahead().is_empty());
    hand.now = SUNDAY.parse().expect("a time");
    hand.now -= SignedDuration::from_secs(30);
    hand.rounds(1, &[], Seen::Pass);
    assert_eq!(hand.told().len(), 2);
    hand.rounds(3, &[], Seen::Pass);
    assert_eq!(hand.told().len(), 4, "the next day");
    let hops = hand.situation.last_daily_test().expect("one");
    assert_eq!((hops.decided, hops.accepted), (SignedDuration::ZERO, None), "of the newest");
}

#[test]
fn its_seconds_are_known_from_hop_to_hop() {
    let mut hand = before();
    hand.rounds(3, &[], Seen::Pass);
    hand.taken(1, &["text"]);
    hand.delivered(1);
    assert_eq!(hand.situation.last_daily_test().expect("one").accepted, None, "by one way alone");
    hand.now += SignedDuration::from_secs(5);
    hand.taken(1, &["email"]);
    let running = hand.incident(1).escalation.clone().expect("called");
    let reference = running.callouts.first().expect("called").reference.clone();
    hand.now += SignedDuration::from_secs(2);
    hand.tell(Message::Answer { reference, answer: Answer::Mine, by: None }).expect("taken");
    let opened = hand.incident(1).opened_at;
    let hops = hand.situation.last_daily_test().expect("one");
    assert_eq!(hops.answered, Some(hand.now.duration_since(opened)));
    assert_eq!(hops.accepted, Some(hand.now.duration_since(opened) - SignedDuration::from_secs(2)));
}

#[test]
fn what_does_not_arrive_is_an_incident_until_one_does() {
    let mut hand = before();
    hand.rounds(3, &[], Seen::Pass);
    hand.taken(1, &["text"]);
    hand.minutes(13);
    assert_eq!(hand.ahead(), [], "there is still time");
    hand.minutes(2);
    assert_eq!(hand.ahead(), [("ahead:daily_test".to_owned(), Priority::P4)]);
    let incident = hand.open().pop().expect("it");
    assert!(incident.diagnosis.en.contains("the next is on 25 October 2026"), "{}", incident.diagnosis.en);
    assert!(incident.major.is_none() && incident.escalation.is_none(), "nobody is called for it");
    hand.restart(60);
    hand.minutes(60);
    assert_eq!(hand.ahead().len(), 1);
    hand.now = SUNDAY.parse().expect("a time");
    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.ahead().len(), 1, "the next is on its way");
    hand.taken(3, &["email", "text"]);
    hand.minutes(1);
    assert_eq!(hand.ahead().len(), 1, "that a carrier took it brought it to no telephone");
    hand.delivered(3);
    hand.minutes(16);
    assert_eq!(hand.ahead(), []);
    assert_eq!(hand.incident(1).ticket, Ticket::None, "the test itself has none");
}

#[test]
fn a_carrier_that_took_it_late_ends_nothing_until_it_says_that_it_arrived() {
    let mut hand = before();
    hand.rounds(3, &[], Seen::Pass);
    hand.taken(1, &["email"]);
    hand.minutes(16);
    assert_eq!(hand.ahead().len(), 1);
    hand.taken(1, &["text"]);
    hand.rounds(1, &[], Seen::Pass);
    assert_eq!(hand.ahead().len(), 1, "too late for anybody to be called by it");
    hand.delivered(1);
    hand.rounds(1, &[], Seen::Pass);
    assert_eq!(hand.ahead(), []);
    assert!(hand.told().iter().all(|name| !name.starts_with("stand-down")));
}

#[test]
fn a_mail_server_that_took_it_late_shows_nothing() {
    let mut hand = before();
    hand.rounds(3, &[], Seen::Pass);
    hand.taken(1, &["text"]);
    hand.delivered(1);
    hand.minutes(16);
    hand.taken(1, &["email"]);
    hand.rounds(1, &[], Seen::Pass);
    assert_eq!(hand.ahead().len(), 1);
}
