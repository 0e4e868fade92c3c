//! What other people put on their pages: badges, and an API's status in a frame.

use crate::{
    estate,
    stage::{Stage, get, get_with},
};
use axum::http::StatusCode;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn title(svg: &str) -> &str {
    svg.split("<title id=\"title\">").nth(1).unwrap().split("</title>").next().unwrap()
}

#[tokio::test]
async fn a_badge_says_the_status_in_a_title_and_in_both_languages() {
    let stage = Stage::of(estate::trouble()).await;
    let answer = get(stage.public(), "/badges/patient-demographics/production.svg").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "image/svg+xml; charset=utf-8");
    let svg = answer.text();
    assert_eq!(
        title(&svg),
        "Patient Demographics – Production: Not working, since 02:40 GMT, 21 November 2026"
    );
    assert!(svg.contains("role=\"img\" aria-labelledby=\"title\" lang=\"en\""));
    assert!(!svg.contains("style=") && !svg.contains("<script"));
    let welsh = get(stage.public(), "/badges/documents/production.svg?lang=cy").await;
    assert_eq!(welsh.header("content-language"), "cy");
    assert!(title(&welsh.text()).starts_with("Dogfennau – Byw: Yn araf neu’n annibynadwy, ers "));
    let known = [("if-none-match", answer.header("etag"))];
    let again = get_with(stage.public(), "/badges/patient-demographics/production.svg", &known).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_badge_shows_availability_with_what_was_measured_or_the_response_time() {
    let situation = estate::all_well();
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    let path = "/badges/demographics-soap/sandbox.svg?show=availability";
    assert!(get(stage.public(), path).await.text().contains("Not measured"), "nothing was read yet");
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(stage.site.clone().run(stop.clone()));
    let mut svg = String::new();
    while svg.is_empty() || svg.contains("Not measured") {
        tokio::task::yield_now().await;
        svg = get(stage.public(), path).await.text();
    }
    assert!(
        title(&svg).contains("Available, 90 days: 99.") && title(&svg).contains("% of the time"),
        "{svg}"
    );
    let svg = get(stage.public(), "/badges/identity/production.svg?show=response-time").await.text();
    assert_eq!(title(&svg), "Identity – Production – Response time: 75 ms, 95 of 100 answers within 75 ms");
    stop.cancel();
    running.join_all().await;
}

#[tokio::test]
async fn what_the_public_does_not_see_has_no_badge_and_no_frame_like_what_never_was() {
    let stage = Stage::of(estate::trouble()).await;
    let missing = get(stage.public(), "/badges/moon/moon.svg").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    for path in [
        "/badges/results/sit.svg",
        "/badges/results/sit.svg?show=availability",
        "/badges/results/production.svg?show=all",
        "/badges/moon/production.svg",
        "/en/embed/moon",
        "/en/mewnblannu/results",
    ] {
        assert_eq!(get(stage.public(), path).await, missing, "{path}");
    }
    assert_eq!(get(stage.internal(), "/badges/results/sit.svg").await.status, StatusCode::OK);
    let frame = get(stage.public(), "/en/embed/results").await.text();
    assert!(!frame.contains("SIT") && !frame.contains("C-40"));
}

#[tokio::test]
async fn an_api_may_stand_in_a_frame_of_any_page_and_nothing_else_may() {
    let stage = Stage::of(estate::trouble()).await;
    let answer = get(stage.public(), "/cy/mewnblannu/patient-demographics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-security-policy").ends_with("frame-ancestors *"));
    assert!(answer.headers.get("x-frame-options").is_none());
    let html = answer.text();
    assert!(html.contains("<html lang=\"cy\">") && html.contains("Demograffeg Cleifion"));
    assert!(html.contains("Ddim yn gweithio") && html.contains("/cy/digwyddiadau/C-42"));
    assert!(html.contains("03:07:09 GMT") && !html.contains("<script") && !html.contains(" style="));
    let again = get_with(stage.public(), "/en/embed/results", &[("if-none-match", "*")]).await;
    assert!(again.headers.get("x-frame-options").is_none(), "so says a 304 too");
    let internal = get(stage.internal(), "/en/embed/results").await;
    let page = get(stage.public(), "/en/apis/results").await;
    for answer in [internal, page] {
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(answer.header("content-security-policy").ends_with("frame-ancestors 'none'"));
    }
}
