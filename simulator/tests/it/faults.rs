//! Every fault, seen through a real client.

use std::time::Duration;

use crate::support::{LIMIT, answer, client, get, reasons, world};
use simulator::{Fault, World, WorldOptions};

const API: &str = "documents";

async fn asked(world: &World, fault: Fault, path: &str) -> Result<(u16, String), String> {
    world.set_fault(API, "production", fault).await.expect("an instance");
    let url = world.url(API, "production").expect("an instance");
    let request = client().get(format!("{url}{path}")).timeout(Duration::from_millis(400));
    let answer = request.send().await.map_err(|error| reasons(&error))?;
    let status = answer.status().as_u16();
    answer
        .text()
        .await
        .map(|text| (status, text))
        .map_err(|error| format!("after the headers: {}", reasons(&error)))
}

#[tokio::test]
async fn faults_below_http_are_real() {
    let world = world().await;
    let refused = asked(&world, Fault::Refuse, "/_ping").await.expect_err("refused");
    assert!(refused.contains("refused"), "{refused}");
    let reset = asked(&world, Fault::Reset, "/_ping").await.expect_err("reset");
    assert!(reset.contains("reset"), "{reset}");
    let hung = asked(&world, Fault::Hang, "/_ping").await.expect_err("hung");
    assert!(hung.contains("timed out"), "{hung}");
    let dripped = asked(&world, Fault::SlowLoris, "/_ping").await.expect_err("a byte at a time");
    assert!(dripped.contains("timed out"), "{dripped}");
    let endless = asked(&world, Fault::Endless, "/_ping").await.expect_err("no end");
    assert!(endless.contains("after the headers") && endless.contains("timed out"), "{endless}");
    let cut = asked(&world, Fault::Truncated, "/_ping").await.expect_err("cut");
    assert!(cut.contains("after the headers") && !cut.contains("timed out"), "{cut}");
    let slow = asked(&world, Fault::Slow(Duration::from_secs(5)), "/_ping").await.expect_err("slow");
    assert!(slow.contains("timed out"), "{slow}");
    assert_eq!(asked(&world, Fault::None, "/_ping").await.expect("well again").0, 200);
    world.stop().await;
}

