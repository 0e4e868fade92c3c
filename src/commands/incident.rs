//! `curiad incident`: looks at incidents, and acts on them through the running recorder.

mod days;
mod link;
mod review;
mod update;

use crate::{
    cli::IncidentCommand,
    commands::{Asking, muted::muted, rota::local},
    config::Loaded,
    exit::{Failed, USAGE},
    terminal::{Ink, Terminal},
};
use days::Days;
use domain::{
    Answer, Callout, Command, DeskId, Incident, IncidentId, Language, Message, SeenTicket, Situation, Text,
    Ticket, Way, duration_words, next_action, service_clocks,
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use status_page::Audience;
use store::{OutboxRow, OutboxState};

pub(crate) async fn run(
    command: &IncidentCommand,
    loaded: &Loaded,
    asking: &Asking,
    as_json: bool,
) -> Result<(), Failed> {
    let (id, act) = match command {
        IncidentCommand::List { all } => return list(asking, *all, as_json).await,
        IncidentCommand::Show { incident, review } => {
            return show(asking, number(incident)?, *review, as_json).await;
        }
        IncidentCommand::Ack { incident, who } => {
            let incident = number(incident)?;
            (incident, Command::Acknowledge { incident, by: who.name()? })
        }
        IncidentCommand::Update(arguments) => {
            let (incident, phrases) = (number(&arguments.incident)?, update::phrases(arguments, asking.now)?);
            if arguments.preview {
                return update::preview(&phrases, asking, as_json);
            }
            (incident, Command::Update { incident, by: arguments.who.name()?, phrases })
        }
        IncidentCommand::Resolve { incident, why, who } => {
            let incident = number(incident)?;
            (incident, Command::Resolve { incident, by: who.name()?, why: why.clone() })
        }
        IncidentCommand::Priority { incident, priority, why, who } => {
            let (incident, by, why) = (number(incident)?, who.name()?, why.clone());
            (incident, Command::Prioritise { incident, by, why, priority: *priority })
        }
        IncidentCommand::Declare { incident, not_major, why, who } => {
            let (incident, by, why) = (number(incident)?, who.name()?, why.clone());
            let act = if *not_major {
                Command::NotMajor { incident, by, why }
            } else {
                Command::Declare { incident, by, why }
            };
            (incident, act)
        }
        IncidentCommand::Link { incident, ticket, who } => {
            let (incident, by) = (number(incident)?, who.name()?);
            let known = find(asking, &asking.situation().await?, incident).await?;
            let found = link::find(loaded, &known, ticket).await?;
            (incident, Command::Link { incident, by, number: found.number, record: found.record })
        }
    };
    find(asking, &asking.situation().await?, id).await?;
    let next = format!("`curiad incident show {id}` says how it stands");
    asking.tell(Message::Command(act), &next, as_json).await
}

/// What is published, in both languages: the one is not the other by mistake, as in the configuration.
pub(super) fn words(en: &str, cy: &str, same: bool) -> Result<Text, Failed> {
    let (en, cy) = (en.trim(), cy.trim());
    let wrong = if en.is_empty() || cy.is_empty() {
        "one language says nothing\nwrite the English in --en and the Welsh in --cy"
    } else if en == cy && !same {
        "the Welsh is the English\nwrite the Welsh in --cy, or give --same where both are meant to be the same"
    } else {
        return Ok(Text::new(en, cy));
    };
    Err(Failed::new(USAGE, wrong))
}

async fn find(asking: &Asking, situation: &Situation, id: IncidentId) -> Result<Incident, Failed> {
    if let Some(incident) = situation.incidents.get(&id) {
        return Ok((**incident).clone());
    }
    asking.store.incident(id).await?.ok_or_else(|| {
        let what = format!("there is no incident {id}\n`curiad incident list --all` shows those of late");
        Failed::new(USAGE, what)
    })
}

fn number(word: &str) -> Result<IncidentId, Failed> {
    IncidentId::parse(word)
        .ok_or_else(|| Failed::new(USAGE, format!("'{word}' is no incident's number; it looks like C-42")))
}

async fn list(asking: &Asking, all: bool, as_json: bool) -> Result<(), Failed> {
    let situation = asking.situation().await?;
    let terminal = Terminal::new();
    let chosen = || {
        situation
            .incidents
            .values()
            .rev()
            .filter(|incident| (all || incident.is_open()) && !incident.is_test())
    };
    if as_json {
        let list = chosen()
            .map(|incident| status_page::incident_json(&situation, incident, Audience::Internal, asking.now));
        terminal.json(&list.collect());
        return Ok(());
    }
    if chosen().next().is_none() {
        let hint = "no open incident; `curiad incident list --all` shows those of the last two weeks";
        terminal.line(if all { "no incident in the last two weeks" } else { hint });
    }
    for incident in chosen() {
        terminal.line(&headline(terminal, &situation, incident, asking.now));
    }
    Ok(())
}

/// Whose trouble it is, for people: `Patient Demographics (production)`.
pub(crate) fn title(situation: &Situation, incident: &Incident) -> String {
    let api = incident.api.as_ref().and_then(|api| situation.configuration.apis.get(api));
    let name = api.map_or_else(|| incident.cause.to_string(), |api| api.name.en.clone());
    format!("{name} ({})", incident.environment)
}

fn headline(terminal: Terminal, situation: &Situation, incident: &Incident, now: Timestamp) -> String {
    let ink = match (incident.is_open(), incident.major.is_some()) {
        (false, _) => Ink::Dim,
        (true, true) => Ink::Red,
        (true, false) => Ink::Yellow,
    };
    let lasted = duration_words(
        incident.recovered_at.or(incident.resolved_at).unwrap_or(now).duration_since(incident.started_at),
        Language::En,
    );
    let major = incident.major.as_ref().map_or("", |major| if major.proposed { "major?" } else { "major" });
    // Humans may differ from the rules: that is to be seen at a glance.
    let set = incident.rank.set.as_ref().map(|set| format!("set by {}", set.by));
    let not = incident.not_major().map(|said| format!("not major, says {}", said.by));
    let quiet = muted(situation, incident, now)
        .map(|(until, _)| format!("muted until {}", situation.configuration.site.time(until, now)));
    let ruled: Vec<String> =
        set.into_iter().chain(not).chain(quiet).map(|said| format!("  ({said})")).collect();
    let ruled = ruled.concat();
    let began = local(incident.started_at, &situation.configuration.site.time_zone);
    let what = format!("{:<6} {} {major:<6}  {:<12}", incident.id, incident.priority, incident.status);
    let short = incident.short_weight(Language::En);
    let weight = if short.is_empty() { short } else { format!("  ({short})") };
    let (what, title) = (terminal.ink(ink, &what), title(situation, incident));
    format!("{what}  {began}, {lasted:<11}  {title}{weight}{ruled}")
}

async fn show(asking: &Asking, id: IncidentId, review: bool, as_json: bool) -> Result<(), Failed> {
    let situation = asking.situation().await?;
    let incident = find(asking, &situation, id).await?;
    let terminal = Terminal::new();
    if review {
        if as_json {
            terminal.json(&review::as_json(&situation, &incident, asking.now));
        } else {
            terminal.line(review::draft(&situation, &incident, asking.now).trim_end());
        }
        return Ok(());
    }
    let rows = asking.store.notifications(id).await?;
    if as_json {
        let mut whole = status_page::incident_json(&situation, &incident, Audience::Internal, asking.now);
        if let Value::Object(fields) = &mut whole {
            fields.extend(besides(&situation, &incident, &rows, asking.now));
        }
        terminal.json(&whole);
        return Ok(());
    }
    whole(terminal, &situation, &incident, asking.now);
    if !rows.is_empty() {
        heading(terminal, "What was sent");
    }
    let zone = &situation.configuration.site.time_zone;
    let mut days = Days::new(zone, asking.now);
    for row in rows {
        // The key begins with the incident itself, which is said above.
        let what = row.notification.key.split_once('/').map_or("", |(_, what)| what).replace('/', " ");
        let (at, state) = match &row.state {
            OutboxState::Waiting { not_before, .. } => (Some(*not_before), "waits until then"),
            OutboxState::Sent { at, .. } => (Some(*at), "sent"),
            OutboxState::GivenUp { at } => (Some(*at), "given up"),
            OutboxState::Withdrawn => (None, "withdrawn, not sent"),
        };
        if let Some(day) = at.and_then(|at| days.news(at)) {
            terminal.line(&day);
        }
        let at = at.map_or_else(|| " ".repeat(8), |at| days.clock(at));
        let tries = if row.attempts > 1 { format!(", {} tries", row.attempts) } else { String::new() };
        let error = row.last_error.map_or_else(String::new, |error| format!(": {error}"));
        terminal.line(&format!("  {at}  {what:<30}  {state}{tries}{error}"));
    }
    Ok(())
}

/// What a program gets of one incident beside what it gets of each in a list.
fn besides(
    situation: &Situation,
    incident: &Incident,
    rows: &[OutboxRow],
    now: Timestamp,
) -> impl Iterator<Item = (String, Value)> {
    let at = |at: Timestamp| status_page::rfc3339(at);
    let line = |(when, text): (Timestamp, String)| json!({ "at": at(when), "text": text });
    let evidence: Vec<Value> = incident.evidence.iter().map(|said| line((said.at, said.words()))).collect();
    let timeline: Vec<Value> =
        incident.timeline.iter().map(|entry| line((entry.at, entry.text.clone()))).collect();
    let calls = incident.escalation.iter().flat_map(|running| &running.callouts);
    let calls: Vec<Value> = calls
        .map(|callout| {
            json!({
                "at": at(callout.at),
                "person": callout.person,
                "by": callout.ways.iter().map(|way| json!({ "way": way.word(), "became": became(callout, *way) })).collect::<Vec<_>>(),
                "answer": callout.answer.map(|(when, answer)| json!({ "at": at(when), "answer": answered(answer) })),
                "what": call(situation, callout),
            })
        })
        .collect();
    let sent: Vec<Value> = rows
        .iter()
        .map(|row| {
            let (state, when) = match &row.state {
                OutboxState::Waiting { not_before, .. } => ("waiting", Some(*not_before)),
                OutboxState::Sent { at, .. } => ("sent", Some(*at)),
                OutboxState::GivenUp { at } => ("given_up", Some(*at)),
                OutboxState::Withdrawn => ("withdrawn", None),
            };
            json!({
                "key": row.notification.key,
                "state": state,
                "at": when.map(at),
                "tries": row.attempts,
                "error": row.last_error,
            })
        })
        .collect();
    let muted = muted(situation, incident, now).map(|(until, by)| json!({ "by": by, "until": at(until) }));
    [
        ("evidence", Value::from(evidence)),
        ("timeline", Value::from(timeline)),
        ("called", Value::from(calls)),
        ("sent", Value::from(sent)),
        ("muted", muted.into()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
}

fn whole(terminal: Terminal, situation: &Situation, incident: &Incident, now: Timestamp) {
    let site = &situation.configuration.site;
    let zone = &site.time_zone;
    terminal.line(&headline(terminal, situation, incident, now));
    terminal.line(&format!("  {}", incident.diagnosis.en));
    let weight = incident.weight(Language::En);
    if !weight.is_empty() {
        terminal.line(&format!("  {}: {weight}", incident.priority));
    }
    if let Some(set) = &incident.rank.set {
        terminal.line(&format!("  {} set by {}: {}", incident.priority, set.by, set.why));
    }
    if let Some(said) = incident.not_major() {
        terminal.line(&format!("  not a major incident, says {}: {}", said.by, said.why));
    }
    let desk_name = |id: &DeskId| match situation.configuration.desks.get(id) {
        Some(desk) => desk.name.en.clone(),
        None => id.to_string(),
    };
    terminal.line(&match &incident.ticket {
        Ticket::None => "  no ticket".to_owned(),
        Ticket::Asked { desk, fallback_at, given_up, .. } => {
            let what = if *given_up { "given up" } else { "not confirmed" };
            let mail = if fallback_at.is_some() { "; told by e-mail" } else { "" };
            format!("  ticket asked for at {}, {what}{mail}", desk_name(desk))
        }
        Ticket::Raised { desk, number, seen, .. } => {
            let stands = seen.as_ref().map_or_else(String::new, |seen| stands(seen, incident));
            format!("  ticket {number} at {}{stands}", desk_name(desk))
        }
    });
    for earlier in &incident.earlier_tickets {
        let number = earlier.known.as_ref().map_or("asked for", |(number, _)| number);
        terminal.line(&format!("  before it {number}: {}", earlier.why));
    }
    if let Some(next) = next_action(situation, incident, now) {
        let who = next.who.map_or_else(String::new, |who| format!(" ({who})"));
        terminal.line(&format!("  next: {}{who} at {}", next.what, site.time(next.at, now)));
    }
    if let Some((until, by)) = muted(situation, incident, now) {
        let until = situation.configuration.site.time(until, now);
        terminal.line(&terminal.ink(Ink::Yellow, &format!("  muted until {until} by {by}")));
    }
    for awaited in service_clocks(&situation.configuration, incident, now) {
        let due = site.time(awaited.due, now);
        terminal.line(&format!("  {} due by {due}", awaited.awaited));
    }
    heading(terminal, "Evidence");
    dated(terminal, zone, now, incident.evidence.iter().map(|said| (said.at, said.words())));
    heading(terminal, "What happened");
    let gathered = incident.being_gathered();
    let timeline = incident.timeline.iter().chain(&gathered);
    dated(terminal, zone, now, timeline.map(|entry| (entry.at, entry.text.clone())));
    let callouts: Vec<&Callout> = incident.escalation.iter().flat_map(|running| &running.callouts).collect();
    if !callouts.is_empty() {
        heading(terminal, "Who was called");
    }
    dated(terminal, zone, now, callouts.into_iter().map(|callout| (callout.at, call(situation, callout))));
}

/// How a ticket stands in its desk: `, in progress, assigned to Beth Anglin (API Platform)`.
fn stands(seen: &SeenTicket, incident: &Incident) -> String {
    let group = seen.group.as_ref();
    let who = match (&seen.assigned_to, group) {
        (Some(agent), Some(group)) => format!(", assigned to {agent} ({group})"),
        (Some(agent), None) => format!(", assigned to {agent}"),
        (None, Some(group)) => format!(", nobody of {group} has it"),
        (None, None) => ", nobody has it".to_owned(),
    };
    let priority = seen.priority.filter(|theirs| *theirs != incident.priority);
    let priority = priority.map_or_else(String::new, |theirs| format!(", {theirs} there"));
    format!(", {}{who}{priority}", seen.state)
}

fn heading(terminal: Terminal, words: &str) {
    terminal.line(&format!("\n{}", terminal.ink(Ink::Bold, words)));
}

fn dated(
    terminal: Terminal,
    zone: &TimeZone,
    now: Timestamp,
    entries: impl Iterator<Item = (Timestamp, String)>,
) {
    for line in days::lines(terminal, Days::new(zone, now), entries) {
        terminal.line(&line);
    }
}

fn call(situation: &Situation, callout: &Callout) -> String {
    let name =
        situation.configuration.people.get(&callout.person).map_or(callout.person.as_str(), |p| &p.name);
    let ways: Vec<String> =
        callout.ways.iter().map(|way| format!("{} {}", way.word(), became(callout, *way))).collect();
    let answer = match callout.answer {
        None => "no answer",
        Some((_, Answer::Mine)) => "answered \u{201c}I\u{2019}ve got it\u{201d}",
        Some((_, Answer::CallNext)) => "answered \u{201c}call the next\u{201d}",
        Some((_, Answer::NotReal)) => "answered \u{201c}not real\u{201d}",
    };
    format!("{name}, {}: {answer}", ways.join(" and "))
}

const fn answered(answer: Answer) -> &'static str {
    match answer {
        Answer::Mine => "mine",
        Answer::CallNext => "call_next",
        Answer::NotReal => "not_real",
    }
}

/// What became of a call by one way, the weightiest word first.
fn became(callout: &Callout, way: Way) -> &'static str {
    let taken = callout.accepted.iter().any(|(accepted, _)| *accepted == way);
    if callout.delivered.contains(&way) {
        "arrived"
    } else if callout.given_up.contains(&way) {
        "failed"
    } else if taken {
        "sent"
    } else if callout.unclear.contains(&way) {
        "may have arrived"
    } else {
        "not yet sent"
    }
}
