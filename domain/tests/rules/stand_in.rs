//! Somebody stands in on a rota because somebody said so.

use crate::estate::*;
use domain::{
    Cause, Command, Configuration, Environment::Production as PRODUCTION, Message, PersonId, RotaId,
};
use jiff::SignedDuration;

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn id(name: &str) -> PersonId {
    PersonId::parse(name).expect("an id")
}

impl Hand {
    /// `person` stands in from and until so many hours from now.
    fn stands_in(
        &mut self,
        person: &str,
        instead_of: Option<&str>,
        from: i64,
        until: i64,
    ) -> Result<String, String> {
        self.tell(Message::Command(Command::Override {
            by: "ann".into(),
            rota: RotaId::parse("platform").expect("an id"),
            person: PersonId::parse(person).expect("an id"),
            instead_of: instead_of.map(id),
            from: self.now + hours(from),
            until: self.now + hours(until),
            why: None,
        }))
    }

    fn end_override(&mut self, number: u64) -> Result<String, String> {
        self.tell(Message::Command(Command::EndOverride { number, by: "ben".into() }))
    }

    /// Who is on call in so many hours.
    fn on_call(&self, ahead: i64) -> String {
        let rota = self.situation.configuration.rotas.values().next().expect("a rota");
        rota.on_call(self.now + hours(ahead)).map_or("nobody".to_owned(), |shift| shift.person.to_string())
    }

    fn called(&self) -> Vec<String> {
        let running = self.incident(1).escalation.clone().expect("calling");
        running.callouts.iter().map(|callout| callout.person.to_string()).collect()
    }
}

fn well() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand
}

#[test]
fn what_begins_during_an_override_calls_who_stands_in_and_nobody_else() {
    let mut hand = well();
    hand.stands_in("boss", None, 0, 2).expect("added");
    hand.rounds(14, &[("results", PRODUCTION)], Seen::Fail);
    assert_eq!(hand.called(), ["boss"]);
}

#[test]
fn it_begins_and_ends_by_itself_and_goes_on_over_a_restart_and_a_new_configuration() {
    let mut hand = well();
    let pattern = hand.on_call(0);
    hand.stands_in("boss", None, 1, 3).expect("added");
    for _ in 0..2 {
        assert_eq!([0, 1, 2, 3].map(|ahead| hand.on_call(ahead)), [&pattern[..], "boss", "boss", &pattern]);
        hand.restart(0);
    }
    assert_eq!(hand.stands_in("two", None, 4, 5).expect("added").split(" on ").next(), Some("override 2"));
}

#[test]
fn a_swap_takes_only_the_shifts_of_whom_it_is_for() {
    let mut hand = well();
    let week = 7 * 24;
    let (first, second) = (hand.on_call(0), hand.on_call(week));
    hand.stands_in("boss", Some(&second), 0, 2 * week).expect("added");
    assert_eq!(hand.on_call(0), first, "who is on call before is not the one");
    assert_eq!(hand.on_call(week), "boss");
}

#[test]
fn of_two_that_overlap_the_later_added_wins_and_that_is_said() {
    let mut hand = well();
    hand.stands_in("boss", None, 0, 4).expect("added");
    let said = hand.stands_in("two", None, 1, 2).expect("added");
    assert!(said.ends_with("; it goes before override 1, which overlaps it"), "{said}");
    assert_eq!([0, 1, 2].map(|ahead| hand.on_call(ahead)), ["boss", "two", "boss"]);
    assert_eq!(hand.end_override(2), Ok("override 2 is called off".to_owned()));
    assert_eq!([0, 1, 2].map(|ahead| hand.on_call(ahead)), ["boss", "boss", "boss"]);
    assert_eq!(hand.end_override(1), Ok("override 1 is ended".to_owned()));
    assert_ne!(hand.on_call(0), "boss");
    assert!(hand.end_override(1).expect_err("once").starts_with("override 1 ended at "));
    assert!(hand.end_override(9).is_err());
}

#[test]
fn a_rota_that_nobody_is_on_is_filled_by_one() {
    let mut configuration = configuration();
    for rota in configuration.rotas.values_mut() {
        rota.layers.clear();
    }
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    let gap = Cause::Rota(RotaId::parse("platform").expect("an id"));
    assert!(hand.situation.open_incident(&gap).is_some());
    hand.stands_in("boss", None, 0, 24 * 20).expect("added");
    hand.rounds(60, &[], Seen::Pass);
    assert!(hand.situation.open_incident(&gap).is_none(), "{:#?}", hand.situation.incidents);
}

#[test]
fn who_leaves_the_configuration_stands_in_for_nobody() {
    let mut hand = well();
    hand.stands_in("boss", None, 0, 4).expect("added");
    let mut smaller = configuration();
    smaller.people.remove(&id("boss"));
    hand.restart_with(0, smaller);
    assert_ne!(hand.on_call(1), "boss");
}

#[test]
fn what_can_be_no_plan_is_refused_with_the_reason() {
    let mut hand = well();
    let on_call = hand.on_call(0);
    let other = if on_call == "one" { "two" } else { "one" };
    for (person, instead_of, from, until, why) in [
        ("moon", None, 0, 1, "there is nobody called moon"),
        ("boss", Some("moon"), 0, 1, "there is nobody called moon"),
        ("boss", Some("boss"), 0, 1, "cannot stand in for themselves"),
        ("boss", Some(other), 0, 1, "is not on call on platform in that time"),
        ("boss", None, 2, 1, "before it begins"),
        ("boss", None, -2, -1, "it would be over"),
        ("boss", None, 0, 93 * 24, "92 days at most"),
        ("boss", None, 401 * 24, 402 * 24, "400 days ahead"),
    ] {
        let said = hand.stands_in(person, instead_of, from, until).expect_err("refused");
        assert!(said.contains(why), "{said}");
    }
    assert!(hand.situation.overrides.is_empty());
}

/// Whose shifts of two days were in force once, in hours from now: from, until.
fn once(hand: &Hand) -> Vec<(String, i64, i64)> {
    let rota = RotaId::parse("platform").expect("an id");
    let added: Vec<_> = hand.situation.overrides.values().cloned().collect();
    let within = (hand.now, hand.now + hours(48));
    let known = Configuration::shifts_once(&configuration(), &added, &rota, within);
    let hours_to = |at: jiff::Timestamp| at.duration_since(hand.now).as_hours();
    known
        .into_iter()
        .filter(|(_, _, person)| person.as_str() == "boss")
        .map(|(from, to, person)| (person.to_string(), hours_to(from), hours_to(to)))
        .collect()
}

#[test]
fn what_was_called_off_or_overlapped_was_once_in_force() {
    let mut hand = well();
    assert!(once(&hand).is_empty());
    hand.stands_in("boss", None, 4, 8).expect("added");
    assert_eq!(once(&hand), [("boss".to_owned(), 4, 8)]);
    hand.now += SignedDuration::from_secs(1);
    // Others go before it, in the middle: two pieces of it are left.
    hand.stands_in("two", None, 5, 6).expect("added");
    hand.now -= SignedDuration::from_secs(1);
    let whole = ("boss".to_owned(), 4, 8);
    assert!(once(&hand).contains(&whole) && once(&hand).len() == 3, "{:?}", once(&hand));
    hand.now += SignedDuration::from_secs(2);
    hand.end_override(1).expect("ended");
    hand.now -= SignedDuration::from_secs(2);
    assert!(once(&hand).contains(&whole), "it is over, and was: {:?}", once(&hand));
    assert_eq!(hand.on_call(4), "one");
}
