//! Through a proxy: what it does not give is ours, what it could not reach is the target's.

use crate::{
    certificates::Authority,
    identity::{client, of, says as issues},
    names::{Does, NameServer},
    protocols::{MESSAGE, receiver},
    servers::{Server, answer, head, nobody, ok},
    setting::{change, check, failed, impatient, message, noon, settings},
};
use domain::{
    Basic, Check, FailureKind::*, Guard, Guards, Layer, MllpRequest, Outcome, PrivateAddresses, Request,
    Secret, Sight, TcpRequest, Verdict, judge,
};
use prober::{NameServers, Prober};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
};

/// What a proxy was asked.
type Asked = Arc<Mutex<Vec<String>>>;

/// A proxy that leads every name to one address, and whatever is not to be reached to none.
async fn proxy_to(target: SocketAddr) -> (Server, Asked) {
    proxy_for(None, target).await
}

/// The same for whoever sends this line of the head; `None`: for anybody.
async fn proxy_for(whom: Option<&'static str>, target: SocketAddr) -> (Server, Asked) {
    let asked = Asked::default();
    let noted = asked.clone();
    let server = Server::start(move |mut client| {
        let noted = noted.clone();
        async move {
            let request = head(&mut client).await;
            let line = request.lines().next().unwrap_or_default().to_owned();
            let gone = line.contains("gone.");
            if whom.is_some_and(|whom| !request.lines().any(|line| line == whom)) {
                client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.ok();
                return;
            }
            noted.lock().unwrap().push(line);
            let target = if gone { Err(()) } else { TcpStream::connect(target).await.map_err(drop) };
            let Ok(mut target) = target else {
                client.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await.ok();
                return;
            };
            client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n").await.unwrap();
            copy_bidirectional(&mut client, &mut target).await.ok();
        }
    })
    .await;
    (server, asked)
}

fn proxy(address: SocketAddr) -> domain::Proxy {
    domain::Proxy { host: address.ip().to_string(), port: address.port(), basic: None, except: Vec::new() }
}

pub(crate) fn through(address: SocketAddr) -> prober::Settings {
    let mut settings = settings();
    settings.egress.proxy = Some(proxy(address));
    settings
}

pub(crate) async fn seen(settings: prober::Settings, check: &Check) -> Outcome {
    Prober::new(settings).unwrap().probe(check, noon(), false).await
}

/// Where nobody but the proxy knows the way.
pub(crate) const API: &str = "http://api.wales.example";

fn asked_first(asked: &Asked) -> String {
    asked.lock().unwrap().first().cloned().unwrap_or_default()
}

#[tokio::test]
async fn the_proxy_finds_the_name_and_the_api_answers() {
    let api = Server::says(ok("{}")).await;
    let (server, asked) = proxy_to(api.address).await;
    let mut settings = through(server.address);
    settings.transcripts = true;
    let outcome = seen(settings, &check(API)).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(asked_first(&asked), "CONNECT api.wales.example:80 HTTP/1.1");
    assert!(outcome.phases.dns.is_none() && outcome.phases.connect.is_some());
    let shown = outcome.transcript.unwrap().proxy;
    assert_eq!(shown, Some(server.address.to_string()));
}

#[tokio::test]
async fn a_proxy_that_wants_a_name_and_a_password_has_them_and_nobody_else() {
    let (api, _) = receiver("\x0bMSH|^~\\&|HUB\rMSA|AA|{id}\r\x1c\r").await;
    // "curiad:gair: cudd", by coreutils' base64.
    let whom = "Proxy-Authorization: Basic Y3VyaWFkOmdhaXI6IGN1ZGQ=";
    let mut mllp = check("tcp://hub.wales.example:2575");
    change(&mut mllp).request = Request::Mllp(MllpRequest { message: MESSAGE.to_owned() });
    for (password, told) in [
        (Some("gair: cudd"), None),
        (Some("another"), Some("does not take our name and password (status 407)")),
        (None, Some("wants a credential, which we have not (status 407)")),
    ] {
        let (server, _) = proxy_for(Some(whom), api.address).await;
        let mut settings = through(server.address);
        let basic =
            password.map(|password| Basic { user: "curiad".to_owned(), password: Secret::new(password) });
        settings.egress.proxy.as_mut().unwrap().basic = basic;
        let outcome = seen(settings, &mllp).await;
        assert_eq!(failed(&outcome), told.map(|_| (Layer::Ours, Proxy)), "{}", message(&outcome));
        assert!(message(&outcome).contains(told.unwrap_or_default()), "{}", message(&outcome));
    }
}

