//! A job that calls us: silence becomes a ticket, a call ends it, and no stop of ours loses or makes up a beat.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on_with},
    program::{PATIENCE, Place, Program, client, json, now, status, text, world},
    unrecorded::{self, mend},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::ffi::OsStr;

const NIGHTLY: &str = "api=results&environment=production&operation=nightly";

on_both!(
    a_silent_job_becomes_a_ticket_and_is_over_when_it_calls,
    a_beat_that_was_taken_outlives_a_kill_and_is_there_once,
    what_is_no_address_of_a_job_is_not_found
);

/// The demo's world, where `results` in production has a job that nobody has started yet.
fn place(on: On, world: &simulator::World, every: &str) -> Place {
    let every = every.to_owned();
    place_on_with(on, world, move |text| {
        let job = format!(
            "operations:\n  nightly: {{ heartbeat: {{ every: {every}, grace: 1s }}, critical: true }}"
        );
        if !text.contains("id: results\n") {
            return text;
        }
        text.replacen("operations:", &job, 1)
            .replace("operations: [ping, status]", "operations: [ping, status, nightly]")
    })
}

/// What `curiad heartbeat list` says of the job.
async fn job(place: &Place) -> Value {
    let all = place.run(&["heartbeat", "list", "--json"]).await.json();
    let all = all.as_array().expect("an array");
    let of_results = |one: &&Value| one["api"] == "results" && one["environment"] == "production";
    all.iter().find(of_results).cloned().unwrap_or_else(|| panic!("{all:?}"))
}

async fn address(place: &Place) -> String {
    job(place).await["url"].as_str().expect("an address").to_owned()
}

/// What is recorded of it.
fn history() -> String {
    format!("/api/v1/history?{NIGHTLY}&from=2026-01-01T00:00:00Z")
}

async fn of_the_instance(url: &str) -> String {
    let status = json(url).await;
    let instances = status["instances"].as_array().cloned().unwrap_or_default();
    let ours = |one: &&Value| one["api"] == "results" && one["environment"] == "production";
    instances.iter().find(ours).expect("the instance")["status"].as_str().expect("a word").to_owned()
}

async fn a_silent_job_becomes_a_ticket_and_is_over_when_it_calls(on: On) {
    let world = world().await;
    let place = place(on, &world, "10s");
    let mut program = place.serve();
    all_well(&mut program).await;
    let instances = program.internal("/api/v1/status");
    let before = job(&place).await;
    assert_eq!((before["status"].as_str(), before["ended_at"].as_str()), (Some("unknown"), None));
    let address = address(&place).await;

    assert_eq!(status(&format!("{address}/start")).await, Some(200));
    let sent = client().post(&address).body("42 rows, all well").send().await.expect("an answer");
    assert_eq!((sent.status().as_u16(), sent.text().await.expect("a body")), (200, "OK\n".to_owned()));
    program.wait(|| async { job(&place).await["status"] == "operational" }, "it to be heard").await;
    assert_eq!(world.desk().tickets().len(), 0);

    // It calls no more.
    let ticket =
        world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    let description = ticket.field("description");
    assert!(description.contains("A scheduled job of it has not been heard in time"), "{description}");
    assert!(description.contains("nightly: not heard since "), "{description}");
    assert!(!description.contains("Not the name, the network"), "nobody knows: {description}");
    let page = text(&program.internal("/en/apis/results")).await;
    assert!(
        page.contains("A scheduled job has not been heard from in time") && page.contains("last heard from")
    );
    assert!(
        text(&program.internal("/cy/apis/results")).await.contains("Ni chlywyd gan dasg gyfnodol mewn pryd")
    );
    assert_eq!(of_the_instance(&instances).await, "partial_outage");

    // Twice, as a job does that did not hear the answer.
    for _ in 0..2 {
        assert_eq!(client().head(&address).send().await.expect("an answer").status().as_u16(), 200);
    }
    program.wait(|| async { of_the_instance(&instances).await == "operational" }, "it to be well").await;
    world
        .wait_for(PATIENCE, |world| {
            let tickets = world.desk().tickets();
            let notes = tickets.first()?.work_notes();
            notes.iter().any(|note| note.to_lowercase().contains("recovered")).then_some(())
        })
        .await
        .expect("a note on the ticket");
    assert_eq!(world.desk().tickets().len(), 1);

    // It says that it failed.
    assert_eq!(status(&format!("{address}/3")).await, Some(200));
    let failed = "it to be known as failed";
    program.wait(|| async { of_the_instance(&instances).await == "partial_outage" }, failed).await;
    let history = json(&program.internal(&history())).await;
    assert!(history["latency_ms"].is_null(), "a job has no response time: {history}");

    // Nothing is sent to it, and its address is nowhere but on the command line.
    let probed =
        place.run(&["probe", "results", "--environment", "production", "--operation", "nightly"]).await;
    assert_eq!(probed.code, Some(64), "{probed:?}");
    assert!(
        probed.err.contains("results/production/nightly is heard, not probed: its job calls us"),
        "{probed:?}"
    );
    let traffic = place.run(&["check", "--traffic"]).await;
    assert!(!traffic.out.contains("inbound"), "{traffic:?}");
    let reference = address.rsplit('/').next().expect("a reference").to_owned();
    for path in ["/en/apis/results", "/metrics", "/api/v1/apis"] {
        assert!(!text(&program.internal(path)).await.contains(&reference), "{path}");
    }
    assert!(text(&program.internal("/metrics")).await.contains("operation=\"nightly\",vantage=\"inbound\""));
    program.terminate().await;
    assert!(!place.stored().contains(&reference), "it is made anew from the key");
    world.stop().await;
}

