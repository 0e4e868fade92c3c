//! What a service desk does with a ticket, and what is told it of what goes on.
//!
//! An agent who is assigned has not answered for a major incident: calling goes on until somebody says "I've got it".

use crate::{
    DeskId, EarlierTicket, EnvironmentPolicy, Incident, IncidentId, MOST_REOPENED, MOST_TICKETS, Note,
    Priority, Remarked, SeenTicket, Ticket, TicketState, With,
    background::background,
    desk_asked,
    duty::signed,
    fold::Fold,
    holds::told_hold,
    provider::tell_owner,
    remark,
    telling::{self, TICKET_EXPIRES, raise_ticket, work_note, work_note_with},
};
use jiff::Timestamp;
use std::sync::Arc;

/// The desk was asked how the ticket of that record stands.
pub(crate) fn seen(
    fold: &mut Fold,
    id: IncidentId,
    record: &str,
    seen: &SeenTicket,
) -> Result<String, String> {
    let mut incident = fold.incident(id).ok_or_else(|| format!("{id} is no longer remembered"))?;
    let Ticket::Raised { record: ours, number, seen: before, over_since, pressed, .. } = &mut incident.ticket
    else {
        return Err(format!("{id} has no ticket"));
    };
    if ours != record {
        return Err(format!("{id} has another ticket by now"));
    }
    let (before, number) = (before.replace(Box::new(seen.clone())), number.clone());
    if before.as_deref() == Some(seen) {
        return Ok("nothing new".to_owned());
    }
    let was_shut = before.as_ref().is_some_and(|before| before.state.is_shut());
    if seen.state.is_shut() && !was_shut {
        // Whatever was asked of it while it was only resolved, it does no more.
        (*over_since, *pressed) = (Some(fold.now), false);
    } else if seen.state.is_over() {
        over_since.get_or_insert(fold.now);
    } else {
        (*over_since, *pressed) = (None, false);
    }
    for line in news(fold, before.as_deref(), seen, &incident) {
        incident.note(fold.now, format!("{number} {line}"));
    }
    // What is over is the desk's to tidy up, as it was asked to.
    if incident.is_open() {
        differs(fold, &mut incident, before.as_deref(), seen);
        merged(fold, &mut incident, &number, seen);
    }
    if seen.state.is_shut() && !was_shut && !desk_asked::can_be_asked(&incident) {
        desk_asked::not_waited_for(&mut incident, fold.now);
    }
    fold.put_incident(incident);
    Ok("folded in".into())
}

/// What the timeline says of it.
fn news(fold: &Fold, before: Option<&SeenTicket>, seen: &SeenTicket, incident: &Incident) -> Vec<String> {
    let mut lines = Vec::new();
    // A new ticket is new: that needs no line.
    if before.map_or(seen.state != TicketState::New, |before| before.state != seen.state) {
        lines.push(format!("is {} at the desk", seen.state));
    }
    let had = before.and_then(|before| before.assigned_to.as_ref());
    if had != seen.assigned_to.as_ref() {
        let calls = fold.after.is_waiting_for_a_human(incident);
        let no_answer = if calls { "; that is no answer: on-call staff are called all the same" } else { "" };
        lines.push(match &seen.assigned_to {
            Some(agent) => format!("is assigned to {agent}{no_answer}"),
            None => "is assigned to nobody any more".to_owned(),
        });
    }
    lines
}

/// The desk's priority is another than ours: said once, and in the ticket too where it is lower.
fn differs(fold: &mut Fold, incident: &mut Incident, before: Option<&SeenTicket>, seen: &SeenTicket) {
    let Some(theirs) = seen.priority.filter(|theirs| *theirs != incident.priority) else { return };
    if before.is_some_and(|before| before.priority == Some(theirs)) {
        return;
    }
    let ours = incident.priority;
    incident.note(fold.now, format!("the desk's priority differs: {theirs}, ours is {ours}"));
    if ours < theirs {
        work_note(fold, incident, format!("The priority here is {theirs}; Curiad proposes {ours}."));
    }
}

