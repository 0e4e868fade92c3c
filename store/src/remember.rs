//! What the rules need to know at the start.

use crate::{
    Store,
    error::Error,
    history,
    incident::MAX_INCIDENTS,
    row::{Reading, unsigned},
    sqlite::{Connection, Transaction},
};
use domain::{Health, Incident, Remembered, Silence, Track, TrackId, Verdict};
use jiff::Timestamp;
use std::collections::HashMap;

const DOING: &str = "remember how things stood";

/// Minutes before the newest outcome that are read whole: most tracks have their last outcome there.
const RECENT: i64 = 10;

impl Store {
    /// All that the rules need to know at the start: open incidents and those resolved since `resolved_since` (the newest
    /// [`MAX_INCIDENTS`] of these), silences that end after it, and each track's last outcome, however long it is past.
    pub async fn remember(&self, resolved_since: Timestamp) -> Result<Remembered, Error> {
        // One transaction: all of the same moment, even while another program writes.
        let transaction = self.reader().begin().await.map_err(Error::during(DOING))?;
        self.remembered(transaction, resolved_since).await
    }

    /// The same after everything that this program has asked the store to write, whatever became of it: for when the
    /// fate of a batch is not known.
    pub async fn remember_in_turn(&self, resolved_since: Timestamp) -> Result<Remembered, Error> {
        let transaction = self.begin(DOING).await?;
        self.remembered(transaction, resolved_since).await
    }

    async fn remembered(
        &self,
        mut transaction: Transaction,
        resolved_since: Timestamp,
    ) -> Result<Remembered, Error> {
        let connection = &mut *transaction;
        let remembered = Remembered {
            tracks: tracks(connection).await?,
            latest: latest(connection).await?,
            healths: healths(connection).await?,
            incidents: incidents(connection, resolved_since).await?,
            silences: silences(connection, resolved_since).await?,
            last_incident: last(connection, "SELECT coalesce(max(id), 0) FROM incident").await?,
            last_silence: last(connection, "SELECT coalesce(max(id), 0) FROM silence").await?,
            key: self.0.key.clone(),
        };
        transaction.rollback().await.map_err(Error::during(DOING))?;
        Ok(remembered)
    }
}

async fn tracks(connection: &mut Connection) -> Result<Vec<Track>, Error> {
    sqlx::query("SELECT state FROM track WHERE state IS NOT NULL ORDER BY id")
        .fetch_all(connection)
        .await
        .map_err(Error::during(DOING))?
        .iter()
        .map(|row| Reading { row, doing: DOING }.json("state"))
        .collect()
}

async fn latest(connection: &mut Connection) -> Result<Vec<(TrackId, Timestamp, Verdict)>, Error> {
    let rows = sqlx::query(
        "SELECT id, api, environment, operation, vantage, hour FROM track WHERE hour IS NOT NULL ORDER BY id",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(Error::during(DOING))?;
    let mut recent = recent(connection).await?;
    let mut latest = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Reading { row, doing: DOING };
        let id = row.get("id")?;
        let last = match recent.remove(&id) {
            Some(last) => Some(last),
            None => last_of(connection, id, row.get("hour")?).await?,
        };
        if let Some((at, verdict)) = last {
            latest.push((row.track()?, at, verdict));
        }
    }
    Ok(latest)
}

/// The last outcome of every track that has one in the newest minutes.
async fn recent(connection: &mut Connection) -> Result<HashMap<i64, (Timestamp, Verdict)>, Error> {
    sqlx::query(
        "WITH last AS (SELECT track, max(minute * 60000 + ms) AS at FROM outcome
                       WHERE minute > (SELECT max(minute) FROM outcome) - $1 GROUP BY track)
         SELECT last.track, last.at, outcome.verdict FROM last CROSS JOIN outcome
         WHERE outcome.minute = last.at / 60000 AND outcome.track = last.track AND outcome.ms = last.at % 60000",
    )
    .bind(RECENT)
    .fetch_all(connection)
    .await
    .map_err(Error::during(DOING))?
    .iter()
    .map(|row| {
        let row = Reading { row, doing: DOING };
        Ok((row.get("track")?, (row.time("at")?, row.verdict()?)))
    })
    .collect()
}

/// The last outcome of one track, looked up minute by minute in the hour in which it was.
async fn last_of(
    connection: &mut Connection,
    track: i64,
    hour: i64,
) -> Result<Option<(Timestamp, Verdict)>, Error> {
    let row = sqlx::query(
        "WITH RECURSIVE span (minute) AS (SELECT $2 UNION ALL SELECT minute - 1 FROM span WHERE minute > $3)
         SELECT outcome.minute * 60000 + outcome.ms AS at, outcome.verdict
         FROM span CROSS JOIN outcome WHERE outcome.minute = span.minute AND outcome.track = $1
         ORDER BY at DESC LIMIT 1",
    )
    .bind(track)
    .bind(hour * 60 + 59)
    .bind(hour * 60)
    .fetch_optional(connection)
    .await
    .map_err(Error::during(DOING))?;
    row.as_ref()
        .map(|row| {
            let row = Reading { row, doing: DOING };
            Ok((row.time("at")?, row.verdict()?))
        })
        .transpose()
}

async fn healths(connection: &mut Connection) -> Result<Vec<Health>, Error> {
    sqlx::query(
        "SELECT held.api, held.environment, held.since, held.status, held.layer, held.maintenance
         FROM (SELECT api, environment, max(since) AS since FROM status_change GROUP BY api, environment) AS last
         JOIN status_change AS held
           ON held.api = last.api AND held.environment = last.environment AND held.since = last.since
         ORDER BY held.api, held.environment",
    )
    .fetch_all(connection)
    .await
    .map_err(Error::during(DOING))?
    .iter()
    .map(|row| history::health(Reading { row, doing: DOING }))
    .collect()
}

async fn incidents(connection: &mut Connection, resolved_since: Timestamp) -> Result<Vec<Incident>, Error> {
    let mut incidents = sqlx::query(
        "SELECT state FROM incident WHERE status <> 'resolved'
         UNION ALL
         SELECT state FROM (SELECT state FROM incident WHERE status = 'resolved' AND resolved_at >= $1
                            ORDER BY resolved_at DESC, id DESC LIMIT $2) AS resolved",
    )
    .bind(resolved_since.as_millisecond())
    .bind(MAX_INCIDENTS)
    .fetch_all(connection)
    .await
    .map_err(Error::during(DOING))?
    .iter()
    .map(|row| Reading { row, doing: DOING }.json("state"))
    .collect::<Result<Vec<Incident>, Error>>()?;
    incidents.sort_by_key(|incident| incident.id);
    Ok(incidents)
}

async fn silences(connection: &mut Connection, after: Timestamp) -> Result<Vec<Silence>, Error> {
    sqlx::query("SELECT state FROM silence WHERE until > $1 ORDER BY id")
        .bind(after.as_millisecond())
        .fetch_all(connection)
        .await
        .map_err(Error::during(DOING))?
        .iter()
        .map(|row| Reading { row, doing: DOING }.json("state"))
        .collect()
}

async fn last(connection: &mut Connection, highest: &'static str) -> Result<u64, Error> {
    sqlx::query_scalar(highest).fetch_one(connection).await.map(unsigned).map_err(Error::during(DOING))
}
