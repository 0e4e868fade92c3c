//! What became of notifications, in the words of the deliverer and of carriers, folded in.

use crate::{
    Incident, Often, PersonId, Receipt, Sent, Way, calling, desk, fold::Fold, other_way, stand_down, telling,
};
use jiff::Timestamp;

/// Folds in what became of a notification; the answer is for whoever told it.
pub(crate) fn receive(fold: &mut Fold, receipt: &Receipt) -> Result<String, String> {
    let mut incident = fold
        .incident(receipt.incident)
        .ok_or_else(|| format!("{} is no longer remembered", receipt.incident))?;
    // A carrier may still speak of what another database told through the same account.
    let ours = telling::key(fold, receipt.incident, "");
    let name = receipt.notification.strip_prefix(&ours).ok_or("that was not told by this database")?;
    let about = About::parse(name);
    let present = incident.earlier_tickets.len() + 1;
    match (&receipt.outcome, &about) {
        (Sent::Ticket { number, record, .. }, About::Ticket(asked)) if *asked != present => {
            desk::too_late(fold, &mut incident, number, record, *asked);
        }
        (Sent::Ticket { number, record, mismatch }, _) => {
            telling::ticket_raised(fold, &mut incident, number, record, receipt.at);
            if let Some(mismatch) = mismatch {
                incident.note(receipt.at, format!("the desk's priority differs: {mismatch}"));
            }
        }
        (Sent::Accepted { .. }, About::Note(ticket, number)) if *ticket == present => {
            telling::note_settled(fold, &mut incident, *number, false);
        }
        (Sent::InPart { refused, .. }, About::Note(ticket, number)) if *ticket == present => {
            incident.note(receipt.at, format!("the desk refused {refused}"));
            telling::note_settled(fold, &mut incident, *number, false);
        }
        (_, About::Callout(number, way)) => {
            // Of the daily test it says whether a call would leave.
            fold.after.foreseen_until = fold.after.foreseen_until.filter(|_| !incident.is_test());
            heard_of(fold, &mut incident, *number, *way, receipt);
        }
        (Sent::GivenUp { why }, _) => given_up(fold, &mut incident, name, about, (receipt.at, why)),
        (Sent::Accepted { .. } | Sent::InPart { .. } | Sent::Delivered | Sent::Unclear { .. }, _) => {}
    }
    fold.put_incident(incident);
    Ok("folded in".into())
}

/// Of so many calls each word of a carrier is written by itself; of those of a last resort that is called for days, together.
const EACH_SAID: u32 = 30;

/// A carrier's word on a callout, or the deliverer's. They come late, twice and in any order: each is kept as it is, and
/// [`crate::Callout::reached_by`] weighs them.
fn heard_of(fold: &mut Fold, incident: &mut Incident, number: u32, way: Way, receipt: &Receipt) {
    let Some(callout) = incident.callout_mut(number) else {
        return;
    };
    let reached = callout.reached_by(way);
    let known = match &receipt.outcome {
        Sent::Accepted { .. } => callout.accepted.iter().any(|(accepted, _)| *accepted == way),
        Sent::Delivered => callout.delivered.contains(&way),
        Sent::Unclear { .. } => callout.unclear.contains(&way),
        Sent::GivenUp { .. } => callout.given_up.contains(&way),
        Sent::Ticket { .. } | Sent::InPart { .. } => true,
    };
    if known {
        return;
    }
    let person = callout.person.clone();
    let what = match &receipt.outcome {
        Sent::Accepted { .. } => {
            callout.accepted.push((way, receipt.at));
            None
        }
        Sent::Delivered => {
            callout.delivered.push(way);
            let first = callout.delivered_at.map_or(receipt.at, |at| at.min(receipt.at));
            callout.delivered_at = Some(first);
            None
        }
        Sent::Unclear { why } => {
            callout.unclear.push(way);
            Some(format!("may have arrived: {why}"))
        }
        Sent::GivenUp { why } => {
            callout.given_up.push(way);
            Some(format!("given up: {why}"))
        }
        Sent::Ticket { .. } | Sent::InPart { .. } => None,
    };
    let (reached, nobody) = (!reached && callout.reached_by(way), callout.reached_nobody());
    if let Some(what) = what {
        let text = format!("{} to {} {what}", way.word(), fold.person(&person));
        if number <= EACH_SAID {
            incident.note(receipt.at, text);
        } else {
            incident.note_often(receipt.at, Often::Carrier, &text, text.clone());
        }
    }
    if reached {
        stand_down_late(fold, incident, number, person, way);
    }
    if nobody
        && !other_way::may_wake(&fold.after.configuration, incident, number)
        && calling::pass_on(incident, number, fold.now)
    {
        incident.note(receipt.at, "that call reached nobody: on to the next step");
    }
}

