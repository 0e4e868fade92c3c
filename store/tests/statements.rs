//! A batch takes as many statements however many checks are in it: so that one is not slow because it is large.

use domain::{
    ApiId, Change, CheckId, Environment, Health, InstanceId, OperationId, Outcome, Status, StatusChange,
    Track, TrackId, VantageId, Verdict,
};
use jiff::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use store::{Batch, Store};
use tracing::{Event, Metadata, Subscriber, span};

/// Counts what sqlx says of each statement that it runs; the whole program's, so this test is alone in it.
struct Statements(Arc<AtomicU64>);

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// So many checks that were never seen before, the first ten of each instance's, with all that follows from it.
fn first_of(checks: usize, api: &str) -> Batch {
    let at = Timestamp::from_millisecond(1_790_000_000_000).expect("a time");
    let mut batch = Batch::default();
    for n in 0..checks {
        let api = ApiId::parse(&format!("{api}-{}", n / 10)).expect("an id");
        let instance = InstanceId { api, environment: Environment::Sandbox };
        let operation = OperationId::parse(&format!("op{n}")).expect("an id");
        let check = CheckId { instance: instance.clone(), operation };
        let id = TrackId { check: check.clone(), vantage: VantageId::parse("internet").expect("an id") };
        let outcome = Outcome::new(check, id.vantage.clone(), at);
        batch.outcomes.push((Arc::new(outcome), Verdict::Pass));
        let status = Status::Operational;
        batch.changes.push(Change::Track(Arc::new(Track { status, ..Track::unknown(id, at) })));
        let health = Health { instance, status, since: at, layer: None, maintenance: false };
        let why = "unknown → operational".to_owned();
        batch.changes.push(Change::Status(StatusChange { health, decided_at: at, why }));
    }
    batch
}

#[tokio::test]
async fn new_checks_are_recorded_with_as_many_statements_however_many_they_are() {
    let statements = Arc::new(AtomicU64::new(0));
    tracing::subscriber::set_global_default(Statements(Arc::clone(&statements))).unwrap();
    let store = Store::open("sqlite::memory:", [1; 32]).await.unwrap();
    let mut counts = Vec::new();
    for (checks, api) in [(1, "one"), (10, "few"), (50_000, "many")] {
        statements.store(0, Ordering::Relaxed);
        store.record(&first_of(checks, api)).await.unwrap();
        counts.push(statements.load(Ordering::Relaxed));
    }
    let least = counts.iter().min().copied().unwrap();
    assert!(least > 0 && counts.iter().all(|count| *count == least), "{counts:?}");
    store.close().await;
}
