//! Names to addresses.

use crate::NameServers;
use domain::{Failure, FailureKind, Layer};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ServerOrderingStrategy},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{op::ResponseCode, rr::RecordType},
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// An answer is used again for at most this long, whatever its time to live: checks on one host share a lookup, and
/// a change of name is seen at once.
const REMEMBERED: Duration = Duration::from_secs(10);

/// One query waits this long before it is sent again.
const QUERY: Duration = Duration::from_millis(1_500);

/// How long the resolver may take to answer at all, once it has not answered for a name.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// Turns names into addresses.
pub(crate) struct Resolve(Result<TokioResolver, String>);

impl Resolve {
    pub(crate) fn new(servers: &NameServers) -> Self {
        Self(resolver(servers))
    }

    /// The addresses of `name`, in the order to try them; by `limit`.
    pub(crate) async fn addresses(&self, name: &str, limit: Instant) -> Result<Vec<IpAddr>, Failure> {
        if is_localhost(name) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let resolver = self.0.as_ref().map_err(|why| no_resolver(why))?;
        match timeout_at(limit, resolver.lookup_ip(name)).await {
            Ok(Ok(found)) => {
                let addresses: Vec<IpAddr> = found.iter().collect();
                if addresses.is_empty() { Err(not_found(name, "has no address")) } else { Ok(addresses) }
            }
            Ok(Err(NetError::Dns(error))) => Err(answered(name, &error)),
            Ok(Err(error)) => Err(unanswered(resolver, name, &error.to_string()).await),
            Err(_) => Err(unanswered(resolver, name, "no answer in time").await),
        }
    }
}

fn resolver(servers: &NameServers) -> Result<TokioResolver, String> {
    let mut builder = match servers {
        NameServers::System => TokioResolver::builder_tokio()
            .map_err(|error| format!("/etc/resolv.conf cannot be used: {error}"))?,
        NameServers::These(addresses) => {
            let servers = addresses.iter().map(name_server).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = options.timeout.min(QUERY);
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    options.positive_max_ttl = Some(REMEMBERED);
    options.negative_min_ttl = None;
    options.negative_max_ttl = Some(Duration::ZERO);
    builder.build().map_err(|error| error.to_string())
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}

/// RFC 6761 §6.3: `localhost` and all below it are this host, and nobody is asked.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let name = name.rsplit('.').next().unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
}

/// The resolver answered, with an error.
fn answered(name: &str, error: &DnsError) -> Failure {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what else it answers, also what is new, is told in its words"
    )]
    match error {
        DnsError::NoRecordsFound(none) if none.response_code == ResponseCode::NXDomain => {
            not_found(name, "does not exist")
        }
        DnsError::NoRecordsFound(none) if none.response_code == ResponseCode::NoError => {
            not_found(name, "exists but has no address")
        }
        DnsError::NoRecordsFound(none) => name_failed(name, &none.response_code.to_string()),
        DnsError::ResponseCode(code) => name_failed(name, &code.to_string()),
        other => name_failed(name, &other.to_string()),
    }
}

/// The resolver did not answer for this name. Whether it answers at all tells whose trouble it is.
async fn unanswered(resolver: &TokioResolver, name: &str, why: &str) -> Failure {
    // The root's name servers: never in a hosts file, and too rarely asked for to be remembered.
    let asked = timeout_at(Instant::now() + SIGN_OF_LIFE, resolver.lookup(".", RecordType::NS)).await;
    match asked {
        Ok(Ok(_) | Err(NetError::Dns(_))) => name_failed(name, why),
        Ok(Err(_)) | Err(_) => no_resolver(&format!("none answers, neither for '{name}' nor for the root")),
    }
}

fn not_found(name: &str, why: &str) -> Failure {
    Failure {
        layer: Layer::Dns,
        kind: FailureKind::NameNotFound,
        message: format!("the name '{name}' {why}"),
    }
}

fn name_failed(name: &str, why: &str) -> Failure {
    Failure {
        layer: Layer::Dns,
        kind: FailureKind::NameFailed,
        message: format!("the resolver cannot tell the address of '{name}': {why}"),
    }
}

fn no_resolver(why: &str) -> Failure {
    Failure { layer: Layer::Ours, kind: FailureKind::NoResolver, message: format!("no resolver: {why}") }
}
