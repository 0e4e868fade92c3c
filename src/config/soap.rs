//! `soap: { path, version, action, envelope }`: an envelope that is posted.

use super::{operation, reading::Reading, section::Section, tree::Node};
use domain::{Dialect, HttpRequest, Method};

/// Longest action, in bytes.
const MAX_ACTION: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Reads a SOAP request.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<HttpRequest> {
    let mut section = Section::open(node, "a SOAP request", reading)?;
    let path = operation::path_or_none(&mut section, reading);
    let version = section.optional("version", reading).map(|node| {
        reading.choice(node, "a version of SOAP", &[("1.1", Version::One), ("1.2", Version::Two)])
    });
    let version = version.unwrap_or(Some(Version::One));
    let action = section.optional("action", reading).map(|node| reading.parsed(node, "an action", action));
    let envelope_node = section.required("envelope", reading);
    let envelope = envelope_node.and_then(|node| reading.text_or_file(node, "an envelope"));
    section.close(reading);
    let (version, envelope, action) = (version?, envelope?, action.unwrap_or_else(|| Some(String::new()))?);
    let namespace = match version {
        Version::One => prober::ENVELOPE_11,
        Version::Two => prober::ENVELOPE_12,
    };
    if let (Err(why), Some(node)) = (prober::check_envelope(&envelope, namespace), envelope_node) {
        let number = if version == Version::One { "1.1" } else { "1.2" };
        reading.wrong(&node.place, format!("this is not an envelope of SOAP {number}: {why}"));
    }
    let header = |name: &str, value: String| (name.to_owned(), value);
    let headers = match version {
        Version::One => vec![
            header("Content-Type", "text/xml; charset=utf-8".to_owned()),
            header("SOAPAction", format!("\"{action}\"")),
        ],
        Version::Two if action.is_empty() => {
            vec![header("Content-Type", "application/soap+xml; charset=utf-8".to_owned())]
        }
        Version::Two => {
            let of = format!("application/soap+xml; charset=utf-8; action=\"{action}\"");
            vec![header("Content-Type", of)]
        }
    };
    Some(HttpRequest {
        method: Method::Post,
        path: path?,
        headers,
        body: Some(envelope),
        dialect: Dialect::Soap,
        ..HttpRequest::get("")
    })
}

fn action(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if text.len() <= MAX_ACTION && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err("an action is a URI such as urn:example:GetDemographics, without quotes".to_owned())
}
