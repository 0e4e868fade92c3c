//! A service review: what a stretch of time was like, with every figure beside what it is counted by. For people as a
//! document of its own, for programs as JSON, for spreadsheets as CSV.

mod document;
mod table;

use crate::{
    Audience, History, IncidentView, Snapshot, Span,
    gather::first_critical,
    past::{Line, rank},
};
use domain::{
    AvailabilityPolicy, Budget, CheckId, Health, Incident, InstanceId, Objective, OperationId, Release,
    Rollup, Situation, Status, Tally,
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};
use store::Store;

/// So many days are read at a time where they must be read one by one.
const FEW: SignedDuration = SignedDuration::from_hours(6 * 24);

/// A service review.
#[derive(Debug)]
pub struct Report {
    /// The time it is about; it ends by `snapshot.as_of`.
    range: Range<Timestamp>,
    /// Some of it was made up, not measured.
    simulated: bool,
    /// Names, words and policy: as of when the report was made.
    snapshot: Snapshot,
    situation: Situation,
    instances: Vec<Reviewed>,
    /// Those that overlap the range and trouble one of the instances, or Curiad itself where production is one of them.
    incidents: Vec<Arc<Incident>>,
}

/// An instance over the range.
#[derive(Debug)]
struct Reviewed {
    id: InstanceId,
    /// Seconds by kind.
    tally: Tally,
    /// The same of its supported hours; `None`: it has none, or too many to be counted.
    supported: Option<Tally>,
    objective: Option<Objective>,
    /// By local day.
    days: Vec<ReviewedDay>,
    /// The first critical operation first.
    operations: Vec<ReviewedOperation>,
    /// What ran when the range began, if that is known, and what began to run in it.
    releases: Vec<Release>,
}

#[derive(Debug)]
struct ReviewedDay {
    date: Date,
    span: Span,
    tally: Tally,
}

#[derive(Debug)]
struct ReviewedOperation {
    id: OperationId,
    /// Keeps its connections: its latency is that of kept ones.
    warm: bool,
    days: BTreeMap<Date, Rollup>,
    sum: Rollup,
}

impl Report {
    /// Reads all of `range` there is about `instances`; `told` is called with the place of each before it is read.
    pub async fn gather(
        store: &Store,
        situation: Situation,
        instances: Vec<InstanceId>,
        range: Range<Timestamp>,
        now: Timestamp,
        mut told: impl FnMut(usize, &InstanceId),
    ) -> Result<Self, store::Error> {
        let snapshot = Snapshot::of(&situation, &History::default(), Audience::Internal, now, now);
        let mut reviewed = Vec::with_capacity(instances.len());
        for (place, id) in instances.into_iter().enumerate() {
            told(place, &id);
            reviewed.push(review(store, &situation, id, &range).await?);
        }
        let simulated = store.simulated().await?.is_some_and(|made| made.touches(range.start, range.end));
        let incidents = store.incidents_between(range.start, range.end).await?.into_iter().map(Arc::new);
        let concerns = |incident: &Arc<Incident>| {
            let of_curiad = incident.affects.is_empty()
                && reviewed.iter().any(|one| one.id.environment == incident.environment);
            let mut touched = incident.affects.iter().chain(&incident.held_back);
            !incident.is_test() && (of_curiad || touched.any(|id| reviewed.iter().any(|one| one.id == *id)))
        };
        let incidents = incidents.filter(concerns).collect();
        Ok(Self { range, simulated, snapshot, situation, instances: reviewed, incidents })
    }

    fn policy(&self) -> &AvailabilityPolicy {
        &self.snapshot.policy
    }

    /// How many incidents troubled an instance, by itself or through another.
    fn incidents_of(&self, id: &InstanceId) -> usize {
        let touches = |one: &&Arc<Incident>| one.affects.contains(id) || one.held_back.contains(id);
        self.incidents.iter().filter(touches).count()
    }

    /// How long a stage took in the middle of all incidents that came to it; of an even number the longer of the two.
    fn median(&self, stage: fn(Stages) -> Option<Duration>) -> Option<Duration> {
        let mut all: Vec<Duration> =
            self.incidents.iter().filter_map(|incident| stage(Stages::of(incident))).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied()
    }

    /// An incident as the pages word it.
    fn view(incident: &Arc<Incident>) -> IncidentView {
        IncidentView {
            incident: Arc::clone(incident),
            affects: incident.affects.clone(),
            held_back: incident.held_back.clone(),
            whole: true,
        }
    }
}

