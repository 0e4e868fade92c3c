//! What is probably not meant because of the day it is: rotas that have nobody yet, swaps that are over, own
//! certificates and secrets that end. Only ever warnings: a restart at night is not refused for a date.

use super::{
    api::ApiDraft,
    names::{Names, Noun},
    problem::Problems,
    rotas::RotaDraft,
    secret::Ending,
    top::Top,
};
use domain::{ApiId, Rota, RotaId, Target};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::collections::BTreeMap;

/// What the warning of a rota without anybody begins with: the doctor says it in its own words.
pub(crate) const NOBODY: &str = "nobody is on call";

/// How far ahead gaps are looked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366);

/// An own certificate or a secret that ends within so long is said to.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Says what the calendar makes of rotas and escalations.
pub(super) fn check(top: &Top, names: &Names, now: Timestamp, problems: &mut Problems) {
    for (id, draft) in &top.rotas {
        if let (Some((from, to)), Some(place)) =
            (first_gap(&draft.rota, now), names.place_of(Noun::Rota, id.as_str()))
        {
            let zone = &draft.rota.time_zone;
            let message = if from == now {
                format!("{NOBODY} until {}", moment(to, zone))
            } else {
                format!("{NOBODY} from {} to {}", moment(from, zone), moment(to, zone))
            };
            let hint =
                "let a layer begin earlier; until then only other steps and the last resort are called";
            problems.warning(place, message, Some(hint.to_owned()));
        }
        swaps(draft, now, problems);
    }
    for draft in top.escalations.values() {
        let rotas: Vec<&RotaId> = draft
            .steps
            .iter()
            .filter_map(|(step, _)| match &step.call {
                Target::OnCall(rota) | Target::Next(rota) => Some(rota),
                Target::Team(team) => top.teams.get(team)?.team.rota.as_ref(),
                Target::Person(_) | Target::Desk(_) | Target::Provider => None,
            })
            .collect();
        let people = draft.steps.iter().any(|(step, _)| matches!(step.call, Target::Person(_)));
        let empty = |id: &&RotaId| top.rotas.get(*id).is_some_and(|draft| draft.rota.on_call(now).is_none());
        if !rotas.is_empty() && !people && rotas.iter().all(empty) {
            let message = "today this escalation reaches nobody before its last resort: its rotas are empty";
            problems.warning(&draft.place, message, None);
        }
    }
}

/// Says which of our own certificates end soon, or have.
pub(super) fn certificates(
    top: &Top,
    apis: &BTreeMap<ApiId, ApiDraft>,
    now: Timestamp,
    problems: &mut Problems,
) {
    let auths = apis.values().flat_map(|draft| draft.instances.values()).filter_map(|it| it.auth.as_ref());
    let desks = top.desks.values().filter_map(|desk| desk.ends.as_ref());
    for (ends, place) in auths.filter_map(|auth| auth.ends.as_ref()).chain(desks) {
        let day = ends.strftime("%-d %b %Y %H:%M UTC");
        if *ends <= now {
            let message = format!("this certificate ended on {day}: nothing can be told of what asks for it");
            problems.warning(place, message, Some("renew it".to_owned()));
        } else if ends.duration_since(now) < ENDS_SOON {
            let message = format!("this certificate ends on {day}");
            problems.warning(place, message, Some("renew it in time".to_owned()));
        }
    }
}

/// Says which secrets end soon, or have.
pub(super) fn secrets(ending: &[Ending], zone: &TimeZone, now: Timestamp, problems: &mut Problems) {
    for (index, secret) in ending.iter().enumerate() {
        let other = |other: &&Ending| other.reference == secret.reference && other.on != secret.on;
        if let Some(other) = ending.iter().take(index).find(other) {
            let (reference, day) = (&secret.reference, other.on.strftime("%-d %b %Y"));
            let message = format!(
                "{reference} is said to end on {day} elsewhere ({}:{})",
                other.place.file, other.place.line
            );
            problems.warning(&secret.place, message, Some("the earlier of the two counts".to_owned()));
        }
        let Some(ends) = secret.ends(zone).filter(|ends| ends.duration_since(now) < ENDS_SOON) else {
            continue;
        };
        let (word, hint) = if ends <= now { ("ended", "renew it") } else { ("ends", "renew it in time") };
        let message =
            format!("the secret at {} {word} on {}", secret.reference, secret.on.strftime("%-d %b %Y"));
        problems.warning(&secret.place, message, Some(format!("{hint}, and say when the new one ends")));
    }
}

/// The first stretch within a year in which nobody is on call.
pub(crate) fn first_gap(rota: &Rota, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    rota.gaps(now, now.checked_add(AHEAD).ok()?).into_iter().next()
}

fn swaps(draft: &RotaDraft, now: Timestamp, problems: &mut Problems) {
    let zone = &draft.rota.time_zone;
    let all: Vec<_> = draft.rota.overrides.iter().zip(&draft.override_places).collect();
    for (index, (swap, place)) in all.iter().enumerate() {
        if swap.to <= now {
            let message = format!("this override is over since {}", moment(swap.to, zone));
            problems.warning(place, message, Some("take it away".to_owned()));
            continue;
        }
        let earlier = all.iter().take(index);
        let mut overlapping = earlier.filter(|(other, _)| other.from < swap.to && swap.from < other.to);
        if let Some((other, other_place)) = overlapping.next() {
            let (from, to) = (swap.from.max(other.from), swap.to.min(other.to));
            let message = format!(
                "this override and the one at line {} overlap from {} to {}: '{}' is called then, not '{}'",
                other_place.line,
                moment(from, zone),
                moment(to, zone),
                swap.person,
                other.person
            );
            problems.warning(place, message, None);
        }
    }
}

/// `Mon 7 Sep 2026 09:00`, on the rota's clock.
fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b %Y %H:%M").to_string()
}
