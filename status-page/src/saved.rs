//! The page as it last was, for a start while the database cannot be reached: made now and then, and shown as what it is.

use crate::{
    Audience, RenderError, Site, Snapshot, assets,
    body::Body,
    files::{self, PublicFile},
    frame::Place,
    live,
    path::language_of,
    problem::Problem,
    router::{FOREVER, Framed, cache, in_language, open_to_all, root, secure},
    view::HTML,
};
use axum::{
    Router,
    body::Body as HttpBody,
    extract::{Request, State},
    http::{HeaderValue, Method, Response, StatusCode},
    middleware::map_response,
    routing::get,
};
use domain::Language;
use jiff::Timestamp;
use serde_json::json;
use std::{collections::HashMap, sync::Arc};

/// All that the public could read at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// When it was so.
    pub as_of: Timestamp,
    /// What there was; style sheets apart, which the program has.
    pub files: Vec<PublicFile>,
}

impl Site {
    /// What the public can read now, worded for a later time at which nothing newer can be known: it says since when, and
    /// calls nothing well. Each file is given to `keep` as soon as it is made; the answer is of when all of them are. `None` while there is nothing whole to keep: before the history was read, and while nothing is
    /// recorded.
    pub fn save<E: From<RenderError>>(
        &self,
        mut keep: impl FnMut(PublicFile) -> Result<(), E>,
    ) -> Result<Option<Timestamp>, E> {
        let view = self.view(Audience::Public);
        if view.snapshot.unrecorded_since.is_some() || !self.has_history() {
            return Ok(None);
        }
        let as_of = view.snapshot.as_of;
        let snapshot =
            Snapshot { unrecorded_since: Some(as_of), stale: true, as_files: true, ..view.snapshot.clone() };
        for file in files::all(&self.0.renderer, &snapshot, &view.situation) {
            keep(file?)?;
        }
        for language in Language::ALL {
            let html = self.0.renderer.said(&snapshot, language, &Place::Nowhere, "not-in-copy")?;
            keep(PublicFile::new(not_in_copy(language), HTML, Some(language), html))?;
        }
        Ok(Some(as_of))
    }

    /// By which it is told that what the public can read has changed, beyond its time.
    pub fn fingerprint(&self) -> Result<String, RenderError> {
        use crate::{document::Document, statuspage::Part};
        let view = self.view(Audience::Public);
        let mut all = String::new();
        for part in [Part::Summary, Part::Incidents] {
            let body = view.document(&self.0.renderer, &Document::Statuspage(part))?;
            all.push_str(body.as_deref().map_or("", Body::hash));
        }
        Ok(all)
    }
}

/// Where the page is that is shown for all others.
fn not_in_copy(language: Language) -> &'static str {
    match language {
        Language::En => "/en/503",
        Language::Cy => "/cy/503",
    }
}

#[derive(Debug)]
struct Kept {
    as_of: Timestamp,
    bodies: HashMap<String, (Body, Option<Language>, bool)>,
}

/// Shows what was saved. Whatever else is asked for may be there once the database is: it is to be asked for again.
pub fn saved_router(saved: Saved) -> Router {
    let bodies = saved.files.into_iter().filter_map(|file| {
        let kind = HeaderValue::try_from(file.kind.as_ref()).ok()?;
        Some((file.path, (Body::of(kind, file.text.into_bytes()), file.language, file.framed)))
    });
    let kept = Arc::new(Kept { as_of: saved.as_of, bodies: bodies.collect() });
    Router::new()
        .route("/", get(root))
        .route("/livez", get(live::livez))
        .route("/readyz", get(readyz))
        .fallback(show)
        .with_state(kept)
        .layer(map_response(secure))
}

async fn readyz(State(kept): State<Arc<Kept>>) -> Response<HttpBody> {
    let output =
        format!("the database cannot be reached: shown is what was saved at {}", crate::rfc3339(kept.as_of));
    let store = json!([{ "status": "fail", "output": output }]);
    live::answer(
        StatusCode::SERVICE_UNAVAILABLE,
        &json!({ "status": "fail", "version": env!("CARGO_PKG_VERSION"), "checks": { "store:recording": store } }),
    )
}

async fn show(State(kept): State<Arc<Kept>>, request: Request) -> Response<HttpBody> {
    let (method, headers, path) = (request.method(), request.headers(), request.uri().path());
    let reads = method == Method::GET || method == Method::HEAD;
    if let Some(asset) = assets::find(path).filter(|_| reads) {
        return asset.body.answer(method, headers, StatusCode::OK, FOREVER);
    }
    let Some((body, language, framed)) = kept.bodies.get(path).filter(|_| reads) else {
        let why = "our records cannot be reached just now, and this is not in our last copy; ask again";
        let problem = Problem::unavailable(why).answer(Audience::Public);
        let Some(language) = language_of(path) else { return problem };
        let Some((page, ..)) = kept.bodies.get(not_in_copy(language)) else { return problem };
        let mut answer =
            in_language(page.answer(method, headers, StatusCode::SERVICE_UNAVAILABLE, "no-store"), language);
        answer.headers_mut().extend([(axum::http::header::RETRY_AFTER, HeaderValue::from_static("5"))]);
        return answer;
    };
    let answer = body.answer(method, headers, StatusCode::OK, cache(Audience::Public));
    let answer = match language {
        Some(language) => in_language(answer, *language),
        None => answer,
    };
    let mut answer = open_to_all(answer, Audience::Public);
    if *framed {
        answer.extensions_mut().insert(Framed);
    }
    answer
}
