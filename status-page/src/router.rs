//! Who may ask for what: a router for each audience.

use crate::{
    Audience, Page, RenderError, Site, ack, alerts, assets, beats,
    body::{Body, quality},
    document::{self, Document},
    filter::Filter,
    hooks, is_it_me, live, metrics, older,
    path::language_of,
    problem::Problem,
    sitemap, subscribe, twilio, v1, wall,
};
use axum::{
    Router,
    body::Body as HttpBody,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header},
    middleware::{Next, from_fn, map_response},
    routing::{get, post},
};
use domain::Language;
use std::sync::Arc;

/// A site as one audience sees it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) site: Site,
    pub(crate) audience: Audience,
}

/// What anyone may ask for. For the limits on `/ack` to hold per address, serve it with
/// `into_make_service_with_connect_info::<SocketAddr>()`.
pub fn public_router(site: &Site) -> Router {
    let acting = Router::new()
        .route("/ack/{reference}", get(ack::show).post(ack::act))
        .route("/beats/{reference}", get(beats::hear).post(beats::hear))
        .route("/beats/{reference}/{says}", get(beats::hear).post(beats::hear))
        .route("/hooks/notify", post(hooks::notify).fallback(not_found))
        .route("/hooks/twilio/answer/{reference}", post(twilio::answer).fallback(not_found))
        .route("/hooks/twilio/status", post(twilio::status).fallback(not_found))
        .route("/hooks/alertmanager", post(alerts::hear).fallback(not_found));
    with_frame(site, Audience::Public, acting).layer(from_fn(preflight))
}

/// Lets a browser ask for public JSON with what it has of it already: `If-None-Match` from another site is asked for first.
/// The same for every path, so that it tells nothing.
async fn preflight(request: Request, next: Next) -> Response<HttpBody> {
    let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() != Method::OPTIONS || !asks || !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let mut response = open_to_all(Response::new(HttpBody::empty()), Audience::Public);
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "if-none-match"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (header::ALLOW, "GET, HEAD, OPTIONS"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What people on the trusted network may ask for: all environments, and the metrics.
pub fn internal_router(site: &Site) -> Router {
    let metrics = Router::new().route("/metrics", get(metrics::metrics));
    with_frame(site, Audience::Internal, metrics)
}

fn with_frame(site: &Site, audience: Audience, own: Router<Shown>) -> Router {
    own.route("/", get(root))
        .route("/livez", get(live::livez))
        .route("/readyz", get(live::readyz))
        .route("/wall/events", get(wall::events))
        .route("/subscriptions/{reference}/confirm", get(subscribe::confirm).post(subscribe::confirm))
        .route("/subscriptions/{reference}/stop", get(subscribe::stop).post(subscribe::stop))
        .merge(v1::router())
        .fallback(page)
        .with_state(Shown { site: site.clone(), audience })
        .layer(map_response(secure))
}

const SECURITY: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        // Without a script nothing connects; but whoever examines a page looks for `robots.txt` in its name.
        "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Marks an answer that other people's pages may hold in a frame; there is nothing on it to press.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framed;

const FRAMED: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *";

pub(crate) async fn secure(mut response: Response<HttpBody>) -> Response<HttpBody> {
    // Who has it already has these with it (RFC 9111 §3.2), and half of what is sent would be they.
    if response.status() == StatusCode::NOT_MODIFIED {
        return response;
    }
    let framed = response.extensions().get::<Framed>().is_some();
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if framed {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FRAMED));
        headers.remove(header::X_FRAME_OPTIONS);
    }
    response
}

/// `/` → the page in the visitor's language.
pub(crate) async fn root(headers: HeaderMap) -> Response<HttpBody> {
    let mut response = redirect(StatusCode::FOUND, &Page::Front.path(preferred(&headers)));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn redirect(status: StatusCode, to: &str) -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::empty());
    *response.status_mut() = status;
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// Welsh if Welsh is asked for at least as much as English (RFC 9110 §12.5.4); English where neither is.
pub(crate) fn preferred(headers: &HeaderMap) -> Language {
    let mut weights = [0.0_f32; 2];
    let lines = headers.get_all(header::ACCEPT_LANGUAGE);
    for item in lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')) {
        let (range, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = quality(weight);
        let tag = range.trim().split('-').next().unwrap_or_default();
        for (language, best) in Language::ALL.iter().zip(&mut weights) {
            if tag.eq_ignore_ascii_case(language.tag()) {
                *best = weight.max(*best);
            }
        }
    }
    let [en, cy] = weights;
    if cy > 0.0 && cy >= en { Language::Cy } else { Language::En }
}

const PUBLIC_CACHE: &str = "public, max-age=5, stale-if-error=86400";
const INTERNAL_CACHE: &str = "private, no-cache";
pub(crate) const FOREVER: &str = "public, max-age=31536000, immutable";

/// How long an audience's answers may be kept by others.
pub(crate) const fn cache(audience: Audience) -> &'static str {
    match audience {
        Audience::Public => PUBLIC_CACHE,
        Audience::Internal => INTERNAL_CACHE,
    }
}

