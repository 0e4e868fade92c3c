//! Heartbeats: a scheduled job calls us, silence is the failure, and what nobody could hear is nobody's.

use crate::estate::{Hand, configuration, instance, secs};
use domain::*;
use jiff::{SignedDuration, tz::TimeZone};
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;
const EVERY: u64 = 600;
const GRACE: u64 = 60;

pub(crate) fn every(seconds: u64, grace: u64) -> Heartbeat {
    Heartbeat { rhythm: Rhythm::Every(secs(seconds)), grace: secs(grace), address: 1 }
}

pub(crate) fn nightly() -> CheckId {
    CheckId {
        instance: instance("results", PRODUCTION),
        operation: OperationId::parse("nightly").expect("an id"),
    }
}

fn track() -> TrackId {
    TrackId { check: nightly(), vantage: VantageId::inbound() }
}

/// Of `results` in production nothing but its nightly job is known.
pub(crate) fn with(heartbeat: Heartbeat) -> Configuration {
    let mut configuration = configuration();
    let results = ApiId::parse("results").expect("an id");
    configuration.checks.clear();
    configuration.apis.retain(|id, _| *id == results);
    let operation = Arc::new(Operation {
        id: nightly().operation,
        critical: true,
        request: Request::Heartbeat(heartbeat),
        expect: Arc::default(),
    });
    let api = configuration.apis.get_mut(&results).map(Arc::make_mut).expect("the API");
    api.depends_on.clear();
    api.instances.remove(&Environment::Sit);
    api.operations = [operation.clone()].into();
    let check = Check {
        id: nightly(),
        url: "http://127.0.0.1:1".to_owned(),
        every: secs(EVERY),
        slow: std::time::Duration::MAX,
        timeout: std::time::Duration::MAX,
        credential: None,
        from: vec![VantageId::inbound()],
        test_patients: std::sync::Arc::default(),
        apart: None,
        operation,
    };
    configuration.checks.insert(check.id.clone(), Arc::new(check));
    configuration
}

pub(crate) fn hand() -> Hand {
    let mut hand = Hand::new(with(every(EVERY, GRACE)));
    listen(&mut hand, 10);
    hand
}

pub(crate) fn heard(hand: &mut Hand, whole: bool) -> Decision {
    let until = hand.now - SignedDuration::from_secs(6);
    hand.event(&Event::Heard { until, whole })
}

/// Time passes, and we listen.
pub(crate) fn listen(hand: &mut Hand, seconds: i64) -> Vec<Arc<Outcome>> {
    let until = hand.now + SignedDuration::from_secs(seconds);
    let mut made = Vec::new();
    while hand.now < until {
        hand.wait(2);
        made.extend(heard(hand, true).made.into_iter().map(|(seen, _)| seen));
    }
    made
}

pub(crate) fn beat(hand: &mut Hand, beat: Beat) -> Result<String, String> {
    hand.tell(Message::Beat { check: nightly(), beat })
}

pub(crate) fn status(hand: &Hand) -> Status {
    hand.status("results", PRODUCTION)
}

pub(crate) fn message(hand: &Hand) -> String {
    hand.situation.tracks.get(&track()).and_then(|track| track.message.clone()).unwrap_or_default()
}

fn of_the_job(hand: &Hand) -> Option<Arc<Incident>> {
    hand.open()
        .into_iter()
        .find(|incident| incident.cause == Cause::Instance(instance("results", PRODUCTION)))
}

#[test]
fn before_it_was_ever_heard_nothing_is_known_and_nothing_awaited() {
    let mut hand = hand();
    assert!(listen(&mut hand, 580).is_empty());
    assert_eq!(status(&hand), Status::Unknown);
    assert!(of_the_job(&hand).is_none());
}

#[test]
fn a_job_that_is_heard_in_time_works() {
    let mut hand = hand();
    for _ in 0..5 {
        beat(&mut hand, Beat::Ended).expect("taken");
        assert_eq!(status(&hand), Status::Operational, "one word is enough");
        assert!(listen(&mut hand, 650).is_empty());
    }
    assert_eq!(status(&hand), Status::Operational);
    assert!(hand.told().is_empty(), "{:?}", hand.told());
}

#[test]
fn silence_is_the_failure_when_it_was_due_and_its_grace_is_over() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    let at = hand.now;
    assert!(listen(&mut hand, 660).is_empty(), "it may still be on its way");
    let made = listen(&mut hand, 10);
    let [missed] = &made[..] else { panic!("{made:?}") };
    assert_eq!(missed.at, at + SignedDuration::from_secs(660), "when it was late, not when we noticed");
    let failure = missed.failure.as_ref().expect("a failure");
    assert_eq!((failure.layer, failure.kind), (Layer::Backend, FailureKind::NotHeard));
    assert_eq!(failure.message, "not heard since 02:00:10 GMT: awaited by 02:11:10 GMT");
    assert_eq!(status(&hand), Status::MajorOutage);
    listen(&mut hand, 120);
    let incident = of_the_job(&hand).expect("an incident");
    assert!(incident.is_of_a_job(), "{}", incident.diagnosis.en);
    assert_eq!(incident.started_at, missed.at);
    assert!(incident.evidence.iter().any(|line| line.text.starts_with("nightly: not heard")));
    assert_eq!(hand.told().iter().filter(|name| *name == "ticket").count(), 1);
    // It goes on being silent: that is seen each time it is due, and speaks until then.
    let again = listen(&mut hand, 1_200);
    assert_eq!(
        again.iter().map(|seen| seen.at - missed.at).map(|gap| gap.get_seconds()).collect::<Vec<_>>(),
        [600, 1_200]
    );
    assert_eq!(status(&hand), Status::MajorOutage);
    beat(&mut hand, Beat::Ended).expect("taken");
    assert_eq!(status(&hand), Status::Operational);
    assert_eq!(of_the_job(&hand).expect("still watched").status, IncidentStatus::Recovering);
}

