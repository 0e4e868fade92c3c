//! The past: statuses and failures over a range `[from, to)`.

use crate::{
    Store, crash_point,
    database::{Connection, Purpose, without_nul},
    error::Error,
    postgres,
    row::{Reading, time, to_json, unsigned},
    sqlite,
};
use domain::{
    Failure, FailureKind, Health, InstanceId, Layer, Phases, Status, StatusChange, TrackId, Verdict,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};

/// Status changes of one instance that one answer may hold.
pub const MAX_CHANGES: u32 = 10_000;
/// Samples or failures that one answer holds at most, whatever was asked for: 90 days at one probe every 30 s.
pub const MAX_SAMPLES: u32 = 260_000;

/// One probe that was not a Pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRow {
    /// Which check, from where.
    pub track: TrackId,
    /// When it started.
    pub at: Timestamp,
    /// How it was judged.
    pub verdict: Verdict,
    /// Sent to confirm trouble, out of its turn.
    pub confirm: bool,
    /// How long it took, to the microsecond.
    pub total: Duration,
    /// What was wrong; `None`: only the time it took.
    pub failure: Option<Failure>,
    /// The `X-Request-ID` that was sent.
    pub request_id: Option<String>,
    /// The status code, when an answer came.
    pub http_status: Option<u16>,
    /// How long each phase took, to the microsecond.
    pub phases: Phases,
}

/// Probes of an instance that were not a Pass, counted by what was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// How they were judged.
    pub verdict: Verdict,
    /// Where and what; `None`: only the time they took.
    pub failure: Option<(Layer, FailureKind)>,
    /// How many.
    pub count: u64,
    /// When the last of them started.
    pub last_at: Timestamp,
}

