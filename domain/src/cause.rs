//! Rule three, *cause*: statuses become incidents, one per cause (invariant 7).

use crate::{
    Ahead, Alerting, Cause, Environment, Health, Incident, IncidentId, IncidentStatus, InstanceId, Priority,
    Status, Text, Ticket, alert,
    blind::{self, WORD_WITHIN},
    certificate,
    children::{
        CHILD_MAY_LEAD, blamed_since, explains, hold_back, holder, let_go, probe_now, release,
        take_in_children,
    },
    diagnosis::{diagnose, evidence},
    duty,
    flapping::{self, Flaps},
    fold::Fold,
    gateway::{self, Word},
    muting::silenced_without,
    remark, showing, storm, token, weight,
};
use jiff::{SignedDuration, Timestamp};

/// A production instance of which nothing is known for so long is an incident (DESIGN §5).
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_mins(10);

/// One instance's incident, from its health as it now is.
pub(crate) fn instance(fold: &mut Fold, instance: &InstanceId) {
    let Some(health) = fold.after.healths.get(instance).cloned() else {
        return;
    };
    if fold.after.configuration.policy(instance.environment).is_none() {
        return;
    }
    let own = fold.after.open_incident(&Cause::Instance(instance.clone())).map(|incident| incident.id);
    match (own, health.status) {
        (Some(id), Status::Operational) => recovering(fold, id, health.since),
        (Some(id), Status::Degraded | Status::PartialOutage | Status::MajorOutage) => {
            goes_on(fold, id, &health);
        }
        (Some(id), Status::Unknown | Status::Maintenance) => unseen(fold, id, &health),
        (None, Status::Operational) => let_go(fold, instance),
        (None, Status::Degraded | Status::PartialOutage | Status::MajorOutage) => begins(fold, &health),
        (None, Status::Unknown | Status::Maintenance) => unknown(fold, &health),
    }
}

/// What left the configuration: nothing more will be heard of it, and nobody is to be called for it.
pub(crate) fn left(fold: &mut Fold) {
    let configuration = fold.configuration();
    let configured = |instance: &InstanceId| {
        let api = configuration.apis.get(&instance.api);
        api.is_some_and(|api| api.instances.contains_key(&instance.environment))
    };
    let open: Vec<Incident> = fold.after.open_incidents().map(|incident| (**incident).clone()).collect();
    for mut incident in open {
        let left = match &incident.cause {
            // Of no environment.
            Cause::Test(test) => (!configuration.people.contains_key(test.person())).then_some("the person"),
            _ if configuration.policy(incident.environment).is_none() => Some("the environment"),
            Cause::Instance(instance) | Cause::Burn(instance) | Cause::Alert(Alerting { instance, .. }) => {
                (!configured(instance)).then_some("the instance")
            }
            Cause::Blind(vantage) | Cause::Behind(vantage) => {
                configuration.vantage(vantage).is_none().then_some("the vantage")
            }
            Cause::Rota(rota) => (!configuration.rotas.contains_key(rota)).then_some("the rota"),
            Cause::Gateway(gateway) => (!gateway::is_used(fold, gateway)).then_some("the gateway"),
            Cause::Token(_)
            | Cause::Certificate(_)
            | Cause::Refused(_)
            | Cause::Storm(_)
            | Cause::Ahead(_) => None,
        };
        incident.held_back.retain(configured);
        match left {
            Some(left) => duty::resolve(fold, incident, &format!("{left} left the configuration")),
            None => fold.put_incident(incident),
        }
    }
}

