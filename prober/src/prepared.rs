//! A check made ready: everything that can be worked out before the first probe, worked out once.

use crate::{
    credential::{Credentials, OwnCertificate, Ready, Tokens},
    expectation::Expectations,
    permits::{self, Permits},
};
use bytes::Bytes;
use domain::{Check, Dialect, Method, Question, Request, TrackId, VantageId};
use hyper::{
    Uri,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use rustls::pki_types::ServerName;
use std::{fmt, net::IpAddr, sync::Arc};
use url::{Host, Position, Url};

/// The place in a header's value where the request id goes.
pub(crate) const UUID: &str = "{uuid}";

/// A check made ready by [`Prober::prepare`](crate::Prober::prepare): addresses parsed, expressions compiled.
pub struct Prepared {
    pub(crate) check: Arc<Check>,
    pub(crate) track: TrackId,
    /// The track as it is written, for request ids.
    pub(crate) track_word: String,
    pub(crate) question: Question,
    /// Why it cannot be sent at all, if so: told by every probe, as our own trouble.
    pub(crate) target: Result<Target, String>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the target: its headers hold credentials.
        f.debug_struct("Prepared").field("track", &self.track).finish_non_exhaustive()
    }
}

/// Where a probe goes and what it carries.
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) port: u16,
    /// The name that the certificate must be for; `None`: no TLS.
    pub(crate) server_name: Option<ServerName<'static>>,
    pub(crate) places: Arc<permits::Host>,
    pub(crate) method: hyper::Method,
    /// `/path?query`, for HTTP/1.1.
    pub(crate) origin: Uri,
    /// The whole address, for HTTP/2.
    pub(crate) absolute: Uri,
    pub(crate) host: HeaderValue,
    pub(crate) headers: HeaderMap,
    /// Where the token comes from that goes with it.
    pub(crate) tokens: Option<Arc<Tokens>>,
    /// What is shown of ours in the handshake.
    pub(crate) certificate: Option<Arc<OwnCertificate>>,
    /// Headers whose values hold the request id: the text around it.
    pub(crate) with_uuid: Vec<(HeaderName, String)>,
    pub(crate) body: Bytes,
    pub(crate) expectations: Expectations,
    /// Judged by its health words.
    pub(crate) health: bool,
}

/// What is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// As it stands.
    Ip(IpAddr),
    /// To be looked up.
    Name(String),
}

impl Prepared {
    pub(crate) fn new(
        check: Arc<Check>,
        vantage: &VantageId,
        user_agent: &HeaderValue,
        permits: &Permits,
        credentials: &Credentials,
    ) -> Self {
        let track = TrackId { check: check.id.clone(), vantage: vantage.clone() };
        let target = Target::new(&check, user_agent, permits, credentials);
        Self { track_word: track.to_string(), track, question: check.question(), target, check }
    }

    /// The check.
    pub fn check(&self) -> &Arc<Check> {
        &self.check
    }

    /// Why no probe of this check can be sent, if so.
    pub fn problem(&self) -> Option<&str> {
        self.target.as_ref().err().map(String::as_str)
    }
}

impl Target {
    fn new(
        check: &Check,
        user_agent: &HeaderValue,
        permits: &Permits,
        credentials: &Credentials,
    ) -> Result<Self, String> {
        let Request::Http(request) = &check.operation.request;
        // Without the address itself, which may hold a password.
        let parse =
            |text: &str| Url::parse(text).map_err(|error| format!("its address cannot be used: {error}"));
        // First alone: `http://` and `/ping` together would name a host called ping.
        parse(&check.url)?;
        let url = parse(&format!("{}{}", check.url, request.path))?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(format!("'{other}' cannot be probed; use http or https")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address may hold no user name or password; send them as a header".to_owned());
        }
        let (address, server_name) = match url.host() {
            Some(Host::Ipv4(ip)) => (Address::Ip(ip.into()), ServerName::from(IpAddr::from(ip))),
            Some(Host::Ipv6(ip)) => (Address::Ip(ip.into()), ServerName::from(IpAddr::from(ip))),
            Some(Host::Domain(name)) => {
                let server = name.trim_end_matches('.').to_owned();
                let server =
                    ServerName::try_from(server).map_err(|_| format!("'{name}' is not a host's name"))?;
                (Address::Name(name.to_owned()), server)
            }
            None => return Err("its address names no host".to_owned()),
        };
        let port = url.port_or_known_default().ok_or_else(|| "the address has no port".to_owned())?;
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let uri =
            |text: &str| Uri::try_from(text).map_err(|error| format!("the path cannot be sent: {error}"));
        let (mut headers, with_uuid) = headers(&request.headers, user_agent)?;
        let ready =
            check.credential.as_deref().map(|credential| credentials.ready(credential)).transpose()?;
        let Ready { header, tokens, certificate } = ready.unwrap_or_default();
        headers.extend(header);
        Ok(Self {
            places: permits.at(url.host_str().unwrap_or_default()),
            address,
            port,
            server_name: tls.then_some(server_name),
            method: match request.method {
                Method::Get => hyper::Method::GET,
                Method::Head => hyper::Method::HEAD,
                Method::Post => hyper::Method::POST,
            },
            origin: uri(&url[Position::BeforePath..Position::AfterQuery])?,
            absolute: uri(&url[..Position::AfterQuery])?,
            host: HeaderValue::from_str(host).map_err(|_| format!("'{host}' cannot be sent as a header"))?,
            headers,
            tokens,
            certificate,
            with_uuid,
            body: request.body.clone().map(Bytes::from).unwrap_or_default(),
            expectations: Expectations::new(&check.operation.expect)?,
            // A HEAD has no body to judge by.
            health: request.dialect == Dialect::Health && request.method != Method::Head,
        })
    }

    /// Whether the body is looked into, or only counted.
    pub(crate) fn keeps_body(&self, status: u16) -> bool {
        self.health || self.expectations.look_into_body() || !self.expectations.accepts(status)
    }
}

type Templates = Vec<(HeaderName, String)>;

fn headers(
    configured: &[(String, String)],
    user_agent: &HeaderValue,
) -> Result<(HeaderMap, Templates), String> {
    let mut headers = HeaderMap::with_capacity(configured.len() + 4);
    let mut with_uuid = Vec::new();
    for (name, value) in configured {
        // Says the name only: the value may be a secret.
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| format!("'{name}' is not the name of a header"))?;
        let parsed = HeaderValue::try_from(value.as_str()).map_err(|_| {
            format!("the value of header '{name}' cannot be sent; is there a line break in it?")
        })?;
        if value.contains(UUID) {
            with_uuid.push((name, value.clone()));
        } else {
            headers.append(name, parsed);
        }
    }
    let absent = |name: &HeaderName, headers: &HeaderMap| {
        !headers.contains_key(name) && !with_uuid.iter().any(|(known, _)| known == name)
    };
    if absent(&header::USER_AGENT, &headers) {
        headers.insert(header::USER_AGENT, user_agent.clone());
    }
    if absent(&header::ACCEPT, &headers) {
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    }
    let request_id = HeaderName::from_static("x-request-id");
    if absent(&request_id, &headers) {
        with_uuid.push((request_id, UUID.to_owned()));
    }
    Ok((headers, with_uuid))
}
