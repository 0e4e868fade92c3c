//! How what is sent leaves this host: straight or through a proxy, and from which of its addresses.

use crate::Basic;
use core::{fmt, net::IpAddr};

/// How the probes of a vantage leave this host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Egress {
    /// Through whom; `None`: straight.
    pub proxy: Option<Proxy>,
    /// From which of this host's addresses; `None`: the system chooses. Addresses of the other family are not dialled.
    pub local_address: Option<IpAddr>,
}

impl Egress {
    /// The proxy that leads to `host`, if one does.
    pub fn proxy_to(&self, host: &str) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|proxy| proxy.leads_to(host))
    }
}

/// An HTTP proxy that makes tunnels (`CONNECT`, RFC 9110 §9.3.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Who we are to it.
    pub basic: Option<Basic>,
    /// Hosts that are reached without it; one that begins with a dot stands for all below it.
    pub except: Vec<String>,
}

impl Proxy {
    /// Whether it leads to `host`, a name or an address with or without brackets. This host is always reached straight.
    ///
    /// ```
    /// # use domain::Proxy;
    /// let except = vec![".wales.example".to_owned(), "10.1.2.3".to_owned()];
    /// let proxy = Proxy { host: "proxy.example".to_owned(), port: 3128, basic: None, except };
    /// assert!(proxy.leads_to("api.example"));
    /// assert!(proxy.leads_to("wales.example"));
    /// assert!(!proxy.leads_to("API.wales.example."));
    /// assert!(!proxy.leads_to("10.1.2.3"));
    /// assert!(!proxy.leads_to("localhost"));
    /// assert!(!proxy.leads_to("[::1]"));
    /// ```
    pub fn leads_to(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
        let own = match host.parse::<IpAddr>() {
            Ok(ip) => ip.to_canonical().is_loopback(),
            Err(_) => host.eq_ignore_ascii_case("localhost") || below(host, ".localhost"),
        };
        let excepted = |except: &String| {
            if except.starts_with('.') { below(host, except) } else { host.eq_ignore_ascii_case(except) }
        };
        !own && !self.except.iter().any(excepted)
    }
}

/// Whether a name ends so, in any case.
fn below(host: &str, suffix: &str) -> bool {
    let ends = host.len().checked_sub(suffix.len()).and_then(|at| host.get(at..));
    ends.is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
