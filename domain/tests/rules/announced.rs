//! Planned work that somebody announced: it mutes, it hides nothing, and it ends.

use crate::estate::*;
use domain::{
    ApiId, Change, Channel, Command, Cron, Environment, Environment::Production as PRODUCTION, Message,
    NotificationKind, PersonId, Status, TeamId, Text, Window,
};
use jiff::SignedDuration;

const RESULTS: (&str, Environment) = ("results", PRODUCTION);

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

impl Hand {
    /// Planned work on an API in production, or on all, from and for so many minutes.
    fn announce(&mut self, api: Option<&str>, from: i64, lasts: i64) -> Result<String, String> {
        self.announce_by("ann", api, from, lasts)
    }

    fn announce_by(&mut self, by: &str, api: Option<&str>, from: i64, lasts: i64) -> Result<String, String> {
        let from = self.now + minutes(from);
        self.tell(Message::Command(Command::Maintain {
            by: by.into(),
            why: Text::new("A new database", "Cronfa ddata newydd"),
            from,
            until: from + minutes(lasts),
            environment: PRODUCTION,
            api: api.map(|api| ApiId::parse(api).expect("an id")),
        }))
    }

    fn end(&mut self, maintenance: u64) -> Result<String, String> {
        self.tell(Message::Command(Command::EndMaintenance { maintenance, by: "ben".into() }))
    }

    fn is_in_maintenance(&self, api: &str) -> bool {
        self.situation.healths.get(&instance(api, PRODUCTION)).expect("known").maintenance
    }
}

fn well() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand
}

#[test]
fn it_begins_and_ends_by_itself_for_its_api_alone() {
    let mut hand = well();
    hand.announce(Some("results"), 5, 10).expect("announced");
    hand.rounds(29, &[], Seen::Pass);
    assert!(!hand.is_in_maintenance("results"));
    hand.rounds(2, &[], Seen::Pass);
    assert!(hand.is_in_maintenance("results") && !hand.is_in_maintenance("documents"));
    hand.rounds(61, &[], Seen::Pass);
    assert!(!hand.is_in_maintenance("results"));
    hand.announce(None, 0, 10).expect("announced");
    assert!(hand.is_in_maintenance("results") && hand.is_in_maintenance("documents"), "at once, and all");
}

#[test]
fn it_mutes_and_hides_nothing_and_what_overruns_by_ten_minutes_is_told() {
    let mut hand = well();
    hand.announce(Some("results"), 0, 10).expect("announced");
    hand.rounds(59, &[RESULTS], Seen::Fail);
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage, "shown all the same");
    assert!(hand.told().is_empty(), "{:?}", hand.told());
    // It was to end here, and work overruns by minutes.
    hand.rounds(59, &[RESULTS], Seen::Fail);
    assert!(hand.told().iter().all(|name| name.starts_with("overruns/")), "{:?}", hand.told());
    hand.rounds(4, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"ticket".to_owned()), "{:?}", hand.told());
}

/// To whom something goes because of work that overruns.
fn owners(hand: &Hand) -> Vec<Channel> {
    let owner = |change: &Change| {
        let Change::Notify(told) = change else { return None };
        matches!(told.kind, NotificationKind::Overruns { work: Some(1), .. }).then(|| told.channel.clone())
    };
    hand.changes.iter().filter_map(owner).collect()
}

#[test]
fn whoever_announced_what_overruns_is_told_once_when_it_was_to_end() {
    let one = PersonId::parse("one").expect("an id");
    for (by, whom) in
        [("One", Channel::Email(one)), ("ann", Channel::Team(TeamId::parse("team").expect("an id")))]
    {
        let mut hand = Hand::new(configuration());
        hand.rounds(2, &[], Seen::Pass);
        hand.announce_by(by, Some("results"), 0, 10).expect("announced");
        hand.rounds(58, &[RESULTS], Seen::Fail);
        assert_eq!(owners(&hand), [], "there is time");
        hand.rounds(4, &[RESULTS], Seen::Fail);
        assert_eq!(owners(&hand), [whom], "{by}");
        hand.restart(10);
        hand.rounds(20, &[RESULTS], Seen::Fail);
        assert_eq!(owners(&hand).len(), 1, "once");
        let said = &hand.incident(1).timeline;
        assert!(said.iter().any(|entry| entry.text.contains("planned work 1 was to end at")), "{said:#?}");
    }
}

