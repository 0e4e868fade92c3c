//! What counts as available: a policy with a name and a version, which stand beside every figure, and what was promised.

use crate::{HoursId, ServiceLevel, Tally, Text};
use std::{fmt, time::Duration};

/// What counts as available. Whoever changes what counts gives it another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvailabilityPolicy {
    /// Its name.
    pub name: Text,
    /// Its version, such as `2026-1`.
    pub version: String,
    /// What was measured during planned work.
    pub maintenance: PlannedWork,
    /// What works, but slowly or not in every part.
    pub degraded: Degraded,
    /// The supported hours of every API that has none of its own; `None`: all hours are alike.
    pub hours: Option<HoursId>,
    /// What is promised of critical APIs, where they say nothing else.
    pub critical: Option<Objective>,
    /// The same of standard ones.
    pub standard: Option<Objective>,
}

/// What becomes of what was measured during planned work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedWork {
    /// It is neither up nor down.
    Excluded,
    /// It counts as it was measured.
    Counted,
}

/// What degraded time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Degraded {
    /// Available.
    Up,
    /// Not available.
    Down,
}

/// What is said of one API in place of what holds for the whole site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Its supported hours.
    pub hours: Option<HoursId>,
    /// What is promised of it in production.
    pub objective: Option<Objective>,
}

/// What is promised in production: to be available for at least this share of what counts in the days up to now; in
/// supported hours, where there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective {
    millionths: u32,
    days: u16,
}

/// How much of what may be missed has been missed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Seconds that may be missed of what was counted.
    pub whole: f64,
    /// Seconds that were missed; more than the whole when the objective is not reached.
    pub spent: f64,
}

impl AvailabilityPolicy {
    /// What is promised of an API of this level that says nothing itself.
    pub const fn objective(&self, level: ServiceLevel) -> Option<Objective> {
        match level {
            ServiceLevel::Critical => self.critical,
            ServiceLevel::Standard => self.standard,
        }
    }

    /// Seconds up and seconds down.
    fn counted(&self, tally: &Tally) -> (f64, f64) {
        let planned = match self.maintenance {
            PlannedWork::Excluded => crate::Measured::default(),
            PlannedWork::Counted => tally.maintenance,
        };
        let degraded = tally.degraded + planned.degraded;
        let (up, down) = (tally.operational + planned.operational, tally.down + planned.down);
        match self.degraded {
            Degraded::Up => (up + degraded, down),
            Degraded::Down => (up, down + degraded),
        }
    }

    /// Seconds that were missed.
    pub(crate) fn missed(&self, tally: &Tally) -> f64 {
        self.counted(tally).1
    }

    /// Time up ÷ time up or down, `0..=1`; what was not measured is neither. `None` where nothing counts.
    pub fn availability(&self, tally: &Tally) -> Option<f64> {
        let (up, down) = self.counted(tally);
        (up + down > 0.0).then(|| (up / (up + down)).clamp(0.0, 1.0))
    }

    /// What may be missed of what was counted, and what was; `None` where nothing counts.
    pub fn budget(&self, objective: Objective, tally: &Tally) -> Option<Budget> {
        let (up, down) = self.counted(tally);
        let missable = f64::from(Objective::ALL - objective.millionths) / f64::from(Objective::ALL);
        (up + down > 0.0).then_some(Budget { whole: (up + down) * missable, spent: down })
    }
}

impl Default for AvailabilityPolicy {
    /// Planned work does not count, and what is slow is up.
    fn default() -> Self {
        Self {
            name: Text::new("Standard availability", "Argaeledd safonol"),
            version: "1".to_owned(),
            maintenance: PlannedWork::Excluded,
            degraded: Degraded::Up,
            hours: None,
            critical: None,
            standard: None,
        }
    }
}

impl fmt::Display for AvailabilityPolicy {
    /// In English, for machines' readers: `Standard availability, version 1: degraded is up; maintenance is excluded`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (degraded, maintenance) = (self.degraded.word(), self.maintenance.word());
        write!(
            f,
            "{}, version {}: degraded is {degraded}; maintenance is {maintenance}",
            self.name.en, self.version
        )
    }
}

impl PlannedWork {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Excluded, Self::Counted];

    /// The word used in configuration and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Excluded => "excluded",
            Self::Counted => "counted",
        }
    }
}

