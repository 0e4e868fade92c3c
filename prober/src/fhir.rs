//! FHIR R4: what an `OperationOutcome` says went wrong, and whether a `CapabilityStatement` is one of R4.

use crate::{dialect::Complaint, scrub::scrubbed};
use domain::{Expectation, FailureKind, Layer};
use serde_json::Value;

/// Issues that are looked at.
const ISSUES: usize = 32;

/// What an `OperationOutcome` says went wrong; `None`: the body is none, or nothing did. Of an issue only `severity` and
/// `code` are read: `details` and `diagnostics` may be about a patient. Codes that R4 does not have are met, and taken.
pub(crate) fn complaint(body: Option<&Value>) -> Option<Complaint> {
    let body = body.filter(|body| body.get("resourceType").is_some_and(|kind| kind == "OperationOutcome"))?;
    let word = |issue: &Value, key: &str| {
        issue.get(key).and_then(Value::as_str).map(str::to_ascii_lowercase).unwrap_or_default()
    };
    let issues = body.get("issue").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let grave = issues.iter().take(ISSUES).filter_map(|issue| match word(issue, "severity").as_str() {
        severity @ ("fatal" | "error") => Some((severity == "fatal", word(issue, "code"))),
        _ => None,
    });
    // The gravest, and of equally grave ones the first.
    let (fatal, code) = grave.min_by_key(|(fatal, _)| !fatal)?;
    let (layer, kind, decides) = meaning(&code);
    let severity = if fatal { "fatal" } else { "error" };
    let code = if code.is_empty() { "without a code".to_owned() } else { scrubbed(&code) };
    Some(Complaint { layer, kind, words: format!("OperationOutcome: {severity}, {code}"), decides })
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
        let complaint = complaint(Some(&body));
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
        for issues in [json!(null), json!([]), json!({}), json!([17, null, "x"]), json!([{"severity": 3}])] {
            check(&issues, None);
        }
        assert!(complaint(None).is_none());
        assert!(complaint(Some(&json!({"resourceType": "Patient"}))).is_none());
        assert!(complaint(Some(&json!([]))).is_none());
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
