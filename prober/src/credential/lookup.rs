//! Where a token endpoint is.

use super::{fetch::ours, tokens::Fetching};
use domain::{Failure, FailureKind, Layer, PrivateAddresses, undialled};
use std::net::SocketAddr;
use tokio::time::Instant;

/// Its host and where that leads, looked up as probes look names up; `None`: a proxy finds the way. An address that no probe is
/// sent to is not asked for tokens either.
pub(super) async fn lookup(
    url: &str,
    by: Fetching<'_>,
    deadline: Instant,
) -> Result<Option<(String, Vec<SocketAddr>)>, Failure> {
    let Ok(parsed) = reqwest::Url::parse(url) else { return Ok(None) };
    let never = |ip| undialled(ip, true, PrivateAddresses::Allowed);
    let not_asked = |ip, what| {
        ours(FailureKind::AddressRefused, format!("the token endpoint {url} is not asked: {ip} is {what}"))
    };
    let host = parsed.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse() {
        let here = || Ok(Some((host.to_owned(), vec![SocketAddr::new(ip, 0)])));
        return never(ip).map_or_else(here, |what| Err(not_asked(ip, what)));
    }
    // A proxy looks the name up itself.
    if by.egress.proxy_to(host).is_some() {
        return Ok(None);
    }
    let now = Instant::now();
    let half = now + deadline.saturating_duration_since(now) / 2;
    let found = Box::pin(by.resolve.addresses(host, half, deadline)).await;
    let found = found.map_err(|failure| {
        if failure.layer == Layer::Ours {
            return ours(
                failure.kind,
                format!("no connection to the token endpoint {url}: {}", failure.message),
            );
        }
        Failure {
            layer: Layer::Token,
            kind: FailureKind::TokenUnreachable,
            message: format!("the token endpoint {url} cannot be reached: {}", failure.message),
        }
    })?;
    let dialled: Vec<SocketAddr> =
        found.iter().filter(|ip| never(**ip).is_none()).map(|ip| SocketAddr::new(*ip, 0)).collect();
    match found.iter().find_map(|ip| Some((ip, never(*ip)?))) {
        Some((ip, what)) if dialled.is_empty() => Err(not_asked(*ip, what)),
        _ => Ok(Some((host.to_owned(), dialled))),
    }
}
