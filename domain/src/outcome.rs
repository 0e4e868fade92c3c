//! What a probe saw: facts only, never rewritten.

use crate::{CheckId, Question, Sight, StepSeen, Transcript, VantageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc, time::Duration};

/// What one Probe saw, and when. The last of each check is kept in memory: what is rare in it is apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The check that was exercised.
    pub check: CheckId,
    /// Where from.
    pub vantage: VantageId,
    /// What was asked; `None`: what the check asks now.
    #[serde(default)]
    pub question: Option<Question>,
    /// When the probe started; to the millisecond.
    pub at: Timestamp,
    /// How long after its time it began, where that was longer than [`LATE`](crate::LATE).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Duration>,
    /// Sent over the connection of a probe before: no name was looked up, no connection made, no hand shaken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warm: bool,
    /// Sent to confirm trouble, out of its turn.
    pub confirm: bool,
    /// How long each phase took.
    pub phases: Phases,
    /// From its start to the last byte of the answer, or to where it ended without one; token fetching and our own reading
    /// excluded.
    pub total: Duration,
    /// What was wrong, if anything.
    pub failure: Option<Failure>,
    /// What HTTP said, when an answer came.
    pub http: Option<Http>,
    /// How long the answer asks to be left alone (`Retry-After`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
    /// What the answer says of the API's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Box<Deprecation>>,
    /// The certificate of the chain that ends first.
    pub certificate: Option<Certificate>,
    /// Each expectation and whether it held.
    pub expectations: Vec<Expectation>,
    /// What the API says of its own health, when asked.
    pub health: Option<Box<HealthWords>>,
    /// The `X-Request-ID` that was sent; an auditor can find the request by it.
    pub request_id: Option<String>,
    /// What was seen, where somebody wants to see for themselves; and the steps of a journey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Box<Transcript>>,
    /// What the vantage's guards showed, when it got no answer and they were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sight: Option<Sight>,
}

/// Where one probe failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The name.
    Dns,
    /// The TCP connection.
    Connect,
    /// The TLS handshake or the certificate.
    Tls,
    /// The token endpoint.
    Token,
    /// The API gateway.
    Gateway,
    /// The service behind the gateway.
    Backend,
    /// The answer is not what was agreed.
    Contract,
    /// Our own side: no permit, no resolver, no network, a bad credential, a full disk.
    Ours,
}

impl Layer {
    /// All layers, from the outside in.
    pub const ALL: [Self; 8] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Token,
        Self::Gateway,
        Self::Backend,
        Self::Contract,
        Self::Ours,
    ];

    /// The word used in configuration, SQL and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Token => "token",
            Self::Gateway => "gateway",
            Self::Backend => "backend",
            Self::Contract => "contract",
            Self::Ours => "ours",
        }
    }

    /// The layer of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.word() == word)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Where.
    pub layer: Layer,
    /// What, as a word a program can act on.
    pub kind: FailureKind,
    /// What, in English, for a person: names addresses and limits; never a body, a secret or a patient's data.
    pub message: String,
}

/// The kinds of failure. The word (snake case) is part of the JSON interface: add, never rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Ours: too many probes in flight.
    NoPermit,
    /// Ours: no resolver answers at all.
    NoResolver,
    /// Ours: no route, no local address, or no guard of our own network answers either.
    NoNetwork,
    /// Ours: no file descriptor is left for it.
    NoDescriptor,
    /// Ours: no memory is left for it, or none of what all probes together may use.
    NoMemory,
    /// Ours: it leads to an address that no probe may be sent to.
    AddressRefused,
    /// Ours: the proxy cannot be reached, is silent, or will not make the tunnel.
    Proxy,
    /// Ours: the probe itself broke (a panic, a bad setting).
    ProbeBroke,
    /// The name does not exist.
    NameNotFound,
    /// The resolver fails for this name only.
    NameFailed,
    /// Nothing listens there.
    Refused,
    /// The connection was cut while it was made.
    Reset,
    /// No route to the host.
    Unreachable,
    /// No connection within the limit.
    ConnectTimeout,
    /// The handshake broke.
    Handshake,
    /// No handshake within the limit.
    TlsTimeout,
    /// The certificate's time is over.
    CertificateExpired,
    /// The certificate's time has not come.
    CertificateNotYetValid,
    /// Signed by nobody we trust.
    CertificateUntrusted,
    /// The certificate is for another name.
    CertificateName,
    /// Ours: the server wants a client certificate, and ours is missing, over or refused.
    ClientCertificate,
    /// Ours: the token endpoint refuses our credential.
    CredentialRefused,
    /// No connection to the token endpoint, or no answer in time.
    TokenUnreachable,
    /// The token endpoint answers with an error, or with no token.
    TokenBroken,
    /// The connection was closed before an answer.
    ClosedEarly,
    /// No first byte within the limit.
    FirstByteTimeout,
    /// The answer did not end within the limit.
    BodyTimeout,
    /// The answer broke off.
    BodyTruncated,
    /// The answer is larger than allowed.
    TooLarge,
    /// Not HTTP.
    NotHttp,
    /// 401 or 403: our credential, or our address, is refused.
    AccessRefused,
    /// 429: our rate.
    RateLimited,
    /// The gateway answers for itself with an error.
    GatewayError,
    /// The gateway says the service behind it cannot be reached or timed out.
    BackendUnavailable,
    /// The service answers with a server error.
    ServerError,
    /// A status that was not expected.
    UnexpectedStatus,
    /// The API itself says it is down.
    HealthFail,
    /// The API itself says it is degraded.
    HealthWarn,
    /// The API answers in its own protocol that it does not take what was asked: a SOAP fault of the client, GraphQL
    /// errors, a rejecting HL7 acknowledgement.
    RequestRefused,
    /// The body cannot be read as what it should be.
    BadBody,
    /// An expectation did not hold.
    ExpectationFailed,
    /// A certificate of the chain ends too soon.
    CertificateEndsSoon,
    /// A job that calls us was not heard in time.
    NotHeard,
    /// A job that calls us says that it failed.
    JobFailed,
}

