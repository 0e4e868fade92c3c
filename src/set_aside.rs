//! Looks at what the database refused for good: it is said until somebody has moved the file away.

use alerting::{count_set_aside, set_aside_in};
use status_page::SetAside;
use std::{path::PathBuf, time::Duration};
use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

/// How often it is looked at. The file is small, and mostly not there.
const LOOK: Duration = Duration::from_secs(5);

/// Looks at the file beside the `spool`, and says what stands in it.
pub(crate) async fn look(
    spool: PathBuf,
    seen: watch::Sender<SetAside>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        let beside = spool.clone();
        match spawn_blocking(move || count_set_aside(&beside)).await? {
            Ok(count) => {
                let file = set_aside_in(&spool).display().to_string();
                let now = SetAside { count, file };
                seen.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
            }
            Err(error) => tracing::debug!(%error, "what was set aside cannot be read"),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = sleep(LOOK) => {}
        }
    }
}
