//! Our own network gone: one "cannot see", and no incident an API.

use crate::estate::{Hand, Seen, configuration, outcome, track};
use domain::{
    Cause, Check, Configuration, Environment, Event, Failure, FailureKind, IncidentStatus, Layer, Outcome,
    Sight, Status,
};
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;
const APIS: [&str; 3] = ["identity", "results", "documents"];

/// Every instance on a host of its own.
fn apart() -> Configuration {
    let mut configuration = configuration();
    for check in configuration.checks.values_mut() {
        let at = &check.id.instance;
        let url = format!("https://{}.{}.example:8443/api", at.api, at.environment);
        *check = Arc::new(Check { url, ..(**check).clone() });
    }
    configuration
}

fn everywhere() -> Vec<(&'static str, Environment)> {
    APIS.into_iter().flat_map(|api| [(api, PRODUCTION), (api, Environment::Sit)]).collect()
}

fn well() -> Hand {
    let mut hand = Hand::new(apart());
    hand.rounds(3, &[], Seen::Pass);
    hand
}

/// What a probe says that got no answer while guards of this network showed `sight`.
fn guarded(hand: &mut Hand, api: &str, sight: Sight) {
    ours(hand, api, FailureKind::NoNetwork, Some(sight));
}

fn ours(hand: &mut Hand, api: &str, kind: FailureKind, sight: Option<Sight>) {
    for operation in ["ping", "status"] {
        let track = track(api, PRODUCTION, operation);
        let failure = Failure { layer: Layer::Ours, kind, message: "our own side".to_owned() };
        let seen =
            Outcome { failure: Some(failure), sight, ..(*outcome(&track, hand.now, Seen::Pass)).clone() };
        hand.event(&Event::Outcome(Arc::new(seen)));
    }
}

fn tickets(hand: &Hand) -> usize {
    hand.told().iter().filter(|name| *name == "ticket").count()
}

