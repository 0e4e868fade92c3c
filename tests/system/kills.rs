//! `kill -9` at any moment: no status change without its notifications, no ticket twice, nothing doubled.
//! Moments between those that have names: at these, `crash_points.rs` kills.

use crate::{
    database::{On, on_both},
    examine::{look, one_ticket_an_incident},
    outage::{all_well, place_on},
    program::{PATIENCE, json, now, world},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use simulator::Fault;
use std::time::Duration;
use store::Store;
use tokio::time::sleep;

/// On a file, whose fate hangs on how it is written; a server outlives its clients' ends by itself.
const KILLS: u32 = 100;
const KILLS_BESIDE_A_SERVER: u32 = 40;
/// What may be lost when the program is killed: a batch not yet committed, and what a busy machine adds to it.
const LAST_FRACTION: SignedDuration = SignedDuration::from_secs(3);

/// Moments spread over what the program does: a start, a probe, a commit, a send; the same in every run.
fn moment(kill: u32) -> Duration {
    Duration::from_millis(u64::from(kill * 2_654_435_761_u32.rem_euclid(9_973) % 900))
}

on_both!(kills_lose_nothing_and_double_nothing);

async fn kills_lose_nothing_and_double_nothing(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let url = place.url.clone();
    let mut measured = 0;
    let kills = if on == On::Sqlite { KILLS } else { KILLS_BESIDE_A_SERVER };
    for kill in 0..kills {
        // Trouble comes and goes, so that there is always something to lose.
        let fault = if kill % 12 < 7 { Fault::Refuse } else { Fault::None };
        world.set_fault("results", "production", fault).await.expect("a fault");
        let started_at = now();
        let mut program = place.serve();
        let log_before = std::fs::metadata(place.log()).map_or(0, |log| log.len());
        // Wait on a state — it has begun to record — and then for a moment of its own.
        let recording = || std::fs::metadata(place.log()).is_ok_and(|log| log.len() > log_before);
        let limit = tokio::time::Instant::now() + PATIENCE;
        while kill % 4 != 0 && !recording() && tokio::time::Instant::now() < limit {
            sleep(Duration::from_millis(5)).await;
        }
        if kill % 10 == 9 {
            // What is then lost was lost by this kill, not by many before the first commit.
            program.ready().await;
            let url = program.internal("/api/v1/status");
            let kept = || async {
                let status = json(&url).await;
                let checked = |instance: &Value| {
                    instance["checked_at"]
                        .as_str()
                        .and_then(|at| at.parse().ok())
                        .is_some_and(|at: Timestamp| at >= started_at)
                };
                status["instances"].as_array().is_some_and(|all| all.iter().any(checked))
            };
            program.wait(kept, "something of this run to be recorded").await;
        }
        sleep(moment(kill)).await;
        let killed_at = now();
        program.kill();
        if kill % 10 == 9 {
            let store = Store::open(&url, [0; 32]).await.expect("the database is whole");
            look(&store).await;
            let remembered =
                store.remember(killed_at - SignedDuration::from_hours(24)).await.expect("remembered");
            // What the world was last asked is what was last measured: all but the last fraction of it is kept,
            // also when this run was killed before it asked anything.
            let asked = world.instances().into_iter().filter_map(|instance| instance.asked_at).max();
            let kept = remembered.latest.iter().map(|(_, at, _)| *at).max();
            let lost = asked.zip(kept).map(|(asked, kept)| asked.duration_since(kept));
            assert!(lost.is_none_or(|lost| lost <= LAST_FRACTION), "kill {kill} lost {lost:?}");
            measured += usize::from(lost.is_some());
            store.close().await;
        }
    }
    assert!(measured > 0, "no look found anything measured");

    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    let mut program = place.serve();
    program.ready().await;
    world
        .wait_for(PATIENCE, |world| (!world.desk().tickets().is_empty()).then_some(()))
        .await
        .expect("a ticket");
    world.set_fault("results", "production", Fault::None).await.expect("no fault");
    all_well(&mut program).await;
    let url_of_incidents = program.internal("/api/v1/incidents");
    program
        .wait(
            || async {
                let all = json(&url_of_incidents).await;
                all.as_array().is_some_and(|all| all.iter().all(|incident| incident["status"] == "resolved"))
            },
            "every incident to end",
        )
        .await;
    assert!(program.terminate().await.success());
    let store = Store::open(&url, [0; 32]).await.expect("the database is whole");
    look(&store).await;
    store.close().await;
    one_ticket_an_incident(&world);
    world.stop().await;
}
