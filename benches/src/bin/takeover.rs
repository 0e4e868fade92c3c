//! How long nobody records (DESIGN §9, one recorder a database): of two programs on one PostgreSQL the one that records is
//! killed, or frozen, and it is measured how long after that the other has recorded its first outcome.
//!
//! Both run on this machine, but the one that stands by makes no use of that: it listens for beats, as it would from afar.

use clap::Parser;
use jiff::Timestamp;
use serde_json::{Value, json};
use simulator::{World, WorldOptions};
use std::{
    error::Error,
    fs::{self, OpenOptions},
    io::Write,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep};

type Failed = Box<dyn Error + Send + Sync>;

/// One step takes longer only when something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
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

/// A program of the two, with a configuration of its own.
struct Program {
    curiad: PathBuf,
    directory: PathBuf,
    public: SocketAddr,
    internal: SocketAddr,
    child: Option<Child>,
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself: then there is nothing to kill.
            let _gone = child.kill();
            let _ended = child.wait();
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let line = run(&Arguments::parse()).await?;
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<Value, Failed> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let world = World::start(WorldOptions::new(Arc::new(now))).await?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    let mut records = Program::new(arguments, "one", &world)?;
    let mut waits = Program::new(arguments, "other", &world)?;
    records.start(&client, "recorder").await?;
    records.recorded(&client).await?;
    waits.start(&client, "standby").await?;
    let mut took = [Vec::new(), Vec::new()];
    for turn in 0..arguments.times {
        for (end, took) in [End::Killed, End::Frozen].into_iter().zip(&mut took) {
            sleep(BEAT * turn / arguments.times.max(1)).await;
            records.signal(if end == End::Killed { "KILL" } else { "STOP" })?;
            let ended = Instant::now();
            waits.recorded(&client).await?;
            took.push(ended.elapsed().as_secs_f64());
            if end == End::Frozen {
                records.signal("CONT")?;
            }
            records.wait().await?;
            records.start(&client, "standby").await?;
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

impl Program {
    fn new(arguments: &Arguments, name: &str, world: &World) -> Result<Self, Failed> {
        let directory = arguments.directory.join(name);
        let (public, internal) = (free_address()?, free_address()?);
        for file in simulator::configuration(world, &format!("http://{public}"), &arguments.database) {
            let path = directory.join("config").join(file.path);
            fs::create_dir_all(path.parent().unwrap_or(&directory))?;
            fs::write(path, file.text)?;
        }
        let curiad = fs::canonicalize(&arguments.curiad)
            .map_err(|error| format!("{}: {error}", arguments.curiad.display()))?;
        Ok(Self { curiad, directory, public, internal, child: None })
    }

    /// Starts it, and waits until it does what it is to do.
    async fn start(&mut self, client: &reqwest::Client, role: &str) -> Result<(), Failed> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let child = Command::new(&self.curiad)
            .current_dir(&self.directory)
            .arg("--config")
            .arg(self.directory.join("config"))
            .args(["serve", "--listen", &self.public.to_string()])
            .args(["--listen-internal", &self.internal.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.child = Some(child);
        let is = |ready: &str| {
            let ready: Option<Value> = serde_json::from_str(ready).ok();
            let seen =
                ready.as_ref().and_then(|ready| ready.pointer("/checks/recorder:role/0/observedValue"));
            seen.is_some_and(|seen| seen == role)
        };
        self.until(client, "readyz", is, role).await
    }

    /// Waits until it has recorded something.
    async fn recorded(&mut self, client: &reqwest::Client) -> Result<(), Failed> {
        let some = |metrics: &str| {
            let count = metrics.lines().find_map(|line| line.strip_prefix("curiad_outcomes_recorded_total "));
            count.is_some_and(|count| count != "0")
        };
        self.until(client, "metrics", some, "outcomes").await
    }

    async fn until(
        &mut self,
        client: &reqwest::Client,
        path: &str,
        holds: impl Fn(&str) -> bool,
        what: &str,
    ) -> Result<(), Failed> {
        let limit = Instant::now() + PATIENCE;
        let url = format!("http://{}/{path}", self.internal);
        loop {
            // Before it listens, it cannot be asked.
            if let Ok(answer) = client.get(&url).send().await
                && holds(&answer.text().await?)
            {
                return Ok(());
            }
            if Instant::now() >= limit {
                let log = self.log();
                return Err(format!("no {what} within {PATIENCE:?}; see {}", log.display()).into());
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    fn signal(&self, name: &str) -> Result<(), Failed> {
        let id = self.child.as_ref().map(Child::id).ok_or("it does not run")?;
        let sent = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status()?;
        if sent.success() { Ok(()) } else { Err(format!("kill -{name} {id}: {sent}").into()) }
    }

    /// Waits until it has ended.
    async fn wait(&mut self) -> Result<(), Failed> {
        let limit = Instant::now() + PATIENCE;
        while let Some(child) = &mut self.child {
            if child.try_wait()?.is_some() {
                self.child = None;
            } else if Instant::now() >= limit {
                return Err(
                    format!("it does not end within {PATIENCE:?}; see {}", self.log().display()).into()
                );
            } else {
                sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }

    fn log(&self) -> PathBuf {
        Path::new(&self.directory).join("log")
    }
}

/// An address that was free a moment ago. Another program may take it; the start then fails and says so.
fn free_address() -> Result<SocketAddr, Failed> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

#[expect(clippy::disallowed_methods, reason = "the world keeps the same time as the program it runs beside")]
fn now() -> Timestamp {
    Timestamp::now()
}
