//! Values to store.

use crate::place::{On, Place};
use domain::{
    ApiId, Cause, Change, Channel, CheckId, ContactProof, Environment, Failure, FailureKind, Health, Http,
    Incident, IncidentId, IncidentStatus, InstanceId, Layer, Maintenance, Notification, NotificationKind,
    OperationId, Outcome, PersonId, Phases, Priority, Release, RotaId, RotaOverride, Silence, Status,
    StatusChange, Text, Ticket, Track, TrackId, VantageId, Verdict, Way,
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};
use store::{Batch, Store};

/// A store on a database of its own, which goes when this goes.
pub(crate) struct Made {
    pub(crate) store: Store,
    pub(crate) place: Place,
}

impl Made {
    pub(crate) async fn new(on: On) -> Self {
        let place = Place::new(on).await;
        let store = place.open([1; 32]).await;
        Self { store, place }
    }

    /// A second store on the same database, as another program would have.
    pub(crate) async fn another(&self) -> Store {
        self.place.open([2; 32]).await
    }

    /// Closes it and opens it again.
    pub(crate) async fn again(self) -> Self {
        self.store.close().await;
        let store = self.place.open([3; 32]).await;
        Self { store, place: self.place }
    }
}

/// 2026-09-21 14:13:20 UTC and so many milliseconds.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_790_000_000_000 + ms).unwrap()
}

pub(crate) fn instance(api: &str, environment: Environment) -> InstanceId {
    InstanceId { api: ApiId::parse(api).unwrap(), environment }
}

pub(crate) fn results() -> InstanceId {
    instance("results", Environment::Production)
}

pub(crate) fn track_id(instance: InstanceId, operation: &str, vantage: &str) -> TrackId {
    TrackId {
        check: CheckId { instance, operation: OperationId::parse(operation).unwrap() },
        vantage: VantageId::parse(vantage).unwrap(),
    }
}

pub(crate) fn read() -> TrackId {
    track_id(results(), "read", "internet")
}

pub(crate) fn passed(track: &TrackId, ms: i64) -> (Arc<Outcome>, Verdict) {
    let outcome = Outcome {
        total: Duration::from_micros(64 * 1_000),
        ..Outcome::new(track.check.clone(), track.vantage.clone(), at(ms))
    };
    (Arc::new(outcome), Verdict::Pass)
}

pub(crate) fn failed(track: &TrackId, ms: i64) -> (Arc<Outcome>, Verdict) {
    let mut outcome = Arc::unwrap_or_clone(passed(track, ms).0);
    outcome.confirm = true;
    outcome.phases = Phases {
        dns: Some(Duration::from_micros(1_500)),
        connect: Some(Duration::from_millis(2)),
        tls: None,
        first_byte: Some(Duration::from_secs(1)),
        body: Some(Duration::ZERO),
    };
    outcome.failure = Some(Failure {
        layer: Layer::Backend,
        kind: FailureKind::ServerError,
        message: "500 from 192.0.2.7: “gwall”".to_owned(),
    });
    outcome.http = Some(Http { status: 500, version: "HTTP/1.1".into(), remote_ip: None, bytes: 12 });
    outcome.request_id = Some("0197-aa".to_owned());
    (Arc::new(outcome), Verdict::Fail)
}

pub(crate) fn outcomes(outcomes: impl IntoIterator<Item = (Arc<Outcome>, Verdict)>) -> Batch {
    Batch { outcomes: outcomes.into_iter().collect(), ..Batch::default() }
}

pub(crate) fn changes(changes: impl IntoIterator<Item = Change>) -> Batch {
    Batch { changes: changes.into_iter().collect(), ..Batch::default() }
}

pub(crate) fn track(id: TrackId, status: Status, ms: i64) -> Track {
    Track {
        id,
        status,
        since: at(ms),
        layer: None,
        message: Some("Iechyd gwael".to_owned()),
        round: None,
        inconclusive_since: None,
        pulse: None,
    }
}

pub(crate) fn health(instance: InstanceId, status: Status, ms: i64) -> Health {
    Health {
        instance,
        status,
        since: at(ms),
        layer: status.is_down().then_some(Layer::Backend),
        maintenance: false,
    }
}

pub(crate) fn turned(health: Health) -> Change {
    Change::Status(StatusChange { decided_at: health.since, health, why: "2 of 3 probes failed".to_owned() })
}

