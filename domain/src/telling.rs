//! What duty has to say, as notifications: to the desk and to provider teams; to those who were called: `stand_down.rs`.

use crate::{
    Channel, DeskId, Incident, IncidentId, Note, Notification, NotificationKind, Often, PersonId, Remarked,
    Ticket, Way, With, background::background, desk_asked, fold::Fold, service_clock, ticket_over,
};
use jiff::{SignedDuration, Timestamp};

/// Work notes that wait for a ticket, or for those before them.
const MOST_WAITING: usize = 50;

/// So long the desk is asked for a ticket, and then for another.
pub(crate) const TICKET_EXPIRES: SignedDuration = SignedDuration::from_hours(24);

/// Asks the desk of now for a ticket, and puts what `waiting` says of it before, and what it is asked, into that.
pub(crate) fn raise_ticket(fold: &mut Fold, incident: &mut Incident, waiting: Vec<Note>) {
    let configuration = fold.configuration();
    let desk = configuration.policy(incident.environment).and_then(|policy| policy.service_desk.clone());
    let Some(desk) = desk else { return };
    // A new ticket has the priority of now.
    incident.flaps.weighed = None;
    incident.background = background(fold, incident);
    let (kind, name) = (NotificationKind::TicketOpen, in_ticket(incident, "ticket"));
    send(fold, incident.id, &name, kind, Channel::Desk(desk.clone()), TICKET_EXPIRES);
    incident.note(fold.now, format!("ticket asked for at {}: still so after the hold", fold.desk(&desk)));
    // Whoever has been told by e-mail of the present trouble is not told of it again.
    let before = incident.earlier_tickets.last().filter(|earlier| earlier.given_up);
    let fallback_at = before.and_then(|earlier| earlier.mailed_at).filter(|at| *at >= incident.opened_at);
    incident.ticket = Ticket::Asked { desk, at: fold.now, fallback_at, waiting, mailed: 0, given_up: false };
    desk_asked::repeat(fold, incident);
}

/// The desk's own system has not confirmed a ticket: tell the people there.
pub(crate) fn fall_back(fold: &mut Fold, incident: &mut Incident) {
    let name = in_ticket(incident, "fallback");
    let Ticket::Asked { desk, fallback_at, .. } = &mut incident.ticket else {
        return;
    };
    *fallback_at = Some(fold.now);
    let channel = Channel::DeskEmail(desk.clone());
    let kind = NotificationKind::TicketFallback;
    send(fold, incident.id, &name, kind, channel, TICKET_EXPIRES);
    incident.note(fold.now, "the desk has not confirmed a ticket: told by e-mail; unconfirmed");
}

/// A line for the ticket: now, or as soon as there is one and those before it have arrived. Once the desk had to be told
/// by e-mail it goes by e-mail too, in the same thread.
pub(crate) fn work_note(fold: &mut Fold, incident: &mut Incident, text: String) {
    work_note_with(fold, incident, text, With::Nothing);
}

/// The same, and what changes in the ticket with it.
pub(crate) fn work_note_with(fold: &mut Fold, incident: &mut Incident, text: String, with: With) {
    let opens = matches!(&incident.ticket, Ticket::Raised { seen, .. } if !seen.as_ref().is_some_and(|seen| seen.state.is_shut()));
    let along = if opens { service_clock::taken_along(fold, incident) } else { Vec::new() };
    let lines: Vec<String> = [text].into_iter().chain(along).filter(|line| !line.is_empty()).collect();
    let note = Note { at: fold.now, text: lines.join("\n"), with };
    match &mut incident.ticket {
        Ticket::None => return,
        Ticket::Asked { waiting, given_up, .. } if !*given_up => waiting.push(note.clone()),
        Ticket::Asked { .. } => {}
        // The desk lets nobody write into it any more; the timeline has it.
        Ticket::Raised { seen: Some(seen), .. } if seen.state.is_shut() => return,
        Ticket::Raised { waiting, remarked, .. } => {
            waiting.push(note.clone());
            if let Some(remarked) = remarked {
                remarked.at = fold.now;
            }
        }
    }
    mail_note(fold, incident, note);
    leave_out_oldest(fold, incident);
    next_note(fold, incident);
}

/// By e-mail, where the desk was told by e-mail of the incident and has not confirmed a ticket since.
fn mail_note(fold: &mut Fold, incident: &mut Incident, note: Note) {
    let number = incident.earlier_tickets.len();
    if let Ticket::Asked { desk, fallback_at: Some(_), mailed, .. } = &mut incident.ticket
        && has_mailbox(fold, desk)
    {
        *mailed += 1;
        let name = of_ticket(number, &format!("fallback/note/{mailed}"));
        let channel = Channel::DeskEmail(desk.clone());
        send(fold, incident.id, &name, NotificationKind::FallbackNote { note }, channel, TICKET_EXPIRES);
    }
}

fn has_mailbox(fold: &Fold, desk: &DeskId) -> bool {
    fold.after.configuration.desks.get(desk).is_some_and(|desk| desk.fallback_after.is_some())
}

/// A desk that is away for days: the newest notes tell it what it needs.
fn leave_out_oldest(fold: &Fold, incident: &mut Incident) {
    let (Ticket::Asked { waiting, .. } | Ticket::Raised { waiting, .. }) = &mut incident.ticket else {
        return;
    };
    if waiting.len() > MOST_WAITING {
        let oldest = waiting.remove(0);
        let text = format!("too many work notes wait for the desk: left out: {}", oldest.text);
        incident.note_often(fold.now, Often::LeftOut, &oldest.text, text);
    }
}

