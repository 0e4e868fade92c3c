//! What is shown while nothing can be recorded.

use crate::{
    estate,
    stage::{Stage, get},
};
use axum::http::StatusCode;
use domain::Unrecorded;
use tokio::sync::watch;

#[tokio::test]
async fn while_nothing_can_be_recorded_no_page_says_that_all_is_well() {
    let situation = estate::all_well();
    let known = situation.clone();
    let unrecorded =
        Unrecorded { since: estate::ago(45), why: "no room on the database's disk".to_owned(), known };
    let stage = Stage::unrecorded(situation, Some(unrecorded)).await;
    for router in [stage.public(), stage.internal()] {
        let english = get(router.clone(), "/en").await.text();
        assert!(
            english.contains("We cannot say how the APIs are: nothing recorded since 03:06 GMT"),
            "{english}"
        );
        assert!(english.contains("What stands below is from before"));
        let welsh = get(router, "/cy/digwyddiadau").await.text();
        assert!(welsh.contains("Ni ellir cofnodi dim ers"), "{welsh}");
    }
    let status = get(stage.public(), "/api/v1/status").await.json();
    assert_eq!(
        (&status["stale"], &status["unrecorded_since"]),
        (&true.into(), &"2026-11-21T03:06:24.120Z".into())
    );
    let ready = get(stage.public(), "/readyz").await;
    assert_eq!(
        (ready.status, ready.json()["status"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("fail"))
    );
    assert!(!ready.text().contains("disk"), "why is for the log");
}

#[tokio::test]
async fn while_the_thread_that_probes_and_records_hangs_we_are_not_ready() {
    let hangs = watch::Sender::new(Some(estate::ago(45))).subscribe();
    let stage = Stage::with(estate::all_well(), |options| options.hangs = hangs).await;
    let ready = get(stage.public(), "/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let said = &ready.json()["checks"]["pulse:turning"][0];
    assert_eq!(said["status"], "fail");
    assert_eq!(said["output"], "nothing is probed or recorded since 2026-11-21T03:06:24.120Z");
    let ready = get(Stage::of(estate::all_well()).await.public(), "/readyz").await;
    assert_eq!(ready.json()["checks"]["pulse:turning"][0]["status"], "pass");
}