async fn a_beat_that_was_taken_outlives_a_kill_and_is_there_once(on: On) {
    let world = world().await;
    let place = place(on, &world, "1h");
    let mut program = place.serve();
    program.ready().await;
    let address = address(&place).await;
    assert_eq!(status(&address).await, Some(200));
    // At once: as likely as not before it was looked at.
    program.kill();
    let mut beats = 1;
    // Kept, and nobody was told so; folded in, and nothing of that is recorded; nearly recorded.
    for point in ["inbox/appended", "recorder/folded-told", "record/heard"] {
        let mut program = place.serve();
        there(&mut program, beats).await;
        program.kill();
        if cfg!(debug_assertions) {
            let mut doomed = place.serve_with(&[("CURIAD_CRASH_AT", OsStr::new(point))]);
            doomed.ready().await;
            drop(client().get(&address).send().await);
            doomed.end().await;
            beats += 1;
        }
    }
    let mut program = place.serve();
    there(&mut program, beats).await;
    world.stop().await;
}

/// So many beats are recorded, and no more.
async fn there(program: &mut Program, beats: u64) {
    program.ready().await;
    let history = program.internal(&history());
    let samples = || async { json(&history).await["samples"].as_u64() };
    program.wait(|| async { samples().await >= Some(beats) }, "the beat").await;
    assert_eq!(samples().await, Some(beats));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beat_that_could_not_be_kept_makes_no_job_fail() {
    let world = world().await;
    let place = place(On::Sqlite, &world, "10s");
    let mut program = place.serve();
    all_well(&mut program).await;
    let address = address(&place).await;
    assert_eq!(status(&address).await, Some(200));
    program.wait(|| async { job(&place).await["status"] == "operational" }, "it to be heard").await;
    let ended_at: Timestamp =
        job(&place).await["ended_at"].as_str().expect("a time").parse().expect("a time");
    // It calls again, and is refused until long after its time.
    let trouble = unrecorded::hold(&place).await;
    loop {
        let called_at = now();
        assert_eq!(status(&address).await, Some(503));
        if called_at.duration_since(ended_at) > SignedDuration::from_secs(20) {
            break;
        }
    }
    mend(trouble).await;
    let again = now();
    assert_eq!(status(&address).await, Some(200));
    let heard_again = || async {
        let job = job(&place).await;
        let ended_at = job["ended_at"].as_str().and_then(|at| at.parse().ok());
        job["status"] == "operational" && ended_at.is_some_and(|at: Timestamp| at >= again)
    };
    program.wait(heard_again, "it to be heard again").await;
    let incidents = json(&program.internal("/api/v1/incidents")).await;
    assert_eq!(incidents, Value::Array(Vec::new()), "it was never said to be silent");
    world.stop().await;
}

async fn what_is_no_address_of_a_job_is_not_found(on: On) {
    let world = world().await;
    let place = place(on, &world, "1h");
    let mut program = place.serve();
    program.ready().await;
    let address = address(&place).await;
    for path in ["/whenever", "/256", "/-1", "/start/now"] {
        assert_eq!(status(&format!("{address}{path}")).await, Some(404), "{path}");
    }
    assert_eq!(status(&program.public("/beats/0123456789abcdefghjkmnpqrstvwxyz")).await, Some(404));
    let inside = address.replace(&place.public.to_string(), &place.internal.to_string());
    assert_eq!(status(&inside).await, Some(404), "only the public listener hears");
    assert_eq!(job(&place).await["ended_at"], Value::Null);
    // Another number of `address` is another address.
    let results = place.config().join("apis/results.yaml");
    let changed =
        std::fs::read_to_string(&results).expect("a file").replace("grace: 1s", "grace: 1s, address: 2");
    std::fs::write(&results, changed).expect("a file");
    program.signal("HUP");
    program.wait(|| async { status(&address).await == Some(404) }, "the old address to be gone").await;
    let new = self::address(&place).await;
    assert_ne!(new, address);
    assert_eq!(status(&new).await, Some(200));
    world.stop().await;
}
