//! Times and durations in words: absolute, local, with GMT or BST, months by their names in both languages.

use domain::Language;
use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};
use serde::Serialize;

/// A time for a page: for machines and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct When {
    /// RFC 3339, UTC, to the millisecond.
    pub(crate) iso: String,
    /// In words, as short as they can be without doubt on the day of the view.
    pub(crate) words: String,
}

/// RFC 3339, UTC, with milliseconds: how every interface of ours writes a time.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// `21 November 2026`.
pub(crate) fn day(language: Language, date: Date) -> String {
    format!("{} {} {}", date.day(), language.month(date), date.year())
}

/// `21 November`.
pub(crate) fn short_day(language: Language, date: Date) -> String {
    format!("{} {}", date.day(), language.month(date))
}

fn clock(local: &Zoned) -> String {
    local.strftime("%H:%M %Z").to_string()
}

/// How times are said to somebody who looks at `now`.
#[derive(Debug, Clone)]
pub(crate) struct Times<'a> {
    /// The language.
    pub(crate) language: Language,
    /// Local time for people.
    pub(crate) zone: &'a TimeZone,
    /// The time of the view.
    pub(crate) now: Timestamp,
}

impl Times<'_> {
    /// `00:14 GMT` today; `00:14 GMT, 20 November` this year; with the year else.
    pub(crate) fn short(&self, at: Timestamp) -> When {
        let (local, now) = (at.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        let words = if local.date() == now.date() {
            clock(&local)
        } else if local.year() == now.year() {
            format!("{}, {}", clock(&local), short_day(self.language, local.date()))
        } else {
            format!("{}, {}", clock(&local), day(self.language, local.date()))
        };
        When { iso: rfc3339(at), words }
    }

    /// Of one day `00:14` and `00:20 GMT, 20 November`; else each as alone.
    pub(crate) fn stretch(&self, from: Timestamp, to: Timestamp) -> [When; 2] {
        let [begin, end] = [from, to].map(|at| at.to_zoned(self.zone.clone()));
        let mut first = self.short(from);
        if begin.date() == end.date() && begin.offset() == end.offset() {
            first.words = begin.strftime("%H:%M").to_string();
        }
        [first, self.short(to)]
    }

    /// `00:14 GMT, 21 November 2026`.
    pub(crate) fn full(&self, at: Timestamp) -> When {
        let local = at.to_zoned(self.zone.clone());
        When { iso: rfc3339(at), words: format!("{}, {}", clock(&local), day(self.language, local.date())) }
    }

    /// With seconds; the day only when it is not today: `00:14:09 GMT`.
    pub(crate) fn second(&self, at: Timestamp) -> When {
        let (local, now) = (at.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        if local.date() == now.date() {
            When { iso: rfc3339(at), words: local.strftime("%H:%M:%S %Z").to_string() }
        } else {
            self.exact(at)
        }
    }

    /// With seconds, for the time of the view and the operators' timeline: `00:14:09 GMT, 21 November 2026`.
    pub(crate) fn exact(&self, at: Timestamp) -> When {
        let local = at.to_zoned(self.zone.clone());
        When {
            iso: rfc3339(at),
            words: format!("{}, {}", local.strftime("%H:%M:%S %Z"), day(self.language, local.date())),
        }
    }
}

/// A share in words: cut, never rounded up, so that 100% means every second.
pub(crate) fn percent(share: f64) -> String {
    let hundredths = (share.clamp(0.0, 1.0) * 10_000.0 + 1e-6).floor();
    if hundredths >= 10_000.0 && share < 1.0 {
        return "99.99%".to_owned();
    }
    let text = format!("{:.2}", hundredths / 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(language: Language, zone: &TimeZone) -> Times<'_> {
        Times { language, zone, now: "2026-11-21T00:14:09Z".parse().unwrap() }
    }

    #[test]
    fn a_time_is_absolute_and_local_with_its_zone() {
        let zone = TimeZone::get("Europe/London").unwrap();
        let en = times(Language::En, &zone);
        let short = |text: &str| en.short(text.parse().unwrap()).words;
        assert_eq!(short("2026-11-21T00:01:00Z"), "00:01 GMT");
        assert_eq!(short("2026-11-20T23:59:00Z"), "23:59 GMT, 20 November");
        assert_eq!(short("2026-08-01T11:00:00Z"), "12:00 BST, 1 August");
        assert_eq!(short("2025-08-01T11:00:00Z"), "12:00 BST, 1 August 2025");
        let stretch = |from: &str, to: &str| {
            en.stretch(from.parse().unwrap(), to.parse().unwrap()).map(|when| when.words)
        };
        let seen = stretch("2026-11-03T14:02:00Z", "2026-11-03T14:09:59Z");
        assert_eq!(seen, ["14:02", "14:09 GMT, 3 November"]);
        let seen = stretch("2026-11-20T23:59:00Z", "2026-11-21T00:02:00Z");
        assert_eq!(seen, ["23:59 GMT, 20 November", "00:02 GMT"]);
        let seen = stretch("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
        assert_eq!(seen, ["01:30 BST, 25 October", "01:30 GMT, 25 October"]);
        let cy = times(Language::Cy, &zone);
        assert_eq!(cy.full("2026-11-20T23:59:00Z".parse().unwrap()).words, "23:59 GMT, 20 Tachwedd 2026");
        assert_eq!(rfc3339("2026-11-20T23:59:00Z".parse().unwrap()), "2026-11-20T23:59:00.000Z");
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(0.999_999), "99.99%");
        assert_eq!(percent(0.9995), "99.95%");
        assert_eq!(percent(0.9), "90%");
        assert_eq!(percent(0.0), "0%");
    }
}
