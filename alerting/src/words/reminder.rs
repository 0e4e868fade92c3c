//! To somebody whose shift begins: when, and that nothing is wrong.

use super::{Try, facts::Facts, gsm::plain, letter::Why, short::room};
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
    let (subject, said, act, [you, now, next]) = match language {
        Language::En => (
            format!("{when} you are first on call"),
            format!("You are first on call on the rota {rota} from {date}. Nothing is wrong."),
            "Say that this reached you:",
            [
                "it is to be known that a call would reach you.",
                "your shift is about to begin.",
                "calls for this rota come to you first from then on.",
            ],
        ),
        Language::Cy => (
            format!("{when} chi sydd gyntaf ar alw"),
            format!("Chi sydd gyntaf ar alw ar y rota {rota}, gan ddechrau {date}. Nid oes dim o'i le."),
            "Dywedwch fod hyn wedi'ch cyrraedd:",
            [
                "rhaid gwybod y byddai galwad yn eich cyrraedd.",
                "mae eich sifft ar fin dechrau.",
                "o hynny ymlaen atoch chi y daw galwadau'r rota hon gyntaf.",
            ],
        ),
    };
    let why = Why { you: Some(you.to_owned()), now: now.to_owned(), next: next.to_owned() };
    (subject, format!("{said}\n\n{act} {link}\n\n{}", why.words(language)))
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
