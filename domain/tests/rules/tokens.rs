//! A token endpoint that does not work is one cause for all that need its tokens.

use crate::estate::{Hand, Seen, apis::address, configuration, instance, secs};
use domain::{
    Access, Cause, Check, Configuration, Credential, Environment, IncidentStatus, Layer, OAuth2, Proof,
    Secret, SecretBy, Status, TokenEndpoint,
};
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);
const DOCUMENTS: (&str, Environment) = ("documents", PRODUCTION);
const IDENTITY: (&str, Environment) = ("identity", PRODUCTION);

/// Results and documents need tokens from this address; nothing depends on anything.
fn needing(token_url: &str) -> Configuration {
    let mut configuration = configuration();
    for api in configuration.apis.values_mut().map(Arc::make_mut) {
        api.depends_on.clear();
    }
    with_tokens(configuration, token_url)
}

/// The same configuration, with results and documents needing tokens from this address.
pub(crate) fn with_tokens(mut configuration: Configuration, token_url: &str) -> Configuration {
    let credential = Arc::new(Credential {
        access: Some(Access::Token(Arc::new(OAuth2 {
            token_url: token_url.to_owned(),
            client_id: "curiad".to_owned(),
            proof: Proof::Secret { value: Secret::new("s3cret"), by: SecretBy::Form },
            scope: None,
            audience: None,
        }))),
        certificate: None,
    });
    for api in configuration.apis.values_mut().map(Arc::make_mut) {
        api.depends_on.clear();
    }
    for check in
        configuration.checks.values_mut().filter(|check| check.id.instance.api.as_str() != "identity")
    {
        *check = Arc::new(Check { credential: Some(Arc::clone(&credential)), ..(**check).clone() });
    }
    configuration
}

fn elsewhere() -> Configuration {
    needing("https://id.example/oauth2/token")
}

fn own() -> Configuration {
    needing(&format!("{}/production/identity/oauth2/token", address("identity")))
}

#[test]
fn all_that_lack_a_token_are_one_incident_named_by_the_endpoint() {
    let mut hand = Hand::new(elsewhere());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(20, &[RESULTS, DOCUMENTS], Seen::NoToken);
    let open = hand.open();
    assert_eq!(open.len(), 1, "{open:?}");
    let endpoint =
        TokenEndpoint { environment: PRODUCTION, url: "https://id.example/oauth2/token".to_owned() };
    assert_eq!(open[0].cause, Cause::Token(endpoint));
    assert_eq!(open[0].cause.to_string(), "token:production/https://id.example/oauth2/token");
    assert_eq!(open[0].layer, Some(Layer::Token));
    assert_eq!(open[0].held_back.len(), 2);
    assert_eq!(open[0].priority, domain::Priority::P1, "it stands for the gravest");
    assert_eq!(open[0].api, None);
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket").count(), 1);
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
    let said = format!("{open:?}");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn it_is_over_when_tokens_can_be_had_again_and_goes_on_when_they_cannot_soon_after() {
    let mut hand = Hand::new(elsewhere());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS, DOCUMENTS], Seen::NoToken);
    hand.rounds(3, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    hand.rounds(4, &[RESULTS], Seen::NoToken);
    assert_eq!(hand.open().len(), 1, "the same goes on");
    assert_eq!(hand.incident(1).held_back, [instance("results", PRODUCTION)]);
    hand.rounds(20, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert!(hand.open().is_empty());
}

#[test]
fn one_that_fails_otherwise_in_between_answers_for_itself() {
    let mut hand = Hand::new(elsewhere());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS, DOCUMENTS], Seen::NoToken);
    for _ in 0..20 {
        hand.wait(10);
        for (api, seen) in [("results", Seen::Fail), ("documents", Seen::NoToken), ("identity", Seen::Pass)] {
            for operation in ["ping", "status"] {
                hand.see(&crate::estate::track(api, PRODUCTION, operation), seen);
            }
        }
    }
    let causes: Vec<String> = hand.open().iter().map(|incident| incident.cause.to_string()).collect();
    assert_eq!(causes, ["token:production/https://id.example/oauth2/token", "instance:results/production"]);
    assert_eq!(hand.incident(1).held_back, [instance("documents", PRODUCTION)]);
}

