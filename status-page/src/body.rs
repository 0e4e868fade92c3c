//! An answer kept in memory: plain and compressed, each with its strong entity tag.

use axum::{
    body::Body as HttpBody,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
};
use brotli::enc::{BrotliEncoderParams, writer::CompressorWriter};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
    sync::{Arc, OnceLock},
};

/// An answer kept in memory.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    kind: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
    /// Made when somebody first asks for it; `None`: it is no smaller.
    brotli: Arc<OnceLock<Option<Bytes>>>,
    hash: String,
    /// The tags of the three.
    tags: [Option<HeaderValue>; 3],
}

/// Headers of an answer at most, those that `router` adds too.
const HEADERS: usize = 14;
/// Smaller answers gain nothing from compression.
const WORTH_COMPRESSING: usize = 512;
/// Larger ones take brotli longer than a reader should wait.
const MOST_FOR_BROTLI: usize = 256 * 1024;
/// Above this brotli takes more time than it saves bytes.
const QUALITY: i32 = 5;
/// A window of 256 kB: that is all there is.
const WINDOW: i32 = 18;

impl Body {
    /// Compresses and names `bytes`.
    pub(crate) fn new(kind: &'static str, bytes: Vec<u8>) -> Self {
        Self::of(HeaderValue::from_static(kind), bytes)
    }

    /// The same of a media type that is not known beforehand.
    pub(crate) fn of(kind: HeaderValue, bytes: Vec<u8>) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let hash = format!("{:016x}", hasher.finish());
        let tag = |end: &str| HeaderValue::try_from(format!("\"{hash}{end}\"")).ok();
        Self {
            kind,
            tags: [tag(""), tag("-gz"), tag("-br")],
            hash,
            gzip: (bytes.len() >= WORTH_COMPRESSING)
                .then(|| compress(&bytes))
                .flatten()
                .filter(|compressed| compressed.len() < bytes.len()),
            brotli: Arc::default(),
            plain: Bytes::from(bytes),
        }
    }

    fn brotli(&self) -> Option<&Bytes> {
        let worth = WORTH_COMPRESSING..=MOST_FOR_BROTLI;
        let made = || Some(brotli(&self.plain)?).filter(|brotli| brotli.len() < self.plain.len());
        worth.contains(&self.plain.len()).then(|| self.brotli.get_or_init(made).as_ref()).flatten()
    }

    /// The smallest form that who asks takes: its bytes, its tag, and its coding.
    fn form(&self, request: &HeaderMap) -> (&Bytes, Option<&HeaderValue>, Option<&'static str>) {
        let [plain_tag, gzip_tag, brotli_tag] = &self.tags;
        let (gzip, brotli) = (weight(request, "gzip"), weight(request, "br"));
        if brotli > 0.0
            && brotli >= gzip
            && let Some(bytes) = self.brotli()
        {
            return (bytes, brotli_tag.as_ref(), Some("br"));
        }
        match &self.gzip {
            Some(bytes) if gzip > 0.0 => (bytes, gzip_tag.as_ref(), Some("gzip")),
            Some(_) | None => (&self.plain, plain_tag.as_ref(), None),
        }
    }

    /// Sixteen hex digits that change with the content.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// The answer to a request with these headers; 304 where the client has it already.
    pub(crate) fn answer(
        &self,
        method: &Method,
        request: &HeaderMap,
        status: StatusCode,
        cache: &'static str,
    ) -> Response<HttpBody> {
        let (bytes, tag, coding) = self.form(request);
        let same = status == StatusCode::OK && tag.is_some_and(|tag| has(request, tag));
        let mut response = Response::new(if same || method == Method::HEAD {
            HttpBody::empty()
        } else {
            HttpBody::from(bytes.clone())
        });
        *response.status_mut() = if same { StatusCode::NOT_MODIFIED } else { status };
        let headers = response.headers_mut();
        // At once for all that will be there.
        headers.reserve(HEADERS);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(tag) = tag {
            headers.insert(header::ETAG, tag.clone());
        }
        if !same {
            headers.insert(header::CONTENT_TYPE, self.kind.clone());
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            if let Some(coding) = coding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
            }
        }
        response
    }
}