#[tokio::test]
async fn the_apis_own_answer_is_judged_as_ever() {
    let api = Server::says(answer("503 Service Unavailable", "")).await;
    let (server, _) = proxy_to(api.address).await;
    let outcome = seen(through(server.address), &check(API)).await;
    assert_eq!(failed(&outcome), Some((Layer::Gateway, GatewayError)), "{}", message(&outcome));
    assert_eq!(outcome.http.unwrap().status, 503);
}

#[tokio::test]
async fn http_2_and_certificates_go_through() {
    let authority = Authority::new();
    let keyed = authority.signs(&["api.wales.example"], 2026, 2027);
    let api = keyed.h2().await;
    let (server, asked) = proxy_to(api.address).await;
    let mut settings = through(server.address);
    settings.roots = vec![authority.der.clone()];
    let outcome = seen(settings.clone(), &check("https://api.wales.example")).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.http.unwrap().version, "HTTP/2");
    assert!(outcome.phases.tls.is_some());
    assert_eq!(asked_first(&asked), "CONNECT api.wales.example:443 HTTP/1.1");

    let outcome = seen(settings, &check("https://other.wales.example")).await;
    assert_eq!(failed(&outcome), Some((Layer::Tls, CertificateName)), "of the target, not of the proxy");
}

#[tokio::test]
async fn what_is_not_http_goes_through_too() {
    let api = Server::start(|mut stream| async move {
        // Whoever speaks first is heard also when it comes with the proxy's own answer.
        stream.write_all(b"220 ready\r\n").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let (server, asked) = proxy_to(api.address).await;
    let mut tcp = check("tcp://api.wales.example:2575");
    change(&mut tcp).request =
        Request::Tcp(TcpRequest { receive: b"220 ready".to_vec(), ..TcpRequest::default() });
    let outcome = seen(through(server.address), &tcp).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(asked_first(&asked), "CONNECT api.wales.example:2575 HTTP/1.1");

    let (hub, _) = receiver("\x0bMSH|^~\\&|HUB\rMSA|AA|{id}\r\x1c\r").await;
    let (server, _) = proxy_to(hub.address).await;
    let mut mllp = check("tcp://hub.wales.example:2575");
    change(&mut mllp).request = Request::Mllp(MllpRequest { message: MESSAGE.to_owned() });
    let outcome = seen(through(server.address), &mllp).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
}

/// A proxy that says these bytes to whoever asks, then closes or hangs.
async fn says(bytes: &'static [u8], hangs: bool) -> Server {
    if hangs { Server::says_and_hangs(bytes).await } else { Server::says(bytes).await }
}

#[tokio::test]
async fn a_proxy_that_gives_no_tunnel_is_our_trouble() {
    let endless = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(2_000)].concat().leak();
    let interim = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000).leak();
    for (bytes, hangs, kind, told) in [
        (&b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..], true, Proxy, "wants a credential"),
        (
            b"HTTP/1.1 403 Forbidden\r\n\r\n",
            true,
            Proxy,
            "gives no tunnel to api.wales.example:80: status 403",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", true, Proxy, "status 302"),
        (b"HTTP/1.1 500 x\r\n\r\n", true, Unreachable, "status 500"),
        (b"220 mail.example\r\n", true, Proxy, "answers with something that is not HTTP"),
        (b"HTTP/1.1 2OO OK\r\n\r\n", true, Proxy, "answers with something that is not HTTP"),
        (b"HTTP/1.1 200", false, Proxy, "closed the connection instead of making a tunnel"),
        (b"", false, Proxy, "closed the connection instead of making a tunnel"),
        (b"", true, ConnectTimeout, "takes connections, but gave no tunnel to api.wales.example:80 within"),
        (b"HTTP/1.1 200 OK\r\n", true, ConnectTimeout, "gave no tunnel"),
        (endless, true, Proxy, "a head that does not end within 8 KiB"),
        (interim, true, Proxy, "a head that does not end within 8 KiB"),
    ] {
        let server = says(bytes, hangs).await;
        let check = if kind == ConnectTimeout { impatient(API) } else { check(API) };
        let outcome = seen(through(server.address), &check).await;
        let expected = Some((Layer::Ours, kind));
        assert_eq!(failed(&outcome), expected, "{told}: {}", message(&outcome));
        assert!(message(&outcome).contains(told), "{}", message(&outcome));
        let named = format!("the proxy {}", server.address);
        assert!(message(&outcome).contains(&named), "{}", message(&outcome));
        assert_eq!(judge(&outcome, check.slow), Verdict::Inconclusive);
        assert!(outcome.phases.dns.is_none() && outcome.phases.tls.is_none());
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_our_trouble() {
    let gone = nobody();
    let outcome = seen(through(gone), &check(API)).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, Proxy)), "{}", message(&outcome));
    assert_eq!(message(&outcome), format!("the proxy {gone} cannot be reached: {gone} refused"));

    let mut settings = through(gone);
    settings.egress.proxy = Some(domain::Proxy {
        host: "proxy.wales.invalid".to_owned(),
        port: 3128,
        basic: None,
        except: Vec::new(),
    });
    let names = NameServer::start(Does::Code(3)).await;
    settings.name_servers = NameServers::These(vec![names.address]);
    let outcome = seen(settings, &check(API)).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, Proxy)), "{}", message(&outcome));
    let told = "the proxy proxy.wales.invalid:3128 cannot be reached: ";
    assert!(message(&outcome).starts_with(told), "{}", message(&outcome));
}

