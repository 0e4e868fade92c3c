//! The gate for pipelines.

use crate::{
    estate,
    stage::{Answer, Stage, get, get_with},
};
use axum::http::StatusCode;
use domain::{Environment, Status, Unrecorded};

async fn public(stage: &Stage, path: &str) -> Answer {
    get(stage.public(), &format!("/api/v1/gate/{path}")).await
}

#[tokio::test]
async fn a_gate_is_open_while_an_api_works_and_says_why() {
    let stage = Stage::of(estate::trouble()).await;
    let answer = public(&stage, "results/production").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.text(), "Results in production: Working, since 04:07 BST, 12 October 2026\n");
    let slow = public(&stage, "documents/production").await;
    assert_eq!(slow.status, StatusCode::OK, "slow is not closed");
    assert!(slow.text().contains("Slow or unreliable"), "{}", slow.text());
}

#[tokio::test]
async fn a_gate_is_closed_while_an_api_does_not_work() {
    let stage = Stage::of(estate::trouble()).await;
    let answer = public(&stage, "patient-demographics/production").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "30");
    assert_eq!(
        answer.text(),
        "Patient Demographics in production: Not working, since 02:40 GMT, 21 November 2026. \
         The service behind the gateway fails\n"
    );
    let welsh = public(&stage, "patient-demographics/production?lang=cy").await;
    assert!(
        welsh.text().starts_with("Demograffeg Cleifion yn yr amgylchedd byw: Ddim yn gweithio, ers 02:40")
    );
}

#[tokio::test]
async fn a_gate_speaks_json_when_it_is_asked_to() {
    let stage = Stage::of(estate::trouble()).await;
    let path = "/api/v1/gate/results/sit";
    let accept = [("accept", "text/html, application/json;q=0.9")];
    for answer in [
        get_with(stage.internal(), path, &accept).await,
        get(stage.internal(), &format!("{path}?format=json")).await,
    ] {
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "planned work hides nothing");
        let gate = answer.json();
        assert_eq!((&gate["open"], &gate["status"]), (&false.into(), &"partial_outage".into()));
        assert_eq!(
            (&gate["maintenance"], &gate["until"]),
            (&true.into(), &"2026-11-21T05:00:00.000Z".into())
        );
    }
    let bad = get(stage.internal(), &format!("{path}?format=xml")).await;
    assert_eq!(
        (bad.status, bad.header("content-type")),
        (StatusCode::BAD_REQUEST, "application/problem+json")
    );
}

#[tokio::test]
async fn planned_work_is_said_and_closes_nothing_by_itself() {
    let stage = Stage::of(estate::trouble()).await;
    let answer = get(stage.internal(), "/api/v1/gate/identity/sit").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer.text().ends_with(". Planned work until 05:00 GMT, 21 November 2026\n"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_gate_is_closed_while_nothing_is_known_and_says_why() {
    let mut situation = estate::all_well();
    estate::set(
        &mut situation,
        "results",
        Environment::Production,
        Status::Unknown,
        900,
        Some(domain::Layer::Ours),
    );
    let answer = public(&Stage::of(situation).await, "results/production").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer.text().contains("Not known, since 02:52 GMT") && answer.text().contains("Our own monitoring"),
        "{}",
        answer.text()
    );
    let unrecorded =
        Unrecorded { since: estate::ago(120), why: "no room".to_owned(), known: estate::all_well() };
    let stage = Stage::unrecorded(estate::all_well(), Some(unrecorded)).await;
    let answer = public(&stage, "results/production").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer.text().contains("Not known. We cannot say how the APIs are: nothing recorded since 03:05 GMT"),
        "{}",
        answer.text()
    );
    let answer = public(
        &Stage::of(estate::fresh(vec![estate::api("a", "A", "A", domain::Kind::Rest)])).await,
        "a/production",
    )
    .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.text(), "A in production: Not known. Not measured\n");
}

#[tokio::test]
async fn what_the_public_does_not_see_has_no_gate_like_what_never_was() {
    let stage = Stage::of(estate::trouble()).await;
    let missing = public(&stage, "moon/moon").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    for path in
        ["results/sit", "results/sit?lang=fr", "moon/production?format=xml", "results/moon", "results"]
    {
        assert_eq!(public(&stage, path).await, missing, "{path}");
    }
}
