//! The configuration is read again while everything runs: good files are put in force, bad ones change nothing.

use crate::{
    database::{On, on_both},
    outage::{all_well, incidents, place_on},
    program::{PATIENCE, Place, Program, json, now, text, world},
};
use domain::{ApiId, CheckId, Environment, InstanceId, OperationId};
use jiff::SignedDuration;
use simulator::{Fault, World};
use std::{collections::BTreeSet, fs, path::PathBuf};
use store::Store;

const RESULTS: &str = "apis/results.yaml";
const SUCCESSFUL: &str = "curiad_configuration_last_reload_successful";
const READINGS: &str = "curiad_configuration_readings_total";

fn path(place: &Place, name: &str) -> PathBuf {
    place.config().join(name)
}

fn read(place: &Place, name: &str) -> String {
    fs::read_to_string(path(place, name)).expect("a file")
}

/// Writes a file as it stands, in place.
fn write(place: &Place, name: &str, text: &str) {
    fs::write(path(place, name), text).expect("written");
}

/// Writes a file as editors and git do: beside it, then over it.
fn replace(place: &Place, name: &str, text: &str) {
    let beside = path(place, ".new");
    fs::write(&beside, text).expect("written");
    fs::rename(beside, path(place, name)).expect("renamed");
}

/// A figure of `/metrics`.
async fn figure(program: &Program, name: &str) -> f64 {
    let all = text(&program.internal("/metrics")).await;
    let line = all.lines().find(|line| line.split([' ', '{']).next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {all}"));
    line.rsplit(' ').next().expect("a value").parse().expect("a number")
}

async fn is(program: &Program, name: &str, value: f64) -> bool {
    (figure(program, name).await - value).abs() < 0.5
}

async fn version(program: &Program) -> String {
    let ready = json(&program.internal("/readyz")).await;
    ready["checks"]["configuration:standing"][0]["observedValue"].as_str().expect("a version").to_owned()
}

/// Asks the program to read its files, and waits until it has.
async fn hang_up(program: &mut Program) {
    let before = figure(program, READINGS).await;
    program.signal("HUP");
    let url = program.internal("/metrics");
    let more = || async {
        let all = text(&url).await;
        let line = all.lines().find(|line| line.starts_with(READINGS)).map(str::to_owned);
        let now: f64 = line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("a figure");
        now > before
    };
    program.wait(more, "the files to be read").await;
}

fn check(api: &str, environment: &str, operation: &str) -> CheckId {
    let environment = Environment::parse(environment).expect("an environment");
    CheckId {
        instance: InstanceId { api: ApiId::parse(api).expect("an id"), environment },
        operation: OperationId::parse(operation).expect("an id"),
    }
}

/// What the demo asks of any of its APIs, and in how many requests.
const OPERATIONS: [(&str, u64); 11] = [
    ("ping", 1),
    ("status", 1),
    ("read", 1),
    ("capabilities", 1),
    ("search", 1),
    ("description", 1),
    ("look-up", 1),
    ("clinics", 1),
    ("acknowledge", 1),
    ("connect", 1),
    ("draft", 3),
];

/// Every request that the world saw, but those for tokens, is an outcome that is stored.
async fn nothing_was_lost(world: &World, place: &Place) {
    let store = Store::open(&place.url, [0; 32]).await.expect("the database is whole");
    let (from, to) = (now() - SignedDuration::from_hours(1), now() + SignedDuration::from_hours(1));
    for instance in world.instances() {
        let mut stored = 0;
        for (operation, requests) in OPERATIONS {
            let check = check(&instance.api, &instance.environment, operation);
            let samples = store.samples(&check, None, from, to, 100_000).await.expect("samples");
            stored += samples.len() as u64 * requests;
        }
        let asked = instance.requests - instance.tokens;
        let (api, environment) = (&instance.api, &instance.environment);
        assert!(stored >= asked, "{api}/{environment}: asked {asked} times, {stored} outcomes");
    }
    store.close().await;
}

on_both!(
    under_load_good_bad_and_half_written_files_lose_nothing_and_an_open_incident_goes_on,
    an_instance_in_production_leaves_only_when_it_is_retired,
    files_that_are_still_are_taken_by_themselves_and_bad_ones_are_named_in_the_log_and_the_metric,
    what_needs_a_restart_is_said_and_the_rest_is_taken,
    a_document_that_answers_are_held_against_is_taken_when_it_changes,
    however_often_the_files_are_read_the_program_does_not_grow
);

async fn under_load_good_bad_and_half_written_files_lose_nothing_and_an_open_incident_goes_on(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    let first = version(&program).await;
    world.set_fault("results", "production", Fault::Backend(503)).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    let before = incidents(&program).await;

    let good = read(&place, RESULTS);
    let faster = good.replace("every: 1s", "every: 700ms");
    let without_sit = good.replace("  sit:", "  # sit:");
    let with_read =
        good.replace("  status: {", "  read:   { get: /_ping, expect: { status: 200 } }\n  status: {");
    let unknown_key = good.replace("lifecycle: stable", "lifecycle: stable\nlifecicle: stable");
    let half: String = good.chars().take(good.len() / 2).collect();
    let versions = [&faster, &unknown_key, &without_sit, &half, &with_read, &good];
    for turn in 0..36_usize {
        let text = versions[turn % versions.len()];
        let put = if turn % 2 == 0 { write } else { replace };
        put(&place, RESULTS, text);
        if turn % 3 == 0 {
            // Not waited for: the next one comes while this one is read.
            program.signal("HUP");
        } else {
            hang_up(&mut program).await;
        }
    }
    replace(&place, RESULTS, &good);
    hang_up(&mut program).await;
    let url = program.internal("/readyz");
    program
        .wait(
            || async {
                json(&url).await["checks"]["configuration:standing"][0]["observedValue"] == first.as_str()
            },
            "the first configuration to be in force again",
        )
        .await;

    // The same incident with the same ticket, and its escalation went on to the second person.
    let url = program.internal("/api/v1/incidents");
    program
        .wait(
            || async { json(&url).await[0]["callouts"].as_u64() >= Some(2) },
            "the second person to be called",
        )
        .await;
    let after = incidents(&program).await;
    assert_eq!(after.len(), before.len(), "{after:?}");
    for field in ["id", "started_at", "opened_at"] {
        assert_eq!(after[0][field], before[0][field]);
    }
    assert_eq!(world.desk().tickets().len(), 1, "one ticket");
    world.set_fault("results", "production", Fault::None).await.expect("no fault");
    program.wait(|| async { json(&url).await[0]["status"] == "resolved" }, "the incident to end").await;
    all_well(&mut program).await;
    assert!(program.terminate().await.success());
    nothing_was_lost(&world, &place).await;
    world.stop().await;
}

async fn files_that_are_still_are_taken_by_themselves_and_bad_ones_are_named_in_the_log_and_the_metric(
    on: On,
) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    program.ready().await;
    assert!(is(&program, SUCCESSFUL, 1.0).await && is(&program, READINGS, 0.0).await);
    let good = read(&place, RESULTS);
    write(&place, RESULTS, &good.replace("lifecycle: stable", "lifecycle: stabel"));
    let metrics = program.internal("/metrics");
    let bad = format!("{SUCCESSFUL} 0");
    program.wait(|| async { text(&metrics).await.contains(&bad) }, "the bad file to be seen").await;
    let line = 1 + good.lines().position(|line| line.starts_with("lifecycle")).expect("the line");
    let named = format!("results.yaml:{line}:12: ");
    let log = fs::read_to_string(place.log()).expect("a log");
    assert!(log.contains(&named) && log.contains("'stable'"), "{named} is not in\n{log}");

    // Said to those who run it, and to nobody else.
    let internal = json(&program.internal("/readyz")).await;
    assert_eq!(internal["status"], "warn");
    let said = internal["checks"]["configuration:standing"][0]["output"].as_str().unwrap_or_default();
    assert!(said.contains(&named), "{internal}");
    let public = json(&program.public("/readyz")).await;
    assert_eq!(public["checks"]["configuration:standing"][0]["status"], "warn");
    assert!(!public.to_string().contains("results.yaml"), "{public}");
    for path in ["/en", "/cy"] {
        let page = program.internal(path);
        program.wait(|| async { text(&page).await.contains(&named) }, "the page to say it").await;
        assert!(!text(&program.public(path)).await.contains("results.yaml"));
    }

    // A secret in a file of its own counts; so does the title on the page.
    write(&place, RESULTS, &good);
    let top = read(&place, "curiad.yaml").replace("NHS Wales API status", "How our APIs are");
    replace(&place, "curiad.yaml", &top);
    write(&place, "secrets/notify-callbacks", "another-token-that-is-long-enough");
    let page = program.public("/en");
    program.wait(|| async { text(&page).await.contains("How our APIs are") }, "the new title").await;
    assert!(is(&program, SUCCESSFUL, 1.0).await);
    let hook = program.public("/hooks/notify");
    let with = |token: &str| {
        let request = crate::program::client().post(&hook).bearer_auth(token.to_owned());
        async { request.body("{}").send().await.expect("an answer").status().as_u16() }
    };
    program.wait(|| async { with("another-token-that-is-long-enough").await != 401 }, "the new token").await;
    assert_eq!(with(simulator::CALLBACK_TOKEN).await, 401, "the old one opens no more");
    let log = fs::read_to_string(place.log()).expect("a log");
    assert_eq!(log.matches(&named).count(), 1, "a mistake is said once\n{log}");
    world.stop().await;
}

