//! Letters that end something: it is over, somebody has it, or it is no major incident.

use super::{super::facts::Facts, subject};
use domain::{IncidentId, Language, duration_words, scrubbed};
use jiff::Timestamp;

pub(super) fn stand_down(facts: &Facts<'_>, taken_by: Option<&str>, language: Language) -> (String, String) {
    let name = facts.subject(language);
    let (title, words) = match (taken_by, language) {
        (None, Language::En) => (
            format!("over: {name}"),
            format!(
                "{} It is over{}.\nYou can stand down. Thank you.",
                was(facts, language),
                over(facts, language)
            ),
        ),
        (None, Language::Cy) => (
            format!("ar ben: {name}"),
            format!(
                "{} Mae ar ben{}.\nNid oes angen gweithredu. Diolch.",
                was(facts, language),
                over(facts, language)
            ),
        ),
        (Some(who), Language::En) => (
            format!("taken: {name}"),
            format!("{} {} has it now.\nYou can stand down. Thank you.", was(facts, language), scrubbed(who)),
        ),
        (Some(who), Language::Cy) => (
            format!("mewn llaw: {name}"),
            format!(
                "{} Mae bellach yn nwylo {}.\nNid oes angen gweithredu. Diolch.",
                was(facts, language),
                scrubbed(who)
            ),
        ),
    };
    (subject(facts, &title, language), to_whom_it_was(facts, &words, language))
}

pub(super) fn called_off(facts: &Facts<'_>, by: &str, language: Language) -> (String, String) {
    let (name, was, who) = (facts.subject(language), was(facts, language), scrubbed(by));
    let (title, words) = match language {
        Language::En => (
            format!("no major incident: {name}"),
            format!(
                "{was} {who} says that it is no major incident: nobody is called any more.\nYou can stand down. Thank you."
            ),
        ),
        Language::Cy => (
            format!("dim digwyddiad mawr: {name}"),
            format!(
                "{was} Dywed {who} nad yw'n ddigwyddiad mawr: ni elwir ar neb mwyach.\nNid oes angen gweithredu. Diolch."
            ),
        ),
    };
    (subject(facts, &title, language), to_whom_it_was(facts, &words, language))
}

pub(super) fn part_of(facts: &Facts<'_>, whole: IncidentId, language: Language) -> (String, String) {
    let (name, was) = (facts.subject(language), was(facts, language));
    let (title, words) = match language {
        Language::En => (
            format!("part of {whole}: {name}"),
            format!(
                "{was} It is part of a wider trouble, {whole}, which goes on: whoever is called for that hears of it by itself.\nNothing is to be done for this one. Thank you."
            ),
        ),
        Language::Cy => (
            format!("rhan o {whole}: {name}"),
            format!(
                "{was} Mae'n rhan o drafferth ehangach, {whole}, sy'n parhau: caiff pwy bynnag y gelwir arno am honno wybod ar wahân.\nNid oes dim i'w wneud am yr un hwn. Diolch."
            ),
        ),
    };
    (subject(facts, &title, language), to_whom_it_was(facts, &words, language))
}

/// With why it goes to whom it goes, and where more is.
fn to_whom_it_was(facts: &Facts<'_>, words: &str, language: Language) -> String {
    let why = match language {
        Language::En => "Why you: you were called for it, or had it.",
        Language::Cy => "Pam chi: galwyd arnoch o'i herwydd, neu roedd yn eich dwylo.",
    };
    format!("{words}\n\n{why}\n\n{}", facts.page_url(language))
}

/// Which incident is meant, when it is over or somebody has it.
pub(in super::super) fn was(facts: &Facts<'_>, language: Language) -> String {
    let (id, name) = (facts.incident.id, facts.subject(language));
    let (place, since) = (facts.environment(language), facts.since());
    match language {
        Language::En => format!("{id}: trouble with {name} ({place}, since {since})."),
        Language::Cy => format!("{id}: trafferth gyda {name} ({place}, ers {since})."),
    }
}

/// What was wrong, and that it is not any more: in a sentence without its end.
pub(in super::super) fn works_again(facts: &Facts<'_>, at: Timestamp, language: Language) -> String {
    let (name, place, since) = (facts.subject(language), facts.environment(language), facts.since());
    let at = facts.clock(at);
    match language {
        Language::En => {
            format!(
                "There was trouble with {name} ({place}, since {since}). It has worked again since {at}, and is watched"
            )
        }
        Language::Cy => {
            format!(
                "Bu trafferth gyda {name} ({place}, ers {since}). Mae'n gweithio eto ers {at}, ac yn cael ei wylio"
            )
        }
    }
}

pub(in super::super) fn over(facts: &Facts<'_>, language: Language) -> String {
    let Some(at) = facts.incident.recovered_at.or(facts.incident.resolved_at) else {
        return String::new();
    };
    let lasted = duration_words(at.duration_since(facts.incident.started_at), language);
    let when = facts.date(at, language);
    match language {
        Language::En => format!(": it has worked again since {when}, after {lasted}"),
        Language::Cy => format!(": mae'n gweithio eto ers {when}, ar ôl {lasted}"),
    }
}
