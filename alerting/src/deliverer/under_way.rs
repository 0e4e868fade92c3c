//! What is being sent by this program. A clock that was put forward ends every lease at once: what is still under way here would
//! be claimed again, and sent beside itself.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The keys of what is being sent.
#[derive(Debug, Clone, Default)]
pub struct UnderWay(Arc<Mutex<BTreeSet<String>>>);

/// It is under way for as long as this is kept.
#[derive(Debug)]
pub(super) struct Begun(UnderWay, String);

impl UnderWay {
    /// `None`: it is under way already.
    pub(super) fn begin(&self, key: &str) -> Option<Begun> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.to_owned()).then(|| Begun(self.clone(), key.to_owned()))
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_again_when_it_has_ended() {
        let under_way = UnderWay::default();
        let begun = under_way.begin("C-1/told");
        assert!(begun.is_some() && under_way.begin("C-1/told").is_none());
        assert!(under_way.begin("C-1/told-over").is_some());
        drop(begun);
        assert!(under_way.begin("C-1/told").is_some());
    }
}
