//! Priority: impact × urgency from all that weighs, and the cell with what weighed is said wherever it is.

use crate::estate::{Hand, Seen, configuration, instance};
use domain::{Cause, Configuration, Environment, Language, Lasting, Priority, Rating};
use std::sync::Arc;
use std::time::Duration;

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);
const DOCUMENTS: (&str, Environment) = ("documents", PRODUCTION);

fn priority(number: u8) -> Priority {
    Priority::new(number).expect("1 to 5")
}

fn used_by(mut configuration: Configuration, name: &str, consumers: u32) -> Configuration {
    let api =
        configuration.apis.get_mut(&instance(name, PRODUCTION).api).map(Arc::make_mut).expect("the API");
    api.consumers = consumers;
    configuration
}

fn failing(configuration: Configuration, which: &[(&str, Environment)]) -> Hand {
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(4, which, Seen::Fail);
    hand
}

#[test]
fn the_cell_says_where_how_important_how_many_who_uses_it_and_how_bad() {
    let hand = failing(used_by(configuration(), "results", 12), &[RESULTS]);
    let incident = hand.incident(1);
    assert_eq!(
        incident.weight(Language::En),
        "impact 1 (production, critical service level, 1 instance of 3, 12 consumers) × urgency 1 (major outage)"
    );
    assert_eq!(
        incident.weight(Language::Cy),
        "effaith 1 (amgylchedd byw, lefel gwasanaeth hanfodol, enghreifftiau: 1 o 3, defnyddwyr: 12) × brys 1 (ddim yn \
         gweithio)"
    );
    assert_eq!(incident.short_weight(Language::En), "impact 1 × urgency 1");
    let opened = &incident.timeline[0].text;
    assert!(
        opened.contains("; P1: impact 1 (production, critical service level, 1 instance of 3, "),
        "{opened}"
    );
}

#[test]
fn what_many_applications_use_weighs_more_where_the_configuration_says_so() {
    for (many, expected) in [(None, 2), (Some(13), 2), (Some(12), 1)] {
        let mut configuration = used_by(configuration(), "documents", 12);
        configuration.priorities.many_consumers = many;
        let hand = failing(configuration, &[DOCUMENTS]);
        assert_eq!(hand.incident(1).priority, priority(expected), "{many:?}");
    }
    // What many use in production weighs nothing where they do not.
    let mut configuration = used_by(configuration(), "results", 1_000);
    configuration.priorities.many_consumers = Some(1);
    let hand = failing(configuration, &[("results", Environment::Sit)]);
    assert_eq!(hand.incident(1).rank.cell.as_ref().expect("a cell").rating, Rating { impact: 5, urgency: 1 });
}

#[test]
fn what_stays_degraded_for_long_is_more_urgent_from_then_on() {
    let mut configuration = configuration();
    configuration.priorities.lasting =
        Lasting { degraded: Some(Duration::from_hours(1)), ..Lasting::default() };
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(80, &[RESULTS], Seen::Slow);
    hand.ticket_raised(1);
    let incident = hand.incident(1);
    assert_eq!(
        (incident.priority, incident.short_weight(Language::En)),
        (priority(2), "impact 1 × urgency 3".into())
    );
    let began = incident.failing_since();
    let risen = loop {
        hand.rounds(1, &[RESULTS], Seen::Slow);
        if hand.incident(1).priority == Priority::P1 {
            break hand.now;
        }
        assert!(hand.now.duration_since(began).as_hours() < 2, "it never rises");
    };
    let after = risen.duration_since(began).as_secs();
    assert!((3_600..3_620).contains(&after), "an hour, not {after} s");
    let incident = hand.incident(1);
    assert!(incident.weight(Language::En).ends_with("× urgency 2 (degraded for more than 1 h)"));
    assert!(incident.major.is_some(), "and the rule for majors follows");
    let noted = hand.told().iter().any(|name| name.starts_with("note/"));
    assert!(noted, "the desk hears of it");
}

#[test]
fn what_works_in_between_begins_its_time_anew() {
    let mut configuration = configuration();
    configuration.priorities.lasting =
        Lasting { degraded: Some(Duration::from_hours(1)), ..Lasting::default() };
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    for _ in 0..2 {
        hand.rounds(200, &[RESULTS], Seen::Slow);
        // The same incident: it came back while it was watched.
        hand.rounds(3, &[], Seen::Pass);
    }
    hand.rounds(200, &[RESULTS], Seen::Slow);
    assert_eq!(hand.incident(1).priority, priority(2));
}

#[test]
fn what_is_in_no_cell_says_its_true_reason() {
    let mut unattended = configuration();
    for rota in unattended.rotas.values_mut() {
        rota.layers.clear();
    }
    let mut hand = Hand::new(unattended);
    hand.rounds(2, &[], Seen::Pass);
    hand.wait(1);
    let gap = hand.incident(1);
    assert!(matches!(gap.cause, Cause::Rota(_)));
    assert_eq!(
        (gap.weight(Language::En), gap.weight(Language::Cy)),
        ("nobody is on call".into(), "nid oes neb ar alw".into())
    );

    let all: Vec<_> = ["identity", "results", "documents"].into_iter().map(|api| (api, PRODUCTION)).collect();
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(30, &all, Seen::Ours);
    let blind = hand.open().pop().expect("blind");
    assert!(matches!(blind.cause, Cause::Blind(_)));
    assert_eq!(blind.weight(Language::En), "production cannot be seen");

    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(10, &[RESULTS, DOCUMENTS], Seen::Refused);
    let refused = hand.open().pop().expect("refused");
    assert!(refused.weight(Language::En).contains("counts as critical: what works cannot be told"));
}

#[test]
fn the_cell_is_that_of_the_highest_it_has_had_and_of_the_gravest_that_it_holds_back() {
    let mut hand = failing(configuration(), &[RESULTS]);
    hand.rounds(10, &[RESULTS], Seen::Slow);
    let words = hand.incident(1).weight(Language::En);
    assert!(words.ends_with("× urgency 1 (major outage)"), "{words}");
}
