//! An outcome that the database refuses for good: it is set aside, the rest is recorded, and the program runs.

use crate::{
    database::{On, on_both},
    outage::{all_well, incidents, place_on_with},
    program::{PATIENCE, Place, Program, json, now, status, text, world},
    unrecorded::{SOON, hold, mend, nothing_is_missing, until_asked},
};
use simulator::{Fault, World};
use std::{fs, path::PathBuf};
use store::Store;

on_both!(
    what_the_database_refuses_is_set_aside_and_the_rest_is_recorded,
    what_the_database_refuses_in_the_spool_ends_no_start,
);

/// Its failures say `poison`, which the database refuses.
const API: &str = "id: poison\nname: { en: Poison, cy: Gwenwyn }\ndescription: { en: Refused., cy: Gwrthodir. }\n\
    kind: rest\nlifecycle: stable\nservice_level: standard\nteam: platform\nlatency: { slow: 850ms, timeout: 900ms }\nevery: 5s\n\
    operations:\n  home: { get: /_ping, critical: true, expect: { text: [ { contains: poison } ] } }\n\
    environments:\n  sandbox: { url: \"URL\" }\n";

fn figure(metrics: &str, name: &str) -> f64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// The database refuses poison from now on, and the running program reads of an API that gives it.
async fn poisoned(place: &Place, world: &World) {
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    store.refuse_poison().await.expect("a trigger");
    store.close().await;
    place.write(
        "apis/poison.yaml",
        &API.replace("URL", &world.url("reference-data", "sandbox").expect("a URL")),
    );
}

async fn set_aside(program: &mut Program, least: f64) {
    let url = program.internal("/metrics");
    let some = || async { figure(&text(&url).await, "curiad_outcomes_set_aside_total") >= least };
    program.wait(some, "outcomes to be set aside").await;
}

fn place(on: On, world: &World) -> Place {
    place_on_with(on, world, |text| text.replace("\", every: 10s }", "\", every: 1s }"))
}

/// Where the refused ones stand: beside the spool.
fn refused(on: On, place: &Place) -> PathBuf {
    let spool = match on {
        On::Sqlite => "curiad.db.spool.refused",
        On::Postgres => "curiad.spool.refused",
    };
    place.directory.path().join(spool)
}

async fn what_the_database_refuses_is_set_aside_and_the_rest_is_recorded(on: On) {
    let world = world().await;
    let (place, began) = (place(on, &world), now());
    let mut program = place.serve_as(SOON, &[]);
    all_well(&mut program).await;
    poisoned(&place, &world).await;
    set_aside(&mut program, 3.0).await;

    // It is said: in the file, in the log, to who runs it, and to nobody else.
    let file = refused(on, &place);
    let kept = fs::read_to_string(&file).expect("the file");
    let first: serde_json::Value = serde_json::from_str(kept.lines().next().expect("a line")).expect("JSON");
    assert!(first["why"].as_str().is_some_and(|why| why.contains("poison is refused")), "{first}");
    assert_eq!(first["outcome"]["check"]["instance"]["api"], "poison", "{first}");
    let log = fs::read_to_string(place.log()).expect("a log");
    let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(log.contains("poison/sandbox/home") && log.contains(name), "{log}");
    for page in ["/en", "/cy"] {
        let internal = program.internal(page);
        program
            .wait(|| async { text(&internal).await.contains(name) }, &format!("{internal} to say so"))
            .await;
        assert!(!text(&program.public(page)).await.contains(name), "not to the public");
    }
    let readyz = json(&program.internal("/readyz")).await;
    let said = &readyz["checks"]["store:refused"][0];
    assert!(
        said["status"] == "warn" && said["output"].as_str().is_some_and(|words| words.contains(name)),
        "{readyz}"
    );
    assert!(!text(&program.public("/readyz")).await.contains(name));
    assert_eq!(status(&program.internal("/readyz")).await, Some(200), "it records");

    // All others are as they were: nobody else's status changed, and trouble is told.
    let others = json(&program.internal("/api/v1/status")).await;
    for one in others["instances"].as_array().expect("instances") {
        assert!(one["api"] == "poison" || one["status"] == "operational", "{one}");
    }
    let all = incidents(&program).await;
    assert!(all.is_empty(), "what is not recorded opens nothing: {all:?}");
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    world.set_fault("results", "production", Fault::None).await.expect("no fault");

    // Once the file is moved away nothing is said any more, if nothing more comes.
    fs::remove_file(place.config().join("apis/poison.yaml")).expect("gone");
    let gone = || async { !text(&program_url(&place, "/metrics")).await.contains("api=\"poison\"") };
    program.wait(gone, "it to be gone").await;
    fs::rename(&file, place.directory.path().join("looked-into")).expect("moved");
    let quiet = || async { json(&program_url(&place, "/readyz")).await["status"] == "pass" };
    program.wait(quiet, "readyz to pass").await;
    assert!(program.terminate().await.success());
    world.set_fault("reference-data", "sandbox", Fault::None).await.expect("no fault");
    nothing_is_missing(&world, &place, began, &["reference-data"]).await;
    world.stop().await;
}

fn program_url(place: &Place, path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", place.internal)
}

async fn what_the_database_refuses_in_the_spool_ends_no_start(on: On) {
    let world = world().await;
    let (place, began) = (place(on, &world), now());
    let mut program = place.serve_as(SOON, &[]);
    all_well(&mut program).await;
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    store.refuse_poison().await.expect("a trigger");
    store.close().await;
    // The poison comes while nothing can be written, goes into the spool with all else, and the program is killed.
    let trouble = hold(&place).await;
    place.write(
        "apis/poison.yaml",
        &API.replace("URL", &world.url("reference-data", "sandbox").expect("a URL")),
    );
    let spooled =
        || async { figure(&text(&program_url(&place, "/metrics")).await, "curiad_outcomes_spooled") > 100.0 };
    program.wait(spooled, "outcomes to be in the spool").await;
    until_asked(&world, 200).await;
    program.kill();
    mend(trouble).await;

    let mut program = place.serve_as(SOON, &[]);
    let listens = || async { status(&program_url(&place, "/livez")).await == Some(200) };
    program.wait(listens, "it to listen").await;
    set_aside(&mut program, 2.0).await;
    // No more of it comes, and what still waits is of no check any more.
    fs::remove_file(place.config().join("apis/poison.yaml")).expect("gone");
    let drained =
        || async { figure(&text(&program_url(&place, "/metrics")).await, "curiad_outcomes_spooled") < 1.0 };
    program.wait(drained, "the spool to be empty").await;
    assert!(fs::read_to_string(refused(on, &place)).expect("the file").lines().count() >= 2);
    program.ready().await;
    assert!(program.terminate().await.success());
    nothing_is_missing(&world, &place, began, &["reference-data"]).await;
    world.stop().await;
}
