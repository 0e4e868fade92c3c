//! Somebody who was called cannot, or nobody heard the call: who is called then, and what they are told of it.

use crate::estate::{Hand, Seen, configuration, secs};
use domain::{
    Answer, Configuration, Environment, IncidentStatus, Message, PassedOn, PersonId, Sent, Step, Target, Way,
};
use std::collections::BTreeSet;

const RESULTS: (&str, Environment) = ("results", Environment::Production);
/// Rounds, of ten seconds each.
const A_MINUTE: usize = 6;

struct Night(Hand);

impl Night {
    fn new(change: impl FnOnce(&mut Configuration)) -> Self {
        let mut configuration = configuration();
        change(&mut configuration);
        let mut hand = Hand::new(configuration);
        hand.rounds(2, &[], Seen::Pass);
        hand.rounds(14, &[RESULTS], Seen::Fail);
        Self(hand)
    }

    fn fails(&mut self, minutes: usize) {
        self.0.rounds(minutes * A_MINUTE, &[RESULTS], Seen::Fail);
    }

    fn works(&mut self) {
        self.0.rounds(2, &[], Seen::Pass);
        assert_eq!(self.0.incident(1).status, IncidentStatus::Recovering);
    }

    fn fails_again(&mut self) {
        self.0.rounds(3, &[RESULTS], Seen::Fail);
    }

    fn called(&self) -> Vec<String> {
        let running = self.0.incident(1).escalation.clone().expect("calling");
        running.callouts.iter().map(|callout| callout.person.to_string()).collect()
    }

    /// What the newest call is answered with, and what they hear.
    fn says(&mut self, answer: Answer) -> (String, PassedOn) {
        let running = self.0.incident(1).escalation.clone().expect("calling");
        let callout = running.callouts.last().expect("a call").clone();
        let what = Message::Answer { reference: callout.reference, answer, by: None };
        let said = self.0.tell(what).expect("taken");
        (said, self.0.incident(1).passed_on(Some(callout.number)))
    }

    fn waiting(&self) -> Vec<String> {
        self.0.told().into_iter().filter(|name| name.starts_with("callout/")).collect()
    }
}

fn escalation(configuration: &mut Configuration) -> &mut domain::Escalation {
    configuration.escalations.values_mut().next().expect("one")
}

#[test]
fn whoever_has_it_and_cannot_go_on_while_it_works_is_not_taken_to_have_it_when_it_fails_again() {
    let mut night = Night::new(|_| ());
    night.says(Answer::Mine);
    night.works();
    let (said, then) = night.says(Answer::CallNext);
    assert!(said.contains("nobody is called unless it fails again"), "{said}");
    assert_eq!(then, PassedOn::IfItFails);
    assert_eq!(night.0.incident(1).status, IncidentStatus::Recovering);
    assert_eq!(night.called(), ["one"], "nobody is called for what works");
    night.fails_again();
    assert_eq!(night.0.incident(1).status, IncidentStatus::Open);
    assert_eq!(night.called(), ["one", "two"], "at once");
}

#[test]
fn whoever_cannot_while_it_works_is_followed_at_once_when_it_fails_again() {
    let mut night = Night::new(|_| ());
    night.works();
    night.says(Answer::CallNext);
    night.fails_again();
    assert_eq!(night.called(), ["one", "two"]);
}

#[test]
fn when_all_of_the_last_resort_cannot_the_rounds_begin_again_at_once() {
    let mut night = Night::new(|configuration| escalation(configuration).repeat = 1);
    night.fails(12);
    assert_eq!(night.called(), ["one", "two", "boss"]);
    let (said, then) = night.says(Answer::CallNext);
    assert_eq!((said.as_str(), then), ("the next person is called now", PassedOn::Called));
    assert_eq!(night.called(), ["one", "two", "boss", "one"]);
    night.fails(6);
    assert_eq!(night.called(), ["one", "two", "boss", "one", "two"], "and they go on");
}

