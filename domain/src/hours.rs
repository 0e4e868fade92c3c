//! Service hours: weekly windows in local time, and the bank holidays of England and Wales.

use crate::{BankHoliday, BankHolidays, day::MAX_DAYS, local};
use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use std::{ops::Range, sync::Arc};

/// When somebody is there. No window at all means never.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// Local time of the windows.
    pub time_zone: TimeZone,
    /// Windows within one day, each `[from, to)`; `to` of 24:00 is `None`.
    pub weekly: Vec<WeeklyWindow>,
    /// Closed on these bank holidays; `None`: on none.
    pub bank_holidays: Option<Arc<BankHolidays>>,
    /// Closed on these days, too: a bank holiday proclaimed at short notice.
    pub closed: Vec<Date>,
    /// Not closed on these, holiday or not.
    pub opened: Vec<Date>,
}

/// A window on some days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyWindow {
    /// The days.
    pub days: Vec<Weekday>,
    /// Opens.
    pub from: Time,
    /// Closes; `None`: at midnight.
    pub to: Option<Time>,
}

/// Open or not, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Whether somebody is there.
    pub open: bool,
    /// Why, in a sentence.
    pub why: String,
}

/// How far ahead an opening is looked for, in days: a window of one day a week cannot be a bank holiday all year.
const OPENS_WITHIN: usize = 366;

/// How far ahead a closing is looked for, in days; open for longer is said to be round the clock.
const CLOSES_WITHIN: usize = 8;

impl Hours {
    /// Whether these hours are open at `at`, and why: "open until 17:00 BST",
    /// "closed: bank holiday (Boxing Day, substitute day); opens Tuesday 09:00 GMT".
    pub fn at(&self, at: Timestamp) -> Opening {
        let today = self.time_zone.to_datetime(at).date();
        let stretches = self.stretches(today);
        if let Some((_, to)) = stretches.iter().find(|(from, to)| *from <= at && at < *to) {
            // What is not known counts as closed: a needless call is safer than none.
            if self.bank_holidays.as_ref().is_some_and(|known| today > known.known_until())
                && !self.opened.contains(&today)
            {
                let why = format!("closed: the bank holidays of {} are not known", today.year());
                return Opening { open: false, why };
            }
            return Opening {
                open: true,
                why: match self.closes(today, *to) {
                    Some(closes) => format!("open until {}", self.when(closes, today)),
                    None => "open round the clock".to_owned(),
                },
            };
        }
        let mut why = format!("closed: {}", self.closed_because(today, &stretches, at));
        if let Some(opens) = self.next_open(at) {
            why.push_str("; opens ");
            why.push_str(&self.when(opens, today));
        }
        Opening { open: false, why }
    }

