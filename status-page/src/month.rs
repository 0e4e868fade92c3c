//! A month of incidents: its name in paths and titles, and when it begins and ends.

use domain::Language;
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
    tz::TimeZone,
};

/// Years that a path may name.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2999;

/// A month of the local calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

impl Month {
    /// The month in which `at` is.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self(at.to_zoned(zone.clone()).date().first_of_month())
    }

    /// As it stands in paths: `november-2026`, `tachwedd-2026`.
    pub fn slug(self, language: Language) -> String {
        format!("{}-{}", language.month(self.0).to_lowercase(), self.0.year())
    }

    /// From such a word of `language`.
    pub fn parse(language: Language, slug: &str) -> Option<Self> {
        let (_, year) = slug.split_once('-')?;
        let year = year.parse().ok().filter(|year| YEARS.contains(year))?;
        (1..=12).map(|month| Self(date(year, month, 1))).find(|month| month.slug(language) == slug)
    }

    /// For people: `November 2026`.
    pub(crate) fn name(self, language: Language) -> String {
        format!("{} {}", language.month(self.0), self.0.year())
    }

    /// Its first moment, and that of the next.
    pub(crate) fn range(self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let begins =
            |date: Date| date.to_zoned(zone.clone()).map_or(Timestamp::MAX, |midnight| midnight.timestamp());
        (begins(self.0), begins(self.next().0))
    }

    /// The month after it.
    #[must_use]
    pub(crate) fn next(self) -> Self {
        Self(self.0.checked_add(1.month()).unwrap_or(self.0))
    }

    /// The month before it.
    #[must_use]
    pub(crate) fn before(self) -> Self {
        Self(self.0.checked_sub(1.month()).unwrap_or(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_one_word_a_language() {
        let zone = TimeZone::get("Europe/London").unwrap();
        let month = Month::of("2026-10-31T23:30:00Z".parse().unwrap(), &zone);
        assert_eq!(month.slug(Language::En), "october-2026");
        assert_eq!(month.slug(Language::Cy), "hydref-2026");
        assert_eq!(Month::parse(Language::Cy, "hydref-2026"), Some(month));
        for slug in ["October-2026", "october-1999", "october-02026", "october", "hydref-2026", "-", "c-42"] {
            assert_eq!(Month::parse(Language::En, slug), None, "{slug}");
        }
        assert_eq!(month.next().before(), month);
    }

    #[test]
    fn it_is_a_month_of_the_local_calendar() {
        let zone = TimeZone::get("Europe/London").unwrap();
        let march = Month::parse(Language::En, "march-2026").unwrap();
        let (from, to) = march.range(&zone);
        assert_eq!(from.to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(to.to_string(), "2026-03-31T23:00:00Z");
        assert_eq!((Month::of(from, &zone), Month::of(to, &zone)), (march, march.next()));
    }
}
