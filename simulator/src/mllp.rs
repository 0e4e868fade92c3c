//! HL7 v2 over the Minimal Lower Layer Protocol: each message in its frame is acknowledged.

use crate::fault::{Dependency, Fault};
use jiff::Timestamp;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The byte that a frame begins with; no HTTP method and no TLS handshake does.
pub(crate) const START: u8 = 0x0b;
const END: &[u8] = &[0x1c, 0x0d];

/// A longer message is not read.
const LONGEST: usize = 64 * 1024;

/// The next message, out of its frame; `None`: there is none more.
pub(crate) async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<String>> {
    let mut heard = Vec::new();
    while !heard.ends_with(END) {
        if heard.len() >= LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if stream.read_buf(&mut heard).await? == 0 {
            return Ok(None);
        }
    }
    let message = heard.strip_suffix(END).and_then(|heard| heard.strip_prefix(&[START]));
    Ok(message.map(|message| String::from_utf8_lossy(message).into_owned()))
}

/// Says it in a frame; of a fault that cuts answers short, half of it.
pub(crate) async fn say(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &str,
    fault: Fault,
) -> io::Result<()> {
    let framed = [&[START], message.as_bytes(), END].concat();
    let said = if fault == Fault::Truncated { framed.len() / 2 } else { framed.len() };
    stream.write_all(framed.get(..said).unwrap_or_default()).await?;
    stream.flush().await
}

/// What acknowledges a message: taken, or not processed. `None`: it is no message.
pub(crate) fn acknowledgement(message: &str, fault: Fault, now: Timestamp) -> Option<String> {
    let header: Vec<&str> = message.split('\r').next()?.split('|').collect();
    // MSH-1 is the separator itself.
    let field = |number: usize| header.get(number - 1).copied();
    let (sender, receiver, id) = (field(3)?, field(5)?, field(10)?);
    let (from, to) = (field(4)?, field(6)?);
    let code = if fault.as_dependency() == Dependency::Down { "AE" } else { "AA" };
    let at = now.strftime("%Y%m%d%H%M%S");
    Some(format!("MSH|^~\\&|{receiver}|{to}|{sender}|{from}|{at}||ACK|{id}A|T|2.5\rMSA|{code}|{id}\r"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_names_the_message_that_it_answers() {
        let message = "MSH|^~\\&|CURIAD|DHCW|HUB|NHS|20261101090000||ADT^A04|42|T|2.5\rEVN|A04\r";
        let now = "2026-11-28T19:00:00Z".parse().unwrap();
        let taken = acknowledgement(message, Fault::None, now).unwrap();
        assert_eq!(taken, "MSH|^~\\&|HUB|NHS|CURIAD|DHCW|20261128190000||ACK|42A|T|2.5\rMSA|AA|42\r");
        let failed = acknowledgement(message, Fault::Backend(500), now).unwrap();
        assert!(failed.ends_with("MSA|AE|42\r"), "{failed}");
        assert_eq!(acknowledgement("GET / HTTP/1.1", Fault::None, now), None);
    }
}
