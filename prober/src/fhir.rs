//! FHIR R4: what an `OperationOutcome` says went wrong, and whether a `CapabilityStatement` is one of R4.

use crate::{dialect::Complaint, scrub::scrubbed, xml::Xml};
use domain::{Expectation, FailureKind, Layer};
use serde_json::Value;

/// Issues that are looked at.
const ISSUES: usize = 32;

/// Entries of a `Bundle` that are looked at.
const ENTRIES: usize = 1_000;

/// The namespace of resources in XML.
const NAMESPACE: &str = "http://hl7.org/fhir";

/// An issue that counts.
struct Grave {
    fatal: bool,
    /// In lower case; empty where there is none.
    code: String,
    /// Of which entry of a `Bundle`, from 1.
    entry: Option<usize>,
}

/// What an answer says went wrong: an `OperationOutcome`, also one in an entry of a `Bundle`; or, where it `must_be` a
/// resource, that it is none. `None`: nothing did. Of an issue only `severity` and `code` are read: `details` and
/// `diagnostics` may be about a patient. Codes that R4 does not have are met, and taken.
pub(crate) fn complaint(
    json: Option<&Value>,
    xml: Option<&Result<Xml<'_>, String>>,
    must_be: bool,
) -> Option<Complaint> {
    let xml = xml.and_then(|xml| xml.as_ref().ok());
    let kind = json.and_then(|body| body.get("resourceType")).and_then(Value::as_str);
    let of_fhir = xml.and_then(Xml::root).is_some_and(|(namespace, _)| namespace == NAMESPACE);
    if kind.is_none() && !of_fhir {
        let words = "the answer is no FHIR: neither JSON with a resourceType nor XML of http://hl7.org/fhir";
        return must_be.then(|| malformed(words));
    }
    if must_be && says_nothing(json, xml) {
        return Some(malformed("the answer is an OperationOutcome without an issue"));
    }
    let issues = match (json, xml) {
        (Some(json), _) => in_json(json),
        (None, Some(xml)) => in_xml(xml),
        (None, None) => Vec::new(),
    };
    // The gravest, and of equally grave ones the first.
    let Grave { fatal, code, entry } = issues.into_iter().min_by_key(|issue| !issue.fatal)?;
    let (layer, kind, decides) = meaning(&code);
    let severity = if fatal { "fatal" } else { "error" };
    let code = if code.is_empty() { "without a code".to_owned() } else { scrubbed(&code) };
    let place = entry.map(|entry| format!(" in entry {entry}")).unwrap_or_default();
    Some(Complaint { layer, kind, words: format!("OperationOutcome{place}: {severity}, {code}"), decides })
}

fn malformed(words: &str) -> Complaint {
    let (layer, kind) = (Layer::Contract, FailureKind::BadBody);
    Complaint { layer, kind, words: words.to_owned(), decides: false }
}

/// Whether it is an `OperationOutcome` without any `issue`, which R4 knows none of: it stands in for a resource, and says
/// nothing.
fn says_nothing(json: Option<&Value>, xml: Option<&Xml<'_>>) -> bool {
    match (json, xml) {
        (Some(json), _) => {
            let is_one = json.get("resourceType").is_some_and(|kind| kind == "OperationOutcome");
            let issues = json.get("issue").and_then(Value::as_array);
            is_one && issues.is_none_or(Vec::is_empty)
        }
        (None, Some(xml)) => {
            let is_one = xml.root().is_some_and(|(_, name)| name == "OperationOutcome");
            is_one && xml.find(&[]).is_some_and(|root| xml.child(root, "issue").is_none())
        }
        (None, None) => false,
    }
}

fn grave(severity: &str, code: &str, entry: Option<usize>) -> Option<Grave> {
    let severity = severity.to_ascii_lowercase();
    let fatal = severity == "fatal";
    (fatal || severity == "error").then(|| Grave { fatal, code: code.to_ascii_lowercase(), entry })
}

fn in_json(body: &Value) -> Vec<Grave> {
    let of = |outcome: &Value, entry: Option<usize>| -> Vec<Grave> {
        let is_one = outcome.get("resourceType").is_some_and(|kind| kind == "OperationOutcome");
        let issues = outcome.get("issue").and_then(Value::as_array).filter(|_| is_one);
        let word = |issue: &Value, key: &str| {
            issue.get(key).and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
        };
        let issues = issues.map(Vec::as_slice).unwrap_or_default().iter().take(ISSUES);
        issues.filter_map(|issue| grave(&word(issue, "severity"), &word(issue, "code"), entry)).collect()
    };
    if body.get("resourceType").is_none_or(|kind| kind != "Bundle") {
        return of(body, None);
    }
    let entries = body.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let outcomes = entries.iter().take(ENTRIES).enumerate().flat_map(|(at, entry)| {
        let places = [entry.get("resource"), entry.pointer("/response/outcome")];
        places.into_iter().flatten().map(move |outcome| (outcome, at + 1))
    });
    outcomes.flat_map(|(outcome, entry)| of(outcome, Some(entry))).collect()
}

