//! `curiad callout` on the command line.

use super::Who;
use crate::config;
use clap::Subcommand;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum CalloutCommand {
    /// Call somebody by all their ways, say that it is a test, and wait for the answer
    Test {
        /// Who
        person: String,
        /// How long to wait for the answer: 5m, 90s; an hour at most
        #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = config::parse_duration)]
        wait: Duration,
        /// Do not wait
        #[arg(long, conflicts_with = "wait")]
        no_wait: bool,
        #[command(flatten)]
        who: Who,
    },
}
