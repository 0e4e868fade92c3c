//! Incidents on pages: as blocks, as a list, and one by one with its posts.

use crate::{
    Audience, IncidentView, Month, Page, WordsError,
    when::When,
    wording::{Link, Shape, Wording},
};
use domain::{Cause, Incident, IncidentStatus, InstanceId, Post, PostSays, Status, Ticket};
use jiff::Timestamp;
use serde::Serialize;
use std::cmp::Reverse;

/// Months that the list links to; those before are reached from month to month.
const MAX_MONTHS: usize = 24;
/// Incidents that a month's page shows.
const MAX_OF_MONTH: usize = 200;

/// An incident with its newest post.
#[derive(Debug, Serialize)]
pub(crate) struct Block {
    pub(crate) id: String,
    pub(crate) title: Link,
    pub(crate) shape: Shape,
    pub(crate) status: String,
    pub(crate) started: When,
    pub(crate) ended: Option<When>,
    pub(crate) lasted: Option<String>,
    pub(crate) post: Option<PostLine>,
    /// For the internal audience.
    pub(crate) priority: Option<String>,
    pub(crate) major: bool,
}

/// One post.
#[derive(Debug, Serialize)]
pub(crate) struct PostLine {
    pub(crate) at: When,
    pub(crate) text: String,
}

/// The list: open ones, then those that are over.
#[derive(Debug, Serialize)]
pub(crate) struct Incidents {
    open: Vec<Block>,
    over: Vec<Block>,
    months: Vec<Link>,
}

/// Those that began in one month, the newest first.
#[derive(Debug, Serialize)]
pub(crate) struct OfMonth {
    pub(crate) title: String,
    blocks: Vec<Block>,
    /// As many are not shown.
    more: usize,
    before: Option<Link>,
    next: Option<Link>,
    all: Link,
}

/// One incident's page.
#[derive(Debug, Serialize)]
pub(crate) struct OneIncident {
    block: Block,
    /// What was said once it was over, in order.
    review: Vec<PostLine>,
    posts: Vec<PostLine>,
    affects: Vec<Place>,
    held_back: Vec<Place>,
    diagnosis: Option<String>,
    advice: Option<String>,
    desk: Option<Desk>,
}

/// An instance that an incident troubles.
#[derive(Debug, Serialize)]
struct Place {
    name: Link,
    environment: String,
    now: Shape,
}

/// What only the internal audience sees.
#[derive(Debug, Serialize)]
struct Desk {
    cause: String,
    ticket: Option<String>,
    confirmed: bool,
    acknowledged: Option<(String, When)>,
    weight: String,
    why_major: Option<String>,
    /// What humans said in place of the rules: of the priority, and that it is no major incident.
    set: Option<String>,
    not_major: Option<String>,
    callouts: usize,
    next: Option<When>,
    stopped: Option<String>,
    evidence: Vec<PostLine>,
    timeline: Vec<PostLine>,
}

/// An incident in short.
pub(crate) fn block(wording: &Wording<'_>, view: &IncidentView) -> Result<Block, WordsError> {
    let incident = &view.incident;
    let internal = wording.snapshot.audience == Audience::Internal;
    let ended = ended(incident);
    // Of one that came again, when it did.
    let since = if incident.is_open() { incident.failing_since() } else { incident.started_at };
    let lasted = if incident.is_open() {
        wording.duration(wording.snapshot.as_of.duration_since(since).unsigned_abs())?
    } else {
        in_all(wording, incident)?
    };
    Ok(Block {
        id: incident.id.to_string(),
        title: Link { href: wording.href(&Page::Incident(incident.id)), text: wording.incident_title(view)? },
        shape: wording.shape(wording.standing(view))?,
        status: wording.plain(match incident.status {
            IncidentStatus::Open => "incident-open",
            IncidentStatus::Acknowledged => "incident-acknowledged",
            IncidentStatus::Recovering => "incident-recovering",
            IncidentStatus::Resolved => "incident-resolved",
        })?,
        started: wording.short(since),
        ended: ended.map(|at| wording.short(at)),
        lasted: Some(lasted),
        post: incident
            .posts
            .last()
            .map(|post| {
                Ok::<_, WordsError>(PostLine { at: wording.short(post.at), text: wording.post(&post.says)? })
            })
            .transpose()?,
        priority: internal
            .then(|| domain::weighed((incident.priority, incident.short_weight(wording.language)))),
        major: incident.major.is_some(),
    })
}

/// When the trouble was over, once that is sure.
fn ended(incident: &Incident) -> Option<Timestamp> {
    incident.recovered_at.filter(|_| !incident.is_open()).or(incident.resolved_at)
}

/// How long it failed: each time it did, and not what was well in between.
fn in_all(wording: &Wording<'_>, incident: &Incident) -> Result<String, WordsError> {
    let epochs = incident.epochs();
    let now = wording.snapshot.as_of;
    let lasted = |epoch: &domain::Epoch| {
        let end = epoch.recovered_at.or(epoch.resolved_at).unwrap_or(now);
        end.duration_since(epoch.since).unsigned_abs()
    };
    let text = wording.duration(epochs.iter().map(lasted).sum())?;
    if epochs.len() == 1 {
        return Ok(text);
    }
    let count = i64::try_from(epochs.len()).unwrap_or(i64::MAX);
    let times = wording.say("me-times", &[("count", count.into())])?;
    wording.say("in-all", &[("text", text.into()), ("times", times.into())])
}

