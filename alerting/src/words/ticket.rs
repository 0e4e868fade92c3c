//! A ticket, for a service desk agent: one cause, its evidence, and what to say to callers, in the order in which they are
//! asked for (the fields of incident-systems.md §4, as far as there are facts for them).

use super::{
    facts::{Facts, capital, cut},
    letter,
};
use crate::servicenow::reference;
use domain::{
    Answer, Awaited, Callout, Cause, Environment, InstanceId, Language, Layer, Note, Visibility, With,
    scrubbed, service_clocks,
};
use std::fmt::Write as _;

/// What a desk keeps of a short description; it cuts the rest without a word.
const SHORT: usize = 160;
/// What a desk keeps of a description.
const LONG: usize = 4_000;
/// What a line of evidence may have: a sentence, and the request's id, by which the other side can look it up.
const EVIDENCE: usize = 240;
/// Who was told: the last so many.
const MOST_TOLD: usize = 10;
/// What a line of what went before may have.
const BACKGROUND: usize = 240;

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
    let incident = facts.incident;
    let end = if is_ahead(facts) {
        format!(" ({})", incident.id)
    } else {
        format!(" (since {}, {})", facts.since(), incident.id)
    };
    let start = format!("[{}] {}", facts.tag(Language::En), capital(&facts.symptom(Language::En)));
    let short_description = format!("{}{end}", cut(&start, SHORT.saturating_sub(end.chars().count())));
    let sections = [
        (None, what(facts)),
        (Some("WHERE IT IS, AND IS NOT"), place(facts)),
        (Some("WHO IS AFFECTED"), users(facts)),
        (Some("WHO HAS IT, AND WHO KNOWS"), owners(facts)),
        (Some("PRIORITY"), priority(facts)),
        (Some("TELL CALLERS"), callers(facts)),
        (Some("NEXT UPDATE"), next_update(facts)),
        (Some("LINKS"), links(facts)),
        (Some("WHAT WENT BEFORE"), before(facts)),
        (Some("EVIDENCE"), evidence(facts)),
        (None, format!("Reference: {} ({reference})", facts.incident.id)),
    ];
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

fn what(facts: &Facts<'_>) -> String {
    let incident = facts.incident;
    if is_ahead(facts) {
        let (symptom, place) = (capital(&facts.symptom(Language::En)), facts.environment(Language::En));
        return format!("{symptom} ({place}).\n{}", facts.diagnosis(Language::En));
    }
    let still = match incident.recovered_at {
        None => format!("still so at {}", facts.clock(facts.now)),
        Some(at) => format!("recovered at {}, being watched", facts.clock(at)),
    };
    format!(
        "{} ({}).\nSince {} ({} UTC); {still}.",
        capital(&facts.symptom(Language::En)),
        facts.environment(Language::En),
        facts.date(incident.started_at, Language::En),
        incident.started_at.strftime("%Y-%m-%d %H:%M:%S"),
    )
}

fn priority(facts: &Facts<'_>) -> String {
    let mut words = format!("Proposed: {}, {}.", facts.incident.priority, facts.weight(Language::En));
    if let Some(set) = &facts.incident.rank.set {
        write!(words, "\nSet by {}: {}.", scrubbed(&set.by), scrubbed(&set.why)).ok();
    }
    if let Some(said) = facts.incident.not_major() {
        write!(words, "\nNot a major incident, says {}: {}.", scrubbed(&said.by), scrubbed(&said.why)).ok();
    }
    if let Some(major) = &facts.incident.major {
        let by = major.by.as_ref().map_or("by rule", String::as_str);
        // Writing to a string cannot fail.
        let what = if major.proposed { "Proposed major incident" } else { "Major incident" };
        write!(words, "\n{what} ({}): {}.", scrubbed(by), scrubbed(&major.why)).ok();
    }
    words
}

fn users(facts: &Facts<'_>) -> String {
    if is_ahead(facts) {
        return String::new();
    }
    let Some(api) = facts.api() else {
        return String::new();
    };
    let mut words =
        api.desk.users.as_ref().map_or_else(|| scrubbed(&api.description.en), |users| scrubbed(&users.en));
    match api.consumers {
        0 => {}
        1 => words.push_str("\n1 application uses it in production."),
        many => {
            // Writing to a string cannot fail.
            write!(words, "\n{many} applications use it in production.").ok();
        }
    }
    let dependants: Vec<_> = facts
        .configuration
        .apis
        .values()
        .filter(|other| other.depends_on.contains(&api.id))
        .map(|other| InstanceId { api: other.id.clone(), environment: facts.incident.environment })
        .filter(|other| !facts.incident.affects.contains(other))
        .collect();
    if !dependants.is_empty() {
        let names = facts.names(&dependants, Language::En);
        // Writing to a string cannot fail.
        write!(words, "\nAPIs that depend on it: {names}.").ok();
    }
    if facts.incident.environment == Environment::Production {
        if api.service_level == domain::ServiceLevel::Critical {
            words.push_str("\nClinical safety: critical service level, consider whether care is affected.");
        }
        if api.sensitive {
            words.push_str(
                "\nSecurity: sensitive API; if it may have shown data to the wrong person, tell information governance.",
            );
        }
    }
    words
}

