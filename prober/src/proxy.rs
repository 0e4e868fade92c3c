//! A tunnel through an HTTP proxy (`CONNECT`, RFC 9110 §9.3.6): the proxy looks the name up and makes the connection.
//!
//! What stands between us and the proxy is ours; what the proxy could not reach is the target's.

use crate::{
    connect::{self, Dial},
    credential::basic,
    prober::half,
    resolve::Resolve,
};
use domain::{Egress, Failure, FailureKind, Layer, PrivateAddresses, Proxy};
use std::{fmt, net::IpAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};

/// Bytes of the proxy's answer to `CONNECT`, all interim answers together.
const MOST: usize = 8 * 1024;

/// What is looked at of the answer at once.
const CHUNK: usize = 1024;

/// A connection through `proxy` to a port of a host, by `limit`; and which address of the proxy took it. `host` is a name
/// or an address without brackets.
pub(crate) async fn tunnel(
    proxy: &Proxy,
    (egress, resolve): (&Egress, &Resolve),
    (host, port): (&str, u16),
    limit: Instant,
) -> Result<(TcpStream, IpAddr), Failure> {
    let (mut stream, ip) = reach(proxy, (egress, resolve), half(limit)).await?;
    let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let asked = Instant::now();
    match timeout_at(limit, ask(&mut stream, proxy, &target)).await {
        Ok(Ok(status)) => judged(proxy, &target, status).map_or(Ok((stream, ip)), Err),
        Ok(Err(why)) => Err(ours(proxy, why)),
        Err(_) => {
            let waited = asked.elapsed();
            let why = format_args!("takes connections, but gave no tunnel to {target} within {waited:.1?}");
            Err(unclear(FailureKind::ConnectTimeout, ours(proxy, why)))
        }
    }
}

/// A connection to the proxy itself.
pub(crate) async fn reach(
    proxy: &Proxy,
    (egress, resolve): (&Egress, &Resolve),
    limit: Instant,
) -> Result<(TcpStream, IpAddr), Failure> {
    let addresses = if let Ok(ip) = proxy.host.parse::<IpAddr>() {
        vec![ip]
    } else {
        let found = Box::pin(resolve.addresses(&proxy.host, half(limit), limit)).await;
        found.map_err(|failure| unreached(proxy, &failure))?
    };
    // The platform's own: where it stands is nobody's to choose but whoever configures it.
    let dial = Dial {
        addresses,
        port: proxy.port,
        written: true,
        private: PrivateAddresses::Allowed,
        local: egress.local_address.as_ref(),
    };
    connect::connect(&dial, limit).await.map_err(|failure| unreached(proxy, &failure))
}

/// The same proxy for requests beside probes. `None`: its address is none.
pub fn of_requests(proxy: &Proxy) -> Option<reqwest::Proxy> {
    let url = reqwest::Url::parse(&format!("http://{proxy}")).ok()?;
    let leading = proxy.clone();
    let custom = reqwest::Proxy::custom(move |to| {
        leading.leads_to(to.host_str().unwrap_or_default()).then(|| url.clone())
    });
    Some(match &proxy.basic {
        Some(pair) => custom.basic_auth(&pair.user, pair.password.reveal()),
        None => custom,
    })
}

/// Asks for a tunnel: the status of the answer, or what is wrong with it. What comes after its head is left to be read.
async fn ask(stream: &mut TcpStream, proxy: &Proxy, target: &str) -> Result<u16, &'static str> {
    const CLOSED: &str = "closed the connection instead of making a tunnel";
    let who = proxy.basic.as_ref().map(|pair| format!("Proxy-Authorization: {}\r\n", basic(pair)));
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n", who.unwrap_or_default());
    stream.write_all(request.as_bytes()).await.map_err(|_| CLOSED)?;
    let (mut head, mut skipped) = (Vec::new(), 0);
    let mut chunk = [0; CHUNK];
    loop {
        let came = stream.peek(&mut chunk).await.map_err(|_| CLOSED)?;
        if came == 0 {
            return Err(CLOSED);
        }
        let before = head.len();
        head.extend(chunk.iter().take(came));
        let (taken, status) = match read(&head) {
            Head::Garbage => return Err("answers with something that is not HTTP"),
            Head::Whole { status, length } => (length - before, Some(status)),
            Head::Part => (came, None),
        };
        if let Some(taken) = chunk.get_mut(..taken) {
            stream.read_exact(taken).await.map_err(|_| CLOSED)?;
        }
        match status {
            // More will be said.
            Some(100..=199) => skipped += std::mem::take(&mut head).len(),
            Some(status) => return Ok(status),
            None => {}
        }
        if skipped + head.len() >= MOST {
            return Err("answers with a head that does not end within 8 KiB");
        }
    }
}

