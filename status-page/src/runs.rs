//! Days one after the other, alike ones once: most instances had ninety that were, and there may be ten thousand instances.

use crate::Day;

/// Days without a hole, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Runs {
    /// The first of each run and how many are like it, itself included.
    runs: Vec<(Day, u16)>,
}

impl Runs {
    /// Each day.
    pub fn iter(&self) -> impl Iterator<Item = Day> {
        self.runs.iter().flat_map(|(first, count)| {
            first
                .date
                .series(jiff::Span::new().days(1))
                .take(usize::from(*count))
                .map(|date| Day { date, ..*first })
        })
    }
}

impl FromIterator<Day> for Runs {
    fn from_iter<T: IntoIterator<Item = Day>>(days: T) -> Self {
        let mut runs: Vec<(Day, u16)> = Vec::new();
        for day in days {
            match runs.last_mut() {
                Some((first, count))
                    if (first.span, first.tally) == (day.span, day.tally) && *count < u16::MAX =>
                {
                    *count += 1;
                }
                _ => runs.push((day, 1)),
            }
        }
        runs.shrink_to_fit();
        Self { runs }
    }
}
