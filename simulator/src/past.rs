//! A past that never was: what probes would have seen of some instances over months or years. Log-normal answers that follow
//! the working day and the week, releases that make an API slower or faster from one hour to the next, outages, slow hours,
//! planned work, and breaks in which nobody probed.
//!
//! Pure: the same seed gives the same sight of the same moment, in whatever order it is asked for.

mod plan;
mod symptom;

pub use plan::{PLANNED, Planned};
pub use symptom::Symptom;

use crate::{Fault, latency::Dice};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use plan::{Course, HOUR};
use std::{collections::BTreeMap, time::Duration};

/// A probe goes out so late, at most, in milliseconds.
const LATENESS: u64 = 12;
/// One answer in so many fails for no reason that lasts.
const BLIP: u64 = 40_000;
/// One answer in so many takes a multiple of its time.
const STUMBLE: u64 = 3_000;
/// The standard deviation of the logarithm of an answer's time.
const SPREAD: f64 = 0.35;

/// A check as probed from one vantage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its API.
    pub api: String,
    /// The environment.
    pub environment: String,
    /// The operation; `ping` is answered by the gateway itself, `status` is where an API speaks of its health.
    pub operation: String,
    /// What tells it from all others: its answers' times are made from it.
    pub name: String,
    /// From one probe to the next; at least 1 ms.
    pub every: Duration,
    /// An answer that takes longer is slow.
    pub slow: Duration,
    /// A probe ends here.
    pub timeout: Duration,
}

/// What one probe saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When it started; to the millisecond.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What was wrong; `Fault::None`: nothing but, perhaps, the time it took.
    pub fault: Fault,
}

impl Seen {
    /// What a prober would say of it; `None`: it was answered well.
    pub fn symptom(&self) -> Option<Symptom> {
        symptom::of(self.fault, self.took)
    }
}

/// What happened to some instances between two moments.
#[derive(Debug, Clone)]
pub struct Past {
    seed: u64,
    from: Timestamp,
    until: Timestamp,
    zone: TimeZone,
    courses: BTreeMap<(String, String), Course>,
    /// Nobody probed anything: from when to when, in order.
    breaks: Vec<(Timestamp, Timestamp)>,
}

impl Past {
    /// The past of these instances (API and environment) from `from` to `until`; the working day is that of `zone`. The first
    /// hour and the last three are calm, so that what is open when it ends is nothing.
    pub fn new<'i>(
        seed: u64,
        (from, until): (Timestamp, Timestamp),
        zone: TimeZone,
        instances: impl IntoIterator<Item = (&'i str, &'i str)>,
    ) -> Self {
        let range = (from.as_millisecond(), until.as_millisecond());
        let courses = instances
            .into_iter()
            .map(|(api, environment)| {
                let dice = Dice::new(mixed(seed, hashed(&format!("{api}/{environment}")), 1));
                let course = plan::course(dice, range, &zone, environment);
                ((api.to_owned(), environment.to_owned()), course)
            })
            .collect();
        let breaks = plan::breaks(Dice::new(mixed(seed, 0, 2)), range)
            .into_iter()
            .map(|(from, to)| (moment(from), moment(to)))
            .collect();
        Self { seed, from, until, zone, courses, breaks }
    }

    /// Which versions an instance ran, from when on, in order: the last is `version`, those before it are counted down from it.
    pub fn versions(&self, api: &str, environment: &str, version: &str) -> Vec<(Timestamp, String)> {
        let course = self.courses.get(&(api.to_owned(), environment.to_owned()));
        let released = course.into_iter().flat_map(Course::released).map(moment);
        let began: Vec<Timestamp> = std::iter::once(self.from)
            .chain(released.filter(|at| self.from < *at && *at < self.until))
            .collect();
        let last = began.len().saturating_sub(1);
        let numbered = began.into_iter().enumerate();
        numbered.map(|(place, at)| (at, plan::earlier(version, last - place))).collect()
    }

    /// When nobody probed, in order: `[from, to)`.
    pub fn breaks(&self) -> &[(Timestamp, Timestamp)] {
        &self.breaks
    }

    /// What the probes saw that were due from `first`, one each interval, before `end`: all in the hour of `first`, in order of
    /// time, and none while nobody probed.
    pub fn seen(&self, asked: &Asked, first: Timestamp, end: Timestamp) -> Vec<Seen> {
        let first = first.as_millisecond();
        let end = end.as_millisecond().min((first.div_euclid(HOUR) + 1) * HOUR);
        let every = i64::try_from(asked.every.as_millis()).unwrap_or(i64::MAX).max(1);
        let mut seen = Vec::with_capacity(usize::try_from((end - first).max(0) / every).unwrap_or(0) + 1);
        let hour = self.hour(asked, first);
        let (before, after) = self.breaks_within(first, end);
        let mut due = first;
        while due < end {
            let one = hour.look(due);
            let away = self.breaks.get(before..after).unwrap_or_default();
            // Late by some milliseconds, it may belong to the next hour.
            if one.at.as_millisecond() < end && !away.iter().any(|(from, to)| (*from..*to).contains(&one.at))
            {
                seen.push(one);
            }
            due = due.saturating_add(every);
        }
        seen.dedup_by_key(|one| one.at);
        seen
    }

    /// What a probe sees that is due at `due`, whenever that is.
    pub fn look(&self, asked: &Asked, due: Timestamp) -> Seen {
        let due = due.as_millisecond();
        self.hour(asked, due).look(due)
    }

    fn breaks_within(&self, from: i64, to: i64) -> (usize, usize) {
        let before = self.breaks.partition_point(|(_, end)| end.as_millisecond() <= from);
        let after = self.breaks.partition_point(|(begin, _)| begin.as_millisecond() < to);
        (before, after.max(before))
    }

    fn hour<'p>(&'p self, asked: &'p Asked, at: i64) -> Hour<'p> {
        let name = hashed(&asked.name);
        let course = self.courses.get(&(asked.api.clone(), asked.environment.clone()));
        // What it does takes 8 to 60 ms by itself, always the same.
        let own = if asked.operation == "ping" { 6 } else { 14 + name % 46 };
        let hour = at.div_euclid(HOUR) * HOUR;
        let pace = course.map_or(1.0, |course| course.pace(hour));
        let local = self.zone.to_datetime(moment(hour));
        let slower = pace * plan::rhythm(local, asked.environment == "production");
        let median = Duration::from_millis(own).mul_f64(slower);
        let spells = course.map(|course| course.spells(hour, hour + HOUR)).unwrap_or_default();
        Hour { asked, seed: mixed(self.seed, name, 3), median, spells }
    }
}

