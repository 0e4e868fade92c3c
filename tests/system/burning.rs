//! An objective that is missed too fast, by outages too short for a ticket, has one.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on_with},
    program::{PATIENCE, json, world},
};
use serde_json::Value;
use simulator::Fault;

const API: &str = "reference-data";

on_both!(an_outage_too_short_for_a_ticket_that_uses_up_too_much_has_one_though_the_program_is_killed);

async fn an_outage_too_short_for_a_ticket_that_uses_up_too_much_has_one_though_the_program_is_killed(on: On) {
    let world = world().await;
    let place = place_on_with(on, &world, |text| {
        // At all hours; half a second in an hour is too much.
        text.replace("  hours: office\n", "")
            .replace("standard: 99.5% in 30d", "standard: 99.999% in 30d")
            // Longer than it fails, on a busy machine too.
            .replace("hold: { ticket: 500ms, callout: 1s,", "hold: { ticket: 15s, callout: 16s,")
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    let url = program.internal("/api/v1/incidents");
    let open = async |cause: String| {
        let all = json(&url).await;
        let of_it = |one: &Value| one["cause_key"] == cause && one["status"] != "resolved";
        all.as_array().is_some_and(|all| all.iter().any(of_it))
    };
    let (own, burn) = (format!("instance:{API}/production"), format!("burn:{API}/production"));
    world.set_fault(API, "production", Fault::GatewayUnavailable).await.expect("a fault");
    program.wait(|| async { open(own.clone()).await }, "it to be out").await;
    world.set_fault(API, "production", Fault::None).await.expect("no fault");
    program.wait(|| async { open(burn.clone()).await }, "what was missed to be too much").await;
    assert!(!open(own).await, "it works again");

    // What was missed is remembered.
    program.kill();
    let mut program = place.serve();
    program.ready().await;
    let ticket = world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await;
    let ticket = ticket.expect("a ticket");
    let words = format!("{} {}", ticket.field("short_description"), ticket.field("description"));
    for part in ["Reference Data fails again and again", "its objective (99.999% in 30d) lets it miss"] {
        assert!(words.contains(part), "{part} is missing in: {words}");
    }
    assert!(open(burn).await, "five minutes have to be well");
    // The desk has it a moment before the program knows.
    let url = program.internal("/api/v1/incidents");
    let with_ticket = || async {
        let all = json(&url).await;
        all.as_array().map_or(0, |all| all.iter().filter(|one| !one["ticket"].is_null()).count())
    };
    program.wait(|| async { with_ticket().await > 0 }, "its number to be known").await;
    assert_eq!(with_ticket().await, 1);
    assert!(world.notify().texts().is_empty(), "nobody is called");
    let public = json(&program.public("/api/v1/incidents")).await;
    assert!(!public.to_string().contains("burn:"), "what was promised is no matter for the public: {public}");
    assert!(program.terminate().await.success());
    world.stop().await;
}
