//! Two programs on one PostgreSQL: one records, the other stands by, shows pages, and takes over when the first is gone.

use crate::{
    database::{Fresh, On, on_both},
    outage::{all_well, incidents, place_on_with, place_with},
    program::{PATIENCE, Place, Program, client, json, now, text, world},
};
use jiff::SignedDuration;
use serde_json::Value;
use simulator::{Fault, Message, World};
use std::{collections::BTreeSet, io::ErrorKind, net::TcpListener, time::Duration};

const API: &str = "results";

/// A place of its own, on a database that is shared.
fn place_on(database: &Fresh, world: &World, change: impl Fn(String) -> String) -> Place {
    let mut place = place_with(world, |text| change(text.replace("{{database}}", &database.url)));
    place.url.clone_from(&database.url);
    place
}

async fn has_role(program: &mut Program, role: &str) {
    let url = program.internal("/readyz");
    let has = || async {
        let answer = client().get(&url).send().await.ok();
        let ready: Option<Value> = match answer {
            Some(answer) => answer.json().await.ok(),
            None => None,
        };
        ready.is_some_and(|ready| ready["checks"]["recorder:role"][0]["observedValue"] == role)
    };
    program.wait(has, role).await;
}

async fn figure(program: &Program, name: &str) -> u64 {
    let all = text(&program.internal("/metrics")).await;
    let line = all.lines().find(|line| line.split([' ', '{']).next() == Some(name)).expect("the figure");
    line.rsplit(' ').next().expect("a value").parse().expect("a number")
}

/// Goes on recording.
async fn records(program: &mut Program) {
    has_role(program, "recorder").await;
    assert_eq!(figure(program, "curiad_recorder").await, 1);
    let url = program.internal("/metrics");
    let some = || async { !text(&url).await.contains("\ncuriad_outcomes_recorded_total 0\n") };
    program.wait(some, "outcomes to be recorded").await;
}

/// Everything that was told has been told once, and there is one ticket.
fn nothing_is_doubled(world: &World) {
    let texts = world.notify().texts();
    let names: Vec<&String> = texts.iter().filter_map(|text| text.reference.as_ref()).collect();
    let distinct: BTreeSet<&&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    assert_eq!(world.desk().tickets().len(), 1, "one ticket");
}

async fn first_call(world: &World) -> Message {
    let call = |world: &World| world.notify().texts().into_iter().find(|text| text.body.contains("/ack/"));
    world.wait_for(PATIENCE, call).await.expect("a call")
}

async fn resolved(program: &mut Program) {
    let url = program.internal("/api/v1/incidents");
    program.wait(|| async { json(&url).await[0]["status"] == "resolved" }, "the incident to end").await;
}