/// An hour of one check.
struct Hour<'p> {
    asked: &'p Asked,
    seed: u64,
    median: Duration,
    spells: &'p [plan::Spell],
}

impl Hour<'_> {
    fn look(&self, due: i64) -> Seen {
        let mut dice = Dice::new(mixed(self.seed, due.cast_unsigned(), 4));
        let drawn = dice.roll();
        let at = due + i64::try_from(drawn % LATENESS).unwrap_or(0);
        let mut own = self.median.mul_f64((SPREAD * nearly_normal(&mut dice)).exp());
        if (drawn >> 8).is_multiple_of(STUMBLE) {
            own *= 3 + small(drawn >> 48) % 12;
        }
        let chance = dice.roll();
        let spell = self.spells.iter().find(|spell| spell.from <= due && due < spell.to);
        let fault = match spell {
            Some(spell) if spell.hits(&self.asked.operation, chance) => spell.fault,
            _ if (drawn >> 20).is_multiple_of(BLIP) => Fault::Reset,
            _ => Fault::None,
        };
        let took = symptom::takes(fault, own, self.asked);
        let fault = if matches!(fault, Fault::Slow(_)) { Fault::None } else { fault };
        // No good answer outlives its probe.
        let fault = if took >= self.asked.timeout { Fault::Hang } else { fault };
        Seen { at: moment(at), took: took.min(self.asked.timeout), fault }
    }
}

fn moment(ms: i64) -> Timestamp {
    let earliest = Timestamp::UNIX_EPOCH;
    earliest.checked_add(SignedDuration::from_millis(ms)).unwrap_or(earliest)
}

/// Of mean 0 and deviation 1, and never beyond 6: twelve uniform numbers of 16 bits, less six.
fn nearly_normal(dice: &mut Dice) -> f64 {
    let sum: u64 = (0..3).map(|_| sixteen_bits(dice.roll())).sum();
    f64::from(small(sum)) / 65_536.0 - 6.0
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

const fn sixteen_bits(drawn: u64) -> u64 {
    (drawn & 0xffff) + ((drawn >> 16) & 0xffff) + ((drawn >> 32) & 0xffff) + (drawn >> 48)
}

/// Three numbers as one that looks random.
fn mixed(one: u64, two: u64, three: u64) -> u64 {
    Dice::new(one ^ two.rotate_left(21).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ three.rotate_left(53)).roll()
}

/// A name as a number (FNV-1a, and mixed).
fn hashed(name: &str) -> u64 {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    Dice::new(name.bytes().fold(0xcbf2_9ce4_8422_2325, hash)).roll()
}

#[cfg(test)]
mod tests;
