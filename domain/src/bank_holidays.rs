//! The bank holidays of England and Wales: the statute's rules, and the days proclaimed besides.
//!
//! Rules: Banking and Financial Dealings Act 1971 and the yearly proclamations, as gathered in domain.md §4. Names:
//! GOV.UK, English and Welsh. Wales has no holiday of its own (St David's Day is not one); Scotland's and Northern
//! Ireland's do not count.

use crate::Text;
use jiff::civil::{Date, Weekday, date};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// Up to this day the dates are GOV.UK's published ones. Later ones follow the rules, but **a one-off cannot be
/// computed** (a jubilee, a state funeral, a moved May holiday): it is proclaimed, sometimes with ten days' notice,
/// and must be added to the table of proclamations here, or stand in the list that the configuration names.
const KNOWN_UNTIL: Date = date(2028, 12, 31);

/// No year since 1978 had fewer: a list with less of a year was cut short, and would call working days what are none.
const FEWEST_A_YEAR: usize = 8;

/// A bank holiday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankHoliday {
    /// Its name, as on GOV.UK.
    pub name: Text,
    /// Stands in for a day that fell on a weekend or on another holiday.
    pub substitute: bool,
}

/// The bank holidays as this configuration knows them: the table here, and over it the list that GOV.UK publishes
/// where there is one. Such a list is the whole truth of the years that it has days of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BankHolidays {
    published: BTreeMap<Date, BankHoliday>,
}

impl BankHolidays {
    /// With GOV.UK's list of days and English titles over the table; the flag: a substitute day.
    ///
    /// # Errors
    /// The list has no day, or fewer of a year between its first and its last than every year has.
    pub fn published(days: impl IntoIterator<Item = (Date, String, bool)>) -> Result<Self, String> {
        let day = |(day, title, substitute): (Date, String, bool)| {
            let name = known_name(&title).unwrap_or_else(|| Text::new(&title, &title));
            (day, BankHoliday { name, substitute })
        };
        let known = Self { published: days.into_iter().map(day).collect() };
        let years = known.years().ok_or_else(|| "has no bank holiday of England and Wales".to_owned())?;
        for year in years {
            let days = known.published.keys().filter(|day| day.year() == year).count();
            if days < FEWEST_A_YEAR {
                return Err(format!(
                    "has {days} bank holidays of {year}, and no year has under {FEWEST_A_YEAR}"
                ));
            }
        }
        Ok(known)
    }

    /// The bank holiday on `day`, if it is one.
    pub fn on(&self, day: Date) -> Option<BankHoliday> {
        if self.years().is_some_and(|years| years.contains(&day.year())) {
            self.published.get(&day).cloned()
        } else {
            bank_holiday(day)
        }
    }

    /// The last day of which it is known whether it is one.
    pub fn known_until(&self) -> Date {
        let last = self.published.keys().next_back().map(|day| date(day.year(), 12, 31));
        last.map_or(KNOWN_UNTIL, |last| last.max(KNOWN_UNTIL))
    }

    /// The years that the list is the truth of.
    fn years(&self) -> Option<RangeInclusive<i16>> {
        let mut days = self.published.keys();
        let first = days.next()?.year();
        Some(first..=days.next_back().map_or(first, |last| last.year()))
    }
}

/// Both names of a holiday that GOV.UK titles so: a proclaimed one that is new has its English one alone.
fn known_name(title: &str) -> Option<Text> {
    let yearly = [NEW_YEAR, GOOD_FRIDAY, EASTER_MONDAY, EARLY_MAY, SPRING, SUMMER, CHRISTMAS, BOXING];
    let mut names = yearly.into_iter().chain(PROCLAIMED.iter().map(|proclaimed| proclaimed.names));
    names.find(|(en, _)| *en == title).map(|(en, cy)| Text::new(en, cy))
}

/// English and Welsh.
type Names = (&'static str, &'static str);

