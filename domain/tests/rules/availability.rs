//! Seconds of history and what a policy makes of them, held against an independent model: a plain loop over every minute,
//! which looks at the clock on the wall and knows nothing of stretches.

use crate::estate;
use domain::{
    AvailabilityPolicy, Configuration, Degraded, Environment, Health, Hours, Objective, PlannedWork, Status,
    Tally, WeeklyWindow,
};
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Time, Weekday, time},
    tz::TimeZone,
};
use proptest::prelude::*;
use std::sync::Arc;

const EVERY_DAY: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// The longest range, in minutes.
const LONGEST: i64 = 9 * 24 * 60;

fn london() -> TimeZone {
    TimeZone::get("Europe/London").expect("the zone")
}

fn health(status: Status, maintenance: bool, since: Timestamp) -> Health {
    Health {
        instance: estate::instance("results", Environment::Production),
        status,
        since,
        layer: None,
        maintenance,
    }
}

/// Whether the clock on the wall shows supported hours.
fn supported(hours: &Hours, at: Timestamp) -> bool {
    let local = hours.time_zone.to_datetime(at);
    let closed = hours.bank_holidays.as_ref().is_some_and(|known| known.on(local.date()).is_some());
    !closed
        && hours.weekly.iter().any(|window| {
            window.days.contains(&local.date().weekday())
                && window.from <= local.time()
                && window.to.is_none_or(|to| local.time() < to)
        })
}

/// A minute: what was in force in it, and whether it is a supported one.
struct Minute<'a> {
    seen: Option<&'a Health>,
    supported: bool,
}

/// What a plain loop adds up of those minutes that count.
fn tallied<'a>(minutes: impl Iterator<Item = &'a Minute<'a>>) -> Tally {
    let mut tally = Tally::default();
    for minute in minutes {
        let planned = minute.seen.is_some_and(|seen| seen.maintenance);
        let status = minute.seen.map_or(Status::Unknown, |seen| seen.status);
        *match (status, planned) {
            (Status::Operational, false) => &mut tally.operational,
            (Status::Operational, true) => &mut tally.maintenance.operational,
            (Status::Degraded, false) => &mut tally.degraded,
            (Status::Degraded, true) => &mut tally.maintenance.degraded,
            (Status::PartialOutage | Status::MajorOutage, false) => &mut tally.down,
            (Status::PartialOutage | Status::MajorOutage, true) => &mut tally.maintenance.down,
            (Status::Maintenance | Status::Unknown, _) => &mut tally.unknown,
        } += 60.0;
    }
    tally
}

/// Minutes up ÷ minutes that count, of those that are measured.
fn available<'a>(
    minutes: impl Iterator<Item = &'a Minute<'a>>,
    maintenance: PlannedWork,
    degraded: Degraded,
) -> Option<f64> {
    let (mut up, mut all) = (0_u32, 0_u32);
    for seen in minutes.filter_map(|minute| minute.seen) {
        let planned = seen.maintenance && maintenance == PlannedWork::Excluded;
        if seen.status != Status::Unknown && !planned {
            let well = seen.status == Status::Operational;
            all += 1;
            up += u32::from(well || seen.status == Status::Degraded && degraded == Degraded::Up);
        }
    }
    (all > 0).then(|| f64::from(up) / f64::from(all))
}

/// Weeks in which something is odd: both changes of the clocks, the leap day, Easter, and Christmas with substitute days.
fn odd_week() -> impl Strategy<Value = Timestamp> {
    prop::sample::select(vec![
        "2026-10-23T00:00:00Z",
        "2027-03-24T00:00:00Z",
        "2027-10-29T00:00:00Z",
        "2028-02-26T00:00:00Z",
        "2026-12-23T00:00:00Z",
        "2027-12-24T00:00:00Z",
        "2028-04-13T00:00:00Z",
        "2027-06-14T00:00:00Z",
    ])
    .prop_map(|text| text.parse().expect("a time"))
}

/// What was seen: at a minute, a status, and whether work was planned. Overlaps of the two come by themselves.
fn any_changes() -> impl Strategy<Value = Vec<(i64, Status, bool)>> {
    let status = prop::sample::select(vec![
        Status::Operational,
        Status::Degraded,
        Status::PartialOutage,
        Status::MajorOutage,
        Status::Unknown,
    ]);
    prop::collection::vec((-600..LONGEST + 600, status, any::<bool>()), 0..40).prop_map(|mut changes| {
        changes.sort_by_key(|(minute, ..)| *minute);
        changes
    })
}

