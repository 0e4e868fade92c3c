//! `curiad callout test`: somebody is called by the way of a real callout, to see whether it reaches them.

use super::{Asking, rota::find_person};
use crate::{
    cli::CalloutCommand,
    exit::{Failed, USAGE},
    terminal::{Progress, Terminal},
};
use domain::{Callout, Cause, Command, Incident, Message, PersonId, TestCall, Way};
use jiff::Timestamp;
use serde_json::{Value, json};
use status_page::rfc3339;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A test is over then, answered or not.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// The exit code when nobody answered in time.
const UNANSWERED: u8 = 1;

pub(crate) async fn run(command: &CalloutCommand, asking: &Asking, as_json: bool) -> Result<u8, Failed> {
    let CalloutCommand::Test { person, wait, no_wait, who } = command;
    let person = find_person(&asking.configuration, person)?;
    if *wait > LONGEST_WAIT {
        return Err(Failed::new(USAGE, "a test is over after an hour\nwait no longer than that: --wait 1h"));
    }
    let act = Command::TestCall { by: who.name()?, person: person.clone() };
    let next = "`curiad rota show ROTA` shows who was reached, and when";
    let said = asking.ask(Message::Command(act), next).await?;
    if *no_wait || !as_json {
        Asking::say(&said, as_json);
    }
    if *no_wait {
        return Ok(0);
    }
    let cause = Cause::Test(TestCall::Asked(person.clone()));
    let situation = asking.situation().await?;
    let newest = situation.incidents.values().rev().find(|incident| incident.cause == cause);
    let Some(id) = newest.map(|incident| incident.id) else {
        return Err(Failed::new(UNANSWERED, "the test is not there any more"));
    };
    let (limit, mut progress) = (Instant::now() + *wait, Progress::new());
    progress.show("waiting for the answer; Ctrl-C leaves the call as it is");
    let incident = loop {
        let incident = asking.store.incident(id).await?;
        let over = incident.as_ref().is_none_or(|incident| !incident.is_open());
        if over || Instant::now() >= limit {
            break incident;
        }
        sleep(LOOK_AGAIN).await;
    };
    progress.clear();
    let callout = incident.as_ref().and_then(called);
    let way = reached(asking, &person, callout).await?;
    say(asking, &person, callout, way, as_json);
    Ok(if callout.is_some_and(|callout| callout.answer.is_some()) { 0 } else { UNANSWERED })
}

fn called(incident: &Incident) -> Option<&Callout> {
    incident.escalation.as_ref()?.callouts.first()
}

/// By which way the answer came.
async fn reached(
    asking: &Asking,
    person: &PersonId,
    callout: Option<&Callout>,
) -> Result<Option<Way>, Failed> {
    let Some((at, _)) = callout.and_then(|callout| callout.answer) else { return Ok(None) };
    let proofs = asking.situation().await?.proofs;
    Ok(Way::ALL.into_iter().find(|way| proofs.get(&(person.clone(), *way)) == Some(&at)))
}

fn say(asking: &Asking, person: &PersonId, callout: Option<&Callout>, way: Option<Way>, as_json: bool) {
    let terminal = Terminal::new();
    let zone = &asking.configuration.site.time_zone;
    let clock = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
    let name = asking.configuration.people.get(person).map_or(person.as_str(), |person| &person.name);
    let Some(callout) = callout else { return };
    if as_json {
        let ways =
            callout.ways.iter().map(|way| json!({ "way": way.word(), "stands": stands(callout, *way) }));
        terminal.json(&json!({
            "person": person.as_str(),
            "called_at": rfc3339(callout.at),
            "ways": ways.collect::<Vec<Value>>(),
            "answered_at": callout.answer.map(|(at, _)| rfc3339(at)),
            "answered_by": way.map(Way::word),
        }));
        return;
    }
    for way in &callout.ways {
        terminal.line(&format!("{:<6} {}", way.word(), stands(callout, *way)));
    }
    match callout.answer {
        Some((at, _)) => {
            let after = at.duration_since(callout.at).as_secs();
            let by = way.map_or_else(String::new, |way| format!(", by {}", way.word()));
            terminal.line(&format!("{name} answered at {}, {after} s after the call{by}", clock(at)));
        }
        None => terminal.line(&format!("{name} has not answered; the link of the call is good for an hour")),
    }
}

/// How far a way came.
fn stands(callout: &Callout, way: Way) -> &'static str {
    if callout.delivered.contains(&way) {
        "delivered"
    } else if callout.given_up.contains(&way) {
        "given up"
    } else if callout.accepted.iter().any(|(accepted, _)| *accepted == way) {
        "handed over"
    } else if callout.unclear.contains(&way) {
        "may have arrived"
    } else {
        "not handed over yet"
    }
}
