//! Where one message of PostgreSQL's protocol (version 3) ends and the next begins: a byte for its kind, then four for
//! its length, which counts itself. Only what opens a connection has no kind.

use super::plan::Toward;

/// As much of a message as is looked at.
const LOOKED_AT: usize = 4_096;
const LENGTH: usize = 4;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;
/// What a start-up packet is called here, which has no kind of its own.
const START_UP: u8 = 0;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The client opens: its messages have no kind yet.
    Opening,
    /// The client asked for encryption: the server answers with one byte.
    AskedForEncryption,
    /// Every message has a kind.
    Talking,
    /// Encrypted, or not this protocol: nothing can be told apart.
    Opaque,
}

/// What stands at the head of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// Too little to say.
    Incomplete,
    /// A message.
    Message {
        kind: u8,
        /// All its bytes, its kind and its length among them.
        length: usize,
        /// As much of its body as is looked at.
        body: &'a [u8],
    },
    /// No message: it passes as it is.
    Opaque,
}

/// The message at the head of `bytes`, which is not empty; the stage is what it leads to.
pub(super) fn head<'a>(stage: &mut Stage, toward: Toward, bytes: &'a [u8]) -> Head<'a> {
    match (*stage, toward) {
        (Stage::Opaque, _) => Head::Opaque,
        (Stage::Opening, Toward::Server) => {
            let head = message(START_UP, 0, bytes);
            if let Head::Message { body, .. } = &head {
                *stage = match number(body) {
                    Some(SSL_REQUEST | GSS_REQUEST) => Stage::AskedForEncryption,
                    Some(CANCEL_REQUEST) | None => Stage::Opaque,
                    Some(_) => Stage::Talking,
                };
            }
            head
        }
        (Stage::AskedForEncryption, Toward::Client) => {
            let kind = bytes.first().copied().unwrap_or_default();
            *stage = if kind == b'N' { Stage::Opening } else { Stage::Opaque };
            Head::Message { kind: START_UP, length: 1, body: &[] }
        }
        (Stage::Opening, Toward::Client) | (Stage::AskedForEncryption, Toward::Server) => {
            *stage = Stage::Opaque;
            Head::Opaque
        }
        (Stage::Talking, _) => match bytes.split_first() {
            None => Head::Incomplete,
            Some((kind, rest)) => {
                let head = message(*kind, 1, rest);
                if head == Head::Opaque {
                    *stage = Stage::Opaque;
                }
                head
            }
        },
    }
}

/// A message whose length and body are in `bytes`, after `before` other bytes of it.
fn message(kind: u8, before: usize, bytes: &[u8]) -> Head<'_> {
    let Some(length) = number(bytes) else {
        return Head::Incomplete;
    };
    let length = length as usize;
    if length < LENGTH {
        return Head::Opaque;
    }
    match bytes.get(LENGTH..length.min(LENGTH + LOOKED_AT)) {
        Some(body) => Head::Message { kind, length: before + length, body },
        None => Head::Incomplete,
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_be_bytes)
}

/// What the documentation calls a message.
pub(super) fn name(kind: u8, toward: Toward) -> &'static str {
    match (toward, kind) {
        (Toward::Server, START_UP) => "start-up",
        (Toward::Server, b'B') => "Bind",
        (Toward::Server, b'C') => "Close",
        (Toward::Server, b'D') => "Describe",
        (Toward::Server, b'E') => "Execute",
        (Toward::Server, b'H') => "Flush",
        (Toward::Server, b'P') => "Parse",
        (Toward::Server, b'Q') => "Query",
        (Toward::Server, b'S') => "Sync",
        (Toward::Server, b'X') => "Terminate",
        (Toward::Server, b'p') => "password",
        (Toward::Client, START_UP) => "no to encryption",
        (Toward::Client, b'1') => "ParseComplete",
        (Toward::Client, b'2') => "BindComplete",
        (Toward::Client, b'3') => "CloseComplete",
        (Toward::Client, b'C') => "CommandComplete",
        (Toward::Client, b'D') => "DataRow",
        (Toward::Client, b'E') => "ErrorResponse",
        (Toward::Client, b'I') => "EmptyQueryResponse",
        (Toward::Client, b'K') => "BackendKeyData",
        (Toward::Client, b'N') => "NoticeResponse",
        (Toward::Client, b'R') => "Authentication",
        (Toward::Client, b'S') => "ParameterStatus",
        (Toward::Client, b'T') => "RowDescription",
        (Toward::Client, b'Z') => "ReadyForQuery",
        (Toward::Client, b'n') => "NoData",
        (Toward::Client, b's') => "PortalSuspended",
        (Toward::Client, b't') => "ParameterDescription",
        _ => "message",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        bytes.extend(body);
        bytes
    }

    #[test]
    fn a_message_is_known_once_its_head_is_there_and_not_before() {
        let query = typed(b'Q', b"COMMIT\0");
        for short in 0..query.len() {
            let mut stage = Stage::Talking;
            assert_eq!(head(&mut stage, Toward::Server, &query[..short]), Head::Incomplete, "{short} bytes");
        }
        let more = [query.clone(), typed(b'S', b"")].concat();
        let whole = Head::Message { kind: b'Q', length: query.len(), body: b"COMMIT\0" };
        assert_eq!(head(&mut Stage::Talking, Toward::Server, &more), whole);
    }

    #[test]
    fn of_a_long_message_only_the_beginning_is_waited_for() {
        let mut long = typed(b'B', &vec![7; 100_000]);
        long.truncate(5_000);
        let Head::Message { length, body, .. } = head(&mut Stage::Talking, Toward::Server, &long) else {
            panic!("its beginning is there");
        };
        assert_eq!((length, body.len()), (100_005, LOOKED_AT));
    }

    #[test]
    fn a_connection_opens_asks_for_encryption_and_talks_plainly_when_there_is_none() {
        let untyped = |code: u32, body: &[u8]| {
            let length = u32::try_from(body.len() + 8).unwrap();
            [&length.to_be_bytes(), &code.to_be_bytes(), body].concat()
        };
        let mut stage = Stage::Opening;
        let asked = untyped(SSL_REQUEST, b"");
        assert!(matches!(head(&mut stage, Toward::Server, &asked), Head::Message { length: 8, .. }));
        assert_eq!(stage, Stage::AskedForEncryption);
        assert!(matches!(head(&mut stage, Toward::Client, b"N"), Head::Message { length: 1, .. }));
        let opened = untyped(196_608, b"user\0curiad\0\0");
        assert!(matches!(head(&mut stage, Toward::Server, &opened), Head::Message { kind: START_UP, .. }));
        assert_eq!(stage, Stage::Talking);

        let mut encrypted = Stage::AskedForEncryption;
        head(&mut encrypted, Toward::Client, b"S");
        assert_eq!(head(&mut encrypted, Toward::Server, b"\x16\x03\x01"), Head::Opaque);
    }

    #[test]
    fn what_is_not_this_protocol_passes_as_it_is() {
        assert_eq!(head(&mut Stage::Talking, Toward::Server, b"Q\0\0\0\x02"), Head::Opaque);
        assert_eq!(head(&mut Stage::Opening, Toward::Client, b"220 hello"), Head::Opaque);
    }
}
