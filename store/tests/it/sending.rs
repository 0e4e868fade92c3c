//! Each notification goes to one claimer; only the last claimer settles it; nothing vanishes.

use crate::made::{Made, at, callout, changes, notification, opened};
use crate::place::{On, on_both};
use domain::{Change, IncidentId, Message, Note, Notification, NotificationKind, Receipt, Sent};
use std::{collections::BTreeSet, time::Duration};
use store::{Claimed, OutboxState, Settlement, Store};

on_both!(
    people_go_before_tickets_before_the_rest_then_the_longest_due,
    claimers_that_race_get_each_notification_once,
    what_is_sent_is_settled_with_its_receipts,
    a_lease_that_ran_out_is_claimed_again_as_uncertain_and_its_old_claim_is_void,
    a_settlement_after_the_lease_counts_while_nobody_else_has_claimed,
    a_retry_waits_for_its_time_and_keeps_what_went_wrong,
    what_expired_is_still_handed_out_so_that_it_is_given_up_for_all_to_see,
    what_is_withdrawn_is_not_sent_unless_it_is_wanted_again,
    what_somebody_sends_or_may_have_sent_cannot_be_withdrawn,
    a_ticket_that_was_asked_for_once_is_not_taken_back_for_it_may_be_there,
    deciding_twice_does_not_send_twice,
    a_clock_that_was_ahead_keeps_nothing_waiting,
    a_notification_is_about_an_incident_that_exists,
    a_notification_that_cannot_be_read_is_given_up_and_holds_up_no_other,
);

const LEASE: Duration = Duration::from_secs(30);

async fn with(on: On, notifications: impl IntoIterator<Item = Notification>) -> Made {
    let made = Made::new(on).await;
    let notify = notifications.into_iter().map(Change::Notify);
    made.store.record(&changes([opened(1, "results")].into_iter().chain(notify))).await.unwrap();
    made
}

fn keys(claimed: &[Claimed]) -> Vec<&str> {
    claimed.iter().map(|one| one.claim.key.as_str()).collect()
}

fn sent() -> Settlement {
    Settlement::Sent { provider_id: "740e5834".to_owned() }
}

async fn state(store: &Store) -> OutboxState {
    store.notifications(IncidentId(1)).await.unwrap()[0].state.clone()
}

async fn a_clock_that_was_ahead_keeps_nothing_waiting(on: On) {
    const HOUR: i64 = 3_600_000;
    let made = with(
        on,
        [
            notification("claimed", NotificationKind::Callout { callout: 1 }, HOUR),
            notification("callout", NotificationKind::Callout { callout: 2 }, HOUR + 5),
            notification("soon", NotificationKind::TicketOpen, 3),
            notification("hours", NotificationKind::Told, 9 * HOUR),
        ],
    )
    .await;
    assert_eq!(keys(&made.store.claim(at(HOUR), LEASE, 1).await.unwrap()), ["claimed"]);
    // Set back by an hour: unnoticed, both callouts would wait as long.
    assert_eq!(keys(&made.store.claim(at(10), LEASE, 9).await.unwrap()), ["soon"]);
    made.store.clock_set_back(at(10), Duration::ZERO, LEASE).await.unwrap();
    assert_eq!(keys(&made.store.claim(at(10), LEASE, 9).await.unwrap()), ["callout"]);
    // A claim goes on for one lease at the longest; then nobody knows what became of it.
    assert!(made.store.claim(at(30_009), LEASE, 9).await.unwrap().is_empty());
    let again = made.store.claim(at(30_010), LEASE, 9).await.unwrap();
    assert!(again.iter().all(|one| one.uncertain), "{again:?}");
    assert_eq!(again.len(), 3, "{again:?}");
    // What waits for a team to be there waits for the hour on the wall.
    assert_eq!(made.store.next_delivery(at(30_011)).await.unwrap(), Some(at(60_010)));
    assert_eq!(keys(&made.store.claim(at(9 * HOUR), LEASE, 9).await.unwrap()).len(), 4);
}

