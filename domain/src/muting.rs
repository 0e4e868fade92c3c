//! What silences and planned work keep from being told (DESIGN §5, "Muting").

use crate::{
    Alerting, Cause, Environment, EnvironmentPolicy, Incident, IncidentId, InstanceId, Silence, Site,
    Situation,
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
    let troubled = troubled(incident)?;
    let zone = &situation.configuration.site.time_zone;
    let silences = silenced_until(situation, incident, now);
    let windows = policy.maintenance.iter().filter_map(|window| window.covering(now, zone)).map(|(_, to)| to);
    let overrun = policy.maintenance.iter().filter_map(|window| window.overruns_until(now, zone));
    let overrun = overrun.filter(|(to, _)| incident.failing_since() < *to).map(|(_, until)| until);
    let announced = situation.maintenances.values().filter_map(|planned| {
        let end = planned.overruns_until();
        // What begins after its end is no overrun.
        let of_it = planned.from <= now && now < end && incident.failing_since() < planned.until;
        (of_it && troubled.iter().all(|instance| planned.concerns(instance))).then_some(end)
    });
    silences.into_iter().chain(windows).chain(overrun).chain(announced).max()
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
        let quiet =
            |instance: &InstanceId| covers(instance) || covered_until(situation, instance, now).is_some();
        all.iter().any(|instance| covers(instance)) && all.iter().all(|instance| quiet(instance))
    };
    (instances, situation.open_incidents().filter(muted).map(|incident| incident.id).collect())
}

/// Until when silences cover an instance.
fn covered_until(situation: &Situation, instance: &InstanceId, now: Timestamp) -> Option<Timestamp> {
    situation
        .silences
        .values()
        .filter(|silence| silence.covers(instance, now))
        .map(|silence| silence.until)
        .max()
}

/// All that a silence has to name to be about an incident: whoever mutes a parent does not mean the APIs that fail with it.
fn concerned(incident: &Incident) -> Vec<&InstanceId> {
    let troubled = troubled(incident).filter(|troubled| !troubled.is_empty());
    troubled.map_or_else(Vec::new, |troubled| troubled.iter().chain(&incident.held_back).collect())
}

/// Until when silences, one or several together, keep an incident quiet.
fn silenced_until(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<Timestamp> {
    let all = concerned(incident);
    let each: Option<Vec<Timestamp>> =
        all.into_iter().map(|instance| covered_until(situation, instance, now)).collect();
    each?.into_iter().min()
}

/// Whether silences keep an incident quiet that do not name `child`: then that answers for itself, in its own time.
pub(crate) fn silenced_without(
    situation: &Situation,
    incident: &Incident,
    child: &InstanceId,
    now: Timestamp,
) -> bool {
    silenced_until(situation, incident, now).is_some() && covered_until(situation, child, now).is_none()
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
