//! What this program does on its database.

use jiff::{SignedDuration, Timestamp};

/// A standby reads every few seconds. What is older was not read again: it is no longer shown as of when it was.
const FRESH: SignedDuration = SignedDuration::from_secs(15);

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

    /// The time of what is shown at `now`. What cannot be read again grows old, and speaks no longer (DESIGN §5).
    pub(crate) fn shown_at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Standby { read_at } if now.duration_since(read_at) <= FRESH => read_at,
            Self::Recorder | Self::Standby { .. } => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_standby_cannot_read_again_grows_old() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let standby = Role::Standby { read_at: at(100) };
        assert_eq!(standby.shown_at(at(103)), at(100));
        assert_eq!(standby.shown_at(at(115)), at(100));
        assert_eq!(standby.shown_at(at(116)), at(116));
        assert_eq!(Role::Recorder.shown_at(at(116)), at(116));
    }
}
