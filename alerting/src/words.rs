//! What is said: every notification worded from its incident as it is now. Pure.
//!
//! Tickets are for a service desk agent, texts for somebody woken at 3 am, letters for both and for provider teams.

mod facts;
mod gsm;
mod heard;
mod letter;
mod provider;
mod reminder;
mod short;
mod spoken;
mod subscriber;
mod symptom;
mod ticket;
mod unrecorded;

#[cfg(test)]
#[path = "../tests/telling/example.rs"]
pub(crate) mod example;

use crate::{SendError, servicenow::correlation_id};
use domain::{Channel, Configuration, Incident, Language, Notification, NotificationKind, PersonId};
use jiff::Timestamp;

pub(crate) use facts::{Facts, cut};
pub use gsm::is_plain as fits_a_text;
pub(crate) use letter::{Letter, letter, link};
pub(crate) use provider::both;
pub(crate) use short::text;
pub use spoken::spoken;
pub(crate) use spoken::{call, said};
pub(crate) use subscriber::{subscriber, subscriber_links};
pub(crate) use ticket::{TicketWords, note, note_marker, ticket};
pub(crate) use unrecorded::{Plain, Says};

/// All that `notification` says of its incident at `now`, as it would be sent at the first try.
pub fn worded(
    configuration: &Configuration,
    incident: &Incident,
    notification: &Notification,
    now: Timestamp,
) -> Result<String, SendError> {
    let facts = Facts { incident, configuration, now };
    let language = |person: &PersonId| configuration.people.get(person).map(|person| person.language);
    let reference = correlation_id(notification);
    let letter = |language| {
        let letter = letter(&facts, notification, language, &reference)?;
        Ok(format!("{}\n\n{}", letter.subject, letter.body))
    };
    match (&notification.channel, &notification.kind) {
        (Channel::Desk(_), NotificationKind::TicketNote { note: written, .. }) => {
            Ok(note(&facts, &notification.key, written))
        }
        (Channel::Desk(_), _) => {
            let ticket = ticket(&facts, &reference);
            Ok(format!("{}\n\n{}", ticket.short_description, ticket.description))
        }
        (Channel::Text(person), _) => {
            let first = Try { number: 1, repeat: false };
            text(&facts, notification, language(person).unwrap_or(Language::En), first)
        }
        (Channel::Voice(person), _) => call(&facts, notification, language(person).unwrap_or(Language::En)),
        (Channel::Email(person) | Channel::Webhook(person), _) => letter(language(person)),
        (
            Channel::DeskEmail(_)
            | Channel::Team(_)
            | Channel::TeamChat(_)
            | Channel::TeamWebhook(_)
            | Channel::TeamPager(_),
            _,
        ) => letter(None),
    }
}

/// Which try of a message this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Try {
    /// From 1.
    pub(crate) number: u32,
    /// An earlier one may have arrived, and nobody could be asked.
    pub(crate) repeat: bool,
}

#[cfg(test)]
mod tests;
