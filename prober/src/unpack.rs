//! Bodies that come packed: gzip, deflate and brotli (RFC 9110 §8.4.1), unpacked up to the limit of a body.
//!
//! Nothing packed is asked for unless the operation says so in `Accept-Encoding`: what a probe reads is small, and its time
//! is the API's, not that of our unpacking. What comes packed all the same is unpacked where it is looked into, or its size
//! matters; what cannot be is a failure there, for nobody else could read it either. A bomb ends at the limit, or when it has
//! taken too long; since nothing is waited for meanwhile, one body is unpacked at a time, and so is the most memory that this
//! takes.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use domain::{Failure, FailureKind, Layer};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use hyper::{HeaderMap, header};
use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

/// An honest body of the largest size takes a tenth of this.
const LONGEST: Duration = Duration::from_secs(1);

/// The time is looked at after so many bytes.
const PIECE: usize = 1024;

/// What is unpacked at once, in bytes.
const BUFFER: usize = 16 * 1024;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

/// How the body under these headers is packed, if it is.
pub(crate) fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Failure> {
    let mut found = None;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes());
        for word in value.split(',').map(|word| word.trim().to_ascii_lowercase()) {
            let coding = match word.as_str() {
                // The last two are not what it is for, but some write so of what is not packed.
                "" | "identity" | "none" | "binary" => continue,
                charset if is_charset(charset) => continue,
                "gzip" | "x-gzip" => Coding::Gzip,
                "deflate" => Coding::Deflate,
                "br" => Coding::Brotli,
                other => {
                    let other = crate::scrub::scrubbed(other);
                    return Err(unreadable(&format!("packed as '{other}', which was not asked for")));
                }
            };
            if found.replace(coding).is_some() {
                return Err(unreadable("packed twice"));
            }
        }
    }
    Ok(found)
}

/// Whether it is how letters are written, which belongs into `Content-Type`.
fn is_charset(word: &str) -> bool {
    ["utf-", "utf8", "iso-8859-", "windows-125", "us-ascii", "ascii"]
        .iter()
        .any(|known| word.starts_with(known))
}

/// Unpacks a whole body to at most `limit` bytes.
pub(crate) fn unpack(coding: Coding, packed: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let mut unpacked = Vec::new();
    pour(coding, packed, limit, |more| unpacked.extend_from_slice(more))?;
    Ok(unpacked)
}

/// How many bytes a whole body has unpacked, at most `limit`; none of them is kept.
pub(crate) fn size(coding: Coding, packed: &[u8], limit: usize) -> Result<usize, Failure> {
    pour(coding, packed, limit, |_| {})
}

/// Unpacks a whole body into something; says how many bytes.
fn pour(coding: Coding, packed: &[u8], limit: usize, into: impl FnMut(&[u8])) -> Result<usize, Failure> {
    let pieces = Pieces { rest: packed, until: Instant::now() + LONGEST };
    let poured = Poured { bytes: 0, limit, into };
    let bytes = match coding {
        Coding::Gzip => drain(MultiGzDecoder::new(pieces), poured),
        Coding::Deflate => drain(ZlibDecoder::new(pieces), poured),
        Coding::Brotli => brotli(pieces, poured),
    };
    bytes.map_err(|why| match why {
        Trouble::TooLarge => Failure {
            layer: Layer::Contract,
            kind: FailureKind::TooLarge,
            message: format!("the body is larger than {limit} bytes when it is unpacked"),
        },
        Trouble::Broken(error) if error.kind() == io::ErrorKind::TimedOut => Failure {
            layer: Layer::Contract,
            kind: FailureKind::TooLarge,
            message: format!("the body takes longer than {LONGEST:.0?} to unpack"),
        },
        Trouble::Broken(error) => unreadable(&format!("packed, but cannot be unpacked: {error}")),
    })
}

enum Trouble {
    TooLarge,
    Broken(io::Error),
}

/// What is packed, a little at a time, until its time is over.
struct Pieces<'a> {
    rest: &'a [u8],
    until: Instant,
}

impl<'a> Pieces<'a> {
    fn next(&mut self, at_most: usize) -> io::Result<&'a [u8]> {
        if Instant::now() >= self.until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let (piece, rest) = self.rest.split_at(self.rest.len().min(PIECE).min(at_most));
        self.rest = rest;
        Ok(piece)
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.next(buffer.len())?;
        buffer.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
        Ok(piece.len())
    }
}

/// What was unpacked so far, and where it went.
struct Poured<F> {
    bytes: usize,
    limit: usize,
    into: F,
}

impl<F: FnMut(&[u8])> Poured<F> {
    fn add(&mut self, more: &[u8]) -> Result<(), Trouble> {
        self.bytes += more.len();
        if self.bytes > self.limit {
            return Err(Trouble::TooLarge);
        }
        (self.into)(more);
        Ok(())
    }
}

fn drain(mut packed: impl Read, mut poured: Poured<impl FnMut(&[u8])>) -> Result<usize, Trouble> {
    let mut buffer = [0; BUFFER];
    loop {
        match packed.read(&mut buffer).map_err(Trouble::Broken)? {
            0 => return Ok(poured.bytes),
            read => poured.add(buffer.get(..read).unwrap_or_default())?,
        }
    }
}

