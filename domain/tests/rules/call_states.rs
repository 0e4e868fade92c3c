//! The table of docs/calls.md, lived through line by line.

use crate::estate::{Hand, Seen, configuration};
use domain::{Answer, Environment, IncidentStatus, Message};

const RESULTS: (&str, Environment) = ("results", Environment::Production);
/// Rounds, of ten seconds each.
const A_MINUTE: usize = 6;
const TABLE: &str = include_str!("../../../docs/calls.md");

struct Night(Hand);

impl Night {
    /// Somebody was called, and `it` is how the table says.
    fn of(it: &str) -> Self {
        let mut hand = Hand::new(configuration());
        hand.rounds(2, &[], Seen::Pass);
        hand.rounds(14, &[RESULTS], Seen::Fail);
        let mut night = Self(hand);
        match it {
            "open" => {}
            "acknowledged" => night.answers(Answer::Mine),
            "recovering" => night.works(2),
            "acknowledged, recovering" => {
                night.answers(Answer::Mine);
                night.works(2);
            }
            "acknowledged, recovering, handed over" => {
                night = Self::of("acknowledged, recovering");
                night.answers(Answer::CallNext);
            }
            "the last resort called" => night.fails(30 * A_MINUTE),
            "the last resort has it" => {
                night.fails(30 * A_MINUTE);
                night.answers(Answer::Mine);
            }
            "resolved" => night.works(10 * A_MINUTE),
            other => assert_eq!(other, "a state of the table"),
        }
        night
    }

    fn happens(&mut self, what: &str) {
        match what {
            "nobody answers" => self.fails(1),
            "somebody takes it" => self.answers(Answer::Mine),
            "somebody cannot" | "they hand it over" => self.answers(Answer::CallNext),
            "it works again" => self.works(2),
            "it stays well" => self.works(10 * A_MINUTE),
            "it fails again" | "it fails again soon" => self.fails(4),
            "nothing is heard" => self.fails(46 * A_MINUTE),
            other => assert_eq!(other, "what can happen"),
        }
    }

    fn answers(&mut self, answer: Answer) {
        let running = self.0.incident(1).escalation.clone().expect("calling");
        let reference = running.callouts.last().expect("a call").reference.clone();
        self.0.tell(Message::Answer { reference, answer, by: None }).expect("taken");
    }

    fn fails(&mut self, rounds: usize) {
        self.0.rounds(rounds, &[RESULTS], Seen::Fail);
    }

    fn works(&mut self, rounds: usize) {
        self.0.rounds(rounds, &[], Seen::Pass);
    }

    fn called(&self) -> Vec<String> {
        let running = self.0.incident(1).escalation.clone().expect("calling");
        running.callouts.iter().map(|callout| callout.person.to_string()).collect()
    }

    /// Who is called from now on, within six minutes of whatever the APIs do.
    fn then_called(&mut self, before: usize) -> Vec<String> {
        match self.0.incident(1).status {
            IncidentStatus::Open | IncidentStatus::Acknowledged => self.fails(6 * A_MINUTE),
            IncidentStatus::Recovering | IncidentStatus::Resolved => self.works(6 * A_MINUTE),
        }
        self.called().into_iter().skip(before).collect()
    }
}

fn lines() -> Vec<[&'static str; 4]> {
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let rows = TABLE.lines().filter(|line| line.starts_with('|')).skip(2).map(cells);
    rows.map(|cells| cells.try_into().expect("four cells")).collect()
}

#[test]
fn each_line_of_the_table_is_so() {
    assert!(lines().len() >= 16, "the table is there");
    for [it, then, becomes, calls] in lines() {
        let mut night = Night::of(it);
        let before = night.called().len();
        night.happens(then);
        let line = format!("{it}, {then}");
        assert_eq!(night.0.incident(1).status.word(), becomes, "{line}");
        let at_once = night.called().len() > before;
        let called = night.then_called(before);
        match calls {
            "go on" => assert!(!at_once && called == ["two"], "{line}: {called:?}"),
            "begin anew at once" => {
                assert!(at_once && called.first().is_some_and(|who| who == "one"), "{line}: {called:?}");
            }
            "go on at once" | "resume at the same step at once" => {
                assert!(at_once && called.first().is_some_and(|who| who == "two"), "{line}: {called:?}");
            }
            "resume at the same step" => {
                assert_eq!(called.first().map(String::as_str), Some("two"), "{line}");
            }
            "ask again, then resume at the same step" => assert_eq!(called, ["one", "two"], "{line}"),
            "pause" | "stop" => {
                assert!(called.is_empty(), "{line}: {called:?}");
                // What is paused goes on when it fails again, and what is stopped does not.
                if becomes == "recovering" {
                    let mut night = Night::of(it);
                    night.happens(then);
                    night.fails(4 + 6 * A_MINUTE);
                    let called = night.called().split_off(before);
                    assert_eq!(called.is_empty(), calls == "stop", "{line}, and it fails again: {called:?}");
                }
            }
            "begin anew" => assert_eq!(called.first().map(String::as_str), Some("one"), "{line}"),
            other => assert_eq!(other, "what calls do"),
        }
    }
}
