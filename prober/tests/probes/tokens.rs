//! Token endpoints: their names, their addresses, and that one who is silent keeps no token from anybody else.

use crate::{
    identity::{client, issues, of, says},
    names::{Does, NameServer},
    servers::{Server, answer, ok},
    setting::{check, check_id, failed, message, noon, prober},
};
use domain::{Check, Credential, Failure, FailureKind, Layer, OAuth2, PrivateAddresses, Verdict, judge};
use prober::Prober;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// What comes of asking for a token at this URL, its name looked up there.
async fn asked(does: Does, url: &str) -> Result<Option<Duration>, Failure> {
    let names = NameServer::start(does).await;
    let (endpoint, _forms) = issues("60").await;
    let url = url.replace("PORT", &endpoint.address.port().to_string());
    let credential = of(OAuth2 { token_url: url, ..client(&endpoint) });
    names.prober_with(PrivateAddresses::AsWritten).sign_in(&credential).await
}

#[tokio::test]
async fn their_names_are_looked_up_as_those_of_apis_are() {
    let url = "http://id.wales:PORT/token";
    assert!(asked(Does::Tells, url).await.is_ok());
    for (does, layer, kind, told) in [
        (Does::IsMute, Layer::Ours, FailureKind::NoResolver, "no connection to the token endpoint"),
        (Does::Code(3), Layer::Token, FailureKind::TokenUnreachable, "the name 'id.wales' does not exist"),
        (Does::IgnoresTheName, Layer::Token, FailureKind::TokenUnreachable, "cannot be reached"),
        (Does::TellsMetadata, Layer::Ours, FailureKind::AddressRefused, "169.254.169.254 is a link-local"),
    ] {
        let failure = asked(does, url).await.unwrap_err();
        assert_eq!((failure.layer, failure.kind), (layer, kind), "{}", failure.message);
        assert!(failure.message.contains(told), "{}", failure.message);
    }
    let failure = asked(Does::Tells, "http://169.254.169.254/token").await.unwrap_err();
    assert_eq!((failure.layer, failure.kind), (Layer::Ours, FailureKind::AddressRefused));
}

#[tokio::test]
async fn one_that_is_silent_keeps_no_token_from_the_clients_of_others() {
    const CLIENTS: usize = 200;
    let silent = Server::start(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let (speaks, _forms) = issues("60").await;
    let prober = Arc::new(prober());
    let mut waiting = JoinSet::new();
    let named = |number: usize| -> Arc<Credential> {
        of(OAuth2 { client_id: format!("client-{number}"), ..client(&silent) })
    };
    let began = Instant::now();
    for credential in (0..CLIENTS).map(named) {
        let prober = prober.clone();
        waiting.spawn(async move { prober.sign_in(&credential).await });
    }
    while silent.accepted() < 4 {
        tokio::task::yield_now().await;
    }
    // All of them want one now, and the others are served before one of them is through with waiting.
    for number in 0..40 {
        let credential = of(OAuth2 { client_id: format!("client-{number}"), ..client(&speaks) });
        assert!(prober.sign_in(&credential).await.is_ok());
    }
    assert!(waiting.try_join_next().is_none(), "nobody has waited in vain so far");
    while let Some(asked) = waiting.join_next().await {
        let failure = asked.unwrap().unwrap_err();
        let seen = (failure.layer, failure.kind);
        assert_eq!(seen, (Layer::Token, FailureKind::TokenUnreachable), "{}", failure.message);
    }
    assert_eq!(silent.accepted(), 4, "what these found out holds for all");
    assert!(began.elapsed() < Duration::from_secs(30), "and nobody waits in a row: {:?}", began.elapsed());
}

#[tokio::test]
async fn one_that_says_when_to_ask_again_is_left_alone_until_then() {
    let (endpoint, _forms) = says(|_| {
        let status = "503 Service Unavailable\r\nRetry-After: Fri, 20 Nov 2026 12:02:00 GMT";
        answer(status, "{}")
    })
    .await;
    let prober = prober();
    let credential = of(client(&endpoint));
    let began = Instant::now();
    // Without it, it would be asked again after a second.
    while began.elapsed() < Duration::from_millis(1_500) {
        let failure = prober.sign_in(&credential).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::TokenBroken, "{}", failure.message);
        tokio::task::yield_now().await;
    }
    assert_eq!(endpoint.accepted(), 1);
}

const DOWN: Option<(Layer, FailureKind)> = Some((Layer::Token, FailureKind::TokenBroken));

/// As long as an endpoint that fails is left alone by all, and a little more.
const SECOND: Duration = Duration::from_millis(1_100);

/// A check of this name that needs tokens of this endpoint, and an API that takes whatever comes.
async fn needs(endpoint: &Server, name: &str) -> (Check, Server) {
    let api = Server::says(ok("{}")).await;
    (Check { id: check_id(name), credential: Some(of(client(endpoint))), ..check(&api.url()) }, api)
}

/// Nothing new is known, and that is no failure.
async fn is_told_nothing_new(prober: &Prober, check: &Check, confirm: bool) {
    let outcome = prober.probe(check, noon(), confirm).await;
    assert_eq!(judge(&outcome, Duration::MAX), Verdict::Inconclusive, "{outcome:?}");
    assert!(message(&outcome).ends_with("until it is asked again nothing new is known"), "{outcome:?}");
}

