//! What a stored sample costs: processor time and room on the disk. `cargo bench -p store`.
//!
//! 1,000 tracks every 10 s, each at its own phase, as the scheduler spreads them; all Pass, the steady state.
//! Processor time is that of the whole process, all threads, as the kernel counts it.

use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, Outcome, VantageId, Verdict};
use jiff::Timestamp;
use std::{error::Error, path::Path, sync::Arc, time::Duration};
use store::{Batch, Store};

const TRACKS: usize = 1_000;
const ROUNDS: usize = 200;
const EVERY: i64 = 10_000;
const START: i64 = 1_790_000_000_000;

type Sample = (Arc<Outcome>, Verdict);

#[expect(clippy::print_stdout, reason = "a measurement is for reading")]
fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let samples = samples()?;
    println!("rows a batch | µs CPU a row | bytes a row");
    for size in [25, 100, 250, 1_000] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("curiad.db");
        let cpu = runtime.block_on(store(&path, &samples, size))?;
        let rows = f64::from(u32::try_from(samples.len())?);
        let bytes = f64::from(u32::try_from(std::fs::metadata(&path)?.len())?);
        println!("{size:12} | {:12.2} | {:11.2}", cpu.as_secs_f64() * 1e6 / rows, bytes / rows);
    }
    Ok(())
}

async fn store(path: &Path, samples: &[Sample], size: usize) -> Result<Duration, Box<dyn Error>> {
    let store = Store::open(&format!("sqlite://{}", path.display()), [7; 32]).await?;
    let batches: Vec<Batch> = samples
        .chunks(size)
        .map(|outcomes| Batch { outcomes: outcomes.to_vec(), ..Batch::default() })
        .collect();
    let before = cpu()?;
    for batch in &batches {
        store.record(batch).await?;
    }
    let spent = cpu()?.saturating_sub(before);
    store.close().await;
    Ok(spent)
}

/// Rounds of one outcome a track, in the order of their phases; a few milliseconds late, 30–120 ms long.
fn samples() -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut phases = (0..TRACKS)
        .map(|track| Ok((noise(track, 0) % EVERY.unsigned_abs(), check(track)?)))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
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

fn check(track: usize) -> Result<CheckId, Box<dyn Error>> {
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

/// User and system time of this process; Linux counts in hundredths of a second.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no process statistics")?;
    let ticks: u64 = fields.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
