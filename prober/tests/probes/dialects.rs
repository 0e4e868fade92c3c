//! HTTP whose answers are read in a protocol of their own: FHIR, SOAP, GraphQL; and XML.

use crate::{
    servers::{Server, answer, ok},
    setting::{check, expect, failed, message, probe, request},
};
use domain::{Dialect, FailureKind::*, Layer, Matches, Method, Outcome};
use std::time::Duration;

async fn over_http(dialect: Dialect, status: &str, body: &str) -> Outcome {
    let server = Server::says(answer(status, body)).await;
    let mut check = check(&server.url());
    request(&mut check).dialect = dialect;
    request(&mut check).method = Method::Post;
    probe(&check).await
}

#[tokio::test]
async fn fhir_says_what_went_wrong_in_an_operation_outcome() {
    let outcome = |severity: &str, code: &str| {
        format!(
            r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"{severity}","code":"{code}","diagnostics":"Claf 9434765919"}}]}}"#
        )
    };
    for (status, body, expected, told) in [
        ("200 OK", r#"{"resourceType":"Patient"}"#.to_owned(), None, ""),
        ("200 OK", outcome("information", "informational"), None, ""),
        (
            "200 OK",
            outcome("error", "exception"),
            Some((Layer::Backend, ServerError)),
            "status 200: OperationOutcome: error, exception",
        ),
        (
            "404 Not Found",
            outcome("error", "not-found"),
            Some((Layer::Contract, UnexpectedStatus)),
            "status 404: not a status that was expected; OperationOutcome: error, not-found",
        ),
        (
            "500 Internal Server Error",
            outcome("fatal", "exception"),
            Some((Layer::Backend, ServerError)),
            "status 500: the service answers with a server error; OperationOutcome: fatal, exception",
        ),
        (
            "503 Service Unavailable",
            outcome("error", "too-many-requests"),
            Some((Layer::Gateway, RateLimited)),
            "status 503: OperationOutcome: error, too-many-requests",
        ),
        ("502 Bad Gateway", "<html>".to_owned(), Some((Layer::Gateway, BackendUnavailable)), ""),
        (
            "200 OK",
            "<html><h1>Sign in</h1></html>".to_owned(),
            Some((Layer::Contract, BadBody)),
            "status 200: the answer is no FHIR: neither JSON with a resourceType nor XML of http://hl7.org/fhir",
        ),
        ("200 OK", r#"{"status":"ok"}"#.to_owned(), Some((Layer::Contract, BadBody)), ""),
        ("200 OK", "<Patient xmlns='http://hl7.org/fhir'/>".to_owned(), None, ""),
        (
            "200 OK",
            format!(
                r#"{{"resourceType":"Bundle","entry":[{{"resource":{}}}]}}"#,
                outcome("error", "exception")
            ),
            Some((Layer::Backend, ServerError)),
            "status 200: OperationOutcome in entry 1: error, exception",
        ),
        // What was not asked for need not be there.
        ("201 Created", String::new(), None, ""),
    ] {
        let seen = over_http(Dialect::Fhir, status, &body).await;
        assert_eq!(failed(&seen), expected, "{status} {body}");
        assert!(told.is_empty() || message(&seen) == told, "{}", message(&seen));
        assert!(!format!("{seen:?}").contains("Claf"), "diagnostics are not repeated");
    }
}

#[tokio::test]
async fn an_answer_of_fhir_that_is_expected_to_be_something_else_is_believed() {
    let says = |body: &'static str| async move {
        let server = Server::says(answer("200 OK\r\nContent-Type: application/pdf", body)).await;
        let mut check = check(&server.url());
        request(&mut check).dialect = Dialect::Fhir;
        (server, check)
    };
    let (_server, asks) = says("").await;
    assert_eq!(failed(&probe(&asks).await), Some((Layer::Contract, BadBody)), "nothing at all");
    let (_server, mut asks) = says(r#"{"status":"ok"}"#).await;
    expect(&mut asks).json = vec![("$.status".to_owned(), Matches::Exists)];
    assert_eq!(failed(&probe(&asks).await), None);
    let (_server, mut asks) = says("%PDF").await;
    let pdf = Matches::Equals("application/pdf".to_owned());
    expect(&mut asks).headers = vec![("content-type".to_owned(), pdf)];
    assert_eq!(failed(&probe(&asks).await), None);
}

#[tokio::test]
async fn a_capability_statement_is_of_r4() {
    let good = r#"{"resourceType":"CapabilityStatement","status":"active","fhirVersion":"4.0.1"}"#;
    let outcome = over_http(Dialect::Capabilities, "200 OK", good).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.expectations.len(), 4);
    let older = good.replace("4.0.1", "3.0.2");
    let outcome = over_http(Dialect::Capabilities, "200 OK", &older).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, ExpectationFailed)));
    assert_eq!(message(&outcome), "metadata fhirVersion: expected 4.0.x, saw 3.0.2");
    let outcome = over_http(Dialect::Capabilities, "200 OK", "<html>").await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, BadBody)));
}