const NEW_YEAR: Names = ("New Year’s Day", "Dydd Calan");
const GOOD_FRIDAY: Names = ("Good Friday", "Gwener y Groglith");
const EASTER_MONDAY: Names = ("Easter Monday", "Llun y Pasg");
const EARLY_MAY: Names = ("Early May bank holiday", "Gŵyl banc dechrau Mai");
const SPRING: Names = ("Spring bank holiday", "Gŵyl banc y gwanwyn");
const SUMMER: Names = ("Summer bank holiday", "Gŵyl banc yr haf");
const CHRISTMAS: Names = ("Christmas Day", "Dydd Nadolig");
const BOXING: Names = ("Boxing Day", "Dydd San Steffan");

/// What the rules alone do not give, from 2012 on.
struct Proclamation {
    date: Date,
    names: Names,
    /// The day by rule that it takes the place of; `None`: one day more.
    instead_of: Option<Date>,
}

const PROCLAIMED: [Proclamation; 7] = [
    Proclamation { date: date(2012, 6, 4), names: SPRING, instead_of: Some(date(2012, 5, 28)) },
    Proclamation {
        date: date(2012, 6, 5),
        names: ("Queen’s Diamond Jubilee", "Jiwbilî Ddiemwnt y Frenhines"),
        instead_of: None,
    },
    Proclamation {
        date: date(2020, 5, 8),
        names: ("Early May bank holiday (VE day)", "Gŵyl banc dechrau Mai (diwrnod VE)"),
        instead_of: Some(date(2020, 5, 4)),
    },
    Proclamation { date: date(2022, 6, 2), names: SPRING, instead_of: Some(date(2022, 5, 30)) },
    Proclamation {
        date: date(2022, 6, 3),
        names: ("Platinum Jubilee bank holiday", "Gŵyl banc Jiwbilî Blatinwm"),
        instead_of: None,
    },
    Proclamation {
        date: date(2022, 9, 19),
        names: (
            "Bank Holiday for the State Funeral of Queen Elizabeth II",
            "Gŵyl y Banc ar gyfer Angladd Gwladol y Frenhines Elizabeth II",
        ),
        instead_of: None,
    },
    Proclamation {
        date: date(2023, 5, 8),
        names: (
            "Bank holiday for the coronation of King Charles III",
            "Gŵyl y banc ar gyfer coroni Brenin Siarl III",
        ),
        instead_of: None,
    },
];

/// The bank holiday on `day`, if it is one. Exact from 2012 to 2028; by rule elsewhere.
fn bank_holiday(day: Date) -> Option<BankHoliday> {
    let holiday = |(en, cy): Names, substitute| BankHoliday { name: Text::new(en, cy), substitute };
    if let Some(proclaimed) = PROCLAIMED.iter().find(|proclaimed| proclaimed.date == day) {
        return Some(holiday(proclaimed.names, false));
    }
    if PROCLAIMED.iter().any(|proclaimed| proclaimed.instead_of == Some(day)) {
        return None;
    }
    by_rule(day.year())
        .into_iter()
        .find(|(date, ..)| *date == day)
        .map(|(_, names, substitute)| holiday(names, substitute))
}

/// A year's eight holidays by the rules alone, and whether each is a substitute day.
fn by_rule(year: i16) -> Vec<(Date, Names, bool)> {
    let on = |month, day| Date::new(year, month, day).ok();
    let monday = |month, nth| on(month, 1)?.nth_weekday_of_month(nth, Weekday::Monday).ok();
    let easter = easter(year);
    let boxing = on(12, 26);
    [
        (on(1, 1).map(|day| working_day(day, None)), NEW_YEAR),
        (
            easter.and_then(|sunday| sunday.yesterday().ok()?.yesterday().ok()).map(|day| (day, false)),
            GOOD_FRIDAY,
        ),
        (easter.and_then(|sunday| sunday.tomorrow().ok()).map(|day| (day, false)), EASTER_MONDAY),
        (monday(5, 1).map(|day| (day, false)), EARLY_MAY),
        (monday(5, -1).map(|day| (day, false)), SPRING),
        (monday(8, -1).map(|day| (day, false)), SUMMER),
        (on(12, 25).map(|day| working_day(day, boxing)), CHRISTMAS),
        (boxing.map(boxing_day), BOXING),
    ]
    .into_iter()
    .filter_map(|(found, names)| found.map(|(day, substitute)| (day, names, substitute)))
    .collect()
}

