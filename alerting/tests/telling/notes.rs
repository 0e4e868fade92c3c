//! Work notes: each once, and none held up by what was to change with it.

use super::house::{desk, house};
use domain::{Note, NotificationKind, Priority, Sent, With};
use simulator::Trouble;
use store::OutboxState;

#[tokio::test]
async fn a_work_note_whose_fate_is_unknown_is_looked_for_before_it_is_sent_again() {
    let house = house().await;
    house.wants_ticket().await;
    house.deliver().await;
    let record = house.world.desk().tickets()[0].sys_id.clone();
    let note = Note {
        at: house.hand.now(),
        text: "Acknowledged by Test Person Two.".to_owned(),
        with: With::Nothing,
    };
    house.wants("note/1", NotificationKind::TicketNote { record, note }, desk()).await;
    house.world.desk().set_trouble_for(Trouble::AcceptThenTimeOut, 1).await;
    house.deliver().await;
    house.hand.forward(10);
    house.deliver().await;
    let tickets = house.world.desk().tickets();
    let notes = tickets[0].work_notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("Acknowledged by Test Person Two."));
    assert_eq!(house.receipts().await.len(), 2);
    assert_eq!(tickets[0].state(), "New", "never resolved by us");
    house.close().await;
}

#[tokio::test]
async fn what_a_rule_of_the_desk_refuses_to_change_does_not_keep_the_note_out() {
    let priority = With::Priority(Priority::P2);
    for (with, column, status, refused) in [
        (priority, "urgency", 403, "change the impact to 1 and the urgency to 2 (P2)"),
        (With::Reopen, "state", 403, "change the state to In Progress"),
        (With::Resolve, "close_code", 400, "change the state to Resolved"),
    ] {
        let house = house().await;
        house.wants_ticket().await;
        house.deliver().await;
        let before = house.world.desk().tickets().remove(0);
        house.world.desk().refuse_changes_of(&[column], status);
        let note = Note { at: house.hand.now(), text: "What became of it.".to_owned(), with };
        let record = before.sys_id.clone();
        let key = house.wants("note/1", NotificationKind::TicketNote { record, note }, desk()).await;
        house.deliver().await;
        let ticket = house.world.desk().tickets().remove(0);
        let [said] = ticket.work_notes().try_into().unwrap_or_else(|notes| panic!("one note: {notes:?}"));
        let lines: Vec<&str> = said.lines().collect();
        let told = format!("The desk refused to let Curiad {refused}: please change it by hand.");
        assert!(lines[0].ends_with("What became of it."), "{said}");
        assert_eq!(lines[1..], [told.as_str(), &format!("[curiad {key}]")]);
        for column in ["impact", "urgency", "state", "close_code"] {
            assert_eq!(ticket.field(column), before.field(column), "{column}");
        }
        let outcome = house.receipts().await.pop().unwrap().outcome;
        let Sent::InPart { refused: why, .. } = outcome else { panic!("not in part: {outcome:?}") };
        assert_eq!(
            why,
            format!("to {refused}: the service desk answered {}: Operation Failed", named(status))
        );
        house.close().await;
    }
}

fn named(status: u16) -> &'static str {
    if status == 403 { "403 Forbidden" } else { "400 Bad Request" }
}

#[tokio::test]
async fn a_note_that_changes_nothing_and_is_refused_is_tried_again() {
    let house = house().await;
    house.wants_ticket().await;
    house.deliver().await;
    house.world.desk().refuse_changes_of(&["work_notes"], 403);
    let record = house.world.desk().tickets().remove(0).sys_id;
    let text = "Its priority is P2 now.".to_owned();
    let note = Note { at: house.hand.now(), text, with: With::Priority(Priority::P2) };
    let key = house.wants("note/1", NotificationKind::TicketNote { record, note }, desk()).await;
    house.deliver().await;
    let rows = house.store.notifications(house.incident.id).await.unwrap();
    let row = rows.iter().find(|row| row.notification.key == key).unwrap();
    assert!(matches!(row.state, OutboxState::Waiting { .. }), "{row:?}");
    house.world.desk().refuse_changes_of(&[], 0);
    house.hand.forward(60);
    house.deliver().await;
    assert_eq!(house.world.desk().tickets()[0].field("urgency"), "2");
    assert_eq!(house.world.desk().tickets()[0].work_notes().len(), 1);
    house.close().await;
}
