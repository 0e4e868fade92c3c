//! A clock of ours that is not right, where all that could tell the time speaks TLS.

use crate::{
    certificates::{Authority, secure},
    servers::Server,
    setting::{expect, failed, message, noon, settings},
};
use domain::{Clock, FailureKind::*, Layer};
use jiff::SignedDuration;
use prober::Prober;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// A prober that trusts this authority, and how many days its clock is ahead of noon, 20 November 2026.
fn prober_of(authority: &Authority) -> (Prober, Arc<AtomicI64>) {
    let ahead = Arc::new(AtomicI64::new(0));
    let mut settings = settings();
    settings.roots = vec![authority.der.clone()];
    let days = ahead.clone();
    settings.clock =
        Clock::new(move || noon() + SignedDuration::from_hours(24 * days.load(Ordering::SeqCst)));
    (Prober::new(settings).expect("a prober"), ahead)
}

/// Says that it is noon, 20 November 2026.
async fn server(authority: &Authority, host: &str) -> Server {
    let says = b"HTTP/1.1 200 OK\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\nContent-Length: 0\r\n\r\n";
    authority.signs(&[host], 2026, 2027).says(says).await
}

#[tokio::test]
async fn a_clock_that_jumps_is_ours_though_no_handshake_succeeds_any_more() {
    let authority = Authority::new();
    let (prober, ahead) = prober_of(&authority);
    let checks = ["a.localhost", "b.localhost"];
    let (a, b) = (server(&authority, checks[0]).await, server(&authority, checks[1]).await);
    let checks = [secure(&a, checks[0]), secure(&b, checks[1])];
    for check in &checks {
        assert_eq!(failed(&prober.probe(check, noon(), false).await), None);
    }
    for (days, kind) in [(100, CertificateExpired), (-400, CertificateNotYetValid), (100, CertificateExpired)]
    {
        ahead.store(days, Ordering::SeqCst);
        for check in &checks {
            let outcome = prober.probe(check, noon(), false).await;
            assert_eq!(failed(&outcome), Some((Layer::Ours, kind)), "{}", message(&outcome));
        }
    }
    ahead.store(0, Ordering::SeqCst);
    assert_eq!(failed(&prober.probe(&checks[0], noon(), false).await), None);
}

#[tokio::test]
async fn a_start_with_a_clock_that_is_off_is_ours_once_all_certificates_are_over() {
    let authority = Authority::new();
    let (prober, ahead) = prober_of(&authority);
    ahead.store(100, Ordering::SeqCst);
    let hosts = ["a.localhost", "b.localhost", "c.localhost", "d.localhost"];
    let layers = [Layer::Tls, Layer::Tls, Layer::Ours, Layer::Ours];
    for (host, layer) in hosts.into_iter().zip(layers) {
        let server = server(&authority, host).await;
        let outcome = prober.probe(&secure(&server, host), noon(), false).await;
        assert_eq!(failed(&outcome), Some((layer, CertificateExpired)), "{host}: {}", message(&outcome));
    }
    // One that is in time shows that the clock is not that far off.
    let lasting = authority.signs(&["e.localhost"], 2026, 2028).serves().await;
    assert_eq!(failed(&prober.probe(&secure(&lasting, "e.localhost"), noon(), false).await), None);
    let over = server(&authority, hosts[0]).await;
    let outcome = prober.probe(&secure(&over, hosts[0]), noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Tls, CertificateExpired)), "{}", message(&outcome));
}

#[tokio::test]
async fn certificates_that_run_out_together_are_over_where_others_have_our_day() {
    let authority = Authority::new();
    let (prober, ahead) = prober_of(&authority);
    let says = b"HTTP/1.1 200 OK\r\nDate: Thu, 31 Dec 2026 12:00:00 GMT\r\nContent-Length: 0\r\n\r\n";
    let hosts = ["a.localhost", "b.localhost", "c.localhost"];
    let mut checks = Vec::new();
    let mut servers = Vec::new();
    for host in hosts {
        let server = authority.signs(&[host], 2026, 2027).says(says).await;
        checks.push(secure(&server, host));
        servers.push(server);
    }
    // At noon of the last day of the year, and at noon of the next.
    for (days, expected) in [(41, None), (42, Some((Layer::Tls, CertificateExpired)))] {
        ahead.store(days, Ordering::SeqCst);
        for check in &checks {
            let outcome = prober.probe(check, noon(), false).await;
            assert_eq!(failed(&outcome), expected, "{}", message(&outcome));
        }
    }
}

#[tokio::test]
async fn days_of_a_certificate_are_counted_from_the_time_that_others_have() {
    let authority = Authority::new();
    let (prober, ahead) = prober_of(&authority);
    let others = server(&authority, "a.localhost").await;
    assert_eq!(failed(&prober.probe(&secure(&others, "a.localhost"), noon(), false).await), None);
    // 42 days before its end, or 12 by our clock.
    let server = server(&authority, "b.localhost").await;
    let mut check = secure(&server, "b.localhost");
    expect(&mut check).certificate_days = Some(30);
    ahead.store(30, Ordering::SeqCst);
    let outcome = prober.probe(&check, noon(), false).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
}
