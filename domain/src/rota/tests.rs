use super::*;
use jiff::civil::{
    Weekday::{Friday, Monday},
    date, time,
};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn person(name: &str) -> PersonId {
    PersonId::parse(name).unwrap()
}

fn layer(people: &[&str], hand_over: HandOver, from: Date) -> RotaLayer {
    RotaLayer { people: people.iter().map(|name| person(name)).collect(), hand_over, from, until: None }
}

fn on(day: Weekday, time: Time) -> HandOver {
    HandOver::Weekly(vec![(day, time)])
}

fn daily(time: Time) -> HandOver {
    HandOver::Every(1, time)
}

fn swap(name: &str, from: &str, to: &str) -> Override {
    Override { person: person(name), from: at(from), to: at(to), added: None }
}

fn rota(layers: Vec<RotaLayer>, overrides: Vec<Override>) -> Rota {
    Rota { time_zone: TimeZone::get("Europe/London").unwrap(), layers, overrides, remind: None }
}

const NINE: Time = time(9, 0, 0, 0);

/// One and two by turns, from Monday 7 September 2026, 09:00 BST.
fn weekly(overrides: Vec<Override>) -> Rota {
    let week = layer(&["one", "two"], on(Monday, NINE), date(2026, 9, 7));
    rota(vec![week], overrides)
}

/// `expected`: `who from..to layer, next who`; `-` for nobody.
fn check(rota: &Rota, moment: &str, expected: &str) {
    let now = at(moment);
    let shift = rota.on_call(now).map_or("-".to_owned(), |shift| {
        let layer = shift.layer.map_or("override".to_owned(), |layer| layer.to_string());
        format!("{} {}..{} {layer}", shift.person, shift.from, shift.to)
    });
    let next = rota.next(now).map_or("-".to_owned(), |next| next.to_string());
    assert_eq!(format!("{shift}, next {next}"), expected, "at {moment}");
}

#[test]
fn people_take_turns_from_the_first_hand_over_on() {
    let rota = weekly(Vec::new());
    check(&rota, "2026-09-07T07:59:59Z", "-, next -");
    check(&rota, "2026-09-07T08:00:00Z", "one 2026-09-07T08:00:00Z..2026-09-14T08:00:00Z 0, next two");
    check(&rota, "2026-09-14T07:59:59.999Z", "one 2026-09-07T08:00:00Z..2026-09-14T08:00:00Z 0, next two");
    check(&rota, "2026-09-14T08:00:00Z", "two 2026-09-14T08:00:00Z..2026-09-21T08:00:00Z 0, next one");
    assert_eq!(
        rota.gaps(at("2026-09-07T00:00:00Z"), at("2026-10-07T00:00:00Z")),
        [(at("2026-09-07T00:00:00Z"), at("2026-09-07T08:00:00Z"))]
    );
}

#[test]
fn a_week_may_have_several_hand_overs() {
    let moments = HandOver::Weekly(vec![(Monday, NINE), (Friday, time(17, 0, 0, 0))]);
    let rota = rota(vec![layer(&["one", "two", "three"], moments, date(2026, 12, 2))], Vec::new());
    check(&rota, "2026-12-04T16:59:00Z", "-, next -");
    check(&rota, "2026-12-04T17:00:00Z", "one 2026-12-04T17:00:00Z..2026-12-07T09:00:00Z 0, next two");
    check(&rota, "2026-12-07T09:00:00Z", "two 2026-12-07T09:00:00Z..2026-12-11T17:00:00Z 0, next three");
    check(&rota, "2026-12-11T17:00:00Z", "three 2026-12-11T17:00:00Z..2026-12-14T09:00:00Z 0, next one");
    check(&rota, "2026-12-14T09:00:00Z", "one 2026-12-14T09:00:00Z..2026-12-18T17:00:00Z 0, next two");
}

