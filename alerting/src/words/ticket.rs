//! A ticket, for a service desk agent: one cause, its evidence, and what to say to callers, in the order in which they are
//! asked for (the fields of incident-systems.md §4, as far as there are facts for them). In the desk's language, but for what
//! probes and people said: that stays as it was said.

mod affected;
mod people;
mod whereabouts;

use super::facts::{Facts, capital, cut};
use crate::servicenow::reference;
use domain::{Awaited, Cause, IncidentStatus, Language, Note, With, scrubbed, service_clocks};
use std::collections::BTreeSet;

/// What a desk keeps of a short description; it cuts the rest without a word.
const SHORT: usize = 160;
/// What a desk keeps of a description.
const LONG: usize = 4_000;
/// What a line of evidence may have: a sentence, and the request's id, by which the other side can look it up.
const EVIDENCE: usize = 240;
/// What a line of what went before may have.
const BACKGROUND: usize = 240;

const TITLES_EN: [&str; 9] = [
    "WHERE IT IS, AND IS NOT",
    "WHO IS AFFECTED",
    "WHO HAS IT, AND WHO KNOWS",
    "PRIORITY",
    "TELL CALLERS",
    "NEXT UPDATE",
    "LINKS",
    "WHAT WENT BEFORE",
    "EVIDENCE",
];
const TITLES_CY: [&str; 9] = [
    "BLE Y MAE, A BLE NAD YW",
    "AR BWY Y MAE'N EFFEITHIO",
    "PWY SY'N DELIO AG EF, A PHWY SY'N GWYBOD",
    "BLAENORIAETH",
    "DYWEDWCH WRTH Y RHAI SY'N FFONIO",
    "DIWEDDARIAD NESAF",
    "DOLENNI",
    "BETH A DDIGWYDDODD CYNT (YN SAESNEG)",
    "TYSTIOLAETH (YN SAESNEG)",
];

/// A ticket's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TicketWords {
    /// One line, at most 160 characters.
    pub(crate) short_description: String,
    /// At most 4,000 characters.
    pub(crate) description: String,
}

/// The ticket of the incident as it is now. `reference` is the key by which it can be found in the desk.
pub(crate) fn ticket(facts: &Facts<'_>, reference: &str) -> TicketWords {
    let (incident, language) = (facts.incident, facts.desk_language());
    let end = if is_ahead(facts) {
        format!(" ({})", incident.id)
    } else {
        let since = match language {
            Language::En => "since",
            Language::Cy => "ers",
        };
        format!(" ({since} {}, {})", facts.since(), incident.id)
    };
    let start = format!("[{}] {}", facts.tag(language), capital(&facts.symptom(language)));
    let short_description = format!("{}{end}", cut(&start, SHORT.saturating_sub(end.chars().count())));
    let titles = match language {
        Language::En => TITLES_EN,
        Language::Cy => TITLES_CY,
    };
    let sections = [
        whereabouts::place(facts, language),
        affected::users(facts, language),
        people::owners(facts, language),
        priority(facts, language),
        people::callers(facts, language),
        next_update(facts, language),
        links(facts, language),
        before(facts),
        evidence(facts, language),
    ];
    let reference_word = match language {
        Language::En => "Reference",
        Language::Cy => "Cyfeirnod",
    };
    let sections = std::iter::once((None, what(facts, language)))
        .chain(titles.into_iter().map(Some).zip(sections))
        .chain([(None, format!("{reference_word}: {} ({reference})", incident.id))]);
    let mut description = String::new();
    for (title, words) in sections {
        if words.is_empty() {
            continue;
        }
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        if let Some(title) = title {
            description.push_str(title);
            description.push('\n');
        }
        description.push_str(words.trim_end());
    }
    TicketWords { short_description, description: cut(&description, LONG) }
}

/// A work note. Its last line marks it, so that a retry can see whether it is already there.
pub(crate) fn note(facts: &Facts<'_>, key: &str, note: &Note) -> String {
    let text: Vec<_> = note.text.lines().map(scrubbed).collect();
    let mut text = text.join("\n");
    if note.with == With::Description {
        text = format!("{text}\n\n{}", ticket(facts, &reference(key)).description);
    }
    format!("{} {}\n{}", facts.clock(note.at), cut(&text, LONG - 200), note_marker(key))
}