#[test]
fn of_work_that_ended_in_time_or_was_ended_nobody_is_told() {
    let mut hand = well();
    hand.announce(Some("results"), 0, 10).expect("announced");
    hand.rounds(40, &[RESULTS], Seen::Fail);
    hand.rounds(40, &[], Seen::Pass);
    assert_eq!(owners(&hand), []);
    let mut hand = well();
    hand.announce(Some("results"), 0, 60).expect("announced");
    hand.rounds(12, &[RESULTS], Seen::Fail);
    hand.end(1).expect("ended");
    hand.rounds(12, &[RESULTS], Seen::Fail);
    assert_eq!(owners(&hand), [], "that was said by a person");
}

#[test]
fn what_begins_after_its_end_is_told_without_grace() {
    let mut hand = well();
    hand.announce(Some("results"), 0, 10).expect("announced");
    hand.rounds(61, &[], Seen::Pass);
    hand.rounds(12, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"ticket".to_owned()), "{:?}", hand.told());
}

#[test]
fn trouble_of_what_is_not_worked_on_is_told() {
    let mut hand = well();
    hand.announce(Some("results"), 0, 60).expect("announced");
    hand.rounds(12, &[("identity", PRODUCTION)], Seen::Fail);
    assert!(hand.told().contains(&"ticket".to_owned()), "{:?}", hand.told());
}

#[test]
fn ended_before_its_time_it_has_no_grace_and_called_off_it_mutes_nothing() {
    let mut hand = well();
    hand.announce(Some("results"), 0, 60).expect("announced");
    hand.rounds(12, &[RESULTS], Seen::Fail);
    assert!(hand.told().is_empty());
    assert_eq!(hand.end(1), Ok("planned work 1 is ended".to_owned()));
    assert!(hand.end(1).is_err(), "once");
    assert!(!hand.is_in_maintenance("results"));
    hand.rounds(2, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"ticket".to_owned()), "{:?}", hand.told());

    let mut hand = well();
    hand.announce(Some("results"), 1, 60).expect("announced");
    assert_eq!(hand.end(1), Ok("planned work 1 is called off".to_owned()));
    hand.rounds(20, &[RESULTS], Seen::Fail);
    assert!(!hand.is_in_maintenance("results") && hand.told().contains(&"ticket".to_owned()));
    assert!(hand.end(2).is_err(), "there is none");
}

#[test]
fn it_goes_on_over_a_restart() {
    let mut hand = well();
    hand.announce(Some("results"), 0, 60).expect("announced");
    hand.restart(30);
    hand.rounds(12, &[RESULTS], Seen::Fail);
    assert!(hand.is_in_maintenance("results") && hand.told().is_empty());
    assert!(hand.announce(Some("results"), 0, 60).expect("announced").starts_with("planned work 2 "));
}

#[test]
fn what_can_be_no_plan_is_refused_with_the_reason() {
    let mut hand = well();
    for (api, from, lasts, why) in [
        (Some("results"), -60, 30, "before it begins"),
        (Some("results"), 60, 0, "before it begins"),
        (Some("results"), 0, 8 * 24 * 60, "7 days at most"),
        (Some("results"), 500 * 24 * 60, 60, "400 days ahead"),
        (Some("moon"), 0, 60, "no such instance"),
    ] {
        let said = hand.announce(api, from, lasts).expect_err("refused");
        assert!(said.contains(why), "{said}");
    }
    assert!(hand.situation.maintenances.is_empty());
}

