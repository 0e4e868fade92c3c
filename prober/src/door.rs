//! Where a conversation is held that is not HTTP: a host, a port, and whether it is secured.

use crate::{
    credential::OwnCertificate,
    permits::{self, Permits},
    resolve::is_localhost,
};
use rustls::pki_types::ServerName;
use std::{borrow::Cow, net::IpAddr, sync::Arc};
use url::{Host, Url};

/// What is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    /// As it stands.
    Ip(IpAddr),
    /// To be looked up.
    Name(String),
}

impl Address {
    /// As a host is written, without brackets.
    pub(crate) fn host(&self) -> Cow<'_, str> {
        match self {
            Self::Ip(ip) => ip.to_string().into(),
            Self::Name(name) => name.as_str().into(),
        }
    }

    /// Whether it is known without asking anybody: then whoever wrote it down meant it.
    pub(crate) fn is_written(&self) -> bool {
        match self {
            Self::Ip(_) => true,
            Self::Name(name) => is_localhost(name),
        }
    }
}

/// Where a conversation is held.
pub(crate) struct Door {
    pub(crate) address: Address,
    pub(crate) port: u16,
    /// The name that the certificate must be for, if it is secured.
    pub(crate) name: ServerName<'static>,
    /// By TLS from the first byte.
    pub(crate) tls: bool,
    /// What is shown of ours in the handshake.
    pub(crate) certificate: Option<Arc<OwnCertificate>>,
    pub(crate) places: Arc<permits::Host>,
}

impl Door {
    /// At an instance's URL, or at another `port` of its host.
    pub(crate) fn new(url: &str, port: Option<u16>, permits: &Permits) -> Result<Self, String> {
        // Without the address itself, which may hold a password.
        let url = Url::parse(url).map_err(|error| format!("its address cannot be used: {error}"))?;
        let tls = match url.scheme() {
            "tls" | "https" => true,
            "tcp" | "http" => false,
            other => return Err(format!("'{other}' cannot be probed; use tcp, tls, http or https")),
        };
        let (address, name) = host(&url)?;
        let port = port.or_else(|| url.port_or_known_default()).ok_or("the address has no port")?;
        let places = permits.at(url.host_str().unwrap_or_default());
        Ok(Self { places, address, port, name, tls, certificate: None })
    }
}

/// The host of a URL: what is connected to, and the name that its certificate must be for.
pub(crate) fn host(url: &Url) -> Result<(Address, ServerName<'static>), String> {
    let ip = match url.host() {
        Some(Host::Ipv4(ip)) => Some(ip.into()),
        Some(Host::Ipv6(ip)) => Some(ip.into()),
        // In a scheme that is none of the web's, an IPv4 address is read as a name.
        Some(Host::Domain(name)) => name.parse::<IpAddr>().ok(),
        None => return Err("its address names no host".to_owned()),
    };
    if let Some(ip) = ip {
        return Ok((Address::Ip(ip), ServerName::from(ip)));
    }
    let name = url.host_str().unwrap_or_default();
    let server = ServerName::try_from(name.trim_end_matches('.').to_owned())
        .map_err(|_| format!("'{name}' is not a host's name"))?;
    Ok((Address::Name(name.to_owned()), server))
}
