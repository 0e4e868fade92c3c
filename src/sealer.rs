//! Seals the hours that are over, a few tracks at a time, so that recording never waits long for it.

use alerting::Away;
use domain::Clock;
use jiff::SignedDuration;
use std::time::Duration;
use store::{Error, Store};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// An hour is left alone for so long after its end: what is late by less is never sealed twice.
const REST: SignedDuration = SignedDuration::from_hours(2);
/// Whether an hour is to be sealed is looked at this often.
const LOOK: Duration = Duration::from_secs(60);
/// Between two steps, so that whoever records comes in between.
const PAUSE: Duration = Duration::from_millis(200);
/// A step that takes longer is followed by one of fewer tracks.
const LONG: Duration = Duration::from_millis(20);
/// Tracks of one step, at most.
const TRACKS: u32 = 32;

/// Seals until `stop`; a step that is under way then is ended first. An error is tried again, and said when it begins.
pub(crate) async fn run(store: Store, clock: Clock, stop: CancellationToken) {
    let (mut tracks, mut away) = (TRACKS / 4, Away::default());
    let (mut hours, mut samples) = (0_u64, 0_u64);
    while !stop.is_cancelled() {
        let began = Instant::now();
        let pause = match store.seal(clock.now() - REST, tracks).await {
            Ok(sealed) if sealed.tracks > 0 => {
                away.answered();
                hours += u64::from(sealed.tracks);
                samples += sealed.samples;
                tracks = if began.elapsed() > LONG { tracks.div_ceil(2) } else { (tracks + 1).min(TRACKS) };
                PAUSE
            }
            Ok(_) => {
                away.answered();
                if samples > 0 {
                    tracing::info!(samples, blocks = hours, "sealed the hours that are over");
                    (hours, samples) = (0, 0);
                }
                LOOK
            }
            // Another program records: who keeps the lease, or who records, ends this one.
            Err(Error::Fenced) => return stop.cancelled().await,
            Err(error) => {
                if away.failed().is_some() {
                    tracing::warn!(%error, "could not seal the hours that are over; they stay as they are");
                }
                LOOK
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(pause) => {}
        }
    }
}
