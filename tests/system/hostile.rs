//! One API that misbehaves in every way there is, in the real process: nobody else notices.

use crate::{
    database::{On, on_both},
    outage::{all_well, incidents, place_on},
    program::{json, world},
};
use simulator::{Fault, World};

const API: &str = "documents";

fn asked(world: &World, api: &str) -> u64 {
    let of = |one: &simulator::InstanceView| one.api == api && one.environment == "production";
    world.instances().into_iter().filter(of).map(|one| one.requests).sum()
}

on_both!(an_api_that_misbehaves_in_turn_in_every_way_leaves_the_others_as_they_were);

async fn an_api_that_misbehaves_in_turn_in_every_way_leaves_the_others_as_they_were(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    let status = program.internal("/api/v1/status");
    for fault in [
        Fault::Reset,
        Fault::Hang,
        Fault::SlowLoris,
        Fault::Endless,
        Fault::Truncated,
        Fault::RedirectLoop,
        Fault::HugeHead,
        Fault::Interim,
        Fault::Garbage,
        Fault::NotJson,
    ] {
        world.set_fault(API, "production", fault).await.expect("a fault");
        // Each of the others is looked at twice meanwhile.
        let others = ["results", "reference-data", "identity", "patient-demographics"];
        let before: Vec<u64> = others.iter().map(|api| asked(&world, api)).collect();
        let twice =
            || async { others.iter().zip(&before).all(|(api, before)| asked(&world, api) >= before + 4) };
        program.wait(twice, &format!("the others to be probed while {API} has {fault}")).await;
        let seen = json(&status).await;
        for instance in seen["instances"].as_array().expect("instances") {
            let well = instance["status"] == "operational" || instance["api"] == API;
            assert!(well, "{fault}: {instance}");
        }
    }
    let told = incidents(&program).await;
    assert!(!told.is_empty());
    // On a slow machine it fails for long enough to use up its objective, too.
    let own = ["instance:documents/production", "burn:documents/production"];
    let is_own = |one: &serde_json::Value| own.iter().any(|key| one["cause_key"] == *key);
    assert!(told.iter().all(is_own), "{told:?}");
    world.set_fault(API, "production", Fault::None).await.expect("no fault");
    all_well(&mut program).await;
    world.stop().await;
}
