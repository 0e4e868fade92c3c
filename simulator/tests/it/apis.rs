//! The APIs of the estate, when they are well.

use crate::support::{Clock, answer, client, get, world};
use serde_json::{Value, json};
use simulator::{Fault, Kind, World, WorldOptions};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

fn url(world: &World, api: &str, path: &str) -> String {
    format!("{}{path}", world.url(api, "production").expect("an instance"))
}

#[tokio::test]
async fn every_instance_answers_ping_and_status_in_its_vocabulary() {
    let world = world().await;
    for one in world.instances() {
        let (status, ping) = get(&format!("{}/_ping", one.url)).await;
        assert_eq!(status, 200);
        assert!(ping["message"] == "pong" || ping["commitId"].is_string(), "{ping}");
        let (status, health) = get(&format!("{}/_status", one.url)).await;
        assert_eq!(status, 200);
        assert!(health["status"] == "UP" || health["status"] == "pass", "{health}");
        let head = client().head(format!("{}/_status", one.url)).send().await.expect("an answer");
        assert_eq!(head.status(), 200);
    }
    assert_eq!(world.instances().len(), 40);
    let (_, health) = get(&url(&world, "patient-demographics", "/_status")).await;
    assert_eq!(health["checks"]["identity:status"][0]["status"], "pass");
    assert_eq!(get(&url(&world, "results", "")).await.0, 404);
    assert_eq!(get(&url(&world, "results", "/_ping").replace("/production/", "/uat/")).await.0, 404);
    world.stop().await;
}

#[tokio::test]
async fn fhir_is_read_with_a_request_id() {
    let world = world().await;
    let read = |number: &str, id: Option<&str>| {
        let request = client().get(url(&world, "patient-demographics", &format!("/Patient/{number}")));
        id.map_or(request.try_clone().expect("a clone"), |id| request.header("X-Request-ID", id))
    };
    let id = "60e0b220-8136-4ca5-ae46-1d97ef59d068";
    let answered = read("9990000018", Some(id)).send().await.expect("an answer");
    assert_eq!(answered.headers()["x-request-id"], id);
    assert!(answered.headers()["content-type"].to_str().expect("text").starts_with("application/fhir+json"));
    assert_eq!(answered.json::<Value>().await.expect("JSON")["resourceType"], "Patient");
    for (number, id, status) in [
        ("9990000018", None, 400),
        ("9990000018", Some("x"), 400),
        ("9990000019", Some(id), 400),
        ("9434765919", Some(id), 404),
    ] {
        let (seen, body) = answer(read(number, id)).await;
        assert_eq!((seen, &body["resourceType"]), (status, &"OperationOutcome".into()), "{number} {id:?}");
    }
    let (_, bundle) = get(&url(&world, "results", "/DiagnosticReport?patient=9990000018")).await;
    assert_eq!((&bundle["resourceType"], &bundle["total"]), (&"Bundle".into(), &2.into()));
    let (_, capability) = get(&url(&world, "results", "/metadata")).await;
    assert_eq!(capability["fhirVersion"], "4.0.1");
    world.stop().await;
}

