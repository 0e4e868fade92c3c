//! *Is it me?*: what our own probes saw when a caller met an error, and the likely cause. As a page with a form, and as JSON.
//! Nothing that is asked is kept; of it only what was parsed is said again.

use crate::{
    Page, Snapshot,
    body::Body,
    frame::Place,
    is_it_me_page::{Choice, Form, Told, answer, form},
    problem::Problem,
    rfc3339,
    router::{Shown, broken, in_language, missing, open_to_all},
};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderMap, Method, Response, StatusCode, Uri},
};
use domain::{
    ApiId, CallerSaw, Check, Environment, ErrorClass, InstanceId, Language, Likely, OurOutcome, Theirs,
    Verdict, Yours, is_it_me, speaks_of,
};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};
use std::time::Duration;

/// Reading takes no longer than this.
const READ_LIMIT: Duration = Duration::from_secs(3);
/// Outcomes of a check that are looked at around the time that is asked for; as many failures of the instance.
const MOST: u32 = 1000;
/// People tell a time to the minute.
const MINUTE: SignedDuration = SignedDuration::from_secs(61);

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Of which instance.
    pub(crate) instance: InstanceId,
    /// What the caller got; `None`: they do not say.
    pub(crate) saw: Option<CallerSaw>,
    /// When; `None`: now.
    pub(crate) at: Option<Timestamp>,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) asked: Asked,
    pub(crate) ours: Vec<OurOutcome>,
    pub(crate) likely: Likely,
}

