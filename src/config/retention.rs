//! How long history is kept.

use super::{problem::Rank, reading::Reading, section::Section, tree::Node};
use domain::{Keep, Retention};

/// Sealing, rolling up and every view of the last days need them.
const LEAST: u32 = 7;
/// More is meant to be for ever.
const MOST: u32 = 36_600;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Retention {
    let mut retention = Retention::default();
    let Some(mut section) = Section::open(node, "retention", reading) else { return retention };
    let Retention { samples, hours, days, failures } = &mut retention;
    for (key, value) in [("samples", samples), ("hours", hours), ("days", days), ("failures", failures)] {
        let node = section.optional(key, reading);
        if let Some(keep) = node.and_then(|node| reading.parsed(node, "how long it is kept", keep)) {
            *value = keep;
        }
    }
    let place = section.place().clone();
    section.close(reading);
    for (longer, finer, coarser, at_least) in [
        ("hours", "samples", retention.hours, retention.samples),
        ("days", "hours", retention.days, retention.hours),
    ] {
        if length(coarser) < length(at_least) {
            let message =
                format!("'{longer}' are kept for less long than '{finer}', which are made into them");
            reading.problems.error(Rank::Sense, &place, message, None);
        }
    }
    retention
}

const fn length(keep: Keep) -> u32 {
    match keep {
        Keep::Days(days) => days,
        Keep::Forever => u32::MAX,
    }
}

fn keep(text: &str) -> Result<Keep, String> {
    if text == "forever" {
        return Ok(Keep::Forever);
    }
    let wrong = || format!("'{text}' is none of: 90d, 25 months, 3 years, forever");
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let days = match unit.trim_start() {
        "d" | "days" => Some(number),
        // The longest that so many may be.
        "months" => number.checked_mul(61).map(|halves| halves.div_ceil(2)),
        "years" => number.checked_mul(366),
        _ => return Err(wrong()),
    };
    match days {
        Some(days) if (LEAST..=MOST).contains(&days) => Ok(Keep::Days(days)),
        _ => Err(format!("history is kept for {LEAST}d to 100 years, or forever, not for {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_days_months_years_or_for_ever() {
        for (text, expected) in [
            ("90d", Keep::Days(90)),
            ("7 days", Keep::Days(7)),
            ("25 months", Keep::Days(763)),
            ("2 years", Keep::Days(732)),
            ("forever", Keep::Forever),
        ] {
            assert_eq!(keep(text), Ok(expected), "{text}");
        }
        for wrong in ["", "90", "d", "6d", "90 h", "101 years", "-1d", "99999999999d", "4294967295 years"] {
            assert!(keep(wrong).is_err(), "{wrong}");
        }
    }
}
