//! What the recorder commits: outcomes and all that follows from them, together or not at all (invariant 6).

use crate::{
    Store,
    error::Error,
    history,
    inbox::{self, InboxId},
    incident, outbox,
    row::{signed, to_json, verdict_number},
    sqlite::{self, Connection},
    track::{self, Number},
};
use domain::{Change, Outcome, Silence, TrackId, Verdict};
use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

const DOING: &str = "record a batch";

/// A minute, in milliseconds: the first part of an outcome's key.
pub(crate) const MINUTE: i64 = 60_000;

/// What was folded since the last batch. The same batch recorded twice is stored once.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// What probes saw, and how it was judged.
    pub outcomes: Vec<(Arc<Outcome>, Verdict)>,
    /// What follows from it, in the order decided.
    pub changes: Vec<Change>,
    /// Inbox rows that were folded in, and what to answer who told us.
    pub folded: Vec<(InboxId, Result<String, String>)>,
}

impl Batch {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty() && self.changes.is_empty() && self.folded.is_empty()
    }

    /// The tracks it needs numbers of: first those of the outcomes in their order, then those that changed.
    fn tracks(&self) -> Vec<TrackId> {
        let of_outcomes = self.outcomes.iter().map(|(outcome, _)| track::track_of(outcome));
        let changed = self.changes.iter().filter_map(|change| match change {
            Change::Track(track) => Some(track.id.clone()),
            Change::Status(_)
            | Change::Incident(_)
            | Change::Notify(_)
            | Change::Withdraw(_)
            | Change::Silence(_) => None,
        });
        of_outcomes.chain(changed).collect()
    }
}

impl Store {
    /// Stores a batch in one transaction: all of it, or on an error nothing.
    pub async fn record(&self, batch: &Batch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let recorded = self.record_some(batch).await;
        if let Err(Error::Unavailable { .. }) = &recorded {
            self.renew_writer().await;
        }
        self.0.recorded.fetch_add(recorded?, Ordering::Relaxed);
        Ok(())
    }

    async fn record_some(&self, batch: &Batch) -> Result<u64, Error> {
        let tracks = batch.tracks();
        let known = self.0.tracks.of(&tracks);
        match quiet(batch, &known) {
            // The steady state: a single statement is a transaction of its own, and spares the worker two turns.
            Some(numbers) => {
                let mut connection = self.writer().acquire().await.map_err(Error::during(DOING))?;
                insert_outcomes(&mut connection, batch, &numbers).await
            }
            None => self.record_all(batch, &tracks, &known).await,
        }
    }

    async fn record_all(
        &self,
        batch: &Batch,
        tracks: &[TrackId],
        known: &[Option<Number>],
    ) -> Result<u64, Error> {
        let mut transaction = self.begin(DOING).await?;
        let connection = &mut *transaction;
        let mut fresh = HashMap::new();
        let numbers = number_all(connection, tracks, known, &mut fresh).await?;
        let risen = risen(batch, tracks, &numbers);
        track::put_hours(connection, risen.values().copied(), DOING).await?;
        fresh.extend(risen);
        let recorded = insert_outcomes(connection, batch, &numbers).await?;
        insert_failures(connection, batch, &numbers).await?;
        let mut changed = numbers.iter().skip(batch.outcomes.len());
        for change in &batch.changes {
            match change {
                Change::Track(track) => {
                    if let Some(number) = changed.next() {
                        track::put(connection, *number, track).await?;
                    }
                }
                Change::Status(change) => history::put(connection, change).await?,
                Change::Incident(incident) => incident::put(connection, incident).await?,
                Change::Notify(notification) => outbox::put(connection, notification).await?,
                Change::Withdraw(key) => outbox::withdraw(connection, key).await?,
                Change::Silence(silence) => put_silence(connection, silence).await?,
            }
        }
        for (id, answer) in &batch.folded {
            inbox::fold(connection, *id, answer.as_ref()).await?;
        }
        transaction.commit().await.map_err(Error::during(DOING))?;
        self.0.tracks.keep(fresh);
        Ok(recorded)
    }
}

/// The tracks' numbers, when there is nothing to store but passes of tracks that already had one in the same hour.
fn quiet(batch: &Batch, known: &[Option<Number>]) -> Option<Vec<Number>> {
    let numbers = known.iter().copied().collect::<Option<Vec<_>>>()?;
    let passes = batch.outcomes.iter().zip(&numbers).all(|((outcome, verdict), number)| {
        *verdict == Verdict::Pass && track::hour_of(outcome) <= number.hour
    });
    (passes && batch.changes.is_empty() && batch.folded.is_empty()).then_some(numbers)
}

