//! Proves history: what is kept in several ways must say the same in each.

use crate::{
    Store,
    block::{self, HOUR},
    database::{Connection, Purpose},
    error::Error,
    phases, postgres,
    roll_up::{add, day_of_month, days, hours, hours_of, month, summaries},
    row::{Reading, time, to_json, verdict_number, verdict_of},
    sample::hot_minutes,
    sealed,
    slot::{of_slot, slot},
    sqlite,
};
use domain::{Day, Rollup, TrackId, Verdict};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::collections::{BTreeMap, HashMap, HashSet};

const DOING: &str = "verify history";

/// Hours of one track that are read at a time.
const HOURS: i64 = 1_000;

/// What was found in the history of a track.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Sealed hours.
    pub hours: u64,
    /// Samples, sealed or not.
    pub samples: u64,
    /// Days that are rolled up, and that were added up again.
    pub days: u64,
    /// Probes that were no Pass, in full.
    pub failures: u64,
    /// What is wrong, each in a sentence.
    pub problems: Vec<String>,
}

/// What is gathered of a track while its history is read.
struct Gathered {
    found: Verified,
    sums: HashMap<Date, Rollup>,
    /// Probes that were no Pass, by their time.
    amiss: BTreeMap<i64, Verdict>,
    /// Hours of which samples are kept no more, only sums.
    summed: HashSet<i64>,
    /// Good answers by hour, over fresh and over kept connections.
    good: HashMap<i64, [u64; 2]>,
    /// The first hour of which anything finer than its day is left.
    oldest: i64,
    zone: TimeZone,
}

impl Store {
    /// All tracks that ever had an outcome, in order.
    pub async fn tracks(&self) -> Result<Vec<TrackId>, Error> {
        let mut connection = self.connect(Purpose::Read, DOING).await?;
        let rows = connection
            .statement(
                "SELECT api, environment, operation, vantage FROM track
                 ORDER BY api, environment, operation, vantage",
            )
            .rows(DOING)
            .await?;
        rows.iter().map(|row| Reading { row, doing: DOING }.track()).collect()
    }

    /// Holds against each other what is kept of a track: that every sealed hour can be read and holds as many samples as it
    /// says; that every day in `zone` is the sum of what is left of its hours; that every probe that was no Pass is there in
    /// full, and nothing else is.
    pub async fn verify(&self, track: &TrackId, zone: &TimeZone) -> Result<Verified, Error> {
        let mut transaction = self.begin(Purpose::Read, DOING).await?;
        let verified = verify(&mut transaction, track, zone).await;
        transaction.rollback(DOING).await?;
        verified
    }
}

async fn verify(connection: &mut Connection, track: &TrackId, zone: &TimeZone) -> Result<Verified, Error> {
    let mut gathered = Gathered {
        found: Verified::default(),
        sums: HashMap::new(),
        amiss: BTreeMap::new(),
        summed: HashSet::new(),
        good: HashMap::new(),
        oldest: i64::MAX,
        zone: zone.clone(),
    };
    let row = connection
        .statement(
            "SELECT CAST(id AS BIGINT) AS id FROM track
             WHERE api = $1 AND environment = $2 AND operation = $3 AND vantage = $4",
        )
        .bind(track.check.instance.api.as_str())
        .bind(track.check.instance.environment.word())
        .bind(track.check.operation.as_str())
        .bind(track.vantage.as_str())
        .row_if(DOING)
        .await?;
    let Some(row) = row else { return Ok(gathered.found) };
    let id: i64 = Reading { row: &row, doing: DOING }.get("id")?;
    sealed_hours(connection, id, &mut gathered).await?;
    let samples_since = gathered.oldest;
    rows_of(connection, id, &mut gathered).await?;
    summed_hours(connection, id, &mut gathered).await?;
    phases_of(connection, id, &mut gathered).await?;
    rolled_up(connection, id, &mut gathered).await?;
    in_full(connection, id, samples_since, &mut gathered).await?;
    Ok(gathered.found)
}