/// An OpenAPI document that promises resources of this type.
fn promises(resource: &str) -> String {
    format!(
        "openapi: 3.1.0\npaths:\n  /DiagnosticReport:\n    get:\n      responses:\n        2XX:\n          content:\n            \
         application/fhir+json:\n              schema: {{ properties: {{ resourceType: {{ const: {resource} }} }} }}\n"
    )
}

async fn a_document_that_answers_are_held_against_is_taken_when_it_changes(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let named = read(&place, RESULTS)
        .replace("lifecycle: stable", "lifecycle: stable\nopenapi: openapi/results.yaml")
        .replace("expect: { json: {", "expect: { schema: openapi, json: {");
    write(&place, RESULTS, &named);
    place.write("openapi/results.yaml", &promises("Bundle"));
    let mut program = place.serve();
    all_well(&mut program).await;
    let page = program.internal("/en/apis/results");
    let said = "saw /resourceType: should be";
    program.wait(|| async { text(&page).await.contains("search") }, "the page").await;
    assert!(!text(&page).await.contains(said));

    // By itself, once its file is still.
    replace(&place, "openapi/results.yaml", &promises("Parcel"));
    program.wait(|| async { text(&page).await.contains(said) }, "the new document to be held against").await;

    // A broken one changes nothing; a good one is good again.
    write(&place, "openapi/results.yaml", "openapi: 2.0.0");
    hang_up(&mut program).await;
    assert!(is(&program, SUCCESSFUL, 0.0).await);
    write(&place, "openapi/results.yaml", &promises("Bundle"));
    program.wait(|| async { !text(&page).await.contains(said) }, "the first document again").await;
    assert!(is(&program, SUCCESSFUL, 1.0).await);
    world.stop().await;
}

