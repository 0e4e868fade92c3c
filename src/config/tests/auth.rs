//! What probes prove with who asks.

use super::minimal::{Directory, today};
use crate::config::{Secrets, load};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Access, Algorithm, Basic, Credential, Environment, Proof, Request, SecretBy};
use rcgen::{CertificateParams, KeyPair};
use std::time::Duration;

const TOP: &str = "curiad.yaml";
const FILE: &str = "apis/documents.yaml";

/// The smallest configuration, with this in production, and secrets that the team may name.
fn with(auth: &str) -> Directory {
    let directory = Directory::new();
    directory
        .change(
            TOP,
            "email: records@team.example",
            "email: records@team.example, secrets: [\"env:RECORDS_*\", \"file:secrets/*\"]",
        )
        .change(FILE, "operations: [ping] }", &format!("auth: {{ {auth} }} }}"));
    directory
}

fn credential(directory: &Directory, operation: &str) -> Option<Credential> {
    let loaded = directory.load().unwrap_or_else(|problems| panic!("{problems:#?}"));
    let checks = loaded.configuration.checks.values();
    let mut production = checks.filter(|check| check.id.instance.environment == Environment::Production);
    let check = production.find(|check| check.id.operation.as_str() == operation).unwrap();
    check.credential.as_deref().cloned()
}

/// A certificate that ends so many days from today, as files.
fn certified(directory: &Directory, days: i64) {
    let mut params = CertificateParams::new(vec!["curiad".to_owned()]).unwrap();
    let seconds = today().as_second() + days * 86_400;
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds.try_into().unwrap());
    let key = KeyPair::generate().unwrap();
    directory.write("secrets/client.pem", &params.self_signed(&key).unwrap().pem());
    directory.write("secrets/client-key.pem", &key.serialize_pem());
}

const MTLS: &str = "mtls: { certificate: file:secrets/client.pem, key: file:secrets/client-key.pem }";

#[test]
fn a_key_and_a_password() {
    let directory = with("api_key: { header: apikey, value: env:RECORDS_KEY }");
    let Some(Access::ApiKey { header, value }) = credential(&directory, "list").unwrap().access else {
        panic!()
    };
    assert_eq!((header.as_str(), value.reveal()), ("apikey", "a key of the records team"));
    let directory = with("basic: { user: curiad, password: env:RECORDS_KEY }");
    let Some(Access::Basic(Basic { user, password })) = credential(&directory, "list").unwrap().access else {
        panic!()
    };
    assert_eq!((user.as_str(), password.reveal()), ("curiad", "a key of the records team"));
}

#[test]
fn an_operation_may_do_without_but_the_connection_does_not() {
    let both = format!("api_key: {{ header: apikey, value: env:RECORDS_KEY }}, {MTLS}");
    let directory = with(&both);
    certified(&directory, 100);
    directory.change(FILE, "ping: { get: /_ping }", "ping: { get: /_ping, auth: none }");
    assert!(credential(&directory, "list").unwrap().access.is_some());
    let ping = credential(&directory, "ping").unwrap();
    assert!(ping.access.is_none() && ping.certificate.is_some());
    let alone = with("api_key: { header: apikey, value: env:RECORDS_KEY }");
    alone.change(FILE, "ping: { get: /_ping }", "ping: { get: /_ping, auth: none }");
    assert_eq!(credential(&alone, "ping"), None);
}

#[test]
fn none_is_nothing() {
    let directory = Directory::new();
    directory.change(FILE, "operations: [ping] }", "operations: [ping], auth: none }");
    assert_eq!(credential(&directory, "ping"), None);
}

#[test]
fn a_secret_is_sent_in_the_form_or_by_http_basic() {
    for (written, sent) in [
        ("", SecretBy::Form),
        (", client_secret_by: form", SecretBy::Form),
        (", client_secret_by: basic", SecretBy::Basic),
    ] {
        let directory = with(&format!(
            "oauth2: {{ token_url: https://id.example/token, client_id: curiad, client_secret: file:secrets/client{written} }}"
        ));
        directory.write("secrets/client", "s3cret");
        let Some(Access::Token(client)) = credential(&directory, "list").unwrap().access else { panic!() };
        let Proof::Secret { value, by } = &client.proof else { panic!() };
        assert_eq!((value.reveal(), *by), ("s3cret", sent));
    }
}

#[test]
fn a_token_by_a_signed_assertion() {
    let oauth2 = |rest: &str| {
        format!("oauth2: {{ token_url: \"https://id.example/oauth2/token/\", client_id: curiad, {rest} }}")
    };
    let directory = with(&oauth2(
        "private_key_jwt: { key: file:secrets/key.pem, kid: k1, algorithm: ES256 }, scope: a b, audience: id",
    ));
    directory.write("secrets/key.pem", &KeyPair::generate().unwrap().serialize_pem());
    let Some(Access::Token(client)) = credential(&directory, "list").unwrap().access else { panic!() };
    assert_eq!(
        client.token_url, "https://id.example/oauth2/token/",
        "as it is written: the slash may matter"
    );
    assert_eq!((client.scope.as_deref(), client.audience.as_deref()), (Some("a b"), Some("id")));
    let Proof::PrivateKeyJwt(key) = &client.proof else { panic!() };
    assert_eq!((key.kid.as_deref(), key.algorithm), (Some("k1"), Algorithm::Es256));
    let loaded = format!("{:?}", directory.load().unwrap());
    assert!(!loaded.contains("PRIVATE KEY"), "{loaded}");
    assert_eq!(directory.load().unwrap().secrets.last().map(String::as_str), Some("file:secrets/key.pem"));
}

