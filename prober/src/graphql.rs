//! GraphQL: `errors` in an answer that is otherwise a good one (<https://spec.graphql.org/October2021/#sec-Response>).

use crate::{dialect::Complaint, scrub::scrubbed};
use domain::{FailureKind, Layer};
use serde_json::Value;

/// Steps of an error's path that are told.
const STEPS: usize = 8;

/// What is wrong with an answer, by its own words. An error's message is not told: it may quote what was found.
pub(crate) fn complaint(body: Option<&Value>) -> Option<Complaint> {
    let complains = |kind, words| Some(Complaint { layer: Layer::Contract, kind, words, decides: false });
    let body = body.and_then(Value::as_object);
    let Some(body) = body.filter(|body| body.contains_key("data") || body.contains_key("errors")) else {
        let words = "the answer is not GraphQL: it has neither 'data' nor 'errors'".to_owned();
        return complains(FailureKind::BadBody, words);
    };
    let errors = match body.get("errors") {
        None | Some(Value::Null) => return None,
        Some(Value::Array(errors)) if errors.is_empty() => return None,
        Some(Value::Array(errors)) => errors,
        Some(_) => {
            return complains(
                FailureKind::BadBody,
                "the answer is not GraphQL: 'errors' is no list".to_owned(),
            );
        }
    };
    let counted = if errors.len() == 1 { "an error".to_owned() } else { format!("{} errors", errors.len()) };
    let mut words = format!("GraphQL answers with {counted}");
    if let Some(first) = errors.first() {
        if let Some(path) = first.get("path").and_then(Value::as_array) {
            words.push_str(" at ");
            words.push_str(&scrubbed(&path_words(path)));
        }
        if let Some(code) = first.pointer("/extensions/code").and_then(Value::as_str) {
            words.push_str(": ");
            words.push_str(&scrubbed(code));
        }
    }
    complains(FailureKind::RequestRefused, words)
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
    fn errors_are_counted_and_the_first_is_told_by_path_and_code() {
        let check = |body: Value, expected: Option<(FailureKind, &str)>| {
            let complaint = complaint(Some(&body));
            assert_eq!(complaint.as_ref().map(|c| (c.kind, c.words.as_str())), expected, "{body}");
        };
        check(json!({"data": {"a": 1}}), None);
        check(json!({"data": {"a": 1}, "errors": []}), None);
        check(json!({"data": null, "errors": null}), None);
        check(
            json!({"data": null, "errors": [{"message": "Claf 9434765919", "path": ["patients", 0, "name"],
                "extensions": {"code": "INTERNAL_SERVER_ERROR"}}, {"message": "x"}]}),
            Some((
                FailureKind::RequestRefused,
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
}
