//! A clock that is set by minutes, both ways, while the rules look: nothing is invented, nothing is missed.

use crate::estate::{Hand, Seen, configuration};
use domain::{Cause, Change, Environment, IncidentStatus, Status};
use proptest::prelude::*;
use std::collections::BTreeSet;

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);

/// Rounds of ten seconds; before some of them somebody sets the clock.
fn jumps() -> impl Strategy<Value = Vec<i64>> {
    let jump = prop_oneof![8 => Just(0_i64), 1 => 2..1_800_i64, 1 => -1_800..-2_i64];
    prop::collection::vec(jump, 40..70)
}

fn set(hand: &mut Hand, jump: i64) {
    // The rules look once a second: between two looks a clock is set once at most.
    hand.wait(jump);
}

fn well() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(3, &[], Seen::Pass);
    hand
}

fn keys_are_unique(hand: &Hand) -> Result<(), TestCaseError> {
    let mut keys = BTreeSet::new();
    for change in &hand.changes {
        if let Change::Notify(notification) = change {
            prop_assert!(keys.insert(notification.key.clone()), "{} twice", notification.key);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// APIs that work have no incident, whatever the clock does; and are known to work one round later.
    #[test]
    fn no_false_incident(jumps in jumps()) {
        let mut hand = well();
        for jump in jumps {
            set(&mut hand, jump);
            hand.rounds(1, &[], Seen::Pass);
            prop_assert!(hand.open().is_empty(), "{:?}", hand.open());
            for health in hand.situation.healths.values() {
                prop_assert_eq!(health.status, Status::Operational);
            }
        }
        prop_assert!(hand.told().is_empty(), "{:?}", hand.told());
    }

    /// An API that fails is never shown to work, has one incident, and calls somebody in time: the hold, a round, and the
    /// first look after each stretch in which nobody looked.
    #[test]
    fn no_false_green_and_no_missed_callout(jumps in jumps()) {
        let mut hand = well();
        hand.rounds(2, &[RESULTS], Seen::Fail);
        prop_assert_eq!(hand.open().len(), 1);
        let (mut waited, mut looked) = (0, 0);
        for jump in jumps {
            set(&mut hand, jump);
            hand.rounds(1, &[RESULTS], Seen::Fail);
            waited += 10;
            looked = if jump > 45 { 0 } else { looked + 10 };
            prop_assert_ne!(hand.status("results", PRODUCTION), Status::Operational);
            prop_assert_eq!(hand.situation.next_incident, 2, "one incident");
            prop_assert_ne!(hand.incident(1).status, IncidentStatus::Resolved);
            if waited > 150 && looked > 70 {
                let told = hand.told();
                prop_assert!(told.contains(&"callout/1/text".to_owned()), "after {waited} s: {told:?}");
            }
        }
        keys_are_unique(&hand)?;
    }

    /// Trouble that is over is over, and is called over in time.
    #[test]
    fn what_is_over_is_called_over(jumps in jumps()) {
        let mut hand = well();
        hand.rounds(20, &[RESULTS], Seen::Fail);
        let mut waited = 0;
        for jump in jumps {
            set(&mut hand, jump);
            hand.rounds(1, &[], Seen::Pass);
            waited += 10;
            if waited > 180 {
                prop_assert_eq!(hand.status("results", PRODUCTION), Status::Operational);
            }
        }
        prop_assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
        prop_assert_eq!(hand.situation.next_incident, 2);
        keys_are_unique(&hand)?;
    }

    /// While nothing can be seen there is one incident about that, in its time, and none about an API.
    #[test]
    fn one_cannot_see(jumps in jumps()) {
        let all = [("identity", PRODUCTION), RESULTS, ("documents", PRODUCTION)];
        let mut hand = well();
        for jump in jumps {
            set(&mut hand, jump);
            hand.rounds(1, &all, Seen::Ours);
            let open = hand.open();
            prop_assert!(open.len() < 2 && open.iter().all(|one| matches!(one.cause, Cause::Blind(_))), "{open:?}");
        }
        hand.rounds(25, &all, Seen::Ours);
        prop_assert_eq!(hand.open().len(), 1, "told of at the latest when the clock has been left alone for so long");
        prop_assert_eq!(hand.situation.next_incident, 2);
        keys_are_unique(&hand)?;
    }
}

#[test]
fn a_jump_forward_is_time_in_which_nobody_looked() {
    let mut hand = well();
    let before = hand.now;
    set(&mut hand, 900);
    hand.rounds(1, &[], Seen::Pass);
    let unknown: Vec<_> = hand
        .changes
        .iter()
        .filter_map(|change| {
            let Change::Status(change) = change else { return None };
            (change.health.status == Status::Unknown).then_some(change.health.since)
        })
        .filter(|since| *since > before)
        .collect();
    assert!(!unknown.is_empty(), "a quarter of an hour was not measured");
    assert_eq!(hand.status("results", PRODUCTION), Status::Operational);
}

#[test]
fn what_recovers_after_the_clock_was_set_back_is_over_in_its_time() {
    let mut hand = well();
    hand.rounds(20, &[RESULTS], Seen::Fail);
    for jump in [-1_007, -531] {
        set(&mut hand, jump);
        hand.rounds(1, &[], Seen::Pass);
    }
    hand.rounds(8, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
}

/// Called and over, and called again.
fn again() -> Hand {
    let mut hand = well();
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.rounds(30, &[], Seen::Pass);
    hand.rounds(20, &[RESULTS], Seen::Fail);
    assert!(hand.incident(1).escalation.as_ref().is_some_and(|running| running.callouts.len() > 1));
    hand
}

#[test]
fn calls_of_another_time_stay_of_that_time_when_the_clock_is_corrected() {
    let mut hand = again();
    set(&mut hand, -3);
    hand.wait(1);
    let running = hand.incident(1).escalation.clone().expect("calling");
    let earlier = running.callouts.iter().filter(|callout| callout.at < running.started_at).count();
    assert_eq!(earlier, 1, "{:#?}", running.callouts);
}

#[test]
fn what_a_clock_left_behind_is_set_right_once_however_often_the_program_starts() {
    let mut hand = again();
    let ahead = hand.situation.latest.clone();
    hand.restart(-3_600);
    let opened_at = hand.incident(1).opened_at;
    for _ in 0..3 {
        // The database has them as they were recorded.
        hand.situation.latest = ahead.clone();
        hand.restart(300);
        assert_eq!(hand.incident(1).opened_at, opened_at);
    }
}
