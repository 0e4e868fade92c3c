//! Bytes that are kept for years: a head that tells whether they are still what was written, and numbers of few bytes.
//!
//! `version` (1 byte), CRC-32 of all that follows (4 bytes, little-endian). Numbers are in groups of seven bits, the lowest first.

/// The version and the checksum.
const HEAD: usize = 5;

/// Bytes that are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed history is damaged: {0}")]
pub(crate) struct Damaged(pub(crate) &'static str);

/// A checksum that fits, and yet no such thing.
pub(crate) const IMPOSSIBLE: Damaged = Damaged("it ends early or holds what cannot be");

/// More probes than this in a day are beyond every schedule.
pub(crate) fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// `body` under a head.
pub(crate) fn close(version: u8, body: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(HEAD + body.len());
    all.push(version);
    all.extend(crc32fast::hash(body).to_le_bytes());
    all.extend(body);
    all
}

/// What is under the head, and the version of it, which is at most `newest`.
pub(crate) fn open(newest: u8, all: &[u8]) -> Result<(u8, &[u8]), Damaged> {
    let Some((&[written, ref sum @ ..], body)) = all.split_first_chunk::<HEAD>() else {
        return Err(Damaged("it is too short"));
    };
    if !(1..=newest).contains(&written) {
        return Err(Damaged("this program does not know its version"));
    }
    if crc32fast::hash(body).to_le_bytes() != *sum {
        return Err(Damaged("its checksum does not fit"));
    }
    Ok((written, body))
}

/// As [`put`], of more than 32 bits.
pub(crate) fn put_long(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

pub(crate) fn get_long(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

pub(crate) fn put(bytes: &mut Vec<u8>, number: u32) {
    put_long(bytes, number.into());
}

pub(crate) fn get(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for place in 0..5 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return u32::try_from(number).ok();
        }
    }
    None
}
