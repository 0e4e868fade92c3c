//! Conversations that are not HTTP: over TCP, over TLS, in HL7.

use super::{Prober, half};
use crate::{
    answer,
    conversation::{self, Stream},
    door::Door,
    mllp::Mllp,
    tcp::{self, Tcp},
    tls::{self, Overheard, Speaks, Witness},
};
use domain::{Failure, FailureKind, Layer, Outcome};
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::either::Either;

impl Prober {
    /// A connection to a door, secured where it is so from the first byte, and who saw that.
    async fn opened(
        &self,
        door: &Door,
        deadline: Instant,
        outcome: &mut Outcome,
    ) -> Result<(Stream, Option<Arc<Witness>>), Failure> {
        let (stream, _) = self.connected(&door.address, door.port, deadline, outcome).await?;
        if !door.tls {
            return Ok((Either::Left(stream), None));
        }
        let how = (Speaks::Other, door.certificate.as_deref());
        let (stream, witness) = self.secured(door.name.clone(), stream, how, half(deadline), outcome).await?;
        Ok((Either::Right(Overheard::new(stream, Some(witness.clone()))), Some(witness)))
    }

    pub(super) async fn tcp(
        &self,
        tcp: &Tcp,
        deadline: Instant,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let (mut stream, mut witness) = self.opened(&tcp.door, deadline, outcome).await?;
        if tcp.starttls {
            tcp::starttls(&mut stream, deadline, &mut outcome.phases).await?;
            if let Either::Left(plain) = stream {
                let (name, how) = (tcp.door.name.clone(), (Speaks::Other, tcp.door.certificate.as_deref()));
                let (secured, saw) = self.secured(name, plain, how, half(deadline), outcome).await?;
                stream = Either::Right(Overheard::new(secured, Some(saw.clone())));
                witness = Some(saw);
            }
        }
        let talked = tcp.talk(&mut stream, deadline, outcome).await;
        talked.map_err(|failure| whose(failure, witness.as_deref()))?;
        if tcp.starttls {
            // Out of politeness: nothing depends on it.
            conversation::say(&mut stream, b"QUIT\r\n", deadline).await.ok();
        }
        self.certificate(tcp.certificate_days, &tcp.door, outcome)
    }

    pub(super) async fn mllp(
        &self,
        mllp: &Mllp,
        deadline: Instant,
        id: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let (mut stream, witness) = self.opened(&mllp.door, deadline, outcome).await?;
        let talked = mllp.talk(&mut stream, deadline, id, outcome).await;
        talked.map_err(|failure| whose(failure, witness.as_deref()))?;
        self.certificate(mllp.certificate_days, &mllp.door, outcome)
    }

    /// Whether the certificate is good for long enough.
    fn certificate(&self, days: Option<u32>, door: &Door, outcome: &mut Outcome) -> Result<(), Failure> {
        let Some(days) = days else { return Ok(()) };
        let right = self.clocks.right(&door.address.host(), self.moment());
        let expectation = answer::certificate_days(days, outcome.certificate.as_ref(), right);
        let failure = (!expectation.ok).then(|| Failure {
            layer: Layer::Contract,
            kind: FailureKind::CertificateEndsSoon,
            message: answer::unmet(&expectation),
        });
        outcome.expectations.push(expectation);
        failure.map_or(Ok(()), Err)
    }
}

/// Over TLS 1.3 a server looks at our certificate when the handshake is over for us: what it then says of it is why it
/// breaks off.
fn whose(failure: Failure, witness: Option<&Witness>) -> Failure {
    let refused =
        witness.filter(|witness| witness.alert().is_some_and(|alert| tls::wants_ours(alert, witness)));
    refused.map_or(failure, tls::client_certificate)
}