#[tokio::test]
async fn what_the_proxy_could_not_reach_is_the_targets_failure() {
    for (status, kind) in [(502, Unreachable), (503, Unreachable), (504, ConnectTimeout)] {
        let said = format!("HTTP/1.1 {status} x\r\nContent-Length: 4\r\n\r\nsad\n");
        let server = Server::says(said).await;
        let check = check(API);
        let outcome = seen(through(server.address), &check).await;
        assert_eq!(failed(&outcome), Some((Layer::Connect, kind)));
        let told = format!("through the proxy {}: status {status}", server.address);
        assert_eq!(message(&outcome), told);
        assert_eq!(judge(&outcome, check.slow), Verdict::Fail);
    }
}

#[tokio::test]
async fn a_tunnel_that_breaks_is_judged_like_a_connection() {
    let api = Server::start(|mut stream| async move {
        head(&mut stream).await;
    })
    .await;
    let (server, _) = proxy_to(api.address).await;
    let outcome = seen(through(server.address), &check(API)).await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, ClosedEarly)), "{}", message(&outcome));
}

#[tokio::test]
async fn this_host_and_the_exceptions_are_reached_straight() {
    let api = Server::says(ok("{}")).await;
    let mut settings = through(nobody());
    assert_eq!(failed(&seen(settings.clone(), &check(&api.url())).await), None, "the loopback");
    settings.egress.proxy.as_mut().unwrap().except = vec![".wales.example".to_owned()];
    let outcome = seen(settings, &check(API)).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, NoResolver)), "its name is looked up here");
}

#[tokio::test]
async fn an_address_that_is_never_dialled_is_not_asked_of_the_proxy_either() {
    let api = Server::says(ok("{}")).await;
    let (server, asked) = proxy_to(api.address).await;
    let outcome = seen(through(server.address), &check("http://169.254.169.254")).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, AddressRefused)), "{}", message(&outcome));
    let mut settings = through(server.address);
    settings.private_addresses = PrivateAddresses::Refused;
    let outcome = seen(settings, &check("http://10.1.2.3")).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, AddressRefused)), "{}", message(&outcome));
    assert!(asked.lock().unwrap().is_empty());

    let outcome = seen(through(server.address), &check("http://[fd00::1]:8080")).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(asked_first(&asked), "CONNECT [fd00::1]:8080 HTTP/1.1");
}

