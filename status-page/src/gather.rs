//! The shell that reads history from the store for the pages: at the start and from time to time, never for a request.

use crate::{
    Errors, History, Past, Responses,
    incident_view::MAX_INCIDENTS,
    responses::{HOURS_OF_WEEK, Hours, hour, ranks},
};
use domain::{CheckId, ErrorClass, Failure, IncidentId, InstanceId, Percentiles, Release, Situation, Status};
use jiff::{SignedDuration, Timestamp};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use store::{IncidentFilter, Store};

/// Response times are of the last hour…
const LATENCY_RANGE: Duration = Duration::from_secs(3600);
/// …and of so many answers at most.
const LATENCY_SAMPLES: u32 = 400;

/// Versions of one instance that are shown.
const VERSIONS: usize = 100;

/// Response times of long ranges are read again after this: they change little, and cost most of the reading.
const RESPONSES: SignedDuration = SignedDuration::from_mins(5);

/// Hours before this one that are read again each time: what is measured in them may not be recorded yet.
const OPEN_HOURS: i64 = 2;

/// Reads the history of every configured instance; of the `last` one stays what changes little, for a while.
pub(crate) async fn gather(
    store: &Store,
    situation: &Situation,
    now: Timestamp,
    last: &History,
) -> Result<History, store::Error> {
    let recent =
        last.responses_at.filter(|at| (SignedDuration::ZERO..RESPONSES).contains(&now.duration_since(*at)));
    let zone = &situation.configuration.site.time_zone;
    let begins = Past::begins(now, zone);
    let configuration = &situation.configuration;
    let open: HashMap<_, _> = configuration
        .hours
        .iter()
        .filter_map(|(id, hours)| Some((id, hours.between(begins, now)?)))
        .collect();
    let mut instances = HashMap::new();
    for id in situation.configuration.instances() {
        let (before, changes) = store.healths(&id, begins, now).await?;
        let open = configuration.supported_hours(&id.api).and_then(|(hours, _)| open.get(hours));
        let agreed = (open.map(Vec::as_slice), configuration.objective(&id));
        let mut past = Past::of((before.as_ref(), &changes), now, zone, agreed);
        past.releases = releases(store, situation, (&id, last), (begins, now)).await?;
        let known = last.instances.get(&id).filter(|_| recent.is_some());
        past.responses = match known {
            Some(known) => known.responses.clone(),
            // Hours that are over wait to be sealed: until they are there is no time to read them one by one.
            None => match responses(store, situation, &id, now, last).await {
                Err(store::Error::TooMuch { .. }) => None,
                read => read?,
            },
        };
        // While it works, errors and the times of the last hour are read as seldom as those of long ranges: they cost seven
        // statements an instance.
        let works = situation.healths.get(&id).is_some_and(|health| health.status == Status::Operational);
        let known = known.filter(|_| works);
        past.latency = match known.and_then(|known| known.latency) {
            Some(known) => Some(known),
            None => latency(store, situation, &id, now).await?,
        };
        past.errors = match known.and_then(|known| known.errors.clone()) {
            Some(known) => Some(known),
            None => Some(errors(store, &id, now).await?),
        };
        instances.insert(id, Arc::new(past));
    }
    let filter = IncidentFilter {
        open_only: false,
        since: Some(begins),
        limit: u32::try_from(MAX_INCIDENTS).unwrap_or(u32::MAX),
    };
    let first_incident_at = match last.first_incident_at {
        Some(known) => Some(known),
        None => store.incident(IncidentId(1)).await?.map(|incident| incident.started_at),
    };
    let incidents = store.incidents(filter).await?.into_iter().map(Arc::new).collect();
    Ok(History {
        taken_at: Some(now),
        responses_at: recent.or(Some(now)),
        first_incident_at,
        instances,
        incidents,
    })
}

/// What a caller met in the last 24 hours, as far as our probes met it too.
async fn errors(store: &Store, id: &InstanceId, now: Timestamp) -> Result<Arc<[Errors]>, store::Error> {
    let from = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    let mut classes: BTreeMap<ErrorClass, (u64, Timestamp)> = BTreeMap::new();
    for row in store.failure_counts(id, from, now).await? {
        let failure = row.failure.map(|(layer, kind)| Failure { layer, kind, message: String::new() });
        if let Some(class) = ErrorClass::of(row.verdict, failure.as_ref()) {
            let (count, last_at) = classes.entry(class).or_insert((0, row.last_at));
            *count += row.count;
            *last_at = row.last_at.max(*last_at);
        }
    }
    let mut errors: Vec<Errors> =
        classes.into_iter().map(|(class, (count, last_at))| Errors { class, count, last_at }).collect();
    errors.sort_by_key(|errors| Reverse(errors.count));
    Ok(errors.into())
}

