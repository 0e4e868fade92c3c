//! A text, for somebody woken at 3 am: 160 characters of the GSM alphabet, the first 40 of which say it all.

use super::{
    Try,
    facts::{Facts, capital, cut},
    gsm::{plain, taken},
    heard, reminder,
};
use crate::SendError;
use domain::{Callout, Cause, IncidentId, Language, Notification, NotificationKind, TestCall, scrubbed};

/// What one text holds.
const TEXT: usize = 160;
/// What a locked screen shows.
const HEAD: usize = 40;
/// Fewer letters of a name say nothing.
const SHORTEST_NAME: usize = 6;

/// The text for `notification`, in the language of whoever gets it.
///
/// Longer than one text only where the site's own URL leaves no room; the link is never cut.
pub(crate) fn text(
    facts: &Facts<'_>,
    notification: &Notification,
    language: Language,
    attempt: Try,
) -> Result<String, SendError> {
    match &notification.kind {
        NotificationKind::Callout { callout } => call(facts, *callout, language, attempt),
        NotificationKind::StandDown { taken_by } => {
            Ok(stand_down(facts, taken_by.as_deref(), language, attempt))
        }
        NotificationKind::CalledOff { by } => Ok(called_off(facts, by, language, attempt)),
        NotificationKind::PartOf { incident } => Ok(part_of(facts, *incident, language, attempt)),
        NotificationKind::Heard { callout, answer } => heard::text(facts, *callout, *answer, language),
        NotificationKind::TicketOpen
        | NotificationKind::TicketNote { .. }
        | NotificationKind::TicketFallback
        | NotificationKind::FallbackNote { .. }
        | NotificationKind::Told
        | NotificationKind::ToldTaken { .. }
        | NotificationKind::ToldOver
        | NotificationKind::DeskResolves { .. }
        | NotificationKind::Overruns { .. } => Err(SendError::permanent(
            "this is never told by text: a ticket or a provider team has other channels",
        )),
    }
}

/// What is left of one text.
pub(super) fn room(facts: &Facts<'_>) -> usize {
    TEXT.saturating_sub(taken(facts.configuration))
}

/// What is left of what a locked screen shows.
fn seen(facts: &Facts<'_>) -> usize {
    HEAD.saturating_sub(taken(facts.configuration))
}

fn call(facts: &Facts<'_>, number: u32, language: Language, attempt: Try) -> Result<String, SendError> {
    let callout = facts
        .callout(number)
        .ok_or_else(|| SendError::permanent(format!("{} has no callout {number}", facts.incident.id)))?;
    if let Cause::Test(what) = &facts.incident.cause {
        return Ok(match what {
            TestCall::Asked(_) | TestCall::Daily { .. } => test(facts, callout, language, attempt),
            TestCall::BeforeShift(begins) => reminder::text(facts, begins, callout, language, attempt),
        });
    }
    let (since, act, again, step) = match language {
        Language::En => ("since", "Take it or pass on:", "repeat", "Step"),
        Language::Cy => ("ers", "Derbyn neu basio:", "eto", "Cam"),
    };
    let act = if facts.configuration.text_replies { heard::how(facts, language) } else { act.to_owned() };
    let link = facts.ack_url(callout, language);
    let tries = if attempt.number > 1 { format!("/{}", attempt.number) } else { String::new() };
    let repeat = if attempt.repeat { format!(" {again}") } else { String::new() };
    let end = format!(" #{}{tries}{repeat} {}", callout.number, facts.short_clock(facts.now));
    let body = format!(" {since} {}.", facts.since());

    let steps = facts.incident.escalation.as_ref().map_or(0, |running| running.escalation.steps.len());
    let place = match (callout.step, language) {
        (0, Language::En) => " Last resort".to_owned(),
        (0, Language::Cy) => " Dewis olaf".to_owned(),
        (at, _) => format!(" {step} {at}/{steps}"),
    };
    let next = facts.next_call(language).map(|(who, at)| {
        let word = match language {
            Language::En => "next",
            Language::Cy => "wedyn",
        };
        (format!(", {word} {}", facts.short_clock(at)), format!(" {who}"))
    });
    // The fullest that fits: where you are in the steps, when the next is called, who that is.
    let middles = [
        next.as_ref().map(|(when, who)| format!("{place}{when}{who}.")),
        next.as_ref().map(|(when, _)| format!("{place}{when}.")),
        Some(format!("{place}.")),
        Some(String::new()),
    ];
    let whole = |head: &str, middle: &str, act: &str| {
        format!("{}{}{}{act} {link}{end}", plain(head), plain(&body), plain(middle))
    };
    let act = format!(" {act}");
    let full = head(facts, facts.effect(language), language, seen(facts));
    let mut candidates: Vec<String> =
        middles.into_iter().flatten().map(|middle| whole(&full, &middle, &act)).collect();
    candidates.push(whole(&full, "", ""));
    candidates.push(whole(&head(facts, facts.effect(language), language, 0), "", ""));
    let shortest = candidates.last().cloned().unwrap_or_default();
    Ok(candidates.into_iter().find(|text| text.chars().count() <= room(facts)).unwrap_or(shortest))
}

