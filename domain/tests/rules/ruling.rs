//! A human overrides the rules: with who and why, and it sticks.

use crate::estate::{Hand, Seen, configuration};
use domain::{
    Acknowledgement, Answer, Change, Command, Environment, IncidentId, Message, Note, NotificationKind,
    Priority, Sent, Way, With, next_action,
};
use proptest::prelude::*;

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);
const DOCUMENTS: (&str, Environment) = ("documents", PRODUCTION);
const ID: IncidentId = IncidentId(1);

fn priority(number: u8) -> Priority {
    Priority::new(number).expect("1 to 5")
}

fn set(hand: &mut Hand, number: u8) -> Result<String, String> {
    let set = Command::Prioritise {
        incident: ID,
        by: "Ann".into(),
        why: "a drill".into(),
        priority: priority(number),
    };
    hand.tell(Message::Command(set))
}

fn not_major(hand: &mut Hand, by: &str) -> Result<String, String> {
    hand.tell(Message::Command(Command::NotMajor { incident: ID, by: by.into(), why: "a drill".into() }))
}

fn declare(hand: &mut Hand) -> Result<String, String> {
    hand.tell(Message::Command(Command::Declare { incident: ID, by: "Ann".into(), why: "wards ring".into() }))
}

/// `results` fails, has a ticket, and one person was called and reached.
fn called() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(15, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    hand.receipt(1, "callout/1/text", Sent::Accepted { provider_id: "x".into() });
    hand
}

fn notes(hand: &Hand) -> Vec<Note> {
    let note = |change: &Change| {
        let Change::Notify(told) = change else { return None };
        let NotificationKind::TicketNote { note, .. } = &told.kind else { return None };
        Some(note.clone())
    };
    hand.changes.iter().filter_map(note).collect()
}

#[test]
fn a_priority_that_a_human_sets_is_in_the_ticket_and_no_rule_changes_it() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[DOCUMENTS], Seen::Fail);
    hand.ticket_raised(1);
    assert_eq!(hand.incident(1).priority, priority(2));
    assert_eq!(set(&mut hand, 4).expect("set"), "C-1 is P4, and no rule changes it any more");
    let note = notes(&hand).pop().expect("a work note");
    assert_eq!(note.text, "Priority set to P4 by Ann, P2 before: a drill. No rule changes it any more.");
    assert_eq!(note.with, With::Priority(priority(4)), "the ticket's own priority too");
    // It touches more, which by rule is P1.
    let identity = ("identity", PRODUCTION);
    hand.rounds(30, &[DOCUMENTS, RESULTS, identity], Seen::Fail);
    hand.restart(30);
    hand.rounds(10, &[DOCUMENTS, RESULTS, identity], Seen::Fail);
    let incident = hand.incident(1);
    assert_eq!(incident.priority, priority(4));
    let set = incident.rank.set.as_ref().expect("who");
    assert_eq!((set.by.as_str(), set.why.as_str()), ("Ann", "a drill"));
    assert!(incident.timeline.iter().any(|entry| entry.text == "P2 → P4, set by Ann: a drill"));
    assert!(incident.major.is_none());
}

#[test]
fn the_same_said_twice_is_said_once() {
    let mut hand = called();
    set(&mut hand, 3).expect("set");
    let (changes, timeline) = (hand.changes.len(), hand.incident(1).timeline.len());
    assert_eq!(set(&mut hand, 3).expect("no mistake"), "C-1 is P3 already");
    assert_eq!((hand.changes.len(), hand.incident(1).timeline.len()), (changes, timeline));
    not_major(&mut hand, "Ann").expect("taken back");
    let changes = hand.changes.len();
    assert_eq!(not_major(&mut hand, "Ann").expect("no mistake"), "C-1 is no major incident already");
    assert_eq!(hand.changes.len(), changes);
    assert!(not_major(&mut hand, "Ben").expect_err("hers").contains("says Ann since"));
}

#[test]
fn what_a_human_raises_to_a_major_ones_priority_calls_and_what_is_lowered_stays_major_until_that_is_said() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[DOCUMENTS], Seen::Fail);
    assert!(set(&mut hand, 1).expect("set").ends_with("any more, and now a major incident"));
    assert!(hand.incident(1).major.is_some());
    hand.rounds(14, &[DOCUMENTS], Seen::Fail);
    assert!(hand.told().contains(&"callout/1/text".to_owned()), "{:?}", hand.told());
    let said = set(&mut hand, 4).expect("set");
    assert!(said.contains("`curiad incident declare C-1 --not-major` takes that back"), "{said}");
    assert!(hand.incident(1).major.is_some());
}

