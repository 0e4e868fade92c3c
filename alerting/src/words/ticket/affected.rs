//! Who is affected, and whether care or data may be.

use super::{is_ahead, people::without_stop};
use crate::words::facts::Facts;
use domain::{Api, Environment, InstanceId, Language, ServiceLevel, scrubbed};

/// Of what is shared: APIs that are named, and things that are said of some of them.
const MOST_APIS: usize = 5;

pub(super) fn users(facts: &Facts<'_>, language: Language) -> String {
    if is_ahead(facts) {
        return String::new();
    }
    let apis = facts.apis();
    let mut lines = match apis.as_slice() {
        [api] => one_apis_users(facts, api, language),
        apis => {
            let known = apis.iter().filter_map(|api| Some((*api, api.desk.users.as_ref()?)));
            let users = by_api(known, |users| without_stop(users.get(language)), language);
            let mut lines: Vec<String> = users.into_iter().map(|users| format!("{users}.")).collect();
            lines.extend(applications(apis.iter().map(|api| api.consumers).sum(), false, language));
            lines
        }
    };
    if facts.incident.environment == Environment::Production {
        lines.extend(safety_and_security(&apis, language));
    }
    lines.join("\n")
}

fn one_apis_users(facts: &Facts<'_>, api: &Api, language: Language) -> Vec<String> {
    let mut lines = vec![scrubbed(api.desk.users.as_ref().unwrap_or(&api.description).get(language))];
    lines.extend(applications(api.consumers, true, language));
    let dependants: Vec<_> = facts
        .configuration
        .apis
        .values()
        .filter(|other| other.depends_on.contains(&api.id))
        .map(|other| InstanceId { api: other.id.clone(), environment: facts.incident.environment })
        .filter(|other| !facts.incident.affects.contains(other))
        .collect();
    if !dependants.is_empty() {
        let depend = match language {
            Language::En => "APIs that depend on it",
            Language::Cy => "APIs sy'n dibynnu arno",
        };
        lines.push(format!("{depend}: {}.", facts.names(&dependants, language)));
    }
    lines
}

/// How many use it, or, added up, use any of them.
fn applications(consumers: u32, one: bool, language: Language) -> Option<String> {
    let production = Environment::Production.plain(language);
    match (consumers, one, language) {
        (0, ..) => None,
        (1, true, Language::En) => Some(format!("1 application uses it in {production}.")),
        (many, true, Language::En) => Some(format!("{many} applications use it in {production}.")),
        (1, true, Language::Cy) => Some(format!("Mae 1 cymhwysiad yn ei ddefnyddio ({production}).")),
        (many, true, Language::Cy) => {
            Some(format!("Mae {many} o gymwysiadau yn ei ddefnyddio ({production})."))
        }
        (many, false, Language::En) => {
            Some(format!("Applications that use them in {production}, each API's added up: {many}."))
        }
        (many, false, Language::Cy) => {
            Some(format!("Cymwysiadau sy'n eu defnyddio ({production}), cyfanswm pob API: {many}."))
        }
    }
}

fn safety_and_security(apis: &[&Api], language: Language) -> Vec<String> {
    let names = |some: Vec<&Api>| match apis {
        [_] => String::new(),
        _ => format!(" ({})", some_names(&some, language)),
    };
    let critical: Vec<&Api> =
        apis.iter().copied().filter(|api| api.service_level == ServiceLevel::Critical).collect();
    let sensitive: Vec<&Api> = apis.iter().copied().filter(|api| api.sensitive).collect();
    let mut lines = Vec::new();
    if !critical.is_empty() {
        let which = names(critical);
        lines.push(match language {
            Language::En => {
                format!("Clinical safety: critical service level{which}, consider whether care is affected.")
            }
            Language::Cy => {
                format!(
                    "Diogelwch clinigol: lefel gwasanaeth hanfodol{which}; ystyriwch a effeithir ar ofal."
                )
            }
        });
    }
    let who = match language {
        Language::En => "Who answers for clinical safety (DCB0129)",
        Language::Cy => "Pwy sy'n gyfrifol am ddiogelwch clinigol (DCB0129)",
    };
    let known = apis.iter().filter_map(|api| Some((*api, api.desk.clinical_safety.as_ref()?)));
    let answering = match apis {
        [_] => known.map(|(_, who)| without_stop(who.get(language))).collect(),
        _ => by_api(known, |who| without_stop(who.get(language)), language),
    };
    if !answering.is_empty() {
        lines.push(format!("{who}: {}.", answering.join("; ")));
    }
    if !sensitive.is_empty() {
        let which = names(sensitive);
        lines.push(match language {
            Language::En => format!(
                "Security: sensitive API{which}; if it may have shown data to the wrong person, tell information governance."
            ),
            Language::Cy => format!(
                "Diogelwch: API sensitif{which}; os gall fod wedi dangos data i'r person anghywir, rhowch wybod i'r tîm llywodraethu gwybodaeth."
            ),
        });
    }
    lines
}

fn some_names(apis: &[&Api], language: Language) -> String {
    let names = apis.iter().take(MOST_APIS).map(|api| scrubbed(api.name.get(language)));
    names.chain(and_more(apis.len(), language)).collect::<Vec<_>>().join(", ")
}

/// Of so many, how many are not named.
fn and_more(count: usize, language: Language) -> Option<String> {
    let more = count.checked_sub(MOST_APIS).filter(|more| *more > 0)?;
    Some(match language {
        Language::En => format!("and {more} more"),
        Language::Cy => format!("a {more} arall"),
    })
}

/// What each of them has to say, the same once, with the APIs that it is of.
pub(super) fn by_api<'a, T: ?Sized + 'a>(
    known: impl Iterator<Item = (&'a Api, &'a T)>,
    words: impl Fn(&T) -> String,
    language: Language,
) -> Vec<String> {
    let mut said: Vec<(String, Vec<&Api>)> = Vec::new();
    for (api, what) in known {
        let what = words(what);
        match said.iter_mut().find(|(known, _)| *known == what) {
            Some((_, apis)) => apis.push(api),
            None => said.push((what, vec![api])),
        }
    }
    let more = and_more(said.len(), language);
    said.truncate(MOST_APIS);
    let named = |(what, apis): (String, Vec<&Api>)| format!("{what} ({})", some_names(&apis, language));
    said.into_iter().map(named).chain(more).collect()
}
