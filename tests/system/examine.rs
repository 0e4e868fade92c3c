//! What is looked at after a crash: nothing lost that was decided, nothing told twice.

use domain::{Incident, Notification, NotificationKind, Ticket};
use simulator::World;
use std::collections::BTreeSet;
use store::{IncidentFilter, Store};

/// Every incident has told what it says it has told.
fn whole(incident: &Incident, rows: &[Notification]) {
    let has = |found: &dyn Fn(&NotificationKind) -> bool| rows.iter().any(|row| found(&row.kind));
    if incident.ticket != Ticket::None {
        assert!(has(&|kind| *kind == NotificationKind::TicketOpen), "{} asked for no ticket", incident.id);
    }
    for callout in incident.escalation.iter().flat_map(|running| &running.callouts) {
        let called = |kind: &NotificationKind| *kind == NotificationKind::Callout { callout: callout.number };
        assert!(has(&called), "{} called nobody in callout {}", incident.id, callout.number);
    }
    let keys: BTreeSet<&String> = rows.iter().map(|row| &row.key).collect();
    assert_eq!(keys.len(), rows.len(), "{} tells something twice", incident.id);
}

pub(crate) async fn look(store: &Store) {
    let filter = IncidentFilter { open_only: false, since: None, limit: 1_000 };
    for incident in store.incidents(filter).await.expect("incidents") {
        let rows = store.notifications(incident.id).await.expect("notifications");
        let rows: Vec<Notification> = rows.into_iter().map(|row| row.notification).collect();
        whole(&incident, &rows);
    }
}

pub(crate) fn one_ticket_an_incident(world: &World) {
    let tickets = world.desk().tickets();
    let keys: BTreeSet<&str> = tickets.iter().map(|ticket| ticket.field("correlation_id")).collect();
    assert_eq!(keys.len(), tickets.len(), "a ticket was raised twice");
}
