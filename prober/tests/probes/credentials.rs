//! What proves who asks: headers, tokens that checks share, and whose trouble it is when there is none.

use crate::{
    identity::{client, issues, key, of, parts, says},
    servers::{Server, answer, head, nobody, ok},
    setting::{check, failed, message, noon, probe, prober, request},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    Access, Algorithm, Basic, Check, Credential, FailureKind::*, Layer, Outcome, Proof, Secret, Verdict,
    judge,
};
use rcgen::KeyPair;
use ring::signature::{self, KeyPair as _, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::io::AsyncWriteExt;

const PKCS8: &str = include_str!("keys/rsa.pkcs8.pem");
const PKCS1: &str = include_str!("keys/rsa.pkcs1.pem");

fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    request.lines().filter_map(|line| line.strip_prefix(&format!("{name}: "))).collect()
}

fn with(access: Access) -> Arc<Credential> {
    Arc::new(Credential { access: Some(access), certificate: None })
}

/// An API that takes these tokens, and tells by 401 that it takes no others.
async fn takes(tokens: &'static [&'static str]) -> Server {
    Server::start(move |mut stream| async move {
        let request = head(&mut stream).await;
        let shown = header(&request, "authorization").first().copied().unwrap_or_default().to_owned();
        let token = shown.strip_prefix("Bearer ").unwrap_or_default();
        let said = if tokens.contains(&token) { ok("{}") } else { answer("401 Unauthorized", "{}") };
        stream.write_all(said.as_bytes()).await.ok();
        stream.shutdown().await.ok();
    })
    .await
}

#[tokio::test]
async fn a_key_goes_into_its_header_and_a_password_into_authorization() {
    let (server, mut heard) = Server::listens().await;
    let mut check = check(&server.url());
    let key = Access::ApiKey { header: "apikey".to_owned(), value: Secret::new("the key of ours") };
    check.credential = Some(with(key));
    assert_eq!(failed(&probe(&check).await), None);
    assert_eq!(header(&heard.recv().await.unwrap(), "apikey"), ["the key of ours"]);

    check.credential =
        Some(with(Access::Basic(Basic { user: "curiad".to_owned(), password: Secret::new("gair: cudd") })));
    assert_eq!(failed(&probe(&check).await), None);
    let expected = format!("Basic {}", STANDARD.encode("curiad:gair: cudd"));
    assert_eq!(header(&heard.recv().await.unwrap(), "authorization"), [expected]);
}

#[tokio::test]
async fn a_token_is_fetched_once_for_all_checks_of_a_client() {
    let (endpoint, mut forms) = issues("3600").await;
    let api = takes(&["t1"]).await;
    let prober = prober();
    let twenty = (0..20).map(|number| {
        let mut check = check(&api.url());
        request(&mut check).path = format!("/{number}");
        check.credential = Some(of(client(&endpoint)));
        let prober = &prober;
        async move { prober.probe(&check, noon(), false).await }
    });
    let mut outcomes = Vec::new();
    for at_once in all(twenty.collect()).await {
        outcomes.push(failed(&at_once));
    }
    assert_eq!(outcomes, vec![None; 20]);
    assert_eq!(endpoint.accepted(), 1, "one flight, one token");
    let form = forms.recv().await.unwrap();
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        ("curiad", "s3cret of the client")
    );

    // Another client has another.
    let mut other = check(&api.url());
    other.credential = Some(of(domain::OAuth2 { client_id: "other".to_owned(), ..client(&endpoint) }));
    assert_eq!(failed(&prober.probe(&other, noon(), false).await), Some((Layer::Gateway, AccessRefused)));
    assert_eq!(endpoint.accepted(), 2);
}

/// All at once.
async fn all<F: Future<Output = Outcome>>(probes: Vec<F>) -> Vec<Outcome> {
    let mut probes: Vec<_> = probes.into_iter().map(|probe| (Box::pin(probe), None)).collect();
    std::future::poll_fn(move |context| {
        for (probe, seen) in &mut probes {
            if seen.is_none()
                && let std::task::Poll::Ready(outcome) = probe.as_mut().poll(context)
            {
                *seen = Some(outcome);
            }
        }
        if probes.iter().all(|(_, seen)| seen.is_some()) {
            return std::task::Poll::Ready(probes.iter_mut().filter_map(|(_, seen)| seen.take()).collect());
        }
        std::task::Poll::Pending
    })
    .await
}

