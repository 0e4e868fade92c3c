//! How an operation asks: by exactly one of `get`, `head`, `post`, `soap`, `graphql`, `tcp`, `dns`, `mllp`, `journey`,
//! `heartbeat`; and how a step of a journey does.

use super::{
    dns, graphql, heartbeat, mllp,
    operation::path,
    problem::{Place, Rank},
    reading::Reading,
    section::Section,
    soap, tcp,
    tree::Node,
};
use domain::{Expect, HttpRequest, Method, Request};

/// How an operation asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Soap,
    Graphql,
    Tcp,
    Dns,
    Mllp,
    Journey,
    Heartbeat,
}

/// How an operation asks.
pub(super) const OF_OPERATIONS: &[Way] = &[
    Way::Get,
    Way::Head,
    Way::Post,
    Way::Soap,
    Way::Graphql,
    Way::Tcp,
    Way::Dns,
    Way::Mllp,
    Way::Journey,
    Way::Heartbeat,
];

/// How a step of a journey asks.
pub(super) const OF_STEPS: &[Way] = &[Way::Get, Way::Head, Way::Post, Way::Put, Way::Delete, Way::Soap];

/// The one way among `all` that `what` names, and what stands there.
pub(super) fn read<'n>(
    section: &mut Section<'n>,
    (what, all): (&str, &[Way]),
    reading: &mut Reading<'_>,
) -> Option<(Way, &'n Node)> {
    let found: Vec<(Way, &Node)> =
        all.iter().filter_map(|way| Some((*way, section.optional(way.word(), reading)?))).collect();
    let keys: Vec<&str> = all.iter().map(|way| way.word()).collect();
    let words = || keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(", ");
    match found.as_slice() {
        [one] => Some(*one),
        [] => {
            if !section.misspells(&keys) {
                let message = format!("{what} needs one of the keys {}", words());
                reading.problems.error(Rank::Missing, section.place(), message, None);
            }
            None
        }
        [_, (_, second), ..] => {
            let message = format!("exactly one of {}, not two", words());
            reading.problems.error(Rank::Sense, &second.owner, message, None);
            None
        }
    }
}

impl Way {
    /// Its key.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Head => "head",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::Soap => "soap",
            Self::Graphql => "graphql",
            Self::Tcp => "tcp",
            Self::Dns => "dns",
            Self::Mllp => "mllp",
            Self::Journey => "journey",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// A body, headers and a dialect of one's own choice belong to it.
    const fn is_plain(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Post | Self::Put | Self::Delete)
    }

    /// What is asked, as far as it stands under the key.
    pub(super) fn request(self, node: &Node, reading: &mut Reading<'_>) -> Option<Request> {
        let plain = |method, reading: &mut Reading<'_>| {
            let path = path(node, reading)?;
            Some(Request::Http(HttpRequest { method, ..HttpRequest::get(path) }))
        };
        match self {
            Self::Get => plain(Method::Get, reading),
            Self::Head => plain(Method::Head, reading),
            Self::Post => plain(Method::Post, reading),
            Self::Put => plain(Method::Put, reading),
            Self::Delete => plain(Method::Delete, reading),
            Self::Soap => soap::read(node, reading).map(Request::Http),
            Self::Graphql => graphql::read(node, reading).map(Request::Http),
            Self::Tcp => tcp::read(node, reading).map(Request::Tcp),
            Self::Dns => dns::read(node, reading).map(Request::Dns),
            Self::Mllp => mllp::read(node, reading).map(Request::Mllp),
            Self::Heartbeat => heartbeat::read(node, reading).map(Request::Heartbeat),
            // Read with its clean-up: see `journey::read`.
            Self::Journey => None,
        }
    }

    /// Says which of the operation's other keys have no meaning beside it.
    pub(super) fn refuse(
        self,
        (headers, health): (Option<&Place>, Option<&Place>),
        expect: Option<(&Place, &Expect)>,
        reading: &mut Reading<'_>,
    ) {
        let word = self.word();
        let over_http = self.is_plain() || matches!(self, Self::Soap | Self::Graphql);
        let refused =
            [("headers", headers.filter(|_| !over_http)), ("health", health.filter(|_| !self.is_plain()))];
        for (key, place) in refused {
            if let Some(place) = place {
                let message = format!("'{key}' does not go with '{word}'");
                reading.problems.error(Rank::Sense, place, message, None);
            }
        }
        let Some((place, expect)) = expect else { return };
        let judged_by = match self {
            Self::Get | Self::Head | Self::Post | Self::Put | Self::Delete | Self::Soap | Self::Graphql => {
                return;
            }
            Self::Tcp => "what is to come is said by 'receive'",
            Self::Dns => "what is to be answered is said by 'answers'",
            Self::Mllp => "a message is judged by its acknowledgement",
            Self::Journey => "what is good is said by each step",
            Self::Heartbeat => "a heartbeat is judged by whether it is heard",
        };
        let rest = Expect { certificate_days: None, ..expect.clone() };
        let days = expect.certificate_days.is_some();
        let none = matches!(self, Self::Dns | Self::Journey | Self::Heartbeat);
        if rest != Expect::default() || (days && none) {
            let also = if none { "" } else { "; only 'certificate_days' goes with it" };
            reading.problems.error(Rank::Sense, place, format!("{judged_by}{also}"), None);
        }
    }
}
