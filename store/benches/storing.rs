//! What a stored sample costs: processor time, time, and room on the disk. `cargo bench -p store`.
//!
//! 1,000 tracks every 10 s, each at its own phase, as the scheduler spreads them; all Pass, the steady state.
//! Processor time is that of the whole process, all threads, as the kernel counts it; that of the server beside it.
//!
//! - `SQLite`: through the store, each batch under the recorder's lease.
//! - `… FULL` and `… NORMAL`: the statement alone, round the store, with either setting of `synchronous`: what it costs that a
//!   commit survives a loss of power.
//! - `PostgreSQL`: through the store, where `CURIAD_TEST_POSTGRES` says that there is one. `tests/postgres` starts one that
//!   does not wait for the disk, unless it is told to:
//!   `CURIAD_TEST_POSTGRES_OPTIONS= tests/postgres cargo bench -p store`.

use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, Outcome, VantageId, Verdict};
use jiff::Timestamp;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    error::Error,
    fmt::Write as _,
    future::Future,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use store::{Batch, Store};

const TRACKS: usize = 1_000;
const ROUNDS: usize = 200;
const EVERY: i64 = 10_000;
const START: i64 = 1_790_000_000_000;

type Sample = (Arc<Outcome>, Verdict);
type Done<T> = Result<T, Box<dyn Error>>;

/// What all samples took.
struct Cost {
    cpu: Duration,
    server: Duration,
    time: Duration,
    bytes: u64,
}

#[expect(clippy::print_stdout, reason = "a measurement is for reading")]
fn main() -> Done<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let samples = samples()?;
    let rows = f64::from(u32::try_from(samples.len())?);
    let say = |name: &str, size: usize, cost: &Cost| -> Done<()> {
        let batches = rows / f64::from(u32::try_from(size)?);
        println!(
            "{name:15} | {size:12} | {:12.2} | {:15.2} | {:10.2} | {:11.2}",
            cost.cpu.as_secs_f64() * 1e6 / rows,
            cost.server.as_secs_f64() * 1e6 / rows,
            cost.time.as_secs_f64() * 1e3 / batches,
            f64::from(u32::try_from(cost.bytes)?) / rows
        );
        Ok(())
    };
    println!("                | rows a batch | µs CPU a row | µs server a row | ms a batch | bytes a row");
    for size in [25, 100, 250, 1_000] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("curiad.db");
        say("SQLite", size, &runtime.block_on(sqlite(&path, &samples, size))?)?;
    }
    for size in [25, 100, 250] {
        for (name, synchronous) in
            [("SQLite FULL", SqliteSynchronous::Full), ("SQLite NORMAL", SqliteSynchronous::Normal)]
        {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("curiad.db");
            say(name, size, &runtime.block_on(statement(&path, synchronous, &samples, size))?)?;
        }
    }
    if let Some(server) = server() {
        for size in [25, 100, 250, 1_000] {
            say("PostgreSQL", size, &runtime.block_on(postgres(&server, &samples, size))?)?;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "tests/postgres says where the server is")]
fn server() -> Option<String> {
    std::env::var("CURIAD_TEST_POSTGRES").ok()
}

async fn sqlite(path: &Path, samples: &[Sample], size: usize) -> Done<Cost> {
    let url = format!("sqlite://{}", path.display());
    let (cpu, time) = store(&url, samples, size).await?;
    Ok(Cost { cpu, server: Duration::ZERO, time, bytes: std::fs::metadata(path)?.len() })
}

async fn postgres(server: &str, samples: &[Sample], size: usize) -> Done<Cost> {
    let (before, _) = server.rsplit_once('/').ok_or("a URL without a database")?;
    let name = format!("bench_{}_{size}", std::process::id());
    let mut raw = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut raw).await?;
    let url = format!("{before}/{name}");
    let busy = server_cpu(&mut raw).await?;
    let (cpu, time) = store(&url, samples, size).await?;
    let server = server_cpu(&mut raw).await?.saturating_sub(busy);
    let mut made = PgConnection::connect(&url).await?;
    let bytes: i64 =
        sqlx::query_scalar("SELECT pg_total_relation_size('outcome')").fetch_one(&mut made).await?;
    made.close().await?;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE {name}"))).execute(&mut raw).await?;
    Ok(Cost { cpu, server, time, bytes: bytes.unsigned_abs() })
}

/// What all processes of the server have taken so far, those that have ended included; it runs on this machine.
async fn server_cpu(raw: &mut PgConnection) -> Done<Duration> {
    let folder: String =
        sqlx::query_scalar("SELECT current_setting('data_directory')").fetch_one(&mut *raw).await?;
    let pid = std::fs::read_to_string(Path::new(&folder).join("postmaster.pid"))?;
    let main = pid.lines().next().ok_or("a server without a number")?.to_owned();
    let mut pids: Vec<i32> = sqlx::query_scalar("SELECT pid FROM pg_stat_activity").fetch_all(raw).await?;
    pids.sort_unstable();
    // The first counts its children that have ended; those that have not count for themselves.
    let mut all = ticks(&main, 11..15)?;
    for pid in pids {
        all += ticks(&pid.to_string(), 11..13)?;
    }
    Ok(all)
}

