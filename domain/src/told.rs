//! What people and outside systems tell us, folded in.

use crate::{
    Acknowledgement, ApiId, Command, Environment, Incident, IncidentId, Maintenance, Message, PostSays,
    RotaOverride, Silence, Told, alert, answered, beat,
    cause::still_there,
    clock_set, desk, due, duty,
    fold::Fold,
    holding,
    link::link,
    muting::{calls_since_before, is_all_of, may_silence},
    receipts, reply, rota_override, ruling,
    telling::work_note,
    test_call,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Folds in one row of the inbox; the answer is for whoever told it.
pub(crate) fn told(fold: &mut Fold, said: &Told) -> Result<String, String> {
    match &said.what {
        Message::Receipt(receipt) => receipts::receive(fold, receipt),
        Message::Answer { reference, answer, by } => {
            answered::answered(fold, reference, (*answer, *by), said.at)
        }
        Message::Command(command) => act(fold, command, said.at),
        Message::Ticket { incident, record, seen } => desk::seen(fold, *incident, record, seen),
        Message::ClockSet { by_ms } => Ok(clock_set::told(fold, SignedDuration::from_millis(*by_ms))),
        Message::Beat { check, beat } => beat::told(fold, check, *beat, said.at),
        Message::Alerts(alerts) => Ok(alert::told(fold, alerts, said.at)),
        Message::Reply { people, id, reply } => reply::receive(fold, (people, id), reply, said.at),
    }
}

fn act(fold: &mut Fold, command: &Command, at: Timestamp) -> Result<String, String> {
    match command {
        Command::Acknowledge { incident, by } => acknowledged(fold, *incident, by),
        Command::Update { phrases, .. } if phrases.is_empty() => Err("it says nothing".to_owned()),
        Command::Update { incident, by, phrases } => {
            // What is said of one that is over is its review.
            let mut incident = real(fold, *incident)?;
            holding::sign_of_life(fold, &mut incident);
            let what = if incident.is_open() { "an update" } else { "a review" };
            duty::publish(&mut incident, PostSays::Phrases(phrases.clone()), fold.now);
            incident.note(fold.now, format!("{by} published {what}"));
            if incident.is_open() {
                let said = phrases.plain(|at| fold.time(at));
                work_note(fold, &mut incident, format!("Said on the status page by {by}: {said}"));
            }
            let said = format!("published {what} on {}", incident.id);
            fold.put_incident(incident);
            Ok(said)
        }
        Command::Resolve { incident, by, why } => {
            let incident = open(fold, *incident)?;
            if let Some(still) = still_there(&fold.after, &incident, fold.now) {
                return Err(format!(
                    "{still}: {} would open anew at once; take it, or mute it with a silence until it is mended",
                    incident.id
                ));
            }
            let said = format!("{} is resolved", incident.id);
            clock_set::seen_to(fold, &incident.cause);
            duty::resolve(fold, incident, &format!("{by}: {why}"));
            Ok(said)
        }
        Command::Link { incident, by, number, record } => {
            let mut incident = open(fold, *incident)?;
            holding::sign_of_life(fold, &mut incident);
            link(fold, &mut incident, by, (number, record))?;
            let said = format!("{number} is the ticket of {}", incident.id);
            fold.put_incident(incident);
            Ok(said)
        }
        Command::Declare { incident, by, why } => {
            let incident = open(fold, *incident)?;
            ruling::declare(fold, incident, by, why)
        }
        Command::NotMajor { incident, by, why } => {
            let incident = open(fold, *incident)?;
            ruling::take_back(fold, incident, by, why)
        }
        Command::Prioritise { incident, by, why, priority } => {
            let incident = open(fold, *incident)?;
            Ok(ruling::set_priority(fold, incident, (by, why), *priority))
        }
        Command::Silence { by, why, until, api, environment } => {
            silence(fold, by, why, *until, api.as_ref(), *environment)
        }
        Command::Maintain { by, why, from, until, environment, api } => {
            let planned = Maintenance {
                id: fold.after.next_maintenance,
                by: by.clone(),
                why: why.clone(),
                announced_at: fold.now,
                from: fold.now.max(*from),
                until: *until,
                ended_by: None,
                overran_at: None,
                environment: *environment,
                api: api.clone(),
            };
            maintain(fold, planned)
        }
        Command::EndMaintenance { maintenance, by } => end_maintenance(fold, *maintenance, by),
        Command::EndSilence { silence, by } => end_silence(fold, *silence, by),
        Command::Override { by, rota, person, instead_of, from, until, why } => {
            let added = RotaOverride {
                id: fold.after.next_override,
                rota: rota.clone(),
                person: person.clone(),
                instead_of: instead_of.clone(),
                from: *from,
                until: *until,
                why: why.clone(),
                by: by.clone(),
                added_at: fold.now,
                ended_by: None,
                planned: None,
            };
            rota_override::add(fold, added)
        }
        Command::TestCall { by, person } => test_call::ask(fold, by, person, at),
        Command::EndOverride { number, by } => rota_override::end(fold, *number, by),
    }
}

fn acknowledged(fold: &mut Fold, incident: IncidentId, by: &str) -> Result<String, String> {
    let mut incident = open(fold, incident)?;
    // Somebody who can be called is asked again when nothing is heard of them.
    let configuration = fold.configuration();
    let known = configuration.person_named(by);
    let (by, person) = known.map_or((by, None), |(id, person)| (person.name.as_str(), Some(id)));
    let before = incident.acknowledged.clone();
    let mut said = match before {
        Some(same) if same.is_of(person, by) => {
            holding::sign_of_life(fold, &mut incident);
            format!("{by} has {} already", incident.id)
        }
        Some(Acknowledgement { by: other, .. }) => {
            incident.note(fold.now, format!("{by} takes it over from {other}"));
            duty::acknowledge(fold, &mut incident, by, person);
            format!("{by} has {}, and no longer {other}", incident.id)
        }
        None => {
            duty::acknowledge(fold, &mut incident, by, person);
            format!("{by} has {}", incident.id)
        }
    };
    if let Some(until) = incident.acknowledged.as_ref().and_then(|taken| taken.until) {
        let until = fold.time(until);
        let then = if person.is_some() { "you are asked again" } else { "the next is called" };
        said = format!("{said}; if nothing more is heard by {until}, {then}");
    }
    fold.put_incident(incident);
    Ok(said)
}

fn silence(
    fold: &mut Fold,
    by: &str,
    why: &str,
    until: Timestamp,
    api: Option<&ApiId>,
    environment: Option<Environment>,
) -> Result<String, String> {
    let id = fold.after.next_silence;
    let silence = Silence {
        id,
        by: by.to_owned(),
        why: why.to_owned(),
        from: fold.now,
        until,
        api: api.cloned(),
        environment,
    };
    may_silence(&fold.configuration().site, &silence, fold.now)?;
    fold.after.next_silence += 1;
    fold.put_silence(silence);
    Ok(format!("silence {id} until {}", fold.time(until)))
}

/// Who plans for longer has no plan yet.
const LONGEST_MAINTENANCE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Announced further ahead it is a mistyped year.
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);

