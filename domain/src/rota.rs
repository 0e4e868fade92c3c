//! Who is on call when.

use crate::{PersonId, local};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

/// Who is on call when: the topmost layer that names somebody, overrides above all.
///
/// A layer names somebody at every moment from its first hand-over to its last. Every stretch is half-open, `[from, to)`.
/// Hand-overs are local: the week in which the clocks go forward has 167 hours, the other one 169. A hand-over at a
/// time that the clock skips is at the first instant after the gap; at one that it shows twice, at the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Rota {
    /// Local time of the hand-overs.
    pub time_zone: TimeZone,
    /// Lower ones first; the last that covers a moment wins.
    pub layers: Vec<RotaLayer>,
    /// Swaps: win over layers; the last that covers a moment wins.
    pub overrides: Vec<Override>,
    /// When whoever goes on duty hears of it, by the rota's clock, on the day before or earlier on the day itself; `None`: they
    /// do not.
    pub remind: Option<Time>,
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotaLayer {
    /// In the order of their turns; at least one.
    pub people: Vec<PersonId>,
    /// When they change.
    pub hand_over: HandOver,
    /// The first shift begins on the first hand-over not before this day.
    pub from: Date,
    /// The last shift ends on the first hand-over not before this day, and the layers below are in force again; `None`: never.
    pub until: Option<Date>,
}

/// When a shift ends and the next begins, in local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandOver {
    /// Every so many days, at least one, counted from the layer's first day, at this time.
    Every(u16, Time),
    /// Every week at these times: at least one, in the order of a week from Monday on, none twice.
    Weekly(Vec<(Weekday, Time)>),
}

/// A swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Who stands in.
    pub person: PersonId,
    /// From (inclusive).
    pub from: Timestamp,
    /// To (exclusive).
    pub to: Timestamp,
    /// The number of the [`RotaOverride`](crate::RotaOverride) that it comes from; `None`: it is written down.
    pub added: Option<u64>,
}

/// One person's stretch, as it is really served: cut where an override or a higher layer takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Who.
    pub person: PersonId,
    /// From (inclusive).
    pub from: Timestamp,
    /// To (exclusive).
    pub to: Timestamp,
    /// Which layer, from 0; `None`: an override.
    pub layer: Option<usize>,
    /// The number of that override, where it was added and is not written down.
    pub added: Option<u64>,
}

/// The most shifts or gaps given at once: eleven years of daily hand-overs.
const MAX_SHIFTS: usize = 4096;

/// A layer's turn: where in `people`, and from when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    place: usize,
    from: Timestamp,
    to: Timestamp,
}

impl HandOver {
    /// The local time of the hand-over number `number`, where number 0 is the first not before `from`; negative ones are before.
    fn moment(&self, from: Date, number: i64) -> DateTime {
        let (first, days, time) = match self {
            Self::Every(days, time) => (from, i64::from(*days) * number, *time),
            Self::Weekly(moments) => {
                let ahead = |weekday: Weekday| i64::from(weekday.to_monday_zero_offset());
                let today = ahead(from.weekday());
                let passed = moments.iter().filter(|(weekday, _)| ahead(*weekday) < today).count();
                let (passed, a_week) = (saturating(passed), saturating(moments.len()).max(1));
                let number = passed.saturating_add(number);
                let place = usize::try_from(number.rem_euclid(a_week)).unwrap_or_default();
                let (weekday, time) =
                    moments.get(place).copied().unwrap_or((Weekday::Monday, Time::midnight()));
                (from, 7 * number.div_euclid(a_week) + ahead(weekday) - today, time)
            }
        };
        first.saturating_add(SignedDuration::from_hours(24 * days)).to_datetime(time)
    }

    /// The number of a hand-over that is not after those of the day `day`, nor more than two weeks' worth before it.
    fn before(&self, from: Date, day: Date) -> i64 {
        let days = from.duration_until(day).as_hours() / 24;
        match self {
            Self::Every(every, _) => days.div_euclid(i64::from(*every).max(1)) - 1,
            Self::Weekly(moments) => (days.div_euclid(7) - 1) * saturating(moments.len()),
        }
    }

    /// How many hand-overs there are, at most, from [`Self::before`] a day to that day's own.
    fn about(&self) -> i64 {
        match self {
            Self::Every(..) => 3,
            Self::Weekly(moments) => 3 * saturating(moments.len()),
        }
    }
}

