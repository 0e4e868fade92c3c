//! Who has it, who knows, who is next, and what to say to callers.

use super::affected::by_api;
use crate::words::{facts::Facts, letter};
use domain::{Answer, Callout, Cause, Language, TeamId, Visibility, scrubbed};

/// Who was told: the last so many.
const MOST_TOLD: usize = 10;

pub(super) fn owners(facts: &Facts<'_>, language: Language) -> String {
    let incident = facts.incident;
    let mut lines = Vec::new();
    if let Some(api) = facts.api() {
        // A desk's key of a group says nothing to an agent: its name, as it is configured, or as the desk has it.
        let has_group = incident.layer.is_some_and(|layer| api.desk.groups.contains_key(&layer));
        let there = || incident.ticket.seen().and_then(|seen| seen.group.as_ref());
        let named = incident.layer.and_then(|layer| api.desk.group_names.get(&layer)).or_else(there);
        let group = named.filter(|_| has_group).map(|name| scrubbed(name));
        let team = facts.configuration.teams.get(&api.team);
        let team = team.map_or(api.team.as_str(), |team| team.name.get(language));
        let (group_word, team_word) = match language {
            Language::En => ("Resolver group for this layer", "Provider team"),
            Language::Cy => ("Grŵp datrys ar gyfer yr haen hon", "Tîm y darparwr"),
        };
        let group = group.map_or_else(String::new, |group| format!("{group_word}: {group}. "));
        lines.push(format!("{group}{team_word}: {team}."));
        lines.extend(api.desk.out_of_hours.as_ref().map(|who| {
            let who = without_stop(who.get(language));
            match language {
                Language::En => format!("Out of hours: {who}."),
                Language::Cy => format!("Y tu allan i oriau gwaith: {who}."),
            }
        }));
    } else {
        lines.extend(owners_of_several(facts, language));
    }
    if let Some(acknowledged) = &incident.acknowledged {
        let (by, since) = (scrubbed(&acknowledged.by), facts.clock(acknowledged.at));
        lines.push(match language {
            Language::En => format!("{by} has it, since {since}."),
            Language::Cy => format!("Mae yn nwylo {by} ers {since}."),
        });
    }
    lines.extend(called(facts, language));
    if let Some((who, at)) = facts.next_call(language) {
        let at = facts.clock_to_come(at, language);
        lines.push(match language {
            Language::En => format!("If nobody answers, {who} is called at {at}."),
            Language::Cy => format!("Os na fydd neb yn ateb, gelwir {who} am {at}."),
        });
    }
    if let Some((who, at)) = facts.first_call(language) {
        let at = facts.clock_to_come(at, language);
        lines.push(match language {
            Language::En => format!("If it goes on, {who} is called at {at}. You need not ring them."),
            Language::Cy => {
                format!("Os bydd yn parhau, gelwir {who} am {at}. Nid oes angen i chi eu ffonio.")
            }
        });
    }
    lines.join("\n")
}

/// Of what is shared: each API's team, and whom to ring.
fn owners_of_several(facts: &Facts<'_>, language: Language) -> Vec<String> {
    let apis = facts.apis();
    let (teams_word, out_word) = match language {
        Language::En => ("Provider teams", "Out of hours"),
        Language::Cy => ("Timau'r darparwyr", "Y tu allan i oriau gwaith"),
    };
    let team = |id: &TeamId| {
        facts.configuration.teams.get(id).map_or(id.as_str(), |team| team.name.get(language)).to_owned()
    };
    let teams = by_api(apis.iter().map(|api| (*api, &api.team)), team, language);
    let known = apis.iter().filter_map(|api| Some((*api, api.desk.out_of_hours.as_ref()?)));
    let out_of_hours = by_api(known, |who| without_stop(who.get(language)), language);
    [(teams_word, teams), (out_word, out_of_hours)]
        .into_iter()
        .filter(|(_, said)| !said.is_empty())
        .map(|(word, said)| format!("{word}: {}.", said.join("; ")))
        .collect()
}

