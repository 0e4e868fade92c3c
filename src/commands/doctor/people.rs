//! What people wrote down: is somebody on call, and does the configuration mean what it says?

use super::Group;
use crate::{
    commands::rota::{Attended, local},
    config::{Loaded, NOBODY, first_gap},
};
use alerting::Finding;
use domain::{Configuration, PersonId, Rota, RotaId, RotaOverride};
use jiff::{SignedDuration, Timestamp};

/// How far ahead a rota must be filled.
const AHEAD_DAYS: i64 = 14;
/// Warnings of the configuration that are shown one by one.
const SHOWN: usize = 20;

/// The configuration's own warnings; what is wrong with it was said before anything was asked.
pub(super) fn warnings(loaded: &Loaded) -> Vec<(Group, Finding)> {
    let configuration = &loaded.configuration;
    let read = format!(
        "{} APIs, {} checks; references and secrets are all there",
        configuration.apis.len(),
        configuration.checks.len()
    );
    let mut findings = vec![Finding::ok("the files", read)];
    // That a rota has nobody is said of the rota.
    let warnings: Vec<_> =
        loaded.warnings.iter().filter(|warning| !warning.message.starts_with(NOBODY)).collect();
    findings.extend(warnings.iter().take(SHOWN).map(|warning| {
        let place = warning.line.map_or_else(String::new, |line| format!(":{line}"));
        let next = warning.hint.clone().unwrap_or_else(|| "change it, or leave it if it is meant".to_owned());
        Finding::warning(format!("{}{place}", warning.file), warning.message.clone(), next)
    }));
    if let Some(more) = warnings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        findings.push(Finding::warning(
            "the files",
            format!("{more} more warnings"),
            "`curiad check` lists them",
        ));
    }
    findings.into_iter().map(|finding| (Group::Configuration, finding)).collect()
}

/// Whether every rota has somebody, now and for a fortnight.
pub(super) fn on_call(attended: &Attended, now: Timestamp) -> Vec<(Group, Finding)> {
    let configuration = &attended.configuration;
    if configuration.rotas.is_empty() && configuration.escalations.is_empty() {
        let next = "write `rotas` and `escalations`, and name them under `major`";
        let finding = Finding::warning("rotas", "there are none: nobody is called", next);
        return vec![(Group::OnCall, finding)];
    }
    let findings = configuration.rotas.iter().map(|(id, rota)| one(configuration, id, rota, now));
    findings
        .chain(proofs(attended, now))
        .chain(attended.overrides.iter().filter_map(|added| idle(configuration, added)))
        .map(|finding| (Group::OnCall, finding))
        .collect()
}

/// Whether those who may be called in the next fortnight are known to be reached.
fn proofs(attended: &Attended, now: Timestamp) -> Vec<Finding> {
    const WHAT: &str = "who is reached";
    let configuration = &attended.configuration;
    if attended.soon_called(now).is_empty() || configuration.contact_proof.is_none() {
        return Vec::new();
    }
    if attended.proofs.is_none() {
        let why = "the database holds nothing yet of who answered; people are called with `curiad callout test PERSON`";
        return vec![Finding::skipped(WHAT, why)];
    }
    let finding = |(person, detail): (PersonId, String)| {
        let next = format!("see whether they are reached: `curiad callout test {person}`");
        Finding::warning(format!("person {person}"), detail, next)
    };
    let unproven: Vec<Finding> = attended.unproven_soon(now).into_iter().map(finding).collect();
    if unproven.is_empty() {
        let days = configuration.contact_proof.map_or(0, |within| within.as_secs() / 86_400);
        return vec![Finding::ok(
            WHAT,
            format!(
                "all who are on call soon, or named in an escalation, answered a call in the last {days} days"
            ),
        )];
    }
    unproven
}

/// One that was added for somebody, or to a rota, that has left the configuration since.
fn idle(configuration: &Configuration, added: &RotaOverride) -> Option<Finding> {
    let gone = if !configuration.people.contains_key(&added.person) {
        format!("'{}', who was to stand in", added.person)
    } else if !configuration.rotas.contains_key(&added.rota) {
        format!("the rota '{}'", added.rota)
    } else {
        return None;
    };
    let detail = format!("{gone} has left the configuration: it changes nothing");
    let next = format!("end it with `curiad rota override end {}`, or write them down again", added.id);
    Some(Finding::warning(format!("override {}", added.id), detail, next))
}

fn one(configuration: &Configuration, id: &RotaId, rota: &Rota, now: Timestamp) -> Finding {
    let zone = &configuration.site.time_zone;
    let what = format!("rota {id}");
    let next = format!(
        "add a layer, or an override with `curiad rota override add`; `curiad rota show {id}` lists the shifts and the gaps"
    );
    let Some(shift) = rota.on_call(now) else {
        let until = rota.gaps(now, now + SignedDuration::from_hours(24 * AHEAD_DAYS));
        let until = until.first().map_or_else(String::new, |(_, to)| format!(" until {}", local(*to, zone)));
        return Finding::problem(what, format!("nobody is on call{until}"), next);
    };
    let gaps = rota.gaps(now, now + SignedDuration::from_hours(24 * AHEAD_DAYS));
    if let Some((from, to)) = gaps.first().copied().or_else(|| first_gap(rota, now)) {
        let detail = format!("nobody is on call from {} to {}", local(from, zone), local(to, zone));
        return Finding::warning(what, detail, next);
    }
    let person = configuration.people.get(&shift.person).map_or(shift.person.as_str(), |person| &person.name);
    Finding::ok(what, format!("{person} is on call; no gap in the next {AHEAD_DAYS} days"))
}
