//! `/metrics` for Prometheus: the probes' as `blackbox_exporter` names them, and `curiad_…` for itself.

use crate::{router::Shown, snapshot::is_over};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use domain::{Priority, Situation, TrackId, Verdict};
use jiff::Timestamp;
use prometheus::{Encoder as _, GaugeVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use std::time::Duration;

/// Counting what waits may take so long; then the counts are left out of this answer.
const COUNT_LIMIT: Duration = Duration::from_secs(1);
const LABELS: [&str; 4] = ["api", "environment", "operation", "vantage"];

/// `GET /metrics`, on the internal listener only.
pub(crate) async fn metrics(State(shown): State<Shown>) -> Response<HttpBody> {
    let site = &shown.site.0;
    let situation = site.situation.borrow().clone();
    let now = site.clock.now();
    let counts = tokio::time::timeout(COUNT_LIMIT, site.store.counts()).await;
    let view_age = now.duration_since(shown.site.view(shown.audience).snapshot.as_of);
    let text = probes(&situation, now).and_then(|mut families| {
        families.extend(itself(&situation, counts.ok().and_then(Result::ok), view_age.as_secs())?);
        families.extend(site.options.registry.gather());
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text)?;
        Ok(text)
    });
    match text {
        Ok(text) => {
            let mut response = Response::new(HttpBody::from(text));
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            let mut response = Response::new(HttpBody::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

type Families = Vec<prometheus::proto::MetricFamily>;

/// What each check saw last. A check that cannot tell, or whose last outcome speaks no longer, has no `probe_success`.
fn probes(situation: &Situation, now: Timestamp) -> prometheus::Result<Families> {
    let registry = Registry::new();
    let gauge = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<GaugeVec> {
        let gauge = GaugeVec::new(Opts::new(name, help), labels)?;
        registry.register(Box::new(gauge.clone()))?;
        Ok(gauge)
    };
    let success = gauge("probe_success", "1: passed or slow; 0: failed; absent: cannot tell", &LABELS)?;
    let duration = gauge("probe_duration_seconds", "From start to verdict, tokens excluded", &LABELS)?;
    let phases = gauge(
        "probe_http_duration_seconds",
        "By phase",
        &["api", "environment", "operation", "vantage", "phase"],
    )?;
    let expiry = gauge(
        "probe_ssl_earliest_cert_expiry",
        "When the first certificate of the chain ends, in Unix time",
        &LABELS,
    )?;
    let code = gauge("probe_http_status_code", "The status code", &LABELS)?;
    for (id, latest) in &situation.latest {
        let over =
            situation.configuration.checks.get(&id.check).is_none_or(|check| is_over(latest.at, check, now));
        if over {
            continue;
        }
        let labels = labels(id);
        match latest.verdict {
            Verdict::Pass | Verdict::Slow => success.with_label_values(&labels).set(1.0),
            Verdict::Fail => success.with_label_values(&labels).set(0.0),
            Verdict::Inconclusive => {}
        }
        let Some(outcome) = &latest.outcome else {
            continue;
        };
        // Of a job that did not say when it began nobody knows how long it took.
        if !id.vantage.is_inbound() || !outcome.total.is_zero() {
            duration.with_label_values(&labels).set(outcome.total.as_secs_f64());
        }
        let [api, environment, operation, vantage] = labels;
        for (phase, took) in [
            ("resolve", outcome.phases.dns),
            ("connect", outcome.phases.connect),
            ("tls", outcome.phases.tls),
            ("processing", outcome.phases.first_byte),
            ("transfer", outcome.phases.body),
        ] {
            if let Some(took) = took {
                let labels = [api, environment, operation, vantage, phase];
                phases.with_label_values(&labels).set(took.as_secs_f64());
            }
        }
        if let Some(certificate) = &outcome.certificate {
            expiry.with_label_values(&labels).set(certificate.not_after.as_duration().as_secs_f64());
        }
        if let Some(http) = &outcome.http {
            code.with_label_values(&labels).set(f64::from(http.status));
        }
    }
    Ok(registry.gather())
}

fn labels(id: &TrackId) -> [&str; 4] {
    [
        id.check.instance.api.as_str(),
        id.check.instance.environment.word(),
        id.check.operation.as_str(),
        id.vantage.as_str(),
    ]
}

/// Curiad's own: what is open, what waits, how old the view is.
fn itself(
    situation: &Situation,
    counts: Option<store::Counts>,
    view_age: i64,
) -> prometheus::Result<Families> {
    let registry = Registry::new();
    let set = |name: &str, help: &str, value: i64| -> prometheus::Result<()> {
        let gauge = IntGauge::new(name, help)?;
        gauge.set(value);
        registry.register(Box::new(gauge))
    };
    let open = IntGaugeVec::new(Opts::new("curiad_incidents_open", "Incidents not resolved"), &["priority"])?;
    for number in 1..=5 {
        let such = situation
            .open_incidents()
            .filter(|incident| Priority::new(number) == Some(incident.priority))
            .count();
        open.with_label_values(&[&format!("P{number}")]).set(i64::try_from(such).unwrap_or(i64::MAX));
    }
    registry.register(Box::new(open))?;
    let status = IntGaugeVec::new(
        Opts::new("curiad_instance_status", "1 for the status that an instance has"),
        &["api", "environment", "status"],
    )?;
    for (id, health) in &situation.healths {
        let labels = [id.api.as_str(), id.environment.word(), health.shown().word()];
        status.with_label_values(&labels).set(1);
    }
    registry.register(Box::new(status))?;
    set("curiad_view_age_seconds", "How old the newest view is", view_age)?;
    set("curiad_store_readable", "1: the store answered within a second", i64::from(counts.is_some()))?;
    if let Some(counts) = counts {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        set("curiad_outcomes_recorded", "Outcomes recorded since the start", count(counts.recorded))?;
        set("curiad_inbox_waiting", "Rows of the inbox not folded in", count(counts.inbox_waiting))?;
        set("curiad_outbox_waiting", "Notifications not settled", count(counts.outbox_waiting))?;
        set("curiad_outbox_given_up", "Notifications given up, ever", count(counts.outbox_given_up))?;
    }
    Ok(registry.gather())
}
