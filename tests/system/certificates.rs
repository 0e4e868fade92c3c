//! A certificate that has ended is one incident with one ticket, whatever shows it.

use crate::{
    database::{On, on_both},
    outage::{all_well, incidents, place_on_with},
    program::{PATIENCE, json, world},
};
use simulator::Fault;

const BOTH: [&str; 2] = ["patient-demographics", "reference-data"];

on_both!(a_certificate_that_ended_on_two_apis_is_one_incident_with_one_ticket_and_over_when_it_is_renewed);

async fn a_certificate_that_ended_on_two_apis_is_one_incident_with_one_ticket_and_over_when_it_is_renewed(
    on: On,
) {
    let world = world().await;
    let addresses = BOTH.map(|api| {
        let plain = world.url(api, "production").expect("an instance");
        (plain, world.secure_url(api, "production").expect("an instance"))
    });
    let place = place_on_with(on, &world, |text| {
        let text = addresses.iter().fold(text, |text, (plain, secure)| text.replace(plain, secure));
        let top = text.contains("\nsite:");
        if top { text + "\negress: { roots: [\"file:authority.pem\"] }\n" } else { text }
    });
    place.write("authority.pem", world.authority());
    let mut program = place.serve();
    all_well(&mut program).await;

    for api in BOTH {
        world.set_fault(api, "production", Fault::ExpiredCertificate).await.expect("a fault");
    }
    let ticket = world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await;
    let ticket = ticket.expect("a ticket");
    let words = ticket.field("description");
    assert!(words.contains("The certificate ended on 1 January 2021"), "{words}");
    let url = program.internal("/api/v1/incidents");
    let holds_back = async |many: usize| {
        let all = json(&url).await;
        all[0]["held_back"].as_array().is_some_and(|held| held.len() == many)
    };
    program.wait(|| async { holds_back(2).await }, "both to be on its list").await;
    let all = incidents(&program).await;
    let [one] = all.as_slice() else { panic!("one incident: {all:#?}") };
    let cause = one["cause_key"].as_str().expect("a cause");
    assert!(cause.starts_with("certificate:production/"), "{cause}");
    assert_eq!((&one["layer"], &one["priority"]), (&"tls".into(), &"P1".into()), "{one:#}");

    // Killed and started again, it is the same.
    program.kill();
    let mut program = place.serve();
    program.ready().await;
    world.set_fault(BOTH[0], "production", Fault::None).await.expect("a fault");
    program.wait(|| async { holds_back(1).await }, "the other alone to be on its list").await;
    world.set_fault(BOTH[1], "production", Fault::None).await.expect("a fault");
    program.wait(|| async { json(&url).await[0]["status"] == "resolved" }, "it to be over").await;
    assert_eq!((incidents(&program).await.len(), world.desk().tickets().len()), (1, 1));
    assert!(program.terminate().await.success());
    world.stop().await;
}
