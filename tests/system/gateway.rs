//! A gateway that several APIs stand behind, nginx from Debian, is taken away: one incident, one ticket, one call.
//! The name of each test holds `nginx`: `tests/run quick` leaves them out, since nginx must be installed.

use crate::{
    database::{On, on_both},
    nginx::Nginx,
    outage::{all_well, incidents, place_on_with},
    program::{PATIENCE, free_ports, json, text, world},
};
use simulator::World;

const BEHIND: [&str; 3] = ["patient-demographics", "reference-data", "results"];

on_both!(what_nginx_no_longer_lets_through_is_one_incident_with_one_ticket_and_one_call_whoever_dies);

/// Where the gateway sends each on to.
fn servers(world: &World, port: u16) -> String {
    let to = |api: &&str| {
        let url = world.url(api, "production").expect("an instance");
        format!("location /{api}/ {{ proxy_pass {url}/; }}")
    };
    let locations: Vec<String> = BEHIND.iter().map(to).collect();
    format!("server {{ listen 127.0.0.1:{port}; {} }}", locations.join("\n"))
}

async fn what_nginx_no_longer_lets_through_is_one_incident_with_one_ticket_and_one_call_whoever_dies(on: On) {
    let world = world().await;
    let [port, _] = free_ports();
    let place = place_on_with(on, &world, |text| {
        BEHIND.iter().fold(text, |text, api| {
            let url = world.url(api, "production").expect("an instance");
            text.replace(&url, &format!("http://127.0.0.1:{port}/{api}"))
        })
    });
    let nginx = Nginx::serve(place.directory.path(), &servers(&world, port));
    let mut program = place.serve();
    all_well(&mut program).await;

    drop(nginx);
    let ticket = world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await;
    let ticket = ticket.expect("a ticket");
    let words = ticket.field("description");
    assert!(words.contains(&format!("None of the APIs at 127.0.0.1:{port} answers")), "{words}");
    let url = program.internal("/api/v1/incidents");
    let holds_back = async |many: usize| {
        let all = json(&url).await;
        all[0]["held_back"].as_array().is_some_and(|held| held.len() == many)
    };
    program.wait(|| async { holds_back(3).await }, "all to be on its list").await;
    world.wait_for(PATIENCE, |world| world.notify().texts().into_iter().next()).await.expect("a call");
    let all = incidents(&program).await;
    let [one] = all.as_slice() else { panic!("one incident: {all:#?}") };
    assert_eq!(one["cause_key"], format!("gateway:production/127.0.0.1:{port}"), "{one:#}");
    assert_eq!((&one["layer"], &one["priority"]), (&"connect".into(), &"P1".into()), "{one:#}");
    for (language, title) in
        [("en", "APIs behind one gateway cannot be reached"), ("cy", "y tu ôl i un porth")]
    {
        // What is published is on the next page that is made.
        let page = program.public(&format!("/{language}/"));
        program.wait(|| async { text(&page).await.contains(title) }, title).await;
    }

    // Killed and started again, it is the same; and over when the gateway is back.
    program.kill();
    let mut program = place.serve();
    program.ready().await;
    let _nginx = Nginx::serve(place.directory.path(), &servers(&world, port));
    program.wait(|| async { json(&url).await[0]["status"] == "resolved" }, "it to be over").await;
    assert_eq!((incidents(&program).await.len(), world.desk().tickets().len()), (1, 1));
    assert!(program.terminate().await.success());
    world.stop().await;
}
