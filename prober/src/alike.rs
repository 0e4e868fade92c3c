//! What many checks have alike is kept once: ten thousand of them rarely go to ten thousand places, or ask in as many ways.

use std::{
    collections::HashSet,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Those that are in use.
pub(crate) struct Alike<T>(Mutex<HashSet<Arc<T>>>);

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Eq + Hash> Alike<T> {
    fn known(&self) -> MutexGuard<'_, HashSet<Arc<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that is equal, or this one.
    pub(crate) fn one(&self, value: T) -> Arc<T> {
        let mut known = self.known();
        if let Some(one) = known.get(&value) {
            return Arc::clone(one);
        }
        let one = Arc::new(value);
        known.insert(Arc::clone(&one));
        one
    }

    /// Forgets what nobody uses any more: there may be a key in it that was changed.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.retain(|one| Arc::strong_count(one) > 1);
        known.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_is_one_and_what_nobody_uses_is_forgotten() {
        let alike = Alike::default();
        let kept = alike.one("kept".to_owned());
        assert!(Arc::ptr_eq(&kept, &alike.one("kept".to_owned())));
        drop(alike.one("gone".to_owned()));
        assert_eq!(alike.known().len(), 2);
        alike.forget();
        assert_eq!(alike.known().iter().collect::<Vec<_>>(), [&kept]);
    }
}
