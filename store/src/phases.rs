//! How long the phases of good answers took, added up by the hour: of those that are over, samples keep the total alone.
//!
//! They are added up in memory as outcomes are recorded, and written every few minutes and at a stop. A crash loses what was
//! not written yet, and so does a batch of which something was stored before: then fewer are counted than there are samples,
//! never more, and the count says so.
//!
//! A day of UTC of one track is a row: under the head of `packed.rs`, for each hour its number, then for fresh and for kept
//! connections which phases were counted (a bit each, and one that says that all were counted as often: then that is told
//! once), and of each of those how many, what they took together and the longest, in steps of 64 µs and never too little.
//!
//! Version 1, which is read and no longer written, tells each count and has steps of 1 µs.

use crate::{
    Store,
    block::HOUR,
    crash_point,
    database::{Connection, Purpose, Row},
    error::Error,
    packed::{self, Damaged, IMPOSSIBLE, get, get_long, put, put_long},
    postgres,
    record::Batch,
    row::{Reading, time, to_json},
    slot::{of_slot, slot},
    sqlite,
    track::Number,
};
use domain::{CheckId, PhaseSum, PhaseSums, VantageId, Verdict};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

const DOING: &str = "keep how long phases took";
const VERSION: u8 = 2;
/// All phases were counted as often as the first of them.
const ALIKE: u8 = 1 << 7;
/// Hours of tracks that wait to be written, at most: 10,000 tracks over five hours. What is beyond that is not counted.
const MAX_WAITING: usize = 50_000;

/// Over fresh connections and over kept ones.
pub(crate) type Both = [PhaseSums; 2];
/// By hour of the day.
pub(crate) type Hours = BTreeMap<u8, Both>;

/// By track, hour since 1970 and whether the connection was kept.
type Sums = HashMap<(i64, i64, bool), PhaseSums>;

/// What is not written yet.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<Parts>);

#[derive(Debug, Default)]
struct Parts {
    /// What is being added up.
    open: Sums,
    /// What is being written, a few tracks at a time. What comes meanwhile waits for the next round: otherwise one that
    /// writes more slowly than probes come would have no end.
    leaving: Option<Sums>,
}

impl Waiting {
    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what was recorded.
    pub(crate) fn add(&self, batch: &Batch, numbers: &[Number]) {
        let Parts { open, .. } = &mut *self.parts();
        for ((outcome, verdict), number) in batch.outcomes.iter().zip(numbers) {
            if !matches!(verdict, Verdict::Pass | Verdict::Slow) {
                continue;
            }
            let key = (number.id, outcome.at.as_millisecond().div_euclid(HOUR), outcome.warm);
            if open.len() < MAX_WAITING || open.contains_key(&key) {
                open.entry(key).or_default().add(&outcome.phases);
            }
        }
    }

    /// Takes out what is there of so many tracks and days, by their slot; nothing where a round ends.
    fn take(&self, at_most: usize) -> BTreeMap<i64, Hours> {
        let Parts { open, leaving: round } = &mut *self.parts();
        let leaving = round.get_or_insert_with(|| mem::take(open));
        let slot_of = |(track, hour, _): &(i64, i64, bool)| slot(*track, hour.div_euclid(24));
        let mut slots = BTreeSet::new();
        for key in leaving.keys() {
            if slots.len() >= at_most {
                break;
            }
            slots.insert(slot_of(key));
        }
        let mut taken: BTreeMap<i64, Hours> = BTreeMap::new();
        for (key, sums) in leaving.extract_if(|key, _| slots.contains(&slot_of(key))) {
            let (_, hour, kept) = key;
            let hours = taken.entry(slot_of(&key)).or_default();
            let [of_fresh, of_kept] =
                hours.entry(u8::try_from(hour.rem_euclid(24)).unwrap_or(0)).or_default();
            if kept { of_kept } else { of_fresh }.merge(&sums);
        }
        if taken.is_empty() {
            *round = None;
        }
        taken
    }

    /// Puts back what could not be written.
    fn put_back(&self, taken: BTreeMap<i64, Hours>) {
        let Parts { open, .. } = &mut *self.parts();
        for (of_day, hours) in taken {
            let (track, day) = of_slot(of_day);
            for (hour, both) in hours {
                for (sums, kept) in both.iter().zip([false, true]).filter(|(sums, _)| !sums.is_empty()) {
                    open.entry((track, day * 24 + i64::from(hour), kept)).or_default().merge(sums);
                }
            }
        }
    }
}

