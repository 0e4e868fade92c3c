//! What history costs to keep and to read: a past is made up, put into a new SQLite database as sealed hours, rolled up by the day
//! and asked.
//!
//! A database that is there already is only asked: with the same arguments, by a program that was changed.
//!
//! Prints one line of JSON; times in milliseconds, each the median of nine.

use clap::Parser;
use domain::{CheckId, Environment, OperationId, Outcome, Phases, Rollup, TrackId, VantageId, Verdict};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use simulator::{Asked, Past};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    sync::Arc,
    time::{Duration, Instant},
};
use store::{Batch, Kind, Sample, Simulated, Store, Stretch};

#[derive(Debug, Parser)]
struct Arguments {
    /// Instances, each with one check from one vantage
    #[arg(long, default_value_t = 200)]
    instances: u32,
    /// Days of 24 hours
    #[arg(long, default_value_t = 90)]
    days: i64,
    /// Seconds from one probe to the next
    #[arg(long, default_value_t = 30)]
    every: u64,
    /// Where the database is made, or its URL; it stays there
    #[arg(long)]
    database: String,
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Hours that are put in at once.
const STEP: i64 = 12;
/// A time of which there is the median.
const TIMES: usize = 9;

fn asked(check: &CheckId, every: u64) -> Asked {
    Asked {
        name: check.to_string(),
        api: check.instance.api.to_string(),
        environment: check.instance.environment.word().to_owned(),
        operation: check.operation.to_string(),
        every: Duration::from_secs(every),
        slow: Duration::from_millis(800),
        timeout: Duration::from_secs(3),
    }
}

fn track(number: u32) -> Result<TrackId, domain::IdError> {
    let instance = domain::InstanceId {
        api: domain::ApiId::parse(&format!("api-{number}"))?,
        environment: Environment::Production,
    };
    let check = CheckId { instance, operation: OperationId::parse("read")? };
    Ok(TrackId { check, vantage: VantageId::parse("internet")? })
}

/// The samples of one hour.
fn samples(past: &Past, asked: &Asked, from: Timestamp) -> Vec<Sample> {
    let sample = |seen: simulator::Seen| {
        let verdict = match seen.symptom() {
            None if seen.took > asked.slow => Verdict::Slow,
            None => Verdict::Pass,
            Some(_) => Verdict::Fail,
        };
        Sample { at: seen.at, verdict, warm: false, total: seen.took }
    };
    past.seen(asked, from, from + HOUR).into_iter().map(sample).collect()
}

async fn median<T>(mut read: impl AsyncFnMut() -> Result<T, store::Error>) -> Result<f64, store::Error> {
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        read().await?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    took.sort_unstable_by(f64::total_cmp);
    Ok(took.get(TIMES / 2).copied().unwrap_or_default())
}

/// What making a past took.
struct Made {
    samples: u64,
    storing: Duration,
    rolling: Duration,
}

async fn make(
    store: &Store,
    (from, until): (Timestamp, Timestamp),
    tracks: &[TrackId],
    every: u64,
) -> Result<Made, Box<dyn std::error::Error>> {
    let asked: Vec<Asked> = tracks.iter().map(|track| asked(&track.check, every)).collect();
    let known = asked.iter().map(|one| (one.api.as_str(), one.environment.as_str()));
    let past = Past::new(1, (from, until), TimeZone::UTC, known);
    let (mut at, mut count, mut storing) = (from, 0_u64, Duration::ZERO);
    while at < until {
        let end = (at + HOUR * i32::try_from(STEP)?).min(until);
        let mut stretch = Stretch::default();
        while at < end {
            for (track, asked) in tracks.iter().zip(&asked) {
                let samples = samples(&past, asked, at);
                count += samples.len() as u64;
                stretch.hours.push((track.clone(), samples));
            }
            at += HOUR;
        }
        let begun = Instant::now();
        store.import(&stretch, until, Simulated { from, until, through: end }).await?;
        storing += begun.elapsed();
    }
    let begun = Instant::now();
    while store.roll_up(until, &TimeZone::UTC, 32).await? > 0 {}
    Ok(Made { samples: count, storing, rolling: begun.elapsed() })
}

/// Batches that are recorded as the recorder does, and outcomes of each: as many as 2,000 checks a second have in 250 ms. Each
/// check is probed in its interval, so that what is not sealed lies in the tables as it does while probing: some hours of it.
const BATCHES: i32 = 400;
const BATCH: usize = 500;

/// Seconds of processor time of this program so far, in hundredths.
fn processor() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no such stat")?;
    let ticks: Result<Vec<u32>, _> = fields.split(' ').skip(11).take(2).map(str::parse).collect();
    Ok(f64::from(ticks?.iter().sum::<u32>()) / 100.0)
}

/// Phases as they may be over the open network: what is left of a number that is multiplied again and again, for no two are alike.
fn phases(number: &mut u64) -> Phases {
    let mut between = |least: u64, most: u64| {
        *number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some(Duration::from_micros(least + (*number >> 33) % (most - least)))
    };
    Phases {
        dns: between(300, 4_000),
        connect: between(2_000, 20_000),
        tls: between(4_000, 30_000),
        first_byte: between(10_000, 150_000),
        body: between(100, 2_000),
    }
}

