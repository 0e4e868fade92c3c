//! Strips and bars as SVG: one bar an hour or a day, runs of the same status drawn as one dashed line.

use crate::Span;
use domain::Status;
use std::fmt::Write as _;

/// Units from one bar to the next; the style sheet's dash pattern is `8 2`.
const PITCH: usize = 10;
/// Units between two bars.
const GAP: usize = 2;

/// The letter that a status has in class names and in the names of symbols.
pub(crate) const fn letter(status: Status) -> &'static str {
    match status {
        Status::Operational => "o",
        Status::Degraded => "d",
        Status::PartialOutage => "p",
        Status::MajorOutage => "x",
        Status::Maintenance => "m",
        Status::Unknown => "u",
    }
}

/// The width of the drawing of `count` bars.
pub(crate) const fn width(count: usize) -> usize {
    match (count * PITCH).checked_sub(GAP) {
        Some(width) => width,
        None => 0,
    }
}

/// The marks of `spans`, 16 units high: bars from 0 to 12. Trouble is seen without colour: a bar that was partly down has
/// a foot, one that was degraded a cap, one that was down both. Hatched where nothing was measured, hatched above where something was not.
pub(crate) fn marks(spans: &[Span]) -> String {
    let mut svg = String::new();
    for (from, count, span) in runs(spans) {
        let (x, length) = (from * PITCH, count * PITCH - GAP);
        // Writing to a String cannot fail.
        write!(svg, r#"<path class="{}" d="M{x} 6h{length}"/>"#, letter(span.worst)).ok();
        if span.gap {
            write!(svg, r#"<path class="n" d="M{x} 3h{length}"/><path class="g" d="M{x} 2.5h{length}"/>"#)
                .ok();
        }
        if matches!(span.worst, Status::Degraded | Status::MajorOutage) {
            let y = if span.gap { 7 } else { 1 };
            write!(svg, r#"<path class="e" d="M{x} {y}h{length}"/>"#).ok();
        }
        if span.worst.is_down() {
            write!(svg, r#"<path class="f" d="M{x} 15h{length}"/>"#).ok();
        }
    }
    svg
}

fn runs(spans: &[Span]) -> impl Iterator<Item = (usize, usize, Span)> {
    let mut from = 0;
    spans.chunk_by(|a, b| a == b).filter_map(move |run| {
        let start = from;
        from += run.len();
        Some((start, run.len(), *run.first()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(worst: Status, gap: bool) -> Span {
        Span { worst, gap }
    }

    #[test]
    fn a_run_is_one_line() {
        let spans = vec![span(Status::Operational, false); 24];
        assert_eq!(marks(&spans), r#"<path class="o" d="M0 6h238"/>"#);
        assert_eq!(width(24), 238);
    }

    #[test]
    fn what_was_not_measured_is_hatched_and_never_green() {
        let drawn = marks(&[span(Status::Unknown, false), span(Status::Operational, true)]);
        assert_eq!(
            drawn,
            r#"<path class="u" d="M0 6h8"/><path class="o" d="M10 6h8"/><path class="n" d="M10 3h8"/><path class="g" d="M10 2.5h8"/>"#
        );
    }

    #[test]
    fn trouble_is_seen_without_colour() {
        for status in Status::ALL {
            let capped = marks(&[span(status, false)]).contains(r#"class="e""#);
            assert_eq!(capped, matches!(status, Status::Degraded | Status::MajorOutage));
            assert_eq!(marks(&[span(status, false)]).contains(r#"class="f""#), status.is_down());
        }
    }
}
