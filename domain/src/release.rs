//! Which version of an API runs where, as its own answers name it, and since when.

use crate::{CheckId, InstanceId, OperationId, Outcome, fold::Fold};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// So many answers in a row must name another version before it counts: while one replaces the other, a gateway asks both
/// in turn, and each answer would be a release.
const IN_A_ROW: u8 = 3;

/// Longer ones are no version that a reader could tell from another.
const MAX_LENGTH: usize = 64;

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
    fold.put_release(release);
}

impl Release {
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
