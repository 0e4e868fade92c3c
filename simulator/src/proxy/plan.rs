//! What is to go wrong with a connection, and when.

use std::fmt;

use super::postgres;

/// Which way something goes through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Toward {
    /// From the client to the server.
    Server,
    /// From the server to the client.
    Client,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// Both sides see the connection reset (RST). What the other side had not read by then, it may never read.
    Reset,
    /// Both sides see the connection closed in order (FIN), after all that was passed on.
    Close,
    /// Nothing passes any more on any connection, old or new, while all of them stay; what is under way is held and
    /// passes with [`Proxy::pass`](super::Proxy::pass). So it looks when a network swallows packets for a while.
    Stall,
}

/// A message of PostgreSQL's protocol to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    toward: Option<Toward>,
    kind: Option<u8>,
    text: String,
}

impl Saying {
    /// Any message, either way.
    pub const fn anything() -> Self {
        Self { toward: None, kind: None, text: String::new() }
    }

    /// Any message this way.
    pub const fn toward(toward: Toward) -> Self {
        Self { toward: Some(toward), kind: None, text: String::new() }
    }

    /// A client's message by its kind: `b'Q'` Query, `b'P'` Parse, `b'B'` Bind, `b'E'` Execute, `b'S'` Sync.
    pub const fn to_server(kind: u8) -> Self {
        Self { toward: Some(Toward::Server), kind: Some(kind), text: String::new() }
    }

    /// A server's message by its kind: `b'C'` `CommandComplete`, `b'Z'` `ReadyForQuery`, `b'D'` `DataRow`.
    pub const fn to_client(kind: u8) -> Self {
        Self { toward: Some(Toward::Client), kind: Some(kind), text: String::new() }
    }

    /// One whose first 4 KiB hold this text, capitals or not.
    #[must_use]
    pub fn with(mut self, text: &str) -> Self {
        self.text = text.to_ascii_lowercase();
        self
    }

    fn is(&self, toward: Toward, kind: u8, body: &[u8]) -> bool {
        self.toward.is_none_or(|asked| asked == toward)
            && self.kind.is_none_or(|asked| asked == kind)
            && (self.text.is_empty()
                || body.windows(self.text.len()).any(|part| part.eq_ignore_ascii_case(self.text.as_bytes())))
    }
}

/// When it goes wrong, once. Counted from the moment it is planned, over all connections together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// When so many bytes have passed this way; the next ones do not.
    Bytes(Toward, u64),
    /// Instead of passing on the message with this number (from 1) among those that match.
    Before(Saying, u64),
    /// Once the message with this number (from 1) among those that match has been passed on whole.
    After(Saying, u64),
}

impl When {
    /// A COMMIT is about to reach the server: it never does.
    pub fn before_commit() -> Self {
        Self::Before(Saying::to_server(b'Q').with("commit"), 1)
    }

    /// The server has committed and says so: its answer never reaches the client.
    pub fn commit_unanswered() -> Self {
        Self::Before(Saying::to_client(b'C').with("commit"), 1)
    }
}

impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(toward, bytes) => write!(out, "after {bytes} bytes to the {}", side(*toward)),
            Self::Before(_, number) => write!(out, "before message {number}"),
            Self::After(_, number) => write!(out, "after message {number}"),
        }
    }
}

fn side(toward: Toward) -> &'static str {
    match toward {
        Toward::Server => "server",
        Toward::Client => "client",
    }
}

/// A plan at work.
#[derive(Debug)]
pub(super) struct Plan {
    when: When,
    blow: Blow,
    seen: u64,
}

/// What a message met.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Met {
    Nothing,
    Before(Blow, String),
    After(Blow, String),
}

impl Plan {
    pub(super) const fn new(when: When, blow: Blow) -> Self {
        Self { when, blow, seen: 0 }
    }

    /// A message comes. It is a new one: it has not been met before.
    pub(super) fn meet(&mut self, toward: Toward, kind: u8, body: &[u8]) -> Met {
        let (saying, number) = match &self.when {
            When::Before(saying, number) | When::After(saying, number) => (saying, *number),
            When::Bytes(..) => return Met::Nothing,
        };
        if !saying.is(toward, kind, body) {
            return Met::Nothing;
        }
        self.seen += 1;
        if self.seen != number {
            return Met::Nothing;
        }
        let words = format!("{}: {} to the {}", self.when, postgres::name(kind, toward), side(toward));
        if matches!(self.when, When::Before(..)) {
            Met::Before(self.blow, words)
        } else {
            Met::After(self.blow, words)
        }
    }

    /// How many of these bytes may pass, and what comes then.
    pub(super) fn allow(&mut self, going: Toward, bytes: usize) -> (usize, Option<(Blow, String)>) {
        let When::Bytes(toward, limit) = &self.when else {
            return (bytes, None);
        };
        if going != *toward {
            return (bytes, None);
        }
        let left = usize::try_from(limit - self.seen).unwrap_or(usize::MAX);
        let pass = bytes.min(left);
        self.seen += pass as u64;
        (pass, (pass == left).then(|| (self.blow, self.when.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_with_the_number_is_met_and_no_other() {
        let mut plan = Plan::new(When::Before(Saying::to_server(b'Q').with("COMMIT"), 2), Blow::Reset);
        assert_eq!(plan.meet(Toward::Server, b'Q', b"commit\0"), Met::Nothing, "the first");
        assert_eq!(plan.meet(Toward::Server, b'Q', b"BEGIN\0"), Met::Nothing);
        assert_eq!(plan.meet(Toward::Client, b'C', b"COMMIT\0"), Met::Nothing, "the other way");
        let Met::Before(Blow::Reset, words) = plan.meet(Toward::Server, b'Q', b"COMMIT\0") else {
            panic!("the second is met");
        };
        assert_eq!(words, "before message 2: Query to the server");
    }

    #[test]
    fn so_many_bytes_pass_and_no_more() {
        let mut plan = Plan::new(When::Bytes(Toward::Client, 10), Blow::Close);
        assert_eq!(plan.allow(Toward::Server, 100), (100, None));
        assert_eq!(plan.allow(Toward::Client, 6), (6, None));
        let (pass, Some((Blow::Close, words))) = plan.allow(Toward::Client, 6) else { panic!("it is over") };
        assert_eq!((pass, words.as_str()), (4, "after 10 bytes to the client"));
    }
}