fn compress(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(6));
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn brotli(bytes: &[u8]) -> Option<Bytes> {
    let parameters = BrotliEncoderParams {
        quality: QUALITY,
        lgwin: WINDOW,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut encoder = CompressorWriter::with_params(Vec::with_capacity(bytes.len() / 4), 4096, &parameters);
    encoder.write_all(bytes).ok()?;
    encoder.flush().ok()?;
    Some(encoder.into_inner().into())
}

/// How much who asks likes a coding: what is said of itself, else of `*`, else 0.
fn weight(request: &HeaderMap, wanted: &str) -> f32 {
    let lines = request.get_all(header::ACCEPT_ENCODING);
    let items = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let (mut named, mut any) = (None, 0.0);
    for item in items {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let (coding, weight) = (coding.trim(), quality(weight));
        if coding.eq_ignore_ascii_case(wanted) {
            named = Some(weight);
        } else if coding == "*" {
            any = weight;
        }
    }
    named.unwrap_or(any)
}

/// What stands behind an item of `Accept-…`: `q=0.5`, or nothing, which is 1.
pub(crate) fn quality(parameter: &str) -> f32 {
    parameter.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse().unwrap_or(0.0))
}

/// `If-None-Match` names `tag` (weakly compared, RFC 9110 §13.1.2) or anything.
fn has(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let lines = request.get_all(header::IF_NONE_MATCH);
    lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).any(|item| {
        let item = item.trim();
        item == "*" || item.strip_prefix("W/").unwrap_or(item).as_bytes() == tag.as_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    fn body() -> Body {
        Body::new("text/html; charset=utf-8", "status ".repeat(1000).into_bytes())
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let first = body().answer(&Method::GET, &HeaderMap::new(), StatusCode::OK, "no-cache");
        let tag = first.headers()[header::ETAG].clone();
        let again = HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]);
        let second = body().answer(&Method::GET, &again, StatusCode::OK, "no-cache");
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert!(second.headers().get(header::CONTENT_LENGTH).is_none());
        let other = asked(header::IF_NONE_MATCH, "\"else\"");
        assert_eq!(body().answer(&Method::GET, &other, StatusCode::OK, "").status(), StatusCode::OK);
    }

    #[test]
    fn each_form_is_sent_to_whoever_takes_it_and_has_its_own_tag() {
        let sent = |accepted: &'static str| {
            let answer =
                body().answer(&Method::GET, &asked(header::ACCEPT_ENCODING, accepted), StatusCode::OK, "");
            let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            (
                header(header::CONTENT_ENCODING),
                header(header::ETAG).unwrap(),
                header(header::CONTENT_LENGTH).unwrap().parse::<usize>().unwrap(),
            )
        };
        let (plain, gzip, brotli) = (sent("identity"), sent("gzip"), sent("br"));
        assert_eq!((plain.0, gzip.0.as_deref(), brotli.0.as_deref()), (None, Some("gzip"), Some("br")));
        assert!(gzip.1 != plain.1 && brotli.1 != plain.1 && brotli.1 != gzip.1);
        assert!(gzip.2 < plain.2 / 10 && brotli.2 < gzip.2);
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("br;q=0.5, gzip", Some("gzip")),
            ("*", Some("br")),
            ("*;q=0.5, br;q=0", Some("gzip")),
            ("gzip;q=0", None),
            ("gzip;q=0, br;q=0", None),
            ("zstd", None),
            ("", None),
        ] {
            assert_eq!(sent(accepted).0.as_deref(), coding, "{accepted}");
        }
    }

    #[test]
    fn what_is_large_is_not_packed_by_brotli() {
        let large = Body::new("text/csv", "status ".repeat(100_000).into_bytes());
        let answer =
            large.answer(&Method::GET, &asked(header::ACCEPT_ENCODING, "br, gzip"), StatusCode::OK, "");
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
    }

    #[test]
    fn what_brotli_packed_is_what_there_was() {
        let bytes: Vec<u8> = (0..60_000_u32).flat_map(|n| (n / 7).to_string().into_bytes()).collect();
        let mut plain = Vec::new();
        std::io::Read::read_to_end(
            &mut brotli::Decompressor::new(&*brotli(&bytes).unwrap(), 4096),
            &mut plain,
        )
        .unwrap();
        assert!(plain == bytes);
    }
}