pub(crate) fn incident(number: u64, api: &str, status: IncidentStatus) -> Incident {
    let instance = instance(api, Environment::Production);
    let opened = i64::try_from(number).unwrap() * 1_000;
    Incident {
        id: IncidentId(number),
        cause: Cause::Instance(instance.clone()),
        status,
        priority: Priority::P1,
        major: None,
        environment: instance.environment,
        api: Some(instance.api.clone()),
        affects: vec![instance],
        held_back: Vec::new(),
        worst: Status::MajorOutage,
        layer: Some(Layer::Backend),
        diagnosis: Text::new("the backend is down", "mae’r gweinydd i lawr"),
        evidence: Vec::new(),
        started_at: at(opened),
        opened_at: at(opened),
        flaps: domain::Flaps::default(),
        acknowledged: None,
        recovered_at: None,
        resolved_at: (status == IncidentStatus::Resolved).then(|| at(opened + 500)),
        ticket: Ticket::None,
        background: Vec::new(),
        rank: domain::Rank::default(),
        earlier_tickets: Vec::new(),
        gathered: Vec::new(),
        nudged: Vec::new(),
        escalation: None,
        first_answer: None,
        part_of: None,
        outlasted: None,
        told_at: None,
        told: None,
        timeline: Vec::new(),
        alerts: Vec::new(),
        posts: Vec::new(),
    }
}

pub(crate) fn opened(number: u64, api: &str) -> Change {
    Change::Incident(Arc::new(incident(number, api, IncidentStatus::Open)))
}

pub(crate) fn notification(key: &str, kind: NotificationKind, ms: i64) -> Notification {
    Notification {
        key: key.to_owned(),
        incident: IncidentId(1),
        kind,
        channel: Channel::Text(PersonId::parse("oncall.one").unwrap()),
        at: at(0),
        not_before: at(ms),
        expires_at: at(ms + 600_000),
    }
}

/// A callout about incident 1, due at once.
pub(crate) fn callout(key: &str) -> Notification {
    notification(key, NotificationKind::Callout { callout: 1 }, 0)
}

/// A version of Results in production.
pub(crate) fn release(ms: i64, version: &str, before: Option<&str>) -> Release {
    Release {
        instance: results(),
        version: version.to_owned(),
        before: before.map(str::to_owned),
        since: at(ms),
        operation: OperationId::parse("status").unwrap(),
    }
}

pub(crate) fn maintenance(id: u64, until: i64) -> Maintenance {
    Maintenance {
        id,
        by: "ann".to_owned(),
        why: Text::new("A new database", "Cronfa ddata newydd"),
        announced_at: at(0),
        from: at(0),
        until: at(until),
        ended_by: None,
        overran_at: None,
        environment: Environment::Production,
        api: None,
    }
}

/// Nia answered.
pub(crate) fn proof(way: Way, ms: i64) -> ContactProof {
    ContactProof { person: PersonId::parse("nia.rees").unwrap(), way, at: at(ms) }
}

/// Nia stands in on the platform's rota.
pub(crate) fn rota_override(id: u64, until: i64) -> RotaOverride {
    RotaOverride {
        id,
        rota: RotaId::parse("platform").unwrap(),
        person: PersonId::parse("nia.rees").unwrap(),
        instead_of: PersonId::parse("oncall.one").ok(),
        from: at(0),
        until: at(until),
        why: Some("a wedding".to_owned()),
        by: "ann".to_owned(),
        added_at: at(0),
        ended_by: None,
        planned: None,
    }
}

pub(crate) fn silence(id: u64, until: i64) -> Silence {
    Silence {
        id,
        by: "desk".to_owned(),
        why: "load test".to_owned(),
        from: at(0),
        until: at(until),
        api: None,
        environment: Some(Environment::Sit),
    }
}

/// A probe that was judged; `total` in steps of 64 µs.
pub(crate) fn probe(
    track: &TrackId,
    ms: i64,
    verdict: Verdict,
    warm: bool,
    total: u64,
) -> (Arc<Outcome>, Verdict) {
    let outcome = Outcome {
        total: Duration::from_micros(64 * total),
        warm,
        ..Outcome::new(track.check.clone(), track.vantage.clone(), at(ms))
    };
    (Arc::new(outcome), verdict)
}

/// One that passed.
pub(crate) fn pass(track: &TrackId, ms: i64, total: u64) -> (Arc<Outcome>, Verdict) {
    probe(track, ms, Verdict::Pass, false, total)
}
