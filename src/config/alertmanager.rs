//! Alertmanagers: whose alerts are heard, and who hears of our incidents.

use super::{problem::Rank, reading::Reading, section::Section, tree::Node};
use alerting::Alertmanager;
use domain::Secret;

/// More would be a mistake: those of one cluster tell each other.
const MOST: usize = 8;

/// What is said of Alertmanagers.
#[derive(Default)]
pub(super) struct Alertmanagers {
    pub callback_token: Option<Secret>,
    pub calls_out: bool,
    pub send: Vec<Alertmanager>,
}

/// Reads it.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Alertmanagers> {
    let mut section = Section::open(node, "alertmanager", reading)?;
    let token = section.optional("callback_token", reading);
    let callback_token = token.and_then(|node| reading.secret(node, |_| Ok(())));
    let calls = section.optional("calls_out", reading);
    let calls_out = calls.and_then(|node| reading.boolean(node)).unwrap_or(false);
    let send = section.optional("send", reading);
    let to = send.and_then(|node| reading.list_of_some(node, "Alertmanagers"));
    let place = section.place().clone();
    section.close(reading);
    if token.is_none() && send.is_none() {
        let hint = Some(
            "give 'callback_token' to hear its alerts, 'send' to tell it of incidents, or both".to_owned(),
        );
        reading.problems.error(Rank::Missing, &place, "nothing goes to or comes from an Alertmanager", hint);
    }
    if let (Some(node), None) = (calls, token) {
        reading.problems.error(
            Rank::Sense,
            &node.owner,
            "no alert is heard that could call anybody out",
            None,
        );
    }
    if let Some(node) = to.and_then(|to| to.get(MOST)) {
        reading.wrong(&node.place, format!("more than {MOST} Alertmanagers: name one of each cluster"));
    }
    let send = to.into_iter().flatten().take(MOST).filter_map(|node| one(node, reading)).collect();
    Some(Alertmanagers { callback_token, calls_out, send })
}

fn one(node: &Node, reading: &mut Reading<'_>) -> Option<Alertmanager> {
    let mut section = Section::open(node, "an Alertmanager", reading)?;
    let url = section.required("url", reading).and_then(|node| reading.protected_url(node));
    let token = section.optional("token", reading).and_then(|node| reading.secret(node, |_| Ok(())));
    section.close(reading);
    Some(Alertmanager { url: url?, token })
}
