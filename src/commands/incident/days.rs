//! Times of day under each other, and the day where it is not clear.

use crate::terminal::{Ink, Terminal, wrapped};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The width of a text, with the time before it.
const COLUMNS: usize = 100;
const MARGIN: usize = 12;

/// The day of the line before; of the first line it is today.
pub(super) struct Days<'a> {
    zone: &'a TimeZone,
    day: Date,
}

impl<'a> Days<'a> {
    pub(super) fn new(zone: &'a TimeZone, now: Timestamp) -> Self {
        Self { zone, day: now.to_zoned(zone.clone()).date() }
    }

    /// A line with the day of what follows, where that is another than the day of the line before.
    pub(super) fn news(&mut self, at: Timestamp) -> Option<String> {
        let day = at.to_zoned(self.zone.clone()).date();
        let before = std::mem::replace(&mut self.day, day);
        (day != before).then(|| day.strftime("  %a %-d %b %Y").to_string())
    }

    /// `01:29:24`.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }
}

/// Each with its time of day before it, wrapped beside that.
pub(super) fn lines(
    terminal: Terminal,
    mut days: Days<'_>,
    entries: impl Iterator<Item = (Timestamp, String)>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, text) in entries {
        lines.extend(days.news(at));
        let text =
            wrapped(&text, terminal.columns(COLUMNS) - MARGIN).join(&format!("\n{}", " ".repeat(MARGIN)));
        lines.push(format!("  {}  {text}", terminal.ink(Ink::Dim, &days.clock(at))));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_said_when_it_changes_and_first_where_it_is_not_today() {
        let zone = TimeZone::get("Europe/London").unwrap();
        let at = |time: &str| format!("2026-{time}Z").parse::<Timestamp>().unwrap();
        let said = |now: &str, times: &[&str]| {
            let entries = times.iter().map(|time| (at(time), "it fails".to_owned()));
            lines(Terminal::plain(), Days::new(&zone, at(now)), entries)
        };
        assert_eq!(
            said("06-21T12:00:00", &["06-19T02:00:00", "06-19T22:59:59", "06-19T23:00:00", "06-21T10:00:00"]),
            [
                "  Fri 19 Jun 2026",
                "  03:00:00  it fails",
                "  23:59:59  it fails",
                "  Sat 20 Jun 2026",
                "  00:00:00  it fails",
                "  Sun 21 Jun 2026",
                "  11:00:00  it fails",
            ]
        );
        assert_eq!(said("06-21T12:00:00", &["06-21T10:00:00"]), ["  11:00:00  it fails"]);
    }
}
