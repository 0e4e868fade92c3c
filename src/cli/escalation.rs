//! `curiad escalation` on the command line.

use super::Moment;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum EscalationCommand {
    /// If this API fails then, who gets what, and when; nothing is sent
    Simulate(SimulateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The API's id
    pub(crate) api: String,
    /// Where it fails
    #[arg(long, default_value = "production")]
    pub(crate) environment: String,
    /// When: local time as 2026-12-05T02:30, or with a zone as 2026-12-05T02:30:00Z (default: now)
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Moment>,
    /// For how many minutes it fails
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=1440))]
    pub(crate) minutes: u16,
}