/// Why an incident cannot be called over: its next look would open another, with another ticket and other calls.
pub(crate) fn still_there(
    situation: &crate::Situation,
    incident: &Incident,
    now: Timestamp,
) -> Option<String> {
    match &incident.cause {
        Cause::Instance(instance) => {
            let status = situation.status(instance);
            let same = status.is_trouble() || (status == incident.worst && status == Status::Unknown);
            same.then(|| format!("{instance} is still {}", status.plain()))
        }
        Cause::Token(_) if !incident.held_back.is_empty() => Some("there still is no token".to_owned()),
        Cause::Certificate(_) if incident.status != IncidentStatus::Recovering => {
            Some("the certificate is still shown".to_owned())
        }
        Cause::Gateway(gateway) if incident.status != IncidentStatus::Recovering => {
            Some(format!("nothing at {} is reached yet", gateway.host))
        }
        Cause::Burn(_) if incident.status != IncidentStatus::Recovering => {
            Some("it still fails too often".to_owned())
        }
        Cause::Refused(_) | Cause::Blind(_) if incident.status != IncidentStatus::Recovering => {
            Some("it still cannot be seen".to_owned())
        }
        Cause::Behind(_) if incident.status != IncidentStatus::Recovering => {
            Some("probes still begin late".to_owned())
        }
        Cause::Rota(rota) => {
            let attended = situation.configuration.rotas.get(rota)?.on_call(now).is_some();
            (!attended).then(|| format!("nobody is on call on {rota} yet"))
        }
        Cause::Storm(_) if incident.status != IncidentStatus::Recovering => {
            Some(format!("{} APIs still fail", incident.held_back.len()))
        }
        // Whoever has seen to it says so.
        Cause::Ahead(Ahead::Clock) => None,
        Cause::Ahead(_) => Some("it is still to come".to_owned()),
        Cause::Alert(alerting) if incident.status != IncidentStatus::Recovering => {
            Some(format!("the alert {} still fires", alerting.name))
        }
        Cause::Token(_)
        | Cause::Burn(_)
        | Cause::Certificate(_)
        | Cause::Gateway(_)
        | Cause::Refused(_)
        | Cause::Blind(_)
        | Cause::Behind(_)
        | Cause::Storm(_)
        | Cause::Alert(_)
        | Cause::Test(_) => None,
    }
}

fn begins(fold: &mut Fold, health: &Health) {
    let instance = &health.instance;
    let configuration = fold.configuration();
    let endpoint = token::endpoint(&configuration, health);
    let mut parents = configuration.ancestors(&instance.api);
    parents.extend(endpoint.as_ref().and_then(|endpoint| endpoint.issuer(&configuration)));
    let mut waited_since = None;
    // Not a copy of its own: each of thousands that it holds back comes by here.
    if let Some(holder) = holder(fold, instance).and_then(|id| fold.after.incidents.get(&id).cloned()) {
        let without_token = endpoint.as_ref().is_some_and(|endpoint| endpoint.is_cause(&holder.cause));
        let needs_it = || !showing::is_shown(&holder.cause) || showing::explains(fold, &holder, &parents);
        let left_behind = gateway::left_behind(fold, &holder, instance);
        waited_since = left_behind.then(|| holder.opened_at.max(health.since));
        if matches!(holder.cause, Cause::Storm(_))
            || without_token
            || !left_behind && showing::shows(fold, &holder.cause, health)
            || (needs_it() && explains(&fold.after, &holder, health.status))
        {
            return;
        }
        let why = format!("{}: {} for a reason of its own", fold.name(instance), health.status.plain());
        release(fold, (*holder).clone(), instance, why);
    }
    if blind::shares(fold, health) {
        return;
    }
    if let Some(bad) = certificate::bad(fold, health) {
        certificate::showing(fold, bad, health);
        return;
    }
    match gateway::word(fold, health) {
        Word::Shut(gateway, since) => return gateway::shut(fold, (&gateway, since), health),
        Word::Awaited => return,
        Word::Own => {}
    }
    let parent = fold.after.open_incidents().find(|incident| {
        incident.environment == instance.environment
            && incident.status != IncidentStatus::Recovering
            && (incident.api.as_ref().is_some_and(|api| parents.contains(api))
                || showing::is_shown_by_one_of(fold, incident, &parents))
            && explains(&fold.after, incident, health.status)
            && !silenced_without(&fold.after, incident, instance, fold.now)
            && health.since + CHILD_MAY_LEAD >= blamed_since(&fold.after, incident)
    });
    if let Some(parent) = parent.map(|parent| parent.id).and_then(|id| fold.incident(id)) {
        hold_back(fold, parent, instance);
        return;
    }
    if let Some(storm) = storm::of(fold, instance) {
        hold_back(fold, storm, instance);
        return;
    }
    let diagnosis = diagnose(&fold.after, instance, health.status, health.layer);
    if let Some(endpoint) = endpoint {
        token::lacking(fold, endpoint, health, diagnosis);
        probe_now(fold, parents, instance.environment);
        return;
    }
    let id = open(fold, Cause::Instance(instance.clone()), health, diagnosis);
    if let Some(since) = waited_since {
        has_waited(fold, id, since);
    }
    alert::take_in(fold, id, health);
    // The fault may be a parent's: ask it now rather than in its turn.
    probe_now(fold, parents, instance.environment);
    take_in_children(fold, id, instance);
}