/// The same where its times stand alone, and so with their days.
fn with_days(wording: &Wording<'_>, view: &IncidentView) -> Result<Block, WordsError> {
    let (block, times) = (block(wording, view)?, wording.times());
    let ended = ended(&view.incident).map(|at| times.full(at));
    let lasted = Some(in_all(wording, &view.incident)?);
    Ok(Block { started: times.full(view.incident.started_at), ended, lasted, ..block })
}

/// All incidents in the snapshot.
pub(crate) fn incidents(wording: &Wording<'_>) -> Result<Incidents, WordsError> {
    let blocks = |open: bool| -> Result<Vec<Block>, WordsError> {
        wording
            .snapshot
            .incidents
            .iter()
            .filter(|view| view.incident.is_open() == open)
            .map(|view| block(wording, view))
            .collect()
    };
    let (first, last) = months(wording);
    let back =
        std::iter::successors(Some(last), |month| Some(month.before()).filter(|month| *month >= first));
    let months = back.take(MAX_MONTHS).map(|month| link(wording, month)).collect();
    Ok(Incidents { open: blocks(true)?, over: blocks(false)?, months })
}

/// The first and the last month of which something can be said.
fn months(wording: &Wording<'_>) -> (Month, Month) {
    let snapshot = wording.snapshot;
    let of = |at| Month::of(at, &snapshot.site.time_zone);
    let last = of(snapshot.as_of);
    (snapshot.first_incident_at.map_or(last, of).min(last), last)
}

fn link(wording: &Wording<'_>, month: Month) -> Link {
    Link { href: wording.href(&Page::Month(month)), text: month.name(wording.language) }
}

/// Incidents of one month; `None`: it is not over the first and the last of which something can be said.
pub(crate) fn of_month(wording: &Wording<'_>, month: Month) -> Result<Option<OfMonth>, WordsError> {
    let (first, last) = months(wording);
    if !(first..=last).contains(&month) {
        return Ok(None);
    }
    let zone = &wording.snapshot.site.time_zone;
    let mut all: Vec<&IncidentView> = wording
        .snapshot
        .incidents
        .iter()
        .filter(|view| Month::of(view.incident.started_at, zone) == month)
        .collect();
    all.sort_by_key(|view| Reverse((view.incident.started_at, view.incident.id)));
    let blocks: Vec<Block> =
        all.iter().take(MAX_OF_MONTH).map(|view| with_days(wording, view)).collect::<Result<_, _>>()?;
    Ok(Some(OfMonth {
        title: wording.say("month-title", &[("name", month.name(wording.language).into())])?,
        more: all.len().saturating_sub(blocks.len()),
        blocks,
        before: (month > first).then(|| link(wording, month.before())),
        next: (month < last).then(|| link(wording, month.next())),
        all: Link { href: wording.href(&Page::Incidents), text: wording.plain("months-all")? },
    }))
}

/// What users should do while it is not over: what was last said of that, else what the rules make of how it stands.
fn advice(wording: &Wording<'_>, view: &IncidentView) -> Result<Option<String>, WordsError> {
    let incident = &view.incident;
    let said = incident.posts.iter().rev().find_map(|post| match &post.says {
        PostSays::Phrases(phrases) => phrases.advice,
        PostSays::Investigating { .. }
        | PostSays::Acknowledged
        | PostSays::Recovered
        | PostSays::Returned { .. }
        | PostSays::Resolved
        | PostSays::Words(_) => None,
    });
    match said.filter(|_| matches!(incident.status, IncidentStatus::Open | IncidentStatus::Acknowledged)) {
        Some(said) => crate::phrased::advice(wording.words, wording.language, said).map(Some),
        None => advice_of(wording, incident, incident.status, wording.standing(view)),
    }
}

/// What users should do about an incident that stands like this.
fn advice_of(
    wording: &Wording<'_>,
    incident: &Incident,
    stage: IncidentStatus,
    status: Status,
) -> Result<Option<String>, WordsError> {
    let key = match (&incident.cause, stage) {
        (_, IncidentStatus::Resolved)
        | (
            Cause::Rota(_)
            | Cause::Behind(_)
            | Cause::Ahead(_)
            | Cause::Burn(_)
            | Cause::Alert(_)
            | Cause::Test(_),
            _,
        ) => {
            return Ok(None);
        }
        (_, IncidentStatus::Recovering) => "advice-recovering",
        (Cause::Token(_), _) => "advice-token",
        (Cause::Certificate(_), _) => "advice-certificate",
        (Cause::Gateway(_) | Cause::Storm(_), _) => "advice-down",
        (Cause::Refused(_) | Cause::Blind(_), _) => "advice-unknown",
        (Cause::Instance(_), _) => match status {
            Status::MajorOutage => "advice-down",
            Status::PartialOutage => "advice-partly",
            Status::Degraded => "advice-slow",
            Status::Operational | Status::Maintenance | Status::Unknown => "advice-unknown",
        },
    };
    wording.plain(key).map(Some)
}

