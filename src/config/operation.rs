//! What exercising an API does: a request, and what counts as good.
//!
//! An operation never means a write, but one that says so. GET and HEAD read; POST carries what has no other way to ask: SOAP envelopes, HL7
//! and GraphQL queries, FHIR searches (`_search`) and operations (`$…`). For plain REST, and for a GraphQL mutation, it
//! is refused unless it is said to be synthetic. Nor may a request name a person: see `patients.rs`.

use super::{
    credential_name, expect, heartbeat, journey, openapi, patients,
    problem::{Place, Rank},
    reading::Reading,
    redirects,
    secret::Reference,
    section::Section,
    tree::Node,
    way::{self, Way},
    writes::{check_post, may_do_more},
};
use domain::{Connection, Dialect, Kind, NhsNumber, Operation, OperationId, Request};
use std::{mem, sync::Arc, time::Duration};

/// Longest path, header value and body, in bytes.
const MAX_PATH: usize = 2_048;
const MAX_HEADER: usize = 4_096;
const MAX_BODY: usize = 64 * 1024;
const MAX_HEADERS: usize = 32;

/// Headers that the connection sets, or that hold a credential.
const SET_BY_US: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "user-agent"];
const CREDENTIALS: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "x-api-key", "apikey"];

const CONNECTIONS: [(&str, Connection); 2] = [("fresh", Connection::Fresh), ("warm", Connection::Warm)];

/// A setting and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub value: T,
    pub place: Place,
}

/// How often and how fast: what the nearest place says wins.
#[derive(Debug, Clone, Default)]
pub(super) struct Timing {
    pub every: Option<Placed<Duration>>,
    pub slow: Option<Placed<Duration>>,
    pub timeout: Option<Placed<Duration>>,
}

impl Timing {
    /// Reads one setting.
    pub(super) fn setting(
        section: &mut Section<'_>,
        key: &'static str,
        reading: &mut Reading<'_>,
    ) -> Option<Placed<Duration>> {
        let node = section.optional(key, reading)?;
        let (what, from, to) = match key {
            "every" => ("the interval", Duration::from_millis(100), Duration::from_secs(24 * 3_600)),
            "slow" => {
                ("the time after which an answer is slow", Duration::from_millis(1), Duration::from_secs(120))
            }
            _ => ("the timeout", Duration::from_millis(10), Duration::from_secs(120)),
        };
        let value = reading.duration(node, what, from..=to)?;
        Some(Placed { value, place: node.place.clone() })
    }

    /// Reads `latency: { slow: 800ms, timeout: 5s }`.
    pub(super) fn latency(&mut self, node: &Node, all: bool, reading: &mut Reading<'_>) {
        let Some(mut section) = Section::open(node, "latency", reading) else { return };
        if all {
            section.required("slow", reading);
            section.required("timeout", reading);
        }
        self.slow = Self::setting(&mut section, "slow", reading);
        self.timeout = Self::setting(&mut section, "timeout", reading);
        section.close(reading);
    }
}

/// An operation and its own timing.
pub(super) struct OperationDraft {
    pub operation: Arc<Operation>,
    pub timing: Timing,
    /// Its requests carry no credential, whatever the instance's are.
    pub anonymous: bool,
    /// What may write: steps of a journey by their names, or the operation itself; and where it stands.
    pub writes: Vec<(Option<String>, Place)>,
    /// What they write is about nobody.
    pub synthetic: bool,
    /// Numbers that may be real persons', where they are no test patients', and where they stand.
    pub patients: Vec<(NhsNumber, Place)>,
    pub place: Place,
}

