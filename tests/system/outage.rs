//! The whole loop: a production API fails, and everybody who must know knows, once.

use crate::database::{On, on_both};
use crate::program::{PATIENCE, Place, Program, json, now, status, text, world};
use jiff::SignedDuration;
use serde_json::Value;
use simulator::{Answer, Fault, Message, World, answer};

const API: &str = "patient-demographics";

on_both!(
    a_failing_production_api_becomes_one_ticket_calls_two_people_and_is_shown_in_both_languages,
    what_everything_depends_on_is_one_incident_with_a_list,
    getting_an_answer_link_never_answers
);

/// The demo's configuration with holds short enough to wait for.
pub(crate) fn place(world: &World) -> Place {
    place_with(world, |text| text)
}

/// The same on either database.
pub(crate) fn place_on(on: On, world: &World) -> Place {
    place_on_with(on, world, |text| text)
}

/// Nia has all of this year, and Tom is next: for what asks who is called first. By the demo's rota it is the other one every other
/// week.
pub(crate) fn nia_first(text: &str) -> String {
    let yesterday = (now() - SignedDuration::from_hours(24)).strftime("%Y-%m-%d");
    let turns = format!("hand_over: every 366 days 00:00, from: {yesterday}");
    text.replace("hand_over: weekly Mon 09:00, from: 2026-01-05", &turns)
}

pub(crate) fn place_on_with(on: On, world: &World, change: impl Fn(String) -> String) -> Place {
    filled(Place::on(on, &[]), world, change)
}

pub(crate) fn place_with(world: &World, change: impl Fn(String) -> String) -> Place {
    filled(Place::new(&[]), world, change)
}

fn filled(place: Place, world: &World, change: impl Fn(String) -> String) -> Place {
    for file in simulator::configuration(world, "{{public}}", "{{database}}") {
        let short = file
            .text
            .replace("every: 5s", "every: 1s")
            .replace("timeout: 3s", "timeout: 900ms")
            .replace("timeout: 4s", "timeout: 900ms")
            .replace("every: 2s, recover", "every: 200ms, recover")
            .replace(
                "hold: { ticket: 10s, callout: 15s, resolve: 15s }",
                "hold: { ticket: 500ms, callout: 1s, resolve: 2s }",
            )
            .replace(
                "hold: { ticket: 15s, callout: 30s, resolve: 15s }",
                "hold: { ticket: 500ms, callout: 1s, resolve: 2s }",
            )
            .replace("steady: 90s", "steady: 3s")
            .replace("after: 25s", "after: 2s")
            .replace("after: 60s", "after: 20s")
            .replace("slow: 800ms", "slow: 850ms");
        place.write(file.path, &change(short));
    }
    place
}

/// Every production instance has been measured and works.
pub(crate) async fn all_well(program: &mut Program) {
    all_well_but(program, "none of them").await;
}

/// The same but for the APIs whose names begin so.
pub(crate) async fn all_well_but(program: &mut Program, but: &str) {
    program.ready().await;
    let url = program.internal("/api/v1/status");
    program
        .wait(
            || async {
                let status = json(&url).await;
                let instances = status["instances"].as_array().cloned().unwrap_or_default();
                let concerns = |one: &&Value| one["api"].as_str().is_some_and(|api| !api.starts_with(but));
                let mut concerned = instances.iter().filter(concerns).peekable();
                concerned.peek().is_some() && concerned.all(|instance| instance["status"] == "operational")
            },
            "every instance to be operational",
        )
        .await;
}

pub(crate) async fn incidents(program: &Program) -> Vec<Value> {
    json(&program.internal("/api/v1/incidents")).await.as_array().cloned().expect("an array")
}

pub(crate) async fn text_to(world: &World, nth: usize) -> Message {
    world
        .wait_for(PATIENCE, |world| {
            world.notify().texts().into_iter().filter(|text| text.body.contains("/ack/")).nth(nth)
        })
        .await
        .expect("a text with a link")
}

