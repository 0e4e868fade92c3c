//! Whoever is rung up takes it with a digit: a voicemail does not, nor a stranger, and no crash rings twice.

use crate::{
    database::{On, on_both},
    outage::{all_well, nia_first, place_on_with},
    program::{PATIENCE, Place, Program, client, now, text, world},
};
use simulator::{Call, Fault, Trouble, Twilio, World};
use std::{ffi::OsStr, sync::Arc};
use tokio::{net::TcpListener, task::JoinSet};

const API: &str = "patient-demographics";

on_both!(
    who_is_rung_up_has_it_by_a_digit_and_by_nothing_else,
    a_call_whose_end_nobody_knows_is_looked_for_before_it_rings_again,
    who_may_not_call_yet_waits_and_rings_once_and_what_is_told_late_or_twice_changes_nothing
);

#[cfg(debug_assertions)]
on_both!(wherever_it_dies_while_it_rings_somebody_up_it_rings_once);

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
        nia_first(&text)
            .replace("after: 2s", "after: 10m")
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

#[cfg(debug_assertions)]
async fn wherever_it_dies_while_it_rings_somebody_up_it_rings_once(on: On) {
    for point in ["call/before-send", "call/taken", "call/traced"] {
        let world = world().await;
        let mut telephones = telephones(on, &world).await;
        let lease = ("CURIAD_CRASH_LEASE", OsStr::new("2"));
        // It looks only for what may have been made before.
        let first = if point == "call/traced" { "call/taken" } else { point };
        let mut doomed = telephones.place.serve_with(&[lease, ("CURIAD_CRASH_AT", OsStr::new(first))]);
        all_well(&mut doomed).await;
        world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
        assert!(!doomed.end().await.success(), "{point}");
        if first != point {
            let mut again = telephones.place.serve_with(&[lease, ("CURIAD_CRASH_AT", OsStr::new(point))]);
            assert!(!again.end().await.success(), "{point}");
        }
        let mut program = telephones.place.serve_with(&[lease]);
        program.ready().await;
        telephones.nth(&mut program, 0).await;
        let metrics = program.internal("/metrics");
        let settled = || async { text(&metrics).await.lines().any(|line| line == "curiad_outbox_waiting 0") };
        program.wait(settled, "everything to be told").await;
        assert_eq!(telephones.twilio.calls().len(), 1, "{point}: found, not made again");
        assert!(program.terminate().await.success());
        telephones.serving.shutdown().await;
        world.stop().await;
    }
}

async fn who_may_not_call_yet_waits_and_rings_once_and_what_is_told_late_or_twice_changes_nothing(on: On) {
    let world = world().await;
    let mut telephones = telephones(on, &world).await;
    telephones.twilio.set_trouble(Trouble::RateLimited);
    let mut program = telephones.place.serve();
    all_well(&mut program).await;
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let refused = || async {
        std::fs::read_to_string(telephones.place.log())
            .is_ok_and(|log| log.matches("Twilio answered 429").count() >= 2)
    };
    program.wait_within(PATIENCE, refused, "it to be refused, and to come back").await;
    assert!(telephones.twilio.calls().is_empty());
    telephones.twilio.set_trouble(Trouble::None);
    let call = telephones.nth(&mut program, 0).await;
    let id = call.status_callback.as_deref().and_then(|url| url.split_once("key=C-")).expect("a key").1;
    let id = id.split('-').next().expect("a number").to_owned();

    // She asks to hear it again, three times, each in her language; then she takes it.
    for _ in 0..3 {
        let again = telephones.posts(&program, &action(&call), &[("Digits", "3")]).await;
        let words = again.text().await.expect("words");
        assert!(words.contains("<Gather") && words.contains("Pwyswch 1"), "{words}");
    }
    let update = ["incident", "update", &id, "--en", "We are on it.", "--cy", "Rydym wrthi."];
    telephones.place.run(&update).await;
    let shown = telephones.place.run(&["incident", "show", &id]).await;
    assert!(!shown.out.contains("acknowledged by"), "hearing it again answers nothing: {}", shown.out);
    let taken = telephones.posts(&program, &action(&call), &[("Digits", "1")]).await;
    assert_eq!(taken.status(), 200);
    let stands = || async {
        telephones.place.run(&["incident", "show", &id]).await.out.contains("acknowledged by Nia Rees")
    };
    program.wait(stands, "it to be hers").await;

    // Twilio tells late, twice, and in another order: it stays as it is.
    let told = call.status_callback.clone().expect("an address");
    for status in ["completed", "in-progress", "completed", "busy", "busy"] {
        let answer =
            telephones.posts(&program, &told, &[("CallSid", &call.sid), ("CallStatus", status)]).await;
        assert_eq!(answer.status(), 204, "{status}");
    }
    let late = telephones.posts(&program, &action(&call), &[("Digits", "1")]).await;
    assert!(late.text().await.expect("words").starts_with("<Response><Say"), "said, not asked again");
    telephones.place.run(&update).await;
    let shown = telephones.place.run(&["incident", "show", &id]).await;
    assert_eq!(shown.out.matches("acknowledged by").count(), 1, "{}", shown.out);
    assert_eq!(telephones.twilio.calls().len(), 1);
    assert!(program.terminate().await.success());
    telephones.serving.shutdown().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_calls_is_found_before_somebody_must_be_rung_up() {
    const ACCOUNT: &str = "Twilio: our account";
    let world = world().await;
    let mut telephones = telephones(On::Sqlite, &world).await;
    for (trouble, state, detail) in [
        (Trouble::None, "ok", "'Curiad' is active"),
        (Trouble::Unauthorised, "problem", "401"),
        (Trouble::ServerError, "problem", "500"),
        (Trouble::RateLimited, "problem", "429"),
    ] {
        telephones.twilio.set_trouble(trouble);
        let ran = telephones.place.run(&["--json", "doctor"]).await;
        let found = ran.json();
        let one = found.as_array().expect("an array").iter().find(|one| one["what"] == ACCOUNT);
        let one = one.unwrap_or_else(|| panic!("{ACCOUNT}: {found:#}"));
        assert_eq!(one["state"], state, "{one}");
        assert!(one["detail"].as_str().expect("a text").contains(detail), "{one}");
        let next = one["next"].as_str().unwrap_or_default();
        assert_eq!(next.contains("twilio.account"), state == "problem", "{one}");
        for secret in [Twilio::SECRET, Twilio::AUTH_TOKEN] {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret));
        }
    }
    telephones.twilio.set_trouble(Trouble::None);
    telephones.place.write("secrets/twilio", "another-secret");
    let ran = telephones.place.run(&["doctor"]).await;
    assert!(ran.code == Some(1) && ran.out.contains("error 20003"), "{}", ran.out);
    assert!(telephones.twilio.calls().is_empty(), "nobody is rung up");
    telephones.serving.shutdown().await;
    world.stop().await;
}
