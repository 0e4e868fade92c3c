//! What the recorder commits: outcomes and all that follows from them, together or not at all (invariant 6).

use crate::{
    Store, contact_proof, crash_point,
    database::{Connection, Purpose, Statement, without_nul},
    ending,
    error::Error,
    history,
    inbox::{self, InboxId},
    incident,
    lease::Under,
    outbox, postgres, release,
    row::{WARM, to_json, verdict_number},
    sqlite,
    track::{self, Number},
    transcript,
};
use domain::{Change, Outcome, StatusChange, Track, TrackId, Verdict};
use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

const DOING: &str = "record a batch";

/// A minute, in milliseconds: the first part of an outcome's key.
pub(crate) const MINUTE: i64 = 60_000;

/// What was folded since the last batch. The same batch recorded twice is stored once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// What probes saw, and how it was judged.
    pub outcomes: Vec<(Arc<Outcome>, Verdict)>,
    /// What follows from it, in the order decided.
    pub changes: Vec<Change>,
    /// Inbox rows that were folded in, and what to answer who told us.
    pub folded: Vec<(InboxId, Result<String, String>)>,
    /// Inbox rows that were folded in and of which nobody awaits an answer: their outcomes are all there is to keep.
    pub heard: Vec<InboxId>,
}

impl Batch {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty() && self.changes.is_empty() && self.folded.is_empty() && self.heard.is_empty()
    }

    /// The tracks it needs numbers of: first those of the outcomes in their order, then those that changed.
    fn tracks(&self) -> Vec<TrackId> {
        let of_outcomes = self.outcomes.iter().map(|(outcome, _)| track::track_of(outcome));
        of_outcomes.chain(self.changed_tracks().map(|track| track.id.clone())).collect()
    }

    fn changed_tracks(&self) -> impl Iterator<Item = &Track> {
        self.changes.iter().filter_map(|change| match change {
            Change::Track(track) => Some(&**track),
            Change::Status(_)
            | Change::Incident(_)
            | Change::Notify(_)
            | Change::Withdraw(_)
            | Change::Release(_)
            | Change::Silence(_)
            | Change::Maintenance(_)
            | Change::Override(_)
            | Change::Proof(_) => None,
        })
    }

    fn turned_pages(&self) -> impl Iterator<Item = &StatusChange> {
        self.changes.iter().filter_map(|change| match change {
            Change::Status(change) => Some(change),
            Change::Track(_)
            | Change::Incident(_)
            | Change::Notify(_)
            | Change::Withdraw(_)
            | Change::Release(_)
            | Change::Silence(_)
            | Change::Maintenance(_)
            | Change::Override(_)
            | Change::Proof(_) => None,
        })
    }
}

impl Store {
    /// Stores a batch in one transaction: all of it, or on an error nothing. One at a time.
    ///
    /// [`Error::Unknown`] is the one error after which it may be stored all the same, and so it may be when the caller stops
    /// waiting. Then the caller must find out, in one of two ways: record the same batch again until it is done or another
    /// error says that nothing is stored, for it is not stored twice; or forget it, and begin anew from
    /// [`Store::remember_in_turn`]. Any other batch that follows is [`Error::Refused`] if the first was stored: it does not know
    /// what that changed. Only a store that holds the lease can tell; another one says [`Error::Unavailable`].
    pub async fn record(&self, batch: &Batch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        self.0.database.is_in_place(DOING)?;
        let tracks = batch.tracks();
        let known = self.0.tracks.of(&tracks);
        let under = self.0.held.under()?;
        let recorded = match quiet(batch, &known) {
            // The steady state: a single statement is a transaction of its own, and spares the worker two turns. It has no
            // number: an outcome is the same however often it is told.
            Some(numbers) if under.is_none_or(|under| !under.in_doubt) => {
                let mut connection = self.connect(Purpose::Record, DOING).await?;
                crash_point!("record/before-quiet");
                let recorded = self.insert_outcomes(&mut connection, batch, &numbers, under).await;
                crash_point!("record/quiet");
                self.add_phases(batch, &numbers, recorded.as_ref().ok());
                recorded
            }
            _ => self.record_all(batch, &tracks, &known, under).await,
        };
        if let Err(Error::Unavailable { .. }) = &recorded {
            self.0.database.renew().await;
        }
        let recorded = recorded.map_err(|error| self.or_unknown(error))?;
        self.0.recorded.fetch_add(recorded, Ordering::Relaxed);
        Ok(())
    }

