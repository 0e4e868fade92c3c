//! A conversation over a connection: what we say, and what we hear until it is enough, within limits.

use crate::tls::Overheard;
use domain::{Failure, FailureKind, Layer, Phases};
use std::io;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

/// Bytes that are heard at most: what is waited for is far shorter, and all of it is looked at again with each piece.
pub(crate) const HEARD: usize = 16 * 1024;

/// A connection, plain or secured.
pub(crate) type Stream = Either<TcpStream, Overheard<Box<TlsStream<TcpStream>>>>;

/// What was heard so far of one answer.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
}

/// Why nothing more is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The other side closed or cut the connection.
    Closed,
    /// The probe's time is over.
    Late,
    /// More came than is heard at most.
    TooMuch,
}

/// Says these bytes, by the deadline.
pub(crate) async fn say(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    deadline: Instant,
) -> Result<(), Failure> {
    let said = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    let why = match timeout_at(deadline, said).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => reason(&error),
        Err(_) => "it took nothing in time".to_owned(),
    };
    Err(backend(FailureKind::ClosedEarly, format!("connected, but what we sent was not taken: {why}")))
}

/// Listens until `enough` makes something of what came, and notes how long the first byte and the rest took.
pub(crate) async fn hear<T>(
    stream: &mut (impl AsyncRead + Unpin),
    heard: &mut Heard,
    deadline: Instant,
    phases: &mut Phases,
    mut enough: impl FnMut(&[u8]) -> Option<T>,
) -> Result<T, Ended> {
    let asked = Instant::now();
    let mut first = None;
    let result = async {
        loop {
            if let Some(found) = enough(&heard.bytes) {
                return Ok(found);
            }
            if heard.bytes.len() >= HEARD {
                return Err(Ended::TooMuch);
            }
            let mut piece = [0; 4 * 1024];
            match timeout_at(deadline, stream.read(&mut piece)).await {
                Ok(Ok(0) | Err(_)) => return Err(Ended::Closed),
                Ok(Ok(length)) => {
                    first.get_or_insert_with(Instant::now);
                    heard.bytes.extend_from_slice(piece.get(..length).unwrap_or_default());
                }
                Err(_) => return Err(Ended::Late),
            }
        }
    }
    .await;
    let ended = Instant::now();
    let first = first.unwrap_or(ended);
    *phases.first_byte.get_or_insert_default() += first - asked;
    *phases.body.get_or_insert_default() += ended - first;
    result
}

/// What it means that the conversation ended before `what` came; nothing of what was heard is repeated.
pub(crate) fn cut_short(ended: Ended, heard: usize, what: &str) -> Failure {
    match (ended, heard) {
        (Ended::TooMuch, _) => Failure {
            layer: Layer::Contract,
            kind: FailureKind::TooLarge,
            message: format!("more than {HEARD} bytes came without {what}"),
        },
        (Ended::Closed, 0) => {
            backend(FailureKind::ClosedEarly, format!("the connection was closed before {what}"))
        }
        (Ended::Closed, heard) => backend(
            FailureKind::BodyTruncated,
            format!("the connection was closed after {heard} bytes, before {what}"),
        ),
        (Ended::Late, 0) => {
            backend(FailureKind::FirstByteTimeout, format!("connected, but nothing came in time, nor {what}"))
        }
        (Ended::Late, heard) => {
            backend(FailureKind::BodyTimeout, format!("{heard} bytes came in time, but not {what}"))
        }
    }
}

fn backend(kind: FailureKind, message: String) -> Failure {
    Failure { layer: Layer::Backend, kind, message }
}

fn reason(error: &io::Error) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "other reasons are told in the system's words")]
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "the connection was cut".to_owned(),
        _ => crate::scrub::scrubbed(&error.to_string()),
    }
}