fn envelope(body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}

#[tokio::test]
async fn a_soap_fault_is_a_failure_whatever_the_status() {
    let fault = |code: &str| {
        envelope(&format!(
            "<s:Fault><faultcode>s:{code}</faultcode><faultstring>Claf 9434765919</faultstring></s:Fault>"
        ))
    };
    for (status, body, expected) in [
        ("200 OK", envelope("<ok/>"), None),
        ("200 OK", fault("Server"), Some((Layer::Backend, ServerError))),
        ("500 Internal Server Error", fault("Server"), Some((Layer::Backend, ServerError))),
        ("500 Internal Server Error", fault("Client"), Some((Layer::Contract, RequestRefused))),
        ("403 Forbidden", fault("Client"), Some((Layer::Gateway, AccessRefused))),
        ("503 Service Unavailable", "<html/>".to_owned(), Some((Layer::Gateway, GatewayError))),
        ("200 OK", "<html>welcome</html>".to_owned(), Some((Layer::Contract, BadBody))),
        ("200 OK", String::new(), Some((Layer::Contract, BadBody))),
        // A message that asks for no answer was taken.
        ("202 Accepted", String::new(), None),
        ("202 Accepted", fault("Server"), Some((Layer::Backend, ServerError))),
        ("202 Accepted", "welcome".to_owned(), Some((Layer::Contract, BadBody))),
    ] {
        let outcome = over_http(Dialect::Soap, status, &body).await;
        assert_eq!(failed(&outcome), expected, "{status} {body}: {}", message(&outcome));
        assert!(!format!("{outcome:?}").contains("Claf"), "its text is not repeated");
    }
}

#[tokio::test]
async fn the_envelope_of_an_answer_with_attachments_is_its_root() {
    let fault = "<s:Fault><faultcode>s:Server</faultcode></s:Fault>";
    for (body, expected) in [("<ok/>", None), (fault, Some((Layer::Backend, ServerError)))] {
        let parts = format!(
            "--b\r\nContent-Type: application/pdf\r\nContent-ID: <a>\r\n\r\n%PDF\r\n--b\r\nContent-ID: <r>\r\n\r\n{}\r\n--b--\r\n",
            envelope(body)
        );
        let kind = "Content-Type: multipart/related; boundary=b; start=\"<r>\"";
        let said = ok(&parts).replace("Content-Type: application/json", kind);
        let server = Server::says(said).await;
        let mut check = check(&server.url());
        request(&mut check).dialect = Dialect::Soap;
        expect(&mut check).xpath =
            vec![("local-name(/*)".to_owned(), Matches::Equals("Envelope".to_owned()))];
        let outcome = probe(&check).await;
        assert_eq!(failed(&outcome), expected, "{}", message(&outcome));
    }
}