/// Closed as a part or a duplicate of a ticket that goes on: that one is ours from now on.
fn merged(fold: &mut Fold, incident: &mut Incident, number: &str, seen: &SeenTicket) {
    let Some(parent) = seen.parent.as_ref().filter(|parent| seen.state.is_over() && !parent.state.is_over())
    else {
        return;
    };
    let had = |earlier: &EarlierTicket| earlier.known.as_ref().is_some_and(|(_, had)| *had == parent.record);
    if incident.earlier_tickets.iter().any(had) {
        return;
    }
    let why = format!("{number} was closed as part of {}", parent.number);
    if follow(fold, incident, (None, &parent.number, &parent.record), &why) {
        if let Ticket::Raised { shared, .. } = &mut incident.ticket {
            *shared = true;
        }
        incident.note(fold.now, format!("{why}: followed there"));
    }
}

/// Another ticket, which the desk has already, is the incident's from now on. `false`: it has had too many.
pub(crate) fn follow(
    fold: &mut Fold,
    incident: &mut Incident,
    (desk, number, record): (Option<DeskId>, &str, &str),
    why: &str,
) -> bool {
    let Some((left, waiting)) = leave(fold, incident, why) else { return false };
    let desk = desk.unwrap_or(left);
    let mut ticket = Ticket::raised(desk, number.to_owned(), record.to_owned(), fold.now);
    if let Ticket::Raised { waiting: follows, remarked, .. } = &mut ticket {
        *follows = waiting;
        *remarked = Some(Remarked::of(incident, fold.now));
    }
    incident.ticket = ticket;
    incident.alerts_are_told(false);
    incident.background = background(fold, incident);
    let text = format!("Curiad follows its incident {} here: {why}.", incident.id);
    work_note_with(fold, incident, text, With::Description);
    desk_asked::repeat(fold, incident);
    true
}

/// The present ticket becomes an earlier one: its desk, and the work notes that waited for it.
fn leave(fold: &mut Fold, incident: &mut Incident, why: &str) -> Option<(DeskId, Vec<Note>)> {
    if !may_have_another(incident) {
        incident.note(fold.now, format!("{why}; but it has had {MOST_TICKETS} tickets: no other is taken"));
        if let Ticket::Raised { pressed, .. } = &mut incident.ticket {
            *pressed = true;
        }
        return None;
    }
    let given_up = matches!(incident.ticket, Ticket::Asked { given_up: true, .. });
    let mailed_at = match &incident.ticket {
        Ticket::Asked { fallback_at, .. } => *fallback_at,
        Ticket::None | Ticket::Raised { .. } => None,
    };
    let (desk, waiting, known) = match std::mem::replace(&mut incident.ticket, Ticket::None) {
        Ticket::None => {
            let policy = fold.after.configuration.policy(incident.environment);
            return Some((policy.and_then(|policy| policy.service_desk.clone())?, Vec::new()));
        }
        Ticket::Asked { desk, waiting, .. } => (desk, waiting, None),
        Ticket::Raised { desk, waiting, number, record, .. } => (desk, waiting, Some((number, record))),
    };
    let at = Some(desk.clone());
    let earlier = EarlierTicket { known, why: why.to_owned(), given_up, mailed_at, desk: at, left: false };
    incident.earlier_tickets.push(earlier);
    Some((desk, waiting))
}

/// When the desk, which did not take the ticket that it was asked for, is asked for another: once the trouble is back, or a day
/// later. What it refused, or could not take, was of another time. `None`: it is not, or has been often enough.
pub(crate) fn ask_anew_at(incident: &Incident, told_at: Timestamp) -> Option<Timestamp> {
    let Ticket::Asked { at, given_up: true, .. } = &incident.ticket else { return None };
    let (in_vain, had): (Vec<_>, Vec<_>) =
        incident.earlier_tickets.iter().partition(|earlier| earlier.given_up);
    if in_vain.len().max(had.len()) + 1 >= MOST_TICKETS {
        return None;
    }
    let is_back = incident.flaps.went_on < incident.flaps.epoch;
    Some(if is_back { told_at } else { *at + TICKET_EXPIRES })
}

