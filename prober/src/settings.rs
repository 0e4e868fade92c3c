//! What a prober is told at the start.

use domain::{Clock, Egress, Guards, PrivateAddresses, VantageId};
use rustls::pki_types::CertificateDer;
use std::{fmt, net::SocketAddr, time::Duration};

/// What a prober is told at the start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its probes are sent from.
    pub vantage: VantageId,
    /// What it tells trouble of its own network by.
    pub guards: Guards,
    /// Which addresses beside public ones its probes are sent to.
    pub private_addresses: PrivateAddresses,
    /// How its probes leave this host.
    pub egress: Egress,
    /// Certificates of authorities to trust besides the host's own store.
    pub roots: Vec<CertificateDer<'static>>,
    /// The time.
    pub clock: Clock,
    /// How much of everything.
    pub limits: Limits,
    /// How its requests are recognised.
    pub identity: Identity,
    /// Whether what was seen is written down for people to read of every probe ([`domain::Transcript`]); else of those that
    /// failed, and of a good one once an hour and after each failure.
    pub transcripts: bool,
    /// Who turns names into addresses.
    pub name_servers: NameServers,
}

/// How much of everything (invariant 13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Probes in flight, in all. Each holds one file descriptor; stay well below `ulimit -n` (often 1024).
    pub in_flight: usize,
    /// Probes in flight to one host.
    pub per_host: usize,
    /// Bytes of an answer's body that is looked into; as it came, and unpacked.
    pub body: usize,
    /// Bytes of an answer's body that is only counted, which takes no memory unless it is unpacked for that.
    pub counted: usize,
    /// Bytes of all bodies together that are held in memory at a moment, beside the first 16 KiB of each.
    pub bodies: usize,
    /// Bytes of an answer's head; at least 8 KiB.
    pub head: usize,
    /// How long probes in flight may take to end after the stop signal.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 768,
            per_host: 256,
            body: 2 * 1024 * 1024,
            // The largest that an API of NHS Wales may send.
            counted: 10 * 1024 * 1024,
            bodies: 32 * 1024 * 1024,
            head: 64 * 1024,
            grace: Duration::from_secs(5),
        }
    }
}

/// How the prober's requests are recognised.
#[derive(Clone)]
pub struct Identity {
    /// The key that request ids are made with; kept, so that an auditor can compute them again.
    pub request_id_key: [u8; 32],
    /// `Curiad/1.0 (+https://…)`: who is asking and where to complain.
    pub user_agent: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("user_agent", &self.user_agent).finish_non_exhaustive()
    }
}

/// Who turns names into addresses. The hosts file and `localhost` need nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NameServers {
    /// Those of `/etc/resolv.conf`.
    #[default]
    System,
    /// These, over UDP and TCP.
    These(Vec<SocketAddr>),
}

/// Why a prober cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A root certificate that cannot be trusted.
    #[error(
        "extra root certificate {number} cannot be trusted ({reason}); it must be the certificate of an authority"
    )]
    Root {
        /// Its place in [`Settings::roots`], from 1.
        number: usize,
        /// Why.
        reason: String,
    },
    /// A user agent that no header may hold.
    #[error("the user agent '{0}' cannot be sent as a header; use printable ASCII")]
    UserAgent(String),
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up ({0})")]
    Tls(#[from] rustls::Error),
    /// Nobody takes the outcomes any more.
    #[error("nobody takes the outcomes any more: the recorder has ended")]
    OutcomesClosed,
}
