//! Curiad: the health and status monitoring system of NHS Wales' APIs.

mod allocator;
mod cli;
mod clock;
mod commands;
mod config;
mod database;
mod demo;
mod descriptors;
mod disk;
mod equipment;
mod exit;
mod heartbeat;
mod holder;
mod last_page;
mod lease;
mod listener;
mod log;
mod metrics;
mod newsroom;
mod pages;
mod panic;
mod pulse;
mod reload;
mod sealer;
mod seat;
mod serve;
mod set_aside;
mod spool;
mod tasks;
mod terminal;
mod usage;

use clap::Parser;
use cli::{Cli, Command, HeartbeatCommand, IncidentCommand, PageCommand, ProbeArgs, RotaCommand};
use commands::{
    Asking,
    explain::Sought,
    probe::Which,
    rota::{Attended, UnknownOverrides},
};
use config::{Loaded, Problem, Secrets, check_report};
use exit::{CONFIG, Failed, NO_INPUT, SOFTWARE, USAGE};
use log::Log;
use reload::Source;
use std::{process::ExitCode, sync::Arc, time::Duration};
use terminal::{Terminal, complain};

/// For a key that is nice to have nobody waits longer.
const KEY_WITHIN: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) if !asked.use_stderr() => {
            Terminal::new().line(&asked.render().to_string());
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            complain(&usage::words(&wrong, std::env::args()));
            return ExitCode::from(USAGE);
        }
    };
    if matches!(cli.command, Command::Serve(_) | Command::Demo(_)) {
        allocator::set();
    }
    let log = match Log::start() {
        Ok(log) => log,
        Err(Failed { code, message }) => {
            complain(&format!("curiad: {message}"));
            return ExitCode::from(code);
        }
    };
    let ended = prepare(&cli, &log).and_then(|runtime| {
        let ended = runtime.block_on(run(&cli, &log));
        runtime.shutdown_timeout(THREADS_END_WITHIN);
        ended
    });
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(Failed { code, message }) => {
            log.last_word(&format!("curiad: {message}"));
            ExitCode::from(code)
        }
    }
}

/// After the end of all tasks, a thread that waits for a disk or a name has so long.
const THREADS_END_WITHIN: Duration = Duration::from_secs(1);

/// The log, the cryptography, the threads.
fn prepare(cli: &Cli, log: &Log) -> Result<tokio::runtime::Runtime, Failed> {
    // The demo tells its story on the same terminal: the log speaks up only when something is wrong.
    let usual = if matches!(cli.command, Command::Demo(_)) { "warn" } else { "info" };
    let level = cli.log.as_deref().unwrap_or(usual);
    let filter = usage::log(level).map_err(|message| Failed::new(USAGE, message))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(Terminal::of_errors().has_colour())
        .with_writer(log.lines())
        .log_internal_errors(false)
        .init();
    panic::log_panics();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return Err(Failed::new(SOFTWARE, "the cryptography was set up twice"));
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::new(SOFTWARE, format!("cannot start threads: {error}")))
}

