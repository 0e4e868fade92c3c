//! Reading an answer: pure, from what came over the wire to what it means.

use crate::{dialect, expectation::Expectations, fault, fhir, health, multipart, xml};
use domain::{Certificate, Dialect, Expectation, Failure, FailureKind, HealthWords, Layer, Says};
use hyper::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// What a message that asks for no answer is answered with.
const ACCEPTED: u16 = 202;

/// What came over the wire.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) headers: &'a HeaderMap,
    /// As far as it came, and was kept.
    pub(crate) body: &'a [u8],
    /// Bytes of the body, unpacked; also where it was not kept.
    pub(crate) size: u64,
    /// What all phases took.
    pub(crate) took: Duration,
    /// Why the body is not whole.
    pub(crate) broke_off: Option<Failure>,
    pub(crate) certificate: Option<&'a Certificate>,
    /// Whether something was asked for that it must hold: a body.
    pub(crate) asked: bool,
}

/// What it means.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) failure: Option<Failure>,
    pub(crate) expectations: Vec<Expectation>,
    pub(crate) health: Option<HealthWords>,
}

impl Reading {
    fn fails(&mut self, layer: Layer, kind: FailureKind, message: impl Into<String>) {
        // The first failure is the one that is told; later ones follow from it as often as not.
        self.failure.get_or_insert_with(|| Failure { layer, kind, message: message.into() });
    }

    fn expect(&mut self, expectation: Expectation, kind: FailureKind) {
        if !expectation.ok {
            self.fails(Layer::Contract, kind, unmet(&expectation));
        }
        self.expectations.push(expectation);
    }
}

/// An expectation that did not hold, in a sentence.
pub(crate) fn unmet(Expectation { what, expected, seen, .. }: &Expectation) -> String {
    format!("{what}: expected {expected}, saw {seen}")
}

/// Reads an answer in its dialect: by its health words before anything else, or by what its protocol says went wrong.
pub(crate) fn read(expected: &Expectations, dialect: Dialect, answer: Answer<'_>, now: Timestamp) -> Reading {
    let mut reading = Reading::default();
    let judged_by_health = dialect == Dialect::Health;
    let wants_json = is_json(dialect) || expected.look_at_json();
    let json: Result<Value, &'static str> =
        if wants_json { parsed(answer.body) } else { Err("not looked at") };
    let maybe_xml = matches!(dialect, Dialect::Fhir | Dialect::Capabilities) && json.is_err();
    let wants_xml = dialect == Dialect::Soap || expected.look_at_xml() || maybe_xml;
    let text = wants_xml.then(|| xml::text(multipart::document(answer.headers, answer.body)));
    let xml = text.as_ref().map(|text| xml::Xml::parse(text));
    // What is not whole says nothing in its protocol, and neither does the answer to a message that asks for none.
    let whole = answer.broke_off.is_none() && !is_taken(dialect, &answer);
    let said = json.as_ref().ok();
    let complaint = whole
        .then(|| dialect::complaint(dialect, said, xml.as_ref(), must_be_fhir(expected, &answer)))
        .flatten()
        .filter(|complaint| !expected.accepts(answer.status) || complaint.stands(dialect, answer.status));
    if judged_by_health {
        reading.health = json.as_ref().map_or_else(|_| health::health_words(answer.body), health::of_json);
    }

    // The status counts, unless the API itself has spoken in the body.
    let mut status = expected.of_status(answer.status);
    // A 4xx is about our request, not about the API's health: `{"status": "fail"}` is what JSend puts into each of them.
    let speaks = reading.health.is_some() && (status.ok || (500..600).contains(&answer.status));
    if !status.ok && speaks && reading.health.as_ref().is_some_and(|words| words.says != Says::Fail) {
        status.ok = true;
        let degraded = reading.health.as_ref().is_some_and(|words| words.says == Says::Warn);
        let how = if degraded { "only degraded" } else { "well" };
        status.seen = format!("{}, but the body says that it is {how}", answer.status);
    }
    if !status.ok && !speaks {
        reading.failure = Some(match &complaint {
            Some(complaint) => complaint.clone().beside(answer.status, answer.body),
            None => fault::of_answer(answer.status, answer.body),
        });
    }
    reading.expectations.push(status);

    // Then whether the answer is whole.
    if let Some(broke_off) = answer.broke_off {
        reading.failure.get_or_insert(broke_off);
        return reading;
    }
    if reading.failure.is_some() {
        return reading;
    }

    // Then what its protocol says.
    if let Some(complaint) = complaint {
        reading.failure = Some(complaint.alone(answer.status));
    }

    // Then what the API says of itself.
    if judged_by_health {
        let failing = |words: &HealthWords| match words.failing.as_slice() {
            [] => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        match reading.health.clone() {
            Some(words) if words.says == Says::Fail => {
                let but = if expected.accepts(answer.status) { ", but" } else { ":" };
                let message =
                    format!("status {}{but} the API says that it is down{}", answer.status, failing(&words));
                reading.fails(Layer::Backend, FailureKind::HealthFail, message);
            }
            Some(words) if words.says == Says::Warn => {
                let message = format!("the API says that it is degraded{}", failing(&words));
                reading.fails(Layer::Backend, FailureKind::HealthWarn, message);
            }
            Some(_) => {}
            None => {
                let why = json.as_ref().err().map_or("no words of health", |why| *why);
                let message = format!(
                    "status {}: the body ({} bytes) says nothing about health that can be read: {why}",
                    answer.status,
                    answer.body.len()
                );
                reading.fails(Layer::Contract, FailureKind::BadBody, message);
            }
        }
    }

    // Then what was agreed.
    for expectation in expected.of_headers(answer.headers) {
        reading.expect(expectation, FailureKind::ExpectationFailed);
    }
    let no_json = if json.is_err() { FailureKind::BadBody } else { FailureKind::ExpectationFailed };
    if dialect == Dialect::Capabilities && matches!(answer.status, 200..=299) {
        for expectation in fhir::capabilities(json.as_ref().ok()) {
            reading.expect(expectation, no_json);
        }
    }
    let body = json.as_ref().map_err(|why| *why);
    let promised = expected.of_contract(answer.status, answer.headers, body);
    for expectation in expected.of_json(body).chain(promised) {
        reading.expect(expectation, no_json);
    }
    for expectation in expected.of_xpath(xml.as_ref()) {
        reading.expect(expectation, FailureKind::ExpectationFailed);
    }
    for expectation in expected.of_text(&String::from_utf8_lossy(answer.body)) {
        reading.expect(expectation, FailureKind::ExpectationFailed);
    }
    for expectation in expected.of_size(answer.size).into_iter().chain(expected.of_latency(answer.took)) {
        reading.expect(expectation, FailureKind::ExpectationFailed);
    }
    if let Some(days) = expected.certificate_days {
        reading.expect(certificate_days(days, answer.certificate, now), FailureKind::CertificateEndsSoon);
    }
    reading
}

/// Whether a one-way message of SOAP was taken (WS-I Basic Profile 1.1, R2714).
const fn is_taken(dialect: Dialect, answer: &Answer<'_>) -> bool {
    matches!(dialect, Dialect::Soap) && answer.status == ACCEPTED && answer.body.is_empty()
}

/// Whether what is spoken is JSON.
const fn is_json(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Health | Dialect::Fhir | Dialect::Capabilities | Dialect::Graphql => true,
        Dialect::Plain | Dialect::Soap => false,
    }
}

