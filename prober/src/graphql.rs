//! GraphQL: `errors` in an answer that is otherwise a good one (<https://spec.graphql.org/October2021/#sec-Response>).

use crate::{dialect::Complaint, scrub::scrubbed};
use domain::{FailureKind, Layer};
use serde_json::Value;

/// Steps of an error's path that are told.
const STEPS: usize = 8;

/// Errors that are looked at.
const ERRORS: usize = 32;

/// What is wrong with an answer, by its own words. An error's message is not told: it may quote what was found.
pub(crate) fn complaint(body: Option<&Value>) -> Option<Complaint> {
    let broken =
        |words| Some(Complaint { layer: Layer::Contract, kind: FailureKind::BadBody, words, decides: false });
    let body = body.and_then(Value::as_object);
    let Some(body) = body.filter(|body| body.contains_key("data") || body.contains_key("errors")) else {
        let words = "the answer is not GraphQL: it has neither 'data' nor 'errors'".to_owned();
        return broken(words);
    };
    let errors = match body.get("errors") {
        None | Some(Value::Null) => return without_errors(body.get("data")),
        Some(Value::Array(errors)) if errors.is_empty() => return without_errors(body.get("data")),
        Some(Value::Array(errors)) => errors,
        Some(_) => {
            return broken("the answer is not GraphQL: 'errors' is no list".to_owned());
        }
    };
    let counted = if errors.len() == 1 { "an error".to_owned() } else { format!("{} errors", errors.len()) };
    let mut words = format!("GraphQL answers with {counted}");
    // One field may be refused where another breaks. Backwards: of those as grave, `max_by_key` takes the last.
    let gravest = errors.iter().take(ERRORS).rev().max_by_key(|error| gravity(&meaning(code(error))));
    let gravest = gravest.unwrap_or(&Value::Null);
    if let Some(path) = gravest.get("path").and_then(Value::as_array) {
        words.push_str(" at ");
        words.push_str(&scrubbed(&path_words(path)));
    }
    if !code(gravest).is_empty() {
        words.push_str(": ");
        words.push_str(&scrubbed(code(gravest)));
    }
    let (layer, kind, decides) = meaning(code(gravest));
    Some(Complaint { layer, kind, words, decides })
}

/// `data` is nothing only where errors say why.
fn without_errors(data: Option<&Value>) -> Option<Complaint> {
    data.is_none_or(Value::is_null).then(|| Complaint {
        layer: Layer::Contract,
        kind: FailureKind::BadBody,
        words: "the answer is not GraphQL: no 'data', and no errors that say why".to_owned(),
        decides: false,
    })
}

/// Where its code is; graphql-java and Spring call it otherwise.
const CODES: [&str; 2] = ["/extensions/code", "/extensions/classification"];

fn code(error: &Value) -> &str {
    CODES.iter().find_map(|at| error.pointer(at).and_then(Value::as_str)).unwrap_or_default()
}

/// What is broken at the service is graver than what is so of our request, and that than a request that was not let in.
const fn gravity((layer, kind, _): &(Layer, FailureKind, bool)) -> u8 {
    match (layer, kind) {
        (Layer::Backend, _) => 3,
        (Layer::Contract, _) => 2,
        (_, FailureKind::RateLimited) => 1,
        _ => 0,
    }
}

/// Where and what it is, and whether whatever the status is. The specification names no codes; these are those of Apollo
/// (<https://www.apollographql.com/docs/apollo-server/data/errors>), Hot Chocolate, graphql-java and their gateways.
fn meaning(code: &str) -> (Layer, FailureKind, bool) {
    match code.to_ascii_uppercase().as_str() {
        "UNAUTHENTICATED"
        | "UNAUTHORIZED"
        | "FORBIDDEN"
        | "AUTH_NOT_AUTHENTICATED"
        | "AUTH_NOT_AUTHORIZED" => (Layer::Gateway, FailureKind::AccessRefused, false),
        "RATE_LIMITED" | "TOO_MANY_REQUESTS" | "THROTTLED" => {
            (Layer::Gateway, FailureKind::RateLimited, true)
        }
        "INTERNAL_SERVER_ERROR"
        | "INTERNAL_ERROR"
        | "DOWNSTREAM_SERVICE_ERROR"
        | "SERVICE_UNAVAILABLE"
        | "TIMEOUT" => (Layer::Backend, FailureKind::ServerError, false),
        _ => (Layer::Contract, FailureKind::RequestRefused, false),
    }
}