/// Nothing is wrong: that comes first.
fn test(facts: &Facts<'_>, callout: &Callout, language: Language, attempt: Try) -> String {
    let (words, again) = match (language, facts.configuration.text_replies) {
        (Language::En, false) => ("TEST: nothing is wrong. Say that this call reached you:", " repeat"),
        (Language::En, true) => {
            ("TEST: nothing is wrong. Reply TEST, or say that it reached you:", " repeat")
        }
        (Language::Cy, false) => {
            ("PRAWF: nid oes dim o'i le. Dywedwch fod yr alwad hon wedi cyrraedd:", " eto")
        }
        (Language::Cy, true) => {
            ("PRAWF: nid oes dim o'i le. Atebwch PRAWF, neu dywedwch iddi gyrraedd:", " eto")
        }
    };
    let repeat = if attempt.repeat { again } else { "" };
    let link = facts.ack_url(callout, language);
    format!("{} {link}{repeat} {}", plain(words), facts.short_clock(facts.now))
}

const fn again(attempt: Try, language: Language) -> &'static str {
    match (attempt.repeat, language) {
        (false, _) => "",
        (true, Language::En) => " (repeat)",
        (true, Language::Cy) => " (eto)",
    }
}

fn called_off(facts: &Facts<'_>, by: &str, language: Language, attempt: Try) -> String {
    let (time, again, who) = (facts.short_clock(facts.now), again(attempt, language), cut(&scrubbed(by), 40));
    let (effect, rest) = match language {
        Language::En => ("NOT MAJOR", format!(", says {who}: you can stand down. Thank you.")),
        Language::Cy => ("DDIM YN FAWR", format!(", medd {who}: dim angen gweithredu. Diolch.")),
    };
    let head = head(facts, effect, language, seen(facts));
    plain(&format!("{head}{rest} {}{again} {time}", facts.incident.id))
}

fn part_of(facts: &Facts<'_>, whole: IncidentId, language: Language, attempt: Try) -> String {
    let (time, again) = (facts.short_clock(facts.now), again(attempt, language));
    let (effect, rest) = match language {
        Language::En => (format!("PART OF {whole}"), "nothing to do for this one. Thank you."),
        Language::Cy => (format!("RHAN O {whole}"), "dim i'w wneud am yr un hwn. Diolch."),
    };
    let head = head(facts, &effect, language, seen(facts));
    plain(&format!("{head}: {rest} {}{again} {time}", facts.incident.id))
}

fn stand_down(facts: &Facts<'_>, taken_by: Option<&str>, language: Language, attempt: Try) -> String {
    let incident = facts.incident;
    let (time, again) = (facts.short_clock(facts.now), again(attempt, language));
    let (effect, rest) = match (taken_by, language) {
        (None, Language::En) => {
            let over = incident.recovered_at.or(incident.resolved_at).unwrap_or(facts.now);
            ("OVER", format!(" since {}. You can stand down. Thank you.", facts.clock(over)))
        }
        (None, Language::Cy) => {
            let over = incident.recovered_at.or(incident.resolved_at).unwrap_or(facts.now);
            ("AR BEN", format!(" ers {}. Dim angen gweithredu. Diolch.", facts.clock(over)))
        }
        (Some(who), Language::En) => {
            ("TAKEN", format!(". {} has it: you can stand down. Thank you.", cut(&scrubbed(who), 40)))
        }
        (Some(who), Language::Cy) => {
            ("MEWN LLAW", format!(". Yn nwylo {}: dim angen gweithredu. Diolch.", cut(&scrubbed(who), 40)))
        }
    };
    let head = head(facts, effect, language, seen(facts));
    plain(&format!("{head}{rest} {}{again} {time}", incident.id))
}

/// `P1 PROD Patient Demographics DOWN`, the name cut so that all of it has at most `most` characters.
fn head(facts: &Facts<'_>, effect: &str, language: Language, most: usize) -> String {
    let start = format!("{} {} ", facts.incident.priority, facts.tag(language));
    let room = most.saturating_sub(start.chars().count() + effect.chars().count() + 1);
    let name = plain(&capital(&facts.subject(language)));
    format!("{start}{} {effect}", cut(&name, room.max(SHORTEST_NAME)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::example::{at, configuration, id, incident};
    use domain::Channel;

    #[test]
    fn what_the_text_service_puts_before_a_text_is_counted() {
        let (incident, plain) = (incident(), configuration());
        let mut prefixed = plain.clone();
        prefixed.text_prefix = Some("NHS Wales".to_owned());
        let callout = Notification {
            key: "C-42-k3f9xq/x".to_owned(),
            incident: domain::IncidentId(42),
            kind: NotificationKind::Callout { callout: 1 },
            channel: Channel::Text(id("oncall.one")),
            at: at("02:14:10"),
            not_before: at("02:14:10"),
            expires_at: at("02:24:10"),
        };
        let of = |configuration, language| {
            let facts = Facts { incident: &incident, configuration, now: at("02:20:00") };
            text(&facts, &callout, language, Try { number: 1, repeat: false }).unwrap()
        };
        let said = Language::ALL.map(|language| {
            let whole = format!("NHS Wales: {}", of(&prefixed, language));
            assert!(whole.chars().count() <= TEXT, "{whole}");
            assert!(
                language == Language::Cy || of(&plain, language).chars().count() + 11 > TEXT,
                "uncounted"
            );
            whole
        });
        let golden = include_str!("../../tests/golden/prefixed.txt");
        assert_eq!(said.join("\n").trim_end(), golden.trim_end());
    }
}
