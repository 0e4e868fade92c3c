//! Operations: what exercising an Api does.

use crate::{Expect, OperationId};
use serde::{Deserialize, Serialize};

/// One thing that exercising an Api does, written once per Api.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name within the API.
    pub id: OperationId,
    /// Whether the instance is down without it. If no operation is marked, all are.
    pub critical: bool,
    /// What is sent, and how the answer is read.
    pub request: Request,
    /// What counts as good.
    pub expect: Expect,
}

/// What is sent, by protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// HTTP/1.1 or HTTP/2, with or without TLS, as the instance's URL says.
    Http(HttpRequest),
}

/// An HTTP request, relative to the instance's base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Upper-case method.
    pub method: Method,
    /// Starts with `/`; may carry a query.
    pub path: String,
    /// Sent as they are; the value `{uuid}` stands for this probe's request id.
    pub headers: Vec<(String, String)>,
    /// Sent with POST.
    pub body: Option<String>,
    /// What the answer is read as, before the expectations.
    pub dialect: Dialect,
    /// Which redirects are followed.
    pub redirects: Redirects,
}

/// Redirects that are followed; by default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirects {
    /// How many in a row; at most [`Redirects::MOST`].
    pub at_most: u8,
    /// Hosts beside the instance's own that they may lead to, as `name` or `name:port`, in lower case.
    pub to: Vec<String>,
}

impl Redirects {
    /// More in a row are a circle as often as not.
    pub const MOST: u8 = 5;
}

impl HttpRequest {
    /// GET of this path, with nothing more to it.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            path: path.into(),
            headers: Vec::new(),
            body: None,
            dialect: Dialect::Plain,
            redirects: Redirects::default(),
        }
    }
}

/// What the body of an answer says beyond HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Nothing that is known beforehand.
    #[default]
    Plain,
    /// Health words (domain.md §2.2), by which it is judged before anything else.
    Health,
}

/// The methods that a probe may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Read.
    Get,
    /// Read without a body.
    Head,
    /// SOAP envelopes and searches; never a write.
    Post,
}

impl Method {
    /// As it goes over the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}
