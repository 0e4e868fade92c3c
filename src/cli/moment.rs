//! Times on the command line.

use crate::config;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use std::str::FromStr;

/// A moment, or a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    Local(DateTime),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let local = || text.parse::<DateTime>().ok().filter(|_| text.contains('T'));
        if let Ok(at) = text.parse::<Timestamp>() {
            config::counts_from(text, at).map(Self::At)
        } else if let Some(local) = local() {
            let utc = local.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |local| local.timestamp());
            config::counts_from(text, utc).map(|_| Self::Local(local))
        } else {
            Err(format!(
                "'{text}' is neither a local time such as 2026-12-01T20:00 nor one with a zone such as 2026-12-01T20:00:00Z"
            ))
        }
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

/// A moment with its zone, as an argument.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let at = text.parse().map_err(|_| format!("'{text}' is not a time such as 2026-12-25T03:00:00Z"))?;
    config::counts_from(text, at)
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
        for wrong in [
            "",
            "20:00",
            "2026-12-01",
            "tomorrow",
            "9999-12-30T20:00",
            "9999-12-30T20:00:00Z",
            "0001-01-01T00:00Z",
        ] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
