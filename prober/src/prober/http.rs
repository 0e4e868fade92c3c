//! HTTP: one request, the redirects that are followed, and the answer.

use super::{Prober, half};
use crate::{
    credential::Bearer,
    exchange::{self, Received, Terms, Wanted},
    redirect,
    request::request,
    target::Target,
    tls::Speaks,
};
use domain::{Failure, Http, Outcome};
use hyper::Version;
use std::{borrow::Cow, net::IpAddr};
use tokio::time::Instant;

impl Prober {
    /// One request, and one more for each redirect that is followed; `then` says what the last answer means. Each phase is
    /// the sum over all of them.
    pub(super) async fn http(
        &self,
        target: &Target,
        deadline: Instant,
        (id, bearer): (&str, Option<&Bearer>),
        outcome: &mut Outcome,
        then: impl FnOnce(&Self, &Target, Received<'_>, &mut Outcome) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let wanted = |status| target.wanted(status);
        let mut received = match &target.kept {
            None => self.fetch(target, &wanted, deadline, (id, bearer), outcome).await?,
            Some(kept) => {
                let from = (target, kept.as_ref());
                Box::pin(self.fetch_warm(from, &wanted, deadline, (id, bearer), outcome)).await?
            }
        };
        let mut hop = None;
        for taken in 0..=target.form.redirects.at_most {
            let here = hop.as_ref().unwrap_or(target);
            if target.form.expectations.accepts(received.status) {
                break;
            }
            let Some(next) = redirect::next(&target.form.redirects, here, &received, taken)? else { break };
            outcome.expectations.push(redirect::followed(received.status, taken + 1, &next));
            // What it held of the memory is not needed any more.
            drop(received);
            // To another host it has no tokens.
            let bearer = bearer.filter(|_| next.tokens.is_some());
            received = Box::pin(self.fetch(&next, &wanted, deadline, (id, bearer), outcome)).await?;
            hop = Some(next);
        }
        then(self, target, received, outcome)
    }

    /// The phases in their order; each writes down how long it took, also when it was the last. A server that took HTTP/2 and
    /// then wants HTTP/1.1 has not done what it was asked: it is asked once more, and that is what is measured.
    async fn fetch<'a>(
        &'a self,
        target: &Target,
        wanted: &'a (dyn Fn(u16) -> Wanted + Sync),
        deadline: Instant,
        who: (&str, Option<&Bearer>),
        outcome: &mut Outcome,
    ) -> Result<Received<'a>, Failure> {
        let mut terms = Terms { limits: &self.limits, memory: &self.memory, deadline, wanted, witness: None };
        let before = outcome.phases;
        let fetched = self.fetch_over(Speaks::Http, target, &mut terms, who, outcome).await;
        if fetched.is_ok() || !terms.witness.as_ref().is_some_and(|witness| witness.wants_http1()) {
            return fetched;
        }
        outcome.phases = before;
        self.fetch_over(Speaks::Http1, target, &mut terms, who, outcome).await
    }

    async fn fetch_over<'a>(
        &'a self,
        speaks: Speaks,
        target: &Target,
        terms: &mut Terms<'a>,
        (id, bearer): (&str, Option<&Bearer>),
        outcome: &mut Outcome,
    ) -> Result<Received<'a>, Failure> {
        let deadline = terms.deadline;
        let (stream, remote_ip) =
            self.connected(&target.place.address, target.place.port, deadline, outcome).await?;
        let received = if let Some(name) = &target.place.server_name {
            let own = target.certificate.as_deref();
            let (stream, witness) =
                self.secured(name.clone(), stream, (speaks, own), half(deadline), outcome).await?;
            terms.witness = Some(witness);
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                let request = request(target, id, bearer, Version::HTTP_2);
                Box::pin(exchange::http2(stream, request, terms, &mut outcome.phases)).await?
            } else {
                let request = request(target, id, bearer, Version::HTTP_11);
                Box::pin(exchange::http1(stream, request, terms, &mut outcome.phases)).await?
            }
        } else {
            let request = request(target, id, bearer, Version::HTTP_11);
            exchange::http1(stream, request, terms, &mut outcome.phases).await?
        };
        saw(&received, remote_ip, outcome);
        Ok(received)
    }
}

/// Writes down what HTTP said.
pub(super) fn saw(received: &Received<'_>, remote_ip: IpAddr, outcome: &mut Outcome) {
    outcome.http = Some(Http {
        status: received.status,
        version: version_word(received.version),
        remote_ip: Some(remote_ip),
        bytes: received.bytes,
    });
    #[cfg(debug_assertions)]
    crate::break_point::pass(&outcome.check);
}

fn version_word(version: Version) -> Cow<'static, str> {
    match version {
        Version::HTTP_2 => "HTTP/2".into(),
        Version::HTTP_11 => "HTTP/1.1".into(),
        other => format!("{other:?}").into(),
    }
}