/// Windows that neither open nor close in an hour that a change of the clocks skips or repeats: there the wall is no judge.
fn any_hours() -> impl Strategy<Value = Hours> {
    let edge = || prop_oneof![Just((0, 0)), (3_i8..24, 0_i8..60)];
    let window = (1_u8..128, edge(), prop::option::of((3_i8..24, 0_i8..60)));
    (prop::collection::vec(window, 0..4), any::<bool>()).prop_map(|(windows, bank_holidays)| Hours {
        time_zone: london(),
        weekly: windows
            .into_iter()
            .map(|(days, (hour, minute), to)| WeeklyWindow {
                days: (0_u8..)
                    .zip(EVERY_DAY)
                    .filter(|(bit, _)| days >> bit & 1 == 1)
                    .map(|(_, day)| day)
                    .collect(),
                from: time(hour, minute, 0, 0),
                to: to.map(|(hour, minute)| time(hour, minute, 0, 0)),
            })
            .collect(),
        bank_holidays: bank_holidays.then(Arc::default),
        closed: Vec::new(),
        opened: Vec::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// All hours and supported hours, each to the second.
    #[test]
    fn a_tally_is_what_a_plain_loop_counts(
        week in odd_week(),
        changes in any_changes(),
        known_before: bool,
        hours in any_hours(),
        mut edges in prop::array::uniform2(0..LONGEST),
    ) {
        edges.sort_unstable();
        let [from, to] = edges.map(|minute| week + minute.minutes());
        let changes: Vec<Health> = changes
            .into_iter()
            .map(|(minute, status, maintenance)| health(status, maintenance, week + minute.minutes()))
            .collect();
        let before = known_before.then(|| health(Status::Degraded, false, week - 700.minutes()));
        // As the store gives them: what is in force when the range begins, and what changes within it.
        let in_force = changes.iter().rfind(|change| change.since <= from).or(before.as_ref());
        let within: Vec<Health> =
            changes.iter().filter(|change| from < change.since && change.since < to).cloned().collect();

        let mut minutes = Vec::new();
        let mut at = from;
        while at < to {
            let seen = changes.iter().rfind(|change| change.since <= at).or(before.as_ref());
            minutes.push(Minute { seen, supported: supported(&hours, at) });
            at += 1.minute();
        }
        let in_hours = || minutes.iter().filter(|minute| minute.supported);

        let all = Tally::of(in_force, &within, from, to);
        let open = hours.between(from, to).unwrap();
        let tally = Tally::within(&open, in_force, &within, from, to);
        let more = hours.between(from - 1000.minutes(), to + 1000.minutes()).unwrap();
        prop_assert_eq!(Tally::within(&more, in_force, &within, from, to), tally, "what is open besides is not counted");
        prop_assert_eq!((all, tally), (tallied(minutes.iter()), tallied(in_hours())));

        let mut days = (Tally::default(), Tally::default());
        for (_, range, day) in Tally::days(in_force, &within, from, to, &london()) {
            days.0 += day;
            days.1 += Tally::within(&open, in_force, &within, range.start, range.end);
        }
        prop_assert_eq!(days, (all, tally), "local days add up to the same");

        for maintenance in PlannedWork::ALL {
            for degraded in Degraded::ALL {
                let policy = AvailabilityPolicy { maintenance, degraded, ..AvailabilityPolicy::default() };
                let expected = available(minutes.iter(), maintenance, degraded);
                prop_assert_eq!(policy.availability(&all), expected, "{}", policy);
                let expected = available(in_hours(), maintenance, degraded);
                prop_assert_eq!(policy.availability(&tally), expected, "{} in supported hours", policy);
            }
        }
    }
}

fn office() -> Hours {
    Hours {
        time_zone: london(),
        weekly: vec![WeeklyWindow {
            days: EVERY_DAY[..5].to_vec(),
            from: time(9, 0, 0, 0),
            to: Some(time(17, 0, 0, 0)),
        }],
        bank_holidays: Some(Arc::default()),
        closed: Vec::new(),
        opened: Vec::new(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// A night's outage costs nothing in supported hours, and a morning's all of it.
#[test]
fn an_outage_out_of_hours_is_in_the_figure_of_all_hours_alone() {
    let before = health(Status::Operational, false, at("2026-11-01T00:00:00Z"));
    let changes = [
        health(Status::MajorOutage, false, at("2026-11-20T08:30:00Z")),
        health(Status::Operational, false, at("2026-11-20T09:30:00Z")),
    ];
    let (from, to) = (at("2026-11-20T00:00:00Z"), at("2026-11-22T00:00:00Z"));
    let all = Tally::of(Some(&before), &changes, from, to);
    let open = office().between(from, to).unwrap();
    let hours = Tally::within(&open, Some(&before), &changes, from, to);
    assert_eq!((all.down, all.total()), (3_600.0, 48.0 * 3_600.0));
    assert_eq!((hours.down, hours.total()), (1_800.0, 8.0 * 3_600.0));
}

#[test]
fn supported_hours_follow_the_clock_on_the_wall_and_the_bank_holidays() {
    let check = |from: &str, to: &str, hours: &Hours, expected: f64| {
        let open = hours.between(at(from), at(to)).unwrap();
        let tally = Tally::within(&open, None, &[], at(from), at(to));
        assert_eq!(tally, Tally { unknown: expected * 3_600.0, ..Tally::default() }, "{from} to {to}");
    };
    // Thursday before Easter to the Tuesday after it, over the change of the clocks.
    check("2027-03-25T00:00:00Z", "2027-03-30T23:00:00Z", &office(), 16.0);
    let always = Hours {
        weekly: vec![WeeklyWindow { days: EVERY_DAY.to_vec(), from: Time::midnight(), to: None }],
        bank_holidays: None,
        ..office()
    };
    check("2027-03-28T00:00:00Z", "2027-03-28T23:00:00Z", &always, 23.0);
    check("2027-10-30T23:00:00Z", "2027-11-01T00:00:00Z", &always, 25.0);
    check("2028-02-28T00:00:00Z", "2028-03-01T00:00:00Z", &office(), 16.0);
    let never = Hours { weekly: Vec::new(), ..office() };
    check("2028-02-28T00:00:00Z", "2028-03-01T00:00:00Z", &never, 0.0);
    check("2028-02-28T09:00:00Z", "2028-02-28T09:00:00Z", &office(), 0.0);
    check("2028-02-28T10:00:00Z", "2028-02-28T09:00:00Z", &office(), 0.0);
}

/// What would take without end to count is not counted.
#[test]
fn supported_hours_of_all_time_are_not_counted() {
    assert_eq!(office().between(Timestamp::MIN, Timestamp::MAX), None);
    let years = office().between(at("2016-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    assert!(years.is_some_and(|open| (2_400..2_600).contains(&open.len())));
}

#[test]
fn an_api_has_its_own_hours_and_objective_or_those_of_the_site_or_none() {
    let mut configuration = estate::configuration();
    let results = estate::instance("results", Environment::Production);
    let mut sit = results.clone();
    sit.environment = Environment::Sit;
    let hours = |of: &Configuration| of.supported_hours(&results.api).map(|(_, hours)| hours.clone());
    assert_eq!((hours(&configuration), configuration.objective(&results)), (None, None));

    let id = |word: &str| domain::HoursId::parse(word).unwrap();
    let objective = |text: &str| Some(Objective::parse(text).unwrap());
    configuration.hours.insert(id("office"), office());
    configuration.availability.hours = Some(id("office"));
    configuration.availability.critical = objective("99.9% in 30d");
    assert_eq!(hours(&configuration), Some(office()));
    assert_eq!(configuration.objective(&results), objective("99.9% in 30d"));
    assert_eq!(configuration.objective(&sit), None, "promised in production alone");
    assert_eq!(
        configuration.objective(&estate::instance("documents", Environment::Production)),
        None,
        "a standard API"
    );

    let api = configuration.apis.get_mut(&results.api).map(Arc::make_mut).unwrap();
    api.agreed = domain::Agreed { hours: Some(id("never")), objective: objective("99% in 90d") };
    assert_eq!(hours(&configuration).as_ref(), configuration.hours.get(&id("never")));
    assert_eq!(configuration.objective(&results), objective("99% in 90d"));
}
