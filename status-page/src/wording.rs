//! Words for what a Snapshot holds, in one language: statuses, sentences, incidents, posts.

use crate::{
    IncidentView, InstanceView, Page, Snapshot, Span, Words, WordsError, bars,
    phrased::sentences,
    when::{Times, When},
    words::Args,
};
use domain::{
    Ahead, Cause, Environment, InstanceId, Kind, Language, Layer, PostSays, Status, TestCall, Text, Verdict,
};
use jiff::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// A status for a page: shape, word, colour, in that order of trust.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shape {
    /// Names the symbol and the class.
    pub(crate) letter: &'static str,
    /// The word that stands beside it.
    pub(crate) word: String,
}

/// A strip or bars, with what it shows in words.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bars {
    /// The marks.
    pub(crate) marks: String,
    /// Units wide.
    pub(crate) width: usize,
    /// The text equivalent.
    pub(crate) label: String,
    /// What one bar is.
    pub(crate) each: Option<String>,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Link {
    /// Where to.
    pub(crate) href: String,
    /// What it says.
    pub(crate) text: String,
}

/// One language's words about one Snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wording<'a> {
    /// All words.
    pub(crate) words: &'a Words,
    /// What is talked about.
    pub(crate) snapshot: &'a Snapshot,
    /// The language.
    pub(crate) language: Language,
}

impl<'a> Wording<'a> {
    pub(crate) fn say(&self, key: &str, args: &Args<'_>) -> Result<String, WordsError> {
        self.words.find(self.language, key, args)
    }

    pub(crate) fn plain(&self, key: &str) -> Result<String, WordsError> {
        self.say(key, &[])
    }

