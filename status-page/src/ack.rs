//! `/ack/{reference}`: the page behind the link that a called person gets. GET never acts: mail scanners follow links.
//! POST appends the answer to the inbox, waits a little for the recorder, and shows what became of it.

use crate::{
    Audience, Snapshot, WordsError,
    asked::{name, passed_on, person_of, standing},
    body::Body,
    form,
    frame::Place,
    router::{Shown, broken, in_language, missing, preferred, too_many},
    when::When,
    wording::{Shape, Wording},
};
use axum::{
    body::{Body as HttpBody, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header},
};
use domain::{
    Answer, Asked, Incident, IncidentStatus, Language, Message, Running, Situation, Target, Told, Way,
};
use jiff::Timestamp;
use serde::Serialize;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long a person waits for the recorder.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const MAX_BODY: usize = 1024;
/// Lines of evidence that fit a telephone.
const EVIDENCE: usize = 5;

/// What the page shows.
#[derive(Debug, Serialize)]
struct Called {
    action: String,
    what: String,
    shape: Shape,
    since: When,
    lasted: String,
    number: String,
    priority: String,
    weight: Option<String>,
    diagnosis: Option<String>,
    ticket: Option<String>,
    /// That it works again, and is watched.
    again: Option<String>,
    runbook: Option<String>,
    evidence: Vec<String>,
    next: Option<Next>,
    /// Whom to ring: while nothing can be recorded Curiad calls nobody else.
    ring: Option<String>,
    /// What became of an answer just given, or why none is asked for.
    said: Option<String>,
    /// They have it: still, or not any more?
    holds: bool,
    /// The recorder's own words, in English.
    recorder: Option<String>,
    asks: bool,
    /// A test: there is one answer.
    test: bool,
}

/// Who is called next, and when.
#[derive(Debug, Serialize)]
struct Next {
    who: String,
    at: When,
}

/// What became of an answer.
pub(crate) enum Became {
    /// Nothing was answered now.
    Nothing,
    /// The recorder took it.
    Taken(Answer),
    /// The recorder did not, and why, in its words.
    Refused(String),
    /// It is kept, and will be taken in.
    Kept,
    /// It is not, as far as we know: the database does not take it.
    Unkept,
}

/// `GET /ack/{reference}`.
pub(crate) async fn show(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    let situation = shown.site.0.situation.borrow().clone();
    if let Some(refused) = limited(&shown, &situation, &request) {
        return refused;
    }
    page(&shown, &request.into_parts().0, &situation, StatusCode::OK, &Became::Nothing)
}

/// `POST /ack/{reference}`.
pub(crate) async fn act(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    let site = &shown.site.0;
    let situation = site.situation.borrow().clone();
    if let Some(refused) = limited(&shown, &situation, &request) {
        return refused;
    }
    let (parts, body) = request.into_parts();
    let reference = reference(&parts.uri).to_owned();
    if situation.asked(&reference).is_none() {
        return missing(&shown, &parts.method, &parts.headers, &parts.uri);
    }
    let Some(answer) = read_answer(body).await else {
        return page(&shown, &parts, &situation, StatusCode::BAD_REQUEST, &Became::Nothing);
    };
    let what = Message::Answer { reference: reference.clone(), answer, by: way(&parts.uri) };
    let told = Told { at: site.clock.now(), what };
    let (status, became) = match shown.site.keep(&told).await {
        Some(id) => (StatusCode::OK, wait(&shown, id, &reference, answer).await),
        None => (StatusCode::SERVICE_UNAVAILABLE, Became::Unkept),
    };
    let situation = site.situation.borrow().clone();
    page(&shown, &parts, &situation, status, &became)
}

async fn read_answer(body: HttpBody) -> Option<Answer> {
    let bytes = to_bytes(body, MAX_BODY).await.ok()?;
    match form::value(std::str::from_utf8(&bytes).ok()?, "answer")?.as_str() {
        "mine" => Some(Answer::Mine),
        "call_next" => Some(Answer::CallNext),
        "not_real" => Some(Answer::NotReal),
        _ => None,
    }
}