#[tokio::test]
async fn a_port_refuses_and_answers_as_often_as_it_is_told_to() {
    let world = world().await;
    for _ in 0..20 {
        asked(&world, Fault::Refuse, "/_ping").await.expect_err("refused");
        assert_eq!(asked(&world, Fault::None, "/_ping").await.expect("well").0, 200);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_connection_kept_alive_does_not_outlive_a_refusal() {
    let world = world().await;
    let url = format!("{}/_ping", world.url(API, "uat").expect("an instance"));
    let kept = crate::support::builder().pool_max_idle_per_host(4).build().expect("a client");
    assert_eq!(answer(kept.get(&url)).await.0, 200);
    world.set_fault(API, "uat", Fault::Refuse).await.expect("an instance");
    kept.get(&url).send().await.expect_err("the old connection is gone too");
    world.stop().await;
}

#[tokio::test]
async fn faults_of_the_gateway_and_the_backend_are_told_apart_by_ping_and_code() {
    let world = world().await;
    for (fault, status, code) in [
        (Fault::GatewayUnavailable, 503, "messaging.adaptors.http.flow.ServiceUnavailable"),
        (Fault::GatewayTimeout, 504, "messaging.adaptors.http.flow.GatewayTimeout"),
        (Fault::TokenRefused, 401, "keymanagement.service.invalid_access_token"),
        (Fault::Backend(500), 500, "the backend failed"),
    ] {
        let (seen, body) = asked(&world, fault, "/documents").await.expect("an answer");
        assert_eq!(seen, status, "{fault}");
        assert!(body.contains(code), "{fault}: {body}");
        assert_eq!(
            asked(&world, fault, "/_ping").await.expect("an answer").0,
            200,
            "{fault}: the gateway itself is well"
        );
    }
    for (fault, status, code) in [
        (Fault::Quota, 429, "policies.ratelimit.QuotaViolation"),
        (Fault::SpikeArrest, 429, "policies.ratelimit.SpikeArrestViolation"),
        (Fault::Status(401), 401, "oauth.v2.InvalidApiKey"),
        (Fault::Status(503), 503, "simulated"),
    ] {
        for path in ["/_ping", "/_status", "/documents"] {
            let (seen, body) = asked(&world, fault, path).await.expect("an answer");
            assert_eq!(seen, status, "{fault}");
            assert!(body.contains(code), "{fault}: {body}");
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn a_200_can_lie_in_the_words_of_both_vocabularies() {
    let world = world().await;
    for (api, fault, word) in [
        ("documents", Fault::SaysFail, "DOWN"),
        ("documents", Fault::SaysDegraded, "DEGRADED"),
        ("documents", Fault::None, "UP"),
        ("patient-demographics", Fault::SaysFail, "fail"),
        ("patient-demographics", Fault::SaysDegraded, "warn"),
        ("patient-demographics", Fault::None, "pass"),
    ] {
        world.set_fault(api, "sit", fault).await.expect("an instance");
        let (status, body) = get(&format!("{}/_status", world.url(api, "sit").expect("an instance"))).await;
        assert_eq!((status, &body["status"]), (200, &word.into()), "{api} {fault}");
    }
    world.set_fault("patient-demographics", "sandbox", Fault::WrongResource).await.expect("an instance");
    let url = world.url("patient-demographics", "sandbox").expect("an instance");
    assert_eq!(get(&format!("{url}/Patient/9990000018")).await.1["resourceType"], "Basic");
    let (status, page) = asked(&world, Fault::NotJson, "/_status").await.expect("an answer");
    assert!(status == 200 && page.starts_with("<!doctype html>"), "{page}");
    world.stop().await;
}

#[tokio::test]
async fn certificates_are_bad_in_three_ways() {
    let world =
        World::start(WorldOptions::new(crate::support::machine_clock())).await.expect("the world starts");
    let authority = reqwest::Certificate::from_pem(world.authority().as_bytes()).expect("a certificate");
    let url = format!("{}/_ping", world.secure_url(API, "production").expect("an instance"));
    for (fault, reason) in [
        (Fault::None, None),
        (Fault::ExpiredCertificate, Some("expired")),
        (Fault::WrongHost, Some("not valid for name")),
        (Fault::Untrusted, Some("UnknownIssuer")),
    ] {
        world.set_fault(API, "production", fault).await.expect("an instance");
        let client = crate::support::builder().tls_certs_only([authority.clone()]).build().expect("a client");
        match (client.get(&url).send().await, reason) {
            (Ok(answer), None) => assert_eq!(answer.version(), reqwest::Version::HTTP_2),
            (Err(error), Some(reason)) => assert!(reasons(&error).contains(reason), "{}", reasons(&error)),
            (outcome, _) => panic!("{fault}: {outcome:?}"),
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn trouble_with_identity_spreads_when_it_may() {
    let world = world().await;
    let url = world.url("results", "production").expect("an instance");
    let elsewhere = world.url("results", "uat").expect("an instance");
    world.set_fault("identity", "production", Fault::Refuse).await.expect("an instance");
    assert_eq!(get(&format!("{url}/_status")).await.1["status"], "UP");
    world.set_cascade(true);
    let (_, body) = get(&format!("{url}/_status")).await;
    assert_eq!((&body["status"], &body["dependencies"]["identity"]), (&"DOWN".into(), &"DOWN".into()));
    let (status, body) = get(&format!("{url}/DiagnosticReport?patient=9990000018")).await;
    assert_eq!((status, &body["resourceType"]), (503, &"OperationOutcome".into()));
    assert_eq!(get(&format!("{elsewhere}/_status")).await.1["status"], "UP");
    world.stop().await;
}

#[tokio::test]
async fn a_test_waits_for_a_state_and_not_for_a_time() {
    let world = world().await;
    let url = format!("{}/_ping", world.url(API, "sandbox").expect("an instance"));
    let seen = world.wait_for(LIMIT, |world| {
        world.instances().into_iter().find(|instance| instance.api == API && instance.requests > 0)
    });
    let (seen, _) = tokio::join!(seen, get(&url));
    assert_eq!(seen.expect("seen").environment, "sandbox");
    let never = world.wait_for(Duration::from_millis(20), |_| None::<()>).await;
    assert!(never.is_err());
    assert!(world.set_fault("no-such-api", "uat", Fault::Hang).await.is_err());
    world.stop().await;
}

#[tokio::test]
async fn a_world_that_stops_leaves_no_port_open() {
    let world = world().await;
    let address = world.address(API, "uat").expect("an instance");
    world.set_fault(API, "uat", Fault::Hang).await.expect("an instance");
    let _hung = tokio::net::TcpStream::connect(address).await.expect("accepted");
    world.stop().await;
    tokio::net::TcpStream::connect(address).await.expect_err("nobody listens");
}
