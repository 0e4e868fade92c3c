//! The desk is away for an hour, each in its own way: one ticket an incident, callouts on time, nobody left without news.

use super::night::{APIS, EVERY, Night, one_ticket_each};
use domain::{Ticket, Way};
use simulator::Trouble;
use std::time::Duration;

const CALLOUT_HOLD: i64 = 120;
const FALLBACK_AFTER: i64 = 120;

/// Whether its tickets come to be known while it lasts: the look-up after an unclear try finds them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    AtOnce,
    OnlyAfter,
}

async fn an_hour_of(trouble: Trouble, known: Known) {
    // An hour of requests that hang must not take one.
    let patience = Duration::from_millis(if trouble == Trouble::Hang { 80 } else { 250 });
    let mut night = Night::begin_with(patience, |_| ()).await;
    night.world.desk().set_trouble(trouble).await;
    night.fail(true);
    night.pass(600).await;
    let incidents = night.incidents();
    assert_eq!(incidents.len(), APIS.len());

    // Calls go out at their hold, and to the next person at theirs, whatever the desk does.
    for incident in &incidents {
        let running = incident.escalation.as_ref().expect("called");
        let late = |number: usize, after: i64| {
            let (_, at) =
                *running.callouts[number].accepted.iter().find(|(way, _)| *way == Way::Text).unwrap();
            at.duration_since(incident.opened_at).as_secs() - CALLOUT_HOLD - after
        };
        assert!((0..=EVERY).contains(&late(0, 0)), "{trouble}: the first call is {} s late", late(0, 0));
        assert!((0..=EVERY).contains(&late(1, 300)), "{trouble}: the second call is {} s late", late(1, 300));
    }
    assert_eq!(night.first_texts("+447700900101").len(), APIS.len());

    // The people at the desk are told once by mail, after its minutes; the ticket is unconfirmed.
    let fallbacks = night.mails_to("desk@example.wales");
    if known == Known::OnlyAfter {
        assert_eq!(fallbacks.len(), APIS.len(), "{trouble}: one e-mail for each");
        for incident in &incidents {
            let Ticket::Asked { at, fallback_at: Some(told), .. } = &incident.ticket else {
                panic!("{trouble}: {:?}", incident.ticket);
            };
            let after = told.duration_since(*at).as_secs() - FALLBACK_AFTER;
            assert!((0..=EVERY).contains(&after), "{trouble}: {after} s late");
        }
    } else {
        assert!(fallbacks.is_empty(), "{trouble}: the desk has the tickets");
    }

    night.answer_all().await;
    night.pass(3_000).await;
    let news = night.mails_to("desk@example.wales").len() - fallbacks.len();
    let expected = if known == Known::OnlyAfter { APIS.len() } else { 0 };
    assert_eq!(news, expected, "{trouble}: who has it is told by mail too, once for each");

    // The desk is back, and then the APIs are.
    night.world.desk().set_trouble(Trouble::None).await;
    night.pass(400).await;
    one_ticket_each(&night);
    night.fail(false);
    night.pass(900).await;
    assert!(night.is_over());
    one_ticket_each(&night);
    let told = night.mails_to("desk@example.wales").len();
    assert_eq!(told, fallbacks.len() + news, "{trouble}: no second fallback, and the rest is in the ticket");
    for ticket in night.world.desk().tickets() {
        let notes = ticket.work_notes();
        let place = |word: &str| notes.iter().position(|note| note.contains(word));
        let order = ["Acknowledged by", "Recovered at", "Over:"].map(place);
        assert!(order.is_sorted() && order[0].is_some(), "{trouble}: {order:?} in {notes:#?}");
        // Who is called is told at once where there is a ticket to say it in.
        let called = notes.iter().filter(|note| note.contains("Called now: ")).count();
        assert_eq!(notes.len() - called, 3, "{trouble}: none lost, none twice: {notes:#?}");
    }
    night.close().await;
}

#[tokio::test]
async fn an_hour_of_refused_connections() {
    an_hour_of(Trouble::Refuse, Known::OnlyAfter).await;
}

#[tokio::test]
async fn an_hour_of_errors() {
    an_hour_of(Trouble::ServerError, Known::OnlyAfter).await;
}

#[tokio::test]
async fn an_hour_of_come_back_later() {
    an_hour_of(Trouble::RateLimited, Known::OnlyAfter).await;
}

#[tokio::test]
async fn an_hour_of_silence() {
    an_hour_of(Trouble::Hang, Known::OnlyAfter).await;
}

#[tokio::test]
async fn an_hour_of_a_credential_that_is_refused() {
    an_hour_of(Trouble::Unauthorised, Known::OnlyAfter).await;
}

#[tokio::test]
async fn an_hour_of_a_sign_in_page() {
    an_hour_of(Trouble::WebPage, Known::OnlyAfter).await;
}

#[tokio::test]
async fn an_hour_of_maintenance() {
    an_hour_of(Trouble::Maintenance, Known::OnlyAfter).await;
}

#[tokio::test]
async fn an_hour_of_doing_what_is_asked_and_hanging_up() {
    an_hour_of(Trouble::AcceptThenHangUp, Known::AtOnce).await;
}

#[tokio::test]
async fn an_hour_of_doing_what_is_asked_and_answering_too_late() {
    an_hour_of(Trouble::AcceptThenTimeOut, Known::AtOnce).await;
}
