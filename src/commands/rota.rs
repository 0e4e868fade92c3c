//! `curiad rota`: who is on call, and is it out of hours.

mod attended;
mod ics;
mod stand_in;
mod weeks;

pub(crate) use attended::{Attended, UnknownOverrides};
pub(crate) use stand_in::{find_person, run as stand_in};

use crate::{
    cli::RotaQuestion,
    exit::{Failed, USAGE, Usage},
    terminal::{Ink, Terminal},
};
use domain::{Configuration, Environment, Hours, HoursId, PersonId, Reached, Rota, RotaId, Shift};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use status_page::rfc3339;
use std::collections::BTreeSet;

pub(crate) fn run(
    command: &RotaQuestion,
    attended: &Attended,
    now: Timestamp,
    as_json: bool,
) -> Result<(), Failed> {
    let terminal = Terminal::new();
    let configuration = &attended.configuration;
    let zone = &configuration.site.time_zone;
    match command {
        RotaQuestion::Who { rota, at } => {
            let (id, rota) = find_rota(configuration, rota)?;
            who(terminal, attended, (&id, rota), at.unwrap_or(now), as_json);
        }
        RotaQuestion::Show { rota, at, days } => {
            let (id, rota) = find_rota(configuration, rota)?;
            let from = at.unwrap_or(now);
            let to = from + SignedDuration::from_hours(24 * i64::from(*days));
            let (shifts, gaps) = (rota.shifts(from, to), rota.gaps(from, to));
            let served: BTreeSet<PersonId> = shifts.iter().map(|shift| shift.person.clone()).collect();
            if as_json {
                let shifts: Vec<Value> = shifts.iter().map(|shift| shift_json(attended, shift)).collect();
                let gaps: Vec<Value> = gaps
                    .iter()
                    .map(|(from, to)| json!({ "from": rfc3339(*from), "to": rfc3339(*to) }))
                    .collect();
                let people: Vec<Value> =
                    served.iter().map(|person| reached_json(attended, person, now)).collect();
                let pattern = rota.pattern(from, to);
                let pattern: Vec<Value> = pattern.iter().map(|shift| shift_json(attended, shift)).collect();
                terminal.json(&json!({
                    "rota": id.as_str(), "shifts": shifts, "pattern": pattern, "gaps": gaps, "people": people,
                }));
                return Ok(());
            }
            for line in weeks::draw(terminal, attended, rota, &(from..to), now) {
                terminal.line(&line);
            }
            terminal.line("");
            for shift in &shifts {
                let stand_in = stand_in_words(attended, shift);
                let span = format!("{:<25} – {:<25}", local(shift.from, zone), local(shift.to, zone));
                terminal.line(&format!("{span}  {}{stand_in}", attended.name(&shift.person)));
            }
            for (from, to) in gaps {
                let gap = format!("{:<25} – {:<25}  nobody", local(from, zone), local(to, zone));
                terminal.line(&terminal.ink(Ink::Red, &gap));
            }
            for person in &served {
                terminal.line(&reached_line(attended, person, zone));
                if let Some(doubt) = attended.doubt(person, now) {
                    terminal.line(&terminal.ink(Ink::Yellow, &doubt));
                }
            }
        }
        RotaQuestion::Ics { whose, weeks, language } => {
            let until = now + SignedDuration::from_hours(24 * 7 * i64::from(*weeks));
            ics::print(attended, whose, now..until, language.language())?;
        }
        RotaQuestion::Explain { hours, at } => {
            let (id, hours) = find_hours(configuration, hours.as_deref())?;
            explain(terminal, &id, hours, at.unwrap_or(now), as_json);
        }
    }
    Ok(())
}

fn who(terminal: Terminal, attended: &Attended, (id, rota): (&RotaId, &Rota), at: Timestamp, as_json: bool) {
    let configuration = &attended.configuration;
    let zone = &configuration.site.time_zone;
    let shift = rota.on_call(at);
    let next = shift.as_ref().and_then(|shift| rota.on_call(shift.to));
    if as_json {
        terminal.json(&json!({
            "rota": id.as_str(),
            "at": rfc3339(at),
            "person": shift.as_ref().map(|shift| shift.person.as_str()),
            "layer": shift.as_ref().and_then(|shift| shift.layer),
            "override": shift.as_ref().and_then(|shift| shift.added),
            "shift": shift.as_ref().map(|shift| json!({ "from": rfc3339(shift.from), "to": rfc3339(shift.to) })),
            "next": next.as_ref().map(|next| json!({ "person": next.person.as_str(), "from": rfc3339(next.from) })),
        }));
        return;
    }
    match (shift, next) {
        (Some(shift), next) => {
            let person = terminal.ink(Ink::Bold, attended.name(&shift.person));
            let stand_in = stand_in_words(attended, &shift);
            terminal.line(&format!("{person} is on call until {}{stand_in}", local(shift.to, zone)));
            if let Some(next) = next {
                terminal.line(&format!("after that: {}", attended.name(&next.person)));
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

/// `  (override 3, says Nia Rees: holiday)`; nothing of a shift by the pattern.
fn stand_in_words(attended: &Attended, shift: &Shift) -> String {
    match shift.layer {
        Some(_) => String::new(),
        None => format!("  ({})", attended.words(shift.added)),
    }
}

/// When somebody last answered a call, by each of their ways.
fn reached_line(attended: &Attended, person: &PersonId, zone: &TimeZone) -> String {
    let last = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| local(at, zone));
    let ways = attended.reached(person).into_iter();
    let ways: Vec<String> = ways.map(|(way, at)| format!("{} {}", way.word(), last(at))).collect();
    format!("{} last answered a call: {}", attended.name(person), ways.join(", "))
}

/// The same for programs.
fn reached_json(attended: &Attended, person: &PersonId, now: Timestamp) -> Value {
    let ways = attended.reached(person).into_iter();
    let ways: serde_json::Map<String, Value> =
        ways.map(|(way, at)| (way.word().to_owned(), json!(at.map(rfc3339)))).collect();
    let proven = attended.reached_lately(person, now).map(|reached| matches!(reached, Reached::Lately(_)));
    json!({ "person": person.as_str(), "answered": ways, "proven": proven })
}

fn shift_json(attended: &Attended, shift: &Shift) -> Value {
    let added = attended.overrides.iter().find(|added| Some(added.id) == shift.added);
    json!({
        "person": shift.person.as_str(),
        "layer": shift.layer,
        "override": added.map(Attended::json),
        "from": rfc3339(shift.from),
        "to": rfc3339(shift.to),
    })
}

/// `Mon 9 Nov 2026 09:00 GMT`.
pub(crate) fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b %Y %H:%M %Z").to_string()
}
