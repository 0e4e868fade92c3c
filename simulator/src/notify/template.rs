//! Templates with `((placeholders))`: all of them must be given, or nothing is sent.

use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use super::{failure, invalid};
use crate::answer::Answer;

/// What a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
}

impl Channel {
    /// Its name in Notify's API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

/// One template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// A UUID.
    pub id: String,
    /// What it is for.
    pub channel: Channel,
    /// Counts its edits.
    pub version: u32,
    /// An e-mail's subject.
    pub subject: String,
    /// The text.
    pub body: String,
}

impl Template {
    /// A template's subject and body with the placeholders filled in, or the placeholders that are missing.
    pub(super) fn fill(&self, personalisation: &Map<String, Value>) -> Result<(String, String), Vec<String>> {
        let given: Vec<(String, &Value)> =
            personalisation.iter().map(|(name, value)| (plain(name), value)).collect();
        let mut missing = Vec::new();
        let mut filled = |text: &str| fill(text, &given, &mut missing);
        let texts = (filled(&self.subject), filled(&self.body));
        if missing.is_empty() { Ok(texts) } else { Err(missing) }
    }
}

/// `GET /v2/template/{id}`: the newest version, of this service's own templates.
pub(super) fn show(exchange: &Exchange, id: &str) -> Answer {
    if uuid::Uuid::try_parse(id).is_err() {
        return invalid("id is not a valid UUID");
    }
    let Some(template) = exchange.options.templates.iter().find(|template| template.id == id) else {
        return failure(404, "NoResultFound", "No result found");
    };
    let subject = (template.channel == Channel::Email).then_some(&template.subject);
    Answer::json(
        200,
        &json!({
            "id": template.id,
            "type": template.channel.name(),
            "created_at": "2026-01-05T09:00:00.000000Z",
            "updated_at": null,
            "created_by": "platform@team.example",
            "version": template.version,
            "body": template.body,
            "subject": subject,
            "name": "Curiad",
            "postage": null,
            "personalisation": {"message": {"required": true}},
        }),
    )
}

/// Notify compares names without case, spaces, underscores and dashes.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

fn fill(text: &str, given: &[(String, &Value)], missing: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("((") {
        out.push_str(before);
        let Some((placeholder, after)) = after.split_once("))") else {
            out.push_str("((");
            rest = after;
            continue;
        };
        rest = after;
        let (name, conditional) =
            placeholder.split_once("??").map_or((placeholder, None), |(name, words)| (name, Some(words)));
        let value = given.iter().find(|(known, _)| *known == plain(name)).map(|(_, value)| spoken(value));
        match (value, conditional) {
            (None, _) => {
                if !missing.iter().any(|known| known == name) {
                    missing.push(name.to_owned());
                }
            }
            (Some(value), None) => out.push_str(&value),
            (Some(value), Some(words)) => {
                if matches!(value.to_lowercase().as_str(), "yes" | "y" | "true" | "1" | "show") {
                    out.push_str(words);
                }
            }
        }
    }
    out.push_str(rest);
    out
}

fn spoken(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(spoken).collect::<Vec<_>>().join(", "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fill_with(given: &Value) -> Result<(String, String), Vec<String>> {
        let template = Template {
            id: String::new(),
            channel: Channel::Email,
            version: 1,
            subject: "((Incident name))".to_owned(),
            body: "((incident_name)) since ((since)). ((major??All hands.))".to_owned(),
        };
        template.fill(given.as_object().expect("an object"))
    }

    #[test]
    fn placeholders_are_filled_in_whatever_the_case_and_spacing() {
        let filled = fill_with(&json!({"incidentname": "P1", "Since": "03:12", "major": "yes", "spare": 1}));
        assert_eq!(filled, Ok(("P1".to_owned(), "P1 since 03:12. All hands.".to_owned())));
    }

    #[test]
    fn missing_placeholders_are_all_named_once() {
        assert_eq!(
            fill_with(&json!({"major": false})),
            Err(vec!["Incident name".to_owned(), "incident_name".to_owned(), "since".to_owned()])
        );
    }
}
