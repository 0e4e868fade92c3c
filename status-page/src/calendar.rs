//! Planned work as a calendar: iCalendar (RFC 5545, RFC 7986).

use crate::{
    Page, WordsError,
    document::{absolute, host},
    planned::identified,
    scope::Scope,
    wording::Wording,
};
use jiff::Timestamp;

/// Its file.
pub(crate) const FILE: &str = "maintenance.ics";
/// A line is folded after so many bytes.
const FOLD: usize = 75;

/// The calendar of planned work that runs or is to come.
pub(crate) fn calendar(wording: &Wording<'_>, scope: &Scope) -> Result<String, WordsError> {
    let snapshot = wording.snapshot;
    let language = wording.language.tag();
    let planned_work = wording.plain("maintenance")?;
    let name = text(&format!("{} – {planned_work}", scope.name(wording)?));
    let mut lines = Lines::default();
    lines.add("BEGIN:VCALENDAR");
    lines.add("VERSION:2.0");
    lines.add("PRODID:-//Curiad//Planned work//EN");
    lines.add("METHOD:PUBLISH");
    lines.add(&format!("NAME;LANGUAGE={language}:{name}"));
    lines.add(&format!("X-WR-CALNAME:{name}"));
    lines.add("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
    lines.add("X-PUBLISHED-TTL:PT1H");
    let page = absolute(wording, &wording.href(&Page::Maintenance));
    for (id, planned) in identified(&snapshot.planned) {
        if !scope.has_work(snapshot, planned) {
            continue;
        }
        // What changes an event is a new reading of the configuration: the later one counts, whoever compares. What was
        // announced is never changed, only over.
        let changed = planned.announced_at.unwrap_or(snapshot.configured_at);
        let sequence = changed.as_second().max(0) / 60 - MINUTES_TO_2026;
        let environment = wording.environment(planned.environment)?;
        let place = match planned.api.as_ref().and_then(|api| snapshot.api(api)) {
            Some(view) => format!("{}, {environment}", wording.text(&view.api.name)),
            None => environment.clone(),
        };
        let why = wording.text(&planned.why);
        lines.add("BEGIN:VEVENT");
        lines.add(&format!("UID:{id}@{}", host(wording)));
        lines.add(&format!("DTSTAMP:{}", utc(changed)));
        lines.add(&format!("LAST-MODIFIED:{}", utc(changed)));
        lines.add(&format!("SEQUENCE:{}", sequence.max(0)));
        lines.add(&format!("DTSTART:{}", utc(planned.from)));
        lines.add(&format!("DTEND:{}", utc(planned.to)));
        lines.add(&format!(
            "SUMMARY;LANGUAGE={language}:{}",
            text(&format!("{planned_work} – {place}: {why}"))
        ));
        lines.add(&format!("CATEGORIES;LANGUAGE={language}:{}", text(&environment)));
        lines.add(&format!("URL:{page}"));
        lines.add("STATUS:CONFIRMED");
        lines.add("TRANSP:TRANSPARENT");
        lines.add("END:VEVENT");
    }
    lines.add("END:VCALENDAR");
    Ok(lines.0)
}

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
