//! Strips and bars as SVG: one bar an hour or a day, runs of the same status drawn as one dashed line.

use crate::Span;
use domain::Status;
use std::fmt::Write as _;

/// Units from one bar to the next; the style sheet's dash pattern is `3 1`.
const PITCH: usize = 4;

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
    match (count * PITCH).checked_sub(1) {
        Some(width) => width,
        None => 0,
    }
}

/// The marks of `spans`, 16 units high: bars from 0 to 12; under a bar that was down a foot, so that
/// an outage is seen without colour; hatched where nothing was measured, hatched above where something was not.
pub(crate) fn marks(spans: &[Span]) -> String {
    let mut svg = String::new();
    for (from, count, span) in runs(spans) {
        let (x, length) = (from * PITCH, count * PITCH - 1);
        // Writing to a String cannot fail.
        write!(svg, r#"<path class="{}" d="M{x} 6h{length}"/>"#, letter(span.worst)).ok();
        if span.gap {
            write!(svg, r#"<path class="g" d="M{x} 2h{length}"/>"#).ok();
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
        assert_eq!(marks(&spans), r#"<path class="o" d="M0 6h95"/>"#);
        assert_eq!(width(24), 95);
    }

    #[test]
    fn what_was_not_measured_is_hatched_and_never_green() {
        let drawn = marks(&[span(Status::Unknown, false), span(Status::Operational, true)]);
        assert_eq!(
            drawn,
            r#"<path class="u" d="M0 6h3"/><path class="o" d="M4 6h3"/><path class="g" d="M4 2h3"/>"#
        );
    }

    #[test]
    fn an_outage_has_a_foot_so_that_it_is_seen_without_colour() {
        for status in Status::ALL {
            assert_eq!(marks(&[span(status, false)]).contains(r#"class="f""#), status.is_down());
        }
    }
}
