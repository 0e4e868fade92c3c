//! How instances were over a range, read from the store when somebody asks.

use crate::{
    Audience, Snapshot,
    body::Body,
    csv, form,
    gather::first_critical,
    measuring,
    problem::Problem,
    rfc3339,
    router::{Shown, open_to_all},
    view::View,
};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header},
};
use domain::{
    ApiId, AvailabilityPolicy, CheckId, Environment, Health, InstanceId, OperationId, PhaseSum, PhaseSums,
    Summary, Tally, VantageId,
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};
use store::Days;
use tokio::{sync::SemaphorePermit, task::spawn_blocking};

/// A ranged read that takes longer than this is refused.
const READ_LIMIT: Duration = Duration::from_secs(3);
/// How far back a range goes when nothing is said.
const DEFAULT_RANGE: Duration = Duration::from_secs(90 * 24 * 3600);

/// What a ranged read asks for.
struct Asked {
    instance: InstanceId,
    from: Timestamp,
    to: Timestamp,
    operation: Option<OperationId>,
    vantage: Option<VantageId>,
    by: By,
}

/// What a range is told apart into, by local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Day,
    Month,
}

impl By {
    /// Whether two days are told as one.
    fn joins(self, one: Date, next: Date) -> bool {
        self == Self::Month && one.first_of_month() == next.first_of_month()
    }

    /// What each is called, and the list of them.
    fn name(self, date: Date) -> String {
        match self {
            Self::Day => date.to_string(),
            Self::Month => date.strftime("%Y-%m").to_string(),
        }
    }

    const fn list(self) -> &'static str {
        match self {
            Self::Day => "days",
            Self::Month => "months",
        }
    }
}

/// Whether there is such an instance for this audience comes before all that is wrong beside it.
fn asked(uri: &Uri, now: Timestamp, snapshot: &Snapshot) -> Result<Asked, Problem> {
    let query = uri.query().unwrap_or_default();
    let given = |name: &'static str| form::value(query, name);
    let needed = |name: &'static str| {
        given(name).ok_or_else(|| Problem::bad(format!("say which {name}: add {name}=… to the query")))
    };
    let time = |name: &'static str| -> Result<Option<Timestamp>, Problem> {
        given(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    Problem::bad(format!("'{name}' must be RFC 3339, such as 2026-11-21T00:00:00Z"))
                })
            })
            .transpose()
    };
    let unknown = |_: domain::IdError| Problem::NOT_FOUND;
    let instance = InstanceId {
        api: ApiId::parse(&needed("api")?).map_err(unknown)?,
        environment: Environment::parse(&needed("environment")?).ok_or(Problem::NOT_FOUND)?,
    };
    snapshot.instance(&instance).ok_or(Problem::NOT_FOUND)?;
    let to = time("to")?.unwrap_or(now).min(now);
    let from = match time("from")? {
        Some(from) => from,
        None => to.checked_sub(DEFAULT_RANGE).unwrap_or(Timestamp::MIN),
    };
    if from >= to {
        return Err(Problem::bad("'from' must be before 'to' and in the past"));
    }
    Ok(Asked {
        instance,
        from,
        to,
        operation: given("operation").map(|text| OperationId::parse(&text)).transpose().map_err(unknown)?,
        vantage: given("vantage").map(|text| VantageId::parse(&text)).transpose().map_err(unknown)?,
        by: match given("by").as_deref() {
            None | Some("day") => By::Day,
            Some("month") => By::Month,
            Some(_) => return Err(Problem::bad("'by' is day or month")),
        },
    })
}

/// `GET /api/v1/history`: through the store's readers, with a time limit; never in the path of a page.
pub(crate) async fn history(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response<HttpBody> {
    let body = async {
        let as_csv = wants_csv(&uri, &headers)?;
        let asked = asked(&uri, shown.site.0.clock.now(), &shown.site.view(shown.audience).snapshot)?;
        in_time(async {
            let _permit = permit(&shown).await?;
            let read = read(&shown, asked).await?;
            made(move || document(&said(&read), as_csv, csv::days)).await
        })
        .await
    };
    match body.await {
        Ok(body) => answer(&shown, &method, &headers, &body),
        Err(problem) => problem.answer(shown.audience),
    }
}

/// Whether it is to be a table.
pub(crate) fn wants_csv(uri: &Uri, headers: &HeaderMap) -> Result<bool, Problem> {
    match form::value(uri.query().unwrap_or_default(), "format").as_deref() {
        None => Ok(form::accepts(headers, "text/csv", "application/json")),
        Some("csv") => Ok(true),
        Some("json") => Ok(false),
        Some(_) => Err(Problem::bad("'format' is json or csv")),
    }
}

/// What is read, or that it takes too long.
pub(crate) async fn in_time<T>(read: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let late = |_| Problem::unavailable("the range took too long to read; ask for a shorter one");
    tokio::time::timeout(READ_LIMIT, read).await.map_err(late)?
}

/// Made of what was read, beside the threads that serve: so much takes a moment, in which probes are due.
pub(crate) async fn made<T: Send + 'static>(make: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    spawn_blocking(make).await.map_err(|_| Problem::unavailable("the site is stopping"))
}

