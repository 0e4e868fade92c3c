//! `curiad incident`: looks at incidents, and acts on them through the running recorder.

use crate::{
    cli::IncidentCommand,
    commands::{Asking, rota::local},
    exit::{Failed, USAGE},
    terminal::{Ink, Terminal},
};
use domain::{
    Callout, Command, Incident, IncidentId, Language, Message, Situation, Text, Ticket, duration_words,
    next_action,
};
use jiff::Timestamp;
use status_page::Audience;

pub(crate) async fn run(command: &IncidentCommand, asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let act = match command {
        IncidentCommand::List { all } => return list(asking, *all, as_json).await,
        IncidentCommand::Show { incident } => return show(asking, number(incident)?, as_json).await,
        IncidentCommand::Ack { incident, who } => {
            Command::Acknowledge { incident: number(incident)?, by: who.by.clone() }
        }
        IncidentCommand::Update { incident, en, cy, who } => Command::Update {
            incident: number(incident)?,
            by: who.by.clone(),
            words: Text::new(en.clone(), cy.clone()),
        },
        IncidentCommand::Resolve { incident, why, who } => {
            Command::Resolve { incident: number(incident)?, by: who.by.clone(), why: why.clone() }
        }
        IncidentCommand::Declare { incident, why, who } => {
            Command::Declare { incident: number(incident)?, by: who.by.clone(), why: why.clone() }
        }
    };
    asking.tell(Message::Command(act), as_json).await
}

fn number(word: &str) -> Result<IncidentId, Failed> {
    IncidentId::parse(word)
        .ok_or_else(|| Failed::new(USAGE, format!("'{word}' is no incident's number; it looks like C-42")))
}

async fn list(asking: &Asking, all: bool, as_json: bool) -> Result<(), Failed> {
    let situation = asking.situation().await?;
    let terminal = Terminal::new();
    let chosen = || situation.incidents.values().rev().filter(|incident| all || incident.is_open());
    if as_json {
        let list = chosen()
            .map(|incident| status_page::incident_json(&situation, incident, Audience::Internal, asking.now));
        terminal.json(&list.collect());
        return Ok(());
    }
    if chosen().next().is_none() {
        terminal.line("no open incident; `curiad incident list --all` shows those of the last two weeks");
    }
    for incident in chosen() {
        terminal.line(&headline(terminal, incident, asking.now));
    }
    Ok(())
}

fn headline(terminal: Terminal, incident: &Incident, now: Timestamp) -> String {
    let ink = match (incident.is_open(), incident.major.is_some()) {
        (false, _) => Ink::Dim,
        (true, true) => Ink::Red,
        (true, false) => Ink::Yellow,
    };
    let lasted = duration_words(
        incident.recovered_at.or(incident.resolved_at).unwrap_or(now).duration_since(incident.started_at),
        Language::En,
    );
    let major = if incident.major.is_some() { " major" } else { "" };
    let what = format!(
        "{:<7}{}{major}  {:<12}  {}",
        incident.id, incident.priority, incident.status, incident.cause
    );
    format!("{}  {lasted}", terminal.ink(ink, &what))
}

async fn show(asking: &Asking, id: IncidentId, as_json: bool) -> Result<(), Failed> {
    let situation = asking.situation().await?;
    let incident = match situation.incidents.get(&id) {
        Some(incident) => (**incident).clone(),
        None => asking.store.incident(id).await?.ok_or_else(|| {
            Failed::new(
                USAGE,
                format!("there is no incident {id}\n`curiad incident list --all` shows those of late"),
            )
        })?,
    };
    let terminal = Terminal::new();
    if as_json {
        terminal.json(&status_page::incident_json(&situation, &incident, Audience::Internal, asking.now));
        return Ok(());
    }
    whole(terminal, &situation, &incident, asking.now);
    for row in asking.store.notifications(id).await? {
        let error = row.last_error.map_or_else(String::new, |error| format!("  {error}"));
        terminal
            .line(&format!("  {:<40} {:?}, {} tries{error}", row.notification.key, row.state, row.attempts));
    }
    Ok(())
}

fn whole(terminal: Terminal, situation: &Situation, incident: &Incident, now: Timestamp) {
    let zone = &situation.configuration.site.time_zone;
    terminal.line(&headline(terminal, incident, now));
    terminal.line(&format!("  {}", incident.diagnosis.en));
    for line in &incident.evidence {
        terminal.line(&terminal.ink(Ink::Dim, &format!("  {}  {}", local(line.at, zone), line.text)));
    }
    let ticket = match &incident.ticket {
        Ticket::None => "no ticket".to_owned(),
        Ticket::Asked { desk, .. } => format!("ticket asked for at {desk}, not confirmed"),
        Ticket::Raised { desk, number, .. } => format!("ticket {number} at {desk}"),
    };
    terminal.line(&format!("  {ticket}"));
    if let Some(next) = next_action(situation, incident, now) {
        let who = next.who.map_or_else(String::new, |who| format!(" ({who})"));
        terminal.line(&format!("  next: {}{who} at {}", next.what, local(next.at, zone)));
    }
    for entry in &incident.timeline {
        terminal.line(&format!("  {}  {}", local(entry.at, zone), entry.text));
    }
    for callout in incident.escalation.iter().flat_map(|running| &running.callouts) {
        terminal.line(&format!("  {}", call(situation, callout)));
    }
}

fn call(situation: &Situation, callout: &Callout) -> String {
    let name =
        situation.configuration.people.get(&callout.person).map_or(callout.person.as_str(), |p| &p.name);
    let taken: Vec<&str> = callout.accepted.iter().map(|(way, _)| way.word()).collect();
    let answer = callout.answer.map_or_else(|| "no answer".to_owned(), |(_, answer)| format!("{answer:?}"));
    format!("call {}: {name}, taken by the carrier: {}; {answer}", callout.number, taken.join(", "))
}