#[test]
fn people_may_change_every_so_many_days() {
    let rota = rota(vec![layer(&["one", "two"], HandOver::Every(10, NINE), date(2027, 3, 20))], Vec::new());
    check(&rota, "2027-03-20T08:59:00Z", "-, next -");
    // The clocks go forward on 28 March.
    check(&rota, "2027-03-20T09:00:00Z", "one 2027-03-20T09:00:00Z..2027-03-30T08:00:00Z 0, next two");
    check(&rota, "2027-03-30T08:00:00Z", "two 2027-03-30T08:00:00Z..2027-04-09T08:00:00Z 0, next one");
}

#[test]
fn a_layer_ends_with_the_first_hand_over_on_or_after_its_last_day_and_those_below_are_in_force_again() {
    let below = layer(&["one", "two"], on(Monday, NINE), date(2026, 9, 7));
    let mut summer = layer(&["three"], on(Monday, NINE), date(2026, 9, 14));
    summer.until = Some(date(2026, 9, 22));
    let mut rota = rota(vec![below, summer], Vec::new());
    check(&rota, "2026-09-27T12:00:00Z", "three 2026-09-21T08:00:00Z..2026-09-28T08:00:00Z 1, next -");
    check(&rota, "2026-09-28T08:00:00Z", "two 2026-09-28T08:00:00Z..2026-10-05T08:00:00Z 0, next one");
    assert!(rota.gaps(at("2026-09-07T08:00:00Z"), at("2027-09-07T08:00:00Z")).is_empty());

    rota.layers.remove(0);
    assert_eq!(
        rota.gaps(at("2026-09-21T00:00:00Z"), at("2026-10-07T00:00:00Z")),
        [(at("2026-09-28T08:00:00Z"), at("2026-10-07T00:00:00Z"))],
        "with nobody below, that is a gap"
    );
}

#[test]
fn the_pattern_is_what_the_layers_say_when_nobody_stands_in() {
    let rota = weekly(vec![swap("three", "2026-09-08T08:00:00Z", "2026-09-09T08:00:00Z")]);
    let (from, to) = (at("2026-09-07T08:00:00Z"), at("2026-09-21T08:00:00Z"));
    let names =
        |shifts: Vec<Shift>| shifts.into_iter().map(|shift| shift.person.to_string()).collect::<Vec<_>>();
    assert_eq!(names(rota.pattern(from, to)), ["one", "two"]);
    assert_eq!(names(rota.shifts(from, to)), ["one", "three", "one", "two"]);
}

#[test]
fn the_first_weekly_hand_over_is_on_or_after_the_first_day() {
    let mut rota = weekly(Vec::new());
    rota.layers[0].from = date(2026, 9, 8);
    check(&rota, "2026-09-15T00:00:00Z", "one 2026-09-14T08:00:00Z..2026-09-21T08:00:00Z 0, next two");
}

/// Good Friday is 26 March, the clocks go forward on Sunday the 28th, Easter Monday is the 29th.
#[test]
fn over_easter_2027_each_day_is_somebodys_and_the_stretch_has_109_hours() {
    let (six, eight) = (time(18, 0, 0, 0), time(8, 0, 0, 0));
    let nights = HandOver::Weekly(vec![(Weekday::Tuesday, eight), (Weekday::Thursday, six)]);
    let over = rota(vec![layer(&["one", "two"], nights, date(2027, 3, 18))], Vec::new());
    let shift = over.on_call(at("2027-03-28T01:00:00Z")).unwrap();
    assert_eq!((shift.from, shift.to), (at("2027-03-25T18:00:00Z"), at("2027-03-30T07:00:00Z")));
    assert_eq!(shift.to.duration_since(shift.from).as_hours(), 109);
    let days = rota(vec![layer(&["one", "two", "three"], daily(NINE), date(2027, 3, 20))], Vec::new());
    let shifts = days.shifts(at("2027-03-25T09:00:00Z"), at("2027-03-30T08:00:00Z"));
    let hours: Vec<i64> = shifts.iter().map(|shift| shift.to.duration_since(shift.from).as_hours()).collect();
    assert_eq!(hours, [24, 24, 23, 24, 24]);
    assert!(shifts.windows(2).all(|two| two[0].to == two[1].from && two[0].person != two[1].person));
}

