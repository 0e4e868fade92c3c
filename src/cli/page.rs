//! `curiad page` on the command line.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum PageCommand {
    /// Write it as it is now: what changed is replaced file by file, what is gone is removed
    Export {
        /// A directory of its own; it is made if it is not there
        directory: PathBuf,
    },
    /// Its Welsh that no translator has approved; exit 0 if there is none, else 1
    Unapproved,
}
