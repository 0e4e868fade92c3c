//! What could not be recorded when it came (invariant 6): history as it was, telling as it can be.

use crate::estate::{Hand, Seen, configuration};
use domain::{Change, Environment, Event, IncidentStatus, NotificationKind, Status, decide_late};
use jiff::{SignedDuration, Timestamp};

const PRODUCTION: Environment = Environment::Production;
const RESULTS: (&str, Environment) = ("results", PRODUCTION);

fn well() -> Hand {
    let mut hand = Hand::new(configuration());
    hand.rounds(3, &[], Seen::Pass);
    hand
}

/// All that `shadow` saw since it was a copy of `hand` reaches the store only now.
fn catch_up(hand: &mut Hand, shadow: &Hand, seen_before: usize) {
    hand.now = shadow.now;
    for (event, then) in shadow.events.iter().skip(seen_before) {
        let decision = decide_late(&hand.situation, event, *then, hand.now);
        hand.situation = decision.after;
        hand.changes.extend(decision.changes);
    }
}

/// A copy that goes on while nothing can be recorded.
fn unrecorded(hand: &Hand) -> (Hand, usize) {
    let shadow = Hand {
        situation: hand.situation.clone(),
        now: hand.now,
        changes: Vec::new(),
        probes: Vec::new(),
        events: Vec::new(),
    };
    (shadow, 0)
}

fn notifications(changes: &[Change]) -> Vec<(String, Timestamp, Timestamp)> {
    let told = changes.iter().filter_map(|change| match change {
        Change::Notify(told) => Some((told.key.clone(), told.at, told.expires_at)),
        Change::Track(_)
        | Change::Status(_)
        | Change::Incident(_)
        | Change::Withdraw(_)
        | Change::Release(_)
        | Change::Silence(_)
        | Change::Maintenance(_)
        | Change::Override(_)
        | Change::Proof(_) => None,
    });
    told.collect()
}

#[test]
fn what_began_meanwhile_began_when_it_did_and_is_told_at_once_when_it_can_be() {
    let mut hand = well();
    let (mut shadow, before) = unrecorded(&hand);
    shadow.rounds(120, &[RESULTS], Seen::Fail);
    assert!(shadow.told().contains(&"callout/1/text".to_owned()), "it would have been told long since");
    let truly = shadow.incident(1);

    catch_up(&mut hand, &shadow, before);
    let late = hand.incident(1);
    assert_eq!((late.started_at, late.opened_at), (truly.started_at, truly.opened_at));
    assert_eq!(hand.status("results", PRODUCTION), Status::MajorOutage);
    assert!(hand.told().is_empty(), "nothing was told for a time that is past: {:?}", hand.told());

    hand.wait(1);
    let told = hand.told();
    assert!(told.contains(&"ticket".to_owned()) && told.contains(&"callout/1/text".to_owned()), "{told:?}");
    assert!(!told.contains(&"callout/2/text".to_owned()), "one step, not all that went by: {told:?}");
    for (key, at, expires_at) in notifications(&hand.changes) {
        assert!(at == hand.now && expires_at > hand.now, "{key} can still be sent");
    }
}

#[test]
fn what_came_and_went_meanwhile_is_in_the_record_and_nobody_is_called() {
    let mut hand = well();
    let (mut shadow, before) = unrecorded(&hand);
    shadow.rounds(30, &[RESULTS], Seen::Fail);
    shadow.rounds(30, &[], Seen::Pass);
    catch_up(&mut hand, &shadow, before);
    hand.wait(1);
    let (late, truly) = (hand.incident(1), shadow.incident(1));
    assert_eq!(late.status, IncidentStatus::Resolved);
    assert_eq!((late.started_at, late.recovered_at), (truly.started_at, truly.recovered_at));
    assert!(hand.told().is_empty(), "{:?}", hand.told());
}

#[test]
fn who_was_called_before_is_stood_down_with_time_to_hear_it() {
    let mut hand = well();
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand.receipt(1, "callout/1/text", domain::Sent::Accepted { provider_id: "x".into() });
    let (mut shadow, before) = unrecorded(&hand);
    shadow.rounds(400, &[], Seen::Pass);
    let told_before = hand.changes.len();
    catch_up(&mut hand, &shadow, before);
    let late = notifications(hand.changes.get(told_before..).unwrap_or_default());
    let down = late.iter().find(|(key, ..)| key.ends_with("stand-down/one/text"));
    let (_, at, expires_at) = down.expect("stood down");
    assert!(*at == hand.now && *expires_at > hand.now + SignedDuration::from_hours(1));
    let noted = hand.changes.iter().any(|change| {
        matches!(change, Change::Notify(told) if matches!(told.kind, NotificationKind::StandDown { .. }))
    });
    assert!(noted);
}

#[test]
fn statuses_are_those_that_would_have_been_recorded_in_time() {
    let mut hand = well();
    let (mut shadow, before) = unrecorded(&hand);
    shadow.rounds(5, &[RESULTS], Seen::Slow);
    shadow.rounds(5, &[RESULTS], Seen::Fail);
    // Nothing was seen for a while: a gap is a gap.
    for _ in 0..12 {
        shadow.wait(10);
    }
    shadow.rounds(5, &[], Seen::Pass);
    let recorded = hand.changes.len();
    catch_up(&mut hand, &shadow, before);
    let statuses = |changes: &[Change]| -> Vec<_> {
        let statuses = changes.iter().filter_map(|change| match change {
            Change::Status(change) => Some(change.clone()),
            Change::Track(_)
            | Change::Notify(_)
            | Change::Incident(_)
            | Change::Withdraw(_)
            | Change::Release(_)
            | Change::Silence(_)
            | Change::Maintenance(_)
            | Change::Override(_)
            | Change::Proof(_) => None,
        });
        statuses.collect()
    };
    let late = statuses(hand.changes.get(recorded..).unwrap_or_default());
    assert!(late.len() > 3);
    assert_eq!(late, statuses(&shadow.changes));
}

#[test]
fn catching_up_twice_changes_nothing_more() {
    let mut hand = well();
    let (mut shadow, before) = unrecorded(&hand);
    shadow.rounds(20, &[RESULTS], Seen::Fail);
    shadow.events.retain(|(event, _)| matches!(event, Event::Outcome(_)));
    catch_up(&mut hand, &shadow, before);
    let (changes, incidents) = (hand.changes.len(), hand.situation.incidents.size());
    catch_up(&mut hand, &shadow, before);
    assert_eq!((hand.changes.len(), hand.situation.incidents.size()), (changes, incidents));
    assert_eq!(hand.incident(1).started_at, shadow.incident(1).started_at);
}
