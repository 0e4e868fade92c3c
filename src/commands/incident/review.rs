//! `curiad incident show --review`: a draft of the report after an incident, from its record. Facts alone; the rest is for people.

use super::{call, title};
use domain::{
    Configuration, Environment, Epoch, Hours, HoursId, Incident, Language, PostSays, Situation, Ticket,
    duration_words, weighed,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use status_page::phrased;
use std::{fmt::Write as _, ops::Range};

/// A stage that an incident came to.
#[derive(Debug, PartialEq, Eq)]
struct Stage {
    /// The word used in JSON.
    word: &'static str,
    what: String,
    at: Timestamp,
}

/// How each epoch of it went, as far as it came, in order.
fn stages(situation: &Situation, incident: &Incident) -> Vec<(Epoch, Vec<Stage>)> {
    let epochs = incident.epochs();
    let ends = epochs.iter().skip(1).map(|next| next.since).chain([Timestamp::MAX]).collect::<Vec<_>>();
    let begins = [Timestamp::MIN].into_iter().chain(ends.iter().copied()).collect::<Vec<_>>();
    let of_each = epochs.into_iter().zip(begins.into_iter().zip(ends));
    of_each
        .map(|(epoch, (from, to))| {
            let stages = stages_of(situation, incident, &epoch, from..to);
            (epoch, stages)
        })
        .collect()
}

/// What belongs to no epoch by itself, calls and the ticket, belongs to that `during` which it was.
fn stages_of(
    situation: &Situation,
    incident: &Incident,
    epoch: &Epoch,
    during: Range<Timestamp>,
) -> Vec<Stage> {
    let stage =
        |word, what: &str, at: Option<Timestamp>| at.map(|at| Stage { word, what: what.to_owned(), at });
    let ticket = match &incident.ticket {
        Ticket::Raised { number, at, .. } => stage("ticket", &format!("ticket {number}"), Some(*at)),
        Ticket::Asked { at, .. } => stage("ticket", "ticket asked for", Some(*at)),
        Ticket::None => None,
    };
    let mut callouts = incident.escalation.iter().flat_map(|running| &running.callouts);
    let called = callouts.find(|callout| during.contains(&callout.at)).and_then(|callout| {
        let name = situation.configuration.people.get(&callout.person).map(|person| person.name.as_str());
        let what = format!("first call: {}", name.unwrap_or(callout.person.as_str()));
        stage("called", &what, Some(callout.at))
    });
    let answered = epoch
        .answered
        .as_ref()
        .and_then(|(by, at)| stage("answered", &format!("answered by {by}"), Some(*at)));
    let mut stages: Vec<Stage> = [
        stage("began", "first failure", Some(epoch.since)),
        stage("detected", "confirmed", Some(epoch.opened_at)),
        ticket.filter(|ticket| during.contains(&ticket.at)),
        called,
        answered,
        stage("mitigated", "works again", epoch.recovered_at),
        stage("resolved", "over", epoch.resolved_at),
    ]
    .into_iter()
    .flatten()
    .collect();
    stages.sort_by_key(|stage| stage.at);
    stages
}

/// The hours by which majors there, or in production, call: what is out of them is out of hours.
fn hours<'a>(configuration: &'a Configuration, incident: &Incident) -> Option<(&'a HoursId, &'a Hours)> {
    let major = |environment| configuration.policy(environment)?.major.as_ref();
    let major = major(incident.environment).or_else(|| major(Environment::Production))?;
    configuration.hours.get_key_value(&major.hours)
}

/// How long it lasted, and how much of that was in hours.
fn lasted(
    hours: Option<&Hours>,
    incident: &Incident,
    now: Timestamp,
) -> (SignedDuration, Option<SignedDuration>) {
    let (mut lasted, mut in_hours) = (SignedDuration::ZERO, Some(SignedDuration::ZERO));
    for epoch in incident.epochs() {
        let (from, to) = (epoch.since, epoch.recovered_at.or(epoch.resolved_at).unwrap_or(now));
        let open = hours.and_then(|hours| hours.between(from, to));
        let open = open.map(|open| open.iter().map(|part| part.end.duration_since(part.start)).sum());
        lasted += to.duration_since(from);
        in_hours = in_hours.zip(open).map(|(all, open): (SignedDuration, SignedDuration)| all + open);
    }
    (lasted, in_hours)
}

/// The same for programs.
pub(super) fn as_json(situation: &Situation, incident: &Incident, now: Timestamp) -> Value {
    let (lasted, in_hours) =
        lasted(hours(&situation.configuration, incident).map(|(_, hours)| hours), incident, now);
    let stages = stages(situation, incident);
    let stages = stages.iter().enumerate().flat_map(|(number, (epoch, stages))| {
        stages.iter().map(move |stage| {
            let after = stage.at.duration_since(epoch.since).as_secs();
            json!({
                "epoch": number + 1, "stage": stage.word, "what": stage.what,
                "at": status_page::rfc3339(stage.at), "after_s": after,
            })
        })
    });
    json!({
        "stages": stages.collect::<Vec<_>>(),
        "lasted_s": lasted.as_secs(),
        "in_hours_s": in_hours.map(|open| open.as_secs()),
        "out_of_hours_s": in_hours.map(|open| (lasted - open).as_secs()),
    })
}

