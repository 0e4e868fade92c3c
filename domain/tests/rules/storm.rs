//! So much fails at once that it is one trouble: one ticket, one call, and a list.

use crate::estate::{Hand, Seen, configuration, instance};
use domain::{ApiId, Cause, Configuration, Environment, IncidentStatus, InstanceId, Priority, ServiceLevel};
use proptest::prelude::*;
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;

/// Critical APIs in production that depend on nothing and are each on a host of its own.
fn estate(count: usize) -> Configuration {
    let mut configuration = configuration();
    let (id, model) = configuration.apis.pop_last().expect("an API");
    let model_of = instance(id.as_str(), PRODUCTION);
    let checks: Vec<_> = configuration.checks_of(&model_of).cloned().collect();
    configuration.apis.clear();
    configuration.checks.clear();
    for number in 0..count {
        let mut api = (*model).clone();
        api.id = ApiId::parse(&name(number)).expect("an id");
        api.depends_on.clear();
        api.service_level = ServiceLevel::Critical;
        api.instances.retain(|environment, _| *environment == PRODUCTION);
        for check in &checks {
            let mut check = (**check).clone();
            check.id.instance = InstanceId { api: api.id.clone(), environment: PRODUCTION };
            check.url = format!("http://host-{number}.example");
            configuration.checks.insert(check.id.clone(), Arc::new(check));
        }
        configuration.apis.insert(api.id.clone(), Arc::new(api));
    }
    configuration
}

fn name(number: usize) -> String {
    format!("api-{number:02}")
}

fn hand(count: usize) -> Hand {
    let mut hand = Hand::new(estate(count));
    hand.rounds(3, &[], Seen::Pass);
    hand
}

fn failing(hand: &mut Hand, rounds: usize, which: impl Iterator<Item = usize>) {
    let names: Vec<String> = which.map(name).collect();
    let these: Vec<_> = names.iter().map(|name| (name.as_str(), PRODUCTION)).collect();
    // They answer: hosts that were silent together would be our own network's trouble.
    hand.rounds(rounds, &these, Seen::Broken);
}

/// Planned work on all of production, from now on.
fn announce(hand: &mut Hand, lasts: jiff::SignedDuration) {
    let work = domain::Command::Maintain {
        by: "ann".into(),
        why: domain::Text::new("A new network", "Rhwydwaith newydd"),
        from: hand.now,
        until: hand.now + lasts,
        environment: PRODUCTION,
        api: None,
    };
    hand.tell(domain::Message::Command(work)).expect("announced");
}

fn causes(hand: &Hand) -> Vec<String> {
    hand.open().iter().map(|incident| incident.cause.to_string()).collect()
}

#[test]
fn more_than_ten_at_once_are_one_major_incident_with_a_list_one_ticket_and_one_call() {
    let mut hand = hand(14);
    failing(&mut hand, 20, 0..12);
    assert_eq!(causes(&hand), ["storm:production"]);
    let storm = hand.open().pop().expect("the storm");
    assert_eq!(storm.priority, Priority::P1);
    assert!(storm.major.is_some());
    assert_eq!(storm.held_back.len(), 12, "every child is listed");
    let told = hand.told();
    assert_eq!(told.iter().filter(|told| *told == "ticket").count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|told| told.starts_with("callout/1/")).count(), 2, "by text and e-mail");
    // What fails later is part of it, too.
    failing(&mut hand, 5, 0..13);
    assert_eq!(causes(&hand), ["storm:production"]);
    assert_eq!(hand.open().pop().expect("the storm").held_back.len(), 13);
}

#[test]
fn ten_at_once_are_ten() {
    let mut hand = hand(14);
    failing(&mut hand, 20, 0..10);
    assert_eq!(hand.open().len(), 10);
    assert!(hand.open().iter().all(|incident| matches!(incident.cause, Cause::Instance(_))));
}

#[test]
fn what_still_fails_when_the_storm_is_over_has_its_own() {
    let mut hand = hand(14);
    failing(&mut hand, 20, 0..12);
    failing(&mut hand, 4, 0..2);
    let storm = hand.open().pop().expect("the storm");
    assert_eq!((storm.status, storm.held_back.len()), (IncidentStatus::Recovering, 2));
    failing(&mut hand, 8, 0..2);
    assert_eq!(causes(&hand), ["instance:api-00/production", "instance:api-01/production"]);
    failing(&mut hand, 10, 0..2);
    assert!(hand.told().iter().filter(|told| *told == "ticket").count() >= 3, "tickets of their own");
}

