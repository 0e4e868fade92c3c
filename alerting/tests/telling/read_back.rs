//! Tickets read back from the desk as agents leave them: assigned, weighed, closed too early, merged, and opened by a caller.

use super::night::Night;
use domain::{Command, DeskId, Incident, Message, Ticket, TicketState};
use std::sync::Arc;

const AGENT: &str = "Beth Anglin";

/// Three incidents with a ticket each, and the first of them.
async fn failing() -> (Night, String) {
    let mut night = Night::begin().await;
    night.fail(true);
    night.pass(150).await;
    let number = number(&night);
    (night, number)
}

fn incident(night: &Night) -> Arc<Incident> {
    night.incidents().remove(0)
}

fn number(night: &Night) -> String {
    let Ticket::Raised { number, .. } = &incident(night).ticket else { panic!("no ticket") };
    number.clone()
}

fn field(night: &Night, number: &str, name: &str) -> String {
    night.world.desk().ticket(number).unwrap().field(name).to_owned()
}

#[tokio::test]
async fn who_has_a_ticket_and_what_it_is_at_is_read_and_only_news_is_told() {
    let (mut night, number) = failing().await;
    let desk = night.world.desk().clone();
    night.read_desk().await;
    let seen = incident(&night).ticket.seen().unwrap().clone();
    assert_eq!((seen.state, seen.assigned_to), (TicketState::New, None));
    assert_eq!(seen.group.as_deref(), Some("API Platform"));
    assert!(desk.assign(&number, AGENT));
    assert!(desk.weigh(&number, AGENT, "3", "3"));
    night.read_desk().await;
    let incident = incident(&night);
    let seen = incident.ticket.seen().unwrap();
    assert_eq!((seen.state, seen.assigned_to.as_deref()), (TicketState::InProgress, Some(AGENT)));
    assert_eq!(seen.priority, domain::Priority::new(5));
    let said = |words: &str| incident.timeline.iter().any(|entry| entry.text.contains(words));
    assert!(
        said("is assigned to Beth Anglin; that is no answer") && said("priority differs: P5, ours is P1")
    );
    let notes = night.world.desk().ticket(&number).unwrap();
    assert!(
        notes.work_notes().iter().any(|note| note.contains("The priority here is P5; Curiad proposes P1."))
    );
    let before = incident.timeline.len();
    night.read_desk().await;
    assert_eq!(night.incidents().remove(0).timeline.len(), before, "nothing new");
    night.close().await;
}

#[tokio::test]
async fn a_ticket_resolved_too_early_is_in_work_again_and_one_closed_too_early_is_followed_by_another() {
    let (mut night, first) = failing().await;
    let desk = night.world.desk().clone();
    assert!(desk.resolve(&first, AGENT, "Restarted."));
    night.read_desk().await;
    night.pass(70).await;
    assert_eq!(field(&night, &first, "state"), "2", "opened again");
    night.read_desk().await;
    assert!(desk.close(&first, AGENT, "Restarted."));
    night.read_desk().await;
    night.pass(70).await;
    let second = number(&night);
    assert_ne!(second, first);
    let key = field(&night, &second, "correlation_id");
    assert_eq!(key, format!("{}.2", field(&night, &first, "correlation_id")));
    let description = field(&night, &second, "description");
    assert!(description.contains(&format!("{first} was closed while the trouble went on")), "{description}");
    night.fail(false);
    night.pass(120).await;
    assert!(night.is_over());
    let notes = night.world.desk().ticket(&second).unwrap();
    assert!(notes.work_notes().last().unwrap().contains("Over: "), "{:?}", notes.work_notes());
    assert_eq!(night.world.desk().tickets().len(), 4, "three incidents, and one of them had two");
    night.close().await;
}

#[tokio::test]
async fn what_is_closed_as_a_duplicate_is_told_on_in_the_other_ticket() {
    let (mut night, ours) = failing().await;
    let desk = night.world.desk().clone();
    let theirs = desk.open("Cannot look patients up");
    assert!(desk.merge(&ours, &theirs, AGENT));
    night.read_desk().await;
    assert_eq!(number(&night), theirs);
    let notes = desk.ticket(&theirs).unwrap();
    let [note] = notes.work_notes().try_into().unwrap_or_else(|notes| panic!("one note: {notes:?}"));
    assert!(note.contains("Curiad follows its incident C-1 here"), "{note}");
    assert!(note.contains("You need not ring"), "all that a ticket of its own would say: {note}");
    night.fail(false);
    night.pass(120).await;
    assert!(desk.ticket(&theirs).unwrap().work_notes().last().unwrap().contains("Over: "));
    assert_eq!(field(&night, &theirs, "state"), "1", "never resolved by us");
    night.close().await;
}

#[tokio::test]
async fn what_is_a_duplicate_of_nobody_knows_what_is_the_desks_to_follow() {
    let (mut night, ours) = failing().await;
    let desk = night.world.desk().clone();
    let before = desk.tickets().len();
    assert!(desk.duplicate(&ours, AGENT));
    night.read_desk().await;
    night.pass(120).await;
    assert_eq!((number(&night), desk.tickets().len()), (ours, before), "no other is made of it");
    night.close().await;
}

#[tokio::test]
async fn a_ticket_that_a_caller_opened_first_is_found_by_its_number_and_gone_on_with() {
    let (mut night, ours) = failing().await;
    let desk = night.world.desk().clone();
    let theirs = desk.open("Cannot look patients up");
    let (channels, nsd) =
        (Arc::clone(&night.deliverer.setup.borrow().channels), DeskId::parse("nsd").unwrap());
    assert_eq!(channels.find_ticket(&nsd, "INC9999999").await, Ok(None));
    let found = channels.find_ticket(&nsd, &theirs).await.unwrap().unwrap();
    let link = Command::Link {
        incident: incident(&night).id,
        by: "ann".to_owned(),
        number: found.number,
        record: found.record,
    };
    night.tell(Message::Command(link)).await;
    assert_eq!(number(&night), theirs);
    assert!(desk.ticket(&theirs).unwrap().work_notes()[0].contains("Curiad follows its incident C-1 here"));
    let old = desk.ticket(&ours).unwrap();
    assert!(old.work_notes().last().unwrap().contains(&format!("Followed in {theirs}")));
    night.close().await;
}

#[tokio::test]
async fn a_desk_that_wants_it_has_its_tickets_resolved_when_the_trouble_is_over() {
    let (mut night, number) = failing().await;
    let mut configuration = (*night.situation.configuration).clone();
    configuration.desks.values_mut().for_each(|desk| desk.resolves = true);
    night.situation.configuration = Arc::new(configuration);
    night.fail(false);
    night.pass(120).await;
    assert!(night.is_over());
    assert_eq!(field(&night, &number, "state"), "6");
    assert_eq!(field(&night, &number, "close_code"), "Solved (Permanently)");
    assert!(field(&night, &number, "close_notes").contains("Over: "));
    night.close().await;
}
