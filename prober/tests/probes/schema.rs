//! Answers held against what the API's own document promises.

use crate::{
    servers::{Server, answer},
    setting::{check, expect, failed, message, probe, request},
};
use domain::{Check, Contract, Dialect, FailureKind::*, Layer, Outcome, Promised, Statuses};
use std::sync::Arc;

/// The API promises a list of names for 200, an error for any 4xx, and no body for 204.
fn promised(check: &mut Check) {
    let json = |number| vec![("application/json".to_owned(), Some(number))];
    let answer = |status, bodies| Promised { status: Some(status), bodies };
    expect(check).contract = Some(Arc::new(Contract {
        request: "GET /ping".to_owned(),
        document: "openapi/results.json".to_owned(),
        answers: vec![
            answer(Statuses::One(200), json(0)),
            answer(Statuses::One(204), Vec::new()),
            answer(Statuses::Class(4), json(1)),
        ],
        schemas: vec![
            r#"{"type":"object","required":["entry"],"properties":{"entry":{"items":{"properties":{"id":{"type":"string"}}}}}}"#.into(),
            r#"{"required":["error"]}"#.into(),
        ],
    }));
}

async fn says(status: &str, media_type: &str, body: &str) -> Outcome {
    let head = if media_type.is_empty() { String::new() } else { format!("Content-Type: {media_type}\r\n") };
    let length = body.len();
    let server =
        Server::says(format!("HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\n\r\n{body}")).await;
    let mut check = check(&server.url());
    expect(&mut check).status = vec![Statuses::Class(2), Statuses::One(404)];
    promised(&mut check);
    probe(&check).await
}

const SAID: &str = "schema: expected GET /ping 200 of openapi/results.json, saw";

#[tokio::test]
async fn an_answer_keeps_what_the_document_promises() {
    for (status, media_type, body) in [
        ("200 OK", "application/json", r#"{"entry":[{"id":"a"},{}]}"#),
        ("200 OK", "Application/JSON; charset=utf-8", r#"{"entry":[]}"#),
        ("404 Not Found", "application/json", r#"{"error":1}"#),
        ("204 No Content", "", ""),
    ] {
        let outcome = says(status, media_type, body).await;
        assert_eq!(failed(&outcome), None, "{status} {body}: {}", message(&outcome));
        assert_eq!(outcome.expectations.iter().filter(|row| row.what == "schema").count(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_it_fails_with_a_pointer_and_without_a_value() {
    for (status, media_type, body, kind, said) in [
        (
            "200 OK",
            "application/json",
            r#"{"entry":[{"id":"a"},{"id":9434765919}]}"#,
            ExpectationFailed,
            format!("{SAID} /entry/1/id: should be a string"),
        ),
        ("200 OK", "application/json", "{}", ExpectationFailed, format!("{SAID} the whole: lacks \"entry\"")),
        ("200 OK", "application/json", "<html>Jones", BadBody, format!("{SAID} not JSON")),
        ("200 OK", "application/json", "", BadBody, format!("{SAID} an empty body")),
        (
            "200 OK",
            "text/html",
            r#"{"entry":[]}"#,
            ExpectationFailed,
            format!("{SAID} a Content-Type that it does not have"),
        ),
        ("200 OK", "", r#"{"entry":[]}"#, ExpectationFailed, format!("{SAID} no Content-Type")),
        (
            "404 Not Found",
            "application/json",
            "{}",
            ExpectationFailed,
            "schema: expected GET /ping 404 of openapi/results.json, saw the whole: lacks \"error\""
                .to_owned(),
        ),
        (
            "203 Non-Authoritative Information",
            "application/json",
            "{}",
            ExpectationFailed,
            "schema: expected GET /ping 203 of openapi/results.json, saw a status that it does not have"
                .to_owned(),
        ),
    ] {
        let outcome = says(status, media_type, body).await;
        assert_eq!(failed(&outcome), Some((Layer::Contract, kind)), "{status} {body}");
        assert_eq!(message(&outcome), said);
        assert!(!format!("{outcome:?}").contains("9434765919"));
    }
}

#[tokio::test]
async fn fhir_says_what_went_wrong_before_the_schema_does() {
    let body = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}"#;
    let server = Server::says(answer("200 OK", body)).await;
    let mut check = check(&server.url());
    request(&mut check).dialect = Dialect::Fhir;
    promised(&mut check);
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, ServerError)), "{}", message(&outcome));
}