async fn people_go_before_tickets_before_the_rest_then_the_longest_due(on: On) {
    let note = NotificationKind::TicketNote {
        record: "r".to_owned(),
        note: Note { at: at(0), text: "works".to_owned(), with: domain::With::Nothing },
    };
    let made = with(
        on,
        [
            notification("told", NotificationKind::Told, 0),
            notification("note", note, 0),
            notification("ticket", NotificationKind::TicketOpen, 5),
            notification("late callout", NotificationKind::Callout { callout: 2 }, 9),
            notification("callout", NotificationKind::Callout { callout: 1 }, 7),
            notification("not yet", NotificationKind::Callout { callout: 3 }, 11),
        ],
    )
    .await;
    let claimed = made.store.claim(at(10), LEASE, 3).await.unwrap();
    assert_eq!(keys(&claimed), ["callout", "late callout", "ticket"]);
    assert_eq!(claimed[0].incident.id, IncidentId(1));
    assert_eq!((claimed[0].attempts, claimed[0].uncertain), (0, false));
    let claimed = made.store.claim(at(10), LEASE, 9).await.unwrap();
    assert_eq!(keys(&claimed), ["note", "told"], "what is leased is not given twice");
    assert!(made.store.claim(at(10), LEASE, 9).await.unwrap().is_empty());
    assert_eq!(made.store.next_delivery(at(10)).await.unwrap(), Some(at(11)));
}

async fn claimers_that_race_get_each_notification_once(on: On) {
    let made = with(on, (0..40).map(|number| callout(&format!("C-1/callout/{number:02}/text")))).await;
    let other = made.another().await;
    let take = async |store: &Store| {
        let mut taken = Vec::new();
        loop {
            let claimed = store.claim(at(1), LEASE, 3).await.unwrap();
            if claimed.is_empty() {
                return taken;
            }
            taken.extend(claimed.into_iter().map(|one| one.claim.key));
        }
    };
    let (one, two, three) = tokio::join!(take(&made.store), take(&other), take(&made.store));
    let all: Vec<_> = one.into_iter().chain(two).chain(three).collect();
    assert_eq!(all.len(), 40);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 40);
}

async fn what_is_sent_is_settled_with_its_receipts(on: On) {
    let made = with(on, [callout("C-1/callout/1/text")]).await;
    let claimed = made.store.claim(at(1), LEASE, 9).await.unwrap();
    let receipt = Receipt {
        notification: "C-1/callout/1/text".to_owned(),
        incident: IncidentId(1),
        at: at(2),
        outcome: Sent::Accepted { provider_id: "740e5834".to_owned() },
    };
    let receipts = [receipt.clone()];
    assert!(made.store.settle(&claimed[0].claim, &sent(), &receipts, at(2)).await.unwrap());
    let expected = OutboxState::Sent { at: at(2), provider_id: "740e5834".to_owned() };
    assert_eq!(state(&made.store).await, expected);
    let told = made.store.inbox(9).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].1.at, &told[0].1.what), (at(2), &Message::Receipt(receipt)));
    assert!(made.store.claim(at(999_999_999), LEASE, 9).await.unwrap().is_empty());
    assert_eq!(made.store.next_delivery(at(2)).await.unwrap(), None);
    let twice = made.store.settle(&claimed[0].claim, &sent(), &[], at(3)).await.unwrap();
    assert!(!twice, "a settlement is said once");
}

async fn a_lease_that_ran_out_is_claimed_again_as_uncertain_and_its_old_claim_is_void(on: On) {
    let made = with(on, [callout("C-1/callout/1/text")]).await;
    let first = made.store.claim(at(0), LEASE, 9).await.unwrap();
    assert_eq!(made.store.next_delivery(at(1)).await.unwrap(), Some(at(30_000)));
    assert!(made.store.claim(at(29_999), LEASE, 9).await.unwrap().is_empty());
    let second = made.store.claim(at(30_000), LEASE, 9).await.unwrap();
    assert_eq!((second[0].attempts, second[0].uncertain), (1, true));
    let receipt = Receipt {
        notification: "C-1/callout/1/text".to_owned(),
        incident: IncidentId(1),
        at: at(30_001),
        outcome: Sent::Delivered,
    };
    let late = made.store.settle(&first[0].claim, &sent(), &[receipt], at(30_001)).await.unwrap();
    assert!(!late);
    assert!(made.store.inbox(9).await.unwrap().is_empty(), "nothing of it was written");
    assert!(matches!(state(&made.store).await, OutboxState::Waiting { .. }));
    assert!(made.store.settle(&second[0].claim, &sent(), &[], at(30_002)).await.unwrap());
}