#[expect(clippy::too_many_lines, reason = "an arm a command")]
async fn run(cli: &Cli, log: &Log) -> Result<u8, Failed> {
    #[cfg(debug_assertions)]
    store::crash_point::arm(cli.crash_at, cli.crash_lease.map(std::time::Duration::from_secs));
    #[cfg(debug_assertions)]
    prober::break_point::arm(cli.probe_breaks.clone());
    #[cfg(debug_assertions)]
    store::growth::arm(cli.database_full.clone());
    let clock = clock::system();
    match &cli.command {
        Command::Demo(arguments) => demo::run(arguments, clock, log.lost()).await?,
        Command::Serve(arguments) => {
            let (read, stamps) = config::read(&cli.config, &Secrets::read(), clock.now());
            let mut loaded = usable(cli, read)?;
            loaded.outage.tell_after = Duration::from_secs(arguments.unrecorded_after.into());
            loaded.history_every = Duration::from_secs(arguments.history_every.into());
            let source = Source { directory: cli.config.clone(), stamps };
            let mut listen = loaded.listen.clone();
            listen.public = arguments.listen.unwrap_or(listen.public);
            listen.internal = arguments.listen_internal.unwrap_or(listen.internal);
            listen.allowed().map_err(|(why, next)| Failed::new(CONFIG, format!("{why}\n{next}")))?;
            descriptors::raise();
            if let Some(warning) = descriptors::warning(loaded.configuration.checks.len()) {
                tracing::warn!("{warning}");
            }
            let now = clock.now();
            let ended =
                loaded.roots.iter().filter(|root| prober::ends(root).is_some_and(|end| end <= now)).count();
            if ended > 0 {
                tracing::warn!(
                    "{ended} certificates of egress.roots have ended: what they signed is not trusted any more; replace them"
                );
            }
            serve::serve(loaded, source, listen, clock, log.lost()).await?;
        }
        Command::Check(arguments) => return commands::check::run(cli, arguments, clock.now()).await,
        Command::Backup { file } => {
            let loaded = load(cli, &Secrets::of_the_database(), &clock)?;
            commands::backup::run(&loaded.database, file, cli.json).await?;
        }
        Command::Schema { of } => commands::check::schema(*of),
        Command::Doctor => {
            return commands::doctor::run(load(cli, &Secrets::read(), &clock)?, clock, cli.json).await;
        }
        Command::Probe(ProbeArgs { api, environment, operation, explain_id, at, within, last }) => {
            let which = api.as_ref().map(|api| Which {
                api,
                environment: environment.as_deref(),
                operation: operation.as_deref(),
            });
            if let Some(id) = *explain_id {
                let sought = Sought { id, at: *at, within: *within };
                let asking = asking(cli, &clock).await?;
                commands::explain::run(&asking, &sought, which.as_ref(), cli.json).await?;
                return Ok(0);
            }
            if let Some(which) = which.as_ref().filter(|_| *last) {
                commands::probe::last::run(&asking(cli, &clock).await?, which, cli.json).await?;
                return Ok(0);
            }
            let which = which.ok_or_else(|| Failed::new(USAGE, "name the API to probe"))?;
            let loaded = load(cli, &Secrets::read(), &clock)?;
            let key = request_id_key(&loaded).await?;
            let probers = equipment::close_probers(&loaded, &clock, key)?;
            return commands::probe::run(cli, &which, &loaded.configuration, &probers, clock.now()).await;
        }
        Command::Rota(RotaCommand::Override(command)) => {
            commands::rota::stand_in(command, &asking(cli, &clock).await?, cli.json).await?;
        }
        Command::Rota(RotaCommand::Ask(question)) => {
            let (attended, unknown) = attended(cli, &clock).await?;
            commands::rota::run(question, &attended, clock.now(), cli.json)?;
            said_without(unknown);
        }
        Command::Escalation(command) => {
            let (attended, unknown) = attended(cli, &clock).await?;
            commands::escalation::run(command, &attended, clock.now(), cli.json)?;
            said_without(unknown);
        }
        Command::Callout(command) => {
            return commands::callout::run(command, &asking(cli, &clock).await?, cli.json).await;
        }
        Command::Heartbeat(HeartbeatCommand::List) => {
            commands::heartbeat::list(&asking(cli, &clock).await?, cli.json).await?;
        }
        Command::Migrate => {
            let loaded = load(cli, &Secrets::of_the_database(), &clock)?;
            commands::migrate::run(&loaded.database, cli.json).await?;
        }
        Command::History(command) => {
            return commands::history::run(command, &asking(cli, &clock).await?, cli.json).await;
        }
        Command::Report(arguments) => {
            commands::report::run(arguments, &asking(cli, &clock).await?, cli.json).await?;
        }
        Command::Page(PageCommand::Unapproved) => return commands::unapproved::run(cli.json),
        Command::Page(PageCommand::Export { directory }) => {
            commands::page::run(directory, &asking(cli, &clock).await?, cli.json).await?;
        }
        Command::Incident(command) => {
            // Who is linked is looked up in the desk; all the rest tells nobody.
            let asks = matches!(command, IncidentCommand::Link { .. });
            let secrets = if asks { Secrets::read() } else { Secrets::of_the_database() };
            let loaded = load(cli, &secrets, &clock)?;
            let asking = asking_of(&loaded, &clock).await?;
            commands::incident::run(command, &loaded, &asking, cli.json).await?;
        }
        Command::Maintenance(command) => {
            commands::maintenance::run(command, &asking(cli, &clock).await?, cli.json).await?;
        }
        Command::Silence(command) => {
            commands::silence::run(command, &asking(cli, &clock).await?, cli.json).await?;
        }
        Command::Subscriptions(command) => {
            commands::subscriptions::run(command, &asking(cli, &clock).await?, cli.json).await?;
        }
    }
    Ok(0)
}

