//! How far one comes without asking for anything: a name, a connection, a handshake.

use super::{Prober, half, ours};
use crate::{
    connect::{self, Dial},
    proxy,
    tls::Speaks,
};
use domain::{Certificate, Egress, Failure, FailureKind, Layer, PrivateAddresses, Proxy};
use rustls::pki_types::ServerName;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// How far one came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Who took the connection; `None` also where it was the proxy.
    pub peer: Option<SocketAddr>,
    /// What it presented, also when it was refused; `None` without TLS.
    pub certificate: Option<Certificate>,
    /// Where it ended early.
    pub failure: Option<Failure>,
}

impl Prober {
    /// The addresses of a name, as probes would find them.
    pub async fn resolve(&self, name: &str, patience: Duration) -> Result<Vec<IpAddr>, Failure> {
        let deadline = Instant::now() + patience;
        Box::pin(self.resolve.addresses(name, half(deadline), deadline)).await
    }

    /// Connects to a proxy and leaves without a word: which of its addresses took the connection.
    pub async fn reach_proxy(&self, proxy: &Proxy, patience: Duration) -> Result<SocketAddr, Failure> {
        let (straight, limit) = (Egress::default(), Instant::now() + patience);
        let (_, ip) = Box::pin(proxy::reach(proxy, (&straight, &self.resolve), limit)).await?;
        Ok(SocketAddr::new(ip, proxy.port))
    }

    /// Connects to a host, through a proxy where that leads there, and, `secured`, shakes hands; then leaves without a word. The host learns nothing but that
    /// somebody came by.
    pub async fn reach(
        &self,
        (host, port): (&str, u16),
        proxy: Option<&Proxy>,
        secured: bool,
        patience: Duration,
    ) -> Reach {
        let mut reach = Reach::default();
        let deadline = Instant::now() + patience;
        reach.failure = Box::pin(self.come((host, port), proxy, secured, deadline, &mut reach)).await.err();
        reach
    }

    async fn come(
        &self,
        (host, port): (&str, u16),
        proxy: Option<&Proxy>,
        secured: bool,
        deadline: Instant,
        reach: &mut Reach,
    ) -> Result<(), Failure> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        // What is reached so is the platform's own, a desk or a mail server, and not asked from the vantage's address.
        let straight = Egress::default();
        let stream = if let Some(proxy) = proxy.filter(|proxy| proxy.leads_to(bare)) {
            let by = (&straight, &self.resolve);
            proxy::tunnel(proxy, by, (bare, port), half(deadline)).await?.0
        } else {
            let addresses = match bare.parse::<IpAddr>() {
                Ok(ip) => vec![ip],
                Err(_) => Box::pin(self.resolve.addresses(bare, half(deadline), deadline)).await?,
            };
            let private = PrivateAddresses::Allowed;
            let dial = Dial { addresses, port, written: true, private, local: None };
            let (stream, ip) = connect::connect(&dial, half(deadline)).await?;
            reach.peer = Some(SocketAddr::new(ip, port));
            stream
        };
        if !secured {
            return Ok(());
        }
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| ours(FailureKind::ProbeBroke, format!("'{bare}' is no name for a certificate")))?;
        let witness = self.tls.witness().ok_or_else(|| {
            let message =
                "this host trusts no certificate at all; install ca-certificates, or set egress.roots";
            ours(FailureKind::ProbeBroke, message)
        })?;
        let shaken =
            timeout_at(deadline, Box::pin(self.tls.handshake(witness.clone(), name, stream, Speaks::Http)))
                .await;
        reach.certificate = witness.certificate();
        match shaken {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(crate::tls::failure(&error, &witness)),
            Err(_) => Err(Failure {
                layer: Layer::Tls,
                kind: FailureKind::TlsTimeout,
                message: "connected, but no TLS handshake in time".to_owned(),
            }),
        }
    }
}
