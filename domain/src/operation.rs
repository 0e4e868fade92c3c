//! Operations: what exercising an Api does.

use crate::{DnsRequest, Expect, Heartbeat, Journey, MllpRequest, OperationId, TcpRequest};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, sync::Arc};

/// One thing that exercising an Api does, written once per Api.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name within the API.
    pub id: OperationId,
    /// Whether the instance is down without it. If no operation is marked, all are.
    pub critical: bool,
    /// What is sent, and how the answer is read.
    pub request: Request,
    /// What counts as good; operations with the same share it.
    pub expect: Arc<Expect>,
}

/// What is sent, by protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// HTTP/1.1 or HTTP/2, with or without TLS, as the instance's URL says.
    Http(HttpRequest),
    /// A connection, and perhaps a few bytes either way.
    Tcp(TcpRequest),
    /// A question to a resolver.
    Dns(DnsRequest),
    /// An HL7 v2 message, framed by the Minimal Lower Layer Protocol.
    Mllp(MllpRequest),
    /// Several requests over HTTP, one after the other.
    Journey(Journey),
    /// Nothing is sent: a job calls us.
    Heartbeat(Heartbeat),
}

impl Request {
    /// What is asked over HTTP, if it is.
    pub const fn http(&self) -> Option<&HttpRequest> {
        match self {
            Self::Http(request) => Some(request),
            Self::Tcp(_) | Self::Dns(_) | Self::Mllp(_) | Self::Journey(_) | Self::Heartbeat(_) => None,
        }
    }

    /// What is heard, if nobody is asked.
    pub const fn heartbeat(&self) -> Option<&Heartbeat> {
        match self {
            Self::Heartbeat(heartbeat) => Some(heartbeat),
            Self::Http(_) | Self::Tcp(_) | Self::Dns(_) | Self::Mllp(_) | Self::Journey(_) => None,
        }
    }

    /// In one line, for people: `GET /_ping`, `TCP port 25, STARTTLS`.
    pub fn line(&self) -> String {
        match self {
            Self::Http(request) => request.line(),
            Self::Tcp(request) => request.line(),
            Self::Dns(request) => request.line(),
            Self::Mllp(_) => "HL7 v2 message over MLLP".to_owned(),
            Self::Journey(journey) => journey.line(),
            Self::Heartbeat(heartbeat) => heartbeat.line(),
        }
    }

    /// How many requests one probe sends at most: each redirect that is followed is one more, and an API counts it as any.
    pub fn requests(&self) -> u32 {
        match self {
            Self::Http(request) => request.requests(),
            Self::Tcp(_) | Self::Dns(_) | Self::Mllp(_) => 1,
            Self::Journey(journey) => journey.requests(),
            Self::Heartbeat(_) => 0,
        }
    }

    /// What is asked, as words that are the same only where it is the same.
    pub(crate) fn words(&self) -> Vec<Cow<'_, str>> {
        match self {
            Self::Http(request) => request.words(),
            Self::Tcp(request) => request.words(),
            Self::Dns(request) => request.words(),
            Self::Mllp(request) => vec!["mllp".into(), request.message.as_str().into()],
            Self::Journey(journey) => journey.words(),
            Self::Heartbeat(heartbeat) => heartbeat.words(),
        }
    }
}

/// An HTTP request, relative to the instance's base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Upper-case method.
    pub method: Method,
    /// Starts with `/`, or is empty: the base URL itself; may carry a query.
    pub path: String,
    /// Sent as they are; the value `{uuid}` stands for this probe's request id.
    pub headers: Vec<(String, String)>,
    /// Sent with POST and PUT.
    pub body: Option<String>,
    /// What the answer is read as, before the expectations.
    pub dialect: Dialect,
    /// Which redirects are followed.
    pub redirects: Redirects,
    /// Over what it is sent.
    pub connection: Connection,
}

/// Over what connection a request is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Connection {
    /// One of its own: name, connection and handshake are part of what is measured.
    #[default]
    Fresh,
    /// That of the probe before, while it stands: what is measured is the API alone.
    Warm,
}

/// Redirects that are followed; by default none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
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
            connection: Connection::Fresh,
        }
    }

    pub(crate) fn requests(&self) -> u32 {
        1 + u32::from(self.redirects.at_most)
    }

    pub(crate) fn line(&self) -> String {
        let Self { method, path, dialect, .. } = self;
        let what = dialect.protocol().map_or_else(String::new, |what| format!(" ({what})"));
        format!("{} {path}{what}", method.word())
    }

    pub(crate) fn words(&self) -> Vec<Cow<'_, str>> {
        let Self { method, path, headers, body, redirects, .. } = self;
        let body = body.as_deref().unwrap_or_default();
        let headers = headers.iter().flat_map(|(name, value)| [name.as_str(), value]);
        let hops = (redirects.at_most > 0).then(|| redirects.at_most.to_string());
        let hosts = redirects.to.iter().map(String::as_str);
        let words = [method.word(), path, body].into_iter().chain(headers).map(Cow::Borrowed);
        words.chain(hops.map(Cow::Owned)).chain(hosts.map(Cow::Borrowed)).collect()
    }
}

/// What the body of an answer says beyond HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Nothing that is known beforehand.
    #[default]
    Plain,
    /// Health words (domain.md §2.2), by which it is judged before anything else.
    Health,
    /// A FHIR resource, or an `OperationOutcome` that says what went wrong.
    Fhir,
    /// FHIR R4's `CapabilityStatement`.
    Capabilities,
    /// A SOAP envelope, or in it a `Fault`.
    Soap,
    /// GraphQL's `data`, or `errors`.
    Graphql,
}

impl Dialect {
    /// The protocol's name, where it is one of its own.
    pub const fn protocol(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Health => None,
            Self::Fhir | Self::Capabilities => Some("FHIR"),
            Self::Soap => Some("SOAP"),
            Self::Graphql => Some("GraphQL"),
        }
    }
}

/// The methods that a probe may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Read.
    Get,
    /// Read without a body.
    Head,
    /// SOAP envelopes and searches; a write only as a step of a [`Journey`].
    Post,
    /// Write; only as a step of a [`Journey`].
    Put,
    /// Take away; only as a step of a [`Journey`].
    Delete,
}

impl Method {
    /// As it goes over the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}
