//! What a ticket hears of what changes all the time: calls and answers at once, all else every quarter of an hour at most.

use crate::{
    estate::{Hand, Seen, configuration},
    read_back::{desk_takes_notes, in_state, notes, raised, reads},
};
use domain::{
    Answer, Command, Environment, IncidentId, Message, Note, Phrases, Priority, Sent, Text, TicketState,
};
use jiff::SignedDuration;

const RESULTS: (&str, Environment) = ("results", Environment::Production);

#[test]
fn a_ticket_hears_at_once_who_is_called_and_of_the_rest_every_quarter_of_an_hour_at_most() {
    let mut hand = raised();
    for _ in 0..190 {
        hand.rounds(1, &[RESULTS], Seen::Fail);
        desk_takes_notes(&mut hand);
        let calls = hand.incident(1).escalation.as_ref().map_or(0, |running| running.callouts.len());
        for call in 1..=calls {
            hand.receipt(1, &format!("callout/{call}/text"), taken());
        }
    }
    let remarks: Vec<Note> = notes(&hand).into_iter().map(|(.., note)| note).collect();
    let callouts = hand.incident(1).escalation.clone().expect("calling").callouts;
    let after: std::collections::BTreeSet<_> =
        callouts.iter().filter(|callout| callout.at > remarks[0].at).map(|callout| callout.at).collect();
    let noted: Vec<_> = remarks.iter().skip(1).map(|note| note.at).collect();
    assert_eq!(noted, after.into_iter().collect::<Vec<_>>(), "one note each time somebody is called");
    let said = &remarks.last().expect("a note").text;
    assert!(said.starts_with("Called now: Boss at ") && said.contains("No answer from "), "{said}");
    assert!(said.ends_with("You need not ring them."), "{said}");
}

fn taken() -> Sent {
    Sent::Accepted { provider_id: "x".into() }
}

/// The agent who reads it may be the only human awake.
#[test]
fn whoever_is_not_known_to_have_been_reached_the_desk_is_asked_to_ring() {
    for said in [None, Some(Sent::Unclear { why: "answered 500".into() })] {
        let mut hand = raised();
        if let Some(said) = said {
            hand.receipt(1, "callout/1/text", said);
        }
        while hand.incident(1).escalation.as_ref().is_none_or(|running| running.callouts.len() < 2) {
            hand.rounds(1, &[RESULTS], Seen::Fail);
            desk_takes_notes(&mut hand);
        }
        hand.rounds(1, &[RESULTS], Seen::Fail);
        let text = texts(&hand).pop().expect("a note");
        assert!(
            text.starts_with("Called now: ") && text.contains("You need not ring them. Not known to"),
            "{text}"
        );
        assert!(text.ends_with("Ring them if you can.") && !text.contains("No answer"), "{text}");
    }
}

#[test]
fn who_passes_it_on_is_in_the_ticket_at_once() {
    let mut hand = raised();
    hand.rounds(12, &[RESULTS], Seen::Fail);
    desk_takes_notes(&mut hand);
    let called = hand.incident(1).escalation.clone().expect("calling").callouts;
    let reference = called[called.len() - 1].reference.clone();
    hand.tell(Message::Answer { reference, answer: Answer::CallNext, by: None }).expect("passed on");
    desk_takes_notes(&mut hand);
    let (.., note) = notes(&hand).pop().expect("a note");
    assert_eq!(note.at, hand.now);
    assert!(note.text.contains("Cannot take it: "), "{}", note.text);
}

#[test]
fn what_else_fails_is_told_together_a_quarter_of_an_hour_after_the_last_word() {
    let identity = ("identity", Environment::Production);
    let (results, documents) = (RESULTS, ("documents", Environment::Production));
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[identity], Seen::Fail);
    hand.ticket_raised(1);
    let reference = hand.incident(1).escalation.as_ref().expect("calling").callouts[0].reference.clone();
    hand.tell(Message::Answer { reference, answer: Answer::Mine, by: None }).expect("taken");
    let said = hand.now;
    for failing in [&[identity, results][..], &[identity, results, documents]] {
        for _ in 0..18 {
            hand.rounds(1, failing, Seen::Fail);
            desk_takes_notes(&mut hand);
        }
    }
    assert_eq!(hand.incident(1).held_back.len(), 2);
    let of_them = |hand: &Hand| -> Vec<Note> {
        let all = notes(hand).into_iter().map(|(.., note)| note);
        all.filter(|note| note.text.contains("Fail because of it: ")).collect()
    };
    assert!(of_them(&hand).is_empty(), "six minutes later it is too soon: {:?}", of_them(&hand));
    for _ in 0..120 {
        hand.rounds(1, &[identity, results, documents], Seen::Fail);
        desk_takes_notes(&mut hand);
    }
    let told = of_them(&hand);
    assert_eq!(told.len(), 1, "both at once: {told:?}");
    assert!(told[0].text.contains("results") && told[0].text.contains("documents"), "{told:?}");
    assert!(told[0].at >= said + SignedDuration::from_mins(15), "{told:?}");
}

