//! The command line.

mod callout;
mod escalation;
mod history;
mod incident;
mod maintenance;
mod moment;
mod page;
mod report;
mod rota;

pub(crate) use callout::CalloutCommand;
pub(crate) use escalation::{EscalationCommand, SimulateArgs};
pub(crate) use history::{ExportArgs, ExportFormat, HistoryCommand, PruneArgs};
pub(crate) use incident::{IncidentCommand, UpdateArgs};
pub(crate) use maintenance::MaintenanceCommand;
pub(crate) use moment::Moment;
pub(crate) use page::PageCommand;
pub(crate) use report::{ReportArgs, ReportFormat, ReportLanguage, When};
pub(crate) use rota::{OverrideCommand, RotaCommand, RotaQuestion};

use crate::{
    config,
    demo::parse_history,
    exit::{Failed, USAGE},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use prober::Wanted;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Options that every command has stand apart from its own.
const EVERYWHERE: &str = "For every command";

/// Takes the pulse of NHS Wales' APIs: probes them, shows their status, raises incidents, calls people.
#[derive(Debug, Parser)]
#[command(name = "curiad", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The configuration: a directory with curiad.yaml and apis/*.yaml
    #[arg(long, global = true, default_value = "./config", value_name = "DIR", help_heading = EVERYWHERE)]
    pub(crate) config: PathBuf,
    /// Print JSON for programs instead of text for people
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) json: bool,
    /// The log: error, warn, info, debug, or by module (prober=debug); info, or warn in the demo
    #[arg(
        long,
        global = true,
        env = "CURIAD_LOG",
        hide_env_values = true,
        value_name = "LEVEL",
        help_heading = EVERYWHERE
    )]
    pub(crate) log: Option<String>,
    /// Dies at that point: for tests, and in no release
    #[cfg(debug_assertions)]
    #[arg(long, global = true, hide = true, env = "CURIAD_CRASH_AT", value_name = "POINT[:N]")]
    pub(crate) crash_at: Option<store::crash_point::Armed>,
    /// How long a send is leased, in seconds: for tests that do not wait a minute after a crash, and in no release
    #[cfg(debug_assertions)]
    #[arg(long, global = true, hide = true, env = "CURIAD_CRASH_LEASE", value_name = "SECONDS")]
    pub(crate) crash_lease: Option<u64>,
    /// Every probe of that check breaks: for tests, and in no release
    #[cfg(debug_assertions)]
    #[arg(
        long,
        global = true,
        hide = true,
        env = "CURIAD_PROBE_BREAKS",
        value_name = "API/ENVIRONMENT/OPERATION"
    )]
    pub(crate) probe_breaks: Option<String>,
    /// While that file is there, a SQLite database grows no further: for tests, and in no release
    #[cfg(debug_assertions)]
    #[arg(long, global = true, hide = true, env = "CURIAD_DATABASE_FULL", value_name = "FILE")]
    pub(crate) database_full: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it: everything against a simulated world, with an outage after half a minute
    Demo(DemoArgs),
    /// Run for real: probe, record, tell and show
    Serve(ServeArgs),
    /// Check the configuration; exit 0, or 78 if there are problems
    Check(CheckArgs),
    /// Copy the database while it is in use, and check the copy
    Backup {
        /// The file to make; nothing is overwritten
        file: PathBuf,
    },
    /// Print the JSON Schema of curiad.yaml, or of an API's file: for editors
    Schema {
        /// Of which file
        #[arg(value_enum, default_value_t)]
        of: SchemaOf,
    },
    /// Look at everything it needs, disturbing nobody; exit 0, or 1 on a problem
    Doctor,
    /// Probe an API once, now; exit 0 pass or slow, 1 fail, 2 inconclusive
    Probe(ProbeArgs),
    /// Who is on call, and whether it is out of hours
    #[command(subcommand)]
    Rota(RotaCommand),
    /// Who would get what, and when
    #[command(subcommand)]
    Escalation(EscalationCommand),
    /// Whether people are reached
    #[command(subcommand)]
    Callout(CalloutCommand),
    /// Jobs that call us: where, and when they last did
    #[command(subcommand)]
    Heartbeat(HeartbeatCommand),
    /// Make the tables, or bring them up to date, and do nothing else
    Migrate,
    /// What was measured: prove it, or give it to other programs
    #[command(subcommand)]
    History(HistoryCommand),
    /// A service review of a stretch of time, to standard output
    Report(ReportArgs),
    /// The public page: as files for a second host; its Welsh, for a translator
    #[command(subcommand)]
    Page(PageCommand),
    /// Look at incidents and act on them
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Announce planned work
    #[command(subcommand)]
    Maintenance(MaintenanceCommand),
    /// Mute notifications for a while
    #[command(subcommand)]
    Silence(SilenceCommand),
    /// Those who asked to be told by e-mail
    #[command(subcommand)]
    Subscriptions(SubscriptionsCommand),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Leave secrets unread: for a team's own CI
    #[arg(long)]
    pub(crate) without_secrets: bool,
    /// Say what changes for whom, compared with the configuration in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "traffic")]
    pub(crate) against: Option<PathBuf>,
    /// Say what load each API gets, and from where
    #[arg(long)]
    pub(crate) traffic: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The API's id
    #[arg(required_unless_present = "explain_id")]
    pub(crate) api: Option<String>,
    /// Only this environment: sandbox, development, sit, uat or production
    #[arg(long, requires = "api")]
    pub(crate) environment: Option<String>,
    /// Only this operation
    #[arg(long, requires = "api")]
    pub(crate) operation: Option<String>,
    /// Probe nothing: show what was recorded of the last probe that failed, and of the last that was good
    #[arg(long, requires = "api", conflicts_with = "explain_id")]
    pub(crate) last: bool,
    /// Probe nothing: say which probe carried this X-Request-ID, or this MSH-10
    #[arg(long, value_name = "ID")]
    pub(crate) explain_id: Option<Wanted>,
    /// When that request was seen, as 2026-12-25T03:00:00Z; finds also probes out of turn
    #[arg(long, value_name = "TIME", requires = "explain_id")]
    pub(crate) at: Option<Timestamp>,
    /// How far from that time, or from now, to look: 24h, 2h
    #[arg(long, value_name = "DURATION", requires = "explain_id", value_parser = config::parse_duration)]
    pub(crate) within: Option<Duration>,
}