    /// Counts the phases of a batch that was recorded, unless some of it was there before: that may be counted already.
    fn add_phases(&self, batch: &Batch, numbers: &[Number], recorded: Option<&u64>) {
        if recorded == Some(&(batch.outcomes.len() as u64)) {
            self.0.phases.add(batch, numbers);
        }
    }

    /// While it is not known whether a batch was stored, that is what every error means.
    fn or_unknown(&self, error: Error) -> Error {
        if self.0.held.is_in_doubt() && !matches!(error, Error::Refused { .. } | Error::Unknown { .. }) {
            Error::Unknown { doing: DOING, source: error.into() }
        } else {
            error
        }
    }

    async fn record_all(
        &self,
        batch: &Batch,
        tracks: &[TrackId],
        known: &[Option<Number>],
        under: Option<Under>,
    ) -> Result<u64, Error> {
        let mut transaction = self.begin(Purpose::Record, DOING).await?;
        let connection = &mut transaction;
        if let Some(under) = under
            && !self.number_batch(connection, batch, under).await?
        {
            transaction.rollback(DOING).await?;
            return Ok(batch.outcomes.len() as u64);
        }
        crash_point!("record/begun");
        let mut fresh = HashMap::new();
        let numbers = number_all(connection, tracks, known, &mut fresh).await?;
        crash_point!("record/tracks-numbered");
        let risen = risen(batch, tracks, &numbers);
        track::put_hours(connection, risen.values().copied(), DOING).await?;
        crash_point!("record/hours");
        fresh.extend(risen);
        let recorded = self.insert_outcomes(connection, batch, &numbers, under).await?;
        crash_point!("record/outcomes");
        insert_failures(connection, &batch.outcomes, &numbers).await?;
        crash_point!("record/failures");
        transcript::put(connection, batch, &numbers, DOING).await?;
        crash_point!("record/transcripts");
        let changed = numbers.iter().skip(batch.outcomes.len()).map(|number| number.id);
        track::put(connection, changed.zip(batch.changed_tracks()).collect()).await?;
        history::put(connection, batch.turned_pages()).await?;
        for change in &batch.changes {
            match change {
                Change::Track(_) | Change::Status(_) => {}
                Change::Incident(incident) => incident::put(connection, incident).await?,
                Change::Notify(notification) => outbox::put(connection, notification).await?,
                Change::Withdraw(key) => outbox::withdraw(connection, key).await?,
                Change::Release(release) => release::put(connection, release).await?,
                Change::Silence(silence) => ending::put_silence(connection, silence).await?,
                Change::Maintenance(planned) => ending::put_maintenance(connection, planned).await?,
                Change::Override(added) => ending::put_override(connection, added).await?,
                Change::Proof(proof) => contact_proof::put(connection, proof).await?,
            }
        }
        for (id, answer) in &batch.folded {
            inbox::fold(connection, *id, answer.as_ref()).await?;
        }
        for id in &batch.heard {
            inbox::take_out(connection, *id).await?;
        }
        crash_point!("record/before-commit");
        self.commit(transaction, batch).await?;
        crash_point!("record/committed");
        self.add_phases(batch, &numbers, Some(&recorded));
        self.0.tracks.keep(fresh);
        Ok(recorded)
    }

    /// Writes the batch's number down. `false`: that very batch was stored before, and its answer was lost.
    ///
    /// Whoever writes the number holds the row until the transaction ends, and the next waits for it: so what is found here
    /// is what became of the last, even if its transaction was still open at the server when the connection was lost.
    async fn number_batch(
        &self,
        connection: &mut Connection,
        batch: &Batch,
        under: Under,
    ) -> Result<bool, Error> {
        let numbered = connection
            .statement("UPDATE recorder SET batch = $2 WHERE fence = $1 AND batch = $3")
            .bind(under.fence)
            .bind(under.number)
            .bind(under.number - 1)
            .execute(DOING)
            .await?;
        if numbered == 1 {
            self.0.held.not_stored();
            return Ok(true);
        }
        self.check_lease(connection, DOING).await?;
        if self.0.held.doubts(batch) {
            self.0.held.stored();
            Ok(false)
        } else {
            Err(Error::Refused {
                doing: DOING,
                source: format!("batch {} is stored already, and is another one", under.number).into(),
            })
        }
    }

    async fn commit(&self, transaction: Connection, batch: &Batch) -> Result<(), Error> {
        self.0.held.doubt(batch);
        match transaction.commit(DOING).await {
            Ok(()) => {
                self.0.held.stored();
                Ok(())
            }
            // Whether it arrived, nobody knows.
            Err(error @ Error::Unavailable { .. }) => Err(error),
            Err(error) => {
                self.0.held.not_stored();
                Err(error)
            }
        }
    }