/// Lord Howe's clocks go forward by half an hour at 02:00: 02:15 is not there, and what was to be then is at 02:30.
#[test]
fn a_hand_over_at_a_time_that_is_left_out_is_when_there_is_time_again() {
    let mut howe =
        rota(vec![layer(&["one", "two"], daily(time(2, 15, 0, 0)), date(2026, 10, 1))], Vec::new());
    howe.time_zone = TimeZone::get("Australia/Lord_Howe").unwrap();
    // 4 October 2026, 02:00 +10:30, becomes 02:30 +11.
    let shift = howe.on_call(at("2026-10-03T15:30:00Z")).unwrap();
    assert_eq!(shift.from, at("2026-10-03T15:30:00Z"));
    let before = howe.on_call(at("2026-10-03T15:29:59Z")).unwrap();
    assert_eq!(before.to, at("2026-10-03T15:30:00Z"));
    assert_ne!(before.person, shift.person);
}

#[test]
fn a_week_has_167_hours_when_the_clocks_go_forward_and_169_when_they_go_back() {
    let hours_of_shift_at = |rota: &Rota, moment: &str| {
        let shift = rota.on_call(at(moment)).unwrap();
        shift.to.duration_since(shift.from).as_hours()
    };
    let mut early = weekly(Vec::new());
    early.layers[0].from = date(2026, 1, 5);
    // All changes of the clocks up to where the table of bank holidays ends: by a week, and by a day of it.
    for (wednesday, hours) in [
        ("2026-03-25T12:00:00Z", 167),
        ("2026-10-21T12:00:00Z", 169),
        ("2027-03-24T12:00:00Z", 167),
        ("2027-10-27T12:00:00Z", 169),
        ("2028-03-22T12:00:00Z", 167),
        ("2028-10-25T12:00:00Z", 169),
        ("2028-11-01T12:00:00Z", 168),
    ] {
        assert_eq!(hours_of_shift_at(&early, wednesday), hours, "{wednesday}");
    }
    let daily = rota(vec![layer(&["one"], daily(NINE), date(2026, 9, 7))], Vec::new());
    assert_eq!(hours_of_shift_at(&daily, "2027-03-27T12:00:00Z"), 23);
    assert_eq!(hours_of_shift_at(&daily, "2026-10-24T12:00:00Z"), 25);
}

#[test]
fn a_hand_over_the_clock_skips_is_after_the_gap_and_one_it_shows_twice_is_the_first() {
    let half_past_one = || daily(time(1, 30, 0, 0));
    let daily = rota(vec![layer(&["one", "two"], half_past_one(), date(2027, 3, 27))], Vec::new());
    check(&daily, "2027-03-28T00:59:59Z", "one 2027-03-27T01:30:00Z..2027-03-28T01:00:00Z 0, next two");
    check(&daily, "2027-03-28T01:00:00Z", "two 2027-03-28T01:00:00Z..2027-03-29T00:30:00Z 0, next one");
    let autumn = rota(vec![layer(&["one", "two"], half_past_one(), date(2027, 10, 30))], Vec::new());
    check(&autumn, "2027-10-31T01:30:00Z", "two 2027-10-31T00:30:00Z..2027-11-01T01:30:00Z 0, next one");
}

#[test]
fn an_override_wins_from_its_first_instant_to_before_its_last() {
    let rota = weekly(vec![swap("three", "2026-09-09T12:00:00Z", "2026-09-09T18:00:00Z")]);
    check(
        &rota,
        "2026-09-09T11:59:59.999999999Z",
        "one 2026-09-07T08:00:00Z..2026-09-09T12:00:00Z 0, next two",
    );
    check(
        &rota,
        "2026-09-09T12:00:00Z",
        "three 2026-09-09T12:00:00Z..2026-09-09T18:00:00Z override, next two",
    );
    check(
        &rota,
        "2026-09-09T17:59:59.999999999Z",
        "three 2026-09-09T12:00:00Z..2026-09-09T18:00:00Z override, next two",
    );
    check(&rota, "2026-09-09T18:00:00Z", "one 2026-09-09T18:00:00Z..2026-09-14T08:00:00Z 0, next two");
}

