//! A past that was not recorded as it happened but is put in whole: hours that are over as blocks at once, with the failures,
//! statuses and incidents of the same time. Marked for good, so that nobody takes it for measured.

use crate::{
    Sample, Store,
    block::{self, HOUR, Packed},
    crash_point,
    database::{Connection, Purpose},
    error::Error,
    history, incident, outbox,
    partition::make_months,
    postgres,
    record::{MINUTE, insert_failures, insert_rows, steps},
    release,
    row::{Reading, WARM, to_json, verdict_number},
    slot::slot,
    sqlite,
    track::{self, Number},
};
use domain::{Incident, Notification, Outcome, Release, StatusChange, Track, TrackId, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

const DOING: &str = "put a past in";

/// Which stretch of history was made up, and how far that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulated {
    /// From here,
    pub from: Timestamp,
    /// to here.
    pub until: Timestamp,
    /// All before this is in; it is done when this is `until`.
    pub through: Timestamp,
}

impl Simulated {
    /// Whether something of it is still to come.
    pub fn is_unfinished(&self) -> bool {
        self.through < self.until
    }

    /// Whether some of `[from, to)` is made up.
    pub fn touches(&self, from: Timestamp, to: Timestamp) -> bool {
        from < self.through && self.from < to
    }
}

/// A stretch of a past, to be put in at once.
#[derive(Debug, Clone, Default)]
pub struct Stretch {
    /// Samples of one track in one hour, in order of time, no two at the same; each hour of a track once.
    pub hours: Vec<(TrackId, Vec<Sample>)>,
    /// In full, what was not a Pass; it is among the samples too.
    pub failures: Vec<(Arc<Outcome>, Verdict)>,
    /// What the tracks are at the end of it.
    pub tracks: Vec<Arc<Track>>,
    /// How statuses changed, in order.
    pub statuses: Vec<StatusChange>,
    /// Which versions began to run, in order.
    pub releases: Vec<Arc<Release>>,
    /// What incidents are at the end of it.
    pub incidents: Vec<Arc<Incident>>,
    /// What was told, when that was settled, and the other side's id for it: nobody is told again.
    pub told: Vec<(Notification, Timestamp, String)>,
}

impl Store {
    /// The stretch of history that was made up, if one was.
    pub async fn simulated(&self) -> Result<Option<Simulated>, Error> {
        let doing = "read what was made up";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let row =
            connection.statement("SELECT value FROM meta WHERE name = 'simulated'").row_if(doing).await?;
        let Some(row) = row else { return Ok(None) };
        let value: Vec<u8> = Reading { row: &row, doing }.get("value")?;
        serde_json::from_slice(&value).map(Some).map_err(|error| Error::corrupt(doing, error))
    }

    /// Whether nothing was ever recorded, nor put in.
    pub async fn is_blank(&self) -> Result<bool, Error> {
        self.has_none("SELECT (SELECT count(*) FROM track) + (SELECT count(*) FROM status_change) AS number")
            .await
    }

    /// Whether no outcome is kept as a row: as it is after stretches of hours that are over, and before anything is recorded.
    pub async fn has_no_rows(&self) -> Result<bool, Error> {
        self.has_none("SELECT count(*) AS number FROM (SELECT minute FROM outcome LIMIT 1) AS any_of_them")
            .await
    }

    async fn has_none(&self, number: &'static str) -> Result<bool, Error> {
        let doing = "look for history";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let row = connection.statement(number).row(doing).await?;
        Ok(Reading { row: &row, doing }.get::<i64>("number")? == 0)
    }

    /// Puts a stretch in, in one transaction, and notes in it what is made up so far. Hours that end by `sealed_before` are
    /// sealed, later ones are rows. An hour that is there already is [`Error::Refused`].
    pub async fn import(
        &self,
        stretch: &Stretch,
        sealed_before: Timestamp,
        simulated: Simulated,
    ) -> Result<(), Error> {
        self.0.database.is_in_place(DOING)?;
        let mut transaction = self.begin(Purpose::Write, DOING).await?;
        let connection = &mut transaction;
        let firsts = stretch.hours.iter().filter_map(|(_, samples)| Some(samples.first()?.at));
        let times: BTreeSet<Timestamp> =
            firsts.chain(stretch.failures.iter().map(|(failure, _)| failure.at)).collect();
        if let (Some(from), Some(to)) = (times.first(), times.last()) {
            make_months(connection, *from, *to).await?;
        }
        let mut numbers = HashMap::new();
        let mut rows = Vec::new();
        let mut sealed: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (track, samples) in &stretch.hours {
            let (Some(first), number) =
                (samples.first(), self.number(connection, &mut numbers, track).await?)
            else {
                continue;
            };
            let hour = first.at.as_millisecond().div_euclid(HOUR);
            number.hour = number.hour.max(hour);
            let number = *number;
            if (hour + 1) * HOUR <= sealed_before.as_millisecond() {
                put_block(connection, slot(number.id, hour), samples, hour).await?;
                sealed.entry(hour).or_default().push(number.id);
            } else {
                rows.extend(samples.iter().map(|sample| row(sample, number.id)));
            }
        }
        for (hour, tracks) in &sealed {
            put_unrolled(connection, *hour, tracks).await?;
        }
        for rows in rows.chunks(ROWS) {
            put_rows(connection, rows).await?;
        }
        let mut of_failures = Vec::with_capacity(stretch.failures.len());
        for (outcome, _) in &stretch.failures {
            of_failures.push(*self.number(connection, &mut numbers, &track::track_of(outcome)).await?);
        }
        for (failures, numbers) in stretch.failures.chunks(ROWS).zip(of_failures.chunks(ROWS)) {
            insert_failures(connection, failures, numbers).await?;
        }
        let mut states = BTreeMap::new();
        for track in &stretch.tracks {
            states.insert(self.number(connection, &mut numbers, &track.id).await?.id, track.as_ref());
        }
        track::put(connection, states).await?;
        let known = numbers.values().copied().filter(|number| number.hour > i64::MIN);
        track::put_hours(connection, known, DOING).await?;
        history::put(connection, stretch.statuses.iter()).await?;
        for release in &stretch.releases {
            release::put(connection, release).await?;
        }
        for incident in &stretch.incidents {
            incident::put(connection, incident).await?;
        }
        for (notification, at, provider_id) in &stretch.told {
            outbox::put(connection, notification).await?;
            settled(connection, notification, *at, provider_id).await?;
        }
        mark(connection, simulated).await?;
        crash_point!("import/before-commit");
        transaction.commit(DOING).await?;
        self.0.tracks.keep(numbers);
        Ok(())
    }

