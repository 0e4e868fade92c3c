//! What may write, as far as can be told from what is sent.

use super::{
    graphql,
    problem::{Place, Rank},
    reading::Reading,
    way::Way,
};
use domain::{Kind, Request};

/// Whether a POST of an API of this kind may write.
fn post_may_write(kind: Option<Kind>, path: &str, body: Option<&str>) -> bool {
    let resource = path.split('?').next().unwrap_or_default();
    let last = resource.rsplit('/').next().unwrap_or_default();
    match kind {
        Some(Kind::Soap | Kind::Hl7) | None => false,
        Some(Kind::FhirR4) => last != "_search" && !last.starts_with('$'),
        Some(Kind::Rest) => last != "_search" && last != "search",
        Some(Kind::Graphql) => body.is_some_and(graphql::body_may_write),
    }
}

/// Whether it is left to a person to say that what is sent only reads, or may be written: nobody but they can tell.
pub(super) fn may_do_more(way: Way, kind: Option<Kind>, request: &Request, body: Option<&str>) -> bool {
    match (way, request) {
        (Way::Put | Way::Delete | Way::Soap, _) => true,
        (Way::Post, Request::Http(http)) => {
            let resource = http.path.split('?').next().unwrap_or_default();
            let searches = kind == Some(Kind::FhirR4) && resource.ends_with("/_search");
            let asks = kind == Some(Kind::Graphql) && body.is_some_and(graphql::body_asks);
            !searches && !asks
        }
        (_, Request::Tcp(tcp)) => !tcp.send.is_empty(),
        // A query of GraphQL is looked into; a message of HL7 says that it is synthetic; the rest carries nothing.
        _ => false,
    }
}

/// Says where a POST may write that is not said to be synthetic, which none may but a journey's.
pub(super) fn check_post(
    kind: Option<Kind>,
    (path, place): (&str, &Place),
    body: Option<&str>,
    reading: &mut Reading<'_>,
) {
    if post_may_write(kind, path, body) {
        let hint = Some(
            "a probe never writes unasked: POST is for SOAP, HL7 and GraphQL queries, searches ('/_search') and FHIR \
             operations ('/$…'); if this one only reads, or writes what is about nobody, say 'synthetic: true'; a \
             'journey' can clean up behind it"
                .to_owned(),
        );
        reading.problems.error(Rank::Sense, place, "this POST may write", hint);
    }
}
