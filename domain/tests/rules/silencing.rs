//! A silence keeps quiet what it names, and nothing else.

use crate::estate::{Hand, Seen, configuration, instance};
use domain::{ApiId, Command, Environment::Production as PRODUCTION, Message, would_mute};
use jiff::SignedDuration;

const IDENTITY: (&str, domain::Environment) = ("identity", PRODUCTION);
const RESULTS: (&str, domain::Environment) = ("results", PRODUCTION);

impl Hand {
    fn silence(&mut self, api: &str) {
        let silence = Command::Silence {
            by: "ann".into(),
            why: "mended tomorrow".into(),
            until: self.now + SignedDuration::from_hours(8),
            api: Some(ApiId::parse(api).expect("an id")),
            environment: Some(PRODUCTION),
        };
        self.tell(Message::Command(silence)).expect("silenced");
    }
}

#[test]
fn what_a_silenced_api_takes_down_with_it_is_heard_of_all_the_same() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.silence("identity");
    hand.rounds(14, &[IDENTITY], Seen::Fail);
    assert_eq!(hand.told(), Vec::<String>::new(), "by itself it is silenced");
    let silence = hand.situation.silences.values().next().expect("a silence").clone();
    assert_eq!(would_mute(&hand.situation, &silence, hand.now).1.len(), 1);

    hand.rounds(5, &[IDENTITY, RESULTS], Seen::Fail);
    assert_eq!(hand.told(), Vec::<String>::new(), "it has the holds that any has");
    assert_eq!(hand.incident(1).held_back, [], "nothing is held back by what nobody hears of");
    hand.rounds(11, &[IDENTITY, RESULTS], Seen::Fail);
    let own = hand.incident(2);
    assert_eq!(own.affects, [instance("results", PRODUCTION)]);
    assert!(hand.told().contains(&"ticket".to_owned()), "results is not silenced: {:?}", hand.told());
    assert!(hand.told().iter().any(|name| name.starts_with("callout/")), "{:?}", hand.told());
    assert_eq!(would_mute(&hand.situation, &silence, hand.now).1, [hand.incident(1).id]);
}

#[test]
fn a_silence_of_a_parent_that_holds_others_back_already_keeps_quiet_nothing_and_says_so_before() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(6, &[IDENTITY, RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).held_back.len(), 1);
    hand.silence("identity");
    let silence = hand.situation.silences.values().next().expect("a silence").clone();
    assert_eq!(would_mute(&hand.situation, &silence, hand.now).1, []);
    hand.rounds(12, &[IDENTITY, RESULTS], Seen::Fail);
    assert!(hand.told().iter().any(|name| name.starts_with("callout/")), "{:?}", hand.told());
}

#[test]
fn several_silences_together_keep_quiet_what_each_alone_does_not() {
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(6, &[IDENTITY, RESULTS], Seen::Fail);
    assert_eq!(hand.incident(1).held_back.len(), 1);
    hand.silence("identity");
    hand.silence("results");
    let second = hand.situation.silences.values().nth(1).expect("a silence").clone();
    assert_eq!(would_mute(&hand.situation, &second, hand.now).1.len(), 1);
    hand.rounds(20, &[IDENTITY, RESULTS], Seen::Fail);
    assert_eq!(hand.told(), Vec::<String>::new());
}