/// Reads an operation of an API of this kind, with this document.
pub(super) fn read(
    id: OperationId,
    node: &Node,
    (kind, document): (Option<Kind>, &openapi::Named),
    reading: &mut Reading<'_>,
) -> Option<OperationDraft> {
    reading.patients.clear();
    let mut section = Section::open(node, "an operation", reading)?;
    let way = way::read(&mut section, ("an operation", way::OF_OPERATIONS), reading);
    let body_node = section.optional("body", reading);
    let journey = journey::Parts::read(&mut section, reading);
    let mut writes = Vec::new();
    let request = match way {
        Some((Way::Journey, node)) => {
            Some(Request::Journey(journey.journey(node, (kind, document), &mut writes, reading)))
        }
        Some((way, node)) => {
            journey.refuse(way, reading);
            let (request, body) = (way.request(node, reading), body_node.and_then(Node::as_word));
            if request.as_ref().is_some_and(|request| may_do_more(way, kind, request, body)) {
                writes.push((None, node.owner.clone()));
            }
            request
        }
        None => None,
    };
    let has_body = way.is_none_or(|(way, _)| way == Way::Post);
    let body = body_node
        .and_then(|node| body(node, has_body.then_some(()).ok_or("only 'post' has a body"), reading));
    let headers_node = section.optional("headers", reading);
    let headers = headers_node.map(|node| headers(node, reading)).unwrap_or_default();
    let auth = section.optional("auth", reading);
    let anonymous =
        auth.and_then(|node| reading.choice(node, "an operation's auth", &[("none", ())])).is_some();
    let mut flag = |key, reading: &mut Reading<'_>| {
        let node = section.optional(key, reading)?;
        Some((reading.boolean(node)?, node.owner.clone()))
    };
    let (critical, health) = (flag("critical", reading), flag("health", reading));
    let redirects_node = section.optional("redirects", reading);
    let redirects = redirects_node.and_then(|node| redirects::read(node, reading));
    let connection_node = section.optional("connection", reading);
    let connection =
        connection_node.and_then(|node| reading.choice(node, "a kind of connection", &CONNECTIONS));
    let expect_node = section.optional("expect", reading);
    let mut written = expect_node.and_then(|node| expect::read(node, reading)).unwrap_or_default();
    let timing = Timing {
        every: Timing::setting(&mut section, "every", reading),
        slow: Timing::setting(&mut section, "slow", reading),
        timeout: Timing::setting(&mut section, "timeout", reading),
    };
    let place = section.place().clone();
    section.close(reading);
    let (way, way_node) = way?;
    if way == Way::Heartbeat {
        heartbeat::refuse(&timing, auth.map(|node| &node.owner), reading);
    }
    let health_place = health.as_ref().filter(|(health, _)| *health).map(|(_, place)| place);
    let expected = expect_node.map(|node| (&node.owner, &written.expect));
    way.refuse((headers_node.map(|node| &node.owner), health_place), expected, reading);
    if way == Way::Head {
        let expected = expect_node.filter(|_| written.needs_body()).map(|node| &node.owner);
        for place in [health_place, expected].into_iter().flatten() {
            let hint = Some("use 'get'".to_owned());
            reading.problems.error(Rank::Sense, place, "an answer to HEAD has no body to judge", hint);
        }
    }
    let mut request = request?;
    if let Request::Http(http) = &mut request {
        if way == Way::Post && !journey.synthetic {
            check_post(kind, (&http.path, &way_node.place), body.as_deref(), reading);
        }
        for (name, _) in &headers {
            if http.headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name)) {
                let place = headers_node.map_or(&place, |node| &node.owner);
                reading.wrong(place, format!("the header '{name}' is set by '{}'", way.word()));
            }
        }
        http.headers.extend(headers);
        http.body = http.body.take().or(body);
        if way != Way::Head && http.dialect == Dialect::Plain {
            http.dialect = dialect(kind, &http.path, health_place.is_some());
        }
        http.redirects = redirects.unwrap_or_default();
        http.connection = connection.unwrap_or_default();
        written.check_size(expect::read_as(http.dialect), reading);
        if let Some(node) = written.schema.filter(|_| way != Way::Head) {
            let contract = document.contract(http, &written.expect.status, node, reading);
            written.expect.contract = contract.map(Arc::new);
        }
    } else {
        refuse_what_is_http(way, (written.schema, redirects_node, connection_node), reading);
    }
    let critical = critical.is_some_and(|(critical, _)| critical);
    let expect = reading.alike(written.expect);
    let operation = Operation { id, critical, request, expect };
    Some(OperationDraft {
        operation: Arc::new(operation),
        timing,
        anonymous,
        writes,
        synthetic: journey.synthetic,
        patients: mem::take(&mut reading.patients),
        place,
    })
}

/// What goes with a request over HTTP, and with no other.
fn refuse_what_is_http(
    way: Way,
    (schema, redirects, connection): (Option<&Node>, Option<&Node>, Option<&Node>),
    reading: &mut Reading<'_>,
) {
    let word = way.word();
    let of_journey =
        |said: &str, else_said: String| if way == Way::Journey { said.to_owned() } else { else_said };
    let refused = [
        (schema, format!("'schema' does not go with '{word}'")),
        (
            redirects,
            of_journey(
                "redirects are followed where a step says so",
                format!("'{word}' knows no redirects: they are HTTP's"),
            ),
        ),
        (
            connection,
            of_journey(
                "a journey has a fresh connection for each step",
                format!("'{word}' keeps no connection: that is HTTP's"),
            ),
        ),
    ];
    for (node, message) in refused {
        if let Some(node) = node {
            reading.problems.error(Rank::Sense, &node.owner, message, None);
        }
    }
}

