//! Where the program listens, and for whom.

use super::{problem::Rank, reading::Reading, section::Section, tree::Node};
use crate::listener::{Network, Proxies};
use std::net::{Ipv4Addr, SocketAddr};

/// Where the program listens, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// Shows public environments only.
    pub(crate) public: SocketAddr,
    /// Shows all five environments, and alone has the metrics.
    pub(crate) internal: SocketAddr,
    /// Somebody says that only people who may see everything can reach `internal`.
    pub(crate) trusted_network: bool,
    /// Who may stand before either, and is believed when it says who asks.
    pub(crate) proxies: Proxies,
}

impl Default for Listen {
    /// Both on this machine only.
    fn default() -> Self {
        Self {
            public: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            internal: SocketAddr::from((Ipv4Addr::LOCALHOST, 8082)),
            trusted_network: false,
            proxies: Proxies::default(),
        }
    }
}

impl Listen {
    /// Whether `internal` may listen there; the error is what is wrong, and what to do. To be asked again when a flag
    /// changes it.
    pub(crate) fn allowed(&self) -> Result<(), (String, &'static str)> {
        let (public, internal) = (self.public, self.internal);
        let everywhere = public.ip().is_unspecified() || internal.ip().is_unspecified();
        if public.port() == internal.port()
            && public.port() != 0
            && (public.ip() == internal.ip() || everywhere)
        {
            let next = "give the public and the internal page a port each";
            return Err((format!("{public} and {internal} clash"), next));
        }
        if self.internal.ip().is_loopback() || self.trusted_network {
            return Ok(());
        }
        let what = format!("{internal} can be reached from beyond this machine, and shows everything");
        let next =
            "say 'trusted_network: true' under 'listen' if only people who may see it all can reach it";
        Err((what, next))
    }
}

/// Reads where to listen.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Listen> {
    let mut section = Section::open(node, "listen", reading)?;
    let default = Listen::default();
    let address = |section: &mut Section<'_>, key, reading: &mut Reading<'_>, default| {
        section.optional(key, reading).map_or(Some(default), |node| {
            reading.parsed(node, "an address", |text| {
                let wrong = || format!("'{text}' is not an address and a port such as 127.0.0.1:8080");
                text.parse::<SocketAddr>().map_err(|_| wrong())
            })
        })
    };
    let public = address(&mut section, "public", reading, default.public);
    let internal = address(&mut section, "internal", reading, default.internal);
    let trusted_network = match section.optional("trusted_network", reading) {
        None => Some(false),
        Some(node) => reading.boolean(node),
    };
    let proxies = match section.optional("proxies", reading) {
        None => Some(Proxies::default()),
        Some(node) => proxies(node, reading),
    };
    let place = section.place_of("internal").unwrap_or(section.place()).clone();
    section.close(reading);
    let (trusted_network, proxies) = (trusted_network?, proxies?);
    let listen = Listen { public: public?, internal: internal?, trusted_network, proxies };
    match listen.allowed() {
        Ok(()) => Some(listen),
        Err((why, next)) => {
            reading.problems.error(Rank::Sense, &place, why, Some(next.to_owned()));
            None
        }
    }
}

fn proxies(node: &Node, reading: &mut Reading<'_>) -> Option<Proxies> {
    let nodes = reading.list_of_some(node, "proxies")?;
    let networks: Vec<Option<Network>> =
        nodes.iter().map(|node| reading.parsed(node, "a proxy", Network::parse)).collect();
    networks.into_iter().collect::<Option<_>>().map(Proxies)
}
