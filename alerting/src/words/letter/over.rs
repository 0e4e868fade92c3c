//! Letters that end something: it is over, somebody has it, or it is no major incident.

use super::{super::facts::Facts, Why, closing};
use domain::{IncidentId, Language, duration_words, scrubbed};
use jiff::Timestamp;

pub(super) fn stand_down(facts: &Facts<'_>, taken_by: Option<&str>, language: Language) -> (String, String) {
    let (name, was) = (facts.subject(language), was(facts, language));
    let (title, news, now, next) = match (taken_by.map(scrubbed), language) {
        (None, Language::En) => (
            format!("over: {name}"),
            format!("{was} It is over{}.", over(facts, language)),
            ended(facts, language).to_owned(),
            "nobody is called any more: you can stand down. Thank you.".to_owned(),
        ),
        (None, Language::Cy) => (
            format!("ar ben: {name}"),
            format!("{was} Mae ar ben{}.", over(facts, language)),
            ended(facts, language).to_owned(),
            "ni elwir ar neb mwyach: nid oes angen i chi weithredu. Diolch.".to_owned(),
        ),
        (Some(who), Language::En) => (
            format!("taken: {name}"),
            format!("{was} {who} has it now."),
            format!("{who} has answered{}.", taken_at(facts, &who)),
            format!(
                "you can stand down. You may be called again if they pass it on{}. Thank you.",
                silent_until(facts, &who, language)
            ),
        ),
        (Some(who), Language::Cy) => (
            format!("mewn llaw: {name}"),
            format!("{was} Mae bellach yn nwylo {who}."),
            format!("mae {who} wedi ateb{}.", taken_at(facts, &who)),
            format!(
                "nid oes angen i chi weithredu. Efallai y gelwir arnoch eto os caiff ei basio ymlaen{}. Diolch.",
                silent_until(facts, &who, language)
            ),
        ),
    };
    to_whom_it_was(facts, &title, &news, (now, next), language)
}

/// When `who` took it; empty where somebody else has it by now.
fn taken_at(facts: &Facts<'_>, who: &str) -> String {
    let taken = facts.incident.acknowledged.as_ref().filter(|taken| scrubbed(&taken.by) == who);
    taken.map_or_else(String::new, |taken| format!(" ({})", facts.clock(taken.at)))
}

/// Until when `who` may say nothing more before people are called again.
fn silent_until(facts: &Facts<'_>, who: &str, language: Language) -> String {
    let taken = facts.incident.acknowledged.as_ref().filter(|taken| scrubbed(&taken.by) == who);
    match (taken.and_then(|taken| taken.until), language) {
        (None, _) => String::new(),
        (Some(until), Language::En) => {
            format!(", or if nothing more is heard of them before {}", facts.clock(until))
        }
        (Some(until), Language::Cy) => {
            format!(", neu os na chlywir dim mwy ganddynt cyn {}", facts.clock(until))
        }
    }
}

pub(super) fn called_off(facts: &Facts<'_>, by: &str, language: Language) -> (String, String) {
    let (name, was, who) = (facts.subject(language), was(facts, language), scrubbed(by));
    let (title, news, now, next) = match language {
        Language::En => (
            format!("no major incident: {name}"),
            format!("{was} {who} says that it is no major incident."),
            format!("{who} has just said so."),
            "nobody is called any more: you can stand down. Thank you.",
        ),
        Language::Cy => (
            format!("dim digwyddiad mawr: {name}"),
            format!("{was} Dywed {who} nad yw'n ddigwyddiad mawr."),
            format!("{who} sydd newydd ddweud hynny."),
            "ni elwir ar neb mwyach: nid oes angen i chi weithredu. Diolch.",
        ),
    };
    to_whom_it_was(facts, &title, &news, (now, next.to_owned()), language)
}

pub(super) fn part_of(facts: &Facts<'_>, whole: IncidentId, language: Language) -> (String, String) {
    let (name, was) = (facts.subject(language), was(facts, language));
    let (title, news, now, next) = match language {
        Language::En => (
            format!("part of {whole}: {name}"),
            format!("{was} It is part of a wider trouble, {whole}, which goes on."),
            format!("{whole} has been found to be its cause."),
            "whoever is called for that hears of it by itself: nothing is to be done for this one. Thank you.",
        ),
        Language::Cy => (
            format!("rhan o {whole}: {name}"),
            format!("{was} Mae'n rhan o drafferth ehangach, {whole}, sy'n parhau."),
            format!("canfuwyd mai {whole} sydd wrth wraidd hyn."),
            "caiff pwy bynnag y gelwir arno am honno wybod ar wahân: nid oes dim i'w wneud am yr un hwn. Diolch.",
        ),
    };
    to_whom_it_was(facts, &title, &news, (now, next.to_owned()), language)
}

/// To everyone who was disturbed for it.
fn to_whom_it_was(
    facts: &Facts<'_>,
    title: &str,
    news: &str,
    (now, next): (String, String),
    language: Language,
) -> (String, String) {
    let you = match language {
        Language::En => "you were called for it, or had it.",
        Language::Cy => "galwyd arnoch o'i herwydd, neu roedd yn eich dwylo.",
    };
    closing(facts, title, news, &Why { you: Some(you.to_owned()), now, next }, language)
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
    if let Some(by) = facts.incident.part_of {
        return match language {
            Language::En => format!(", with {by}, which it was part of"),
            Language::Cy => format!(", gyda {by}, yr oedd yn rhan ohono"),
        };
    }
    let (recovered, resolved) = (facts.incident.recovered_at, facts.incident.resolved_at);
    let Some(at) = recovered.or(resolved) else {
        return String::new();
    };
    let lasted = duration_words(at.duration_since(facts.incident.failing_since()), language);
    let when = facts.date(at, language);
    match (recovered, language) {
        (Some(_), Language::En) => format!(": it has worked again since {when}, after {lasted}"),
        (Some(_), Language::Cy) => format!(": mae'n gweithio eto ers {when}, ar ôl {lasted}"),
        (None, Language::En) => format!(": it was closed {}, after {lasted}", facts.on_date(at, language)),
        (None, Language::Cy) => format!(": fe'i caewyd {}, ar ôl {lasted}", facts.on_date(at, language)),
    }
}

/// Why it is over: what is closed by a human, or has no cause any more, need not work.
pub(in super::super) const fn ended(facts: &Facts<'_>, language: Language) -> &'static str {
    match (facts.incident.recovered_at, language) {
        (_, Language::En) if facts.incident.part_of.is_some() => "the wider problem is over.",
        (_, Language::Cy) if facts.incident.part_of.is_some() => "mae'r broblem ehangach ar ben.",
        (Some(_), Language::En) => "it works again.",
        (Some(_), Language::Cy) => "mae'n gweithio eto.",
        (None, Language::En) => "it has been closed.",
        (None, Language::Cy) => "mae wedi'i gau.",
    }
}
