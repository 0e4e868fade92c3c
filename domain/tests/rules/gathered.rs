//! A timeline only grows, and stays short.

use crate::estate::{Hand, Seen, configuration};
use domain::{Answer, Change, Command, Environment, Incident, IncidentId, Message, Often, Sent, Way};
use jiff::SignedDuration;
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);

/// Whatever was written of each incident, whenever it was changed, is there as it was written.
fn only_grows(changes: &[Change]) -> Result<(), String> {
    let mut last: BTreeMap<IncidentId, Arc<Incident>> = BTreeMap::new();
    for change in changes {
        let Change::Incident(incident) = change else { continue };
        if let Some(before) = last.insert(incident.id, Arc::clone(incident))
            && !incident.timeline.starts_with(&before.timeline)
        {
            return Err(format!(
                "{} had {:#?}, and has {:#?}",
                incident.id, before.timeline, incident.timeline
            ));
        }
    }
    Ok(())
}

fn called() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(15, &[RESULTS], Seen::Fail);
    hand
}

fn answers(hand: &mut Hand, called: usize, answer: Answer) {
    let callouts = hand.incident(1).escalation.clone().expect("calling").callouts;
    let Some(reference) = callouts.get(called).map(|callout| callout.reference.clone()) else { return };
    hand.tell(Message::Answer { reference, answer, by: None }).ok();
}

#[test]
fn who_presses_a_thousand_times_is_one_line_and_another_with_the_number() {
    let mut hand = called();
    hand.rounds(30, &[RESULTS], Seen::Fail);
    hand.tell(Message::Command(Command::Acknowledge { incident: IncidentId(1), by: "Ann".into() }))
        .expect("hers");
    let before = hand.incident(1).timeline.len();
    for _ in 0..1_000 {
        answers(&mut hand, 0, Answer::Mine);
    }
    let incident = hand.incident(1);
    assert_eq!(incident.timeline.len(), before + 1);
    let being = incident.being_gathered();
    assert!(being[0].text.starts_with("since then 999 more late answers: One, "), "{}", being[0].text);
    hand.rounds(7, &[RESULTS], Seen::Fail);
    let incident = hand.incident(1);
    let written: Vec<&str> = incident.timeline[before..].iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(written[0], "One answered late");
    assert!(written[1].starts_with("999 more late answers: ") && written[1].ends_with(" … and 989 others"));
    assert_eq!((written.len(), incident.being_gathered().len()), (2, 0));
    only_grows(&hand.changes).expect("it only grows");
}

#[test]
fn what_comes_and_goes_for_days_has_a_timeline_that_can_be_read() {
    let mut hand = called();
    for _ in 0..400 {
        hand.rounds(4, &[], Seen::Pass);
        hand.rounds(4, &[RESULTS], Seen::Fail);
    }
    let incident = hand.incident(1);
    assert!(incident.flaps.unstable.is_some());
    let lines: Vec<&str> = incident.timeline.iter().map(|entry| entry.text.as_str()).collect();
    assert!(lines.len() < 230, "{}: {:#?}", lines.len(), &lines[lines.len() - 40..]);
    only_grows(&hand.changes).expect("it only grows");
}

#[derive(Debug, Clone, Copy)]
enum Does {
    Fails(usize),
    Works(usize),
    Answers(usize),
    Passes(usize),
    Acknowledges,
    Carrier(usize),
    Restarts,
    Jumps(i64),
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        4 => (1..30_usize).prop_map(Does::Fails),
        2 => (1..10_usize).prop_map(Does::Works),
        2 => (0..4_usize).prop_map(Does::Answers),
        1 => (0..4_usize).prop_map(Does::Passes),
        1 => Just(Does::Acknowledges),
        2 => (0..4_usize).prop_map(Does::Carrier),
        1 => Just(Does::Restarts),
        1 => (60..7_200_i64).prop_map(Does::Jumps),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever happens, nothing that was written is changed or taken away, and nothing waits longer than its while.
    #[test]
    fn what_is_written_stays(all in prop::collection::vec(does(), 1..25)) {
        let mut hand = called();
        for one in all {
            match one {
                Does::Fails(rounds) => hand.rounds(rounds, &[RESULTS, ("documents", PRODUCTION)], Seen::Fail),
                Does::Works(rounds) => hand.rounds(rounds, &[], Seen::Pass),
                Does::Answers(which) => answers(&mut hand, which, Answer::Mine),
                Does::Passes(which) => answers(&mut hand, which, Answer::CallNext),
                Does::Acknowledges => {
                    let by = "Ann".to_owned();
                    hand.tell(Message::Command(Command::Acknowledge { incident: IncidentId(1), by })).ok();
                }
                Does::Carrier(which) => {
                    let calls = hand.incident(1).escalation.clone().map_or_else(Vec::new, |running| running.callouts);
                    if let Some(callout) = calls.get(which).filter(|callout| callout.ways.contains(&Way::Text)) {
                        let name = format!("callout/{}/text", callout.number);
                        hand.receipt(1, &name, Sent::Unclear { why: "a time-out".into() });
                    }
                }
                Does::Restarts => hand.restart(20),
                Does::Jumps(seconds) => {
                    hand.now += SignedDuration::from_secs(seconds);
                    hand.wait(1);
                }
            }
            for incident in hand.situation.incidents.values().filter(|incident| incident.is_open()) {
                for gathering in &incident.gathered {
                    prop_assert!(gathering.until > gathering.since);
                    prop_assert!(gathering.count >= gathering.names.len());
                }
            }
            // Of what is over only people and carriers say something, which is shown as it is.
            let over = hand.situation.incidents.values().filter(|incident| !incident.is_open());
            let mut left = over.flat_map(|incident| &incident.gathered);
            let may = |often| matches!(often, Often::Late | Often::Unclear | Often::Carrier);
            prop_assert!(left.all(|gathering| may(gathering.often) || gathering.count == 0));
        }
        prop_assert_eq!(only_grows(&hand.changes), Ok(()));
    }
}