/// Through the store, as the recorder does.
async fn store(url: &str, samples: &[Sample], size: usize) -> Done<(Duration, Duration)> {
    let store = Store::open(url, [7; 32]).await?;
    store.take(&store.lease().await?, "bench").await?;
    let batches: Vec<Batch> = samples
        .chunks(size)
        .map(|outcomes| Batch { outcomes: outcomes.to_vec(), ..Batch::default() })
        .collect();
    let spent = spent(async {
        for batch in &batches {
            store.record(batch).await?;
        }
        Ok(())
    })
    .await?;
    store.close().await;
    Ok(spent)
}

/// The statement alone.
async fn statement(
    path: &Path,
    synchronous: SqliteSynchronous,
    samples: &[Sample],
    size: usize,
) -> Done<Cost> {
    let store = Store::open(&format!("sqlite://{}", path.display()), [7; 32]).await?;
    store.close().await;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(false);
    let mut raw = SqliteConnection::connect_with(&options).await?;
    let batches: Vec<String> =
        samples.chunks(size).enumerate().map(|(batch, samples)| rows(batch * size, samples)).collect();
    let (cpu, time) = spent(async {
        for batch in &batches {
            sqlx::query(
                "INSERT INTO outcome (minute, track, ms, verdict, total)
                 SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each($1) WHERE true
                 ON CONFLICT DO NOTHING",
            )
            .bind(batch)
            .execute(&mut raw)
            .await?;
        }
        Ok(())
    })
    .await?;
    raw.close().await?;
    Ok(Cost { cpu, server: Duration::ZERO, time, bytes: std::fs::metadata(path)?.len() })
}

/// Rows as the store writes them; the first of these has this place among all.
fn rows(first: usize, samples: &[Sample]) -> String {
    let mut json = String::from("[");
    for (place, (outcome, _)) in samples.iter().enumerate() {
        let (at, total) = (outcome.at.as_millisecond(), outcome.total.as_micros() / 64);
        let comma = if place == 0 { "" } else { "," };
        let track = (first + place) % TRACKS;
        // Writing to a String cannot fail.
        write!(json, "{comma}[{},{track},{},0,{total}]", at / 60_000, at % 60_000).ok();
    }
    json.push(']');
    json
}

/// What it takes: processor time, and time.
async fn spent(work: impl Future<Output = Done<()>>) -> Done<(Duration, Duration)> {
    let (before, began) = (ticks("self", 11..13)?, Instant::now());
    work.await?;
    Ok((ticks("self", 11..13)?.saturating_sub(before), began.elapsed()))
}

/// Rounds of one outcome a track, in the order of their phases; a few milliseconds late, 30–120 ms long.
fn samples() -> Done<Vec<Sample>> {
    let mut phases = (0..TRACKS)
        .map(|track| Ok((noise(track, 0) % EVERY.unsigned_abs(), check(track)?)))
        .collect::<Done<Vec<_>>>()?;
    phases.sort_by_key(|(phase, _)| *phase);
    let vantage = VantageId::parse("internet")?;
    let mut samples = Vec::with_capacity(TRACKS * ROUNDS);
    for round in 0..ROUNDS {
        for (place, (phase, check)) in phases.iter().enumerate() {
            let seed = noise(round, place);
            let at = START + i64::try_from(round)? * EVERY + i64::try_from(phase + seed % 3)?;
            let outcome = Outcome {
                total: Duration::from_micros(30_000 + seed % 90_000),
                ..Outcome::new(check.clone(), vantage.clone(), Timestamp::from_millisecond(at)?)
            };
            samples.push((Arc::new(outcome), Verdict::Pass));
        }
    }
    Ok(samples)
}

fn check(track: usize) -> Done<CheckId> {
    let environment = Environment::ALL.get(track % 5).copied().unwrap_or(Environment::Sandbox);
    Ok(CheckId {
        instance: InstanceId {
            api: ApiId::parse(&format!("patient-demographics-{}", track / 15))?,
            environment,
        },
        operation: OperationId::parse(["ping", "status", "read"].get(track / 5 % 3).unwrap_or(&"ping"))?,
    })
}

/// The same noise every time (splitmix64).
fn noise(a: usize, b: usize) -> u64 {
    let mut z = (a as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add((b as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// User and system time of a process, or also of its children that have ended; Linux counts in hundredths of a second.
fn ticks(process: &str, fields: std::ops::Range<usize>) -> Done<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, all) = stat.rsplit_once(") ").ok_or("no statistics of a process")?;
    let ticks = all.split(' ').skip(fields.start).take(fields.len());
    let ticks: u64 = ticks.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