/// Another is asked for when that is due: at once.
pub(crate) fn ask_anew(fold: &mut Fold, incident: &mut Incident) {
    if leave(fold, incident, "a ticket was asked for, and the desk did not make one").is_some() {
        raise_ticket(fold, incident, Vec::new());
    }
}

/// A ticket of a desk that has left the configuration is read by nobody any more: another is raised at the desk of now, if there
/// is one, as that of any incident is. Who was asked through it is not waited for.
pub(crate) fn left(fold: &mut Fold) {
    let configuration = fold.configuration();
    let has_a_desk = |incident: &Incident| {
        let desk = configuration.policy(incident.environment).and_then(|policy| policy.service_desk.as_ref());
        desk.is_some_and(|desk| configuration.desks.contains_key(desk))
    };
    let of_another = |incident: &&Arc<Incident>| match &incident.ticket {
        Ticket::Raised { desk, .. } | Ticket::Asked { desk, .. } => {
            !configuration.desks.contains_key(desk) && has_a_desk(incident) && may_have_another(incident)
        }
        Ticket::None => false,
    };
    let open: Vec<Incident> =
        fold.after.open_incidents().filter(of_another).map(|incident| (**incident).clone()).collect();
    for mut incident in open {
        let asked = telling::key(fold, incident.id, &telling::in_ticket(&incident, "ticket"));
        fold.withdraw(asked);
        let (had, desk) = match &incident.ticket {
            Ticket::Raised { number, desk, .. } => (number.as_str(), desk),
            Ticket::Asked { desk, .. } => ("a ticket was asked for", desk),
            Ticket::None => continue,
        };
        let why = format!("{had}, at {desk}, which is not in the configuration any more");
        if leave(fold, &mut incident, &why).is_some() {
            if let Some(earlier) = incident.earlier_tickets.last_mut() {
                earlier.left = true;
            }
            incident.note(fold.now, why);
            desk_asked::not_waited_for(&mut incident, fold.now);
        }
        fold.touched.insert(incident.id);
        fold.put_incident(incident);
    }
}

fn may_have_another(incident: &Incident) -> bool {
    incident.earlier_tickets.iter().filter(|earlier| !earlier.given_up).count() + 1 < MOST_TICKETS
}

/// The desk has made a ticket that was asked for before another was linked. That one may be closed by now, and a third
/// asked for, which has no number yet.
pub(crate) fn too_late(fold: &mut Fold, incident: &mut Incident, number: &str, record: &str, asked: usize) {
    let (ours, followed) = match &incident.ticket {
        Ticket::Raised { record, number, .. } => (record.as_str(), number.clone()),
        Ticket::Asked { .. } => ("", "another ticket".to_owned()),
        Ticket::None => return,
    };
    let Some(earlier) = asked.checked_sub(1).and_then(|at| incident.earlier_tickets.get_mut(at)) else {
        return;
    };
    if ours == record || earlier.known.is_some() {
        return;
    }
    let made_at = earlier.desk.clone();
    earlier.known = Some((number.to_owned(), record.to_owned()));
    let name = if asked == 1 { "moved".to_owned() } else { format!("ticket/{asked}/moved") };
    incident.note(fold.now, format!("{number} had been made too: it is told that {followed} is followed"));
    let (Ticket::Raised { desk, .. } | Ticket::Asked { desk, .. }) = &incident.ticket else { return };
    let desk = made_at.unwrap_or_else(|| desk.clone());
    moved_to(fold, incident, &name, (desk, record.to_owned()), &followed);
}

pub(crate) fn moved_to(
    fold: &mut Fold,
    incident: &Incident,
    name: &str,
    (desk, record): (DeskId, String),
    number: &str,
) {
    let text = format!("Followed in {number}. This one can be closed.");
    let note = Note { at: fold.now, text, with: With::Nothing };
    telling::note_to(fold, incident.id, name, desk, record, note);
}

