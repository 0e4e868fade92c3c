//! Incidents by month, those of long ago too; and what users should do.

use crate::{
    estate::{self, trouble::incident},
    stage::{Stage, get},
};
use axum::http::StatusCode;
use domain::{Change, Environment, Incident, IncidentStatus, Post, PostSays, Text};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn over(id: u64, environment: Environment, days: i64) -> Incident {
    let mut incident = incident(id, "documents", environment, days * 86_400);
    incident.status = IncidentStatus::Resolved;
    incident.opened_at = incident.started_at;
    incident.recovered_at = Some(estate::ago(days * 86_400 - 1800));
    incident.resolved_at = Some(estate::ago(days * 86_400 - 1860));
    incident
}

/// The first incident was in March, a public and another one.
async fn stage() -> (Stage, JoinSet<()>) {
    let stage = Stage::of(estate::trouble()).await;
    let changes = [over(1, Environment::Production, 250), over(2, Environment::Sit, 250)];
    let changes = changes.map(|incident| Change::Incident(Arc::new(incident))).into();
    stage.store.record(&store::Batch { changes, ..store::Batch::default() }).await.unwrap();
    let mut running = JoinSet::new();
    running.spawn(stage.site.clone().run(CancellationToken::new()));
    while !get(stage.public(), "/en/incidents").await.text().contains("March 2026") {
        tokio::task::yield_now().await;
    }
    (stage, running)
}

#[tokio::test]
async fn incidents_are_found_month_by_month_from_the_first_to_this_one() {
    let (stage, _running) = stage().await;
    let list = get(stage.public(), "/cy/digwyddiadau").await.text();
    assert!(list.contains(r#"<a href="/cy/digwyddiadau/mawrth-2026">Mawrth 2026</a>"#), "{list}");
    let november = get(stage.public(), "/en/incidents/november-2026").await.text();
    assert!(november.contains("Incidents in November 2026") && november.contains("/en/incidents/C-41"));
    assert!(november.contains(r#"rel="prev" href="/en/incidents/october-2026""#));
    assert!(!november.contains("rel=\"next\"") && !november.contains("C-40"));
    let october = get(stage.public(), "/en/incidents/october-2026").await.text();
    assert!(october.contains("No incident began in this month."));
}

#[tokio::test]
async fn those_of_long_ago_are_read_from_the_store() {
    let (stage, _running) = stage().await;
    let march = get(stage.public(), "/en/incidents/march-2026").await;
    let html = march.text();
    assert_eq!((march.status, march.header("content-language")), (StatusCode::OK, "en"));
    assert!(
        html.contains("/en/incidents/C-1\"") && !html.contains("C-2\""),
        "only what the public sees: {html}"
    );
    assert!(!html.contains("rel=\"prev\"") && html.contains("/en/incidents/april-2026"));
    assert!(html.contains(r#"href="/cy/digwyddiadau/mawrth-2026""#));
    let one = get(stage.public(), "/cy/digwyddiadau/C-1").await;
    assert_eq!(one.status, StatusCode::OK);
    assert!(one.text().contains("16 Mawrth"), "{}", one.text());
    let inside = get(stage.internal(), "/en/incidents/march-2026").await.text();
    assert!(inside.contains("/en/incidents/C-2\""));
}

#[tokio::test]
async fn what_is_said_of_one_that_is_over_is_its_review() {
    let mut situation = estate::trouble();
    let over = situation.incidents.values().find(|incident| incident.status == IncidentStatus::Resolved);
    let mut over = Incident::clone(over.unwrap());
    let says = PostSays::Words(Text::new("We bought larger disks.", "Prynwyd disgiau mwy."));
    over.posts.push(Post { at: estate::ago(86_400), says, by: None });
    situation.incidents.insert_mut(over.id, Arc::new(over));
    let stage = Stage::of(situation).await;
    for (path, titles, words) in [
        (
            "/en/incidents/C-41",
            [">Review</h2>", ">What we said, the newest first</h2>"],
            "We bought larger disks.",
        ),
        (
            "/cy/digwyddiadau/C-41",
            [">Adolygiad</h2>", ">Yr hyn a ddywedwyd gennym, y diweddaraf yn gyntaf</h2>"],
            "Prynwyd disgiau mwy.",
        ),
    ] {
        let page = get(stage.public(), path).await.text();
        let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
        let [review, before] = titles.map(place);
        assert!((review..before).contains(&place(words)), "{page}");
    }
    let open = get(stage.public(), "/en/incidents/C-42").await.text();
    assert!(!open.contains(">Review<"), "{open}");
}

#[tokio::test]
async fn of_one_that_came_again_only_the_time_that_it_failed_counts() {
    let mut situation = estate::trouble();
    let mut over = over(41, Environment::Production, 3);
    let ago = |seconds: i64| estate::ago(3 * 86_400 - seconds);
    // Two minutes, well for half an hour, three minutes.
    over.flaps.past.push(domain::Epoch {
        since: over.started_at,
        opened_at: over.started_at,
        answered: None,
        recovered_at: Some(ago(120)),
        resolved_at: Some(ago(180)),
        priority: None,
        cell: None,
        major: false,
    });
    over.flaps.since = Some(ago(1920));
    over.recovered_at = Some(ago(2100));
    over.resolved_at = Some(ago(2160));
    situation.incidents.insert_mut(over.id, Arc::new(over));
    let stage = Stage::of(situation).await;
    let page = get(stage.public(), "/en/incidents/C-41").await.text();
    assert!(page.contains("<dd>5 minutes in all, 2 times</dd>"), "{page}");
    let welsh = get(stage.public(), "/cy/digwyddiadau/C-41").await.text();
    assert!(welsh.contains("<dd>5 munud i gyd, "), "{welsh}");
}

#[tokio::test]
async fn what_never_was_and_what_is_not_public_answers_the_same() {
    let (stage, _running) = stage().await;
    let hidden = get(stage.public(), "/en/incidents/C-2").await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    for path in ["C-3", "C-40", "C-999", "february-2026", "december-2026", "march-1999"] {
        assert_eq!(get(stage.public(), &format!("/en/incidents/{path}")).await, hidden, "{path}");
    }
}

#[tokio::test]
async fn an_open_incident_says_what_users_should_do() {
    let (stage, _running) = stage().await;
    let open = get(stage.public(), "/en/incidents/C-42").await.text();
    assert!(open.contains("You need not change or report anything"));
    assert!(!get(stage.public(), "/en/incidents/C-41").await.text().contains("What to do"));
}
