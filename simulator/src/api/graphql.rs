//! GraphQL at `/graphql`: one query, `clinics`. What goes wrong behind it is told in `errors` of an answer that is 200.

use super::Call;
use crate::answer::Answer;
use hyper::Method;
use serde_json::{Value, json};

pub(super) fn answer(call: &Call<'_>) -> Answer {
    if call.path != "/graphql" {
        return Answer::problem(404, "Not Found", "queries go to /graphql");
    }
    if call.method != Method::POST {
        return Answer::problem(405, "Method Not Allowed", "a query is posted").with("Allow", "POST");
    }
    let asked: Value = serde_json::from_slice(call.body).unwrap_or_default();
    let query = asked.get("query").and_then(Value::as_str).unwrap_or_default();
    if !query.contains("clinics") {
        return error(400, "GRAPHQL_VALIDATION_FAILED", "there is one query: clinics");
    }
    let clinics = [
        json!({"id": "c-301", "name": {"en": "Retinal screening", "cy": "Sgrinio'r retina"}}),
        json!({"id": "c-302", "name": {"en": "Physiotherapy", "cy": "Ffisiotherapi"}}),
    ];
    let first = asked.pointer("/variables/first").and_then(Value::as_u64);
    let first = first.and_then(|first| usize::try_from(first).ok());
    let clinics: Vec<_> = clinics.into_iter().take(first.unwrap_or(usize::MAX)).collect();
    Answer::json(200, &json!({"data": {"clinics": clinics}}))
}

/// An error as GraphQL words it: only what is wrong with the request has a status of its own.
pub(super) fn error(status: u16, code: &str, words: &str) -> Answer {
    let status = if status >= 500 { 200 } else { status };
    let code = code.to_uppercase();
    Answer::json(
        status,
        &json!({"data": null, "errors": [{"message": words, "path": ["clinics"], "extensions": {"code": code}}]}),
    )
}
