//! To the team that provides an API: what it hears of trouble, of the desk, and of planned work.

use super::{
    facts::{Facts, capital},
    letter::{Letter, evidence, letter, over, paragraphs, subject, was},
};
use crate::SendError;
use domain::{Language, Notification, scrubbed};

/// The letter in English, and in Welsh.
pub(crate) fn both(
    facts: &Facts<'_>,
    notification: &Notification,
    reference: &str,
) -> Result<[Letter; 2], SendError> {
    let [en, cy] =
        [Language::En, Language::Cy].map(|language| letter(facts, notification, Some(language), reference));
    Ok([en?, cy?])
}

pub(super) fn told(facts: &Facts<'_>, language: Language) -> (String, String) {
    let (affected, priority) = match language {
        Language::En => ("Affected:", "Priority:"),
        Language::Cy => ("Effeithir ar:", "Blaenoriaeth:"),
    };
    let mut lines = vec![
        format!("{}.", facts.symptom_where(language)),
        facts.diagnosis(language),
        String::new(),
        format!("{affected} {}", facts.names(&facts.incident.affects, language)),
        format!("{priority} {}: {}.", facts.incident.priority, facts.weight(language)),
        String::new(),
    ];
    lines.extend(evidence(facts, language));
    lines.push(String::new());
    lines.push(facts.page_url(language));
    (subject(facts, &facts.symptom_since(language), language), paragraphs(&lines))
}

pub(super) fn told_taken(facts: &Facts<'_>, by: &str, language: Language) -> (String, String) {
    let (name, who) = (facts.subject(language), scrubbed(by));
    let (title, body) = match language {
        Language::En => (format!("taken: {name}"), format!("{} {who} has it now.", was(facts, language))),
        Language::Cy => {
            (format!("mewn llaw: {name}"), format!("{} Mae bellach yn nwylo {who}.", was(facts, language)))
        }
    };
    (subject(facts, &title, language), format!("{body}\n\n{}", facts.page_url(language)))
}

pub(super) fn told_over(facts: &Facts<'_>, language: Language) -> (String, String) {
    let word = match language {
        Language::En => "over",
        Language::Cy => "ar ben",
    };
    let title = format!("{word}: {}", facts.subject(language));
    let end = over(facts, language);
    let body = match language {
        Language::En => format!("{} It is over{end}.", was(facts, language)),
        Language::Cy => format!("{} Mae ar ben{end}.", was(facts, language)),
    };
    (subject(facts, &title, language), format!("{body}\n\n{}", facts.page_url(language)))
}

pub(super) fn desk_resolves(facts: &Facts<'_>, number: &str, language: Language) -> (String, String) {
    let what = facts.symptom_where(language);
    let (title, body) = match language {
        Language::En => (
            format!("the desk resolves {number} too early"),
            format!(
                "{what}.\n\nThe service desk resolves {number} each time Curiad opens it again: a rule of theirs? Please \
                 telephone them. Curiad opens it no more; the incident goes on, and people are called as before."
            ),
        ),
        Language::Cy => (
            format!("mae'r ddesg yn datrys {number} yn rhy gynnar"),
            format!(
                "{what}.\n\nMae'r ddesg gwasanaeth yn datrys {number} bob tro y mae Curiad yn ei ailagor: rheol o'u heiddo \
                 nhw? Ffoniwch nhw, os gwelwch yn dda. Nid yw Curiad yn ei agor mwyach; mae'r digwyddiad yn parhau, a gelwir \
                 ar bobl fel o'r blaen."
            ),
        ),
    };
    (subject(facts, &title, language), format!("{body}\n\n{}", facts.page_url(language)))
}

pub(super) fn overruns(
    facts: &Facts<'_>,
    work: Option<u64>,
    (ended, told): &(String, String),
    language: Language,
) -> (String, String) {
    let what = facts.symptom_where(language);
    let name = match (work, language) {
        (Some(work), Language::En) => format!("planned work {work}"),
        (Some(work), Language::Cy) => format!("gwaith {work} a gynlluniwyd"),
        (None, Language::En) => "the planned window".to_owned(),
        (None, Language::Cy) => "y ffenestr waith a gynlluniwyd".to_owned(),
    };
    let (title, body) = match language {
        Language::En => (
            format!("{name} has not ended"),
            format!(
                "{what}.\n\n{} was to end at {ended}, and this still fails. If the work goes on, announce \
                 the rest of it before {told}: `curiad maintenance add`. From then on it is told as an incident.",
                capital(&name)
            ),
        ),
        Language::Cy => (
            format!("nid yw {name} wedi dod i ben"),
            format!(
                "{what}.\n\nRoedd {name} i ddod i ben am {ended}, ac mae hyn yn dal i fethu. Os yw'r \
                 gwaith yn parhau, cyhoeddwch y gweddill ohono cyn {told}: `curiad maintenance add`. O hynny ymlaen \
                 rhoddir gwybod amdano fel digwyddiad."
            ),
        ),
    };
    (subject(facts, &title, language), format!("{body}\n\n{}", facts.page_url(language)))
}
