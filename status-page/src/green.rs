//! What “Working” means for an instance, made from the operations that run: in short, then one by one.

use crate::{InstanceView, OperationView, WordsError, wording::Wording};
use domain::{Check, Dialect, Expect, Heartbeat, Request, Rhythm};
use serde::Serialize;

/// What green means for an instance.
#[derive(Debug, Serialize)]
pub(crate) struct Green {
    /// In a sentence.
    short: String,
    /// What may fail all the same.
    not: String,
    /// One sentence an operation.
    each: Vec<String>,
}

/// What kind of thing an operation proves, from the outside in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Proves {
    Name,
    Connection,
    Gateway,
    Health,
    Capabilities,
    Message,
    Request,
    Journey,
    Job,
}

impl Proves {
    fn of(request: &Request) -> Self {
        match request {
            Request::Dns(_) => Self::Name,
            Request::Tcp(_) => Self::Connection,
            // The gateway answers `_ping` itself; whatever dialect it is read as, nothing behind is asked.
            Request::Http(http)
                if http.path.split('?').next().is_some_and(|path| path.ends_with("/_ping")) =>
            {
                Self::Gateway
            }
            Request::Http(http) => match http.dialect {
                Dialect::Health => Self::Health,
                Dialect::Capabilities => Self::Capabilities,
                Dialect::Plain | Dialect::Fhir | Dialect::Soap | Dialect::Graphql => Self::Request,
            },
            Request::Mllp(_) => Self::Message,
            Request::Journey(_) => Self::Journey,
            Request::Heartbeat(_) => Self::Job,
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Name => "green-that-name",
            Self::Connection => "green-that-connection",
            Self::Gateway => "green-that-gateway",
            Self::Health => "green-that-health",
            Self::Capabilities => "green-that-capabilities",
            Self::Message => "green-that-message",
            Self::Request => "green-that-request",
            Self::Journey => "green-that-journey",
            Self::Job => "green-that-job",
        }
    }

    /// Something that users of the API do is done.
    const fn uses_it(self) -> bool {
        matches!(self, Self::Message | Self::Request | Self::Journey)
    }
}

/// What green means for `instance`.
pub(crate) fn green(wording: &Wording<'_>, instance: &InstanceView) -> Result<Green, WordsError> {
    let mut proves: Vec<Proves> =
        instance.operations.iter().map(|view| Proves::of(&view.check.operation.request)).collect();
    proves.sort_unstable();
    proves.dedup();
    let parts: Vec<String> = proves.iter().map(|what| wording.plain(what.key())).collect::<Result<_, _>>()?;
    Ok(Green {
        short: if parts.is_empty() {
            wording.plain("green-nothing")?
        } else {
            wording.say("green-short", &[("what", parts.join("; ").into())])?
        },
        not: if proves.iter().any(|what| what.uses_it()) {
            wording.plain("green-only-that")?
        } else {
            let place = wording.within(instance.id.environment)?;
            wording.say("green-no-records", &[("place", place.into())])?
        },
        each: instance.operations.iter().map(|view| one(wording, view)).collect::<Result<_, _>>()?,
    })
}

/// One sentence on what an operation checks, and when that is good.
fn one(wording: &Wording<'_>, operation: &OperationView) -> Result<String, WordsError> {
    let check: &Check = &operation.check;
    let what = &check.operation;
    if let Request::Heartbeat(heartbeat) = &what.request {
        return green_when_heard(wording, operation, heartbeat);
    }
    let mut expects = Vec::new();
    let own = match &what.request {
        Request::Http(request) => match request.dialect {
            Dialect::Plain => None,
            Dialect::Health => Some("green-health"),
            Dialect::Fhir => Some("green-fhir"),
            Dialect::Capabilities => Some("green-capabilities"),
            Dialect::Soap => Some("green-soap"),
            Dialect::Graphql => Some("green-graphql"),
        },
        Request::Tcp(request) if request.receive.is_empty() => Some("green-tcp"),
        Request::Tcp(_) => Some("green-tcp-answer"),
        Request::Dns(request) if request.answers.is_empty() => Some("green-dns"),
        Request::Dns(_) => Some("green-dns-answers"),
        Request::Mllp(_) => Some("green-mllp"),
        Request::Journey(_) | Request::Heartbeat(_) => None,
    };
    if let Request::Journey(journey) = &what.request {
        let count = i64::try_from(journey.steps.len()).unwrap_or(i64::MAX);
        expects.push(wording.say("green-journey", &[("count", count.into())])?);
    }
    if let Some(own) = own {
        expects.push(wording.plain(own)?);
    }
    let over_http = what.request.http().is_some();
    if over_http && what.expect.status.is_empty() {
        expects.push(wording.plain("green-status-any")?);
    } else if over_http {
        let codes: Vec<String> = what.expect.status.iter().map(ToString::to_string).collect();
        expects.push(wording.say("green-status", &[("codes", codes.join(", ").into())])?);
    }
    let Expect { headers, json, xpath, text, size, latency, contract, .. } = &*what.expect;
    let parts = headers.len()
        + json.len()
        + xpath.len()
        + text.len()
        + usize::from(size.is_some())
        + usize::from(latency.is_some())
        + usize::from(contract.is_some());
    if parts > 0 {
        let count = i64::try_from(parts).unwrap_or(i64::MAX);
        expects.push(wording.say("green-contents", &[("count", count.into())])?);
    }
    if let Some(days) = what.expect.certificate_days {
        let days = wording.say("days", &[("count", i64::from(days).into())])?;
        expects.push(wording.say("green-certificate", &[("days", days.into())])?);
    }
    wording.say(
        if operation.critical { "green-critical" } else { "green-other" },
        &[
            ("name", check.id.operation.as_str().into()),
            ("every", wording.duration(check.every)?.into()),
            ("slow", Wording::latency(check.slow).into()),
            ("expects", expects.join("; ").into()),
        ],
    )
}

/// The same of a job.
fn green_when_heard(
    wording: &Wording<'_>,
    operation: &OperationView,
    heartbeat: &Heartbeat,
) -> Result<String, WordsError> {
    let when = match &heartbeat.rhythm {
        Rhythm::Every(every) => wording.say("job-every", &[("every", wording.duration(*every)?.into())])?,
        Rhythm::At(cron, _) => wording.say("job-at", &[("cron", cron.to_string().into())])?,
    };
    wording.say(
        if operation.critical { "green-job-critical" } else { "green-job" },
        &[
            ("name", operation.check.id.operation.as_str().into()),
            ("when", when.into()),
            ("grace", wording.duration(heartbeat.grace)?.into()),
        ],
    )
}
