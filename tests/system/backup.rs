//! `curiad backup`: a copy while it is in use, which is a database like any other, or is not there.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on},
    program::{Place, json, now, world},
};
use jiff::SignedDuration;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Stdio, time::Duration};

fn beside(place: &Place, name: &str) -> PathBuf {
    place.directory.path().join(name)
}

/// What was measured of an API up to `to`.
fn history(to: jiff::Timestamp) -> String {
    format!("/api/v1/history?api=results&environment=production&to={to}")
}

/// Longer than any probe of these stories takes.
const IN_FLIGHT: SignedDuration = SignedDuration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_made_while_probing_went_on_is_restored_by_starting_from_it() {
    let world = world().await;
    let place = place_on(On::Sqlite, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    let (file, to) = (beside(&place, "copy.db"), now());
    let name = file.display().to_string();
    // What began by then is recorded before anything that began so much later.
    let later = format!("/api/v1/history?api=results&environment=production&from={}", to + IN_FLIGHT);
    let later = program.internal(&later);
    let recorded = || async { json(&later).await["samples"].as_u64() > Some(0) };
    program.wait(recorded, "what began later to be recorded").await;
    let ran = place.run(&["backup", &name]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("checked and whole"), "{ran:?}");
    assert_eq!(fs::metadata(&file).expect("the copy").permissions().mode() & 0o777, 0o600);
    assert!(!beside(&place, "copy.db.part").exists());
    let measured = json(&program.internal(&history(to))).await;
    assert!(measured["samples"].as_u64() > Some(0), "{measured}");
    // Probing goes on.
    all_well(&mut program).await;
    // A second one overwrites nothing.
    let before = fs::read(&file).expect("the copy");
    let ran = place.run(&["backup", &name]).await;
    assert_eq!(ran.code, Some(73), "{ran:?}");
    let said = format!(
        "curiad: {name} is there already, and a backup overwrites nothing\nname another file, or move that one away\n"
    );
    assert_eq!(ran.err, said);
    assert!(fs::read(&file).expect("the copy") == before);
    assert!(program.terminate().await.success());

    let restored = place_on(On::Sqlite, &world);
    fs::copy(&file, restored.database()).expect("restored");
    let mut program = restored.serve();
    program.ready().await;
    let read: Value = json(&program.internal(&history(to))).await;
    assert_eq!(read["samples"], measured["samples"], "{read}");
    assert_eq!(read["seconds"]["operational"], measured["seconds"]["operational"]);
    all_well(&mut program).await;
    assert!(program.terminate().await.success());
    world.stop().await;
}

#[cfg(debug_assertions)]
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_killed_leaves_nothing_that_looks_whole_and_the_next_begins_anew() {
    let world = world().await;
    let place = place_on(On::Sqlite, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    assert!(program.terminate().await.success());
    let file = beside(&place, "copy.db");
    let name = file.display().to_string();
    for _ in 0..crate::crash_points::times().max(5) {
        let mut command = place.command(&["backup", &name]);
        command.env("CURIAD_CRASH_AT", "backup/copied");
        let ended =
            tokio::task::spawn_blocking(move || command.status()).await.expect("joined").expect("run");
        assert!(!ended.success() && !file.exists());
        let part = beside(&place, "copy.db.part");
        assert!(part.exists(), "it was killed in the middle");
        let ran = place.run(&["--json", "backup", &name]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let said = ran.json();
        assert!(said["samples"].as_u64() > Some(0) && said["bytes"].as_u64() > Some(10_000), "{said}");
        assert!(file.exists() && !part.exists());
        fs::remove_file(&file).expect("removed");
    }
    world.stop().await;
}

/// A database of some megabytes.
async fn large(place: &Place) {
    let store = store::Store::open(&place.url, [1; 32]).await.expect("a database");
    let instance = domain::InstanceId {
        api: domain::ApiId::parse("results").expect("an id"),
        environment: domain::Environment::Production,
    };
    let check = domain::CheckId { instance, operation: domain::OperationId::parse("ping").expect("an id") };
    let vantage = domain::VantageId::parse("internet").expect("an id");
    let from = now() - jiff::SignedDuration::from_hours(48);
    let outcomes = (0..60_000).map(|number| {
        let at = from + jiff::SignedDuration::from_secs(number);
        (domain::Outcome::new(check.clone(), vantage.clone(), at).into(), domain::Verdict::Pass)
    });
    let batch = store::Batch { outcomes: outcomes.collect(), ..store::Batch::default() };
    store.record(&batch).await.expect("recorded");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_killed_at_any_moment_leaves_all_or_nothing() {
    let world = world().await;
    let place = place_on(On::Sqlite, &world);
    large(&place).await;
    let file = beside(&place, "copy.db");
    let name = file.display().to_string();
    for after in [5, 30, 60, 90, 120, 180, 250, 400] {
        let mut command = place.command(&["backup", &name]);
        let mut copying = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        tokio::time::sleep(Duration::from_millis(after)).await;
        copying.kill().expect("killed");
        copying.wait().expect("ended");
        if !file.exists() {
            let ran = place.run(&["backup", &name]).await;
            assert_eq!(ran.code, Some(0), "{after} ms: {ran:?}");
        }
        let contents = store::look_through(&format!("sqlite://{name}")).await.expect("whole");
        assert_eq!(contents.samples, 60_000, "{after} ms");
        fs::remove_file(&file).expect("removed");
        let ran = place.run(&["history", "verify"]).await;
        assert_eq!(ran.code, Some(0), "{after} ms: {ran:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_for_which_there_is_no_room_says_so_and_leaves_nothing() {
    let world = world().await;
    let place = place_on(On::Sqlite, &world);
    large(&place).await;
    let file = beside(&place, "copy.db");
    let name = file.display().to_string();
    let backup = place.command(&["backup", &name]);
    let mut limited = std::process::Command::new("prlimit");
    limited.arg("--fsize=200000").arg(backup.get_program()).args(backup.get_args());
    limited.current_dir(place.directory.path()).stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || limited.output()).await.expect("joined").expect("run");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.code() == Some(69) && said.starts_with("curiad: "), "{:?} {said}", ended.status);
    assert!(!file.exists() && !beside(&place, "copy.db.part").exists());
    let ran = place.run(&["backup", &name]).await;
    assert_eq!(ran.code, Some(0), "there is room: {ran:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_says_why_and_leaves_nothing() {
    let world = world().await;
    let place = place_on(On::Sqlite, &world);
    let file = beside(&place, "copy.db").display().to_string();
    let ran = place.run(&["backup", &file]).await;
    assert_eq!(ran.code, Some(66), "there is no database: {ran:?}");
    store::Store::open(&place.url, [1; 32]).await.expect("a database").close().await;
    let nowhere = beside(&place, "nowhere/copy.db").display().to_string();
    let ran = place.run(&["backup", &nowhere]).await;
    assert!(ran.code == Some(73) && ran.err.contains("choose a directory that is there"), "{ran:?}");
    // A page of the middle is overwritten.
    let mut bytes = fs::read(place.database()).expect("the database");
    bytes[8_192..12_288].fill(0x5a);
    fs::write(place.database(), bytes).expect("damaged");
    let ran = place.run(&["backup", &file]).await;
    assert!(ran.code == Some(65) && ran.err.contains("damaged"), "{ran:?}");
    assert!(!beside(&place, "copy.db").exists() && !beside(&place, "copy.db.part").exists());
    world.stop().await;
}

on_both!(a_server_is_backed_up_by_its_own_tools);

async fn a_server_is_backed_up_by_its_own_tools(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    store::Store::open(&place.url, [1; 32]).await.expect("a database").close().await;
    let file = beside(&place, "copy").display().to_string();
    let ran = place.run(&["backup", &file]).await;
    match on {
        On::Sqlite => assert_eq!(ran.code, Some(0), "{ran:?}"),
        On::Postgres => {
            assert_eq!(ran.code, Some(64), "{ran:?}");
            assert!(ran.err.contains(&format!("pg_dump --format=custom --file={file} 'postgres")), "{ran:?}");
        }
    }
    world.stop().await;
}