impl Gathered {
    fn problem(&mut self, hour: i64, what: &str) {
        let at = time(hour * HOUR, DOING).map_or_else(|_| format!("hour {hour}"), |at| at.to_string());
        self.found.problems.push(format!("the hour from {at}: {what}"));
    }

    fn date(&self, hour: i64) -> Result<Date, Error> {
        Ok(self.zone.to_datetime(time(hour * HOUR, DOING)?).date())
    }

    fn answers(&mut self, hour: i64, samples: &[block::Packed]) -> Result<(), Error> {
        let mut sum = Rollup::default();
        for sample in samples {
            add(&mut sum, sample, DOING)?;
        }
        self.good(hour, &sum);
        Ok(())
    }

    fn good(&mut self, hour: i64, sum: &Rollup) {
        let [fresh, kept] = self.good.entry(hour).or_default();
        *fresh += sum.fresh.count();
        *kept += sum.kept.count();
    }

    fn samples(&mut self, hour: i64, samples: &[block::Packed]) -> Result<(), Error> {
        let date = self.date(hour)?;
        self.found.samples += samples.len() as u64;
        self.oldest = self.oldest.min(hour);
        self.answers(hour, samples)?;
        for sample in samples {
            add(self.sums.entry(date).or_default(), sample, DOING)?;
            let verdict = verdict_of(i64::from(sample.code), DOING)?;
            if verdict != Verdict::Pass {
                self.amiss.insert(hour * HOUR + i64::from(sample.ms), verdict);
            }
        }
        Ok(())
    }
}

/// Every block, in order, some at a time.
async fn sealed_hours(connection: &mut Connection, track: i64, gathered: &mut Gathered) -> Result<(), Error> {
    let ends = connection
        .statement(
            "SELECT CAST(min(slot) AS BIGINT) AS oldest, CAST(max(slot) AS BIGINT) AS newest FROM sealed
             WHERE slot >= $1 AND slot < $2",
        )
        .bind(slot(track, 0))
        .bind(slot(track + 1, 0))
        .row(DOING)
        .await?;
    let ends = Reading { row: &ends, doing: DOING };
    let (Some(mut first), Some(last)) = (ends.get::<Option<i64>>("oldest")?, ends.get("newest")?) else {
        return Ok(());
    };
    while first <= last {
        let rows = connection
            .statement("SELECT slot, samples, block FROM sealed WHERE slot BETWEEN $1 AND $2 ORDER BY slot")
            .bind(first)
            .bind(last.min(first + HOURS - 1))
            .rows(DOING)
            .await?;
        for row in &rows {
            let row = Reading { row, doing: DOING };
            let (_, hour) = of_slot(row.get("slot")?);
            let said: i32 = row.get("samples")?;
            gathered.found.hours += 1;
            match block::decode(row.get("block")?) {
                Err(damaged) => gathered.problem(hour, &damaged.to_string()),
                Ok(samples) => {
                    if usize::try_from(said) != Ok(samples.len()) {
                        gathered
                            .problem(hour, &format!("it says {said} samples and holds {}", samples.len()));
                    }
                    if !samples.is_sorted_by(|one, next| one.ms < next.ms) {
                        gathered.problem(hour, "its samples are not in order of time");
                    }
                    gathered.samples(hour, &samples)?;
                }
            }
        }
        first += HOURS;
    }
    let damaged = connection
        .statement("SELECT slot FROM damaged WHERE slot >= $1 AND slot < $2 ORDER BY slot")
        .bind(slot(track, 0))
        .bind(slot(track + 1, 0))
        .rows(DOING)
        .await?;
    for row in &damaged {
        let (_, hour) = of_slot(Reading { row, doing: DOING }.get("slot")?);
        gathered.problem(hour, "its block was damaged, and is put aside");
    }
    Ok(())
}

