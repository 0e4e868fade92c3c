//! History that is over waits while the database has no room; probing and recording do not wait for it.

use crate::{
    outage::all_well,
    program::{now, world},
    unrecorded::{SOON, mend, no_room, place, until_asked},
};
use jiff::SignedDuration;
use std::{fs, time::Duration};
use store::Store;

/// The history that is over is looked at once a minute.
const LOOKED_AT: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn history_that_is_over_waits_for_room_and_probing_does_not() {
    let world = world().await;
    let place = place(&world);
    let mut program = place.serve_as(SOON, &[]);
    all_well(&mut program).await;
    let trouble = no_room(&place, &program).await.expect("no room");
    let old = crate::crash_points::story::old_hours(&place).await;
    let said = || async {
        let log = fs::read_to_string(place.log()).expect("a log");
        log.contains("the history that is over could not be looked after")
    };
    program.wait_within(LOOKED_AT, said, "it says that there is no room").await;
    until_asked(&world, 20).await;
    mend(trouble).await;
    let sealed = || async {
        let ran = place.run(&["history", "verify", "--json"]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let said = ran.json();
        // One part is sealed and rolled up, of the other only sums are kept.
        said["days"].as_u64() >= Some(2)
            && place.run(&["history", "prune", "--json", "--dry-run"]).await.json()["environments"]
                == serde_json::json!({})
    };
    program.wait_within(LOOKED_AT, sealed, "it is sealed, rolled up and let go of").await;
    all_well(&mut program).await;
    assert!(program.terminate().await.success());
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    let mut tracks = store.tracks().await.expect("tracks").into_iter();
    let check = tracks.find(|track| track.vantage.as_str() == "gone").expect("the old hours").check;
    let days = store
        .rollups(
            &[check],
            None,
            now() - SignedDuration::from_hours(24 * 120)..now(),
            &jiff::tz::TimeZone::UTC,
        )
        .await
        .expect("days");
    assert!(days[0].sum(..).expect("a sum").samples() >= old as u64, "nothing is lost");
    world.stop().await;
}
