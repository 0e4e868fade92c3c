//! What happens to an instance over months: when it is released anew, when it is in trouble, and when work is planned.

use crate::{Fault, latency::Dice};
use jiff::{Timestamp, civil, tz::TimeZone};
use std::time::Duration;

/// Milliseconds.
pub(super) const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * HOUR;

/// Calm at the beginning, and at the end.
const FIRST: i64 = HOUR;
const LAST: i64 = 3 * HOUR;
/// Between two troubles of an instance, at least.
const APART: i64 = 2 * HOUR;

/// Work that is planned every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// In which environment.
    pub environment: &'static str,
    /// When it begins, by the clock of the site: five fields of cron.
    pub cron: &'static str,
    /// How long it lasts.
    pub lasts: Duration,
    /// Why, in English and in Welsh.
    pub why: (&'static str, &'static str),
    on: &'static [civil::Weekday],
    at: i8,
}

/// All of it.
pub const PLANNED: [Planned; 2] = [
    Planned {
        environment: "sit",
        cron: "0 19 * * Tue,Thu",
        lasts: Duration::from_secs(3 * 3600),
        why: ("Load tests", "Profion llwyth"),
        on: &[civil::Weekday::Tuesday, civil::Weekday::Thursday],
        at: 19,
    },
    Planned {
        environment: "uat",
        cron: "0 2 * * Sun",
        lasts: Duration::from_secs(2 * 3600),
        why: ("Planned work", "Gwaith wedi\u{2019}i gynllunio"),
        on: &[civil::Weekday::Sunday],
        at: 2,
    },
];

/// What happens to one instance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    /// From that hour on it takes so many times its own time; in order.
    releases: Vec<(i64, f64)>,
    /// In order, and apart.
    spells: Vec<Spell>,
}

/// A stretch of trouble, in milliseconds: `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spell {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) fault: Fault,
    /// Of a hundred probes it is seen by so many.
    share: u64,
}

impl Spell {
    /// Whether a probe of `operation` sees it.
    pub(super) fn hits(&self, operation: &str, chance: u64) -> bool {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "what else there is, whoever comes to the door sees it"
        )]
        let reaches = match self.fault {
            Fault::Backend(_) | Fault::GatewayUnavailable | Fault::GatewayTimeout | Fault::TokenRefused => {
                operation != "ping"
            }
            Fault::SaysFail | Fault::SaysDegraded => operation == "status",
            _ => true,
        };
        reaches && chance % 100 < self.share
    }
}

impl Course {
    /// How many times its own time it takes at `at`.
    pub(super) fn pace(&self, at: i64) -> f64 {
        let released = self.releases.partition_point(|(from, _)| *from <= at);
        released.checked_sub(1).and_then(|last| self.releases.get(last)).map_or(1.0, |(_, pace)| *pace)
    }

    /// Those that touch `[from, to)`.
    pub(super) fn released(&self) -> impl Iterator<Item = i64> {
        self.releases.iter().map(|(at, _)| *at)
    }

    pub(super) fn spells(&self, from: i64, to: i64) -> &[Spell] {
        let first = self.spells.partition_point(|spell| spell.to <= from);
        let after = self.spells.partition_point(|spell| spell.from < to);
        self.spells.get(first..after.max(first)).unwrap_or_default()
    }
}

pub(super) fn course(
    mut dice: Dice,
    (from, until): (i64, i64),
    zone: &TimeZone,
    environment: &str,
) -> Course {
    let releases = releases(&mut dice, (from, until));
    let calm = (from + FIRST, until - LAST);
    let mut spells = unplanned(&mut dice, calm, environment);
    spells.extend(planned(&mut dice, calm, zone, environment));
    spells.sort_by_key(|spell| spell.from);
    // Of two that meet, the first one stays.
    let mut free = i64::MIN;
    spells.retain(|spell| {
        let stays = spell.from >= free && spell.to <= calm.1;
        if stays {
            free = spell.to + APART;
        }
        stays
    });
    Course { releases, spells }
}

/// The version so many releases before `version`, whose last part counts releases; after ten the part before it does.
pub(super) fn earlier(version: &str, releases: usize) -> String {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0_u64));
    let [major, minor, patch] = std::array::from_fn(|_| parts.next().unwrap_or(0));
    let number = (major * 10 + minor) * 10 + patch;
    let number = number.saturating_sub(u64::try_from(releases).unwrap_or(u64::MAX));
    format!("{}.{}.{}", number / 100, number / 10 % 10, number % 10)
}

/// Every two to five weeks, on the hour.
fn releases(dice: &mut Dice, (from, until): (i64, i64)) -> Vec<(i64, f64)> {
    let mut releases = Vec::new();
    let (mut at, mut pace) = (from, 1.0_f64);
    while at < until {
        at += 14 * DAY + dice.below(21 * DAY);
        at -= at.rem_euclid(HOUR);
        pace = (pace * (0.7 + dice.unit() * 0.75)).clamp(0.4, 3.0);
        releases.push((at, pace));
    }
    releases
}