/// As JSON, or as the table that is made of it.
pub(crate) fn document(value: &Value, as_csv: bool, table: fn(&Value) -> String) -> Body {
    if as_csv {
        Body::new("text/csv; charset=utf-8; header=present", table(value).into_bytes())
    } else {
        Body::new("application/json", value.to_string().into_bytes())
    }
}

/// What was read goes out.
pub(crate) fn answer(shown: &Shown, method: &Method, headers: &HeaderMap, body: &Body) -> Response<HttpBody> {
    let mut response = body.answer(method, headers, StatusCode::OK, "no-cache");
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    if shown.audience == Audience::Internal {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    open_to_all(response, shown.audience)
}

/// So many reads at once, at most.
pub(crate) async fn permit(shown: &Shown) -> Result<SemaphorePermit<'_>, Problem> {
    shown.site.0.limits.reads.acquire().await.map_err(|_| Problem::unavailable("the site is stopping"))
}

/// What is said of a read that failed.
pub(crate) fn failed(error: &store::Error) -> Problem {
    if matches!(error, store::Error::TooMuch { .. }) {
        return Problem::bad(format!("{error}; ask for a shorter range"));
    }
    tracing::warn!(%error, "a ranged read failed");
    Problem::unavailable("history cannot be read just now")
}

/// What the history of an instance is made of.
struct Read {
    asked: Asked,
    view: Arc<View>,
    /// Whose latency.
    check: Option<CheckId>,
    /// The health at the beginning of the range, and what changed in it.
    before: Option<Health>,
    changes: Vec<Health>,
    sums: Days,
    phases: BTreeMap<Date, [PhaseSums; 2]>,
    simulated: bool,
}

async fn read(shown: &Shown, asked: Asked) -> Result<Read, Problem> {
    let view = shown.site.view(shown.audience);
    let instance = view.snapshot.instance(&asked.instance).ok_or(Problem::NOT_FOUND)?;
    let check = match &asked.operation {
        Some(operation) => instance
            .operations
            .iter()
            .find(|view| view.check.id.operation == *operation)
            .map(|view| view.check.id.clone())
            .ok_or(Problem::NOT_FOUND)
            .map(Some)?,
        None => first_critical(&view.situation, &asked.instance),
    };
    let known = |vantage: &VantageId| {
        let tracks = instance.operations.iter().flat_map(|operation| &operation.tracks);
        tracks.into_iter().any(|track| track.vantage == *vantage)
    };
    if asked.vantage.as_ref().is_some_and(|vantage| !known(vantage)) {
        return Err(Problem::NOT_FOUND);
    }
    let store = &shown.site.0.store;
    let failed = |error| failed(&error);
    let (before, changes) = store.healths(&asked.instance, asked.from, asked.to).await.map_err(failed)?;
    let (zone, range, vantage) =
        (&view.snapshot.site.time_zone, asked.from..asked.to, asked.vantage.as_ref());
    let (mut sums, mut phases) = (Days::default(), BTreeMap::new());
    if let Some(check) = &check {
        let one = std::slice::from_ref(check);
        let read = store.rollups(one, vantage, range.clone(), zone).await.map_err(failed)?;
        sums = read.into_iter().next().unwrap_or_default();
        phases = store.phases(check, vantage, range, zone).await.map_err(failed)?;
    }
    let simulated = store.simulated().await.map_err(failed)?;
    let simulated = simulated.is_some_and(|made_up| made_up.touches(asked.from, asked.to));
    Ok(Read { asked, view, check, before, changes, sums, phases, simulated })
}