/// A new incident has waited with the gateway that held it back, for its ticket and its call: no longer than what still is
/// part of a storm, and not where it was told before.
fn has_waited(fold: &mut Fold, id: IncidentId, since: Timestamp) {
    let Some(mut incident) = fold.incident(id).filter(|incident| incident.flaps.epoch == 0) else { return };
    let within = fold.after.configuration.policy(incident.environment).map(|policy| policy.storm.within);
    let within = within.map_or(SignedDuration::ZERO, duty::signed);
    incident.opened_at = incident.opened_at.min(since).max(fold.now - within);
    duty::assess(fold, &mut incident);
    incident.major.iter_mut().for_each(|major| major.at = incident.opened_at);
    fold.put_incident(incident);
}

/// Nothing is known of a production instance for long: somebody has to look.
fn unknown(fold: &mut Fold, health: &Health) {
    let instance = &health.instance;
    if instance.environment != Environment::Production
        || health.maintenance
        || !is_long_unknown(fold, health)
        || holder(fold, instance).is_some()
    {
        return;
    }
    let explained = fold.after.open_incidents().any(|incident| match &incident.cause {
        Cause::Blind(_) => true,
        Cause::Refused(environment) => *environment == instance.environment,
        Cause::Instance(_)
        | Cause::Token(_)
        | Cause::Burn(_)
        | Cause::Certificate(_)
        | Cause::Gateway(_)
        | Cause::Rota(_)
        | Cause::Behind(_)
        | Cause::Storm(_)
        | Cause::Ahead(_)
        | Cause::Alert(_)
        | Cause::Test(_) => false,
    });
    if !explained {
        let diagnosis = diagnose(&fold.after, instance, Status::Unknown, None);
        open(fold, Cause::Instance(instance.clone()), health, diagnosis);
    }
}

/// What nobody saw stay well is not over: it goes on when nothing is known of it for long.
fn unseen(fold: &mut Fold, id: IncidentId, health: &Health) {
    let recovering = fold.incident(id).is_some_and(|incident| incident.status == IncidentStatus::Recovering);
    if recovering && is_long_unknown(fold, health) {
        goes_on(fold, id, health);
    }
}

fn is_long_unknown(fold: &Fold, health: &Health) -> bool {
    fold.now.duration_since(fold.watched(health.since)) >= UNKNOWN_FOR
}

