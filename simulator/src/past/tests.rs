use super::*;
use jiff::civil::date;
use std::collections::BTreeSet;

const DAYS: i64 = 90;

fn asked(environment: &str, operation: &str, every: u64) -> Asked {
    Asked {
        api: "results".to_owned(),
        environment: environment.to_owned(),
        operation: operation.to_owned(),
        name: format!("results/{environment}/{operation} from internet"),
        every: Duration::from_secs(every),
        slow: Duration::from_millis(800),
        timeout: Duration::from_secs(3),
    }
}

fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap()
}

/// From a Monday in summer, over the change of the clocks.
fn begins() -> Timestamp {
    date(2026, 8, 31).at(0, 0, 0, 0).to_zoned(london()).unwrap().timestamp()
}

fn ends() -> Timestamp {
    begins() + SignedDuration::from_hours(24 * DAYS)
}

fn past(seed: u64) -> Past {
    let instances = ["sandbox", "development", "sit", "uat", "production"].map(|place| ("results", place));
    Past::new(seed, (begins(), ends()), london(), instances)
}

fn hours() -> impl Iterator<Item = Timestamp> {
    (0..DAYS * 24).map(|hour| begins() + SignedDuration::from_hours(hour))
}

fn all(past: &Past, asked: &Asked) -> Vec<Seen> {
    let hour = SignedDuration::from_hours(1);
    hours()
        .flat_map(|begins| past.seen(asked, begins + SignedDuration::from_millis(700), begins + hour))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_past_and_another_another() {
    let asked = asked("sit", "status", 30);
    let (one, again, other) = (all(&past(1), &asked), all(&past(1), &asked), all(&past(2), &asked));
    assert_eq!(one, again);
    assert_ne!(one, other);
    // In whatever order it is asked for, one at a time or by the hour.
    let last = *one.last().unwrap();
    let due = last.at - SignedDuration::from_millis(last.at.as_millisecond().rem_euclid(30_000) - 700);
    assert_eq!(past(1).look(&asked, due), last);
}

#[test]
fn samples_are_of_their_hour_in_order_at_the_interval_and_none_while_nobody_probed() {
    let past = past(1);
    assert!(!past.breaks().is_empty());
    let asked = asked("production", "status", 10);
    let (mut missed, mut count) = (0, 0);
    for begins in hours() {
        let end = begins + SignedDuration::from_hours(1);
        let seen = past.seen(&asked, begins + SignedDuration::from_millis(700), end);
        assert!(seen.is_sorted_by(|one, next| one.at < next.at));
        assert!(seen.iter().all(|one| begins <= one.at && one.at < end));
        for one in &seen {
            let late = one.at.duration_since(begins).as_millis().rem_euclid(10_000) - 700;
            assert!((0..12).contains(&late), "{one:?}");
            assert!(!past.breaks().iter().any(|(from, to)| *from <= one.at && one.at < *to));
        }
        count += seen.len();
        missed += 360 - seen.len();
    }
    let away: i64 = past.breaks().iter().map(|(from, to)| to.duration_since(*from).as_secs()).sum();
    let away = usize::try_from(away / 10).unwrap();
    assert!(
        missed.abs_diff(away) <= past.breaks().len() * 2,
        "{missed} of {count}, and {away} were not probed"
    );
}

#[test]
fn answers_follow_the_working_day_and_the_week() {
    let past = past(1);
    let asked = asked("production", "status", 30);
    let mut by_kind: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for one in all(&past, &asked).iter().filter(|one| one.fault == Fault::None) {
        let local = london().to_datetime(one.at);
        let weekend =
            matches!(local.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday);
        let kind = match local.hour() {
            9..12 if weekend => "weekend",
            9..12 => "day",
            2..5 => "night",
            _ => continue,
        };
        by_kind.entry(kind).or_default().push(one.took);
    }
    let mut median = |kind: &str| {
        let took = by_kind.get_mut(kind).unwrap();
        took.sort_unstable();
        took[took.len() / 2]
    };
    let [day, weekend, night] = ["day", "weekend", "night"].map(&mut median);
    assert!(night * 3 / 2 < day && weekend < day && night < weekend, "{night:?} {weekend:?} {day:?}");
}

#[test]
fn there_is_trouble_of_many_kinds_and_calm_at_either_end() {
    let past = past(1);
    let mut kinds = BTreeSet::new();
    let mut failed = 0;
    for environment in ["sandbox", "development", "sit", "uat", "production"] {
        let asked = asked(environment, "status", 30);
        let seen = all(&past, &asked);
        let bad: Vec<&Seen> =
            seen.iter().filter(|one| one.fault != Fault::None || one.took > asked.slow).collect();
        failed += bad.len();
        assert!(bad.len() < seen.len() / 20, "{environment}: {} of {}", bad.len(), seen.len());
        kinds.extend(bad.iter().filter_map(|one| one.symptom()).map(|symptom| symptom.kind));
        let lasting = bad.iter().filter(|one| one.fault != Fault::Reset);
        let calm = (begins() + SignedDuration::from_hours(1), ends() - SignedDuration::from_hours(3));
        for one in lasting {
            assert!(calm.0 <= one.at && one.at < calm.1, "{one:?}");
        }
    }
    assert!(failed > 1_000 && kinds.len() >= 6, "{failed} {kinds:?}");
}

#[test]
fn what_the_gateway_answers_itself_is_well_when_the_service_behind_it_is_not() {
    let past = past(1);
    let seen = |operation| all(&past, &asked("development", operation, 30));
    let faults = |seen: &[Seen]| seen.iter().map(|one| one.fault).collect::<Vec<_>>();
    let behind = [Fault::GatewayUnavailable, Fault::GatewayTimeout, Fault::Backend(500), Fault::SaysFail];
    assert!(faults(&seen("status")).iter().any(|fault| behind.contains(fault)));
    assert!(!faults(&seen("ping")).iter().any(|fault| behind.contains(fault)));
}

#[test]
fn a_release_makes_a_step() {
    let course = plan::course(Dice::new(7), (0, 90 * 24 * HOUR), &TimeZone::UTC, "production");
    let paces: BTreeSet<u64> = (0..90 * 24).map(|hour| course.pace(hour * HOUR).to_bits()).collect();
    assert!((3..=8).contains(&paces.len()), "{}", paces.len());
}

#[test]
fn releases_count_up_to_the_version_that_runs_now() {
    let past = past(1);
    let versions = past.versions("results", "production", "1.0.2");
    let at: Vec<Timestamp> = versions.iter().map(|(at, _)| *at).collect();
    assert_eq!(at.first(), Some(&begins()));
    assert!(at.is_sorted() && at.len() >= 3 && at.iter().all(|at| *at < ends()), "{at:?}");
    let names: Vec<&str> = versions.iter().rev().map(|(_, name)| name.as_str()).take(4).collect();
    assert_eq!(names, ["1.0.2", "1.0.1", "1.0.0", "0.9.9"][..names.len()]);
}