/// What is not sealed; not told twice, beside a block.
async fn rows_of(connection: &mut Connection, track: i64, gathered: &mut Gathered) -> Result<(), Error> {
    let Some((first, last)) = hot_minutes(connection, DOING).await? else { return Ok(()) };
    let rows = connection
        .either(sqlite::HOT, postgres::HOT)
        .bind(first)
        .bind(last)
        .bind(to_json(&[track], DOING)?)
        .rows(DOING)
        .await?;
    for ((_, hour), samples) in sealed::hot(&rows, DOING)? {
        gathered.found.samples += samples.len() as u64;
        gathered.answers(hour, &samples)?;
        for sample in samples {
            let verdict = verdict_of(i64::from(sample.code), DOING)?;
            if verdict != Verdict::Pass {
                // Of one that is told again after its hour was sealed, that of the block stays.
                gathered.amiss.entry(hour * HOUR + i64::from(sample.ms)).or_insert(verdict);
            }
        }
    }
    Ok(())
}

/// Hours of which only sums are left.
async fn summed_hours(connection: &mut Connection, track: i64, gathered: &mut Gathered) -> Result<(), Error> {
    let all = [[slot(track, 0), slot(track + 1, 0) - 1]];
    for (of_day, rollups) in hours_of(connection, &all, DOING).await? {
        let (_, day) = of_slot(of_day);
        for (hour, rollup) in rollups {
            let hour = day * 24 + i64::from(hour);
            gathered.oldest = gathered.oldest.min(hour);
            gathered.summed.insert(hour);
            let date = gathered.date(hour)?;
            gathered.good(hour, &rollup);
            gathered.sums.entry(date).or_default().merge(&rollup);
        }
    }
    Ok(())
}

/// No phase was counted more often than there were good answers, in hours of which they can still be counted.
async fn phases_of(connection: &mut Connection, track: i64, gathered: &mut Gathered) -> Result<(), Error> {
    let rows = phases::rows(connection, &[[slot(track, 0), slot(track + 1, 0) - 1]], DOING).await?;
    for row in &rows {
        let (of_day, hours) = phases::of_row(Reading { row, doing: DOING })?;
        let (_, day) = of_slot(of_day);
        let hours = match hours {
            Ok(hours) => hours,
            Err(damaged) => {
                gathered.problem(day * 24, &format!("how long its phases took: {damaged}"));
                continue;
            }
        };
        for (hour, both) in hours {
            let hour = day * 24 + i64::from(hour);
            if hour < gathered.oldest {
                continue;
            }
            let good = gathered.good.get(&hour).copied().unwrap_or_default();
            for (sums, good) in both.iter().zip(good).filter(|(sums, good)| u64::from(sums.most()) > *good) {
                let counted = sums.most();
                gathered.problem(hour, &format!("a phase of {counted} answers was counted, it holds {good}"));
            }
        }
    }
    Ok(())
}

