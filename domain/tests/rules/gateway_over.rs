//! What fails with its gateway, while that comes back, answers oddly, or is left.

use crate::{
    estate::{instance, track},
    gateway::{ALL, BROKEN, HANGS, REFUSED, UNNAMED, shared, well},
};
use domain::{Cause, Check, Environment, Event, FailureKind, IncidentStatus, Layer};
use proptest::prelude::*;
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;

#[test]
fn it_is_well_when_any_answers_and_what_still_fails_then_answers_for_itself() {
    let mut hand = well(shared(false));
    hand.failing(8, &ALL.map(|api| (api, REFUSED)));
    hand.failing(4, &[("results", REFUSED)]);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    hand.failing(40, &[("results", REFUSED)]);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert_eq!(hand.open_causes(), ["instance:results/production"]);

    let mut hand = well(shared(false));
    hand.failing(8, &ALL.map(|api| (api, REFUSED)));
    hand.failing(4, &[("results", BROKEN), ("identity", REFUSED), ("documents", REFUSED)]);
    assert!(
        hand.open_causes().contains(&"instance:results/production".to_owned()),
        "{:?}",
        hand.open_causes()
    );
}

#[test]
fn a_restart_proves_nothing() {
    let mut hand = well(shared(false));
    hand.failing(8, &ALL.map(|api| (api, REFUSED)));
    hand.restart(5);
    hand.wait(5);
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
    hand.failing(8, &ALL.map(|api| (api, REFUSED)));
    let incident = hand.incident(1);
    assert_eq!((incident.status, incident.held_back.len()), (IncidentStatus::Open, 3));
    assert_eq!(hand.open().len(), 1, "{:?}", hand.open_causes());
}

#[test]
fn one_odd_answer_is_no_reason_of_ones_own_and_many_are() {
    let mut hand = well(shared(false));
    hand.failing(8, &ALL.map(|api| (api, REFUSED)));
    let (now, bad_gateway) = (hand.now, (Layer::Backend, FailureKind::BackendUnavailable));
    hand.probe("results", "ping", Some(bad_gateway));
    hand.wait(1);
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"], "at {now}");
    hand.failing(2, &[("results", bad_gateway), ("identity", REFUSED), ("documents", REFUSED)]);
    assert!(
        hand.open_causes().contains(&"instance:results/production".to_owned()),
        "{:?}",
        hand.open_causes()
    );
    hand.failing(3, &ALL.map(|api| (api, REFUSED)));
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"], "it is taken in again");
}

#[test]
fn whoever_is_refused_there_has_its_answer_from_the_gateway() {
    let mut hand = well(shared(false));
    hand.failing(8, &ALL.map(|api| (api, REFUSED)));
    let forbidden = (Layer::Gateway, FailureKind::AccessRefused);
    hand.failing(5, &ALL.map(|api| (api, forbidden)));
    assert!(
        hand.open().iter().all(|one| !matches!(one.cause, Cause::Instance(_))),
        "{:?}",
        hand.open_causes()
    );
    hand.failing(40, &ALL.map(|api| (api, forbidden)));
    assert!(
        !hand.open_causes().contains(&"gateway:production/127.0.0.1:801".to_owned()),
        "{:?}",
        hand.open_causes()
    );
}

#[test]
fn what_moves_to_another_address_is_not_judged_before_it_is_asked_there_and_what_is_used_no_more_is_over() {
    let mut hand = well(shared(false));
    hand.failing(8, &ALL.map(|api| (api, REFUSED)));
    let mut moved = shared(false);
    for check in moved.checks.values_mut().filter(|check| check.id.instance.environment == PRODUCTION) {
        *check = Arc::new(Check { url: "http://127.0.0.1:900/standby".to_owned(), ..(**check).clone() });
    }
    hand.event(&Event::Configured(Arc::new(moved)));
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert!(hand.incident(1).timeline.iter().any(|entry| entry.text.contains("left the configuration")));
    assert!(
        hand.open_causes().iter().all(|cause| !cause.contains(":900")),
        "nobody was asked there: {:?}",
        hand.open_causes()
    );
}

