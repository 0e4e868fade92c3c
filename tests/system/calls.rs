//! Whoever is rung up takes it with a digit: a voicemail does not, nor a stranger, and no crash rings twice.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on_with},
    program::{PATIENCE, Place, Program, client, now, text, world},
};
use simulator::{Call, Fault, Trouble, Twilio, World};
use std::{ffi::OsStr, sync::Arc};
use tokio::{net::TcpListener, task::JoinSet};

const API: &str = "patient-demographics";

on_both!(
    who_is_rung_up_has_it_by_a_digit_and_by_nothing_else,
    a_call_whose_end_nobody_knows_is_looked_for_before_it_rings_again
);

struct Telephones {
    twilio: Twilio,
    serving: JoinSet<std::io::Result<()>>,
    place: Place,
}

/// Everybody has a telephone that rings; the next one is called much later.
async fn telephones(on: On, world: &World) -> Telephones {
    let twilio = Twilio::new(Arc::new(now));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (mut serving, router) = (JoinSet::new(), twilio.router());
    serving.spawn(async move { axum::serve(listener, router).await });
    let place = place_on_with(on, world, |text| {
        let section = format!(
            "twilio: {{ url: \"{url}\", account: {}, key: {}, secret: \"file:secrets/twilio\", auth_token: \
             \"file:secrets/twilio-token\", from: \"{}\" }}\n\npeople:\n",
            Twilio::ACCOUNT,
            Twilio::KEY,
            Twilio::FROM
        );
        text.replace("after: 2s", "after: 10m")
            .replace("after: 20s", "after: 20m")
            .replace("by: [text, email]", "by: [voice, text]")
            .replace(
                "text: \"file:secrets/nia-text\"",
                "text: \"file:secrets/nia-text\", voice: \"file:secrets/nia-text\"",
            )
            .replace(
                "text: \"file:secrets/tom-text\"",
                "text: \"file:secrets/tom-text\", voice: \"file:secrets/tom-text\"",
            )
            .replace("people:\n", &section)
    });
    place.write("secrets/twilio", Twilio::SECRET);
    place.write("secrets/twilio-token", Twilio::AUTH_TOKEN);
    Telephones { twilio, serving, place }
}

impl Telephones {
    async fn nth(&self, program: &mut Program, nth: usize) -> Call {
        program.wait_within(PATIENCE, || async { self.twilio.calls().len() > nth }, "a call").await;
        self.twilio.calls().swap_remove(nth)
    }

    /// Twilio posts this to an address that it was told.
    async fn posts(&self, program: &Program, url: &str, form: &[(&str, &str)]) -> reqwest::Response {
        let path = path(url);
        let signature = Twilio::sign(url, form);
        let request = client().post(program.public(path)).header("X-Twilio-Signature", signature).form(form);
        request.send().await.expect("an answer")
    }
}

/// Where on the site an address leads, which Twilio was told whole.
fn path(url: &str) -> &str {
    url.find("/hooks/").and_then(|at| url.get(at..)).expect("an address of ours")
}

fn action(call: &Call) -> String {
    let (_, rest) = call.words.split_once("action=\"").expect("it asks for a digit");
    rest.split('"').next().expect("an address").to_owned()
}

