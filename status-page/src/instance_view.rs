//! What there is to see of each instance and its checks.

use crate::{History, Past};
use domain::{
    Check, Glance, Health, InstanceId, Layer, Release, Situation, Status, Track, TrackId, VantageId, Verdict,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// One instance.
#[derive(Debug, Clone)]
pub struct InstanceView {
    /// Which.
    pub id: InstanceId,
    /// What is shown: maintenance laid over what is measured.
    pub shown: Status,
    /// What is measured.
    pub measured: Status,
    /// Since when it is so; `None`: it was never measured.
    pub since: Option<Timestamp>,
    /// Where it fails, while it does.
    pub layer: Option<Layer>,
    /// When any of its checks last came back.
    pub checked_at: Option<Timestamp>,
    /// Which version runs, where answers name one.
    pub release: Option<Arc<Release>>,
    /// Its checks, critical ones first as configured.
    pub operations: Vec<OperationView>,
    /// Its history, once it was read.
    pub past: Option<Arc<Past>>,
}

/// One check, from all its vantages.
#[derive(Debug, Clone)]
pub struct OperationView {
    /// The check as it runs.
    pub check: Arc<Check>,
    /// Whether the instance is down without it (if no operation is marked, all are).
    pub critical: bool,
    /// As seen from each vantage.
    pub tracks: Vec<TrackView>,
}

/// One check from one vantage.
#[derive(Debug, Clone)]
pub struct TrackView {
    /// Where from.
    pub vantage: VantageId,
    /// Its confirmed status, since when, and why.
    pub track: Option<Arc<Track>>,
    /// When it last came back and how that was judged.
    pub last: Option<(Timestamp, Verdict)>,
    /// The last outcome speaks no longer.
    pub expired: bool,
    /// What there is to say of it, when it came while this process runs.
    pub seen: Option<Glance>,
}

/// The rules have so long to say by themselves that an outcome speaks no longer.
const GRACE: Duration = Duration::from_secs(5);

/// The views of all instances, whoever may see them.
pub(crate) struct AllInstances(BTreeMap<InstanceId, Arc<InstanceView>>);

impl AllInstances {
    pub(crate) fn of(situation: &Situation, history: &History, now: Timestamp) -> Self {
        let view = |id: InstanceId| (id.clone(), Arc::new(instance_view(situation, history, id, now)));
        Self(situation.configuration.instances().map(view).collect())
    }

    /// That of one.
    pub(crate) fn get(&self, id: &InstanceId) -> Option<&Arc<InstanceView>> {
        self.0.get(id)
    }
}

/// Whether an outcome of `at` speaks no longer (DESIGN §5, "Valid for how long").
pub(crate) fn is_over(at: Timestamp, check: &Check, now: Timestamp) -> bool {
    at.checked_add(check.validity(at)).is_ok_and(|end| end < now)
}

fn instance_view(situation: &Situation, history: &History, id: InstanceId, now: Timestamp) -> InstanceView {
    let health = situation.healths.get(&id);
    let checks: Vec<&Arc<Check>> = situation.configuration.checks_of(&id).collect();
    let none_marked = checks.iter().all(|check| !check.operation.critical);
    let operations = checks
        .into_iter()
        .map(|check| OperationView {
            critical: check.operation.critical || none_marked,
            tracks: check.from.iter().map(|vantage| track_view(situation, check, vantage, now)).collect(),
            check: check.clone(),
        })
        .collect();
    // Where nobody turned the page of its history in time: what speaks no longer is Unknown (DESIGN §5).
    let silent_since = health.and_then(|health| silent_since(situation, health, now));
    let measured = |health: &Health| if silent_since.is_some() { Status::Unknown } else { health.status };
    InstanceView {
        shown: health.map_or(Status::Unknown, |health| {
            if health.maintenance { Status::Maintenance } else { measured(health) }
        }),
        measured: health.map_or(Status::Unknown, |health| measured(health)),
        since: health.map(|health| silent_since.unwrap_or(health.since)),
        layer: health.filter(|_| silent_since.is_none()).and_then(|health| health.layer),
        checked_at: situation.checked_at(&id),
        release: situation.releases.get(&id).cloned(),
        past: history.instances.get(&id).cloned(),
        operations,
        id,
    }
}

/// Since when none of an instance's critical checks speaks, if its status says that one does.
fn silent_since(situation: &Situation, health: &Health, now: Timestamp) -> Option<Timestamp> {
    if health.status == Status::Unknown {
        return None;
    }
    let checks = || situation.configuration.checks_of(&health.instance);
    let any_marked = checks().any(|check| check.operation.critical);
    let critical = checks().filter(|check| check.operation.critical || !any_marked);
    let ends = critical.flat_map(|check| {
        check.from.iter().filter_map(|vantage| {
            let id = TrackId { check: check.id.clone(), vantage: vantage.clone() };
            let at = situation.latest.get(&id)?.at;
            at.checked_add(check.validity(at) + GRACE).ok()
        })
    });
    ends.max().filter(|end| *end < now).map(|end| end.max(health.since))
}

fn track_view(situation: &Situation, check: &Check, vantage: &VantageId, now: Timestamp) -> TrackView {
    let id = TrackId { check: check.id.clone(), vantage: vantage.clone() };
    let latest = situation.latest.get(&id);
    TrackView {
        vantage: vantage.clone(),
        track: situation.tracks.get(&id).cloned(),
        last: latest.map(|latest| (latest.at, latest.verdict)),
        expired: latest.is_none_or(|latest| is_over(latest.at, check, now)),
        seen: latest.and_then(|latest| latest.outcome.as_deref().map(Glance::from)),
    }
}