#[test]
fn an_endpoint_of_an_api_of_ours_is_that_apis() {
    let mut hand = Hand::new(own());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS, DOCUMENTS], Seen::NoToken);
    let open = hand.open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].api, Some(instance("identity", PRODUCTION).api), "its owner is told");
    assert!(
        hand.probes.iter().any(|wanted| wanted.track.check.instance == instance("identity", PRODUCTION)),
        "it is asked at once whether it is more than its tokens"
    );
}

#[test]
fn an_api_that_fails_as_a_whole_takes_its_tokens_along() {
    let mut hand = Hand::new(own());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(3, &[RESULTS, DOCUMENTS], Seen::NoToken);
    assert!(matches!(hand.open()[..], [ref one] if matches!(one.cause, Cause::Token(_))));
    let lacking = [RESULTS, DOCUMENTS];
    for _ in 0..6 {
        hand.wait(10);
        for (api, environment) in lacking.into_iter().chain([IDENTITY]) {
            for operation in ["ping", "status"] {
                let seen = if api == "identity" { Seen::Fail } else { Seen::NoToken };
                hand.see(&crate::estate::track(api, environment, operation), seen);
            }
        }
    }
    let open = hand.open();
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0].cause, Cause::Instance(instance("identity", PRODUCTION)));
    assert_eq!(open[0].held_back.len(), 2);
}

#[test]
fn an_api_that_fails_first_holds_back_who_lacks_its_tokens() {
    let mut hand = Hand::new(own());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(5, &[IDENTITY], Seen::Fail);
    for _ in 0..60 {
        hand.wait(10);
        for (api, seen) in
            [("identity", Seen::Fail), ("results", Seen::NoToken), ("documents", Seen::NoToken)]
        {
            for operation in ["ping", "status"] {
                hand.see(&crate::estate::track(api, PRODUCTION, operation), seen);
            }
        }
    }
    let open = hand.open();
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0].cause, Cause::Instance(instance("identity", PRODUCTION)));
    assert_eq!(open[0].held_back.len(), 2);
}

#[test]
fn a_credential_that_is_refused_is_ours_to_mend_and_no_apis_failure() {
    let mut hand = Hand::new(elsewhere());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS, DOCUMENTS], Seen::CredentialRefused);
    let open = hand.open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].cause, Cause::Refused(PRODUCTION));
    assert_eq!(hand.status("results", PRODUCTION), Status::Unknown);
}

#[test]
fn who_no_longer_needs_its_tokens_is_held_back_no_more() {
    let mut hand = Hand::new(elsewhere());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS, DOCUMENTS], Seen::NoToken);
    let mut smaller = elsewhere();
    for api in ["results", "documents"] {
        let gone = instance(api, PRODUCTION).api;
        smaller.apis.remove(&gone);
        smaller.checks.retain(|id, _| id.instance.api != gone);
    }
    hand.event(&domain::Event::Configured(Arc::new(smaller)));
    hand.rounds(20, &[], Seen::Pass);
    assert!(hand.open().is_empty(), "{:?}", hand.open());
}

#[test]
fn a_key_that_is_rotated_asks_the_same_question() {
    let check = |url: &str, secret: &str| {
        let configuration = needing(url);
        let check = configuration.checks.values().find(|check| check.credential.is_some()).expect("one");
        let mut check = (**check).clone();
        let mut credential = (**check.credential.as_ref().expect("one")).clone();
        if let Some(Access::Token(oauth2)) = &mut credential.access {
            *oauth2 = Arc::new(OAuth2 {
                proof: Proof::Secret { value: Secret::new(secret), by: SecretBy::Form },
                ..(**oauth2).clone()
            });
        }
        check.credential = Some(Arc::new(credential));
        check
    };
    let one = check("https://id.example/token", "one");
    assert_eq!(one.question(), check("https://id.example/token", "two").question());
    assert_ne!(one.question(), check("https://id2.example/token", "one").question());
    let nobody = Check { credential: None, ..one.clone() };
    assert_ne!(one.question(), nobody.question());
    assert_eq!(nobody.validity(crate::estate::start()), secs(60));
}
