//! What people and outside systems tell us, folded in.

use crate::{
    Answer, ApiId, Command, Environment, Incident, IncidentId, IncidentStatus, Major, Message, Post,
    PostSays, Receipt, Sent, Silence, Ticket, Told, Way, calling, cause::still_there, duty, fold::Fold,
    telling,
};
use jiff::Timestamp;

/// Folds in one row of the inbox; the answer is for whoever told it.
pub(crate) fn told(fold: &mut Fold, said: &Told) -> Result<String, String> {
    match &said.what {
        Message::Receipt(receipt) => receive(fold, receipt),
        Message::Answer { reference, answer } => answered(fold, reference, *answer, said.at),
        Message::Command(command) => act(fold, command),
    }
}

fn receive(fold: &mut Fold, receipt: &Receipt) -> Result<String, String> {
    let mut incident = fold
        .incident(receipt.incident)
        .ok_or_else(|| format!("{} is no longer remembered", receipt.incident))?;
    let called = callout_of(&receipt.notification);
    match &receipt.outcome {
        Sent::Ticket { number, record, mismatch } => {
            ticket_raised(fold, &mut incident, number, record, receipt.at);
            if let Some(mismatch) = mismatch {
                incident.note(receipt.at, format!("the desk's priority differs: {mismatch}"));
            }
        }
        Sent::Accepted { .. } => {
            if let Some((number, way)) = called {
                accepted(fold, &mut incident, number, way, receipt.at);
            }
        }
        Sent::Delivered => {}
        Sent::GivenUp { why } => given_up(fold, &mut incident, receipt, why),
    }
    fold.put_incident(incident);
    Ok("folded in".into())
}

fn accepted(fold: &mut Fold, incident: &mut Incident, number: u32, way: Way, at: Timestamp) {
    let Some(callout) = callout(incident, number).filter(|callout| !callout.has_accepted(way)) else {
        return;
    };
    callout.accepted.push((way, at));
    let person = callout.person.clone();
    let running = incident.escalation.as_ref();
    let reached_before = running.is_some_and(|running| {
        let mut others = running.callouts.iter().filter(|other| other.number != number);
        others.any(|other| other.person == person && other.reached_by(way))
    });
    if running.is_some_and(|running| running.stopped.is_some()) && !reached_before {
        telling::stand_down_late(fold, incident, person, way);
    }
}

fn ticket_raised(fold: &mut Fold, incident: &mut Incident, number: &str, record: &str, at: Timestamp) {
    let Ticket::Asked { desk, waiting, .. } = &incident.ticket else {
        return;
    };
    let (desk, waiting) = (desk.clone(), waiting.clone());
    incident.note(at, format!("ticket {number} at {}", fold.desk(&desk)));
    incident.ticket =
        Ticket::Raised { desk, number: number.to_owned(), record: record.to_owned(), at, notes: 0 };
    for note in waiting {
        telling::work_note(fold, incident, note.text);
    }
}

fn given_up(fold: &mut Fold, incident: &mut Incident, receipt: &Receipt, why: &str) {
    let name = receipt.notification.split_once('/').map_or("", |(_, name)| name);
    let what = callout_of(&receipt.notification)
        .and_then(|(number, way)| Some((callout(incident, number)?.person.clone(), way)))
        .map_or_else(
            || name.to_owned(),
            |(person, way)| format!("{} to {}", way.word(), fold.person(&person)),
        );
    incident.note(receipt.at, format!("{what} given up: {why}"));
    if name == "ticket" && matches!(incident.ticket, Ticket::Asked { fallback_at: None, .. }) {
        telling::fall_back(fold, incident);
    }
    let Some((number, way)) = callout_of(&receipt.notification) else {
        return;
    };
    let Some(callout) = callout(incident, number) else {
        return;
    };
    if !callout.given_up.contains(&way) {
        callout.given_up.push(way);
    }
    // A text that was taken but will not arrive has not reached anybody.
    callout.accepted.retain(|(accepted, _)| *accepted != way);
    let nobody = callout.accepted.is_empty() && callout.ways.iter().all(|way| callout.given_up.contains(way));
    if nobody && calling::pass_on(incident, number, fold.now) {
        incident.note(receipt.at, "that call reached nobody: on to the next step");
    }
}

/// The callout's number and way in a notification's key: `C-42-k3f9xq/callout/3/text`.
fn callout_of(key: &str) -> Option<(u32, Way)> {
    let mut parts = key.split('/').skip(1);
    if parts.next() != Some("callout") {
        return None;
    }
    let number = parts.next()?.parse().ok()?;
    match parts.next()? {
        "text" => Some((number, Way::Text)),
        "email" => Some((number, Way::Email)),
        _ => None,
    }
}

fn callout(incident: &mut Incident, number: u32) -> Option<&mut crate::Callout> {
    incident.escalation.as_mut()?.callouts.iter_mut().find(|callout| callout.number == number)
}

