//! The wall view: large, live with script, and anew by itself without.

use crate::{
    estate,
    stage::{Stage, get, get_with},
};
use axum::http::StatusCode;
use tokio::task::JoinSet;

const AS_OF: &str = "2026-11-21T03:07:09.120Z";

#[tokio::test]
async fn only_the_wall_view_has_a_script_and_it_is_a_file_of_ours() {
    let stage = Stage::of(estate::trouble()).await;
    for path in ["/en", "/en/apis/results", "/en/incidents", "/en/is-it-me", "/en/accessibility-statement"] {
        let page = get(stage.public(), path).await;
        assert!(
            !page.text().contains("<script") && !page.header("content-security-policy").contains("script")
        );
    }
    let wall = get(stage.public(), "/cy/wal").await;
    let html = wall.text();
    assert!(wall.header("content-security-policy").contains("script-src 'self'; connect-src 'self'"));
    assert!(!wall.header("content-security-policy").contains("unsafe"));
    assert!(html.contains(r#"<noscript><meta http-equiv="refresh" content="30"></noscript>"#));
    assert!(html.contains(">Demograffeg Cleifion</a>"));
    assert!(!html.contains("UAT"));
    let script = html.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap();
    let file = get(stage.public(), script).await;
    assert_eq!(
        (file.status, file.header("content-type")),
        (StatusCode::OK, "text/javascript; charset=utf-8")
    );
    assert!(file.body.len() < 2_000, "{} bytes", file.body.len());
}

#[tokio::test]
async fn a_screen_shows_one_environment_where_that_is_asked_for() {
    let stage = Stage::of(estate::trouble()).await;
    let sandbox = get(stage.public(), "/en/wall?environment=sandbox").await.text();
    assert!(sandbox.contains("<span>Sandbox</span>") && !sandbox.contains("<span>Production</span>"));
}

#[tokio::test]
async fn whoever_has_seen_another_view_is_told_at_once() {
    let stage = Stage::of(estate::trouble()).await;
    let told = get(stage.public(), "/wall/events?seen=2026-11-21T03:06:59.000Z").await;
    assert_eq!(told.header("content-type"), "text/event-stream");
    assert_eq!(told.text(), format!("retry: 500\nevent: view\nid: {AS_OF}\ndata: {AS_OF}\n\n"));
    let again = [("last-event-id", "2026-11-21T03:07:00.000Z")];
    let path = format!("/wall/events?seen={AS_OF}");
    assert!(get_with(stage.public(), &path, &again).await.text().contains("event: view"));
}

#[tokio::test]
async fn whoever_has_seen_it_waits_for_news_as_far_as_there_is_room() {
    let stage = Stage::of(estate::trouble()).await;
    let path = format!("/wall/events?seen={AS_OF}");
    let mut waiting = JoinSet::new();
    for _ in 0..66 {
        let (router, path) = (stage.public(), path.clone());
        waiting.spawn(async move { get(router, &path).await });
    }
    for _ in 0..2 {
        let answer = waiting.join_next().await.unwrap().unwrap();
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), "5");
    }
    waiting.shutdown().await;
    assert_eq!(get(stage.public(), "/wall/events").await.status, StatusCode::OK, "there is room again");
}
