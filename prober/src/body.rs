//! The body of an answer: read to its end or to a limit, and kept only where it is looked into.

use crate::{
    exchange::{Received, innermost, io_kind},
    memory::Memory,
};
use bytes::BytesMut;
use domain::{Failure, FailureKind, Layer};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use std::{io, pin::pin};

/// Reads a body to its end or to a limit in bytes; if it `keeps` it, it goes into `received`.
pub(crate) async fn read<'a>(
    body: Incoming,
    (keeps, limit): (bool, usize),
    memory: &'a Memory,
    received: &mut Received<'a>,
) -> Result<(), Failure> {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let too_large = || Failure {
        layer: Layer::Contract,
        kind: FailureKind::TooLarge,
        message: format!("the body is larger than {limit} bytes"),
    };
    // An answer to HEAD says over HTTP/2 how long it would be, though nothing comes.
    if !body.is_end_stream() && body.size_hint().lower() > limit {
        return Err(too_large());
    }
    let mut many = BytesMut::new();
    let mut body = pin!(body);
    let read = loop {
        let frame = match body.as_mut().frame().await {
            None => break Ok(()),
            Some(Ok(frame)) => frame,
            Some(Err(error)) => break Err(broken_body(&error, received.bytes)),
        };
        let Ok(piece) = frame.into_data() else { continue };
        received.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        received.size = received.bytes;
        if received.bytes > limit {
            break Err(too_large());
        }
        if !keeps {
            continue;
        }
        let kept = received.body.len() + many.len() + piece.len();
        if let Err(none_left) = memory.hold(&mut received.held, kept) {
            break Err(none_left);
        }
        // Most bodies come in one piece, which need not be copied.
        if received.body.is_empty() && many.is_empty() {
            received.body = piece;
        } else {
            many.extend_from_slice(&std::mem::take(&mut received.body));
            many.extend_from_slice(&piece);
        }
    };
    if !many.is_empty() {
        received.body = many.freeze();
    }
    read
}

fn broken_body(error: &hyper::Error, bytes: u64) -> Failure {
    let malformed = io_kind(error)
        .is_some_and(|kind| matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput));
    if error.is_parse() || malformed {
        return Failure {
            layer: Layer::Backend,
            kind: FailureKind::NotHttp,
            message: format!(
                "after {bytes} bytes of body the answer is not HTTP any more: {}",
                innermost(error)
            ),
        };
    }
    Failure {
        layer: Layer::Backend,
        kind: FailureKind::BodyTruncated,
        message: format!("the body broke off after {bytes} bytes: {}", innermost(error)),
    }
}