/// What has come of an answer's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// All of it, so many bytes long.
    Whole {
        status: u16,
        length: usize,
    },
    Part,
    Garbage,
}

/// Reads as much of the head of an HTTP/1 answer as there is.
pub(crate) fn read(bytes: &[u8]) -> Head {
    const BEGINS: &[u8] = b"HTTP/1.";
    if bytes.iter().zip(BEGINS).any(|(is, should)| is != should) {
        return Head::Garbage;
    }
    let end = |mark: &[u8]| bytes.windows(mark.len()).position(|seen| seen == mark).map(|at| at + mark.len());
    // Some end their lines with a line feed alone (RFC 9112 §2.2).
    let Some(length) = [end(b"\r\n\r\n"), end(b"\n\n")].into_iter().flatten().min() else {
        return Head::Part;
    };
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = line.trim_ascii_end().split(|byte| *byte == b' ').skip(1);
    match words.next() {
        Some(&[a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9']) => {
            let digit = |digit: u8| u16::from(digit - b'0');
            Head::Whole { status: digit(a) * 100 + digit(b) * 10 + digit(c), length }
        }
        _ => Head::Garbage,
    }
}

/// What is wrong where a proxy answers so; `None`: there is a tunnel.
fn judged(proxy: &Proxy, target: &str, status: u16) -> Option<Failure> {
    let peers = |kind| {
        let message = format!("through the proxy {proxy}: status {status}");
        Some(Failure { layer: Layer::Connect, kind, message })
    };
    match status {
        200..=299 => None,
        502 | 503 => peers(FailureKind::Unreachable),
        504 => peers(FailureKind::ConnectTimeout),
        407 if proxy.basic.is_some() => Some(ours(proxy, "does not take our name and password (status 407)")),
        407 => Some(ours(proxy, "wants a credential, which we have not (status 407)")),
        _ => {
            let failure = ours(proxy, format_args!("gives no tunnel to {target}: status {status}"));
            // Tinyproxy says 500 also where the target refuses the connection.
            Some(if status >= 500 { unclear(FailureKind::Unreachable, failure) } else { failure })
        }
    }
}

fn ours(proxy: &Proxy, why: impl fmt::Display) -> Failure {
    let message = format!("the proxy {proxy} {why}");
    Failure { layer: Layer::Ours, kind: FailureKind::Proxy, message }
}

/// It may be the target's: with guards behind the same proxy we can tell. Of ours alone it is never this kind.
fn unclear(kind: FailureKind, failure: Failure) -> Failure {
    Failure { kind, ..failure }
}

/// Whether it may as well be the target's.
pub(crate) fn is_unclear(failure: &Failure) -> bool {
    failure.layer == Layer::Ours
        && matches!(failure.kind, FailureKind::ConnectTimeout | FailureKind::Unreachable)
}

/// The proxy itself cannot be reached. What this host has run out of keeps its own kind.
fn unreached(proxy: &Proxy, failure: &Failure) -> Failure {
    let kind = if failure.layer == Layer::Ours { failure.kind } else { FailureKind::Proxy };
    let why = format_args!("cannot be reached: {}", failure.message);
    Failure { kind, ..ours(proxy, why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_is_read_as_far_as_it_came() {
        let whole = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), Head::Part, "{end}");
        }
        let length = whole.len();
        assert_eq!(read(whole), Head::Whole { status: 200, length });
        assert_eq!(read(&[&whole[..], b"220 mail"].concat()), Head::Whole { status: 200, length });
        assert_eq!(read(b"HTTP/1.0 407\n\n"), Head::Whole { status: 407, length: 14 });
        for garbage in
            [&b"220 mail"[..], b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 20\r\n\r\n", b"HTTP/1.1 900 x\r\n\r\n"]
        {
            assert_eq!(read(garbage), Head::Garbage, "{garbage:?}");
        }
    }
}