#[tokio::test]
async fn one_bad_answer_is_one_observation_and_what_confirms_it_asks_again() {
    let (endpoint, _forms) = says(|number| match number {
        1 => answer("503 Service Unavailable\r\nRetry-After: 60", ""),
        _ => ok(r#"{"access_token":"t1","expires_in":3600}"#),
    })
    .await;
    let prober = prober();
    let (one, _api) = needs(&endpoint, "one").await;
    assert_eq!(failed(&prober.probe(&one, noon(), false).await), DOWN);
    is_told_nothing_new(&prober, &one, false).await;
    is_told_nothing_new(&prober, &one, true).await;
    // To another it is new; once.
    let (other, _other_api) = needs(&endpoint, "other").await;
    assert_eq!(failed(&prober.probe(&other, noon(), false).await), DOWN);
    is_told_nothing_new(&prober, &other, false).await;
    tokio::time::sleep(SECOND).await;
    is_told_nothing_new(&prober, &one, false).await;
    assert_eq!(endpoint.accepted(), 1, "it asked to be left alone");
    let outcome = prober.probe(&one, noon(), true).await;
    assert_eq!((failed(&outcome), endpoint.accepted()), (None, 2), "{outcome:?}");
    assert_eq!(failed(&prober.probe(&other, noon(), false).await), None);
}

#[tokio::test]
async fn one_that_is_down_is_seen_to_be_and_many_that_confirm_it_ask_once() {
    let (endpoint, _forms) = says(|_| answer("503 Service Unavailable\r\nRetry-After: 60", "")).await;
    let prober = Arc::new(prober());
    let (first, _api) = needs(&endpoint, "first").await;
    assert_eq!(failed(&prober.probe(&first, noon(), false).await), DOWN);
    tokio::time::sleep(SECOND).await;
    let mut confirming = JoinSet::new();
    for number in 0..20 {
        let (prober, url) = (prober.clone(), first.url.clone());
        let id = check_id(&format!("c{number}"));
        let check = Check { id, url, credential: first.credential.clone(), ..first.clone() };
        confirming.spawn(async move { prober.probe(&check, noon(), true).await });
    }
    while let Some(outcome) = confirming.join_next().await {
        assert_eq!(failed(&outcome.unwrap()), DOWN, "it was asked for them");
    }
    assert_eq!(endpoint.accepted(), 2);
}

#[tokio::test]
async fn what_was_waited_for_in_vain_confirms_nothing() {
    let silent = Server::start(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let prober = prober();
    let (check, _api) = needs(&silent, "one").await;
    let unreachable = Some((Layer::Token, FailureKind::TokenUnreachable));
    assert_eq!(failed(&prober.probe(&check, noon(), false).await), unreachable);
    tokio::time::sleep(SECOND).await;
    is_told_nothing_new(&prober, &check, true).await;
    assert_eq!(silent.accepted(), 1);
}

#[tokio::test]
async fn a_gateway_before_it_may_say_more_than_its_status() {
    let fault =
        |code: &str| format!(r#"{{"fault":{{"faultstring":"x","detail":{{"errorcode":"{code}"}}}}}}"#);
    for (status, code, layer, kind) in [
        ("500 Oh", "oauth.v2.InvalidClientIdentifier", Layer::Ours, FailureKind::CredentialRefused),
        ("401 No", "oauth.v2.InvalidClientIdentifier", Layer::Ours, FailureKind::CredentialRefused),
        ("500 Oh", "policies.ratelimit.SpikeArrestViolation", Layer::Token, FailureKind::RateLimited),
        ("503 Oh", "messaging.adaptors.http.flow.ServiceUnavailable", Layer::Token, FailureKind::TokenBroken),
        ("500 Oh", "steps.javascript.ScriptExecutionFailed", Layer::Token, FailureKind::TokenBroken),
    ] {
        let body = fault(code);
        let (endpoint, _forms) = says(move |_| answer(status, &body)).await;
        let (check, _api) = needs(&endpoint, "one").await;
        let prober = prober();
        let outcome = prober.probe(&check, noon(), false).await;
        assert_eq!(failed(&outcome), Some((layer, kind)), "{status} {code}: {}", message(&outcome));
        let says_code = status == "500 Oh" && kind != FailureKind::TokenBroken;
        assert!(!says_code || message(&outcome).contains(code), "{}", message(&outcome));
        if kind == FailureKind::TokenBroken {
            continue;
        }
        // Some endpoints lock who fails often: to confirm something is no reason to ask either.
        tokio::time::sleep(SECOND).await;
        assert_eq!(failed(&prober.probe(&check, noon(), true).await), Some((layer, kind)));
        assert_eq!(endpoint.accepted(), 1);
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_token_is_none_of_it() {
    let (endpoint, _forms) = says(|_| ok("\u{feff}{\"access_token\":\"t1\"}")).await;
    assert!(prober().sign_in(&of(client(&endpoint))).await.is_ok());
}
