//! What silences and planned work keep from being told (DESIGN §5, "Muting").

use crate::{Alerting, Cause, EnvironmentPolicy, Incident, IncidentId, InstanceId, Silence, Situation};
use jiff::Timestamp;

/// Until when silences or planned work mute an incident's notifications; `None`: they do not.
/// What concerns Curiad itself, or many at once, cannot be muted.
pub(crate) fn muted_until(
    situation: &Situation,
    policy: &EnvironmentPolicy,
    incident: &Incident,
    now: Timestamp,
) -> Option<Timestamp> {
    let troubled = troubled(incident)?;
    let zone = &situation.configuration.site.time_zone;
    let silences = situation
        .silences
        .values()
        .filter(|silence| troubled.iter().all(|instance| silence.covers(instance, now)))
        .map(|silence| silence.until);
    let windows = policy.maintenance.iter().filter_map(|window| window.covering(now, zone)).map(|(_, to)| to);
    let overrun = policy.maintenance.iter().filter_map(|window| window.overruns_until(now, zone));
    let overrun = overrun.filter(|(to, _)| incident.started_at < *to).map(|(_, until)| until);
    let announced = situation.maintenances.values().filter_map(|planned| {
        let end = planned.overruns_until();
        // What begins after its end is no overrun.
        let of_it = planned.from <= now && now < end && incident.started_at < planned.until;
        (of_it && troubled.iter().all(|instance| planned.concerns(instance))).then_some(end)
    });
    silences.chain(windows).chain(overrun).chain(announced).max()
}

/// What a silence would keep quiet at `now`: the instances it covers, and of what goes on that which would be muted.
pub fn would_mute(
    situation: &Situation,
    silence: &Silence,
    now: Timestamp,
) -> (Vec<InstanceId>, Vec<IncidentId>) {
    let covers = |instance: &InstanceId| silence.covers(instance, now);
    let instances = situation.configuration.instances().filter(covers).collect();
    let muted = |incident: &&std::sync::Arc<Incident>| {
        troubled(incident).is_some_and(|troubled| !troubled.is_empty() && troubled.iter().all(covers))
    };
    (instances, situation.open_incidents().filter(muted).map(|incident| incident.id).collect())
}

/// The instances of which something is wrong; `None`: what cannot be muted.
pub(crate) fn troubled(incident: &Incident) -> Option<&[InstanceId]> {
    match &incident.cause {
        Cause::Instance(instance) | Cause::Burn(instance) | Cause::Alert(Alerting { instance, .. }) => {
            Some(std::slice::from_ref(instance))
        }
        Cause::Token(_) | Cause::Certificate(_) => Some(incident.held_back.as_slice()),
        Cause::Ahead(_) if !incident.affects.is_empty() => Some(incident.affects.as_slice()),
        Cause::Ahead(_)
        | Cause::Refused(_)
        | Cause::Blind(_)
        | Cause::Rota(_)
        | Cause::Behind(_)
        | Cause::Storm(_)
        | Cause::Test(_) => None,
    }
}