fn load(cli: &Cli, secrets: &Secrets, clock: &domain::Clock) -> Result<Loaded, Failed> {
    usable(cli, config::load(&cli.config, secrets, clock.now()))
}

fn usable(cli: &Cli, read: Result<Loaded, Vec<Problem>>) -> Result<Loaded, Failed> {
    if !cli.config.is_dir() {
        let what = format!("there is no configuration at {}", cli.config.display());
        return Err(Failed::new(
            NO_INPUT,
            format!("{what}\nname the directory that holds curiad.yaml with --config DIR"),
        ));
    }
    if let Ok(loaded) = &read {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
    }
    let name = cli.config.display().to_string();
    let report =
        if read.is_err() { check_report(&name, &read, Terminal::of_errors()) } else { String::new() };
    read.map_err(|_| Failed::new(CONFIG, format!("the configuration cannot be used\n{}", report.trim_end())))
}

/// For who is on call nothing is needed but the files; what the database adds is told where it can be looked at.
async fn attended(cli: &Cli, clock: &domain::Clock) -> Result<(Attended, Option<UnknownOverrides>), Failed> {
    let now = clock.now();
    let Ok(loaded) = config::load(&cli.config, &Secrets::of_the_database(), now) else {
        let loaded = load(cli, &Secrets::left_out(), clock)?;
        return Ok((Attended::as_written(&loaded), Some(UnknownOverrides::without_address())));
    };
    Ok(Attended::of(&usable(cli, Ok(loaded))?, now).await)
}

/// What was answered without; a question that has no answer is not about it.
fn said_without(unknown: Option<UnknownOverrides>) {
    if let Some(unknown) = unknown {
        tracing::warn!("{unknown}");
    }
}

/// The key of request ids, by which they can be explained later; one of no use where the database cannot be asked for it.
async fn request_id_key(loaded: &Loaded) -> Result<[u8; 32], Failed> {
    let known = async {
        database::is_there(&loaded.database).await?;
        serve::open(&loaded.database).await
    };
    if let Ok(Ok(store)) = tokio::time::timeout(KEY_WITHIN, known).await {
        return Ok(store.key().0);
    }
    tracing::warn!(
        "the database cannot be asked for the key of request ids: `--explain-id` will not find those shown here"
    );
    serve::fresh_key()
}

async fn asking(cli: &Cli, clock: &domain::Clock) -> Result<Asking, Failed> {
    asking_of(&load(cli, &Secrets::of_the_database(), clock)?, clock).await
}

async fn asking_of(loaded: &Loaded, clock: &domain::Clock) -> Result<Asking, Failed> {
    database::is_there(&loaded.database).await?;
    let store = serve::open(&loaded.database).await?;
    Ok(Asking { store, configuration: Arc::clone(&loaded.configuration), now: clock.now() })
}