async fn what_needs_a_restart_is_said_and_the_rest_is_taken(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    program.ready().await;
    let before = read(&place, "curiad.yaml");
    let other = format!("{}_other", place.url);
    let after = before.replace(&place.url, &other).replace("NHS Wales API status", "How our APIs are");
    write(&place, "curiad.yaml", &after);
    hang_up(&mut program).await;
    let page = program.internal("/en");
    program.wait(|| async { text(&page).await.contains("How our APIs are") }, "the new title").await;
    assert!(is(&program, "curiad_configuration_needs_restart", 1.0).await);
    assert!(is(&program, SUCCESSFUL, 1.0).await);
    assert!(
        fs::read_to_string(place.log())
            .expect("a log")
            .contains("'database' was changed and needs a restart")
    );
    assert!(!place.directory.path().join("curiad.db_other").exists());
    write(&place, "curiad.yaml", &before);
    hang_up(&mut program).await;
    assert!(is(&program, "curiad_configuration_needs_restart", 0.0).await);
    world.stop().await;
}

async fn an_instance_in_production_leaves_only_when_it_is_retired(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    let good = read(&place, "apis/reference-data.yaml");
    let (start, _) = good.split_once("environments:").expect("environments");

    // Its file deleted, or its production instance: refused, and probing goes on.
    fs::remove_file(path(&place, "apis/reference-data.yaml")).expect("deleted");
    hang_up(&mut program).await;
    assert!(is(&program, SUCCESSFUL, 0.0).await);
    let log = fs::read_to_string(place.log()).expect("a log");
    assert!(log.contains("reference-data.yaml: this API has an instance in production"), "{log}");
    assert!(log.contains("lifecycle: retired"), "{log}");
    write(&place, "apis/reference-data.yaml", &good.replace("  production:", "  # production:"));
    hang_up(&mut program).await;
    assert!(is(&program, SUCCESSFUL, 0.0).await);
    let status = json(&program.internal("/api/v1/status")).await.to_string();
    assert!(status.contains("reference-data"), "{status}");

    // Stopped and started without it: everything else is watched, and the loss is said.
    assert!(program.terminate().await.success());
    fs::remove_file(path(&place, "apis/reference-data.yaml")).expect("deleted");
    let mut program = place.serve();
    program.ready().await;
    assert!(is(&program, "curiad_configuration_left_production", 1.0).await);
    let ready = json(&program.internal("/readyz")).await;
    assert!(ready.to_string().contains("reference-data has no instance in production"), "{ready}");

    // Put back, then retired as it should be: it leaves.
    write(&place, "apis/reference-data.yaml", &good);
    hang_up(&mut program).await;
    assert!(is(&program, "curiad_configuration_left_production", 0.0).await);
    let retired = start.replace("lifecycle: stable", "lifecycle: retired") + "environments: {}\n";
    write(&place, "apis/reference-data.yaml", &retired);
    hang_up(&mut program).await;
    assert!(is(&program, SUCCESSFUL, 1.0).await, "{}", crate::program::tail(&place.log()));
    let url = program.internal("/api/v1/status");
    program
        .wait(|| async { !json(&url).await.to_string().contains("reference-data") }, "it to leave the page")
        .await;
    fs::remove_file(path(&place, "apis/reference-data.yaml")).expect("deleted");
    hang_up(&mut program).await;
    assert!(is(&program, SUCCESSFUL, 1.0).await, "once retired, its file may go");
    assert!(program.terminate().await.success());
    nothing_was_lost(&world, &place).await;
    world.stop().await;
}