/// The key `path` of a request that has others; left out, the instance's URL itself.
pub(super) fn path_or_none(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Option<String> {
    match section.optional("path", reading) {
        Some(node) => path(node, reading),
        None => Some(String::new()),
    }
}

/// What a request is read as: health words where somebody says so, FHIR where the API speaks it.
pub(super) fn dialect(kind: Option<Kind>, path: &str, health: bool) -> Dialect {
    let resource = path.split('?').next().unwrap_or_default();
    match kind {
        _ if health => Dialect::Health,
        // `_ping` and `_status` are the gateway's.
        Some(Kind::FhirR4) if resource.starts_with("/_") => Dialect::Plain,
        Some(Kind::FhirR4) if resource.ends_with("/metadata") => Dialect::Capabilities,
        Some(Kind::FhirR4) => Dialect::Fhir,
        Some(Kind::Rest | Kind::Soap | Kind::Hl7 | Kind::Graphql) | None => Dialect::Plain,
    }
}

/// A path after the instance's URL.
pub(super) fn path(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    let path = reading.parsed(node, "a path", |text| {
        if !text.starts_with('/') {
            return Err(format!(
                "a path starts with '/', not '{}'",
                text.split('?').next().unwrap_or_default().chars().take(20).collect::<String>()
            ));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('#') {
            return Err(
                "a path holds neither spaces, '#' nor letters beyond ASCII: write them as %20".to_owned()
            );
        }
        if text.len() > MAX_PATH {
            return Err(format!("a path has at most {MAX_PATH} characters"));
        }
        Ok(text.to_owned())
    })?;
    patients::note(node, &path, reading);
    if let Some(name) = credential_name::in_query(&path) {
        let message = format!("'{name}' may be a credential, and paths are written into logs on their way");
        let hint = Some("leave it out: credentials are what an instance's 'auth' is for".to_owned());
        reading.problems.error(Rank::Sense, &node.place, message, hint);
    }
    Some(path)
}

/// A body, or why there is none.
pub(super) fn body(node: &Node, goes: Result<(), &str>, reading: &mut Reading<'_>) -> Option<String> {
    let body = reading.word(node, "a body")?.to_owned();
    if let Err(why) = goes {
        reading.problems.error(Rank::Sense, &node.owner, why, None);
    }
    if body.len() > MAX_BODY {
        reading.wrong(&node.place, format!("a body has at most {} KiB", MAX_BODY / 1024));
    }
    patients::note(node, &body, reading);
    Some(body)
}

/// The first coding that would come back and not be understood.
fn unknown_coding(value: &str) -> Option<&str> {
    let codings = value.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    let known = |coding: &str| {
        ["gzip", "x-gzip", "deflate", "br", "identity"].iter().any(|known| known.eq_ignore_ascii_case(coding))
    };
    codings.into_iter().find(|coding| !coding.is_empty() && !known(coding))
}

pub(super) fn headers(node: &Node, reading: &mut Reading<'_>) -> Vec<(String, String)> {
    let entries = reading.map(node, "headers").unwrap_or_default();
    if entries.len() > MAX_HEADERS {
        reading.wrong(&node.place, format!("at most {MAX_HEADERS} headers"));
    }
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, node) in entries {
        let lower = name.word.to_ascii_lowercase();
        let problem = if !expect::is_header_name(&name.word) {
            Some(format!("'{}' is not the name of a header", name.word))
        } else if SET_BY_US.contains(&lower.as_str()) {
            Some(format!("the header '{}' is set by the program", name.word))
        } else if CREDENTIALS.contains(&lower.as_str())
            || credential_name::is_one(&name.word, node.as_word().unwrap_or_default())
        {
            Some(format!(
                "the header '{}' holds a credential: that is what an instance's 'auth' is for",
                name.word
            ))
        } else if lower == "x-request-id" && !node.as_word().unwrap_or_default().contains("{uuid}") {
            Some(format!(
                "'{}' is each probe's own, so that it is found again by it: write \"{{uuid}}\"",
                name.word
            ))
        } else if all.iter().any(|(known, _)| known.eq_ignore_ascii_case(&lower)) {
            Some(format!("the header '{}' is given twice", name.word))
        } else {
            None
        };
        if let Some(problem) = problem {
            reading.wrong(&name.place, problem);
        }
        if lower == "accept-encoding"
            && let Some(coding) = node.as_word().and_then(unknown_coding)
        {
            let message = format!("'{coding}' cannot be unpacked here: only gzip, deflate and br can");
            reading.wrong(&node.place, message);
        }
        let value = reading.parsed(node, "a header's value", |text| {
            let fits =
                text.len() <= MAX_HEADER && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
            if fits && !text.is_empty() {
                Ok(text.to_owned())
            } else {
                Err("a header's value is plain ASCII, on one line".to_owned())
            }
        });
        if let Some(value) = value {
            patients::note(node, &value, reading);
            if Reference::parse(&value).is_some() {
                let hint = Some("as it stands, the words themselves would be sent".to_owned());
                let message = "a secret is no header: an instance's 'auth' sends it";
                reading.problems.error(Rank::Sense, &node.place, message, hint);
            }
            all.push((name.word.clone(), value));
        }
    }
    all
}
