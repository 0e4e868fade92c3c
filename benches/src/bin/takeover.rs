//! How long nobody records (DESIGN §9, one recorder a database): of two programs on one PostgreSQL the one that records is
//! killed, or frozen, and it is measured how long after that the other has recorded its first outcome.
//!
//! Both run on this machine, but the one that stands by makes no use of that: it listens for beats, as it would from afar.

use benches::{Failed, Program};
use clap::Parser;
use serde_json::{Value, json};
use simulator::{World, WorldOptions};
use std::{io::Write, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Between two beats of who records; the end comes at every moment between them.
const BEAT: Duration = Duration::from_secs(2);

#[derive(Parser)]
#[command(about = "How long nobody records when one is killed or frozen; prints one line of JSON.")]
struct Arguments {
    /// The program to measure.
    #[arg(long, default_value = "target/release/curiad")]
    curiad: PathBuf,
    /// How many times each way.
    #[arg(long, default_value_t = 20)]
    times: u32,
    /// An empty database of a `PostgreSQL` server, `postgres://…`.
    #[arg(long)]
    database: String,
    /// A new directory for the configurations and the logs.
    #[arg(long)]
    directory: PathBuf,
}

/// How one ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Killed,
    Frozen,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let line = run(&Arguments::parse()).await?;
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<Value, Failed> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let world = World::start(WorldOptions::new(Arc::new(benches::now))).await?;
    let mut records = one(arguments, "one", &world)?;
    let mut waits = one(arguments, "other", &world)?;
    start(&mut records, "recorder").await?;
    recorded(&mut records).await?;
    start(&mut waits, "standby").await?;
    let mut took = [Vec::new(), Vec::new()];
    for turn in 0..arguments.times {
        for (end, took) in [End::Killed, End::Frozen].into_iter().zip(&mut took) {
            sleep(BEAT * turn / arguments.times.max(1)).await;
            records.signal(if end == End::Killed { "KILL" } else { "STOP" })?;
            let ended = Instant::now();
            recorded(&mut waits).await?;
            took.push(ended.elapsed().as_secs_f64());
            if end == End::Frozen {
                records.signal("CONT")?;
            }
            records.end(LOOK_AGAIN).await?;
            start(&mut records, "standby").await?;
            std::mem::swap(&mut records, &mut waits);
        }
    }
    drop((records, waits));
    world.stop().await;
    let [killed, frozen] = took;
    Ok(json!({
        "times": arguments.times,
        "killed_s": benches::spread(killed),
        "frozen_s": benches::spread(frozen),
    }))
}

/// One of the two, with a configuration of its own.
fn one(arguments: &Arguments, name: &str, world: &World) -> Result<Program, Failed> {
    Program::new(&arguments.curiad, arguments.directory.join(name), |url| {
        Ok(simulator::configuration(world, url, &arguments.database))
    })
}

/// Starts it, and waits until it does what it is to do.
async fn start(program: &mut Program, role: &str) -> Result<(), Failed> {
    program.start()?;
    let is = |[ready]: [&str; 1]| {
        let ready: Option<Value> = serde_json::from_str(ready).ok();
        let seen = ready.as_ref().and_then(|ready| ready.pointer("/checks/recorder:role/0/observedValue"));
        seen.is_some_and(|seen| seen == role)
    };
    program.until(["readyz"], is, (role, LOOK_AGAIN)).await
}

/// Waits until it has recorded something.
async fn recorded(program: &mut Program) -> Result<(), Failed> {
    let some = |[metrics]: [&str; 1]| {
        let count = metrics.lines().find_map(|line| line.strip_prefix("curiad_outcomes_recorded_total "));
        count.is_some_and(|count| count != "0")
    };
    program.until(["metrics"], some, ("outcomes", LOOK_AGAIN)).await
}
