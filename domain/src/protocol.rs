//! Requests that are not HTTP.

use std::{borrow::Cow, fmt::Write, net::SocketAddr};

/// A connection to the instance's host, and perhaps a few bytes either way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TcpRequest {
    /// `None`: the port of the instance's URL.
    pub port: Option<u16>,
    /// Whether and how it is secured.
    pub security: Security,
    /// Sent once the connection stands.
    pub send: Vec<u8>,
    /// Must be among what comes; empty: nothing is waited for.
    pub receive: Vec<u8>,
}

/// Whether and how a connection is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Security {
    /// By TLS where the instance's URL begins with `tls:` or `https:`.
    #[default]
    AsUrl,
    /// Not at all.
    Plain,
    /// By TLS from its first byte.
    Tls,
    /// By SMTP's STARTTLS.
    StartTlsSmtp,
}

impl TcpRequest {
    pub(crate) fn line(&self) -> String {
        let mut line = "TCP".to_owned();
        if let Some(port) = self.port {
            // Writing to a String cannot fail.
            write!(line, " port {port}").ok();
        }
        line.push_str(match self.security {
            Security::AsUrl | Security::Plain => "",
            Security::Tls => ", TLS",
            Security::StartTlsSmtp => ", SMTP with STARTTLS",
        });
        line
    }

    pub(crate) fn words(&self) -> Vec<Cow<'_, str>> {
        let Self { port, security, send, receive } = self;
        vec![format!("tcp {port:?} {security:?} {send:?} {receive:?}").into()]
    }
}

/// A question to a resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsRequest {
    /// `None`: the host of the instance's URL.
    pub name: Option<String>,
    /// Of which type.
    pub record: RecordType,
    /// What must be answered, these and no others, in any order; empty: anything.
    pub answers: Vec<String>,
    /// Who is asked; `None`: who turns names into addresses for all probes.
    pub resolver: Option<SocketAddr>,
}

/// The types of DNS records that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The name that it is another name of.
    Cname,
    /// Who takes its mail: `10 mail.example.`
    Mx,
    /// Its name servers.
    Ns,
    /// The name of an address.
    Ptr,
    /// Where a service is: `0 5 5060 sip.example.`
    Srv,
    /// Text.
    Txt,
}

impl RecordType {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::A, Self::Aaaa, Self::Cname, Self::Mx, Self::Ns, Self::Ptr, Self::Srv, Self::Txt];

    /// As it is written in a zone.
    pub const fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
        }
    }
}

impl DnsRequest {
    pub(crate) fn line(&self) -> String {
        let name = self.name.as_deref().unwrap_or("the host");
        let by = self.resolver.map_or_else(String::new, |resolver| format!(" by {resolver}"));
        format!("DNS {} of {name}{by}", self.record.word())
    }

    pub(crate) fn words(&self) -> Vec<Cow<'_, str>> {
        let Self { name, record, resolver, .. } = self;
        vec![format!("dns {name:?} {} {resolver:?}", record.word()).into()]
    }
}

/// An HL7 v2 message, about nobody: it is marked synthetic where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MllpRequest {
    /// Its segments, each ended by a carriage return; MSH-10 is replaced by an id of each probe's own.
    pub message: String,
}
