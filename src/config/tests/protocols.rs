//! What the operations that are not plain HTTP come to.

use super::minimal::Directory;
use domain::{
    Dialect, DnsRequest, Environment, HttpRequest, Method, MllpRequest, RecordType, Request, Security,
    TcpRequest,
};

const FILE: &str = "apis/documents.yaml";
const ENVELOPE_11: &str =
    "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body/></e:Envelope>";
const ENVELOPE_12: &str =
    "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body/></e:Envelope>";

/// What the operation 'ping' asks when it is written like this, of an API of this kind.
fn asked(kind: &str, operation: &str, file: Option<(&str, &str)>) -> Request {
    let directory = Directory::new();
    directory.change(FILE, "kind: rest", &format!("kind: {kind}"));
    directory.change(FILE, "{ get: /_ping }", operation);
    let urls = "  sit: { url: https://sit.example/documents }\n  production: { url: https://api.example/documents, \
                operations: [ping] }";
    let mllp = "  sit: { url: https://sit.example/documents, operations: [list] }\n  production: { url: \
                \"tls://api.example:2576\", operations: [ping] }";
    if operation.contains("mllp") {
        directory.change(FILE, urls, mllp);
    }
    if let Some((name, text)) = file {
        directory.write(name, text);
    }
    let loaded = directory.load().unwrap();
    let mut checks = loaded.configuration.checks.values();
    let ping = checks.find(|check| {
        check.id.operation.as_str() == "ping" && check.id.instance.environment == Environment::Production
    });
    ping.unwrap().operation.request.clone()
}

fn headers(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_post_that_says_that_it_is_synthetic_may_be_sent() {
    let request = asked("rest", "{ post: /lookup, body: \"{}\", synthetic: true }", None);
    let Request::Http(request) = request else { panic!("over HTTP") };
    assert_eq!((request.method, request.path.as_str()), (Method::Post, "/lookup"));
}

#[test]
fn soap_sets_its_headers_by_its_version() {
    let file = Some(("envelopes/ping.xml", ENVELOPE_11));
    let request = asked(
        "soap",
        "{ soap: { path: /, action: urn:a, envelope: file:envelopes/ping.xml }, headers: { X-A: b }, synthetic: true }",
        file,
    );
    let expected = HttpRequest {
        method: Method::Post,
        path: "/".to_owned(),
        headers: headers(&[
            ("Content-Type", "text/xml; charset=utf-8"),
            ("SOAPAction", "\"urn:a\""),
            ("X-A", "b"),
        ]),
        body: Some(ENVELOPE_11.to_owned()),
        dialect: Dialect::Soap,
        ..HttpRequest::get("")
    };
    assert_eq!(request, Request::Http(expected));

    let newer = |action: &str| {
        let operation =
            format!("{{ soap: {{ version: 1.2, {action}envelope: \"{ENVELOPE_12}\" }}, synthetic: true }}");
        let Request::Http(request) = asked("rest", &operation, None) else { panic!("not over HTTP") };
        assert_eq!(request.path, "", "the URL itself");
        request.headers
    };
    let content_type = "application/soap+xml; charset=utf-8";
    assert_eq!(newer(""), headers(&[("Content-Type", content_type)]));
    let with_action = format!("{content_type}; action=\"urn:a\"");
    assert_eq!(newer("action: urn:a, "), headers(&[("Content-Type", &with_action)]));
}

#[test]
fn a_file_that_is_sent_is_part_of_the_configuration() {
    let directory = Directory::new();
    directory
        .change(FILE, "{ get: /_ping }", "{ soap: { envelope: file:envelopes/ping.xml }, synthetic: true }")
        .write("envelopes/ping.xml", ENVELOPE_11);
    let before = directory.load().unwrap().version;
    assert_eq!(directory.load().unwrap().version, before);
    directory.write("envelopes/ping.xml", &ENVELOPE_11.replace("<e:Body/>", "<e:Body>1</e:Body>"));
    assert_ne!(directory.load().unwrap().version, before);
}

#[test]
fn a_graphql_query_goes_with_its_variables() {
    let operation = "{ graphql: { path: /graphql, query: \"{ a }\", variables: { n: 3, s: \"3\", ok: true, l: [1, x], no: ~ } } }";
    let Request::Http(request) = asked("graphql", operation, None) else { panic!("not over HTTP") };
    assert_eq!((request.method, request.dialect), (Method::Post, Dialect::Graphql));
    assert_eq!(request.headers, headers(&[("Content-Type", "application/json")]));
    let body: serde_json::Value = serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
    let variables = serde_json::json!({"n": 3, "s": "3", "ok": true, "l": [1, "x"], "no": null});
    assert_eq!(body, serde_json::json!({"query": "{ a }", "variables": variables}));
}

#[test]
fn an_answer_of_a_fhir_api_is_read_as_fhir() {
    let dialect = |kind: &str, operation: &str| {
        let Request::Http(request) = asked(kind, operation, None) else { panic!("not over HTTP") };
        request.dialect
    };
    assert_eq!(dialect("fhir-r4", "{ get: /Patient/9990000018 }"), Dialect::Fhir);
    assert_eq!(dialect("fhir-r4", "{ get: \"/metadata?mode=full\" }"), Dialect::Capabilities);
    assert_eq!(dialect("fhir-r4", "{ get: /_ping }"), Dialect::Plain);
    assert_eq!(dialect("fhir-r4", "{ get: /_status, health: true }"), Dialect::Health);
    assert_eq!(dialect("fhir-r4", "{ head: /Patient }"), Dialect::Plain);
    assert_eq!(dialect("rest", "{ get: /metadata }"), Dialect::Plain);
}

#[test]
fn what_is_not_http_comes_as_it_is_written() {
    assert_eq!(asked("rest", "{ tcp: {} }", None), Request::Tcp(TcpRequest::default()));
    let request = asked(
        "rest",
        "{ tcp: { port: 25, starttls: smtp, send: \"a\\r\\n\", receive: { hex: \"00 ff\" } }, synthetic: true }",
        None,
    );
    let expected = TcpRequest {
        port: Some(25),
        security: Security::StartTlsSmtp,
        send: b"a\r\n".to_vec(),
        receive: vec![0, 0xff],
    };
    assert_eq!(request, Request::Tcp(expected));

    let request =
        asked("rest", "{ dns: { type: AAAA, answers: [\"FD00:0::1\"], resolver: 10.1.2.3 } }", None);
    let expected = DnsRequest {
        name: None,
        record: RecordType::Aaaa,
        answers: vec!["fd00::1".to_owned()],
        resolver: Some("10.1.2.3:53".parse().unwrap()),
    };
    assert_eq!(request, Request::Dns(expected));

    let message = "MSH|^~\\&|A|B|C|D|||ADT^A04|1|T|2.5\nPID|1||9990000018\n";
    let file = Some(("messages/admit.hl7", message));
    let request = asked("hl7", "{ mllp: { message: file:messages/admit.hl7, synthetic: true } }", file);
    let expected = MllpRequest { message: message.replace('\n', "\r") };
    assert_eq!(request, Request::Mllp(expected));
}