/// The last line of the work note of that key.
pub(crate) fn note_marker(key: &str) -> String {
    format!("[curiad {key}]")
}

/// Nobody notices it yet, and nobody will ring.
const fn is_ahead(facts: &Facts<'_>) -> bool {
    matches!(facts.incident.cause, Cause::Ahead(_))
}

fn what(facts: &Facts<'_>, language: Language) -> String {
    let incident = facts.incident;
    let (symptom, place) = (capital(&facts.symptom(language)), facts.environment(language));
    if is_ahead(facts) {
        return format!("{symptom} ({place}).\n{}", facts.diagnosis(language));
    }
    let over = incident.resolved_at.filter(|_| incident.status == IncidentStatus::Resolved);
    let still = match (incident.recovered_at, language) {
        (_, Language::En) if let (Some(_), Some(by)) = (over, incident.part_of) => {
            format!("part of {by} by now")
        }
        (_, Language::Cy) if let (Some(_), Some(by)) = (over, incident.part_of) => {
            format!("bellach yn rhan o {by}")
        }
        (Some(at), Language::En) if over.is_some() => format!("recovered at {}, and over", facts.clock(at)),
        (Some(at), Language::Cy) if over.is_some() => {
            format!("yn gweithio eto ers {}, ac ar ben", facts.clock(at))
        }
        (None, Language::En) if let Some(at) = over => format!("closed at {}", facts.clock(at)),
        (None, Language::Cy) if let Some(at) = over => format!("wedi'i gau am {}", facts.clock(at)),
        (None, Language::En) => format!("still so at {}", facts.clock(facts.now)),
        (None, Language::Cy) => format!("yn parhau am {}", facts.clock(facts.now)),
        (Some(at), Language::En) => format!("recovered at {}, being watched", facts.clock(at)),
        (Some(at), Language::Cy) => format!("yn gweithio eto ers {}, ac yn cael ei wylio", facts.clock(at)),
    };
    let since = match language {
        Language::En => "Since",
        Language::Cy => "Ers",
    };
    let began = incident.failing_since();
    format!(
        "{symptom} ({place}).\n{since} {} ({} UTC); {still}.",
        facts.date(began, language),
        began.strftime("%Y-%m-%d %H:%M:%S"),
    )
}

/// What people gave as their reasons is in the language they chose.
fn priority(facts: &Facts<'_>, language: Language) -> String {
    let (incident, weight) = (facts.incident, facts.weight(language));
    let mut lines = vec![match language {
        Language::En => format!("Proposed: {}, {weight}.", incident.priority),
        Language::Cy => format!("Cynigir: {}, {weight}.", incident.priority),
    }];
    let said = |said: &domain::Ruling, words: &str| {
        format!("{words} {}: {}.", scrubbed(&said.by), scrubbed(&said.why))
    };
    lines.extend(incident.rank.set.as_ref().map(|set| match language {
        Language::En => said(set, "Set by"),
        Language::Cy => said(set, "Gosodwyd gan"),
    }));
    lines.extend(incident.not_major().map(|not| match language {
        Language::En => said(not, "Not a major incident, says"),
        Language::Cy => said(not, "Nid digwyddiad mawr, meddai"),
    }));
    lines.extend(incident.major.as_ref().map(|major| {
        let by = major.by.as_ref().map(|by| scrubbed(by));
        let why = scrubbed(&major.why);
        match (language, by) {
            (Language::En, by) => {
                let what = if major.proposed { "Proposed major incident" } else { "Major incident" };
                format!("{what} ({}): {why}.", by.as_deref().unwrap_or("by rule"))
            }
            (Language::Cy, Some(by)) => format!("Digwyddiad mawr ({by}): {why}."),
            (Language::Cy, None) => {
                let what = if major.proposed { "Cynigir fel digwyddiad mawr" } else { "Digwyddiad mawr" };
                match facts.major_rule() {
                    Some(rule) => format!("{what} (yn ôl rheol): {rule}."),
                    None => format!("{what} (yn ôl rheol)."),
                }
            }
        }
    }));
    lines.join("\n")
}

