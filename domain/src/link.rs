//! A ticket that a caller had opened before us: whoever links it makes it the incident's.

use crate::{
    Incident, Ticket,
    desk::{follow, moved_to},
    fold::Fold,
    telling,
};
use std::sync::Arc;

/// A ticket that a caller had opened is the incident's from now on.
pub(crate) fn link(
    fold: &mut Fold,
    incident: &mut Incident,
    by: &str,
    (number, record): (&str, &str),
) -> Result<(), String> {
    let policy = fold.after.configuration.policy(incident.environment);
    // It was looked up there.
    let Some(desk) = policy.and_then(|policy| policy.service_desk.clone()) else {
        return Err(format!("incidents of {} have no service desk", incident.environment));
    };
    let has_it = |other: &&Arc<Incident>| {
        other.id != incident.id
            && matches!(&other.ticket, Ticket::Raised { desk: at, record: theirs, .. } if *at == desk && theirs == record)
    };
    if let Some(other) = fold.after.open_incidents().find(has_it) {
        let id = other.id;
        return Err(format!(
            "{number} is the ticket of {id}, which is open: look at the number again; if both are one trouble, \
             merge the tickets at the desk"
        ));
    }
    let before = match &incident.ticket {
        Ticket::Raised { record: ours, .. } if ours == record => {
            return Err(format!("{number} is the ticket of {} already", incident.id));
        }
        Ticket::Raised { desk, record, .. } => Some((desk.clone(), record.clone())),
        Ticket::Asked { .. } => {
            let asked = telling::key(fold, incident.id, &telling::in_ticket(incident, "ticket"));
            fold.withdraw(asked);
            None
        }
        Ticket::None => None,
    };
    let moved = telling::in_ticket(incident, "moved");
    if !follow(fold, incident, (Some(desk), number, record), &format!("linked by {by}")) {
        return Err(format!("{} could take no other ticket: its timeline says why", incident.id));
    }
    if let Some(before) = before {
        moved_to(fold, incident, &moved, before, number);
    }
    incident.note(fold.now, format!("{by} links {number}: it is the ticket from now on"));
    Ok(())
}
