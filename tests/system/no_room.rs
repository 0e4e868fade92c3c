//! History that is over waits while the database has no room, whatever was to become of it: sealed, rolled up or let go of.
//! Probing and paging do not wait for it.

use crate::{
    outage::all_well,
    program::{Place, now, world, zone},
    unrecorded::{full_while, mend, no_room, place, until_asked, until_text},
};
use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, TrackId, VantageId, Verdict};
use jiff::{SignedDuration, Timestamp};
use std::{fs, time::Duration};
use store::{Sample, Simulated, Store, Stretch};

/// Instead of half a minute and a minute.
const SOON: &[&str] = &["--unrecorded-after", "4", "--history-every", "1"];

/// What is to be done with what is there, and cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Seal,
    RollUp,
    LetGo,
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_that_cannot_be_sealed_wait_and_probing_does_not() {
    waits(To::Seal, "seal an hour").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_cannot_be_rolled_up_wait_and_probing_does_not() {
    waits(To::RollUp, "roll a day up").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_let_go_of_stays_and_probing_does_not_wait() {
    waits(To::LetGo, "let go of what is kept no more").await;
}

/// Its tables are made at a start, and brought up to date.
#[cfg(debug_assertions)]
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_for_which_there_is_no_room_refuses_the_start_until_there_is() {
    let world = world().await;
    let place = place(&world);
    let full = full_while(&place);
    fs::write(&full, "").expect("written");
    let switch = ["--database-full", full.to_str().expect("a path")];
    let serve = ["serve", "--listen", "127.0.0.1:0", "--listen-internal", "127.0.0.1:0"];
    let refused = place.run(&[&switch as &[&str], &serve].concat()).await;
    assert_eq!(refused.code, Some(74), "{refused:?}");
    let words = "could not bring the database up to date: no room on the database's disk\nmake some\n";
    assert!(refused.err.ends_with(words), "{refused:?}");
    fs::remove_file(&full).expect("room");
    let mut program = place.serve_as(SOON, &[("CURIAD_DATABASE_FULL", full.as_os_str())]);
    all_well(&mut program).await;
    assert!(program.terminate().await.success());
    world.stop().await;
}

fn gone() -> TrackId {
    let api = ApiId::parse("identity").expect("an id");
    let instance = InstanceId { api, environment: Environment::Production };
    let check = CheckId { instance, operation: OperationId::parse("status").expect("an id") };
    TrackId { check, vantage: VantageId::parse("gone").expect("an id") }
}

/// Has the database hold a sealed hour of a day that is over, and one of long ago; how many samples.
async fn sealed(place: &Place) -> u64 {
    let hours = [50, 100 * 24].map(|ago| {
        let hour = (now() - SignedDuration::from_hours(ago)).as_second().div_euclid(3_600);
        let sample = |second: i64| Sample {
            at: Timestamp::from_second(hour * 3_600 + second).expect("a time"),
            verdict: Verdict::Pass,
            warm: false,
            total: Duration::from_millis(20),
        };
        (gone(), (0..360).map(|number| sample(number * 10)).collect::<Vec<_>>())
    });
    let samples = hours.iter().map(|(_, samples)| samples.len() as u64).sum();
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    let (from, until) = (now() - SignedDuration::from_hours(101 * 24), now());
    let stretch = Stretch { hours: hours.into(), ..Stretch::default() };
    store.import(&stretch, until, Simulated { from, until, through: until }).await.expect("put in");
    store.close().await;
    samples
}

/// All that is measured of production is kept, or what the program keeps by itself.
fn keep(place: &Place, all: bool) {
    let file = place.config().join("curiad.yaml");
    let text = fs::read_to_string(&file).expect("a configuration");
    let forever = "    retention: { samples: forever, hours: forever }\n";
    let text = if all {
        text.replace("  production:\n", &format!("  production:\n{forever}"))
    } else {
        text.replace(forever, "")
    };
    place.write("curiad.yaml", &text);
}

async fn waits(to: To, doing: &str) {
    let world = world().await;
    let place = place(&world);
    let mut there = 0;
    if to == To::LetGo {
        keep(&place, true);
        there = sealed(&place).await;
    }
    let mut program = place.serve_as(SOON, &[]);
    all_well(&mut program).await;
    if to == To::LetGo {
        let rolled_up = || async { verified(&place).await["days"].as_u64() == Some(2) };
        program.wait(rolled_up, "its days to be rolled up").await;
    }
    let trouble = no_room(&place, &program).await.expect("no room");
    match to {
        To::Seal => there = crate::crash_points::story::old_hours(&place).await as u64,
        To::RollUp => there = sealed(&place).await,
        To::LetGo => keep(&place, false),
    }
    let said = || async {
        let log = fs::read_to_string(place.log()).expect("a log");
        log.lines().any(|line| {
            line.contains("the history that is over could not be looked after") && line.contains(doing)
        })
    };
    program.wait(said, "it says that there is no room").await;
    until_asked(&world, 20).await;
    until_text(&world, "Curiad CANNOT RECORD since").await;
    mend(trouble).await;
    let looked_after = || async {
        // One part is sealed and rolled up, of the other only sums are kept.
        verified(&place).await["days"].as_u64() >= Some(2)
            && place.run(&["history", "prune", "--json", "--dry-run"]).await.json()["environments"]
                == serde_json::json!({})
    };
    program.wait(looked_after, "it is sealed, rolled up and let go of").await;
    all_well(&mut program).await;
    assert!(program.terminate().await.success());
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    let ever = now() - SignedDuration::from_hours(24 * 120)..now();
    let days = store.rollups(&[gone().check], Some(&gone().vantage), ever, &zone()).await.expect("days");
    assert_eq!(days[0].sum(..).samples(), there, "nothing is lost, nothing doubled");
    store.close().await;
    world.stop().await;
}

/// What `history verify` says, which must find nothing wrong.
async fn verified(place: &Place) -> serde_json::Value {
    let ran = place.run(&["history", "verify", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.json()
}
