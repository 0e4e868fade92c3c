//! A client's secret, by HTTP Basic: the way that every token endpoint must know (RFC 6749 §2.3.1).

use crate::{
    identity::{client, of},
    servers::{Server, answer, head, ok},
    setting::{check, failed, message, noon, prober},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Check, FailureKind::*, Layer, OAuth2, Proof, Secret, SecretBy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A token endpoint that takes the secret by HTTP Basic alone, and no form that names the client beside it.
async fn strict() -> Server {
    Server::start(|mut stream| async move {
        let lines = head(&mut stream).await;
        let length = lines
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        let mut form = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut form).await.unwrap();
        let basic = STANDARD.encode("curiad%3Awales:s3cret+%26+%25+%C5%B7");
        let proved =
            lines.lines().any(|line| line.eq_ignore_ascii_case(&format!("authorization: Basic {basic}")));
        let said = if proved && form == b"grant_type=client_credentials&scope=read" {
            answer("200 OK", r#"{"access_token":"t1","expires_in":300,"token_type":"Bearer"}"#)
        } else {
            answer("401 Unauthorized", r#"{"error":"invalid_client"}"#)
        };
        stream.write_all(said.as_bytes()).await.ok();
        stream.shutdown().await.ok();
    })
    .await
}

#[tokio::test]
async fn an_endpoint_that_takes_the_secret_by_http_basic_alone_gives_tokens() {
    let (endpoint, api) = (strict().await, Server::says(ok("{}")).await);
    for (by, expected) in [(SecretBy::Basic, None), (SecretBy::Form, Some((Layer::Ours, CredentialRefused)))]
    {
        let oauth2 = OAuth2 {
            client_id: "curiad:wales".to_owned(),
            proof: Proof::Secret { value: Secret::new("s3cret & % ŷ"), by },
            scope: Some("read".to_owned()),
            ..client(&endpoint)
        };
        let check = Check { credential: Some(of(oauth2)), ..check(&api.url()) };
        let outcome = prober().probe(&check, noon(), false).await;
        assert_eq!(failed(&outcome), expected, "{by:?}: {}", message(&outcome));
    }
}