/// Who is reached after the calls had stopped hears that too, once.
fn stand_down_late(fold: &mut Fold, incident: &mut Incident, number: u32, person: PersonId, way: Way) {
    // Nothing was wrong: nobody is told that it is over.
    if incident.is_test() {
        return;
    }
    let Some(running) = incident.escalation.as_ref().filter(|running| running.stopped.is_some()) else {
        return;
    };
    let began = incident.opened_at;
    let mut others = running.callouts.iter().filter(|other| other.number != number && other.at >= began);
    let heard = others.any(|other| other.person == person && other.reached_by(way));
    if !heard {
        stand_down::stand_down_late(fold, incident, person, way);
    }
    let over = !incident.is_open();
    if let Some(callout) = incident.callout_mut(number).filter(|_| over) {
        callout.stood_down.push(way);
    }
}

/// What is no callout will not arrive.
fn given_up(
    fold: &mut Fold,
    incident: &mut Incident,
    name: &str,
    about: About,
    (at, why): (Timestamp, &str),
) {
    incident.note(at, format!("{name} given up: {why}"));
    let present = incident.earlier_tickets.len() + 1;
    match about {
        About::Ticket(asked) if asked == present => telling::ticket_given_up(fold, incident),
        About::Note(ticket, number) if ticket == present => {
            telling::note_settled(fold, incident, number, true);
        }
        About::StandDown(person, way) => stand_down::otherwise(fold, incident, person, way),
        About::Ticket(_) | About::Note(..) | About::Callout(..) | About::Else => {}
    }
}

/// What a notification is about, from its name: `callout/3/text`.
#[derive(Debug, Clone)]
enum About {
    /// Which of the incident's tickets, from 1.
    Ticket(usize),
    /// Of which ticket, and its number there.
    Note(usize, u32),
    Callout(u32, Way),
    /// Whom it tells that nothing is left for them to do, and by which way.
    StandDown(PersonId, Way),
    Else,
}

impl About {
    fn parse(name: &str) -> Self {
        let parts: Vec<&str> = name.split('/').collect();
        let found = match parts.as_slice() {
            ["ticket"] => Some(Self::Ticket(1)),
            ["ticket", ticket] => ticket.parse().ok().map(Self::Ticket),
            ["note", number] => number.parse().ok().map(|number| Self::Note(1, number)),
            ["ticket", ticket, "note", number] => ticket
                .parse()
                .ok()
                .zip(number.parse().ok())
                .map(|(ticket, number)| Self::Note(ticket, number)),
            ["callout", number, way] => {
                number.parse().ok().zip(Way::parse(way)).map(|(number, way)| Self::Callout(number, way))
            }
            ["stand-down" | "taken" | "part-of", person, way, ..] => PersonId::parse(person)
                .ok()
                .zip(Way::parse(way))
                .map(|(person, way)| Self::StandDown(person, way)),
            ["called-off", _, person, way, ..] => PersonId::parse(person)
                .ok()
                .zip(Way::parse(way))
                .map(|(person, way)| Self::StandDown(person, way)),
            _ => None,
        };
        found.unwrap_or(Self::Else)
    }
}
