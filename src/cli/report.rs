//! `curiad report` on the command line.

use crate::config;
use clap::{Args, ValueEnum};
use domain::Language;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::str::FromStr;

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// From when: a day as 2026-10-01, or a time as 2026-10-01T00:00:00Z (default: the first day of last month)
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<When>,
    /// Until when; of a day, until its end (default: the end of the month in which it begins, or now)
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<When>,
    /// For people, for spreadsheets (a row an instance), or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,
    /// The language of the document
    #[arg(long, value_enum, default_value_t)]
    pub(crate) language: ReportLanguage,
    /// Only this API
    #[arg(long)]
    pub(crate) api: Option<String>,
    /// Only this environment, or all
    #[arg(long, default_value = "production")]
    pub(crate) environment: String,
}

/// How a service review is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One file that a browser shows and prints
    #[default]
    Html,
    /// A row for each instance
    Csv,
    /// Everything
    Json,
}

/// The language of a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportLanguage {
    /// English
    #[default]
    En,
    /// Cymraeg
    Cy,
}

impl ReportLanguage {
    pub(crate) const fn language(self) -> Language {
        match self {
            Self::En => Language::En,
            Self::Cy => Language::Cy,
        }
    }
}

/// A local day, or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Day(Date),
    At(Timestamp),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = text.parse::<Date>().ok().filter(|_| !text.contains('T'));
        if let Some(day) = day {
            let begins = day.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |day| day.timestamp());
            return config::counts_from(text, begins).map(|_| Self::Day(day));
        }
        let at = text.parse().map_err(|_| {
            format!("'{text}' is neither a day such as 2026-10-01 nor a time such as 2026-10-01T00:00:00Z")
        })?;
        config::counts_from(text, at).map(Self::At)
    }
}

impl When {
    /// Where a range begins that begins with it.
    pub(crate) fn begins(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Day(date) => date.to_zoned(zone.clone()).ok().map(|day| day.timestamp()),
            Self::At(at) => Some(at),
        }
    }

    /// Where a range ends that ends with it.
    pub(crate) fn ends(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Day(date) => Self::Day(date.tomorrow().ok()?).begins(zone),
            Self::At(at) => Some(at),
        }
    }

    /// The end of the local month in which it is.
    pub(crate) fn month_ends(self, zone: &TimeZone) -> Option<Timestamp> {
        let date = match self {
            Self::Day(date) => date,
            Self::At(at) => at.to_zoned(zone.clone()).date(),
        };
        Self::Day(date.last_of_month()).ends(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_days_ends_with_its_last_day_and_follows_the_clocks() {
        let zone = TimeZone::get("Europe/London").unwrap();
        let at = |at: Option<Timestamp>| at.unwrap().to_string();
        let october: When = "2026-10-01".parse().unwrap();
        assert_eq!(at(october.begins(&zone)), "2026-09-30T23:00:00Z");
        assert_eq!(at(october.month_ends(&zone)), "2026-11-01T00:00:00Z");
        let last: When = "2026-10-31".parse().unwrap();
        assert_eq!(at(last.ends(&zone)), "2026-11-01T00:00:00Z");
        let moment: When = "2026-10-05T12:00:00Z".parse().unwrap();
        assert_eq!(
            (at(moment.begins(&zone)), at(moment.ends(&zone))),
            ("2026-10-05T12:00:00Z".into(), "2026-10-05T12:00:00Z".into())
        );
        assert_eq!(at(moment.month_ends(&zone)), "2026-11-01T00:00:00Z");
        for wrong in ["", "october", "2026-13-01", "2026-10-01T00:00:00", "2026-10-01T"] {
            assert!(
                wrong.parse::<When>().unwrap_err().starts_with(&format!("'{wrong}' is neither")),
                "{wrong}"
            );
        }
    }
}
