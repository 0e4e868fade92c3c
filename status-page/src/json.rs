//! `/api/v1`: our JSON. Times are RFC 3339 UTC with milliseconds; shapes may grow but not change.

use crate::{
    Audience, IncidentView, Snapshot, assets,
    body::Body,
    csv, form,
    gather::first_critical,
    incident_json::incident_json,
    measuring, paging,
    problem::Problem,
    rfc3339,
    router::{Shown, kept_json, open_to_all},
};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header},
};
use domain::{
    ApiId, AvailabilityPolicy, Environment, InstanceId, OperationId, PhaseSum, PhaseSums, Situation, Summary,
    Tally, VantageId,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

/// A ranged read that takes longer than this is refused.
const READ_LIMIT: Duration = Duration::from_secs(3);
/// How far back a range goes when nothing is said.
const DEFAULT_RANGE: Duration = Duration::from_secs(90 * 24 * 3600);

/// `GET /api/v1/status`.
pub(crate) async fn status(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
) -> Response<HttpBody> {
    let body = shown.site.view(shown.audience).json("status", status_of);
    kept_json(&shown, &method, &headers, body)
}

fn status_of(snapshot: &Snapshot) -> Value {
    let instances: Vec<Value> = snapshot
        .instances()
        .map(|instance| {
            json!({
                "api": instance.id.api,
                "environment": instance.id.environment,
                "status": instance.shown.word(),
                "since": instance.since.map(rfc3339),
                "checked_at": instance.checked_at.map(rfc3339),
                "layer": instance.layer.map(domain::Layer::word),
                "release": instance.release.as_ref().map(|release| json!({
                    "version": release.version,
                    "since": rfc3339(release.since),
                    "before": release.before,
                })),
            })
        })
        .collect();
    json!({ "as_of": rfc3339(snapshot.as_of), "stale": snapshot.stale, "instances": instances })
}

/// `GET /api/v1/incidents`: all of them, or by parts.
pub(crate) async fn incidents(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response<HttpBody> {
    let view = shown.site.view(shown.audience);
    let seen = &view.snapshot.incidents;
    let said = |part| incidents_of(&view.snapshot, &view.situation, part);
    let Some(query) = uri.query() else {
        return kept_json(&shown, &method, &headers, view.json("incidents", |_| said(seen)));
    };
    let ids: Vec<String> = seen.iter().map(|seen| seen.incident.id.to_string()).collect();
    let (part, next) = match paging::part(&ids, query) {
        Ok(part) => part,
        Err(problem) => return problem.answer(shown.audience),
    };
    let value = said(seen.get(part).unwrap_or_default());
    let body = Body::new("application/json", value.to_string().into_bytes());
    let mut response = kept_json(&shown, &method, &headers, Ok(Some(Arc::new(body))));
    let link = next.map(|next| HeaderValue::try_from(format!("<{}{next}>; rel=\"next\"", uri.path())));
    if let Some(Ok(link)) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// `GET /api/v1/apis`: the catalogue.
pub(crate) async fn apis(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
) -> Response<HttpBody> {
    let body = shown.site.view(shown.audience).json("apis", apis_of);
    kept_json(&shown, &method, &headers, body)
}

fn apis_of(snapshot: &Snapshot) -> Value {
    let apis = snapshot.apis.iter().map(|view| {
        let environments: Vec<_> = view.instances.iter().map(|i| i.id.environment).collect();
        json!({
            "id": view.api.id,
            "name": view.api.name,
            "description": view.api.description,
            "kind": view.api.kind.word(),
            "lifecycle": view.api.lifecycle.word(),
            "service_level": view.api.service_level.word(),
            "documentation": view.api.documentation,
            "depends_on": view.depends_on,
            "environments": environments,
            "operations": operations_of(view),
        })
    });
    apis.collect()
}

/// What is made from a snapshot alone, each with its path.
pub(crate) fn documents(snapshot: &Snapshot, situation: &Situation) -> [(&'static str, Value); 3] {
    [
        ("/api/v1/status", status_of(snapshot)),
        ("/api/v1/incidents", incidents_of(snapshot, situation, &snapshot.incidents)),
        ("/api/v1/apis", apis_of(snapshot)),
    ]
}

fn incidents_of(snapshot: &Snapshot, situation: &Situation, part: &[IncidentView]) -> Value {
    let said =
        |seen: &IncidentView| incident_json(situation, &seen.incident, snapshot.audience, snapshot.as_of);
    part.iter().map(said).collect()
}

fn operations_of(view: &crate::ApiView) -> Vec<Value> {
    let mut by_id: BTreeMap<&OperationId, (bool, Vec<Environment>)> = BTreeMap::new();
    for instance in &view.instances {
        for operation in &instance.operations {
            let entry = by_id.entry(&operation.check.id.operation).or_default();
            entry.0 |= operation.critical;
            entry.1.push(instance.id.environment);
        }
    }
    by_id
        .into_iter()
        .map(|(id, (critical, environments))| {
            json!({ "id": id, "critical": critical, "environments": environments })
        })
        .collect()
}

/// `GET /api/v1/openapi.json`.
pub(crate) async fn openapi(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
) -> Response<HttpBody> {
    static OPENAPI: LazyLock<Body> =
        LazyLock::new(|| Body::new("application/json", include_bytes!("../openapi.json").to_vec()));
    let answer = OPENAPI.answer(&method, &headers, StatusCode::OK, assets::AN_HOUR);
    open_to_all(answer, shown.audience)
}

/// What a ranged read asks for.
struct Asked {
    instance: InstanceId,
    from: Timestamp,
    to: Timestamp,
    operation: Option<OperationId>,
    vantage: Option<VantageId>,
}

fn asked(uri: &Uri, now: Timestamp) -> Result<Asked, Problem> {
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
    let to = time("to")?.unwrap_or(now).min(now);
    let from = match time("from")? {
        Some(from) => from,
        None => to.checked_sub(DEFAULT_RANGE).unwrap_or(Timestamp::MIN),
    };
    if from >= to {
        return Err(Problem::bad("'from' must be before 'to' and in the past"));
    }
    Ok(Asked {
        instance: InstanceId {
            api: ApiId::parse(&needed("api")?).map_err(unknown)?,
            environment: Environment::parse(&needed("environment")?).ok_or(Problem::NOT_FOUND)?,
        },
        from,
        to,
        operation: given("operation").map(|text| OperationId::parse(&text)).transpose().map_err(unknown)?,
        vantage: given("vantage").map(|text| VantageId::parse(&text)).transpose().map_err(unknown)?,
    })
}

/// `GET /api/v1/history`: through the store's readers, with a time limit; never in the path of a page.
pub(crate) async fn history(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response<HttpBody> {
    let as_csv = match form::value(uri.query().unwrap_or_default(), "format").as_deref() {
        None => form::accepts(&headers, "text/csv"),
        Some("csv") => true,
        Some("json") => false,
        Some(_) => return Problem::bad("'format' is json or csv").answer(shown.audience),
    };
    let answer = match tokio::time::timeout(READ_LIMIT, read_history(&shown, &uri)).await {
        Ok(answer) => answer,
        Err(_) => Err(Problem::unavailable("the range took too long to read; ask for a shorter one")),
    };
    match answer {
        Ok(value) => {
            let body = if as_csv {
                Body::new("text/csv; charset=utf-8; header=present", csv::days(&value).into_bytes())
            } else {
                Body::new("application/json", value.to_string().into_bytes())
            };
            let mut response = body.answer(&method, &headers, StatusCode::OK, "no-cache");
            let vary = HeaderValue::from_static("accept, accept-encoding");
            response.headers_mut().insert(header::VARY, vary);
            if shown.audience == Audience::Internal {
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            open_to_all(response, shown.audience)
        }
        Err(problem) => problem.answer(shown.audience),
    }
}

async fn read_history(shown: &Shown, uri: &Uri) -> Result<Value, Problem> {
    let asked = asked(uri, shown.site.0.clock.now())?;
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
    let _permit = shown
        .site
        .0
        .limits
        .reads
        .acquire()
        .await
        .map_err(|_| Problem::unavailable("the site is stopping"))?;
    let failed = |error: store::Error| {
        if matches!(error, store::Error::TooMuch { .. }) {
            return Problem::bad(format!("{error}; ask for a shorter range"));
        }
        tracing::warn!(%error, "a ranged read failed");
        Problem::unavailable("history cannot be read just now")
    };
    let store = &shown.site.0.store;
    let (before, changes) = store.healths(&asked.instance, asked.from, asked.to).await.map_err(failed)?;
    let zone = &view.snapshot.zone;
    let sums = match &check {
        Some(check) => store
            .rollups(std::slice::from_ref(check), asked.vantage.as_ref(), asked.from..asked.to, zone)
            .await
            .map_err(failed)?
            .pop()
            .unwrap_or_default(),
        None => store::Days::default(),
    };
    let phases = match &check {
        Some(check) => {
            store.phases(check, asked.vantage.as_ref(), asked.from..asked.to, zone).await.map_err(failed)?
        }
        None => BTreeMap::new(),
    };
    let simulated = store.simulated().await.map_err(failed)?;
    let simulated = simulated.is_some_and(|made_up| made_up.touches(asked.from, asked.to));
    let known = check.as_ref().and_then(|check| view.situation.configuration.checks.get(check));
    let warm = known.is_some_and(|check| check.is_warm());
    let policy = &view.situation.configuration.availability;
    let hours = view.situation.configuration.supported_hours(&asked.instance.api);
    // Null where there are no such hours, or more of them than are counted.
    let open = hours.and_then(|(_, hours)| hours.between(asked.from, asked.to));
    let supported = |from: Timestamp, to: Timestamp| {
        let tally = open.as_ref().map(|open| Tally::within(open, before.as_ref(), &changes, from, to));
        tally.map(|tally| figures(policy, &tally))
    };
    let days: Vec<Value> = Tally::days(before.as_ref(), &changes, asked.from, asked.to, zone)
        .into_iter()
        .map(|(date, range, tally)| {
            let mut value = stretch(policy, &tally, sums.on(date).unwrap_or_default(), warm);
            let phases = phases_ms(phases.get(&date).copied(), warm);
            if let Value::Object(fields) = &mut value {
                fields.insert("supported".to_owned(), json!(supported(range.start, range.end)));
                fields.insert("phases_ms".to_owned(), phases);
                fields.insert("date".to_owned(), json!(date.to_string()));
            }
            value
        })
        .collect();
    let whole = Tally::of(before.as_ref(), &changes, asked.from, asked.to);
    let sum = sums.sum(..).map_err(failed)?.summary();
    let mut value = stretch(policy, &whole, sum, warm);
    let in_words = view.situation.configuration.policy(asked.instance.environment).map(|environment| {
        let confirm = environment.confirm;
        format!(
            "{policy}; down = partial and major outage; confirmed by {} of {} probes every {} s; over after {} passes in a row",
            confirm.fail,
            confirm.of,
            confirm.every.as_secs(),
            confirm.recover
        )
    });
    if let Value::Object(fields) = &mut value {
        fields.insert("phases_ms".to_owned(), phases_ms(phases.into_values(), warm));
        fields.insert("policy".to_owned(), json!(in_words));
        let objective = view.situation.configuration.objective(&asked.instance);
        let hours = hours.map(|(_, hours)| hours);
        fields.insert("availability_policy".to_owned(), measuring::policy_json(policy, hours, objective));
        fields.insert("supported".to_owned(), json!(supported(asked.from, asked.to)));
        fields.insert("from".to_owned(), json!(rfc3339(asked.from)));
        fields.insert("to".to_owned(), json!(rfc3339(asked.to)));
        fields.insert("simulated".to_owned(), json!(simulated));
        fields.insert("days".to_owned(), Value::Array(days));
    }
    Ok(value)
}

/// A stretch of history: seconds by kind, shares, latency of good answers (over kept connections if `warm`, else over fresh
/// ones).
fn stretch(policy: &AvailabilityPolicy, tally: &Tally, sum: Summary, warm: bool) -> Value {
    let ms = |duration: Duration| (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0;
    let latency = sum.latency(warm).took.map(|p| {
        json!({ "p50": ms(p.p50), "p90": ms(p.p90), "p95": ms(p.p95), "p99": ms(p.p99), "max": ms(p.max) })
    });
    let mut fields = figures(policy, tally);
    fields.insert("latency_ms".to_owned(), json!(latency));
    fields.insert("samples".to_owned(), json!(sum.samples()));
    Value::Object(fields)
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
