//! The dead-man heartbeat: while Curiad says it is well, somebody outside hears of it; silence calls humans.

use crate::{Away, DeadMan, Lasting, answer::Answer};
use std::time::Duration;
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Beats are never closer together.
const SHORTEST: Duration = Duration::from_millis(10);
/// A beat that has no answer by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Beats until `stop`, but only while `well`: the recorder commits, and every open major incident has a next action.
///
/// A beat that fails is not repeated: the next one is due soon, and the other side counts misses.
pub async fn heartbeat(
    settings: &DeadMan,
    client: &reqwest::Client,
    well: watch::Receiver<bool>,
    stop: CancellationToken,
) {
    // An interval of nothing would be a flood (and a panic).
    let mut beat = tokio::time::interval(settings.every.max(SHORTEST));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut withheld = Away::default();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = beat.tick() => {}
        }
        // Who would say that we are well may itself be gone.
        if !*well.borrow() || well.has_changed().is_err() {
            if let Some(Lasting { lasted, times }) = withheld.failed() {
                tracing::warn!(?lasted, times, "not well: the dead-man heartbeat is withheld");
            }
            continue;
        }
        if let Some(Lasting { lasted, times }) = withheld.answered() {
            tracing::info!(?lasted, times, "well again: the dead-man heartbeat goes on");
        }
        let request = client.get(settings.url.reveal()).timeout(settings.every.min(PATIENCE));
        let answered = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            answered = Answer::to(request, "the dead-man's other side") => answered,
        };
        match answered {
            Ok(answer) if answer.status.is_success() => tracing::debug!("beat"),
            Ok(answer) => {
                tracing::warn!(status = %answer.status, "the dead-man's other side refuses our heartbeat");
            }
            Err(error) => tracing::warn!(%error, "the dead-man heartbeat did not arrive"),
        }
    }
}
