//! `curiad rota`: who is on call, and is it out of hours.

use crate::{
    cli::RotaCommand,
    exit::{Failed, USAGE, Usage},
    terminal::{Ink, Terminal},
};
use domain::{Configuration, Environment, Hours, HoursId, Rota, RotaId, Shift};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use status_page::rfc3339;

pub(crate) fn run(
    command: &RotaCommand,
    configuration: &Configuration,
    now: Timestamp,
    as_json: bool,
) -> Result<(), Failed> {
    let terminal = Terminal::new();
    let zone = &configuration.site.time_zone;
    match command {
        RotaCommand::Who { rota, at } => {
            let (id, rota) = find_rota(configuration, rota)?;
            who(terminal, configuration, &id, rota, at.unwrap_or(now), as_json);
        }
        RotaCommand::Show { rota, at, days } => {
            let (id, rota) = find_rota(configuration, rota)?;
            let from = at.unwrap_or(now);
            let to = from + SignedDuration::from_hours(24 * i64::from(*days));
            let (shifts, gaps) = (rota.shifts(from, to), rota.gaps(from, to));
            if as_json {
                let shifts: Vec<Value> = shifts.iter().map(shift_json).collect();
                let gaps: Vec<Value> = gaps
                    .iter()
                    .map(|(from, to)| json!({ "from": rfc3339(*from), "to": rfc3339(*to) }))
                    .collect();
                terminal.json(&json!({ "rota": id.as_str(), "shifts": shifts, "gaps": gaps }));
                return Ok(());
            }
            for shift in &shifts {
                let stand_in = if shift.layer.is_none() { "  (override)" } else { "" };
                let span = format!("{:<25} – {:<25}", local(shift.from, zone), local(shift.to, zone));
                terminal.line(&format!("{span}  {}{stand_in}", name(configuration, shift)));
            }
            for (from, to) in gaps {
                let gap = format!("{:<25} – {:<25}  nobody", local(from, zone), local(to, zone));
                terminal.line(&terminal.ink(Ink::Red, &gap));
            }
        }
        RotaCommand::Explain { hours, at } => {
            let (id, hours) = find_hours(configuration, hours.as_deref())?;
            explain(terminal, &id, hours, at.unwrap_or(now), as_json);
        }
    }
    Ok(())
}

fn who(
    terminal: Terminal,
    configuration: &Configuration,
    id: &RotaId,
    rota: &Rota,
    at: Timestamp,
    as_json: bool,
) {
    let zone = &configuration.site.time_zone;
    let shift = rota.on_call(at);
    let next = shift.as_ref().and_then(|shift| rota.on_call(shift.to));
    if as_json {
        terminal.json(&json!({
            "rota": id.as_str(),
            "at": rfc3339(at),
            "person": shift.as_ref().map(|shift| shift.person.as_str()),
            "layer": shift.as_ref().and_then(|shift| shift.layer),
            "shift": shift.as_ref().map(|shift| json!({ "from": rfc3339(shift.from), "to": rfc3339(shift.to) })),
            "next": next.as_ref().map(|next| json!({ "person": next.person.as_str(), "from": rfc3339(next.from) })),
        }));
        return;
    }
    match (shift, next) {
        (Some(shift), next) => {
            let person = terminal.ink(Ink::Bold, name(configuration, &shift));
            terminal.line(&format!("{person} is on call until {}", local(shift.to, zone)));
            if let Some(next) = next {
                terminal.line(&format!("after that: {}", name(configuration, &next)));
            }
            if let Some(person) = rota.next(at).and_then(|person| configuration.people.get(&person)) {
                terminal.line(&format!("without an answer now: {}", person.name));
            }
        }
        (None, _) => {
            terminal.line(&terminal.ink(Ink::Red, &format!("nobody is on call at {}", local(at, zone))));
        }
    }
}

fn explain(terminal: Terminal, id: &HoursId, hours: &Hours, at: Timestamp, as_json: bool) {
    let opening = hours.at(at);
    let local = local(at, &hours.time_zone);
    if as_json {
        terminal.json(&json!({
            "at": rfc3339(at),
            "local": local,
            "hours": id.as_str(),
            "out_of_hours": !opening.open,
            "why": opening.why,
        }));
        return;
    }
    let what = if opening.open { "in hours" } else { "out of hours" };
    terminal.line(&format!("{local}: {}", terminal.ink(Ink::Bold, what)));
    terminal.line(&format!("{} (hours: {id})", opening.why));
}

fn find_rota<'a>(configuration: &'a Configuration, word: &str) -> Result<(RotaId, &'a Rota), Failed> {
    let found = RotaId::parse(word).ok().and_then(|id| configuration.rotas.get(&id).map(|rota| (id, rota)));
    found.ok_or_else(|| Usage::unknown("rota", word, configuration.rotas.keys()))
}

fn find_hours<'a>(
    configuration: &'a Configuration,
    word: Option<&str>,
) -> Result<(HoursId, &'a Hours), Failed> {
    let only = || configuration.hours.keys().next().filter(|_| configuration.hours.len() == 1);
    // Those that decide whom a major incident in production calls.
    let major = || Some(&configuration.policy(Environment::Production)?.major.as_ref()?.hours);
    let id = match word {
        Some(word) => HoursId::parse(word).ok(),
        None => only().or_else(major).cloned(),
    };
    let found = id.and_then(|id| configuration.hours.get(&id).map(|hours| (id, hours)));
    match (found, word) {
        (Some(found), _) => Ok(found),
        (None, Some(word)) => Err(Usage::unknown("hours", word, configuration.hours.keys())),
        (None, None) => {
            let all: Vec<&str> = configuration.hours.keys().map(HoursId::as_str).collect();
            let what = "no hours decide what is out of hours in production";
            Err(Failed::new(USAGE, format!("{what}\nname them with --hours: {}", all.join(", "))))
        }
    }
}

fn name<'a>(configuration: &'a Configuration, shift: &'a Shift) -> &'a str {
    configuration.people.get(&shift.person).map_or(shift.person.as_str(), |person| &person.name)
}

fn shift_json(shift: &Shift) -> Value {
    json!({
        "person": shift.person.as_str(),
        "layer": shift.layer,
        "from": rfc3339(shift.from),
        "to": rfc3339(shift.to),
    })
}

/// `Mon 9 Nov 2026 09:00 GMT`.
pub(crate) fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b %Y %H:%M %Z").to_string()
}
