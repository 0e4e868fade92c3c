//! To somebody who answered by text: what we took from it. Whoever believes they have an incident must have it.

use super::{
    facts::{Facts, cut},
    gsm::plain,
    short::room,
};
use crate::SendError;
use domain::{Answer, IncidentStatus, Language, PassedOn, scrubbed};

/// What is shown of somebody's name.
const NAME: usize = 40;

/// How a call is answered by text: the incident's number is its code. As long as what it stands for.
pub(super) fn how(facts: &Facts<'_>, language: Language) -> String {
    let number = facts.incident.id.0;
    match language {
        Language::En => format!("Reply {number}, or {number} NO:"),
        Language::Cy => format!("Atebwch {number}, neu {number} NA:"),
    }
}

/// The text, as things are when it is sent.
pub(super) fn text(
    facts: &Facts<'_>,
    number: u32,
    answer: Option<Answer>,
    language: Language,
) -> Result<String, SendError> {
    let incident = facts.incident;
    let callout = facts
        .callout(number)
        .ok_or_else(|| SendError::permanent(format!("{} has no callout {number}", incident.id)))?;
    let name = facts.person(&callout.person);
    let (id, code) = (incident.id, incident.id.0);
    let other = incident.acknowledged.as_ref().filter(|taken| !taken.is_of(Some(&callout.person), &name));
    let theirs = incident.acknowledged.is_some() && other.is_none();
    let works = incident.passed_on(Some(number)) == PassedOn::IfItFails;
    let said = match (language, answer) {
        (Language::En, _) if incident.is_test() => "TEST: your answer has arrived. Thank you.".to_owned(),
        (Language::Cy, _) if incident.is_test() => "PRAWF: mae eich ateb wedi cyrraedd. Diolch.".to_owned(),
        (Language::En, _) if let Some(by) = incident.part_of => {
            format!(
                "{id} is part of a wider problem, {by}: you are called for that one if you are needed. Thank you."
            )
        }
        (Language::Cy, _) if let Some(by) = incident.part_of => {
            format!("Mae {id} yn rhan o broblem ehangach, {by}: fe'ch gelwir am honno os bydd angen. Diolch.")
        }
        (Language::En, _) if incident.status == IncidentStatus::Resolved => {
            format!("{id} is over. Thank you.")
        }
        (Language::Cy, _) if incident.status == IncidentStatus::Resolved => {
            format!("Mae {id} ar ben. Diolch.")
        }
        (language, _) if let Some(taken) = other => {
            let (who, since) = (cut(&scrubbed(&taken.by), NAME), facts.clock(taken.at));
            match language {
                Language::En => {
                    format!("{id}: {who} has had it since {since}. You can stand down. Thank you.")
                }
                Language::Cy => format!("{id}: yn nwylo {who} ers {since}. Dim angen gweithredu. Diolch."),
            }
        }
        // Nobody is called for what works again.
        (Language::En, Some(Answer::CallNext)) if works => {
            format!("{id} works again, and is watched: nobody is called unless it fails again. Thank you.")
        }
        (Language::Cy, Some(Answer::CallNext)) if works => {
            format!(
                "Mae {id} yn gweithio eto, a chaiff ei wylio: ni elwir ar neb oni bai ei fod yn methu eto. Diolch."
            )
        }
        (language, Some(Answer::CallNext)) if let (Some(said), false) = (incident.not_major(), theirs) => {
            let who = cut(&scrubbed(&said.by), NAME);
            match language {
                Language::En => {
                    format!("{id} is no major incident, says {who}: nobody is called. Thank you.")
                }
                Language::Cy => {
                    format!("Nid yw {id} yn ddigwyddiad mawr, medd {who}: ni elwir ar neb. Diolch.")
                }
            }
        }
        (language, Some(Answer::CallNext))
            if let (PassedOn::Again(at), false) = (incident.passed_on(Some(number)), theirs) =>
        {
            let at = facts.clock(at);
            match language {
                Language::En => {
                    format!("{id}: there is nobody else to call. You are called again at {at}. Thank you.")
                }
                Language::Cy => {
                    format!("{id}: nid oes neb arall i'w alw. Fe'ch gelwir eto am {at}. Diolch.")
                }
            }
        }
        (Language::En, Some(Answer::CallNext)) if !theirs => {
            format!("{id}: you have passed it on. Others are called. Thank you.")
        }
        (Language::Cy, Some(Answer::CallNext)) if !theirs => {
            format!("{id}: rydych wedi'i basio ymlaen. Gelwir ar eraill. Diolch.")
        }
        (Language::En, _) if theirs => format!("{id}: you have it. Thank you."),
        (Language::Cy, _) if theirs => format!("{id}: mae yn eich dwylo chi. Diolch."),
        (Language::En, _) => {
            format!(
                "{id}: your text was not understood, so you do NOT have it. Reply {code} to take it, {code} NO to pass it on."
            )
        }
        (Language::Cy, _) => {
            format!(
                "{id}: ni ddeallwyd eich neges, felly NID yw gennych. Atebwch {code} i'w dderbyn, {code} NA i'w basio ymlaen."
            )
        }
    };
    // No two alike: networks drop a text that has been sent often.
    let whole = plain(&format!("{said} {}", facts.short_clock(facts.now)));
    debug_assert!(whole.chars().count() <= room(facts), "{whole}");
    Ok(whole)
}
