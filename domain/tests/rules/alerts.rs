//! Alerts of others: one cause, one incident, and nobody is woken by a rule that nobody here wrote.

use crate::estate::{Hand, Seen, configuration, instance};
use domain::{Alert, AlertName, Alerting, Cause, Environment, IncidentStatus, Message, Priority, Status};
use jiff::{SignedDuration, Timestamp};

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);

fn cause(name: &str) -> Cause {
    let name = AlertName::read(name).expect("a name");
    Cause::Alert(Alerting { instance: instance("results", PRODUCTION), name })
}

impl Hand {
    fn alert(&mut self, name: &str, fingerprint: &str, starts_at: Timestamp, ends_at: Option<Timestamp>) {
        let alert = Alert {
            instance: instance("results", PRODUCTION),
            name: AlertName::read(name).expect("a name"),
            fingerprint: fingerprint.to_owned(),
            status: Status::MajorOutage,
            starts_at,
            ends_at,
        };
        self.tell(Message::Alerts(vec![alert])).expect("heard");
    }
}

fn well() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand
}

#[test]
fn an_alert_is_one_incident_with_one_ticket_however_many_instances_fire_and_however_often_it_is_told() {
    let mut hand = well();
    let began = hand.now;
    for _ in 0..3 {
        for pod in ["a", "b", "c"] {
            hand.alert("QueueTooLong", pod, began, None);
        }
    }
    hand.rounds(60, &[], Seen::Pass);
    let open: Vec<Cause> = hand.situation.open_incidents().map(|incident| incident.cause.clone()).collect();
    assert_eq!(open, [cause("QueueTooLong")]);
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket").count(), 1);
    assert_eq!(hand.incident(1).priority, Priority::P1);
    assert!(hand.incident(1).major.is_none() && hand.incident(1).escalation.is_none(), "nobody is called");
    assert!(hand.incident(1).posts.is_empty(), "nor is the public told");
    assert_eq!(
        hand.situation.status(&instance("results", PRODUCTION)),
        Status::Operational,
        "measured is measured"
    );
}

#[test]
fn it_is_over_when_the_last_has_ended_and_a_word_that_was_long_on_its_way_begins_nothing() {
    let mut hand = well();
    let began = hand.now;
    hand.alert("QueueTooLong", "a", began, None);
    hand.alert("QueueTooLong", "b", began, None);
    hand.rounds(30, &[], Seen::Pass);
    hand.alert("QueueTooLong", "a", began, Some(hand.now));
    assert_eq!(hand.incident(1).status, IncidentStatus::Open);
    hand.alert("QueueTooLong", "b", began, Some(hand.now));
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering);
    hand.alert("QueueTooLong", "b", began, None);
    assert_eq!(hand.incident(1).status, IncidentStatus::Recovering, "it was said before it ended");
    assert!(hand.incident(1).alerts.iter().all(|heard| heard.alert.ends_at.is_some()), "and it stays ended");
    hand.rounds(120, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    hand.alert("QueueTooLong", "a", began, None);
    assert_eq!(hand.situation.open_incidents().count(), 0);
    // It fires again: the same incident while it is not long over.
    let again = hand.now;
    hand.alert("QueueTooLong", "a", again, None);
    assert_eq!(hand.incident(1).flaps.epoch, 1);
}

