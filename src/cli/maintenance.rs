//! `curiad maintenance` on the command line.

use super::Who;
use clap::Subcommand;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use std::str::FromStr;

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

/// A moment, or a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    Local(DateTime),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let local = || text.parse().map(Self::Local).ok().filter(|_| text.contains('T'));
        text.parse().map(Self::At).ok().or_else(local).ok_or_else(|| {
            format!("'{text}' is neither a local time such as 2026-12-01T20:00 nor one with a zone such as 2026-12-01T20:00:00Z")
        })
    }
}

impl Moment {
    /// When that is. Of a local time that is twice, the first; of one that is not, as long after the change of the clocks.
    pub(crate) fn at(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Local(local) => local.to_zoned(zone.clone()).ok().map(|local| local.timestamp()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_local() {
        let zone = TimeZone::get("Europe/London").unwrap();
        for (text, expected) in [
            ("2026-07-01T20:00", "2026-07-01T19:00:00Z"),
            ("2026-12-01T20:00", "2026-12-01T20:00:00Z"),
            ("2026-07-01T20:00:00Z", "2026-07-01T20:00:00Z"),
            ("2026-07-01T20:00:00+01:00", "2026-07-01T19:00:00Z"),
            ("2026-10-25T01:30", "2026-10-25T00:30:00Z"),
            ("2026-03-29T01:30", "2026-03-29T01:30:00Z"),
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().at(&zone).unwrap().to_string(), expected, "{text}");
        }
        for wrong in ["", "20:00", "2026-12-01", "tomorrow"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