/// Nobody notices it yet, and nobody will ring.
const fn is_ahead(facts: &Facts<'_>) -> bool {
    matches!(facts.incident.cause, Cause::Ahead(_))
}

fn callers(facts: &Facts<'_>) -> String {
    // Who is on call and whether Curiad keeps up is nobody's business outside, and nothing fails there.
    if matches!(facts.incident.cause, Cause::Ahead(_) | Cause::Rota(_) | Cause::Behind(_)) {
        return String::new();
    }
    let public = facts
        .configuration
        .policy(facts.incident.environment)
        .is_some_and(|policy| policy.visibility == Visibility::Public);
    Language::ALL
        .map(|language| {
            let symptom = match facts.incident.recovered_at {
                None => facts.symptom_since(language),
                Some(at) => letter::works_again(facts, at, language),
            };
            let page = facts.configuration.site.url.get(language);
            let (known, watch) = match language {
                Language::En => (
                    "We know about it and the people who look after it have been told. You need not do anything.",
                    format!(" The status page says when it works again: {page}"),
                ),
                Language::Cy => (
                    "Rydym yn gwybod amdano ac mae'r bobl sy'n gofalu amdano wedi cael gwybod. Nid oes angen i chi wneud dim.",
                    format!(" Bydd y dudalen statws yn dweud pan fydd yn gweithio eto: {page}"),
                ),
            };
            let watch = if public { watch } else { String::new() };
            format!("{}: {symptom}. {known}{watch}", language.tag().to_uppercase())
        })
        .join("\n")
}

fn place(facts: &Facts<'_>) -> String {
    let incident = facts.incident;
    let mut lines = Vec::new();
    let diagnosis = facts.diagnosis(Language::En);
    // Of what is to come it is said above.
    if !diagnosis.is_empty() && !is_ahead(facts) {
        lines.push(diagnosis);
    }
    if let Some(layer) = incident.layer.filter(|_| !incident.is_of_a_job()) {
        lines.push(format!("Fails at: {}. {}", layer_words(layer), works(layer)));
    }
    if !incident.affects.is_empty() {
        lines.push(format!("Affected: {}", facts.names(&incident.affects, Language::En)));
    }
    if !incident.held_back.is_empty() {
        let label = if matches!(incident.cause, domain::Cause::Storm(_)) {
            "Still failing, without tickets of their own"
        } else {
            "Fail because of it, without tickets of their own"
        };
        lines.push(format!("{label}: {}", facts.names(&incident.held_back, Language::En)));
    }
    let others: Vec<_> = facts
        .api()
        .into_iter()
        .flat_map(|api| &api.depends_on)
        .map(|api| InstanceId { api: api.clone(), environment: incident.environment })
        .filter(|instance| !incident.affects.contains(instance))
        .collect();
    if !others.is_empty() && !is_ahead(facts) {
        lines.push(format!("Depends on {}: not found to be the cause", facts.names(&others, Language::En)));
    }
    lines.join("\n")
}

fn owners(facts: &Facts<'_>) -> String {
    let incident = facts.incident;
    let mut lines = Vec::new();
    if let Some(api) = facts.api() {
        // A desk's key of a group says nothing to an agent: its name, as it is configured, or as the desk has it.
        let has_group = incident.layer.is_some_and(|layer| api.desk.groups.contains_key(&layer));
        let there = || incident.ticket.seen().and_then(|seen| seen.group.as_ref());
        let named = incident.layer.and_then(|layer| api.desk.group_names.get(&layer)).or_else(there);
        let group = named.filter(|_| has_group).map(|name| scrubbed(name));
        let team =
            facts.configuration.teams.get(&api.team).map_or(api.team.as_str(), |team| team.name.en.as_str());
        lines.push(match group {
            Some(group) => format!("Resolver group for this layer: {group}. Provider team: {team}."),
            None => format!("Provider team: {team}."),
        });
    }
    if let Some(acknowledged) = &incident.acknowledged {
        let by = scrubbed(&acknowledged.by);
        lines.push(format!("{by} has it, since {}.", facts.clock(acknowledged.at)));
    }
    let callouts = || incident.escalation.iter().flat_map(|running| &running.callouts);
    let reached = |callout: &&Callout| callout.ways.iter().any(|way| callout.reached_by(*way));
    let called = callouts().filter(reached);
    let mut told: Vec<String> = called
        .map(|callout| {
            let (who, when) = (facts.person(&callout.person), facts.clock(callout.at));
            format!("{who} ({when}, {})", answered(callout))
        })
        .collect();
    // It is too soon to say of one that no carrier has taken yet; of one that all gave up it is known.
    let failed = callouts().filter(|callout| callout.ways.iter().all(|way| callout.given_up.contains(way)));
    let mut missed: Vec<String> = failed
        .filter(|callout| !reached(callout))
        .map(|callout| format!("{} ({})", facts.person(&callout.person), facts.clock(callout.at)))
        .collect();
    missed.drain(..missed.len().saturating_sub(MOST_TOLD));
    // Without a way to them, or while they are away, nobody told them.
    let team = incident.told_at.filter(|at| *at <= facts.now && incident.told.is_some());
    if let Some(at) = team {
        told.push(format!("the provider team ({})", facts.clock(at)));
    }
    // The newest: whoever was called hours ago is of the timeline.
    let more = told.len().saturating_sub(MOST_TOLD);
    let before = if more == 0 { String::new() } else { format!(" (and {more} more before)") };
    told.drain(..more);
    if !told.is_empty() {
        lines.push(format!("Already told: {}{before}. You need not ring them.", told.join(", ")));
    }
    if !missed.is_empty() {
        lines.push(format!("Could not be reached: {}.", missed.join(", ")));
    }
    if let Some((who, at)) = facts.next_call(Language::En) {
        lines.push(format!("If nobody answers, {who} is called at {}.", facts.clock(at)));
    }
    if let Some((who, at)) = facts.first_call(Language::En) {
        lines.push(format!("If it goes on, {who} is called at {}. You need not ring them.", facts.clock(at)));
    }
    lines.join("\n")
}

