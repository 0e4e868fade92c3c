//! An API that asks to be left alone is left alone, within bounds.

use crate::{
    running::{LONG, Running, quick},
    servers::{Server, head},
    setting::{failed, internet},
};
use domain::{FailureKind::*, Layer, TrackId, Wanted};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

async fn says(status: &'static str, seconds: u32) -> Server {
    Server::start(move |mut stream| async move {
        head(&mut stream).await;
        let answer = format!("HTTP/1.1 {status}\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.ok();
    })
    .await
}

#[tokio::test]
async fn a_refusal_that_asks_for_time_gets_it_and_what_is_left_out_is_counted() {
    let refuses = says("429 Too Many Requests", 60).await;
    let mut running = Running::with(crate::setting::settings(), vec![quick("ping", &refuses.url())], 64);
    assert_eq!(failed(&running.next().await), Some((Layer::Gateway, RateLimited)));
    let limit = Instant::now() + LONG;
    while running.prober.metrics().beats_paused() < 5 {
        assert!(Instant::now() < limit, "{}", running.prober.metrics().beats_paused());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(refuses.accepted(), 1, "nothing more was sent");
    assert_eq!(running.prober.metrics().beats_skipped(), 0);
    running.stop.cancel();
}

#[tokio::test]
async fn what_is_wanted_out_of_turn_waits_for_its_end_too_and_is_not_lost() {
    let busy = says("503 Service Unavailable", 1).await;
    let check = domain::Check { every: Duration::from_hours(24 * 365), ..quick("ping", &busy.url()) };
    let track = TrackId { check: check.id.clone(), vantage: internet() };
    let mut running = Running::with(crate::setting::settings(), vec![check], 64);
    let now = running.clock.now();
    running.wanted.send(Wanted { at: now, track: track.clone() }).await.unwrap();
    let first = running.next().await;
    assert_eq!(first.retry_after, Some(Duration::from_secs(1)));
    running.wanted.send(Wanted { at: running.clock.now(), track }).await.unwrap();
    let second = running.next().await;
    assert!(second.confirm, "it was wanted to confirm");
    let between = second.at.duration_since(first.at).unsigned_abs();
    // Counted from the end of the first, so never less.
    assert!(between >= Duration::from_secs(1), "{between:?}");
    running.stop.cancel();
}
