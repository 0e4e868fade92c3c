//! What was going on around an incident when its ticket was asked for: planned work, and incidents like it.

use crate::{Incident, Language, Maintenance, duration_words, fold::Fold};
use jiff::{SignedDuration, Timestamp};

/// Planned work that ended before that has nothing to do with it.
const WORK: SignedDuration = SignedDuration::from_hours(24);
/// Incidents of longer ago are no help.
const ALIKE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Lines of each kind.
const MOST: usize = 3;

/// Lines for a desk, in English.
pub(crate) fn background(fold: &Fold, incident: &Incident) -> Vec<String> {
    let alike = alike(fold, incident);
    planned(fold, incident).into_iter().chain(windows(fold, incident)).chain(alike).collect()
}

fn planned(fold: &Fold, incident: &Incident) -> Vec<String> {
    let lately = ago(fold.now, WORK);
    let near = |work: &&Maintenance| {
        let here = |instance| work.concerns(instance);
        work.from <= fold.now
            && work.until > work.from
            && work.until >= lately
            && incident.affects.iter().any(here)
    };
    let line = |work: &Maintenance| {
        let (from, until) = (fold.time(work.from), fold.time(work.until));
        format!("Planned work of {}, from {from} until {until}: {}", work.by, work.why.en)
    };
    fold.after.maintenances.values().rev().filter(near).take(MOST).map(line).collect()
}

/// Windows that the configuration repeats.
fn windows(fold: &Fold, incident: &Incident) -> Vec<String> {
    let (lately, zone) = (ago(fold.now, WORK), &fold.after.configuration.site.time_zone);
    let policy = fold.after.configuration.policy(incident.environment);
    let windows = policy.into_iter().flat_map(|policy| &policy.maintenance);
    let line = |window: &crate::Window| {
        let (from, until) = window.last(fold.now, zone).filter(|(_, until)| *until >= lately)?;
        let (from, until) = (fold.time(from), fold.time(until));
        Some(format!("Planned work, from {from} until {until}: {}", window.why.en))
    };
    windows.filter_map(line).take(MOST).collect()
}

/// Incidents of the same cause, or of the same API there, the newest first.
fn alike(fold: &Fold, incident: &Incident) -> Vec<String> {
    let lately = ago(fold.now, ALIKE);
    let alike = |other: &&std::sync::Arc<Incident>| {
        let same_api = incident.api.is_some() && other.api == incident.api;
        let same = same_api && other.environment == incident.environment || other.cause == incident.cause;
        same && other.id != incident.id && other.resolved_at.is_some_and(|at| at >= lately)
    };
    let line = |other: &std::sync::Arc<Incident>| {
        let over = other.recovered_at.or(other.resolved_at).unwrap_or(fold.now);
        let words = |lasted| duration_words(lasted, Language::En);
        let (ago, lasted) =
            (words(fold.now.duration_since(over)), words(over.duration_since(other.started_at)));
        let ticket = match &other.ticket {
            crate::Ticket::Raised { number, .. } => format!(", {number}"),
            crate::Ticket::None | crate::Ticket::Asked { .. } => String::new(),
        };
        format!("Like it: {}{ticket}, over {ago} ago, lasted {lasted}. {}", other.id, other.diagnosis.en)
    };
    fold.after.incidents.values().rev().filter(alike).take(MOST).map(line).collect()
}

fn ago(now: Timestamp, long: SignedDuration) -> Timestamp {
    now.checked_sub(long).unwrap_or(Timestamp::MIN)
}