#[test]
fn where_there_is_nobody_else_whoever_cannot_hears_when_they_are_called_again() {
    let mut night = Night::new(|configuration| {
        let boss = Target::Person(PersonId::parse("boss").expect("an id"));
        let escalation = escalation(configuration);
        escalation.repeat = 1;
        escalation.steps = vec![Step { call: boss, by: Vec::new(), after: secs(0) }];
    });
    night.fails(6);
    assert_eq!(night.called(), ["boss", "boss"], "by the step, and as the last resort");
    let (said, then) = night.says(Answer::CallNext);
    assert!(said.starts_with("there is nobody else to call: you are called again at "), "{said}");
    let PassedOn::Again(at) = then else { panic!("{then:?}") };
    assert_eq!(night.called().len(), 2, "not at once: they have just said no");
    while night.0.now <= at {
        night.0.rounds(1, &[RESULTS], Seen::Fail);
    }
    assert_eq!(night.called().len(), 3, "and then they are");
}

#[test]
fn next_and_next_again_are_two_people() {
    let mut night = Night::new(|configuration| {
        let (rota, known) = configuration.rotas.iter_mut().next().expect("a rota");
        let rota = rota.clone();
        known.layers.iter_mut().for_each(|layer| layer.people.push(PersonId::parse("boss").expect("an id")));
        let next = |after| Step { call: Target::Next(rota.clone()), by: Vec::new(), after: secs(after) };
        let on_call = Step { call: Target::OnCall(rota.clone()), by: Vec::new(), after: secs(0) };
        escalation(configuration).steps = vec![on_call, next(60), next(120)];
    });
    night.fails(3);
    let round: BTreeSet<String> = night.called().into_iter().take(3).collect();
    assert_eq!(round.len(), 3, "{round:?}");
}

#[test]
fn a_call_that_nobody_took_up_goes_by_their_next_way_and_not_to_the_next_person_yet() {
    let mut night = Night::new(|configuration| {
        escalation(configuration).steps.iter_mut().for_each(|step| step.by = vec![Way::Voice]);
        configuration.people.values_mut().for_each(|person| person.ways = vec![Way::Voice, Way::Text]);
    });
    assert_eq!(night.waiting(), ["callout/1/voice"]);
    night.0.receipt(1, "callout/1/voice", Sent::GivenUp { why: "nobody took the call up".into() });
    night.0.rounds(2, &[RESULTS], Seen::Fail);
    assert_eq!(night.waiting(), ["callout/1/voice", "callout/1/text"]);
    night.0.receipt(1, "callout/1/text", Sent::GivenUp { why: "no such number".into() });
    night.0.rounds(2, &[RESULTS], Seen::Fail);
    assert_eq!(night.called(), ["one", "two"], "there is no other way to the first");
}

#[test]
fn whoever_does_not_answer_while_it_comes_and_goes_is_followed_by_the_next() {
    let mut night = Night::new(|_| ());
    for _ in 0..8 {
        night.works();
        for way in ["text", "email"] {
            let why = "nobody took the call up".to_owned();
            night.0.receipt(1, &format!("callout/1/{way}"), Sent::GivenUp { why });
        }
        night.fails_again();
    }
    assert_eq!(
        night.called().get(..2),
        Some(&["one".to_owned(), "two".to_owned()][..]),
        "{:?}",
        night.called()
    );
}

#[test]
fn the_last_resort_begins_the_rounds_anew_once_in_a_quarter_of_an_hour_however_often_they_say_no() {
    let mut night = Night::new(|configuration| escalation(configuration).repeat = 1);
    night.fails(12);
    night.says(Answer::CallNext);
    // One, two, and the boss again: all say no at once.
    for _ in 0..3 {
        night.says(Answer::CallNext);
        night.fails(1);
    }
    let called = night.called();
    night.fails(3);
    assert_eq!(night.called(), called, "nobody is rung in circles");
}

#[test]
fn where_the_only_one_of_the_rota_is_the_last_resort_too_they_are_not_rung_at_once() {
    let mut night = Night::new(|configuration| {
        let boss = PersonId::parse("boss").expect("an id");
        let rotas = configuration.rotas.values_mut();
        rotas.for_each(|rota| rota.layers.iter_mut().for_each(|layer| layer.people = vec![boss.clone()]));
        escalation(configuration).repeat = 1;
    });
    night.fails(14);
    let before = night.called().len();
    let (_, then) = night.says(Answer::CallNext);
    assert!(matches!(then, PassedOn::Again(_)), "{then:?}");
    assert_eq!(night.called().len(), before);
}

