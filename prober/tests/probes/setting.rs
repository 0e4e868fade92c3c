//! Probers and checks for the tests.

use domain::{
    ApiId, Check, CheckId, Clock, Egress, Environment, Expect, FailureKind, Guards, HttpRequest, InstanceId,
    Layer, Operation, OperationId, Outcome, PrivateAddresses, Request, VantageId,
};
use jiff::Timestamp;
use prober::{Identity, Limits, NameServers, Prober, Settings};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) const KEY: [u8; 32] = [7; 32];
pub(crate) const USER_AGENT: &str = "Curiad/0 (+https://status.example.wales)";

/// Noon, 20 November 2026.
pub(crate) fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A clock that starts at noon and runs.
pub(crate) fn running() -> Clock {
    let start = Instant::now();
    Clock::new(move || noon() + start.elapsed())
}

pub(crate) fn internet() -> VantageId {
    VantageId::parse("internet").unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings {
        vantage: internet(),
        guards: Guards::default(),
        private_addresses: PrivateAddresses::AsWritten,
        egress: Egress::default(),
        roots: Vec::new(),
        clock: running(),
        limits: Limits::default(),
        identity: Identity { request_id_key: KEY, user_agent: USER_AGENT.to_owned() },
        transcripts: false,
        name_servers: NameServers::These(Vec::new()),
    }
}

pub(crate) fn prober() -> Prober {
    Prober::new(settings()).unwrap()
}

pub(crate) fn check_id(operation: &str) -> CheckId {
    CheckId {
        instance: InstanceId { api: ApiId::parse("results").unwrap(), environment: Environment::Production },
        operation: OperationId::parse(operation).unwrap(),
    }
}

/// `GET {url}/ping` every 10 s, at most 5 s, any of 200–299.
pub(crate) fn check(url: &str) -> Check {
    Check {
        id: check_id("ping"),
        url: url.to_owned(),
        operation: Arc::new(Operation {
            id: OperationId::parse("ping").unwrap(),
            critical: true,
            request: Request::Http(HttpRequest::get("/ping")),
            expect: Arc::default(),
        }),
        credential: None,
        every: Duration::from_secs(10),
        slow: Duration::from_secs(1),
        timeout: Duration::from_secs(5),
        from: vec![internet()],
        test_patients: std::sync::Arc::default(),
        apart: None,
    }
}

/// What is asked, and what counts as good, to change it.
pub(crate) fn change(check: &mut Check) -> &mut Operation {
    Arc::make_mut(&mut check.operation)
}

/// What its answer must be like, to change it.
pub(crate) fn expect(check: &mut Check) -> &mut Expect {
    Arc::make_mut(&mut change(check).expect)
}

/// What is asked over HTTP, to change it.
pub(crate) fn request(check: &mut Check) -> &mut HttpRequest {
    let Request::Http(request) = &mut change(check).request else { panic!("not over HTTP") };
    request
}

/// The same, with little patience: for what hangs.
pub(crate) fn impatient(url: &str) -> Check {
    Check { timeout: Duration::from_millis(300), ..check(url) }
}

pub(crate) async fn probe(check: &Check) -> Outcome {
    prober().probe(check, noon(), false).await
}

/// Layer and kind of the failure.
pub(crate) fn failed(outcome: &Outcome) -> Option<(Layer, FailureKind)> {
    sound(outcome);
    outcome.failure.as_ref().map(|failure| (failure.layer, failure.kind))
}

pub(crate) fn message(outcome: &Outcome) -> &str {
    outcome.failure.as_ref().map_or("", |failure| &failure.message)
}

/// What holds of every outcome.
pub(crate) fn sound(outcome: &Outcome) {
    let phases = &outcome.phases;
    let all = [phases.dns, phases.connect, phases.tls, phases.first_byte, phases.body];
    let sum: Duration = all.into_iter().flatten().sum();
    assert!(sum <= outcome.total, "phases {phases:?} are longer than the whole, {:?}", outcome.total);
    assert_eq!(outcome.at.as_nanosecond() % 1_000_000, 0, "to the millisecond");
    assert!(!message(outcome).ends_with('.') && !message(outcome).contains('\n'), "{}", message(outcome));
}
