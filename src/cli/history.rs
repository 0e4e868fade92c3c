//! `curiad history` on the command line.

use super::moment::instant;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

#[derive(Debug, Subcommand)]
pub(crate) enum HistoryCommand {
    /// Hold against each other what is kept in several ways: exits with 65 where something is lost, damaged or there twice
    Verify,
    /// What takes the room in the database: bytes of each kind of what is kept, and bytes a sample
    Room,
    /// Every sample of a range, to standard output
    Export(ExportArgs),
    /// Let go now of what `retention` does not keep: the running program does the same bit by bit
    Prune(PruneArgs),
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PruneArgs {
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// For a spreadsheet, or for `promtool tsdb create-blocks-from openmetrics`
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// From when, as 2026-12-25T03:00:00Z (default: 24 hours before the end)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) from: Option<Timestamp>,
    /// Until when (default: now)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) to: Option<Timestamp>,
    /// Only this API
    #[arg(long)]
    pub(crate) api: Option<String>,
    /// Only this environment
    #[arg(long)]
    pub(crate) environment: Option<String>,
    /// Only this operation
    #[arg(long)]
    pub(crate) operation: Option<String>,
}

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One line a sample
    Csv,
    /// As /metrics has them, with times
    Openmetrics,
}
