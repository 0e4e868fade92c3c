//! What becomes of the ticket when the trouble is over.

use crate::{Incident, Note, SeenTicket, Ticket, TicketState, With, fold::Fold, telling::work_note_with};

/// The trouble is over. The ticket is the desk's to resolve, unless it wants that of us.
pub(crate) fn over(fold: &mut Fold, incident: &mut Incident, text: String) {
    let with = if resolves(fold, incident) { With::Resolve } else { With::Nothing };
    work_note_with(fold, incident, text, with);
}

/// The ticket was confirmed after the trouble was over: what says so resolves it, too, where the desk wants that.
pub(crate) fn over_by_now(fold: &Fold, incident: &mut Incident) {
    if incident.is_open() || incident.part_of.is_some() || !resolves(fold, incident) {
        return;
    }
    if let Ticket::Raised { waiting, .. } = &mut incident.ticket {
        match waiting.last_mut() {
            Some(last) => last.with = With::Resolve,
            None => waiting.push(Note { at: fold.now, text: "It is over.".to_owned(), with: With::Resolve }),
        }
    }
}

/// Whether Curiad is to resolve the ticket with what it says next, which is then taken to be so.
fn resolves(fold: &Fold, incident: &mut Incident) -> bool {
    let configuration = fold.configuration();
    match &mut incident.ticket {
        Ticket::Raised { desk, over_since: over_since @ None, seen, shared: false, .. }
            if configuration.desks.get(desk).is_some_and(|desk| desk.resolves) =>
        {
            *over_since = Some(fold.now);
            let unseen = SeenTicket {
                state: TicketState::Resolved,
                assigned_to: None,
                group: None,
                priority: None,
                parent: None,
            };
            seen.get_or_insert(Box::new(unseen)).state = TicketState::Resolved;
            true
        }
        Ticket::Raised { .. } | Ticket::Asked { .. } | Ticket::None => false,
    }
}