/// `day`, or the next weekday that is not `taken` if it falls on a weekend; and whether it moved.
fn working_day(day: Date, taken: Option<Date>) -> (Date, bool) {
    let free = |candidate: &Date| {
        !matches!(candidate.weekday(), Weekday::Saturday | Weekday::Sunday) && Some(*candidate) != taken
    };
    let found = std::iter::successors(Some(day), |candidate| candidate.tomorrow().ok()).find(free);
    (found.unwrap_or(day), found.is_some_and(|found| found != day))
}

/// Boxing Day keeps its Monday when Christmas is a Sunday (which then moves past it), and follows the substitute of
/// Christmas when that took the Monday.
fn boxing_day(day: Date) -> (Date, bool) {
    let christmas_substitute = match day.weekday() {
        Weekday::Sunday => day.tomorrow().ok(),
        Weekday::Monday
        | Weekday::Tuesday
        | Weekday::Wednesday
        | Weekday::Thursday
        | Weekday::Friday
        | Weekday::Saturday => None,
    };
    working_day(day, christmas_substitute)
}

/// Easter Sunday in the Gregorian calendar (the anonymous algorithm, Nature, 1876).
fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let (century, of_century) = (year_number.div_euclid(100), year_number.rem_euclid(100));
    let golden = year_number.rem_euclid(19);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15).rem_euclid(30);
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4).rem_euclid(7);
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    Date::new(year, i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_year(year: i16) -> Vec<String> {
        date(year, 1, 1)
            .series(jiff::Span::new().days(1))
            .take_while(|day| day.year() == year)
            .filter_map(|day| bank_holiday(day).map(|holiday| (day, holiday)))
            .map(|(day, holiday)| {
                let mark = if holiday.substitute { "*" } else { "" };
                format!("{}{mark}", day.strftime("%-d %b"))
            })
            .collect()
    }

    fn check(year: i16, expected: &str) {
        assert_eq!(of_year(year).join(", "), expected, "{year}");
    }

    #[test]
    fn the_dates_are_those_of_gov_uk() {
        check(2012, "2 Jan*, 6 Apr, 9 Apr, 7 May, 4 Jun, 5 Jun, 27 Aug, 25 Dec, 26 Dec");
        check(2017, "2 Jan*, 14 Apr, 17 Apr, 1 May, 29 May, 28 Aug, 25 Dec, 26 Dec");
        check(2018, "1 Jan, 30 Mar, 2 Apr, 7 May, 28 May, 27 Aug, 25 Dec, 26 Dec");
        check(2019, "1 Jan, 19 Apr, 22 Apr, 6 May, 27 May, 26 Aug, 25 Dec, 26 Dec");
        check(2020, "1 Jan, 10 Apr, 13 Apr, 8 May, 25 May, 31 Aug, 25 Dec, 28 Dec*");
        check(2021, "1 Jan, 2 Apr, 5 Apr, 3 May, 31 May, 30 Aug, 27 Dec*, 28 Dec*");
        check(2022, "3 Jan*, 15 Apr, 18 Apr, 2 May, 2 Jun, 3 Jun, 29 Aug, 19 Sep, 26 Dec, 27 Dec*");
        check(2023, "2 Jan*, 7 Apr, 10 Apr, 1 May, 8 May, 29 May, 28 Aug, 25 Dec, 26 Dec");
        check(2025, "1 Jan, 18 Apr, 21 Apr, 5 May, 26 May, 25 Aug, 25 Dec, 26 Dec");
        check(2026, "1 Jan, 3 Apr, 6 Apr, 4 May, 25 May, 31 Aug, 25 Dec, 28 Dec*");
        check(2027, "1 Jan, 26 Mar, 29 Mar, 3 May, 31 May, 30 Aug, 27 Dec*, 28 Dec*");
        check(2028, "3 Jan*, 14 Apr, 17 Apr, 1 May, 29 May, 28 Aug, 25 Dec, 26 Dec");
    }

    #[test]
    fn beyond_what_is_published_the_rules_go_on() {
        check(2029, "1 Jan, 30 Mar, 2 Apr, 7 May, 28 May, 27 Aug, 25 Dec, 26 Dec");
        check(2030, "1 Jan, 19 Apr, 22 Apr, 6 May, 27 May, 26 Aug, 25 Dec, 26 Dec");
        check(2033, "3 Jan*, 15 Apr, 18 Apr, 2 May, 30 May, 29 Aug, 26 Dec, 27 Dec*");
    }

    #[test]
    fn a_holiday_has_both_names_and_says_if_it_is_a_substitute() {
        let moved = bank_holiday(date(2026, 12, 28)).unwrap();
        assert_eq!(moved.name, Text::new("Boxing Day", "Dydd San Steffan"));
        assert!(moved.substitute);
        // Christmas was a Sunday: Boxing Day stays, Christmas moves past it.
        assert_eq!(bank_holiday(date(2022, 12, 26)).unwrap().name.en, "Boxing Day");
        assert_eq!(bank_holiday(date(2022, 12, 27)).unwrap().name.en, "Christmas Day");
    }

    fn listed(days: &[(Date, &str)]) -> Result<BankHolidays, String> {
        BankHolidays::published(days.iter().map(|(day, title)| (*day, (*title).to_owned(), false)))
    }

    /// As many days as a year has, from its second of June on.
    fn year(year: i16) -> Vec<(Date, &'static str)> {
        (2..10).map(|day| (date(year, 6, day), "A new feast")).collect()
    }

    #[test]
    fn a_published_list_is_the_truth_of_its_years_and_of_no_other() {
        let known = listed(
            &[year(2027), year(2030)[..7].to_vec(), vec![(date(2030, 12, 25), "Christmas Day")]].concat(),
        );
        assert!(known.is_err(), "nothing of 2028 and 2029");
        let years: Vec<_> = (2027..=2030).flat_map(year).collect();
        let known = listed(&years).unwrap();
        assert_eq!(known.known_until(), date(2030, 12, 31));
        assert_eq!(known.on(date(2027, 12, 27)), None, "not in the list");
        assert_eq!(known.on(date(2030, 6, 2)).unwrap().name, Text::new("A new feast", "A new feast"));
        assert_eq!(known.on(date(2026, 12, 28)), bank_holiday(date(2026, 12, 28)), "before it");
        assert_eq!(known.on(date(2031, 12, 25)), bank_holiday(date(2031, 12, 25)), "after it");
        assert_eq!(BankHolidays::default().known_until(), KNOWN_UNTIL);
        assert_eq!(listed(&year(2019)).unwrap().known_until(), KNOWN_UNTIL, "an old list takes nothing away");
    }

    #[test]
    fn a_list_that_was_cut_short_is_none() {
        assert!(listed(&[]).unwrap_err().contains("no bank holiday"));
        assert!(listed(&year(2027)[..7]).unwrap_err().contains("7 bank holidays of 2027"));
    }

    #[test]
    fn what_the_table_knows_has_its_welsh_name_in_a_list_too() {
        let mut days = year(2030);
        days[0].1 = "Summer bank holiday";
        assert_eq!(listed(&days).unwrap().on(days[0].0).unwrap().name.cy, "Gŵyl banc yr haf");
    }

    #[test]
    fn neither_st_davids_day_nor_another_nations_holiday_counts() {
        assert_eq!(bank_holiday(date(2027, 3, 1)), None);
        assert_eq!(bank_holiday(date(2026, 6, 15)), None); // Scotland's
        assert_eq!(bank_holiday(date(2026, 11, 30)), None);
        assert_eq!(bank_holiday(date(2026, 3, 17)), None); // Northern Ireland's
    }

    #[test]
    fn every_year_has_eight_holidays_by_rule_none_on_a_weekend_no_two_on_a_day() {
        for year in 1972..=2200 {
            let mut days: Vec<Date> = by_rule(year).into_iter().map(|(day, ..)| day).collect();
            assert!(
                days.iter().all(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)),
                "{year}"
            );
            days.sort_unstable();
            days.dedup();
            assert_eq!(days.len(), 8, "{year}");
        }
    }
}