#[tokio::test]
async fn tokens_are_fetched_through_the_proxy() {
    let (endpoint, mut forms) = issues(|_| ok(r#"{"access_token":"t1","token_type":"Bearer"}"#)).await;
    // Of plain http the proxy is asked itself, of https for a tunnel.
    let mut oauth2 = client(&endpoint);
    oauth2.token_url = "http://tokens.wales.example/token".to_owned();
    let prober = Prober::new(through(endpoint.address)).unwrap();
    prober.sign_in(&of(oauth2.clone())).await.unwrap();
    assert_eq!(forms.recv().await.unwrap()["grant_type"], "client_credentials");

    for (status, layer, kind, told) in [
        (403, Layer::Ours, Proxy, "gives no tunnel to tokens.wales.example:443: status 403"),
        (407, Layer::Ours, Proxy, "wants a credential"),
        (504, Layer::Token, TokenUnreachable, "status 504"),
    ] {
        let server = Server::says(format!("HTTP/1.1 {status} x\r\n\r\n")).await;
        oauth2.token_url = "https://tokens.wales.example/token".to_owned();
        let prober = Prober::new(through(server.address)).unwrap();
        let failure = prober.sign_in(&of(oauth2.clone())).await.unwrap_err();
        assert_eq!((failure.layer, failure.kind), (layer, kind), "{}", failure.message);
        assert!(failure.message.contains(told), "{}", failure.message);
        assert!(failure.message.contains(&format!("proxy {}", server.address)), "{}", failure.message);
    }
    oauth2.token_url = "http://tokens.wales.example/token".to_owned();
    let failure = Prober::new(through(nobody())).unwrap().sign_in(&of(oauth2)).await.unwrap_err();
    assert_eq!((failure.layer, failure.kind), (Layer::Ours, Proxy), "{}", failure.message);
}

pub(crate) fn guards(host: &str) -> Guards {
    let guard = Guard { tls: false, host: host.to_owned(), port: 53 };
    Guards { outside: vec![guard], inside: Vec::new() }
}

#[tokio::test]
async fn guards_are_reached_through_the_proxy_too() {
    let there = Server::says(ok("{}")).await;
    let (server, asked) = proxy_to(there.address).await;
    let mut settings = through(server.address);
    settings.guards = guards("guard.example");
    let outcome = seen(settings.clone(), &check("http://gone.wales.example")).await;
    assert_eq!(failed(&outcome), Some((Layer::Connect, Unreachable)), "{}", message(&outcome));
    assert_eq!(outcome.sight, Some(Sight::Clear));
    assert_eq!(asked.lock().unwrap().last().unwrap(), "CONNECT guard.example:53 HTTP/1.1");

    settings.guards = guards("gone.example");
    let outcome = seen(settings, &check("http://gone.wales.example")).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, NoNetwork)), "{}", message(&outcome));
    assert_eq!(outcome.sight, Some(Sight::Nothing));
}

#[tokio::test]
async fn a_proxy_that_leads_to_the_guards_but_not_to_the_target_lays_it_on_the_target() {
    let server = Server::start(|mut client| async move {
        let asked = head(&mut client).await;
        if asked.contains("guard.example") {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok();
        }
        if asked.contains("refuses.example") {
            client.write_all(b"HTTP/1.0 500 Unable to connect\r\n\r\n").await.ok();
        }
        std::future::pending::<()>().await;
    })
    .await;
    let mut settings = through(server.address);
    settings.guards = guards("guard.example");
    let outcome = seen(settings.clone(), &impatient(API)).await;
    assert_eq!(failed(&outcome), Some((Layer::Connect, ConnectTimeout)), "{}", message(&outcome));

    let outcome = seen(settings.clone(), &check("http://refuses.example")).await;
    assert_eq!(failed(&outcome), Some((Layer::Connect, Unreachable)), "{}", message(&outcome));

    // A guard that is reached straight says nothing of the proxy.
    let straight = Server::says("").await;
    settings.guards.outside[0].host = straight.address.ip().to_string();
    settings.guards.outside[0].port = straight.address.port();
    let outcome = seen(settings, &impatient(API)).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, ConnectTimeout)), "{}", message(&outcome));
}