/// The next work note that waits, unless one is under way.
fn next_note(fold: &mut Fold, incident: &mut Incident) {
    let number = incident.earlier_tickets.len();
    let Ticket::Raised { desk, record, notes, under_way, waiting, .. } = &mut incident.ticket else {
        return;
    };
    if under_way.is_some() || waiting.is_empty() {
        return;
    }
    let note = waiting.remove(0);
    *under_way = Some(note.clone());
    *notes += 1;
    let name = of_ticket(number, &format!("note/{notes}"));
    note_to(fold, incident.id, &name, desk.clone(), record.clone(), note);
}

/// A line for any record of a desk.
pub(crate) fn note_to(
    fold: &mut Fold,
    incident: IncidentId,
    name: &str,
    desk: DeskId,
    record: String,
    note: Note,
) {
    let kind = NotificationKind::TicketNote { record, note };
    send(fold, incident, name, kind, Channel::Desk(desk), TICKET_EXPIRES);
}

/// The desk has a ticket: what waited for it follows.
pub(crate) fn ticket_raised(
    fold: &mut Fold,
    incident: &mut Incident,
    number: &str,
    record: &str,
    at: Timestamp,
) {
    let Ticket::Asked { desk, waiting, .. } = &incident.ticket else {
        return;
    };
    let (desk, waiting) = (desk.clone(), waiting.clone());
    incident.note(at, format!("ticket {number} at {}", fold.desk(&desk)));
    let mut ticket = Ticket::raised(desk, number.to_owned(), record.to_owned(), at);
    if let Ticket::Raised { waiting: follows, remarked, .. } = &mut ticket {
        *follows = waiting;
        *remarked = Some(Remarked::of(incident, fold.now));
    }
    incident.ticket = ticket;
    incident.alerts_are_told(false);
    ticket_over::over_by_now(fold, incident);
    next_note(fold, incident);
}

/// There will be no ticket: the people at the desk are told, if they have not been.
pub(crate) fn ticket_given_up(fold: &mut Fold, incident: &mut Incident) {
    let Ticket::Asked { fallback_at, waiting, given_up, .. } = &mut incident.ticket else {
        return;
    };
    *given_up = true;
    // The fallback says how things stand when it is sent; after it, each note was mailed.
    waiting.clear();
    if fallback_at.is_none() {
        fall_back(fold, incident);
    }
}

/// Work note `number` has reached the desk, or never will (`lost`: then it goes by e-mail). The next one follows.
pub(crate) fn note_settled(fold: &mut Fold, incident: &mut Incident, number: u32, lost: bool) {
    let ticket = incident.earlier_tickets.len();
    let Ticket::Raised { desk, notes, under_way, seen, .. } = &mut incident.ticket else {
        return;
    };
    let Some(note) = under_way.take_if(|_| *notes == number) else {
        return;
    };
    if let (With::Priority(_), Some(seen), false) = (&note.with, seen, lost) {
        // Whether the desk took that priority shows when the ticket is read the next time, also if it is as before.
        seen.priority = None;
    }
    if lost && has_mailbox(fold, desk) {
        let name = of_ticket(ticket, &format!("note/{number}/mail"));
        let channel = Channel::DeskEmail(desk.clone());
        send(fold, incident.id, &name, NotificationKind::FallbackNote { note }, channel, TICKET_EXPIRES);
    }
    next_note(fold, incident);
}

/// What is told of the present ticket has a name of its own, for there may have been others before it.
pub(crate) fn in_ticket(incident: &Incident, name: &str) -> String {
    of_ticket(incident.earlier_tickets.len(), name)
}

/// What asking for a ticket is called, where there were so many before.
pub fn ticket_named(earlier: usize) -> String {
    of_ticket(earlier, "ticket")
}

fn of_ticket(earlier: usize, name: &str) -> String {
    match (earlier, name) {
        (0, name) => name.to_owned(),
        (earlier, "ticket") => format!("ticket/{}", earlier + 1),
        (earlier, name) => format!("ticket/{}/{name}", earlier + 1),
    }
}

/// A notification's key: the incident, a word of this database's own (another database counts from C-1 too), and
/// what it is for.
pub(crate) fn key(fold: &Fold, incident: IncidentId, name: &str) -> String {
    format!("{incident}-{}/{name}", fold.after.key.word(&incident.to_string(), 6))
}

pub(crate) fn send(
    fold: &mut Fold,
    incident: IncidentId,
    name: &str,
    kind: NotificationKind,
    channel: Channel,
    lasts: SignedDuration,
) {
    let notification = notification(fold, incident, name, kind, channel, lasts);
    fold.notify(notification);
}

pub(crate) fn notification(
    fold: &Fold,
    incident: IncidentId,
    name: &str,
    kind: NotificationKind,
    channel: Channel,
    lasts: SignedDuration,
) -> Notification {
    Notification {
        key: key(fold, incident, name),
        incident,
        kind,
        channel,
        at: fold.telling_at,
        not_before: fold.telling_at,
        expires_at: fold.telling_at + lasts,
    }
}

/// The channel by which a way reaches a person.
pub(crate) const fn person_channel(way: Way, person: PersonId) -> Channel {
    match way {
        Way::Text => Channel::Text(person),
        Way::Email => Channel::Email(person),
        Way::Voice => Channel::Voice(person),
        Way::Webhook => Channel::Webhook(person),
    }
}
