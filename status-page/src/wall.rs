//! The wall view for a team's screen: large, and live. The one page with a script; without it, it loads itself anew.

use crate::{
    Page, RenderError, Renderer, Snapshot, assets,
    filter::Filter,
    frame::Place,
    front::{Front, front},
    problem::Problem,
    rfc3339,
    router::Shown,
};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderMap, HeaderValue, Response, Uri, header},
};
use domain::Language;
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Whoever waits is answered after this, news or not: listeners and proxies close what takes longer.
const WAITS: Duration = Duration::from_secs(20);
/// What its script needs beside what every page may do.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Debug, Serialize)]
struct Wall {
    /// Of which time it is.
    seen: String,
    /// `None`: there is nobody to tell it what is new.
    script: Option<String>,
    front: Front,
}

/// The page.
pub(crate) fn wall(
    renderer: &Renderer,
    snapshot: &Snapshot,
    language: Language,
    filter: &Filter,
) -> Result<String, RenderError> {
    let wording = renderer.wording(snapshot, language);
    let view = Wall {
        seen: rfc3339(snapshot.as_of),
        script: (!snapshot.as_files).then(|| assets::wall().path.clone()),
        front: front(&wording, filter)?,
    };
    let place = Place::Asked(&Page::Wall, filter.query());
    renderer.html("wall.html", &wording, &place, &wording.plain("wall")?, &view)
}

/// `GET /wall/events`: server-sent events, one an answer; then the browser asks again. So no answer takes long, and nothing
/// is to be kept of who listens.
pub(crate) async fn events(State(shown): State<Shown>, headers: HeaderMap, uri: Uri) -> Response<HttpBody> {
    let Ok(_place) = shown.site.0.limits.walls.try_acquire() else {
        return Problem::unavailable(
            "too many screens listen already; load the page again from time to time",
        )
        .answer(shown.audience);
    };
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let seen = last.or_else(|| crate::form::value(uri.query().unwrap_or_default(), "seen"));
    let until = Instant::now() + WAITS;
    let mut views = shown.site.views(shown.audience);
    let news = loop {
        let newest = rfc3339(views.borrow_and_update().snapshot.as_of);
        if seen.as_deref() != Some(&newest) {
            break Some(newest);
        }
        if !matches!(timeout_at(until, views.changed()).await, Ok(Ok(()))) {
            break None;
        }
    };
    let event = news.map_or_else(
        || "event: same\ndata:\n\n".to_owned(),
        |newest| format!("event: view\nid: {newest}\ndata: {newest}\n\n"),
    );
    let mut response = Response::new(HttpBody::from(format!("retry: 500\n{event}")));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
