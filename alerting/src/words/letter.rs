//! An e-mail: to a person who is called, to a provider team, or to a service desk whose own system is away.

mod over;
mod why;

pub(super) use over::{ended, over, was, works_again};
pub(super) use why::{Why, closing, why_now};

use self::{
    over::{called_off, part_of, stand_down},
    why::reasons,
};
use super::{
    facts::{Facts, cut},
    provider::{desk_resolves, overruns, told, told_over, told_taken},
    reminder,
    ticket::ticket,
};
use crate::SendError;
use domain::{Cause, Channel, Language, Note, Notification, NotificationKind, TestCall, Way, scrubbed};

/// Longest subject: some desks make it their short description and cut it there.
const SUBJECT: usize = 160;

/// What a line of evidence may have.
const EVIDENCE: usize = 200;

/// What a work note may have.
const NOTE: usize = 3_800;

/// An e-mail's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Never starts with `RE:` or `FW:`, which desks take for an answer to something else.
    pub(crate) subject: String,
    /// Plain text.
    pub(crate) body: String,
}

/// The letter for `notification`, in the language of whoever gets it; `None`: not known, so in both.
/// `reference` is the key by which the incident's ticket can be found in the desk.
pub(crate) fn letter(
    facts: &Facts<'_>,
    notification: &Notification,
    language: Option<Language>,
    reference: &str,
) -> Result<Letter, SendError> {
    let both = |write: &dyn Fn(Language) -> (String, String)| {
        if let Some(language) = language {
            finish(facts, write(language))
        } else {
            let (en, cy) = (write(Language::En), write(Language::Cy));
            let rule = "-".repeat(60);
            let (above, below) = (en.1.trim_end(), cy.1.trim_end());
            let body = format!("Mae'r neges hon yn Gymraeg isod.\n\n{above}\n\n{rule}\n\n{below}");
            finish(facts, (in_both(facts, &cy.0, &en.0), body))
        }
    };
    match &notification.kind {
        NotificationKind::Callout { callout } => {
            let number = *callout;
            let callout = facts.callout(number).ok_or_else(|| {
                SendError::permanent(format!("{} has no callout {number}", facts.incident.id))
            })?;
            // A text's link says nothing of its way; theirs do.
            let by =
                if matches!(notification.channel, Channel::Webhook(_)) { Way::Webhook } else { Way::Email };
            Ok(both(&|language| call(facts, callout, by, language)))
        }
        NotificationKind::StandDown { taken_by } => {
            Ok(both(&|language| stand_down(facts, taken_by.as_deref(), language)))
        }
        NotificationKind::CalledOff { by } => Ok(both(&|language| called_off(facts, by, language))),
        NotificationKind::PartOf { incident } => Ok(both(&|language| part_of(facts, *incident, language))),
        NotificationKind::Told => Ok(both(&|language| told(facts, language))),
        NotificationKind::ToldTaken { by } => Ok(both(&|language| told_taken(facts, by, language))),
        NotificationKind::ToldOver => Ok(both(&|language| told_over(facts, language))),
        NotificationKind::DeskResolves { number } => {
            Ok(both(&|language| desk_resolves(facts, number, language)))
        }
        NotificationKind::Overruns { work, was_to_end_at, told_at } => {
            let times = (facts.clock(*was_to_end_at), facts.clock(*told_at));
            let owner =
                matches!(notification.channel, Channel::Email(_) | Channel::Webhook(_) | Channel::Text(_));
            Ok(both(&|language| overruns(facts, *work, &times, owner, language)))
        }
        NotificationKind::TicketFallback => Ok(fallback(facts, reference)),
        NotificationKind::FallbackNote { note } => Ok(fallback_note(facts, reference, note)),
        NotificationKind::Heard { .. } => {
            Err(SendError::permanent("what was answered by text is said back by text"))
        }
        NotificationKind::TicketOpen | NotificationKind::TicketNote { .. } => Err(SendError::permanent(
            "a ticket goes to the desk's own system; by e-mail only its fallback is sent",
        )),
    }
}

/// What is left of a subject, whose end says which incident it is.
fn room(facts: &Facts<'_>) -> usize {
    SUBJECT - facts.incident.id.to_string().len() - " []".len()
}

/// Neither language is cut while the other has more than half.
fn in_both(facts: &Facts<'_>, cy: &str, en: &str) -> String {
    let room = room(facts) - " / ".len();
    let cy = cut(cy, (room / 2).max(room.saturating_sub(en.chars().count())));
    let en = cut(en, room - cy.chars().count());
    format!("{cy} / {en}")
}

fn finish(facts: &Facts<'_>, (subject, body): (String, String)) -> Letter {
    Letter {
        subject: format!("{} [{}]", cut(&subject, room(facts)), facts.incident.id),
        body: format!("{}\n", body.trim_end()),
    }
}

/// `P1 production: Patient Demographics is not working since 03:12 GMT`.
pub(super) fn subject(facts: &Facts<'_>, words: &str, language: Language) -> String {
    format!("{} {}: {}", facts.incident.priority, facts.environment(language), scrubbed(words))
}

