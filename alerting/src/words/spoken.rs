//! A telephone call, in Twilio's markup: said three times, and then it ends. A voicemail presses no digit, so it answers
//! nothing; who is awake presses one.

use super::facts::{Facts, capital, cut};
use crate::SendError;
use domain::{
    Callout, Cause, Configuration, Incident, IncidentId, Language, Notification, NotificationKind, Target,
    TestCall, scrubbed,
};
use jiff::Timestamp;

/// How often it is said to somebody who presses nothing.
const TIMES: usize = 3;
/// Seconds in which a digit may be pressed after it was said.
const PRESS: u32 = 8;
/// Letters of what is wrong and of names: the whole of a call has 4,000.
const DIAGNOSIS: usize = 200;
const NAME: usize = 60;

/// What a call says and asks, in the language of whoever gets it.
pub(crate) fn call(
    facts: &Facts<'_>,
    notification: &Notification,
    language: Language,
) -> Result<String, SendError> {
    match &notification.kind {
        NotificationKind::Callout { callout } => {
            let callout = facts.callout(*callout).ok_or_else(|| {
                SendError::permanent(format!("{} has no callout {callout}", facts.incident.id))
            })?;
            Ok(asked(facts, callout, language))
        }
        NotificationKind::StandDown { taken_by } => {
            let subject = subject(facts, language);
            Ok(said(&over(&subject, taken_by.as_deref(), language), language))
        }
        NotificationKind::CalledOff { by } => {
            Ok(said(&called_off(&subject(facts, language), by, language), language))
        }
        NotificationKind::PartOf { incident } => {
            Ok(said(&part_of(&subject(facts, language), *incident, language), language))
        }
        NotificationKind::Heard { .. }
        | NotificationKind::TicketOpen
        | NotificationKind::TicketNote { .. }
        | NotificationKind::TicketFallback
        | NotificationKind::FallbackNote { .. }
        | NotificationKind::Told
        | NotificationKind::ToldTaken { .. }
        | NotificationKind::ToldOver
        | NotificationKind::DeskResolves { .. }
        | NotificationKind::Overruns { .. } => {
            Err(SendError::permanent("nobody is rung up for this: it has other channels"))
        }
    }
}

/// What is said to somebody who is on the line: `words`, and then the call ends; or else all of the call again.
pub fn spoken(
    configuration: &Configuration,
    incident: &Incident,
    callout: &Callout,
    words: Option<&str>,
    now: Timestamp,
) -> String {
    let language = configuration.people.get(&callout.person).map_or(Language::En, |person| person.language);
    match words {
        Some(words) => said(words, language),
        None => asked(&Facts { incident, configuration, now }, callout, language),
    }
}

/// Said, with nothing to be pressed.
pub(crate) fn said(words: &str, language: Language) -> String {
    format!("<Response>{}</Response>", say(words, language))
}

