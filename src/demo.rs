//! `curiad demo`: the real program against a simulated world, with a story. The engine knows no demo: it gets a
//! configuration directory, like any other.

mod lived;
mod past;

pub(crate) use past::parse_history;

use crate::{
    cli::DemoArgs,
    commands::incident::title,
    config::{self, Listen, Secrets, check_report},
    database,
    exit::{Failed, UNAVAILABLE, USAGE, of_file},
    reload::Source,
    serve,
    tasks::Tasks,
    terminal::{Ink, Terminal, wrapped},
};
use domain::{Clock, Incident, IncidentId, IncidentStatus, Secret, Situation};
use jiff::{Timestamp, tz::TimeZone};
use simulator::{CALLBACK_TOKEN, Callbacks, World, WorldOptions};
use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The job runs so often: more often than its heartbeat is awaited.
const JOB_EVERY: Duration = Duration::from_secs(20);

/// The width that the story is told in, and where its words begin: behind the time and who.
const COLUMNS: usize = 100;
const MARGIN: usize = 17;

pub(crate) async fn run(
    arguments: &DemoArgs,
    clock: Clock,
    log_lines_lost: Arc<AtomicU64>,
) -> Result<(), Failed> {
    if arguments.listen.port() == 0 {
        let what =
            "the demo's links lead to --listen, so it needs a port that is known before it starts, not 0";
        return Err(Failed::new(USAGE, format!("{what}\nname a free one, as in --listen 127.0.0.1:8080")));
    }
    let terminal = Terminal::new();
    let data = data_directory(&arguments.data)?;
    let public_url = format!("http://{}", arguments.listen);
    let config = data.join("config");
    let database = data.join("curiad.db");
    let url = format!("sqlite://{}", database.display());
    // A demo that already runs on this directory keeps its configuration.
    database::fit(&Secret::new(&url)).map_err(|failed| in_words_of_the_demo(&failed))?;
    drop(serve::hold(&Secret::new(&url))?);
    let world = start_world(arguments, &clock, &public_url).await?;
    write_configuration(&config, &world, &public_url, &url)?;
    let (read, stamps) = config::read(&config, &Secrets::read(), clock.now());
    let report = check_report(&config.display().to_string(), &read, terminal);
    let loaded =
        read.map_err(|_| Failed::new(crate::exit::CONFIG, format!("the demo's configuration\n{report}")))?;
    let listen =
        Listen { public: arguments.listen, internal: arguments.listen_internal, ..Listen::default() };

    let source = Source { directory: config.clone(), stamps };
    let mut tasks = Tasks::new();
    tasks.stop_on_signal();
    if let Some(length) = arguments.history {
        // Said before minutes are spent on it.
        drop(serve::bind(listen.public, "--listen").await?);
        drop(serve::bind(listen.internal, "--listen-internal").await?);
        let held = serve::hold(&loaded.database)?;
        let store = serve::open(&loaded.database).await?;
        let made = past::make(&store, &loaded.configuration, length, &clock, &tasks.stop).await;
        store.close().await;
        drop(held);
        if !made? {
            world.stop().await;
            return Ok(());
        }
    }
    let zone = loaded.configuration.site.time_zone.clone();
    let with = (clock.clone(), log_lines_lost);
    let running = serve::start((loaded, source), listen, with, Arc::default(), &mut tasks).await?;
    begin_job(&running, &world);
    greet(terminal, arguments, &running, &config, &database, &world);

    let (situation, narrating) = (running.situation.clone(), tasks.stop.clone());
    tasks.add("narrator", narrate(terminal, situation, zone.clone(), narrating));
    if !arguments.quiet {
        let (world, stop) = (world.clone(), tasks.stop.clone());
        tasks.add("story", async move {
            let now = || clock.now();
            let say = |line: &str| print(terminal, now(), &zone, Ink::Blue, "world", line);
            tokio::select! {
                () = stop.cancelled() => return anyhow::Ok(()),
                () = simulator::tell(&world, say) => {}
            }
            stop.cancelled().await;
            anyhow::Ok(())
        });
    }
    let ended = tasks.run().await;
    running.close().await;
    world.stop().await;
    terminal.line(&format!("stopped; what was measured stays in {}", database.display()));
    Ok(ended?)
}

/// Here the database's place is chosen by the flag, not by the configuration.
fn in_words_of_the_demo(failed: &Failed) -> Failed {
    Failed::new(failed.code, failed.message.replace("with `database`", "with --data DIR"))
}

fn data_directory(data: &Path) -> Result<PathBuf, Failed> {
    if data.join("curiad.yaml").exists() {
        let what = format!("{} holds a configuration of its own", data.display());
        return Err(Failed::new(
            USAGE,
            format!("{what}\nchoose another directory for the demo with --data DIR"),
        ));
    }
    let cannot = |error: io::Error| {
        let message =
            format!("cannot use {}: {error}\nchoose another directory with --data DIR", data.display());
        Failed::new(of_file(&error), message)
    };
    fs::create_dir_all(data).map_err(cannot)?;
    fs::canonicalize(data).map_err(cannot)
}

