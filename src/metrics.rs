//! Curiad's own figures for `/metrics`, read when asked for.

use crate::listener::{Counted, Room};
use alerting::Recording;
use domain::VantageId;
use prober::{ByVantage, LAG_BOUNDS_MS, Metrics};
use prometheus::{
    core::{Collector, Desc},
    proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType},
};
use status_page::{Role, Standing};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

const LAG: &str = "curiad_probe_start_lag_seconds";

const VERSION: &str = "curiad_configuration_version";

/// Figures of the probers, the recorder, the configuration and the listeners.
#[derive(Debug)]
pub(crate) struct Own {
    recording: Arc<Recording>,
    probers: Arc<ByVantage>,
    standing: watch::Receiver<Arc<Standing>>,
    role: watch::Receiver<Role>,
    rooms: [Arc<Room>; 2],
    log_lines_lost: Arc<AtomicU64>,
    descriptions: Vec<Desc>,
}

impl Own {
    pub(crate) fn new(
        recording: Arc<Recording>,
        probers: Arc<ByVantage>,
        standing: watch::Receiver<Arc<Standing>>,
        role: watch::Receiver<Role>,
        rooms: [Arc<Room>; 2],
        log_lines_lost: Arc<AtomicU64>,
    ) -> prometheus::Result<Self> {
        let describe =
            |name: &str, help: &str| Desc::new(name.into(), help.into(), Vec::new(), HashMap::new());
        let lag = describe(LAG, "how late probes start, against their schedule")?;
        Ok(Self { recording, probers, standing, role, rooms, log_lines_lost, descriptions: vec![lag] })
    }

    /// Name, help, whether it only rises, and its value.
    fn figures(&self) -> [(&'static str, &'static str, MetricType, u64); 10] {
        use MetricType::{COUNTER, GAUGE};
        let recording = &self.recording;
        let committed = u64::try_from(recording.committed_at_ms.load(Ordering::Relaxed)).unwrap_or(0) / 1_000;
        let records = u64::from(*self.role.borrow() == Role::Recorder);
        [
            ("curiad_recorder", "1: this program records; 0: it stands by", GAUGE, records),
            (
                "curiad_outcomes_recorded_total",
                "outcomes committed; one that is told twice counts once",
                COUNTER,
                recording.outcomes.load(Ordering::Relaxed),
            ),
            (
                "curiad_commits_total",
                "transactions committed",
                COUNTER,
                recording.commits.load(Ordering::Relaxed),
            ),
            (
                "curiad_commit_failures_total",
                "transactions that failed and were tried again",
                COUNTER,
                recording.failures.load(Ordering::Relaxed),
            ),
            (
                "curiad_outcomes_waiting",
                "outcomes that wait for the store, in memory and in the spool",
                GAUGE,
                recording.waiting.load(Ordering::Relaxed),
            ),
            (
                "curiad_outcomes_spooled",
                "outcomes that wait in the spool",
                GAUGE,
                recording.spooled.load(Ordering::Relaxed),
            ),
            (
                "curiad_outcomes_lost_total",
                "outcomes that neither the store nor the spool took",
                COUNTER,
                recording.lost.load(Ordering::Relaxed),
            ),
            (
                "curiad_outcomes_set_aside_total",
                "outcomes that the store refused for good while it took others",
                COUNTER,
                recording.set_aside.load(Ordering::Relaxed),
            ),
            ("curiad_committed_timestamp_seconds", "when the store last took a batch", GAUGE, committed),
            (
                "curiad_log_lines_lost_total",
                "lines of the log that were not read in time",
                COUNTER,
                self.log_lines_lost.load(Ordering::Relaxed),
            ),
        ]
    }

    /// Of the configuration, named as Prometheus names its own.
    fn configuration(&self) -> Vec<MetricFamily> {
        let standing = Arc::clone(&self.standing.borrow());
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let taken = standing.taken_at.map_or(0, |at| u64::try_from(at.as_second()).unwrap_or(0));
        let figures = [
            (
                "curiad_configuration_last_reload_successful",
                "1: the files as they now are could be put in force",
                MetricType::GAUGE,
                u64::from(standing.refused.is_none()),
            ),
            (
                "curiad_configuration_last_reload_success_timestamp_seconds",
                "since when the configuration is in force",
                MetricType::GAUGE,
                taken,
            ),
            (
                "curiad_configuration_readings_total",
                "how often changed files were read",
                MetricType::COUNTER,
                standing.readings,
            ),
            (
                "curiad_configuration_needs_restart",
                "keys that were changed and wait for a restart",
                MetricType::GAUGE,
                count(standing.waits_for_restart.len()),
            ),
            (
                "curiad_configuration_left_production",
                "APIs that left production without having been retired",
                MetricType::GAUGE,
                count(standing.left_production.len()),
            ),
        ];
        let mut version = number(MetricType::GAUGE, 1);
        let mut hash = LabelPair::default();
        hash.set_name("hash".to_owned());
        hash.set_value(standing.version.clone());
        version.set_label(vec![hash]);
        let version = family(VERSION, "of the files in force, without secrets", MetricType::GAUGE, version);
        let figure = |(name, help, kind, value)| family(name, help, kind, number(kind, value));
        figures.into_iter().map(figure).chain([version]).collect()
    }

