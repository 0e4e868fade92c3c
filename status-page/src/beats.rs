//! `/beats/{reference}`: a scheduled job says that it has ended; `…/start` that it has begun, `…/fail` or `…/{exit status}`
//! how it ended. Nothing is done here but append to the inbox: whoever was told OK has been recorded.

use crate::{
    body::Body,
    problem::Problem,
    router::{Shown, missing},
};
use axum::{
    body::{Body as HttpBody, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, Response, StatusCode},
};
use domain::{Beat, CheckId, Configuration, Message, Situation, Told};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};
use tokio::time::Instant;

/// What a job has to say beside is read so far, so that the connection can be used again, and not kept.
const MAX_BODY: usize = 16 * 1024;

/// Whose address is which, worked out once a configuration.
#[derive(Debug, Default)]
pub(crate) struct Addresses(Mutex<Option<Known>>);

type Known = (Arc<Configuration>, HashMap<String, CheckId>);

impl Addresses {
    fn find(&self, situation: &Situation, reference: &str) -> Option<CheckId> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let configuration = &situation.configuration;
        if known.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, configuration)) {
            let all = configuration.checks.values();
            let all = all.filter_map(|check| Some((check.beat_reference(&situation.key)?, check.id.clone())));
            *known = Some((Arc::clone(configuration), all.collect()));
        }
        known.as_ref().and_then(|(_, all)| all.get(reference)).cloned()
    }
}

/// `GET`, `HEAD` or `POST` of `/beats/{reference}` and `/beats/{reference}/{says}`.
pub(crate) async fn hear(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    let site = &shown.site.0;
    let situation = site.situation.borrow().clone();
    let (parts, body) = request.into_parts();
    let mut path = parts.uri.path().trim_start_matches("/beats/").split('/');
    let (reference, says) = (path.next().unwrap_or_default(), path.next());
    let found = site.beats.find(&situation, reference);
    let admitted = if found.is_some() {
        site.limits.admit_called(reference, Instant::now())
    } else {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        site.limits.admit_guess(address, Instant::now())
    };
    if !admitted {
        return Problem::TOO_MANY.answer(shown.audience);
    }
    let Some((check, beat)) = found.zip(beat(says)) else {
        return missing(&shown, &parts.method, &parts.headers, &parts.uri);
    };
    // Of any length and however it ends: it was only to be heard.
    drop(to_bytes(body, MAX_BODY).await);
    let told = Told { at: site.clock.now(), what: Message::Beat { check, beat } };
    if shown.site.keep(&told).await.is_none() {
        site.options.unheard.fetch_or(true, Ordering::Release);
        return Problem::unavailable("this could not be kept; send it again").answer(shown.audience);
    }
    // No cache on the way may answer for us.
    Body::new("text/plain; charset=utf-8", b"OK\n".to_vec()).answer(
        &parts.method,
        &HeaderMap::new(),
        StatusCode::OK,
        "no-store",
    )
}

fn beat(says: Option<&str>) -> Option<Beat> {
    match says {
        None => Some(Beat::Ended),
        Some("start") => Some(Beat::Started),
        Some("fail") => Some(Beat::Failed(None)),
        Some(status) => match status.parse() {
            Ok(0) => Some(Beat::Ended),
            Ok(status) => Some(Beat::Failed(Some(status))),
            Err(_) => None,
        },
    }
}