fn next_update(facts: &Facts<'_>, language: Language) -> String {
    let resolves = match (facts.desk().is_some_and(|desk| desk.resolves), language) {
        (true, Language::En) => "Curiad resolves this ticket when the trouble is over.",
        (true, Language::Cy) => "Bydd Curiad yn datrys y tocyn hwn pan fydd y drafferth ar ben.",
        (false, Language::En) => "Curiad never resolves this ticket; that is yours.",
        (false, Language::Cy) => "Ni fydd Curiad byth yn datrys y tocyn hwn; eich gwaith chi yw hynny.",
    };
    let clocks = service_clocks(facts.configuration, facts.incident, facts.now);
    let update = clocks.iter().find(|clock| clock.awaited == Awaited::Update);
    let due = update.map(|clock| facts.clock_to_come(clock.due, language));
    let (by, notes) = match language {
        Language::En => (due.map(|at| format!("Due by {at}. ")), "A work note here when something changes."),
        Language::Cy => (
            due.map(|at| format!("Disgwylir erbyn {at}. ")),
            "Daw nodyn gwaith yma, yn Saesneg, pan fydd rhywbeth yn newid.",
        ),
    };
    format!("{}{notes} {resolves}", by.unwrap_or_default())
}

fn links(facts: &Facts<'_>, language: Language) -> String {
    let (this, runbook, known, documentation) = match language {
        Language::En => ("This incident", "Runbook", "Known errors", "Documentation"),
        Language::Cy => ("Y digwyddiad hwn", "Beth i'w wneud", "Gwallau hysbys", "Dogfennaeth"),
    };
    let mut lines = vec![format!("{this}: {}", facts.page_url(language))];
    if let Some(api) = facts.api() {
        lines.extend(api.desk.runbook.iter().map(|link| format!("{runbook}: {link}")));
        lines.extend(api.desk.known_errors.iter().map(|link| format!("{known}: {link}")));
        lines.extend(api.documentation.iter().map(|link| format!("{documentation}: {link}")));
    } else {
        let apis = facts.apis();
        let runbooks = apis.iter().filter_map(|api| Some((*api, api.desk.runbook.as_deref()?)));
        let runbooks = affected::by_api(runbooks, str::to_owned, language);
        lines.extend(runbooks.into_iter().map(|link| format!("{runbook}: {link}")));
    }
    lines.join("\n")
}

fn evidence(facts: &Facts<'_>, language: Language) -> String {
    let mut lines: Vec<String> = facts
        .incident
        .evidence
        .iter()
        .map(|entry| cut(&format!("{} {}", facts.clock(entry.at), entry.scrubbed()), EVIDENCE))
        .collect();
    if let Some(instance) = facts.incident.affects.first().filter(|_| !is_ahead(facts)) {
        let checks: Vec<_> =
            facts.configuration.checks_of(instance).filter(|check| check.heartbeat().is_none()).collect();
        let vantages: BTreeSet<_> =
            checks.iter().flat_map(|check| &check.from).map(ToString::to_string).collect();
        let (count, from) = (checks.len(), vantages.into_iter().collect::<Vec<_>>().join(", "));
        let line = match language {
            Language::En => format!("Checks on it: {count}, sent from: {from}."),
            Language::Cy => format!("Gwiriadau arno: {count}, wedi'u hanfon o: {from}."),
        };
        lines.extend((count > 0).then_some(line));
    }
    lines.join("\n")
}

fn before(facts: &Facts<'_>) -> String {
    let earlier = facts.incident.earlier_tickets.iter().map(|earlier| format!("{}.", earlier.why));
    let lines = earlier.chain(facts.incident.background.iter().cloned());
    lines.map(|line| cut(&scrubbed(&line), BACKGROUND)).collect::<Vec<_>>().join("\n")
}