async fn start_world(arguments: &DemoArgs, clock: &Clock, public_url: &str) -> Result<World, Failed> {
    let clock = clock.clone();
    let mut options = WorldOptions::demo(Arc::new(move || clock.now()));
    options.page = Some(arguments.listen_world);
    if arguments.any_ports {
        options.ports = simulator::Ports::default();
    }
    options.curiad = Some(public_url.to_owned());
    options.notify.callbacks = callbacks(public_url);
    World::start(options).await.map_err(|error| {
        let message =
            format!("cannot start the world outside: {error}\nstop what uses the port, or give --any-ports");
        Failed::new(UNAVAILABLE, message)
    })
}

fn callbacks(public_url: &str) -> Option<Callbacks> {
    let url = format!("{public_url}/hooks/notify").parse::<url::Url>().ok()?;
    Some(Callbacks {
        receipts: url.clone(),
        receipts_token: CALLBACK_TOKEN.to_owned(),
        replies: url,
        replies_token: CALLBACK_TOKEN.to_owned(),
    })
}

fn write_configuration(config: &Path, world: &World, public: &str, database: &str) -> Result<(), Failed> {
    for file in simulator::configuration(world, public, database) {
        let path = config.join(file.path);
        path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, file.text)).map_err(
            |error| {
                let next = "delete the demo's directory, or choose another with --data DIR";
                Failed::new(of_file(&error), format!("cannot write {}: {error}\n{next}", path.display()))
            },
        )?;
    }
    Ok(())
}

/// The world's job is given the address that it is to call, as the provider's team would be.
fn begin_job(running: &serve::Running, world: &World) {
    let situation = running.situation.borrow();
    let mut heard = situation.configuration.checks.values();
    if let Some(reference) = heard.find_map(|check| check.beat_reference(&situation.key)) {
        world.job().begin(&format!("http://{}/beats/{reference}", running.public), JOB_EVERY);
    }
}

fn greet(
    terminal: Terminal,
    arguments: &DemoArgs,
    running: &serve::Running,
    config: &Path,
    database: &Path,
    world: &World,
) {
    let row = |name: &str, what: String| {
        terminal.line(&format!("  {}  {what}", terminal.ink(Ink::Bold, &format!("{name:<14}"))));
    };
    let url = |address: SocketAddr| format!("http://{address}");
    terminal.line("Curiad is running against a simulated world.\n");
    row("public page", url(running.public));
    row("internal page", format!("{}  all five environments, and /metrics", url(running.internal)));
    row("world outside", format!("{}  faults to switch, tickets, texts, mail", world.page_url()));
    row("configuration", config.display().to_string());
    row("database", database.display().to_string());
    let beside = format!("curiad --config {} incident list", config.display());
    terminal.line(&format!("\nBeside it, in another terminal:  {}", terminal.ink(Ink::Bold, &beside)));
    terminal.line("Ctrl-C stops it.\n");
    if arguments.quiet {
        terminal.line("Nothing fails until you make it fail.\n");
    }
}

/// Tells what Curiad itself does: every new line of every incident's timeline.
async fn narrate(
    terminal: Terminal,
    mut situation: watch::Receiver<Arc<Situation>>,
    zone: TimeZone,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut told: BTreeMap<IncidentId, usize> = BTreeMap::new();
    for (id, incident) in &situation.borrow_and_update().incidents {
        told.insert(*id, incident.timeline.len());
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            changed = situation.changed() => if changed.is_err() {
                stop.cancelled().await;
                return Ok(());
            },
        }
        let current = Arc::clone(&situation.borrow_and_update());
        for incident in current.incidents.values() {
            let seen = told.entry(incident.id).or_insert(0);
            for entry in incident.timeline.iter().skip(*seen) {
                let line = format!("{}: {}", title(&current, incident), entry.text);
                print(terminal, entry.at, &zone, ink(incident), &incident.id.to_string(), &line);
            }
            *seen = incident.timeline.len();
        }
    }
}

const fn ink(incident: &Incident) -> Ink {
    match incident.status {
        IncidentStatus::Open => Ink::Red,
        IncidentStatus::Acknowledged => Ink::Yellow,
        IncidentStatus::Recovering | IncidentStatus::Resolved => Ink::Green,
    }
}

fn print(terminal: Terminal, at: Timestamp, zone: &TimeZone, ink: Ink, who: &str, line: &str) {
    let time = at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
    let margin = format!("\n{}", " ".repeat(MARGIN));
    terminal.line(&format!(
        "{}  {}  {}",
        terminal.ink(Ink::Dim, &time),
        terminal.ink(ink, &format!("{who:<5}")),
        wrapped(line, terminal.columns(COLUMNS) - MARGIN).join(&margin)
    ));
}
