//! A calendar for other programs, as text: iCalendar (RFC 5545, RFC 7986).

use domain::Language;
use jiff::Timestamp;

/// A line is folded after so many bytes.
const FOLD: usize = 75;
/// From 1970 to 2026, so that numbers stay small.
const MINUTES_TO_2026: i64 = 29_453_760;

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Escaped as a value of type TEXT.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A calendar in the making.
pub(crate) struct Icalendar {
    lines: Lines,
    language: Language,
    /// Nothing was added yet.
    is_empty: bool,
}

/// One occasion in it, in the calendar's language.
pub(crate) struct Occasion<'a> {
    /// The same whenever it is made again.
    pub(crate) uid: &'a str,
    /// When it was changed last: of two the later one counts, whoever compares.
    pub(crate) changed: Timestamp,
    /// From (inclusive).
    pub(crate) from: Timestamp,
    /// To (exclusive).
    pub(crate) to: Timestamp,
    /// What it is.
    pub(crate) summary: &'a str,
    /// More of it.
    pub(crate) description: Option<&'a str>,
    /// What it is one of.
    pub(crate) category: &'a str,
    /// Where more is said.
    pub(crate) url: Option<&'a str>,
    /// It was to be, and is not any more: for those who have it already.
    pub(crate) cancelled: bool,
}

impl Icalendar {
    /// A calendar of `what` (a word for programs), called `name`.
    pub(crate) fn begin(what: &str, name: &str, language: Language) -> Self {
        let (name, tag) = (text(name), language.tag());
        let mut lines = Lines::default();
        lines.add("BEGIN:VCALENDAR");
        lines.add("VERSION:2.0");
        lines.add(&format!("PRODID:-//Curiad//{what}//EN"));
        lines.add("METHOD:PUBLISH");
        lines.add(&format!("NAME;LANGUAGE={tag}:{name}"));
        lines.add(&format!("X-WR-CALNAME:{name}"));
        lines.add("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
        lines.add("X-PUBLISHED-TTL:PT1H");
        Self { lines, language, is_empty: true }
    }

    /// Adds one.
    pub(crate) fn add(&mut self, occasion: &Occasion<'_>) {
        self.is_empty = false;
        let (lines, language) = (&mut self.lines, self.language.tag());
        let sequence = occasion.changed.as_second().max(0) / 60 - MINUTES_TO_2026;
        lines.add("BEGIN:VEVENT");
        lines.add(&format!("UID:{}", occasion.uid));
        lines.add(&format!("DTSTAMP:{}", utc(occasion.changed)));
        lines.add(&format!("LAST-MODIFIED:{}", utc(occasion.changed)));
        lines.add(&format!("SEQUENCE:{}", sequence.max(0)));
        lines.add(&format!("DTSTART:{}", utc(occasion.from)));
        lines.add(&format!("DTEND:{}", utc(occasion.to)));
        lines.add(&format!("SUMMARY;LANGUAGE={language}:{}", text(occasion.summary)));
        if let Some(description) = occasion.description {
            lines.add(&format!("DESCRIPTION;LANGUAGE={language}:{}", text(description)));
        }
        lines.add(&format!("CATEGORIES;LANGUAGE={language}:{}", text(occasion.category)));
        if let Some(url) = occasion.url {
            lines.add(&format!("URL:{url}"));
        }
        lines.add(if occasion.cancelled { "STATUS:CANCELLED" } else { "STATUS:CONFIRMED" });
        lines.add("TRANSP:TRANSPARENT");
        lines.add("END:VEVENT");
    }

    /// The whole of it.
    pub(crate) fn end(mut self) -> String {
        if self.is_empty {
            // A calendar has at least one component (RFC 5545 §3.6): the zone that its times would be in.
            for line in [
                "BEGIN:VTIMEZONE",
                "TZID:Etc/UTC",
                "BEGIN:STANDARD",
                "DTSTART:19700101T000000",
                "TZOFFSETFROM:+0000",
                "TZOFFSETTO:+0000",
                "TZNAME:UTC",
                "END:STANDARD",
                "END:VTIMEZONE",
            ] {
                self.lines.add(line);
            }
        }
        self.lines.add("END:VCALENDAR");
        self.lines.0
    }
}

/// Content lines, folded, each with its CRLF.
#[derive(Debug, Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, line: &str) {
        let mut width = 0;
        for c in line.chars() {
            if width + c.len_utf8() > FOLD {
                self.0.push_str("\r\n ");
                width = 1;
            }
            self.0.push(c);
            width += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_folded_between_characters() {
        let mut lines = Lines::default();
        let long = format!("SUMMARY:{}", "ŵ".repeat(100));
        lines.add(&long);
        assert!(lines.0.split("\r\n").all(|line| line.len() <= FOLD), "{:?}", lines.0);
        assert_eq!(lines.0.replace("\r\n ", "").trim_end(), long);
    }

    #[test]
    fn what_is_special_in_a_text_is_escaped() {
        assert_eq!(text("a;b,c\\d\r\ne"), "a\\;b\\,c\\\\d\\ne");
        assert_eq!(MINUTES_TO_2026 * 60, "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap().as_second());
    }
}
