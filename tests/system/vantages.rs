//! Several ways out of one host: each check is probed from all, and a reload may add one.

use crate::{
    outage::{all_well, place_with},
    program::{json, world},
};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn each_check_is_probed_from_every_vantage_and_a_reload_may_add_one() {
    let world = world().await;
    let place = place_with(&world, |text| text);
    let path = place.config().join("curiad.yaml");
    let before = fs::read_to_string(&path).expect("a file");
    let added = "vantages: { second: { local_address: 127.0.0.2 }, internet: { ";
    let after = before.replace("vantages: { internet: { ", added);
    assert_ne!(before, after);

    let mut program = place.serve();
    all_well(&mut program).await;
    place.write("curiad.yaml", &after);
    program.signal("HUP");
    for vantage in ["second", "internet"] {
        let query = format!("/api/v1/history?api=results&environment=production&vantage={vantage}");
        let url = program.internal(&query);
        let seen = || async { json(&url).await["samples"].as_u64().is_some_and(|count| count > 0) };
        program.wait(seen, &format!("outcomes from {vantage}")).await;
    }
    all_well(&mut program).await;
    program.stop().await;

    let ran = place.run(&["--json", "probe", "results", "--environment", "production"]).await;
    let mut from: Vec<String> = ran
        .json()
        .as_array()
        .expect("an array")
        .iter()
        .map(|outcome| format!("{} {}", outcome["vantage"], outcome["verdict"]))
        .collect();
    from.sort();
    from.dedup();
    assert_eq!(from, ["\"internet\" \"pass\"", "\"second\" \"pass\""], "{}", ran.out);
    world.stop().await;
}
