//! `/api/v1/days`: the days of every instance of an environment in one answer, for dashboards and reviews of many.
//!
//! How available they were comes from the view, as the bars of the pages do; only how fast they answered is read.

use crate::{
    Audience, DAYS, InstanceView,
    body::Body,
    csv, form,
    gather::first_critical,
    problem::Problem,
    ranged::{answer, document, failed, in_time, made, permit, stretch, wants_csv},
    rfc3339,
    router::Shown,
    view::View,
};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use domain::{CheckId, Day, Environment, Summary};
use jiff::{Timestamp, ToSpan as _, civil::Date};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Days of all instances together in one answer, at most: some five megabytes.
const MOST: usize = 20_000;
/// How many of the last days may be asked for.
const CHOICES: [usize; 3] = [7, 30, DAYS];
/// An answer is given again for so long: the bars are not newer either.
const KEPT: Duration = Duration::from_secs(30);

/// What an answer is of, and whether it is a table.
type Key = (Audience, Environment, usize, bool);

/// Answers that are large, so that all who ask within half a minute share one.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<HashMap<Key, (Timestamp, Arc<Body>)>>);

impl Kept {
    fn get(&self, key: Key, now: Timestamp) -> Option<Arc<Body>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (at, _)| now.duration_since(*at).unsigned_abs() < KEPT);
        kept.get(&key).map(|(_, body)| Arc::clone(body))
    }

    fn put(&self, key: Key, now: Timestamp, body: &Arc<Body>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (now, Arc::clone(body)));
    }
}

/// `GET /api/v1/days`.
pub(crate) async fn days(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response<HttpBody> {
    match body(&shown, &headers, &uri).await {
        Ok(body) => answer(&shown, &method, &headers, &body),
        Err(problem) => problem.answer(shown.audience),
    }
}

async fn body(shown: &Shown, headers: &HeaderMap, uri: &Uri) -> Result<Arc<Body>, Problem> {
    let as_csv = wants_csv(uri, headers)?;
    let (environment, count) = asked(uri)?;
    let (kept, key) = (&shown.site.0.days, (shown.audience, environment, count, as_csv));
    let view = shown.site.view(shown.audience);
    if instances(&view, environment).next().is_none() {
        return Err(Problem::NOT_FOUND);
    }
    in_time(async {
        // Whoever waits finds what another one made meanwhile.
        let _permit = permit(shown).await?;
        let now = shown.site.0.clock.now();
        if let Some(body) = kept.get(key, now) {
            return Ok(body);
        }
        let read = read(shown, view, environment, count, now).await?;
        let body = made(move || Arc::new(document(&said(&read), as_csv, csv::days_of_many))).await?;
        kept.put(key, now, &body);
        Ok(body)
    })
    .await
}

/// An environment, and how many of the last days.
fn asked(uri: &Uri) -> Result<(Environment, usize), Problem> {
    let query = uri.query().unwrap_or_default();
    let environment = form::value(query, "environment")
        .ok_or_else(|| Problem::bad("say which environment: add environment=… to the query"))?;
    let days = match form::value(query, "days") {
        None => DAYS,
        Some(days) => CHOICES
            .into_iter()
            .find(|choice| choice.to_string() == days)
            .ok_or_else(|| Problem::bad("'days' is 7, 30 or 90, today included"))?,
    };
    Ok((Environment::parse(&environment).ok_or(Problem::NOT_FOUND)?, days))
}

/// Whose latency, and what each of its days says of that.
type Latency = (Option<CheckId>, Vec<(Date, Summary)>);

/// What an answer is made of.
struct Read {
    view: Arc<View>,
    environment: Environment,
    /// The local days of the first and of the last.
    first: Date,
    today: Date,
    /// Of each instance.
    latencies: Vec<Latency>,
    simulated: bool,
}

impl Read {
    fn instances(&self) -> impl Iterator<Item = &InstanceView> {
        instances(&self.view, self.environment)
    }
}

fn instances(view: &View, environment: Environment) -> impl Iterator<Item = &InstanceView> {
    view.snapshot.instances().filter(move |instance| instance.id.environment == environment)
}

async fn read(
    shown: &Shown,
    view: Arc<View>,
    environment: Environment,
    count: usize,
    now: Timestamp,
) -> Result<Read, Problem> {
    let checks: Vec<Option<CheckId>> =
        instances(&view, environment).map(|instance| first_critical(&view.situation, &instance.id)).collect();
    let many = checks.len();
    if many * count > MOST {
        return Err(Problem::bad(format!(
            "{many} instances of {count} days are too much for one answer; ask for fewer days, or for one API after the other at /api/v1/history"
        )));
    }
    let zone = &view.snapshot.site.time_zone;
    let today = Day::around(now, zone).date;
    let ago = i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(1);
    let first = today.checked_sub(ago.days()).unwrap_or(today);
    let from = Day::of(first, zone).begins;
    let store = &shown.site.0.store;
    let known: Vec<CheckId> = checks.iter().flatten().cloned().collect();
    let failed = |error| failed(&error);
    let mut summaries = store.summaries(&known, None, from..now, zone).await.map_err(failed)?.into_iter();
    let simulated = store.simulated().await.map_err(failed)?;
    let simulated = simulated.is_some_and(|made_up| made_up.touches(from, now));
    let latencies = checks.into_iter().map(|check| {
        let days = check.as_ref().and_then(|_| summaries.next()).unwrap_or_default();
        (check, days)
    });
    let latencies = latencies.collect();
    Ok(Read { view, environment, first, today, latencies, simulated })
}

fn said(read: &Read) -> Value {
    let configuration = &read.view.situation.configuration;
    let policy = &configuration.availability;
    let instances = read.instances().zip(&read.latencies).map(|(instance, (check, summaries))| {
        let known = check.as_ref().and_then(|check| configuration.checks.get(check));
        let warm = known.is_some_and(|check| check.is_warm());
        let days =
            instance.past.iter().flat_map(|past| past.days.iter()).filter(|day| day.date >= read.first);
        let days = days.map(|day| {
            let said = summaries.binary_search_by_key(&day.date, |(date, _)| *date).ok();
            let latency =
                said.and_then(|at| summaries.get(at)).map_or_else(Summary::default, |(_, said)| *said);
            let mut fields: Map<String, Value> = stretch(policy, &day.tally, latency, warm);
            fields.insert("date".to_owned(), json!(day.date.to_string()));
            Value::Object(fields)
        });
        json!({
            "api": instance.id.api, "environment": read.environment, "simulated": read.simulated,
            "operation": check.as_ref().map(|check| &check.operation),
            "days": days.collect::<Vec<_>>(),
        })
    });
    json!({
        "as_of": rfc3339(read.view.snapshot.as_of), "environment": read.environment, "policy": policy.to_string(),
        "from": read.first.to_string(), "to": read.today.to_string(), "instances": instances.collect::<Vec<_>>(),
    })
}