    /// The first time not before `at` when they are open; `None` if never within a year.
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        if self.weekly.is_empty() {
            return None;
        }
        days_from(self.time_zone.to_datetime(at).date())
            .take(OPENS_WITHIN)
            .find_map(|day| self.stretches(day).into_iter().find(|(_, to)| at < *to))
            .map(|(from, _)| from.max(at))
    }

    /// When they are open in `from..to`: in order, apart, none empty; `None` for a range of more than
    /// [`MAX_DAYS`] local days.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Option<Vec<Range<Timestamp>>> {
        if self.weekly.is_empty() || from >= to {
            return Some(Vec::new());
        }
        let first = self.time_zone.to_datetime(from).date();
        let last = self.time_zone.to_datetime(to).date();
        let days: Vec<Date> = days_from(first).take_while(|day| *day <= last).take(MAX_DAYS + 1).collect();
        (days.len() <= MAX_DAYS).then(|| {
            days.into_iter()
                .flat_map(|day| self.stretches(day))
                .map(|(opens, closes)| opens.max(from)..closes.min(to))
                .filter(|open| !open.is_empty())
                .collect()
        })
    }

    /// When they are open on the local day `day`: in order, apart, none empty.
    fn stretches(&self, day: Date) -> Vec<(Timestamp, Timestamp)> {
        if self.bank_holiday(day).is_some() || self.closed.contains(&day) {
            return Vec::new();
        }
        let mut windows: Vec<(Timestamp, Timestamp)> = self
            .weekly
            .iter()
            .filter(|window| window.days.contains(&day.weekday()))
            .map(|window| {
                let to = match (window.to, day.tomorrow()) {
                    (Some(to), _) => local::last(&self.time_zone, day.to_datetime(to)),
                    (None, Ok(tomorrow)) => {
                        local::first(&self.time_zone, tomorrow.to_datetime(Time::midnight()))
                    }
                    (None, Err(_)) => Timestamp::MAX,
                };
                (local::first(&self.time_zone, day.to_datetime(window.from)), to)
            })
            .filter(|(from, to)| from < to)
            .collect();
        windows.sort_unstable();
        let mut apart: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(windows.len());
        for (from, to) in windows {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                Some(_) | None => apart.push((from, to)),
            }
        }
        apart
    }

    /// The bank holiday that they are closed for on `day`.
    fn bank_holiday(&self, day: Date) -> Option<BankHoliday> {
        self.bank_holidays.as_ref()?.on(day).filter(|_| !self.opened.contains(&day))
    }

    /// When a stretch that lasts until `to` on `today` really ends, past midnights on which it simply goes on.
    fn closes(&self, today: Date, to: Timestamp) -> Option<Timestamp> {
        let mut closes = to;
        for day in days_from(today).skip(1).take(CLOSES_WITHIN) {
            match self.stretches(day).first() {
                Some((from, to)) if *from == closes => closes = *to,
                Some(_) | None => return Some(closes),
            }
        }
        None
    }

    fn closed_because(&self, today: Date, stretches: &[(Timestamp, Timestamp)], at: Timestamp) -> String {
        if self.weekly.is_empty() {
            return "these hours have no window".to_owned();
        }
        if self.closed.contains(&today) {
            return "a day that the configuration names".to_owned();
        }
        if let Some(holiday) = self.bank_holiday(today) {
            let substitute = if holiday.substitute { ", substitute day" } else { "" };
            return format!("bank holiday ({}{substitute})", holiday.name.en);
        }
        match (stretches.first(), stretches.last()) {
            (Some((opens, _)), _) if at < *opens => "before hours".to_owned(),
            (_, Some((_, closed))) if *closed <= at => "after hours".to_owned(),
            (Some(_), _) => "between hours".to_owned(),
            (None, _) => today.strftime("%A").to_string(),
        }
    }

    /// An instant for a person who knows that today is `today`: no more of the date than is needed.
    fn when(&self, instant: Timestamp, today: Date) -> String {
        let local = instant.to_zoned(self.time_zone.clone());
        let days = today.duration_until(local.date()).as_hours() / 24;
        match days {
            0 => local.strftime("%H:%M %Z"),
            1 if local.time() == Time::midnight() => local.strftime("midnight %Z"),
            1..=6 => local.strftime("%A %H:%M %Z"),
            _ => local.strftime("%A %-d %B %H:%M %Z"),
        }
        .to_string()
    }
}

