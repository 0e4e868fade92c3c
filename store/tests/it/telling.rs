//! The inbox keeps its order, and whoever tells gets an answer.

use crate::made::{Made, at};
use crate::place::{On, on_both};
use domain::{Command, IncidentId, Message, Told};
use store::{Batch, InboxId};

on_both!(
    what_is_told_waits_in_order_until_it_is_folded_in,
    a_heartbeat_that_was_folded_in_leaves_the_inbox_and_its_number_is_not_used_again,
    a_row_that_cannot_be_read_is_refused_and_holds_up_no_other,
);

fn acknowledge(ms: i64, by: &str) -> Told {
    Told {
        at: at(ms),
        what: Message::Command(Command::Acknowledge { incident: IncidentId(1), by: by.to_owned() }),
    }
}

async fn what_is_told_waits_in_order_until_it_is_folded_in(on: On) {
    let made = Made::new(on).await;
    let other = made.another().await;
    // The order is that of telling, whatever their clocks said.
    let first = made.store.tell(&acknowledge(900, "one")).await.unwrap();
    let second = other.tell(&acknowledge(100, "two")).await.unwrap();
    let third = made.store.tell(&acknowledge(500, "three")).await.unwrap();
    let waiting = [
        (first, acknowledge(900, "one")),
        (second, acknowledge(100, "two")),
        (third, acknowledge(500, "three")),
    ];
    assert_eq!(made.store.inbox(9).await.unwrap(), waiting);
    assert_eq!(made.store.inbox(2).await.unwrap(), waiting[..2]);
    assert_eq!(made.store.counts().await.unwrap().inbox_waiting, 3);
    assert_eq!(other.answer(second).await.unwrap(), None);
    let folded = Batch {
        folded: vec![
            (first, Ok("C-1 is yours".to_owned())),
            (second, Err("one has it since 19:42".to_owned())),
        ],
        ..Batch::default()
    };
    made.store.record(&folded).await.unwrap();
    assert_eq!(made.store.answer(first).await.unwrap(), Some(Ok("C-1 is yours".to_owned())));
    assert_eq!(other.answer(second).await.unwrap(), Some(Err("one has it since 19:42".to_owned())));
    assert_eq!(made.store.answer(third).await.unwrap(), None);
    assert_eq!(made.store.answer(InboxId(99)).await.unwrap(), None);
    assert_eq!(made.store.inbox(9).await.unwrap(), waiting[2..]);
    let again = made.again().await;
    assert_eq!(again.store.inbox(9).await.unwrap(), waiting[2..]);
}

async fn a_heartbeat_that_was_folded_in_leaves_the_inbox_and_its_number_is_not_used_again(on: On) {
    let made = Made::new(on).await;
    let first = made.store.tell(&acknowledge(1, "one")).await.unwrap();
    let heard = Batch { heard: vec![first], ..Batch::default() };
    assert!(!heard.is_empty());
    for _ in 0..2 {
        made.store.record(&heard).await.unwrap();
        assert_eq!(made.store.inbox(9).await.unwrap(), []);
        assert_eq!(made.store.answer(first).await.unwrap(), None);
    }
    assert!(made.again().await.store.tell(&acknowledge(2, "two")).await.unwrap() > first);
}

async fn a_row_that_cannot_be_read_is_refused_and_holds_up_no_other(on: On) {
    let made = Made::new(on).await;
    let bad = made.store.tell(&acknowledge(1, "one")).await.unwrap();
    let good = made.store.tell(&acknowledge(2, "two")).await.unwrap();
    let newer = r#"UPDATE inbox SET what = '{"of a newer program":1}' WHERE id = "#;
    made.place.tell(&format!("{newer}{}", bad.0)).await;
    assert_eq!(made.store.inbox(1).await.unwrap(), [(good, acknowledge(2, "two"))]);
    let refused = made.store.answer(bad).await.unwrap().unwrap().unwrap_err();
    assert!(refused.contains("cannot be read"), "{refused}");
    assert_eq!(made.store.counts().await.unwrap().inbox_waiting, 1);
}
