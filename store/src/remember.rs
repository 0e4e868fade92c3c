//! What the rules need to know at the start.

use crate::{
    Store,
    block::HOUR,
    contact_proof,
    database::{Connection, Purpose},
    ending,
    error::Error,
    history,
    incident::MAX_INCIDENTS,
    release,
    row::{Reading, time, unsigned, verdict_of},
    sealed,
    slot::of_slot,
};
use domain::{Health, Incident, LONGEST_BURN, Remembered, Track, TrackId, Verdict};
use jiff::Timestamp;
use std::collections::HashMap;

const DOING: &str = "remember how things stood";

/// Minutes before the newest outcome that are read whole: most tracks have their last outcome there.
const RECENT: i64 = 10;

/// Changes of status by which a budget may burn that are read at most, the newest.
const MOST_CHANGES: i64 = 20_000;

impl Store {
    /// All that the rules need to know at the start: open incidents and those resolved since `resolved_since` (the newest
    /// [`MAX_INCIDENTS`] of these), silences that end after it, and each track's last outcome, however long it is past.
    pub async fn remember(&self, resolved_since: Timestamp) -> Result<Remembered, Error> {
        // One transaction: all of the same moment, even while another program writes.
        let mut transaction = self.begin(Purpose::Remember, DOING).await?;
        let connection = &mut transaction;
        let remembered = Remembered {
            tracks: tracks(connection).await?,
            latest: latest(connection).await?,
            healths: healths(connection).await?,
            changes: changes(connection).await?,
            releases: release::last(connection, DOING).await?,
            incidents: incidents(connection, resolved_since).await?,
            silences: ending::silences(connection, resolved_since, DOING).await?,
            maintenances: ending::maintenances(connection, resolved_since, DOING).await?,
            overrides: ending::overrides(connection, resolved_since, DOING).await?,
            proofs: contact_proof::all(connection, DOING).await?,
            last_incident: last(connection, "SELECT coalesce(max(id), 0) AS highest FROM incident").await?,
            last_silence: last(connection, "SELECT coalesce(max(id), 0) AS highest FROM silence").await?,
            last_maintenance: last(connection, "SELECT coalesce(max(id), 0) AS highest FROM maintenance")
                .await?,
            last_override: last(connection, "SELECT coalesce(max(id), 0) AS highest FROM rota_overrides")
                .await?,
            key: self.0.key.clone(),
        };
        transaction.rollback(DOING).await?;
        Ok(remembered)
    }

    /// The same after everything that this program has asked the store to write, whatever became of it: for when the
    /// fate of a batch is not known. What is recorded next may build on this.
    pub async fn remember_in_turn(&self, resolved_since: Timestamp) -> Result<Remembered, Error> {
        self.wait_in_turn(DOING).await?;
        self.remember(resolved_since).await
    }
}

async fn tracks(connection: &mut Connection) -> Result<Vec<Track>, Error> {
    connection
        .statement("SELECT state FROM track WHERE state IS NOT NULL ORDER BY id")
        .rows(DOING)
        .await?
        .iter()
        .map(|row| Reading { row, doing: DOING }.json("state"))
        .collect()
}

async fn latest(connection: &mut Connection) -> Result<Vec<(TrackId, Timestamp, Verdict)>, Error> {
    let rows = connection.statement(
        "SELECT id, api, environment, operation, vantage, hour FROM track WHERE hour IS NOT NULL ORDER BY id",
    )
    .rows(DOING)
    .await?;
    let recent = recent(connection).await?;
    let sealed = sealed_last(connection).await?;
    let mut latest = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Reading { row, doing: DOING };
        let id = row.get("id")?;
        let hour: i64 = row.get("hour")?;
        let late = recent.get(&id).filter(|(at, _)| at.as_millisecond().div_euclid(HOUR) >= hour).copied();
        let row_of_it = match late {
            Some(late) => Some(late),
            None => last_of(connection, id, hour).await?,
        };
        // Of two at the same time, the sealed one was first.
        let last = row_of_it.into_iter().chain(sealed.get(&id).copied()).max_by_key(|(at, _)| *at);
        if let Some((at, verdict)) = last {
            latest.push((row.track()?, at, verdict));
        }
    }
    Ok(latest)
}

/// The last outcome of every track that has one in the newest minutes.
async fn recent(connection: &mut Connection) -> Result<HashMap<i64, (Timestamp, Verdict)>, Error> {
    connection.statement(
        "WITH last AS (SELECT track, max(CAST(minute AS BIGINT) * 60000 + ms) AS at FROM outcome
                       WHERE minute > (SELECT max(minute) FROM outcome) - $1 GROUP BY track)
         SELECT CAST(last.track AS BIGINT) AS track, last.at, CAST(outcome.verdict AS BIGINT) AS verdict
         FROM last CROSS JOIN outcome
         WHERE outcome.minute = last.at / 60000 AND outcome.track = last.track AND outcome.ms = last.at % 60000",
    )
    .bind(RECENT)
    .rows(DOING)
    .await?
    .iter()
    .map(|row| {
        let row = Reading { row, doing: DOING };
        Ok((row.get("track")?, (row.time("at")?, row.verdict()?)))
    })
    .collect()
}