#[test]
fn a_job_that_says_it_failed_has_failed_and_is_awaited_again() {
    let mut hand = hand();
    beat(&mut hand, Beat::Failed(Some(3))).expect("taken");
    assert_eq!(status(&hand), Status::MajorOutage);
    assert_eq!(message(&hand), "the job says that it failed, with exit status 3");
    let made = listen(&mut hand, 670);
    assert!(
        matches!(&made[..], [seen] if seen.failure.as_ref().is_some_and(|f| f.kind == FailureKind::NotHeard))
    );
}

#[test]
fn how_long_it_ran_is_known_where_it_said_that_it_began() {
    let mut hand = hand();
    beat(&mut hand, Beat::Started).expect("taken");
    assert_eq!(status(&hand), Status::Unknown, "a beginning is no end");
    listen(&mut hand, 90);
    let told = Told { at: hand.now, what: Message::Beat { check: nightly(), beat: Beat::Ended } };
    let decision = hand.event(&Event::Told(told));
    let [(seen, verdict)] = &decision.made[..] else { panic!("{:?}", decision.made) };
    assert_eq!((seen.total, *verdict), (secs(90), Verdict::Pass), "however long it ran");
    listen(&mut hand, 20);
    let told = Told { at: hand.now, what: Message::Beat { check: nightly(), beat: Beat::Ended } };
    let decision = hand.event(&Event::Told(told));
    assert_eq!(decision.made[0].0.total, secs(0), "that one did not say");
}

#[test]
fn a_job_that_began_and_hangs_is_late_as_any_other() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 600);
    beat(&mut hand, Beat::Started).expect("taken");
    listen(&mut hand, 70);
    assert_eq!(
        message(&hand),
        "not heard since 02:00:10 GMT: awaited by 02:11:10 GMT; it began at 02:10:10 GMT"
    );
}

#[test]
fn what_is_told_twice_or_late_changes_nothing() {
    let mut hand = hand();
    let first = Told { at: hand.now, what: Message::Beat { check: nightly(), beat: Beat::Ended } };
    hand.event(&Event::Told(first.clone()));
    listen(&mut hand, 30);
    beat(&mut hand, Beat::Failed(None)).expect("taken");
    let before = hand.situation.tracks.get(&track()).cloned();
    let decision = hand.event(&Event::Told(first));
    assert!(decision.made.is_empty() && decision.changes.is_empty(), "{decision:?}");
    assert_eq!(hand.situation.tracks.get(&track()).cloned(), before);
}

#[test]
fn one_that_left_the_configuration_is_told_so() {
    let mut hand = Hand::new(configuration());
    let answer = beat(&mut hand, Beat::Ended);
    assert_eq!(answer, Err("results/production/nightly is no heartbeat any more".to_owned()));
}

#[test]
fn another_rhythm_counts_from_when_it_is_known() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 300);
    hand.event(&Event::Configured(Arc::new(with(every(60, 10)))));
    assert!(listen(&mut hand, 70).is_empty(), "it was not to come by then");
    assert_eq!(listen(&mut hand, 10).len(), 1);
}

pub(crate) fn at(cron: &str, zone: &str) -> Heartbeat {
    let zone = TimeZone::get(zone).expect("the zone");
    Heartbeat {
        rhythm: Rhythm::At(Box::new(Cron::parse(cron).expect("a cron")), zone),
        grace: secs(1_800),
        address: 1,
    }
}

/// The first time at which silence is noticed after it was heard at `from`, looked at each ten seconds.
fn missed(heartbeat: Heartbeat, from: &str) -> String {
    let mut hand = Hand::new(with(heartbeat));
    hand.now = from.parse().expect("a time");
    heard(&mut hand, true);
    beat(&mut hand, Beat::Ended).expect("taken");
    loop {
        hand.now += SignedDuration::from_secs(10);
        if let Some((seen, _)) = heard(&mut hand, true).made.first() {
            return seen.at.to_string();
        }
    }
}

#[test]
fn a_job_by_the_clock_is_awaited_by_local_time() {
    let london = || at("30 1 * * *", "Europe/London");
    assert_eq!(missed(london(), "2026-11-20T01:40:00Z"), "2026-11-21T02:00:00Z");
    // 01:30 is not on that day: the job runs at 02:30 of the new time.
    assert_eq!(missed(london(), "2027-03-27T01:40:00Z"), "2027-03-28T02:00:00Z");
    // 01:30 is twice on that day: the first of them counts.
    assert_eq!(missed(london(), "2026-10-24T00:40:00Z"), "2026-10-25T01:00:00Z");
    // A machine whose clock is a little ahead has not come twice.
    assert_eq!(missed(london(), "2026-11-20T01:29:30Z"), "2026-11-21T02:00:00Z");
    assert_eq!(
        missed(at("0 6 * * Mon-Fri", "Europe/London"), "2026-11-20T06:10:00Z"),
        "2026-11-23T06:30:00Z"
    );
}