/// The numbers of all `tracks`; those that had none are given one, and noted in `fresh`.
async fn number_all(
    connection: &mut Connection,
    tracks: &[TrackId],
    known: &[Option<Number>],
    fresh: &mut HashMap<TrackId, Number>,
) -> Result<Vec<Number>, Error> {
    let mut all = Vec::with_capacity(tracks.len());
    for (track, number) in tracks.iter().zip(known) {
        let number = if let Some(number) = number.or_else(|| fresh.get(track).copied()) {
            number
        } else {
            let id = track::number(connection, track, DOING).await?;
            let number = Number { id, hour: i64::MIN };
            fresh.insert(track.clone(), number);
            number
        };
        all.push(number);
    }
    Ok(all)
}

/// The tracks whose last outcome is now of a later hour.
fn risen(batch: &Batch, tracks: &[TrackId], numbers: &[Number]) -> HashMap<TrackId, Number> {
    let mut risen: HashMap<TrackId, Number> = HashMap::new();
    for ((track, number), (outcome, _)) in tracks.iter().zip(numbers).zip(&batch.outcomes) {
        let hour = track::hour_of(outcome);
        let highest = risen.get(track).map_or(number.hour, |number| number.hour);
        if hour > highest {
            risen.insert(track.clone(), Number { id: number.id, hour });
        }
    }
    risen
}

/// How many were new.
async fn insert_outcomes(
    connection: &mut Connection,
    batch: &Batch,
    numbers: &[Number],
) -> Result<u64, Error> {
    if batch.outcomes.is_empty() {
        return Ok(0);
    }
    let done = sqlx::query(sqlite::INSERT_OUTCOMES)
        .bind(outcome_rows(batch, numbers))
        .execute(connection)
        .await
        .map_err(Error::during(DOING))?;
    Ok(done.rows_affected())
}

fn outcome_rows(batch: &Batch, numbers: &[Number]) -> String {
    let mut rows = String::with_capacity(batch.outcomes.len() * 32);
    for ((outcome, verdict), number) in batch.outcomes.iter().zip(numbers) {
        let at = outcome.at.as_millisecond();
        let (minute, ms) = (at.div_euclid(MINUTE), at.rem_euclid(MINUTE));
        let (track, total) = (number.id, steps(outcome.total));
        rows.push(if rows.is_empty() { '[' } else { ',' });
        // Writing to a String cannot fail.
        write!(rows, "[{minute},{track},{ms},{},{total}]", verdict_number(*verdict)).ok();
    }
    rows.push(']');
    rows
}

/// Steps of 64 µs, to the nearest.
fn steps(total: Duration) -> u64 {
    u64::try_from((total.as_micros() + 32) / 64).unwrap_or(u64::from(u32::MAX))
}

async fn insert_failures(
    connection: &mut Connection,
    batch: &Batch,
    numbers: &[Number],
) -> Result<(), Error> {
    let rows: Vec<serde_json::Value> = batch
        .outcomes
        .iter()
        .zip(numbers)
        .filter(|((_, verdict), _)| *verdict != Verdict::Pass)
        .map(|((outcome, verdict), track)| failure_row(outcome, *verdict, track.id))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(sqlite::INSERT_FAILURES)
        .bind(to_json(&rows, DOING)?)
        .execute(connection)
        .await
        .map_err(Error::during(DOING))?;
    Ok(())
}

fn failure_row(outcome: &Outcome, verdict: Verdict, track: i64) -> serde_json::Value {
    let micros = |phase: Option<Duration>| phase.map(micros);
    let failure = outcome.failure.as_ref();
    let phases = outcome.phases;
    serde_json::json!([
        track,
        outcome.at.as_millisecond(),
        verdict_number(verdict),
        i64::from(outcome.confirm),
        micros(Some(outcome.total)),
        failure.map(|failure| failure.layer.word()),
        failure.map(|failure| failure.kind.word()),
        failure.map(|failure| failure.message.as_str()),
        outcome.request_id,
        outcome.http.as_ref().map(|http| http.status),
        micros(phases.dns),
        micros(phases.connect),
        micros(phases.tls),
        micros(phases.first_byte),
        micros(phases.body),
    ])
}

fn micros(phase: Duration) -> i64 {
    i64::try_from(phase.as_micros()).unwrap_or(i64::MAX)
}

async fn put_silence(connection: &mut Connection, silence: &Silence) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO silence (id, until, state) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET until = excluded.until, state = excluded.state",
    )
    .bind(signed(silence.id))
    .bind(silence.until.as_millisecond())
    .bind(to_json(silence, DOING)?)
    .execute(connection)
    .await
    .map_err(Error::during(DOING))?;
    Ok(())
}
