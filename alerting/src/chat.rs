//! Microsoft Teams, by a workflow that posts what it is sent to a channel (trigger "When a Teams webhook request is received").
//! Not verified against the real service.
//!
//! It has no name for what is the same and cannot be asked: what may have been posted already says so.

use crate::{
    SendError,
    answer::Answer,
    words::{self, Facts, Letter},
};
use domain::{Language, Notification, Secret, Sent};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use store::crash_point;

const WHOM: &str = "the Microsoft Teams workflow";
/// A message with its card has 28 kB at the most; some of that is not ours.
const MOST_LETTERS: usize = 9_000;

/// Posts a card. `repeat`: one like it may be there already.
pub(crate) async fn post(
    url: &Secret,
    (client, patience): (&Client, Duration),
    facts: &Facts<'_>,
    notification: &Notification,
    repeat: bool,
) -> Result<Sent, SendError> {
    let letters = words::both(facts, notification, "")?;
    let links = Language::ALL.map(|language| facts.page_url(language));
    let card = card(&letters, &links, repeat);
    let request = client.post(url.reveal()).json(&card).timeout(patience);
    let answer = Answer::to(request, WHOM).await?;
    crash_point!("chat/taken");
    if answer.status.is_success() {
        return Ok(Sent::Accepted { provider_id: String::new() });
    }
    // Its own words may quote the address, which is a secret.
    Err(match answer.status {
        StatusCode::BAD_REQUEST
        | StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::GONE => {
            answer.refused(WHOM, "see whether it is still there and on, and copy its URL anew into `chat`")
        }
        _ => answer.refused(WHOM, ""),
    })
}

/// English and then Welsh, as a team has no one language. Runs of text: nothing in them is taken for markup.
fn card([en, cy]: &[Letter; 2], [page, tudalen]: &[String; 2], repeat: bool) -> Value {
    let line = |text: &str, bold: bool| {
        let run =
            json!({ "type": "TextRun", "text": text, "weight": if bold { "Bolder" } else { "Default" } });
        json!({ "type": "RichTextBlock", "inlines": [run] })
    };
    let part = |letter: &Letter, again: &str| {
        let title = format!("{}{}", letter.subject, if repeat { again } else { "" });
        let body = words::cut(&letter.body, MOST_LETTERS / 2);
        let said = body.lines().filter(|said| !said.is_empty()).map(|said| line(said, false));
        std::iter::once(line(&title, true)).chain(said).collect::<Vec<_>>()
    };
    let welsh = json!({ "type": "Container", "separator": true, "items": part(cy, " (eto)") });
    let body: Vec<Value> = part(en, " (repeat)").into_iter().chain([welsh]).collect();
    let open = |title: &str, url: &str| json!({ "type": "Action.OpenUrl", "title": title, "url": url });
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": format!("{} / {}", en.subject, cy.subject),
                "body": body,
                "actions": [open("The incident", page), open("Y digwyddiad", tudalen)],
                "msteams": { "width": "Full" },
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::example::{at, configuration, incident};
    use domain::{Channel, NotificationKind, TeamId};

    #[test]
    fn a_card_says_it_in_both_languages_fits_and_says_when_it_may_be_there_already() {
        let (mut incident, configuration) = (incident(), configuration());
        let text = "é [a](b) \"\\".repeat(900);
        let evidence = domain::Evidence { at: at("02:12:00"), text, request: None };
        incident.evidence = vec![evidence; 12];
        let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:20:00") };
        let told = Notification {
            key: "C-42-k3f9xq/told/chat".to_owned(),
            incident: incident.id,
            kind: NotificationKind::Told,
            channel: Channel::TeamChat(TeamId::parse("demographics").unwrap()),
            at: facts.now,
            not_before: facts.now,
            expires_at: facts.now,
        };
        let letters = words::both(&facts, &told, "").unwrap();
        let links = ["https://a.example".to_owned(), "https://b.example".to_owned()];
        let said = card(&letters, &links, true).to_string();
        assert!(said.len() < 28_000, "{}", said.len());
        for part in ["is not working", "Nid yw", "(repeat)", "(eto)", "https://b.example", "AdaptiveCard"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!card(&letters, &links, false).to_string().contains("(repeat)"));
    }
}
