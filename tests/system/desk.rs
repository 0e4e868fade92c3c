//! The service desk's people and Curiad: a ticket that a caller had opened, and who has it.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on_with},
    program::{PATIENCE, client, json, world},
};
use simulator::Fault;
use std::ffi::OsStr;

const API: &str = "patient-demographics";

on_both!(
    a_callers_ticket_is_linked_and_who_has_it_is_read_back_after_a_restart_too,
    a_desk_that_is_asked_first_says_by_the_link_in_the_ticket_that_it_has_it_and_nobody_is_woken
);

async fn a_desk_that_is_asked_first_says_by_the_link_in_the_ticket_that_it_has_it_and_nobody_is_woken(
    on: On,
) {
    let world = world().await;
    let first = "- { call: rota platform, by: [text, email], after: 0s }";
    let asked =
        "- { call: desk nsd, after: 0s }\n      - { call: rota platform, by: [text, email], after: 10m }";
    let place = place_on_with(on, &world, |text| {
        // A desk that has not confirmed its ticket when it is to be asked is passed over.
        let text = text.replace("callout: 1s", "callout: 10s");
        text.replace("after: 2s", "after: 20m").replace("after: 20s", "after: 30m").replace(first, asked)
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let link = world.wait_for(PATIENCE, |world| {
        let ticket = world.desk().tickets().into_iter().next()?;
        let note = ticket.work_notes().into_iter().find(|note| note.contains("/ack/"))?;
        note.split_whitespace().find(|word| word.contains("/ack/")).map(str::to_owned)
    });
    let link = link.await.expect("the ticket says where to say so");
    for (language, words) in [("en", "ve got it"), ("cy", "Fi sy")] {
        let page = client().get(format!("{link}?lang={language}")).send().await.expect("a page");
        assert_eq!(page.status(), 200);
        let page = page.text().await.expect("a page");
        assert!(page.contains(words) && page.contains("value=\"call_next\""), "{page}");
    }
    let form = [("answer", "mine")];
    let page = client().post(&link).form(&form).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    let confirmed = program.internal("/api/v1/incidents");
    let taken = || async { json(&confirmed).await[0]["status"] == "acknowledged" };
    program.wait(taken, "the desk to have it").await;
    let shown = place.run(&["incident", "list"]).await;
    assert!(shown.out.contains("acknowledged"), "{shown:?}");
    assert!(world.notify().texts().is_empty(), "nobody is woken");
    assert!(program.terminate().await.success());
    world.stop().await;
}

async fn a_callers_ticket_is_linked_and_who_has_it_is_read_back_after_a_restart_too(on: On) {
    let world = world().await;
    let place = place_on_with(on, &world, |text| {
        text.replace("\n    fallback:", "\n    targets: { P1: { respond: 72h } }\n    fallback:")
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let ours = world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await;
    let ours = ours.expect("a ticket");
    let confirmed = program.internal("/api/v1/incidents");
    let ticket = async || json(&confirmed).await[0]["ticket"].clone();
    program.wait(|| async { ticket().await["number"] == ours.number.as_str() }, "the ticket").await;
    let list = json(&confirmed).await;
    let id = list[0]["id"].as_str().expect("an id").to_owned();
    let theirs = world.desk().open("Cannot look patients up");

    let ran = place.run(&["incident", "link", &id, "INC9999999", "--by", "ann"]).await;
    assert_eq!(ran.code, Some(64), "{ran:?}");
    let why = "the service desk nsd has no ticket INC9999999 that Curiad may see";
    assert!(ran.err.contains(why), "{}", ran.err);
    let ran = place.run(&["incident", "link", &id, "INC 1", "--by", "ann"]).await;
    assert!(ran.code == Some(64) && ran.err.contains("is no ticket's number"), "{}", ran.err);
    let ran = place.run(&["incident", "link", &id, &theirs.to_lowercase(), "--by", "ann"]).await;
    assert_eq!((ran.code, ran.out.trim()), (Some(0), format!("{theirs} is the ticket of {id}").as_str()));
    let told = world
        .wait_for(PATIENCE, |world| {
            let ticket = |number: &str| world.desk().ticket(number).expect("a ticket");
            let says = |number: &str, words: &str| {
                ticket(number).work_notes().iter().any(|note| note.contains(words))
            };
            let both = says(&theirs, "Curiad follows its incident")
                && says(&ours.number, &format!("Followed in {theirs}. This one can be closed."));
            both.then_some(())
        })
        .await;
    told.expect("both tickets say so");

    assert!(world.desk().assign(&theirs, "Beth Anglin"));
    assert!(program.terminate().await.success());
    if cfg!(debug_assertions) {
        // It dies when it has read it, and when that is told and not folded in yet.
        for point in ["desk/read", "desk/read-back"] {
            let mut doomed = place.serve_with(&[("CURIAD_CRASH_AT", OsStr::new(point))]);
            assert!(!doomed.end().await.success(), "{point}");
        }
    }
    let mut program = place.serve();
    program.ready().await;
    let confirmed = program.internal("/api/v1/incidents");
    let assigned = || async { json(&confirmed).await[0]["ticket"]["assigned_to"] == "Beth Anglin" };
    program.wait(assigned, "the agent to be read back").await;
    let shown = place.run(&["incident", "show", &id]).await;
    let line = format!("ticket {theirs} at ");
    assert!(
        shown.out.contains(&line) && shown.out.contains(", in progress, assigned to Beth Anglin"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains(&format!("before it {}: linked by ann", ours.number)), "{}", shown.out);
    assert!(shown.out.contains("is assigned to Beth Anglin; that is no answer"), "{}", shown.out);
    let due = shown.out.lines().find(|line| line.starts_with("  response due by "));
    assert!(due.is_some_and(|due| due.contains(" on ")), "it is in three days: {}", shown.out);

    let draft = place.run(&["incident", "show", &id, "--review"]).await.out;
    for line in [
        format!("# {id}: "),
        "**It is not over: this is how it stood at ".to_owned(),
        "| first failure | ".to_owned(),
        format!("| ticket {theirs} | "),
        "## Who was called".to_owned(),
        "[What was the cause, and what mended it?]".to_owned(),
    ] {
        assert!(draft.contains(&line), "{line} in {draft}");
    }
    let stages = place.run(&["--json", "incident", "show", &id, "--review"]).await.json();
    assert_eq!(
        (&stages["stages"][0]["stage"], &stages["stages"][0]["after_s"]),
        (&"began".into(), &0.into())
    );
    let whole = |key: &str| stages[key].as_i64().expect("seconds");
    let apart = whole("lasted_s") - whole("in_hours_s") - whole("out_of_hours_s");
    assert!(apart.abs() <= 1, "{stages}");
    assert!(program.terminate().await.success());
    world.stop().await;
}