/// A file of the configuration that has a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// curiad.yaml
    #[default]
    Curiad,
    /// A file in apis/
    Api,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where the public page listens (default: `listen.public`, else 127.0.0.1:8080)
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where the internal page and /metrics listen (default: `listen.internal`, else 127.0.0.1:8082)
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen_internal: Option<SocketAddr>,
    /// Seconds in which nothing was recorded, until the last resort is told and the heartbeat stops: for rehearsals
    #[arg(long, value_name = "SECONDS", default_value_t = 30, hide = true)]
    pub(crate) unrecorded_after: u32,
    /// Seconds between two looks at the history that is over, where there was nothing to do or it could not be done: for
    /// rehearsals
    #[arg(long, value_name = "SECONDS", default_value_t = 60, hide = true)]
    pub(crate) history_every: u32,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the public page listens
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// Where the internal page and /metrics listen
    #[arg(long, default_value = "127.0.0.1:8082", value_name = "ADDR")]
    pub(crate) listen_internal: SocketAddr,
    /// Where the world outside can be looked at and played with
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDR")]
    pub(crate) listen_world: SocketAddr,
    /// Where the demo keeps its database and its configuration
    #[arg(long, default_value = "./curiad-demo", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Let the simulated APIs, desk and carriers use any free ports
    #[arg(long)]
    pub(crate) any_ports: bool,
    /// No story: nothing fails until you make it fail
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Begin with a made-up past of this length, marked as simulated: 90d, 26w, 2y (about 4 MB a day)
    #[arg(long, value_name = "LENGTH", value_parser = parse_history)]
    pub(crate) history: Option<Duration>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HeartbeatCommand {
    /// The address of each, to be given to its job and nobody else, and when it was last heard
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SilenceCommand {
    /// Mute notifications; probing and showing go on
    Add {
        /// Only this API
        #[arg(long)]
        api: Option<String>,
        /// Only this environment
        #[arg(long)]
        environment: Option<String>,
        /// For how long: 30m, 2h; a day (24h) at most
        #[arg(long, value_name = "DURATION", default_value = "24h")]
        r#for: String,
        /// For longer than a day: seven days (168h) at most
        #[arg(long)]
        beyond_a_day: bool,
        /// Only say what it would mute
        #[arg(long)]
        dry_run: bool,
        /// Why
        #[arg(long)]
        why: String,
        #[command(flatten)]
        who: Who,
    },
    /// Silences that have not ended
    List,
    /// End one before its time
    End {
        /// Its number
        silence: u64,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SubscriptionsCommand {
    /// How many there are; no address is shown
    List,
    /// Forget an address, and all that was asked for with it
    Forget {
        /// The address
        address: String,
    },
}

/// Who acts.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Your name, for the record (default: whom you are signed in as)
    #[arg(long = "by", value_name = "NAME")]
    by: Option<String>,
}

impl Who {
    /// The name given, or that of whoever is signed in: behind `sudo`, of whoever called it.
    pub(crate) fn name(&self) -> Result<String, Failed> {
        #[expect(clippy::disallowed_methods, reason = "who is signed in is no setting")]
        let signed_in = |variable: &str| std::env::var(variable).ok();
        let (user, caller) = (signed_in("USER"), signed_in("SUDO_USER"));
        let user = if user.as_deref() == Some("root") { caller.or(user) } else { user };
        let is_one = |name: &String| !name.trim().is_empty();
        let name = self.by.clone().or(user.filter(is_one)).or_else(|| signed_in("LOGNAME"));
        let message =
            "there is no name for the record\nsay who you are with --by NAME; $USER and $LOGNAME are not set";
        name.filter(is_one).ok_or_else(|| Failed::new(USAGE, message))
    }
}