#[test]
fn without_secrets_everything_but_their_values_is_checked() {
    let directory = with(&format!(
        "oauth2: {{ token_url: https://id.example/token, client_id: curiad, jwt_bearer: {{ key: file:secrets/none.pem }} }}, {MTLS}"
    ));
    assert!(directory.load().is_err());
    let loaded = load(directory.0.path(), &Secrets::left_out(), today()).unwrap();
    let check = loaded.configuration.checks.values().next_back().unwrap();
    assert_eq!(check.credential.as_ref().unwrap().token_url(), Some("https://id.example/token"));
}

#[test]
fn a_certificate_that_ends_soon_is_said_to_and_refuses_nothing() {
    for (days, said) in [
        (100, None),
        (14, None),
        (13, Some("this certificate ends on 4 Dec 2026 09:00 UTC")),
        (
            -1,
            Some("this certificate ended on 20 Nov 2026 09:00 UTC: nothing can be told of what asks for it"),
        ),
    ] {
        let directory = with(MTLS);
        certified(&directory, days);
        let warnings = directory.load().unwrap().warnings;
        let warnings: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(warnings, said.into_iter().collect::<Vec<_>>(), "{days} days");
    }
}

#[test]
fn a_secret_may_say_when_it_ends() {
    let key = |ends: &str| {
        format!("api_key: {{ header: apikey, value: {{ from: env:RECORDS_KEY, ends: {ends} }} }}")
    };
    for (ends, said) in [
        ("2026-12-06", None),
        ("2026-12-05", Some("the secret at env:RECORDS_KEY ends on 5 Dec 2026")),
        ("2026-11-20", Some("the secret at env:RECORDS_KEY ended on 20 Nov 2026")),
    ] {
        let directory = with(&key(ends));
        let loaded = directory.load().unwrap_or_else(|problems| panic!("{problems:#?}"));
        let warnings: Vec<&str> = loaded.warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(warnings, said.into_iter().collect::<Vec<_>>(), "{ends}");
        let known = &loaded.configuration.secrets_end;
        assert_eq!(known.keys().collect::<Vec<_>>(), ["env:RECORDS_KEY"]);
        let known = &known["env:RECORDS_KEY"];
        assert_eq!(known.at, format!("{ends}T00:00:00Z").parse().unwrap());
        let shown_to: Vec<String> = known.shown_to.iter().map(ToString::to_string).collect();
        assert_eq!(shown_to, ["documents/production"]);
        let Some(Access::ApiKey { value, .. }) = credential(&directory, "list").unwrap().access else {
            panic!()
        };
        assert_eq!(value.reveal(), "a key of the records team");
    }
    // It is owned as any other, and by summer's clock where there is one.
    let summer = with(&key("2027-06-18"));
    let loaded = summer.load().unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert!(loaded.secrets.contains(&"env:RECORDS_KEY".to_owned()), "{:?}", loaded.secrets);
    assert_eq!(
        loaded.configuration.secrets_end["env:RECORDS_KEY"].at,
        "2027-06-17T23:00:00Z".parse::<jiff::Timestamp>().unwrap()
    );
    let other = with(&key("2027-06-18").replace("RECORDS_KEY", "NOBODYS_KEY"));
    assert!(other.load().is_err());
}

#[test]
fn a_certificate_and_a_key_that_are_not_one_anothers() {
    let directory = with(MTLS);
    certified(&directory, 100);
    directory.write("secrets/client-key.pem", &KeyPair::generate().unwrap().serialize_pem());
    let problems = directory.problems();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("this key is not the certificate's"), "{problems:?}");
}

#[test]
fn hl7_over_tls_shows_a_certificate_too() {
    let directory = with(MTLS);
    certified(&directory, 100);
    directory.change(FILE, "kind: rest", "kind: hl7");
    directory.change(
        FILE,
        "https://sit.example/documents }",
        "https://sit.example/documents, operations: [list] }",
    );
    directory.change(
        FILE,
        "{ get: /_ping }",
        "{ mllp: { message: \"MSH|^~\\\\&|A|B|C|D|||ADT^A04|1|T|2.5\", synthetic: true } }",
    );
    directory.change(
        FILE,
        "production: { url: https://api.example/documents",
        "production: { url: tls://api.example:2576, operations: [ping]",
    );
    let problems = directory.load().err();
    assert!(problems.is_none(), "{problems:#?}");
    assert!(credential(&directory, "ping").unwrap().certificate.is_some());
}

#[test]
fn who_is_registered_to_ask_is_said_with_every_request() {
    let directory = Directory::new();
    let audit = "team: records\naudit: { device: { system: https://apps.example, value: curiad } }";
    directory.change(FILE, "team: records", audit);
    let loaded = directory.load().unwrap();
    for check in loaded.configuration.checks.values() {
        let Request::Http(request) = &check.operation.request else { panic!("not over HTTP") };
        let (_, value) = request.headers.iter().find(|(name, _)| name == "X-Audit-Device").unwrap();
        let said = String::from_utf8(STANDARD.decode(value).unwrap()).unwrap();
        assert_eq!(said, r#"{"system":"https://apps.example","value":"curiad"}"#);
    }
    directory.change(FILE, "value: curiad", "value: \"9434765919\"");
    assert!(directory.problems()[0].contains("NHS number of a real person"), "{:?}", directory.problems());
    directory.change(FILE, ", value: \"9434765919\"", "");
    assert!(
        directory.problems()[0].contains("an identifier needs the key 'value'"),
        "{:?}",
        directory.problems()
    );
}
