//! `/api/v2`, as readers of a Statuspage ask for it.

use crate::{
    estate,
    stage::{Stage, get, get_with},
};
use axum::http::StatusCode;
use domain::{Environment, Status};
use serde_json::Value;

async fn read(stage: &Stage, file: &str) -> Value {
    let answer = get(stage.public(), &format!("/api/v2/{file}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{file}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    answer.json()
}

fn each<'v>(value: &'v Value, list: &str, field: &str) -> Vec<&'v str> {
    value[list].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_summary_holds_what_readers_look_for() {
    let stage = Stage::of(estate::trouble()).await;
    let summary = read(&stage, "summary.json").await;
    assert_eq!(summary["page"]["id"], "status.example.wales");
    assert_eq!(summary["page"]["url"], "https://status.example.wales");
    assert_eq!(summary["page"]["time_zone"], "Europe/London");
    assert_eq!(summary["status"]["indicator"], "major");
    let description = summary["status"]["description"].as_str().unwrap();
    assert!(description.starts_with("Patient Demographics is not working in production"), "{description}");
    let components = summary["components"].as_array().unwrap();
    assert_eq!(components.len(), 14, "two groups and what is in them");
    let group = &components[0];
    assert_eq!(
        (&group["id"], &group["group"], &group["status"]),
        (&"production".into(), &true.into(), &"major_outage".into())
    );
    assert_eq!(group["components"].as_array().unwrap().len(), 6);
    let down = components.iter().find(|one| one["id"] == "production.patient-demographics").unwrap();
    assert_eq!((&down["status"], &down["group_id"]), (&"major_outage".into(), &"production".into()));
    assert_eq!(down["name"], "Patient Demographics – Production");
    assert_eq!(down["x_cy"]["name"], "Demograffeg Cleifion – Byw");
    assert_eq!(down["updated_at"], "2026-11-21T02:40:29.120Z");
    assert_eq!(each(&summary, "incidents", "id"), ["C-42"]);
    assert_eq!(summary["scheduled_maintenances"], serde_json::json!([]));
    // What does not change is not sent again.
    let first = get(stage.public(), "/api/v2/summary.json").await;
    let known = [("if-none-match", first.header("etag"))];
    let other = Stage::of(estate::trouble()).await;
    let again = get_with(other.public(), "/api/v2/summary.json", &known).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn incidents_have_their_updates_the_newest_first() {
    let stage = Stage::of(estate::trouble()).await;
    let all = read(&stage, "incidents.json").await;
    assert_eq!(each(&all, "incidents", "id"), ["C-42", "C-41"]);
    assert_eq!(each(&all, "incidents", "status"), ["investigating", "resolved"]);
    assert_eq!(each(&all, "incidents", "impact"), ["critical", "major"]);
    let over = &all["incidents"][1];
    assert_eq!(over["resolved_at"], "2026-11-18T03:38:09.120Z");
    assert_eq!(over["shortlink"], "https://status.example.wales/en/incidents/C-41");
    assert_eq!(over["components"][0]["id"], "production.documents");
    assert_eq!(each(over, "incident_updates", "status"), ["resolved", "investigating", "investigating"]);
    let last = over["incident_updates"].as_array().unwrap().last().unwrap();
    assert_eq!(last["affected_components"][0]["new_status"], "major_outage");
    assert_eq!(over["incident_updates"][1]["x_cy"]["body"], "Roedd disg yn llawn. Mae’n cael ei ehangu.");
    let open = read(&stage, "incidents/unresolved.json").await;
    assert_eq!(each(&open, "incidents", "id"), ["C-42"]);
}

#[tokio::test]
async fn planned_work_is_active_or_upcoming() {
    let stage = Stage::of(estate::trouble()).await;
    let read = async |file: &str| {
        get(stage.internal(), &format!("/api/v2/scheduled-maintenances{file}.json")).await.json()
    };
    let active = read("/active").await;
    assert_eq!(each(&active, "scheduled_maintenances", "id"), ["sit-20261120T190000Z-0"]);
    assert_eq!(active["scheduled_maintenances"][0]["status"], "in_progress");
    assert_eq!(active["scheduled_maintenances"][0]["scheduled_until"], "2026-11-21T05:00:00.000Z");
    assert_eq!(active["scheduled_maintenances"][0]["components"].as_array().unwrap().len(), 6);
    assert_eq!(active["scheduled_maintenances"][0]["incident_updates"][0]["body"], "Load tests");
    let upcoming = read("/upcoming").await;
    assert_eq!(each(&upcoming, "scheduled_maintenances", "status"), ["scheduled"; 5]);
    assert_eq!(read("").await["scheduled_maintenances"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn the_indicator_is_as_bad_as_production_and_never_well_while_nothing_is_known() {
    let indicator = async |situation| {
        read(&Stage::of(situation).await, "status.json").await["status"]["indicator"].clone()
    };
    assert_eq!(indicator(estate::all_well()).await, "none");
    let with = |status, environment| {
        let mut situation = estate::all_well();
        estate::set(&mut situation, "results", environment, status, 60, None);
        situation
    };
    assert_eq!(indicator(with(Status::MajorOutage, Environment::Production)).await, "major");
    assert_eq!(indicator(with(Status::Degraded, Environment::Production)).await, "minor");
    assert_eq!(indicator(with(Status::Unknown, Environment::Production)).await, "minor");
    assert_eq!(indicator(with(Status::MajorOutage, Environment::Sandbox)).await, "minor");
    assert_eq!(
        indicator(with(Status::MajorOutage, Environment::Sit)).await,
        "none",
        "the public does not see it"
    );
    let mut only = estate::one_api();
    estate::set(&mut only, "results", Environment::Production, Status::MajorOutage, 60, None);
    assert_eq!(indicator(only).await, "critical");
    assert_eq!(indicator(estate::fresh(vec![estate::api("a", "A", "A", domain::Kind::Rest)])).await, "minor");
}

#[tokio::test]
async fn nothing_of_what_the_public_does_not_see_is_told_to_readers_of_a_statuspage() {
    let stage = Stage::of(estate::trouble()).await;
    for file in ["summary.json", "incidents.json", "components.json", "scheduled-maintenances.json"] {
        let text = get(stage.public(), &format!("/api/v2/{file}")).await.text();
        for word in ["C-40", "\"sit", "SIT", "UAT", "Load tests", "INC0010002", "Rhian", "oncall", "10.1.2.3"]
        {
            assert!(!text.contains(word), "{file} holds {word}");
        }
    }
    assert_eq!(get(stage.public(), "/api/v2/subscribers.json").await.status, StatusCode::NOT_FOUND);
}