/// Whether a good answer of FHIR must be a resource. Whoever says what the body is like is believed: a file, a page, a status
/// of its own.
fn must_be_fhir(expected: &Expectations, answer: &Answer<'_>) -> bool {
    matches!(answer.status, 200..=299)
        && (answer.asked || !answer.body.is_empty())
        && !expected.look_into_body()
        && !expected.names_another_type()
}

/// The body as JSON, or why it is none. At most 127 levels deep: `serde_json` goes no deeper. Some write a byte order mark in
/// front, which whoever reads may ignore (RFC 8259 §8.1).
pub(crate) fn parsed(body: &[u8]) -> Result<Value, &'static str> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    serde_json::from_slice(body).map_err(|error| {
        if body.iter().all(u8::is_ascii_whitespace) {
            "an empty body"
        } else if std::str::from_utf8(body).is_err() {
            "not UTF-8, so not JSON"
        } else if error.to_string().starts_with("recursion limit exceeded") {
            "JSON nested deeper than 127 levels"
        } else if error.is_eof() {
            "JSON that ends too early"
        } else {
            "not JSON"
        }
    })
}

/// Whether the certificate is good for so many days more.
pub(crate) fn certificate_days(days: u32, certificate: Option<&Certificate>, now: Timestamp) -> Expectation {
    let left = certificate.map(|certificate| certificate.not_after.as_second() - now.as_second());
    Expectation {
        what: "certificate".to_owned(),
        expected: format!("at least {} left", in_days(days.into())),
        seen: left.map_or_else(
            || "no certificate".to_owned(),
            |left| match left {
                ..=0 => format!("over for {}", whole_days(-left)),
                _ => format!("{} left", whole_days(left)),
            },
        ),
        ok: left.is_some_and(|left| left >= i64::from(days) * DAY),
    }
}

fn whole_days(seconds: i64) -> String {
    if seconds < DAY { "less than a day".to_owned() } else { in_days(seconds / DAY) }
}

fn in_days(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

#[cfg(test)]
mod tests;
