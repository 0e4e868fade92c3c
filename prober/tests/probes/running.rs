//! A schedule that runs.

use crate::setting::{check, check_id, internet, settings};
use domain::{Check, Clock, Configuration, Outcome, Site, Text, TrackId, Vantage, Wanted};
use jiff::tz::TimeZone;
use prober::{Error, Prober, Settings, Work, run};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Nothing here takes this long.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn configuration(checks: Vec<Check>) -> Arc<Configuration> {
    Arc::new(Configuration {
        site: Site {
            title: Text::new("Status", "Statws"),
            url: Text::new("https://status.example", "https://statws.example"),
            time_zone: TimeZone::UTC,
            security: None,
            accessibility: None,
            access: None,
            subscriptions: true,
        },
        environments: BTreeMap::new(),
        apis: BTreeMap::new(),
        checks: checks.into_iter().map(|check| (check.id.clone(), Arc::new(check))).collect(),
        vantages: vec![Vantage::new(internet())],
        teams: BTreeMap::new(),
        people: BTreeMap::new(),
        rotas: BTreeMap::new(),
        contact_proof: None,
        alerts_call_out: false,
        text_replies: false,
        text_prefix: None,
        daily_test: None,
        hours: BTreeMap::new(),
        escalations: BTreeMap::new(),
        desks: BTreeMap::new(),
        priorities: domain::Priorities::default(),
        availability: domain::AvailabilityPolicy::default(),
        secrets_end: BTreeMap::new(),
    })
}

/// A check that is due ten times a second.
pub(crate) fn quick(operation: &str, url: &str) -> Check {
    Check {
        id: check_id(operation),
        every: Duration::from_millis(100),
        timeout: Duration::from_secs(5),
        ..check(url)
    }
}

/// One that is not due while a test runs.
pub(crate) fn rare(operation: &str, url: &str) -> Check {
    Check { every: Duration::from_hours(24 * 365), ..quick(operation, url) }
}

pub(crate) fn track(operation: &str) -> TrackId {
    TrackId { check: check_id(operation), vantage: internet() }
}

/// A run, and the ends of its channels.
pub(crate) struct Running {
    pub(crate) clock: Clock,
    pub(crate) prober: Arc<Prober>,
    pub(crate) work: watch::Sender<Work>,
    pub(crate) wanted: mpsc::Sender<Wanted>,
    pub(crate) outcomes: mpsc::Receiver<Outcome>,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinSet<Result<(), Error>>,
}

impl Running {
    pub(crate) fn start(checks: Vec<Check>) -> Self {
        Self::with(settings(), checks, 1024)
    }

    pub(crate) fn with(settings: Settings, checks: Vec<Check>, room: usize) -> Self {
        let clock = settings.clock.clone();
        let prober = Arc::new(Prober::new(settings).unwrap());
        let work =
            Work { prober: Arc::clone(&prober), others: Vec::new(), configuration: configuration(checks) };
        let (work, working) = watch::channel(work);
        let (wanted, wants) = mpsc::channel(16);
        let (sender, outcomes) = mpsc::channel(room);
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(run(working, wants, sender, stop.clone()));
        Self { clock, prober, work, wanted, outcomes, stop, task }
    }

    /// A new configuration is read.
    pub(crate) fn takes(&self, checks: Vec<Check>) {
        let prober = Arc::clone(&self.prober);
        self.work.send(Work { prober, others: Vec::new(), configuration: configuration(checks) }).unwrap();
    }

    pub(crate) async fn next(&mut self) -> Outcome {
        tokio::time::timeout(LONG, self.outcomes.recv()).await.expect("an outcome in time").expect("it runs")
    }

    pub(crate) async fn ends(&mut self) -> Result<(), Error> {
        tokio::time::timeout(LONG, self.task.join_next()).await.expect("it ends").unwrap().unwrap()
    }
}

pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "{what} does not come true");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
