//! Trouble on our own side, and what a journey left behind, said in the log: at once, and then once a minute for as long as
//! it lasts.

use domain::{CheckId, Failure, FailureKind, Layer};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How often one kind of trouble is said.
const ONCE_IN: Duration = Duration::from_secs(60);

/// What was said when, and how many probes it has cost since.
#[derive(Debug, Default)]
pub(crate) struct Complaints(Mutex<HashMap<(About, FailureKind), (Instant, u64)>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum About {
    Ours,
    CleanUp,
}

impl Complaints {
    /// Says that a probe came to nothing for a reason of our own, if that was not said lately.
    pub(crate) fn hear(&self, failure: &Failure) {
        if failure.layer != Layer::Ours {
            return;
        }
        if let Some(probes) = self.due((About::Ours, failure.kind), Instant::now()) {
            tracing::warn!(
                kind = failure.kind.word(),
                probes,
                "our own trouble, nothing known of the API: {}",
                failure.message
            );
        }
    }

    /// Says that a journey could not clean up, if that was not said lately.
    pub(crate) fn left_behind(&self, check: &CheckId, step: &str, failure: &Failure) {
        if let Some(probes) = self.due((About::CleanUp, failure.kind), Instant::now()) {
            tracing::warn!(
                %check,
                step,
                kind = failure.kind.word(),
                probes,
                "a journey could not clean up, something may be left behind: {}",
                failure.message
            );
        }
    }

    /// How many probes it has cost since it was last said, if it is to be said now.
    fn due(&self, kind: (About, FailureKind), now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((at, probes)) = said.get_mut(&kind) else {
            said.insert(kind, (now, 0));
            return Some(1);
        };
        *probes += 1;
        if now.duration_since(*at) < ONCE_IN {
            return None;
        }
        *at = now;
        Some(std::mem::take(probes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_said_once_a_minute_with_what_it_cost() {
        let complaints = Complaints::default();
        let start = Instant::now();
        let ours = |kind| (About::Ours, kind);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(complaints.due(ours(FailureKind::NoDescriptor), at(0)), Some(1));
        assert_eq!(complaints.due(ours(FailureKind::NoDescriptor), at(1)), None);
        assert_eq!(complaints.due(ours(FailureKind::NoMemory), at(1)), Some(1), "another trouble");
        let clean_up = (About::CleanUp, FailureKind::NoDescriptor);
        assert_eq!(complaints.due(clean_up, at(1)), Some(1), "said apart");
        assert_eq!(complaints.due(ours(FailureKind::NoDescriptor), at(59)), None);
        assert_eq!(complaints.due(ours(FailureKind::NoDescriptor), at(60)), Some(3));
        assert_eq!(complaints.due(ours(FailureKind::NoDescriptor), at(61)), None);
    }
}