#[test]
fn of_two_overrides_the_last_written_wins_and_cuts_the_other() {
    let rota = weekly(vec![
        swap("three", "2026-09-09T12:00:00Z", "2026-09-09T18:00:00Z"),
        swap("four", "2026-09-09T14:00:00Z", "2026-09-09T15:00:00Z"),
    ]);
    let who: Vec<String> = rota
        .shifts(at("2026-09-09T10:00:00Z"), at("2026-09-09T20:00:00Z"))
        .iter()
        .map(|shift| format!("{} {}h", shift.person, shift.to.duration_since(shift.from).as_hours()))
        .collect();
    assert_eq!(who, ["one 2h", "three 2h", "four 1h", "three 3h", "one 2h"]);
}

#[test]
fn a_higher_layer_takes_over_from_its_first_hand_over_on() {
    let rota = rota(
        vec![
            layer(&["one", "two"], on(Monday, NINE), date(2026, 9, 7)),
            layer(&["three", "four"], daily(NINE), date(2026, 9, 9)),
        ],
        Vec::new(),
    );
    check(&rota, "2026-09-08T12:00:00Z", "one 2026-09-07T08:00:00Z..2026-09-09T08:00:00Z 0, next two");
    check(&rota, "2026-09-09T08:00:00Z", "three 2026-09-09T08:00:00Z..2026-09-10T08:00:00Z 1, next four");
}

#[test]
fn the_next_to_be_called_is_always_somebody_else() {
    let swap_two = || vec![swap("two", "2026-09-09T12:00:00Z", "2026-09-09T18:00:00Z")];
    let during = at("2026-09-09T13:00:00Z");
    // Two stands in for one: the only other person is one.
    assert_eq!(weekly(swap_two()).next(during), Some(person("one")));
    // With a third person in the rota, it is the third.
    let mut three = weekly(swap_two());
    three.layers[0].people.push(person("three"));
    assert_eq!(three.next(during), Some(person("three")));
    // A person may have two turns.
    let mut twice = weekly(Vec::new());
    twice.layers[0].people = ["one", "one", "two"].map(person).to_vec();
    assert_eq!(twice.next(during), Some(person("two")));
    // Nobody else.
    let mut alone = weekly(Vec::new());
    alone.layers[0].people.truncate(1);
    assert_eq!(alone.next(during), None);
}

#[test]
fn a_rota_without_anybody_is_a_gap_from_end_to_end() {
    let range = (at("2026-09-07T00:00:00Z"), at("2026-10-07T00:00:00Z"));
    let nobody = rota(vec![layer(&[], daily(NINE), date(2026, 1, 1))], Vec::new());
    assert_eq!(nobody.on_call(range.0), None);
    assert_eq!(nobody.gaps(range.0, range.1), [range]);
    assert_eq!(nobody.shifts(range.0, range.1), []);
}

#[test]
fn ranges_without_end_are_bounded() {
    assert_eq!(weekly(Vec::new()).shifts(Timestamp::MIN, Timestamp::MAX).len(), MAX_SHIFTS);
}

const START: i64 = 1_798_761_600; // 2027-01-01: both changes of the clocks lie ahead
const YEAR: i64 = 365 * 86_400;

fn any_hand_over() -> impl Strategy<Value = HandOver> {
    // Not on the hour, or the night in spring in which an hour is left out takes somebody's turn of that hour away.
    let every = (1_u16..20, 0_i8..24, 1_i8..60);
    let weekly = (prop::collection::btree_set((0_i8..7, 0_i8..24), 1..5), 1_i8..60);
    prop_oneof![
        every.prop_map(|(days, hour, minute)| HandOver::Every(days, time(hour, minute, 0, 0))),
        weekly.prop_map(|(moments, minute)| {
            let weekday = |day| Weekday::from_monday_zero_offset(day).unwrap();
            let moments = moments.into_iter();
            HandOver::Weekly(moments.map(|(day, hour)| (weekday(day), time(hour, minute, 0, 0))).collect())
        }),
    ]
}

