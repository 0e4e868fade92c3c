//! The sentence of truth: what works or does not, where, since when.

use crate::{
    InstanceView, Snapshot, WordsError,
    past::rank,
    wording::{Shape, Wording},
};
use domain::{Environment, Status};
use serde::Serialize;

/// The largest line of the front page, and a line for every other environment that is not well.
#[derive(Debug, Serialize)]
pub(crate) struct Sentence {
    /// Its shape.
    pub(crate) shape: Shape,
    /// The line itself.
    pub(crate) text: String,
    /// What follows from it, in small type.
    pub(crate) more: Option<String>,
    /// Other environments that are not well.
    pub(crate) elsewhere: Vec<Elsewhere>,
}

/// Another environment in one line.
#[derive(Debug, Serialize)]
pub(crate) struct Elsewhere {
    /// Its worst status.
    pub(crate) shape: Shape,
    /// The line.
    pub(crate) text: String,
}

/// Builds the sentence from what is measured.
pub(crate) fn sentence(wording: &Wording<'_>) -> Result<Sentence, WordsError> {
    let snapshot = wording.snapshot;
    if snapshot.instances().all(|instance| instance.checked_at.is_none() && instance.since.is_none()) {
        let more = if snapshot.apis.is_empty() {
            wording.plain("sentence-no-apis-more")?
        } else {
            let since = wording.times().short(snapshot.started_at).words;
            wording.say("sentence-nothing-yet-more", &[("since", since.into())])?
        };
        return line(wording, Status::Unknown, wording.plain("sentence-nothing-yet")?, Some(more));
    }
    if let Some(since) = snapshot.unrecorded_since {
        let since = wording.times().short(since).words;
        return line(
            wording,
            Status::Unknown,
            wording.say("sentence-unrecorded", &[("since", since.into())])?,
            Some(wording.plain("sentence-unrecorded-more")?),
        );
    }
    if snapshot.stale {
        let since = snapshot.heard_at.map(|at| wording.times().short(at).words).unwrap_or_default();
        return line(
            wording,
            Status::Unknown,
            wording.say("sentence-stale", &[("since", since.into())])?,
            Some(wording.plain("sentence-stale-more")?),
        );
    }
    let Some((first, rest)) = snapshot.environments.split_first() else {
        return line(wording, Status::Unknown, wording.plain("sentence-nothing-yet")?, None);
    };
    let (status, text) = of_environment(wording, *first)?;
    let mut sentence = line(wording, status, text, None)?;
    for environment in rest {
        let (status, text) = of_environment(wording, *environment)?;
        if status.is_trouble() {
            sentence.elsewhere.push(Elsewhere { shape: wording.shape(status)?, text });
        }
    }
    if sentence.elsewhere.is_empty() && status == Status::Operational && everywhere(snapshot) {
        let count = i64::try_from(snapshot.apis.len()).unwrap_or(i64::MAX);
        sentence.text = wording.say("sentence-all-everywhere", &[("count", count.into())])?;
    }
    Ok(sentence)
}

fn everywhere(snapshot: &Snapshot) -> bool {
    snapshot.environments.len() > 1
        && snapshot.instances().all(|instance| instance.shown == Status::Operational)
}

fn line(
    wording: &Wording<'_>,
    status: Status,
    text: String,
    more: Option<String>,
) -> Result<Sentence, WordsError> {
    Ok(Sentence { shape: wording.shape(status)?, text, more, elsewhere: Vec::new() })
}

/// One environment's line: about its worst instances, by name when it is only one; and how many others are not well.
pub(crate) fn of_environment(
    wording: &Wording<'_>,
    environment: Environment,
) -> Result<(Status, String), WordsError> {
    let here: Vec<&InstanceView> =
        wording.snapshot.instances().filter(|instance| instance.id.environment == environment).collect();
    let place = wording.within(environment)?;
    let worst = here
        .iter()
        .map(|instance| instance.shown)
        .min_by_key(|status| rank(*status))
        .unwrap_or(Status::Unknown);
    let such: Vec<&InstanceView> = here.iter().copied().filter(|instance| instance.shown == worst).collect();
    // All of them have been so since the last of them became so.
    let since = such.iter().filter_map(|instance| instance.since).max();
    let since = since.map(|at| wording.times().short(at).words).unwrap_or_default();
    let counts = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let (one, many, every) = match worst {
        Status::Operational => ("sentence-all-one", "sentence-all", "sentence-all"),
        Status::Degraded => ("sentence-one-degraded", "sentence-many-degraded", "sentence-every-degraded"),
        Status::PartialOutage => {
            ("sentence-one-partial-outage", "sentence-many-partial-outage", "sentence-every-partial-outage")
        }
        Status::MajorOutage => {
            ("sentence-one-major-outage", "sentence-many-major-outage", "sentence-every-major-outage")
        }
        Status::Maintenance => {
            ("sentence-one-maintenance", "sentence-many-maintenance", "sentence-every-maintenance")
        }
        Status::Unknown => ("sentence-one-unknown", "sentence-many-unknown", "sentence-every-unknown"),
    };
    let text = match such.as_slice() {
        [only] => wording.say(
            one,
            &[("name", wording.name(&only.id).into()), ("place", place.into()), ("since", since.into())],
        )?,
        _ => wording.say(
            if such.len() == here.len() { every } else { many },
            &[
                ("count", counts(such.len()).into()),
                ("all", counts(here.len()).into()),
                ("place", place.into()),
                ("since", since.into()),
            ],
        )?,
    };
    let others = |which: fn(Status) -> bool| {
        here.iter().filter(|instance| instance.shown != worst && which(instance.shown)).count()
    };
    let mut text = text;
    for (key, count) in [
        ("sentence-and-trouble", others(Status::is_trouble)),
        ("sentence-and-unknown", others(|status| status == Status::Unknown)),
    ] {
        if count > 0 {
            text = format!("{text}; {}", wording.say(key, &[("count", counts(count).into())])?);
        }
    }
    Ok((worst, text))
}
