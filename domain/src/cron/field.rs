//! One field of a cron expression: the values that it stands for, or in words why it stands for none.

use std::collections::BTreeSet;

/// One of the five fields.
pub(super) struct Field {
    name: &'static str,
    min: u8,
    max: u8,
    /// The names of its values, from `min` on; three letters are enough.
    names: &'static [&'static str],
}

pub(super) const MINUTE: Field = field("minute", 0, 59, &[]);
pub(super) const HOUR: Field = field("hour", 0, 23, &[]);
pub(super) const DAY_OF_MONTH: Field = field("day of month", 1, 31, &[]);
pub(super) const MONTH: Field = field(
    "month",
    1,
    12,
    &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
);
pub(super) const DAY_OF_WEEK: Field = field(
    "day of week",
    0,
    7,
    &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
);

const fn field(name: &'static str, min: u8, max: u8, names: &'static [&'static str]) -> Field {
    Field { name, min, max, names }
}

impl Field {
    /// The values that `text` stands for; `None`: all (`*`).
    pub(super) fn parse(&self, text: &str) -> Result<Option<BTreeSet<u8>>, String> {
        if text == "*" {
            return Ok(None);
        }
        let mut values = BTreeSet::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(self.step(step)?)),
                None => (part, None),
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (self.min, self.top()),
                Some((from, to)) => self.range(from, to)?,
                None if step.is_some() => {
                    return Err(format!(
                        "{}: a step needs '*' or a range before it: '*/15' or '{}-{}/2', not '{part}'",
                        self.name,
                        self.min,
                        self.top()
                    ));
                }
                None => {
                    let value = self.value(range)?;
                    (value, value)
                }
            };
            values.extend((from..=to).step_by(step.unwrap_or(1)));
        }
        Ok(Some(values))
    }

    /// The highest value that is not another name for a lower one (7 is Sunday, as 0 is).
    fn top(&self) -> u8 {
        if self.max == 7 { 6 } else { self.max }
    }

    fn range(&self, from: &str, to: &str) -> Result<(u8, u8), String> {
        let (first, mut last) = (self.value(from)?, self.value(to)?);
        if self.max == 7 && last == 0 && first > 0 {
            last = 7; // a week that ends on Sunday: Fri-Sun
        }
        if last < first {
            return Err(format!(
                "{}: a range goes upwards; '{from}-{to}' must be two: '{first}-{},{}-{last}'",
                self.name,
                self.top(),
                self.min
            ));
        }
        Ok((first, last))
    }

    fn step(&self, step: &str) -> Result<usize, String> {
        step.parse::<u8>()
            .ok()
            .filter(|step| *step > 0)
            .map(usize::from)
            .ok_or_else(|| format!("{}: a step is a number from 1, not '{step}'", self.name))
    }

    fn value(&self, word: &str) -> Result<u8, String> {
        if word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty() {
            return word.parse::<u8>().ok().filter(|value| (self.min..=self.max).contains(value)).ok_or_else(
                || format!("{}: {word} is not between {} and {}", self.name, self.min, self.max),
            );
        }
        let lower = word.to_ascii_lowercase();
        (self.min..)
            .zip(self.names)
            .find(|(_, name)| lower.len() >= 3 && name.starts_with(&lower))
            .map(|(value, _)| value)
            .ok_or_else(|| {
                let or_name = if self.names.is_empty() { "" } else { " or a name" };
                format!("{}: '{word}' is not a number from {} to {}{or_name}", self.name, self.min, self.max)
            })
    }
}