async fn who_is_rung_up_has_it_by_a_digit_and_by_nothing_else(on: On) {
    let world = world().await;
    let mut telephones = telephones(on, &world).await;
    let mut program = telephones.place.serve();
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let call = telephones.nth(&mut program, 0).await;
    assert!(
        call.words.contains("cy-GB") && call.words.contains("Pwyswch 1"),
        "in her language: {}",
        call.words
    );
    let id = call.status_callback.as_deref().and_then(|url| url.split_once("key=C-")).expect("a key").1;
    let id = id.split('-').next().expect("a number").to_owned();
    let told = call.status_callback.clone().expect("an address");

    // A voicemail takes it up, twice told; a stranger, and who only looks, do nothing.
    for status in ["in-progress", "completed", "completed"] {
        let answer =
            telephones.posts(&program, &told, &[("CallSid", &call.sid), ("CallStatus", status)]).await;
        assert_eq!(answer.status(), 204);
    }
    let action_of = action(&call);
    let path = path(&action_of);
    let forged =
        client().post(program.public(path)).header("X-Twilio-Signature", "AAAA").form(&[("Digits", "1")]);
    assert_eq!(forged.send().await.expect("an answer").status(), 403);
    let unsigned = client().post(program.public(path)).form(&[("Digits", "1")]).send().await;
    assert_eq!(unsigned.expect("an answer").status(), 403);
    let looked = client().get(program.public(path)).send().await.expect("an answer").status();
    assert!(looked == 404 || looked == 405, "{looked}");
    let again = telephones.posts(&program, &action(&call), &[("Digits", "3")]).await;
    assert!(again.text().await.expect("words").contains("<Gather"), "all is said again");
    let update = ["incident", "update", &id, "--en", "We are on it.", "--cy", "Rydym wrthi."];
    telephones.place.run(&update).await;
    let shown = telephones.place.run(&["incident", "show", &id]).await;
    assert!(shown.out.contains("voice arrived") && !shown.out.contains("acknowledged by"), "{}", shown.out);

    // She passes it on, and the next is rung up at once; he takes it, and that it is told twice changes nothing.
    let passed = telephones.posts(&program, &action(&call), &[("Digits", "2")]).await;
    assert!(passed.text().await.expect("words").starts_with("<Response><Say"), "said back");
    let second = telephones.nth(&mut program, 1).await;
    assert!(second.to != call.to && second.words.contains("Press 1"), "{second:?}");
    for _ in 0..2 {
        let taken = telephones.posts(&program, &action(&second), &[("Digits", "1")]).await;
        assert_eq!(taken.status(), 200);
    }
    telephones.place.run(&update).await;
    let shown = telephones.place.run(&["incident", "show", &id]).await;
    assert_eq!(shown.out.matches("acknowledged by").count(), 1, "{}", shown.out);
    assert_eq!(telephones.twilio.calls().len(), 2, "nobody is rung up to hear that it is taken");
    assert!(program.terminate().await.success());
    telephones.serving.shutdown().await;
    world.stop().await;
}

async fn a_call_whose_end_nobody_knows_is_looked_for_before_it_rings_again(on: On) {
    let world = world().await;
    let mut telephones = telephones(on, &world).await;
    let start = || telephones.place.serve_with(&[("CURIAD_CRASH_LEASE", OsStr::new("2"))]);
    let mut program = start();
    all_well(&mut program).await;
    telephones.twilio.set_trouble(Trouble::AcceptThenTimeOut);
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let call = telephones.nth(&mut program, 0).await;
    program.kill();

    telephones.twilio.set_trouble(Trouble::None);
    let mut program = start();
    program.ready().await;
    let metrics = program.internal("/metrics");
    let settled = || async { text(&metrics).await.lines().any(|line| line == "curiad_outbox_waiting 0") };
    program.wait(settled, "everything to be told").await;
    assert_eq!(telephones.twilio.calls(), std::slice::from_ref(&call), "it rang once");

    // Engaged: with the text given up too, the next is called at once though his turn is in ten minutes.
    let told = call.status_callback.clone().expect("an address");
    let engaged = telephones.posts(&program, &told, &[("CallStatus", "busy")]).await;
    assert_eq!(engaged.status(), 204);
    let key = world.notify().texts().into_iter().find_map(|text| text.reference).expect("a key");
    assert!(key.ends_with("/text"), "{key}");
    let receipt = serde_json::json!({ "reference": key, "status": "permanent-failure" });
    let hook =
        client().post(program.public("/hooks/notify")).bearer_auth(simulator::CALLBACK_TOKEN).json(&receipt);
    assert_eq!(hook.send().await.expect("an answer").status(), 204);
    let second = telephones.nth(&mut program, 1).await;
    assert_ne!(second.to, call.to);
    assert!(program.terminate().await.success());
    telephones.serving.shutdown().await;
    world.stop().await;
}