/// Not by the crate's own reader: that one takes windows of up to 1 GiB, beyond RFC 7932, where 16 MiB are the most.
fn brotli(mut pieces: Pieces<'_>, mut poured: Poured<impl FnMut(&[u8])>) -> Result<usize, Trouble> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut buffer = [0; BUFFER];
    let mut piece: &[u8] = &[];
    let (mut left, mut read, mut total) = (0, 0, 0);
    loop {
        let (mut free, mut written) = (BUFFER, 0);
        let step = BrotliDecompressStream(
            &mut left,
            &mut read,
            piece,
            &mut free,
            &mut written,
            &mut buffer,
            &mut total,
            &mut state,
        );
        poured.add(buffer.get(..written).unwrap_or_default())?;
        match step {
            BrotliResult::ResultSuccess if left == 0 && pieces.rest.is_empty() => return Ok(poured.bytes),
            BrotliResult::ResultSuccess => return Err(broken("there is more after its end")),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => {
                piece = pieces.next(PIECE).map_err(Trouble::Broken)?;
                (left, read) = (piece.len(), 0);
                if piece.is_empty() {
                    return Err(broken("it ends too early"));
                }
            }
            BrotliResult::ResultFailure => return Err(broken("it is not brotli")),
        }
    }
}

fn broken(why: &str) -> Trouble {
    Trouble::Broken(io::Error::new(io::ErrorKind::InvalidData, why))
}

fn unreadable(why: &str) -> Failure {
    Failure { layer: Layer::Contract, kind: FailureKind::BadBody, message: format!("the body is {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{
        Compression,
        write::{GzEncoder, ZlibEncoder},
    };
    use hyper::header::HeaderValue;
    use proptest::prelude::*;
    use std::io::Write;

    const LIMIT: usize = 64 * 1024;

    /// `printf pong | brotli` (1.1.0).
    const BROTLI_PONG: [u8; 8] = [0x8b, 0x01, 0x80, b'p', b'o', b'n', b'g', 0x03];

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn kind(unpacked: Result<Vec<u8>, Failure>) -> FailureKind {
        let failure = unpacked.unwrap_err();
        assert_eq!(failure.layer, Layer::Contract);
        failure.kind
    }

    #[test]
    fn what_was_packed_is_there_again() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"pong").unwrap();
        for (coding, packed) in [
            (Coding::Gzip, gzip(b"pong")),
            (Coding::Gzip, [gzip(b"po"), gzip(b"ng")].concat()),
            (Coding::Deflate, zlib.finish().unwrap()),
            (Coding::Brotli, BROTLI_PONG.to_vec()),
        ] {
            assert_eq!(unpack(coding, &packed, LIMIT).unwrap(), b"pong", "{coding:?}");
            assert_eq!(size(coding, &packed, 4).unwrap(), 4, "{coding:?}");
            assert_eq!(size(coding, &packed, 3).unwrap_err().kind, FailureKind::TooLarge, "{coding:?}");
        }
    }

    #[test]
    fn what_is_not_whole_or_not_packed_at_all_is_said_so() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli] {
            assert_eq!(
                kind(unpack(coding, b"{\"status\":\"UP\"}", LIMIT)),
                FailureKind::BadBody,
                "{coding:?}"
            );
        }
        let packed = gzip(b"pong");
        assert_eq!(kind(unpack(Coding::Gzip, &packed[..packed.len() - 1], LIMIT)), FailureKind::BadBody);
        assert_eq!(kind(unpack(Coding::Brotli, &BROTLI_PONG[..5], LIMIT)), FailureKind::BadBody);
        let more = [&BROTLI_PONG[..], b"x"].concat();
        assert_eq!(kind(unpack(Coding::Brotli, &more, LIMIT)), FailureKind::BadBody);
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        let began = Instant::now();
        assert_eq!(kind(unpack(Coding::Gzip, &bomb, LIMIT)), FailureKind::TooLarge);
        assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    }

    #[test]
    fn a_window_beyond_what_brotli_allows_is_not_made() {
        // 0x11 begins the large windows that are no part of RFC 7932; 30 bits are 1 GiB.
        let large = [0x11, 0x1e, 0x80, 0x00, 0x00, 0x00, 0x00];
        assert_eq!(kind(unpack(Coding::Brotli, &large, LIMIT)), FailureKind::BadBody);
    }

    #[test]
    fn codings_by_their_names() {
        for (values, expected) in [
            (vec![], Some(None)),
            (vec!["identity"], Some(None)),
            (vec!["GZip"], Some(Some(Coding::Gzip))),
            (vec!["x-gzip"], Some(Some(Coding::Gzip))),
            (vec!["identity, br"], Some(Some(Coding::Brotli))),
            (vec!["deflate"], Some(Some(Coding::Deflate))),
            (vec!["zstd"], None),
            (vec!["none"], Some(None)),
            (vec!["UTF-8"], Some(None)),
            (vec!["iso-8859-1, gzip"], Some(Some(Coding::Gzip))),
            (vec!["gzip, gzip"], None),
            (vec!["gzip", "br"], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in &values {
                headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(coding(&headers).ok(), expected, "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_unpacked_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..4_000),
            coding in prop_oneof![Just(Coding::Gzip), Just(Coding::Deflate), Just(Coding::Brotli)],
        ) {
            if let Ok(unpacked) = unpack(coding, &bytes, LIMIT) {
                prop_assert!(unpacked.len() <= LIMIT);
            }
        }
    }
}
