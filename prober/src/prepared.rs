//! A check made ready: everything that can be worked out before the first probe, worked out once.

use crate::{
    credential::{Credentials, OwnCertificate, Ready, Tokens},
    dns::Dns,
    door::{self, Address},
    exchange::Wanted,
    expectation::Expectations,
    journey::Journey,
    line::Kept,
    mllp::Mllp,
    permits::{self, Permits},
    resolve::Resolve,
    schema::Schemas,
    tcp::Tcp,
};
use bytes::Bytes;
use domain::{
    Check, Connection, Dialect, Expect, HttpRequest, Method, Outcome, Question, Redirects, Request, TrackId,
    VantageId,
};
use hyper::{
    Uri,
    header::{self, HeaderName, HeaderValue},
    http::uri::{PathAndQuery, Scheme},
};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::ServerName;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use url::{Position, Url};

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
    pub(crate) protocol: Result<Protocol, String>,
    /// From when on what a good one shows is written down again, in milliseconds since the Unix epoch.
    good_from: AtomicI64,
}

/// What a good probe shows is written down so often.
const GOOD_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What is spoken, and all that is needed for it.
pub(crate) enum Protocol {
    Http(Box<Target>),
    Tcp(Box<Tcp>),
    Dns(Box<Dns>),
    Mllp(Box<Mllp>),
    Journey(Box<Journey>),
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the target: its headers hold credentials.
        f.debug_struct("Prepared").field("track", &self.track).finish_non_exhaustive()
    }
}

/// Where a probe over HTTP goes and what it carries.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) port: u16,
    /// The name that the certificate must be for; `None`: no TLS.
    pub(crate) server_name: Option<ServerName<'static>>,
    pub(crate) places: Arc<permits::Host>,
    pub(crate) method: hyper::Method,
    pub(crate) path: PathAndQuery,
    pub(crate) host: HeaderValue,
    /// In a list: a map of so few takes three times the room, and there may be ten thousand.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Where the token comes from that goes with it.
    pub(crate) tokens: Option<Arc<Tokens>>,
    /// What is shown of ours in the handshake.
    pub(crate) certificate: Option<Arc<OwnCertificate>>,
    /// Headers whose values hold the request id: the text around it.
    pub(crate) with_uuid: Vec<(HeaderName, String)>,
    pub(crate) body: Bytes,
    pub(crate) expectations: Arc<Expectations>,
    /// What its answer is read as.
    pub(crate) dialect: Dialect,
    pub(crate) redirects: Redirects,
    /// Where its connection waits for the next probe; `None`: each has its own.
    pub(crate) kept: Option<Arc<Kept>>,
    /// A journey takes values from the body of its answer.
    pub(crate) captured: bool,
}

impl Prepared {
    pub(crate) fn new(
        check: Arc<Check>,
        vantage: &VantageId,
        user_agent: &HeaderValue,
        resolve: &Resolve,
        permits: &Permits,
        (credentials, schemas): (&Credentials, &Schemas),
    ) -> Self {
        let track = TrackId { check: check.id.clone(), vantage: vantage.clone() };
        let protocol = Protocol::new(&check, user_agent, resolve, permits, (credentials, schemas));
        let question = check.question();
        let good_from = AtomicI64::new(i64::MIN);
        Self { track_word: track.to_string(), track, question, protocol, check, good_from }
    }

    /// Whether what is seen now is to be written down if it is good.
    pub(crate) fn shows_good(&self, now: Timestamp) -> bool {
        let from = self.good_from.load(Ordering::Relaxed);
        // A clock that was set back must not make it longer.
        now.as_millisecond() >= from || (now + GOOD_EVERY).as_millisecond() < from
    }

    /// Notes what came of a probe: after a failure the next that is good is written down, and after one that was, none for a
    /// while.
    pub(crate) fn showed(&self, outcome: &Outcome, now: Timestamp) {
        if outcome.failure.is_some() {
            self.good_from.store(i64::MIN, Ordering::Relaxed);
        } else if outcome.transcript.is_some() {
            self.good_from.store((now + GOOD_EVERY).as_millisecond(), Ordering::Relaxed);
        }
    }

    /// The check.
    pub fn check(&self) -> &Arc<Check> {
        &self.check
    }

    /// Why no probe of this check can be sent, if so.
    pub fn problem(&self) -> Option<&str> {
        self.protocol.as_ref().err().map(String::as_str)
    }
}

