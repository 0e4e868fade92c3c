//! Why you, why now, what next: in every letter.

use super::{super::facts::Facts, subject};
use domain::{Cause, Language, scrubbed};

/// Of a letter that ends something, or asks one thing of its reader: each a sentence without its label.
pub(in super::super) struct Why {
    /// Why this reader; `None`: the incident names nobody.
    pub(in super::super) you: Option<String>,
    pub(in super::super) now: String,
    pub(in super::super) next: String,
}

/// A letter's subject and text: `news`, the three reasons, and where more is.
pub(in super::super) fn closing(
    facts: &Facts<'_>,
    title: &str,
    news: &str,
    why: &Why,
    language: Language,
) -> (String, String) {
    let (reasons, link) = (why.words(language), facts.page_url(language));
    (subject(facts, title, language), format!("{news}\n\n{reasons}\n\n{link}"))
}

impl Why {
    /// A line each, with its label.
    pub(in super::super) fn words(&self, language: Language) -> String {
        let [you, now, next] = match language {
            Language::En => ["Why you:", "Why now:", "What next:"],
            Language::Cy => ["Pam chi:", "Pam nawr:", "Beth nesaf:"],
        };
        let you = self.you.as_ref().map_or_else(String::new, |words| format!("{you} {words}\n"));
        format!("{you}{now} {}\n{next} {}", self.now, self.next)
    }
}

/// Of a call.
pub(super) fn reasons(facts: &Facts<'_>, callout: &domain::Callout, language: Language) -> Vec<String> {
    let incident = facts.incident;
    let Some(running) = &incident.escalation else {
        return Vec::new();
    };
    let (rule, steps) = (&running.escalation.id, running.escalation.steps.len());
    let nobody = matches!(incident.cause, Cause::Rota(_));
    let you = match (callout.step, language) {
        (0, Language::En) if nobody => {
            format!("Why you: nobody is on call; you are the last resort of {rule}.")
        }
        (0, Language::Cy) if nobody => format!("Pam chi: nid oes neb ar alw; chi yw'r dewis olaf yn {rule}."),
        (0, Language::En) => format!("Why you: nobody answered; you are the last resort of {rule}."),
        (0, Language::Cy) => format!("Pam chi: ni atebodd neb; chi yw'r dewis olaf yn {rule}."),
        (step, Language::En) => {
            format!("Why you: {rule}, step {step} of {steps}.")
        }
        (step, Language::Cy) => format!("Pam chi: {rule}, cam {step} o {steps}."),
    };
    let (priority, now) = (incident.priority, why_now(facts, language));
    let next = match (facts.next_call(language), language) {
        (Some((who, at)), Language::En) => {
            format!("What next: without an answer, {who} is called at {}.", facts.clock(at))
        }
        (Some((who, at)), Language::Cy) => {
            format!("Beth nesaf: heb ateb, gelwir {who} am {}.", facts.clock(at))
        }
        (None, Language::En) => "What next: nobody else is called.".to_owned(),
        (None, Language::Cy) => "Beth nesaf: ni elwir neb arall.".to_owned(),
    };
    let weight = match language {
        Language::En => format!("Priority: {priority}: {}.", facts.weight(language)),
        Language::Cy => format!("Blaenoriaeth: {priority}: {}.", facts.weight(language)),
    };
    vec![you, now, weight, next]
}

/// What it is, why it is that, and that it is still so, or since when not.
pub(in super::super) fn why_now(facts: &Facts<'_>, language: Language) -> String {
    let incident = facts.incident;
    let major = match (&incident.major, language) {
        (None, _) => String::new(),
        (Some(major), Language::En) if major.proposed => {
            format!(", proposed as major ({})", scrubbed(&major.why))
        }
        (Some(major), Language::En) => format!(", major ({})", scrubbed(&major.why)),
        // A rule's words are kept in English; a human's are in the language they chose.
        (Some(domain::Major { by: Some(_), why, .. }), Language::Cy) => format!(", mawr ({})", scrubbed(why)),
        (Some(major), Language::Cy) => {
            let what = if major.proposed { "wedi'i gynnig fel un mawr" } else { "mawr" };
            facts.major_rule().map_or_else(|| format!(", {what}"), |rule| format!(", {what} ({rule})"))
        }
    };
    let (priority, confirmed) = (incident.priority, facts.clock(incident.opened_at));
    match (incident.recovered_at, language) {
        (None, Language::En) => {
            let at = facts.clock(facts.now);
            format!("Why now: {priority} incident{major}; confirmed at {confirmed}, still so at {at}.")
        }
        (None, Language::Cy) => {
            let at = facts.clock(facts.now);
            format!("Pam nawr: digwyddiad {priority}{major}; cadarnhawyd am {confirmed}, yn parhau am {at}.")
        }
        (Some(over), Language::En) => {
            let over = facts.clock(over);
            format!(
                "Why now: {priority} incident{major}; confirmed at {confirmed}, has worked again since {over}."
            )
        }
        (Some(over), Language::Cy) => {
            let over = facts.clock(over);
            format!(
                "Pam nawr: digwyddiad {priority}{major}; cadarnhawyd am {confirmed}, yn gweithio eto ers {over}."
            )
        }
    }
}
