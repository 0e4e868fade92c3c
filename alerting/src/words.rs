//! What is said: every notification worded from its incident as it is now. Pure.
//!
//! Tickets are for a service desk agent, texts for somebody woken at 3 am, letters for both and for provider teams.

mod facts;
mod gsm;
mod letter;
mod scrub;
mod short;
mod ticket;

#[cfg(test)]
mod example;

pub(crate) use facts::Facts;
pub(crate) use letter::{Letter, letter};
pub(crate) use short::text;
pub(crate) use ticket::{TicketWords, note, note_marker, ticket};

/// Which try of a message this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Try {
    /// From 1.
    pub(crate) number: u32,
    /// An earlier one may have arrived, and nobody could be asked.
    pub(crate) repeat: bool,
}
