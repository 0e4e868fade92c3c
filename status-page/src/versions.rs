//! Versions that began to run: upright lines in the chart of response times, and words beside it.

use crate::{WordsError, chart::PITCH, when::short_day, wording::Wording};
use domain::Release;
use jiff::civil::Date;
use serde::Serialize;
use std::fmt::Write as _;

/// Versions that one line of words names.
const NAMED: usize = 3;
/// Longer names do not stand in a drawing.
const MAX_LABEL: usize = 12;
/// What a character, and the space after a name, take of the width of a drawing on a telephone, in thousandths.
const CHARACTER: usize = 30;
const SPACE: usize = 30;

/// A version began to run on a local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begun<'a> {
    pub(crate) date: Date,
    pub(crate) version: &'a str,
}

/// A version's name in a drawing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Label {
    /// From the left, a percentage.
    at: String,
    version: String,
    /// It ends there, for there is no room to the right.
    ends: bool,
}

/// Those of which it is known when they began, in order: the first that was seen may have run for long.
pub(crate) fn begun<'a>(wording: &Wording<'_>, releases: &'a [Release]) -> Vec<Begun<'a>> {
    let known = releases.iter().filter(|release| release.before.is_some());
    let zone = &wording.snapshot.site.time_zone;
    known
        .map(|release| Begun { date: release.since.to_zoned(zone.clone()).date(), version: &release.version })
        .collect()
}

/// `2.3.1 (3 November), 2.3.0 (12 October)`: the newest first, and of many those. `None`: there is none.
pub(crate) fn named(wording: &Wording<'_>, begun: &[Begun<'_>]) -> Result<Option<String>, WordsError> {
    let newest = begun.iter().rev().take(NAMED);
    let each = newest.map(|one| format!("{} ({})", one.version, short_day(wording.language, one.date)));
    let list = each.collect::<Vec<_>>().join(", ");
    Ok(match begun.len() {
        0 => None,
        1..=NAMED => Some(list),
        _ => Some(wording.say("versions-more", &[("list", list.into())])?),
    })
}

/// An upright line on each of `days` on which a version began, and the names that have room, the newest first.
pub(crate) fn drawn(days: &[Date], begun: &[Begun<'_>]) -> (String, Vec<Label>) {
    let last = days.len().saturating_sub(1).max(1);
    let (mut path, mut labels, mut free) = (String::new(), Vec::new(), usize::MAX);
    for (place, date) in days.iter().enumerate().rev() {
        let Some(newest) = begun.iter().rev().find(|one| one.date == *date) else { continue };
        // Writing to a String cannot fail.
        write!(path, "M{} 0v100", place * PITCH).ok();
        let (at, length) = (place * 1000 / last, newest.version.chars().count());
        let width = length * CHARACTER;
        let ends = at + width > 1000;
        let (from, to) = if ends { (at.saturating_sub(width), at) } else { (at, at + width) };
        if length <= MAX_LABEL && to + SPACE <= free {
            free = from;
            let at = format!("{}.{}%", at / 10, at % 10);
            labels.push(Label { at, version: newest.version.to_owned(), ends });
        }
    }
    let marks = if path.is_empty() { path } else { format!(r#"<path class="l4" d="{path}"/>"#) };
    (marks, labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{ToSpan as _, civil::date};

    #[test]
    fn a_version_is_named_where_its_line_stands_if_there_is_room() {
        let first = date(2026, 9, 1);
        let days: Vec<Date> = (0..91).map(|n| first + n.days()).collect();
        let on = |place: usize, version: &'static str| Begun { date: days[place], version };
        let begun = [
            Begun { date: date(2026, 8, 1), version: "1.0" },
            on(9, "2.0"),
            on(45, "20261016.4-4f9d2c81"),
            on(60, "2.2"),
            on(62, "2.3"),
            on(62, "2.3.1"),
            on(90, "2.4"),
        ];
        let (marks, labels) = drawn(&days, &begun);
        assert_eq!(marks, r#"<path class="l4" d="M900 0v100M620 0v100M600 0v100M450 0v100M90 0v100"/>"#);
        let label = |at: &str, version: &str, ends| Label { at: at.into(), version: version.into(), ends };
        let seen =
            [label("100.0%", "2.4", true), label("68.8%", "2.3.1", false), label("10.0%", "2.0", false)];
        assert_eq!(labels, seen);
        assert_eq!(drawn(&days, &[]), (String::new(), Vec::new()));
    }
}