#[test]
fn a_rota_that_is_gone_is_nobody_to_call_and_no_gap() {
    let mut night = Night::new(|_| ());
    let mut without = configuration();
    without.rotas.clear();
    night.0.restart_with(10, without);
    night.fails(6);
    let incident = night.0.incident(1);
    assert!(incident.timeline.iter().any(|line| line.text.contains("there is no rota")), "{incident:#?}");
    assert_eq!(night.0.open().len(), 1, "nobody is told that nobody is on call: {:#?}", night.0.open());
}

#[test]
fn whoever_has_it_may_hand_it_over_though_their_name_is_written_in_another_way_now() {
    let mut night = Night::new(|_| ());
    night.says(Answer::Mine);
    let mut renamed = configuration();
    renamed.people.values_mut().for_each(|person| person.name = format!("{} Rees-Evans", person.name));
    night.0.restart_with(10, renamed);
    night.fails(1);
    night.says(Answer::CallNext);
    assert_eq!(night.called().last().map(String::as_str), Some("two"));
}

#[test]
fn the_bare_link_is_that_of_a_text() {
    let mut night = Night::new(|configuration| {
        escalation(configuration).steps.iter_mut().for_each(|step| step.by.clear());
        configuration.people.values_mut().for_each(|person| person.ways = vec![Way::Voice, Way::Text]);
    });
    night.says(Answer::Mine);
    let proved: Vec<Way> = night.0.situation.proofs.keys().map(|(_, way)| *way).collect();
    assert_eq!(proved, [Way::Text]);
}

/// The last resort has it.
fn held_by_the_boss(change: impl FnOnce(&mut Configuration)) -> Night {
    let mut night = Night::new(|configuration| {
        escalation(configuration).repeat = 1;
        change(configuration);
    });
    night.fails(14);
    assert_eq!(night.called().last().map(String::as_str), Some("boss"));
    night.says(Answer::Mine);
    night.fails(1);
    night
}

#[test]
fn the_last_resort_that_has_it_and_hands_it_over_is_not_rung_at_once() {
    let mut night = held_by_the_boss(|_| ());
    let before = night.called().len();
    night.says(Answer::CallNext);
    assert_eq!(night.called().get(before..), Some(&["one".to_owned()][..]), "the rounds begin anew");

    let mut night = held_by_the_boss(|configuration| {
        let boss = Target::Person(PersonId::parse("boss").expect("an id"));
        escalation(configuration).steps = vec![Step { call: boss, by: Vec::new(), after: secs(0) }];
    });
    let before = night.called().len();
    let (said, then) = night.says(Answer::CallNext);
    assert!(said.starts_with("there is nobody else to call"), "{said}");
    assert!(matches!(then, PassedOn::Again(_)), "{then:?}");
    assert_eq!(night.called().len(), before);
    night.fails(16);
    assert_eq!(night.called().len(), before + 1, "and called again in time");
}

#[test]
fn a_rota_of_others_who_are_not_on_call_is_nobody_else() {
    let mut night = Night::new(|configuration| {
        let escalation = escalation(configuration);
        escalation.repeat = 1;
        escalation.steps.truncate(1);
        escalation.last_resort = vec![PersonId::parse("one").expect("an id")];
    });
    night.fails(8);
    let before = night.called();
    assert_eq!(before.last().map(String::as_str), Some("one"), "as the last resort: {before:?}");
    let (_, then) = night.says(Answer::CallNext);
    assert!(matches!(then, PassedOn::Again(_)), "two is never called by these steps: {then:?}");
    assert_eq!(night.called(), before);
}

#[test]
fn of_what_is_no_major_incident_nobody_is_promised_a_call() {
    let mut night = Night::new(|_| ());
    let off = domain::Command::NotMajor {
        incident: domain::IncidentId(1),
        by: "ann".into(),
        why: "a drill".into(),
    };
    night.0.tell(Message::Command(off)).expect("called off");
    night.works();
    let running = night.0.incident(1).escalation.clone().expect("calling");
    let reference = running.callouts.last().expect("a call").reference.clone();
    let said = night.0.tell(Message::Answer { reference, answer: Answer::CallNext, by: None });
    assert!(said.clone().is_err_and(|said| said.contains("is no major incident")), "{said:?}");
}
