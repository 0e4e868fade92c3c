//! Nobody is on call on a rota, now.

use crate::{
    Cause, Environment, Escalation, Health, Incident, InstanceId, RotaId, Status, Text, calling, cause,
    fold::Fold,
};

/// "Nobody is on call now" is itself a P1 (invariant 10): the last resort hears of it at once.
pub(crate) fn nobody_on_call(fold: &mut Fold, incident: &Incident, rota: &RotaId) {
    let cause = Cause::Rota(rota.clone());
    if incident.cause == cause || fold.after.open_incident(&cause).is_some() {
        return;
    }
    let Some(escalation) = incident.escalation.as_ref().map(|r| r.escalation.clone()).or_else(|| {
        let policy = fold.after.configuration.policy(incident.environment)?.major.as_ref()?;
        fold.after.configuration.escalations.get(&policy.out_of_hours).cloned()
    }) else {
        return;
    };
    let Some(instance) = incident.affects.first().cloned() else {
        return;
    };
    open_gap(fold, instance, incident.environment, rota, escalation);
}

/// Nobody is on call though nobody is to be called just now: whoever of the last resort hears of it can still fill the gap
/// before somebody is.
pub(crate) fn gap(fold: &mut Fold, environment: Environment, rota: &RotaId) {
    let configuration = fold.configuration();
    let policy = configuration.policy(environment).and_then(|policy| policy.major.as_ref());
    let escalation = policy.and_then(|policy| configuration.escalations.get(&policy.out_of_hours)).cloned();
    let instance = configuration.instances().find(|instance| instance.environment == environment);
    if let (Some(escalation), Some(instance), None) =
        (escalation, instance, fold.after.open_incident(&Cause::Rota(rota.clone())))
    {
        open_gap(fold, instance, environment, rota, escalation);
    }
}

fn open_gap(
    fold: &mut Fold,
    instance: InstanceId,
    environment: Environment,
    rota: &RotaId,
    mut escalation: Escalation,
) {
    // Straight to the last resort: its steps may be the very rota that has a hole.
    escalation.repeat = 0;
    let cause = Cause::Rota(rota.clone());
    let health =
        Health { instance, status: Status::Unknown, since: fold.now, layer: None, maintenance: false };
    let text = Text::new(
        format!("Nobody is on call on the rota {rota} now."),
        format!("Nid oes neb ar alw ar y rota {rota} ar hyn o bryd."),
    );
    let id = cause::open(fold, cause, &health, text);
    if let Some(mut gap) = fold.incident(id) {
        gap.api = None;
        gap.affects = Vec::new();
        gap.environment = environment;
        if gap.not_major().is_none() {
            gap.major = Some(crate::Major {
                at: fold.now,
                why: format!("nobody is on call on {rota}"),
                by: None,
                proposed: false,
            });
            calling::run(fold, &mut gap, escalation);
        }
        fold.put_incident(gap);
    }
}
