//! `curiad incident` on the command line.

use super::Who;
use crate::config;
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use domain::{Advice, Because, Effect, Priority};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// Open incidents, or all of late
    List {
        /// Resolved ones too
        #[arg(long)]
        all: bool,
    },
    /// One incident, whole: its timeline, ticket and calls
    Show {
        /// Its number: C-42
        incident: String,
        /// A draft of the report after it, in Markdown
        #[arg(long)]
        review: bool,
    },
    /// "I have it": nobody else is called
    Ack {
        /// Its number
        incident: String,
        #[command(flatten)]
        who: Who,
    },
    /// Say something on the public page, in both languages at once: by phrases that are there in both, in own words, or by
    /// both together
    Update(UpdateArgs),
    /// Call an incident over
    Resolve {
        /// Its number
        incident: String,
        /// Why
        #[arg(long)]
        why: String,
        #[command(flatten)]
        who: Who,
    },
    /// Go on with a ticket that the service desk has already, because somebody rang first
    Link {
        /// Its number
        incident: String,
        /// The ticket's number: INC0012345
        ticket: String,
        #[command(flatten)]
        who: Who,
    },
    /// Set an incident's priority: no rule changes it any more
    Priority {
        /// Its number
        incident: String,
        /// P1 to P5
        #[arg(value_parser = priority)]
        priority: Priority,
        /// Why
        #[arg(long, alias = "reason")]
        why: String,
        #[command(flatten)]
        who: Who,
    },
    /// Make an incident a major one, or say that it is none: then nobody else is called, and no rule declares it again
    Declare {
        /// Its number
        incident: String,
        /// It is no major incident
        #[arg(long)]
        not_major: bool,
        /// Why
        #[arg(long, alias = "reason")]
        why: String,
        #[command(flatten)]
        who: Who,
    },
}

fn priority(word: &str) -> Result<Priority, String> {
    let number = word.strip_prefix(['P', 'p']).unwrap_or(word);
    let priority = number.parse().ok().and_then(Priority::new);
    priority.ok_or_else(|| format!("'{word}' is no priority: write P1 to P5"))
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// Its number
    pub(crate) incident: String,
    /// A phrase: why there is trouble
    #[arg(long, value_name = "PHRASE", value_parser = phrase(&Because::ALL, Because::word))]
    pub(crate) cause: Option<Because>,
    /// A phrase: what callers meet
    #[arg(long, value_name = "PHRASE", value_parser = phrase(&Effect::ALL, Effect::word))]
    pub(crate) effect: Option<Effect>,
    /// A phrase: what callers should do
    #[arg(long, value_name = "PHRASE", value_parser = phrase(&Advice::ALL, Advice::word))]
    pub(crate) advice: Option<Advice>,
    /// A phrase: more is said after so long at the latest: 30m, 2h; seven days (168h) at most
    #[arg(long, value_name = "DURATION", value_parser = config::parse_duration)]
    pub(crate) next: Option<Duration>,
    /// Own words, in English
    #[arg(long)]
    pub(crate) en: Option<String>,
    /// The same in Welsh
    #[arg(long)]
    pub(crate) cy: Option<String>,
    /// Both languages are meant to say the same
    #[arg(long, requires = "en")]
    pub(crate) same: bool,
    /// Publish nothing: print what would stand there
    #[arg(long)]
    pub(crate) preview: bool,
    #[command(flatten)]
    pub(crate) who: Who,
}

/// One of `all`, by its word.
fn phrase<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    word: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(move |one| word(*one))).try_map(move |text| {
        all.iter().copied().find(|one| word(*one) == text).ok_or("there is no such phrase")
    })
}
