//! What holds whatever happens.

use crate::{
    estate::{Hand, Seen, configuration, outcome, start, track},
    tokens::with_tokens,
};
use domain::{Change, Environment, Event, IncidentStatus, Status, TrackId, Verdict, judge};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        4 => Just(Seen::Pass),
        1 => Just(Seen::Slow),
        3 => Just(Seen::Fail),
        1 => Just(Seen::Refused),
        1 => Just(Seen::Ours),
        2 => Just(Seen::NoToken),
    ]
}

fn tracks() -> Vec<TrackId> {
    let mut all = Vec::new();
    for api in ["identity", "results"] {
        for operation in ["ping", "status"] {
            all.push(track(api, Environment::Production, operation));
        }
    }
    all
}

/// (which track, what it sees, seconds since the last event)
fn stream() -> impl Strategy<Value = Vec<(usize, Seen, i64)>> {
    prop::collection::vec((0..4_usize, seen(), 1..15_i64), 1..120)
}

fn drive(stream: &[(usize, Seen, i64)]) -> Hand {
    let mut hand = Hand::new(with_tokens(configuration(), "https://id.example/token"));
    let tracks = tracks();
    for (which, seen, seconds) in stream {
        hand.wait(*seconds);
        hand.see(tracks.get(*which).expect("a track"), *seen);
    }
    hand
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No change of status without its threshold: fewer than two failures in a row of three change nothing.
    #[test]
    fn trouble_needs_its_threshold(passes in prop::collection::vec(2..5_usize, 1..20)) {
        let mut hand = Hand::new(configuration());
        let id = track("results", Environment::Production, "ping");
        hand.see(&id, Seen::Pass);
        for run in passes {
            hand.wait(10);
            hand.see(&id, Seen::Fail);
            for _ in 0..run {
                hand.wait(10);
                hand.see(&id, Seen::Pass);
            }
            prop_assert_eq!(hand.situation.tracks.get(&id).expect("a track").status, Status::Operational);
        }
    }

    /// Opening and resolving alternate for every cause, and no cause has two open incidents.
    #[test]
    fn one_open_incident_per_cause(stream in stream()) {
        let hand = drive(&stream);
        let mut open: BTreeMap<String, u64> = BTreeMap::new();
        let mut resolved = BTreeMap::new();
        for change in &hand.changes {
            if let Change::Incident(incident) = change {
                let cause = incident.cause.to_string();
                if incident.status == IncidentStatus::Resolved {
                    open.remove(&cause);
                    resolved.insert(incident.id, incident.flaps.epoch);
                } else {
                    let epoch = resolved.get(&incident.id);
                    prop_assert!(epoch.is_none_or(|epoch| *epoch < incident.flaps.epoch), "resolved stays resolved");
                    let holder = open.entry(cause).or_insert(incident.id.0);
                    prop_assert_eq!(*holder, incident.id.0);
                }
            }
        }
    }

    /// Statuses of an instance follow each other in time, and each differs from the one before.
    #[test]
    fn history_goes_forward(stream in stream()) {
        let hand = drive(&stream);
        let mut last: BTreeMap<String, (Timestamp, Status, Option<domain::Layer>)> = BTreeMap::new();
        for change in &hand.changes {
            if let Change::Status(change) = change {
                let health = &change.health;
                prop_assert!(health.since <= change.decided_at);
                let now = (health.since, health.status, health.layer);
                if let Some(before) = last.insert(health.instance.to_string(), now) {
                    prop_assert!(before.0 <= health.since, "{:?} then {:?}", before, now);
                    prop_assert!((before.1, before.2) != (now.1, now.2));
                }
            }
        }
    }

    /// The same stream, each outcome told twice and old ones told again at the end, changes nothing more.
    #[test]
    fn repeats_and_latecomers_change_nothing(stream in stream()) {
        let mut once = drive(&stream);
        let before = once.changes.len();
        let mut at = start();
        let all: Vec<Arc<domain::Outcome>> = stream
            .iter()
            .map(|(which, seen, seconds)| {
                at += SignedDuration::from_secs(*seconds);
                outcome(&tracks()[*which], at, *seen)
            })
            .collect();
        for outcome in all.into_iter().rev() {
            once.event(&Event::Outcome(outcome));
        }
        prop_assert_eq!(once.changes.len(), before);
    }

    /// Deciding is a function: the same situation, event and time give the same decision.
    #[test]
    fn deciding_twice_decides_the_same(stream in stream()) {
        let (a, b) = (drive(&stream), drive(&stream));
        prop_assert_eq!(a.changes, b.changes);
    }

    /// A production major incident that is neither answered nor over always has a next action (invariant 10).
    #[test]
    fn there_is_always_a_next_action(stream in stream()) {
        let mut hand = Hand::new(configuration());
        let tracks = tracks();
        for (which, seen, seconds) in stream {
            hand.wait(seconds);
            hand.see(&tracks[which], seen);
            for incident in hand.open() {
                if hand.situation.is_waiting_for_a_human(&incident) {
                    prop_assert!(domain::next_action(&hand.situation, &incident, hand.now).is_some());
                }
            }
        }
    }

    /// Time not measured is Unknown: after a minute of silence nothing is claimed of any instance that was measured.
    #[test]
    fn silence_is_unknown(stream in stream()) {
        let mut hand = drive(&stream);
        hand.wait(61);
        for health in hand.situation.healths.values() {
            prop_assert_eq!(health.status, Status::Unknown);
        }
    }

    /// Every notification has a key of its own.
    #[test]
    fn keys_are_unique(stream in stream()) {
        let hand = drive(&stream);
        let mut keys = std::collections::BTreeSet::new();
        for change in &hand.changes {
            if let Change::Notify(notification) = change {
                prop_assert!(keys.insert(notification.key.clone()), "{} twice", notification.key);
            }
        }
    }

    /// Trouble on our own side is never the API's failure (invariant 4).
    #[test]
    fn ours_is_never_a_failure(slow in 1..5_000_u64, which in prop_oneof![Just(Seen::Ours), Just(Seen::Refused)]) {
        let outcome = outcome(&tracks()[0], start(), which);
        prop_assert_eq!(judge(&outcome, Duration::from_millis(slow)), Verdict::Inconclusive);
    }
}
