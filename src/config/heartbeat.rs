//! `heartbeat: { every, cron, grace, address }`: nothing is sent, a scheduled job calls us.

use super::{
    operation::Timing,
    problem::{Place, Rank},
    reading::Reading,
    section::Section,
    tree::Node,
};
use domain::{Cron, Heartbeat, Rhythm};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// Reads what is awaited of a job.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Heartbeat> {
    let mut section = Section::open(node, "a heartbeat", reading)?;
    let every = section.optional("every", reading);
    let cron = section.optional("cron", reading);
    let grace = section
        .required("grace", reading)
        .and_then(|node| reading.duration(node, "a heartbeat's grace", SECOND..=HOUR * 168));
    let address = section
        .optional("address", reading)
        .map_or(Some(1), |node| reading.number(node, "an address", 1..=1_000_000));
    let misspelt = section.misspells(&["every", "cron"]);
    section.close(reading);
    let rhythm = match (every, cron) {
        (Some(node), None) => {
            let every = reading.duration(node, "a job's interval", SECOND * 10..=HOUR * 744);
            every.map(Rhythm::Every)
        }
        (None, Some(node)) => {
            let cron = reading.parsed(node, "a cron expression", Cron::parse);
            cron.map(|cron| Rhythm::At(Box::new(cron), reading.zone.clone()))
        }
        (Some(_), Some(node)) => {
            let message = "either 'every' or 'cron', not both";
            reading.problems.error(Rank::Sense, &node.owner, message, None);
            None
        }
        (None, None) => {
            if !misspelt {
                let message = "a heartbeat needs one of the keys 'every', 'cron'";
                reading.problems.error(Rank::Missing, &node.place, message, None);
            }
            None
        }
    };
    Some(Heartbeat { rhythm: rhythm?, grace: grace?, address: address? })
}

/// Says which keys of an operation have no meaning for what is heard: it is neither timed nor asked.
pub(super) fn refuse(timing: &Timing, auth: Option<&Place>, reading: &mut Reading<'_>) {
    let place = |setting: &Option<super::operation::Placed<Duration>>| {
        setting.as_ref().map(|placed| placed.place.clone())
    };
    let timed =
        [("every", place(&timing.every)), ("slow", place(&timing.slow)), ("timeout", place(&timing.timeout))];
    for (key, place) in timed.into_iter().chain([("auth", auth.cloned())]) {
        let Some(place) = place else { continue };
        let hint = (key == "every").then(|| "write it under 'heartbeat', with its 'grace'".to_owned());
        let message = format!("'{key}' does not go with 'heartbeat': nothing is sent");
        reading.problems.error(Rank::Sense, &place, message, hint);
    }
}
