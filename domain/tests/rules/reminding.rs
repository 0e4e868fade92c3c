//! Whoever goes on duty hears of it before, once, and by answering proves that they are reached.

use crate::estate::*;
use domain::{
    Answer, Change, Channel, Command, Configuration, Incident, IncidentStatus, Message, Notification,
    PersonId, RotaId, Way,
};
use jiff::{Timestamp, civil::time};

/// The clocks go back on the Sunday: one is on call until Monday 26 October at 09:00 GMT, then two.
const SATURDAY: &str = "2026-10-24T12:00:00Z";

fn reminding() -> Configuration {
    let mut configuration = configuration();
    configuration.rotas.values_mut().next().expect("a rota").remind = Some(time(17, 0, 0, 0));
    configuration
}

fn on(day: &str) -> Hand {
    let mut hand = Hand::new(reminding());
    hand.until(day);
    hand.rounds(2, &[], Seen::Pass);
    hand
}

impl Hand {
    fn until(&mut self, at: &str) {
        self.now = at.parse().expect("a time");
        self.rounds(1, &[], Seen::Pass);
    }

    /// Who was reminded, how, and until when that may be sent.
    fn reminded(&self) -> Vec<(Channel, Timestamp)> {
        let told = |change: &Change| {
            let Change::Notify(Notification { channel, expires_at, .. }) = change else { return None };
            Some((channel.clone(), *expires_at))
        };
        self.changes.iter().filter_map(told).collect()
    }

    fn swap(&mut self, person: &str, from: &str, until: &str) {
        self.tell(Message::Command(Command::Override {
            by: "ann".into(),
            rota: RotaId::parse("platform").expect("an id"),
            person: id(person),
            instead_of: None,
            from: at(from),
            until: at(until),
            why: None,
        }))
        .expect("added");
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn id(person: &str) -> PersonId {
    PersonId::parse(person).expect("an id")
}

fn text(person: &str) -> Channel {
    Channel::Text(id(person))
}

#[test]
fn one_quiet_word_on_the_day_before_at_that_time_by_the_clock_on_the_wall() {
    let mut hand = on(SATURDAY);
    hand.until("2026-10-25T16:59:30Z");
    assert_eq!(hand.reminded(), []);
    hand.rounds(6, &[], Seen::Pass);
    let begins = at("2026-10-26T09:00:00Z");
    assert_eq!(hand.reminded(), [(text("two"), begins)], "never after it began");
    hand.rounds(60, &[], Seen::Pass);
    hand.restart(30);
    hand.until("2026-10-25T23:00:00Z");
    assert_eq!(hand.reminded().len(), 1, "once, whoever starts again");
    let incident = hand.incident(1);
    assert!(incident.is_test() && incident.is_open() && incident.posts.is_empty());
    assert!(incident.diagnosis.en.contains("on the rota platform from 09:00 GMT on 26 October"));
    assert!(incident.diagnosis.cy.contains("o 09:00 GMT ar 26 Hydref"));
    hand.until("2026-10-26T09:00:00Z");
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved, "it has begun");
    assert_eq!(hand.reminded().len(), 1);
}

#[test]
fn an_answer_proves_that_they_are_reached() {
    let mut hand = on(SATURDAY);
    hand.until("2026-10-25T17:00:00Z");
    let running = hand.incident(1).escalation.clone().expect("told");
    let reference = running.callouts.first().expect("told").reference.clone();
    hand.tell(Message::Answer { reference, answer: Answer::Mine, by: None }).expect("taken");
    assert!(hand.situation.proofs.contains_key(&(id("two"), Way::Text)));
    hand.rounds(60, &[], Seen::Pass);
    hand.until("2026-10-26T08:00:00Z");
    assert_eq!(hand.reminded().len(), 1, "and is not asked again");
}

#[test]
fn whoever_stands_in_is_told_and_whoever_they_stand_in_for_is_not() {
    let mut hand = on(SATURDAY);
    hand.swap("boss", "2026-10-26T09:00:00Z", "2026-11-02T09:00:00Z");
    hand.until("2026-10-25T17:00:00Z");
    hand.rounds(6, &[], Seen::Pass);
    assert_eq!(hand.reminded(), [(text("boss"), at("2026-10-26T09:00:00Z"))]);
}

#[test]
fn a_swap_made_later_tells_who_stands_in_at_once_and_what_was_not_sent_is_not_sent() {
    let mut hand = on(SATURDAY);
    hand.until("2026-10-25T17:00:00Z");
    hand.until("2026-10-25T20:00:00Z");
    hand.swap("boss", "2026-10-26T09:00:00Z", "2026-11-02T09:00:00Z");
    let begins = at("2026-10-26T09:00:00Z");
    assert_eq!(hand.reminded(), [(text("two"), begins), (text("boss"), begins)]);
    let withdrawn = hand.key(1, "callout/1/text");
    assert!(hand.changes.contains(&Change::Withdraw(withdrawn)));
    assert!(!hand.incident(1).is_open(), "and an answer to it is proof all the same");
    // Called off again: two hears no second time of the same shift.
    hand.tell(Message::Command(Command::EndOverride { number: 1, by: "ann".into() })).expect("ended");
    hand.rounds(6, &[], Seen::Pass);
    assert_eq!(hand.reminded().len(), 2);
}

#[test]
fn whoever_is_on_call_already_knows() {
    let mut hand = on(SATURDAY);
    // Boss takes over for two hours: one, who is on call before and after, is not told of the rest of their shift.
    hand.swap("boss", "2026-10-25T13:00:00Z", "2026-10-25T15:00:00Z");
    hand.until("2026-10-24T17:00:00Z");
    hand.until("2026-10-25T14:00:00Z");
    assert_eq!(hand.reminded(), [(text("boss"), at("2026-10-25T13:00:00Z"))]);
}

#[test]
fn a_program_that_was_away_tells_what_is_still_to_come_and_nothing_that_has_begun() {
    let mut late = on(SATURDAY);
    late.now = at("2026-10-26T08:50:00Z");
    late.restart(1);
    late.rounds(1, &[], Seen::Pass);
    assert_eq!(late.reminded(), [(text("two"), at("2026-10-26T09:00:00Z"))]);
    let mut too_late = on(SATURDAY);
    too_late.now = at("2026-10-26T09:00:00Z");
    too_late.restart(0);
    too_late.rounds(3, &[], Seen::Pass);
    assert_eq!(too_late.reminded(), []);
}

#[test]
fn a_person_without_a_telephone_hears_by_e_mail_and_a_rota_that_says_no_time_tells_nobody() {
    let mut configuration = reminding();
    configuration.people.get_mut(&id("two")).expect("a person").ways = vec![Way::Email];
    let mut hand = Hand::new(configuration);
    hand.until("2026-10-25T17:00:00Z");
    assert_eq!(hand.reminded(), [(Channel::Email(id("two")), at("2026-10-26T09:00:00Z"))]);
    let mut configuration = reminding();
    configuration.people.get_mut(&id("two")).expect("a person").ways = vec![Way::Voice, Way::Text];
    let mut rung = Hand::new(configuration);
    rung.until("2026-10-25T17:00:00Z");
    assert_eq!(rung.reminded(), [(text("two"), at("2026-10-26T09:00:00Z"))], "nobody is rung up for it");
    let mut silent = Hand::new(crate::estate::configuration());
    silent.until("2026-10-25T17:00:00Z");
    assert_eq!(silent.reminded(), []);
    let open: Vec<Incident> = silent.open().iter().map(|incident| (**incident).clone()).collect();
    assert_eq!(open, []);
}
