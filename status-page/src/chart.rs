//! Response times as a drawing: a line of the median, a quieter one of what nineteen in twenty did not exceed, dots for all
//! but one in a hundred. From zero up; a day without an answer is a gap in the lines. A few days that were slow beyond all
//! others are drawn at the upper edge, so that the others can be told apart.

use crate::{WordsError, versions::Label, wording::Wording};
use domain::Percentiles;
use serde::Serialize;
use std::{fmt::Write as _, time::Duration};

/// Units from one day to the next, and of the height.
pub(crate) const PITCH: usize = 10;
const HEIGHT: f64 = 100.0;

/// The top is at most so many times what nine in ten days did not exceed.
const BEYOND: u32 = 4;

/// A chart on a page, with its words.
#[derive(Debug, Serialize)]
pub(crate) struct Drawing {
    pub(crate) title: String,
    /// What it shows, in words.
    pub(crate) label: String,
    /// How it is to be read.
    pub(crate) key: String,
    /// The times at its top and in its middle.
    axis: [String; 2],
    pub(crate) marks: String,
    width: usize,
    pub(crate) versions: Vec<Label>,
    /// Where it begins and ends.
    ends: [String; 2],
}

/// A drawing, and the time at its top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chart {
    pub(crate) marks: String,
    pub(crate) width: usize,
    pub(crate) top: Duration,
    /// Something was longer than that.
    pub(crate) cut: bool,
}

impl Chart {
    /// For a page, from `ends[0]` to `ends[1]`: in words, by the message `label`, what it shows of answers that all together took
    /// so long (`range`: over what, and in which steps).
    pub(crate) fn drawing(
        self,
        wording: &Wording<'_>,
        title: String,
        (label, took, range): (&str, &Percentiles, Option<(&str, &str)>),
        ends: [String; 2],
    ) -> Result<Drawing, WordsError> {
        let [p50, p95, p99, top] = [took.p50, took.p95, took.p99, self.top].map(Wording::latency);
        let (range, each) = range.unwrap_or_default();
        let args = [
            ("p50", p50.into()),
            ("p95", p95.into()),
            ("p99", p99.into()),
            ("top", top.into()),
            ("range", range.into()),
            ("each", each.into()),
        ];
        let mut both = [wording.say(label, &args)?, wording.plain("response-key")?];
        if self.cut {
            let cut = wording.plain("response-cut")?;
            both = both.map(|words| format!("{words} {cut}"));
        }
        let [label, key] = both;
        let axis = [self.top, self.top / 2].map(axis);
        Ok(Drawing {
            title,
            label,
            key,
            axis,
            marks: self.marks,
            width: self.width,
            versions: Vec::new(),
            ends,
        })
    }
}

/// A round time, as short as it can be.
fn axis(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 1000.0 { format!("{ms} ms") } else { format!("{} s", ms / 1000.0) }
}

/// The chart of days, or of other steps, in a row; `None`: none of them has an answer.
pub(crate) fn chart(days: &[Option<Percentiles>]) -> Option<Chart> {
    let mut took: Vec<Duration> = days.iter().flatten().map(|day| day.p99).collect();
    took.sort_unstable();
    let (longest, usual) = (*took.last()?, *took.get((took.len() - 1) * 9 / 10)?);
    let top = round(longest.min(usual.saturating_mul(BEYOND)));
    let y = |took: Duration| (1.0 - took.min(top).as_secs_f64() / top.as_secs_f64()) * HEIGHT;
    let width = days.len().saturating_sub(1).max(1) * PITCH;
    let mut marks = format!(r#"<path class="l0" d="M0 0h{width}M0 50h{width}"/>"#);
    for (class, of) in [("l2", (|day| day.p95) as fn(&Percentiles) -> Duration), ("l1", |day| day.p50)] {
        let mut path = String::new();
        for (at, day) in days.iter().enumerate() {
            let Some(day) = day else { continue };
            let before = at.checked_sub(1).and_then(|before| days.get(before)).is_some_and(Option::is_some);
            let after = days.get(at + 1).is_some_and(Option::is_some);
            // Writing to a String cannot fail.
            write!(path, "{}{} {:.1}", if before { 'L' } else { 'M' }, at * PITCH, y(of(day))).ok();
            if !before && !after {
                // A day alone is a point, which a line of no length with round ends is.
                path.push_str("h0");
            }
        }
        write!(marks, r#"<path class="{class}" d="{path}"/>"#).ok();
    }
    let mut dots = String::new();
    for (at, day) in days.iter().enumerate() {
        if let Some(day) = day {
            write!(dots, "M{} {:.1}h0", at * PITCH, y(day.p99)).ok();
        }
    }
    write!(marks, r#"<path class="l3" d="{dots}"/>"#).ok();
    Some(Chart { marks, width, top, cut: longest > top })
}

/// The next 1, 2 or 5 times a power of ten milliseconds: at least one.
fn round(longest: Duration) -> Duration {
    let longest = u64::try_from(longest.as_micros().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
    let powers = std::iter::successors(Some(1_u64), |power| power.checked_mul(10));
    let steps = powers.flat_map(|power| [1, 2, 5].map(|step| power.saturating_mul(step)));
    Duration::from_millis(steps.into_iter().find(|step| *step >= longest).unwrap_or(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(ms: u64) -> Percentiles {
        let of = |times| Duration::from_millis(ms * times);
        Percentiles { p50: of(1), p90: of(2), p95: of(2), p99: of(4), max: of(9) }
    }

    #[test]
    fn lines_break_where_nothing_answered_and_begin_at_zero() {
        let drawn = chart(&[Some(day(50)), Some(day(25)), None, Some(day(50)), None]).unwrap();
        assert_eq!((drawn.top, drawn.width), (Duration::from_millis(200), 40));
        assert_eq!(
            drawn.marks,
            concat!(
                r#"<path class="l0" d="M0 0h40M0 50h40"/>"#,
                r#"<path class="l2" d="M0 50.0L10 75.0M30 50.0h0"/>"#,
                r#"<path class="l1" d="M0 75.0L10 87.5M30 75.0h0"/>"#,
                r#"<path class="l3" d="M0 0.0h0M10 50.0h0M30 0.0h0"/>"#
            )
        );
        assert_eq!(chart(&[None, None]), None);
    }

    #[test]
    fn a_day_that_was_slow_beyond_all_others_does_not_flatten_them() {
        let mut days = vec![Some(day(10)); 20];
        days[3] = Some(day(2_000));
        let drawn = chart(&days).unwrap();
        assert_eq!((drawn.top, drawn.cut), (Duration::from_millis(200), true));
        assert!(drawn.marks.contains("M20 80.0h0M30 0.0h0M40 80.0h0"), "{}", drawn.marks);
        // Where many were, that is how it is.
        days[5..9].fill(Some(day(2_000)));
        let drawn = chart(&days).unwrap();
        assert_eq!((drawn.top, drawn.cut), (Duration::from_secs(10), false));
    }

    #[test]
    fn the_top_is_a_round_time_that_nothing_exceeds() {
        for (longest, top) in
            [(0, 1), (1, 1), (3, 5), (180, 200), (201, 500), (4_999, 5_000), (60_001, 100_000)]
        {
            assert_eq!(round(Duration::from_millis(longest)), Duration::from_millis(top));
        }
        assert_eq!(round(Duration::from_micros(1_001)), Duration::from_millis(2));
    }
}
