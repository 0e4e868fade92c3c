//! What people and outside systems tell us, folded in.

use crate::{
    Answer, ApiId, Command, ContactProof, Environment, Incident, IncidentId, IncidentStatus, Maintenance,
    Message, Often, PassedOn, PersonId, PostSays, RotaOverride, Silence, Told, Way, alert, beat, calling,
    cause::still_there, desk, desk_asked, due, duty, fold::Fold, holding, last_resort, receipts, reply,
    rota_override, ruling, telling, telling::work_note, test_call,
};
use jiff::{SignedDuration, Timestamp};

/// Who mutes for longer has forgotten it by then.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Folds in one row of the inbox; the answer is for whoever told it.
pub(crate) fn told(fold: &mut Fold, said: &Told) -> Result<String, String> {
    match &said.what {
        Message::Receipt(receipt) => receipts::receive(fold, receipt),
        Message::Answer { reference, answer, by } => answered(fold, reference, (*answer, *by), said.at),
        Message::Command(command) => act(fold, command, said.at),
        Message::Ticket { incident, record, seen } => desk::seen(fold, *incident, record, seen),
        Message::Beat { check, beat } => beat::told(fold, check, *beat, said.at),
        Message::Alerts(alerts) => Ok(alert::told(fold, alerts, said.at)),
        Message::Reply { people, id, reply } => reply::receive(fold, (people, id), reply, said.at),
    }
}

pub(crate) fn answered(
    fold: &mut Fold,
    reference: &str,
    (answer, by): (Answer, Option<Way>),
    at: Timestamp,
) -> Result<String, String> {
    let found = fold.after.callout(reference).map(|(incident, newest)| {
        // Said twice at once, the second is not said of the call that follows from the first. When a text was sent is said by
        // another clock, and one that is told twice is known by its id.
        let callouts = incident.escalation.iter().flat_map(|running| running.callouts.iter().rev());
        let mut theirs = callouts.filter(|callout| callout.reference == reference);
        (
            incident.id,
            theirs.find(|callout| callout.at < at || by == Some(Way::Text)).unwrap_or(newest).clone(),
        )
    });
    let Some((id, called)) = found else { return desk_asked::answered(fold, reference, answer, at) };
    let mut incident = fold.incident(id).ok_or("nobody was called by that reference")?;
    // The link of a text says nothing of itself: every character counts there.
    let way = by.filter(|way| called.ways.contains(way)).or_else(|| {
        let mut could = called.ways.iter().copied().filter(|way| !called.given_up.contains(way));
        could.clone().find(|way| *way == Way::Text).or_else(|| could.next())
    });
    if let Some(way) = way {
        fold.put_proof(ContactProof { person: called.person.clone(), way, at });
    }
    if incident.is_test() {
        return Ok(test_call::answered(fold, incident, called.number, at, answer));
    }
    let said_before = called.answer.map(|(_, said)| said);
    if let Some(callout) = incident.callout_mut(called.number) {
        callout.answer = Some((at, answer));
    }
    let (configuration, now) = (fold.configuration(), fold.now);
    let who =
        Who { name: fold.person(&called.person), person: Some(&called.person), callout: Some(called.number) };
    take_answer(fold, incident, &who, (said_before, answer), at, |incident| {
        calling::pass_on(incident, called.number, now)
            || last_resort::cannot(incident, called.number, (&configuration, now))
    })
}

/// Who answers.
pub(crate) struct Who<'w> {
    pub(crate) name: String,
    /// The same, where it is somebody who can be called.
    pub(crate) person: Option<&'w PersonId>,
    /// By which callout; `None`: a desk is asked in its ticket.
    pub(crate) callout: Option<u32>,
}