fn texts(hand: &Hand) -> Vec<String> {
    notes(hand).into_iter().map(|(.., note)| note.text).collect()
}

/// The text of each note that says so.
fn saying(hand: &Hand, words: &str) -> Vec<String> {
    texts(hand).into_iter().filter(|text| text.contains(words)).collect()
}

/// `documents` is slow and has a ticket; a human has set its priority, which no rule changes any more.
fn slow() -> (Hand, (&'static str, Environment)) {
    let documents = ("documents", Environment::Production);
    let mut hand = Hand::new(configuration());
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(100, &[documents], Seen::Slow);
    hand.ticket_raised(1);
    let (by, why, priority) = ("ann".to_owned(), "a drill".to_owned(), Priority::P2);
    let set = Command::Prioritise { incident: IncidentId(1), by, why, priority };
    hand.tell(Message::Command(set)).expect("set");
    desk_takes_notes(&mut hand);
    (hand, documents)
}

#[test]
fn that_it_is_worse_the_ticket_hears_at_once_also_where_its_priority_stays() {
    let (mut hand, documents) = slow();
    for _ in 0..90 {
        hand.rounds(1, &[documents], Seen::Fail);
        desk_takes_notes(&mut hand);
    }
    let worse = saying(&hand, "Worse now: major outage. ");
    assert_eq!(worse.len(), 1, "{:?}", texts(&hand));
    assert!(worse[0].ends_with(&hand.incident(1).diagnosis.en), "{worse:?}");
}

#[test]
fn that_it_fails_elsewhere_the_ticket_hears_within_a_quarter_of_an_hour() {
    let mut hand = raised();
    hand.rounds(6, &[RESULTS], Seen::Fail);
    desk_takes_notes(&mut hand);
    let before = hand.incident(1);
    for _ in 0..92 {
        hand.rounds(1, &[RESULTS], Seen::Broken);
        desk_takes_notes(&mut hand);
    }
    let after = hand.incident(1);
    assert!(before.layer != after.layer && before.diagnosis != after.diagnosis);
    assert_eq!(saying(&hand, &after.diagnosis.en).len(), 1, "{:?}", texts(&hand));
    assert_eq!(saying(&hand, "Worse now").len(), 0, "it is as bad as it was");
}

#[test]
fn one_that_is_back_is_not_worse_than_it_was_the_last_time() {
    let mut hand = raised();
    hand.rounds(12, &[], Seen::Pass);
    assert!(!hand.incident(1).is_open());
    desk_takes_notes(&mut hand);
    for _ in 0..90 {
        hand.rounds(1, &[RESULTS], Seen::Slow);
        desk_takes_notes(&mut hand);
    }
    let back = saying(&hand, "the same incident, and the same ticket.");
    assert_eq!(back.len(), 1, "{:?}", texts(&hand));
    assert!(hand.incident(1).worst < domain::Status::MajorOutage, "it is less bad");
    let elsewhere = saying(&hand, &hand.incident(1).diagnosis.en);
    assert_eq!(elsewhere.len(), 1, "{:?}", texts(&hand));
    assert_eq!(saying(&hand, "Worse now").len(), 0, "{:?}", texts(&hand));
}

#[test]
fn what_a_human_says_on_the_page_is_in_the_ticket_too() {
    let mut hand = raised();
    let phrases = Phrases {
        because: Some(domain::Because::SignIn),
        next: Some(hand.now + SignedDuration::from_mins(30)),
        ..Phrases::own(Text::new("Sign-in is being repaired.", "Mae’r mewngofnodi’n cael ei drwsio."))
    };
    let update = Command::Update { incident: IncidentId(1), by: "Ann".to_owned(), phrases };
    hand.tell(Message::Command(update)).expect("published");
    desk_takes_notes(&mut hand);
    let said =
        saying(&hand, "Said on the status page by Ann: Sign-in is being repaired. (cause: sign in; more by ");
    assert_eq!(said.len(), 1, "{:?}", texts(&hand));
}

#[test]
fn a_ticket_that_was_resolved_meanwhile_and_is_opened_again_hears_where_it_fails_now() {
    let mut hand = raised();
    hand.rounds(12, &[], Seen::Pass);
    desk_takes_notes(&mut hand);
    reads(&mut hand, in_state(TicketState::Resolved));
    hand.rounds(12, &[RESULTS], Seen::Broken);
    desk_takes_notes(&mut hand);
    let opened = saying(&hand, "Opened again: the trouble is still there");
    assert_eq!(opened.len(), 1, "{:?}", texts(&hand));
    assert!(opened[0].contains(&hand.incident(1).diagnosis.en), "{opened:?}");
}