impl Store {
    /// Writes what was added up of the phases of at most `tracks` tracks, in one transaction; how many. To be repeated until it
    /// says 0: then all is written that waited when the first of these calls was made.
    ///
    /// What could not be written waits for the next time; what may have been written is forgotten, so that nothing is counted
    /// twice. [`Error::Fenced`]: another one records.
    pub async fn put_phases(&self, tracks: u32) -> Result<u32, Error> {
        let taken = self.0.phases.take(tracks as usize);
        if taken.is_empty() {
            return Ok(0);
        }
        let transaction = match self.put_in(&taken).await {
            Ok(transaction) => transaction,
            Err(error) => {
                self.0.phases.put_back(taken);
                return Err(error);
            }
        };
        transaction.commit(DOING).await?;
        crash_point!("phases/committed");
        Ok(u32::try_from(taken.len()).unwrap_or(u32::MAX))
    }

    async fn put_in(&self, taken: &BTreeMap<i64, Hours>) -> Result<Connection, Error> {
        self.0.database.is_in_place(DOING)?;
        let mut transaction = self.begin(Purpose::Write, DOING).await?;
        self.check_lease(&mut transaction, DOING).await?;
        let spans: Vec<[i64; 2]> = taken.keys().map(|slot| [*slot; 2]).collect();
        let rows = rows(&mut transaction, &spans, DOING).await?;
        let mut known = readable(&rows, DOING)?;
        for (slot, hours) in taken {
            let all = known.entry(*slot).or_default();
            for (hour, both) in hours {
                for (sums, more) in all.entry(*hour).or_default().iter_mut().zip(both) {
                    sums.merge(more);
                }
            }
            transaction
                .statement(
                    "INSERT INTO phases (slot, hours) VALUES ($1, $2)
                     ON CONFLICT (slot) DO UPDATE SET hours = excluded.hours",
                )
                .bind(*slot)
                .bind(encode(all))
                .execute(DOING)
                .await?;
        }
        crash_point!("phases/put-in");
        Ok(transaction)
    }

    /// How long the phases of a check's good answers took, of the hours that begin in the range, by local day of `zone`: over
    /// fresh and over kept connections; of one vantage, or of all.
    pub async fn phases(
        &self,
        check: &CheckId,
        vantage: Option<&VantageId>,
        range: Range<Timestamp>,
        zone: &TimeZone,
    ) -> Result<BTreeMap<Date, [PhaseSums; 2]>, Error> {
        let doing = "read how long phases took";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let day = |at: Timestamp| at.as_millisecond().div_euclid(24 * HOUR);
        let tracks = crate::range::tracks(&mut connection, std::slice::from_ref(check), vantage).await?;
        let spans: Vec<[i64; 2]> = tracks
            .iter()
            .map(|(track, _)| [slot(*track, day(range.start)), slot(*track, day(range.end))])
            .collect();
        let rows = rows(&mut connection, &spans, doing).await?;
        let mut days: BTreeMap<Date, Both> = BTreeMap::new();
        for (of_day, hours) in readable(&rows, doing)? {
            let (_, day) = of_slot(of_day);
            for (hour, both) in hours {
                let begins = time((day * 24 + i64::from(hour)) * HOUR, doing)?;
                if !range.contains(&begins) {
                    continue;
                }
                let sums = days.entry(zone.to_datetime(begins).date()).or_default();
                for (sums, more) in sums.iter_mut().zip(&both) {
                    sums.merge(more);
                }
            }
        }
        Ok(days)
    }
}

/// The rows of a list of `[first, last]` slots.
pub(crate) async fn rows(
    connection: &mut Connection,
    spans: &[[i64; 2]],
    doing: &'static str,
) -> Result<Vec<Row>, Error> {
    let statement = connection.either(sqlite::PHASES_OF_SPANS, postgres::PHASES_OF_SPANS);
    statement.bind(to_json(&spans, doing)?).rows(doing).await
}

/// The slot of a row, and what it holds.
pub(crate) fn of_row(row: Reading<'_>) -> Result<(i64, Result<Hours, Damaged>), Error> {
    Ok((row.get("slot")?, decode(row.get("hours")?)))
}

/// Those rows, by slot; one that is damaged counts as nothing, and is said.
fn readable(rows: &[Row], doing: &'static str) -> Result<BTreeMap<i64, Hours>, Error> {
    let mut all = BTreeMap::new();
    for row in rows {
        let (slot, hours) = of_row(Reading { row, doing })?;
        match hours {
            Ok(hours) => {
                all.insert(slot, hours);
            }
            Err(damaged) => {
                let (track, day) = of_slot(slot);
                tracing::error!(track, day, %damaged, "how long the phases of a day took cannot be read");
            }
        }
    }
    Ok(all)
}

/// Microseconds that are told as one.
const fn step(version: u8) -> u32 {
    if version == 1 { 1 } else { 64 }
}

