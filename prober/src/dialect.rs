//! What the body of an answer says went wrong, in the protocol that it is read as.

use crate::{fault, fhir, graphql, soap, xml::Xml};
use domain::{Dialect, Failure, FailureKind, Layer};
use serde_json::Value;

/// What a body says went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) layer: Layer,
    pub(crate) kind: FailureKind,
    /// For people: words of the protocol, never of the answer.
    pub(crate) words: String,
    /// Says more than a bad status does.
    pub(crate) decides: bool,
}

/// What an answer says went wrong; `None`: nothing. `must_be_fhir`: what is expected of FHIR is a resource, and nothing else.
pub(crate) fn complaint(
    dialect: Dialect,
    json: Option<&Value>,
    xml: Option<&Result<Xml<'_>, String>>,
    must_be_fhir: bool,
) -> Option<Complaint> {
    match dialect {
        Dialect::Plain | Dialect::Health => None,
        Dialect::Fhir => fhir::complaint(json, xml, must_be_fhir),
        Dialect::Capabilities => fhir::complaint(json, xml, false),
        Dialect::Soap => soap::complaint(xml?),
        Dialect::Graphql => graphql::complaint(json),
    }
}

impl Complaint {
    /// Whether it stands beside a `status` that was expected. FHIR says in an `OperationOutcome` why a request was refused, so
    /// whoever expects 404 expects its `not-found` too; that our rate is refused is never what was to be seen. A SOAP Fault is a
    /// failure whatever the status.
    pub(crate) fn stands(&self, dialect: Dialect, status: u16) -> bool {
        match dialect {
            Dialect::Fhir | Dialect::Capabilities => {
                matches!(status, 200..=299) || self.kind == FailureKind::RateLimited
            }
            Dialect::Plain | Dialect::Health | Dialect::Soap | Dialect::Graphql => true,
        }
    }

    /// What it comes to where the status is a good one.
    pub(crate) fn alone(self, status: u16) -> Failure {
        Failure { layer: self.layer, kind: self.kind, message: format!("status {status}: {}", self.words) }
    }

    /// What it comes to beside a bad status. A gateway that refuses us, or cannot reach what is behind it, speaks for
    /// itself: what it answers may be a complaint in any protocol.
    pub(crate) fn beside(self, status: u16, body: &[u8]) -> Failure {
        let by_status = fault::of_answer(status, body);
        let gateways = by_status.layer == Layer::Gateway || by_status.kind == FailureKind::BackendUnavailable;
        let rate = self.kind == FailureKind::RateLimited;
        if rate || (self.decides && !gateways) {
            return self.alone(status);
        }
        if self.kind == FailureKind::BadBody {
            return by_status;
        }
        Failure { message: format!("{}; {}", by_status.message, self.words), ..by_status }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureKind::*;

    #[test]
    fn a_bad_status_and_a_complaint_come_to_one_failure() {
        let complaint =
            |kind, decides| Complaint { layer: Layer::Contract, kind, words: "words".to_owned(), decides };
        let check = |status, complaint: Complaint, layer, kind, message: &str| {
            let failure = complaint.beside(status, b"");
            assert_eq!((failure.layer, failure.kind), (layer, kind), "{status}");
            assert_eq!(failure.message, message);
        };
        let decides = || complaint(RequestRefused, true);
        check(500, decides(), Layer::Contract, RequestRefused, "status 500: words");
        let said = "status 403: our credential or address is refused; words";
        check(403, decides(), Layer::Gateway, AccessRefused, said);
        let said = "status 503: not available; words";
        check(503, decides(), Layer::Gateway, GatewayError, said);
        let adds = || complaint(RequestRefused, false);
        let said = "status 500: the service answers with a server error; words";
        check(500, adds(), Layer::Backend, ServerError, said);
        check(503, complaint(RateLimited, true), Layer::Contract, RateLimited, "status 503: words");
        let said = "status 500: the service answers with a server error";
        check(500, complaint(BadBody, false), Layer::Backend, ServerError, said);
    }
}
