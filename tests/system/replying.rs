//! Whoever is called answers by text: taken, passed on, or not understood, and each time they hear which.

use crate::{
    database::{On, on_both},
    outage::{all_well, nia_first, place_on_with, text_to},
    program::{PATIENCE, Program, client, world},
};
use serde_json::json;
use simulator::{CALLBACK_TOKEN, Callbacks, Fault, World};

const API: &str = "patient-demographics";

on_both!(who_answers_a_call_by_text_has_it_when_that_is_said_back_and_only_then);

/// Notify tells this program.
fn tells(world: &World, program: &Program) {
    let url: reqwest::Url = program.public("/hooks/notify").parse().expect("a URL");
    world.notify().set_callbacks(Some(Callbacks {
        receipts: url.clone(),
        receipts_token: CALLBACK_TOKEN.to_owned(),
        replies: url,
        replies_token: CALLBACK_TOKEN.to_owned(),
    }));
}

/// The text that says back what was taken from an answer: the one with these words.
async fn said_back(world: &World, to: &str, words: &str) -> String {
    let found = world.wait_for(PATIENCE, |world| {
        world.notify().texts().into_iter().find(|text| text.to == to && text.body.contains(words))
    });
    found.await.unwrap_or_else(|_| panic!("no text to {to} says: {words}; {:?}", world.notify().texts())).body
}

async fn who_answers_a_call_by_text_has_it_when_that_is_said_back_and_only_then(on: On) {
    let world = world().await;
    let place = place_on_with(on, &world, |text| {
        nia_first(&text).replace("after: 2s", "after: 10m").replace("after: 20s", "after: 20m")
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    tells(&world, &program);
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let first = text_to(&world, 0).await;
    let code = first.body.split_whitespace().find_map(|word| word.strip_suffix(',')?.parse::<u64>().ok());
    let code = code.unwrap_or_else(|| panic!("it says how it is answered: {}", first.body));
    assert!(first.body.chars().count() <= 160, "{}", first.body);

    // A machine's word, and a stranger's.
    world.notify().reply(&first.to, "Rydw i’n gyrru. Mi ffonia i mewn 5 munud");
    let said = said_back(&world, &first.to, "ni ddeallwyd").await;
    assert!(said.contains(&format!("Atebwch {code} i'w dderbyn")), "in her language: {said}");
    world.notify().reply("07700 900999", &code.to_string());
    let forged = json!({
        "id": "x", "source_number": first.to, "destination_number": "07700900987",
        "message": code.to_string(), "date_received": "2026-11-21T00:00:00.000000Z",
    });
    let hook = program.public("/hooks/notify");
    let post = client().post(&hook).bearer_auth("a-guess").json(&forged).send().await.expect("an answer");
    assert_eq!(post.status(), 401);
    let shown = place.run(&["incident", "show", &code.to_string()]).await;
    assert!(
        shown.out.contains("sent a text that is no answer") && !shown.out.contains("gyrru"),
        "{}",
        shown.out
    );
    assert!(!shown.out.contains("acknowledged by"), "{}", shown.out);

    // It is passed on, and the next is called at once though her turn is in ten minutes.
    world.notify().reply(&first.to, &format!("{code} na"));
    said_back(&world, &first.to, "basio ymlaen").await;
    let second = world
        .wait_for(PATIENCE, |world| {
            world.notify().texts().into_iter().find(|text| text.to != first.to && text.body.contains("/ack/"))
        })
        .await
        .expect("the next is called");

    // Killed when the answer had just been taken in; nothing is lost, and the telling of it twice changes nothing.
    world.notify().reply(&second.to, &code.to_string());
    world
        .wait_for(PATIENCE, |world| {
            world.notify().replies().pop().filter(|reply| reply.answered == Some(204))
        })
        .await
        .expect("taken");
    program.kill();
    let mut program = place.serve();
    program.ready().await;
    tells(&world, &program);
    said_back(&world, &second.to, "C-").await;
    let reply = world.notify().replies().pop().expect("a reply");
    let again = json!({
        "id": reply.id, "source_number": second.to, "destination_number": "07700900987",
        "message": reply.message, "date_received": "2026-11-21T00:00:00.000000Z",
    });
    let hook = program.public("/hooks/notify");
    let post = client().post(&hook).bearer_auth(CALLBACK_TOKEN).json(&again).send().await.expect("an answer");
    assert_eq!(post.status(), 204);
    // All that was told is folded in once this is answered.
    place
        .run(&["incident", "update", &code.to_string(), "--en", "We are on it.", "--cy", "Rydym wrthi."])
        .await;
    let shown = place.run(&["incident", "show", &code.to_string()]).await;
    assert_eq!(shown.out.matches("acknowledged by").count(), 1, "{}", shown.out);
    let backs = world.notify().texts().into_iter().filter(|text| {
        text.to == second.to && text.reference.as_deref().is_some_and(|key| key.contains("/heard/"))
    });
    assert_eq!(backs.count(), 1, "said back once");
    assert!(program.terminate().await.success());
    world.stop().await;
}
