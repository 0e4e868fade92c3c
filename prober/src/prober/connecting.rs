//! The way to a target: its addresses, or a proxy; a connection, and its security.

use super::{Prober, add, half, ours, timed};
use crate::{
    connect::{self, Dial},
    credential::OwnCertificate,
    door::Address,
    proxy,
    tls::{self, Speaks, Witness},
    transcript,
};
use domain::{Failure, FailureKind, Layer, Outcome, Proxy, undialled};
use rustls::pki_types::ServerName;
use std::{net::IpAddr, sync::Arc};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::client::TlsStream;

impl Prober {
    /// A connection to an address.
    pub(super) async fn connected(
        &self,
        address: &Address,
        port: u16,
        deadline: Instant,
        outcome: &mut Outcome,
    ) -> Result<(TcpStream, IpAddr), Failure> {
        if let Some(proxy) = &self.egress.proxy
            && proxy.leads_to(&address.host())
        {
            return Box::pin(self.tunnelled(proxy, (address, port), deadline, outcome)).await;
        }
        let addresses = match address {
            Address::Ip(ip) => vec![*ip],
            Address::Name(name) => {
                let (found, took) =
                    timed(Box::pin(self.resolve.addresses(name, half(deadline), deadline))).await;
                add(&mut outcome.phases.dns, took);
                found?
            }
        };
        let (written, private) = (address.is_written(), self.private_addresses);
        let dial = Dial { addresses, port, written, private, local: self.egress.local_address.as_ref() };
        let started = Instant::now();
        let connected = connect::connect(&dial, half(deadline)).await;
        add(&mut outcome.phases.connect, started.elapsed());
        let (stream, remote_ip) = connected?;
        self.lookout.connected(remote_ip, &outcome.check);
        Ok((stream, remote_ip))
    }

    /// Says by which proxy a connection leads that was made before.
    pub(super) fn leads(&self, address: &Address, outcome: &mut Outcome) {
        if let Some(proxy) = &self.egress.proxy
            && proxy.leads_to(&address.host())
        {
            note(proxy, outcome);
        }
    }

    /// The same through a proxy, which looks the name up: what it cannot be asked is whether the address may be dialled.
    async fn tunnelled(
        &self,
        proxy: &Proxy,
        (address, port): (&Address, u16),
        deadline: Instant,
        outcome: &mut Outcome,
    ) -> Result<(TcpStream, IpAddr), Failure> {
        note(proxy, outcome);
        if let Address::Ip(ip) = address
            && let Some(what) = undialled(*ip, true, self.private_addresses)
        {
            let message = format!("{ip} is not dialled, through the proxy {proxy} neither: it is {what}");
            return Err(ours(FailureKind::AddressRefused, message));
        }
        let (host, by) = (address.host(), (&self.egress, &self.resolve));
        let tunnel = proxy::tunnel(proxy, by, (&host, port), half(deadline));
        let (connected, took) = timed(tunnel).await;
        add(&mut outcome.phases.connect, took);
        let (stream, proxy_ip) = connected?;
        self.lookout.connected(proxy_ip, &outcome.check);
        Ok((stream, proxy_ip))
    }

    pub(super) async fn secured(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
        (speaks, own): (Speaks, Option<&OwnCertificate>),
        limit: Instant,
        outcome: &mut Outcome,
    ) -> Result<(Box<TlsStream<TcpStream>>, Arc<Witness>), Failure> {
        let Some(witness) = self.tls.witness_with(own) else {
            let message =
                "this host trusts no certificate at all; install ca-certificates, or set egress.roots";
            return Err(ours(FailureKind::ProbeBroke, message));
        };
        let host = name.to_str().into_owned();
        let handshake = Box::pin(self.tls.handshake(witness.clone(), name, stream, speaks));
        let (shaken, took) = timed(timeout_at(limit, handshake)).await;
        add(&mut outcome.phases.tls, took);
        outcome.certificate = witness.certificate();
        let failed = !matches!(shaken, Ok(Ok(_)));
        if failed || outcome.transcript.is_some() {
            let chain = witness.chain().iter().filter_map(transcript::certificate).collect();
            outcome.transcript.get_or_insert_default().chain = chain;
        }
        match shaken {
            Ok(Ok(stream)) => {
                self.clocks.in_time();
                Ok((stream, witness))
            }
            Ok(Err(error)) => Err(self.by_the_right_time(tls::failure(&error, &witness), &host, &witness)),
            Err(_) => Err(Failure {
                layer: Layer::Tls,
                kind: FailureKind::TlsTimeout,
                message: format!("connected, but no TLS handshake within {took:.1?}"),
            }),
        }
    }
}

impl Prober {
    /// A certificate that is over, or too early, by a clock that is not right, is our own trouble.
    fn by_the_right_time(&self, failure: Failure, host: &str, witness: &Witness) -> Failure {
        let word = if failure.kind == FailureKind::CertificateExpired {
            "over"
        } else if failure.kind == FailureKind::CertificateNotYetValid {
            "too early"
        } else {
            return failure;
        };
        let now = self.moment();
        // Where it is another of its chain, that is trouble whatever the time.
        let own = witness.chain().first().filter(|own| !tls::is_in_time(own, now.wall));
        let all = if let Some(own) = own {
            let all = self.clocks.out_of_time(host, failure.kind, tls::fingerprint(own));
            // Certificates of one day run out together, by a clock that is right too.
            all.filter(|_| !self.clocks.anybody_agrees(now))
        } else {
            self.clocks.in_time();
            None
        };
        let why = match (self.clocks.ours_is_off(host, now), all) {
            (Some(ahead), _) => {
                let whose = if ahead.is_positive() { "behind" } else { "ahead of" };
                format!("our own clock is {} days {whose} those of other APIs", ahead.as_hours().abs() / 24)
            }
            (None, Some(hosts)) => format!("the certificates of {hosts} hosts are all {word} by our clock"),
            (None, None) => return failure,
        };
        let message = format!("{why}, so this cannot be told: {}; set the clock", failure.message);
        ours(failure.kind, message)
    }
}

/// Writes the proxy down, where what is seen is.
fn note(proxy: &Proxy, outcome: &mut Outcome) {
    if let Some(transcript) = &mut outcome.transcript {
        transcript.proxy = Some(proxy.to_string());
    }
}
