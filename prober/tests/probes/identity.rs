//! A token endpoint that does as a test says, and credentials for it.

use crate::servers::{Server, answer, head};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Access, Algorithm, Credential, OAuth2, Proof, Secret, SecretBy, SigningKey};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

/// Gives the tokens `t1`, `t2` …, good for `expires_in`, and tells which forms it was sent.
pub(crate) async fn issues(expires_in: &str) -> (Server, mpsc::UnboundedReceiver<HashMap<String, String>>) {
    let expires_in = expires_in.to_owned();
    says(move |number| {
        answer(
            "200 OK",
            &format!(r#"{{"access_token":"t{number}","expires_in":{expires_in},"token_type":"Bearer"}}"#),
        )
    })
    .await
}

/// Answers the request of this number, from 1, and tells which forms it was sent.
pub(crate) async fn says(
    answer: impl Fn(usize) -> String + Send + Sync + 'static,
) -> (Server, mpsc::UnboundedReceiver<HashMap<String, String>>) {
    let (told, heard) = mpsc::unbounded_channel();
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    let server = Server::start(move |mut stream| {
        let (told, answer, count) = (told.clone(), answer.clone(), count.clone());
        async move {
            let lines = head(&mut stream).await.to_ascii_lowercase();
            let length = lines.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).await.unwrap();
            told.send(url::form_urlencoded::parse(&body).into_owned().collect()).ok();
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            stream.write_all(answer(number).as_bytes()).await.ok();
            stream.shutdown().await.ok();
        }
    })
    .await;
    (server, heard)
}

/// The client `curiad` of this endpoint, with a secret.
pub(crate) fn client(endpoint: &Server) -> OAuth2 {
    OAuth2 {
        token_url: format!("{}/oauth2/token", endpoint.url()),
        client_id: "curiad".to_owned(),
        proof: Proof::Secret { value: Secret::new("s3cret of the client"), by: SecretBy::Form },
        scope: None,
        audience: None,
    }
}

pub(crate) fn of(oauth2: OAuth2) -> Arc<Credential> {
    Arc::new(Credential { access: Some(Access::Token(Arc::new(oauth2))), certificate: None })
}

pub(crate) fn key(pem: &str, algorithm: Algorithm) -> SigningKey {
    SigningKey { pem: Secret::new(pem), kid: Some("curiad-1".to_owned()), algorithm }
}

/// The parts of a JWT: what was signed, its header, its claims, its signature.
pub(crate) fn parts(jwt: &str) -> (String, Value, Value, Vec<u8>) {
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let json = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (signed.to_owned(), json(header), json(claims), URL_SAFE_NO_PAD.decode(signature).unwrap())
}
