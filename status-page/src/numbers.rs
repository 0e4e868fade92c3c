//! An instance's figures: availability with what was measured, the objective, response times; and by what they are counted.

use crate::{
    InstanceView, Page, WordsError, measuring,
    when::percent,
    wording::{Link, Wording},
};
use domain::{Objective, Tally};
use serde::Serialize;

/// A figure with what it is.
#[derive(Debug, Serialize)]
pub(crate) struct Number {
    what: String,
    value: String,
    more: Vec<String>,
}

/// The policy by which figures are counted, and where it is explained.
pub(crate) fn policy(wording: &Wording<'_>) -> Result<Link, WordsError> {
    let href = format!("{}#availability", wording.href(&Page::Measuring));
    Ok(Link { href, text: measuring::name(wording)? })
}

/// Availability in the last day and quarter, the objective, and how fast it answers.
pub(crate) fn numbers(wording: &Wording<'_>, instance: &InstanceView) -> Result<Vec<Number>, WordsError> {
    let Some(past) = instance.past.as_ref() else {
        return Ok(Vec::new());
    };
    let policy = &wording.snapshot.policy;
    let share = |share| measuring::share(wording, share);
    let measured = |tally: &Tally| share(tally.coverage());
    let mut numbers = Vec::new();
    let [day, quarter] = past.supported.map_or([None, None], |tallies| tallies.map(Some));
    for (key, tally, supported) in
        [("available-day", &past.last_day, day), ("available-quarter", &past.last_quarter, quarter)]
    {
        let mut more = vec![wording.say("measured-share", &[("share", measured(tally)?.into())])?];
        // On a Sunday there may have been none of them.
        if let Some(tally) = supported.filter(|tally| tally.total() > 0.0) {
            more.push(match policy.availability(&tally) {
                Some(available) => {
                    let (available, measured) = (percent(available), measured(&tally)?);
                    let args = [("available", available.into()), ("measured", measured.into())];
                    wording.say("supported-share", &args)?
                }
                None => wording.plain("supported-not-measured")?,
            });
        }
        numbers.push(Number { what: wording.plain(key)?, value: share(policy.availability(tally))?, more });
    }
    if let Some((objective, tally)) = &past.promised {
        numbers.push(promised(wording, *objective, tally)?);
    }
    if let Some(latency) = past.latency {
        numbers.push(Number {
            what: wording.plain("response-time")?,
            value: Wording::latency(latency.p50),
            more: vec![wording.say("response-time-more", &[("p95", Wording::latency(latency.p95).into())])?],
        });
    }
    Ok(numbers)
}

/// An objective, whether it is reached, and what may still be missed.
fn promised(wording: &Wording<'_>, objective: Objective, tally: &Tally) -> Result<Number, WordsError> {
    let policy = &wording.snapshot.policy;
    let mut more = Vec::new();
    if let (Some(available), Some(budget)) = (policy.availability(tally), policy.budget(objective, tally)) {
        let key = if available >= objective.share() { "objective-reached" } else { "objective-missed" };
        let measured = measuring::share(wording, tally.coverage())?;
        more.push(
            wording.say(key, &[("available", percent(available).into()), ("measured", measured.into())])?,
        );
        let (left, whole) =
            (measuring::seconds(wording, budget.left())?, measuring::seconds(wording, budget.whole)?);
        more.push(wording.say("objective-budget", &[("left", left.into()), ("whole", whole.into())])?);
    } else {
        more.push(wording.plain("not-measured")?);
    }
    Ok(Number {
        what: measuring::promised(wording, "objective-number", objective)?,
        value: format!("{}%", objective.percent()),
        more,
    })
}
