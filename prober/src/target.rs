//! One request over HTTP, made ready: where it goes, what it carries, and what its answer must be like.

use crate::{
    credential::{OwnCertificate, Ready, Tokens},
    door::{self, Address},
    exchange::Wanted,
    expectation::Expectations,
    line::Kept,
    permits::{self, Permits},
    prepared::Shared,
};
use bytes::Bytes;
use domain::{Connection, Dialect, Expect, HttpRequest, Method, Redirects};
use hyper::{
    Uri,
    header::{self, HeaderName, HeaderValue},
    http::uri::{PathAndQuery, Scheme},
};
use rustls::pki_types::ServerName;
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};
use url::{Position, Url};

/// The place in a header's value where the request id goes.
pub(crate) const UUID: &str = "{uuid}";

/// Where a probe over HTTP goes and what it carries.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) place: Arc<Place>,
    pub(crate) places: Arc<permits::Host>,
    pub(crate) path: PathAndQuery,
    pub(crate) form: Arc<Form>,
    /// Where the token comes from that goes with it.
    pub(crate) tokens: Option<Arc<Tokens>>,
    /// What is shown of ours in the handshake.
    pub(crate) certificate: Option<Arc<OwnCertificate>>,
    /// Where its connection waits for the next probe; `None`: each has its own.
    pub(crate) kept: Option<Arc<Kept>>,
    /// A journey takes values from the body of its answer.
    pub(crate) captured: bool,
}

/// Where a request over HTTP goes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) address: Address,
    pub(crate) port: u16,
    /// The name that the certificate must be for; `None`: no TLS.
    pub(crate) server_name: Option<ServerName<'static>>,
    pub(crate) host: HeaderValue,
}

/// What a request over HTTP carries, and how its answer is read.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) method: hyper::Method,
    /// In a list: a map of so few takes three times the room.
    pub(crate) headers: Headers,
    /// Headers whose values hold the request id: the text around it.
    pub(crate) with_uuid: Templates,
    pub(crate) body: Bytes,
    pub(crate) redirects: Redirects,
    /// What its answer is read as.
    pub(crate) dialect: Dialect,
    /// What the expectations were compiled from.
    expect: Arc<Expect>,
    pub(crate) expectations: Arc<Expectations>,
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        let Self { method, headers, with_uuid, body, redirects, dialect, expect, expectations: _ } = self;
        *method == other.method
            && *headers == other.headers
            && *with_uuid == other.with_uuid
            && *body == other.body
            && *redirects == other.redirects
            && *dialect == other.dialect
            && *expect == other.expect
    }
}

impl Eq for Form {}

impl Hash for Form {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { method, headers, with_uuid, body, redirects, dialect, expect, expectations: _ } = self;
        (method, headers, with_uuid, body, redirects, dialect, expect).hash(state);
    }
}

impl Target {
    /// Of a request after this URL, whose answer must be like this.
    pub(crate) fn new(
        (base, request, expect): (&str, &HttpRequest, &Arc<Expect>),
        user_agent: &HeaderValue,
        permits: &Permits,
        (ready, shared): (Ready, &Shared),
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
        let (place, path) = Place::of(&url)?;
        let (mut headers, with_uuid) = headers(request, user_agent)?;
        let Ready { header, tokens, certificate } = ready;
        headers.extend(header);
        headers.shrink_to_fit();
        let form = Form {
            method: match request.method {
                Method::Get => hyper::Method::GET,
                Method::Head => hyper::Method::HEAD,
                Method::Post => hyper::Method::POST,
                Method::Put => hyper::Method::PUT,
                Method::Delete => hyper::Method::DELETE,
            },
            headers,
            with_uuid,
            body: request.body.clone().map(Bytes::from).unwrap_or_default(),
            redirects: request.redirects.clone(),
            // A HEAD has no body to judge by.
            dialect: if request.method == Method::Head { Dialect::Plain } else { request.dialect },
            expect: Arc::clone(expect),
            expectations: Arc::new(Expectations::sharing(expect, &shared.schemas)?),
        };
        Ok(Self {
            place: shared.places.one(place),
            places: permits.at(url.host_str().unwrap_or_default()),
            path,
            form: shared.forms.one(form),
            tokens,
            certificate,
            kept: (request.connection == Connection::Warm).then(Arc::default),
            captured: false,
        })
    }

    /// The same, asked at another place, without a body where it becomes a GET. To another host go only the headers
    /// that every request has: among the configured ones may be a credential.
    pub(crate) fn redirected(&self, to: &Url, get: bool, same_host: bool) -> Result<Self, String> {
        let (place, path) = Place::of(to)?;
        let mut target = Self { place: Arc::new(place), path, kept: None, ..self.clone() };
        if get && self.form.method != hyper::Method::HEAD {
            let form = Arc::make_mut(&mut target.form);
            form.method = hyper::Method::GET;
            form.body = Bytes::new();
            form.headers.retain(|(name, _)| *name != header::CONTENT_TYPE);
        }
        if !same_host {
            let form = Arc::make_mut(&mut target.form);
            form.headers.clear();
            for always in ALWAYS {
                let known = self.form.headers.iter().filter(|(name, _)| *name == always);
                form.headers.extend(known.cloned());
            }
            form.with_uuid = vec![(REQUEST_ID, UUID.to_owned())];
            (target.tokens, target.certificate) = (None, None);
        }
        Ok(target)
    }