/// When the desk is told that a ticket is over which it has done with too early. `None`: it is not to be told.
///
/// Who mended something closes the ticket a moment before that can be seen: so not at once. What was cancelled is not
/// wanted: it is told again only when it came back, or has become a major incident since. One that is resolved each time
/// is left to the desk.
pub(crate) fn press_at(policy: &EnvironmentPolicy, incident: &Incident) -> Option<Timestamp> {
    let Ticket::Raised { over_since: Some(since), pressed: false, seen, resolved_early, .. } =
        &incident.ticket
    else {
        return None;
    };
    if *resolved_early > MOST_REOPENED {
        return None;
    }
    let hold = signed(policy.hold.resolve.max(policy.hold.ticket));
    match seen.as_ref()?.state {
        TicketState::Resolved | TicketState::Closed => Some((*since).max(incident.opened_at) + hold),
        TicketState::Cancelled | TicketState::Duplicate => {
            let worse = incident.major.as_ref().map(|major| major.at).filter(|at| at > since);
            let again = Some(incident.opened_at).filter(|at| at > since);
            worse.max(again).map(|at| at + signed(told_hold(policy, incident)))
        }
        TicketState::New | TicketState::InProgress | TicketState::OnHold | TicketState::Open => None,
    }
}

/// The desk has done with the ticket, and the trouble goes on: one that was resolved is opened again, for one that is over
/// for good there is another.
pub(crate) fn press(fold: &mut Fold, incident: &mut Incident) {
    let Ticket::Raised { number, seen: Some(seen), pressed, resolved_early, .. } = &mut incident.ticket
    else {
        return;
    };
    *pressed = true;
    let (number, state) = (number.clone(), seen.state);
    *resolved_early += u32::from(!state.is_shut());
    if *resolved_early > MOST_REOPENED {
        return given_up(fold, incident, &number);
    }
    if state.is_shut() {
        let why = format!("{number} was {state} while the trouble went on");
        if let Some((_, waiting)) = leave(fold, incident, &why) {
            incident.note(fold.now, why);
            raise_ticket(fold, incident, waiting);
        }
        return;
    }
    let since = fold.time(incident.failing_since());
    incident.note(fold.now, format!("{number} was resolved while the trouble went on: opened again"));
    let text = format!("Opened again: the trouble is still there, since {since}.");
    let text = remark::back(incident, &text);
    work_note_with(fold, incident, text, With::Reopen);
}

/// The desk resolves the ticket each time it is opened again: said once, and the incident goes on without it.
fn given_up(fold: &mut Fold, incident: &mut Incident, number: &str) {
    incident.note(
        fold.now,
        format!(
            "{number} was resolved each time it was opened again, {MOST_REOPENED} times: a rule of the desk's? Telephone \
             them. Curiad opens it no more, and goes on without it"
        ),
    );
    let text = format!(
        "The trouble is still there. Curiad opened this again {MOST_REOPENED} times, and each time it was resolved: look for \
         a rule that resolves it, and open it by hand. Curiad does not open it again."
    );
    work_note(fold, incident, text);
    tell_owner(fold, incident, number);
}

/// It was over and is back, which its ticket hears; where the desk has done with that, as [`press`] has it.
pub(crate) fn go_on(fold: &mut Fold, incident: &mut Incident, text: &str) {
    if matches!(incident.ticket, Ticket::Raised { over_since: Some(_), .. }) {
        press(fold, incident);
    } else {
        let text = remark::back(incident, text);
        work_note(fold, incident, text);
    }
}

/// Another priority goes into the ticket with what is said of it, unless an agent has chosen another than ours was.
pub(crate) fn priority_changed(fold: &mut Fold, incident: &mut Incident, before: Priority, text: String) {
    let theirs = incident.ticket.seen().and_then(|seen| seen.priority);
    let shared = matches!(incident.ticket, Ticket::Raised { shared: true, .. });
    let chosen = shared || theirs.is_some_and(|theirs| theirs != before);
    let ours = incident.priority;
    let with = if chosen { With::Nothing } else { With::Priority(ours) };
    let text = remark::with_found(fold, incident, text);
    work_note_with(fold, incident, text, with);
}