fn unplanned(dice: &mut Dice, (from, until): (i64, i64), environment: &str) -> Vec<Spell> {
    // How many days from one to the next, on average; and how long half of them last, at most.
    let (days, minutes) = match environment {
        "production" => (16, 11 * MINUTE),
        "sandbox" | "uat" => (9, 18 * MINUTE),
        _ => (5, 28 * MINUTE),
    };
    let mut spells = Vec::new();
    let mut at = from;
    loop {
        at += once_in(dice, days);
        let to = at + times(minutes, dice.normal().exp()).clamp(MINUTE, 7 * HOUR);
        if to >= until {
            return spells;
        }
        let (fault, share) = trouble(dice, environment == "production");
        spells.push(Spell { from: at, to, fault, share });
        at = to;
    }
}

fn trouble(dice: &mut Dice, production: bool) -> (Fault, u64) {
    match dice.roll() % 100 {
        0..20 => (Fault::GatewayUnavailable, 100),
        20..33 => (Fault::Backend(500), 100),
        33..45 => (Fault::Slow(Duration::ZERO), 100),
        45..55 => (Fault::GatewayTimeout, 100),
        55..64 => (Fault::Backend(503), 75),
        64..72 => (Fault::SaysDegraded, 100),
        72..79 => (Fault::SaysFail, 100),
        79..86 => (Fault::Hang, 100),
        86..92 if production => (Fault::Status(503), 100),
        // Credentials of what is tested run out.
        86..92 => (Fault::TokenRefused, 100),
        _ => (Fault::Refuse, 100),
    }
}

/// While a load test runs or work is done, some fail.
fn planned(dice: &mut Dice, (from, until): (i64, i64), zone: &TimeZone, environment: &str) -> Vec<Spell> {
    let Some(work) = PLANNED.iter().find(|work| work.environment == environment) else {
        return Vec::new();
    };
    let lasts = i64::try_from(work.lasts.as_millis()).unwrap_or(HOUR);
    let mut spells = Vec::new();
    let mut day = zone.to_datetime(super::moment(from)).date();
    loop {
        let begins = day.at(work.at, 0, 0, 0).to_zoned(zone.clone()).map(|at| at.timestamp());
        let begins = begins.map_or(until, Timestamp::as_millisecond);
        if begins + lasts > until {
            return spells;
        }
        if work.on.contains(&day.weekday()) && begins >= from && dice.unit() < 0.4 {
            let begin = begins + dice.below(lasts / 3);
            let to = begin + lasts / 10 + dice.below(lasts / 2);
            let fault = if dice.unit() < 0.5 { Fault::Slow(Duration::ZERO) } else { Fault::Status(503) };
            spells.push(Spell { from: begin, to, fault, share: 100 });
        }
        let Ok(tomorrow) = day.tomorrow() else { return spells };
        day = tomorrow;
    }
}

/// About once in three weeks the machine is off for some minutes, or for an hour.
pub(super) fn breaks(mut dice: Dice, (from, until): (i64, i64)) -> Vec<(i64, i64)> {
    let mut breaks = Vec::new();
    let mut at = from + FIRST;
    loop {
        at += once_in(&mut dice, 21);
        let most = dice.below(70 * MINUTE) + 1;
        let to = at + 2 * MINUTE + dice.below(most);
        if to >= until - LAST {
            return breaks;
        }
        breaks.push((at, to));
        at = to + DAY;
    }
}

/// How long until something that comes once in so many days on average, at any moment as likely as at another.
fn once_in(dice: &mut Dice, days: i64) -> i64 {
    times(days * DAY, -dice.unit().max(1e-9).ln())
}

fn times(ms: i64, factor: f64) -> i64 {
    let lasts = Duration::from_millis(ms.unsigned_abs()).mul_f64(factor.clamp(0.0, 1e3));
    i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX)
}

/// How much longer an answer takes in that hour: most in the middle of a working day, less at the weekend and at night.
pub(super) fn rhythm(local: civil::DateTime, production: bool) -> f64 {
    const BY_HOUR: [f64; 24] = [
        0.05, 0.02, 0.0, 0.0, 0.0, 0.05, 0.15, 0.35, 0.7, 0.95, 1.0, 0.95, 0.8, 0.85, 0.95, 0.9, 0.75, 0.5,
        0.35, 0.3, 0.25, 0.2, 0.15, 0.1,
    ];
    let load = usize::try_from(local.hour()).ok().and_then(|hour| BY_HOUR.get(hour)).copied().unwrap_or(0.0);
    let weekend = matches!(local.weekday(), civil::Weekday::Saturday | civil::Weekday::Sunday);
    let most = if production { 0.8 } else { 0.3 };
    1.0 + most * load * if weekend { 0.3 } else { 1.0 }
}
