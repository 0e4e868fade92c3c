//! Serving an axum router on one connection, so that a door can hang up on it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use crate::answer::HangUp;
use crate::door::Serve;
use crate::world::Now;

/// The largest request body any of the stand-ins reads.
pub(crate) const BODY_LIMIT: usize = 1_048_576;

/// The router with the world's own time in its answers' `Date`, instead of the machine's.
pub(crate) fn dated(router: Router, now: &Now) -> Router {
    let now = Arc::clone(now);
    router.layer(axum::middleware::map_response(move |mut answer: axum::response::Response| {
        let date = now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(date) = date.parse() {
            answer.headers_mut().insert(axum::http::header::DATE, date);
        }
        std::future::ready(answer)
    }))
}

/// Serves every connection with this router.
pub(crate) fn routes(router: Router) -> Serve {
    let router = router.layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT));
    Arc::new(move |stream| {
        let router = TowerToHyperService::new(router.clone());
        let service = service_fn(move |request| {
            let answer = router.call(request);
            async move {
                let Ok(answer) = answer.await;
                if answer.extensions().get::<HangUp>().is_some() {
                    return Err("hung up");
                }
                Ok(answer)
            }
        });
        Box::pin(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(30))
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "connection ended early");
            }
        })
    })
}
