//! Incidents that are older than what is kept in memory: read through the store's readers, one page at a time.

use crate::{
    Page,
    body::Body,
    frame::Place,
    router::{Shown, broken, cache, in_language, missing},
    view::{HTML, View},
};
use axum::{
    body::Body as HttpBody,
    http::{HeaderMap, Method, Response, StatusCode, Uri},
};
use domain::{Incident, Language};
use std::{sync::Arc, time::Duration};

/// Reading takes no longer than this.
const READ_LIMIT: Duration = Duration::from_secs(3);

/// The page of a month or an incident that memory does not hold.
pub(crate) async fn page(
    shown: &Shown,
    view: &View,
    (language, page): (Language, &Page),
    (method, headers, uri): (&Method, &HeaderMap, &Uri),
) -> Response<HttpBody> {
    let renderer = &shown.site.0.renderer;
    let read = match tokio::time::timeout(READ_LIMIT, read(shown, view, page)).await {
        Ok(Ok(incidents)) => Some(incidents),
        Ok(Err(error)) => {
            tracing::warn!(%error, "older incidents cannot be read");
            None
        }
        Err(_) => None,
    };
    let made = if let Some(incidents) = read {
        let snapshot = view.snapshot.with_incidents(&view.situation, incidents);
        renderer.page(&snapshot, language, page).map(|html| html.map(|html| (StatusCode::OK, html)))
    } else {
        let html = renderer.said(&view.snapshot, language, &Place::Page(page), "later");
        html.map(|html| Some((StatusCode::SERVICE_UNAVAILABLE, html)))
    };
    match made {
        Ok(Some((status, html))) => {
            let keep = if status == StatusCode::OK { cache(shown.audience) } else { "no-store" };
            in_language(Body::new(HTML, html.into_bytes()).answer(method, headers, status, keep), language)
        }
        Ok(None) => missing(shown, method, headers, uri),
        Err(error) => broken(&error),
    }
}

async fn read(shown: &Shown, view: &View, page: &Page) -> Result<Vec<Arc<Incident>>, store::Error> {
    let site = &shown.site.0;
    // Never closed.
    let _permit = site.limits.reads.acquire().await.ok();
    let incidents = match page {
        Page::Month(month) => {
            let (from, to) = month.range(&view.snapshot.site.time_zone);
            site.store.incidents_between(from, to).await?
        }
        Page::Incident(id) => site.store.incident(*id).await?.into_iter().collect(),
        Page::Front
        | Page::Api(_)
        | Page::Environment(_)
        | Page::Incidents
        | Page::Maintenance
        | Page::Measuring
        | Page::IsItMe
        | Page::Subscribe
        | Page::Wall
        | Page::Accessibility => Vec::new(),
    };
    // Tests of whether somebody is reached are on no page.
    Ok(incidents.into_iter().filter(|incident| !incident.is_test()).map(Arc::new).collect())
}