fn any_layer() -> impl Strategy<Value = RotaLayer> {
    let people = prop::collection::vec("[a-d]", 1..5);
    let day = |day: i64| date(2027, 1, 1).saturating_add(SignedDuration::from_hours(24 * day));
    (people, any_hand_over(), 0_i64..300, prop::option::of(-10_i64..400)).prop_map(
        move |(people, hand_over, from, until)| RotaLayer {
            people: people.iter().map(|name| person(name)).collect(),
            hand_over,
            from: day(from),
            until: until.map(day),
        },
    )
}

fn any_override() -> impl Strategy<Value = Override> {
    ("[w-z]", 0..YEAR, 0_i64..20 * 86_400).prop_map(|(name, from, lasts)| Override {
        person: person(&name),
        from: Timestamp::from_second(START + from).unwrap(),
        to: Timestamp::from_second(START + from + lasts).unwrap(),
        added: None,
    })
}

proptest! {
    #[test]
    fn shifts_and_gaps_tile_the_time_and_agree_with_who_is_on_call(
        layers in prop::collection::vec(any_layer(), 0..4),
        overrides in prop::collection::vec(any_override(), 0..6),
        begins in 0..YEAR,
        lasts in 0_i64..90 * 86_400,
        probes in prop::collection::vec(0.0..1.0_f64, 8),
    ) {
        let rota = rota(layers, overrides);
        let from = Timestamp::from_second(START + begins).unwrap();
        let to = Timestamp::from_second(START + begins + lasts).unwrap();
        let shifts = rota.shifts(from, to);
        let gaps = rota.gaps(from, to);

        let mut stretches: Vec<(Timestamp, Timestamp)> =
            shifts.iter().map(|shift| (shift.from, shift.to)).chain(gaps.iter().copied()).collect();
        stretches.sort_unstable();
        let mut reached = from;
        for (from, to) in &stretches {
            prop_assert_eq!(*from, reached, "no gap, no overlap");
            prop_assert!(from < to, "none is empty");
            reached = *to;
        }
        prop_assert_eq!(reached, to.max(from));
        let total: SignedDuration = stretches.iter().map(|(from, to)| to.duration_since(*from)).sum();
        prop_assert_eq!(total, to.duration_since(from));

        // At both edges of each stretch, and somewhere within.
        for shift in &shifts {
            let within = shift.to.duration_since(shift.from);
            let last = shift.to - SignedDuration::from_nanos(1);
            for moment in probes.iter().map(|part| shift.from + within.mul_f64(*part)).chain([shift.from, last]) {
                let moment = moment.min(last);
                let on_call = rota.on_call(moment).unwrap();
                prop_assert_eq!(&on_call.person, &shift.person);
                prop_assert_eq!(on_call.layer, shift.layer);
                prop_assert_eq!(on_call.from.max(from), shift.from);
                prop_assert_eq!(on_call.to.min(to), shift.to);
                prop_assert!(rota.next(moment).is_none_or(|next| next != on_call.person));
                let wanted = rota.overrides.iter().rfind(|swap| swap.from <= moment && moment < swap.to);
                match wanted {
                    Some(swap) => prop_assert_eq!(&on_call.person, &swap.person),
                    None => prop_assert!(on_call.layer.is_some()),
                }
            }
        }
        for (from, to) in gaps {
            prop_assert_eq!(rota.on_call(from), None);
            prop_assert_eq!(rota.on_call(to - SignedDuration::from_nanos(1)), None);
        }
    }

    #[test]
    fn one_layer_alone_gives_everybody_their_turn(mut layer in any_layer()) {
        layer.until = None;
        let people = layer.people.clone();
        let rota = rota(vec![layer], Vec::new());
        let begins = rota.layers[0].begins(&rota.time_zone);
        let shifts = rota.shifts(begins, begins + SignedDuration::from_hours(24 * 20 * 61));
        prop_assert!(shifts.len() >= 60);
        for (shift, expected) in shifts.iter().zip(people.iter().cycle()) {
            prop_assert_eq!(&shift.person, expected);
        }
    }
}
