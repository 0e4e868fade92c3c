//! What silences and planned work keep from being told (DESIGN §5, "Muting").

use crate::{
    Alerting, Cause, Environment, EnvironmentPolicy, Incident, IncidentId, InstanceId, Maintenance, Silence,
    Site, Situation,
};
use jiff::{SignedDuration, Timestamp};

/// Who mutes for longer has forgotten it by then.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Until when silences or planned work mute an incident's notifications; `None`: they do not.
/// What concerns Curiad itself cannot be muted.
pub(crate) fn muted_until(
    situation: &Situation,
    policy: &EnvironmentPolicy,
    incident: &Incident,
    now: Timestamp,
) -> Option<Timestamp> {
    muted_by(situation, policy, incident, now).map(|(until, _)| until)
}

/// What keeps an incident quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mute {
    /// A silence, by its number; of several together the one that ends first.
    Silence(u64),
    /// Planned work that was announced, by its number.
    Maintenance(u64),
    /// A window of the configuration, which repeats.
    Window,
}

/// What mutes an incident's notifications the longest, and until when.
pub(crate) fn muted_by(
    situation: &Situation,
    policy: &EnvironmentPolicy,
    incident: &Incident,
    now: Timestamp,
) -> Option<(Timestamp, Mute)> {
    troubled(incident)?;
    let zone = &situation.configuration.site.time_zone;
    let silence = silenced_until(situation, incident, now);
    let windows = policy.maintenance.iter().filter_map(|window| {
        let (from, to) = window.last(now, zone)?;
        let until = if now < to { to } else { window.overruns_until(now, zone)?.1 };
        // What begins after its end is no overrun.
        let of_it = now < to || incident.failing_since() < to;
        (of_it && !calls_since_before(incident, from)).then_some((until, Mute::Window))
    });
    let announced = situation.maintenances.values().filter_map(|planned| {
        let end = planned.overruns_until();
        let of_it = planned.from <= now && now < end && incident.failing_since() < planned.until;
        (of_it && is_all_of(planned, incident) && !calls_since_before(incident, planned.from))
            .then_some((end, Mute::Maintenance(planned.id)))
    });
    silence.into_iter().chain(windows).chain(announced).max()
}

/// Whether all that is wrong is on what this work is about.
pub(crate) fn is_all_of(planned: &Maintenance, incident: &Incident) -> bool {
    troubled(incident).is_some_and(|troubled| troubled.iter().all(|instance| planned.concerns(instance)))
}

/// Whether people were being called for it, in vain so far, before planned work began: that goes on, since it is not the work's,
/// and whoever works there can take it.
pub(crate) fn calls_since_before(incident: &Incident, from: Timestamp) -> bool {
    let running = incident.escalation.as_ref().filter(|running| running.stopped.is_none());
    running.is_some_and(|running| running.started_at < from)
}

/// What mutes an open incident, and until when. `None`: nothing does.
pub fn mute(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<(Timestamp, Mute)> {
    let policy = situation.configuration.policy(incident.environment)?;
    muted_by(situation, policy, incident, now).filter(|_| incident.is_open())
}

/// Whether there may be such a silence, from `now` on; otherwise why not.
pub fn may_silence(site: &Site, silence: &Silence, now: Timestamp) -> Result<(), String> {
    let Silence { until, api, environment, .. } = silence;
    if *until <= now {
        return Err(format!("{} is in the past", site.time(*until, now)));
    }
    if until.duration_since(now) > LONGEST_SILENCE {
        let days = LONGEST_SILENCE.as_hours() / 24;
        return Err(format!(
            "a silence lasts {days} days at most; for longer, plan 'maintenance' in curiad.yaml"
        ));
    }
    if api.is_none() && environment.is_none_or(|environment| environment == Environment::Production) {
        return Err("a silence cannot cover all of production: name an API, or another environment".into());
    }
    Ok(())
}

/// What a silence would keep quiet at `now`: the instances it covers, and of what goes on that which would be muted, by it and by
/// those that there are.
pub fn would_mute(
    situation: &Situation,
    silence: &Silence,
    now: Timestamp,
) -> (Vec<InstanceId>, Vec<IncidentId>) {
    let covers = |instance: &InstanceId| silence.covers(instance, now);
    let instances = situation.configuration.instances().filter(covers).collect();
    let muted = |incident: &&std::sync::Arc<Incident>| {
        let all = concerned(incident);
        let quiet = |instance: &InstanceId| covers(instance) || covered(situation, instance, now).is_some();
        all.iter().any(|instance| covers(instance)) && all.iter().all(|instance| quiet(instance))
    };
    (instances, situation.open_incidents().filter(muted).map(|incident| incident.id).collect())
}

/// Until when silences cover an instance, and by which.
fn covered(situation: &Situation, instance: &InstanceId, now: Timestamp) -> Option<(Timestamp, Mute)> {
    let all = situation.silences.values().filter(|silence| silence.covers(instance, now));
    all.map(|silence| (silence.until, Mute::Silence(silence.id))).max()
}

/// All that a silence has to name to be about an incident: whoever mutes a parent does not mean the APIs that fail with it.
fn concerned(incident: &Incident) -> Vec<&InstanceId> {
    let troubled = troubled(incident).filter(|troubled| !troubled.is_empty());
    troubled.map_or_else(Vec::new, |troubled| troubled.iter().chain(&incident.held_back).collect())
}

/// Until when silences, one or several together, keep an incident quiet.
fn silenced_until(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<(Timestamp, Mute)> {
    let all = concerned(incident);
    let each: Option<Vec<(Timestamp, Mute)>> =
        all.into_iter().map(|instance| covered(situation, instance, now)).collect();
    each?.into_iter().min()
}

/// Whether silences keep an incident quiet that do not name `child`: then that answers for itself, in its own time.
pub(crate) fn silenced_without(
    situation: &Situation,
    incident: &Incident,
    child: &InstanceId,
    now: Timestamp,
) -> bool {
    silenced_until(situation, incident, now).is_some() && covered(situation, child, now).is_none()
}

/// The instances of which something is wrong; `None`: what cannot be muted.
pub(crate) fn troubled(incident: &Incident) -> Option<&[InstanceId]> {
    match &incident.cause {
        Cause::Instance(instance) | Cause::Burn(instance) | Cause::Alert(Alerting { instance, .. }) => {
            Some(std::slice::from_ref(instance))
        }
        Cause::Token(_) | Cause::Certificate(_) | Cause::Gateway(_) | Cause::Storm(_) => {
            Some(incident.held_back.as_slice())
        }
        Cause::Ahead(_) if !incident.affects.is_empty() => Some(incident.affects.as_slice()),
        Cause::Ahead(_)
        | Cause::Refused(_)
        | Cause::Blind(_)
        | Cause::Rota(_)
        | Cause::Behind(_)
        | Cause::Test(_) => None,
    }
}
