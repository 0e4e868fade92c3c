//! A request over the connection of the probe before, while it stands; else over a fresh one that is then kept.

use super::{Prober, half, http::saw};
use crate::{
    credential::Bearer,
    exchange::{self, Received, Terms, Wanted},
    line::{self, Kept, Line},
    request::request,
    target::Target,
    tls::Speaks,
};
use domain::{Expectation, Failure, FailureKind, Outcome, Phases};
use tokio::time::Instant;

impl Prober {
    /// As [`Prober::fetch`]. A kept connection that the other side has closed by the time that it is used is no failure: any
    /// server may close one that is idle. The request is sent once more then, on a fresh one; none of them means a write.
    pub(super) async fn fetch_warm<'a>(
        &'a self,
        (target, kept): (&Target, &Kept),
        wanted: &'a (dyn Fn(u16) -> Wanted + Sync),
        deadline: Instant,
        (id, bearer): (&str, Option<&Bearer>),
        outcome: &mut Outcome,
    ) -> Result<Received<'a>, Failure> {
        let terms = Terms { limits: &self.limits, memory: &self.memory, deadline, wanted, witness: None };
        if let Some(mut line) = kept.take().await {
            let terms = Terms { witness: line.witness.clone(), ..terms };
            outcome.certificate = line.witness.as_ref().and_then(|witness| witness.certificate());
            let sent = request(target, id, bearer, line.version());
            match line.ask(sent, &terms, &mut outcome.phases).await {
                Err(failure) if failure.kind == FailureKind::ClosedEarly => {
                    outcome.phases = Phases::default();
                    outcome.expectations.push(Expectation {
                        what: "kept connection".to_owned(),
                        expected: "open".to_owned(),
                        seen: "closed while idle; sent once more on a fresh one".to_owned(),
                        ok: true,
                    });
                }
                asked => {
                    outcome.warm = true;
                    self.leads(&target.place.address, outcome);
                    // Only an answer shows that the way there is whole: this connection was made before.
                    let received = asked?;
                    self.lookout.connected(line.remote_ip, &outcome.check);
                    saw(&received, line.remote_ip, outcome);
                    self.keep((line, kept), &received).await;
                    return Ok(received);
                }
            }
        }
        let mut line = self.new_line((target, Speaks::Http), &terms, outcome).await?;
        let mut terms = Terms { witness: line.witness.clone(), ..terms };
        let sent = request(target, id, bearer, line.version());
        let mut asked = line.ask(sent, &terms, &mut outcome.phases).await;
        if asked.is_err() && line.witness.as_ref().is_some_and(|witness| witness.wants_http1()) {
            outcome.phases = Phases::default();
            line = self.new_line((target, Speaks::Http1), &terms, outcome).await?;
            terms.witness.clone_from(&line.witness);
            let sent = request(target, id, bearer, line.version());
            asked = line.ask(sent, &terms, &mut outcome.phases).await;
        }
        let received = asked?;
        saw(&received, line.remote_ip, outcome);
        self.keep((line, kept), &received).await;
        Ok(received)
    }

    /// Keeps a connection for the next probe, unless the answer over it broke off: what is wrong with the connection itself
    /// would be wrong for the next one too.
    async fn keep(&self, (line, kept): (Line, &Kept), received: &Received<'_>) {
        if received.broke_off.is_none() {
            kept.keep(line, &self.lines).await;
        }
    }

    /// A fresh connection over which requests can be sent.
    async fn new_line(
        &self,
        (target, speaks): (&Target, Speaks),
        terms: &Terms<'_>,
        outcome: &mut Outcome,
    ) -> Result<Line, Failure> {
        let (stream, ip) =
            self.connected(&target.place.address, target.place.port, terms.deadline, outcome).await?;
        line::stays(&stream);
        let Some(name) = &target.place.server_name else {
            let (sender, connection) = exchange::shake_http1(stream, terms).await?;
            return Ok(Line::one(sender, connection, (ip, None)));
        };
        let own = target.certificate.as_deref();
        let limit = half(terms.deadline);
        let (stream, witness) = self.secured(name.clone(), stream, (speaks, own), limit, outcome).await?;
        let seen = (ip, Some(witness));
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            let (sender, connection, tasks) = exchange::shake_http2(stream, terms).await?;
            Ok(Line::two(sender, (connection, tasks), seen))
        } else {
            let (sender, connection) = exchange::shake_http1(stream, terms).await?;
            Ok(Line::one(sender, connection, seen))
        }
    }
}
