//! A test call reaches one person, and nobody else hears of it.

use crate::estate::*;
use domain::{Answer, Command, ContactProof, IncidentStatus, Message, NamedAs, PersonId, Reached, Sent, Way};
use jiff::SignedDuration;

fn one() -> PersonId {
    PersonId::parse("one").expect("an id")
}

impl Hand {
    fn test(&mut self, person: &str) -> Result<String, String> {
        let person = PersonId::parse(person).expect("an id");
        self.tell(Message::Command(Command::TestCall { by: "ann".into(), person }))
    }

    fn answers(&mut self, by: Option<Way>) -> Result<String, String> {
        let running = self.incident(1).escalation.clone().expect("calling");
        let reference = running.callouts.first().expect("a call").reference.clone();
        self.tell(Message::Answer { reference, answer: Answer::Mine, by })
    }
}

fn well() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand
}

#[test]
fn one_person_is_called_and_the_desk_the_team_and_the_next_are_not() {
    let mut hand = well();
    hand.test("one").expect("called");
    hand.rounds(120, &[], Seen::Pass);
    assert_eq!(hand.told(), ["callout/1/text", "callout/1/email"]);
    assert!(hand.incident(1).posts.is_empty() && hand.incident(1).is_test());
}

#[test]
fn an_answer_is_proof_of_the_way_it_came_by_and_ends_the_test() {
    let mut hand = well();
    hand.test("one").expect("called");
    hand.answers(Some(Way::Email)).expect("taken");
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert_eq!(hand.situation.proofs.get(&(one(), Way::Email)), Some(&hand.now));
    assert_eq!(hand.situation.proofs.get(&(one(), Way::Text)), None);
    hand.restart(30);
    assert!(hand.situation.proofs.contains_key(&(one(), Way::Email)));
    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.told(), ["callout/1/text", "callout/1/email"], "nobody is told that it is over");
}

#[test]
fn an_answer_proves_for_a_while_that_somebody_is_reached_and_the_newest_counts() {
    let hand = well();
    let day = |days: i64| SignedDuration::from_hours(24 * days);
    let within = day(92).unsigned_abs();
    let proof = |way, days| ContactProof { person: one(), way, at: hand.now - day(days) };
    let reached = |proofs: &[ContactProof]| Reached::of(proofs, &one(), within, hand.now);
    assert_eq!(reached(&[]), Reached::Never);
    assert_eq!(reached(&[proof(Way::Text, 93)]), Reached::LongAgo(hand.now - day(93)));
    assert_eq!(reached(&[proof(Way::Text, 93), proof(Way::Email, 92)]), Reached::Lately(hand.now - day(92)));
    assert_eq!(reached(&[proof(Way::Text, -1)]), Reached::Lately(hand.now + day(1)), "by another's clock");
    let other = PersonId::parse("two").expect("an id");
    assert_eq!(Reached::of(&[proof(Way::Text, 1)], &other, within, hand.now), Reached::Never);
}