    pub(crate) fn text<'t>(&self, text: &'t Text) -> &'t str {
        text.get(self.language)
    }

    pub(crate) fn times(&self) -> Times<'a> {
        Times { language: self.language, zone: &self.snapshot.site.time_zone, now: self.snapshot.as_of }
    }

    pub(crate) fn short(&self, at: Timestamp) -> When {
        self.times().short(at)
    }

    pub(crate) fn href(&self, page: &Page) -> String {
        page.path(self.language)
    }

    pub(crate) fn shape(&self, status: Status) -> Result<Shape, WordsError> {
        Ok(Shape { letter: bars::letter(status), word: self.plain(status_key(status))? })
    }

    pub(crate) fn verdict(&self, verdict: Option<Verdict>) -> Result<Shape, WordsError> {
        let (status, key) = match verdict {
            Some(Verdict::Pass) => (Status::Operational, "verdict-pass"),
            Some(Verdict::Slow) => (Status::Degraded, "verdict-slow"),
            Some(Verdict::Fail) => (Status::MajorOutage, "verdict-fail"),
            Some(Verdict::Inconclusive) => (Status::Unknown, "verdict-inconclusive"),
            None => (Status::Unknown, "verdict-none"),
        };
        Ok(Shape { letter: bars::letter(status), word: self.plain(key)? })
    }

    pub(crate) fn environment(&self, environment: Environment) -> Result<String, WordsError> {
        self.plain(match environment {
            Environment::Sandbox => "environment-sandbox",
            Environment::Development => "environment-development",
            Environment::Sit => "environment-sit",
            Environment::Uat => "environment-uat",
            Environment::Production => "environment-production",
        })
    }

    pub(crate) fn kind(&self, kind: Kind) -> Result<String, WordsError> {
        self.plain(match kind {
            Kind::Rest => "kind-rest",
            Kind::FhirR4 => "kind-fhir",
            Kind::Soap => "kind-soap",
            Kind::Hl7 => "kind-hl7",
            Kind::Graphql => "kind-graphql",
        })
    }

    /// `in production`, with the preposition, because Welsh mutates after it.
    pub(crate) fn within(&self, environment: Environment) -> Result<String, WordsError> {
        self.plain(match environment {
            Environment::Sandbox => "in-sandbox",
            Environment::Development => "in-development",
            Environment::Sit => "in-sit",
            Environment::Uat => "in-uat",
            Environment::Production => "in-production",
        })
    }

    pub(crate) fn layer(&self, layer: Layer) -> Result<String, WordsError> {
        self.plain(match layer {
            Layer::Dns => "layer-dns",
            Layer::Connect => "layer-connect",
            Layer::Tls => "layer-tls",
            Layer::Token => "layer-token",
            Layer::Gateway => "layer-gateway",
            Layer::Backend => "layer-backend",
            Layer::Contract => "layer-contract",
            Layer::Ours => "layer-ours",
        })
    }

    /// Where it failed, after a colon: it is over.
    pub(crate) fn failed(&self, layer: Layer) -> Result<String, WordsError> {
        self.plain(match layer {
            Layer::Dns => "failed-dns",
            Layer::Connect => "failed-connect",
            Layer::Tls => "failed-tls",
            Layer::Token => "failed-token",
            Layer::Gateway => "failed-gateway",
            Layer::Backend => "failed-backend",
            Layer::Contract => "failed-contract",
            Layer::Ours => "failed-ours",
        })
    }

    /// The API's name; its id where it is not known any more.
    pub(crate) fn name<'n>(&'n self, id: &'n InstanceId) -> &'n str {
        self.snapshot.api(&id.api).map_or(id.api.as_str(), |view| self.text(&view.api.name))
    }

    /// `3 minutes`, `1 hour 5 minutes`, `2 days`: at most two units, cut.
    pub(crate) fn duration(&self, duration: Duration) -> Result<String, WordsError> {
        let minutes = duration.as_secs() / 60;
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let unit = |key: &str, n: u64| self.say(key, &[("count", count(n).into())]);
        let two = |big: &str, n: u64, small: &str, m: u64| -> Result<String, WordsError> {
            if m == 0 { unit(big, n) } else { Ok(format!("{} {}", unit(big, n)?, unit(small, m)?)) }
        };
        match minutes {
            0 => unit("seconds", duration.as_secs()),
            1..10 => two("minutes", minutes, "seconds", duration.as_secs() % 60),
            10..60 => unit("minutes", minutes),
            60..1440 => two("hours", minutes / 60, "minutes", minutes % 60),
            _ => two("days", minutes / 1440, "hours", minutes % 1440 / 60),
        }
    }

    /// `120 ms`, `1.4 s`: as measured, for tables.
    pub(crate) fn latency(duration: Duration) -> String {
        if duration < Duration::from_secs(1) {
            format!("{} ms", duration.as_millis())
        } else {
            format!("{:.1} s", duration.as_secs_f64())
        }
    }

    /// The 24 hours as a strip; all unknown while nothing was read from the store.
    pub(crate) fn strip(&self, instance: &InstanceView) -> Result<Bars, WordsError> {
        let unknown = [Span { worst: Status::Unknown, gap: false }; crate::HOURS];
        let hours = instance.past.as_ref().map_or(&unknown[..], |past| &past.hours);
        self.drawn(hours, "strip-label", "hours")
    }

    /// Bars with their text equivalent: how many spans of which status, the worst first.
    pub(crate) fn drawn(&self, spans: &[Span], label: &str, unit: &str) -> Result<Bars, WordsError> {
        let mut parts = Vec::new();
        for status in [
            Status::MajorOutage,
            Status::PartialOutage,
            Status::Degraded,
            Status::Maintenance,
            Status::Unknown,
            Status::Operational,
        ] {
            let count = spans.iter().filter(|span| span.worst == status).count();
            if count > 0 {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                let amount = self.say(unit, &[("count", count.into())])?;
                let word = self.plain(status_key(status))?;
                parts.push(format!("{word}: {amount}"));
            }
        }
        Ok(Bars {
            marks: bars::marks(spans),
            width: bars::width(spans.len()),
            label: self.say(label, &[("summary", parts.join("; ").into())])?,
            each: None,
        })
    }

    /// What an incident is called: what does not work, and where.
    pub(crate) fn incident_title(&self, view: &IncidentView) -> Result<String, WordsError> {
        let incident = &view.incident;
        let place = self.within(incident.environment)?;
        match &incident.cause {
            Cause::Token(_) => self.say("incident-token", &[("place", place.into())]),
            Cause::Burn(instance) => {
                let name = self.name(instance).into();
                self.say("incident-burn", &[("name", name), ("place", place.into())])
            }
            Cause::Alert(alerting) => {
                let name = self.name(&alerting.instance).into();
                let alert = alerting.name.as_str().into();
                self.say("incident-alert", &[("alert", alert), ("name", name), ("place", place.into())])
            }
            Cause::Certificate(_) => self.say("incident-certificate", &[("place", place.into())]),
            Cause::Gateway(_) => self.say("incident-gateway", &[("place", place.into())]),
            Cause::Refused(_) => self.say("incident-refused", &[("place", place.into())]),
            Cause::Storm(_) => self.say("incident-storm", &[("place", place.into())]),
            Cause::Blind(_) => self.say("incident-blind", &[("place", place.into())]),
            Cause::Test(TestCall::Asked(_) | TestCall::Daily { .. }) => self.plain("ack-test"),
            Cause::Test(TestCall::BeforeShift(_)) => self.plain("ack-test-shift"),
            Cause::Rota(rota) => self.say("incident-rota", &[("rota", rota.as_str().into())]),
            Cause::Behind(vantage) => self.say("incident-behind", &[("vantage", vantage.as_str().into())]),
            Cause::Ahead(Ahead::Certificate(_)) => self.plain("incident-certificate-ends"),
            Cause::Ahead(Ahead::OwnCertificate(_)) => self.plain("incident-own-certificate-ends"),
            Cause::Ahead(Ahead::OwnSecret(_)) => self.plain("incident-own-secret-ends"),
            Cause::Ahead(Ahead::Sunset(instance)) => {
                let name = self.name(instance).into();
                self.say("incident-sunset", &[("name", name), ("place", place.into())])
            }
            Cause::Ahead(Ahead::Rota(rota)) => {
                self.say("incident-rota-ahead", &[("rota", rota.as_str().into())])
            }
            Cause::Ahead(Ahead::DailyTest) => self.plain("incident-daily-test"),
            Cause::Ahead(Ahead::Clock) => self.plain("incident-clock"),
            Cause::Ahead(Ahead::BankHolidays) => self.plain("incident-bank-holidays-end"),
            Cause::Instance(own) => {
                let first = view.affects.first().unwrap_or(own);
                if incident.is_open() {
                    return self.trouble(first, self.standing(view));
                }
                let key = match incident.worst {
                    Status::MajorOutage => "was-major-outage",
                    Status::PartialOutage => "was-partial-outage",
                    Status::Degraded => "was-degraded",
                    Status::Operational | Status::Maintenance | Status::Unknown => "was-unknown",
                };
                self.say(key, &[("name", self.name(first).into()), ("place", place.into())])
            }
        }
    }

    /// How bad an incident is: while it is open and its instance is seen to be troubled, as it now is; else as it was at worst.
    pub(crate) fn standing(&self, view: &IncidentView) -> Status {
        let worst = view.incident.worst;
        let own = view.affects.first().filter(|_| view.incident.is_open());
        let now = own.and_then(|id| self.snapshot.instance(id)).map(|instance| instance.shown);
        now.filter(|now| now.is_trouble() && worst.is_trouble()).unwrap_or(worst)
    }

    /// What does not work, and where: `Results is not working in production`.
    pub(crate) fn trouble(&self, id: &InstanceId, worst: Status) -> Result<String, WordsError> {
        let key = match worst {
            Status::MajorOutage => "incident-major-outage",
            Status::PartialOutage => "incident-partial-outage",
            Status::Degraded => "incident-degraded",
            Status::Operational | Status::Maintenance | Status::Unknown => "incident-unknown",
        };
        let place = self.within(id.environment)?;
        self.say(key, &[("name", self.name(id).into()), ("place", place.into())])
    }

    /// A post in words: the rules' own posts are worded here, a person's are as written.
    pub(crate) fn post(&self, says: &PostSays) -> Result<String, WordsError> {
        let status = |status: Status| -> &'static str {
            match status {
                Status::MajorOutage => "major-outage",
                Status::PartialOutage => "partial-outage",
                Status::Degraded => "degraded",
                Status::Operational | Status::Maintenance | Status::Unknown => "unknown",
            }
        };
        match says {
            PostSays::Investigating { status: s, layer } => {
                let effect = self.plain(&format!("post-effect-{}", status(*s)))?;
                let known =
                    layer.filter(|_| *s != Status::Unknown).map(|layer| self.layer(layer)).transpose()?;
                let cause = known.map_or_else(String::new, |known| format!("{known}. "));
                let told = if status(*s) == "unknown" { "post-looking" } else { "post-told" };
                Ok(format!("{effect} {cause}{}", self.plain(told)?))
            }
            PostSays::Acknowledged => self.plain("post-acknowledged"),
            PostSays::Recovered => self.plain("post-recovered"),
            PostSays::Returned { status: s } => self.plain(&format!("post-returned-{}", status(*s))),
            PostSays::Resolved => self.plain("post-resolved"),
            PostSays::Words(text) => Ok(self.text(text).to_owned()),
            PostSays::Phrases(phrases) => sentences(self.words, phrases, &self.times()),
        }
    }
}

/// The key of a status's word.
pub(crate) const fn status_key(status: Status) -> &'static str {
    match status {
        Status::Operational => "status-operational",
        Status::Degraded => "status-degraded",
        Status::PartialOutage => "status-partial-outage",
        Status::MajorOutage => "status-major-outage",
        Status::Maintenance => "status-maintenance",
        Status::Unknown => "status-unknown",
    }
}
