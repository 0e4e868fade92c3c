//! Where probes are sent from, and how a vantage knows its own network from the APIs it looks at.

use crate::{Egress, PrivateAddresses, VantageId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A place probes are sent from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vantage {
    /// Its name: history hangs on it.
    pub id: VantageId,
    /// What it tests its own network by.
    pub guards: Guards,
    /// Which addresses beside public ones its probes are sent to.
    pub private_addresses: PrivateAddresses,
    /// How its probes leave this host.
    pub egress: Egress,
}

impl Vantage {
    /// A vantage without guards.
    pub const fn new(id: VantageId) -> Self {
        let guards = Guards { outside: Vec::new(), inside: Vec::new() };
        let egress = Egress { proxy: None, local_address: None };
        Self { id, guards, private_addresses: PrivateAddresses::AsWritten, egress }
    }
}

/// Addresses that a vantage can reach whenever its own network works, whatever becomes of the APIs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards {
    /// Outside the NHS Wales network.
    pub outside: Vec<Guard>,
    /// Inside the NHS Wales network.
    pub inside: Vec<Guard>,
}

impl Guards {
    /// Whether there is none to look at.
    pub const fn is_empty(&self) -> bool {
        self.outside.is_empty() && self.inside.is_empty()
    }

    /// Those of both sides.
    pub fn all(&self) -> impl Iterator<Item = &Guard> {
        self.outside.iter().chain(&self.inside)
    }

    /// What it means that the guards of the named sides answer or do not; a side without guards says nothing.
    pub const fn sight(&self, outside_answers: bool, inside_answers: bool) -> Sight {
        let no_outside = !self.outside.is_empty() && !outside_answers;
        let no_inside = !self.inside.is_empty() && !inside_answers;
        match (no_outside, no_inside) {
            (false, false) => Sight::Clear,
            (true, true) => Sight::Nothing,
            (true, false) if self.inside.is_empty() => Sight::Nothing,
            (false, true) if self.outside.is_empty() => Sight::Nothing,
            (true, false) => Sight::NoOutside,
            (false, true) => Sight::NoInside,
        }
    }
}

/// One address of a vantage's [`Guards`]. It is connected to, and for `https` greeted; nothing is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// `https`: a TLS handshake; else `tcp`: a connection.
    pub tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "tcp" };
        match (self.host.contains(':'), self.tls && self.port == 443) {
            (true, _) => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            (false, true) => write!(f, "{scheme}://{}", self.host),
            (false, false) => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// What the guards showed when a probe got no answer. JSON writes the word in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// Guards answer on every side: what is silent is silent by itself.
    Clear,
    /// Nothing outside the NHS Wales network answers; something inside does.
    NoOutside,
    /// Nothing inside the NHS Wales network answers; something outside does.
    NoInside,
    /// No guard answers at all.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(tls: bool, host: &str, port: u16) -> Guard {
        Guard { tls, host: host.to_owned(), port }
    }

    #[test]
    fn a_guard_reads_as_it_is_written() {
        assert_eq!(guard(true, "www.wales.example", 443).to_string(), "https://www.wales.example");
        assert_eq!(guard(true, "www.wales.example", 8443).to_string(), "https://www.wales.example:8443");
        assert_eq!(guard(false, "10.1.2.3", 53).to_string(), "tcp://10.1.2.3:53");
        assert_eq!(guard(false, "::1", 53).to_string(), "tcp://[::1]:53");
    }

    #[test]
    fn each_side_that_has_guards_tells_its_own() {
        let one = || vec![guard(false, "10.0.0.1", 53)];
        let both = Guards { outside: one(), inside: one() };
        assert_eq!(both.sight(true, true), Sight::Clear);
        assert_eq!(both.sight(false, true), Sight::NoOutside);
        assert_eq!(both.sight(true, false), Sight::NoInside);
        assert_eq!(both.sight(false, false), Sight::Nothing);
        let outside = Guards { outside: one(), inside: Vec::new() };
        assert_eq!(outside.sight(true, false), Sight::Clear);
        assert_eq!(outside.sight(false, false), Sight::Nothing);
        let inside = Guards { outside: Vec::new(), inside: one() };
        assert_eq!(inside.sight(false, false), Sight::Nothing);
        assert_eq!(Guards::default().sight(false, false), Sight::Clear);
    }
}
