//! A probe with what proves who asks: it is had first, and its time is no part of the API's (DESIGN §7).

use super::Prober;
use crate::{
    credential::{Bearer, Fetching, Tokens},
    prepared::{Prepared, Protocol},
};
use domain::{Credential, Failure, FailureKind, LATE, Layer, Outcome};
use jiff::Timestamp;
use std::time::Duration;

/// What an answer is that refuses a token.
const UNAUTHORISED: u16 = 401;

impl Prober {
    /// A probe with a token, where it needs one. One whose token is refused before its time is sent once more, with a
    /// fresh one.
    pub(super) async fn authorised(
        &self,
        prepared: &Prepared,
        (at, confirm): (Timestamp, bool),
        lag: Duration,
    ) -> Outcome {
        let protocol = prepared.protocol.as_ref().ok();
        let own = protocol.and_then(Protocol::certificate);
        if let Some(failure) = own.and_then(|own| own.over(self.clock.now())) {
            return self.unsent(prepared, (confirm, lag), failure);
        }
        let Some(tokens) = protocol.and_then(Protocol::tokens) else {
            return self.permitted(prepared, (at, confirm), lag, None).await;
        };
        let bearer = match tokens.bearer(self.fetching(), Some((&prepared.track, confirm))).await {
            Ok(bearer) => bearer,
            Err(failure) => return self.unsent(prepared, (confirm, lag), failure),
        };
        let outcome = self.permitted(prepared, (at, confirm), lag, Some(&bearer)).await;
        let unauthorised = outcome.http.as_ref().is_some_and(|http| http.status == UNAUTHORISED);
        if !unauthorised || outcome.failure.is_none() || !tokens.refused(&bearer) {
            return outcome;
        }
        match tokens.bearer(self.fetching(), None).await {
            Ok(fresh) => self.once_more(prepared, (at, confirm), lag, &fresh).await,
            // What was seen is that the API refuses us; that there is no other token will show by itself.
            Err(_) => outcome,
        }
    }

    async fn once_more(
        &self,
        prepared: &Prepared,
        (at, confirm): (Timestamp, bool),
        lag: Duration,
        fresh: &Bearer,
    ) -> Outcome {
        let mut outcome = self.permitted(prepared, (at, confirm), lag, Some(fresh)).await;
        let check = &prepared.track;
        match &mut outcome.failure {
            Some(failure) if failure.kind == FailureKind::AccessRefused => {
                failure.message.push_str("; a fresh token is refused, too");
            }
            Some(_) | None => {
                tracing::warn!(%check, "a token was refused before its time, a fresh one was not");
            }
        }
        outcome
    }

    /// The outcome of a probe that was not sent.
    fn unsent(&self, prepared: &Prepared, (confirm, lag): (bool, Duration), failure: Failure) -> Outcome {
        self.metrics.started(lag);
        let late = Some(lag).filter(|lag| *lag > LATE);
        Outcome { failure: Some(failure), late, ..self.nothing_yet(prepared, self.clock.now(), confirm) }
    }

    fn fetching(&self) -> Fetching<'_> {
        Fetching {
            tls: &self.tls,
            egress: &self.egress,
            resolve: &self.resolve,
            clock: &self.clock,
            user_agent: &self.user_agent,
            endpoints: &self.shared.credentials.endpoints,
        }
    }

    /// Has a token of this credential, as a probe would: how long it lasts, `None` where it needs none.
    pub async fn sign_in(&self, credential: &Credential) -> Result<Option<Duration>, Failure> {
        let ready = self.shared.credentials.ready(credential).map_err(|message| Failure {
            layer: Layer::Ours,
            kind: FailureKind::CredentialRefused,
            message,
        })?;
        if let Some(failure) = ready.certificate.and_then(|own| own.over(self.clock.now())) {
            return Err(failure);
        }
        let Some(tokens) = ready.tokens else { return Ok(None) };
        tokens.bearer(self.fetching(), None).await?;
        Ok(Tokens::lasts(&tokens))
    }
}
