//! Captured values put into the next request: where they stand they are only what they say, and change nothing around them.

use crate::xml::Xml;
use domain::{Journey, Piece, pieces};
use std::{borrow::Cow, fmt::Write as _};

/// What stands in a message in place of a value.
const HIDDEN: &str = "[captured]";

/// Shorter values are hidden only where they stand alone: they are part of any other word.
const SHORT: usize = 4;

/// Of a longer value so many bytes are looked for, and what follows goes with them: the rest may have been cut off.
const BEGINNING: usize = 32;

/// The values of one probe of a journey, by name. Not to be printed: they may be about a patient.
pub(crate) struct Values {
    request_id: String,
    captured: Vec<(String, String)>,
}

/// Where a value is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    /// A path or a query.
    Path,
    /// A string of a JSON document.
    Json,
    /// Text or an attribute of an XML document.
    Xml,
    /// A form, as it is in a query.
    Form,
    /// A header's value.
    Header,
}

impl Into {
    /// A body of this content type; `None`: of none that a value can be put into.
    pub(crate) fn body(content_type: &str) -> Option<Self> {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.rsplit(['/', '+']).next().unwrap_or_default() {
            "json" => Some(Self::Json),
            "xml" => Some(Self::Xml),
            "x-www-form-urlencoded" => Some(Self::Form),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Path => "a path",
            Self::Json => "JSON",
            Self::Xml => "XML",
            Self::Form => "a form",
            Self::Header => "a header",
        }
    }
}

impl Values {
    pub(crate) fn new(request_id: &str) -> Self {
        Self { request_id: request_id.to_owned(), captured: Vec::new() }
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    pub(crate) fn insert(&mut self, name: &str, value: String) {
        self.captured.push((name.to_owned(), value));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        if name == Journey::UUID {
            return Some(&self.request_id);
        }
        self.captured.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `text` with the values in their places; or why that cannot be.
    pub(crate) fn fill(&self, text: &str, into: Into) -> Result<String, String> {
        let quoted = text.contains('"');
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Value(name) => {
                    let value = self.get(name).ok_or_else(|| format!("'{name}' was not captured"))?;
                    let encoded = encoded(value, into, quoted)
                        .ok_or_else(|| format!("the value of '{name}' cannot stand in {}", into.word()))?;
                    filled.push_str(&encoded);
                }
            }
        }
        Ok(filled)
    }

    /// `text` without any captured value, also where it stands as it does in a path.
    pub(crate) fn hidden(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        for (_, value) in &self.captured {
            for form in [Cow::Borrowed(value.as_str()), percent(value).into()] {
                hidden = without(&hidden, &form);
            }
        }
        hidden
    }
}

/// A value as it is written where it goes; `None`: it cannot go there. `quoted`: there are quotes around it.
fn encoded(value: &str, into: Into, quoted: bool) -> Option<String> {
    match into {
        // A dot or two are no name in a path, but the way up.
        Into::Path if matches!(value, "." | "..") => None,
        Into::Path | Into::Form => Some(percent(value)),
        Into::Json => {
            let json = serde_json::to_string(value).ok()?;
            json.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
        }
        Into::Xml => value.chars().map(|c| is_of_xml(c).then(|| escaped(c))).collect(),
        Into::Header => {
            let fits = |c: char| c == ' ' || c.is_ascii_graphic();
            let ends = quoted && value.contains(['"', '\\']);
            (value.chars().all(fits) && !ends).then(|| value.to_owned())
        }
    }
}

/// All but the unreserved characters (RFC 3986 §2.3) as bytes.
fn percent(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}

fn escaped(c: char) -> Cow<'static, str> {
    match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&#39;".into(),
        c => c.to_string().into(),
    }
}

/// The characters of XML 1.0 that no parser changes.
fn is_of_xml(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn without(text: &str, value: &str) -> String {
    if value.len() > BEGINNING {
        let end = (0..=BEGINNING).rev().find(|end| value.is_char_boundary(*end)).unwrap_or_default();
        return match value.get(..end).and_then(|beginning| text.split_once(beginning)) {
            Some((before, _)) => format!("{before}{HIDDEN}"),
            None => text.to_owned(),
        };
    }
    if value.len() >= SHORT {
        return text.replace(value, HIDDEN);
    }
    let mut hidden = String::with_capacity(text.len());
    let mut from = 0;
    let of_a_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    for (at, found) in text.match_indices(value) {
        let (before, after) =
            (text.get(..at).unwrap_or_default(), text.get(at + found.len()..).unwrap_or_default());
        if !of_a_word(before.chars().next_back()) && !of_a_word(after.chars().next()) {
            hidden.push_str(text.get(from..at).unwrap_or_default());
            hidden.push_str(HIDDEN);
            from = at + found.len();
        }
    }
    hidden.push_str(text.get(from..).unwrap_or_default());
    hidden
}

/// Whether the values that a body of this content type names can be put into it, and if not, why.
///
/// A value is a string of JSON, or text or an attribute of XML, and never a part of what makes the document.
pub fn check_body(body: &str, content_type: Option<&str>) -> Result<(), String> {
    let all = pieces(body);
    if !all.iter().any(|piece| matches!(piece, Piece::Value(_))) {
        return Ok(());
    }
    let into = content_type.and_then(Into::body).ok_or_else(|| {
        "a value can be put into JSON, XML and forms: say which by the header Content-Type".to_owned()
    })?;
    // In a name, a number or a tag neither is possible.
    let stands_for = if into == Into::Json { "x" } else { "&amp;" };
    let text: String = all
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Value(_) => stands_for,
        })
        .collect();
    match into {
        Into::Json => serde_json::from_str::<serde_json::Value>(&text)
            .map(drop)
            .map_err(|_| "this is no JSON in which each value stands within quotes".to_owned()),
        Into::Xml => Xml::parse(&text)
            .map(drop)
            .map_err(|why| format!("this is no XML in which values are texts or attributes: {why}")),
        Into::Path | Into::Form | Into::Header => Ok(()),
    }
}

#[cfg(test)]
#[path = "fill_tests.rs"]
mod tests;
