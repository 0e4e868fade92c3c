use super::*;
use crate::{Limits, NameServers, permits::Permits, prepared::Shared, resolve::Resolve};
use domain::{ApiId, Environment, HttpRequest, InstanceId, Operation, OperationId, Request};
use hyper::header::HeaderValue;
use proptest::prelude::*;

fn vantage() -> VantageId {
    VantageId::parse("internet").unwrap()
}

fn check(operation: &str, every: u64) -> Arc<Check> {
    let operation = OperationId::parse(operation).unwrap();
    let api = ApiId::parse("results").unwrap();
    Arc::new(Check {
        id: CheckId {
            instance: InstanceId { api, environment: Environment::Sit },
            operation: operation.clone(),
        },
        url: "http://127.0.0.1".to_owned(),
        operation: Arc::new(Operation {
            id: operation,
            critical: true,
            request: Request::Http(HttpRequest::get("/")),
            expect: Arc::default(),
        }),
        credential: None,
        every: Duration::from_secs(every),
        slow: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        from: vec![vantage()],
        test_patients: Arc::default(),
        apart: None,
    })
}

fn configured(timetable: &mut Timetable, checks: &[Arc<Check>], now: Timestamp) {
    let (permits, resolve) = (Permits::new(&Limits::default()), Resolve::new(&NameServers::default()));
    let agent = HeaderValue::from_static("Curiad");
    timetable.configure(checks.iter(), now, false, |check| {
        Prepared::new(check, &vantage(), &agent, &resolve, &permits, &Shared::default())
    });
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

fn track(check: &Check) -> TrackId {
    TrackId { check: check.id.clone(), vantage: vantage() }
}

fn due(check: &Check, now: Timestamp) -> Timestamp {
    next_due(&track(check), check.every, now)
}

#[test]
fn over_many_cycles_no_beat_is_lost_doubled_or_late() {
    let checks = [check("a", 10), check("b", 10), check("c", 7)];
    let mut timetable = Timetable::default();
    configured(&mut timetable, &checks, seconds(0));
    let mut beats: HashMap<CheckId, Vec<Timestamp>> = HashMap::new();
    while timetable.next().unwrap() <= seconds(700) {
        let now = timetable.next().unwrap() + Duration::from_millis(9);
        for turn in timetable.due(now, usize::MAX) {
            assert!(!turn.confirm);
            beats.entry(turn.slot.prepared.check().id.clone()).or_default().push(turn.due);
        }
    }
    for check in &checks {
        let mut expected = vec![due(check, seconds(0))];
        while due(check, *expected.last().unwrap()) <= seconds(700) {
            expected.push(due(check, *expected.last().unwrap()));
        }
        assert_eq!(beats[&check.id], expected, "{}", check.id);
    }
    assert_eq!(timetable.skipped, 0);
}

#[test]
fn beats_that_were_slept_through_are_not_made_up_for() {
    let checks = [check("a", 10)];
    let mut timetable = Timetable::default();
    configured(&mut timetable, &checks, seconds(0));
    let turns = timetable.due(seconds(500), usize::MAX);
    assert_eq!(turns.len(), 1);
    assert_eq!(timetable.next(), Some(due(&checks[0], seconds(500))));
}

#[test]
fn a_busy_check_leaves_its_beat_out_and_keeps_what_is_wanted() {
    let checks = [check("a", 10)];
    let mut timetable = Timetable::default();
    configured(&mut timetable, &checks, seconds(0));
    let busy = timetable.due(seconds(10), usize::MAX);
    assert!(timetable.want(&vantage(), Wanted { at: seconds(11), track: track(&checks[0]) }));
    assert!(timetable.due(seconds(20), usize::MAX).is_empty());
    assert_eq!((timetable.skipped, timetable.next()), (1, Some(seconds(11))));
    drop(busy);
    let turns = timetable.due(seconds(21), usize::MAX);
    assert_eq!(turns.iter().map(|turn| (turn.due, turn.confirm)).collect::<Vec<_>>(), [(seconds(11), true)]);
    assert!(timetable.next().unwrap() > seconds(21));
}

#[test]
fn what_is_unchanged_keeps_its_beat_and_what_is_changed_gets_another() {
    let mut timetable = Timetable::default();
    configured(&mut timetable, &[check("a", 10), check("b", 10), check("gone", 10)], seconds(0));
    timetable.want(&vantage(), Wanted { at: seconds(1), track: track(&check("gone", 10)) });
    // A configuration that comes after a beat was due, but before it was taken, does not swallow it.
    let late = seconds(10);
    let due_before = due(&check("a", 10), seconds(0));
    configured(&mut timetable, &[check("a", 10), check("b", 20), check("new", 10)], late);
    let turns = timetable.due(late, usize::MAX);
    assert_eq!(turns.len(), 1);
    assert_eq!(
        (turns[0].slot.prepared.check().id.clone(), turns[0].due),
        (check("a", 10).id.clone(), due_before)
    );
    assert!(timetable.wanted.is_empty(), "nobody wants what is gone");
    let mut next: Vec<_> = timetable.beats.into_beats().map(|beat| beat.due).collect();
    let mut expected =
        vec![due(&check("a", 10), late), due(&check("b", 20), late), due(&check("new", 10), late)];
    next.sort();
    expected.sort();
    assert_eq!(next, expected);
}

#[test]
fn a_check_in_flight_stays_busy_when_it_is_changed() {
    let mut timetable = Timetable::default();
    configured(&mut timetable, &[check("a", 10)], seconds(0));
    let busy = timetable.due(seconds(10), usize::MAX);
    configured(&mut timetable, &[check("a", 1)], seconds(11));
    assert!(timetable.due(seconds(13), usize::MAX).is_empty());
    drop(busy);
    assert_eq!(timetable.due(seconds(15), usize::MAX).len(), 1);
}

#[test]
fn what_nobody_here_can_do_is_not_wanted() {
    let mut timetable = Timetable::default();
    configured(&mut timetable, &[check("a", 10)], seconds(0));
    let inside = VantageId::parse("inside").unwrap();
    let elsewhere = TrackId { vantage: inside, ..track(&check("a", 10)) };
    assert!(!timetable.want(&vantage(), Wanted { at: seconds(0), track: elsewhere }));
    assert!(!timetable.want(&vantage(), Wanted { at: seconds(0), track: track(&check("b", 10)) }));
}

#[test]
fn an_instance_with_a_rate_gets_one_probe_after_the_other() {
    let held = |operation: &str| {
        let check = check(operation, 10);
        Arc::new(Check { apart: Some(Duration::from_secs(2)), ..Check::clone(&check) })
    };
    let checks = [held("a"), held("b"), held("c")];
    let mut timetable = Timetable::default();
    configured(&mut timetable, &checks, seconds(0));
    let mut began: Vec<(Timestamp, Timestamp, Timestamp, bool)> = Vec::new();
    let mut beats: HashMap<CheckId, u32> = HashMap::new();
    let mut now = seconds(0);
    while now < seconds(100) {
        // Confirmations besides, without end.
        if timetable.wanted.is_empty() {
            timetable.want(&vantage(), Wanted { at: now, track: track(&checks[0]) });
        }
        for turn in timetable.due(now, usize::MAX) {
            assert!(turn.due <= turn.free && turn.free <= now, "{turn:?}");
            *beats.entry(turn.slot.prepared.check().id.clone()).or_default() += u32::from(!turn.confirm);
            began.push((now, turn.due, turn.free, turn.confirm));
        }
        now += Duration::from_millis(10);
    }
    for pair in began.windows(2) {
        assert!(pair[1].0 >= pair[0].0 + Duration::from_secs(2), "{pair:?}");
    }
    assert!(began.iter().any(|(.., confirm)| *confirm), "what is wanted has its turn");
    assert!(began.iter().any(|(_, due, free, _)| due < free), "some were held up");
    assert!(
        beats.len() == 3 && beats.values().all(|beats| *beats >= 6),
        "every check has its turn: {beats:?}"
    );
    // The schedule itself has not moved.
    let on_time = |due: Timestamp| {
        checks.iter().any(|check| next_due(&track(check), check.every, due - Duration::from_millis(1)) == due)
    };
    assert!(began.iter().filter(|(.., confirm)| !confirm).all(|(_, due, ..)| on_time(*due)));
}

#[test]
fn a_clock_that_was_set_back_does_not_silence_a_check() {
    let checks = [check("a", 10)];
    let mut timetable = Timetable::default();
    configured(&mut timetable, &checks, seconds(100_000));
    timetable.realign(seconds(0));
    assert_eq!(timetable.next(), Some(due(&checks[0], seconds(0))));
}

/// What becomes of a check: this status, and how many seconds it asks for.
fn says(timetable: &Timetable, check: &Check, (status, asks): (u16, u64), now: Timestamp) {
    let mut outcome = Outcome::new(check.id.clone(), vantage(), now);
    outcome.http = Some(domain::Http { status, version: "HTTP/2".into(), remote_ip: None, bytes: 0 });
    outcome.retry_after = Some(Duration::from_secs(asks));
    let kind = domain::FailureKind::RateLimited;
    let failure = domain::Failure { layer: domain::Layer::Gateway, kind, message: String::new() };
    outcome.failure = (status >= 400).then_some(failure);
    timetable.slots[&check.id].pause(&outcome, now);
}

fn begun(timetable: &mut Timetable, now: Timestamp) -> BTreeSet<CheckId> {
    timetable.due(now, usize::MAX).iter().map(|turn| turn.slot.prepared.check().id.clone()).collect()
}

#[test]
fn who_is_refused_leaves_its_instance_alone_and_who_is_busy_only_itself() {
    let elsewhere = |operation: &str| {
        let mut check = Check::clone(&check(operation, 10));
        check.id.instance.environment = Environment::Uat;
        Arc::new(check)
    };
    let checks = [check("a", 10), check("b", 10), elsewhere("a")];
    let ids = |which: &[&Arc<Check>]| which.iter().map(|check| check.id.clone()).collect::<BTreeSet<_>>();
    let mut timetable = Timetable::default();
    configured(&mut timetable, &checks, seconds(0));
    says(&timetable, &checks[0], (429, 60), seconds(0));
    // One that was under way asks for less, and is answered when it is asked again.
    says(&timetable, &checks[1], (429, 5), seconds(1));
    says(&timetable, &checks[1], (200, 0), seconds(2));
    assert_eq!(begun(&mut timetable, seconds(20)), ids(&[&checks[2]]));
    assert_eq!(timetable.paused, 2);
    // A check that comes meanwhile is of the same instance; one that is known as well.
    let more = [check("a", 10), check("b", 10), elsewhere("a"), check("c", 10)];
    configured(&mut timetable, &more, seconds(25));
    assert_eq!(
        begun(&mut timetable, seconds(45)),
        ids(&[&checks[1], &checks[2]]),
        "half of a minute has passed"
    );
    assert_eq!(begun(&mut timetable, seconds(81)), ids(&[&more[0], &more[1], &more[2], &more[3]]));

    let mut timetable = Timetable::default();
    configured(&mut timetable, &checks, seconds(0));
    says(&timetable, &checks[0], (503, 20), seconds(0));
    assert_eq!(begun(&mut timetable, seconds(15)), ids(&[&checks[1], &checks[2]]));
}

#[test]
fn who_is_refused_again_and_again_keeps_no_other_from_being_seen() {
    let checks = [check("refused", 10), check("well", 10)];
    let mut timetable = Timetable::default();
    configured(&mut timetable, &checks, seconds(0));
    let mut seen = vec![seconds(0)];
    for second in 1..600 {
        let now = seconds(second);
        // As often as there may be operations that are.
        says(&timetable, &checks[0], (429, 300), now);
        if begun(&mut timetable, now).contains(&checks[1].id) {
            seen.push(now);
        }
    }
    let apart = seen.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect::<Vec<_>>();
    // Half of a minute, and up to a beat: what was seen before still speaks.
    assert!(apart.len() >= 14 && apart.iter().all(|apart| (30..=40).contains(apart)), "{apart:?}");
}

#[test]
fn who_is_refused_puts_off_its_own_confirmation_and_no_other() {
    let checks = [check("a", 10), check("b", 10)];
    let mut timetable = Timetable::default();
    configured(&mut timetable, &checks, seconds(0));
    says(&timetable, &checks[0], (429, 60), seconds(0));
    for check in &checks {
        assert!(timetable.want(&vantage(), Wanted { at: seconds(5), track: track(check) }));
    }
    let turns = timetable.due(seconds(5), usize::MAX);
    let confirms: Vec<_> = turns.iter().map(|turn| (&turn.slot.prepared.check().id, turn.confirm)).collect();
    assert_eq!(confirms, [(&checks[1].id, true)]);
    drop(turns);
    let confirms: Vec<_> = timetable.due(seconds(60), usize::MAX).iter().map(|turn| turn.confirm).collect();
    assert!(confirms.contains(&true), "it is not lost: {confirms:?}");
}

#[test]
fn of_more_that_is_due_than_may_begin_the_rest_stays_due() {
    let mut timetable = Timetable::default();
    let checks: Vec<Arc<Check>> = (0..50).map(|n| check(&format!("op{n}"), 10)).collect();
    configured(&mut timetable, &checks, seconds(0));
    let mut begun = BTreeSet::new();
    for _ in 0..5 {
        let turns = timetable.due(seconds(10), 10);
        assert_eq!(turns.len(), 10);
        begun.extend(turns.iter().map(|turn| turn.slot.prepared.check().id.clone()));
    }
    assert_eq!((begun.len(), timetable.skipped), (50, 0));
    assert!(timetable.due(seconds(10), 10).is_empty());
}

proptest! {
    #[test]
    fn beats_come_in_order_whenever_they_were_put(
        begun in proptest::collection::vec((0_usize..6, 0_i64..40), 1..60),
        again in proptest::collection::vec((0_i64..60, 0_i64..60), 0..200),
    ) {
        let checks: Vec<_> = (0..6).map(|number| check(&format!("a{number}"), 5 + number / 2)).collect();
        let mut timetable = Timetable::default();
        configured(&mut timetable, &checks, seconds(0));
        let beat = |number: usize, at: i64, due: i64| {
            let slot = timetable.slots[&checks[number].id].clone();
            Beat { at: seconds(at), due: seconds(due), slot }
        };
        let told = |beat: &Beat| (beat.at, beat.due);
        let mut rounds: Rounds = begun.iter().map(|(number, at)| beat(*number, *at, *at)).collect();
        let mut model: Vec<_> = begun.iter().map(|(_, at)| (seconds(*at), seconds(*at))).collect();
        for (now, later) in again {
            model.sort();
            prop_assert_eq!(rounds.first().map(told), model.first().copied());
            let taken = rounds.take_due(seconds(now));
            let expected = model.first().copied().filter(|(at, _)| *at <= seconds(now));
            prop_assert_eq!(taken.as_ref().map(told), expected);
            if let Some(mut beat) = taken {
                model.remove(0);
                beat.at = seconds(now + later);
                model.push(told(&beat));
                rounds.put(beat);
            }
        }
        let mut left: Vec<_> = rounds.into_beats().map(|beat| told(&beat)).collect();
        left.sort();
        model.sort();
        prop_assert_eq!(left, model);
    }
}