/// What follows from an answer; `pass_on` has the next person called now, or says that others have been.
pub(crate) fn take_answer(
    fold: &mut Fold,
    mut incident: Incident,
    who: &Who<'_>,
    (said_before, answer): (Option<Answer>, Answer),
    at: Timestamp,
    pass_on: impl FnOnce(&mut Incident) -> bool,
) -> Result<String, String> {
    let (id, name) = (incident.id, &who.name);
    let late = match (&incident.acknowledged, incident.status) {
        (_, IncidentStatus::Resolved) => Some(match incident.part_of {
            Some(by) => format!("{id} is part of {by}: that one is to be answered"),
            None => format!("{id} is over"),
        }),
        (Some(taken), _) if !taken.is_of(who.person, name) => {
            Some(format!("{} has had it since {}", taken.by, fold.time(taken.at)))
        }
        (_, IncidentStatus::Open | IncidentStatus::Acknowledged | IncidentStatus::Recovering) => None,
    };
    if let Some(late) = late {
        incident.note_often(at, Often::Late, name, format!("{name} answered late"));
        fold.put_incident(incident);
        return Err(late);
    }
    let said = match answer {
        Answer::Mine => {
            if incident.acknowledged.is_none() {
                duty::acknowledge(fold, &mut incident, name, who.person);
            } else {
                holding::sign_of_life(fold, &mut incident);
            }
            format!("{name} has {id}")
        }
        Answer::NotReal => {
            if said_before != Some(Answer::NotReal) || incident.acknowledged.is_none() {
                incident.note(at, format!("{name} says it is not real"));
                telling::work_note(fold, &mut incident, format!("{name} says that this is not real."));
            }
            if incident.acknowledged.is_none() {
                duty::acknowledge(fold, &mut incident, name, who.person);
            }
            format!("{name} says {id} is not real; nobody else is called")
        }
        Answer::CallNext if incident.status == IncidentStatus::Recovering => {
            if !holding::let_go(fold, &mut incident) && said_before != Some(Answer::CallNext) {
                incident.note(at, format!("{name} cannot take it if it fails again"));
                pass_on(&mut incident);
            }
            format!("{id} works again, and is watched: nobody is called unless it fails again")
        }
        Answer::CallNext if let Some(said) = incident.not_major() => {
            return Err(format!("{id} is no major incident, says {}: nobody is called", said.by));
        }
        Answer::CallNext if holding::hand_over(fold, &mut incident) => {
            "the next person is called now".to_owned()
        }
        // A button pressed twice.
        Answer::CallNext if said_before == Some(Answer::CallNext) => {
            "others have been called already".to_owned()
        }
        Answer::CallNext => {
            incident.note(at, format!("{name} cannot take it"));
            if pass_on(&mut incident) {
                "the next person is called now".to_owned()
            } else {
                match incident.passed_on(who.callout) {
                    PassedOn::Again(at) => {
                        format!("there is nobody else to call: you are called again at {}", fold.time(at))
                    }
                    PassedOn::Called | PassedOn::IfItFails => "others have been called already".to_owned(),
                }
            }
        }
    };
    fold.put_incident(incident);
    Ok(said)
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
            duty::resolve(fold, incident, &format!("{by}: {why}"));
            Ok(said)
        }
        Command::Link { incident, by, number, record } => {
            let mut incident = open(fold, *incident)?;
            holding::sign_of_life(fold, &mut incident);
            desk::link(fold, &mut incident, by, (number, record))?;
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
    let before = incident.acknowledged.clone().map(|taken| taken.by);
    let said = match before {
        Some(same) if same == by => {
            holding::sign_of_life(fold, &mut incident);
            format!("{by} has {} already", incident.id)
        }
        Some(other) => {
            incident.note(fold.now, format!("{by} takes it over from {other}"));
            duty::acknowledge(fold, &mut incident, by, person);
            format!("{by} has {}, and no longer {other}", incident.id)
        }
        None => {
            duty::acknowledge(fold, &mut incident, by, person);
            format!("{by} has {}", incident.id)
        }
    };
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
    if until <= fold.now {
        return Err(format!("{} is in the past", fold.time(until)));
    }
    if until.duration_since(fold.now) > LONGEST_SILENCE {
        let days = LONGEST_SILENCE.as_hours() / 24;
        return Err(format!(
            "a silence lasts {days} days at most; for longer, plan 'maintenance' in curiad.yaml"
        ));
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
    let said = format!(
        "planned work {} from {} until {}",
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
