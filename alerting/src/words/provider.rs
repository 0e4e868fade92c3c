//! To the team that provides an API: what it hears of trouble, of the desk, and of planned work.

use super::{
    facts::Facts,
    letter::{Letter, Why, closing, ended, evidence, letter, over, paragraphs, subject, was, why_now},
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

/// Why this team, in a sentence without its label: the API is its own.
fn why_you(facts: &Facts<'_>, language: Language) -> Option<String> {
    let id = facts.incident.told.as_ref().or_else(|| Some(&facts.api()?.team))?;
    let team = scrubbed(facts.configuration.teams.get(id)?.name.get(language));
    let name = facts.subject(language);
    Some(match language {
        Language::En => format!("{team} provides {name}."),
        Language::Cy => format!("{team} sy'n darparu {name}."),
    })
}

/// Who has it, or will be called: so that whoever provides it knows whether it waits for them alone.
fn what_next(facts: &Facts<'_>, language: Language) -> String {
    let call = facts.next_call(language).or_else(|| facts.first_call(language));
    match (&facts.incident.acknowledged, call, language) {
        (Some(taken), _, Language::En) => format!("What next: {} has it.", scrubbed(&taken.by)),
        (Some(taken), _, Language::Cy) => format!("Beth nesaf: mae yn nwylo {}.", scrubbed(&taken.by)),
        (None, Some((who, at)), Language::En) => {
            format!("What next: unless somebody has it before, {who} is called at {}.", facts.clock(at))
        }
        (None, Some((who, at)), Language::Cy) => {
            let at = facts.clock(at);
            format!("Beth nesaf: oni bai bod rhywun yn delio ag ef cyn hynny, gelwir {who} am {at}.")
        }
        (None, None, Language::En) => {
            "What next: nobody is called out for it; you hear when it is over.".to_owned()
        }
        (None, None, Language::Cy) => {
            "Beth nesaf: ni elwir neb allan ar ei gyfer; cewch wybod pan fydd ar ben.".to_owned()
        }
    }
}

pub(super) fn told(facts: &Facts<'_>, language: Language) -> (String, String) {
    let (affected, you, priority) = match language {
        Language::En => ("Affected:", "Why you:", "Priority:"),
        Language::Cy => ("Effeithir ar:", "Pam chi:", "Blaenoriaeth:"),
    };
    let mut lines = vec![
        format!("{}.", facts.symptom_where(language)),
        facts.diagnosis(language),
        String::new(),
        format!("{affected} {}", facts.names(&facts.incident.affects, language)),
        String::new(),
    ];
    lines.extend(why_you(facts, language).map(|words| format!("{you} {words}")));
    lines.push(why_now(facts, language));
    lines.push(format!("{priority} {}: {}.", facts.incident.priority, facts.weight(language)));
    lines.push(what_next(facts, language));
    lines.push(String::new());
    lines.extend(evidence(facts, language));
    lines.push(String::new());
    lines.push(facts.page_url(language));
    (subject(facts, &facts.symptom_since(language), language), paragraphs(&lines))
}

pub(super) fn told_taken(facts: &Facts<'_>, by: &str, language: Language) -> (String, String) {
    let (name, who, was) = (facts.subject(language), scrubbed(by), was(facts, language));
    let (title, news, now, next) = match language {
        Language::En => (
            format!("taken: {name}"),
            format!("{was} {who} has it now."),
            format!("{who} has answered."),
            "nothing is asked of you; you hear when it is over.",
        ),
        Language::Cy => (
            format!("mewn llaw: {name}"),
            format!("{was} Mae bellach yn nwylo {who}."),
            format!("mae {who} wedi ateb."),
            "ni ofynnir dim gennych; cewch wybod pan fydd ar ben.",
        ),
    };
    let why = Why { you: why_you(facts, language), now, next: next.to_owned() };
    closing(facts, &title, &news, &why, language)
}

pub(super) fn told_over(facts: &Facts<'_>, language: Language) -> (String, String) {
    let (name, was, end) = (facts.subject(language), was(facts, language), over(facts, language));
    let (title, news, next) = match language {
        Language::En => (
            format!("over: {name}"),
            format!("{was} It is over{end}."),
            "nothing is asked of you; you hear of it if it comes back.",
        ),
        Language::Cy => (
            format!("ar ben: {name}"),
            format!("{was} Mae ar ben{end}."),
            "ni ofynnir dim gennych; cewch wybod os daw'n ôl.",
        ),
    };
    let now = ended(facts, language).to_owned();
    let why = Why { you: why_you(facts, language), now, next: next.to_owned() };
    closing(facts, &title, &news, &why, language)
}

pub(super) fn desk_resolves(facts: &Facts<'_>, number: &str, language: Language) -> (String, String) {
    let what = facts.symptom_where(language);
    let (title, news, now, next) = match language {
        Language::En => (
            format!("the desk resolves {number} too early"),
            format!(
                "{what}.\n\nThe service desk resolves {number} each time Curiad opens it again: a rule of theirs? Please \
                 telephone them."
            ),
            format!("{number} was resolved again, while this still fails."),
            "Curiad opens it no more; the incident goes on, and people are called as before.",
        ),
        Language::Cy => (
            format!("mae'r ddesg yn datrys {number} yn rhy gynnar"),
            format!(
                "{what}.\n\nMae'r ddesg gwasanaeth yn datrys {number} bob tro y mae Curiad yn ei ailagor: rheol o'u heiddo \
                 nhw? Ffoniwch nhw, os gwelwch yn dda."
            ),
            format!("cafodd {number} ei ddatrys eto, a hyn yn dal i fethu."),
            "nid yw Curiad yn ei agor mwyach; mae'r digwyddiad yn parhau, a gelwir ar bobl fel o'r blaen.",
        ),
    };
    let why = Why { you: why_you(facts, language), now, next: next.to_owned() };
    closing(facts, &title, &news, &why, language)
}

/// To whoever announced the work (`owner`), or to the team.
pub(super) fn overruns(
    facts: &Facts<'_>,
    work: Option<u64>,
    (ended, told): &(String, String),
    owner: bool,
    language: Language,
) -> (String, String) {
    let what = facts.symptom_where(language);
    let name = match (work, language) {
        (Some(work), Language::En) => format!("planned work {work}"),
        (Some(work), Language::Cy) => format!("gwaith {work} a gynlluniwyd"),
        (None, Language::En) => "the planned window".to_owned(),
        (None, Language::Cy) => "y ffenestr waith a gynlluniwyd".to_owned(),
    };
    let (title, news, now, next) = match language {
        Language::En => (
            format!("{name} has not ended"),
            format!(
                "{what}.\n\nIf the work goes on, announce the rest of it before {told}: `curiad maintenance add`."
            ),
            format!("{name} was to end at {ended}, and this still fails."),
            format!("from {told} on it is told as an incident."),
        ),
        Language::Cy => (
            format!("nid yw {name} wedi dod i ben"),
            format!(
                "{what}.\n\nOs yw'r gwaith yn parhau, cyhoeddwch y gweddill ohono cyn {told}: `curiad maintenance add`."
            ),
            format!("roedd {name} i ddod i ben am {ended}, ac mae hyn yn dal i fethu."),
            format!("o {told} ymlaen rhoddir gwybod amdano fel digwyddiad."),
        ),
    };
    let you = match language {
        _ if !owner => why_you(facts, language),
        Language::En => Some(format!("{name} is yours.")),
        Language::Cy => Some(format!("chi biau {name}.")),
    };
    closing(facts, &title, &news, &Why { you, now, next }, language)
}
