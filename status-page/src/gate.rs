//! The gate for pipelines: may it go on, with one line of why.

use crate::{
    Audience, InstanceView, Planned, RenderError, WordsError, form,
    problem::Problem,
    rfc3339,
    router::{Shown, broken, in_language, open_to_all},
    wording::{Wording, status_key},
};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header},
};
use domain::{ApiId, Environment, InstanceId, Language, Layer, Status};
use jiff::Timestamp;
use serde_json::json;

/// Where the gates are.
pub(crate) const FOLDER: &str = "/api/v1/gate/";
/// Seconds after which a closed gate may have opened.
const AGAIN: &str = "30";

/// `GET /api/v1/gate/{api}/{environment}`: 200 while what is measured is well enough, else 503; planned work is said, and
/// closes nothing by itself.
pub(crate) async fn gate(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response<HttpBody> {
    let view = shown.site.view(shown.audience);
    let Some(instance) = named(uri.path()).and_then(|id| view.snapshot.instance(&id)) else {
        return Problem::NOT_FOUND.answer(shown.audience);
    };
    let query = uri.query().unwrap_or_default();
    let language = match form::value(query, "lang") {
        None => Some(Language::En),
        Some(tag) => Language::ALL.into_iter().find(|language| language.tag() == tag),
    };
    let Some(language) = language else {
        return Problem::bad("'lang' is en or cy").answer(shown.audience);
    };
    let as_json = match form::value(query, "format").as_deref() {
        None => form::accepts(&headers, "application/json", "text/plain"),
        Some("json") => true,
        Some("text") => false,
        Some(_) => return Problem::bad("'format' is text or json").answer(shown.audience),
    };
    let wording = shown.site.0.renderer.wording(&view.snapshot, language);
    let gate = match Gate::of(&wording, instance) {
        Ok(gate) => gate,
        Err(error) => return broken(&RenderError::from(error)),
    };
    in_language(gate.answer(instance, as_json, &method, shown.audience), language)
}

fn named(path: &str) -> Option<InstanceId> {
    let (api, environment) = path.strip_prefix(FOLDER)?.split_once('/')?;
    Some(InstanceId { api: ApiId::parse(api).ok()?, environment: Environment::parse(environment)? })
}

/// What a gate says.
struct Gate {
    open: bool,
    measured: Status,
    until: Option<Timestamp>,
    why: String,
}

impl Gate {
    fn of(wording: &Wording<'_>, instance: &InstanceView) -> Result<Self, WordsError> {
        let snapshot = wording.snapshot;
        // What cannot be recorded cannot be known here either.
        let measured = if snapshot.unrecorded_since.is_some() { Status::Unknown } else { instance.measured };
        let mut why = format!(
            "{} {}: {}",
            wording.name(&instance.id),
            wording.within(instance.id.environment)?,
            wording.plain(status_key(measured))?
        );
        if let Some(since) = instance.since.filter(|_| measured == instance.measured) {
            let word = wording.plain("since")?.to_lowercase();
            why = format!("{why}, {word} {}", wording.times().full(since).words);
        }
        let silence =
            [(snapshot.unrecorded_since, "sentence-unrecorded"), (snapshot.heard_at, "sentence-stale")];
        let reason = match (measured, instance.layer) {
            (Status::Unknown, Some(Layer::Ours)) => Some(wording.layer(Layer::Ours)?),
            (Status::Unknown, _) => {
                let silence = if snapshot.stale { &silence[..] } else { &silence[..1] };
                let known = silence.iter().find_map(|(since, key)| Some(((*since)?, *key)));
                Some(match known {
                    Some((since, key)) => {
                        let since = wording.times().full(since).words;
                        wording.say(key, &[("since", since.into())])?
                    }
                    None => wording.plain("not-measured")?,
                })
            }
            (_, Some(layer)) => Some(wording.layer(layer)?),
            (_, None) => None,
        };
        if let Some(reason) = reason {
            why = format!("{why}. {reason}");
        }
        let runs = |planned: &&Planned| planned.concerns(&instance.id) && planned.runs(snapshot.as_of);
        let running = snapshot.planned.iter().filter(runs).max_by_key(|planned| planned.to);
        let maintenance = instance.shown == Status::Maintenance;
        let until = running.filter(|_| maintenance).map(|planned| planned.to);
        if maintenance {
            why = format!("{why}. {}", wording.plain("maintenance")?);
        }
        if let Some(until) = until {
            why = format!("{why} {} {}", wording.plain("planned-to")?, wording.times().full(until).words);
        }
        let open = matches!(measured, Status::Operational | Status::Degraded);
        Ok(Self { open, measured, until, why })
    }

    fn answer(
        &self,
        instance: &InstanceView,
        as_json: bool,
        method: &Method,
        audience: Audience,
    ) -> Response<HttpBody> {
        let (kind, text) = if as_json {
            let value = json!({
                "open": self.open,
                "why": self.why,
                "api": instance.id.api,
                "environment": instance.id.environment,
                "status": self.measured.word(),
                "maintenance": instance.shown == Status::Maintenance,
                "until": self.until.map(rfc3339),
                "since": instance.since.map(rfc3339),
                "checked_at": instance.checked_at.map(rfc3339),
            });
            ("application/json", value.to_string())
        } else {
            ("text/plain; charset=utf-8", format!("{}\n", self.why))
        };
        let length = text.len();
        let body = if method == Method::HEAD { HttpBody::empty() } else { HttpBody::from(text) };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        // Nobody in between may keep a gate open.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if !self.open {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(AGAIN));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        open_to_all(response, audience)
    }
}
