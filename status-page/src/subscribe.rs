//! Subscriptions: the form to ask for one, and the pages behind the links of their e-mails. A GET never acts, for scanners of mail
//! follow links. The answer is the same whether an address is known or not, and no address is on any page.

use crate::{
    Page, RenderError,
    body::Body,
    form,
    frame::Place,
    problem::Problem,
    router::{Shown, broken, in_language, missing, preferred, too_many},
    subscribe_page::{Asked, Outcome, done, form as form_view},
    view::HTML,
};
use axum::{
    body::{Body as HttpBody, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, request::Parts},
};
use domain::{ApiId, Environment, InstanceId, Kinds, Language, MailAddress, Pace, SubscriptionId, Wish};
use std::{net::SocketAddr, time::Duration};
use store::Subscribed;
use tokio::time::{Instant, timeout};

/// Nobody waits longer for the store.
const PATIENCE: Duration = Duration::from_secs(3);
const MAX_BODY: usize = 4096;

/// What a link of an e-mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Confirm,
    Stop,
}

/// Whether in a request for the form something is chosen, or sent.
pub(crate) fn asks(request: &Request) -> bool {
    let chosen = request.uri().query().is_some_and(|query| !query.is_empty());
    let (read, sent) = (request.method() == Method::GET, request.method() == Method::POST);
    sent || (read && chosen)
}

/// `GET` of the form with something chosen, or `POST` of it.
pub(crate) async fn page(shown: &Shown, language: Language, request: Request) -> Response<HttpBody> {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let (parts, body) = request.into_parts();
    let view = shown.site.view(shown.audience);
    if !view.snapshot.takes_subscriptions() {
        return missing(shown, &parts.method, &parts.headers, &parts.uri);
    }
    if parts.method != Method::POST {
        let asked = Asked::parse(parts.uri.query().unwrap_or_default(), language, &view.snapshot);
        return answer(shown, &parts, (language, StatusCode::OK), &asked, None);
    }
    // A page of others, opened on the trusted network, must not ask for what is told there.
    let from = parts.headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if from.is_some_and(|from| !matches!(from, b"same-origin" | b"none")) {
        return Problem::bad("the form was sent by a page of another site").answer(shown.audience);
    }
    let read = to_bytes(body, MAX_BODY).await.ok();
    let Some(text) = read.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
        return Problem::bad("this is no form").answer(shown.audience);
    };
    let asked = Asked::parse(text, language, &view.snapshot);
    let given = form::value(text, "email").unwrap_or_default();
    let (status, outcome) = match MailAddress::parse(&given) {
        None => (StatusCode::UNPROCESSABLE_ENTITY, Outcome::WrongAddress),
        // A wish for what is not there, or not any more, is none for everything.
        Some(_) if names_nothing(text, "api", asked.api.is_some()) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Outcome::WrongPlace)
        }
        Some(_) if names_nothing(text, "environment", asked.environment.is_some()) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Outcome::WrongPlace)
        }
        Some(_)
            if asked.is_back()
                && asked.instance().is_none_or(|instance| view.snapshot.instance(&instance).is_none()) =>
        {
            (StatusCode::UNPROCESSABLE_ENTITY, Outcome::WrongPlace)
        }
        Some(_) if asked.instance().is_some_and(|instance| asked.is_back() && works(shown, &instance)) => {
            (StatusCode::OK, Outcome::Works)
        }
        Some(_) if !shown.site.0.limits.admit_subscription(address, Instant::now()) => {
            (StatusCode::TOO_MANY_REQUESTS, Outcome::Later)
        }
        // They do not want it: who asks is told the same as ever.
        Some(address) if shown.site.0.limits.wants_peace(&address.mailbox(), Instant::now()) => {
            (StatusCode::OK, Outcome::Taken)
        }
        Some(address)
            if asked.is_back() && !shown.site.0.limits.may_wait(&address.mailbox(), Instant::now()) =>
        {
            (StatusCode::OK, Outcome::Taken)
        }
        Some(address) => keep(shown, &asked, &address).await,
    };
    answer(shown, &parts, (language, status), &asked, Some(outcome))
}

/// Something is named in that field, and it is not `known`.
fn names_nothing(text: &str, field: &str, known: bool) -> bool {
    !known && form::value(text, field).is_some_and(|given| !given.trim().is_empty())
}

fn works(shown: &Shown, instance: &InstanceId) -> bool {
    shown.site.works(instance, shown.audience == crate::Audience::Internal)
}

async fn keep(shown: &Shown, asked: &Asked, address: &MailAddress) -> (StatusCode, Outcome) {
    let (store, now) = (&shown.site.0.store, shown.site.0.clock.now());
    let wish = Wish {
        language: asked.language,
        internal: shown.audience == crate::Audience::Internal,
        api: asked.api.clone(),
        environment: asked.environment,
        kinds: asked.kinds,
        pace: asked.pace,
    };
    let kept = async {
        let _turn = shown.site.0.limits.subscribing.acquire().await;
        if asked.is_back() {
            let wish = Wish { kinds: Kinds::All, pace: Pace::Immediate, ..wish };
            store.tell_when_back(address, &wish, now).await
        } else {
            store.subscribe(address, &wish, now).await
        }
    };
    match timeout(PATIENCE, kept).await {
        Ok(Ok(Subscribed::Taken)) => (StatusCode::OK, Outcome::Taken),
        Ok(Ok(Subscribed::Full)) => {
            tracing::warn!("there are as many subscriptions as there may be: a request was refused");
            (StatusCode::SERVICE_UNAVAILABLE, Outcome::Later)
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "a subscription could not be kept: who asked is told to ask again");
            (StatusCode::SERVICE_UNAVAILABLE, Outcome::Later)
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, Outcome::Later),
    }
}