/// `patients.0.name`: names of fields and places in lists.
fn path_words(path: &[Value]) -> String {
    let step = |step: &Value| match step {
        Value::String(name) => name.clone(),
        Value::Number(place) => place.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => "?".to_owned(),
    };
    path.iter().take(STEPS).map(step).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_are_counted_and_the_gravest_is_told_by_path_and_code() {
        let check = |body: Value, expected: Option<(FailureKind, &str)>| {
            let complaint = complaint(Some(&body));
            assert_eq!(complaint.as_ref().map(|c| (c.kind, c.words.as_str())), expected, "{body}");
        };
        check(json!({"data": {"a": 1}}), None);
        check(json!({"data": {"a": 1}, "errors": []}), None);
        let nothing = "the answer is not GraphQL: no 'data', and no errors that say why";
        for body in [json!({"data": null}), json!({"data": null, "errors": null}), json!({"errors": []})] {
            check(body, Some((FailureKind::BadBody, nothing)));
        }
        check(
            json!({"data": null, "errors": [{"message": "Claf 9434765919", "path": ["patients", 0, "name"],
                "extensions": {"code": "INTERNAL_SERVER_ERROR"}}, {"message": "x"}]}),
            Some((
                FailureKind::ServerError,
                "GraphQL answers with 2 errors at patients.0.name: INTERNAL_SERVER_ERROR",
            )),
        );
        check(
            json!({"errors": [{"message": "secret"}]}),
            Some((FailureKind::RequestRefused, "GraphQL answers with an error")),
        );
        check(
            json!({"errors": "secret"}),
            Some((FailureKind::BadBody, "the answer is not GraphQL: 'errors' is no list")),
        );
        for other in [json!({}), json!([]), json!("x"), json!({"status": "UP"})] {
            let words = "the answer is not GraphQL: it has neither 'data' nor 'errors'";
            check(other, Some((FailureKind::BadBody, words)));
        }
    }

    #[test]
    fn the_code_of_an_error_says_where_it_is() {
        for (code, layer, kind) in [
            ("UNAUTHENTICATED", Layer::Gateway, FailureKind::AccessRefused),
            ("FORBIDDEN", Layer::Gateway, FailureKind::AccessRefused),
            ("UNAUTHORIZED", Layer::Gateway, FailureKind::AccessRefused),
            ("AUTH_NOT_AUTHORIZED", Layer::Gateway, FailureKind::AccessRefused),
            ("INTERNAL_SERVER_ERROR", Layer::Backend, FailureKind::ServerError),
            ("DOWNSTREAM_SERVICE_ERROR", Layer::Backend, FailureKind::ServerError),
            ("timeout", Layer::Backend, FailureKind::ServerError),
            ("THROTTLED", Layer::Gateway, FailureKind::RateLimited),
            ("BAD_USER_INPUT", Layer::Contract, FailureKind::RequestRefused),
            ("GRAPHQL_VALIDATION_FAILED", Layer::Contract, FailureKind::RequestRefused),
        ] {
            for key in ["code", "classification"] {
                let body = json!({"errors": [{"message": "x", "extensions": {key: code}}]});
                let complaint = complaint(Some(&body)).unwrap();
                assert_eq!((complaint.layer, complaint.kind), (layer, kind), "{key} {code}");
                assert!(complaint.words.ends_with(code), "{}", complaint.words);
            }
        }
    }

    #[test]
    fn the_gravest_error_decides_and_of_those_as_grave_the_first() {
        use FailureKind::{AccessRefused, RateLimited, RequestRefused, ServerError};
        let check = |codes: &[&str], kind: FailureKind, told: usize| {
            let of = |(at, code)| json!({"path": [at], "extensions": {"code": code}});
            let errors: Vec<Value> = codes.iter().enumerate().map(of).collect();
            let complaint = complaint(Some(&json!({"errors": errors}))).unwrap();
            assert_eq!(complaint.kind, kind, "{codes:?}");
            let words = format!("GraphQL answers with {} errors at {told}: {}", codes.len(), codes[told]);
            assert_eq!(complaint.words, words);
        };
        check(&["FORBIDDEN", "INTERNAL_SERVER_ERROR"], ServerError, 1);
        check(&["THROTTLED", "BAD_USER_INPUT", "TIMEOUT", "INTERNAL_ERROR"], ServerError, 2);
        check(&["FORBIDDEN", "THROTTLED", "SOMETHING_ELSE"], RequestRefused, 2);
        check(&["FORBIDDEN", "THROTTLED"], RateLimited, 1);
        check(&["FORBIDDEN", "UNAUTHENTICATED"], AccessRefused, 0);
        let beyond = [vec!["FORBIDDEN"; ERRORS], vec!["TIMEOUT"]].concat();
        check(&beyond, AccessRefused, 0);
    }
}
