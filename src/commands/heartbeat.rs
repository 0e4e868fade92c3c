//! `curiad heartbeat list`: where each job is to call, and when it last did.

use super::{Asking, rota::local};
use crate::{
    exit::Failed,
    terminal::{Ink, Terminal},
};
use domain::{Check, Pulse, Situation, Status, TrackId, VantageId};
use jiff::Timestamp;
use serde_json::{Value, json};
use status_page::rfc3339;

/// What is known of one.
struct Heard<'a> {
    check: &'a Check,
    /// A secret: whoever knows it can say that the job has ended.
    url: String,
    status: Status,
    pulse: Pulse,
}

pub(crate) async fn list(asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let situation = asking.situation().await?;
    let all: Vec<Heard<'_>> =
        asking.configuration.checks.values().filter_map(|check| heard(&situation, check)).collect();
    let terminal = Terminal::new();
    if as_json {
        terminal.json(&all.iter().map(as_value).collect::<Value>());
        return Ok(());
    }
    if all.is_empty() {
        terminal.line("no operation is a heartbeat");
    }
    let zone = &asking.configuration.site.time_zone;
    let at = |at: Option<Timestamp>| at.map(|at| local(at, zone));
    for heard in &all {
        let ended = at(heard.pulse.ended_at);
        let ended = ended.map_or_else(|| "never heard".to_owned(), |at| format!("last heard {at}"));
        let begun = at(heard.pulse.started_at).map_or_else(String::new, |at| format!(", begun {at}"));
        let awaited = heard.check.operation.request.line();
        terminal.line(&terminal.ink(Ink::Bold, &heard.check.id.to_string()));
        terminal.line(&format!("  {}", heard.url));
        terminal.line(&format!("  {awaited}; {}, {ended}{begun}", heard.status.plain()));
    }
    Ok(())
}

fn heard<'a>(situation: &Situation, check: &'a Check) -> Option<Heard<'a>> {
    let reference = check.beat_reference(&situation.key)?;
    let url = format!("{}/beats/{reference}", situation.configuration.site.url.en);
    let track = situation.tracks.get(&TrackId { check: check.id.clone(), vantage: VantageId::inbound() });
    let pulse = track.and_then(|track| track.pulse).unwrap_or_default();
    Some(Heard { check, url, status: track.map_or(Status::Unknown, |track| track.status), pulse })
}

fn as_value(heard: &Heard<'_>) -> Value {
    let id = &heard.check.id;
    json!({
        "api": id.instance.api.as_str(),
        "environment": id.instance.environment.word(),
        "operation": id.operation.as_str(),
        "url": heard.url,
        "status": heard.status.word(),
        "ended_at": heard.pulse.ended_at.map(rfc3339),
        "started_at": heard.pulse.started_at.map(rfc3339),
    })
}