#[tokio::test]
async fn the_time_of_a_token_is_no_part_of_the_apis() {
    const SLOW: Duration = Duration::from_millis(400);
    let endpoint = Server::start(|mut stream| async move {
        head(&mut stream).await;
        tokio::time::sleep(SLOW).await;
        stream.write_all(ok(r#"{"access_token":"t1"}"#).as_bytes()).await.ok();
        stream.shutdown().await.ok();
    })
    .await;
    let api = takes(&["t1"]).await;
    let mut check = Check { slow: SLOW, timeout: Duration::from_millis(450), ..check(&api.url()) };
    check.credential = Some(of(client(&endpoint)));
    let outcome = probe(&check).await;
    assert_eq!((failed(&outcome), judge(&outcome, SLOW)), (None, Verdict::Pass), "{outcome:?}");
    assert!(outcome.at >= noon() + SLOW, "it began when there was a token: {}", outcome.at);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_its_issuer_may_be_down_a_while() {
    let (endpoint, _forms) = says(|number| match number {
        1 => answer("200 OK", r#"{"access_token":"t1","expires_in":"2"}"#),
        2 => answer("503 Service Unavailable", "down"),
        _ => answer("200 OK", r#"{"access_token":"t3","expires_in":3600}"#),
    })
    .await;
    let api = takes(&["t1", "t3"]).await;
    let (prober, mut check) = (prober(), check(&api.url()));
    check.credential = Some(of(client(&endpoint)));
    let mut failures = 0;
    // The renewal that fails hurts nobody as long as the token is good; after that there is a second or less without.
    while endpoint.accepted() < 3 {
        let outcome = prober.probe(&check, noon(), false).await;
        if endpoint.accepted() == 1 {
            assert_eq!(failed(&outcome), None);
        }
        if let Some(seen) = failed(&outcome) {
            let layer = if failures == 0 { Layer::Token } else { Layer::Ours };
            assert_eq!(seen, (layer, TokenBroken), "what is remembered is nothing new");
            failures += 1;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(failures > 0, "an endpoint that just failed is left alone");
    assert_eq!(failed(&prober.probe(&check, noon(), false).await), None);
}

#[tokio::test]
async fn a_token_that_is_refused_before_its_time_is_fetched_anew_once() {
    let (endpoint, _forms) = issues("3").await;
    let api = takes(&["t2"]).await;
    let (prober, mut check) = (prober(), check(&api.url()));
    check.credential = Some(of(client(&endpoint)));
    let first = prober.probe(&check, noon(), false).await;
    assert_eq!(failed(&first), Some((Layer::Gateway, AccessRefused)), "so fresh a token will not get better");
    assert_eq!((endpoint.accepted(), api.accepted()), (1, 1));
    let mut last = first;
    while endpoint.accepted() == 1 {
        last = prober.probe(&check, noon(), false).await;
    }
    assert_eq!(failed(&last), None, "{}", message(&last));

    // One that refuses every token costs one more request, not a flood.
    let stubborn = takes(&[]).await;
    let (endpoint, _forms) = issues("3").await;
    check.url = stubborn.url();
    check.credential = Some(of(client(&endpoint)));
    while endpoint.accepted() < 2 {
        last = prober.probe(&check, noon(), false).await;
    }
    assert_eq!(failed(&last), Some((Layer::Gateway, AccessRefused)));
    assert!(message(&last).ends_with("; a fresh token is refused, too"), "{}", message(&last));
    let asked = stubborn.accepted();
    prober.probe(&check, noon(), false).await;
    assert_eq!((endpoint.accepted(), stubborn.accepted()), (2, asked + 1));
}

/// What is seen when the token endpoint answers so.
async fn without_token(said: String) -> Outcome {
    let (endpoint, _forms) = says(move |_| said.clone()).await;
    let api = takes(&["t1"]).await;
    let mut check = check(&api.url());
    check.credential = Some(of(client(&endpoint)));
    let outcome = probe(&check).await;
    assert_eq!(api.accepted(), 0, "nothing is sent without one");
    assert_eq!((outcome.request_id.as_deref(), outcome.total), (None, Duration::ZERO));
    assert!(!message(&outcome).contains("s3cret"), "{}", message(&outcome));
    outcome
}

#[tokio::test]
async fn a_refusal_of_our_credential_is_ours_and_what_is_broken_is_the_endpoints() {
    let refusals = [
        (
            "400 Bad Request",
            r#"{"error":"invalid_grant","error_description":"curiad / s3cret"}"#,
            "400 invalid_grant",
        ),
        ("401 Unauthorized", r#"{"error":"invalid_client"}"#, "401 invalid_client"),
        ("401 Unauthorized", r#"{"error":"no secret like s3cret"}"#, "401"),
        ("403 Forbidden", "<html>", "403"),
    ];
    for (status, body, told) in refusals {
        let outcome = without_token(answer(status, body)).await;
        assert_eq!(failed(&outcome), Some((Layer::Ours, CredentialRefused)), "{status}");
        assert_eq!(judge(&outcome, Duration::MAX), Verdict::Inconclusive);
        assert!(
            message(&outcome).ends_with(&format!("refuses our credential: {told}")),
            "{}",
            message(&outcome)
        );
    }
    let broken = [
        (answer("500 Internal Server Error", "{}"), "answers 500"),
        (answer("503 Service Unavailable", ""), "answers 503"),
        (answer("404 Not Found", ""), "answers 404"),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "answers 302: it leads elsewhere, and credentials do not follow",
        ),
        (ok("<html>sign in</html>"), "answers with something that is not JSON"),
        (ok(r#"{"token":"t1"}"#), "answers without an access_token"),
        (ok(r#"{"access_token":""}"#), "answers without an access_token"),
        (ok(r#"{"access_token":"t1","token_type":"mac"}"#), "gives a token that is no bearer token"),
        (ok("{\"access_token\":\"t\\n1\"}"), "gives a token that no header can hold"),
        (ok(&"x".repeat(70_000)), "answers with more than 65536 bytes"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{".to_owned(), "breaks off in its answer"),
    ];
    for (said, told) in broken {
        let outcome = without_token(said).await;
        assert_eq!(failed(&outcome), Some((Layer::Token, TokenBroken)), "{told}");
        assert_eq!(judge(&outcome, Duration::MAX), Verdict::Fail);
        assert!(message(&outcome).ends_with(told), "{}", message(&outcome));
    }
    let outcome = without_token(answer("429 Too Many Requests", "")).await;
    assert_eq!(failed(&outcome), Some((Layer::Token, RateLimited)));
    assert_eq!(judge(&outcome, Duration::MAX), Verdict::Inconclusive);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_is_a_failure_of_tokens() {
    let api = takes(&["t1"]).await;
    let hangs = Server::start(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let (endpoint, _forms) = issues("60").await;
    for (url, told) in [
        (format!("http://{}/token", nobody()), "Connection refused"),
        (format!("{}/token", hangs.url()), "no answer within 5 s"),
        (format!("https://127.0.0.1:{}/token", endpoint.address.port()), ""),
    ] {
        let mut check = check(&api.url());
        check.credential = Some(of(domain::OAuth2 { token_url: url.clone(), ..client(&endpoint) }));
        let outcome = probe(&check).await;
        assert_eq!(failed(&outcome), Some((Layer::Token, TokenUnreachable)), "{url}");
        assert!(
            message(&outcome).contains(&url) && message(&outcome).contains(told),
            "{}",
            message(&outcome)
        );
    }
    assert_eq!(api.accepted(), 0);
}

#[tokio::test]
async fn what_an_issuer_says_of_a_tokens_life_is_bounded() {
    for said in ["null", "0", "-5", "1e400", "\"soon\"", "[]", "99999999999999999999", "\" 600 \""] {
        let (endpoint, _forms) =
            says(move |_| ok(&format!(r#"{{"access_token":"t1","expires_in":{said}}}"#))).await;
        let lasts = prober().sign_in(&of(client(&endpoint))).await;
        if said == "1e400" {
            // serde_json reads no such number: then the whole is no JSON.
            assert_eq!(lasts.unwrap_err().kind, TokenBroken);
            continue;
        }
        let lasts = lasts.unwrap().unwrap();
        assert!(lasts > Duration::from_secs(280) && lasts < Duration::from_secs(86_400), "{said}: {lasts:?}");
    }
}

/// An assertion that arrived at the endpoint, and the form it came in.
async fn asserted(
    proof: Proof,
    audience: Option<&str>,
) -> (String, std::collections::HashMap<String, String>) {
    let (endpoint, mut forms) = issues("60").await;
    let mut oauth2 = domain::OAuth2 { proof, audience: audience.map(str::to_owned), ..client(&endpoint) };
    oauth2.scope = Some("read write".to_owned());
    prober().sign_in(&of(oauth2.clone())).await.unwrap();
    (oauth2.token_url, forms.recv().await.unwrap())
}

fn verified(jwt: &str, algorithm: &'static dyn VerificationAlgorithm, public: &[u8]) {
    let (signed, _, _, signature) = parts(jwt);
    UnparsedPublicKey::new(algorithm, public)
        .verify(signed.as_bytes(), &signature)
        .expect("a good signature");
}

#[tokio::test]
async fn a_client_proves_itself_by_an_assertion_signed_with_its_key() {
    let pair = RsaKeyPair::from_pkcs8(
        PrivatePkcs8KeyDer::from_pem_slice(PKCS8.as_bytes()).unwrap().secret_pkcs8_der(),
    );
    let public = pair.unwrap().public_key().as_ref().to_vec();
    let rsa: [(Algorithm, &'static dyn VerificationAlgorithm); 3] = [
        (Algorithm::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256),
        (Algorithm::Rs384, &signature::RSA_PKCS1_2048_8192_SHA384),
        (Algorithm::Rs512, &signature::RSA_PKCS1_2048_8192_SHA512),
    ];
    let mut ids = HashSet::new();
    for pem in [PKCS8, PKCS1] {
        for (algorithm, verification) in rsa {
            let (token_url, form) = asserted(Proof::PrivateKeyJwt(key(pem, algorithm)), None).await;
            assert_eq!(form["grant_type"], "client_credentials");
            assert_eq!(
                form["client_assertion_type"],
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            assert_eq!((form["scope"].as_str(), form.len()), ("read write", 4), "{form:?}");
            let jwt = &form["client_assertion"];
            verified(jwt, verification, &public);
            let (_, header, claims, _) = parts(jwt);
            assert_eq!(
                header,
                serde_json::json!({ "alg": algorithm.word(), "typ": "JWT", "kid": "curiad-1" })
            );
            assert_eq!((&claims["iss"], &claims["sub"]), (&"curiad".into(), &"curiad".into()));
            assert_eq!(claims["aud"], token_url);
            let (begins, ends) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
            assert!((0..60).contains(&(begins - noon().as_second())), "{begins}");
            assert!(0 < ends - begins && ends - begins <= 300, "{claims}");
            assert_eq!(claims.as_object().unwrap().len(), 6, "{claims}");
            let id = claims["jti"].as_str().unwrap().to_owned();
            assert!(uuid::Uuid::try_parse(&id).is_ok() && ids.insert(id), "fresh each time");
        }
    }
}

#[tokio::test]
async fn an_assertion_may_be_elliptic_be_the_grant_itself_and_be_made_out_to_another() {
    let curves: [(Algorithm, &'static rcgen::SignatureAlgorithm, &'static dyn VerificationAlgorithm); 2] = [
        (Algorithm::Es256, &rcgen::PKCS_ECDSA_P256_SHA256, &signature::ECDSA_P256_SHA256_FIXED),
        (Algorithm::Es384, &rcgen::PKCS_ECDSA_P384_SHA384, &signature::ECDSA_P384_SHA384_FIXED),
    ];
    for (algorithm, curve, verification) in curves {
        let pair = KeyPair::generate_for(curve).unwrap();
        let proof = Proof::JwtBearer(key(&pair.serialize_pem(), algorithm));
        let (_, form) = asserted(proof, Some("https://id.example")).await;
        assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let jwt = &form["assertion"];
        verified(jwt, verification, pair.public_key_raw());
        assert_eq!(parts(jwt).2["aud"], "https://id.example");
        assert_eq!(form.len(), 3, "{form:?}");
    }
}

#[test]
fn a_key_that_cannot_sign_is_told_so_without_quoting_it() {
    let p256 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    let sec1 = "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n";
    for (pem, algorithm, why) in [
        ("s3cret", Algorithm::Rs512, "no PEM private key"),
        (p256.as_str(), Algorithm::Rs512, "no RSA key"),
        (p256.as_str(), Algorithm::Es384, "no EC key of the algorithm's curve"),
        (PKCS8, Algorithm::Es256, "no EC key"),
        (sec1, Algorithm::Es256, "must be PKCS#8"),
    ] {
        let said = prober::check_signing_key(&key(pem, algorithm)).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(prober::check_signing_key(&key(PKCS1, Algorithm::Rs256)), Ok(()));
}

#[tokio::test]
async fn no_secret_is_printed() {
    let mut check = check("http://127.0.0.1:1");
    check.credential = Some(of(domain::OAuth2 {
        proof: Proof::PrivateKeyJwt(key(PKCS8, Algorithm::Rs512)),
        ..client(&issues("60").await.0)
    }));
    let prepared = prober().prepare(Arc::new(check.clone()));
    let line = PKCS8.lines().nth(1).unwrap();
    for said in [format!("{check:?}"), format!("{prepared:?}"), format!("{:?}", probe(&check).await)] {
        assert!(!said.contains(line), "{said}");
    }
}