#[tokio::test]
async fn soap_takes_an_envelope_of_either_version_and_nothing_else() {
    let world = world().await;
    let place = url(&world, "demographics-soap", "");
    let (status, wsdl) = get(&format!("{place}?wsdl")).await;
    assert!(status == 200 && wsdl.as_str().expect("XML").contains("wsdl:definitions"));
    let older = "http://schemas.xmlsoap.org/soap/envelope/";
    let newer = "http://www.w3.org/2003/05/soap-envelope";
    let envelope = |namespace: &str| {
        format!("<s:Envelope xmlns:s=\"{namespace}\"><s:Body><GetDemographics/></s:Body></s:Envelope>")
    };
    for (kind, action, body, status) in [
        ("text/xml", true, envelope(older), 200),
        ("application/soap+xml", false, envelope(newer), 200),
        ("text/xml", false, envelope(older), 500),
        ("text/xml", true, envelope(newer), 500),
        ("application/json", true, envelope(older), 415),
        ("text/xml", true, "<not-soap/>".to_owned(), 500),
    ] {
        let mut request = client().post(&place).header("Content-Type", kind).body(body);
        if action {
            request = request.header("SOAPAction", "\"GetDemographics\"");
        }
        let (seen, body) = answer(request).await;
        assert_eq!(seen, status, "{kind}");
        assert_eq!(body.as_str().expect("XML").contains("soap:Fault"), status != 200);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_token_opens_the_environment_it_was_made_for_and_no_other() {
    let clock = Clock::new();
    let mut options = WorldOptions::new(clock.now());
    for api in options.estate.apis.iter_mut().filter(|api| api.kind == Kind::Rest) {
        api.needs_token = true;
    }
    let world = World::start(options).await.expect("the world starts");
    let (id, secret) = world.api_client();
    let place = url(&world, "identity", "/oauth2/token");
    let ask = |form: Vec<(&'static str, &'static str)>| answer(client().post(&place).form(&form));
    let grant = ("grant_type", "client_credentials");
    assert_eq!(
        ask(vec![grant, ("client_id", id), ("client_secret", "guess")]).await.1["error"],
        "invalid_client"
    );
    assert_eq!(ask(vec![("client_id", id)]).await.1["error"], "invalid_request");
    assert_eq!(ask(vec![("grant_type", "password")]).await.1["error"], "unsupported_grant_type");
    let (status, token) = ask(vec![grant, ("client_id", id), ("client_secret", secret)]).await;
    assert_eq!((status, &token["token_type"]), (200, &"Bearer".into()));
    let token = token["access_token"].as_str().expect("a token").to_owned();

    let documents = url(&world, "documents", "/documents");
    assert_eq!(
        get(&documents).await,
        (
            401,
            json!({"fault": {"faultstring": "Invalid access token", "detail": {"errorcode": "oauth.v2.InvalidAccessToken"}}})
        )
    );
    assert_eq!(answer(client().get(&documents).bearer_auth(&token)).await.0, 200);
    let elsewhere = format!("{}/documents", world.url("documents", "uat").expect("an instance"));
    assert_eq!(answer(client().get(elsewhere).bearer_auth(&token)).await.0, 401);
    clock.advance(600);
    assert_eq!(answer(client().get(&documents).bearer_auth(&token)).await.0, 401, "it ran out");
    assert_eq!(get(&url(&world, "reference-data", "/_ping")).await.0, 200, "health needs no token");
    world.stop().await;
}

#[tokio::test]
async fn an_assertion_that_the_client_did_not_sign_is_refused_and_a_fault_may_keep_all_tokens_back() {
    let clock = Clock::new();
    let world = World::start(WorldOptions::new(clock.now())).await.expect("the world starts");
    let place = url(&world, "identity", "/oauth2/token");
    // `{"alg":"ES384","kid":"curiad-1"}`, claims of nobody, and no signature.
    let forged = "eyJhbGciOiJFUzM4NCIsImtpZCI6ImN1cmlhZC0xIn0.eyJpc3MiOiJjdXJpYWQifQ.AAAA";
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", forged),
    ];
    assert_eq!(answer(client().post(&place).form(&form)).await.1["error"], "invalid_client");
    assert!(world.client_key().0.starts_with("-----BEGIN PRIVATE KEY-----"));

    world.set_fault("identity", "production", Fault::NoTokens).await.expect("an instance");
    let (id, secret) = world.api_client();
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let (status, said) = answer(client().post(&place).form(&form)).await;
    assert_eq!((status, &said["error"]), (503, &"temporarily_unavailable".into()));
    for path in ["/_ping", "/_status"] {
        assert_eq!(get(&url(&world, "identity", path)).await.0, 200, "{path}");
    }
    world.stop().await;
}

#[tokio::test]
async fn in_the_sandbox_a_document_is_put_there_read_and_taken_away_again() {
    let world = world().await;
    let base = world.url("documents", "sandbox").expect("an instance");
    let put = |url: String| client().post(url).header("Content-Type", "application/json").body("{}");
    let made = put(format!("{base}/documents")).send().await.expect("an answer");
    assert_eq!(made.status(), 201);
    let place = made.headers()["location"].to_str().expect("text").to_owned();
    let name = place.rsplit('/').next().expect("a name");
    let document = format!("{base}/documents/{name}");
    let (status, read) = get(&document).await;
    assert_eq!((status, &read["id"], &read["status"]), (200, &name.into(), &"draft".into()));
    assert_eq!(client().delete(&document).send().await.expect("an answer").status(), 204);
    assert_eq!(client().delete(&document).send().await.expect("an answer").status(), 404);
    assert_eq!(get(&document).await.0, 404);
    let elsewhere = put(url(&world, "documents", "/documents")).send().await.expect("an answer");
    assert_eq!(elsewhere.status(), 405, "only there");
    world.stop().await;
}

#[tokio::test]
async fn graphql_is_queried_and_tells_what_is_wrong_behind_it_in_a_good_answer() {
    let mut options = WorldOptions::new(Clock::new().now());
    options.cascade = true;
    let world = World::start(options).await.expect("the world starts");
    let ask = |body: Value| answer(client().post(url(&world, "clinic-lists", "/graphql")).json(&body));
    let query = "query ($first: Int!) { clinics(first: $first) { id } }";
    let (status, said) = ask(json!({"query": query, "variables": {"first": 1}})).await;
    assert_eq!((status, said["data"]["clinics"].as_array().map(Vec::len)), (200, Some(1)), "{said}");
    let (status, said) = ask(json!({"query": "{ nothing }"})).await;
    assert_eq!(
        (status, &said["errors"][0]["extensions"]["code"]),
        (400, &"GRAPHQL_VALIDATION_FAILED".into())
    );
    world.set_fault("identity", "production", Fault::Refuse).await.expect("an instance");
    let (status, said) = ask(json!({"query": query})).await;
    assert_eq!((status, &said["errors"][0]["extensions"]["code"]), (200, &"TRANSIENT".into()));
    world.stop().await;
}

#[tokio::test]
async fn an_hl7_message_is_acknowledged_by_the_port_that_speaks_http() {
    let world = world().await;
    let address = world.address("integration-hub", "production").expect("an instance");
    let send = async || {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let message = "MSH|^~\\&|CURIAD|DHCW|HUB|NHS|20261101090000||ADT^A04|42|T|2.5\rEVN|A04\r";
        stream.write_all(format!("\u{b}{message}\u{1c}\r").as_bytes()).await.expect("sent");
        stream.shutdown().await.expect("all is sent");
        let mut said = String::new();
        stream.read_to_string(&mut said).await.expect("an acknowledgement");
        said
    };
    let said = send().await;
    assert!(
        said.starts_with("\u{b}MSH|^~\\&|HUB|NHS|CURIAD|DHCW|") && said.ends_with("\rMSA|AA|42\r\u{1c}\r"),
        "{said:?}"
    );
    world.set_fault("integration-hub", "production", Fault::Backend(500)).await.expect("an instance");
    assert!(send().await.ends_with("\rMSA|AE|42\r\u{1c}\r"));
    assert_eq!(get(&url(&world, "integration-hub", "/_ping")).await.0, 200);
    world.stop().await;
}