#[test]
fn whoever_is_on_call_within_a_fortnight_has_to_be_reached_and_who_stands_in_too() {
    let hand = Hand::new(configuration());
    let soon = |hand: &Hand| {
        let people = hand.situation.configuration.soon_on_call(hand.now);
        people.keys().map(|person| person.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(soon(&hand), ["one", "two"]);
    let mut swapped = configuration();
    let rota = swapped.rotas.values_mut().next().expect("a rota");
    let boss = PersonId::parse("boss").expect("an id");
    let (from, to) = (hand.now, hand.now + SignedDuration::from_hours(24 * 15));
    rota.overrides.push(domain::Override { person: boss, from, to, added: None });
    assert_eq!(soon(&Hand::new(swapped)), ["boss"], "nobody else is on call so soon");
}

#[test]
fn whoever_is_named_in_an_escalation_has_to_be_reached_whoever_is_on_call() {
    let mut configuration = configuration();
    let escalation = configuration.escalations.values_mut().next().expect("an escalation");
    escalation.steps[0].call = domain::Target::Person(one());
    let (boss, id) = (PersonId::parse("boss").expect("an id"), escalation.id.clone());
    escalation.last_resort = vec![boss.clone()];
    let named = configuration.named_in_escalations();
    assert_eq!(named.get(&one()), Some(&[(NamedAs::Step, id.clone())].into()));
    assert_eq!(named.get(&boss), Some(&[(NamedAs::LastResort, id)].into()));
    assert_eq!(named.len(), 2, "whom a rota calls is not named");
}

#[test]
fn a_carrier_that_speaks_after_its_end_stands_nobody_down() {
    let mut hand = well();
    hand.test("one").expect("called");
    hand.now += SignedDuration::from_mins(61);
    hand.rounds(1, &[], Seen::Pass);
    assert!(!hand.incident(1).is_open());
    hand.receipt(1, "callout/1/text", domain::Sent::Accepted { provider_id: "a".into() });
    hand.receipt(1, "callout/1/email", domain::Sent::Delivered);
    assert_eq!(hand.told(), ["callout/1/text", "callout/1/email"], "there was nothing to do");
}

#[test]
fn one_at_a_time_and_after_an_hour_it_is_over_and_a_late_answer_is_proof_all_the_same() {
    let mut hand = well();
    hand.test("one").expect("called");
    assert!(hand.test("one").expect_err("once").contains("is called for a test already"));
    hand.test("two").expect("another may be called meanwhile");
    hand.now += SignedDuration::from_mins(61);
    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    hand.answers(None).expect("taken");
    assert!(
        hand.situation.proofs.contains_key(&(one(), Way::Text)),
        "the link of a text says nothing of its way"
    );
    hand.test("one").expect("again");
    assert!(hand.test("moon").is_err());
}

#[test]
fn who_is_called_because_something_is_wrong_is_not_told_that_nothing_is() {
    let mut hand = well();
    hand.rounds(14, &[("results", domain::Environment::Production)], Seen::Fail);
    let said = hand.test("one").expect_err("refused");
    assert!(said.contains("is called for C-1: no test while that goes on"), "{said}");
    hand.test("boss").expect("who is not called may be");
}

#[test]
fn what_was_asked_for_while_nothing_recorded_calls_nobody_hours_later() {
    let mut hand = well();
    let at = hand.now;
    hand.now += SignedDuration::from_hours(9);
    let person = one();
    let what = Message::Command(Command::TestCall { by: "ann".into(), person });
    let said = hand.tell_at(at, what).expect_err("refused");
    assert!(said.contains("nobody waits for it any more"), "{said}");
    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.told(), [""; 0]);
}

#[test]
fn a_way_that_was_given_up_is_proved_by_no_answer() {
    let mut hand = well();
    hand.test("one").expect("called");
    hand.receipt(1, "callout/1/text", Sent::GivenUp { why: "no such number".into() });
    hand.answers(None).expect("taken");
    let proved: Vec<Way> = hand.situation.proofs.keys().map(|(_, way)| *way).collect();
    assert_eq!(proved, [Way::Email]);
}

#[test]
fn a_proof_of_a_clock_that_was_ahead_gives_way_to_the_next_one() {
    let mut hand = well();
    hand.test("one").expect("called");
    hand.answers(Some(Way::Text)).expect("taken");
    hand.now -= SignedDuration::from_hours(24);
    hand.test("one").expect("again");
    let running = hand.incident(2).escalation.clone().expect("calling");
    let reference = running.callouts.first().expect("a call").reference.clone();
    hand.tell(Message::Answer { reference, answer: Answer::Mine, by: Some(Way::Text) }).expect("taken");
    assert_eq!(hand.situation.proofs.get(&(one(), Way::Text)), Some(&hand.now));
}

#[test]
fn a_test_that_arrives_after_its_end_stands_nobody_down() {
    let mut hand = well();
    hand.test("one").expect("called");
    hand.now += SignedDuration::from_mins(61);
    hand.rounds(2, &[], Seen::Pass);
    hand.receipt(1, "callout/1/email", Sent::Accepted { provider_id: "late".into() });
    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.told(), ["callout/1/text", "callout/1/email"]);
}

#[test]
fn a_real_call_that_is_answered_is_proof_too() {
    let mut hand = well();
    hand.rounds(14, &[("results", domain::Environment::Production)], Seen::Fail);
    hand.answers(None).expect("taken");
    assert_eq!(hand.situation.proofs.size(), 1);
}

#[test]
fn nobody_makes_more_of_a_test_than_it_is() {
    let mut hand = well();
    hand.test("one").expect("called");
    let id = hand.incident(1).id;
    let (by, why) = ("ann".to_owned(), "to see".to_owned());
    let declare = Command::Declare { incident: id, by: by.clone(), why };
    for command in [declare, Command::Acknowledge { incident: id, by }] {
        let said = hand.tell(Message::Command(command)).expect_err("refused");
        assert!(said.contains("is a test call: nothing is wrong"), "{said}");
    }
    hand.rounds(120, &[], Seen::Pass);
    assert_eq!(hand.told(), ["callout/1/text", "callout/1/email"], "nobody else is called");
}
