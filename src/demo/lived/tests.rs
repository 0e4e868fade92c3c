use super::*;
use crate::config::tests::minimal::Directory;
use domain::{Configuration, Outcome, ReferenceKey, Remembered, StatusChange, TrackId};
use simulator::Fault;
use std::time::Duration;

const DAYS: i64 = 21;

/// Two instances, with planned work in one of them.
fn configured() -> Arc<Configuration> {
    Arc::new(configuration(&Directory::new().load().unwrap().configuration))
}

fn blank(configuration: &Arc<Configuration>) -> Situation {
    let remembered = Remembered::nothing(ReferenceKey([7; 32]));
    Situation::new(Arc::clone(configuration), remembered)
}

fn range() -> Simulated {
    let from: Timestamp = "2026-10-12T00:00:00Z".parse().unwrap();
    Simulated { from, until: from + SignedDuration::from_hours(24 * DAYS), through: from }
}

fn lived(seed: u64) -> (Lived, Stretch) {
    lived_for(seed, DAYS)
}

fn lived_for(seed: u64, days: i64) -> (Lived, Stretch) {
    let configuration = configured();
    let mut lived = Lived::new(seed, blank(&configuration), range());
    for hour in 0..days * 24 {
        let from = range().from + SignedDuration::from_hours(hour);
        lived.hour(from, from + HOUR);
    }
    let stretch = lived.take();
    (lived, stretch)
}