/// Which versions ran; read again when another one runs.
async fn releases(
    store: &Store,
    situation: &Situation,
    (id, last): (&InstanceId, &History),
    (from, to): (Timestamp, Timestamp),
) -> Result<Arc<[Release]>, store::Error> {
    let running = situation.releases.get(id).map(|release| &**release);
    match last.instances.get(id).map(|past| &past.releases) {
        Some(known) if known.last() == running => Ok(Arc::clone(known)),
        None if running.is_none() => Ok(Arc::default()),
        _ => {
            let all = store.releases(id, from, to).await?;
            let newest = all.get(all.len().saturating_sub(VERSIONS)..).unwrap_or_default();
            Ok(newest.into())
        }
    }
}

/// How fast the first critical operation (or else the first) answered well in the last hour.
async fn latency(
    store: &Store,
    situation: &Situation,
    id: &InstanceId,
    now: Timestamp,
) -> Result<Option<Percentiles>, store::Error> {
    let Some(check) = first_critical(situation, id) else {
        return Ok(None);
    };
    let from = now.checked_sub(LATENCY_RANGE).unwrap_or(Timestamp::MIN);
    let warm = situation.configuration.checks.get(&check).is_some_and(|check| check.is_warm());
    let samples = store.samples(&check, None, from, now, LATENCY_SAMPLES).await?;
    let mut answers: Vec<Duration> =
        samples.into_iter().filter(|sample| sample.tells_latency(warm)).map(|sample| sample.total).collect();
    Ok(Percentiles::of(&mut answers))
}

/// How fast it answered in the last day, and by the days of a year.
async fn responses(
    store: &Store,
    situation: &Situation,
    id: &InstanceId,
    now: Timestamp,
    last: &History,
) -> Result<Option<Arc<Responses>>, store::Error> {
    let Some(check) = first_critical(situation, id) else {
        return Ok(None);
    };
    let zone = &situation.configuration.site.time_zone;
    let warm = situation.configuration.checks.get(&check).is_some_and(|check| check.is_warm());
    let operation = check.operation.clone();
    let known = last.instances.get(id).and_then(|past| past.responses.as_ref());
    let known = known.filter(|known| {
        known.operation == operation && last.responses_at.is_some_and(|at| hour(at) == hour(now))
    });
    let known = known.map_or(&[][..], |known| known.known_hours());
    let hours = hours(store, &check, now, known, warm).await?;
    let checks = [check];
    let read = async |days: i64, from: Timestamp| {
        let from = from.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN);
        Ok::<_, store::Error>(store.rollups(&checks, None, from..now, zone).await?.pop().unwrap_or_default())
    };
    let today = domain::Day::around(now, zone);
    let (days, last_day) = (read(365, today.begins).await?, read(1, now).await?);
    Ok(Responses::of(operation, (&days, &last_day, hours), (now, today.date), warm).map(Arc::new))
}

/// Of a week of hours, how long answers took. Those that are over by long are read once an hour: of what comes late, that much
/// later is told.
async fn hours(
    store: &Store,
    check: &CheckId,
    now: Timestamp,
    known: &[(Timestamp, [u32; 5])],
    warm: bool,
) -> Result<Hours, store::Error> {
    let ago = |hours| hour(now).checked_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN);
    let from = if known.is_empty() { ago(HOURS_OF_WEEK - 1) } else { ago(OPEN_HOURS) };
    let kept = known.iter().filter(|(begins, _)| *begins < from).copied();
    let read = store.hourly(check, from..now).await?;
    Ok(kept.chain(ranks(read, warm)).collect())
}

/// The operation whose latency stands for its instance: the first critical one, else the first.
pub(crate) fn first_critical(situation: &Situation, id: &InstanceId) -> Option<CheckId> {
    let api = situation.configuration.apis.get(&id.api)?;
    let runs = |operation: &&Arc<domain::Operation>| {
        situation
            .configuration
            .checks
            .contains_key(&CheckId { instance: id.clone(), operation: operation.id.clone() })
    };
    // What is heard has no latency.
    let asked = |operation: &&Arc<domain::Operation>| operation.request.heartbeat().is_none();
    let running = || api.operations.iter().filter(runs).filter(asked);
    let operation = running().find(|operation| operation.critical).or_else(|| running().next())?;
    Some(CheckId { instance: id.clone(), operation: operation.id.clone() })
}