#[test]
fn a_major_that_is_taken_back_calls_nobody_else_and_whoever_was_disturbed_hears_so() {
    let mut hand = called();
    assert!(hand.situation.is_waiting_for_a_human(&hand.incident(1)));
    let said = not_major(&mut hand, "Ann").expect("taken back");
    assert_eq!(said, "C-1 is no major incident, and no rule declares it one");
    let told = hand.told();
    assert!(told.ends_with(&["note/1".into(), "called-off/1/one/text".into()]), "{told:?}");
    let note = notes(&hand).pop().expect("a work note").text;
    assert_eq!(note, "Not a major incident, says Ann: a drill. On-call staff are no longer called.");
    let before = hand.told().len();
    hand.rounds(60, &[RESULTS], Seen::Fail);
    hand.restart(30);
    hand.rounds(60, &[RESULTS], Seen::Fail);
    assert!(!hand.told()[before..].iter().any(|name| name.starts_with("callout/")), "{:?}", hand.told());
    let incident = hand.incident(1);
    assert!(incident.major.is_none() && incident.is_open(), "it goes on as any other");
    assert_eq!(incident.priority, Priority::P1, "its priority is another matter");
    hand.rounds(12, &[], Seen::Pass);
    let stood_down = hand.told().iter().filter(|name| name.starts_with("stand-down/")).count();
    assert_eq!(stood_down, 0, "who has stood down is not told again");
}

#[test]
fn whoever_was_rung_up_hears_it_by_text() {
    let mut configuration = configuration();
    for person in configuration.people.values_mut() {
        person.ways = vec![Way::Voice, Way::Text];
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(15, &[RESULTS], Seen::Fail);
    hand.receipt(1, "callout/1/voice", Sent::Accepted { provider_id: "CA1".into() });
    // No carrier has taken the text, so that this way has told them nothing.
    not_major(&mut hand, "Ann").expect("taken back");
    assert!(hand.told().contains(&"called-off/1/one/text".to_owned()), "{:?}", hand.told());
    assert!(!hand.told().iter().any(|name| name.ends_with("one/voice")), "{:?}", hand.told());
}

#[test]
fn whoever_says_that_it_is_none_is_not_told_so() {
    let mut hand = called();
    hand.receipt(1, "callout/1/email", Sent::Accepted { provider_id: "y".into() });
    not_major(&mut hand, "One").expect("taken back by who was called");
    assert!(!hand.told().iter().any(|name| name.starts_with("called-off/")), "{:?}", hand.told());
}

#[test]
fn who_has_it_keeps_it_without_an_end_and_the_others_are_not_told_twice() {
    let mut hand = called();
    hand.rounds(30, &[RESULTS], Seen::Fail);
    hand.receipt(1, "callout/2/text", Sent::Accepted { provider_id: "z".into() });
    let callouts = hand.incident(1).escalation.clone().expect("calling").callouts;
    let reference = callouts[1].reference.clone();
    hand.tell(Message::Answer { reference, answer: Answer::Mine, by: None }).expect("two has it");
    assert!(hand.told().iter().any(|told| told.starts_with("taken/one/text/")));
    not_major(&mut hand, "Ann").expect("taken back");
    let off: Vec<String> = hand.told().into_iter().filter(|name| name.starts_with("called-off/")).collect();
    assert_eq!(off, ["called-off/2/two/text"]);
    let taken: Option<Acknowledgement> = hand.incident(1).acknowledged.clone();
    assert_eq!(taken.expect("two").until, None, "nobody is asked again for what is no major incident");
    hand.rounds(400, &[RESULTS], Seen::Fail);
    assert!(hand.incident(1).acknowledged.is_some());
}

#[test]
fn a_call_that_arrives_late_is_called_off_and_an_answer_that_passes_it_on_calls_nobody() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(15, &[RESULTS], Seen::Fail);
    not_major(&mut hand, "Ann").expect("taken back");
    assert!(!hand.told().iter().any(|name| name.starts_with("called-off/")), "nobody was reached");
    hand.receipt(1, "callout/1/text", Sent::Delivered);
    assert!(hand.told().contains(&"called-off/1/one/text".to_owned()), "{:?}", hand.told());
    let reference = hand.incident(1).escalation.clone().expect("calling").callouts[0].reference.clone();
    let refused = hand.tell(Message::Answer { reference, answer: Answer::CallNext, by: None });
    assert_eq!(refused.expect_err("nobody"), "C-1 is no major incident, says Ann: nobody is called");
}

