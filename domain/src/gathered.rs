//! A timeline only grows: what is written stays. So that it stays short, what may come very often is written once, and what
//! comes like it within a while of that is written together, as one entry.

use crate::{Entry, Incident};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The shortest while; it doubles with each fifty entries that the timeline has, up to 17 hours.
const WHILE: SignedDuration = SignedDuration::from_mins(1);
const MOST_DOUBLED: usize = 10;
/// What of those that come together is named.
const MOST_NAMED: usize = 10;

/// What may come very often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Often {
    /// One more fails because of it.
    Joins,
    /// One of those works again.
    Leaves,
    /// It is unstable, and came or went once more.
    Flaps,
    /// Somebody answered late.
    Late,
    /// Somebody sent a text that is no answer.
    Unclear,
    /// A carrier says something of a message.
    Carrier,
    /// Alerts of others.
    Alerts,
    /// A work note was left out.
    LeftOut,
    /// Our own clock was set.
    Clock,
}

impl Often {
    /// What is said of `count` that came together, named `names`.
    fn words(self, count: usize, names: &[String]) -> String {
        let others = count - names.len();
        let list = match self {
            Self::Joins | Self::Leaves | Self::Late | Self::Unclear => names.join(", "),
            Self::Flaps | Self::Carrier | Self::Alerts | Self::LeftOut | Self::Clock => names.join("; "),
        };
        let list = if others > 0 { format!("{list} … and {others} others") } else { list };
        match self {
            Self::Joins if count == 1 => format!("{list} fails too; held back, no ticket of its own"),
            Self::Leaves if count == 1 => format!("{list} works again"),
            Self::Joins => format!("{count} more fail too: {list}; held back, no tickets of their own"),
            Self::Leaves => format!("{count} more work again: {list}"),
            Self::Flaps | Self::Clock => format!("{count} more times: {list}"),
            Self::Late => format!("{count} more late answers: {list}"),
            Self::Unclear => {
                format!("{count} more texts that are no answers; their words are not kept: {list}")
            }
            Self::Carrier => format!("{count} more of carriers: {list}"),
            Self::Alerts => format!("{count} more of alerts: {list}"),
            Self::LeftOut => format!("{count} more work notes left out: {list}"),
        }
    }
}

/// What came since the last entry of its kind was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathering {
    /// Its kind.
    pub often: Often,
    /// Since when it is gathered,
    pub since: Timestamp,
    /// until when.
    pub until: Timestamp,
    /// How many came.
    pub count: usize,
    /// The first of them.
    pub names: Vec<String>,
}

impl Incident {
    /// Writes `text` at once, unless something of its kind was written only lately: then `name` is gathered with others.
    pub(crate) fn note_often(&mut self, now: Timestamp, often: Often, name: &str, text: String) {
        if let Some(gathering) = self.gathered.iter_mut().find(|gathering| gathering.often == often) {
            gathering.count += 1;
            if gathering.names.len() < MOST_NAMED {
                gathering.names.push(name.to_owned());
            }
            return;
        }
        self.note(now, text);
        self.gather(now, often);
    }

    fn gather(&mut self, now: Timestamp, often: Often) {
        let doubled = u32::try_from((self.timeline.len() / 50).min(MOST_DOUBLED)).unwrap_or(0);
        let until = now.checked_add(WHILE * 2_i32.saturating_pow(doubled)).unwrap_or(Timestamp::MAX);
        self.gathered.push(Gathering { often, since: now, until, count: 0, names: Vec::new() });
    }

    /// Writes what has been gathered for long enough; `all`: whatever was.
    pub(crate) fn write_gathered(&mut self, now: Timestamp, all: bool) {
        // What was gathered by a clock that was ahead waits no longer for it.
        let due = |gathering: &Gathering| all || gathering.until <= now || now < gathering.since;
        let (due, on) = std::mem::take(&mut self.gathered).into_iter().partition(due);
        self.gathered = on;
        let due: Vec<Gathering> = due;
        for Gathering { often, count, names, .. } in due.into_iter().filter(|gathering| gathering.count > 0) {
            self.note(now, often.words(count, &names));
            if !all {
                self.gather(now, often);
            }
        }
    }

    /// What is gathered and not written yet, as it would be.
    pub fn being_gathered(&self) -> Vec<Entry> {
        let some = self.gathered.iter().filter(|gathering| gathering.count > 0);
        let entry = |gathering: &Gathering| Entry {
            at: gathering.since,
            text: format!("since then {}", gathering.often.words(gathering.count, &gathering.names)),
        };
        some.map(entry).collect()
    }
}
