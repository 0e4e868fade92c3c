//! The end of all probing: journeys break off their steps, and clean up in the time that each has for that.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What those in flight are told, and how many of them have something to clean up.
#[derive(Debug, Clone)]
pub(crate) struct Landing {
    stop: CancellationToken,
    cleaning: watch::Sender<usize>,
}

impl Default for Landing {
    fn default() -> Self {
        Self { stop: CancellationToken::new(), cleaning: watch::Sender::new(0) }
    }
}

/// One in flight that may have something to clean up; over when dropped.
pub(crate) struct Cleaning<'a>(&'a watch::Sender<usize>);

impl Landing {
    pub(crate) fn begins(&self) -> Cleaning<'_> {
        self.cleaning.send_modify(|count| *count += 1);
        Cleaning(&self.cleaning)
    }

    /// From now on no step begins.
    pub(crate) fn land(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn told(&self) {
        self.stop.cancelled().await;
    }

    pub(crate) fn is_told(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Until nobody has anything to clean up.
    pub(crate) async fn cleaned(&self) {
        // Whoever counts is here for as long as this waits.
        self.cleaning.subscribe().wait_for(|count| *count == 0).await.ok();
    }
}

impl Drop for Cleaning<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
