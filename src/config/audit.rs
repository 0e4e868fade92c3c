//! The registered application's identity, which requests to audited APIs carry (domain.md §1.4): a FHIR identifier in
//! base64, a header each.

use super::{patients, reading::Reading, section::Section, tree::Node};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

/// Longest system and value, in bytes: with both, a header stays below 8 KiB.
const MAX_WORD: usize = 1_024;

/// The headers that `audit: { device: …, organisation: …, user: … }` stands for.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    let Some(mut section) = Section::open(node, "audit", reading) else { return headers };
    for (key, header) in
        [("device", "X-Audit-Device"), ("organisation", "X-Audit-Organisation"), ("user", "X-Audit-User")]
    {
        let identifier = section.optional(key, reading).and_then(|node| identifier(node, reading));
        headers.extend(identifier.map(|identifier| (header.to_owned(), identifier)));
    }
    section.close(reading);
    headers
}

fn identifier(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    let mut section = Section::open(node, "an identifier", reading)?;
    let mut word = |key: &'static str, what: &str| {
        let node = section.required(key, reading)?;
        let text = reading.text(node, what)?;
        if text.len() > MAX_WORD || text.chars().any(char::is_control) {
            reading.wrong(&node.place, format!("{what} is one line of at most {MAX_WORD} characters"));
            return None;
        }
        patients::refuse(node, text, reading);
        Some(text)
    };
    let (system, value) =
        (word("system", "the system of an identifier"), word("value", "the value of an identifier"));
    section.close(reading);
    Some(STANDARD.encode(json!({ "system": system?, "value": value? }).to_string()))
}
