//! Rule three, *cause*: statuses become incidents, one per cause (invariant 7).

use crate::{
    ApiId, Cause, Configuration, Environment, FailureKind, Health, Incident, IncidentId, IncidentStatus,
    InstanceId, Layer, Priority, ServiceLevel, Status, Text, Ticket, TrackId, VantageId,
    diagnosis::{diagnose, evidence},
    duty,
    fold::Fold,
    rate,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// A child that failed so much earlier than its parent fails for a reason of its own.
const CHILD_MAY_LEAD: SignedDuration = SignedDuration::from_mins(2);
/// A production instance of which nothing is known for so long is an incident (DESIGN §5).
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_mins(10);
/// Refusals of one production API for so long are an incident (DESIGN §5).
const REFUSED_FOR: SignedDuration = SignedDuration::from_mins(10);
/// Refusals on two or more APIs count once each has lasted so long: a token renewed late is no incident.
const REFUSED_TOGETHER_FOR: SignedDuration = SignedDuration::from_secs(60);
/// A vantage blind to all of production for so long is a P1 (DESIGN §5).
const BLIND_FOR: SignedDuration = SignedDuration::from_mins(3);

/// One instance's incident, from its health as it now is.
pub(crate) fn instance(fold: &mut Fold, instance: &InstanceId) {
    let Some(health) = fold.after.healths.get(instance).cloned() else {
        return;
    };
    let own = fold.after.open_incident(&Cause::Instance(instance.clone())).map(|incident| incident.id);
    match (own, health.status) {
        (Some(id), Status::Operational) => recovering(fold, id, health.since),
        (Some(id), Status::Degraded | Status::PartialOutage | Status::MajorOutage) => {
            goes_on(fold, id, &health);
        }
        (Some(_), Status::Unknown | Status::Maintenance) => {}
        (None, Status::Operational) => let_go(fold, instance),
        (None, Status::Degraded | Status::PartialOutage | Status::MajorOutage) => begins(fold, &health),
        (None, Status::Unknown | Status::Maintenance) => unknown(fold, &health),
    }
}

/// An instance left the configuration: nothing more will be heard of it.
pub(crate) fn left(fold: &mut Fold, instance: &InstanceId) {
    let own = fold.after.open_incident(&Cause::Instance(instance.clone())).map(|incident| incident.id);
    if let Some(incident) = own.and_then(|id| fold.incident(id)) {
        duty::resolve(fold, incident, "the instance left the configuration");
    }
    let_go(fold, instance);
}

/// Causes that show only over several instances: refusals, and blindness.
pub(crate) fn shared(fold: &mut Fold) {
    let configuration = fold.configuration();
    for environment in configuration.environments.keys() {
        refused(fold, *environment);
    }
    for vantage in &configuration.vantages {
        blind(fold, vantage);
    }
}

/// An incident resolved: dependants that still fail now answer for themselves.
pub(crate) fn released(fold: &mut Fold, held_back: &[InstanceId]) {
    for child in held_back {
        instance(fold, child);
    }
}

fn begins(fold: &mut Fold, health: &Health) {
    let instance = &health.instance;
    if holder(fold, instance).is_some() {
        return;
    }
    let configuration = fold.configuration();
    let parents = ancestors(&configuration, &instance.api);
    let parent = fold.after.open_incidents().find(|incident| {
        incident.environment == instance.environment
            && incident.status != IncidentStatus::Recovering
            && incident.api.as_ref().is_some_and(|api| parents.contains(api))
            && health.since + CHILD_MAY_LEAD >= incident.started_at
    });
    if let Some(parent) = parent.map(|parent| parent.id).and_then(|id| fold.incident(id)) {
        hold_back(fold, parent, instance);
        return;
    }
    let diagnosis = diagnose(&fold.after, instance, health.status, health.layer);
    let id = open(fold, Cause::Instance(instance.clone()), health, diagnosis);
    // The fault may be a parent's: ask it now rather than in its turn.
    for parent in parents {
        let parent = InstanceId { api: parent, environment: instance.environment };
        probe_now(fold, &parent);
    }
    take_in_children(fold, id, instance);
}

/// Nothing is known of a production instance for long: somebody has to look.
fn unknown(fold: &mut Fold, health: &Health) {
    let instance = &health.instance;
    if instance.environment != Environment::Production
        || health.maintenance
        || fold.now.duration_since(health.since) < UNKNOWN_FOR
        || holder(fold, instance).is_some()
    {
        return;
    }
    let explained = fold.after.open_incidents().any(|incident| match &incident.cause {
        Cause::Blind(_) => true,
        Cause::Refused(environment) => *environment == instance.environment,
        Cause::Instance(_) | Cause::Rota(_) => false,
    });
    if !explained {
        let diagnosis = diagnose(&fold.after, instance, Status::Unknown, None);
        open(fold, Cause::Instance(instance.clone()), health, diagnosis);
    }
}

fn goes_on(fold: &mut Fold, id: IncidentId, health: &Health) {
    let Some(mut incident) = fold.incident(id) else {
        return;
    };
    let worse = worse(health.status, incident.worst);
    if incident.status == IncidentStatus::Recovering {
        duty::returned(&mut incident, health.status, fold.now);
    }
    if worse {
        let what = what(fold, &incident.cause, health);
        incident.note(fold.now, what);
        incident.worst = health.status;
    }
    if worse || incident.layer != health.layer {
        incident.layer = health.layer;
        incident.diagnosis = diagnose(&fold.after, &health.instance, health.status, health.layer);
        incident.evidence = evidence(&fold.after, &health.instance, fold.now);
    }
    fold.put_incident(incident);
}

fn recovering(fold: &mut Fold, id: IncidentId, since: Timestamp) {
    let Some(mut incident) = fold.incident(id) else {
        return;
    };
    if incident.status != IncidentStatus::Recovering {
        duty::recovering(fold, &mut incident, since);
        fold.put_incident(incident);
    }
}

/// An instance is well: no incident lists it as held back any more.
fn let_go(fold: &mut Fold, instance: &InstanceId) {
    if let Some(mut incident) = holder(fold, instance).and_then(|id| fold.incident(id)) {
        incident.held_back.retain(|held| held != instance);
        incident.note(fold.now, format!("{instance} works again"));
        fold.put_incident(incident);
    }
}

fn holder(fold: &Fold, instance: &InstanceId) -> Option<IncidentId> {
    let holder = fold.after.open_incidents().find(|incident| incident.held_back.contains(instance));
    holder.map(|incident| incident.id)
}

fn hold_back(fold: &mut Fold, mut parent: Incident, instance: &InstanceId) {
    parent.held_back.push(instance.clone());
    if !parent.affects.contains(instance) {
        parent.affects.push(instance.clone());
    }
    parent
        .note(fold.now, format!("{instance} fails too: it depends on this; held back, no ticket of its own"));
    fold.put_incident(parent);
}

/// A parent found later takes its children in: linked, their escalation stopped.
fn take_in_children(fold: &mut Fold, id: IncidentId, parent: &InstanceId) {
    let configuration = fold.configuration();
    let Some(started_at) = fold.incident(id).map(|incident| incident.started_at) else {
        return;
    };
    let children: Vec<(IncidentId, InstanceId)> = fold
        .after
        .open_incidents()
        .filter(|incident| incident.id != id && incident.environment == parent.environment)
        .filter(|incident| incident.started_at + CHILD_MAY_LEAD >= started_at)
        .filter_map(|incident| match &incident.cause {
            Cause::Instance(child) if ancestors(&configuration, &child.api).contains(&parent.api) => {
                Some((incident.id, child.clone()))
            }
            Cause::Instance(_) | Cause::Refused(_) | Cause::Blind(_) | Cause::Rota(_) => None,
        })
        .collect();
    for (child_id, child) in children {
        if let Some(incident) = fold.incident(child_id) {
            let its_own = incident.held_back.clone();
            duty::resolve(fold, incident, &format!("taken in by {id}: {child} depends on {parent}"));
            for instance in std::iter::once(child).chain(its_own) {
                if let Some(parent) = fold.incident(id).filter(|parent| !parent.held_back.contains(&instance))
                {
                    hold_back(fold, parent, &instance);
                }
            }
        }
    }
}

/// All that an API cannot work without, directly or not.
fn ancestors(configuration: &Configuration, api: &ApiId) -> BTreeSet<ApiId> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&ApiId> =
        configuration.apis.get(api).map_or_else(Vec::new, |api| api.depends_on.iter().collect());
    while let Some(id) = next.pop() {
        if found.insert(id.clone()) {
            next.extend(configuration.apis.get(id).into_iter().flat_map(|api| &api.depends_on));
        }
    }
    found
}

