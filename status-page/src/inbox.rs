//! What people and carriers tell us goes into the store's inbox, or they are told at once that it does not.

use crate::Site;
use domain::Told;
use std::time::Duration;
use store::InboxId;
use tokio::time::timeout;

/// Nobody waits longer for the store: it may be locked, or its server hang.
const PATIENCE: Duration = domain::TOLD_WITHIN;

impl Site {
    /// Keeps it, and says so to the recorder. `None`: it is not kept, as far as we know; what the store does after we have
    /// stopped waiting nobody knows.
    pub(crate) async fn keep(&self, told: &Told) -> Option<InboxId> {
        match timeout(PATIENCE, self.0.store.tell(told)).await {
            Ok(Ok(id)) => {
                self.0.options.told.notify_one();
                Some(id)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "what was told us could not be kept: who told us is asked to tell it again");
                None
            }
            Err(_) => {
                tracing::error!(
                    "what was told us was not kept within {} s: who told us is asked to tell it again",
                    PATIENCE.as_secs()
                );
                None
            }
        }
    }
}
