//! The pages of one API and of one environment.

use crate::{
    ApiView, InstanceView, Page, WordsError,
    incidents::{Block, block},
    instance::{FullInstance, full},
    measuring,
    numbers::policy,
    planned::{PlannedLine, planned},
    sentence::of_environment,
    when::{When, day},
    wording::{Bars, Link, Shape, Wording},
};
use domain::{Deprecation, Environment, Lifecycle, ServiceLevel, Tally};
use jiff::Timestamp;
use serde::Serialize;

/// One API.
#[derive(Debug, Serialize)]
pub(crate) struct OneApi {
    name: String,
    description: String,
    facts: Vec<(String, String)>,
    documentation: Option<String>,
    depends_on: Vec<Parent>,
    instances: Vec<FullInstance>,
    open: Vec<Block>,
    over: Vec<Block>,
}

/// An API that this one depends on: by environment where they differ, else once.
#[derive(Debug, Serialize)]
struct Parent {
    name: Link,
    now: Vec<(Shape, Option<String>)>,
}

/// One environment.
#[derive(Debug, Serialize)]
pub(crate) struct OneEnvironment {
    name: String,
    about: String,
    shape: Shape,
    sentence: String,
    rows: Vec<Line>,
    /// By what availability is counted.
    policy: Link,
    open: Vec<Block>,
    planned: Vec<PlannedLine>,
}

/// An API in one environment.
#[derive(Debug, Serialize)]
struct Line {
    name: Link,
    shape: Shape,
    under: Option<String>,
    since: Option<When>,
    until: Option<When>,
    strip: Bars,
    availability: Option<String>,
    /// The share that was measured, in words.
    measured: Option<String>,
    checked: Option<When>,
}

/// Incidents of an API that are over and stand on its page.
const OVER: usize = 10;

/// Builds an API's view.
pub(crate) fn one_api(wording: &Wording<'_>, view: &ApiView) -> Result<OneApi, WordsError> {
    let about = |open: bool| {
        wording.snapshot.incidents.iter().filter(move |incident| {
            incident.incident.is_open() == open
                && incident.affects.iter().chain(&incident.held_back).any(|id| id.api == view.api.id)
        })
    };
    let mut facts = vec![
        (
            wording.plain("fact-level")?,
            wording.plain(match view.api.service_level {
                ServiceLevel::Critical => "level-critical",
                ServiceLevel::Standard => "level-standard",
            })?,
        ),
        (
            wording.plain("fact-lifecycle")?,
            wording.plain(match view.api.lifecycle {
                Lifecycle::Alpha => "lifecycle-alpha",
                Lifecycle::Beta => "lifecycle-beta",
                Lifecycle::Stable => "lifecycle-stable",
                Lifecycle::Legacy => "lifecycle-legacy",
                Lifecycle::Deprecated => "lifecycle-deprecated",
                Lifecycle::Retired => "lifecycle-retired",
            })?,
        ),
        (wording.plain("fact-kind")?, wording.kind(view.api.kind)?),
    ];
    if let Some(goes) = deprecation(view) {
        let date = |at: Timestamp| {
            day(wording.language, at.to_zoned(wording.snapshot.site.time_zone.clone()).date())
        };
        if let Some(since) = goes.since {
            facts.push((wording.plain("fact-deprecated")?, date(since)));
        }
        if let Some(sunset) = goes.sunset {
            facts.push((wording.plain("fact-sunset")?, date(sunset)));
        }
    }
    if let Some(team) = &view.team {
        facts.push((wording.plain("fact-team")?, wording.text(team).to_owned()));
    }
    if let Some(hours) = &view.supported {
        facts.push((wording.plain("fact-hours")?, measuring::in_words(wording, hours)?));
    }
    if let Some(objective) = view.objective {
        facts.push((wording.plain("fact-objective")?, measuring::promised(wording, "promised", objective)?));
    }
    Ok(OneApi {
        name: wording.text(&view.api.name).to_owned(),
        description: wording.text(&view.api.description).to_owned(),
        facts,
        documentation: view.api.documentation.clone(),
        depends_on: view
            .depends_on
            .iter()
            .filter_map(|id| wording.snapshot.api(id))
            .map(|parent| parent_line(wording, parent, view))
            .collect::<Result<_, _>>()?,
        instances: view.instances.iter().map(|instance| full(wording, instance)).collect::<Result<_, _>>()?,
        open: about(true).map(|incident| block(wording, incident)).collect::<Result<_, _>>()?,
        over: about(false).take(OVER).map(|incident| block(wording, incident)).collect::<Result<_, _>>()?,
    })
}