fn maintain(fold: &mut Fold, planned: Maintenance) -> Result<String, String> {
    if planned.until <= planned.from {
        return Err(format!("it ends at {}, before it begins", fold.time(planned.until)));
    }
    if planned.until.duration_since(planned.from) > LONGEST_MAINTENANCE {
        return Err("planned work lasts 7 days at most; announce the rest when it comes".to_owned());
    }
    if planned.from.duration_since(fold.now) > FURTHEST_AHEAD {
        return Err(format!("{} is more than 400 days ahead", fold.time(planned.from)));
    }
    let configuration = fold.configuration();
    if !configuration.instances().any(|instance| planned.concerns(&instance)) {
        return Err("there is no such instance".to_owned());
    }
    fold.after.next_maintenance += 1;
    let called = |incident: &&Arc<Incident>| {
        is_all_of(&planned, incident) && calls_since_before(incident, planned.from)
    };
    let called: Vec<String> =
        fold.after.open_incidents().filter(called).map(|incident| incident.id.to_string()).collect();
    let until_taken = if called.is_empty() {
        String::new()
    } else {
        let called = called.join(", ");
        format!("; people go on being called for {called}, until somebody takes it: `curiad incident ack`")
    };
    let said = format!(
        "planned work {} from {} until {}{until_taken}",
        planned.id,
        fold.time(planned.from),
        fold.time(planned.until)
    );
    fold.put_maintenance(planned);
    due::anew(fold);
    Ok(said)
}

fn end_maintenance(fold: &mut Fold, maintenance: u64, by: &str) -> Result<String, String> {
    let mut found =
        fold.after.maintenances.get(&maintenance).cloned().ok_or("there is no such planned work")?;
    if found.until <= fold.now {
        let end = fold.time(found.until);
        return Err(format!("planned work {maintenance} ended at {end}"));
    }
    let begun = found.from <= fold.now;
    found.until = fold.now;
    found.from = found.from.min(fold.now);
    found.ended_by = Some(by.to_owned());
    let what = if begun { "ended" } else { "called off" };
    fold.put_maintenance(found);
    due::anew(fold);
    Ok(format!("planned work {maintenance} is {what}"))
}

fn end_silence(fold: &mut Fold, silence: u64, by: &str) -> Result<String, String> {
    let mut found = fold.after.silences.get(&silence).cloned().ok_or("there is no such silence")?;
    if found.until <= fold.now {
        let end = fold.time(found.until);
        return Err(format!("silence {silence} ended at {end}"));
    }
    found.until = fold.now;
    found.why = format!("{} (ended by {by})", found.why);
    fold.put_silence(found);
    // Much may come free at once, and be one trouble.
    due::anew(fold);
    Ok(format!("silence {silence} ended"))
}

fn open(fold: &Fold, id: IncidentId) -> Result<Incident, String> {
    let incident = real(fold, id)?;
    match incident.resolved_at {
        Some(at) => Err(format!("{id} is over since {}", fold.time(at))),
        None => Ok(incident),
    }
}

/// One that is no test, and not long over.
fn real(fold: &Fold, id: IncidentId) -> Result<Incident, String> {
    let incident =
        fold.incident(id).ok_or_else(|| format!("there is no incident {id}, or it is over for two weeks"))?;
    if incident.is_test() {
        return Err(format!(
            "{id} is a test call: nothing is wrong, and it is over once it is answered, or after an hour"
        ));
    }
    Ok(incident)
}
