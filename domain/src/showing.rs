//! Causes that several instances share and each of them shows: a certificate, a gateway.
//!
//! Such an incident holds back all that show it, and all that depend on one that does.

use crate::{
    ApiId, Cause, Health, Incident, IncidentStatus, InstanceId, Status, certificate, duty, fold::Fold,
    gateway,
};
use std::collections::BTreeSet;

/// Whether a cause is one that those show whom it holds back.
pub(crate) const fn is_shown(cause: &Cause) -> bool {
    matches!(cause, Cause::Certificate(_) | Cause::Gateway(_))
}

/// Whether an instance fails because of this `cause`, and not only because it depends on one that does.
pub(crate) fn shows(fold: &Fold, cause: &Cause, health: &Health) -> bool {
    certificate::is_shown_by(fold, cause, health) || gateway::fails_with(fold, cause, health)
}

/// What nobody can see shows it still.
fn may_show(fold: &Fold, incident: &Incident, instance: &InstanceId) -> bool {
    let health = fold.after.healths.get(instance);
    health.is_some_and(|health| health.status == Status::Unknown || shows(fold, &incident.cause, health))
}

/// Those that it holds back and that show it.
pub(crate) fn those<'a>(fold: &'a Fold, incident: &'a Incident) -> impl Iterator<Item = &'a InstanceId> {
    incident.held_back.iter().filter(|held| may_show(fold, incident, held))
}

/// Whether one of these APIs shows the cause of an incident.
pub(crate) fn is_shown_by_one_of(fold: &Fold, incident: &Incident, apis: &BTreeSet<ApiId>) -> bool {
    let mut of_these = incident.held_back.iter().filter(|held| apis.contains(&held.api));
    is_shown(&incident.cause) && of_these.any(|held| may_show(fold, incident, held))
}

/// Whether such an incident may explain that an API with these parents fails: while one of them shows it, and while it is
/// watched after none shows it any more.
pub(crate) fn explains(fold: &Fold, incident: &Incident, parents: &BTreeSet<ApiId>) -> bool {
    let showed = || incident.affects.iter().any(|affected| parents.contains(&affected.api));
    is_shown_by_one_of(fold, incident, parents) || (showed() && those(fold, incident).next().is_none())
}

/// It is over when none of those that it held back shows it any more, and a gateway when any API there answers; it goes on when
/// one shows it again.
pub(crate) fn over(fold: &mut Fold) {
    let open: Vec<Incident> = fold
        .after
        .open_incidents()
        .filter(|incident| is_shown(&incident.cause))
        .map(|incident| (**incident).clone())
        .collect();
    for mut incident in open {
        let shown = those(fold, &incident).next().is_some() && !gateway::answers(fold, &incident);
        let (now, worst) = (fold.now, incident.worst);
        match (shown, incident.status == IncidentStatus::Recovering) {
            (false, false) => {
                duty::recovering(fold, &mut incident, now);
                gateway::ask(fold, &incident);
            }
            (true, true) => duty::returned(fold, &mut incident, worst),
            (false, true) | (true, false) => {}
        }
        fold.put_incident(incident);
    }
}