/// Resident memory in kB, threads and open files of a program.
fn size(program: &Program) -> (u64, u64, usize) {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).expect("its status");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("the field");
        line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number")
    };
    let files = fs::read_dir(format!("/proc/{}/fd", program.id())).expect("its files").count();
    (field("VmRSS:"), field("Threads:"), files)
}

async fn however_often_the_files_are_read_the_program_does_not_grow(on: On) {
    const WARM: usize = 20;
    const MORE: usize = 60;
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    let (one, other) = (read(&place, RESULTS), read(&place, RESULTS).replace("slow: 850ms", "slow: 840ms"));
    let mut sizes = Vec::new();
    for count in [WARM, MORE] {
        for turn in 0..count {
            replace(&place, RESULTS, if turn % 2 == 0 { &other } else { &one });
            hang_up(&mut program).await;
        }
        sizes.push(size(&program));
    }
    let [(before, threads_before, files_before), (after, threads, files)] = sizes[..] else {
        panic!("two sizes")
    };
    assert!(after < before + 12_000, "{before} kB, then {after} kB");
    assert!(threads <= threads_before + 4 && files <= files_before + 10, "{sizes:?}");
    let distinct: BTreeSet<String> =
        incidents(&program).await.iter().map(|incident| incident["id"].to_string()).collect();
    assert!(distinct.is_empty(), "{distinct:?}");
    world.stop().await;
}