    /// Of the listeners, each by its name.
    fn connections(&self) -> Vec<MetricFamily> {
        use MetricType::{COUNTER, GAUGE};
        let of = |name, help, kind, count: fn(&Counted) -> &AtomicU64| {
            let metrics = self.rooms.iter().map(|room| {
                let mut metric = number(kind, count(&room.counted).load(Ordering::Relaxed));
                let mut listener = LabelPair::default();
                listener.set_name("listener".to_owned());
                listener.set_value(room.name.to_owned());
                metric.set_label(vec![listener]);
                metric
            });
            let mut family = family(name, help, kind, Metric::default());
            family.set_metric(metrics.collect());
            family
        };
        vec![
            of("curiad_connections", "connections of readers", GAUGE, |counted| &counted.open),
            of(
                "curiad_connections_displaced_total",
                "connections that asked nothing and gave way to others, because the listener was full",
                COUNTER,
                |counted| &counted.displaced,
            ),
            of(
                "curiad_connections_refused_total",
                "connections that found the listener full of others that were being answered",
                COUNTER,
                |counted| &counted.refused,
            ),
            of(
                "curiad_connections_timed_out_total",
                "connections closed without a whole request, or without an answer in time",
                COUNTER,
                |counted| &counted.timed_out,
            ),
        ]
    }

    /// Of the probers, each by its vantage.
    fn vantages(&self) -> Vec<MetricFamily> {
        use MetricType::{COUNTER, GAUGE, HISTOGRAM};
        let all = self.probers.all();
        let of = |name, help, kind, measured: &dyn Fn(&Metrics) -> Metric| {
            let metrics = all.iter().map(|(vantage, counted)| {
                let mut metric = measured(counted);
                metric.set_label(vec![at(vantage)]);
                metric
            });
            let mut family = family(name, help, kind, Metric::default());
            family.set_metric(metrics.collect());
            family
        };
        let figure = |name, help, kind, count: fn(&Metrics) -> u64| {
            of(name, help, kind, &|metrics| number(kind, count(metrics)))
        };
        vec![
            figure("curiad_probes_total", "probes that ended", COUNTER, Metrics::probes),
            figure("curiad_probes_in_flight", "probes under way", GAUGE, Metrics::in_flight),
            figure(
                "curiad_probe_permits_waited_total",
                "probes that waited for a permit",
                COUNTER,
                Metrics::permits_waited,
            ),
            figure(
                "curiad_outcomes_held_up_total",
                "outcomes that waited for the recorder",
                COUNTER,
                Metrics::outcomes_held_up,
            ),
            figure(
                "curiad_probes_broken_total",
                "probes that broke on our own side",
                COUNTER,
                Metrics::probes_broke,
            ),
            figure(
                "curiad_probes_paused_total",
                "probes left out because an API asked to be left alone (Retry-After)",
                COUNTER,
                Metrics::beats_paused,
            ),
            figure(
                "curiad_probes_skipped_total",
                "probes left out because the check's last one was still under way",
                COUNTER,
                Metrics::beats_skipped,
            ),
            of(LAG, "how late probes start, against their schedule", HISTOGRAM, &lag),
        ]
    }
}

fn at(vantage: &VantageId) -> LabelPair {
    let mut label = LabelPair::default();
    label.set_name("vantage".to_owned());
    label.set_value(vantage.to_string());
    label
}

fn lag(metrics: &Metrics) -> Metric {
    let seen = metrics.start_lag();
    let mut histogram = Histogram::default();
    histogram.set_sample_count(seen.count());
    histogram.set_sample_sum(seen.sum.as_secs_f64());
    let mut so_far = 0;
    let mut buckets = Vec::new();
    for (bound, count) in LAG_BOUNDS_MS.iter().zip(seen.buckets) {
        so_far += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(std::time::Duration::from_millis(*bound).as_secs_f64());
        bucket.set_cumulative_count(so_far);
        buckets.push(bucket);
    }
    histogram.set_bucket(buckets);
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    metric
}

impl Collector for Own {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let figure = |(name, help, kind, value)| family(name, help, kind, number(kind, value));
        self.figures()
            .into_iter()
            .map(figure)
            .chain(self.vantages())
            .chain(self.configuration())
            .chain(self.connections())
            .collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows only floating point; exact below 2^53")]
fn number(kind: MetricType, value: u64) -> Metric {
    let mut metric = Metric::default();
    if kind == MetricType::COUNTER {
        let mut counter = Counter::default();
        counter.set_value(value as f64);
        metric.set_counter(counter);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(value as f64);
        metric.set_gauge(gauge);
    }
    metric
}

fn family(name: &str, help: &str, kind: MetricType, metric: Metric) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(vec![metric]);
    family
}
