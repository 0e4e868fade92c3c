//! Our own network gone: said so, and nobody is told that an API is down.

use crate::{
    database::{On, on_both},
    outage::{all_well, incidents, place_on},
    program::{PATIENCE, text, world},
};
use simulator::{Fault, Side, World};

async fn network(world: &World, cut: bool) {
    for side in [Side::Outside, Side::Inside] {
        world.network().cut_off(side, cut).await;
    }
    for instance in world.instances() {
        let fault = if cut { Fault::Refuse } else { Fault::None };
        world.set_fault(&instance.api, &instance.environment, fault).await.expect("a fault");
    }
}

/// Checks of production of which something is known now.
fn known(metrics: &str) -> usize {
    let known =
        |line: &&str| line.starts_with("probe_success{") && line.contains("environment=\"production\"");
    metrics.lines().filter(known).count()
}

on_both!(when_our_own_network_is_gone_no_api_is_blamed_and_when_it_is_back_all_is_well);

async fn when_our_own_network_is_gone_no_api_is_blamed_and_when_it_is_back_all_is_well(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    network(&world, true).await;
    let metrics = program.internal("/metrics");
    program.wait(|| async { known(&text(&metrics).await) == 0 }, "every probe to be inconclusive").await;

    let ran = place.run(&["probe", "results", "--environment", "production", "--operation", "ping"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.out.contains("our own network is gone: no guard answers"), "{ran:?}");
    world.network().cut_off(Side::Outside, false).await;
    let ran = place.run(&["probe", "results", "--environment", "production", "--operation", "ping"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.out.contains("the NHS Wales network cannot be reached from here"), "{ran:?}");

    network(&world, false).await;
    all_well(&mut program).await;
    let all = incidents(&program).await;
    assert!(all.is_empty(), "{all:?}");
    assert!(world.desk().tickets().is_empty() && world.notify().texts().is_empty());

    // With the network there, an API that refuses is down.
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    world.stop().await;
}