#[test]
fn what_fails_after_a_window_that_repeats_is_told_to_its_team_and_ten_minutes_later_it_is_an_incident() {
    let mut configuration = configuration();
    for policy in configuration.environments.values_mut() {
        policy.maintenance = vec![Window {
            cron: Cron::parse("0 2 * * *").expect("a cron expression"),
            lasts: std::time::Duration::from_mins(10),
            why: Text::new("Load tests", "Profion llwyth"),
        }];
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(57, &[RESULTS], Seen::Fail);
    assert!(hand.told().is_empty(), "{:?}", hand.told());
    hand.rounds(5, &[RESULTS], Seen::Fail);
    let told = hand.told();
    assert!(
        told.len() == 1 && told[0].starts_with("overruns/window/") && told[0].ends_with("/team"),
        "{told:?}"
    );
    hand.restart(10);
    hand.rounds(50, &[RESULTS], Seen::Fail);
    assert_eq!(hand.told().len(), 1, "once, and there are minutes of grace: {:?}", hand.told());
    hand.rounds(8, &[RESULTS], Seen::Fail);
    assert!(hand.told().contains(&"ticket".to_owned()), "{:?}", hand.told());
    let said = &hand.incident(1).timeline;
    assert!(said.iter().any(|entry| entry.text.starts_with("the planned window was to end at ")));
}

#[test]
fn what_fails_anew_after_its_end_has_no_grace_though_it_failed_in_the_work_too() {
    let mut hand = well();
    hand.announce(Some("results"), 0, 10).expect("announced");
    hand.rounds(20, &[RESULTS], Seen::Fail);
    hand.rounds(45, &[], Seen::Pass);
    assert!(hand.open().is_empty() && !hand.is_in_maintenance("results"));
    hand.rounds(12, &[RESULTS], Seen::Fail);
    assert_eq!(hand.open().first().map(|incident| incident.id.0), Some(1), "the same incident");
    assert!(hand.told().contains(&"ticket".to_owned()), "{:?}", hand.told());
}

/// At five to two a P1 begins, and at two a window for work on something else: the night must not go quiet.
#[test]
fn who_was_being_called_in_vain_before_the_work_began_goes_on_being_called() {
    let mut hand = well();
    hand.rounds(16, &[RESULTS], Seen::Fail);
    let next = domain::next_call_at(&hand.situation, &hand.incident(1), hand.now).expect("a call");
    let said = hand.announce(Some("results"), 0, 60).expect("announced");
    assert!(said.contains("people go on being called for C-1, until somebody takes it"), "{said}");
    assert_eq!(domain::next_call_at(&hand.situation, &hand.incident(1), hand.now), Some(next));
    assert_eq!(domain::mute(&hand.situation, &hand.incident(1), hand.now), None);

    // Once somebody has it, the work is what they know of.
    let take = Command::Acknowledge { incident: domain::IncidentId(1), by: "ann".into() };
    hand.tell(Message::Command(take)).expect("taken");
    let muted = domain::mute(&hand.situation, &hand.incident(1), hand.now).map(|(_, by)| by);
    assert_eq!(muted, Some(domain::Mute::Maintenance(1)));
}

#[test]
fn a_window_that_repeats_does_not_end_calls_that_had_begun_before_it() {
    let mut configuration = configuration();
    let production = configuration.environments.get_mut(&PRODUCTION).expect("production");
    let cron = Cron::parse("0 2 * * *").expect("a time");
    production.maintenance = vec![Window { cron, lasts: secs(3600), why: Text::new("Copies", "Copïau") }];
    let mut hand = Hand::new(configuration);
    hand.now = "2026-11-24T01:54:00Z".parse().expect("a night");
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(15, &[RESULTS], Seen::Fail);
    let calls =
        |hand: &Hand| hand.incident(1).escalation.as_ref().map_or(0, |running| running.callouts.len());
    assert_eq!(calls(&hand), 1);
    hand.rounds(90, &[RESULTS], Seen::Fail);
    assert!(hand.now > "2026-11-24T02:10:00Z".parse().expect("a time") && calls(&hand) > 1, "{}", hand.now);
}