#[tokio::test]
async fn xml_is_looked_into_by_xpath_with_namespaces() {
    let body = envelope("<d:Answer xmlns:d=\"urn:d\"><d:Status>OK</d:Status><d:N>3</d:N></d:Answer>");
    let server = Server::says(ok(&body)).await;
    let mut check = check(&server.url());
    let expect = expect(&mut check);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    expect.namespaces = vec![pair("s", "http://schemas.xmlsoap.org/soap/envelope/"), pair("x", "urn:d")];
    expect.xpath = [
        ("/s:Envelope/s:Body/x:Answer/x:Status", Matches::Equals("OK".to_owned())),
        ("count(//x:N)", Matches::Equals("1".to_owned())),
        ("//x:N > 2", Matches::Equals("true".to_owned())),
        ("//x:Missing", Matches::Exists),
    ]
    .map(|(path, test)| (path.to_owned(), test))
    .to_vec();
    let outcome = probe(&check).await;
    let held: Vec<bool> = outcome.expectations.iter().map(|expectation| expectation.ok).collect();
    assert_eq!(held, [true, true, true, true, false]);
    assert_eq!(failed(&outcome), Some((Layer::Contract, ExpectationFailed)));
    assert_eq!(message(&outcome), "xpath //x:Missing: expected there, saw nothing");
}

#[tokio::test]
async fn xml_that_is_a_trap_is_refused() {
    let laughs = "<!DOCTYPE a [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><a>&b;</a>";
    let outside = "<!DOCTYPE a [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><a>&a;</a>";
    let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
    let wide = format!("<a>{}</a>", "<b/>".repeat(100_000));
    let attributes: Vec<String> = (0..60_000).map(|n| format!("a{n}=\"\"")).collect();
    let attributes = format!("<a {}/>", attributes.join(" "));
    for (what, body) in [
        ("laughs", laughs.to_owned()),
        ("a file outside", outside.to_owned()),
        ("deep", deep),
        ("wide", wide),
        ("attributes", attributes),
    ] {
        let outcome = over_http(Dialect::Soap, "200 OK", &body).await;
        assert_eq!(failed(&outcome), Some((Layer::Contract, BadBody)), "{what}: {}", message(&outcome));
        assert!(outcome.total < Duration::from_secs(3), "{what}: {:?}", outcome.total);
    }
}

#[tokio::test]
async fn graphql_errors_in_a_200_are_a_failure() {
    let outcome = over_http(Dialect::Graphql, "200 OK", r#"{"data":{"a":1}}"#).await;
    assert_eq!(failed(&outcome), None);
    let body =
        r#"{"data":null,"errors":[{"message":"Claf 9434765919","path":["a"],"extensions":{"code":"DOWN"}}]}"#;
    let outcome = over_http(Dialect::Graphql, "200 OK", body).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, RequestRefused)));
    assert_eq!(message(&outcome), "status 200: GraphQL answers with an error at a: DOWN");
    let outcome = over_http(Dialect::Graphql, "400 Bad Request", body).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, UnexpectedStatus)));
    assert!(
        message(&outcome).ends_with("; GraphQL answers with an error at a: DOWN"),
        "{}",
        message(&outcome)
    );
    let outcome = over_http(Dialect::Graphql, "200 OK", "<html>").await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, BadBody)));
}

#[tokio::test]
async fn a_dialect_says_what_it_accepts_and_an_empty_path_is_the_url_itself() {
    let (server, mut heard) = Server::listens().await;
    for (dialect, accepts) in [
        (Dialect::Fhir, "accept: application/fhir+json, application/json;q=0.9\r\n"),
        (Dialect::Graphql, "accept: application/graphql-response+json, application/json;q=0.9\r\n"),
        (Dialect::Soap, "accept: */*\r\n"),
    ] {
        let mut check = check(&format!("{}/base", server.url()));
        request(&mut check).dialect = dialect;
        request(&mut check).path = String::new();
        probe(&check).await;
        let sent = heard.recv().await.unwrap();
        assert!(sent.starts_with("GET /base HTTP/1.1\r\n") && sent.contains(accepts), "{sent}");
    }
}