/// Who was told already, and who could not be: of the present stretch of trouble, since whoever had it before it came back has
/// to be asked anew.
fn called(facts: &Facts<'_>, language: Language) -> Vec<String> {
    let incident = facts.incident;
    let all = || incident.escalation.iter().flat_map(|running| &running.callouts);
    let callouts = || all().filter(|callout| callout.at >= incident.opened_at);
    let reached = |callout: &&Callout| callout.is_taken();
    let mut told: Vec<String> = callouts()
        .filter(reached)
        .map(|callout| {
            let (who, when) = (facts.person(&callout.person), facts.clock(callout.at));
            format!("{who} ({when}, {})", answered(callout, language))
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
    told.extend(team.map(|at| match language {
        Language::En => format!("the provider team ({})", facts.clock(at)),
        Language::Cy => format!("tîm y darparwr ({})", facts.clock(at)),
    }));
    // The newest: whoever was called hours ago is of the timeline.
    let more = told.len().saturating_sub(MOST_TOLD);
    told.drain(..more);
    let (told, missed) =
        ((!told.is_empty()).then(|| told.join(", ")), (!missed.is_empty()).then(|| missed.join(", ")));
    let [told, missed] = match language {
        Language::En => {
            let before = if more == 0 { String::new() } else { format!(" (and {more} more before)") };
            [
                told.map(|told| format!("Already told: {told}{before}. You need not ring them.")),
                missed.map(|missed| format!("Could not be reached: {missed}.")),
            ]
        }
        Language::Cy => {
            let before = if more == 0 { String::new() } else { format!(" (a {more} arall cyn hynny)") };
            [
                told.map(|told| {
                    format!("Eisoes wedi cael gwybod: {told}{before}. Nid oes angen i chi eu ffonio.")
                }),
                missed.map(|missed| format!("Ni ellid eu cyrraedd: {missed}.")),
            ]
        }
    };
    told.into_iter().chain(missed).collect()
}

const fn answered(callout: &Callout, language: Language) -> &'static str {
    match (&callout.answer, language) {
        (None, Language::En) => "no answer",
        (None, Language::Cy) => "dim ateb",
        (Some((_, Answer::Mine)), Language::En) => "has it",
        (Some((_, Answer::Mine)), Language::Cy) => "yn delio ag ef",
        (Some((_, Answer::CallNext)), Language::En) => "cannot take it",
        (Some((_, Answer::CallNext)), Language::Cy) => "yn methu ei gymryd",
        (Some((_, Answer::NotReal)), Language::En) => "says it is not real",
        (Some((_, Answer::NotReal)), Language::Cy) => "yn dweud nad yw'n go iawn",
    }
}

/// In both languages, the desk's own first: a caller has one of them.
pub(super) fn callers(facts: &Facts<'_>, first: Language) -> String {
    // Who is on call and whether Curiad keeps up is nobody's business outside, and nothing fails there.
    if matches!(facts.incident.cause, Cause::Ahead(_) | Cause::Rota(_) | Cause::Behind(_)) {
        return String::new();
    }
    let public = facts
        .configuration
        .policy(facts.incident.environment)
        .is_some_and(|policy| policy.visibility == Visibility::Public);
    let line = |language: Language| {
        let symptom = match facts.incident.recovered_at {
            None => facts.symptom_since(language),
            Some(at) => letter::works_again(facts, at, language),
        };
        let page = facts.configuration.site.url.get(language);
        let (known, nothing, meanwhile, watch) = match language {
            Language::En => (
                "We know about it and the people who look after it have been told.",
                "You need not do anything.",
                "Meanwhile:",
                format!(" The status page says when it works again: {page}"),
            ),
            Language::Cy => (
                "Rydym yn gwybod amdano ac mae'r bobl sy'n gofalu amdano wedi cael gwybod.",
                "Nid oes angen i chi wneud dim.",
                "Yn y cyfamser:",
                format!(" Bydd y dudalen statws yn dweud pan fydd yn gweithio eto: {page}"),
            ),
        };
        let watch = if public { watch } else { String::new() };
        let workaround = facts.api().and_then(|api| api.desk.workaround.as_ref());
        let act = match workaround.filter(|_| facts.incident.recovered_at.is_none()) {
            Some(words) => format!("{meanwhile} {}.", without_stop(words.get(language))),
            None => nothing.to_owned(),
        };
        format!("{}: {symptom}. {known} {act}{watch}", language.tag().to_uppercase())
    };
    let others = Language::ALL.into_iter().filter(|language| *language != first);
    std::iter::once(first).chain(others).map(line).collect::<Vec<_>>().join("\n")
}

/// What people wrote, for the middle of a line: its last full stop is ours.
pub(super) fn without_stop(words: &str) -> String {
    scrubbed(words).trim_end_matches(['.', ' ']).to_owned()
}
