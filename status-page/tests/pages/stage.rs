//! A site on a stage, and somebody who asks it.

use crate::estate;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use domain::{Clock, Secret, Situation, Unrecorded};
use http_body_util::BodyExt as _;
use status_page::{Callbacks, Options, Site};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use store::Store;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tower::ServiceExt as _;

/// Reached only by a test that fails.
const LIMIT: Duration = Duration::from_secs(10);

/// A site that shows one situation.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) store: Store,
    pub(crate) situation: watch::Sender<Arc<Situation>>,
    pub(crate) unheard: Arc<AtomicBool>,
    told: Arc<Notify>,
}

impl Stage {
    pub(crate) async fn of(situation: Situation) -> Self {
        Self::with(situation, |_| {}).await
    }

    /// While nothing can be recorded.
    pub(crate) async fn unrecorded(situation: Situation, unrecorded: Option<Unrecorded>) -> Self {
        let unrecorded = watch::Sender::new(unrecorded.map(Arc::new)).subscribe();
        Self::with(situation, |options| options.unrecorded = Some(unrecorded)).await
    }

    /// Where the program says something else of itself.
    pub(crate) async fn with(situation: Situation, change: impl FnOnce(&mut Options)) -> Self {
        let store = Store::open("sqlite::memory:", [1; 32]).await.unwrap();
        let (sender, receiver) = watch::channel(Arc::new(situation));
        let told = Arc::new(Notify::new());
        let unheard = Arc::new(AtomicBool::new(false));
        let mut options = Options {
            told: Arc::clone(&told),
            unheard: Arc::clone(&unheard),
            callbacks: watch::Sender::new(Arc::new(Callbacks {
                notify: vec![Secret::new("old-token"), Secret::new("new-token")],
                alertmanager: vec![Secret::new("alert-token")],
                ..Callbacks::default()
            }))
            .subscribe(),
            unrecorded: Some(watch::Sender::new(None).subscribe()),
            ..Options::default()
        };
        change(&mut options);
        let site = Site::new(receiver, store.clone(), Clock::new(estate::now), options).unwrap();
        Self { site, store, situation: sender, unheard, told }
    }

    /// Waits until the recorder is told that something came.
    pub(crate) async fn told(&self) {
        timeout(LIMIT, self.told.notified()).await.expect("the recorder is told");
    }

    pub(crate) fn public(&self) -> Router {
        status_page::public_router(&self.site)
    }

    pub(crate) fn internal(&self) -> Router {
        status_page::internal_router(&self.site)
    }
}

/// An answer, read whole.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

pub(crate) async fn get(router: Router, path: &str) -> Answer {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn get_with(router: Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(router, request.body(Body::empty()).unwrap()).await
}

pub(crate) async fn post(router: Router, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(router, request.body(Body::from(body.to_owned())).unwrap()).await
}
