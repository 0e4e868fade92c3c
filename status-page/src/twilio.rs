//! `/hooks/twilio`: somebody who was rung up pressed a digit, or Twilio says what became of a call. Both are signed; a GET never
//! acts. A call that was taken up is answered by nobody until a digit is pressed: it may be a voicemail.

use crate::{
    Audience, Snapshot, WordsError,
    ack::{Became, reference, wait},
    asked::{passed_on, standing},
    form,
    hooks::{empty, incident_of},
    problem::Problem,
    router::{Shown, missing},
};
use axum::{
    body::{Body as HttpBody, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Response, StatusCode, Uri, header, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    Answer, Asked, Callout, Incident, IncidentStatus, Language, Message, Receipt, Secret, Sent, Site, Told,
    Way,
};
use ring::hmac;

/// A callback is about a thousand bytes.
const MAX_BODY: usize = 16 * 1024;

/// `POST /hooks/twilio/answer/{reference}`: a digit.
pub(crate) async fn answer(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    let (parts, body) = match signed(&shown, request).await {
        Ok(signed) => signed,
        Err(refused) => return *refused,
    };
    let site = &shown.site.0;
    let (reference, situation) = (reference(&parts.uri).to_owned(), site.situation.borrow().clone());
    if situation.callout(&reference).is_none() {
        return missing(&shown, &parts.method, &parts.headers, &parts.uri);
    }
    let answer = match form::value(&body, "Digits").as_deref() {
        Some("1") => Some(Answer::Mine),
        Some("2") => Some(Answer::CallNext),
        _ => None,
    };
    let mut became = Became::Nothing;
    if let Some(answer) = answer {
        let what = Message::Answer { reference: reference.clone(), answer, by: Some(Way::Voice) };
        let Some(id) = shown.site.keep(&Told { at: site.clock.now(), what }).await else {
            return Problem::unavailable("it could not be kept; send it again").answer(shown.audience);
        };
        became = wait(&shown, id, &reference, answer).await;
    }
    let situation = site.situation.borrow().clone();
    let callbacks = site.options.callbacks.borrow().clone();
    let (Some((incident, callout)), Some(spoken)) = (situation.callout(&reference), callbacks.spoken) else {
        return missing(&shown, &parts.method, &parts.headers, &parts.uri);
    };
    let words = match words(&shown, (incident, callout), &became) {
        Ok(words) => words,
        Err(error) => return crate::router::broken(&error.into()),
    };
    let markup = spoken(&situation.configuration, incident, callout, words.as_deref(), site.clock.now());
    let mut response = Response::new(HttpBody::from(markup));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    response
}

/// What became of an answer, for whoever pressed the digit; `None`: all is said again.
fn words(
    shown: &Shown,
    (incident, callout): (&Incident, &Callout),
    became: &Became,
) -> Result<Option<String>, WordsError> {
    let site = &shown.site.0;
    let situation = site.situation.borrow().clone();
    let person = situation.configuration.people.get(&callout.person);
    let language = person.map_or(Language::En, |person| person.language);
    let name = person.map_or(callout.person.as_str(), |person| person.name.as_str());
    let snapshot =
        Snapshot { as_of: site.clock.now(), ..shown.site.view(Audience::Internal).snapshot.clone() };
    let wording = site.renderer.wording(&snapshot, language);
    let key = match became {
        Became::Nothing => return Ok(None),
        Became::Taken(_) if incident.is_test() => "ack-test-done",
        Became::Taken(Answer::CallNext) => {
            return passed_on(&wording, incident, Asked::Person(callout)).map(Some);
        }
        Became::Taken(Answer::Mine | Answer::NotReal) => "ack-done-mine",
        Became::Refused(_) => match standing(&wording, incident, (Some(&callout.person), name))? {
            Some(standing) => return Ok(Some(standing)),
            None => match incident.recovered_at.filter(|_| incident.status == IncidentStatus::Recovering) {
                Some(at) => {
                    return wording
                        .say("ack-recovering", &[("when", wording.short(at).words.into())])
                        .map(Some);
                }
                None => "ack-kept",
            },
        },
        Became::Kept | Became::Unkept => "ack-kept",
    };
    wording.plain(key).map(Some)
}

/// `POST /hooks/twilio/status?key=…`: what became of a call.
pub(crate) async fn status(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    let (parts, body) = match signed(&shown, request).await {
        Ok(signed) => signed,
        Err(refused) => return *refused,
    };
    let at = shown.site.0.clock.now();
    let key = parts.uri.query().and_then(|query| form::value(query, "key")).unwrap_or_default();
    let outcome = form::value(&body, "CallStatus").and_then(|status| outcome(&status));
    let (Some(incident), Some(outcome)) = (incident_of(&key), outcome) else {
        return empty(StatusCode::NO_CONTENT);
    };
    let receipt = Receipt { notification: key, incident, at, outcome };
    match shown.site.keep(&Told { at, what: Message::Receipt(receipt) }).await {
        Some(_) => empty(StatusCode::NO_CONTENT),
        None => Problem::unavailable("it could not be kept; send it again").answer(shown.audience),
    }
}

/// `None`: on its way.
fn outcome(status: &str) -> Option<Sent> {
    let why = |words: &str| Some(Sent::GivenUp { why: format!("Twilio: {words} ({status})") });
    match status {
        "in-progress" | "completed" => Some(Sent::Delivered),
        "busy" => why("the line is engaged"),
        "no-answer" => why("nobody took the call up"),
        "failed" => why("the number cannot be rung"),
        "canceled" => why("the call was cancelled"),
        _ => None,
    }
}

/// The body, of a request that Twilio has signed.
async fn signed(shown: &Shown, request: Request) -> Result<(Parts, String), Box<Response<HttpBody>>> {
    let callbacks = shown.site.0.options.callbacks.borrow().clone();
    let (parts, body) = request.into_parts();
    if callbacks.twilio.is_empty() {
        return Err(Box::new(missing(shown, &parts.method, &parts.headers, &parts.uri)));
    }
    let body = to_bytes(body, MAX_BODY).await.ok().and_then(|body| String::from_utf8(body.to_vec()).ok());
    let Some(body) = body else {
        let problem = Problem::bad("the body is too large, broke off, or is no text");
        return Err(Box::new(problem.answer(shown.audience)));
    };
    let site = shown.site.0.situation.borrow().configuration.site.clone();
    let signature = parts.headers.get("x-twilio-signature").and_then(|value| value.to_str().ok());
    if !signature.is_some_and(|signature| is_signed(&site, &callbacks.twilio, (&parts.uri, &body), signature))
    {
        return Err(Box::new(empty(StatusCode::FORBIDDEN)));
    }
    Ok((parts, body))
}

/// Whether one of the tokens signed it. Twilio signs the address that it was told, in either language; what the request
/// says of its host is anybody's.
fn is_signed(site: &Site, tokens: &[Secret], (uri, body): (&Uri, &str), signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut pairs: Vec<(String, String)> = body
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (form::decode(name), form::decode(value)))
        .collect();
    pairs.sort();
    let said: String = pairs.into_iter().flat_map(|(name, value)| [name, value]).collect();
    let keys = tokens.iter().filter(|token| !token.reveal().is_empty());
    // Each is tried, so that the time taken tells nothing about any.
    keys.flat_map(|token| Language::ALL.map(|language| (token, site.url.get(language)))).fold(
        false,
        |signed, (token, base)| {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.reveal().as_bytes());
            signed | hmac::verify(&key, format!("{base}{path}{said}").as_bytes(), &signature).is_ok()
        },
    )
}
