//! The page as it last was, shown while the database cannot be reached.

use crate::{
    estate,
    stage::{Stage, get, get_with, post},
};
use axum::http::StatusCode;
use domain::Unrecorded;
use status_page::{PublicFile, RenderError, Saved, saved_router};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What a site saves now, as it is on the disk.
fn save(stage: &Stage) -> Option<Saved> {
    let mut files = Vec::new();
    let as_of = stage.site.save(|file: PublicFile| {
        files.push(serde_json::from_str(&serde_json::to_string(&file).unwrap()).unwrap());
        Ok::<_, RenderError>(())
    });
    as_of.unwrap().map(|as_of| Saved { as_of, files })
}

/// What a site saves once it has read its history.
async fn saved(stage: &Stage) -> Saved {
    assert_eq!(save(stage), None, "before the history was read there is nothing whole");
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(stage.site.clone().run(stop.clone()));
    let saved = loop {
        if let Some(saved) = save(stage) {
            break saved;
        }
        tokio::task::yield_now().await;
    };
    stop.cancel();
    running.join_all().await;
    saved
}

#[tokio::test]
async fn what_was_saved_says_since_when_nothing_is_known_and_calls_nothing_well() {
    let saved = saved(&Stage::of(estate::all_well()).await).await;
    assert_eq!(saved.as_of, estate::now());
    let router = saved_router(saved);
    for (path, words) in [
        ("/en", "We cannot say how the APIs are: nothing recorded since 03:07 GMT"),
        ("/cy", "Ni allwn ddweud sut mae’r APIs: dim wedi’i gofnodi ers 03:07 GMT"),
        ("/en/apis/results", "Nothing can be recorded since 03:07 GMT, 21 November 2026."),
        ("/cy/amgylcheddau/byw", "Ni ellir cofnodi dim ers 03:07 GMT, 21 Tachwedd 2026."),
    ] {
        let answer = get(router.clone(), path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(answer.text().contains(words), "{path}: {}", answer.text());
        let known = [("if-none-match", answer.header("etag"))];
        assert_eq!(get_with(router.clone(), path, &known).await.status, StatusCode::NOT_MODIFIED);
    }
    let css = get(router.clone(), "/en").await.text();
    let css = css.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(get(router.clone(), css).await.status, StatusCode::OK);
    let status = get(router.clone(), "/api/v1/status").await;
    assert_eq!((status.header("access-control-allow-origin"), &status.json()["stale"]), ("*", &true.into()));
    let summary = get(router.clone(), "/api/v2/summary.json").await.json();
    assert_eq!(summary["status"]["indicator"], "minor");
    assert!(get(router.clone(), "/badges/results/production.svg").await.text().contains("Not known"));
    let framed = get(router.clone(), "/en/embed/results").await;
    assert!(framed.headers.get("x-frame-options").is_none());
    assert_eq!(get(router.clone(), "/livez").await.status, StatusCode::OK);
    let ready = get(router, "/readyz").await;
    assert_eq!(
        (ready.status, ready.json()["status"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("fail"))
    );
}

#[tokio::test]
async fn what_is_not_in_the_copy_is_to_be_asked_for_again_whatever_it_is() {
    let router = saved_router(saved(&Stage::of(estate::trouble()).await).await);
    let missing = get(router.clone(), "/en/anything").await;
    assert_eq!(missing.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_ne!(missing.header("retry-after"), "");
    for path in ["/en/environments/sit", "/en/incidents/C-40", "/en/is-it-me/now"] {
        assert_eq!(get(router.clone(), path).await, missing, "{path}");
    }
    let welsh = get(router.clone(), "/cy/digwyddiadau/C-40").await;
    assert_eq!((welsh.status, welsh.header("content-language")), (missing.status, "cy"));
    assert!(welsh.text().contains("Ni ellir dangos y dudalen hon ar hyn o bryd"), "{}", welsh.text());
    let program = get(router.clone(), "/api/v1/history").await;
    assert_eq!(
        (program.status, program.header("content-type")),
        (missing.status, "application/problem+json")
    );
    for path in ["/badges/results/sit.svg", "/metrics"] {
        assert_eq!(get(router.clone(), path).await, program, "{path}");
    }
    // So that callbacks and jobs come again, and nobody believes that an answer was taken.
    for path in ["/ack/k3f9xq7mzt4a", "/hooks/notify", "/beats/anything"] {
        assert_eq!(
            post(router.clone(), path, &[], "answer=mine").await.status,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
}

#[tokio::test]
async fn nothing_that_is_not_public_is_saved() {
    let saved = saved(&Stage::of(estate::trouble()).await).await;
    assert!(saved.files.len() > 100, "{}", saved.files.len());
    for file in &saved.files {
        for word in
            ["C-40", ">SIT<", "in SIT", "UAT", "\"sit\"", "Load tests", "INC0010002", "Rhian", "10.1.2.3"]
        {
            assert!(!file.text.contains(word), "{} holds {word}", file.path);
        }
    }
}

#[tokio::test]
async fn while_nothing_is_recorded_the_last_good_copy_stays_and_what_changes_is_noticed() {
    let known = estate::all_well();
    let unrecorded = Unrecorded { since: estate::ago(45), why: "no room".to_owned(), known };
    let stage = Stage::unrecorded(estate::all_well(), Some(unrecorded)).await;
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(stage.site.clone().run(stop.clone()));
    // The view that says so has been made once the page says it.
    while !get(stage.public(), "/en").await.text().contains("We cannot say") {
        tokio::task::yield_now().await;
    }
    assert_eq!(save(&stage), None);
    stop.cancel();
    running.join_all().await;
    let print = async |situation| Stage::of(situation).await.site.fingerprint().unwrap();
    assert_eq!(print(estate::all_well()).await, print(estate::all_well()).await);
    assert_ne!(print(estate::all_well()).await, print(estate::trouble()).await);
}