async fn a_settlement_after_the_lease_counts_while_nobody_else_has_claimed(on: On) {
    let made = with(on, [callout("C-1/callout/1/text")]).await;
    let claimed = made.store.claim(at(0), LEASE, 9).await.unwrap();
    assert!(made.store.settle(&claimed[0].claim, &sent(), &[], at(99_000)).await.unwrap());
}

async fn a_retry_waits_for_its_time_and_keeps_what_went_wrong(on: On) {
    let made = with(on, [callout("C-1/callout/1/text")]).await;
    let claimed = made.store.claim(at(0), LEASE, 9).await.unwrap();
    let retry = Settlement::RetryAt { at: at(5_000), why: "429 from the carrier".to_owned() };
    assert!(made.store.settle(&claimed[0].claim, &retry, &[], at(100)).await.unwrap());
    assert_eq!(made.store.next_delivery(at(100)).await.unwrap(), Some(at(5_000)));
    assert_eq!(made.store.next_delivery(at(6_000)).await.unwrap(), Some(at(6_000)), "never in the past");
    assert!(made.store.claim(at(4_999), LEASE, 9).await.unwrap().is_empty());
    let again = made.store.claim(at(5_000), LEASE, 9).await.unwrap();
    assert_eq!((again[0].attempts, again[0].uncertain), (1, false));
    assert!(made.store.settle(&again[0].claim, &sent(), &[], at(5_100)).await.unwrap());
    let row = &made.store.notifications(IncidentId(1)).await.unwrap()[0];
    assert_eq!(row.attempts, 2);
    assert_eq!(row.last_error.as_deref(), Some("429 from the carrier"));
    let attempts: Vec<(i64, String, String)> =
        made.place.ask("SELECT fence, result, detail FROM attempt ORDER BY fence").await;
    let expected = [(1, "retry", "429 from the carrier"), (2, "sent", "740e5834")];
    assert_eq!(
        attempts,
        expected.map(|(fence, result, detail)| (fence, result.to_owned(), detail.to_owned()))
    );
}

async fn what_expired_is_still_handed_out_so_that_it_is_given_up_for_all_to_see(on: On) {
    let made = with(on, [callout("C-1/callout/1/text")]).await;
    let long_after = at(700_000);
    let claimed = made.store.claim(long_after, LEASE, 9).await.unwrap();
    assert!(claimed[0].notification.expires_at < long_after);
    let given_up = Settlement::GivenUp { why: "nobody took it in ten minutes".to_owned() };
    assert!(made.store.settle(&claimed[0].claim, &given_up, &[], long_after).await.unwrap());
    let row = &made.store.notifications(IncidentId(1)).await.unwrap()[0];
    assert_eq!(row.state, OutboxState::GivenUp { at: long_after });
    assert_eq!(row.last_error.as_deref(), Some("nobody took it in ten minutes"));
    let counts = made.store.counts().await.unwrap();
    assert_eq!((counts.outbox_waiting, counts.outbox_given_up), (0, 1));
}

async fn what_is_withdrawn_is_not_sent_unless_it_is_wanted_again(on: On) {
    let made = with(on, [callout("C-1/callout/1/text")]).await;
    let withdraw = changes([Change::Withdraw("C-1/callout/1/text".to_owned())]);
    made.store.record(&withdraw).await.unwrap();
    assert_eq!(state(&made.store).await, OutboxState::Withdrawn);
    assert!(made.store.claim(at(1), LEASE, 9).await.unwrap().is_empty());
    assert_eq!(made.store.next_delivery(at(1)).await.unwrap(), None);
    made.store.record(&changes([Change::Notify(callout("C-1/callout/1/text"))])).await.unwrap();
    assert_eq!(keys(&made.store.claim(at(1), LEASE, 9).await.unwrap()), ["C-1/callout/1/text"]);
}