fn call(facts: &Facts<'_>, callout: &domain::Callout, by: Way, language: Language) -> (String, String) {
    let link = link(facts, callout, by, language);
    if let Cause::Test(what) = &facts.incident.cause {
        return match what {
            TestCall::Asked(_) | TestCall::Daily { .. } => test(facts, &link, language),
            TestCall::BeforeShift(begins) => reminder::letter(facts, begins, &link, language),
        };
    }
    let runbook = facts.api().and_then(|api| api.desk.runbook.as_deref());
    let (act, runbook_word, called) = match language {
        Language::En => ("Say that you have it, or pass it on:", "What to do:", "Called:"),
        Language::Cy => {
            ("Dywedwch ei fod gennych, neu basiwch ef ymlaen:", "Beth i'w wneud:", "Amser yr alwad:")
        }
    };
    let mut lines = vec![
        format!("{}.", facts.symptom_where(language)),
        facts.diagnosis(language),
        String::new(),
        format!("{act} {link}"),
    ];
    lines.extend(runbook.map(|link| format!("{runbook_word} {link}")));
    lines.push(String::new());
    lines.extend(reasons(facts, callout, language));
    lines.push(String::new());
    lines.extend(evidence(facts, language));
    lines.push(String::new());
    lines.push(format!("{called} {}.", facts.date(callout.at, language)));
    lines.push(facts.page_url(language));
    (subject(facts, &facts.symptom_since(language), language), paragraphs(&lines))
}

/// Where a call that came by this way is answered.
pub(crate) fn link(facts: &Facts<'_>, callout: &domain::Callout, by: Way, language: Language) -> String {
    format!("{}?by={}", facts.ack_url(callout, language), by.word())
}

/// Nothing is wrong: that comes first.
fn test(facts: &Facts<'_>, link: &str, language: Language) -> (String, String) {
    let date = facts.on_date(facts.incident.opened_at, language);
    let (subject, said, act, [you, now, next]) = match language {
        Language::En => (
            "Test call: nothing is wrong",
            "This is a test. Nothing is wrong, and nobody else is called.",
            "Say that it reached you:",
            [
                "whether calls reach you is to be known before one is needed.",
                &format!("the test was asked for {date}."),
                "nothing, once you have said that it reached you.",
            ],
        ),
        Language::Cy => (
            "Galwad brawf: nid oes dim o'i le",
            "Prawf yw hwn. Nid oes dim o'i le, ac ni chaiff neb arall ei alw.",
            "Dywedwch ei fod wedi'ch cyrraedd:",
            [
                "rhaid gwybod a yw galwadau'n eich cyrraedd cyn bod angen un.",
                &format!("gofynnwyd am y prawf {date}."),
                "dim, ar ôl i chi ddweud ei fod wedi'ch cyrraedd.",
            ],
        ),
    };
    let why = Why { you: Some(you.to_owned()), now: now.to_owned(), next: next.to_owned() };
    (subject.to_owned(), format!("{said}\n\n{act} {link}\n\n{}", why.words(language)))
}

/// What probes said: facts in English, whoever reads them.
pub(super) fn evidence(facts: &Facts<'_>, language: Language) -> Vec<String> {
    let title = match language {
        Language::En => "Evidence:",
        Language::Cy => "Tystiolaeth (yn Saesneg):",
    };
    let entries = &facts.incident.evidence;
    let said =
        entries.iter().map(|entry| cut(&format!("{} {}", facts.clock(entry.at), entry.scrubbed()), EVIDENCE));
    let title = (!entries.is_empty()).then(|| title.to_owned());
    title.into_iter().chain(said).collect()
}

/// To the desk's people, or to its inbound mail, which makes a ticket of it: hence the key on a line of its own.
fn fallback(facts: &Facts<'_>, reference: &str) -> Letter {
    let words = ticket(facts, reference);
    let (unconfirmed, priority) = match facts.desk_language() {
        Language::En => (
            "UNCONFIRMED: your own system could not be reached, so this comes by e-mail, and Curiad does not know of a ticket.\n\
             Please open one, if none is there yet, with the next line in its description: Curiad finds it by that.",
            "Priority",
        ),
        Language::Cy => (
            "HEB EI GADARNHAU: ni ellid cyrraedd eich system eich hun, felly daw hwn drwy e-bost, ac ni ŵyr Curiad am docyn.\n\
             Agorwch un, os nad oes un yno eisoes, gyda'r llinell nesaf yn ei ddisgrifiad: drwy honno y daw Curiad o hyd iddo.",
            "Blaenoriaeth",
        ),
    };
    let body = format!(
        "{unconfirmed}\ncorrelation: {reference}\n\n{priority}: {}\n\n{}\n",
        facts.incident.priority, words.description
    );
    Letter { subject: words.short_description, body }
}

/// What a work note would have said, to whom the fallback was sent.
fn fallback_note(facts: &Facts<'_>, reference: &str, note: &Note) -> Letter {
    let text: Vec<_> = note.text.lines().map(scrubbed).collect();
    let language = facts.desk_language();
    let please = match language {
        Language::En => {
            "This would be a work note, but your own system could not be reached: please add it to the ticket."
        }
        Language::Cy => {
            "Nodyn gwaith fyddai hwn, ond ni ellid cyrraedd eich system eich hun: ychwanegwch ef at y tocyn."
        }
    };
    let body = format!(
        "{} {}\n\n{please}\ncorrelation: {reference}\n\n{}\n",
        facts.clock(note.at),
        cut(&text.join("\n"), NOTE),
        facts.page_url(language),
    );
    Letter { subject: ticket(facts, reference).short_description, body }
}

/// Lines joined; never two empty ones after each other.
pub(super) fn paragraphs(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        if !(line.is_empty() && (text.is_empty() || text.ends_with("\n\n"))) {
            text.push_str(line);
            text.push('\n');
        }
        text
    })
}
