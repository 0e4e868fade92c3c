//! Somebody presses "I've got it", and a carrier reports, while the database takes nothing.

use crate::{
    database::{On, on_both},
    outage::{all_well, link, place_on_with, text_to},
    program::{client, json, status},
    unrecorded::{self, SOON, Trouble, mend},
};
use serde_json::json;
use simulator::{Blow, CALLBACK_TOKEN, Fault, Message, World};

const API: &str = "patient-demographics";

on_both!(an_answer_that_cannot_be_noted_is_said_so_in_both_languages_and_the_same_press_works_later);

/// What a person sees who presses.
async fn press(link: &str, language: &str) -> (u16, String) {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post =
        client().post(format!("{link}?lang={language}")).header(form[0].0, form[0].1).body("answer=mine");
    let answer = post.send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a page"))
}

async fn look(link: &str, language: &str) -> String {
    crate::program::text(&format!("{link}?lang={language}")).await
}

/// What Notify says of a text; the status that it is answered with.
async fn report(hook: &str, called: &Message) -> u16 {
    let body = json!({
        "id": called.id, "reference": called.reference, "to": called.to, "status": "delivered",
        "created_at": "2026-11-21T00:00:00.000000Z", "completed_at": "2026-11-21T00:00:05.000000Z",
        "sent_at": "2026-11-21T00:00:01.000000Z", "notification_type": "sms",
        "template_id": "1", "template_version": 1,
    });
    let post = client().post(hook).bearer_auth(CALLBACK_TOKEN);
    let post = post.header("content-type", "application/json").body(body.to_string());
    post.send().await.expect("an answer").status().as_u16()
}

async fn an_answer_that_cannot_be_noted_is_said_so_in_both_languages_and_the_same_press_works_later(on: On) {
    let world: World = crate::program::world().await;
    // The next person is called after ten minutes: none of this is about them.
    let patient = |text: String| text.replace("after: 2s", "after: 10m").replace("after: 20s", "after: 20m");
    let place = place_on_with(on, &world, patient);
    let server = match on {
        On::Sqlite => None,
        On::Postgres => Some(unrecorded::behind_a_proxy(&place).await),
    };
    let mut program = place.serve_as(SOON, &[]);
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::GatewayUnavailable).await.expect("a fault");
    let called = text_to(&world, 0).await;
    let (link, hook) = (link(&called), program.public("/hooks/notify"));

    let trouble = match &server {
        None => unrecorded::hold(&place).await,
        Some(server) => {
            server.refuse().await;
            server.strike(Blow::Reset).await;
            Trouble::Away(server.clone())
        }
    };
    // At once, before anybody has said that nothing can be recorded.
    for (language, unkept, ring, taken) in [
        ("en", "could NOT be noted", "yourself.", "You have it"),
        ("cy", "NI ellid nodi eich ateb", "eich hun.", "Chi sy’n delio ag ef;"),
    ] {
        let (code, page) = press(&link, language).await;
        assert_eq!(code, 503, "{page}");
        assert!(page.contains(unkept) && page.contains(ring), "{page}");
        assert!(!page.contains(taken) && page.contains("value=\"mine\""), "it can be pressed again: {page}");
        assert!(!page.contains("is called at") && !page.contains("ei alw am"), "nobody will be: {page}");
    }
    assert_eq!(report(&hook, &called).await, 503, "Notify sends it again");
    // And once it is known, whoever only looks is told too. (Looks at such links are limited: it is not asked there.)
    let (ready, trouble_is_known) = (program.internal("/readyz"), "not to be ready");
    program.wait(|| async { status(&ready).await == Some(503) }, trouble_is_known).await;
    assert!(look(&link, "en").await.contains("calls nobody but the last resort"));
    assert!(look(&link, "cy").await.contains("nid yw’n galw neb ond y dewis olaf"));
    let url = program.internal("/api/v1/incidents");
    assert!(json(&url).await[0]["acknowledged_at"].is_null());

    mend(trouble).await;
    program.ready().await;
    let (code, page) = press(&link, "cy").await;
    assert!(code == 200 && page.contains("Chi sy’n delio ag ef"), "{page}");
    program.wait(|| async { json(&url).await[0]["status"] == "acknowledged" }, "it to be taken").await;
    assert_eq!(report(&hook, &called).await, 204);
    assert!(look(&link, "en").await.contains("You have it since"));
    assert_eq!(
        world.notify().texts().iter().filter(|text| text.body.contains("/ack/")).count(),
        1,
        "nobody else was called"
    );
    world.stop().await;
}