async fn what_somebody_sends_or_may_have_sent_cannot_be_withdrawn(on: On) {
    let made = with(on, [callout("C-1/callout/1/text")]).await;
    let withdraw = changes([Change::Withdraw("C-1/callout/1/text".to_owned())]);
    made.store.claim(at(0), LEASE, 9).await.unwrap();
    made.store.record(&withdraw).await.unwrap();
    let again = made.store.claim(at(30_000), LEASE, 9).await.unwrap();
    assert!(again[0].uncertain);
    assert!(made.store.settle(&again[0].claim, &sent(), &[], at(30_100)).await.unwrap());
    made.store.record(&withdraw).await.unwrap();
    assert!(matches!(state(&made.store).await, OutboxState::Sent { .. }));
}

async fn a_ticket_that_was_asked_for_once_is_not_taken_back_for_it_may_be_there(on: On) {
    let key = "C-1/ticket";
    let ticket = Notification { kind: NotificationKind::TicketOpen, ..callout(key) };
    let made = with(on, [ticket]).await;
    let claimed = made.store.claim(at(0), LEASE, 9).await.unwrap();
    let later = Settlement::RetryAt { at: at(5_000), why: "no answer".to_owned() };
    assert!(made.store.settle(&claimed[0].claim, &later, &[], at(1)).await.unwrap());
    made.store.record(&changes([Change::Withdraw(key.to_owned())])).await.unwrap();
    let again = made.store.claim(at(5_000), LEASE, 9).await.unwrap();
    assert_eq!(again[0].attempts, 1, "whoever has it now looks for it first");

    let made = with(on, [Notification { kind: NotificationKind::TicketOpen, ..callout(key) }]).await;
    made.store.record(&changes([Change::Withdraw(key.to_owned())])).await.unwrap();
    assert_eq!(state(&made.store).await, OutboxState::Withdrawn, "nobody was asked");
}

async fn deciding_twice_does_not_send_twice(on: On) {
    let made = with(on, [callout("C-1/callout/1/text")]).await;
    let claimed = made.store.claim(at(0), LEASE, 9).await.unwrap();
    made.store.settle(&claimed[0].claim, &sent(), &[], at(1)).await.unwrap();
    made.store.record(&changes([Change::Notify(callout("C-1/callout/1/text"))])).await.unwrap();
    assert!(made.store.claim(at(99_000), LEASE, 9).await.unwrap().is_empty());
}

async fn a_notification_is_about_an_incident_that_exists(on: On) {
    let made = Made::new(on).await;
    let refused = made.store.record(&changes([Change::Notify(callout("C-1/callout/1/text"))])).await;
    assert!(matches!(refused, Err(store::Error::Refused { .. })), "{refused:?}");
    let in_any_order = changes([Change::Notify(callout("C-1/callout/1/text")), opened(1, "results")]);
    made.store.record(&in_any_order).await.unwrap();
}

async fn a_notification_that_cannot_be_read_is_given_up_and_holds_up_no_other(on: On) {
    let made = with(on, [callout("C-1/callout/1/text"), callout("C-1/callout/2/text")]).await;
    let newer =
        r#"UPDATE notification SET body = '{"of a newer program":1}' WHERE key = 'C-1/callout/1/text'"#;
    made.place.tell(newer).await;
    let claimed = made.store.claim(at(1), LEASE, 9).await.unwrap();
    assert_eq!(claimed.iter().map(|one| one.claim.key.as_str()).collect::<Vec<_>>(), ["C-1/callout/2/text"]);
    assert!(made.store.claim(at(999_999_999), LEASE, 1).await.unwrap().len() <= 1, "it is not claimed again");
    let told = made.store.inbox(9).await.unwrap();
    let Message::Receipt(receipt) = &told[0].1.what else { panic!("no receipt") };
    assert_eq!((receipt.notification.as_str(), receipt.incident), ("C-1/callout/1/text", IncidentId(1)));
    assert!(matches!(&receipt.outcome, Sent::GivenUp { why } if why.contains("cannot be read")));
}
