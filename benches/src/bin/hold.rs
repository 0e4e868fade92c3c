//! What the engine adds to the holds (DESIGN §10): Curiad runs against the simulated world with the demo's configuration,
//! production APIs fail and recover, and for each incident it is measured how long after *confirmed + hold* the desk
//! had accepted its ticket, and Notify the first callout.
//!
//! Confirmed is the incident's `opened_at`; accepted is when the desk and Notify wrote their records, on the same clock.

use benches::{Failed, PATIENCE, Program};
use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use simulator::{Fault, File, Ticket, Trouble, World, WorldOptions};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

const TICKET_HOLD: SignedDuration = SignedDuration::from_secs(1);
const CALLOUT_HOLD: SignedDuration = SignedDuration::from_secs(2);
/// The demo's times, shortened: what the engine adds does not depend on them, how long this takes does.
const SHORTER: [(&str, &str); 9] = [
    ("every: 5s", "every: 1s"),
    // Not that of a job that calls us.
    ("\n    every: 30s", "\n    every: 1s"),
    ("}, every: 30s }", "}, every: 1s }"),
    ("timeout: 3s", "timeout: 900ms"),
    ("timeout: 4s", "timeout: 900ms"),
    ("every: 2s, recover", "every: 200ms, recover"),
    ("hold: { ticket: 10s, callout: 15s, resolve: 15s }", "hold: { ticket: 1s, callout: 2s, resolve: 2s }"),
    ("slow: 800ms", "slow: 850ms"),
    // Each outage is an incident of its own, with its own ticket.
    ("flapping: { within: 10m,", "flapping: { reopen: 0s, within: 10m,"),
];
/// APIs of critical service level that fail together. All depend on `identity`: with it they would be one incident.
const TOGETHER: [&[&str]; 8] = [
    &["patient-demographics"],
    &["demographics-soap"],
    &["patient-demographics", "results"],
    &["identity"],
    &["results"],
    &["demographics-soap", "results"],
    &["patient-demographics", "demographics-soap"],
    &["patient-demographics", "demographics-soap", "results"],
];
/// What goes wrong, in turn. Five, so that in time each comes upon every group.
const FAULTS: [Fault; 5] =
    [Fault::GatewayUnavailable, Fault::Refuse, Fault::Backend(503), Fault::Reset, Fault::Status(503)];
/// What the desk does instead of what it is asked, in turn. One that takes a request and hangs up has made the ticket. None that
/// asks to be left alone for half a minute: that is its own time.
const DESK_TROUBLES: [Trouble; 5] = [
    Trouble::ServerError,
    Trouble::AcceptThenHangUp,
    Trouble::RateLimited,
    Trouble::WebPage,
    Trouble::Unauthorised,
];
/// More than one try, so that it is the retries that are measured.
const REQUESTS_THAT_FAIL: u32 = 3;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Parser)]
#[command(about = "What the engine adds to the holds until ticket and callout; prints one line of JSON.")]
struct Arguments {
    /// The program to measure.
    #[arg(long, default_value = "target/release/curiad")]
    curiad: PathBuf,
    /// How many outages there must be, at least.
    #[arg(long, default_value_t = 30)]
    outages: usize,
    /// The desk fails, in another way each time, whenever a ticket is due.
    #[arg(long)]
    desk_fails: bool,
    /// A new directory for the configuration, the database and the log.
    #[arg(long)]
    directory: PathBuf,
}

/// The program, and the world outside it.
struct Stage {
    curiad: Program,
    world: World,
}

/// One incident's records in the desk and in Notify.
struct Accepted {
    incident: String,
    ticket: Timestamp,
    callout: Timestamp,
}

/// What was added to the two holds, in milliseconds.
struct Added {
    ticket: f64,
    callout: f64,
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
    let mut curiad = Program::new(&arguments.curiad, arguments.directory.clone(), |url| {
        configuration(&arguments.directory, &world, url)
    })?;
    curiad.start()?;
    let mut stage = Stage { curiad, world };
    stage.quiet().await?;

