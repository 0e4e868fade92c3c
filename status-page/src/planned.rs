//! Planned work on pages.

use crate::{
    Page, Planned, WordsError,
    when::When,
    wording::{Link, Wording},
};
use domain::{ApiId, Environment, PlannedWork, Situation};
use jiff::Timestamp;
use serde::Serialize;

/// Planned work that begins within so many hours stands on the front page: what comes again and again, and what was announced.
const SOON_HOURS: i64 = 24;
const ANNOUNCED_HOURS: i64 = 7 * 24;

/// Stretches of planned work that are listed for one window.
const PLANNED_AHEAD: usize = 5;

/// One stretch.
#[derive(Debug, Serialize)]
pub(crate) struct PlannedLine {
    environment: Link,
    api: Option<Link>,
    why: String,
    from: When,
    to: When,
    /// It is on now.
    running: bool,
}

/// The page of planned work.
#[derive(Debug, Serialize)]
pub(crate) struct Maintenance {
    /// What it is to availability.
    lead: String,
    planned: Vec<PlannedLine>,
}

/// Builds the page's view.
pub(crate) fn maintenance(wording: &Wording<'_>) -> Result<Maintenance, WordsError> {
    let lead = wording.plain(match wording.snapshot.policy.maintenance {
        PlannedWork::Excluded => "maintenance-lead",
        PlannedWork::Counted => "maintenance-lead-counted",
    })?;
    Ok(Maintenance { lead, planned: planned(wording, None)? })
}

/// Planned work in these environments that runs at `now` or is to come, the nearest first.
pub(crate) fn ahead(situation: &Situation, environments: &[Environment], now: Timestamp) -> Vec<Planned> {
    let configuration = &situation.configuration;
    let zone = &configuration.site.time_zone;
    let mut planned = Vec::new();
    for environment in environments {
        for window in configuration.policy(*environment).map_or(&[][..], |policy| &policy.maintenance) {
            let running = window.covering(now, zone);
            planned.extend(running.map(|(from, to)| Planned {
                environment: *environment,
                api: None,
                announced_at: None,
                from,
                to,
                why: window.why.clone(),
            }));
            let mut after = now;
            for _ in 0..PLANNED_AHEAD {
                let Some(from) = window.cron.next(after, zone) else {
                    break;
                };
                planned.extend(from.checked_add(window.lasts).map(|to| Planned {
                    environment: *environment,
                    api: None,
                    announced_at: None,
                    from,
                    to,
                    why: window.why.clone(),
                }));
                after = from;
            }
        }
    }
    let announced = situation.maintenances.values().filter(|one| {
        let of_none = |api: &ApiId| {
            configuration.apis.get(api).is_none_or(|api| !api.instances.contains_key(&one.environment))
        };
        now < one.until && environments.contains(&one.environment) && !one.api.as_ref().is_some_and(of_none)
    });
    planned.extend(announced.map(|one| Planned {
        environment: one.environment,
        api: one.api.clone(),
        announced_at: Some(one.announced_at),
        from: one.from,
        to: one.until,
        why: one.why.clone(),
    }));
    planned.sort_by(|a, b| (a.from, a.environment, &a.api).cmp(&(b.from, b.environment, &b.api)));
    planned
}

/// Each with a name that it keeps when it ends otherwise or for another reason.
pub(crate) fn identified(planned: &[Planned]) -> impl Iterator<Item = (String, &Planned)> {
    let mut before: Option<(Environment, Option<&ApiId>, Timestamp)> = None;
    // Of those that begin at once in one place, and so stand one after another.
    let mut number = 0;
    planned.iter().map(move |planned| {
        let this = (planned.environment, planned.api.as_ref(), planned.from);
        number = if before == Some(this) { number + 1 } else { 0 };
        before = Some(this);
        let from = planned.from.strftime("%Y%m%dT%H%M%SZ");
        let api = planned.api.as_ref().map(|api| format!("-{api}")).unwrap_or_default();
        (format!("{}{api}-{from}-{number}", planned.environment), planned)
    })
}

fn line(wording: &Wording<'_>, stretch: &Planned) -> Result<PlannedLine, WordsError> {
    Ok(PlannedLine {
        environment: Link {
            href: wording.href(&Page::Environment(stretch.environment)),
            text: wording.environment(stretch.environment)?,
        },
        api: stretch.api.as_ref().map(|api| Link {
            href: wording.href(&Page::Api(api.clone())),
            text: wording
                .snapshot
                .api(api)
                .map_or_else(|| api.to_string(), |view| wording.text(&view.api.name).to_owned()),
        }),
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

/// What is on now, and what begins soon: once an environment and reason.
pub(crate) fn running_or_next(wording: &Wording<'_>) -> Result<Vec<PlannedLine>, WordsError> {
    let mut near: Vec<&Planned> = Vec::new();
    for stretch in &wording.snapshot.planned {
        let within = if stretch.announced_at.is_some() { ANNOUNCED_HOURS } else { SOON_HOURS };
        let soon = stretch.from.duration_since(wording.snapshot.as_of).as_hours() < within;
        let again = near.iter().any(|other| {
            other.environment == stretch.environment && other.api == stretch.api && other.why == stretch.why
        });
        if soon && !again {
            near.push(stretch);
        }
    }
    near.into_iter().map(|stretch| line(wording, stretch)).collect()
}