fn probe_now(fold: &mut Fold, instance: &InstanceId) {
    let configuration = fold.configuration();
    for check in configuration.checks_of(instance) {
        for vantage in &check.from {
            fold.want(fold.now, TrackId { check: check.id.clone(), vantage: vantage.clone() });
        }
    }
}

/// 401, 403, 429 (DESIGN §5, "Inconclusive is never silence").
fn refused(fold: &mut Fold, environment: Environment) {
    let refused: Vec<(ApiId, Timestamp)> = fold
        .after
        .tracks
        .values()
        .filter(|track| track.id.check.instance.environment == environment)
        .filter_map(|track| {
            let since = track.inconclusive_since?;
            let failure = fold.after.outcome(&track.id)?.failure.as_ref()?;
            matches!(failure.kind, FailureKind::AccessRefused | FailureKind::RateLimited)
                .then(|| (track.id.check.instance.api.clone(), since))
        })
        .collect();
    let lasting = |limit: SignedDuration| -> BTreeSet<&ApiId> {
        refused
            .iter()
            .filter(|(_, since)| fold.now.duration_since(*since) >= limit)
            .map(|(api, _)| api)
            .collect()
    };
    let together = lasting(REFUSED_TOGETHER_FOR);
    let apis = match together.len() {
        0 => BTreeSet::new(),
        1 if environment != Environment::Production => BTreeSet::new(),
        1 => lasting(REFUSED_FOR),
        _ => together,
    };
    let since = refused.iter().filter(|(api, _)| apis.contains(api)).map(|(_, since)| *since).min();
    let affects: Vec<InstanceId> =
        apis.into_iter().map(|api| InstanceId { api: api.clone(), environment }).collect();
    let text = Text::new(
        "The gateway refuses our requests: we cannot tell whether the APIs work. Our credential, our address or our \
         rate may be at fault.",
        "Mae'r porth yn gwrthod ein ceisiadau: ni allwn ddweud a yw'r APIs yn gweithio. Efallai mai ein manylion \
         mynediad, ein cyfeiriad neu ein cyfradd sydd ar fai.",
    );
    over_several(fold, Cause::Refused(environment), since, affects, Layer::Gateway, &text);
}

