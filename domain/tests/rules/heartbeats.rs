//! Heartbeats: a scheduled job calls us, silence is the failure, and what nobody could hear is nobody's.

use crate::estate::{Hand, configuration, instance, secs};
use domain::*;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;
use std::sync::Arc;

const PRODUCTION: Environment = Environment::Production;
const EVERY: u64 = 600;
const GRACE: u64 = 60;

fn every(seconds: u64, grace: u64) -> Heartbeat {
    Heartbeat { rhythm: Rhythm::Every(secs(seconds)), grace: secs(grace), address: 1 }
}

fn nightly() -> CheckId {
    CheckId {
        instance: instance("results", PRODUCTION),
        operation: OperationId::parse("nightly").expect("an id"),
    }
}

fn track() -> TrackId {
    TrackId { check: nightly(), vantage: VantageId::inbound() }
}

/// Of `results` in production nothing but its nightly job is known.
fn with(heartbeat: Heartbeat) -> Configuration {
    let mut configuration = configuration();
    let results = ApiId::parse("results").expect("an id");
    configuration.checks.clear();
    configuration.apis.retain(|id, _| *id == results);
    let operation = Operation {
        id: nightly().operation,
        critical: true,
        request: Request::Heartbeat(heartbeat),
        expect: Expect::default(),
    };
    let api = configuration.apis.get_mut(&results).expect("the API");
    api.depends_on.clear();
    api.instances.remove(&Environment::Sit);
    api.operations = vec![operation.clone()];
    let check = Check {
        id: nightly(),
        url: "http://127.0.0.1:1".to_owned(),
        every: secs(EVERY),
        slow: std::time::Duration::MAX,
        timeout: std::time::Duration::MAX,
        credential: None,
        from: vec![VantageId::inbound()],
        apart: None,
        operation,
    };
    configuration.checks.insert(check.id.clone(), Arc::new(check));
    configuration
}

fn hand() -> Hand {
    let mut hand = Hand::new(with(every(EVERY, GRACE)));
    listen(&mut hand, 10);
    hand
}

fn heard(hand: &mut Hand, whole: bool) -> Decision {
    let until = hand.now - SignedDuration::from_secs(6);
    hand.event(&Event::Heard { until, whole })
}

/// Time passes, and we listen.
fn listen(hand: &mut Hand, seconds: i64) -> Vec<Arc<Outcome>> {
    let until = hand.now + SignedDuration::from_secs(seconds);
    let mut made = Vec::new();
    while hand.now < until {
        hand.wait(2);
        made.extend(heard(hand, true).made.into_iter().map(|(seen, _)| seen));
    }
    made
}

fn beat(hand: &mut Hand, beat: Beat) -> Result<String, String> {
    hand.tell(Message::Beat { check: nightly(), beat })
}

fn status(hand: &Hand) -> Status {
    hand.status("results", PRODUCTION)
}

fn message(hand: &Hand) -> String {
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
fn a_stop_while_nothing_was_to_come_excuses_nothing() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 100);
    hand.restart(60);
    listen(&mut hand, 520);
    assert_eq!(status(&hand), Status::MajorOutage, "it survived the restart that it is awaited");
}

#[test]
fn a_call_that_nobody_could_hear_makes_nobody_fail() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 590);
    // Even a stop of a few seconds: it may have called just then.
    hand.restart(15);
    assert!(listen(&mut hand, 70).is_empty());
    assert_eq!(status(&hand), Status::Unknown);
    let said = message(&hand);
    assert!(said.starts_with("not heard since 02:00:10 GMT; but nobody listened until 02:10:1"), "{said}");
    // In vain a second time: now it is silent.
    let made = listen(&mut hand, 620);
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(status(&hand), Status::MajorOutage);
}

#[test]
fn a_call_that_could_not_be_kept_makes_nobody_fail() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 600);
    hand.wait(2);
    heard(&mut hand, false);
    assert!(listen(&mut hand, 100).is_empty());
    assert_eq!(status(&hand), Status::Unknown);
}

#[test]
fn while_the_inbox_cannot_be_read_silence_is_not_judged() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 600);
    for _ in 0..100 {
        hand.wait(2);
    }
    assert_ne!(status(&hand), Status::MajorOutage);
    assert!(listen(&mut hand, 100).is_empty(), "it may have called meanwhile");
    assert_eq!(status(&hand), Status::Unknown);
}