#[test]
fn one_odd_answer_of_an_api_with_one_check_alone_does_not_end_it() {
    let mut configuration = shared(false);
    configuration
        .checks
        .retain(|id, _| id.operation.as_str() == "ping" || id.instance.environment != PRODUCTION);
    let mut hand = well(configuration);
    hand.failing(8, &ALL.map(|api| (api, HANGS)));
    hand.failing(1, &[("results", BROKEN), ("identity", HANGS), ("documents", HANGS)]);
    hand.failing(4, &ALL.map(|api| (api, HANGS)));
    let gateway = hand.incident(1);
    assert_eq!(
        (gateway.status, gateway.held_back.len()),
        (IncidentStatus::Open, 3),
        "{:?}",
        hand.open_causes()
    );
    assert!(
        !gateway.timeline.iter().any(|entry| entry.text.starts_with("Recovered")),
        "{:#?}",
        gateway.timeline
    );
    assert_eq!(hand.open().len(), 1, "{:?}", hand.open_causes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However they fail, one after the other or at once: what is down is in one open incident or on the list of one, once; and
    /// all is over when all is well.
    #[test]
    fn nothing_is_dropped_and_nothing_is_told_twice(rounds in prop::collection::vec((prop::array::uniform3(0..5_usize), 1..9_usize), 1..10)) {
        let mut hand = well(shared(false));
        let kinds = [None, Some(REFUSED), Some(HANGS), Some(BROKEN), Some(UNNAMED)];
        for (how, count) in rounds {
            let failing: Vec<_> = ALL
                .into_iter()
                .zip(how)
                .filter_map(|(api, kind)| Some((api, (*kinds.get(kind)?)?)))
                .collect();
            hand.failing(count, &failing);
            hand.wait(1);
            for api in ALL {
                let this = instance(api, PRODUCTION);
                let open = hand.open();
                let own = open.iter().filter(|one| one.cause == Cause::Instance(this.clone())).count();
                let held = open.iter().flat_map(|one| &one.held_back).filter(|held| **held == this).count();
                prop_assert!(own + held <= 1, "{api}: {own} and {held}: {:?}", hand.open_causes());
                let down = hand.status(api, PRODUCTION).is_down();
                let since = hand.situation.healths.get(&this).map(|health| health.since);
                let long = since.is_some_and(|since| hand.now.duration_since(since).as_secs() > 31);
                prop_assert!(!down || !long || own + held == 1, "{api} is down, and nobody hears: {:?}", hand.open_causes());
            }
        }
        hand.failing(250, &[]);
        prop_assert!(hand.open().is_empty(), "{:?}", hand.open_causes());
    }
}

#[test]
fn what_is_still_down_when_the_gateway_answers_again_is_called_for_at_once_and_not_at_the_end() {
    let mut hand = well(shared(false));
    hand.failing(11, &ALL.map(|api| (api, REFUSED)));
    let gateway = hand.incident(1);
    assert!(gateway.escalation.is_none(), "not called yet");
    hand.failing(9, &[("results", REFUSED)]);
    let open = hand.open();
    let own = open.iter().find(|one| one.cause == Cause::Instance(instance("results", PRODUCTION)));
    let own = own.unwrap_or_else(|| panic!("{:?}", hand.open_causes()));
    assert!(own.opened_at <= gateway.opened_at + jiff::SignedDuration::from_secs(1), "it has waited already");
    assert!(own.escalation.is_some(), "{:#?}", own.timeline);
}

#[test]
fn an_api_of_which_a_part_works_shows_that_the_way_is_open() {
    let mut hand = well(shared(false));
    hand.failing(8, &ALL.map(|api| (api, REFUSED)));
    for _ in 0..20 {
        hand.wait(10);
        for api in ALL {
            hand.probe(api, "ping", None);
            hand.probe(api, "status", Some(HANGS));
        }
    }
    let causes = hand.open_causes();
    assert!(causes.iter().all(|cause| cause.starts_with("instance:")) && causes.len() == 3, "{causes:?}");
}

#[test]
fn whoever_asks_a_resolver_has_not_been_to_the_gateway() {
    let mut configuration = shared(false);
    let id = track("identity", PRODUCTION, "ping").check;
    let check = (*configuration.checks.get(&id).expect("a check").clone()).clone();
    let named = domain::Operation {
        id: domain::OperationId::parse("name").expect("an id"),
        request: domain::Request::Dns(domain::DnsRequest {
            name: None,
            record: domain::RecordType::A,
            answers: Vec::new(),
            resolver: None,
        }),
        ..(*check.operation).clone()
    };
    let id = domain::CheckId { operation: named.id.clone(), ..check.id.clone() };
    configuration.checks.insert(id.clone(), Arc::new(Check { id, operation: Arc::new(named), ..check }));
    let mut hand = well(configuration);
    for _ in 0..8 {
        hand.failing(1, &ALL.map(|api| (api, REFUSED)));
        hand.probe("identity", "name", None);
    }
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
}

#[test]
fn who_has_passed_once_since_is_waited_for() {
    let mut configuration = shared(false);
    configuration
        .checks
        .retain(|id, _| id.operation.as_str() == "ping" || id.instance.environment != PRODUCTION);
    let mut hand = well(configuration);
    hand.failing(8, &ALL.map(|api| (api, HANGS)));
    for second in 0..55 {
        hand.wait(1);
        if second % 5 == 0 {
            hand.probe("identity", "ping", None);
            hand.probe("documents", "ping", None);
        }
        if second == 10 {
            hand.probe("results", "ping", None);
        }
    }
    assert!(
        !hand.open_causes().contains(&"instance:results/production".to_owned()),
        "{:?}",
        hand.open_causes()
    );
}

#[test]
fn many_that_are_still_down_when_the_gateway_answers_are_a_storm() {
    let mut configuration = shared(false);
    configuration.environments.get_mut(&PRODUCTION).expect("a policy").storm.more_than = 1;
    let mut hand = well(configuration);
    hand.failing(60, &ALL.map(|api| (api, HANGS)));
    assert_eq!(hand.open_causes(), ["gateway:production/127.0.0.1:801"]);
    hand.failing(8, &[("results", HANGS), ("documents", HANGS)]);
    assert!(hand.open_causes().contains(&"storm:production".to_owned()), "{:?}", hand.open_causes());
}