#[test]
fn no_rule_declares_it_again_and_a_human_does() {
    let mut hand = called();
    not_major(&mut hand, "Ann").expect("taken back");
    set(&mut hand, 2).expect("set");
    set(&mut hand, 1).expect("and back");
    hand.rounds(3, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS], Seen::Fail);
    assert!(hand.incident(1).major.is_none());
    let calls = |hand: &Hand| hand.told().iter().filter(|name| name.starts_with("callout/")).count();
    let before = calls(&hand);
    declare(&mut hand).expect("declared");
    let incident = hand.incident(1);
    assert!(incident.not_major().is_none() && incident.major.is_some());
    assert!(calls(&hand) > before, "and people are called anew");
    hand.receipt(1, "callout/2/text", Sent::Delivered);
    not_major(&mut hand, "Ann").expect("taken back again");
    assert!(hand.told().contains(&"called-off/2/one/text".to_owned()), "{:?}", hand.told());
}

#[derive(Debug, Clone, Copy)]
enum Does {
    Sets(u8),
    TakesBack,
    Declares,
    Acknowledges,
    Fails(usize),
    Works(usize),
    Restarts,
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        2 => (1..6_u8).prop_map(Does::Sets),
        2 => Just(Does::TakesBack),
        1 => Just(Does::Declares),
        1 => Just(Does::Acknowledges),
        4 => (1..20_usize).prop_map(Does::Fails),
        1 => (1..12_usize).prop_map(Does::Works),
        1 => Just(Does::Restarts),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever comes after it: what a human set stays set, what they took back stays taken back, and nobody is called for it.
    #[test]
    fn what_a_human_said_holds_until_a_human_says_otherwise(all in prop::collection::vec(does(), 1..20)) {
        let mut hand = called();
        let (mut set_to, mut off) = (None, false);
        for one in all {
            let before = hand.told().iter().filter(|name| name.starts_with("callout/")).count();
            let was_off = off;
            match one {
                Does::Sets(number) => if set(&mut hand, number).is_ok() { set_to = Some(priority(number)) },
                Does::TakesBack => off |= not_major(&mut hand, "Ann").is_ok(),
                Does::Declares => if declare(&mut hand).is_ok() { off = false },
                Does::Acknowledges => {
                    hand.tell(Message::Command(Command::Acknowledge { incident: ID, by: "Ann".into() })).ok();
                }
                Does::Fails(rounds) => hand.rounds(rounds, &[RESULTS], Seen::Fail),
                Does::Works(rounds) => hand.rounds(rounds, &[], Seen::Pass),
                Does::Restarts => hand.restart(20),
            }
            let incident = hand.incident(1);
            if let Some(priority) = set_to {
                prop_assert_eq!(incident.priority, priority);
            }
            prop_assert_eq!(incident.not_major().is_some(), off);
            prop_assert!(!off || incident.major.is_none());
            if off && was_off && hand.situation.incidents.size() == 1 {
                let after = hand.told().iter().filter(|name| name.starts_with("callout/")).count();
                prop_assert_eq!(after, before, "nobody is called");
            }
            if hand.situation.is_waiting_for_a_human(&incident) {
                prop_assert!(next_action(&hand.situation, &incident, hand.now).is_some());
            }
        }
    }
}

#[test]
fn whoever_declares_one_hears_who_is_called() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(9, &[RESULTS], Seen::Fail);
    not_major(&mut hand, "Bob").expect("none");
    let said = declare(&mut hand).expect("declared");
    assert!(said.starts_with("C-1 is a major incident; ") && said.contains(" is called at "), "{said}");

    let sit = ("results", Environment::Sit);
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(20, &[sit], Seen::Fail);
    assert_eq!(declare(&mut hand).expect("declared"), "C-1 is a major incident; nobody is called out in sit");
}