fn in_xml(xml: &Xml<'_>) -> Vec<Grave> {
    let Some(root) = xml.find(&[]) else { return Vec::new() };
    let of = |outcome, entry: Option<usize>| -> Vec<Grave> {
        let value = |issue, name: &str| {
            let child = xml.child(issue, name);
            child.and_then(|child| xml.attribute(child, "value")).unwrap_or_default()
        };
        let issues = xml.all(outcome, "issue").take(ISSUES);
        issues.filter_map(|issue| grave(value(issue, "severity"), value(issue, "code"), entry)).collect()
    };
    match xml.root().map(|(_, name)| name) {
        Some("OperationOutcome") => of(root, None),
        Some("Bundle") => {
            let within = |entry, name: &str| {
                xml.child(entry, name).and_then(|within| xml.child(within, "OperationOutcome"))
            };
            let entries = xml.all(root, "entry").take(ENTRIES).enumerate();
            entries
                .flat_map(|(at, entry)| {
                    let response = xml.child(entry, "response");
                    let answered = response.and_then(|response| within(response, "outcome"));
                    let outcomes = within(entry, "resource").into_iter().chain(answered);
                    outcomes.flat_map(|outcome| of(outcome, Some(at + 1))).collect::<Vec<_>>()
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Where and what it is (<http://hl7.org/fhir/R4/valueset-issue-type.html>), and whether whatever the status is.
fn meaning(code: &str) -> (Layer, FailureKind, bool) {
    match code {
        "throttled" | "too-many-requests" => (Layer::Gateway, FailureKind::RateLimited, true),
        "security" | "login" | "unknown" | "expired" | "forbidden" | "suppressed" => {
            (Layer::Gateway, FailureKind::AccessRefused, false)
        }
        "transient" | "lock-error" | "no-store" | "exception" | "timeout" | "incomplete" => {
            (Layer::Backend, FailureKind::ServerError, false)
        }
        _ => (Layer::Contract, FailureKind::RequestRefused, false),
    }
}

/// What is expected of the answer to `/metadata`.
pub(crate) fn capabilities(body: Option<&Value>) -> impl Iterator<Item = Expectation> {
    type Fits = fn(&str) -> bool;
    let all: [(&str, &str, Fits); 3] = [
        ("resourceType", "CapabilityStatement", |word| word == "CapabilityStatement"),
        ("status", "active or draft", |word| matches!(word, "active" | "draft")),
        ("fhirVersion", "4.0.x", |word| word.starts_with("4.0.")),
    ];
    all.into_iter().map(move |(key, expected, fits)| {
        let word = body.and_then(|body| body.get(key)).and_then(Value::as_str);
        let seen = match (body, word) {
            (None, _) => "not JSON".to_owned(),
            (Some(_), None) => "nothing".to_owned(),
            (Some(_), Some(word)) => scrubbed(word),
        };
        Expectation {
            what: format!("metadata {key}"),
            expected: expected.to_owned(),
            seen,
            ok: word.is_some_and(fits),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(issues: &Value, expected: Option<(Layer, FailureKind, &str)>) {
        let body = json!({"resourceType": "OperationOutcome", "issue": issues});
        let complaint = complaint(Some(&body), None, true);
        let seen = complaint.as_ref().map(|c| (c.layer, c.kind, c.words.as_str()));
        assert_eq!(seen, expected, "{issues}");
    }

    #[test]
    fn an_outcome_is_told_by_severity_and_code_alone() {
        let issue = |severity: &str, code: &str| {
            json!([{"severity": severity, "code": code, "diagnostics": "Claf 9434765919",
                "details": {"text": "Claf 9434765919"}}])
        };
        for (code, layer, kind) in [
            ("exception", Layer::Backend, FailureKind::ServerError),
            ("transient", Layer::Backend, FailureKind::ServerError),
            ("not-found", Layer::Contract, FailureKind::RequestRefused),
            ("a-new-one", Layer::Contract, FailureKind::RequestRefused),
            ("forbidden", Layer::Gateway, FailureKind::AccessRefused),
            ("throttled", Layer::Gateway, FailureKind::RateLimited),
            ("too-many-requests", Layer::Gateway, FailureKind::RateLimited),
        ] {
            let words = format!("OperationOutcome: error, {code}");
            check(&issue("error", code), Some((layer, kind, &words)));
        }
        check(
            &issue("FATAL", "Exception"),
            Some((Layer::Backend, FailureKind::ServerError, "OperationOutcome: fatal, exception")),
        );
        check(&issue("warning", "exception"), None);
        check(&issue("information", "informational"), None);
    }

    #[test]
    fn the_gravest_issue_counts_and_what_is_malformed_is_taken_leniently() {
        check(
            &json!([{"severity": "warning"}, {"severity": "error", "code": "value"}, {"severity": "fatal"}]),
            Some((Layer::Contract, FailureKind::RequestRefused, "OperationOutcome: fatal, without a code")),
        );
        for issues in [json!([17, null, "x"]), json!([{"severity": 3}])] {
            check(&issues, None);
        }
        for issues in [json!(null), json!([]), json!({})] {
            let words = "the answer is an OperationOutcome without an issue";
            check(&issues, Some((Layer::Contract, FailureKind::BadBody, words)));
            let body = json!({"resourceType": "OperationOutcome", "issue": issues});
            assert_eq!(complaint(Some(&body), None, false), None, "where a resource was not to be seen");
        }
        assert!(complaint(None, None, false).is_none());
        assert!(complaint(Some(&json!({"resourceType": "Patient"})), None, true).is_none());
        assert!(complaint(Some(&json!([])), None, false).is_none());
    }

    fn words(json: Option<&Value>, xml: &str) -> Option<(Layer, FailureKind, String)> {
        let complaint = complaint(json, Some(&Xml::parse(xml)), true)?;
        Some((complaint.layer, complaint.kind, complaint.words))
    }

    #[test]
    fn what_is_no_resource_is_no_fhir() {
        for (json, xml) in [
            (None, "<html><h1>Sign in</h1></html>"),
            (None, ""),
            (None, "<Patient xmlns='urn:other'/>"),
            (Some(json!({"status": "ok"})), ""),
            (Some(json!({"resourceType": 4})), ""),
            (Some(json!([])), ""),
        ] {
            let (layer, kind, words) = words(json.as_ref(), xml).expect("it is none");
            assert_eq!((layer, kind), (Layer::Contract, FailureKind::BadBody), "{json:?} {xml}");
            assert!(words.starts_with("the answer is no FHIR"), "{words}");
        }
        assert_eq!(words(None, "<Patient xmlns='http://hl7.org/fhir'/>"), None);
        assert_eq!(words(Some(&json!({"resourceType": "Bundle"})), ""), None);
    }

    #[test]
    fn an_outcome_in_an_entry_of_a_bundle_counts_and_one_in_xml() {
        let issue = |severity: &str, code: &str| json!([{"severity": severity, "code": code}]);
        let outcome = |severity: &str, code: &str| json!({"resourceType": "OperationOutcome", "issue": issue(severity, code)});
        let bundle = |entries: Value| json!({"resourceType": "Bundle", "entry": entries});
        let patient = json!({"resource": {"resourceType": "Patient", "issue": issue("error", "exception")}});
        let server_error = |words: &str| Some((Layer::Backend, FailureKind::ServerError, words.to_owned()));
        let found = bundle(json!([patient, {"resource": outcome("error", "exception")}]));
        assert_eq!(words(Some(&found), ""), server_error("OperationOutcome in entry 2: error, exception"));
        let answered =
            bundle(json!([{"response": {"status": "500", "outcome": outcome("fatal", "exception")}}]));
        assert_eq!(words(Some(&answered), ""), server_error("OperationOutcome in entry 1: fatal, exception"));
        assert_eq!(
            words(Some(&bundle(json!([patient, {"resource": outcome("warning", "exception")}]))), ""),
            None
        );

        let issue = |severity: &str| {
            format!(
                "<issue><severity value='{severity}'/><code value='exception'/><diagnostics value='Claf'/></issue>"
            )
        };
        let outcome = |severity: &str| {
            format!(
                "<OperationOutcome xmlns='http://hl7.org/fhir'>{}{}</OperationOutcome>",
                issue("warning"),
                issue(severity)
            )
        };
        assert_eq!(words(None, &outcome("error")), server_error("OperationOutcome: error, exception"));
        assert_eq!(words(None, &outcome("information")), None);
        let (layer, kind, _) = words(None, "<OperationOutcome xmlns='http://hl7.org/fhir'/>").unwrap();
        assert_eq!((layer, kind), (Layer::Contract, FailureKind::BadBody));
        let bundle = |entry: &str| {
            format!("<Bundle xmlns='http://hl7.org/fhir'><entry/><entry>{entry}</entry></Bundle>")
        };
        let said = server_error("OperationOutcome in entry 2: error, exception");
        assert_eq!(words(None, &bundle(&format!("<resource>{}</resource>", outcome("error")))), said);
        let answered = format!("<response><outcome>{}</outcome></response>", outcome("error"));
        assert_eq!(words(None, &bundle(&answered)), said);
    }

    #[test]
    fn a_capability_statement_is_one_of_r4() {
        let ok = |body: Value| capabilities(Some(&body)).map(|e| e.ok).collect::<Vec<_>>();
        let good = json!({"resourceType": "CapabilityStatement", "status": "active", "fhirVersion": "4.0.1"});
        assert_eq!(ok(good), [true; 3]);
        let other = json!({"resourceType": "Conformance", "status": "retired", "fhirVersion": "3.0.2"});
        assert_eq!(ok(other), [false; 3]);
        assert_eq!(ok(json!({"resourceType": 4})), [false; 3]);
        assert!(capabilities(None).all(|e| e.seen == "not JSON"));
    }
}