    /// The whole address.
    pub(crate) fn absolute(&self) -> Result<Uri, String> {
        absolute(self.place.server_name.is_some(), &self.place.host, &self.path)
    }

    /// What is wanted of the body of an answer with this status.
    pub(crate) fn wanted(&self, status: u16) -> Wanted {
        let expectations = &self.form.expectations;
        let looked_into = self.form.dialect != Dialect::Plain
            || self.captured
            || expectations.look_into_body()
            || !expectations.accepts(status);
        if looked_into {
            Wanted::Words
        } else if expectations.look_at_size() {
            Wanted::Size
        } else {
            Wanted::End
        }
    }
}

/// Headers that say who asks and for what, and nothing else.
const ALWAYS: [HeaderName; 3] = [header::USER_AGENT, header::ACCEPT, header::ACCEPT_ENCODING];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Place {
    /// What an address says of where to go, and what to ask for there.
    fn of(url: &Url) -> Result<(Self, PathAndQuery), String> {
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
        Ok((Self { address, port, server_name: tls.then_some(server_name), host }, path))
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Matches, Statuses};
    use std::time::Duration;

    fn target(shared: &Shared, base: &str, request: &HttpRequest, expect: &Expect, ready: Ready) -> Target {
        let permits = Permits::new(&crate::Limits::default());
        let expect = Arc::new(expect.clone());
        let user_agent = HeaderValue::from_static("Curiad");
        Target::new((base, request, &expect), &user_agent, &permits, (ready, shared)).unwrap()
    }

    #[test]
    fn what_is_asked_alike_is_kept_once_whatever_the_path() {
        let shared = Shared::default();
        let of = |path: &str| {
            let request = HttpRequest::get(path);
            target(&shared, "https://api.example", &request, &Expect::default(), Ready::default())
        };
        let (one, other) = (of("/a"), of("/b"));
        assert!(Arc::ptr_eq(&one.form, &other.form) && Arc::ptr_eq(&one.place, &other.place));
        assert_eq!((one.path.path(), other.path.path()), ("/a", "/b"));
    }

    type Change = fn(&mut HttpRequest, &mut Expect);

    #[test]
    fn whatever_differs_in_a_request_or_in_what_is_expected_makes_it_another() {
        let shared = Shared::default();
        let changes: [Change; 15] = [
            |_, _| {},
            |request, _| request.method = Method::Post,
            |request, _| request.headers = vec![("x-a".to_owned(), "1".to_owned())],
            |request, _| request.headers = vec![("x-a".to_owned(), "2".to_owned())],
            |request, _| request.headers = vec![("x-a".to_owned(), UUID.to_owned())],
            |request, _| request.body = Some("{}".to_owned()),
            |request, _| request.dialect = Dialect::Health,
            |request, _| request.redirects = Redirects { at_most: 1, to: Vec::new() },
            |request, _| request.redirects = Redirects { at_most: 1, to: vec!["b.example".to_owned()] },
            |_, expect| expect.status = vec![Statuses::One(204)],
            |_, expect| expect.text = vec![Matches::Contains("pass".to_owned())],
            |_, expect| expect.text = vec![Matches::Equals("pass".to_owned())],
            |_, expect| expect.json = vec![("$.a".to_owned(), Matches::Exists)],
            |_, expect| expect.latency = Some(Duration::from_secs(1)),
            |_, expect| expect.certificate_days = Some(14),
        ];
        let made = changes.map(|change| {
            let (mut request, mut expect) = (HttpRequest::get("/"), Expect::default());
            change(&mut request, &mut expect);
            target(&shared, "https://api.example", &request, &expect, Ready::default()).form
        });
        for (at, one) in made.iter().enumerate() {
            assert!(made.iter().skip(at + 1).all(|other| !Arc::ptr_eq(one, other)), "change {at} is shared");
        }
        let key = (HeaderName::from_static("apikey"), HeaderValue::from_static("secret"));
        let ready = Ready { header: Some(key), ..Ready::default() };
        let with_key =
            target(&shared, "https://api.example", &HttpRequest::get("/"), &Expect::default(), ready);
        assert!(!Arc::ptr_eq(&made[0], &with_key.form), "another's credential is shared");
        let place =
            |base| target(&shared, base, &HttpRequest::get("/"), &Expect::default(), Ready::default()).place;
        let here = place("https://api.example");
        for base in ["http://api.example", "https://api.example:8443", "https://b.example"] {
            assert!(!Arc::ptr_eq(&here, &place(base)), "{base}");
        }
    }

    #[test]
    fn a_redirect_changes_nothing_of_what_is_shared() {
        let shared = Shared::default();
        let request =
            HttpRequest { body: Some("{}".to_owned()), method: Method::Post, ..HttpRequest::get("/a") };
        let here = target(&shared, "https://api.example", &request, &Expect::default(), Ready::default());
        let to = Url::parse("https://b.example/c").unwrap();
        let next = here.redirected(&to, true, false).unwrap();
        assert_eq!((&next.form.method, next.form.body.len()), (&hyper::Method::GET, 0));
        assert_eq!((&here.form.method, here.form.body.len()), (&hyper::Method::POST, 2));
        assert_eq!(here.place.host, "api.example");
    }
}
