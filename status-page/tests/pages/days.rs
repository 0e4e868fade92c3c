//! The days of an environment in one answer.

use crate::{
    estate,
    stage::{Stage, get},
};
use axum::http::StatusCode;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// All is well after 90 days of which something is known, and the pages know it.
async fn remembered() -> (Stage, JoinSet<()>) {
    let situation = estate::all_well();
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    let mut running = JoinSet::new();
    running.spawn(stage.site.clone().run(CancellationToken::new()));
    while !get(stage.public(), "/en/apis/demographics-soap").await.text().contains("Last 90 days.") {
        tokio::task::yield_now().await;
    }
    (stage, running)
}

#[tokio::test]
async fn they_say_what_the_history_of_each_instance_says() {
    let (stage, _running) = remembered().await;
    for environment in ["production", "sandbox"] {
        let all = get(stage.internal(), &format!("/api/v1/days?environment={environment}")).await.json();
        assert_eq!((&all["from"], &all["to"]), (&"2026-08-24".into(), &"2026-11-21".into()));
        let instances = all["instances"].as_array().unwrap();
        assert!(instances.len() > 2, "{instances:?}");
        for instance in instances {
            let api = instance["api"].as_str().unwrap();
            let path =
                format!("/api/v1/history?api={api}&environment={environment}&from=2026-08-23T23:00:00Z");
            let history = get(stage.internal(), &path).await.json();
            let (said, days) = (history["days"].as_array().unwrap(), instance["days"].as_array().unwrap());
            assert_eq!((said.len(), days.len()), (90, 90), "{api}");
            for (day, said) in days.iter().zip(said) {
                for field in ["date", "seconds", "availability", "coverage", "latency_ms", "samples"] {
                    assert_eq!(day[field], said[field], "{field} of {api} on {}", said["date"]);
                }
            }
        }
        let answered = instances.iter().flat_map(|of| of["days"].as_array().unwrap());
        assert!(answered.filter(|day| day["latency_ms"]["p99"].is_number()).count() > 2);
    }
}

#[tokio::test]
async fn few_of_them_and_as_a_table() {
    let (stage, _running) = remembered().await;
    let path = "/api/v1/days?environment=production&days=7";
    let all = get(stage.public(), path).await.json();
    let instances = all["instances"].as_array().unwrap();
    let text = get(stage.public(), &format!("{path}&format=csv")).await.text();
    let lines: Vec<Vec<&str>> =
        text.strip_suffix("\r\n").unwrap().split("\r\n").map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 1 + 7 * instances.len());
    assert!(lines.iter().all(|line| line.len() == 17));
    assert_eq!(lines[0][..4], ["api", "environment", "date", "operational_seconds"]);
    assert_eq!(lines[1][..3], [instances[0]["api"].as_str().unwrap(), "production", "2026-11-15"]);
    for wrong in ["?environment=production&days=91", "?environment=production&days=07", ""] {
        let answer = get(stage.public(), &format!("/api/v1/days{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn an_environment_that_is_not_public_is_none() {
    let (stage, _running) = remembered().await;
    let hidden = get(stage.public(), "/api/v1/days?environment=uat").await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    assert_eq!(hidden, get(stage.public(), "/api/v1/days?environment=moon").await);
    let seen: Value = get(stage.internal(), "/api/v1/days?environment=uat").await.json();
    assert!(!seen["instances"].as_array().unwrap().is_empty());
}
