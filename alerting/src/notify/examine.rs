//! Does Notify know our key, and is the template one that brings a message through whole? No text is sent.

use super::{TextService, WHOM};
use crate::{ClockSeen, Examined, Finding, SendError};
use domain::Clock;
use serde::Deserialize;

/// The whole body that the template must have.
const BODY: &str = "((message))";
/// The whole subject that an e-mail's must have.
const SUBJECT: &str = "((subject))";

#[derive(Deserialize)]
struct Template {
    name: String,
    r#type: String,
    version: u64,
    body: String,
    #[serde(default)]
    subject: Option<String>,
}

impl TextService {
    /// Asks for the template: `GET /v2/template/{id}`.
    pub(crate) async fn examine(&self, clock: &Clock) -> Examined {
        let url = format!("{}/v2/template/{}", self.settings.url, self.settings.text_template);
        let (answer, refusal) = match self.exchange(self.client.get(url), clock.now()).await {
            Ok(seen) => seen,
            Err(error) => return Examined { findings: vec![unreachable(&error)], ..Examined::default() },
        };
        let ours = clock.now();
        let seen = answer.date.map(|theirs| ClockSeen { whose: WHOM.to_owned(), theirs, ours });
        let findings = match answer.status.as_u16() {
            200 => {
                let key = Finding::ok(format!("{WHOM}: our key"), "known");
                vec![key, answer.json(WHOM).map_or_else(|error| unreachable(&error), |found| fit(&found))]
            }
            // The documentation has 400 for an unknown template, the service's own code 404.
            400 | 404 => vec![
                Finding::ok(format!("{WHOM}: our key"), "known"),
                Finding::problem(
                    format!("{WHOM}: the template"),
                    format!("our service there has no template {}", self.settings.text_template),
                    "copy the template's id from Notify into `notify.text_template`; the key must be of the same service",
                ),
            ],
            401 | 403 => vec![Finding::problem(
                format!("{WHOM}: our key"),
                super::meaning(&answer, refusal).why(),
                "make a live key in Notify's API settings and give it as `notify.api_key`; a clock that is half a \
                 minute off is refused too",
            )],
            _ => vec![unreachable(&super::meaning(&answer, refusal))],
        };
        let mut findings = findings;
        if let Some(template) = &self.settings.email_template {
            findings.push(self.mail_template(template, clock).await);
        }
        Examined { findings, clock: seen, certificate: None }
    }

    async fn mail_template(&self, id: &str, clock: &Clock) -> Finding {
        let what = format!("{WHOM}: the e-mail template");
        let url = format!("{}/v2/template/{id}", self.settings.url);
        let next = format!(
            "make an e-mail template with the subject {SUBJECT} and the body {BODY}, and give its id as `notify.email_template`"
        );
        match self.exchange(self.client.get(url), clock.now()).await {
            Err(error) => Finding::problem(what, error.why(), next),
            Ok((answer, refusal)) if !answer.status.is_success() => {
                Finding::problem(what, super::meaning(&answer, refusal).why(), next)
            }
            Ok((answer, _)) => match answer.json::<Template>(WHOM) {
                Err(error) => Finding::problem(what, error.why(), next),
                Ok(template) => {
                    let fits = template.r#type == "email"
                        && template.body.trim() == BODY
                        && template.subject.as_deref().map(str::trim) == Some(SUBJECT);
                    let named = format!("'{}', version {}", template.name, template.version);
                    if fits {
                        Finding::ok(what, format!("{named}: {SUBJECT} and {BODY}"))
                    } else {
                        Finding::problem(
                            what,
                            format!("{named}, does not bring an e-mail through whole"),
                            next,
                        )
                    }
                }
            },
        }
    }
}

fn unreachable(error: &SendError) -> Finding {
    Finding::problem(
        format!("{WHOM}: our key"),
        error.why(),
        "check `notify.url` and the network between; texts wait until it answers, and e-mails go instead",
    )
}

fn fit(template: &Template) -> Finding {
    let what = format!("{WHOM}: the template");
    let (name, version) = (&template.name, template.version);
    if template.r#type != "sms" {
        return Finding::problem(
            what,
            format!("'{name}' is a template of type {}, not of a text", template.r#type),
            format!(
                "make a text template whose whole body is {BODY} and give its id as `notify.text_template`"
            ),
        );
    }
    if template.body.trim() != BODY {
        return Finding::problem(
            what,
            format!("the body of '{name}', version {version}, is not {BODY}"),
            format!("make it {BODY} and nothing else: with other placeholders no text is sent at all"),
        );
    }
    Finding::ok(what, format!("'{name}', version {version}: a text whose body is {BODY}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;

    #[test]
    fn only_a_text_that_is_the_message_and_nothing_else_will_do() {
        let template = |kind: &str, body: &str| {
            let (name, body) = ("Curiad".to_owned(), body.to_owned());
            fit(&Template { name, r#type: kind.to_owned(), version: 3, body, subject: None }).state
        };
        assert_eq!(template("sms", "((message))"), State::Ok);
        assert_eq!(template("sms", "((message))\n"), State::Ok);
        assert_eq!(template("sms", "Alert: ((message))"), State::Problem);
        assert_eq!(template("sms", "((text))"), State::Problem);
        assert_eq!(template("email", "((message))"), State::Problem);
    }
}