fn saturating(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl RotaLayer {
    /// When its first shift begins.
    fn begins(&self, zone: &TimeZone) -> Timestamp {
        self.change(0, zone)
    }

    /// When its last shift ends; [`Timestamp::MAX`]: never.
    fn ends(&self, zone: &TimeZone) -> Timestamp {
        let Some(until) = self.until else { return Timestamp::MAX };
        let before = self.hand_over.before(self.from, until).max(0);
        let last = (before..=before + self.hand_over.about())
            .find(|number| self.hand_over.moment(self.from, *number).date() >= until);
        last.map_or(Timestamp::MAX, |number| self.change(number, zone))
    }

    /// The hand-over number `number`, from 0.
    fn change(&self, number: i64, zone: &TimeZone) -> Timestamp {
        local::first(zone, self.hand_over.moment(self.from, number))
    }

    /// Whose turn it is at `at`; `None` before the first hand-over and from the last on.
    fn turn(&self, at: Timestamp, zone: &TimeZone) -> Option<Turn> {
        let ends = self.ends(zone);
        if at >= ends {
            return None;
        }
        let today = zone.to_datetime(at).date();
        let before = self.hand_over.before(self.from, today);
        // Today's hand-over may still be ahead, and a gap of the clock can push one past midnight.
        let number = (before - 1..=before + self.hand_over.about())
            .rev()
            .find(|number| self.change(*number, zone) <= at)
            .filter(|number| *number >= 0)?;
        let people = i64::try_from(self.people.len()).ok().filter(|people| *people > 0)?;
        Some(Turn {
            place: usize::try_from(number.rem_euclid(people)).ok()?,
            from: self.change(number, zone),
            to: self.change(number + 1, zone).min(ends),
        })
    }
}

impl Rota {
    /// Who is on call at `at`; `None`: nobody, which is itself an incident.
    pub fn on_call(&self, at: Timestamp) -> Option<Shift> {
        let above_layers = self.overrides.as_slice();
        let covering = |swap: &Override| swap.from <= at && at < swap.to;
        if let Some(index) = above_layers.iter().rposition(covering) {
            let swap = above_layers.get(index)?;
            let (person, added) = (swap.person.clone(), swap.added);
            let shift = Shift { person, from: swap.from, to: swap.to, layer: None, added };
            return Some(cut(shift, at, above_layers.get(index + 1..)?));
        }
        let (layer, index, turn) = self.in_force(at)?;
        let (mut from, mut to) = (turn.from, turn.to);
        for higher in self.layers.get(index + 1..)?.iter().filter(|higher| !higher.people.is_empty()) {
            let (begins, ends) = (higher.begins(&self.time_zone), higher.ends(&self.time_zone));
            // None covers `at`: one that is over gave way, the others take over. One that never was does neither.
            if begins > at && begins < ends {
                to = to.min(begins);
            } else if begins < ends {
                from = from.max(ends);
            }
        }
        let person = layer.people.get(turn.place)?.clone();
        Some(cut(Shift { person, from, to, layer: Some(index), added: None }, at, above_layers))
    }

    /// What the layers alone say, from `from` (inclusive) to `to` (exclusive), as if nobody stood in: in order, apart, cut to the
    /// range. At most 4096.
    pub fn pattern(&self, from: Timestamp, to: Timestamp) -> Vec<Shift> {
        Self { overrides: Vec::new(), ..self.clone() }.shifts(from, to)
    }

    /// Who is called when the person on call does not answer: the next in turn, in the layer in force, who is
    /// somebody else. Under an override that is counted from the person whose turn it would be, who comes last.
    /// `None`: there is nobody else, or nobody is on call.
    pub fn next(&self, at: Timestamp) -> Option<PersonId> {
        self.following(at).into_iter().next()
    }

    /// All who come after the person on call, as [`Self::next`] counts: each once.
    pub(crate) fn following(&self, at: Timestamp) -> Vec<PersonId> {
        let (Some(on_call), Some((layer, _, turn))) = (self.on_call(at), self.in_force(at)) else {
            return Vec::new();
        };
        let people = layer.people.iter().cycle().skip(turn.place + 1).take(layer.people.len());
        let mut following = Vec::new();
        for person in people.filter(|person| **person != on_call.person) {
            if !following.contains(person) {
                following.push(person.clone());
            }
        }
        following
    }

    /// Who is on call from `from` (inclusive) to `to` (exclusive): in order, apart, cut to the range. At most 4096.
    pub fn shifts(&self, from: Timestamp, to: Timestamp) -> Vec<Shift> {
        self.stretches(from, to)
            .filter_map(|(from, to, shift)| shift.map(|shift| Shift { from, to, ..shift }))
            .take(MAX_SHIFTS)
            .collect()
    }

    /// When nobody is on call between `from` (inclusive) and `to` (exclusive): in order, each `[from, to)`. Found
    /// within the first 4096 stretches.
    pub fn gaps(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        self.stretches(from, to)
            .take(MAX_SHIFTS)
            .filter_map(|(from, to, shift)| shift.is_none().then_some((from, to)))
            .collect()
    }

    /// The topmost layer that names somebody at `at`, overrides aside.
    fn in_force(&self, at: Timestamp) -> Option<(&RotaLayer, usize, Turn)> {
        self.layers
            .iter()
            .enumerate()
            .rev()
            .find_map(|(index, layer)| layer.turn(at, &self.time_zone).map(|turn| (layer, index, turn)))
    }

    /// The range from end to end, by who is on call.
    fn stretches(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Timestamp, Option<Shift>)> {
        let mut at = from;
        std::iter::from_fn(move || {
            if at >= to {
                return None;
            }
            let shift = self.on_call(at);
            let end = match &shift {
                Some(shift) => shift.to,
                None => self.begins_after(at),
            };
            let stretch = (at, end.min(to), shift);
            at = end;
            Some(stretch)
        })
    }

    /// When somebody is on call again, after `at`, when nobody is.
    fn begins_after(&self, at: Timestamp) -> Timestamp {
        let layers = self.layers.iter().filter(|layer| !layer.people.is_empty()).filter_map(|layer| {
            let begins = layer.begins(&self.time_zone);
            (begins < layer.ends(&self.time_zone)).then_some(begins)
        });
        let swaps = self.overrides.iter().filter(|swap| swap.from < swap.to).map(|swap| swap.from);
        layers.chain(swaps).filter(|begins| *begins > at).min().unwrap_or(Timestamp::MAX)
    }
}

/// What is left around `at` of a shift when the overrides above it, none of which covers `at`, take their parts.
fn cut(mut shift: Shift, at: Timestamp, above: &[Override]) -> Shift {
    for swap in above.iter().filter(|swap| swap.from < swap.to) {
        if swap.from > at {
            shift.to = shift.to.min(swap.from);
        } else {
            shift.from = shift.from.max(swap.to);
        }
    }
    shift
}

#[cfg(test)]
mod tests;