fn say(words: &str, language: Language) -> String {
    let (voice, tag) = match language {
        Language::En => ("Polly.Amy", "en-GB"),
        Language::Cy => ("Polly.Gwyneth", "cy-GB"),
    };
    format!(r#"<Say voice="{voice}" language="{tag}">{}</Say>"#, escaped(words))
}

fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

fn asked(facts: &Facts<'_>, callout: &Callout, language: Language) -> String {
    let action =
        format!("{}/hooks/twilio/answer/{}", facts.configuration.site.url.get(language), callout.reference);
    let gather = format!(
        r#"<Gather numDigits="1" timeout="{PRESS}" method="POST" action="{}">{}</Gather>"#,
        escaped(&action),
        say(&words(facts, callout, language), language)
    );
    format!("<Response>{}</Response>", gather.repeat(TIMES))
}

fn words(facts: &Facts<'_>, callout: &Callout, language: Language) -> String {
    if let Cause::Test(what) = &facts.incident.cause {
        return test(facts, what, language);
    }
    let effect = facts.effect(language).to_lowercase();
    let (subject, since) = (subject(facts, language), facts.since());
    let diagnosis = cut(&facts.diagnosis(language), DIAGNOSIS);
    let (priority, environment) = (facts.incident.priority, facts.environment(language));
    let next = facts.next_call(language).map(|(who, at)| (cut(&who, NAME), facts.clock(at)));
    let steps = facts.incident.escalation.as_ref().map(|running| &running.escalation.steps);
    let step = usize::try_from(callout.step).ok().and_then(|step| steps?.get(step.checked_sub(1)?));
    let by_name = step.is_some_and(|step| matches!(step.call, Target::Person(_)));
    let why = match (callout.step, by_name, language) {
        (0, _, Language::En) => "because you are the last resort",
        (_, true, Language::En) => "because you are named for this",
        (_, false, Language::En) => "because you are on call",
        (0, _, Language::Cy) => "am mai chi yw'r dewis olaf",
        (_, true, Language::Cy) => "am eich bod wedi'ch enwi ar gyfer hyn",
        (_, false, Language::Cy) => "am eich bod ar alw",
    };
    match language {
        Language::En => {
            let next = next.map(|(who, at)| format!(" If nobody answers, next at {at}: {who}."));
            format!(
                "This is Curiad, calling you {why}. {priority}, {environment}. {subject}: {effect}, since \
                 {since}. {diagnosis}{} Press 1 to take it. Press 2 to pass it on. Press 3 to hear this again.",
                next.unwrap_or_default()
            )
        }
        Language::Cy => {
            let next = next.map(|(who, at)| format!(" Os nad oes neb yn ateb, nesaf am {at}: {who}."));
            format!(
                "Curiad sydd yma, yn ffonio {why}. {priority}, {environment}. {subject}: {effect}, ers {since}. \
                 {diagnosis}{} Pwyswch 1 i'w dderbyn. Pwyswch 2 i'w basio ymlaen. Pwyswch 3 i glywed hyn eto.",
                next.unwrap_or_default()
            )
        }
    }
}

/// Nothing is wrong: that comes first.
fn test(facts: &Facts<'_>, what: &TestCall, language: Language) -> String {
    let duty = match what {
        TestCall::BeforeShift(_) => format!(" {}", cut(&facts.diagnosis(language), DIAGNOSIS)),
        TestCall::Asked(_) | TestCall::Daily { .. } => String::new(),
    };
    match language {
        Language::En => format!(
            "This is Curiad. This is a test: nothing is wrong.{duty} Press 1 to say that this call reached you."
        ),
        Language::Cy => format!(
            "Curiad sydd yma. Prawf yw hwn: nid oes dim o'i le.{duty} Pwyswch 1 i ddweud bod yr alwad hon wedi'ch cyrraedd."
        ),
    }
}

fn over(subject: &str, taken_by: Option<&str>, language: Language) -> String {
    let who = taken_by.map(|who| cut(&scrubbed(who), NAME));
    match (language, who) {
        (Language::En, None) => {
            format!("This is Curiad. {subject}: it is over. You can stand down. Thank you.")
        }
        (Language::Cy, None) => {
            format!("Curiad sydd yma. {subject}: mae ar ben. Dim angen gweithredu. Diolch.")
        }
        (Language::En, Some(who)) => {
            format!("This is Curiad. {subject}: {who} has it. You can stand down. Thank you.")
        }
        (Language::Cy, Some(who)) => {
            format!("Curiad sydd yma. {subject}: yn nwylo {who}. Dim angen gweithredu. Diolch.")
        }
    }
}

fn called_off(subject: &str, by: &str, language: Language) -> String {
    let who = cut(&scrubbed(by), NAME);
    match language {
        Language::En => format!(
            "This is Curiad. {subject}: {who} says it is no major incident. You can stand down. Thank you."
        ),
        Language::Cy => format!(
            "Curiad sydd yma. {subject}: dywed {who} nad yw'n ddigwyddiad mawr. Dim angen gweithredu. Diolch."
        ),
    }
}

fn part_of(subject: &str, whole: IncidentId, language: Language) -> String {
    match language {
        Language::En => format!(
            "This is Curiad. {subject}: it is part of a wider trouble, {whole}. Nothing is to be done for this one. Thank you."
        ),
        Language::Cy => format!(
            "Curiad sydd yma. {subject}: mae'n rhan o drafferth ehangach, {whole}. Nid oes dim i'w wneud am yr un hwn. Diolch."
        ),
    }
}

fn subject(facts: &Facts<'_>, language: Language) -> String {
    cut(&capital(&facts.subject(language)), NAME)
}
