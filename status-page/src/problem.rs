//! Errors for programs: `application/problem+json` (RFC 9457).

use crate::{Audience, router::open_to_all};
use axum::{
    body::Body as HttpBody,
    http::{HeaderValue, Response, StatusCode, header},
};
use std::borrow::Cow;

/// An error for a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) detail: Cow<'static, str>,
}

impl Problem {
    /// Not there, or not for this audience.
    pub(crate) const NOT_FOUND: Self = Self::new(
        StatusCode::NOT_FOUND,
        "Not found",
        "there is nothing at this address that you can see here",
    );
    /// A list has no such place.
    pub(crate) const NO_SUCH_PLACE: Self = Self::new(
        StatusCode::NOT_FOUND,
        "Not found",
        "what 'cursor' points to is not in the list any more: begin without it",
    );
    /// Nothing can be changed here.
    pub(crate) const NOT_ALLOWED: Self =
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Only to be read", "ask with GET or HEAD");
    /// A mistake of ours.
    pub(crate) const BROKEN: Self = Self::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Our mistake",
        "the answer could not be made; it has been logged",
    );
    /// Too much asked at once.
    pub(crate) const TOO_MANY: Self =
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", "wait a few seconds and ask again");

    const fn new(status: StatusCode, title: &'static str, detail: &'static str) -> Self {
        Self { status, title, detail: Cow::Borrowed(detail) }
    }

    /// A request that cannot be understood, and what is wrong with it.
    pub(crate) fn bad(detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            title: "The request cannot be understood",
            detail: detail.into(),
        }
    }

    /// Cannot be done now; trying again may help.
    pub(crate) fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, title: "Not available now", detail: detail.into() }
    }

    /// As an answer.
    pub(crate) fn answer(&self, audience: Audience) -> Response<HttpBody> {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = Response::new(HttpBody::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        open_to_all(response, audience)
    }
}