fn encode(hours: &Hours) -> Vec<u8> {
    let mut body = Vec::with_capacity(hours.len() * 30);
    let step = step(VERSION);
    for (hour, both) in hours {
        body.push(*hour);
        for PhaseSums(sums) in both {
            let which = sums.iter().rev().fold(0, |bits, sum| bits << 1 | u8::from(sum.count > 0));
            let mut counted = sums.iter().filter(|sum| sum.count > 0).peekable();
            let first = counted.peek().map_or(0, |sum| sum.count);
            let alike = first > 0 && sums.iter().all(|sum| [0, first].contains(&sum.count));
            body.push(which | if alike { ALIKE } else { 0 });
            if alike {
                put(&mut body, first);
            }
            for sum in counted {
                if !alike {
                    put(&mut body, sum.count);
                }
                put_long(&mut body, sum.micros.div_ceil(step.into()));
                put(&mut body, sum.longest.div_ceil(step));
            }
        }
    }
    packed::close(VERSION, &body)
}

fn decode(bytes: &[u8]) -> Result<Hours, Damaged> {
    let (version, body) = packed::open(VERSION, bytes)?;
    read(version, body).ok_or(IMPOSSIBLE)
}

fn read(version: u8, mut body: &[u8]) -> Option<Hours> {
    let mut hours = Hours::new();
    let step = step(version);
    while let Some((&hour, rest)) = body.split_first() {
        body = rest;
        let mut both = Both::default();
        for PhaseSums(sums) in &mut both {
            let (&which, rest) = body.split_first()?;
            body = rest;
            let alike = if which & ALIKE == 0 { None } else { Some(get(&mut body)?) };
            for (place, sum) in sums.iter_mut().enumerate() {
                if which >> place & 1 == 1 {
                    *sum = PhaseSum {
                        count: alike.map_or_else(|| get(&mut body), Some)?,
                        micros: get_long(&mut body)?.saturating_mul(step.into()),
                        longest: get(&mut body)?.saturating_mul(step),
                    };
                }
            }
        }
        if hour >= 24 || hours.insert(hour, both).is_some() {
            return None;
        }
    }
    Some(hours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::btree_map, prelude::*};

    fn hours() -> impl Strategy<Value = Hours> {
        let took = || (0..u64::MAX / 64, 0..u32::MAX / 64);
        let sum = prop_oneof![
            1 => Just(PhaseSum::default()),
            3 => (prop_oneof![Just(120), 1..4_000_u32], took())
                .prop_map(|(count, (micros, longest))| PhaseSum { count, micros: micros * 64, longest: longest * 64 }),
        ];
        let sums = || prop::array::uniform5(sum.clone()).prop_map(PhaseSums);
        btree_map(0..24_u8, (sums(), sums()).prop_map(|(fresh, kept)| [fresh, kept]), 0..24)
    }

    proptest! {
        #[test]
        fn what_comes_out_is_what_went_in(hours in hours()) {
            prop_assert_eq!(decode(&encode(&hours)), Ok(hours));
        }

        #[test]
        fn no_bytes_whatever_are_more_than_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read(1, &bytes);
            read(VERSION, &bytes);
        }
    }

    fn all_day(sum: PhaseSum) -> Hours {
        (0..24).map(|hour| (hour, [PhaseSums([sum; 5]), PhaseSums::default()])).collect()
    }

    /// At 120 probes an hour, of some 80 ms: what a sample costs beside 2.5 bytes of its own.
    #[test]
    fn an_hour_takes_some_thirty_bytes() {
        let hours = all_day(PhaseSum { count: 120, micros: 120 * 40_000, longest: 190_000 });
        assert_eq!(encode(&hours).len(), 5 + 24 * 29);
    }

    #[test]
    fn what_is_not_a_whole_step_is_one_more() {
        let hours = all_day(PhaseSum { count: 3, micros: 129, longest: 1 });
        assert_eq!(decode(&encode(&hours)), Ok(all_day(PhaseSum { count: 3, micros: 192, longest: 64 })));
    }

    #[test]
    fn what_an_older_program_wrote_is_read() {
        // One hour, over fresh connections: the first phase twice, 300 µs together, the longest 200 µs; none over kept ones.
        let bytes = packed::close(1, &[7, 1, 2, 0xac, 2, 0xc8, 1, 0]);
        let first = PhaseSum { count: 2, micros: 300, longest: 200 };
        let mut sums = PhaseSums::default();
        sums.0[0] = first;
        assert_eq!(decode(&bytes), Ok(Hours::from([(7, [sums, PhaseSums::default()])])));
    }
}