/// Pages, and everything that has no route of its own.
async fn page(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    let Some((language, page)) = Page::parse(request.uri().path()) else {
        return no_page(&shown, (request.method(), request.headers(), request.uri()));
    };
    if page == Page::Subscribe && subscribe::asks(&request) {
        return subscribe::page(&shown, language, request).await;
    }
    let (method, headers, uri) = (request.method(), request.headers(), request.uri());
    let reads = method == Method::GET || method == Method::HEAD;
    if page == Page::IsItMe && uri.query().is_some_and(|query| !query.is_empty()) {
        return is_it_me::page(&shown, language, (method, headers, uri)).await;
    }
    let view = shown.site.view(shown.audience);
    if reads && !view.snapshot.holds(&page) {
        return older::page(&shown, &view, (language, &page), (method, headers, uri)).await;
    }
    let renderer = &shown.site.0.renderer;
    let filter = uri
        .query()
        .filter(|_| matches!(page, Page::Front | Page::Wall))
        .map(|query| Filter::parse(query, &view.snapshot));
    let made = match filter.filter(|filter| !filter.is_off()) {
        Some(filter) => view.filtered(renderer, (language, &page), &filter),
        None => view.page(renderer, language, &page),
    };
    match made {
        Ok(Some(_)) if !reads => not_allowed(),
        Ok(Some(body)) => {
            let mut response = body.answer(method, headers, StatusCode::OK, cache(shown.audience));
            if page == Page::Wall {
                let policy = HeaderValue::from_static(wall::POLICY);
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            in_language(response, language)
        }
        Ok(None) => missing(&shown, method, headers, uri),
        Err(error) => broken(&error),
    }
}

/// Assets, documents for programs, and everything that is not there.
fn no_page(shown: &Shown, (method, headers, uri): (&Method, &HeaderMap, &Uri)) -> Response<HttpBody> {
    let path = uri.path();
    let reads = method == Method::GET || method == Method::HEAD;
    if let Some(asset) = assets::find(path).filter(|_| reads) {
        return asset.body.answer(method, headers, StatusCode::OK, FOREVER);
    }
    if let Some(document) = Document::parse(path, uri.query().unwrap_or_default()) {
        return document::answer(shown, &document, (method, headers, uri));
    }
    if path == "/api" || path.starts_with("/api/") {
        return Problem::NOT_FOUND.answer(shown.audience);
    }
    let here = |short: &&str| {
        let view = shown.site.view(shown.audience);
        reads && Page::parse(short).is_some_and(|(_, page)| sitemap::pages(&view.snapshot).contains(&page))
    };
    if let Some(short) = path.strip_suffix('/').filter(here) {
        return redirect(StatusCode::PERMANENT_REDIRECT, short);
    }
    missing(shown, method, headers, uri)
}

pub(crate) fn not_allowed() -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::empty());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// For people who ask too often.
pub(crate) fn too_many(
    shown: &Shown,
    language: Language,
    (method, headers): (&Method, &HeaderMap),
) -> Response<HttpBody> {
    match shown.site.view(shown.audience).said(&shown.site.0.renderer, language, "too-many") {
        Ok(Some(body)) => {
            let answer = body.answer(method, headers, StatusCode::TOO_MANY_REQUESTS, "no-store");
            let mut answer = in_language(answer, language);
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            answer
        }
        Ok(None) => Problem::TOO_MANY.answer(shown.audience),
        Err(error) => broken(&error),
    }
}

/// For routes of which some methods do not exist for this site.
pub(crate) async fn not_found(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    missing(&shown, request.method(), request.headers(), request.uri())
}

/// The same answer for what was never there and for what this audience may not see, from the same code.
pub(crate) fn missing(shown: &Shown, method: &Method, headers: &HeaderMap, uri: &Uri) -> Response<HttpBody> {
    let language = language_of(uri.path()).unwrap_or_else(|| preferred(headers));
    let view = shown.site.view(shown.audience);
    match view.not_found(&shown.site.0.renderer, language) {
        Ok(Some(body)) => {
            let mut response =
                in_language(body.answer(method, headers, StatusCode::NOT_FOUND, "no-store"), language);
            let vary = HeaderValue::from_static("accept-encoding, accept-language");
            response.headers_mut().insert(header::VARY, vary);
            response
        }
        Ok(None) => Problem::NOT_FOUND.answer(shown.audience),
        Err(error) => broken(&error),
    }
}

pub(crate) fn in_language(mut response: Response<HttpBody>, language: Language) -> Response<HttpBody> {
    let tag = HeaderValue::from_static(language.tag());
    response.headers_mut().insert(header::CONTENT_LANGUAGE, tag);
    response
}

/// A mistake of ours: logged in full, told in short.
pub(crate) fn broken(error: &RenderError) -> Response<HttpBody> {
    tracing::error!(%error, "a page could not be rendered");
    Problem::BROKEN.answer(Audience::Internal)
}

/// A document kept by the view, or the error.
pub(crate) fn kept_json(
    shown: &Shown,
    method: &Method,
    headers: &HeaderMap,
    body: Result<Option<Arc<Body>>, RenderError>,
) -> Response<HttpBody> {
    match body {
        Ok(Some(body)) => {
            open_to_all(body.answer(method, headers, StatusCode::OK, cache(shown.audience)), shown.audience)
        }
        Ok(None) => Problem::NOT_FOUND.answer(shown.audience),
        Err(error) => broken(&error),
    }
}

/// Public JSON may be read by any page in any browser.
pub(crate) fn open_to_all(mut response: Response<HttpBody>, audience: Audience) -> Response<HttpBody> {
    if audience == Audience::Public {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let told = HeaderValue::from_static("etag, link, retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, told);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers(value: &'static str) -> Language {
        preferred(&HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value))]))
    }

    #[test]
    fn the_language_asked_for_is_given() {
        assert_eq!(preferred(&HeaderMap::new()), Language::En);
        assert_eq!(prefers("cy"), Language::Cy);
        assert_eq!(prefers("cy-GB, en;q=0.8"), Language::Cy);
        assert_eq!(prefers("en-GB,en;q=0.9,cy;q=0.8"), Language::En);
        assert_eq!(prefers("fr, cy;q=0.3"), Language::Cy);
        assert_eq!(prefers("fr"), Language::En);
        assert_eq!(prefers("cy;q=0"), Language::En);
    }
}
