//! Tokens: an endpoint that gives none is one incident, a credential that is refused is ours, and a key is rotated without
//! a restart.

use crate::{
    database::{On, on_both},
    outage::{all_well, incidents, place_on, place_on_with},
    program::{PATIENCE, Place, Program, json, world, world_with},
};
use serde_json::Value;
use simulator::Fault;
use std::{fs, os::unix::fs::symlink, path::PathBuf, time::Duration};

const KEYS: [&str; 2] = ["demographics-key.pem", "records-key.pem"];

fn secret(place: &Place, name: &str) -> PathBuf {
    place.config().join("secrets").join(name)
}

async fn open(program: &Program) -> Vec<Value> {
    incidents(program).await.into_iter().filter(|incident| incident["status"] != "resolved").collect()
}

/// The statuses of an API's instances, by environment.
async fn status(program: &Program, api: &str, environment: &str) -> String {
    let all = json(&program.internal("/api/v1/status")).await;
    let instances = all["instances"].as_array().expect("instances");
    let one = instances.iter().find(|one| one["api"] == api && one["environment"] == environment);
    one.expect("an instance")["status"].as_str().expect("a status").to_owned()
}

on_both!(
    an_endpoint_that_gives_no_tokens_is_one_incident_that_holds_back_all_that_need_them,
    a_key_that_is_rotated_is_used_without_a_restart
);

async fn an_endpoint_that_gives_no_tokens_is_one_incident_that_holds_back_all_that_need_them(on: On) {
    let world = world_with(|options| options.token_life = Duration::from_secs(4)).await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault("identity", "production", Fault::NoTokens).await.expect("a fault");
    let ticket = world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await;
    let ticket = ticket.expect("a ticket");
    let words = format!("{} {}", ticket.field("short_description"), ticket.field("description"));
    for part in ["tokens", "the token endpoint", "answers 503"] {
        assert!(words.contains(part), "{part} is missing in: {words}");
    }
    let cause = format!(
        "token:production/{}/oauth2/token",
        world.url("identity", "production").expect("an instance")
    );
    let url = program.internal("/api/v1/incidents");
    program
        .wait(
            || async {
                let all = json(&url).await;
                let all = all.as_array().cloned().unwrap_or_default();
                all.len() == 1 && all[0]["held_back"].as_array().is_some_and(|held| held.len() == 3)
            },
            "one incident that holds back three",
        )
        .await;
    let all = open(&program).await;
    assert_eq!(all[0]["cause_key"], cause, "{all:#?}");
    assert_eq!((&all[0]["layer"], &all[0]["api"]), (&"token".into(), &"identity".into()), "{all:#?}");
    for (api, seen) in
        [("identity", "operational"), ("reference-data", "operational"), ("results", "partial_outage")]
    {
        assert_eq!(status(&program, api, "production").await, seen, "{api}");
    }
    assert_eq!(
        status(&program, "results", "uat").await,
        "operational",
        "another environment, another endpoint"
    );
    // Who sees the public page is told, once that is made anew, but not whose tokens they are.
    let public = program.public("/api/v1/incidents");
    program
        .wait(|| async { json(&public).await.as_array().is_some_and(|all| !all.is_empty()) }, "the public")
        .await;
    let public = json(&public).await;
    assert_eq!(public[0]["cause_key"], "token:production", "{public:#?}");

    world.set_fault("identity", "production", Fault::None).await.expect("a fault");
    program.wait(|| async { json(&url).await[0]["status"] == "resolved" }, "the incident to be over").await;
    assert_eq!(world.desk().tickets().len(), 1);
    world.stop().await;
}

/// Where a secret's file leads, as in a projected volume: `..data` is a link to a folder, and is swapped as a whole.
fn project(place: &Place, folder: &str, key: &str) {
    let secrets = place.config().join("secrets");
    fs::create_dir_all(secrets.join(folder)).expect("a folder");
    fs::write(secrets.join(folder).join("key.pem"), key).expect("written");
    let fresh = secrets.join("..fresh");
    symlink(folder, &fresh).expect("linked");
    fs::rename(fresh, secrets.join("..data")).expect("swapped");
}

async fn a_key_that_is_rotated_is_used_without_a_restart(on: On) {
    let world = world().await;
    // Everything needs a token here, so that nothing is known without one.
    let place = place_on_with(on, &world, |text| text.replace(", auth: none", ""));
    let right = fs::read_to_string(secret(&place, KEYS[0])).expect("a key");
    let wrong = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key").serialize_pem();
    project(&place, "..1", &wrong);
    for name in KEYS {
        fs::remove_file(secret(&place, name)).expect("gone");
        symlink("..data/key.pem", secret(&place, name)).expect("linked");
    }
    let mut program = place.serve();
    program.ready().await;
    let url = program.internal("/api/v1/status");
    let of = |all: Value, api: &str| {
        let instances = all["instances"].as_array().cloned().unwrap_or_default();
        let one = instances.into_iter().find(|one| one["api"] == api && one["environment"] == "production");
        one.map_or(Value::Null, |one| one["status"].clone())
    };
    program.wait(|| async { of(json(&url).await, "reference-data") == "operational" }, "a first look").await;

    let ran = place
        .run(&["--json", "probe", "results", "--environment", "production", "--operation", "status"])
        .await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let seen = ran.json();
    assert_eq!(
        (&seen[0]["verdict"], &seen[0]["layer"]),
        (&"inconclusive".into(), &"ours".into()),
        "{seen:#?}"
    );
    let message = seen[0]["failure"]["message"].as_str().expect("a message");
    assert!(message.ends_with("refuses our credential: 401 invalid_client"), "{message}");
    assert_eq!(of(json(&url).await, "results"), "unknown");
    let pid = program.pid();

    project(&place, "..2", &right);
    program.wait(|| async { of(json(&url).await, "results") == "operational" }, "the key to be used").await;
    assert_eq!(program.pid(), pid);
    let ran = place
        .run(&["--json", "probe", "results", "--environment", "production", "--operation", "status"])
        .await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    world.stop().await;
}