/// Waits for the recorder's answer, and for the Situation that has it folded in.
pub(crate) async fn wait(shown: &Shown, id: store::InboxId, reference: &str, answer: Answer) -> Became {
    let site = &shown.site.0;
    let until = Instant::now() + PATIENCE;
    let became = loop {
        match site.store.answer(id).await {
            Ok(Some(Ok(_))) => break Became::Taken(answer),
            Ok(Some(Err(why))) => break Became::Refused(why),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the recorder's answer could not be read"),
        }
        if Instant::now() >= until {
            return Became::Kept;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    let folded = |situation: &Arc<Situation>| {
        situation.asked(reference).is_none_or(|(_, asked)| asked.answer().is_some())
    };
    let mut situation = site.situation.clone();
    // What the page says of the rest may be a moment old if this takes too long; the answer itself is known.
    tokio::time::timeout_at(until, situation.wait_for(folded)).await.ok();
    became
}

/// Who was called is looked up first: only guesses are charged to an address and to all.
fn limited(shown: &Shown, situation: &Situation, request: &Request) -> Option<Response<HttpBody>> {
    let (limits, reference, now) = (&shown.site.0.limits, reference(request.uri()), Instant::now());
    let admitted = if situation.asked(reference).is_some() {
        limits.admit_called(reference, now)
    } else {
        let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        limits.admit_guess(address, now)
    };
    let language = || language(request.uri(), preferred(request.headers()));
    (!admitted).then(|| too_many(shown, language(), (request.method(), request.headers())))
}

/// The last part of the path.
pub(crate) fn reference(uri: &Uri) -> &str {
    uri.path().rsplit('/').next().unwrap_or_default()
}

/// `?by=` of the link in an e-mail.
fn way(uri: &Uri) -> Option<Way> {
    Way::parse(&form::value(uri.query()?, "by")?)
}

/// `?lang=` of the link to the other language, else the person's own.
fn language(uri: &Uri, person: Language) -> Language {
    let asked = uri.query().and_then(|query| form::value(query, "lang"));
    Language::ALL.into_iter().find(|language| asked.as_deref() == Some(language.tag())).unwrap_or(person)
}

fn page(
    shown: &Shown,
    parts: &axum::http::request::Parts,
    situation: &Situation,
    status: StatusCode,
    became: &Became,
) -> Response<HttpBody> {
    let site = &shown.site.0;
    let reference = reference(&parts.uri);
    let Some((incident, asked)) = situation.asked(reference) else {
        return missing(shown, &parts.method, &parts.headers, &parts.uri);
    };
    let person = match asked {
        Asked::Person(callout) => situation.configuration.people.get(&callout.person),
        Asked::Desk(_) => None,
    };
    let theirs = person.map_or_else(|| preferred(&parts.headers), |person| person.language);
    let language = language(&parts.uri, theirs);
    // Whoever was called may know of every environment: names come from the internal view.
    let snapshot =
        Snapshot { as_of: site.clock.now(), ..shown.site.view(Audience::Internal).snapshot.clone() };
    let wording = site.renderer.wording(&snapshot, language);
    let calls = site.options.unrecorded_since().is_none() && !matches!(became, Became::Unkept);
    // By which way it came goes with all links: the answer proves that one.
    let path = match way(&parts.uri) {
        Some(way) => format!("/ack/{reference}?by={}&", way.word()),
        None => format!("/ack/{reference}?"),
    };
    let html = called(&wording, situation, (incident, asked), (became, calls), &path)
        .map_err(crate::RenderError::from)
        .and_then(|view| {
            let title = view.what.clone();
            site.renderer.html("ack.html", &wording, &Place::Ack(&path), &title, &view)
        });
    match html {
        Ok(html) => {
            let body = Body::new("text/html; charset=utf-8", html.into_bytes());
            // Never a 304: what a person sees here is what is so now.
            let answer = body.answer(&parts.method, &HeaderMap::new(), status, "no-store");
            let mut response = in_language(answer, language);
            let robots = HeaderValue::from_static("noindex, nofollow");
            response.headers_mut().insert(header::HeaderName::from_static("x-robots-tag"), robots);
            response
        }
        Err(error) => broken(&error),
    }
}

fn called(
    wording: &Wording<'_>,
    situation: &Situation,
    (incident, asked): (&Incident, Asked<'_>),
    (became, calls): (&Became, bool),
    path: &str,
) -> Result<Called, WordsError> {
    let view = crate::IncidentView {
        affects: incident.affects.clone(),
        held_back: incident.held_back.clone(),
        whole: true,
        incident: Arc::new(incident.clone()),
    };
    let name = name(&situation.configuration, asked);
    let standing = standing(wording, incident, (person_of(asked), name))?;
    let (said, recorder) = match became {
        Became::Nothing => (standing.clone(), None),
        Became::Taken(_) if incident.is_test() => (Some(wording.plain("ack-test-done")?), None),
        Became::Taken(Answer::Mine) => (Some(wording.plain("ack-done-mine")?), None),
        Became::Taken(Answer::CallNext) => (Some(passed_on(wording, incident, asked)?), None),
        Became::Taken(Answer::NotReal) => (Some(wording.plain("ack-done-not-real")?), None),
        Became::Kept => (Some(wording.plain("ack-kept")?), None),
        Became::Unkept => match standing.clone() {
            Some(standing) => (Some(standing), None),
            None => (Some(wording.plain("ack-unkept")?), None),
        },
        Became::Refused(why) => match standing.clone() {
            Some(standing) => (Some(standing), None),
            None => (None, Some(why.clone())),
        },
    };
    let end = incident.recovered_at.or(incident.resolved_at).unwrap_or(wording.snapshot.as_of);
    let lasted = end.duration_since(incident.failing_since()).unsigned_abs();
    let next = next(wording, situation, incident)?;
    let api = view.affects.first().and_then(|id| situation.configuration.apis.get(&id.api));
    Ok(Called {
        test: incident.is_test(),
        action: format!("{path}lang={}", wording.language),
        what: wording.incident_title(&view)?,
        shape: wording.shape(incident.worst)?,
        since: wording.short(incident.failing_since()),
        lasted: wording.duration(lasted)?,
        number: incident.id.to_string(),
        priority: incident.priority.to_string(),
        weight: Some(incident.weight(wording.language))
            .filter(|text| !text.is_empty() && !incident.is_test()),
        diagnosis: Some(wording.text(&incident.diagnosis).to_owned()).filter(|text| !text.is_empty()),
        ticket: match &incident.ticket {
            domain::Ticket::Raised { number, .. } => Some(number.clone()),
            domain::Ticket::None | domain::Ticket::Asked { .. } => None,
        },
        again: match incident.recovered_at.filter(|_| incident.status == IncidentStatus::Recovering) {
            Some(at) => Some(wording.say("ack-recovering", &[("when", wording.short(at).words.into())])?),
            None => None,
        },
        runbook: api.and_then(|api| api.desk.runbook.clone()),
        evidence: incident.evidence.iter().take(EVIDENCE).map(domain::Evidence::words).collect(),
        holds: incident.is_open()
            && incident.acknowledged.as_ref().is_some_and(|taken| taken.is_of(person_of(asked), name))
            && matches!(became, Became::Nothing),
        asks: standing.is_none() && matches!(became, Became::Nothing | Became::Refused(_) | Became::Unkept),
        ring: match &next {
            Some(next) if !calls && next.who != wording.plain("ack-nobody")? => {
                Some(wording.say("ack-ring", &[("who", next.who.as_str().into())])?)
            }
            Some(_) | None => None,
        },
        next: next.filter(|_| calls),
        said,
        recorder,
    })
}

fn next(
    wording: &Wording<'_>,
    situation: &Situation,
    incident: &Incident,
) -> Result<Option<Next>, WordsError> {
    if matches!(incident.status, IncidentStatus::Recovering | IncidentStatus::Resolved) {
        return Ok(None);
    }
    let Some((running, at)) =
        incident.escalation.as_ref().and_then(|running| Some((running, running.next_at?)))
    else {
        return Ok(None);
    };
    let step = running.escalation.steps.get(running.next_step).map(|step| &step.call);
    let who = match step.filter(|_| running.round <= running.escalation.repeat) {
        Some(target) => who(wording, situation, running, target, at),
        None => Some(wording.plain("ack-last-resort")?),
    };
    let who = match who {
        Some(who) => who,
        None => wording.plain("ack-nobody")?,
    };
    Ok(Some(Next { who, at: wording.times().second(at) }))
}

fn who(
    wording: &Wording<'_>,
    situation: &Situation,
    running: &Running,
    target: &Target,
    at: Timestamp,
) -> Option<String> {
    let configuration = &situation.configuration;
    let name = |person: &domain::PersonId| {
        configuration.people.get(person).map_or_else(|| person.to_string(), |person| person.name.clone())
    };
    match target {
        Target::OnCall(rota) => Some(name(&configuration.rotas.get(rota)?.on_call(at)?.person)),
        Target::Next(rota) => Some(name(&domain::next_of(configuration, running, rota, at)?)),
        Target::Person(person) => Some(name(person)),
        // Of an escalation that runs, each stands for its rota.
        Target::Team(_) | Target::Provider => None,
        Target::Desk(desk) => Some(wording.text(&configuration.desks.get(desk)?.name).to_owned()),
    }
}
