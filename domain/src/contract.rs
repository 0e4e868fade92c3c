//! What the OpenAPI document of an API promises of the answers to one of its requests.

use crate::Statuses;
use std::sync::Arc;

/// What is promised, made ready to be held against: nothing in it refers to the document any more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Contract {
    /// The method and the path as the document writes it: `GET /lists/{code}`.
    pub request: String,
    /// The document, as the configuration names it.
    pub document: String,
    /// What may be answered.
    pub answers: Vec<Promised>,
    /// Whole JSON Schemas (2020-12), as text; large ones may be those of many operations.
    pub schemas: Vec<Arc<str>>,
}

/// One answer that is promised.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Promised {
    /// `None`: any that no other names.
    pub status: Option<Statuses>,
    /// What its body may be, by media type (lower case), or by a range of them such as `*/*`; the number of its schema.
    /// `None`: not JSON, or nothing is said of it. Empty: no body is promised.
    pub bodies: Vec<(String, Option<usize>)>,
}

impl Contract {
    /// What is promised of an answer with this status: the nearest wins.
    pub fn answer(&self, status: u16) -> Option<&Promised> {
        let named = |wanted: Option<Statuses>| self.answers.iter().find(|answer| answer.status == wanted);
        named(Some(Statuses::One(status)))
            .or_else(|| named(Some(Statuses::Class(status / 100))))
            .or_else(|| named(None))
    }
}

impl Promised {
    /// Whether any body of it has a schema.
    pub fn has_schema(&self) -> bool {
        self.bodies.iter().any(|(_, schema)| schema.is_some())
    }

    /// The schema of a body of this media type, without parameters, in lower case: the nearest wins.
    ///
    /// `None`: this media type is not promised; `Some(None)`: it is, without a schema.
    pub fn body(&self, media_type: &str) -> Option<Option<usize>> {
        let named = |wanted: &str| self.bodies.iter().find(|(known, _)| known == wanted);
        let range = media_type.split_once('/').map(|(kind, _)| format!("{kind}/*"));
        named(media_type).or_else(|| named(&range?)).or_else(|| named("*/*")).map(|(_, schema)| *schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_status_and_media_type_win() {
        let answer =
            |status, media: &str, schema| Promised { status, bodies: vec![(media.to_owned(), schema)] };
        let contract = Contract {
            request: "GET /".to_owned(),
            document: "openapi.json".to_owned(),
            answers: vec![
                answer(None, "*/*", Some(0)),
                answer(Some(Statuses::Class(2)), "application/*", Some(1)),
                answer(Some(Statuses::One(200)), "application/json", Some(2)),
            ],
            schemas: Vec::new(),
        };
        let schema = |status, media| contract.answer(status).and_then(|answer| answer.body(media));
        assert_eq!(schema(200, "application/json"), Some(Some(2)));
        assert_eq!(schema(200, "text/html"), None);
        assert_eq!(schema(201, "application/fhir+json"), Some(Some(1)));
        assert_eq!(schema(201, "text/html"), None);
        assert_eq!(schema(404, "text/html"), Some(Some(0)));
    }
}
