//! Welsh and English, as equals.

use jiff::{SignedDuration, civil::Date};
use serde::{Deserialize, Serialize};
use std::fmt;

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_CY: [&str; 12] = [
    "Ionawr",
    "Chwefror",
    "Mawrth",
    "Ebrill",
    "Mai",
    "Mehefin",
    "Gorffennaf",
    "Awst",
    "Medi",
    "Hydref",
    "Tachwedd",
    "Rhagfyr",
];

/// One of the two languages everything public exists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// Welsh (Cymraeg).
    Cy,
}

impl Language {
    /// Both, in the order in which pages are made.
    pub const ALL: [Self; 2] = [Self::En, Self::Cy];

    /// The BCP 47 tag, as in `lang="cy"` and in the page's path.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Cy => "cy",
        }
    }

    /// The month of a date, as it stands inside a date: `November`, `Tachwedd`.
    pub fn month(self, date: Date) -> &'static str {
        let names = match self {
            Self::En => &MONTHS_EN,
            Self::Cy => &MONTHS_CY,
        };
        let index = usize::from(date.month().unsigned_abs()).saturating_sub(1);
        names.get(index).copied().unwrap_or_default()
    }

    /// The other language.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::En => Self::Cy,
            Self::Cy => Self::En,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// The same words in both languages. Neither may be empty; the configuration sees to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Text {
    /// The English words.
    pub en: String,
    /// The Welsh words.
    pub cy: String,
}

impl Text {
    /// A text from its two halves.
    pub fn new(en: impl Into<String>, cy: impl Into<String>) -> Self {
        Self { en: en.into(), cy: cy.into() }
    }

    /// The words in `language`.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Cy => &self.cy,
        }
    }
}

/// A length of time for people, in its two largest units: `2 h 5 min`, `2 awr 5 mun`. Less than a second is `0 s`.
pub fn duration_words(duration: SignedDuration, language: Language) -> String {
    let units = match language {
        Language::En => ["d", "h", "min", "s"],
        Language::Cy => ["diwrnod", "awr", "mun", "eil"],
    };
    let seconds = duration.as_secs().max(0);
    let parts = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60];
    let words: Vec<String> = parts
        .iter()
        .zip(units)
        .skip_while(|(count, _)| **count == 0)
        .take(2)
        .filter(|(count, _)| **count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if words.is_empty() { format!("0 {}", units[3]) } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_their_names_in_both_languages() {
        let said = |month, language: Language| language.month(Date::constant(2026, month, 21));
        assert_eq!((said(1, Language::En), said(1, Language::Cy)), ("January", "Ionawr"));
        assert_eq!((said(12, Language::En), said(12, Language::Cy)), ("December", "Rhagfyr"));
    }

    #[test]
    fn a_length_of_time_is_said_in_its_two_largest_units() {
        let check = |seconds, en: &str, cy: &str| {
            let duration = SignedDuration::from_secs(seconds);
            assert_eq!(duration_words(duration, Language::En), en);
            assert_eq!(duration_words(duration, Language::Cy), cy);
        };
        check(0, "0 s", "0 eil");
        check(-5, "0 s", "0 eil");
        check(61, "1 min 1 s", "1 mun 1 eil");
        check(3600, "1 h", "1 awr");
        check(7_500, "2 h 5 min", "2 awr 5 mun");
        check(90_061, "1 d 1 h", "1 diwrnod 1 awr");
    }
}