/// The form, or what became of it.
fn answer(
    shown: &Shown,
    parts: &Parts,
    (language, status): (Language, StatusCode),
    asked: &Asked,
    outcome: Option<Outcome>,
) -> Response<HttpBody> {
    let view = shown.site.view(shown.audience);
    let renderer = &shown.site.0.renderer;
    let wording = renderer.wording(&view.snapshot, language);
    let html = form_view(&wording, asked, outcome).map_err(RenderError::from).and_then(|form| {
        let place = Place::Asked(&Page::Subscribe, asked.query());
        renderer.html("subscribe.html", &wording, &place, &form.title, &form)
    });
    finish(html, &parts.method, language, status)
}

fn finish(
    html: Result<String, RenderError>,
    method: &Method,
    language: Language,
    status: StatusCode,
) -> Response<HttpBody> {
    match html {
        Ok(html) => {
            let body = Body::new(HTML, html.into_bytes());
            let answer = body.answer(method, &HeaderMap::new(), status, "no-store");
            let mut response = in_language(answer, language);
            let robots = HeaderValue::from_static("noindex, nofollow");
            response.headers_mut().insert(HeaderName::from_static("x-robots-tag"), robots);
            response
        }
        Err(error) => broken(&error),
    }
}

/// `GET` or `POST` of `/subscriptions/{reference}/confirm`.
pub(crate) async fn confirm(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    act(&shown, request, Act::Confirm).await
}

/// `GET` or `POST` of `/subscriptions/{reference}/stop`; a `POST` is what mail programs send too (RFC 8058).
pub(crate) async fn stop(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    act(&shown, request, Act::Stop).await
}

async fn act(shown: &Shown, request: Request, act: Act) -> Response<HttpBody> {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let (parts, _) = request.into_parts();
    let site = &shown.site.0;
    let key = site.situation.borrow().key.clone();
    let Some(id) = reference(&parts.uri).and_then(|reference| SubscriptionId::find(reference, &key)) else {
        if !site.limits.admit_guess(address, Instant::now()) {
            let language = language(&parts.uri, &parts.headers);
            return too_many(shown, language, (&parts.method, &parts.headers));
        }
        return missing(shown, &parts.method, &parts.headers, &parts.uri);
    };
    let posted = parts.method == Method::POST;
    if posted && !site.limits.admit_called(parts.uri.path(), Instant::now()) {
        let language = language(&parts.uri, &parts.headers);
        return too_many(shown, language, (&parts.method, &parts.headers));
    }
    let outcome = if posted { Some(settle(shown, id, act).await) } else { None };
    let status = match outcome {
        Some(Outcome::Later) => StatusCode::SERVICE_UNAVAILABLE,
        Some(Outcome::Over) => StatusCode::GONE,
        _ => StatusCode::OK,
    };
    let language = language(&parts.uri, &parts.headers);
    let view = shown.site.view(shown.audience);
    let wording = site.renderer.wording(&view.snapshot, language);
    let html = done(&wording, act, parts.uri.path(), outcome).map_err(RenderError::from).and_then(|page| {
        site.renderer.html("subscribed.html", &wording, &Place::Letter(parts.uri.path()), &page.title, &page)
    });
    finish(html, &parts.method, language, status)
}

async fn settle(shown: &Shown, id: SubscriptionId, act: Act) -> Outcome {
    let (store, now) = (&shown.site.0.store, shown.site.0.clock.now());
    let settled = async {
        let _turn = shown.site.0.limits.subscribing.acquire().await;
        match act {
            Act::Confirm => store.confirm(id, now).await,
            Act::Stop => {
                if let Some(mailbox) = store.unsubscribe(id).await? {
                    shown.site.0.limits.left_in_peace(&mailbox, Instant::now());
                }
                Ok(true)
            }
        }
    };
    match timeout(PATIENCE, settled).await {
        Ok(Ok(true)) => Outcome::Taken,
        Ok(Ok(false)) => Outcome::Over,
        Ok(Err(error)) => {
            tracing::error!(%error, "a subscription could not be changed: who asked is told to ask again");
            Outcome::Later
        }
        Err(_) => Outcome::Later,
    }
}

/// The last part but one of the path.
fn reference(uri: &Uri) -> Option<&str> {
    uri.path().rsplit('/').nth(1)
}

/// `?lang=` of the link, else what is preferred.
fn language(uri: &Uri, headers: &HeaderMap) -> Language {
    let asked = uri.query().and_then(|query| form::value(query, "lang"));
    Language::ALL
        .into_iter()
        .find(|language| asked.as_deref() == Some(language.tag()))
        .unwrap_or_else(|| preferred(headers))
}

/// The API of a field, if this audience sees it.
pub(crate) fn api(text: &str, snapshot: &crate::Snapshot) -> Option<ApiId> {
    ApiId::parse(text).ok().filter(|id| snapshot.api(id).is_some())
}

/// The environment of a field, if this audience sees it.
pub(crate) fn environment(text: &str, snapshot: &crate::Snapshot) -> Option<Environment> {
    Environment::parse(text).filter(|environment| snapshot.environments.contains(environment))
}
