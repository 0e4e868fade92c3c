//! A human differs from the rules: they say so once, it is said to all, and it sticks.

use crate::{
    database::{On, on_both},
    outage::{all_well, link, place_on_with, text_to},
    program::{PATIENCE, json, text, world},
};
use simulator::{Fault, World};

const API: &str = "patient-demographics";

on_both!(what_a_human_says_of_priority_and_major_is_told_to_all_and_sticks_through_a_crash);

async fn noted(world: &World, words: &str) {
    let found = world.wait_for(PATIENCE, |world| {
        let all = world.desk().tickets();
        all.iter().any(|ticket| ticket.work_notes().iter().any(|note| note.contains(words))).then_some(())
    });
    found.await.unwrap_or_else(|_| panic!("no work note says: {words}"));
}

async fn what_a_human_says_of_priority_and_major_is_told_to_all_and_sticks_through_a_crash(on: On) {
    let world = world().await;
    // The next person is called after twenty seconds.
    let place = place_on_with(on, &world, |text| text.replace("after: 2s", "after: 20s"));
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let called = text_to(&world, 0).await;
    let list = program.internal("/api/v1/incidents");
    let id = json(&list).await[0]["id"].as_str().expect("an id").to_owned();
    let first = || async { json(&list).await[0].clone() };
    program.wait(|| async { first().await["ticket"]["confirmed"] == true }, "the ticket").await;

    let ran = place.run(&["incident", "priority", &id, "P9", "--why", "a drill", "--by", "Ann"]).await;
    assert!(ran.code == Some(64) && ran.err.contains("'P9' is no priority: write P1 to P5"), "{ran:?}");
    let ran = place.run(&["incident", "priority", &id, "p3", "--reason", "a drill", "--by", "Ann"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains(&format!("{id} is P3, and no rule changes it any more")), "{}", ran.out);
    assert!(ran.out.contains("--not-major"), "it is still a major incident: {}", ran.out);
    let ran =
        place.run(&["incident", "declare", &id, "--not-major", "--why", "a drill", "--by", "Ann"]).await;
    assert_eq!(ran.out.trim(), format!("{id} is no major incident, and no rule declares it one"));

    noted(&world, "Priority set to P3 by Ann, P1 before: a drill.").await;
    noted(&world, "Not a major incident, says Ann: a drill. On-call staff are no longer called.").await;
    let ticket = world.desk().tickets().into_iter().next().expect("the ticket");
    assert_eq!(ticket.field("priority"), "3", "the desk's own too");
    let off = world.wait_for(PATIENCE, |world| {
        world.notify().texts().into_iter().find(|text| {
            text.to == called.to && (text.body.contains("NOT MAJOR") || text.body.contains("DIM YN FAWR"))
        })
    });
    off.await.expect("who was called hears so");
    for (language, words) in [("en", "says since"), ("cy", "nad yw’n ddigwyddiad mawr")] {
        let page = text(&format!("{}?lang={language}", link(&called))).await;
        assert!(page.contains(words) && !page.contains("value=\"mine\""), "{page}");
        assert!(
            page.contains("P3: by rule P1: impact 1 (") || page.contains("P3: yn ôl y rheol P1: effaith 1 ("),
            "{page}"
        );
    }
    program.kill();
    let mut program = place.serve();
    program.ready().await;
    let list = program.internal("/api/v1/incidents");
    let first = || async { json(&list).await[0].clone() };
    program.wait(|| async { first().await["priority"] == "P3" }, "what Ann said").await;
    let incident = first().await;
    assert_eq!((&incident["major"], &incident["callouts"]), (&false.into(), &1.into()), "{incident:#}");
    for field in ["priority_set", "not_major"] {
        assert_eq!((&incident[field]["by"], &incident[field]["why"]), (&"Ann".into(), &"a drill".into()));
    }
    assert!(incident["next_action"]["what"] != "call", "{incident:#}");
    let listed = place.run(&["incident", "list"]).await.out;
    assert!(listed.contains("(set by Ann)") && listed.contains("(not major, says Ann)"), "{listed}");
    assert!(listed.contains("(impact 1 × urgency 1)"), "{listed}");
    let shown = place.run(&["incident", "show", &id]).await.out;
    assert!(
        shown.contains("P3: by rule P1: impact 1 (production, critical service level, 1 instance of "),
        "{shown}"
    );
    assert!(shown.contains("P3 set by Ann: a drill"), "{shown}");
    assert!(shown.contains("not a major incident, says Ann: a drill"), "{shown}");
    let page = text(&program.internal(&format!("/cy/digwyddiadau/{id}"))).await;
    assert!(
        page.contains("yn ôl y rheol P1: effaith 1 (amgylchedd byw, lefel gwasanaeth hanfodol, "),
        "{page}"
    );
    let page = text(&program.internal(&format!("/en/incidents/{id}"))).await;
    assert!(page.contains("Who set the priority, and why") && page.contains("Ann: a drill"), "{page}");

    // A human may say otherwise.
    let ran = place.run(&["incident", "declare", &id, "--why", "wards ring", "--by", "Ben"]).await;
    assert!(ran.out.starts_with(&format!("{id} is a major incident; ")), "{ran:?}");
    assert!(ran.out.contains(" is called at "), "{ran:?}");
    program.wait(|| async { first().await["callouts"] != 1 }, "people to be called anew").await;

    // Who looks at night sees why it is quiet.
    let mute = ["silence", "add", "--api", API, "--for", "1h", "--why", "a drill", "--by", "Ann"];
    assert_eq!(place.run(&mute).await.code, Some(0));
    let shown = place.run(&["incident", "show", &id]).await.out;
    assert!(
        shown.contains("  muted until ") && shown.contains(" by silence 1, says Ann: a drill"),
        "{shown}"
    );
    let listed = place.run(&["incident", "list"]).await.out;
    assert!(listed.contains("(muted until "), "{listed}");
    let shown = place.run(&["incident", "show", &id, "--json"]).await.json();
    assert_eq!(shown["muted"]["by"], "silence 1, says Ann: a drill");
    assert!(program.terminate().await.success());
    world.stop().await;
}