    /// The number of a track, which it is given if it has none.
    async fn number<'n>(
        &self,
        connection: &mut Connection,
        numbers: &'n mut HashMap<TrackId, Number>,
        track: &TrackId,
    ) -> Result<&'n mut Number, Error> {
        if !numbers.contains_key(track) {
            let known = self.0.tracks.of(std::slice::from_ref(track)).first().copied().flatten();
            if let Some(number) = known {
                numbers.insert(track.clone(), number);
            } else {
                let given = track::number(connection, &BTreeSet::from([track]), DOING).await?;
                numbers.extend(given.into_iter().map(|(track, id)| (track, Number { id, hour: i64::MIN })));
            }
        }
        numbers.get_mut(track).ok_or_else(|| Error::corrupt(DOING, "a track has no number"))
    }
}

/// Rows of one statement.
const ROWS: usize = 5_000;

async fn put_block(
    connection: &mut Connection,
    slot: i64,
    samples: &[Sample],
    hour: i64,
) -> Result<(), Error> {
    let packed: Vec<Packed> = samples
        .iter()
        .map(|sample| Packed {
            ms: u32::try_from(sample.at.as_millisecond() - hour * HOUR).unwrap_or(0),
            code: u8::try_from(code(sample)).unwrap_or(u8::MAX),
            total: u32::try_from(steps(sample.total)).unwrap_or(u32::MAX),
        })
        .collect();
    connection
        .statement("INSERT INTO sealed (slot, samples, block) VALUES ($1, $2, $3)")
        .bind(slot)
        .bind(i32::try_from(packed.len()).unwrap_or(i32::MAX))
        .bind(block::encode(&packed))
        .execute(DOING)
        .await
        .map(drop)
}

/// Their days are rolled up later, as those of hours that were sealed one by one.
async fn put_unrolled(connection: &mut Connection, hour: i64, tracks: &[i64]) -> Result<(), Error> {
    connection
        .either(sqlite::PUT_UNROLLED, postgres::PUT_UNROLLED)
        .bind(hour)
        .bind(to_json(&tracks, DOING)?)
        .execute(DOING)
        .await
        .map(drop)
}

fn code(sample: &Sample) -> i64 {
    verdict_number(sample.verdict) + if sample.warm { WARM } else { 0 }
}

fn row(sample: &Sample, track: i64) -> [i64; 5] {
    let at = sample.at.as_millisecond();
    [at.div_euclid(MINUTE), track, at.rem_euclid(MINUTE), code(sample), steps(sample.total)]
}

async fn put_rows(connection: &mut Connection, rows: &[[i64; 5]]) -> Result<(), Error> {
    insert_rows(connection, rows.iter().copied()).bind(None::<i64>).execute(DOING).await.map(drop)
}

/// What was told is settled: nobody claims it.
async fn settled(
    connection: &mut Connection,
    notification: &Notification,
    at: Timestamp,
    provider_id: &str,
) -> Result<(), Error> {
    connection
        .statement(
            "UPDATE notification SET state = 'sent', settled_at = $2, provider_id = $3, fence = 1 WHERE key = $1",
        )
        .bind(notification.key.as_str())
        .bind(at.as_millisecond())
        .bind(provider_id)
        .execute(DOING)
        .await
        .map(drop)
}

async fn mark(connection: &mut Connection, simulated: Simulated) -> Result<(), Error> {
    connection
        .statement(
            "INSERT INTO meta (name, value) VALUES ('simulated', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(to_json(&simulated, DOING)?.into_bytes())
        .execute(DOING)
        .await
        .map(drop)
}
