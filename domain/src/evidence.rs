//! What checks said, as an incident keeps it.

use crate::{Entry, scrubbed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was said, and by which request of ours the other side can look it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When.
    pub at: Timestamp,
    /// What: words of others, too.
    pub text: String,
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
}

impl Evidence {
    /// All of it, for those who work with it here.
    pub fn words(&self) -> String {
        self.with_request(&self.text)
    }

    /// The same, fit to be sent: without what may be a patient's number. Ten digits in our own id of a request are nobody's.
    pub fn scrubbed(&self) -> String {
        self.with_request(&scrubbed(&self.text))
    }

    fn with_request(&self, text: &str) -> String {
        match &self.request {
            Some(id) => format!("{text}, request {id}"),
            None => text.to_owned(),
        }
    }
}

impl From<Entry> for Evidence {
    fn from(Entry { at, text }: Entry) -> Self {
        Self { at, text, request: None }
    }
}

/// An `X-Request-ID` that we made: a `UUIDv8`, which nothing else can stand in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

impl RequestId {
    /// The id as it was sent; `None`: it is not of the form that ours have.
    pub fn parse(text: &str) -> Option<Self> {
        let groups: Vec<&str> = text.split('-').collect();
        let is_hex = |group: &&str| group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let long = groups.iter().map(|group| group.len());
        let ours = long.eq([8, 4, 4, 4, 12])
            && groups.iter().all(is_hex)
            && groups.get(2).is_some_and(|version| version.starts_with('8'));
        ours.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RequestId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("that is no request id of ours")
    }
}

impl From<RequestId> for String {
    fn from(RequestId(text): RequestId) -> Self {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "fc943476-5919-821f-8123-9434765919ab";

    #[test]
    fn ten_digits_of_our_own_request_id_stay_and_those_of_others_go() {
        let text = format!("read: GET /Patient/9434765919 for {ID}, HTTP 500");
        let evidence = Evidence { at: Timestamp::UNIX_EPOCH, text, request: RequestId::parse(ID) };
        let said = evidence.scrubbed();
        let foreign = "GET /Patient/[number removed] for fc[number removed]-821f-8123-[number removed]ab";
        assert_eq!(said, format!("read: {foreign}, HTTP 500, request {ID}"));
        assert!(evidence.words().ends_with(&format!("9434765919ab, HTTP 500, request {ID}")));
    }

    #[test]
    fn nothing_but_an_id_of_our_own_form_is_one() {
        for other in ["", "9434765919", "7f3c1c1e-1111-4222-8333-444455556666", "9434765919-821f"] {
            assert_eq!(RequestId::parse(other), None, "{other}");
        }
        assert!(
            RequestId::parse(&ID.to_uppercase()).is_none()
                && RequestId::parse(&ID.replace('f', "g")).is_none()
        );
    }

    #[test]
    fn what_was_kept_before_requests_stood_apart_is_read() {
        let evidence =
            Evidence { at: Timestamp::UNIX_EPOCH, text: "it works".into(), request: RequestId::parse(ID) };
        let kept = serde_json::to_string(&evidence).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&kept).unwrap(), evidence);
        let before = r#"{"at":"1970-01-01T00:00:00Z","text":"it works"}"#;
        let read: Evidence = serde_json::from_str(before).unwrap();
        assert_eq!(read, Evidence { request: None, ..evidence });
        assert!(serde_json::from_str::<Evidence>(&kept.replace(ID, "9434765919")).is_err());
    }
}
