//! Programs of people, teams and desks that are told by signed webhooks, and a team's chat and pager.

use super::{address, reading::Reading, section::Section, tree::Node};
use alerting::{PagerDuty, SignedWebhook, webhook_secret};
use domain::Secret;

/// `PagerDuty`'s own address, for accounts in the US.
const PAGERDUTY_URL: &str = "https://events.pagerduty.com";
/// Length of a routing key.
const ROUTING_KEY: usize = 32;

/// Reads where signed webhooks go.
pub(super) fn webhook(node: &Node, reading: &mut Reading<'_>) -> Option<SignedWebhook> {
    let mut section = Section::open(node, "webhook", reading)?;
    let url = section.required("url", reading).and_then(|node| reading.webhook_url(node));
    let secret = section.required("secret", reading).and_then(|node| reading.secret(node, webhook_secret));
    let before = section.optional("secret_before", reading);
    let secret_before = before.and_then(|node| reading.secret(node, webhook_secret));
    section.close(reading);
    Some(SignedWebhook { url: url?, secret: secret?, secret_before })
}

/// Reads the URL of a workflow that posts to a chat: whoever knows it can post there, so it is a secret.
pub(super) fn chat(node: &Node, reading: &mut Reading<'_>) -> Option<Secret> {
    reading.secret(node, |text| {
        let url = address::web_url(text)?;
        if url.scheme() == "http" && !address::is_loopback(text) {
            return Err("whoever sees this URL on its way can post to the chat; it must be https://");
        }
        Ok(())
    })
}

/// Reads a service at `PagerDuty`.
pub(super) fn pagerduty(node: &Node, reading: &mut Reading<'_>) -> Option<PagerDuty> {
    let mut section = Section::open(node, "pagerduty", reading)?;
    let url = match section.optional("url", reading) {
        None => Some(PAGERDUTY_URL.to_owned()),
        Some(node) => reading.protected_url(node),
    };
    let key = section.required("routing_key", reading).and_then(|node| reading.secret(node, routing_key));
    section.close(reading);
    Some(PagerDuty { url: url?, routing_key: key? })
}

fn routing_key(key: &str) -> Result<(), &'static str> {
    let fits = key.len() == ROUTING_KEY && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits {
        Ok(())
    } else {
        Err(
            "an integration key of PagerDuty's Events API v2 has 32 letters and digits; copy it from the service's integrations",
        )
    }
}
