//! Which version of an API runs where, as its own answers name it, and since when.

use crate::{
    Cause, CheckId, Entry, InstanceId, Language, OperationId, Outcome, duration_words, fold::Fold, telling,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// So many answers in a row must name another version before it counts: while one replaces the other, a gateway asks both
/// in turn, and each answer would be a release.
const IN_A_ROW: u8 = 3;

/// Longer ones are no version that a reader could tell from another.
const MAX_LENGTH: usize = 64;

/// What began to run so long before trouble, or less, may be why.
const SUSPECT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A version of an API began to run in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Where.
    pub instance: InstanceId,
    /// As the API names it, at most 64 characters.
    pub version: String,
    /// The version before it. `None`: it is the first that was seen, and may have run for long before `since`.
    pub before: Option<String>,
    /// The first answer that named it.
    pub since: Timestamp,
    /// Whose answers name it: operations may name different things.
    pub operation: OperationId,
}

/// A version that is named by the newest answers, and not often enough yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coming {
    version: String,
    since: Timestamp,
    operation: OperationId,
    times: u8,
}

/// What the outcome of a check that is configured says of the version; it is newer than all of the check's before it.
pub(crate) fn heard(fold: &mut Fold, outcome: &Outcome) {
    let named = outcome.health.as_ref().and_then(|health| health.version.as_deref());
    let Some(version) = named.map(short).filter(|version| !version.is_empty()) else {
        return;
    };
    let (instance, operation) = (&outcome.check.instance, &outcome.check.operation);
    let known = fold.after.releases.get(instance).cloned();
    if let Some(known) = &known {
        if known.operation != *operation && fold.after.configuration.checks.contains_key(&known.check()) {
            return;
        }
        if known.version == version {
            fold.after.coming.remove_mut(instance);
            return;
        }
    }
    let coming = fold.after.coming.get(instance).filter(|coming| {
        coming.version == version && coming.operation == *operation && coming.since <= outcome.at
    });
    let coming = Coming {
        version: version.to_owned(),
        since: coming.map_or(outcome.at, |coming| coming.since),
        operation: operation.clone(),
        times: coming.map_or(1, |coming| coming.times + 1),
    };
    if known.is_some() && coming.times < IN_A_ROW {
        fold.after.coming.insert_mut(instance.clone(), coming);
        return;
    }
    fold.after.coming.remove_mut(instance);
    let release = Arc::new(Release {
        instance: instance.clone(),
        version: coming.version,
        before: known.map(|known| known.version.clone()),
        since: coming.since,
        operation: coming.operation,
    });
    fold.put_release(Arc::clone(&release));
    told_of(fold, &release);
}

/// Whoever looks into open trouble hears of a version that is known only now, or that was put in since.
fn told_of(fold: &mut Fold, release: &Release) {
    let known = fold.after.open_incident(&Cause::Instance(release.instance.clone()));
    let Some(mut incident) = known.map(|incident| (**incident).clone()) else {
        return;
    };
    if let Some(Entry { at, text }) = release.beside(incident.failing_since()) {
        let text = format!("Since {}: {text}.", fold.time(at));
        incident.note(fold.now, text.clone());
        telling::work_note(fold, &mut incident, text);
        fold.put_incident(incident);
    }
}

impl Release {
    /// What is to be said of it beside trouble that `began` then: `version 2.3.1 runs, 11 min before the trouble began (it
    /// was 2.3.0)`. `None`: it had run for more than a day, or perhaps for ever.
    pub(crate) fn beside(&self, began: Timestamp) -> Option<Entry> {
        let before = self.before.as_ref()?;
        let lead = began.duration_since(self.since);
        if lead > SUSPECT_FOR {
            return None;
        }
        let (apart, side) = if lead.is_negative() { (-lead, "after") } else { (lead, "before") };
        let apart = duration_words(apart, Language::En);
        let version = &self.version;
        let text = format!("version {version} runs, {apart} {side} the trouble began (it was {before})");
        Some(Entry { at: self.since, text })
    }

    /// The check whose answers name it.
    pub fn check(&self) -> CheckId {
        CheckId { instance: self.instance.clone(), operation: self.operation.clone() }
    }
}

/// Its first characters.
fn short(version: &str) -> &str {
    let end = version.char_indices().nth(MAX_LENGTH).map_or(version.len(), |(end, _)| end);
    version.get(..end).unwrap_or_default().trim()
}

/// What left the configuration runs no version.
pub(crate) fn left(fold: &mut Fold, is_configured: impl Fn(&InstanceId) -> bool) {
    let gone: Vec<InstanceId> = fold.after.releases.keys().filter(|id| !is_configured(id)).cloned().collect();
    for instance in gone {
        fold.after.releases.remove_mut(&instance);
        fold.after.coming.remove_mut(&instance);
    }
}
