//! A fault as a prober sees it and says it.

use super::Asked;
use crate::Fault;
use std::time::Duration;

/// What a prober says of an answer that was not good, in the words of Curiad's JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symptom {
    /// Where: `connect`, `gateway`, `backend`.
    pub layer: &'static str,
    /// What, as a word.
    pub kind: &'static str,
    /// What, for people.
    pub message: String,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else there is, no answer comes")]
pub(super) fn of(fault: Fault, took: Duration) -> Option<Symptom> {
    let says = |layer, kind, message: &str, status| {
        Some(Symptom { layer, kind, message: message.to_owned(), status })
    };
    let behind = "the gateway says that the service behind it";
    match fault {
        Fault::None | Fault::Slow(_) => None,
        Fault::Refuse => says("connect", "refused", "refused", None),
        Fault::Reset => says("connect", "reset", "reset", None),
        Fault::Backend(status) => {
            let message = format!("status {status}: the service answers with a server error");
            says("backend", "server_error", &message, Some(status))
        }
        Fault::Status(status) => {
            says("gateway", "gateway_error", &format!("status {status}: not available"), Some(status))
        }
        Fault::GatewayUnavailable => {
            let code = "status 503, messaging.adaptors.http.flow.ServiceUnavailable";
            says("backend", "backend_unavailable", &format!("{behind} cannot be reached ({code})"), Some(503))
        }
        Fault::GatewayTimeout => {
            let code = "status 504, messaging.adaptors.http.flow.GatewayTimeout";
            let message = format!("{behind} did not answer in time ({code})");
            says("backend", "backend_unavailable", &message, Some(504))
        }
        Fault::TokenRefused => {
            let code = "status 401, keymanagement.service.invalid_access_token";
            let message = format!("the gateway refuses our credential or address ({code})");
            says("gateway", "access_refused", &message, Some(401))
        }
        Fault::SaysFail => says("backend", "health_fail", "the API says that it is down", Some(200)),
        Fault::SaysDegraded => says("backend", "health_warn", "the API says that it is degraded", Some(200)),
        _ => {
            let message = format!("connected, but no whole head of an answer within {took:.1?}");
            says("backend", "first_byte_timeout", &message, None)
        }
    }
}

/// How long a probe of it takes, where a good answer takes `own`.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others answer as fast as ever")]
pub(super) fn takes(fault: Fault, own: Duration, asked: &Asked) -> Duration {
    match fault {
        Fault::Refuse | Fault::Reset => own / 16,
        Fault::Slow(_) => asked.slow + own * 4,
        Fault::GatewayTimeout => asked.timeout * 3 / 4,
        Fault::Hang => asked.timeout,
        _ => own,
    }
}