/// The draft, in Markdown.
pub(super) fn draft(situation: &Situation, incident: &Incident, now: Timestamp) -> String {
    let zone = &situation.configuration.site.time_zone;
    let hours = hours(&situation.configuration, incident);
    let words = |lasted| duration_words(lasted, Language::En);
    let priority = weighed(incident.gravest(Language::En));
    let mut draft = format!("# {}: {}\n\n{priority}", incident.id, title(situation, incident));
    let mut line = |text: String| {
        // Writing to a string cannot fail.
        writeln!(draft, "{text}").ok();
    };
    line(incident.major.as_ref().map_or_else(
        || {
            if incident.was_major() {
                ", a major incident before it came back."
            } else {
                ", no major incident."
            }
            .to_owned()
        },
        |major| {
            let what = if major.proposed { "proposed as a major incident" } else { "a major incident" };
            format!(", {what} since {}: {}.", day(major.at, zone), major.why)
        },
    ));
    line("A draft from Curiad's record. What stands in brackets is for people to write.\n".to_owned());
    if incident.is_open() {
        line(format!("**It is not over: this is how it stood at {}.**\n", day(now, zone)));
    }
    line("## How it went".to_owned());
    let epochs = stages(situation, incident);
    for (number, (epoch, stages)) in epochs.iter().enumerate() {
        if epochs.len() > 1 {
            line(format!("\n### {} of {}: from {}", number + 1, epochs.len(), day(epoch.since, zone)));
        }
        line("\n| stage | when | after the first failure |\n|---|---|---|".to_owned());
        for stage in stages {
            let after = words(stage.at.duration_since(epoch.since));
            line(format!("| {} | {} | {after} |", cell(&stage.what), day(stage.at, zone)));
        }
    }
    let (lasted, in_hours) = lasted(hours.map(|(_, hours)| hours), incident, now);
    line(match (hours, in_hours) {
        (Some((name, hours)), Some(open)) => format!(
            "\nIt lasted {}: {} in hours ({name}), {} out of hours. It began {}.",
            words(lasted),
            words(open),
            words(lasted - open),
            if hours.at(incident.started_at).open { "in hours" } else { "out of hours" },
        ),
        (None, _) | (_, None) => format!("\nIt lasted {}.", words(lasted)),
    });
    if incident.flaps.epoch > 0 {
        line(format!(
            "It came back {} times; what was well in between is not counted.",
            incident.flaps.epoch
        ));
    }
    let names =
        |list: &[domain::InstanceId]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    line(format!("\n## What it was\n\n{}\n\nAffected: {}.", incident.diagnosis.en, names(&incident.affects)));
    if !incident.held_back.is_empty() {
        line(format!("Failed because of it: {}.", names(&incident.held_back)));
    }
    line("\n[What was the cause, and what mended it?]\n\n[Who noticed, and how: patients, wards, applications?]".to_owned());
    let calls = incident.escalation.iter().flat_map(|running| &running.callouts);
    let calls: Vec<String> =
        calls.map(|callout| format!("- {}: {}", day(callout.at, zone), call(situation, callout))).collect();
    section(&mut line, "Who was called", &calls);
    let said = incident
        .posts
        .iter()
        .map(|post| format!("- {}: {}", day(post.at, zone), said(&post.says, post.at, zone)));
    section(&mut line, "What the page said", &said.collect::<Vec<_>>());
    let happened =
        incident.timeline.iter().map(|entry| format!("- {}: {}", day(entry.at, zone), cell(&entry.text)));
    section(&mut line, "What happened", &happened.collect::<Vec<_>>());
    line(
        "\n## What follows\n\n[What went well? What did not? What changes, who does it, and until when?]"
            .to_owned(),
    );
    draft
}

fn section(line: &mut impl FnMut(String), title: &str, lines: &[String]) {
    if !lines.is_empty() {
        line(format!("\n## {title}\n\n{}", lines.join("\n")));
    }
}

fn said(says: &PostSays, at: Timestamp, zone: &TimeZone) -> String {
    match says {
        PostSays::Investigating { status, .. } => format!("{}, and somebody has been told", status.plain()),
        PostSays::Acknowledged => "somebody works on it".to_owned(),
        PostSays::Recovered => "works again, being watched".to_owned(),
        PostSays::Returned { status } => format!("{} again", status.plain()),
        PostSays::Resolved => "over".to_owned(),
        PostSays::Words(words) => cell(&words.en),
        PostSays::Phrases(phrases) => {
            phrased(phrases, zone, at).map_or_else(|_| "an update".to_owned(), |said| cell(&said.en))
        }
    }
}

/// On one line, and no column of its own.
fn cell(text: &str) -> String {
    text.replace('|', "/").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Sat 28 Nov 2026 02:12:00 GMT`.
fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b %Y %H:%M:%S %Z").to_string()
}
