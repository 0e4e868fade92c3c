//! `tcp: { port, tls, starttls, send, receive }`: a connection, and perhaps a few bytes either way.

use super::{problem::Rank, reading::Reading, section::Section, tree::Node};
use domain::{Security, TcpRequest};

/// Reads a TCP request.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<TcpRequest> {
    let mut section = Section::open(node, "a TCP request", reading)?;
    let port = section.optional("port", reading).map(|node| reading.number(node, "'port'", 1..=65_535));
    let tls_node = section.optional("tls", reading);
    let tls = tls_node.map(|node| reading.boolean(node));
    let starttls = section
        .optional("starttls", reading)
        .map(|node| reading.choice(node, "a protocol with STARTTLS", &[("smtp", Security::StartTlsSmtp)]));
    let bytes = |section: &mut Section<'_>, key: &'static str, reading: &mut Reading<'_>| {
        section.optional(key, reading).map(|node| reading.bytes(node, &format!("'{key}'")))
    };
    let send = bytes(&mut section, "send", reading);
    let receive = bytes(&mut section, "receive", reading);
    section.close(reading);
    if let (Some(_), Some(node)) = (starttls, tls_node) {
        let message = "'starttls' begins without TLS and goes on with it: 'tls' has no meaning beside it";
        reading.problems.error(Rank::Sense, &node.owner, message, None);
    }
    let security = match (starttls, tls) {
        (Some(starttls), _) => starttls?,
        (None, Some(tls)) => {
            if tls? {
                Security::Tls
            } else {
                Security::Plain
            }
        }
        (None, None) => Security::AsUrl,
    };
    let port = match port {
        Some(port) => Some(u16::try_from(port?).ok()?),
        None => None,
    };
    let all = |bytes: Option<Option<Vec<u8>>>| bytes.unwrap_or_else(|| Some(Vec::new()));
    Some(TcpRequest { port, security, send: all(send)?, receive: all(receive)? })
}