impl Protocol {
    fn new(
        check: &Check,
        user_agent: &HeaderValue,
        resolve: &Resolve,
        permits: &Permits,
        (credentials, schemas): (&Credentials, &Schemas),
    ) -> Result<Self, String> {
        let ready =
            check.credential.as_deref().map(|credential| credentials.ready(credential)).transpose()?;
        let ready = ready.unwrap_or_default();
        Ok(match &check.operation.request {
            Request::Http(request) => {
                let asked = (&*check.url, request, &check.operation.expect);
                Self::Http(Box::new(Target::new(asked, user_agent, permits, (ready, schemas))?))
            }
            Request::Journey(journey) => Self::Journey(Box::new(Journey::new(
                (&check.url, &check.test_patients),
                journey,
                user_agent,
                permits,
                (&ready, schemas),
            )?)),
            Request::Tcp(request) => {
                let mut tcp = Tcp::new(check, request, permits)?;
                tcp.door.certificate = ready.certificate;
                Self::Tcp(Box::new(tcp))
            }
            Request::Dns(request) => Self::Dns(Box::new(Dns::new(check, request, resolve, permits)?)),
            Request::Heartbeat(_) => return Err("nothing is sent: a job calls us".to_owned()),
            Request::Mllp(request) => {
                let mut mllp = Mllp::new(check, request, permits)?;
                mllp.door.certificate = ready.certificate;
                Self::Mllp(Box::new(mllp))
            }
        })
    }

    /// What is shown of ours in the handshake.
    pub(crate) fn certificate(&self) -> Option<&Arc<OwnCertificate>> {
        match self {
            Self::Http(target) => target.certificate.as_ref(),
            Self::Tcp(tcp) => tcp.door.certificate.as_ref(),
            Self::Mllp(mllp) => mllp.door.certificate.as_ref(),
            Self::Journey(journey) => journey.first().certificate.as_ref(),
            Self::Dns(_) => None,
        }
    }

    /// Where the tokens come from that go with it.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        match self {
            Self::Http(target) => target.tokens.as_deref(),
            Self::Journey(journey) => journey.first().tokens.as_deref(),
            Self::Tcp(_) | Self::Dns(_) | Self::Mllp(_) => None,
        }
    }

    /// The places at the host that is spoken to.
    pub(crate) fn places(&self) -> &permits::Host {
        match self {
            Self::Http(target) => &target.places,
            Self::Tcp(tcp) => &tcp.door.places,
            Self::Dns(dns) => &dns.places,
            Self::Mllp(mllp) => &mllp.door.places,
            Self::Journey(journey) => &journey.first().places,
        }
    }
}

impl Target {
    /// Of a request after this URL, whose answer must be like this.
    pub(crate) fn new(
        (base, request, expect): (&str, &HttpRequest, &Expect),
        user_agent: &HeaderValue,
        permits: &Permits,
        (ready, schemas): (Ready, &Schemas),
    ) -> Result<Self, String> {
        // Without the address itself, which may hold a password.
        let parse =
            |text: &str| Url::parse(text).map_err(|error| format!("its address cannot be used: {error}"));
        // First alone: `http://` and `/ping` together would name a host called ping.
        parse(base)?;
        let url = parse(&format!("{base}{}", request.path))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address may hold no user name or password; send them as a header".to_owned());
        }
        let Place { address, port, server_name, path, host } = Place::of(&url)?;
        let (mut headers, with_uuid) = headers(request, user_agent)?;
        let Ready { header, tokens, certificate } = ready;
        headers.extend(header);
        headers.shrink_to_fit();
        Ok(Self {
            places: permits.at(url.host_str().unwrap_or_default()),
            address,
            port,
            server_name,
            method: match request.method {
                Method::Get => hyper::Method::GET,
                Method::Head => hyper::Method::HEAD,
                Method::Post => hyper::Method::POST,
                Method::Put => hyper::Method::PUT,
                Method::Delete => hyper::Method::DELETE,
            },
            path,
            host,
            headers,
            tokens,
            certificate,
            with_uuid,
            body: request.body.clone().map(Bytes::from).unwrap_or_default(),
            expectations: Arc::new(Expectations::sharing(expect, schemas)?),
            // A HEAD has no body to judge by.
            dialect: if request.method == Method::Head { Dialect::Plain } else { request.dialect },
            redirects: request.redirects.clone(),
            kept: (request.connection == Connection::Warm).then(Arc::default),
            captured: false,
        })
    }

    /// The same, asked at another place, without a body where it becomes a GET. To another host go only the headers
    /// that every request has: among the configured ones may be a credential.
    pub(crate) fn redirected(&self, to: &Url, get: bool, same_host: bool) -> Result<Self, String> {
        let Place { address, port, server_name, path, host } = Place::of(to)?;
        let mut target = Self { address, port, server_name, path, host, ..self.clone() };
        target.kept = None;
        if get && target.method != hyper::Method::HEAD {
            target.method = hyper::Method::GET;
            target.body = Bytes::new();
            target.headers.retain(|(name, _)| *name != header::CONTENT_TYPE);
        }
        if !same_host {
            target.headers.clear();
            for always in ALWAYS {
                let known = self.headers.iter().filter(|(name, _)| *name == always);
                target.headers.extend(known.cloned());
            }
            target.with_uuid = vec![(REQUEST_ID, UUID.to_owned())];
            (target.tokens, target.certificate) = (None, None);
        }
        Ok(target)
    }

    /// The whole address.
    pub(crate) fn absolute(&self) -> Result<Uri, String> {
        absolute(self.server_name.is_some(), &self.host, &self.path)
    }

    /// What is wanted of the body of an answer with this status.
    pub(crate) fn wanted(&self, status: u16) -> Wanted {
        let looked_into = self.dialect != Dialect::Plain
            || self.captured
            || self.expectations.look_into_body()
            || !self.expectations.accepts(status);
        if looked_into {
            Wanted::Words
        } else if self.expectations.look_at_size() {
            Wanted::Size
        } else {
            Wanted::End
        }
    }
}

