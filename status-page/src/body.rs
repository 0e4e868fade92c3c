//! An answer kept in memory: plain and compressed, each with its strong entity tag.

use axum::{
    body::Body as HttpBody,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
};

/// An answer kept in memory.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    kind: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
    hash: String,
    /// The tags of the two.
    tags: [Option<HeaderValue>; 2],
}

/// Headers of an answer at most, those that `router` adds too.
const HEADERS: usize = 14;
/// Smaller answers gain nothing from compression.
const WORTH_COMPRESSING: usize = 512;

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
            tags: [tag(""), tag("-gz")],
            hash,
            gzip: (bytes.len() >= WORTH_COMPRESSING)
                .then(|| compress(&bytes))
                .flatten()
                .filter(|compressed| compressed.len() < bytes.len()),
            plain: Bytes::from(bytes),
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
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(request));
        let [plain_tag, gzip_tag] = &self.tags;
        let (bytes, tag) = gzip.map_or((&self.plain, plain_tag), |gzip| (gzip, gzip_tag));
        let same = status == StatusCode::OK && tag.as_ref().is_some_and(|tag| has(request, tag));
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
            if gzip.is_some() {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
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

/// `gzip` or `*` with a weight above zero.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let lines = request.get_all(header::ACCEPT_ENCODING);
    lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).any(|item| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let coding = coding.trim();
        let weight = weight.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        (coding.eq_ignore_ascii_case("gzip") || coding == "*") && weight > 0.0
    })
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
    fn the_compressed_variant_is_smaller_and_has_its_own_tag() {
        let plain = body().answer(&Method::GET, &HeaderMap::new(), StatusCode::OK, "");
        let gzip = body().answer(
            &Method::GET,
            &asked(header::ACCEPT_ENCODING, "br, gzip;q=0.5"),
            StatusCode::OK,
            "",
        );
        assert_eq!(gzip.headers()[header::CONTENT_ENCODING], "gzip");
        assert_ne!(gzip.headers()[header::ETAG], plain.headers()[header::ETAG]);
        let length = |r: &Response<HttpBody>| -> usize {
            r.headers()[header::CONTENT_LENGTH].to_str().unwrap().parse().unwrap()
        };
        assert!(length(&gzip) < length(&plain) / 10);
        let refused = asked(header::ACCEPT_ENCODING, "gzip;q=0");
        let answer = body().answer(&Method::GET, &refused, StatusCode::OK, "");
        assert!(answer.headers().get(header::CONTENT_ENCODING).is_none());
    }
}