impl Store {
    /// The health of `instance` in force at `from`, and those that began after it and before `to`, in order.
    /// More than [`MAX_CHANGES`] of them are [`Error::TooMuch`].
    pub async fn healths(
        &self,
        instance: &InstanceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<(Option<Health>, Vec<Health>), Error> {
        let doing = "read the history of an instance";
        // One statement, so that both answers are of the same moment: the row in force is the first at or after its own time.
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let rows = connection
            .statement(
                "SELECT api, environment, since, status, layer, maintenance FROM status_change
             WHERE api = $1 AND environment = $2 AND since < $4
               AND since >= coalesce((SELECT max(since) FROM status_change
                                      WHERE api = $1 AND environment = $2 AND since <= $3), $3)
             ORDER BY since LIMIT $5",
            )
            .bind(instance.api.as_str())
            .bind(instance.environment.word())
            .bind(from.as_millisecond())
            .bind(to.as_millisecond())
            .bind(i64::from(MAX_CHANGES) + 2)
            .rows(doing)
            .await?;
        let mut healths =
            rows.iter().map(|row| health(Reading { row, doing })).collect::<Result<Vec<_>, _>>()?;
        let in_force = match healths.first() {
            Some(first) if first.since <= from => Some(healths.remove(0)),
            _ => None,
        };
        if healths.len() > MAX_CHANGES as usize {
            return Err(Error::TooMuch { doing, limit: MAX_CHANGES, of: "changes of status" });
        }
        Ok((in_force, healths))
    }

    /// Which probe that was not a Pass carried this `X-Request-ID`, and when it started.
    pub async fn failed_request(&self, request_id: &str) -> Result<Option<(TrackId, Timestamp)>, Error> {
        let doing = "look a request up";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let rows = connection
            .statement(
                "SELECT track.api, track.environment, track.operation, track.vantage, failure.at
                 FROM failure JOIN track ON track.id = failure.track WHERE failure.request_id = $1 LIMIT 1",
            )
            .bind(request_id)
            .rows(doing)
            .await?;
        let row = rows.first().map(|row| Reading { row, doing });
        row.map(|row| Ok((row.track()?, time(row.get("at")?, doing)?))).transpose()
    }

    /// The newest `limit` (at most [`MAX_SAMPLES`]) probes of `instance` in the range that were not a Pass, the newest first.
    pub async fn failures(
        &self,
        instance: &InstanceId,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Result<Vec<FailureRow>, Error> {
        let doing = "read the failures of an instance";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        connection.statement(
            "SELECT track.api, track.environment, track.operation, track.vantage, failure.at, failure.verdict,
                    failure.confirm, failure.total, failure.layer, failure.kind, failure.message, failure.request_id,
                    failure.http_status, failure.dns, failure.connect, failure.tls, failure.first_byte, failure.body
             FROM track CROSS JOIN failure
             WHERE track.api = $1 AND track.environment = $2
               AND failure.track = track.id AND failure.at >= $3 AND failure.at < $4
             ORDER BY failure.at DESC, failure.track LIMIT $5",
        )
        .bind(instance.api.as_str())
        .bind(instance.environment.word())
        .bind(from.as_millisecond())
        .bind(to.as_millisecond())
        .bind(i64::from(limit.min(MAX_SAMPLES)))
        .rows(doing)
        .await?
        .iter()
        .map(|row| failure_row(Reading { row, doing }))
        .collect()
    }

    /// How many probes of `instance` in the range were not a Pass, by what was wrong.
    pub async fn failure_counts(
        &self,
        instance: &InstanceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<FailureCount>, Error> {
        let doing = "count the failures of an instance";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        connection
            .statement(
                "SELECT failure.verdict, failure.layer, failure.kind, count(*) AS count, max(failure.at) AS at
                 FROM track CROSS JOIN failure
                 WHERE track.api = $1 AND track.environment = $2
                   AND failure.track = track.id AND failure.at >= $3 AND failure.at < $4
                 GROUP BY failure.verdict, failure.layer, failure.kind",
            )
            .bind(instance.api.as_str())
            .bind(instance.environment.word())
            .bind(from.as_millisecond())
            .bind(to.as_millisecond())
            .rows(doing)
            .await?
            .iter()
            .map(|row| {
                let row = Reading { row, doing };
                Ok(FailureCount {
                    verdict: row.verdict()?,
                    failure: what(row)?,
                    count: unsigned(row.get("count")?),
                    last_at: time(row.get("at")?, doing)?,
                })
            })
            .collect()
    }
}

/// A row of `status_change`.
pub(crate) fn health(row: Reading<'_>) -> Result<Health, Error> {
    let layer: Option<&str> = row.get("layer")?;
    Ok(Health {
        instance: row.instance()?,
        status: row.word("status", Status::parse)?,
        since: row.time("since")?,
        layer: layer.map(|_| row.word("layer", Layer::parse)).transpose()?,
        maintenance: row.get("maintenance")?,
    })
}

/// Where it failed, and what was wrong.
fn what(row: Reading<'_>) -> Result<Option<(Layer, FailureKind)>, Error> {
    let layer: Option<&str> = row.get("layer")?;
    let kind = |word: &str| serde_json::from_value(serde_json::Value::String(word.to_owned())).ok();
    layer.map(|_| Ok((row.word("layer", Layer::parse)?, row.word("kind", kind)?))).transpose()
}

fn failure_row(row: Reading<'_>) -> Result<FailureRow, Error> {
    let micros = |column| {
        row.get::<Option<i64>>(column)
            .map(|micros| micros.map(|micros| Duration::from_micros(unsigned(micros))))
    };
    let failure = what(row)?
        .map(|(layer, kind)| Ok::<_, Error>(Failure { layer, kind, message: row.get("message")? }))
        .transpose()?;
    Ok(FailureRow {
        track: row.track()?,
        at: time(row.get("at")?, row.doing)?,
        verdict: row.verdict()?,
        confirm: row.get("confirm")?,
        total: Duration::from_micros(unsigned(row.get("total")?)),
        failure,
        request_id: row.get("request_id")?,
        http_status: row.get::<Option<i64>>("http_status")?.and_then(|status| u16::try_from(status).ok()),
        phases: Phases {
            dns: micros("dns")?,
            connect: micros("connect")?,
            tls: micros("tls")?,
            first_byte: micros("first_byte")?,
            body: micros("body")?,
        },
    })
}

/// Turns pages of instances' histories, or writes the page of that moment anew, within a transaction. Of two of one moment
/// the later is kept.
pub(crate) async fn put<'c>(
    connection: &mut Connection,
    changes: impl Iterator<Item = &'c StatusChange>,
) -> Result<(), Error> {
    let doing = "record changes of status";
    let pages: BTreeMap<(&InstanceId, i64), &StatusChange> = changes
        .map(|change| ((&change.health.instance, change.health.since.as_millisecond()), change))
        .collect();
    if pages.is_empty() {
        return Ok(());
    }
    let rows: Vec<serde_json::Value> = pages.into_iter().map(status_row).collect();
    connection
        .either(sqlite::PUT_STATUSES, postgres::PUT_STATUSES)
        .bind(to_json(&rows, doing)?)
        .execute(doing)
        .await?;
    crash_point!("record/status");
    Ok(())
}

fn status_row(((instance, since), change): ((&InstanceId, i64), &StatusChange)) -> serde_json::Value {
    let health = &change.health;
    serde_json::json!([
        instance.api.as_str(),
        instance.environment.word(),
        since,
        health.status.word(),
        health.layer.map(Layer::word),
        health.maintenance,
        change.decided_at.as_millisecond(),
        without_nul(&change.why),
    ])
}