/// The last sealed outcome of every track whose last hour is sealed.
async fn sealed_last(connection: &mut Connection) -> Result<HashMap<i64, (Timestamp, Verdict)>, Error> {
    let rows = connection
        .statement(
            "SELECT sealed.slot, sealed.block FROM track CROSS JOIN sealed
             WHERE sealed.slot = track.id * 4194304 + track.hour",
        )
        .rows(DOING)
        .await?;
    let mut last = HashMap::new();
    for row in &rows {
        let row = Reading { row, doing: DOING };
        let (track, hour) = of_slot(row.get("slot")?);
        // Long past: that nobody can read it must keep nobody from looking on.
        let packed = sealed::readable(row)?;
        if let Some(one) = packed.last() {
            let at = time(hour * HOUR + i64::from(one.ms), DOING)?;
            last.insert(track, (at, verdict_of(i64::from(one.code), DOING)?));
        }
    }
    Ok(last)
}

/// The last outcome of one track, looked up minute by minute in the hour in which it was.
async fn last_of(
    connection: &mut Connection,
    track: i64,
    hour: i64,
) -> Result<Option<(Timestamp, Verdict)>, Error> {
    let row = connection.statement(
        "WITH RECURSIVE span (minute) AS (SELECT $2 UNION ALL SELECT minute - 1 FROM span WHERE minute > $3)
         SELECT CAST(outcome.minute AS BIGINT) * 60000 + outcome.ms AS at, CAST(outcome.verdict AS BIGINT) AS verdict
         FROM span CROSS JOIN outcome WHERE outcome.minute = span.minute AND outcome.track = $1
         ORDER BY at DESC LIMIT 1",
    )
    .bind(track)
    .bind(hour * 60 + 59)
    .bind(hour * 60)
    .row_if(DOING)
    .await?;
    row.as_ref()
        .map(|row| {
            let row = Reading { row, doing: DOING };
            Ok((row.time("at")?, row.verdict()?))
        })
        .transpose()
}

async fn healths(connection: &mut Connection) -> Result<Vec<Health>, Error> {
    connection.statement(
        "SELECT held.api, held.environment, held.since, held.status, held.layer, held.maintenance
         FROM (SELECT api, environment, max(since) AS since FROM status_change GROUP BY api, environment) AS last
         JOIN status_change AS held
           ON held.api = last.api AND held.environment = last.environment AND held.since = last.since
         ORDER BY held.api, held.environment",
    )
    .rows(DOING)
    .await?
    .iter()
    .map(|row| history::health(Reading { row, doing: DOING }))
    .collect()
}

/// The changes of [`LONGEST_BURN`] before the last one, in production: what a budget burns by. Before them, of each instance
/// among them, the one that was in force when that began.
async fn changes(connection: &mut Connection) -> Result<Vec<Health>, Error> {
    let changes = connection
        .statement(
            "SELECT api, environment, since, status, layer, maintenance FROM status_change
             WHERE environment = 'production'
               AND since > (SELECT max(since) FROM status_change WHERE environment = 'production') - $1
             ORDER BY since DESC, api LIMIT $2",
        )
        .bind(i64::try_from(LONGEST_BURN.as_millis()).unwrap_or(i64::MAX))
        .bind(MOST_CHANGES)
        .rows(DOING)
        .await?
        .iter()
        .map(|row| history::health(Reading { row, doing: DOING }))
        .collect::<Result<Vec<Health>, Error>>()?;
    let mut before = connection
        .statement(
            "SELECT held.api, held.environment, held.since, held.status, held.layer, held.maintenance
             FROM (SELECT api, max(since) AS since FROM status_change
                   WHERE environment = 'production'
                     AND since <= (SELECT max(since) FROM status_change WHERE environment = 'production') - $1
                   GROUP BY api) AS last
             JOIN status_change AS held
               ON held.api = last.api AND held.environment = 'production' AND held.since = last.since
             ORDER BY held.since, held.api",
        )
        .bind(i64::try_from(LONGEST_BURN.as_millis()).unwrap_or(i64::MAX))
        .rows(DOING)
        .await?
        .iter()
        .map(|row| history::health(Reading { row, doing: DOING }))
        .collect::<Result<Vec<Health>, Error>>()?;
    before.retain(|held| changes.iter().any(|change| change.instance == held.instance));
    before.extend(changes.into_iter().rev());
    Ok(before)
}

async fn incidents(connection: &mut Connection, resolved_since: Timestamp) -> Result<Vec<Incident>, Error> {
    let mut incidents = connection
        .statement(
            "SELECT state FROM incident WHERE status <> 'resolved'
         UNION ALL
         SELECT state FROM (SELECT state FROM incident WHERE status = 'resolved' AND resolved_at >= $1
                            ORDER BY resolved_at DESC, id DESC LIMIT $2) AS resolved",
        )
        .bind(resolved_since.as_millisecond())
        .bind(i64::from(MAX_INCIDENTS))
        .rows(DOING)
        .await?
        .iter()
        .map(|row| Reading { row, doing: DOING }.json("state"))
        .collect::<Result<Vec<Incident>, Error>>()?;
    incidents.sort_by_key(|incident| incident.id);
    Ok(incidents)
}

async fn last(connection: &mut Connection, highest: &'static str) -> Result<u64, Error> {
    let row = connection.statement(highest).row(DOING).await?;
    Reading { row: &row, doing: DOING }.get("highest").map(unsigned)
}