async fn review(
    store: &Store,
    situation: &Situation,
    id: InstanceId,
    range: &Range<Timestamp>,
) -> Result<Reviewed, store::Error> {
    let configuration = &situation.configuration;
    let zone = &configuration.site.time_zone;
    let (before, changes) = store.healths(&id, range.start, range.end).await?;
    let line = Line { before: before.as_ref(), changes: &changes };
    let open =
        configuration.supported_hours(&id.api).and_then(|(_, hours)| hours.between(range.start, range.end));
    Ok(Reviewed {
        tally: line.tally(range.start, range.end),
        supported: open.map(|open| Tally::within(&open, before.as_ref(), &changes, range.start, range.end)),
        objective: configuration.objective(&id),
        days: days(before.as_ref(), &changes, range, zone),
        operations: operations(store, situation, &id, range).await?,
        releases: store.releases(&id, range.start, range.end).await?,
        id,
    })
}

fn days(
    before: Option<&Health>,
    changes: &[Health],
    range: &Range<Timestamp>,
    zone: &TimeZone,
) -> Vec<ReviewedDay> {
    let line = Line { before, changes };
    Tally::days(before, changes, range.start, range.end, zone)
        .into_iter()
        .map(|(date, day, tally)| ReviewedDay { date, span: line.span(day.start, day.end), tally })
        .collect()
}

async fn operations(
    store: &Store,
    situation: &Situation,
    id: &InstanceId,
    range: &Range<Timestamp>,
) -> Result<Vec<ReviewedOperation>, store::Error> {
    let zone = &situation.configuration.site.time_zone;
    let first = first_critical(situation, id);
    let mut operations = Vec::new();
    for check in situation.configuration.checks_of(id).filter(|check| check.heartbeat().is_none()) {
        let days = answers(store, &check.id, range, zone).await?;
        let mut sum = Rollup::default();
        for day in days.values() {
            sum.merge(day);
        }
        let operation =
            ReviewedOperation { id: check.id.operation.clone(), warm: check.is_warm(), days, sum };
        if first.as_ref() == Some(&check.id) {
            operations.insert(0, operation);
        } else {
            operations.push(operation);
        }
    }
    Ok(operations)
}

/// The sums of a check's days.
async fn answers(
    store: &Store,
    check: &CheckId,
    range: &Range<Timestamp>,
    zone: &TimeZone,
) -> Result<BTreeMap<Date, Rollup>, store::Error> {
    let read = async |range: Range<Timestamp>| {
        let read = store.rollups(std::slice::from_ref(check), None, range, zone).await?;
        Ok(read.into_iter().next().unwrap_or_default().by_date())
    };
    let whole = read(range.clone()).await;
    if !matches!(whole, Err(store::Error::TooMuch { .. })) {
        return whole;
    }
    // Much of it waits to be sealed or rolled up: a few days at a time can be read one by one.
    let mut days: BTreeMap<Date, Rollup> = BTreeMap::new();
    let mut at = range.start;
    while at < range.end {
        let next = at.to_zoned(zone.clone()).date().checked_add(FEW).ok();
        let next = next.and_then(|date| date.to_zoned(zone.clone()).ok()).map(|next| next.timestamp());
        let end = next.unwrap_or(range.end).min(range.end);
        for (date, rollup) in read(at..end).await? {
            days.entry(date).or_default().merge(&rollup);
        }
        at = end;
    }
    Ok(days)
}

impl Reviewed {
    /// What its objective is held against: its supported hours where it has any.
    fn promised(&self) -> &Tally {
        self.supported.as_ref().unwrap_or(&self.tally)
    }

    /// What of the objective's budget was spent; `None`: nothing is promised, or nothing was measured.
    fn budget(&self, policy: &AvailabilityPolicy) -> Option<Budget> {
        policy.budget(self.objective?, self.promised())
    }

    /// Its days as so many bars at most, each of as many days in a row; and how many days.
    fn bars(&self, most: usize) -> (Vec<Span>, usize) {
        let days = self.days.len().div_ceil(most).max(1);
        let bar = |days: &[ReviewedDay]| {
            let spans = || days.iter().map(|day| day.span);
            let measured = spans().filter(|span| span.worst != Status::Unknown);
            let worst = measured.map(|span| span.worst).min_by_key(|status| rank(*status));
            let unmeasured = |span: Span| span.gap || span.worst == Status::Unknown;
            Span { worst: worst.unwrap_or(Status::Unknown), gap: worst.is_some() && spans().any(unmeasured) }
        };
        (self.days.chunks(days).map(bar).collect(), days)
    }
}

/// How long an incident's stages took, the last time if it came back; `None`: it did not come to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stages {
    /// From its first failure until it was confirmed.
    detected: Duration,
    /// From then until a human had it.
    acknowledged: Option<Duration>,
    /// From its first failure until the trouble was gone.
    over: Option<Duration>,
}

impl Stages {
    fn of(incident: &Incident) -> Self {
        let between =
            |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
        Self {
            detected: between(incident.failing_since(), incident.opened_at),
            acknowledged: incident.acknowledged.as_ref().map(|by| between(incident.opened_at, by.at)),
            over: incident
                .resolved_at
                .map(|resolved| between(incident.failing_since(), incident.recovered_at.unwrap_or(resolved))),
        }
    }
}