/// A vantage that sees nothing of production.
fn blind(fold: &mut Fold, vantage: &VantageId) {
    let configuration = fold.configuration();
    let production = configuration.checks.values().filter(|check| {
        check.id.instance.environment == Environment::Production && check.from.contains(vantage)
    });
    let mut since: Option<Timestamp> = None;
    let mut affects: BTreeSet<InstanceId> = BTreeSet::new();
    for check in production {
        let id = TrackId { check: check.id.clone(), vantage: vantage.clone() };
        let ours = fold.after.outcome(&id).and_then(|outcome| outcome.failure.as_ref()).map(|f| f.layer);
        let sees_nothing = fold.after.tracks.get(&id).and_then(|track| match track.inconclusive_since {
            Some(since) => (ours == Some(Layer::Ours)).then_some(since),
            None => (track.status == Status::Unknown).then_some(track.since),
        });
        let Some(began) = sees_nothing else {
            affects.clear();
            break;
        };
        since = Some(since.map_or(began, |since| since.max(began)));
        affects.insert(check.id.instance.clone());
    }
    let long = since.is_some_and(|since| fold.now.duration_since(since) >= BLIND_FOR);
    let affects: Vec<InstanceId> = if long { affects.into_iter().collect() } else { Vec::new() };
    let text = Text::new(
        "We cannot see production: it may be the NHS network, or it may be us. The APIs themselves may be working.",
        "Ni allwn weld y gwasanaethau byw: efallai mai rhwydwaith y GIG yw'r achos, neu ni ein hunain. Efallai fod yr \
         APIs eu hunain yn gweithio.",
    );
    over_several(fold, Cause::Blind(vantage.clone()), since, affects, Layer::Ours, &text);
}

