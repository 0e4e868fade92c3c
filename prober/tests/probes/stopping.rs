//! The end of all probing: what journeys made is cleaned up.

use crate::{
    journeys::{booked, booking, lines, serves},
    running::Running,
    setting::{failed, internet, message, settings},
};
use domain::{FailureKind, Layer, TrackId, Wanted};
use prober::Limits;
use std::time::Duration;

#[tokio::test]
async fn a_journey_breaks_off_its_steps_and_cleans_up() {
    let (server, mut heard) = serves(|line| match line {
        // It hangs.
        "GET /Appointment/booked-88" => None,
        line => Some(booked(line)),
    })
    .await;
    let mut check = booking(&server.url());
    (check.every, check.timeout) = (Duration::from_secs(300), Duration::from_secs(120));
    let mut hasty = settings();
    // What it makes is cleaned up in its own time, which no grace of others cuts short.
    hasty.limits = Limits { grace: Duration::ZERO, ..Limits::default() };
    let track = TrackId { check: check.id.clone(), vantage: internet() };
    let mut running = Running::with(hasty, vec![check], 16);
    running.wanted.send(Wanted { at: running.clock.now(), track }).await.unwrap();
    let mut seen = Vec::new();
    while !seen.iter().any(|line| line == "GET /Appointment/booked-88") {
        seen.extend(lines(&mut heard));
        tokio::task::yield_now().await;
    }
    running.stop.cancel();
    let outcome = running.next().await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, FailureKind::ProbeBroke)));
    assert_eq!(message(&outcome), "step 'read': broken off: Curiad was told to stop");
    seen.extend(lines(&mut heard));
    assert_eq!(seen.last().unwrap(), "POST /Appointment/booked-88/$cancel");
}