#[test]
fn what_waited_in_the_inbox_over_a_crash_was_heard_when_it_came() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    listen(&mut hand, 600);
    let told = Told { at: hand.now, what: Message::Beat { check: nightly(), beat: Beat::Ended } };
    hand.restart(300);
    let decision = hand.event(&Event::Told(told.clone()));
    assert_eq!(decision.made[0].0.at, told.at);
    assert!(listen(&mut hand, 300).is_empty());
    assert_eq!(status(&hand), Status::Operational);
}

#[test]
fn a_clock_that_was_ahead_makes_nobody_fail() {
    let mut hand = hand();
    beat(&mut hand, Beat::Ended).expect("taken");
    hand.now += SignedDuration::from_hours(5);
    listen(&mut hand, 10);
    beat(&mut hand, Beat::Ended).expect("taken");
    hand.now -= SignedDuration::from_hours(5);
    hand.wait(1);
    for _ in 0..3 {
        assert!(listen(&mut hand, 600).is_empty());
        beat(&mut hand, Beat::Ended).expect("taken");
    }
    assert_eq!(status(&hand), Status::Operational);
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

fn at(cron: &str, zone: &str) -> Heartbeat {
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

#[test]
fn a_job_by_the_clock_is_excused_only_for_the_time_in_which_it_was_to_come() {
    let mut hand = Hand::new(with(at("30 1 * * *", "Europe/London")));
    hand.now = "2026-11-20T01:35:00Z".parse().expect("a time");
    heard(&mut hand, true);
    beat(&mut hand, Beat::Ended).expect("taken");
    hand.restart(86_400 - 600);
    let mut made = Vec::new();
    while hand.now < "2026-11-21T02:00:10Z".parse::<Timestamp>().expect("a time") {
        hand.now += SignedDuration::from_secs(10);
        made.extend(heard(&mut hand, true).made);
    }
    assert_eq!(made.len(), 1, "we were there from 01:25 on");
}

/// How nobody could hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deaf {
    Stopped,
    Frozen,
    Refusing,
}

/// Nobody hears from second `from` for so many.
type Break = (i64, i64, Deaf);

fn breaks() -> impl Strategy<Value = Vec<Break>> {
    let deaf = prop_oneof![Just(Deaf::Stopped), Just(Deaf::Frozen), Just(Deaf::Refusing)];
    prop::collection::vec((0..7_200_i64, 1..900_i64, deaf), 0..6)
}

/// A job ends every `period` seconds, until second `until`; when silence was noted.
fn run(period: i64, until: i64, end: i64, breaks: &[Break]) -> Vec<i64> {
    let mut hand = Hand::new(with(every(300, 60)));
    let start = hand.now;
    let (mut next, mut noted, mut stopped) = (0, Vec::new(), false);
    for second in 0..end {
        hand.now = start + SignedDuration::from_secs(second);
        let deaf = breaks.iter().find(|(from, lasts, deaf)| {
            // A short freeze only makes whoever calls wait.
            let lasts = if *deaf == Deaf::Frozen { lasts + 40 } else { *lasts };
            *from <= second && second < from + lasts
        });
        let deaf = deaf.map(|(.., deaf)| *deaf);
        let calls = second == next && second <= until;
        if second == next {
            next += period;
        }
        match deaf {
            Some(Deaf::Stopped) => stopped = true,
            Some(Deaf::Frozen) => {}
            Some(Deaf::Refusing) | None => {
                if std::mem::take(&mut stopped) {
                    hand.restart(0);
                }
                if calls && deaf.is_none() {
                    beat(&mut hand, Beat::Ended).expect("taken");
                }
                if second % 2 == 0 || calls {
                    let made = heard(&mut hand, !(calls && deaf.is_some())).made;
                    noted.extend(made.iter().map(|(seen, _)| (seen.at - start).get_seconds()));
                }
            }
        }
        hand.events.clear();
        hand.changes.clear();
    }
    noted
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever we miss: a job that calls as agreed is never said to be silent.
    #[test]
    fn our_own_absence_is_never_a_false_alarm(period in 20..=360_i64, breaks in breaks()) {
        prop_assert_eq!(run(period, i64::MAX, 9_000, &breaks), Vec::<i64>::new());
    }

    /// However often we were away before: a job that stops is noticed, after two of its intervals at the latest.
    #[test]
    fn silence_is_noticed(period in 20..=360_i64, until in 7_300..8_000_i64, breaks in breaks()) {
        let breaks: Vec<Break> =
            breaks.into_iter().filter(|(from, lasts, _)| from + lasts + 40 < until - 370).collect();
        let noted = run(period, until, until + 760, &breaks);
        prop_assert!(noted.first().is_some_and(|at| *at >= until - 360), "{:?}", noted);
    }
}
