//! To somebody whose shift begins: when, and that nothing is wrong.

use super::{Try, facts::Facts, gsm::plain, short::room};
use domain::{Callout, DutyBegins, Language};

/// The text. Where the site's own URL leaves no room, the rota goes.
pub(super) fn text(
    facts: &Facts<'_>,
    begins: &DutyBegins,
    callout: &Callout,
    language: Language,
    attempt: Try,
) -> String {
    let when = when(facts, begins, language);
    let (first, again) = match language {
        Language::En => ("you are first on call", " repeat"),
        Language::Cy => ("chi sydd gyntaf ar alw", " eto"),
    };
    let ask = match (language, facts.configuration.text_replies) {
        (Language::En, false) => "Nothing is wrong. Say that this reached you:",
        (Language::En, true) => "Nothing is wrong: reply TEST, or say that this reached you:",
        (Language::Cy, false) => "Nid oes dim o'i le. Dywedwch fod hyn wedi cyrraedd:",
        (Language::Cy, true) => "Nid oes dim o'i le: atebwch PRAWF, neu dywedwch fod hyn wedi cyrraedd:",
    };
    let repeat = if attempt.repeat { again } else { "" };
    let link = facts.ack_url(callout, language);
    let whole = |rota: &str| {
        let said = plain(&format!("{when} {first}{rota}. {ask}"));
        format!("{said} {link}{repeat} {}", facts.short_clock(facts.now))
    };
    let full = whole(&format!(" ({})", begins.rota));
    if full.chars().count() <= room(facts) { full } else { whole("") }
}

/// Subject and body of the e-mail.
pub(super) fn letter(
    facts: &Facts<'_>,
    begins: &DutyBegins,
    link: &str,
    language: Language,
) -> (String, String) {
    let (when, date) = (when(facts, begins, language), facts.date(begins.from, language));
    let rota = &begins.rota;
    match language {
        Language::En => (
            format!("{when} you are first on call"),
            format!(
                "You are first on call on the rota {rota} from {date}. Nothing is wrong.\n\nSay that this reached you, so \
                 that it is known that a call would: {link}"
            ),
        ),
        Language::Cy => (
            format!("{when} chi sydd gyntaf ar alw"),
            format!(
                "Chi sydd gyntaf ar alw ar y rota {rota}, gan ddechrau {date}. Nid oes dim o'i le.\n\nDywedwch fod hyn wedi'ch cyrraedd, \
                 er mwyn gwybod y byddai galwad yn gwneud hynny: {link}"
            ),
        ),
    }
}

/// `Tomorrow 09:00`, as whoever reads it now would say; nothing is told longer before.
fn when(facts: &Facts<'_>, begins: &DutyBegins, language: Language) -> String {
    let zone = &facts.configuration.site.time_zone;
    let today = zone.to_datetime(facts.now).date() == zone.to_datetime(begins.from).date();
    let day = match (today, language) {
        (true, Language::En) => "Today",
        (false, Language::En) => "Tomorrow",
        (true, Language::Cy) => "Heddiw",
        (false, Language::Cy) => "Yfory",
    };
    format!("{day} {}", facts.short_clock(begins.from))
}
