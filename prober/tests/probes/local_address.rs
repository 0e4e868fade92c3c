//! From a local address.

use crate::{
    proxy::{API, guards, seen, through},
    servers::{Server, head, nobody, ok},
    setting::{check, failed, message, settings},
};
use domain::{FailureKind::*, Layer};
use std::net::IpAddr;
use tokio::{io::AsyncWriteExt, sync::mpsc};

/// A server that tells who comes.
async fn tells_who() -> (Server, mpsc::UnboundedReceiver<IpAddr>) {
    let (told, heard) = mpsc::unbounded_channel();
    let server = Server::start(move |mut stream| {
        told.send(stream.peer_addr().unwrap().ip()).ok();
        async move {
            head(&mut stream).await;
            stream.write_all(ok("{}").as_bytes()).await.ok();
        }
    })
    .await;
    (server, heard)
}

#[tokio::test]
async fn probes_and_guards_come_from_the_local_address() {
    let (server, mut who) = tells_who().await;
    let mut settings = settings();
    let local = "127.0.0.2".parse().unwrap();
    settings.egress.local_address = Some(local);
    let outcome = seen(settings.clone(), &check(&server.url())).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    settings.guards = guards("127.0.0.1");
    settings.guards.outside[0].port = server.address.port();
    seen(settings, &check(&format!("http://{}", nobody()))).await;
    assert_eq!((who.recv().await, who.recv().await), (Some(local), Some(local)));
}

#[tokio::test]
async fn the_proxy_is_reached_from_the_local_address() {
    let (server, mut who) = tells_who().await;
    let mut settings = through(server.address);
    settings.egress.local_address = Some("127.0.0.2".parse().unwrap());
    seen(settings, &check(API)).await;
    assert_eq!(who.recv().await.unwrap().to_string(), "127.0.0.2");
}

#[tokio::test]
async fn a_local_address_that_this_host_has_not_is_our_trouble() {
    let (server, mut who) = tells_who().await;
    for (local, kind, told) in [
        ("203.0.113.77", NoNetwork, "our local address 203.0.113.77 is not one of this host"),
        ("2001:db8::1", AddressRefused, "our local address 2001:db8::1 is of the other family"),
    ] {
        let mut settings = settings();
        settings.egress.local_address = Some(local.parse().unwrap());
        let outcome = seen(settings, &check(&server.url())).await;
        assert_eq!(failed(&outcome), Some((Layer::Ours, kind)));
        assert!(message(&outcome).contains(told), "{}", message(&outcome));
    }
    assert!(who.try_recv().is_err());
}