fn answered(fold: &mut Fold, reference: &str, answer: Answer, at: Timestamp) -> Result<String, String> {
    let found = fold.after.callout(reference).map(|(incident, callout)| (incident.id, callout.clone()));
    let (id, called) = found.ok_or("nobody was called by that reference")?;
    let mut incident = fold.incident(id).ok_or("nobody was called by that reference")?;
    let name = fold.person(&called.person);
    if let Some(callout) = callout(&mut incident, called.number) {
        callout.answer = Some((at, answer));
    }
    let late = match (&incident.acknowledged, incident.status) {
        (_, IncidentStatus::Resolved) => Some(format!("{id} is over")),
        (Some(taken), _) if taken.by != name => {
            Some(format!("{} has it since {}", taken.by, fold.time(taken.at)))
        }
        (_, IncidentStatus::Open | IncidentStatus::Acknowledged | IncidentStatus::Recovering) => None,
    };
    if let Some(late) = late {
        incident.note(at, format!("{name} answered late"));
        fold.put_incident(incident);
        return Err(late);
    }
    let said = match answer {
        Answer::Mine => {
            if incident.acknowledged.is_none() {
                duty::acknowledge(fold, &mut incident, &name, Some(&called.person));
            }
            format!("{name} has {id}")
        }
        Answer::NotReal => {
            incident.note(at, format!("{name} says it is not real"));
            telling::work_note(fold, &mut incident, format!("{name} says that this is not real."));
            if incident.acknowledged.is_none() {
                duty::acknowledge(fold, &mut incident, &name, Some(&called.person));
            }
            format!("{name} says {id} is not real; nobody else is called")
        }
        Answer::CallNext if incident.acknowledged.is_some() => {
            return Err(format!("{name} has {id} already; use the command line to hand it over"));
        }
        Answer::CallNext => {
            incident.note(at, format!("{name} cannot take it"));
            if calling::pass_on(&mut incident, called.number, fold.now) {
                "the next person is called now".to_owned()
            } else {
                "others have been called already".to_owned()
            }
        }
    };
    fold.put_incident(incident);
    Ok(said)
}

fn act(fold: &mut Fold, command: &Command) -> Result<String, String> {
    match command {
        Command::Acknowledge { incident, by } => {
            let mut incident = open(fold, *incident)?;
            if let Some(taken) = &incident.acknowledged {
                let since = fold.time(taken.at);
                return Err(format!("{} has {} since {since}", taken.by, incident.id));
            }
            duty::acknowledge(fold, &mut incident, by, None);
            let said = format!("{by} has {}", incident.id);
            fold.put_incident(incident);
            Ok(said)
        }
        Command::Update { incident, by, words } => {
            let mut incident = open(fold, *incident)?;
            incident.posts.push(Post { at: fold.now, says: PostSays::Words(words.clone()), by: None });
            incident.note(fold.now, format!("{by} published an update"));
            let said = format!("published on {}", incident.id);
            fold.put_incident(incident);
            Ok(said)
        }
        Command::Resolve { incident, by, why } => {
            let incident = open(fold, *incident)?;
            if let Some(still) = still_there(&fold.after, &incident) {
                return Err(format!(
                    "{still}: {} would open anew at once; take it, or mute it with a silence until it is mended",
                    incident.id
                ));
            }
            let said = format!("{} is resolved", incident.id);
            duty::resolve(fold, incident, &format!("{by}: {why}"));
            Ok(said)
        }
        Command::Declare { incident, by, why } => {
            let mut incident = open(fold, *incident)?;
            if let Some(major) = &incident.major {
                let since = fold.time(major.at);
                return Err(format!("{} is a major incident since {since}", incident.id));
            }
            incident.note(fold.now, format!("{by} declares a major incident: {why}"));
            let major = Major { at: fold.now, why: why.clone(), by: Some(by.clone()) };
            duty::becomes_major(fold, &mut incident, major);
            telling::work_note(fold, &mut incident, format!("Declared a major incident by {by}: {why}"));
            let said = format!("{} is a major incident", incident.id);
            fold.put_incident(incident);
            Ok(said)
        }
        Command::Silence { by, why, until, api, environment } => {
            silence(fold, by, why, *until, api.as_ref(), *environment)
        }
        Command::EndSilence { silence, by } => {
            let mut found = fold.after.silences.get(silence).cloned().ok_or("there is no such silence")?;
            if found.until <= fold.now {
                let end = fold.time(found.until);
                return Err(format!("silence {silence} ended at {end}"));
            }
            found.until = fold.now;
            found.why = format!("{} (ended by {by})", found.why);
            fold.put_silence(found);
            touch_all(fold);
            Ok(format!("silence {silence} ended"))
        }
    }
}

fn silence(
    fold: &mut Fold,
    by: &str,
    why: &str,
    until: Timestamp,
    api: Option<&ApiId>,
    environment: Option<Environment>,
) -> Result<String, String> {
    if until <= fold.now {
        return Err(format!("{} is in the past", fold.time(until)));
    }
    if api.is_none() && environment.is_none_or(|environment| environment == Environment::Production) {
        return Err("a silence cannot cover all of production: name an API, or another environment".into());
    }
    let id = fold.after.next_silence;
    fold.after.next_silence += 1;
    fold.put_silence(Silence {
        id,
        by: by.to_owned(),
        why: why.to_owned(),
        from: fold.now,
        until,
        api: api.cloned(),
        environment,
    });
    Ok(format!("silence {id} until {}", fold.time(until)))
}

fn touch_all(fold: &mut Fold) {
    let open: Vec<IncidentId> = fold.after.open_incidents().map(|incident| incident.id).collect();
    fold.touched.extend(open);
}

fn open(fold: &Fold, id: IncidentId) -> Result<Incident, String> {
    let incident = fold.incident(id).ok_or_else(|| format!("there is no incident {id}"))?;
    match incident.resolved_at {
        Some(at) => Err(format!("{id} is over since {}", fold.time(at))),
        None => Ok(incident),
    }
}
