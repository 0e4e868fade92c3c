//! Planned work on pages.

use crate::{
    Page, Planned, WordsError,
    when::When,
    wording::{Link, Wording},
};
use domain::Environment;
use serde::Serialize;

/// Planned work that begins within so many hours stands on the front page.
const SOON_HOURS: i64 = 24;

/// One stretch.
#[derive(Debug, Serialize)]
pub(crate) struct PlannedLine {
    environment: Link,
    why: String,
    from: When,
    to: When,
    /// It is on now.
    running: bool,
}

/// The page of planned work.
#[derive(Debug, Serialize)]
pub(crate) struct Maintenance {
    pub(crate) planned: Vec<PlannedLine>,
}

fn line(wording: &Wording<'_>, stretch: &Planned) -> Result<PlannedLine, WordsError> {
    Ok(PlannedLine {
        environment: Link {
            href: wording.href(&Page::Environment(stretch.environment)),
            text: wording.environment(stretch.environment)?,
        },
        why: wording.text(&stretch.why).to_owned(),
        from: wording.short(stretch.from),
        to: wording.short(stretch.to),
        running: stretch.from <= wording.snapshot.as_of,
    })
}

/// All stretches, or one environment's, the nearest first.
pub(crate) fn planned(
    wording: &Wording<'_>,
    environment: Option<Environment>,
) -> Result<Vec<PlannedLine>, WordsError> {
    wording
        .snapshot
        .planned
        .iter()
        .filter(|stretch| environment.is_none_or(|environment| stretch.environment == environment))
        .map(|stretch| line(wording, stretch))
        .collect()
}

/// What is on now, and what begins within a day: once an environment and reason.
pub(crate) fn running_or_next(wording: &Wording<'_>) -> Result<Vec<PlannedLine>, WordsError> {
    let mut near: Vec<&Planned> = Vec::new();
    for stretch in &wording.snapshot.planned {
        let soon = stretch.from.duration_since(wording.snapshot.as_of).as_hours() < SOON_HOURS;
        let again =
            near.iter().any(|other| other.environment == stretch.environment && other.why == stretch.why);
        if soon && !again {
            near.push(stretch);
        }
    }
    near.into_iter().map(|stretch| line(wording, stretch)).collect()
}
