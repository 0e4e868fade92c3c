//! What nobody could hear is nobody's failure: stops, freezes, a database that takes nothing. And silence is noticed all the
//! same.

use crate::{
    estate::Hand,
    heartbeats::{at, beat, every, hand, heard, listen, message, nightly, status, with},
};
use domain::*;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

#[test]
fn a_stop_while_nothing_was_to_come_excuses_nothing() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 100);
    hand.restart(60);
    listen(&mut hand, 520);
    assert_eq!(status(&hand), Status::MajorOutage, "it survived the restart that it is awaited");
}

#[test]
fn a_call_that_nobody_could_hear_makes_nobody_fail() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 590);
    // Even a stop of a few seconds: it may have called just then.
    hand.restart(15);
    assert!(listen(&mut hand, 70).is_empty());
    assert_eq!(status(&hand), Status::Unknown);
    let said = message(&hand);
    assert!(said.starts_with("not heard since 02:00:10 GMT; but nobody listened until 02:10:1"), "{said}");
    // In vain a second time: now it is silent.
    let made = listen(&mut hand, 620);
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(status(&hand), Status::MajorOutage);
}

#[test]
fn a_call_that_could_not_be_kept_makes_nobody_fail() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 600);
    hand.wait(2);
    heard(&mut hand, false);
    assert!(listen(&mut hand, 100).is_empty());
    assert_eq!(status(&hand), Status::Unknown);
}

#[test]
fn while_the_inbox_cannot_be_read_silence_is_not_judged() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 600);
    for _ in 0..100 {
        hand.wait(2);
    }
    assert_ne!(status(&hand), Status::MajorOutage);
    assert!(listen(&mut hand, 100).is_empty(), "it may have called meanwhile");
    assert_eq!(status(&hand), Status::Unknown);
}

#[test]
fn what_waited_in_the_inbox_over_a_crash_was_heard_when_it_came() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 600);
    let told = Told { at: hand.now, what: Message::Beat { check: nightly(), beat: Beat::Ended } };
    hand.restart(300);
    let decision = hand.event(&Event::Told(told.clone()));
    assert_eq!(decision.made[0].0.at, told.at);
    assert!(listen(&mut hand, 300).is_empty());
    assert_eq!(status(&hand), Status::Operational);
}

#[test]
fn a_clock_that_was_ahead_makes_nobody_fail() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    hand.now += SignedDuration::from_hours(5);
    listen(&mut hand, 10);
    beat(&mut hand, Beat::Ended).expect("taken");
    hand.now -= SignedDuration::from_hours(5);
    hand.wait(1);
    for _ in 0..3 {
        assert!(listen(&mut hand, 600).is_empty());
        beat(&mut hand, Beat::Ended).expect("taken");
    }
    assert_eq!(status(&hand), Status::Operational);
}

#[test]
fn a_job_by_the_clock_is_excused_only_for_the_time_in_which_it_was_to_come() {
    let mut hand = Hand::new(with(at("30 1 * * *", "Europe/London")));
    hand.now = "2026-11-20T01:35:00Z".parse().expect("a time");
    heard(&mut hand, true);
    beat(&mut hand, Beat::Ended).expect("taken");
    hand.restart(86_400 - 600);
    let mut made = Vec::new();
    while hand.now < "2026-11-21T02:00:10Z".parse::<Timestamp>().expect("a time") {
        hand.now += SignedDuration::from_secs(10);
        made.extend(heard(&mut hand, true).made);
    }
    assert_eq!(made.len(), 1, "we were there from 01:25 on");
}

/// How nobody could hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deaf {
    Stopped,
    Frozen,
    Refusing,
}

/// Nobody hears from second `from` for so many.
type Break = (i64, i64, Deaf);

fn breaks() -> impl Strategy<Value = Vec<Break>> {
    let deaf = prop_oneof![Just(Deaf::Stopped), Just(Deaf::Frozen), Just(Deaf::Refusing)];
    prop::collection::vec((0..7_200_i64, 1..900_i64, deaf), 0..6)
}

/// A job ends every `period` seconds, until second `until`; when silence was noted.
fn run(period: i64, until: i64, end: i64, breaks: &[Break]) -> Vec<i64> {
    let mut hand = Hand::new(with(every(300, 60)));
    let start = hand.now;
    let (mut next, mut noted, mut stopped) = (0, Vec::new(), false);
    for second in 0..end {
        hand.now = start + SignedDuration::from_secs(second);
        let deaf = breaks.iter().filter(|(from, lasts, deaf)| {
            // A short freeze only makes whoever calls wait.
            let lasts = if *deaf == Deaf::Frozen { lasts + 40 } else { *lasts };
            *from <= second && second < from + lasts
        });
        // The worse of two at a time.
        let deaf = deaf.map(|(.., deaf)| *deaf).min();
        let calls = second == next && second <= until;
        if second == next {
            next += period;
        }
        match deaf {
            Some(Deaf::Stopped) => stopped = true,
            Some(Deaf::Frozen) => {}
            Some(Deaf::Refusing) | None => {
                if std::mem::take(&mut stopped) {
                    hand.restart(0);
                }
                if calls && deaf.is_none() {
                    beat(&mut hand, Beat::Ended).expect("taken");
                }
                if second % 2 == 0 || calls {
                    let made = heard(&mut hand, !(calls && deaf.is_some())).made;
                    noted.extend(made.iter().map(|(seen, _)| (seen.at - start).get_seconds()));
                }
            }
        }
        hand.events.clear();
        hand.changes.clear();
    }
    noted
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever we miss: a job that calls as agreed is never said to be silent.
    #[test]
    fn our_own_absence_is_never_a_false_alarm(period in 20..=360_i64, breaks in breaks()) {
        prop_assert_eq!(run(period, i64::MAX, 9_000, &breaks), Vec::<i64>::new());
    }

    /// However often we were away before: a job that stops is noticed, after two of its intervals at the latest.
    #[test]
    fn silence_is_noticed(period in 20..=360_i64, until in 7_300..8_000_i64, breaks in breaks()) {
        let breaks: Vec<Break> =
            breaks.into_iter().filter(|(from, lasts, _)| from + lasts + 40 < until - 370).collect();
        let noted = run(period, until, until + 760, &breaks);
        prop_assert!(noted.first().is_some_and(|at| *at >= until - 360), "{:?}", noted);
    }
}