/// One incident.
pub(crate) fn one_incident(wording: &Wording<'_>, view: &IncidentView) -> Result<OneIncident, WordsError> {
    let incident = &view.incident;
    let places = |ids: &[InstanceId]| -> Result<Vec<Place>, WordsError> {
        ids.iter()
            .filter_map(|id| wording.snapshot.instance(id))
            .map(|instance| {
                Ok(Place {
                    name: Link {
                        href: wording.href(&Page::Api(instance.id.api.clone())),
                        text: wording.name(&instance.id).to_owned(),
                    },
                    environment: wording.environment(instance.id.environment)?,
                    now: wording.shape(instance.shown)?,
                })
            })
            .collect()
    };
    // Whatever is held back is affected, too: where all are, they are its whole trouble.
    let own: Vec<InstanceId> =
        view.affects.iter().filter(|id| !view.held_back.contains(id)).cloned().collect();
    let (affects, held_back) =
        if own.is_empty() { (&view.affects, &Vec::new()) } else { (&own, &view.held_back) };
    let lines = |posts: &[Post]| -> Result<Vec<PostLine>, WordsError> {
        let line =
            |post: &Post| Ok(PostLine { at: wording.times().full(post.at), text: wording.post(&post.says)? });
        posts.iter().map(line).collect()
    };
    let over = |post: &Post| incident.resolved_at.is_some_and(|at| at < post.at);
    let (before, after) = incident.posts.split_at(incident.posts.partition_point(|post| !over(post)));
    let mut posts = lines(before)?;
    posts.reverse();
    Ok(OneIncident {
        block: with_days(wording, view)?,
        review: lines(after)?,
        posts,
        affects: places(affects)?,
        held_back: places(held_back)?,
        diagnosis: diagnosis(wording, view)?,
        advice: advice(wording, view)?,
        desk: (wording.snapshot.audience == Audience::Internal).then(|| desk(wording, view)),
    })
}

/// What is known of it, as far as the audience may know.
fn diagnosis(wording: &Wording<'_>, view: &IncidentView) -> Result<Option<String>, WordsError> {
    let own = wording.text(&view.incident.diagnosis);
    match view.incident.layer {
        _ if view.whole && !own.is_empty() => Ok(Some(own.to_owned())),
        Some(layer) => wording.layer(layer).map(Some),
        None => Ok(None),
    }
}

/// What was said of an incident, the newest first; where nothing was yet: that it was opened, and what is known.
pub(crate) fn updates(
    wording: &Wording<'_>,
    view: &IncidentView,
) -> Result<Vec<(Timestamp, String)>, WordsError> {
    let incident = &view.incident;
    if incident.posts.is_empty() {
        return Ok(vec![(incident.opened_at, diagnosis(wording, view)?.unwrap_or_default())]);
    }
    incident.posts.iter().rev().map(|post| Ok((post.at, alone(wording, incident, &post.says)?))).collect()
}

/// A post for who reads it by itself, without the page: with what to do.
pub(crate) fn alone(
    wording: &Wording<'_>,
    incident: &Incident,
    says: &PostSays,
) -> Result<String, WordsError> {
    let post = wording.post(says)?;
    let PostSays::Investigating { status, .. } = says else { return Ok(post) };
    let advice = advice_of(wording, incident, IncidentStatus::Open, *status)?;
    Ok(advice.map_or(post.clone(), |advice| format!("{post} {advice}")))
}

fn desk(wording: &Wording<'_>, view: &IncidentView) -> Desk {
    let incident = &view.incident;
    let line = |at, text| PostLine { at: wording.times().exact(at), text };
    let (ticket, confirmed) = match &incident.ticket {
        Ticket::None => (None, false),
        Ticket::Asked { desk, .. } => (Some(desk.to_string()), false),
        Ticket::Raised { number, .. } => (Some(number.clone()), true),
    };
    let escalation = incident.escalation.as_ref();
    Desk {
        cause: incident.cause.to_string(),
        ticket,
        confirmed,
        acknowledged: incident.acknowledged.as_ref().map(|by| (by.by.clone(), wording.short(by.at))),
        why_major: incident
            .major
            .as_ref()
            .map(|major| if major.proposed { format!("proposed: {}", major.why) } else { major.why.clone() }),
        weight: incident.weight(wording.language),
        set: incident.rank.set.as_ref().map(|set| format!("{}: {}", set.by, set.why)),
        not_major: incident.not_major().map(|said| format!("{}: {}", said.by, said.why)),
        callouts: escalation.map_or(0, |running| running.callouts.len()),
        next: escalation.and_then(|running| running.next_at).map(|at| wording.times().exact(at)),
        stopped: escalation.and_then(|running| running.stopped.clone()),
        evidence: incident.evidence.iter().map(|said| line(said.at, said.words())).collect(),
        timeline: incident.timeline.iter().map(|entry| line(entry.at, entry.text.clone())).collect(),
    }
}
