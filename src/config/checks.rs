//! From APIs, operations and instances to checks: the nearest setting wins, operation, then instance, then API.

use super::{
    api::{ApiDraft, InstanceDraft},
    journey,
    operation::{OperationDraft, Placed, Timing},
    patients,
    problem::{Place, Problems, Rank},
    rate,
    reading::duration_text,
};
use domain::{
    Check, CheckId, Credential, DnsRequest, Environment, Heartbeat, HttpRequest, InstanceId, Lifecycle,
    Operation, Request, Security, Vantage, VantageId,
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use url::Url;

/// The interval when nobody says one.
const DEFAULT_EVERY: Duration = Duration::from_secs(30);

/// Intervals shorter than this may have a longer timeout (`domain::Check::timeout`).
pub(super) const SHORT: Duration = Duration::from_secs(1);

/// All checks of an API; settings that contradict each other are among the problems.
pub(super) fn resolve(draft: &ApiDraft, vantages: &[Vantage], problems: &mut Problems) -> Vec<Check> {
    let mut checks = Vec::new();
    for operation in &draft.operations {
        let before = checks.len();
        let asked = audited(&operation.operation, &draft.audit);
        for (environment, instance) in &draft.instances {
            let chosen = instance.operations.as_ref();
            if chosen.is_none_or(|chosen| chosen.contains(&operation.operation.id)) {
                let check = check(draft, operation, (*environment, instance), vantages, problems);
                checks.extend(check.map(|check| Check { operation: Arc::clone(&asked), ..check }));
            }
        }
        patients::refuse_unlisted(draft, operation, problems);
        if draft.api.lifecycle != Lifecycle::Retired {
            without_effect(operation, checks.get(before..).unwrap_or_default(), problems);
        }
    }
    overruled(draft, problems);
    for (environment, instance) in &draft.instances {
        let own = checks
            .iter_mut()
            .filter(|check| check.id.instance.environment == *environment && check.heartbeat().is_none());
        let own: Vec<&mut Check> = own.collect();
        match &instance.max_rate {
            Some(max_rate) => rate::hold(own, max_rate, problems),
            None => rate::bound(&own, &instance.place, problems),
        }
    }
    checks
}

/// A setting by its name, and where it is among others.
type Setting = (&'static str, fn(&Timing) -> &Option<Placed<Duration>>);

const SETTINGS: [Setting; 3] = [
    ("every", |timing| &timing.every),
    ("slow", |timing| &timing.slow),
    ("timeout", |timing| &timing.timeout),
];

/// Says which settings of an instance are nobody's: each of its operations has its own.
fn overruled(draft: &ApiDraft, problems: &mut Problems) {
    for (environment, instance) in &draft.instances {
        let chosen = |operation: &&OperationDraft| {
            instance.operations.as_ref().is_none_or(|chosen| chosen.contains(&operation.operation.id))
        };
        for (name, setting) in SETTINGS {
            let Some(placed) = setting(&instance.timing) else { continue };
            let probed = |operation: &&OperationDraft| operation.operation.request.heartbeat().is_none();
            let mut own = draft
                .operations
                .iter()
                .filter(chosen)
                .filter(probed)
                .map(|it| setting(&it.timing).is_some())
                .peekable();
            if own.peek().is_some() && own.all(|own| own) {
                let message =
                    format!("'{name}' of {environment} has no effect: each of its operations has its own");
                problems.warning(&placed.place, message, None);
            }
        }
    }
}

/// Says what of an operation can have no effect.
fn without_effect(operation: &OperationDraft, checks: &[Check], problems: &mut Problems) {
    let id = &operation.operation.id;
    if checks.is_empty() {
        problems.warning(&operation.place, format!("no environment uses the operation '{id}'"), None);
    } else if operation.operation.expect.certificate_days.is_some() && !checks.iter().any(is_secured) {
        let message = format!("'certificate_days' of '{id}' has no effect: none of its URLs is https");
        problems.warning(&operation.place, message, None);
    }
}

fn check(
    draft: &ApiDraft,
    operation: &OperationDraft,
    (environment, instance): (Environment, &InstanceDraft),
    vantages: &[Vantage],
    problems: &mut Problems,
) -> Option<Check> {
    let nearest = |setting: fn(&Timing) -> &Option<Placed<Duration>>| {
        [&operation.timing, &instance.timing, &draft.timing]
            .into_iter()
            .enumerate()
            .find_map(|(distance, timing)| setting(timing).as_ref().map(|placed| (distance, placed)))
    };
    if let Request::Heartbeat(heartbeat) = &operation.operation.request {
        return Some(heard(draft, operation, heartbeat, (environment, instance)));
    }
    let every = nearest(|timing| &timing.every);
    let (slow, timeout) = (nearest(|timing| &timing.slow)?, nearest(|timing| &timing.timeout)?);
    let interval = every.map_or(DEFAULT_EVERY, |(_, every)| every.value);
    let id = &operation.operation.id;
    if timeout.1.value >= interval && interval >= SHORT {
        let place = nearest_place(every, timeout);
        let (timeout, interval) = (duration_text(timeout.1.value), duration_text(interval));
        let message = format!("the timeout {timeout} of '{id}' must be shorter than its interval {interval}");
        problems.error(Rank::Sense, place, message, None);
    }
    if let Request::Journey(journey) = &operation.operation.request {
        let took = nearest_place(every, timeout);
        journey::check_times(operation, journey, (timeout.1.value, interval, took), problems);
    }
    journey::check_writes(operation, environment, problems);
    if slow.1.value >= timeout.1.value {
        let place = nearer(slow, timeout);
        let (slow, timeout) = (duration_text(slow.1.value), duration_text(timeout.1.value));
        let message = format!("'{id}' is slow after {slow}, but its timeout is already {timeout}");
        problems.error(Rank::Sense, place, message, None);
    }
    if let Some(problem) = misfit(&operation.operation.request, &instance.url) {
        problems.error(Rank::Sense, &instance.place, format!("'{id}' {problem}"), None);
    }
    if let Some(latency) = operation.operation.expect.latency {
        let (fails, late) = (duration_text(latency), duration_text(slow.1.value));
        if latency <= slow.1.value {
            let message = format!("'{id}' fails after {fails}, but is only slow after {late}");
            problems.error(Rank::Sense, &operation.place, message, None);
        } else if latency >= timeout.1.value {
            let timeout = duration_text(timeout.1.value);
            let message = format!("'{id}' fails after {fails}, but its timeout is already {timeout}");
            problems.error(Rank::Sense, &operation.place, message, None);
        }
    }
    Some(Check {
        id: CheckId {
            instance: InstanceId { api: draft.api.id.clone(), environment },
            operation: id.clone(),
        },
        url: instance.url.clone(),
        operation: Arc::clone(&operation.operation),
        credential: credential(operation, instance),
        test_patients: Arc::clone(&instance.test_patients),
        every: interval,
        slow: slow.1.value,
        timeout: timeout.1.value,
        from: instance
            .from
            .clone()
            .unwrap_or_else(|| vantages.iter().map(|vantage| vantage.id.clone()).collect()),
        apart: None,
    })
}

/// What is heard and not probed: it has neither a time nor a credential, and is heard at one place.
fn heard(
    draft: &ApiDraft,
    operation: &OperationDraft,
    heartbeat: &Heartbeat,
    (environment, instance): (Environment, &InstanceDraft),
) -> Check {
    Check {
        id: CheckId {
            instance: InstanceId { api: draft.api.id.clone(), environment },
            operation: operation.operation.id.clone(),
        },
        url: instance.url.clone(),
        operation: Arc::clone(&operation.operation),
        credential: None,
        test_patients: Arc::default(),
        every: heartbeat.every(),
        slow: Duration::MAX,
        timeout: Duration::MAX,
        from: vec![VantageId::inbound()],
        apart: None,
    }
}

/// An operation whose request says who is registered to ask; what it says itself is nearer.
fn audited(operation: &Arc<Operation>, audit: &[(String, String)]) -> Arc<Operation> {
    let mut operation = Arc::clone(operation);
    if audit.is_empty() {
        return operation;
    }
    let requests: Vec<&mut HttpRequest> = match &mut Arc::make_mut(&mut operation).request {
        Request::Http(request) => vec![request],
        Request::Journey(journey) => {
            journey.steps.iter_mut().chain(&mut journey.clean_up).map(|step| &mut step.request).collect()
        }
        Request::Tcp(_) | Request::Dns(_) | Request::Mllp(_) | Request::Heartbeat(_) => Vec::new(),
    };
    for request in requests {
        for (name, value) in audit {
            if !request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                request.headers.push((name.clone(), value.clone()));
            }
        }
    }
    operation
}

/// What a probe proves with who asks. One that carries nothing still shows our certificate: that is the connection's.
fn credential(operation: &OperationDraft, instance: &InstanceDraft) -> Option<Arc<Credential>> {
    let mut credential = instance.auth.as_ref()?.credential.clone();
    if operation.anonymous {
        credential.access = None;
    }
    (credential != Credential::default()).then(|| Arc::new(credential))
}

/// Why a request cannot be sent to this URL.
fn misfit(request: &Request, url: &str) -> Option<&'static str> {
    let is_web = url.starts_with("http:") || url.starts_with("https:");
    match request {
        Request::Http(_) | Request::Journey(_) if !is_web => {
            Some("asks over HTTP: its URL begins with https:// or http://")
        }
        Request::Mllp(_) if is_web => Some("sends a message by MLLP: its URL begins with tcp:// or tls://"),
        Request::Dns(DnsRequest { name: None, .. }) if has_no_name(url) => {
            Some("asks for the name of an address: 'dns' needs the key 'name'")
        }
        Request::Http(_)
        | Request::Journey(_)
        | Request::Tcp(_)
        | Request::Dns(_)
        | Request::Mllp(_)
        | Request::Heartbeat(_) => None,
    }
}

fn has_no_name(url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host.starts_with('[') || host.parse::<IpAddr>().is_ok()
}

/// Whether a check shakes hands by TLS.
fn is_secured(check: &Check) -> bool {
    let by_url = check.url.starts_with("https:") || check.url.starts_with("tls:");
    match &check.operation.request {
        Request::Http(_) | Request::Journey(_) | Request::Mllp(_) => by_url,
        Request::Dns(_) | Request::Heartbeat(_) => false,
        Request::Tcp(request) => match request.security {
            Security::AsUrl => by_url,
            Security::Plain => false,
            Security::Tls | Security::StartTlsSmtp => true,
        },
    }
}

/// Where the interval stands, if it is more particular than the timeout.
fn nearest_place<'p>(
    every: Option<(usize, &'p Placed<Duration>)>,
    timeout: (usize, &'p Placed<Duration>),
) -> &'p Place {
    every.map_or(&timeout.1.place, |every| nearer(every, timeout))
}

/// Where the more particular of two settings stands; of two equally near, the second.
fn nearer<'p>(first: (usize, &'p Placed<Duration>), second: (usize, &'p Placed<Duration>)) -> &'p Place {
    if first.0 < second.0 { &first.1.place } else { &second.1.place }
}
