//! `curiad maintenance` on the command line.

use super::{Moment, Who};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum MaintenanceCommand {
    /// On the page at once; while it lasts nobody is called, and probing goes on
    Add {
        /// Where
        #[arg(long)]
        environment: String,
        /// Only this API
        #[arg(long)]
        api: Option<String>,
        /// From when: local time as 2026-12-01T20:00, or with a zone as 2026-12-01T20:00:00Z (default: now)
        #[arg(long, value_name = "TIME")]
        from: Option<Moment>,
        /// For how long: 30m, 2h; seven days (168h) at most
        #[arg(long, value_name = "DURATION")]
        r#for: String,
        /// Why, for everybody, in English
        #[arg(long)]
        en: String,
        /// The same in Welsh
        #[arg(long)]
        cy: String,
        /// All of production for longer than a day: nobody is called for anything meanwhile
        #[arg(long)]
        beyond_a_day: bool,
        /// Both languages are meant to say the same
        #[arg(long)]
        same: bool,
        #[command(flatten)]
        who: Who,
    },
    /// What was announced and is not over
    List,
    /// End it before its time, or call it off
    End {
        /// Its number
        maintenance: u64,
        #[command(flatten)]
        who: Who,
    },
}