async fn a_failing_production_api_becomes_one_ticket_calls_two_people_and_is_shown_in_both_languages(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;

    world.set_fault(API, "production", Fault::GatewayUnavailable).await.expect("a fault");
    world.set_fault("results", "sit", Fault::Refuse).await.expect("a fault");

    // One ticket, with the evidence in it.
    let ticket =
        world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    assert!(ticket.field("short_description").contains("Patient Demographics"), "{ticket:?}");
    let description = ticket.field("description");
    for part in ["status", "production", "patients cannot be looked up", "runbook", "P1"] {
        assert!(
            description.to_lowercase().contains(&part.to_lowercase()),
            "{part} is missing in: {description}"
        );
    }
    assert_eq!((ticket.field("impact"), ticket.field("urgency")), ("1", "1"));

    // The first person does not answer; the second is called, and takes it.
    let first = text_to(&world, 0).await;
    let mails = world
        .wait_for(PATIENCE, |world| world.mail().mails().into_iter().find(|mail| mail.text.contains("/ack/")))
        .await;
    assert!(mails.expect("a mail").to.iter().any(|to| to.contains("oncall.example")));
    let second = text_to(&world, 1).await;
    assert_ne!(first.to, second.to);
    assert_ne!(first.body, second.body);
    assert_eq!(answer(&second.body, Answer::Mine).await.expect("an answer"), 200);
    program
        .wait(
            || async {
                incidents_at(program_url(&place))
                    .await
                    .iter()
                    .any(|incident| incident["status"] == "acknowledged")
            },
            "the acknowledgement",
        )
        .await;

    // The public sees it, in both languages, and nothing of SIT.
    let public = program.public("/api/v1/incidents");
    let told = || async { json(&public).await.as_array().is_some_and(|all| !all.is_empty()) };
    program.wait(told, "the public page to be made anew").await;
    let english = text(&program.public("/en")).await;
    let welsh = text(&program.public("/cy")).await;
    assert!(english.contains("Patient Demographics") && welsh.contains("Demograffeg Cleifion"));
    let public = json(&public).await;
    let public = public.as_array().expect("an array");
    assert_eq!(public.len(), 1, "{public:?}");
    assert_eq!(public[0]["environment"], "production");
    assert!(public[0]["ticket"].is_null());

    // It recovers: a note on the ticket, everybody who was called is stood down, the page shows its end.
    world.set_fault(API, "production", Fault::None).await.expect("no fault");
    let id = public[0]["id"].as_str().expect("an id").to_owned();
    let stood_down = |text: &Message| text.reference.as_ref().is_some_and(|name| name.contains("stand-down"));
    world
        .wait_for(PATIENCE, |world| {
            let down: Vec<String> =
                world.notify().texts().into_iter().filter(stood_down).map(|text| text.to).collect();
            (down.contains(&first.to) && down.contains(&second.to)).then_some(())
        })
        .await
        .expect("both are stood down");
    world
        .wait_for(PATIENCE, |world| {
            let tickets = world.desk().tickets();
            let notes = tickets.first()?.work_notes();
            notes.iter().any(|note| note.to_lowercase().contains("recovered")).then_some(())
        })
        .await
        .expect("a note on the ticket");
    for (path, word) in
        [(format!("/en/incidents/{id}"), "It is over"), (format!("/cy/digwyddiadau/{id}"), "Wedi")]
    {
        let url = program.public(&path);
        program.wait(|| async { text(&url).await.contains(word) }, &format!("{url} to say {word}")).await;
    }

    // Nobody was called for SIT, and there was one ticket in all.
    assert_eq!(world.desk().tickets().len(), 1);
    let called = world.notify().texts();
    assert!(called.iter().all(|text| !text.body.contains("SIT")), "{called:?}");
    let provider = world.mail().mails();
    assert!(
        provider.iter().any(|mail| mail.to.iter().any(|to| to.contains("records@team.example"))),
        "{provider:?}"
    );
    world.stop().await;
}

fn program_url(place: &Place) -> String {
    format!("http://127.0.0.1:{}/api/v1/incidents", place.internal)
}

async fn incidents_at(url: String) -> Vec<Value> {
    json(&url).await.as_array().cloned().unwrap_or_default()
}

async fn what_everything_depends_on_is_one_incident_with_a_list(on: On) {
    let world = world().await;
    world.set_cascade(true);
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault("identity", "production", Fault::Backend(503)).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    let url = program_url(&place);
    program
        .wait(
            || async {
                let open = incidents_at(url.clone()).await;
                let open: Vec<&Value> =
                    open.iter().filter(|incident| incident["status"] != "resolved").collect();
                open.len() == 1
                    && open[0]["cause_key"] == "instance:identity/production"
                    && open[0]["held_back"].as_array().is_some_and(|held| held.len() == 6)
            },
            "one open incident that holds back six",
        )
        .await;
    assert_eq!(world.desk().tickets().len(), 1, "one incident per cause");
    world.stop().await;
}

/// Where a call can be answered.
pub(crate) fn link(call: &Message) -> String {
    let link = call.body.split_whitespace().find(|word| word.contains("/ack/")).expect("a link");
    link.get(link.find("http").expect("http")..).expect("a link").to_owned()
}

async fn getting_an_answer_link_never_answers(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let called = text_to(&world, 0).await;
    let link = link(&called);
    for _ in 0..3 {
        assert_eq!(status(&link).await, Some(200));
    }
    text_to(&world, 1).await;
    assert!(incidents(&program).await.iter().all(|incident| incident["acknowledged_at"].is_null()));
    let unknown = link.rsplit_once('/').expect("a path").0.to_owned() + "/0000000000ab";
    assert_eq!(status(&unknown).await, Some(404));
    world.stop().await;
}
