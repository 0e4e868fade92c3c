//! A panic in a probe, in the real process: it ends that probe alone, and is said, counted and told to nobody.

use crate::{
    database::{On, on_both},
    outage::{incidents, place_on},
    program::{PATIENCE, json, text, world},
};
use domain::Verdict;
use jiff::SignedDuration;
use serde_json::Value;
use simulator::Fault;
use std::{ffi::OsStr, fs};
use store::Store;

const BROKEN: &str = "results/production/ping";
const BREAKS: &str = "CURIAD_PROBE_BREAKS";

fn figure(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find(|line| line.split([' ', '{']).next() == Some(name));
    let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

fn is_known(metrics: &str, api: &str, operation: &str) -> bool {
    let labels =
        [format!("api=\"{api}\""), format!("operation=\"{operation}\""), "environment=\"production\"".into()];
    let of =
        |line: &str| line.starts_with("probe_success{") && labels.iter().all(|label| line.contains(label));
    metrics.lines().any(of)
}

on_both!(a_probe_that_panics_is_our_own_trouble_and_its_neighbours_go_on);

async fn a_probe_that_panics_is_our_own_trouble_and_its_neighbours_go_on(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve_with(&[(BREAKS, OsStr::new(BROKEN))]);
    program.ready().await;
    let (url, status) = (program.internal("/metrics"), program.internal("/api/v1/status"));
    let broke = || async { figure(&text(&url).await, "curiad_probes_broken_total") >= 10.0 };
    program.wait(broke, "ten probes to break").await;
    let others = |status: &Value| {
        let all = status["instances"].as_array().cloned().unwrap_or_default();
        let well = |one: &Value| {
            one["status"] == "operational" || one["api"] == "results" && one["environment"] == "production"
        };
        all.len() > 20 && all.iter().all(well)
    };
    program.wait(|| async { others(&json(&status).await) }, "all others to be operational").await;

    let metrics = text(&url).await;
    assert!(!is_known(&metrics, "results", "ping"), "nothing is known of what broke: {metrics}");
    assert!(is_known(&metrics, "results", "status") && is_known(&metrics, "documents", "ping"), "{metrics}");
    // Of ten that broke with their answer in hand, none kept its place.
    assert!(figure(&metrics, "curiad_probe_permits_waited_total") < 1.0, "{metrics}");
    assert!(figure(&metrics, "curiad_probes_in_flight") < 10.0, "{metrics}");
    let told = incidents(&program).await;
    assert!(told.is_empty(), "{told:?}");

    let log = fs::read_to_string(place.log()).expect("a log");
    assert!(log.contains("break_point.rs") && log.contains("a probe broke"), "the log says where: {log}");
    assert!(!log.contains("943 476"), "a panic's words may quote a patient's number");

    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    let (now, hour) = (crate::program::now(), SignedDuration::from_hours(1));
    let remembered = store.remember(now - hour).await.expect("remembered");
    let check = remembered
        .tracks
        .iter()
        .map(|track| track.id.check.clone())
        .chain(remembered.latest.iter().map(|(track, ..)| track.check.clone()));
    let check = check.into_iter().find(|check| check.to_string() == BROKEN).expect("the check");
    let samples = store.samples(&check, None, now - hour, now + hour, 1_000).await.expect("samples");
    assert!(
        samples.len() >= 9 && samples.iter().all(|one| one.verdict == Verdict::Inconclusive),
        "{samples:?}"
    );
    store.close().await;

    // By hand, too.
    let mut probe =
        place.command(&["--json", "probe", "results", "--environment", "production", "--operation", "ping"]);
    let ran = tokio::task::spawn_blocking(move || probe.env(BREAKS, BROKEN).output())
        .await
        .expect("joined")
        .expect("run");
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    let said: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!((&said[0]["verdict"], &said[0]["layer"]), (&"inconclusive".into(), &"ours".into()), "{said}");
    assert!(
        said[0]["failure"]["message"].as_str().is_some_and(|words| words.contains("the probe itself broke"))
    );

    // The program lives: it tells of real trouble, and stops as it should.
    world.set_fault("documents", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    assert!(program.terminate().await.success());
    world.stop().await;
}
