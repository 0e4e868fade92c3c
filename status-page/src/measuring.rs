//! How we measure: what counts as available, in words and as JSON, and the page that says so.

use crate::{
    WordsError, front,
    when::percent,
    wording::{Shape, Wording},
};
use domain::{AvailabilityPolicy, Degraded, Hours, Objective, PlannedWork, ServiceLevel, WeeklyWindow};
use jiff::civil::{Time, Weekday};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The page on how we measure.
#[derive(Debug, Serialize)]
pub(crate) struct Measuring {
    legend: Vec<Shape>,
    policy: String,
    /// What counts, a sentence each.
    counts: Vec<String>,
}

/// Builds the page's view.
pub(crate) fn measuring(wording: &Wording<'_>) -> Result<Measuring, WordsError> {
    Ok(Measuring { legend: front::legend(wording)?, policy: name(wording)?, counts: counts(wording)? })
}

/// What counts, a sentence each.
pub(crate) fn counts(wording: &Wording<'_>) -> Result<Vec<String>, WordsError> {
    let (policy, hours) = (&wording.snapshot.policy, wording.snapshot.supported.as_ref());
    let mut counts = vec![
        wording.plain("counting-share")?,
        wording.plain(match policy.degraded {
            Degraded::Up => "counting-degraded-up",
            Degraded::Down => "counting-degraded-down",
        })?,
        wording.plain(match policy.maintenance {
            PlannedWork::Excluded => "counting-maintenance-excluded",
            PlannedWork::Counted => "counting-maintenance-counted",
        })?,
        wording.plain("counting-unmeasured")?,
        match hours {
            Some(hours) => wording.say("counting-hours", &[("hours", in_words(wording, hours)?.into())])?,
            None => wording.plain("counting-no-hours")?,
        },
    ];
    for (level, key) in
        [(ServiceLevel::Critical, "counting-critical"), (ServiceLevel::Standard, "counting-standard")]
    {
        if let Some(objective) = policy.objective(level) {
            counts.push(promised(wording, key, objective)?);
        }
    }
    Ok(counts)
}

/// The policy's name and version.
pub(crate) fn name(wording: &Wording<'_>) -> Result<String, WordsError> {
    let policy = &wording.snapshot.policy;
    let version = policy.version.as_str().into();
    wording.say("policy-name", &[("name", wording.text(&policy.name).into()), ("version", version)])
}

/// A sentence with an objective's `$share` and `$days`.
pub(crate) fn promised(wording: &Wording<'_>, key: &str, objective: Objective) -> Result<String, WordsError> {
    let days = wording.say("days", &[("count", i64::from(objective.days()).into())])?;
    wording.say(key, &[("share", format!("{}%", objective.percent()).into()), ("days", days.into())])
}

/// A share in words, also of what was not measured.
pub(crate) fn share(wording: &Wording<'_>, share: Option<f64>) -> Result<String, WordsError> {
    share.map_or_else(|| wording.plain("not-measured"), |share| Ok(percent(share)))
}

/// Seconds in words.
pub(crate) fn seconds(wording: &Wording<'_>, seconds: f64) -> Result<String, WordsError> {
    wording.duration(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default())
}

/// Hours in words: `Monday–Friday 09:00–17:00, except bank holidays in England and Wales`.
pub(crate) fn in_words(wording: &Wording<'_>, hours: &Hours) -> Result<String, WordsError> {
    let windows = hours.weekly.iter().map(|window| {
        if is_always(window) {
            return wording.plain("hours-always");
        }
        let (from, to) = (clock(Some(window.from)), clock(window.to));
        Ok(format!("{} {from}–{to}", days(wording, &window.days)?))
    });
    let mut text = windows.collect::<Result<Vec<_>, _>>()?.join("; ");
    if hours.time_zone != wording.snapshot.site.time_zone {
        text = format!("{text} ({})", hours.time_zone.iana_name().unwrap_or("UTC"));
    }
    if hours.bank_holidays.is_some() {
        text = wording.say("hours-holidays", &[("hours", text.into())])?;
    }
    Ok(text)
}

fn is_always(window: &WeeklyWindow) -> bool {
    window.days.len() == 7 && window.from == Time::midnight() && window.to.is_none()
}

/// A time of day; none is the end of the day.
fn clock(time: Option<Time>) -> String {
    time.map_or_else(|| "24:00".to_owned(), |time| time.strftime("%H:%M").to_string())
}

/// `Monday–Friday, Sunday`: three or more in a row are from the first to the last.
fn days(wording: &Wording<'_>, days: &[Weekday]) -> Result<String, WordsError> {
    let name = |day: &Weekday| wording.plain(&format!("weekday-{}", day.to_monday_one_offset()));
    let runs = days.chunk_by(|day, next| day.next() == *next).map(|run| match run {
        [first, _, .., last] => Ok(vec![format!("{}–{}", name(first)?, name(last)?)]),
        few => few.iter().map(name).collect(),
    });
    Ok(runs.collect::<Result<Vec<Vec<_>>, _>>()?.concat().join(", "))
}

/// The policy as JSON, with the supported hours and the objective of one instance.
pub(crate) fn policy_json(
    policy: &AvailabilityPolicy,
    hours: Option<&Hours>,
    objective: Option<Objective>,
) -> Value {
    json!({
        "name": policy.name,
        "version": policy.version,
        "maintenance": policy.maintenance.word(),
        "degraded": policy.degraded.word(),
        "supported_hours": hours.map(|hours| json!({
            "time_zone": hours.time_zone.iana_name(),
            "weekly": hours.weekly.iter().map(|window| json!({
                "days": window.days.iter().map(|day| day.to_monday_one_offset()).collect::<Vec<_>>(),
                "from": clock(Some(window.from)),
                "to": clock(window.to),
            })).collect::<Vec<_>>(),
            "except_bank_holidays": hours.bank_holidays.is_some(),
        })),
        "objective": objective.map(|objective| json!({
            "share": objective.share(),
            "days": objective.days(),
        })),
    })
}