/// How often somebody came to this door since the last time it was asked.
fn knocks(door: &TcpListener) -> usize {
    let mut count = 0;
    loop {
        match door.accept() {
            Ok(_) => count += 1,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return count,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_a_standby_shows_pages_takes_answers_and_takes_over_from_one_that_is_killed() {
    let (world, database) = (world().await, Fresh::new());
    let first = place_on(&database, &world, |text| text);
    // Whom the second one's heartbeat goes to.
    let door = TcpListener::bind("127.0.0.1:0").expect("a door");
    door.set_nonblocking(true).expect("a door");
    let beat = format!("http://{}/beat", door.local_addr().expect("an address"));
    let second = place_on(&database, &world, |text| {
        text.replace(&world.heartbeat().url(), &beat).replace("every: 10s }", "every: 1s }")
    });
    let mut one = first.serve();
    all_well(&mut one).await;
    records(&mut one).await;
    let mut other = second.serve();
    has_role(&mut other, "standby").await;
    all_well(&mut other).await;

    // What it shows is read again and again, and says from when it is.
    let url = other.internal("/api/v1/status");
    let shown_at = json(&url).await["as_of"].clone();
    other.wait(|| async { json(&url).await["as_of"] != shown_at }, "newer pages").await;
    world.set_fault(API, "production", Fault::Backend(503)).await.expect("a fault");
    let call = first_call(&world).await;
    let url = other.internal("/api/v1/incidents");
    let called = || async { json(&url).await[0]["callouts"].as_u64() >= Some(1) };
    other.wait(called, "the incident on the standby's page").await;

    // An answer that reaches it counts.
    let reference =
        call.body.split("/ack/").nth(1).expect("a link").split_whitespace().next().expect("a word");
    let reference = reference.trim_end_matches('.');
    let answered = client()
        .post(other.public(&format!("/ack/{reference}")))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("answer=mine")
        .send()
        .await
        .expect("an answer");
    assert!(answered.status().is_success(), "{answered:?}");
    let url = one.internal("/api/v1/incidents");
    let acknowledged = || async { json(&url).await[0]["status"] == "acknowledged" };
    one.wait(acknowledged, "the acknowledgement").await;

    // It did nothing else.
    assert_eq!(figure(&other, "curiad_recorder").await, 0);
    assert_eq!(figure(&other, "curiad_probes_total").await, 0);
    assert_eq!(knocks(&door), 0, "only who records beats");

    let before = incidents(&one).await;
    one.kill();
    // Pages stand all the while.
    let page = other.public("/en");
    assert!(text(&page).await.contains("Results"));
    records(&mut other).await;
    let after = incidents(&other).await;
    assert_eq!((&after[0]["id"], after.len()), (&before[0]["id"], before.len()));
    other.wait(|| async { knocks(&door) > 0 }, "its heartbeat").await;
    world.set_fault(API, "production", Fault::None).await.expect("no fault");
    resolved(&mut other).await;
    all_well(&mut other).await;
    nothing_is_doubled(&world);

    // Who was killed comes back as the standby.
    let mut one = first.serve();
    has_role(&mut one, "standby").await;
    world.stop().await;
}

on_both!(one_that_stood_still_while_a_call_was_due_makes_it_when_it_goes_on);

/// Nobody else is there to take over.
async fn one_that_stood_still_while_a_call_was_due_makes_it_when_it_goes_on(on: On) {
    let world = world().await;
    let late = |text: String| text.replace("callout: 1s", "callout: 5s");
    let place = place_on_with(on, &world, late);
    let mut one = place.serve();
    all_well(&mut one).await;
    world.set_fault(API, "production", Fault::Backend(503)).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    one.signal("STOP");
    // Until the clock says that the call was due.
    let due = now() + SignedDuration::from_secs(7);
    while now() < due {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(world.notify().texts().is_empty(), "it stands still");
    one.signal("CONT");
    first_call(&world).await;
    world.set_fault(API, "production", Fault::None).await.expect("no fault");
    resolved(&mut one).await;
    assert_eq!(incidents(&one).await.len(), 1);
    nothing_is_doubled(&world);
    assert!(one.terminate().await.success());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_one_that_was_frozen_ends_when_it_goes_on_and_has_doubled_nothing() {
    let (world, database) = (world().await, Fresh::new());
    // The call is due while nobody is there to make it.
    let late = |text: String| text.replace("callout: 1s", "callout: 5s");
    let (first, second) = (place_on(&database, &world, late), place_on(&database, &world, late));
    let mut one = first.serve();
    all_well(&mut one).await;
    let mut other = second.serve();
    has_role(&mut other, "standby").await;
    world.set_fault(API, "production", Fault::Backend(503)).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    one.signal("STOP");
    records(&mut other).await;
    first_call(&world).await;

    one.signal("CONT");
    let ended = one.end().await;
    let log = std::fs::read_to_string(first.log()).expect("a log");
    assert_eq!(ended.code(), Some(75), "{log}");
    assert!(log.contains("another curiad records on this database now, so this one has stopped"), "{log}");
    let mut one = first.serve();
    has_role(&mut one, "standby").await;
    world.set_fault(API, "production", Fault::None).await.expect("no fault");
    resolved(&mut other).await;
    assert_eq!(incidents(&other).await.len(), 1);
    nothing_is_doubled(&world);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_one_that_stops_by_itself_hands_over_and_back() {
    let (world, database) = (world().await, Fresh::new());
    let (first, second) =
        (place_on(&database, &world, |text| text), place_on(&database, &world, |text| text));
    let mut one = first.serve();
    all_well(&mut one).await;
    let mut other = second.serve();
    has_role(&mut other, "standby").await;
    assert!(one.terminate().await.success(), "{}", crate::program::tail(&first.log()));
    records(&mut other).await;
    let log = std::fs::read_to_string(second.log()).expect("a log");
    assert!(
        log.contains("the other program stopped: this one records from now on"),
        "{}\n{log}",
        crate::program::tail(&first.log())
    );
    let mut one = first.serve();
    has_role(&mut one, "standby").await;
    assert!(other.terminate().await.success(), "{}", crate::program::tail(&second.log()));
    records(&mut one).await;
    // A standby that is asked to stop does so, and disturbs nobody.
    let mut other = second.serve();
    has_role(&mut other, "standby").await;
    assert!(other.terminate().await.success(), "{}", crate::program::tail(&second.log()));
    records(&mut one).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_one_that_is_started_again_after_a_crash_waits_for_nobody() {
    let (world, database) = (world().await, Fresh::new());
    let place = place_on(&database, &world, |text| text);
    let mut program = place.serve();
    records(&mut program).await;
    program.kill();
    let mut program = place.serve();
    records(&mut program).await;
    let log = std::fs::read_to_string(place.log()).expect("a log");
    assert!(!log.contains("standby"), "it is known here that the one before is gone\n{log}");
    world.stop().await;
}