fn goes_on(fold: &mut Fold, id: IncidentId, health: &Health) {
    // It may have been slow before its gateway fell, and it has its own incident for that.
    let news = fold.incident(id).is_some_and(|own| worse(health.status, own.worst));
    if (news || fold.now < health.since + WORD_WITHIN)
        && let Word::Shut(gateway, since) = gateway::word(fold, health)
    {
        return gateway::shut(fold, (&gateway, since), health);
    }
    let Some(mut incident) = fold.incident(id) else {
        return;
    };
    let worse = worse(health.status, incident.worst);
    let returned = incident.status == IncidentStatus::Recovering;
    if returned {
        duty::returned(fold, &mut incident, health.status);
    }
    if worse {
        let what = what(fold, &incident.cause, health);
        incident.note(fold.now, what);
        remark::worsened(&mut incident, health.status, fold.now);
    }
    if worse || incident.layer != health.layer {
        incident.layer = health.layer;
        incident.diagnosis = diagnose(&fold.after, &health.instance, health.status, health.layer);
        let began = incident.failing_since();
        incident.evidence = evidence(&fold.after, &health.instance, began, fold.now);
    }
    fold.put_incident(incident);
    if worse || returned {
        take_in_children(fold, id, &health.instance);
    }
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

/// A new incident; or, where one of this cause was over only lately, that one again.
pub(crate) fn open(fold: &mut Fold, cause: Cause, health: &Health, diagnosis: Text) -> IncidentId {
    if let Some(mut incident) = flapping::of_late(fold, &cause).and_then(|id| fold.incident(id)) {
        flapping::reopen(fold, &mut incident, health);
        incident.diagnosis = diagnosis;
        incident.evidence = evidence(&fold.after, &health.instance, health.since, fold.now);
        let id = incident.id;
        fold.put_incident(incident);
        return id;
    }
    let instance = &health.instance;
    let id = fold.number_incident();
    let mut incident = Incident {
        id,
        status: IncidentStatus::Open,
        priority: Priority::P5,
        major: None,
        environment: instance.environment,
        api: Some(instance.api.clone()),
        affects: vec![instance.clone()],
        held_back: Vec::new(),
        worst: health.status,
        layer: health.layer,
        diagnosis,
        evidence: evidence(&fold.after, instance, health.since, fold.now),
        started_at: health.since,
        opened_at: fold.now,
        flaps: Flaps::default(),
        acknowledged: None,
        recovered_at: None,
        resolved_at: None,
        ticket: Ticket::None,
        background: Vec::new(),
        rank: crate::Rank::default(),
        earlier_tickets: Vec::new(),
        gathered: Vec::new(),
        nudged: Vec::new(),
        escalation: None,
        first_answer: None,
        part_of: None,
        outlasted: None,
        told_at: None,
        told: None,
        alerts: Vec::new(),
        timeline: Vec::new(),
        posts: Vec::new(),
        cause,
    };
    let what = what(fold, &incident.cause, health);
    if let Some((priority, why, cell)) = weight::weigh(fold, &incident) {
        (incident.priority, incident.rank.cell) = (priority, cell);
        incident.note(fold.now, format!("{what}; {priority}: {why}"));
    }
    fold.put_incident(incident);
    id
}

/// What has happened to an instance, for the timeline; its name too where the cause is not itself.
fn what(fold: &Fold, cause: &Cause, health: &Health) -> String {
    let said = format!("{} since {}", health.status.plain(), fold.time(health.since));
    match cause {
        Cause::Instance(_) => said,
        Cause::Storm(_) => format!("much of it fails at once since {}", fold.time(health.since)),
        Cause::Ahead(Ahead::Clock) => "the clock was set".to_owned(),
        Cause::Ahead(_) => "it is to come".to_owned(),
        Cause::Test(_) => "a test".to_owned(),
        Cause::Alert(alerting) => {
            format!("the alert {} fires since {}", alerting.name, fold.time(health.since))
        }
        Cause::Burn(_) => format!("fails again and again since {}", fold.time(health.since)),
        Cause::Behind(vantage) => format!("probes from {vantage} late since {}", fold.time(health.since)),
        Cause::Token(_)
        | Cause::Certificate(_)
        | Cause::Gateway(_)
        | Cause::Blind(_)
        | Cause::Refused(_)
        | Cause::Rota(_) => {
            format!("{}: {said}", fold.name(&health.instance))
        }
    }
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
