//! Token endpoints: their names, their addresses, and that one who is silent keeps no token from anybody else.

use crate::{
    identity::{client, issues, of, says},
    names::{Does, NameServer},
    servers::{Server, answer},
    setting::prober,
};
use domain::{Credential, Failure, FailureKind, Layer, OAuth2, PrivateAddresses};
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
