//! A rota that nobody is on: known before it is so, and called out when it is.

use crate::{
    database::{On, on_both},
    outage::{incidents, place_on_with, text_to},
    program::{json, now, text, world},
};
use jiff::SignedDuration;

on_both! {
    a_rota_that_nobody_is_on_calls_the_last_resort_though_everything_works,
    a_gap_that_is_to_come_is_an_incident_that_calls_nobody
}

async fn a_rota_that_nobody_is_on_calls_the_last_resort_though_everything_works(on: On) {
    let world = world().await;
    let place = place_on_with(on, &world, |text| text.replace("from: 2026-01-05", "from: 2099-01-05"));
    let mut program = place.serve();
    program.ready().await;
    let call = text_to(&world, 0).await;
    assert!(call.body.starts_with("P1 PROD Rota platform EMPTY"), "{}", call.body);
    let url = program.internal("/api/v1/incidents");
    let shown = || async { json(&url).await[0]["cause_key"] == "rota:platform" };
    program.wait(shown, "the gap to be shown").await;
    assert_eq!(incidents(&program).await[0]["priority"], "P1");
}

async fn a_gap_that_is_to_come_is_an_incident_that_calls_nobody(on: On) {
    let world = world().await;
    let ends = (now() + SignedDuration::from_hours(24 * 5)).strftime("%Y-%m-%dT09:00").to_string();
    let swap = format!("      - {{ person: nia.rees, from: \"2026-01-05T09:00\", to: \"{ends}\" }}");
    let opens = (now() + SignedDuration::from_hours(48)).strftime("%a").to_string();
    let place = place_on_with(on, &world, |text| {
        text.replace("from: 2026-01-05 }", &format!("from: 2099-01-05 }}\n    overrides:\n{swap}"))
            .replace("weekly: never", &format!("weekly: \"{opens} 09:00-17:00\""))
    });
    let mut program = place.serve();
    program.ready().await;
    let url = program.internal("/api/v1/incidents");
    let foreseen = || async { json(&url).await.as_array().is_some_and(|open| !open.is_empty()) };
    program.wait(foreseen, "the gap to be foreseen").await;
    let open = incidents(&program).await;
    assert_eq!(
        (&open[0]["cause_key"], &open[0]["priority"]),
        (&"ahead:rota:platform".into(), &"P4".into()),
        "{open:#?}"
    );
    let number = open[0]["id"].as_str().expect("a number");
    let page = text(&program.internal(&format!("/en/incidents/{number}"))).await;
    assert!(page.contains("The rota platform will have nobody on call"), "{page}");
    let shown = place.run(&["incident", "show", number]).await;
    assert!(shown.out.contains("Nobody is on call on the rota platform from "), "{shown:?}");
    let next = shown.out.lines().find(|line| line.starts_with("  next: raise a ticket"));
    let on = format!(" on {opens} ");
    assert!(next.is_some_and(|next| next.contains(" at 09:00:00 ") && next.contains(&on)), "{shown:?}");
    assert!(world.notify().texts().is_empty(), "nobody is called");
}