#[test]
fn where_probes_see_it_too_it_is_part_of_that_and_answers_for_itself_when_that_is_over() {
    let mut hand = well();
    hand.rounds(14, &[RESULTS], Seen::Fail);
    let began = hand.now;
    hand.alert("QueueTooLong", "a", began, None);
    assert_eq!(hand.situation.open_incidents().count(), 1, "one cause, one incident");
    assert!(hand.incident(1).timeline.iter().any(|line| line.text.contains("QueueTooLong")));
    hand.rounds(120, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    let open: Vec<Cause> = hand.situation.open_incidents().map(|incident| incident.cause.clone()).collect();
    assert_eq!(open, [cause("QueueTooLong")], "it still fires");
    hand.alert("QueueTooLong", "a", began, Some(hand.now));
    hand.rounds(120, &[], Seen::Pass);
    assert_eq!(hand.situation.open_incidents().count(), 0);
}

#[test]
fn what_was_told_just_before_the_instance_failed_is_taken_in() {
    let mut hand = well();
    hand.alert("QueueTooLong", "a", hand.now, None);
    hand.rounds(6, &[RESULTS], Seen::Fail);
    let open: Vec<Cause> = hand.situation.open_incidents().map(|incident| incident.cause.clone()).collect();
    assert_eq!(open, [Cause::Instance(instance("results", PRODUCTION))]);
    let own = hand.situation.open_incidents().next().expect("one").alerts.len();
    assert_eq!(own, 1, "it knows of the alert");
}

#[test]
fn an_alert_that_nobody_repeats_for_a_day_is_over() {
    let mut hand = well();
    hand.alert("QueueTooLong", "a", hand.now, None);
    hand.restart(SignedDuration::from_hours(23).as_secs());
    hand.rounds(2, &[], Seen::Pass);
    assert!(hand.incident(1).is_open());
    hand.restart(SignedDuration::from_hours(2).as_secs());
    hand.rounds(2, &[], Seen::Pass);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    let last = hand
        .incident(1)
        .timeline
        .iter()
        .any(|line| line.text.contains("nobody has repeated the alert for a day"));
    assert!(last, "{:?}", hand.incident(1).timeline);
}

#[test]
fn only_where_the_configuration_says_so_an_alert_calls_people_out() {
    let mut configuration = configuration();
    configuration.alerts_call_out = true;
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.alert("QueueTooLong", "a", hand.now, None);
    hand.rounds(14, &[], Seen::Pass);
    assert!(hand.incident(1).major.is_some());
    assert_eq!(hand.incident(1).escalation.as_ref().map_or(0, |running| running.callouts.len()), 1);
}

#[test]
fn sixty_alerts_about_what_probes_see_too_are_one_work_note() {
    let mut hand = well();
    hand.rounds(8, &[RESULTS], Seen::Fail);
    hand.ticket_raised(1);
    hand.rounds(8, &[RESULTS], Seen::Fail);
    let began = hand.now;
    for pod in 0..60 {
        hand.alert("QueueTooLong", &pod.to_string(), began, None);
        hand.alert("NoDisk", &pod.to_string(), began, None);
    }
    for _ in 0..100 {
        hand.rounds(1, &[RESULTS], Seen::Fail);
        crate::read_back::desk_takes_notes(&mut hand);
    }
    let all = crate::read_back::notes(&hand);
    let others: Vec<&str> = all
        .iter()
        .map(|(.., note)| note.text.as_str())
        .filter(|text| text.contains("Others see it too"))
        .collect();
    assert_eq!(others.len(), 1, "{all:#?}");
    assert!(
        others.concat().contains("the alert NoDisk for")
            && others.concat().contains("the alert QueueTooLong for"),
        "{others:?}"
    );
}

#[test]
fn what_others_saw_before_there_was_a_ticket_is_said_in_it_too() {
    let mut hand = well();
    hand.rounds(8, &[RESULTS], Seen::Fail);
    hand.alert("QueueTooLong", "a", hand.now, None);
    hand.ticket_raised(1);
    for _ in 0..100 {
        hand.rounds(1, &[RESULTS], Seen::Fail);
        crate::read_back::desk_takes_notes(&mut hand);
    }
    let said = |note: &domain::Note| note.text.contains("Others see it too: the alert QueueTooLong for");
    assert_eq!(crate::read_back::notes(&hand).iter().filter(|(.., note)| said(note)).count(), 1);
}

#[test]
fn a_team_does_not_hear_the_end_of_an_alert_that_fires_on() {
    let mut configuration = configuration();
    configuration.teams.values_mut().for_each(|team| team.ways = vec![domain::TeamWay::Email]);
    configuration.environments.values_mut().for_each(|policy| policy.tell_provider = true);
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.alert("QueueTooLong", "a", hand.now, None);
    hand.rounds(12, &[], Seen::Pass);
    let told =
        |hand: &Hand| hand.told().into_iter().filter(|name| name.starts_with("told")).collect::<Vec<_>>();
    assert_eq!(told(&hand), ["told"]);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.rounds(14, &[], Seen::Pass);
    let of_alert =
        hand.situation.open_incidents().filter(|incident| incident.cause == cause("QueueTooLong")).count();
    assert_eq!(of_alert, 1, "it fires on");
    let over: Vec<String> = told(&hand).into_iter().filter(|name| name.starts_with("told-over")).collect();
    assert!(over.len() <= 1, "of what the probes saw alone: {over:?}");
}
