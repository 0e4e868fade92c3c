//! State that others watch: every change rings one bell, so that a test can wait for a state instead of sleeping.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// The bell that every change in the world rings.
#[derive(Debug, Clone)]
pub(crate) struct Bell(watch::Sender<u64>);

impl Bell {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(crate) fn ring(&self) {
        self.0.send_modify(|rung| *rung = rung.wrapping_add(1));
    }

    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// A value behind a lock whose changes ring the bell. The lock is never held across an await: both doors take plain closures.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    value: Arc<Mutex<T>>,
    bell: Bell,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), bell: self.bell.clone() }
    }
}

impl<T> Kept<T> {
    pub(crate) fn new(value: T, bell: &Bell) -> Self {
        Self { value: Arc::new(Mutex::new(value)), bell: bell.clone() }
    }

    pub(crate) fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        let answer = act(&mut self.value.lock().unwrap_or_else(PoisonError::into_inner));
        self.bell.ring();
        answer
    }
}