/// Opens, keeps or ends an incident of several instances of which nothing can be told.
fn over_several(
    fold: &mut Fold,
    cause: Cause,
    since: Option<Timestamp>,
    affects: Vec<InstanceId>,
    layer: Layer,
    diagnosis: &Text,
) {
    let existing = fold.after.open_incident(&cause).map(|incident| incident.id);
    match (existing.and_then(|id| fold.incident(id)), affects.first().cloned()) {
        (None, Some(first)) => {
            let health = Health {
                instance: first,
                status: Status::Unknown,
                since: since.unwrap_or(fold.now),
                layer: Some(layer),
                maintenance: false,
            };
            let id = open(fold, cause, &health, diagnosis.clone());
            if let Some(mut incident) = fold.incident(id) {
                incident.affects = affects;
                incident.api = None;
                fold.put_incident(incident);
            }
        }
        (Some(mut incident), Some(_)) => {
            if incident.status == IncidentStatus::Recovering {
                duty::returned(&mut incident, Status::Unknown, fold.now);
            }
            incident
                .affects
                .extend(affects.into_iter().filter(|i| !incident.affects.contains(i)).collect::<Vec<_>>());
            fold.put_incident(incident);
        }
        (Some(mut incident), None) if incident.status != IncidentStatus::Recovering => {
            let now = fold.now;
            duty::recovering(fold, &mut incident, now);
            fold.put_incident(incident);
        }
        (Some(_) | None, None) => {}
    }
}

/// A new incident.
pub(crate) fn open(fold: &mut Fold, cause: Cause, health: &Health, diagnosis: Text) -> IncidentId {
    let configuration = fold.configuration();
    let instance = &health.instance;
    let id = fold.number_incident();
    let (priority, why) = prioritise(&configuration, &cause, instance, health.status, 1);
    let mut incident = Incident {
        id,
        status: IncidentStatus::Open,
        priority,
        major: None,
        environment: instance.environment,
        api: Some(instance.api.clone()),
        affects: vec![instance.clone()],
        held_back: Vec::new(),
        worst: health.status,
        layer: health.layer,
        diagnosis,
        evidence: evidence(&fold.after, instance, fold.now),
        started_at: health.since,
        opened_at: fold.now,
        acknowledged: None,
        recovered_at: None,
        resolved_at: None,
        ticket: Ticket::None,
        escalation: None,
        told_at: None,
        timeline: Vec::new(),
        posts: Vec::new(),
        cause,
    };
    let what = what(fold, &incident.cause, health);
    incident.note(fold.now, format!("{what}; {priority}: {why}"));
    fold.put_incident(incident);
    id
}

/// What has happened to an instance, for the timeline; its name too where the cause is not itself.
fn what(fold: &Fold, cause: &Cause, health: &Health) -> String {
    let configuration = fold.configuration();
    let since = configuration.site.time(health.since, fold.now);
    let said = format!("{} since {since}", health.status.plain());
    match cause {
        Cause::Instance(_) => said,
        Cause::Blind(_) | Cause::Refused(_) | Cause::Rota(_) => {
            let InstanceId { api, environment } = &health.instance;
            let name = configuration.apis.get(api).map_or(api.as_str(), |api| &api.name.en);
            format!("{name} ({environment}): {said}")
        }
    }
}

/// An incident's priority and the cell of the matrix it comes from, in words.
pub(crate) fn prioritise(
    configuration: &Configuration,
    cause: &Cause,
    instance: &InstanceId,
    status: Status,
    instances: usize,
) -> (Priority, String) {
    let (level, status) = match cause {
        // Nobody sees, or nobody would come: the highest, whatever the matrix says (DESIGN §5, invariant 10).
        Cause::Blind(_) => return (Priority::P1, "production cannot be seen".into()),
        Cause::Rota(_) => return (Priority::P1, "nobody is on call".into()),
        Cause::Refused(_) => (ServiceLevel::Critical, Status::Unknown),
        Cause::Instance(_) => {
            let api = configuration.apis.get(&instance.api);
            (api.map_or(ServiceLevel::Standard, |api| api.service_level), status)
        }
    };
    let rating = rate(instance.environment, level, status, instances);
    let why = format!(
        "impact {} ({level} API in {}) × urgency {} ({})",
        rating.impact,
        instance.environment,
        rating.urgency,
        status.plain()
    );
    (configuration.priorities.priority(rating), why)
}

/// Whether `a` is worse than `b`; Unknown is less than any trouble.
pub(crate) fn worse(a: Status, b: Status) -> bool {
    let weight = |status: Status| match status {
        Status::Operational | Status::Maintenance => 0,
        Status::Unknown => 1,
        Status::Degraded => 2,
        Status::PartialOutage => 3,
        Status::MajorOutage => 4,
    };
    weight(a) > weight(b)
}
