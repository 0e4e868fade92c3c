//! What this program does on its database.

use jiff::Timestamp;

/// What this program does on its database: one records, the others stand by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// It probes, records and tells.
    #[default]
    Recorder,
    /// Another one does; what is shown is read from the store.
    Standby {
        /// When it was.
        read_at: Timestamp,
    },
}

impl Role {
    /// The word used in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recorder => "recorder",
            Self::Standby { .. } => "standby",
        }
    }

    /// The time of what is shown at `now`.
    pub(crate) const fn shown_at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Recorder => now,
            Self::Standby { read_at } => read_at,
        }
    }
}