#[test]
fn a_storm_that_comes_back_while_it_is_watched_goes_on() {
    let mut hand = hand(14);
    failing(&mut hand, 20, 0..12);
    failing(&mut hand, 4, 0..2);
    failing(&mut hand, 4, 0..12);
    assert_eq!(causes(&hand), ["storm:production"]);
    assert_ne!(hand.open().pop().expect("the storm").status, IncidentStatus::Recovering);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever comes and goes: what fails is in an open incident or on the list of one, and in one alone.
    #[test]
    fn nothing_that_fails_is_dropped(rounds in prop::collection::vec((0..16_usize, 0..16_usize, 1..9_usize), 1..8)) {
        let mut hand = hand(16);
        for (from, to, count) in rounds {
            failing(&mut hand, count, from.min(to)..from.max(to));
            for health in hand.situation.healths.values().filter(|health| health.status.is_down()) {
                let open = hand.open();
                let of = open.iter().filter(|incident| {
                    incident.cause == Cause::Instance(health.instance.clone())
                        || incident.held_back.contains(&health.instance)
                });
                prop_assert_eq!(of.count(), 1, "{} in {:?}", health.instance, causes(&hand));
            }
        }
    }
}

#[test]
fn of_a_thousand_that_fail_within_a_minute_each_is_listed_once_and_all_are_let_go() {
    let mut hand = hand(1_000);
    failing(&mut hand, 4, 0..1_000);
    assert_eq!(causes(&hand), ["storm:production"]);
    let storm = hand.open().pop().expect("the storm");
    let listed: std::collections::BTreeSet<_> = storm.held_back.iter().collect();
    assert_eq!((storm.held_back.len(), listed.len()), (1_000, 1_000));
    failing(&mut hand, 1, 0..1);
    failing(&mut hand, 8, 0..1);
    let storm = hand.incident(storm.id.0);
    assert_eq!(storm.held_back, [], "what works again is on no list, and what fails answers for itself");
    assert_eq!(causes(&hand), ["instance:api-00/production"]);
}

#[test]
fn what_is_muted_is_no_storm_however_much_of_it_there_is() {
    let mut hand = hand(14);
    announce(&mut hand, jiff::SignedDuration::from_hours(3));
    failing(&mut hand, 30, 0..12);
    assert_eq!(hand.open().len(), 12, "each is seen");
    assert_eq!(hand.told(), Vec::<String>::new(), "and nobody is told");
}

#[test]
fn what_still_fails_when_a_mute_ends_is_one_storm_and_not_a_ticket_each() {
    let mut hand = hand(14);
    announce(&mut hand, jiff::SignedDuration::from_mins(20));
    failing(&mut hand, 6 * 32, 0..12);
    assert_eq!(causes(&hand), ["storm:production"]);
    let told = hand.told();
    assert_eq!(told.iter().filter(|told| *told == "ticket").count(), 1, "{told:?}");
}

#[test]
fn a_storm_that_comes_and_goes_is_one_however_long_it_is_well_between() {
    let mut hand = hand(14);
    failing(&mut hand, 6, 0..12);
    for _ in 0..3 {
        hand.rounds(5, &[], Seen::Pass);
        failing(&mut hand, 5, 0..12);
    }
    let storm = hand.open().pop().expect("the storm").id;
    assert!(hand.incident(storm.0).flaps.unstable.is_some());
    hand.rounds(12, &[], Seen::Pass);
    assert_eq!(hand.incident(storm.0).status, IncidentStatus::Recovering);
    failing(&mut hand, 2, 0..1);
    failing(&mut hand, 12, 0..1);
    assert_eq!(hand.open().len(), 2, "one alone has a reason of its own");
    failing(&mut hand, 30, 0..13);
    assert_eq!(causes(&hand), ["storm:production"]);
    assert_eq!(hand.incident(storm.0).held_back.len(), 13);
    let tickets = hand.told().iter().filter(|told| *told == "ticket").count();
    assert!(tickets <= 2, "{tickets}");
}