    /// How many were new.
    async fn insert_outcomes(
        &self,
        connection: &mut Connection,
        batch: &Batch,
        numbers: &[Number],
        under: Option<Under>,
    ) -> Result<u64, Error> {
        if batch.outcomes.is_empty() {
            return Ok(0);
        }
        let insert = insert_rows(connection, outcome_rows(batch, numbers));
        let new = insert.bind(under.map(|under| under.fence)).execute(DOING).await?;
        if under.is_some() && new < batch.outcomes.len() as u64 {
            // Some were stored before, or this one may not write any more.
            self.check_lease(connection, DOING).await?;
        }
        Ok(new)
    }
}

/// Rows of `[minute, track, ms, verdict, total]`, to be put in; the fence is still to be bound.
pub(crate) fn insert_rows(
    connection: &mut Connection,
    rows: impl Iterator<Item = [i64; 5]>,
) -> Statement<'_> {
    match connection.either(sqlite::INSERT_OUTCOMES, postgres::INSERT_OUTCOMES) {
        Statement::Sqlite(connection, query) => Statement::Sqlite(connection, query.bind(sqlite::rows(rows))),
        Statement::Postgres(connection, query) => {
            let columns = postgres::Columns::new(rows);
            let query = query.bind(columns.minutes).bind(columns.tracks).bind(columns.ms);
            Statement::Postgres(connection, query.bind(columns.verdicts).bind(columns.totals))
        }
    }
}

/// The tracks' numbers, when there is nothing to store but passes of tracks that already had one in the same hour, and nothing
/// to keep of what was seen.
fn quiet(batch: &Batch, known: &[Option<Number>]) -> Option<Vec<Number>> {
    let numbers = known.iter().copied().collect::<Option<Vec<_>>>()?;
    let passes = batch.outcomes.iter().zip(&numbers).all(|((outcome, verdict), number)| {
        *verdict == Verdict::Pass && track::hour_of(outcome) <= number.hour && !transcript::is_kept(outcome)
    });
    let nothing_else = batch.changes.is_empty() && batch.folded.is_empty() && batch.heard.is_empty();
    (passes && nothing_else).then_some(numbers)
}

/// The numbers of all `tracks`; those that had none are given one, and noted in `fresh`.
async fn number_all(
    connection: &mut Connection,
    tracks: &[TrackId],
    known: &[Option<Number>],
    fresh: &mut HashMap<TrackId, Number>,
) -> Result<Vec<Number>, Error> {
    let new = tracks.iter().zip(known).filter(|(_, number)| number.is_none()).map(|(track, _)| track);
    let new = track::number(connection, &new.collect(), DOING).await?;
    fresh.extend(new.into_iter().map(|(track, id)| (track, Number { id, hour: i64::MIN })));
    let all = tracks.iter().zip(known).map(|(track, number)| number.or_else(|| fresh.get(track).copied()));
    all.collect::<Option<_>>().ok_or_else(|| Error::during(DOING)(sqlx::Error::RowNotFound))
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

/// Rows of `[minute, track, ms, verdict, total]`.
fn outcome_rows<'b>(batch: &'b Batch, numbers: &'b [Number]) -> impl Iterator<Item = [i64; 5]> + 'b {
    batch.outcomes.iter().zip(numbers).map(|((outcome, verdict), number)| {
        let at = outcome.at.as_millisecond();
        let (minute, ms) = (at.div_euclid(MINUTE), at.rem_euclid(MINUTE));
        let warm = if outcome.warm { WARM } else { 0 };
        [minute, number.id, ms, verdict_number(*verdict) + warm, steps(outcome.total)]
    })
}

/// Steps of 64 µs, to the nearest.
pub(crate) fn steps(total: Duration) -> i64 {
    i32::try_from((total.as_micros() + 32) / 64).unwrap_or(i32::MAX).into()
}

/// Those that were not a Pass, in full.
pub(crate) async fn insert_failures(
    connection: &mut Connection,
    outcomes: &[(Arc<Outcome>, Verdict)],
    numbers: &[Number],
) -> Result<(), Error> {
    let rows: Vec<serde_json::Value> = outcomes
        .iter()
        .zip(numbers)
        .filter(|((_, verdict), _)| *verdict != Verdict::Pass)
        .map(|((outcome, verdict), track)| failure_row(outcome, *verdict, track.id))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    connection
        .either(sqlite::INSERT_FAILURES, postgres::INSERT_FAILURES)
        .bind(to_json(&rows, DOING)?)
        .execute(DOING)
        .await?;
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
        failure.map(|failure| without_nul(&failure.message)),
        outcome.request_id.as_deref().map(without_nul),
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