fn plain(statuses: &[StatusChange]) -> Vec<String> {
    let mut lines: Vec<String> = statuses
        .iter()
        .map(|change| {
            let health = &change.health;
            format!("{} {} {} {}", health.instance, health.since, health.status, health.maintenance)
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// The same samples, every single one of them folded, and time looked at every ten seconds.
fn one_by_one(stretch: &Stretch) -> Vec<StatusChange> {
    let configuration = configured();
    let mut situation = blank(&configuration);
    let failures: BTreeMap<(TrackId, Timestamp), Arc<Outcome>> = stretch
        .failures
        .iter()
        .map(|(outcome, _)| ((track_of(outcome), outcome.at), Arc::clone(outcome)))
        .collect();
    let mut all: Vec<(Timestamp, Option<Arc<Outcome>>)> = Vec::new();
    for (track, samples) in &stretch.hours {
        for sample in samples {
            let pass = || {
                let outcome = Outcome::new(track.check.clone(), track.vantage.clone(), sample.at);
                Arc::new(Outcome { total: sample.total, ..outcome })
            };
            let outcome = failures.get(&(track.clone(), sample.at)).cloned().unwrap_or_else(pass);
            all.push((sample.at, Some(outcome)));
        }
    }
    let Simulated { from, until, .. } = range();
    let mut at = from;
    let away = Past::new(SEED, (from, until), jiff::tz::TimeZone::UTC, []).breaks().to_vec();
    while at < until {
        if !away.iter().any(|(off, on)| *off <= at && at < *on) {
            all.push((at, None));
        }
        at += LOOK;
    }
    all.extend(away.iter().map(|(_, on)| (*on, None)));
    all.sort_by_key(|(at, outcome)| (*at, outcome.is_some()));
    let mut statuses = Vec::new();
    for (at, outcome) in all {
        let decision = decide(&situation, &outcome.map_or(Event::Due, Event::Outcome), at);
        situation = decision.after;
        let changed = |change| if let Change::Status(change) = change { Some(change) } else { None };
        statuses.extend(decision.changes.into_iter().filter_map(changed));
    }
    statuses
}

fn track_of(outcome: &Outcome) -> TrackId {
    TrackId { check: outcome.check.clone(), vantage: outcome.vantage.clone() }
}

const SEED: u64 = 5;

#[test]
fn what_was_not_folded_would_have_changed_nothing() {
    let (_, stretch) = lived(SEED);
    let (told, expected) = (plain(&stretch.statuses), plain(&one_by_one(&stretch)));
    let lost: Vec<&String> = expected.iter().filter(|line| !told.contains(line)).collect();
    let more: Vec<&String> = told.iter().filter(|line| !expected.contains(line)).collect();
    assert!(lost.is_empty() && more.is_empty(), "lost {lost:#?}\nmore {more:#?}");
    for status in ["major_outage", "partial_outage", "degraded", "unknown", "operational true"] {
        assert!(told.iter().any(|line| line.contains(status)), "there is {status}: {told:#?}");
    }
}

#[test]
fn the_same_seed_is_lived_the_same_and_another_is_not() {
    let told = |seed| format!("{:?}", lived_for(seed, 2).1);
    assert_eq!(told(1), told(1));
    assert_ne!(told(1), told(2));
}

#[test]
fn incidents_fit_the_outages_and_are_over_at_the_end() {
    let (lived, stretch) = lived(SEED);
    assert!(lived.is_calm());
    assert!(stretch.incidents.len() > 3, "{}", stretch.incidents.len());
    for incident in &stretch.incidents {
        let (opened, resolved) = (incident.opened_at, incident.resolved_at.expect("it is over"));
        assert!(incident.started_at <= opened && opened < resolved && !incident.timeline.is_empty());
        let began = |change: &&StatusChange| {
            change.health.instance == incident.affects[0] && change.health.since == incident.started_at
        };
        assert!(stretch.statuses.iter().any(|change| began(&change)), "{incident:?}");
    }
    // Who was told has an answer: no ticket is still asked for.
    let raised = |incident: &&Arc<Incident>| matches!(incident.ticket, domain::Ticket::Raised { .. });
    let wanted = |incident: &&Arc<Incident>| incident.environment == domain::Environment::Production;
    assert!(
        stretch
            .incidents
            .iter()
            .filter(wanted)
            .all(|incident| !matches!(incident.ticket, domain::Ticket::Asked { .. }))
    );
    assert!(stretch.incidents.iter().filter(wanted).any(|incident| raised(&incident)));
}

#[test]
fn samples_are_whole_and_failures_are_among_them() {
    let (_, stretch) = lived(SEED);
    let mut seen: BTreeMap<(TrackId, Timestamp), Verdict> = BTreeMap::new();
    for (track, samples) in &stretch.hours {
        assert!(samples.is_sorted_by(|one, next| one.at < next.at));
        let hour = samples[0].at.as_millisecond() / 3_600_000;
        assert!(samples.iter().all(|sample| sample.at.as_millisecond() / 3_600_000 == hour));
        seen.extend(samples.iter().map(|sample| ((track.clone(), sample.at), sample.verdict)));
    }
    let bad = seen.values().filter(|verdict| **verdict != Verdict::Pass).count();
    assert_eq!(bad, stretch.failures.len());
    for (outcome, verdict) in &stretch.failures {
        assert_eq!(seen.get(&(track_of(outcome), outcome.at)), Some(verdict));
        let told = outcome.failure.is_some() || *verdict == Verdict::Slow;
        assert!(
            told && outcome.total > Duration::ZERO && outcome.phases.sum() <= outcome.total,
            "{outcome:?}"
        );
    }
    assert!(stretch.failures.iter().any(|(outcome, _)| outcome.confirm));
}

#[test]
fn every_fault_has_words_that_the_rules_know() {
    let at = range().from;
    for fault in Fault::CATALOGUE {
        let seen = simulator::Seen { at, took: Duration::from_millis(20), fault };
        let Some(symptom) = seen.symptom() else { continue };
        assert!(domain::Layer::parse(symptom.layer).is_some(), "{symptom:?}");
        let kind = serde_json::from_value::<domain::FailureKind>(symptom.kind.into());
        assert!(kind.is_ok(), "{symptom:?}");
    }
    assert_eq!(configured().policy(domain::Environment::Sit).map(|policy| policy.maintenance.len()), Some(1));
}
