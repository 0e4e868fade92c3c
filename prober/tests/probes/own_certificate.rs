//! A certificate of ours, for servers and token endpoints that ask for one.

use crate::{
    certificates::{Authority, Keyed, probed, secure},
    identity::client,
    servers::Server,
    setting::{change, failed, message, noon},
};
use domain::{
    Access, Check, ClientCertificate, Credential, FailureKind, Layer, MllpRequest, OAuth2, Request, Secret,
    TcpRequest,
};
use std::sync::Arc;

const VERSIONS: [&rustls::SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

fn showing(check: Check, shown: &Keyed) -> Check {
    let credential = Credential { access: None, certificate: Some(shown.shown()) };
    Check { credential: Some(Arc::new(credential)), ..check }
}

const OURS: (Layer, FailureKind) = (Layer::Ours, FailureKind::ClientCertificate);

#[tokio::test]
async fn it_is_shown_to_who_asks_for_it() {
    let authority = Authority::new();
    for version in VERSIONS {
        let server = authority.wants(version).await;
        let check = showing(secure(&server, "localhost"), &authority.signs(&["curiad"], 2026, 2027));
        let outcome = probed(&authority, &check).await;
        assert_eq!(failed(&outcome), None, "{version:?}: {}", message(&outcome));
        let credential = check.credential.unwrap();
        assert_eq!(authority.prober().sign_in(&credential).await, Ok(None), "there is no token to be had");
    }
}

#[tokio::test]
async fn one_that_is_refused_is_our_own_trouble() {
    let (authority, another) = (Authority::new(), Authority::new());
    for version in VERSIONS {
        let server = authority.wants(version).await;
        let check = showing(secure(&server, "localhost"), &another.signs(&["curiad"], 2026, 2027));
        let outcome = probed(&authority, &check).await;
        assert_eq!(failed(&outcome), Some(OURS), "{version:?}: {}", message(&outcome));
        assert_eq!(message(&outcome), "the server refuses our client certificate");
    }
}

#[tokio::test]
async fn what_is_not_http_hears_of_it_too_also_after_the_handshake() {
    let (authority, another) = (Authority::new(), Authority::new());
    let message_of_nobody = "MSH|^~\\&|A|B|C|D|||ADT^A04|1|T|2.5\r".to_owned();
    let mllp = Request::Mllp(MllpRequest { message: message_of_nobody });
    let tcp =
        TcpRequest { send: b"PING\r\n\r\n".to_vec(), receive: b"200 OK".to_vec(), ..TcpRequest::default() };
    for (request, version) in
        [mllp, Request::Tcp(tcp)].iter().flat_map(|request| VERSIONS.map(|v| (request, v)))
    {
        let server = authority.wants(version).await;
        let mut check = secure(&server, "localhost");
        check.url = check.url.replace("https:", "tls:");
        change(&mut check).request = request.clone();
        let outcome = probed(&authority, &check).await;
        assert_eq!(failed(&outcome), Some(OURS), "{version:?} {request:?}: {}", message(&outcome));
        assert_eq!(message(&outcome), "the server wants a client certificate and we have none");
        let refused = showing(check.clone(), &another.signs(&["curiad"], 2026, 2027));
        let outcome = probed(&authority, &refused).await;
        assert_eq!(failed(&outcome), Some(OURS), "{version:?} {request:?}: {}", message(&outcome));
        assert_eq!(message(&outcome), "the server refuses our client certificate");
    }
    let server = authority.wants(&rustls::version::TLS13).await;
    let mut check = secure(&server, "localhost");
    check.url = check.url.replace("https:", "tls:");
    let tcp =
        TcpRequest { send: b"PING\r\n\r\n".to_vec(), receive: b"200 OK".to_vec(), ..TcpRequest::default() };
    change(&mut check).request = Request::Tcp(tcp);
    let check = showing(check, &authority.signs(&["curiad"], 2026, 2027));
    let outcome = probed(&authority, &check).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
}

#[tokio::test]
async fn one_that_is_over_is_not_shown_to_anybody() {
    let authority = Authority::new();
    let server = authority.wants(&rustls::version::TLS13).await;
    let check = showing(secure(&server, "localhost"), &authority.signs(&["curiad"], 2024, 2025));
    let outcome = probed(&authority, &check).await;
    assert_eq!(failed(&outcome), Some(OURS));
    assert!(
        message(&outcome).starts_with("our own client certificate ended on 2025-01-01"),
        "{}",
        message(&outcome)
    );
    assert_eq!(server.accepted(), 0);
    let failure = authority.prober().sign_in(&check.credential.unwrap()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::ClientCertificate);
}

#[tokio::test]
async fn a_token_endpoint_is_shown_it_too() {
    let authority = Authority::new();
    for version in VERSIONS {
        let endpoint = authority.wants(version).await;
        let oauth2 = |endpoint: &Server| OAuth2 {
            token_url: format!("https://localhost:{}/token", endpoint.address.port()),
            ..client(endpoint)
        };
        let credential = |certificate| Credential {
            access: Some(Access::Token(Arc::new(oauth2(&endpoint)))),
            certificate,
        };
        // It says `{}` to all it lets in.
        let shown = authority.signs(&["curiad"], 2026, 2027).shown();
        let failure = authority.prober().sign_in(&credential(Some(shown))).await.unwrap_err();
        assert!(failure.message.ends_with("answers without an access_token"), "{}", failure.message);
        let failure = authority.prober().sign_in(&credential(None)).await.unwrap_err();
        assert_eq!((failure.layer, failure.kind), OURS, "{}", failure.message);
        let trusted = Authority::new().prober().sign_in(&credential(None)).await.unwrap_err();
        assert_eq!((trusted.layer, trusted.kind), (Layer::Token, FailureKind::TokenBroken));
        assert!(trusted.message.contains("shows a bad certificate"), "{}", trusted.message);
    }
    // HTTP/2 would keep the reason to itself.
    let both = authority.wants_over(&["h2", "http/1.1"]).await;
    let credential = Credential {
        access: Some(Access::Token(Arc::new(OAuth2 {
            token_url: format!("https://localhost:{}/token", both.address.port()),
            ..client(&both)
        }))),
        certificate: None,
    };
    let failure = authority.prober().sign_in(&credential).await.unwrap_err();
    assert_eq!((failure.layer, failure.kind), OURS, "{}", failure.message);
    assert!(noon() < "2027-01-01T00:00:00Z".parse().unwrap());
}

#[test]
fn one_that_cannot_be_used_is_told_so_without_quoting_it() {
    let authority = Authority::new();
    let (one, other) = (authority.signs(&["a"], 2026, 2027), authority.signs(&["b"], 2026, 2027));
    let (one, other) = (one.shown(), other.shown());
    let with = |chain: &Secret, key: &Secret| ClientCertificate {
        chain: chain.clone(),
        key: key.clone(),
        ends: None,
    };
    let nothing = Secret::new("s3cret");
    for (certificate, why) in [
        (with(&one.chain, &other.key), "this key is not the certificate's"),
        (with(&one.chain, &nothing), "there is no PEM private key in it"),
        (with(&nothing, &one.key), "there is no PEM certificate in it"),
    ] {
        let said = prober::check_client_certificate(&certificate).unwrap_err();
        assert!(said.starts_with(why), "{said}");
    }
    assert_eq!(prober::check_client_certificate(&one), Ok(()));
    assert_eq!(prober::certificate_ends(one.chain.reveal()), Ok("2027-01-01T00:00:00Z".parse().unwrap()));
}