/// Why it is not answered.
enum Refusal {
    /// This cannot be read: the name of the field.
    Field(&'static str),
    /// No such instance, or not for this audience.
    NotFound,
    /// Not now.
    Unavailable,
}

/// `GET /api/v1/is-it-me`.
pub(crate) async fn json(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response<HttpBody> {
    let view = shown.site.view(shown.audience);
    let answered = match find(&shown, &uri).await {
        Ok(answer) => told(&shown, &view.snapshot, &answer),
        Err(refusal) => return refusal.problem().answer(shown.audience),
    };
    match answered {
        Ok(value) => {
            let body = Body::new("application/json", value.to_string().into_bytes());
            open_to_all(body.answer(&method, &headers, StatusCode::OK, "no-store"), shown.audience)
        }
        Err(error) => broken(&error),
    }
}

/// The page, where something is asked.
pub(crate) async fn page(
    shown: &Shown,
    language: Language,
    (method, headers, uri): (&Method, &HeaderMap, &Uri),
) -> Response<HttpBody> {
    if method != Method::GET && method != Method::HEAD {
        return crate::router::not_allowed();
    }
    let view = shown.site.view(shown.audience);
    let wording = shown.site.0.renderer.wording(&view.snapshot, language);
    let (status, made) = match find(shown, uri).await {
        Ok(found) => (StatusCode::OK, answer(&wording, &found)),
        Err(Refusal::NotFound) => return missing(shown, method, headers, uri),
        Err(Refusal::Field(name)) => {
            (StatusCode::BAD_REQUEST, form(&wording, &Choice::default(), Some(name)))
        }
        Err(Refusal::Unavailable) => {
            (StatusCode::SERVICE_UNAVAILABLE, form(&wording, &Choice::default(), Some("later")))
        }
    };
    let renderer = &shown.site.0.renderer;
    let html = made.map_err(crate::RenderError::from).and_then(|view: Form| {
        let title = wording.plain("me-title")?;
        let place = Place::Asked(&Page::IsItMe, view.query());
        renderer.html("is-it-me.html", &wording, &place, &title, &view)
    });
    match html {
        Ok(html) => {
            let body = Body::new("text/html; charset=utf-8", html.into_bytes());
            in_language(body.answer(method, headers, status, "no-store"), language)
        }
        Err(error) => broken(&error),
    }
}

impl Refusal {
    fn problem(&self) -> Problem {
        match self {
            Self::NotFound => Problem::NOT_FOUND,
            Self::Unavailable => Problem::unavailable("history cannot be read just now"),
            Self::Field("at") => Problem::bad(
                "'at' must be in the past, as RFC 3339 (2026-11-21T10:03:00Z) or as local time (2026-11-21T10:03)",
            ),
            Self::Field("status") => {
                Problem::bad("'status' must be an HTTP status (100 to 599), 'timeout' or 'no-connection'")
            }
            Self::Field(name) => Problem::bad(format!("say which {name}: add {name}=… to the query")),
        }
    }
}

/// Whether there is such an instance for this audience comes before all that is wrong beside it.
fn asked(uri: &Uri, now: Timestamp, snapshot: &Snapshot) -> Result<Asked, Refusal> {
    let query = uri.query().unwrap_or_default();
    let given = |name: &'static str| {
        crate::form::value(query, name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let needed = |name: &'static str| given(name).ok_or(Refusal::Field(name));
    let instance = InstanceId {
        api: ApiId::parse(&needed("api")?).map_err(|_| Refusal::NotFound)?,
        environment: Environment::parse(&needed("environment")?).ok_or(Refusal::NotFound)?,
    };
    snapshot.instance(&instance).ok_or(Refusal::NotFound)?;
    let saw = given("status").map(|text| CallerSaw::parse(&text).ok_or(Refusal::Field("status")));
    let at = given("at").map(|text| {
        time(&text, &snapshot.site.time_zone).filter(|at| *at <= now).ok_or(Refusal::Field("at"))
    });
    Ok(Asked { instance, saw: saw.transpose()?, at: at.transpose()? })
}

/// A time as programs write it, or as a form does, which means local time.
fn time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let local = || text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(local)
}

async fn find(shown: &Shown, uri: &Uri) -> Result<Answer, Refusal> {
    let view = shown.site.view(shown.audience);
    let asked = asked(uri, shown.site.0.clock.now(), &view.snapshot)?;
    let instance = view.snapshot.instance(&asked.instance).ok_or(Refusal::NotFound)?;
    let checks: Vec<&Check> = instance
        .operations
        .iter()
        .filter(|operation| operation.check.heartbeat().is_none())
        .map(|operation| operation.check.as_ref())
        .collect();
    let (ours, planned) = match asked.at {
        None => {
            let operations = instance.operations.iter();
            let tracks = operations.flat_map(|one| one.tracks.iter().map(|track| (&one.check.id, track)));
            let outcomes = tracks.filter(|(_, track)| !track.expired && !track.vantage.is_inbound());
            let ours = outcomes.filter_map(|(check, track)| {
                let (_, verdict) = track.last?;
                Some(OurOutcome::of(check, track.seen.as_ref()?, verdict))
            });
            (ours.collect(), instance.shown == domain::Status::Maintenance)
        }
        Some(at) => match tokio::time::timeout(READ_LIMIT, read(shown, &asked.instance, &checks, at)).await {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                tracing::warn!(%error, "what was seen at a time cannot be read");
                return Err(Refusal::Unavailable);
            }
            Err(_) => return Err(Refusal::Unavailable),
        },
    };
    let likely = is_it_me(asked.saw, &ours, planned);
    Ok(Answer { asked, ours, likely })
}

/// What was seen around `at`, through the store's readers, and whether work was planned then.
async fn read(
    shown: &Shown,
    instance: &InstanceId,
    checks: &[&Check],
    at: Timestamp,
) -> Result<(Vec<OurOutcome>, bool), store::Error> {
    let site = &shown.site.0;
    // Never closed.
    let _permit = site.limits.reads.acquire().await.ok();
    let to = at.checked_add(MINUTE).unwrap_or(Timestamp::MAX);
    let from =
        |validity: Duration| at.checked_sub(validity.max(MINUTE.unsigned_abs())).unwrap_or(Timestamp::MIN);
    let longest = checks.iter().map(|check| check.validity(at)).max().unwrap_or_default();
    let failures = site.store.failures(instance, from(longest), to, MOST).await?;
    let mut ours = Vec::new();
    for check in checks {
        let validity = check.validity(at);
        let samples = site.store.samples(&check.id, None, from(validity), to, MOST).await?;
        let outcomes: Vec<OurOutcome> = samples
            .into_iter()
            .map(|sample| {
                let failure = failures
                    .iter()
                    .find(|row| row.at == sample.at && row.track.check == check.id)
                    .filter(|_| sample.verdict != Verdict::Pass);
                let what = failure.and_then(|row| row.failure.as_ref());
                OurOutcome {
                    check: check.id.clone(),
                    at: sample.at,
                    verdict: sample.verdict,
                    class: ErrorClass::of(sample.verdict, what),
                    layer: what.map(|what| what.layer),
                    status: failure.and_then(|row| row.http_status),
                }
            })
            .collect();
        ours.extend(speaks_of(at, validity, &outcomes).cloned());
    }
    let (health, _) = site.store.healths(instance, at, to).await?;
    Ok((ours, health.is_some_and(|health| health.maintenance)))
}

fn told(shown: &Shown, snapshot: &Snapshot, answer: &Answer) -> Result<Value, crate::RenderError> {
    let in_language = |language| Told::of(&shown.site.0.renderer.wording(snapshot, language), answer);
    let (en, cy) = (in_language(Language::En)?, in_language(Language::Cy)?);
    let (asked, likely) = (&answer.asked, answer.likely);
    let fails = match likely.theirs {
        Some(Theirs::Fails(class)) => Some(class.word()),
        _ => None,
    };
    let ours: Vec<Value> = answer.ours.iter().map(our_json).collect();
    Ok(json!({
        "api": asked.instance.api,
        "environment": asked.instance.environment,
        "at": rfc3339(asked.at.unwrap_or(snapshot.as_of)),
        "saw": asked.saw.map(CallerSaw::word),
        "whose": likely.whose().word(),
        "yours": likely.yours.map(Yours::word),
        "theirs": likely.theirs.map(Theirs::word),
        "error_class": fails,
        "ours": ours,
        "says": { "en": en.in_short(), "cy": cy.in_short() },
    }))
}

fn our_json(outcome: &OurOutcome) -> Value {
    json!({
        "operation": outcome.check.operation,
        "at": rfc3339(outcome.at),
        "verdict": outcome.verdict.word(),
        "http_status": outcome.status,
        "layer": outcome.layer.map(domain::Layer::word),
        "error_class": outcome.class.map(ErrorClass::word),
    })
}