impl Degraded {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];

    /// The word used in configuration and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl Objective {
    const ALL: u32 = 1_000_000;
    const LEAST: u32 = 500_000;
    /// The longest stretch of days.
    pub const MOST_DAYS: u16 = 90;

    /// `99.9% in 30d`: a share from 50% to 100% with up to four digits behind the point, and 1 to 90 days. Fails with a
    /// sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not an objective such as '99.9% in 30d'");
        let (share, days) = text.split_once("% in ").ok_or_else(wrong)?;
        let days = days.strip_suffix('d').ok_or_else(wrong)?;
        let (whole, part) = share.split_once('.').unwrap_or((share, "0"));
        if part.is_empty() {
            return Err(wrong());
        }
        let number = |digits: &str| {
            let plain = matches!(digits.len(), 1..=4) && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u32>().ok().filter(|_| plain).ok_or_else(wrong)
        };
        let millionths = number(whole)? * 10_000 + number(&format!("{part:0<4}"))?;
        if !(Self::LEAST..=Self::ALL).contains(&millionths) {
            return Err(format!("an objective is from 50% to 100%, not {share}%"));
        }
        match u16::try_from(number(days)?) {
            Ok(days @ 1..=Self::MOST_DAYS) => Ok(Self { millionths, days }),
            _ => Err(format!("an objective is over 1d to {}d, not {days}d", Self::MOST_DAYS)),
        }
    }

    /// The share, `0.5..=1`.
    pub fn share(self) -> f64 {
        f64::from(self.millionths) / f64::from(Self::ALL)
    }

    /// The share in hundredths, with as many digits as it needs: `99.95`.
    pub fn percent(self) -> String {
        let text = format!("{}.{:04}", self.millionths / 10_000, self.millionths % 10_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// Over how many days up to now.
    pub const fn days(self) -> u16 {
        self.days
    }

    /// The same: each day has 24 hours.
    pub fn window(self) -> Duration {
        Duration::from_secs(u64::from(self.days) * 24 * 3600)
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}% in {}d", self.percent(), self.days)
    }
}

impl Budget {
    /// Seconds that may still be missed; none when more was missed.
    pub fn left(&self) -> f64 {
        (self.whole - self.spent).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Measured;

    const MINUTES: Tally = Tally {
        operational: 80.0,
        degraded: 10.0,
        down: 10.0,
        maintenance: Measured { operational: 40.0, degraded: 20.0, down: 40.0 },
        unknown: 50.0,
    };

    #[test]
    fn what_counts_is_what_the_policy_says() {
        let check = |maintenance, degraded, expected: f64| {
            let policy = AvailabilityPolicy { maintenance, degraded, ..AvailabilityPolicy::default() };
            assert_eq!(policy.availability(&MINUTES), Some(expected), "{policy}");
        };
        check(PlannedWork::Excluded, Degraded::Up, 0.9);
        check(PlannedWork::Excluded, Degraded::Down, 0.8);
        check(PlannedWork::Counted, Degraded::Up, 0.75);
        check(PlannedWork::Counted, Degraded::Down, 0.6);
        assert_eq!(MINUTES.coverage(), Some(0.8));
    }

    #[test]
    fn where_nothing_counts_there_is_no_figure() {
        let planned = Tally { maintenance: MINUTES.maintenance, unknown: 5.0, ..Tally::default() };
        let objective = Objective::parse("99% in 30d").unwrap();
        let excluded = AvailabilityPolicy::default();
        let counted = AvailabilityPolicy { maintenance: PlannedWork::Counted, ..excluded.clone() };
        assert_eq!((excluded.availability(&planned), excluded.budget(objective, &planned)), (None, None));
        assert_eq!(counted.availability(&planned), Some(0.6));
        assert_eq!(counted.availability(&Tally::default()), None);
    }

    #[test]
    fn a_budget_is_of_what_was_counted_and_is_never_less_than_nothing() {
        let check = |objective: &str, whole: f64, spent: f64, left: f64| {
            let objective = Objective::parse(objective).unwrap();
            let budget = AvailabilityPolicy::default().budget(objective, &MINUTES).unwrap();
            assert_eq!((budget.whole.round(), budget.spent, budget.left().round()), (whole, spent, left));
        };
        check("80% in 30d", 20.0, 10.0, 10.0);
        check("99% in 90d", 1.0, 10.0, 0.0);
        check("100% in 1d", 0.0, 10.0, 0.0);
    }

    #[test]
    fn an_objective_is_a_share_and_days() {
        for text in
            ["50% in 1d", "99% in 30d", "99.9% in 30d", "99.95% in 90d", "99.9999% in 7d", "100% in 90d"]
        {
            assert_eq!(Objective::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Objective::parse("99.90% in 30d"), Objective::parse("99.9% in 30d"));
        assert!((Objective::parse("99.9% in 30d").unwrap().share() - 0.999).abs() < f64::EPSILON);
        for text in [
            "",
            "99.9",
            "99.9%",
            "99.9% in 30",
            "99,9% in 30d",
            "99.99999% in 30d",
            "99.9 % in 30d",
            "+99% in 30d",
            ".9% in 30d",
            "99.% in 30d",
            "99% in d",
            "99% in 30days",
            "12345% in 30d",
        ] {
            assert_eq!(
                Objective::parse(text),
                Err(format!("'{text}' is not an objective such as '99.9% in 30d'"))
            );
        }
        assert_eq!(
            Objective::parse("49.9% in 30d"),
            Err("an objective is from 50% to 100%, not 49.9%".to_owned())
        );
        assert_eq!(
            Objective::parse("100.1% in 30d"),
            Err("an objective is from 50% to 100%, not 100.1%".to_owned())
        );
        for days in ["0", "91", "365"] {
            assert_eq!(
                Objective::parse(&format!("99% in {days}d")),
                Err(format!("an objective is over 1d to 90d, not {days}d"))
            );
        }
    }
}
