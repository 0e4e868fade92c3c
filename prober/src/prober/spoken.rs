//! Conversations that are not HTTP: over TCP, over TLS, in HL7.

use super::{Prober, half};
use crate::{
    answer,
    conversation::{self, Stream},
    door::Door,
    mllp::Mllp,
    tcp::{self, Tcp},
    tls::Speaks,
};
use domain::{Failure, FailureKind, Layer, Outcome};
use tokio::time::Instant;
use tokio_util::either::Either;

impl Prober {
    /// A connection to a door, secured where it is so from the first byte.
    async fn opened(&self, door: &Door, deadline: Instant, outcome: &mut Outcome) -> Result<Stream, Failure> {
        let (stream, _) = self.connected(&door.address, door.port, deadline, outcome).await?;
        if !door.tls {
            return Ok(Either::Left(stream));
        }
        let how = (Speaks::Other, door.certificate.as_deref());
        let (stream, _) = self.secured(door.name.clone(), stream, how, half(deadline), outcome).await?;
        Ok(Either::Right(stream))
    }

    pub(super) async fn tcp(
        &self,
        tcp: &Tcp,
        deadline: Instant,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let mut stream = self.opened(&tcp.door, deadline, outcome).await?;
        if tcp.starttls {
            tcp::starttls(&mut stream, deadline, &mut outcome.phases).await?;
            if let Either::Left(plain) = stream {
                let (name, how) = (tcp.door.name.clone(), (Speaks::Other, tcp.door.certificate.as_deref()));
                stream = Either::Right(self.secured(name, plain, how, half(deadline), outcome).await?.0);
            }
        }
        tcp.talk(&mut stream, deadline, outcome).await?;
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
        let mut stream = self.opened(&mllp.door, deadline, outcome).await?;
        mllp.talk(&mut stream, deadline, id, outcome).await?;
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
