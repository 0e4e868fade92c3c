//! `/api/v1/days`: the days of every instance of an environment in one answer, for dashboards and reviews of many.
//!
//! How available they were comes from the view, as the bars of the pages do; only how fast they answered is read.

use crate::{
    DAYS, InstanceView, csv, form,
    gather::first_critical,
    problem::Problem,
    ranged::{answer, failed, permit, stretch},
    rfc3339,
    router::Shown,
};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use domain::{CheckId, Day, Environment, Summary};
use jiff::{ToSpan as _, civil::Date};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Days of all instances together in one answer, at most: some five megabytes.
const MOST: usize = 20_000;

/// `GET /api/v1/days`.
pub(crate) async fn days(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response<HttpBody> {
    answer(&shown, &method, &headers, &uri, read(&shown, &uri), csv::days_of_many).await
}

/// An environment, and how many of the last days.
fn asked(uri: &Uri) -> Result<(Environment, usize), Problem> {
    let query = uri.query().unwrap_or_default();
    let environment = form::value(query, "environment")
        .ok_or_else(|| Problem::bad("say which environment: add environment=… to the query"))?;
    let days =
        match form::value(query, "days") {
            None => DAYS,
            Some(days) => days.parse().ok().filter(|days| (1..=DAYS).contains(days)).ok_or_else(|| {
                Problem::bad(format!("'days' is a number from 1 to {DAYS}, today included"))
            })?,
        };
    Ok((Environment::parse(&environment).ok_or(Problem::NOT_FOUND)?, days))
}

async fn read(shown: &Shown, uri: &Uri) -> Result<Value, Problem> {
    let (environment, count) = asked(uri)?;
    let view = shown.site.view(shown.audience);
    let instances: Vec<&InstanceView> =
        view.snapshot.instances().filter(|instance| instance.id.environment == environment).collect();
    if instances.is_empty() {
        return Err(Problem::NOT_FOUND);
    }
    if instances.len() * count > MOST {
        let most = (MOST / instances.len()).max(1);
        return Err(Problem::bad(format!(
            "{} instances of {count} days are too much for one answer; ask for at most days={most}",
            instances.len()
        )));
    }
    let zone = &view.snapshot.zone;
    let now = shown.site.0.clock.now();
    let today = Day::around(now, zone).date;
    let ago = i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(1);
    let first = today.checked_sub(ago.days()).unwrap_or(today);
    let checks: Vec<Option<CheckId>> =
        instances.iter().map(|instance| first_critical(&view.situation, &instance.id)).collect();
    let known: Vec<CheckId> = checks.iter().flatten().cloned().collect();

    let _permit = permit(shown).await?;
    let store = &shown.site.0.store;
    let from = Day::of(first, zone).begins;
    let mut summaries =
        store.summaries(&known, None, from..now, zone).await.map_err(|error| failed(&error))?.into_iter();
    let simulated = store.simulated().await.map_err(|error| failed(&error))?;
    let simulated = simulated.is_some_and(|made_up| made_up.touches(from, now));

    let policy = &view.situation.configuration.availability;
    let said = instances.iter().zip(&checks).map(|(instance, check)| {
        let summaries: BTreeMap<Date, Summary> =
            check.as_ref().and_then(|_| summaries.next()).unwrap_or_default();
        let known = check.as_ref().and_then(|check| view.situation.configuration.checks.get(check));
        let warm = known.is_some_and(|check| check.is_warm());
        let days = instance.past.iter().flat_map(|past| past.days.iter()).filter(|day| day.date >= first);
        let days = days.map(|day| {
            let mut fields: Map<String, Value> =
                stretch(policy, &day.tally, summaries.get(&day.date).copied().unwrap_or_default(), warm);
            fields.insert("date".to_owned(), json!(day.date.to_string()));
            Value::Object(fields)
        });
        json!({
            "api": instance.id.api, "environment": environment, "simulated": simulated,
            "operation": check.as_ref().map(|check| &check.operation),
            "days": days.collect::<Vec<_>>(),
        })
    });
    Ok(json!({
        "as_of": rfc3339(view.snapshot.as_of), "environment": environment, "policy": policy.to_string(),
        "from": first.to_string(), "to": today.to_string(), "instances": said.collect::<Vec<_>>(),
    }))
}
