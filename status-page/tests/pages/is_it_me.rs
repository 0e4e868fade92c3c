//! "Is it me?": what a caller saw beside what we saw.

use crate::{
    estate,
    stage::{Stage, get},
};
use axum::http::StatusCode;
use domain::{Environment, Situation};
use serde_json::Value;

const ASK: &str = "/api/v1/is-it-me?api=results&environment=production";

async fn stage(situation: Situation) -> Stage {
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    stage
}

#[tokio::test]
async fn a_401_that_only_the_caller_gets_is_the_callers() {
    let stage = stage(estate::all_well()).await;
    let answer = get(stage.public(), &format!("{ASK}&status=401")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, "*"));
    let told = answer.json();
    assert_eq!((&told["whose"], &told["yours"]), (&"you".into(), &"credential".into()));
    assert_eq!((&told["theirs"], &told["saw"]), (&Value::Null, &"401".into()));
    let ours = told["ours"].as_array().unwrap();
    assert_eq!((ours.len(), &ours[0]["http_status"]), (3, &200.into()));
    let says = told["says"]["en"].as_str().unwrap();
    assert!(says.contains("Our own credential got 200, 03:07:0"), "{says}");
    assert!(says.contains("your token is missing or has expired"), "{says}");
    assert!(told["says"]["cy"].as_str().unwrap().contains("Cafodd ein manylion ni 200"));
}

#[tokio::test]
async fn what_was_seen_at_a_time_comes_from_history() {
    let stage = stage(estate::trouble()).await;
    let ask = "/api/v1/is-it-me?api=patient-demographics&environment=production&status=503";
    let told = get(stage.public(), &format!("{ask}&at=2026-11-21T03:06:50Z")).await.json();
    assert_eq!((&told["whose"], &told["theirs"]), (&"api".into(), &"fails".into()));
    assert_eq!(
        (&told["error_class"], &told["ours"][0]["http_status"]),
        (&"server_error".into(), &503.into())
    );
    let local = get(stage.public(), &format!("{ask}&at=2026-11-21T03:06")).await.json();
    assert_eq!(local["at"], "2026-11-21T03:06:00.000Z");
    let long_ago = get(stage.public(), &format!("{ask}&at=2026-07-01T10:00")).await.json();
    assert_eq!(
        (&long_ago["whose"], &long_ago["at"]),
        (&"unknown".into(), &"2026-07-01T09:00:00.000Z".into())
    );
    assert_eq!(long_ago["ours"], Value::Array(vec![]));
}

#[tokio::test]
async fn what_is_not_public_answers_as_what_was_never_there() {
    let stage = stage(estate::trouble()).await;
    for (path, extra) in [("/api/v1/is-it-me", ""), ("/en/is-it-me", ""), ("/en/is-it-me", "&status=x&at=y")]
    {
        let mut answers = Vec::new();
        for (api, environment) in [
            ("results", "uat"),
            ("results", "made-up"),
            ("made-up", "uat"),
            ("made-up", "production"),
            ("A b", "sit"),
        ] {
            let path = format!("{path}?api={}&environment={environment}{extra}", api.replace(' ', "+"));
            answers.push(get(stage.public(), &path).await);
        }
        assert_eq!(answers[0].status, StatusCode::NOT_FOUND);
        assert!(answers.windows(2).all(|two| two[0] == two[1]), "{path}{extra}");
    }
    let inside = get(stage.internal(), "/api/v1/is-it-me?api=results&environment=uat").await;
    assert_eq!(inside.status, StatusCode::OK);
}

#[tokio::test]
async fn the_form_works_without_script_in_both_languages() {
    let stage = stage(estate::trouble()).await;
    let empty = get(stage.public(), "/en/is-it-me").await.text();
    assert!(empty.contains(r#"<form class="fields" action="/en/is-it-me" method="get">"#));
    assert!(!empty.contains("UAT"), "only what the public sees can be chosen");
    let path = "/en/is-it-me?api=results&environment=production&status=401&at=2026-11-21T03:07";
    let answer = get(stage.public(), path).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let html = answer.text();
    assert!(html.contains("It is probably on your side"));
    assert!(html.contains(r#"<option value="401" selected>401 Unauthorized</option>"#));
    assert!(html.contains(r#"value="2026-11-21T03:07""#));
    let welsh = get(stage.public(), &path.replace("/en/is-it-me", "/cy/ai-fi-sydd-ar-fai")).await.text();
    assert!(welsh.contains("Mae’n debyg mai ar eich ochr chi y mae"));
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_never_said_again() {
    let stage = stage(estate::all_well()).await;
    for (asked, says) in [
        ("&status=%3Cscript%3Eb0b%3C/script%3E", "HTTP status"),
        ("&status=401&at=b0b", "must be a date and a time in the past"),
        ("&at=2027-01-01T00:00", "must be a date and a time in the past"),
    ] {
        let path = format!("/en/is-it-me?api=results&environment=production{asked}");
        let answer = get(stage.public(), &path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text().contains(says) && !answer.text().contains("b0b"), "{asked}");
        let problem = get(stage.public(), &format!("{ASK}{asked}")).await;
        assert_eq!(problem.status, StatusCode::BAD_REQUEST);
        assert!(!problem.text().contains("b0b"));
    }
    let missing = get(stage.public(), "/api/v1/is-it-me?api=results").await.json();
    assert_eq!(missing["detail"], "say which environment: add environment=… to the query");
}

#[tokio::test]
async fn the_page_of_an_api_says_for_each_environment_what_a_caller_meets() {
    let stage = stage(estate::trouble()).await;
    let html = get(stage.public(), "/en/apis/patient-demographics").await.text();
    assert!(html.contains("What a caller meets now: an error of the service behind the gateway."), "{html}");
    assert!(html.contains("A caller gets good answers now."));
    assert!(html.contains("/en/is-it-me?api=patient-demographics&amp;environment=sandbox"), "{html}");
    let mut situation = estate::all_well();
    estate::set(&mut situation, "results", Environment::Production, domain::Status::Degraded, 60, None);
    let html = get(Stage::of(situation).await.public(), "/en/apis/results").await.text();
    assert!(html.contains("A caller gets good answers now, but late."));
}