/// Every day that is rolled up and has no mark equals the sum of its hours, unless some of those are kept no more.
async fn rolled_up(connection: &mut Connection, track: i64, gathered: &mut Gathered) -> Result<(), Error> {
    let rows = connection
        .statement("SELECT CAST(hour AS BIGINT) AS hour FROM unrolled WHERE track = $1")
        .bind(track)
        .rows(DOING)
        .await?;
    let marked: HashSet<Date> = rows
        .iter()
        .map(|row| gathered.date(Reading { row, doing: DOING }.get("hour")?))
        .collect::<Result<_, Error>>()?;
    let all = [[slot(track, 0), slot(track + 1, 0) - 1]];
    let mut known: BTreeMap<Date, Rollup> = BTreeMap::new();
    let mut said = summaries(connection, &all, DOING).await?;
    for (slot, rollups) in days(connection, &all, DOING).await? {
        let (_, of_month) = of_slot(slot);
        let sums = rollups.iter().map(|(day, rollup)| (*day, rollup.summary()));
        if said.remove(&slot).is_none_or(|said| !sums.eq(said)) {
            gathered.found.problems.push(format!(
                "the days of {:04}-{:02} do not say of themselves what they hold",
                of_month / 12,
                of_month % 12 + 1
            ));
        }
        for (day, rollup) in rollups {
            let date = i16::try_from(of_month / 12).ok().zip(i8::try_from(of_month % 12 + 1).ok());
            let date = date.zip(i8::try_from(day).ok()).and_then(|((y, m), d)| Date::new(y, m, d).ok());
            let Some(date) = date else {
                gathered.found.problems.push(format!("month {of_month} has a day {day}"));
                continue;
            };
            debug_assert_eq!((month(date), day_of_month(date)), (of_month, day));
            known.insert(date, rollup);
        }
    }
    for slot in said.into_keys() {
        let (_, of_month) = of_slot(slot);
        gathered.found.problems.push(format!("month {of_month} says something of days that are not there"));
    }
    for (date, rollup) in &known {
        let first = *hours(&Day::of(*date, &gathered.zone)).start();
        let sum = gathered.sums.get(date).cloned().unwrap_or_default();
        let kept_no_more = first < gathered.oldest && sum.samples() < rollup.samples();
        if kept_no_more || marked.contains(date) {
            continue;
        }
        gathered.found.days += 1;
        if sum != *rollup {
            let (said, there) = (rollup.samples(), sum.samples());
            let what = if said == there { "in other lengths or verdicts" } else { "in all" };
            gathered
                .found
                .problems
                .push(format!("{date} says {said} samples, its hours hold {there}: they differ {what}"));
        }
    }
    let mut missing: Vec<Date> = gathered
        .sums
        .keys()
        .filter(|date| !known.contains_key(date) && !marked.contains(date))
        .copied()
        .collect();
    missing.sort_unstable();
    for date in missing {
        gathered.found.problems.push(format!("{date} was never rolled up, and has no mark that it is to be"));
    }
    Ok(())
}

/// What was no Pass is there in full, from the first sample or the first of them on, whichever is later; and only that.
async fn in_full(
    connection: &mut Connection,
    track: i64,
    samples_since: i64,
    gathered: &mut Gathered,
) -> Result<(), Error> {
    let rows = connection
        .statement("SELECT at, CAST(verdict AS BIGINT) AS verdict FROM failure WHERE track = $1 ORDER BY at")
        .bind(track)
        .rows(DOING)
        .await?;
    let mut failures: BTreeMap<i64, i64> = BTreeMap::new();
    for row in &rows {
        let row = Reading { row, doing: DOING };
        failures.insert(row.get("at")?, row.get("verdict")?);
    }
    gathered.found.failures = failures.len() as u64;
    let word = |at: i64| Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string());
    let since = samples_since.saturating_mul(HOUR);
    let mut problems = Vec::new();
    let sampled = |at: &i64| !gathered.summed.contains(&at.div_euclid(HOUR));
    for (at, verdict) in failures.range(since..).filter(|(at, _)| sampled(at)) {
        match gathered.amiss.get(at) {
            None => problems.push(format!("the failure of {} has no sample", word(*at))),
            Some(sampled) if verdict_number(*sampled) != *verdict => {
                problems.push(format!("the failure of {} and its sample have two verdicts", word(*at)));
            }
            Some(_) => {}
        }
    }
    if let Some((first, _)) = failures.first_key_value() {
        let lost = gathered.amiss.range(first..).filter(|(at, _)| !failures.contains_key(at));
        problems.extend(lost.map(|(at, _)| format!("what was wrong at {} is not there in full", word(*at))));
    } else if let Some((at, _)) = gathered.amiss.last_key_value() {
        problems.push(format!("what was wrong at {} is not there in full, nor is anything else", word(*at)));
    }
    gathered.found.problems.extend(problems);
    Ok(())
}