fn answered(callout: &Callout) -> &'static str {
    match callout.answer {
        None => "no answer",
        Some((_, Answer::Mine)) => "has it",
        Some((_, Answer::CallNext)) => "cannot take it",
        Some((_, Answer::NotReal)) => "says it is not real",
    }
}

fn next_update(facts: &Facts<'_>) -> String {
    let resolves = if facts.desk().is_some_and(|desk| desk.resolves) {
        "Curiad resolves this ticket when the trouble is over."
    } else {
        "Curiad never resolves this ticket; that is yours."
    };
    let clocks = service_clocks(facts.configuration, facts.incident, facts.now);
    let update = clocks.iter().find(|clock| clock.awaited == Awaited::Update);
    let by = update.map_or_else(String::new, |clock| format!("Due by {}. ", facts.clock(clock.due)));
    format!("{by}A work note here when something changes. {resolves}")
}

fn links(facts: &Facts<'_>) -> String {
    let mut lines = vec![format!("This incident: {}", facts.page_url(Language::En))];
    if let Some(api) = facts.api() {
        lines.extend(api.desk.runbook.iter().map(|link| format!("Runbook: {link}")));
        lines.extend(api.documentation.iter().map(|link| format!("Documentation: {link}")));
    }
    lines.join("\n")
}

fn evidence(facts: &Facts<'_>) -> String {
    let mut lines: Vec<String> = facts
        .incident
        .evidence
        .iter()
        .map(|entry| cut(&format!("{} {}", facts.clock(entry.at), scrubbed(&entry.text)), EVIDENCE))
        .collect();
    if let Some(instance) = facts.incident.affects.first().filter(|_| !is_ahead(facts)) {
        let checks = facts.configuration.checks_of(instance).filter(|check| check.heartbeat().is_none());
        let checks: Vec<_> = checks.collect();
        let vantages: std::collections::BTreeSet<_> =
            checks.iter().flat_map(|check| &check.from).map(ToString::to_string).collect();
        if !checks.is_empty() {
            let from: Vec<_> = vantages.into_iter().collect();
            lines.push(format!("Checks on it: {}, sent from: {}.", checks.len(), from.join(", ")));
        }
    }
    lines.join("\n")
}

fn before(facts: &Facts<'_>) -> String {
    let earlier = facts.incident.earlier_tickets.iter().map(|earlier| format!("{}.", earlier.why));
    let lines = earlier.chain(facts.incident.background.iter().cloned());
    lines.map(|line| cut(&scrubbed(&line), BACKGROUND)).collect::<Vec<_>>().join("\n")
}

/// A layer in words an agent can pass on.
const fn layer_words(layer: Layer) -> &'static str {
    match layer {
        Layer::Dns => "its name (DNS)",
        Layer::Connect => "the connection",
        Layer::Tls => "the protected connection or its certificate (TLS)",
        Layer::Token => "sign-in (the token endpoint)",
        Layer::Gateway => "the API gateway",
        Layer::Backend => "the service behind the API gateway",
        Layer::Contract => "the answer, which is not what was agreed",
        Layer::Ours => "Curiad's own side",
    }
}

/// What it is not: a probe that fails at a layer has passed those before it.
const fn works(layer: Layer) -> &'static str {
    match layer {
        Layer::Dns | Layer::Ours => "",
        Layer::Connect => "Not the name: that resolves.",
        Layer::Tls => "Not the name or the network: a connection is made.",
        Layer::Token => "Not the network: the token endpoint is reached.",
        Layer::Gateway => "Not the name, the network or the certificate.",
        Layer::Backend => "Not the name, the network, the certificate or the gateway.",
        Layer::Contract => "Not the network or the gateway: it answers.",
    }
}
