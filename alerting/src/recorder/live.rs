//! Recording as it comes.

use super::{LONGEST_BATCH, REMEMBERED_FOR, TICK, overlay::Overlay};
use domain::Situation;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// Recording as it comes.
pub(super) struct Live {
    /// As it is recorded.
    pub(super) situation: Situation,
    /// What comes.
    pub(super) overlay: Overlay,
    /// When the inbox is read again, and time looked at.
    pub(super) inbox_at: Instant,
    pub(super) due_at: Instant,
}

impl Live {
    /// The overlay is recorded: it is the situation now.
    pub(super) fn goes_on(&mut self, mut situation: Situation, now: Timestamp) {
        situation.forget(now - REMEMBERED_FOR);
        self.due_at = self.due_at.min(Instant::now() + until_due(&situation, now));
        self.overlay = Overlay::new(&situation);
        self.situation = situation;
    }

    /// When to look again: something is due, or a batch has waited long enough.
    pub(super) fn wake(&self) -> Instant {
        let batch = self.overlay.is_worth_committing().then(|| self.overlay.began + LONGEST_BATCH);
        batch.map_or(self.due_at, |batch| batch.min(self.due_at))
    }
}

/// What is due and was not done by the last look cannot be done now: it is tried again a tick later, not at once.
pub(super) fn until_due(situation: &Situation, now: Timestamp) -> Duration {
    let next = situation.next_action_at(now).map(|at| at.duration_since(now));
    next.filter(SignedDuration::is_positive)
        .map_or(TICK, |next| Duration::try_from(next).unwrap_or(TICK).min(TICK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::example;
    use std::sync::Arc;

    #[test]
    fn what_is_due_and_cannot_be_done_is_tried_a_tick_later() {
        let remembered = domain::Remembered {
            tracks: Vec::new(),
            latest: Vec::new(),
            healths: Vec::new(),
            changes: Vec::new(),
            releases: Vec::new(),
            incidents: vec![example::incident()],
            silences: Vec::new(),
            maintenances: Vec::new(),
            overrides: Vec::new(),
            proofs: Vec::new(),
            last_incident: 42,
            last_silence: 0,
            last_maintenance: 0,
            last_override: 0,
            key: domain::ReferenceKey([7; 32]),
        };
        let situation = Situation::new(Arc::new(example::configuration()), remembered);
        let due = situation.next_action_at(example::at("02:20:00")).unwrap();
        assert_eq!(until_due(&situation, due + SignedDuration::from_mins(5)), TICK);
        assert_eq!(until_due(&situation, due), TICK);
        let soon = SignedDuration::from_millis(300);
        assert_eq!(until_due(&situation, due - soon), Duration::from_millis(300));
    }
}