    let mut added = Vec::new();
    let mut troubles = DESK_TROUBLES.iter().cycle();
    for (apis, fault) in TOGETHER.iter().cycle().zip(FAULTS.iter().cycle()) {
        if added.len() >= arguments.outages {
            break;
        }
        if arguments.desk_fails
            && let Some(trouble) = troubles.next()
        {
            stage.world.desk().set_trouble_for(*trouble, REQUESTS_THAT_FAIL).await;
        }
        added.extend(stage.outage(apis, *fault).await?);
        stage.quiet().await?;
    }
    drop(stage.curiad);
    stage.world.stop().await;
    Ok(json!({
        "outages": added.len(),
        "ticket_added_ms": benches::spread(added.iter().map(|added| added.ticket).collect()),
        "callout_added_ms": benches::spread(added.iter().map(|added| added.callout).collect()),
    }))
}

impl Stage {
    /// Makes `apis` fail until their tickets and first callouts are accepted, and well again.
    async fn outage(&self, apis: &[&str], fault: Fault) -> Result<Vec<Added>, Failed> {
        let before = self.world.desk().tickets().len();
        for api in apis {
            self.world.set_fault(api, "production", fault).await?;
        }
        let look = |world: &World| accepted(world, before, apis.len());
        let accepted = self.world.wait_for(PATIENCE, look).await.map_err(|late| {
            format!("{fault:?} on {apis:?}: ticket and callout: {late}; see {}", self.curiad.log().display())
        })?;
        let incidents = serde_json::from_str(&self.curiad.ask("api/v1/incidents").await?)?;
        let added = accepted.iter().map(|accepted| accepted.added(&incidents)).collect();
        self.world.clear_faults().await;
        added
    }

    /// Waits until every instance works and no incident is open.
    async fn quiet(&mut self) -> Result<(), Failed> {
        let well = |[status, incidents]: [&str; 2]| {
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
            let (status, incidents) = (read(status), read(incidents));
            let all = |rows: Option<&Value>, status: &str| {
                rows.and_then(Value::as_array)
                    .is_some_and(|rows| rows.iter().all(|row| row["status"] == status))
            };
            let begun = status.pointer("/instances/0").is_some();
            begun && all(status.get("instances"), "operational") && all(Some(&incidents), "resolved")
        };
        self.curiad.until(["api/v1/status", "api/v1/incidents"], well, ("rest", LOOK_AGAIN)).await
    }
}

impl Accepted {
    fn added(&self, incidents: &Value) -> Result<Added, Failed> {
        let incident = incidents.as_array().into_iter().flatten().find(|found| found["id"] == *self.incident);
        let confirmed: Timestamp = incident
            .and_then(|incident| incident["opened_at"].as_str())
            .ok_or_else(|| format!("{} is not among the incidents", self.incident))?
            .parse()?;
        let after = |at: Timestamp, hold| (at.duration_since(confirmed) - hold).as_secs_f64() * 1e3;
        Ok(Added { ticket: after(self.ticket, TICKET_HOLD), callout: after(self.callout, CALLOUT_HOLD) })
    }
}

/// The incidents whose ticket is none of the first `before`, once there are `number` with a callout too.
fn accepted(world: &World, before: usize, number: usize) -> Option<Vec<Accepted>> {
    let texts = world.notify().texts();
    let tickets = world.desk().tickets();
    let both: Vec<Accepted> = tickets
        .iter()
        .skip(before)
        .filter_map(|ticket| {
            let incident = incident_of(ticket)?;
            // A notification's key is its reference: `C-42-k3f9xq/callout/1/text`.
            let of_it = format!("{incident}-");
            let calls = texts.iter().filter(|text| {
                let reference = text.reference.as_deref().unwrap_or_default();
                reference.starts_with(&of_it) && reference.contains("/callout/")
            });
            let callout = calls.map(|text| text.created_at).min()?;
            Some(Accepted { incident: incident.to_owned(), ticket: ticket.created_at, callout })
        })
        .collect();
    (both.len() >= number).then_some(both)
}

/// The incident in `curiad:C-42-k3f9xq`.
fn incident_of(ticket: &Ticket) -> Option<&str> {
    let (_, incident) = ticket.field("correlation_id").split_once(':')?;
    incident.rsplit_once('-').map(|(incident, _)| incident)
}

/// The demo's, with shorter times.
fn configuration(directory: &Path, world: &World, url: &str) -> Result<Vec<File>, Failed> {
    let database = format!("sqlite://{}", directory.join("curiad.db").display());
    let mut files = simulator::configuration(world, url, &database);
    for (long, short) in SHORTER {
        if !files.iter().any(|file| file.text.contains(long)) {
            return Err(format!("the demo's configuration no longer says {long:?}").into());
        }
        for file in &mut files {
            file.text = file.text.replace(long, short);
        }
    }
    Ok(files)
}
