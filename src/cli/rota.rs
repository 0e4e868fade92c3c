//! `curiad rota` on the command line.

use super::{Moment, ReportLanguage, Who, moment::instant};
use clap::Subcommand;
use jiff::Timestamp;

#[derive(Debug, Subcommand)]
pub(crate) enum RotaCommand {
    #[command(flatten)]
    Ask(RotaQuestion),
    /// Somebody stands in on a rota for a while
    #[command(subcommand)]
    Override(OverrideCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RotaQuestion {
    /// Who is on call now, or at a time
    Who {
        /// The rota
        rota: String,
        /// When, as 2026-12-25T03:00:00Z (default: now)
        #[arg(long, value_name = "TIME", value_parser = instant)]
        at: Option<Timestamp>,
    },
    /// The shifts of the next weeks, and any gaps
    Show {
        /// The rota
        rota: String,
        /// From when, as 2026-12-25T03:00:00Z (default: now)
        #[arg(long, value_name = "TIME", value_parser = instant)]
        at: Option<Timestamp>,
        /// How many days
        #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
    /// The shifts to come as a calendar (iCalendar), to standard output
    Ics {
        /// A rota, or a person: all their shifts
        whose: String,
        /// How many weeks
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=104))]
        weeks: u16,
        /// In which language
        #[arg(long, value_enum, default_value_t)]
        language: ReportLanguage,
    },
    /// Is it out of hours, and why
    Explain {
        /// The hours' name (default: the only ones, or those by which majors in production call)
        #[arg(long)]
        hours: Option<String>,
        /// When, as 2026-12-25T03:00:00Z (default: now)
        #[arg(long, value_name = "TIME", value_parser = instant)]
        at: Option<Timestamp>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OverrideCommand {
    /// They are called instead of whoever would be; who is called already stays called
    Add {
        /// The rota
        rota: String,
        /// Who stands in
        person: String,
        /// From when: local time as 2026-12-24T18:00, or with a zone as 2026-12-24T18:00:00Z (default: now)
        #[arg(long, value_name = "TIME")]
        from: Option<Moment>,
        /// Until when; 92 days at most
        #[arg(long, value_name = "TIME")]
        until: Moment,
        /// Only while this person would be on call: a swap
        #[arg(long, value_name = "PERSON")]
        instead_of: Option<String>,
        /// Why
        #[arg(long)]
        why: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Those that have not ended; what is written in curiad.yaml is not among them
    List,
    /// End one before its time, or call it off
    End {
        /// Its number
        number: u64,
        #[command(flatten)]
        who: Who,
    },
}