/// What the API's own answers say of its end: in production, or where it is not, in the first environment that says so.
fn deprecation(view: &ApiView) -> Option<Deprecation> {
    let operations = view.instances.iter().flat_map(|instance| &instance.operations);
    let mut tracks = operations.flat_map(|operation| &operation.tracks);
    tracks.find_map(|track| track.seen.as_ref()?.deprecation.as_deref().copied())
}

/// A parent, in the environments in which the child is too.
fn parent_line(wording: &Wording<'_>, parent: &ApiView, child: &ApiView) -> Result<Parent, WordsError> {
    let with_child = |instance: &&InstanceView| {
        child.instances.iter().any(|one| one.id.environment == instance.id.environment)
    };
    let instances: Vec<&InstanceView> =
        parent.instances.iter().map(AsRef::as_ref).filter(with_child).collect();
    let alike = instances.windows(2).all(|two| matches!(two, [a, b] if a.shown == b.shown));
    let now = instances.into_iter().take(if alike { 1 } else { usize::MAX }).map(|instance| {
        let environment = (!alike).then(|| wording.environment(instance.id.environment)).transpose()?;
        Ok((wording.shape(instance.shown)?, environment))
    });
    Ok(Parent {
        name: Link {
            href: wording.href(&Page::Api(parent.api.id.clone())),
            text: wording.text(&parent.api.name).to_owned(),
        },
        now: now.collect::<Result<_, WordsError>>()?,
    })
}

/// Builds an environment's view.
pub(crate) fn one_environment(
    wording: &Wording<'_>,
    environment: Environment,
) -> Result<OneEnvironment, WordsError> {
    let snapshot = wording.snapshot;
    let here = |instance: &&InstanceView| instance.id.environment == environment;
    let mut instances: Vec<&InstanceView> = snapshot.instances().filter(here).collect();
    instances.sort_by_key(|instance| crate::past::rank(instance.shown));
    let (status, sentence) = of_environment(wording, environment)?;
    Ok(OneEnvironment {
        name: wording.environment(environment)?,
        about: wording.plain(match environment {
            Environment::Sandbox => "about-sandbox",
            Environment::Development => "about-development",
            Environment::Sit => "about-sit",
            Environment::Uat => "about-uat",
            Environment::Production => "about-production",
        })?,
        shape: wording.shape(status)?,
        sentence,
        rows: instances.into_iter().map(|instance| line(wording, instance)).collect::<Result<_, _>>()?,
        policy: policy(wording)?,
        open: snapshot
            .open_incidents()
            .filter(|view| view.incident.environment == environment)
            .map(|view| block(wording, view))
            .collect::<Result<_, _>>()?,
        planned: planned(wording, Some(environment))?,
    })
}

fn line(wording: &Wording<'_>, instance: &InstanceView) -> Result<Line, WordsError> {
    let quarter = instance.past.as_ref().map(|past| &past.last_quarter);
    let share = |tally: &Tally| measuring::share(wording, tally.coverage());
    Ok(Line {
        name: Link {
            href: wording.href(&Page::Api(instance.id.api.clone())),
            text: wording.name(&instance.id).to_owned(),
        },
        shape: wording.shape(instance.shown)?,
        under: crate::front::under(wording, instance)?,
        since: crate::front::since(wording, instance),
        until: crate::front::until(wording, instance),
        strip: wording.strip(instance)?,
        availability: quarter
            .and_then(|tally| wording.snapshot.policy.availability(tally))
            .map(crate::when::percent),
        measured: quarter
            .map(|tally| wording.say("measured-share", &[("share", share(tally)?.into())]))
            .transpose()?,
        checked: instance.checked_at.map(|at| wording.times().second(at)),
    })
}