#[test]
fn when_every_host_falls_silent_there_is_one_incident_after_three_minutes_and_none_for_an_api() {
    let mut hand = well();
    hand.rounds(17, &everywhere(), Seen::Fail);
    assert!(hand.open().is_empty(), "{:?}", hand.open());
    assert!(hand.told().is_empty(), "{:?}", hand.told());
    hand.rounds(4, &everywhere(), Seen::Fail);
    assert!(
        matches!(hand.open()[..], [ref one] if matches!(one.cause, Cause::Blind(_))),
        "{:?}",
        hand.open()
    );
    let blind = hand.incident(1);
    assert!(blind.diagnosis.en.contains("may be us"), "{}", blind.diagnosis.en);
    assert_eq!(blind.affects.len(), APIS.len());
    assert_eq!(tickets(&hand), 1);
    assert!(hand.told().contains(&"callout/1/text".to_owned()), "{:?}", hand.told());
    assert!(!hand.told().contains(&"told".to_owned()), "no provider team is told: {:?}", hand.told());

    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    hand.rounds(8, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert_eq!(hand.situation.next_incident, 2, "one in all");
}

#[test]
fn hosts_that_are_found_silent_one_after_the_other_are_still_one_incident() {
    let mut hand = well();
    let all: Vec<_> = hand.situation.tracks.keys().cloned().collect();
    for second in 0..250 {
        hand.wait(1);
        hand.see(&all[second % all.len()], Seen::Fail);
    }
    let open = hand.open();
    assert!(matches!(open[..], [ref one] if matches!(one.cause, Cause::Blind(_))), "{open:?}");
    assert_eq!(tickets(&hand), 1, "{:?}", hand.told());
    assert_eq!(hand.situation.next_incident, 2);
}

#[test]
fn one_silent_host_has_its_incident_as_soon_as_another_is_heard() {
    let mut hand = well();
    hand.wait(10);
    let ping = track("results", PRODUCTION, "ping");
    let status = track("results", PRODUCTION, "status");
    for track in [&ping, &status, &ping, &status] {
        hand.wait(1);
        hand.see(track, Seen::Fail);
    }
    assert!(hand.open().is_empty(), "nobody has been heard since");
    assert!(
        hand.probes.iter().any(|wanted| wanted.track.check.instance.api.as_str() == "documents"),
        "the others are asked now"
    );
    hand.wait(1);
    hand.see(&track("documents", PRODUCTION, "ping"), Seen::Pass);
    hand.wait(1);
    assert!(hand.open().is_empty(), "the network may have come back for both");
    assert!(
        hand.probes.iter().any(|wanted| wanted.track == ping || wanted.track == status),
        "asked again at once"
    );
    hand.see(&status, Seen::Fail);
    hand.wait(1);
    assert!(matches!(hand.open()[..], [ref one] if matches!(one.cause, Cause::Instance(_))));
}

#[test]
fn one_silent_host_waits_for_word_of_the_others_no_longer_than_half_a_minute() {
    let mut hand = well();
    for _ in 0..4 {
        hand.wait(10);
        for operation in ["ping", "status"] {
            hand.see(&track("results", PRODUCTION, operation), Seen::Fail);
        }
    }
    assert!(
        matches!(hand.open()[..], [ref one] if matches!(one.cause, Cause::Instance(_))),
        "{:?}",
        hand.open()
    );
}

#[test]
fn what_was_down_before_the_network_went_keeps_its_incident() {
    let mut hand = well();
    hand.rounds(30, &[("results", PRODUCTION)], Seen::Fail);
    assert_eq!(hand.open().len(), 1);
    hand.rounds(25, &everywhere(), Seen::Fail);
    let causes: Vec<String> = hand.open().iter().map(|incident| incident.cause.to_string()).collect();
    assert_eq!(causes, ["instance:results/production", "vantage:internet"]);
    hand.rounds(10, &[("results", PRODUCTION)], Seen::Fail);
    let causes: Vec<String> = hand.open().iter().map(|incident| incident.cause.to_string()).collect();
    assert_eq!(causes, ["instance:results/production"], "it is still down");
    assert_eq!(tickets(&hand), 2);
}

#[test]
fn what_is_still_down_when_the_network_is_back_has_its_incident_then() {
    let mut hand = well();
    hand.rounds(25, &everywhere(), Seen::Fail);
    hand.rounds(10, &[("documents", PRODUCTION)], Seen::Fail);
    let causes: Vec<String> = hand.open().iter().map(|incident| incident.cause.to_string()).collect();
    assert_eq!(causes, ["instance:documents/production"]);
}

#[test]
fn guards_that_answer_prove_that_the_hosts_themselves_are_silent() {
    let mut hand = well();
    for _ in 0..6 {
        hand.wait(10);
        for (api, environment) in everywhere() {
            for operation in ["ping", "status"] {
                let track = track(api, environment, operation);
                let seen =
                    Outcome { sight: Some(Sight::Clear), ..(*outcome(&track, hand.now, Seen::Fail)).clone() };
                hand.event(&Event::Outcome(Arc::new(seen)));
            }
        }
    }
    assert!(!hand.open().is_empty());
    assert!(hand.open().iter().all(|incident| matches!(incident.cause, Cause::Instance(_))));
}

#[test]
fn a_network_that_is_gone_on_one_side_is_one_incident_that_says_which() {
    let mut hand = well();
    for _ in 0..20 {
        hand.wait(10);
        for operation in ["ping", "status"] {
            hand.see(&track("documents", PRODUCTION, operation), Seen::Pass);
        }
        for api in ["identity", "results"] {
            guarded(&mut hand, api, Sight::NoInside);
        }
    }
    let open = hand.open();
    assert!(matches!(open[..], [ref one] if matches!(one.cause, Cause::Blind(_))), "{open:?}");
    let blind = hand.incident(1);
    assert_eq!(blind.affects.len(), 2, "{:?}", blind.affects);
    assert!(blind.diagnosis.en.contains("into the NHS Wales network"), "{}", blind.diagnosis.en);
    assert_eq!(hand.status("documents", PRODUCTION), Status::Operational);
    assert_eq!(hand.status("results", PRODUCTION), Status::Unknown, "never invented");
    assert_eq!(tickets(&hand), 1);

    // The whole of it goes: the same incident, in other words.
    for _ in 0..3 {
        hand.wait(10);
        for api in APIS {
            guarded(&mut hand, api, Sight::Nothing);
        }
    }
    assert!(hand.incident(1).diagnosis.en.contains("most likely us"), "{}", hand.incident(1).diagnosis.en);
    assert_eq!(hand.incident(1).affects.len(), 3);
    hand.rounds(10, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert_eq!(hand.situation.next_incident, 2);
}

#[test]
fn the_one_guard_of_a_side_may_be_gone_by_itself_and_that_is_said() {
    let alone = |host: &str| vec![domain::Guard { tls: false, host: host.to_owned(), port: 53 }];
    for (sight, side) in
        [(Sight::NoInside, "test the NHS Wales network by"), (Sight::NoOutside, "test the internet by")]
    {
        let mut estate = configuration();
        estate.vantages[0].guards = domain::Guards { outside: alone("out"), inside: alone("in") };
        let mut hand = Hand::new(estate);
        hand.rounds(3, &[], Seen::Pass);
        for _ in 0..20 {
            hand.wait(10);
            hand.see(&track("documents", PRODUCTION, "ping"), Seen::Pass);
            hand.see(&track("documents", PRODUCTION, "status"), Seen::Pass);
            guarded(&mut hand, "results", sight);
        }
        let said = &hand.incident(1).diagnosis;
        assert!(matches!(hand.incident(1).cause, Cause::Blind(_)));
        assert!(said.en.contains(side) && said.en.contains("we cannot tell which"), "{}", said.en);
        assert!(said.cy.contains("ni allwn ddweud pa un"), "{}", said.cy);
    }
}

#[test]
fn an_estate_on_one_host_has_incidents_of_its_apis() {
    let mut hand = Hand::new(configuration());
    hand.rounds(3, &[], Seen::Pass);
    hand.rounds(3, &everywhere(), Seen::Fail);
    assert!(hand.open().iter().all(|incident| matches!(incident.cause, Cause::Instance(_))));
    assert!(!hand.open().is_empty());
}

#[test]
fn a_proxy_that_leads_nowhere_is_one_trouble_of_ours() {
    for kind in [FailureKind::Proxy, FailureKind::ConnectTimeout, FailureKind::Unreachable] {
        let mut hand = well();
        for _ in 0..20 {
            hand.wait(10);
            for api in APIS {
                ours(&mut hand, api, kind, None);
            }
        }
        let open = hand.open();
        assert!(matches!(open[..], [ref one] if matches!(one.cause, Cause::Blind(_))), "{kind:?}: {open:?}");
        assert_eq!(hand.incident(1).affects.len(), APIS.len());
    }
}