impl FailureKind {
    /// The word used in JSON and SQL.
    pub fn word(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(word)) => word,
            _ => String::new(),
        }
    }
}

/// How long each phase took; `None` where the probe did not get that far or had no such phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Name to addresses.
    pub dns: Option<Duration>,
    /// TCP, over all addresses tried.
    pub connect: Option<Duration>,
    /// TLS handshake.
    pub tls: Option<Duration>,
    /// Request written to first byte of the answer's head.
    pub first_byte: Option<Duration>,
    /// First byte to the end of the body.
    pub body: Option<Duration>,
}

impl Phases {
    /// What all of them took together.
    pub fn sum(&self) -> Duration {
        [self.dns, self.connect, self.tls, self.first_byte, self.body].into_iter().flatten().sum()
    }
}

/// What HTTP said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    /// Status code.
    pub status: u16,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: Cow<'static, str>,
    /// The address that answered; through a proxy, the proxy's.
    pub remote_ip: Option<IpAddr>,
    /// Bytes of body read.
    pub bytes: u64,
}

/// An answer that says of its API that it goes (RFC 9745, RFC 8594).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deprecation {
    /// Since when, or from when on, nothing new should be built on it; `None`: it does not say.
    pub since: Option<Timestamp>,
    /// When it is expected to answer no more.
    pub sunset: Option<Timestamp>,
}

/// When the first certificate of the chain ends, and which one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// End of validity.
    pub not_after: Timestamp,
    /// Hex SHA-256 of the certificate: one certificate on sixty instances is one cause.
    pub fingerprint: String,
}

impl Outcome {
    /// Of a journey, each step and then each clean-up step, as far as it came; none where there was one request.
    pub fn steps(&self) -> &[StepSeen] {
        self.transcript.as_deref().map(|transcript| transcript.steps.as_slice()).unwrap_or_default()
    }

    /// As the rules remember it until the next: without what only the record has to say of one that passed. Each check's first
    /// is one that is written down whole, and ten thousand of these at once would be the most memory that is ever needed.
    #[must_use]
    pub(crate) fn remembered(this: &Arc<Self>) -> Arc<Self> {
        if this.failure.is_some() || this.transcript.is_none() {
            return Arc::clone(this);
        }
        Arc::new(Self {
            check: this.check.clone(),
            vantage: this.vantage.clone(),
            http: this.http.clone(),
            deprecation: this.deprecation.clone(),
            certificate: this.certificate.clone(),
            health: this.health.clone(),
            request_id: this.request_id.clone(),
            failure: None,
            expectations: Vec::new(),
            transcript: None,
            ..**this
        })
    }

    /// What is known of a probe when it begins, at `at`: nothing yet, so nothing that went wrong either.
    pub fn new(check: CheckId, vantage: VantageId, at: Timestamp) -> Self {
        Self {
            check,
            vantage,
            question: None,
            at,
            late: None,
            warm: false,
            confirm: false,
            phases: Phases::default(),
            total: Duration::ZERO,
            failure: None,
            http: None,
            retry_after: None,
            deprecation: None,
            certificate: None,
            expectations: Vec::new(),
            health: None,
            request_id: None,
            transcript: None,
            sight: None,
        }
    }
}

/// One expectation and whether it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// What was looked at: `status`, `header content-type`, `json $.resourceType`…
    pub what: String,
    /// What it should have been.
    pub expected: String,
    /// What it was; cut short, never a whole body.
    pub seen: String,
    /// Whether it held.
    pub ok: bool,
}

/// What an API says of its own health, in one vocabulary (domain.md §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthWords {
    /// Its word, translated.
    pub says: Says,
    /// Its version, when it tells: a change is a deployment.
    pub version: Option<String>,
    /// Names of the parts it says are not well; at most 16.
    pub failing: Vec<String>,
}

/// `UP`, `pass`, `ok`, `Healthy` → Pass; `DEGRADED`, `warn` → Warn; `DOWN`, `fail`, `error`, `Unhealthy` → Fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Well.
    Pass,
    /// Degraded.
    Warn,
    /// Down.
    Fail,
}