fn said(read: &Read) -> Value {
    let Read { asked, view, check, before, changes, sums, phases, simulated } = read;
    let configuration = &view.situation.configuration;
    let known = check.as_ref().and_then(|check| configuration.checks.get(check));
    let warm = known.is_some_and(|check| check.is_warm());
    let policy = &configuration.availability;
    let hours = configuration.supported_hours(&asked.instance.api);
    // Null where there are no such hours, or more of them than are counted.
    let open = hours.and_then(|(_, hours)| hours.between(asked.from, asked.to));
    let supported = |from: Timestamp, to: Timestamp| {
        let tally = open.as_ref().map(|open| Tally::within(open, before.as_ref(), changes, from, to));
        tally.map(|tally| figures(policy, &tally))
    };
    let days = Tally::days(before.as_ref(), changes, asked.from, asked.to, &view.snapshot.site.time_zone);
    let part = |days: &[(Date, Range<Timestamp>, Tally)]| {
        let ((first, begin, _), (last, end, _)) = (days.first()?, days.last()?);
        let mut whole = Tally::default();
        for (_, _, tally) in days {
            whole += *tally;
        }
        let mut fields = stretch(policy, &whole, sums.sum(*first..=*last).summary(), warm);
        let phases = phases.range(*first..=*last).map(|(_, phases)| *phases);
        fields.insert("supported".to_owned(), json!(supported(begin.start, end.end)));
        fields.insert("phases_ms".to_owned(), phases_ms(phases, warm));
        fields.insert("date".to_owned(), json!(asked.by.name(*first)));
        Some(Value::Object(fields))
    };
    let parts = days.chunk_by(|(one, ..), (next, ..)| asked.by.joins(*one, *next)).filter_map(part).collect();
    let whole = Tally::of(before.as_ref(), changes, asked.from, asked.to);
    let mut fields = stretch(policy, &whole, sums.sum(..).summary(), warm);
    let in_words = configuration.policy(asked.instance.environment).map(|environment| {
        let confirm = environment.confirm;
        format!(
            "{policy}; down = partial and major outage; confirmed by {} of {} probes every {} s; over after {} passes in a row",
            confirm.fail,
            confirm.of,
            confirm.every.as_secs(),
            confirm.recover
        )
    });
    fields.insert("phases_ms".to_owned(), phases_ms(phases.values().copied(), warm));
    fields.insert("policy".to_owned(), json!(in_words));
    let objective = configuration.objective(&asked.instance);
    let hours = hours.map(|(_, hours)| hours);
    fields.insert("availability_policy".to_owned(), measuring::policy_json(policy, hours, objective));
    fields.insert("supported".to_owned(), json!(supported(asked.from, asked.to)));
    fields.insert("from".to_owned(), json!(rfc3339(asked.from)));
    fields.insert("to".to_owned(), json!(rfc3339(asked.to)));
    fields.insert("simulated".to_owned(), json!(simulated));
    fields.insert(asked.by.list().to_owned(), Value::Array(parts));
    Value::Object(fields)
}

/// A stretch of history: seconds by kind, shares, latency of good answers (over kept connections if `warm`, else over fresh
/// ones).
pub(crate) fn stretch(
    policy: &AvailabilityPolicy,
    tally: &Tally,
    sum: Summary,
    warm: bool,
) -> Map<String, Value> {
    let ms = |duration: Duration| (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0;
    let latency = sum.latency(warm).took().map(|p| {
        json!({ "p50": ms(p.p50), "p90": ms(p.p90), "p95": ms(p.p95), "p99": ms(p.p99), "max": ms(p.max) })
    });
    let mut fields = figures(policy, tally);
    fields.insert("latency_ms".to_owned(), json!(latency));
    fields.insert("samples".to_owned(), json!(sum.samples()));
    fields
}

/// Each phase of good answers, over kept connections if `warm`, else over fresh ones; null where none was counted.
fn phases_ms(all: impl IntoIterator<Item = [PhaseSums; 2]>, warm: bool) -> Value {
    let ms = |duration: Duration| (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0;
    let mut sums = PhaseSums::default();
    for [fresh, kept] in all {
        sums.merge(if warm { &kept } else { &fresh });
    }
    let phase = |sum: &PhaseSum| {
        let mean = sum.mean()?;
        Some(json!({ "mean": ms(mean), "max": ms(sum.longest()), "count": sum.count }))
    };
    if sums.is_empty() {
        return Value::Null;
    }
    PhaseSums::NAMES.iter().zip(&sums.0).map(|(name, sum)| ((*name).to_owned(), json!(phase(sum)))).collect()
}

/// Seconds by kind, and the shares that the policy makes of them.
pub(crate) fn figures(policy: &AvailabilityPolicy, tally: &Tally) -> Map<String, Value> {
    let seconds = json!({
        "operational": tally.operational,
        "degraded": tally.degraded,
        "down": tally.down,
        "maintenance": tally.maintenance.total(),
        "unknown": tally.unknown,
    });
    let planned = json!({
        "operational": tally.maintenance.operational,
        "degraded": tally.maintenance.degraded,
        "down": tally.maintenance.down,
    });
    Map::from_iter([
        ("seconds".to_owned(), seconds),
        ("seconds_in_maintenance".to_owned(), planned),
        ("availability".to_owned(), json!(policy.availability(tally))),
        ("coverage".to_owned(), json!(tally.coverage())),
    ])
}