/// Headers that say who asks and for what, and nothing else.
const ALWAYS: [HeaderName; 3] = [header::USER_AGENT, header::ACCEPT, header::ACCEPT_ENCODING];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What an address says of where to go.
struct Place {
    address: Address,
    port: u16,
    server_name: Option<ServerName<'static>>,
    path: PathAndQuery,
    host: HeaderValue,
}

impl Place {
    fn of(url: &Url) -> Result<Self, String> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(format!("'{other}' cannot be probed; use http or https")),
        };
        let (address, server_name) = door::host(url)?;
        let port = url.port_or_known_default().ok_or_else(|| "the address has no port".to_owned())?;
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let host = HeaderValue::from_str(host).map_err(|_| format!("'{host}' cannot be sent as a header"))?;
        let path = PathAndQuery::try_from(&url[Position::BeforePath..Position::AfterQuery]);
        let path = path.map_err(|error| format!("the path cannot be sent: {error}"))?;
        absolute(tls, &host, &path)?;
        Ok(Self { address, port, server_name: tls.then_some(server_name), path, host })
    }
}

fn absolute(tls: bool, host: &HeaderValue, path: &PathAndQuery) -> Result<Uri, String> {
    let scheme = if tls { Scheme::HTTPS } else { Scheme::HTTP };
    let whole = Uri::builder().scheme(scheme).authority(host.as_bytes()).path_and_query(path.clone()).build();
    whole.map_err(|error| format!("the address cannot be sent: {error}"))
}

/// What is asked for where the operation does not say.
const fn accepted(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Plain | Dialect::Health | Dialect::Soap => "*/*",
        Dialect::Fhir | Dialect::Capabilities => "application/fhir+json, application/json;q=0.9",
        Dialect::Graphql => "application/graphql-response+json, application/json;q=0.9",
    }
}

type Headers = Vec<(HeaderName, HeaderValue)>;
type Templates = Vec<(HeaderName, String)>;

fn headers(request: &HttpRequest, user_agent: &HeaderValue) -> Result<(Headers, Templates), String> {
    let mut headers = Headers::new();
    let mut with_uuid = Vec::new();
    for (name, value) in &request.headers {
        // Says the name only: the value may be a secret.
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| format!("'{name}' is not the name of a header"))?;
        let parsed = HeaderValue::try_from(value.as_str()).map_err(|_| {
            format!("the value of header '{name}' cannot be sent; is there a line break in it?")
        })?;
        if value.contains(UUID) {
            with_uuid.push((name, value.clone()));
        } else {
            headers.push((name, parsed));
        }
    }
    let absent = |name: &HeaderName, headers: &Headers| {
        !headers
            .iter()
            .map(|(known, _)| known)
            .chain(with_uuid.iter().map(|(known, _)| known))
            .any(|known| known == name)
    };
    if absent(&header::USER_AGENT, &headers) {
        headers.push((header::USER_AGENT, user_agent.clone()));
    }
    if absent(&header::ACCEPT, &headers) {
        headers.push((header::ACCEPT, HeaderValue::from_static(accepted(request.dialect))));
    }
    if absent(&REQUEST_ID, &headers) {
        with_uuid.push((REQUEST_ID, UUID.to_owned()));
    }
    with_uuid.shrink_to_fit();
    Ok((headers, with_uuid))
}
