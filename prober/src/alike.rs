//! What many checks have alike is kept once: ten thousand of them rarely go to ten thousand places, or ask in as many ways.

use std::{
    collections::HashSet,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// Those that are in use.
pub(crate) struct Alike<T>(Mutex<Known<T>>);

struct Known<T> {
    known: HashSet<Arc<T>>,
    /// With so many, those that nobody uses any more are forgotten.
    most: usize,
}

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Self(Mutex::new(Known { known: HashSet::new(), most: 64 }))
    }
}

impl<T: Eq + Hash> Alike<T> {
    /// The one that is equal, or this one.
    pub(crate) fn one(&self, value: T) -> Arc<T> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { known, most } = &mut *guard;
        if let Some(one) = known.get(&value) {
            return Arc::clone(one);
        }
        if known.len() >= *most {
            known.retain(|one| Arc::strong_count(one) > 1);
            *most = (2 * known.len()).max(64);
        }
        let one = Arc::new(value);
        known.insert(Arc::clone(&one));
        one
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
        for number in 0..1_000 {
            alike.one(number.to_string());
        }
        let known = alike.0.lock().unwrap();
        assert!(known.known.contains(&*kept));
        assert!(known.known.len() <= 64, "{}", known.known.len());
    }
}