#[test]
fn what_was_heard_of_long_ago_is_no_storm_when_a_window_over_it_ends() {
    let mut hand = hand(14);
    for one in 0..12 {
        // Forty minutes apart: never many at once.
        failing(&mut hand, 35, 0..=one);
        let id = hand.open().into_iter().map(|incident| incident.id).max().expect("an incident");
        let take = domain::Command::Acknowledge { incident: id, by: "ann".into() };
        hand.tell(domain::Message::Command(take)).expect("taken");
    }
    assert_eq!(hand.open().len(), 12);
    announce(&mut hand, jiff::SignedDuration::from_mins(10));
    failing(&mut hand, 6 * 24, 0..12);
    assert_eq!(hand.open().len(), 12, "{:?}", causes(&hand));
}

#[test]
fn its_call_is_due_when_that_of_the_first_of_it_was() {
    let mut hand = hand(14);
    for count in 1..14 {
        failing(&mut hand, 1, 0..count);
    }
    assert_eq!(causes(&hand), ["storm:production"]);
    failing(&mut hand, 4, 0..12);
    let storm = hand.open().pop().expect("the storm");
    let first = storm.opened_at + jiff::SignedDuration::from_secs(120);
    let began = storm.escalation.clone().expect("calling").started_at;
    assert!(began.duration_since(first) <= jiff::SignedDuration::from_secs(10), "{began}, not {first}");
}

#[test]
fn whoever_was_called_for_a_part_of_it_does_not_hear_that_it_is_over() {
    let mut hand = hand(14);
    failing(&mut hand, 16, 0..1);
    let running = hand.incident(1).escalation.clone().expect("calling");
    failing(&mut hand, 5, 0..12);
    let storm = hand.open().pop().expect("the storm").id;
    assert_eq!(hand.incident(1).part_of, Some(storm));
    hand.receipt(1, "callout/1/text", domain::Sent::Delivered);
    assert!(hand.told().iter().any(|told| told.starts_with("part-of/")), "{:?}", hand.told());
    assert!(!hand.told().iter().any(|told| told.starts_with("stand-down/")), "{:?}", hand.told());
    let reference = running.callouts.first().expect("a call").reference.clone();
    let said = hand.tell(domain::Message::Answer { reference, answer: domain::Answer::Mine, by: None });
    assert!(said.clone().is_err_and(|said| said.contains(&format!("is part of {storm}"))), "{said:?}");
}

#[test]
fn a_team_that_heard_of_a_part_of_it_hears_when_the_whole_is_over_and_once() {
    let mut configuration = estate(14);
    configuration.teams.values_mut().for_each(|team| team.ways = vec![domain::TeamWay::Email]);
    configuration.environments.values_mut().for_each(|policy| policy.tell_provider = true);
    let mut hand = Hand::new(configuration);
    hand.rounds(3, &[], Seen::Pass);
    failing(&mut hand, 16, 0..1);
    let told = |hand: &Hand| -> Vec<String> {
        hand.told().into_iter().filter(|name| name.starts_with("told")).collect()
    };
    assert_eq!(told(&hand), ["told"]);
    failing(&mut hand, 5, 0..12);
    assert!(hand.incident(1).part_of.is_some());
    failing(&mut hand, 30, 0..12);
    assert_eq!(told(&hand), ["told"], "it goes on");
    hand.rounds(60, &[], Seen::Pass);
    assert!(hand.open().is_empty());
    assert_eq!(told(&hand), ["told", "told-over"], "nobody else had heard of anything");
}

#[test]
fn what_still_fails_when_a_long_storm_is_over_goes_on_in_the_ticket_that_it_had() {
    let mut configuration = estate(14);
    configuration
        .environments
        .values_mut()
        .for_each(|policy| policy.flapping.reopen = crate::estate::secs(600));
    let mut hand = Hand::new(configuration);
    hand.rounds(3, &[], Seen::Pass);
    failing(&mut hand, 16, 0..1);
    hand.ticket_raised(1);
    failing(&mut hand, 5, 0..12);
    assert!(hand.incident(1).part_of.is_some());
    // For longer than what is over may come back.
    failing(&mut hand, 90, 0..12);
    failing(&mut hand, 60, 0..1);
    let own = hand.incident(1);
    assert!(own.is_open() && own.part_of.is_none(), "{:?}", causes(&hand));
    assert_eq!(
        hand.told().iter().filter(|name| name.starts_with("ticket")).count(),
        2,
        "its own, and the storm's"
    );
}
