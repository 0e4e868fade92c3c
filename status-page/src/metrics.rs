//! `/metrics` for Prometheus: the probes' as `blackbox_exporter` names them, and `curiad_…` for itself.

use crate::{instance_view::is_over, router::Shown};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use domain::{Latest, Priority, Situation, TrackId, Verdict};
use jiff::Timestamp;
use prometheus::{GaugeVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use std::{fmt::Write as _, time::Duration};

/// Counting what waits may take so long; then the counts are left out of this answer.
const COUNT_LIMIT: Duration = Duration::from_secs(1);

/// `GET /metrics`, on the internal listener only.
pub(crate) async fn metrics(State(shown): State<Shown>) -> Response<HttpBody> {
    let site = &shown.site.0;
    let situation = site.situation.borrow().clone();
    let now = site.clock.now();
    let counts = tokio::time::timeout(COUNT_LIMIT, site.store.counts()).await;
    let view_age = now.duration_since(shown.site.view(shown.audience).snapshot.as_of);
    let counts = counts.ok().and_then(Result::ok);
    let text = itself(&situation, counts, view_age.as_secs()).and_then(|mut families| {
        families.extend(site.options.registry.gather());
        let mut text = probes(&situation, now);
        TextEncoder::new().encode_utf8(&families, &mut text)?;
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
///
/// Written as they are read: of ten thousand checks, the families of the library would take a hundred megabytes.
fn probes(situation: &Situation, now: Timestamp) -> String {
    let speaks = |id: &TrackId, latest: &Latest| {
        situation.configuration.checks.get(&id.check).is_some_and(|check| !is_over(latest.at, check, now))
    };
    let mut all: Vec<(&TrackId, &Latest)> =
        situation.latest.iter().filter(|(id, latest)| speaks(id, latest)).collect();
    all.sort_unstable_by_key(|(id, _)| *id);
    let outcomes = || all.iter().filter_map(|(id, latest)| Some((*id, latest.outcome.as_deref()?)));
    let mut text = Probes(String::new());

    text.family("probe_success", "1: passed or slow; 0: failed; absent: cannot tell");
    for (id, latest) in &all {
        match latest.verdict {
            Verdict::Pass | Verdict::Slow => text.sample("probe_success", id, None, 1.0),
            Verdict::Fail => text.sample("probe_success", id, None, 0.0),
            Verdict::Inconclusive => {}
        }
    }
    text.family("probe_duration_seconds", "From start to verdict, tokens excluded");
    for (id, outcome) in outcomes() {
        // Of a job that did not say when it began nobody knows how long it took.
        if !id.vantage.is_inbound() || !outcome.total.is_zero() {
            text.sample("probe_duration_seconds", id, None, outcome.total.as_secs_f64());
        }
    }
    text.family("probe_http_duration_seconds", "By phase");
    for (id, outcome) in outcomes() {
        for (phase, took) in [
            ("resolve", outcome.phases.dns),
            ("connect", outcome.phases.connect),
            ("tls", outcome.phases.tls),
            ("processing", outcome.phases.first_byte),
            ("transfer", outcome.phases.body),
        ] {
            if let Some(took) = took {
                text.sample("probe_http_duration_seconds", id, Some(phase), took.as_secs_f64());
            }
        }
    }
    text.family(
        "probe_ssl_earliest_cert_expiry",
        "When the first certificate of the chain ends, in Unix time",
    );
    for (id, outcome) in outcomes() {
        if let Some(certificate) = &outcome.certificate {
            let ends = certificate.not_after.as_duration().as_secs_f64();
            text.sample("probe_ssl_earliest_cert_expiry", id, None, ends);
        }
    }
    text.family("probe_http_status_code", "The status code");
    for (id, outcome) in outcomes() {
        if let Some(http) = &outcome.http {
            text.sample("probe_http_status_code", id, None, f64::from(http.status));
        }
    }
    text.0
}

/// Gauges of checks, in Prometheus' text format. No id has a character that would need escaping.
struct Probes(String);

impl Probes {
    fn family(&mut self, name: &str, help: &str) {
        // Writing to a String cannot fail; nor below.
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge").ok();
    }

    fn sample(&mut self, name: &str, id: &TrackId, phase: Option<&str>, value: f64) {
        let (instance, operation, vantage) = (&id.check.instance, &id.check.operation, &id.vantage);
        let (api, environment) = (&instance.api, instance.environment);
        write!(self.0, "{name}{{api=\"{api}\",environment=\"{environment}\",operation=\"{operation}\"").ok();
        if let Some(phase) = phase {
            write!(self.0, ",phase=\"{phase}\"").ok();
        }
        writeln!(self.0, ",vantage=\"{vantage}\"}} {value}").ok();
    }
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
            .filter(|incident| Priority::new(number) == Some(incident.priority) && !incident.is_test())
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
    if let Some(hops) = situation.last_daily_test() {
        let took = GaugeVec::new(
            Opts::new(
                "curiad_test_callout_seconds",
                "What each hop of the last daily test call took; absent: not there yet",
            ),
            &["hop"],
        )?;
        let hops = [
            ("decided", Some(hops.decided)),
            ("accepted", hops.accepted),
            ("delivered", hops.delivered),
            ("answered", hops.answered),
        ];
        for (hop, seconds) in hops.into_iter().filter_map(|(hop, took)| Some((hop, took?))) {
            took.with_label_values(&[hop]).set(seconds.as_secs_f64());
        }
        registry.register(Box::new(took))?;
    }
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
