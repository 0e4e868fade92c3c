//! What will be trouble unless somebody acts before: one incident each, in office hours, and never a call.

use crate::estate::*;
use domain::{
    BankHolidays, Certificate, Change, ClientCertificate, Configuration, Credential, Deprecation,
    Environment, Event, Failure, FailureKind, HoursId, Http, Incident, IncidentId, IncidentStatus, Layer,
    NotificationKind, Outcome, Override, PersonId, Priority, RotaId, Secret, SecretEnd, Ticket, TrackId,
    WeeklyWindow,
};
use jiff::{SignedDuration, Timestamp, civil};
use std::sync::Arc;

const P4: Priority = Priority::P4;

/// People are there from nine to five on working days.
fn office() -> Configuration {
    use civil::Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
    let mut configuration = configuration();
    let hours = configuration.hours.get_mut(&HoursId::parse("never").expect("an id")).expect("the hours");
    hours.weekly = vec![WeeklyWindow {
        days: vec![Monday, Tuesday, Wednesday, Thursday, Friday],
        from: civil::time(9, 0, 0, 0),
        to: Some(civil::time(17, 0, 0, 0)),
    }];
    configuration
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

impl Hand {
    /// Ten seconds later every check is well; those of `apis` in production say `says` besides.
    fn all_well(&mut self, apis: &[&str], says: impl Fn(Outcome) -> Outcome) {
        self.now += SignedDuration::from_secs(10);
        for check in self.situation.configuration.checks.keys().cloned().collect::<Vec<_>>() {
            let vantage = domain::VantageId::parse("internet").expect("an id");
            let chosen = check.instance.environment == Environment::Production
                && apis.contains(&check.instance.api.as_str());
            let seen = (*outcome(&TrackId { check, vantage }, self.now, Seen::Pass)).clone();
            let seen = Outcome {
                http: Some(Http { status: 200, version: "HTTP/1.1".into(), remote_ip: None, bytes: 0 }),
                ..seen
            };
            let seen = if chosen { says(seen) } else { seen };
            self.event(&Event::Outcome(Arc::new(seen)));
        }
        self.event(&Event::Due);
    }

    fn show(&mut self, apis: &[&str], fingerprint: &str, not_after: Timestamp) {
        let certificate = Certificate { not_after, fingerprint: fingerprint.to_owned() };
        self.all_well(apis, |seen| Outcome { certificate: Some(certificate.clone()), ..seen });
    }

    fn calls(&self) -> usize {
        let calls = |change: &&Change| matches!(change, Change::Notify(told) if matches!(told.kind, NotificationKind::Callout { .. }));
        self.changes.iter().filter(calls).count()
    }

    fn foreseen(&self) -> Vec<(String, u8)> {
        self.open().iter().map(|open| (open.cause.to_string(), open.priority.number())).collect()
    }

    fn only(&self) -> Arc<Incident> {
        let open = self.open();
        assert_eq!(open.len(), 1, "{:#?}", self.foreseen());
        Arc::clone(open.first().expect("one"))
    }
}

const BOTH: [&str; 2] = ["identity", "results"];

#[test]
fn a_certificate_on_many_instances_is_one_p4_three_weeks_before_it_ends_with_a_ticket_in_office_hours() {
    let mut hand = Hand::new(office());
    let ends = hand.now + days(21) + SignedDuration::from_secs(60);
    hand.show(&BOTH, "ab12", ends);
    assert!(hand.open().is_empty(), "there is time");
    hand.wait(60);
    hand.show(&BOTH, "ab12", ends);
    let incident = hand.only();
    assert_eq!(hand.foreseen(), [("ahead:certificate:ab12".to_owned(), 4)]);
    assert_eq!(incident.affects, BOTH.map(|api| instance(api, Environment::Production)));
    assert_eq!(
        incident.diagnosis.en,
        "The certificate ends on 11 December 2026: it has to be renewed before (SHA-256 ab12)."
    );
    assert!(hand.told().is_empty(), "it is two in the morning");
    let next = domain::next_action(&hand.situation, &incident, hand.now).unwrap();
    assert_eq!((next.what.as_str(), next.at), ("raise a ticket", "2026-11-20T09:00:00Z".parse().unwrap()));
    hand.now = next.at - SignedDuration::from_secs(10);
    hand.show(&["identity", "results", "documents"], "ab12", ends);
    assert_eq!(hand.told(), ["ticket"]);
    assert_eq!(hand.only().affects.len(), 3, "one more shows it");
    hand.ticket_raised(1);
    for _ in 0..3 {
        hand.wait(24 * 3_600);
        hand.show(&["identity", "results", "documents"], "ab12", ends);
    }
    assert_eq!((hand.told().len(), hand.calls()), (1, 0), "nor does anything else follow");
}

#[test]
fn it_is_over_when_all_show_another_and_a_start_that_has_seen_none_of_them_ends_nothing() {
    let mut hand = Hand::new(office());
    let (soon, later) = (hand.now + days(5), hand.now + days(400));
    hand.show(&BOTH, "ab12", soon);
    hand.restart(30);
    hand.wait(10);
    assert_eq!(hand.only().priority, P4, "nothing is known of it yet");
    hand.show(&["identity"], "ab12", soon);
    hand.show(&["identity"], "cd34", later);
    hand.wait(3_600);
    hand.show(&["identity"], "cd34", later);
    assert_eq!(hand.only().status, IncidentStatus::Open, "results has not said");
    hand.show(&BOTH, "cd34", later);
    hand.wait(3_500);
    hand.show(&BOTH, "cd34", later);
    assert_eq!(hand.only().status, IncidentStatus::Open, "there may be other nodes, which show the old one");
    hand.wait(100);
    hand.show(&BOTH, "cd34", later);
    assert_eq!(hand.incident(1).status, IncidentStatus::Resolved);
    assert!(hand.told().is_empty(), "renewed before anybody was there: nobody heard of it");
}

#[test]
fn nodes_of_one_name_that_show_different_certificates_are_one_finding_of_that_which_ends_first() {
    let mut hand = Hand::new(office());
    let (first, soon, later) = (hand.now + days(5), hand.now + days(9), hand.now + days(400));
    for _ in 0..400 {
        hand.show(&BOTH, "cd34", later);
        hand.show(&BOTH, "ab12", first);
        hand.show(&BOTH, "ef56", soon);
    }
    assert_eq!(hand.foreseen(), [("ahead:certificate:ab12".to_owned(), 4)]);
    hand.restart(30);
    for _ in 0..100 {
        hand.show(&BOTH, "cd34", later);
        hand.show(&BOTH, "ab12", first);
    }
    assert_eq!(hand.only().id, IncidentId(1), "opened once");
    for _ in 0..400 {
        hand.show(&BOTH, "cd34", later);
        hand.show(&BOTH, "ef56", soon);
    }
    assert_eq!(hand.foreseen(), [("ahead:certificate:ef56".to_owned(), 4)], "that one was renewed");
}

#[test]
fn what_has_ended_already_is_nothing_that_is_to_come() {
    let mut hand = Hand::new(office());
    let ended = hand.now - days(1);
    hand.show(&BOTH, "ab12", ended);
    assert!(hand.open().is_empty());
    let soon = hand.now + days(1);
    hand.show(&BOTH, "cd34", soon);
    hand.now += days(2);
    hand.show(&BOTH, "cd34", soon);
    assert_eq!(hand.foreseen(), [("ahead:certificate:cd34".to_owned(), 4)], "until it is renewed");
}

#[test]
fn nothing_ahead_is_major_whatever_is_major_and_nobody_is_called() {
    let mut everything = office();
    let policy = everything.environments.get_mut(&Environment::Production).unwrap();
    policy.major.as_mut().unwrap().when = Priority::P5;
    let mut hand = Hand::new(everything);
    let ends = hand.now + days(1);
    hand.show(&BOTH, "ab12", ends);
    hand.now += SignedDuration::from_hours(8);
    hand.show(&BOTH, "ab12", ends);
    assert_eq!(hand.told(), ["ticket"]);
    assert!(hand.only().major.is_none());
}

#[test]
fn what_an_api_says_of_its_end_is_known_a_quarter_of_a_year_before() {
    let mut hand = Hand::new(office());
    let sunset = Some(hand.now + days(90));
    let gone = Some(Box::new(Deprecation { since: None, sunset }));
    let says = |seen| Outcome { deprecation: gone.clone(), ..seen };
    hand.now -= days(1);
    hand.all_well(&["results"], says);
    assert!(hand.open().is_empty());
    hand.now += days(1);
    hand.all_well(&["results"], says);
    assert_eq!(hand.foreseen(), [("ahead:sunset:results/production".to_owned(), 4)]);
    assert_eq!(hand.only().api.as_ref().unwrap().as_str(), "results", "its provider is told");
    hand.all_well(&["results"], |seen| Outcome {
        failure: Some(Failure {
            layer: Layer::Gateway,
            kind: FailureKind::GatewayError,
            message: String::new(),
        }),
        ..seen
    });
    assert_eq!(hand.foreseen().len(), 1, "what its gateway says says nothing of it");
    hand.all_well(&["results"], |seen| seen);
    assert!(hand.open().is_empty(), "it stays after all");
}

#[test]
fn an_api_that_was_to_be_gone_and_still_answers_is_told() {
    let mut hand = Hand::new(office());
    let sunset = Some(hand.now + days(2));
    let gone = Some(Box::new(Deprecation { since: None, sunset }));
    let says = |seen| Outcome { deprecation: gone.clone(), ..seen };
    hand.all_well(&["results"], says);
    assert!(hand.only().diagnosis.en.starts_with("Its own answers say that it is gone on 22 November 2026"));
    hand.now += days(3);
    hand.all_well(&["results"], says);
    let told = "By its own answers it was to be gone on 22 November 2026 (Sunset), and it still answers";
    assert!(hand.only().diagnosis.en.starts_with(told), "{}", hand.only().diagnosis.en);
    assert_eq!(hand.only().id.0, 1, "the same incident");
    // One that is met so late is told, too.
    let mut hand = Hand::new(office());
    let gone = Some(Box::new(Deprecation { since: None, sunset: Some(hand.now - days(30)) }));
    hand.all_well(&["results"], |seen| Outcome { deprecation: gone.clone(), ..seen });
    assert_eq!(hand.foreseen(), [("ahead:sunset:results/production".to_owned(), 4)]);
}

#[test]
fn our_own_certificate_is_renewed_by_another_in_the_configuration() {
    let shows = |chain: &str, ends: Timestamp| {
        let mut configuration = office();
        let certificate =
            ClientCertificate { chain: Secret::new(chain), key: Secret::new("key"), ends: Some(ends) };
        let credential = Arc::new(Credential { access: None, certificate: Some(certificate) });
        for check in configuration.checks.values_mut() {
            *check =
                Arc::new(domain::Check { credential: Some(Arc::clone(&credential)), ..(**check).clone() });
        }
        configuration
    };
    let mut hand = Hand::new(shows("one", start() + days(30)));
    hand.wait(1);
    let incident = hand.only();
    assert_eq!(incident.affects.len(), 6, "one certificate, one cause");
    assert_eq!((incident.priority, incident.environment), (P4, Environment::Production));
    assert!(!incident.cause.to_string().contains("one"), "the chain itself is nowhere");
    hand.restart_with(30, shows("two", start() + days(400)));
    assert!(hand.open().is_empty());
}

#[test]
fn a_secret_of_ours_ends_and_is_renewed_by_another_day_in_the_configuration() {
    let ends = |on: Timestamp| {
        let mut configuration = office();
        let shown_to = [instance("results", Environment::Production)].into();
        configuration.secrets_end.insert("env:RESULTS_KEY".to_owned(), SecretEnd { at: on, shown_to });
        configuration
    };
    let mut hand = Hand::new(ends(start() + days(30) + SignedDuration::from_secs(60)));
    hand.wait(1);
    assert!(hand.open().is_empty(), "there is time");
    hand.wait(60);
    let incident = hand.only();
    assert_eq!(hand.foreseen(), [("ahead:own_secret:env:RESULTS_KEY".to_owned(), 4)]);
    assert_eq!(
        incident.diagnosis.en,
        "Curiad’s own secret env:RESULTS_KEY ends on 20 December 2026: after that whoever it is shown to turns Curiad away."
    );
    assert_eq!(incident.environment, Environment::Production);
    assert_eq!(incident.api.as_ref().unwrap().as_str(), "results", "its ticket names who asks for it");
    hand.now += days(31);
    hand.event(&Event::Due);
    assert_eq!(
        (hand.only().status, hand.calls()),
        (IncidentStatus::Open, 0),
        "it is over, and nobody renewed it"
    );
    hand.restart_with(30, ends(start() + days(400)));
    assert!(hand.open().is_empty());
    // Without a day nothing is known of it, so nothing is said.
    hand.restart_with(30, office());
    hand.wait(1);
    assert!(hand.open().is_empty());
}

#[test]
fn the_table_of_bank_holidays_ends_and_whoever_can_renew_it_has_a_year() {
    let mut hand = Hand::new(office());
    hand.now = "2028-01-01T23:00:00Z".parse().unwrap();
    hand.wait(1);
    assert!(hand.open().is_empty());
    hand.wait(3_600);
    assert_eq!(hand.foreseen(), [("ahead:bank_holidays".to_owned(), 4)]);
    hand.wait(1);
    assert!(hand.incident(1).ticket == Ticket::None, "it is a Saturday night");
    let mut never = office();
    never.hours.values_mut().for_each(|hours| hours.bank_holidays = None);
    hand.restart_with(30, never);
    assert!(hand.open().is_empty(), "nobody asks for them");
    hand.restart_with(30, office());
    assert_eq!(hand.open().len(), 1);
    let days = (2..10).map(|day| (civil::date(2029, 6, day), "A feast".to_owned(), false));
    let known = Arc::new(BankHolidays::published(days).unwrap());
    let mut renewed = office();
    renewed.hours.values_mut().for_each(|hours| hours.bank_holidays = Some(Arc::clone(&known)));
    hand.restart_with(30, renewed);
    assert!(hand.open().is_empty(), "GOV.UK's list goes on to the end of 2029");
}

/// A rota that nobody is on from `from` to `to`.
fn gap(from: Timestamp, to: Timestamp) -> Configuration {
    let mut configuration = office();
    let one = PersonId::parse("one").expect("an id");
    let rota = configuration.rotas.get_mut(&RotaId::parse("platform").expect("an id")).expect("the rota");
    rota.layers.clear();
    rota.overrides = vec![
        Override { person: one.clone(), from: Timestamp::MIN, to: from, added: None },
        Override { person: one, from: to, to: Timestamp::MAX, added: None },
    ];
    configuration
}

#[test]
fn a_gap_in_a_rota_is_p4_two_weeks_before_p2_three_days_before_and_p1_when_it_is_there() {
    let (from, to) = (start() + days(15), start() + days(16));
    let mut hand = Hand::new(gap(from, to));
    let mut at = |hours: i64| {
        hand.now = from - SignedDuration::from_hours(hours) - SignedDuration::from_secs(10);
        hand.all_well(&[], |seen| seen);
        hand.foreseen()
    };
    assert_eq!(at(24 * 14 + 1), []);
    assert_eq!(at(24 * 14), [("ahead:rota:platform".to_owned(), 4)]);
    assert_eq!(at(73), [("ahead:rota:platform".to_owned(), 4)]);
    assert_eq!(at(72), [("ahead:rota:platform".to_owned(), 2)]);
    assert_eq!(hand.calls(), 0, "nobody is woken by what is to come");
    hand.now = from - SignedDuration::from_secs(10);
    hand.all_well(&[], |seen| seen);
    assert_eq!(hand.foreseen(), [("rota:platform".to_owned(), 1)]);
    assert!(hand.incident(1).timeline.iter().any(|entry| entry.text.contains("taken in by C-2")));
    assert_eq!(hand.incident(2).escalation.as_ref().unwrap().callouts[0].person.as_str(), "boss");
    hand.now = to - SignedDuration::from_secs(10);
    hand.all_well(&[], |seen| seen);
    hand.wait(70);
    assert!(hand.open().is_empty(), "somebody is on call");
}

#[test]
fn a_rota_from_which_nobody_is_called_may_have_gaps() {
    let mut unused = gap(start(), start() + days(1));
    unused.escalations.values_mut().for_each(|escalation| escalation.steps.truncate(0));
    let mut hand = Hand::new(unused);
    hand.wait(1);
    assert!(hand.open().is_empty());
}

#[test]
fn a_gap_three_days_off_is_told_at_night_and_one_two_weeks_off_waits_for_the_morning() {
    for (hours, at_once) in [(48, true), (24 * 13, false)] {
        let from = start() + SignedDuration::from_hours(hours);
        let mut configuration = gap(from, from + days(1));
        // The office opens at nine; it is two at night.
        let office = configuration.hours.values_mut().next().expect("hours");
        office.weekly = vec![domain::WeeklyWindow {
            days: vec![jiff::civil::Weekday::Friday],
            from: jiff::civil::time(9, 0, 0, 0),
            to: Some(jiff::civil::time(17, 0, 0, 0)),
        }];
        let mut hand = Hand::new(configuration);
        hand.rounds(3, &[], Seen::Pass);
        assert_eq!(hand.told().contains(&"ticket".to_owned()), at_once, "{hours}");
        hand.now += SignedDuration::from_hours(8);
        hand.wait(1);
        assert!(hand.told().contains(&"ticket".to_owned()), "{hours}: in the morning");
    }
}