fn days_from(first: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.tomorrow().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Weekday::*, time};
    use proptest::prelude::*;

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").unwrap()
    }

    fn window(days: &[Weekday], from: Time, to: Option<Time>) -> WeeklyWindow {
        WeeklyWindow { days: days.to_vec(), from, to }
    }

    fn hours(weekly: Vec<WeeklyWindow>) -> Hours {
        Hours {
            time_zone: london(),
            weekly,
            bank_holidays: Some(Arc::default()),
            closed: Vec::new(),
            opened: Vec::new(),
        }
    }

    #[test]
    fn a_day_that_is_named_counts_before_the_holidays_and_a_year_that_is_not_known_is_closed() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut office = hours(vec![window(&WEEKDAYS, time(9, 0, 0, 0), Some(time(17, 0, 0, 0)))]);
        assert!(office.at(at("2027-06-18T12:00:00Z")).open);
        assert!(!office.at(at("2026-12-25T12:00:00Z")).open);
        office.closed = vec![jiff::civil::date(2027, 6, 18)];
        office.opened = vec![jiff::civil::date(2026, 12, 25)];
        let closed = office.at(at("2027-06-18T12:00:00Z"));
        assert_eq!(closed.why, "closed: a day that the configuration names; opens Monday 09:00 BST");
        assert!(office.at(at("2026-12-25T12:00:00Z")).open);
        let unknown = office.at(at("2029-06-05T12:00:00Z"));
        assert!(
            !unknown.open && unknown.why.contains("the bank holidays of 2029 are not known"),
            "{unknown:?}"
        );
    }

    const WEEKDAYS: [Weekday; 5] = [Monday, Tuesday, Wednesday, Thursday, Friday];
    const EVERY_DAY: [Weekday; 7] = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];

    fn office() -> Hours {
        hours(vec![window(&WEEKDAYS, time(9, 0, 0, 0), Some(time(17, 0, 0, 0)))])
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// `expected` is the whole sentence, which begins with whether they are open.
    fn check(hours: &Hours, moment: &str, expected: &str) {
        let opening = hours.at(at(moment));
        assert_eq!(opening.why, expected, "at {moment}");
        assert_eq!(opening.open, expected.starts_with("open"), "at {moment}");
    }

    #[test]
    fn office_hours_say_until_when_or_why_not_and_when_again() {
        let office = office();
        check(&office, "2026-09-11T07:59:59Z", "closed: before hours; opens 09:00 BST");
        check(&office, "2026-09-11T08:00:00Z", "open until 17:00 BST");
        check(&office, "2026-09-11T15:59:59Z", "open until 17:00 BST");
        check(&office, "2026-09-11T16:00:00Z", "closed: after hours; opens Monday 09:00 BST");
        check(&office, "2026-09-12T12:00:00Z", "closed: Saturday; opens Monday 09:00 BST");
        check(&office, "2026-11-13T12:00:00Z", "open until 17:00 GMT");
        check(
            &office,
            "2026-12-28T12:00:00Z",
            "closed: bank holiday (Boxing Day, substitute day); opens Tuesday 09:00 GMT",
        );
        let lunch = hours(vec![
            window(&WEEKDAYS, time(13, 0, 0, 0), Some(time(17, 0, 0, 0))),
            window(&WEEKDAYS, time(9, 0, 0, 0), Some(time(12, 0, 0, 0))),
        ]);
        check(&lunch, "2026-11-13T12:30:00Z", "closed: between hours; opens 13:00 GMT");
        let yearly = hours(vec![window(&[Friday], time(9, 0, 0, 0), Some(time(10, 0, 0, 0)))]);
        check(&yearly, "2027-03-19T12:00:00Z", "closed: after hours; opens Friday 2 April 09:00 BST");
    }

    #[test]
    fn the_sunday_of_a_change_of_the_clocks_is_out_of_hours_and_monday_opens_at_nine_by_the_clock() {
        check(&office(), "2026-03-27T17:00:00Z", "closed: after hours; opens Monday 09:00 BST");
        assert_eq!(office().next_open(at("2026-03-27T17:00:00Z")), Some(at("2026-03-30T08:00:00Z")));
        check(&office(), "2026-10-23T16:00:00Z", "closed: after hours; opens Monday 09:00 GMT");
        assert_eq!(office().next_open(at("2026-10-23T16:00:00Z")), Some(at("2026-10-26T09:00:00Z")));
    }

    #[test]
    fn easter_2027_is_one_stretch_out_of_hours_with_a_change_of_the_clocks_in_it() {
        let (closes, opens) = (at("2027-03-25T17:00:00Z"), at("2027-03-30T08:00:00Z"));
        assert_eq!(opens.duration_since(closes).as_hours(), 111);
        let office = office();
        assert!(office.at(closes - jiff::SignedDuration::from_nanos(1)).open);
        let mut moment = closes;
        while moment < opens {
            assert!(!office.at(moment).open, "{moment}");
            assert_eq!(office.next_open(moment), Some(opens), "{moment}");
            moment += jiff::SignedDuration::from_mins(10);
        }
        assert!(office.at(opens).open);
        check(&office, "2027-03-25T17:00:00Z", "closed: after hours; opens Tuesday 09:00 BST");
        check(&office, "2027-03-26T12:00:00Z", "closed: bank holiday (Good Friday); opens Tuesday 09:00 BST");
        check(&office, "2027-03-28T00:59:59Z", "closed: Sunday; opens Tuesday 09:00 BST");
        check(&office, "2027-03-28T01:00:00Z", "closed: Sunday; opens Tuesday 09:00 BST");
        check(
            &office,
            "2027-03-29T12:00:00Z",
            "closed: bank holiday (Easter Monday); opens Tuesday 09:00 BST",
        );
    }

    #[test]
    fn a_window_over_a_change_of_the_clocks_follows_the_clock_on_the_wall() {
        // 01:00 to 02:00 is skipped: what opens at 01:30 opens at 02:00 BST, the first instant after the gap.
        let spring = hours(vec![window(&[Sunday], time(1, 30, 0, 0), Some(time(3, 0, 0, 0)))]);
        check(&spring, "2027-03-28T00:59:59Z", "closed: before hours; opens 02:00 BST");
        check(&spring, "2027-03-28T01:00:00Z", "open until 03:00 BST");
        // 01:00 to 02:00 comes twice: what closes at 01:30 closes the second time, without a break.
        let autumn = hours(vec![window(&[Sunday], time(0, 0, 0, 0), Some(time(1, 30, 0, 0)))]);
        for moment in ["2027-10-31T00:29:59Z", "2027-10-31T00:45:00Z", "2027-10-31T01:29:59Z"] {
            check(&autumn, moment, "open until 01:30 GMT");
        }
        assert!(!autumn.at(at("2027-10-31T01:30:00Z")).open);
        // Skipped altogether: never open that day.
        let gone = hours(vec![window(&[Sunday], time(1, 0, 0, 0), Some(time(1, 30, 0, 0)))]);
        assert_eq!(gone.next_open(at("2027-03-27T12:00:00Z")), Some(at("2027-04-04T00:00:00Z")));
    }

    #[test]
    fn a_window_may_close_at_midnight_and_go_on_the_next_day() {
        let evening = hours(vec![window(&[Friday], time(18, 0, 0, 0), None)]);
        check(&evening, "2026-09-11T22:59:59Z", "open until midnight BST");
        assert!(!evening.at(at("2026-09-11T23:00:00Z")).open);
        let night = hours(vec![
            window(&[Friday], time(18, 0, 0, 0), None),
            window(&[Saturday], time(0, 0, 0, 0), Some(time(2, 0, 0, 0))),
        ]);
        check(&night, "2026-09-11T22:00:00Z", "open until Saturday 02:00 BST");
        check(&night, "2026-09-11T23:00:00Z", "open until 02:00 BST");
        let mut always = hours(vec![window(&EVERY_DAY, Time::midnight(), None)]);
        check(&always, "2026-12-18T12:00:00Z", "open until Friday 25 December 00:00 GMT");
        always.bank_holidays = None;
        check(&always, "2026-12-24T12:00:00Z", "open round the clock");
    }

    #[test]
    fn hours_without_a_window_are_never_open() {
        let never = hours(Vec::new());
        check(&never, "2026-09-11T12:00:00Z", "closed: these hours have no window");
        assert_eq!(never.next_open(at("2026-09-11T12:00:00Z")), None);
        let empty = hours(vec![window(&WEEKDAYS, time(9, 0, 0, 0), Some(time(9, 0, 0, 0)))]);
        assert_eq!(empty.next_open(at("2026-09-11T12:00:00Z")), None);
        check(&empty, "2026-09-11T12:00:00Z", "closed: Friday");
    }

    proptest! {
        #[test]
        fn open_is_what_the_clock_on_the_wall_says(
            second in 1_735_689_600_i64..1_860_451_200, // 2025 to where the known holidays nearly end
            windows in prop::collection::vec((0_u8..128, 3_i8..24, 0_i8..60, prop::option::of((3_i8..24, 0_i8..60))), 0..4),
            bank_holidays: bool,
        ) {
            let weekly = windows
                .into_iter()
                .map(|(days, hour, minute, to)| WeeklyWindow {
                    days: EVERY_DAY.iter().zip(0..).filter(|(_, bit)| days >> bit & 1 == 1).map(|(day, _)| *day).collect(),
                    from: time(hour, minute, 0, 0),
                    to: to.map(|(hour, minute)| time(hour, minute, 0, 0)),
                })
                .collect();
            let known = Arc::<BankHolidays>::default();
            let bank_holidays = bank_holidays.then(|| Arc::clone(&known));
            let hours =
                Hours { time_zone: london(), weekly, bank_holidays, closed: Vec::new(), opened: Vec::new() };
            let now = Timestamp::from_second(second).unwrap();
            let local = london().to_datetime(now);
            let holiday = hours.bank_holidays.is_some() && known.on(local.date()).is_some();
            let expected = !holiday
                && hours.weekly.iter().any(|window| {
                    window.days.contains(&local.date().weekday())
                        && window.from <= local.time()
                        && window.to.is_none_or(|to| local.time() < to)
                });
            let opening = hours.at(now);
            prop_assert_eq!(opening.open, expected, "{}", opening.why);
            prop_assert_eq!(opening.why.starts_with("open"), expected);

            let next = hours.next_open(now);
            prop_assert_eq!(next == Some(now), expected);
            if let Some(next) = next {
                prop_assert!(next >= now && hours.at(next).open);
                prop_assert_eq!(hours.next_open(now + next.duration_since(now) / 2), Some(next));
            }
        }
    }
}