/// Samples recorded a second, and microseconds of processor time of each.
async fn record(
    store: &Store,
    tracks: &[TrackId],
    from: Timestamp,
    every: u64,
) -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let (begun, used) = (Instant::now(), processor()?);
    let pause = SignedDuration::from_secs(i64::try_from(every)?) / i32::try_from(tracks.len())?;
    let (mut tracks, mut at, mut number) = (tracks.iter().cycle(), from, 1);
    for _ in 0..BATCHES {
        let outcomes = tracks.by_ref().take(BATCH).map(|track| {
            at += pause;
            let outcome = Outcome {
                total: Duration::from_micros(40_000),
                phases: phases(&mut number),
                ..Outcome::new(track.check.clone(), track.vantage.clone(), at)
            };
            (Arc::new(outcome), Verdict::Pass)
        });
        store.record(&Batch { outcomes: outcomes.collect(), ..Batch::default() }).await?;
    }
    let count = f64::from(BATCHES) * f64::from(u32::try_from(BATCH)?);
    Ok((count / begun.elapsed().as_secs_f64(), (processor()? - used) / count * 1e6))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { instances, days, every, database } = Arguments::parse();
    let url = if database.contains("://") { database } else { format!("sqlite://{database}") };
    let store = Store::open(&url, [7; 32]).await?;
    let from = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_000);
    let until = from + SignedDuration::from_hours(24 * days);
    let tracks = (0..instances).map(track).collect::<Result<Vec<_>, _>>()?;
    let made =
        if store.is_blank().await? { Some(make(&store, (from, until), &tracks, every).await?) } else { None };
    // So that all of it is in the file.
    store.close().await;
    let store = Store::open(&url, [7; 32]).await?;
    let bytes = store::examine(&url).await?.bytes;
    let room = store.room().await?;

    let checks: Vec<CheckId> = tracks.iter().map(|track| track.check.clone()).collect();
    let one = checks.get(..1).unwrap_or_default();
    let by_day = async |checks: &[CheckId], days: i64| {
        let begins = until - SignedDuration::from_hours(24 * days);
        let all = store.summaries(checks, None, begins..until, &TimeZone::UTC).await?;
        std::hint::black_box(all);
        Ok::<_, store::Error>(())
    };
    let summed = async |checks: &[CheckId], days: i64| {
        let begins = until - SignedDuration::from_hours(24 * days);
        for of_check in store.rollups(checks, None, begins..until, &TimeZone::UTC).await? {
            for (_, day) in of_check.each() {
                std::hint::black_box(day.summary());
            }
            std::hint::black_box(of_check.sum(..).fresh.percentiles());
        }
        Ok::<_, store::Error>(())
    };
    let by_month = async |checks: &[CheckId]| {
        for of_check in store.rollups(checks, None, from..until, &TimeZone::UTC).await? {
            let mut months: BTreeMap<Date, Rollup> = BTreeMap::new();
            for (date, day) in of_check.each() {
                months.entry(date.first_of_month()).or_default().merge(day);
            }
            for month in months.values() {
                std::hint::black_box((month.summary(), month.fresh.percentiles()));
            }
        }
        Ok::<_, store::Error>(())
    };
    let quarter = median(async || by_day(&checks, 90).await).await?;
    let quarter_in_one = median(async || summed(&checks, 90).await).await?;
    let year = median(async || summed(one, days.min(365)).await).await?;
    let months = median(async || by_month(one).await).await?;
    let check = checks.first().ok_or("no instance")?;
    let begins = until - SignedDuration::from_hours(24);
    let day = median(async || store.samples(check, None, begins, until, 30_000).await).await?;
    // After all that is asked for. The rows stay: asked again, they are in no range.
    let recorded = if made.is_some() { Some(record(&store, &tracks, until, every).await?) } else { None };
    // Of those that were recorded alone: a past that is made up has none.
    while store.put_phases(32).await? > 0 {}
    store.close().await;
    let store = Store::open(&url, [7; 32]).await?;
    let rested = store.room().await?;
    store.close().await;

    let per_sample = |of: &Made, number: f64| number / u32::try_from(of.samples).map_or(f64::MAX, f64::from);
    let measured = serde_json::json!({
        "instances": instances, "days": days, "bytes": bytes,
        "samples": made.as_ref().map(|made| made.samples),
        "bytes_a_sample": made.as_ref().map(|made| per_sample(made, f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)))),
        "microseconds_a_sample": made.as_ref().map(|made| per_sample(made, made.storing.as_secs_f64() * 1e6)),
        "sealed_bytes": room.bytes.get(&Kind::Sealed), "days_bytes": room.bytes.get(&Kind::Days),
        "phases_bytes": rested.bytes.get(&Kind::Phases), "phases_samples": recorded.map(|_| BATCHES * i32::try_from(BATCH).unwrap_or(i32::MAX)),
        "recorded_per_second": recorded.map(|(rate, _)| rate), "recorded_microseconds": recorded.map(|(_, cpu)| cpu),
        "rolling_up_seconds": made.map(|made| made.rolling.as_secs_f64()),
        "quarter_of_all_ms": quarter, "quarter_of_all_in_one_ms": quarter_in_one, "year_of_one_ms": year, "months_of_one_ms": months, "day_of_one_ms": day,
    });
    writeln!(io::stdout(), "{measured}")?;
    Ok(())
}
