//! A service review for programs: JSON with everything, CSV with a row for each instance.

use super::{Report, Reviewed, ReviewedOperation, Stages};
use crate::{Audience, incident_json, measuring, ranged::figures, rfc3339};
use domain::{Percentiles, Rollup, Tally};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

impl Report {
    /// All of it.
    pub fn json(&self) -> Value {
        let policy = self.policy();
        json!({
            "from": rfc3339(self.range.start),
            "to": rfc3339(self.range.end),
            "made_at": rfc3339(self.snapshot.as_of),
            "simulated": self.simulated,
            "availability_policy": measuring::policy_json(policy, self.snapshot.supported.as_ref(), None),
            "instances": self.instances.iter().map(|one| self.instance(one)).collect::<Vec<_>>(),
            "incidents": self.incidents.iter().map(|incident| {
                let mut value =
                    incident_json(&self.situation, incident, Audience::Internal, self.snapshot.as_of);
                let stages = Stages::of(incident);
                if let Value::Object(fields) = &mut value {
                    // A review is about the service, and passed around: not about who was called.
                    fields.remove("acknowledged_by");
                    fields.remove("next_action");
                    fields.insert("seconds".to_owned(), json!({
                        "to_detect": seconds(stages.detected),
                        "to_acknowledge": stages.acknowledged.map(seconds),
                        "to_recover": stages.over.map(seconds),
                    }));
                }
                value
            }).collect::<Vec<_>>(),
            "median_seconds": {
                "to_detect": self.median(|one| Some(one.detected)).map(seconds),
                "to_acknowledge": self.median(|one| one.acknowledged).map(seconds),
                "to_recover": self.median(|one| one.over).map(seconds),
            },
        })
    }

    fn instance(&self, one: &Reviewed) -> Value {
        let policy = self.policy();
        let mut value = figures(policy, &one.tally);
        value.insert("api".to_owned(), json!(one.id.api));
        value.insert("environment".to_owned(), json!(one.id.environment));
        let supported = one.supported.as_ref().map(|tally| figures(policy, tally));
        value.insert("supported".to_owned(), json!(supported));
        let objective = one.objective.map(|objective| {
            let available = policy.availability(one.promised());
            json!({
                "share": objective.share(),
                "reached": available.map(|available| available >= objective.share()),
                "budget_seconds": one.budget(policy).map(|budget| budget.whole),
                "spent_seconds": one.budget(policy).map(|budget| budget.spent),
            })
        });
        value.insert("objective".to_owned(), json!(objective));
        value.insert("incidents".to_owned(), json!(self.incidents_of(&one.id)));
        value.insert("operations".to_owned(), one.operations.iter().map(operation).collect());
        let releases = one.releases.iter().map(|release| {
            json!({
                "version": release.version,
                "since": rfc3339(release.since),
                "before": release.before,
            })
        });
        value.insert("releases".to_owned(), releases.collect());
        let first = one.operations.first();
        let days = one.days.iter().map(|day| {
            let mut value = figures(policy, &day.tally);
            let took = first.and_then(|first| first.on(first.days.get(&day.date)?));
            value.insert("date".to_owned(), json!(day.date.to_string()));
            value.insert("latency_ms".to_owned(), json!(took.map(|took| latency(&took))));
            Value::Object(value)
        });
        value.insert("days".to_owned(), days.collect());
        Value::Object(value)
    }

    /// A header, and a row for each instance. Shares are fractions, times milliseconds; what was not measured is empty.
    pub fn csv(&self) -> String {
        let mut csv = String::from(
            "api,environment,from,to,policy,policy_version,availability,coverage,supported_availability,supported_coverage,\
             objective,budget_left_s,operational_s,degraded_s,down_s,maintenance_s,unknown_s,incidents,operation,answers,\
             p50_ms,p95_ms,p99_ms,max_ms\r\n",
        );
        let policy = self.policy();
        let share = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{share:.6}"));
        for one in &self.instances {
            let Tally { operational, degraded, down, unknown, .. } = one.tally;
            let whole = |seconds: f64| format!("{seconds:.0}");
            let first = one.operations.first();
            let took = first.and_then(|first| first.on(&first.sum));
            let ms = |of: fn(&Percentiles) -> Duration| {
                took.as_ref()
                    .map_or_else(String::new, |took| format!("{:.3}", of(took).as_secs_f64() * 1000.0))
            };
            let supported = one.supported.as_ref();
            let row = [
                one.id.api.to_string(),
                one.id.environment.word().to_owned(),
                rfc3339(self.range.start),
                rfc3339(self.range.end),
                quoted(&policy.name.en),
                quoted(&policy.version),
                share(policy.availability(&one.tally)),
                share(one.tally.coverage()),
                share(supported.and_then(|tally| policy.availability(tally))),
                share(supported.and_then(Tally::coverage)),
                share(one.objective.map(domain::Objective::share)),
                one.budget(policy).map_or_else(String::new, |budget| whole(budget.left())),
                whole(operational),
                whole(degraded),
                whole(down),
                whole(one.tally.maintenance.total()),
                whole(unknown),
                self.incidents_of(&one.id).to_string(),
                first.map(|first| first.id.to_string()).unwrap_or_default(),
                first.map(|first| first.sum.latency(first.warm).count().to_string()).unwrap_or_default(),
                ms(|took| took.p50),
                ms(|took| took.p95),
                ms(|took| took.p99),
                ms(|took| took.max),
            ];
            csv.push_str(&row.join(","));
            csv.push_str("\r\n");
        }
        csv
    }
}

impl ReviewedOperation {
    /// How long its good answers among `sum` took.
    pub(super) fn on(&self, sum: &Rollup) -> Option<Percentiles> {
        sum.latency(self.warm).percentiles()
    }
}

fn operation(one: &ReviewedOperation) -> Value {
    let verdicts: BTreeMap<&str, u64> =
        ["pass", "slow", "fail", "inconclusive"].into_iter().zip(one.sum.verdicts).collect();
    json!({
        "operation": one.id,
        "latency_ms": one.on(&one.sum).map(|took| latency(&took)),
        "samples": one.sum.samples(),
        "verdicts": verdicts,
    })
}

fn latency(took: &Percentiles) -> Value {
    let ms = |duration: Duration| (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0;
    json!({ "p50": ms(took.p50), "p90": ms(took.p90), "p95": ms(took.p95), "p99": ms(took.p99), "max": ms(took.max) })
}

/// To the millisecond.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// A person's words as one field (RFC 4180): never a formula of a spreadsheet.
fn quoted(text: &str) -> String {
    let text = text.replace('"', "\"\"");
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{text}\"", if formula { "'" } else { "" })
}
