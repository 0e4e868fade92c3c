//! The machine: its time zones, its limits, its ports, and the certificates it is told to trust.

use super::{Asked, Group, Question, memory::Recorder};
use crate::descriptors;
use alerting::{Examined, Finding};
use domain::Vantage;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// Our own pages answer from memory.
const SOON: Duration = Duration::from_secs(2);
/// There since systemd-timesyncd has set the clock (systemd-timesyncd.service(8)).
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";
/// The years in which a clock can be right.
const YEARS: std::ops::Range<i16> = 2026..2100;
/// A certificate that ends sooner is replaced now.
pub(super) const CERTIFICATE_DAYS: i64 = 21;

/// What is known at once.
pub(super) fn findings(asked: &Asked) -> Vec<(Group, Finding)> {
    let now = asked.clock.now();
    let mut findings = vec![
        time_zone(&asked.loaded.configuration.site.time_zone, now),
        open_files(asked.loaded.configuration.checks.len(), asked.recorder.process()),
    ];
    findings.extend(year(now));
    if Path::new(SYNCHRONISED).exists() {
        findings.push(Finding::ok("NTP", "systemd-timesyncd has set the clock"));
    }
    if !asked.loaded.roots.is_empty() {
        findings.push(roots(&asked.loaded.roots, now));
    }
    findings.extend(asked.loaded.configuration.vantages.iter().filter_map(local_address));
    findings.into_iter().map(|finding| (Group::Machine, finding)).collect()
}

fn year(now: Timestamp) -> Option<Finding> {
    let year = now.to_zoned(TimeZone::UTC).year();
    (!YEARS.contains(&year)).then(|| {
        Finding::problem("the clock", format!("it shows the year {year}"), "set it, and keep it by NTP")
    })
}

fn time_zone(zone: &TimeZone, now: Timestamp) -> Finding {
    let name = zone.iana_name().unwrap_or("UTC");
    let info = zone.to_offset_info(now);
    let next = zone.following(now).next().map_or_else(String::new, |change| {
        let day = change.timestamp().to_zoned(zone.clone()).strftime("%-d %B %Y").to_string();
        format!("; {} from {day}", change.abbreviation())
    });
    Finding::ok("the time zone", format!("{name}: {} now{next}", info.abbreviation()))
}

/// The limit of the program that runs, where there is one: ours may be another.
fn open_files(checks: usize, recorder: Option<u32>) -> Finding {
    const WHAT: &str = "open files";
    let wanted = descriptors::wanted(checks);
    let whose =
        if recorder.is_some() { "`curiad serve` may have" } else { "a program started here may have" };
    match recorder.and_then(|pid| descriptors::limit(Some(pid))).or_else(|| descriptors::limit(None)) {
        None => Finding::skipped(WHAT, "this system does not say how many there may be"),
        Some(limit) if limit < wanted => Finding::warning(
            WHAT,
            format!("{whose} {limit}, and {checks} checks may want {wanted}"),
            "raise LimitNOFILE= in the unit, or `ulimit -n`",
        ),
        Some(u64::MAX) => Finding::ok(WHAT, format!("{whose} any number")),
        Some(limit) => Finding::ok(WHAT, format!("{whose} {limit}; {checks} checks want at most {wanted}")),
    }
}

/// Whether this host has the address that a vantage probes from.
fn local_address(vantage: &Vantage) -> Option<Finding> {
    let (ip, what) = (vantage.egress.local_address?, format!("the vantage {}: local address", vantage.id));
    Some(match UdpSocket::bind((ip, 0)) {
        Ok(_) => Finding::ok(what, format!("{ip} is one of this host")),
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Finding::problem(
            what,
            format!("{ip} is not one of this host: nothing can be probed from there"),
            "give this host the address, or change `local_address`",
        ),
        Err(error) => Finding::problem(what, format!("{ip} cannot be used: {error}"), "look at the network"),
    })
}

fn roots(roots: &[CertificateDer<'static>], now: Timestamp) -> Finding {
    const WHAT: &str = "egress.roots";
    let ends: Vec<Option<Timestamp>> = roots.iter().map(prober::ends).collect();
    let over = ends.iter().flatten().filter(|end| **end <= now).count();
    if over > 0 {
        let detail =
            format!("{over} of {} certificates have ended: nothing signed by them is trusted", roots.len());
        return Finding::problem(WHAT, detail, "replace them by the authority's new ones");
    }
    let Some(first) = ends.iter().flatten().min() else {
        return Finding::warning(WHAT, "none of the certificates can be read", "make them anew, in PEM");
    };
    let days = first.duration_since(now).as_hours() / 24;
    let detail = format!("{}; the first ends in {days} days", plural(roots.len(), "certificate"));
    if days < CERTIFICATE_DAYS {
        Finding::warning(WHAT, detail, "add the authority's new one beside it")
    } else {
        Finding::ok(WHAT, detail)
    }
}

pub(super) fn plural(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The ports: free, or ours.
pub(super) fn questions(asked: &Arc<Asked>) -> Vec<Question> {
    let ports = [("public", asked.listen.public), ("internal", asked.listen.internal)];
    let ports = ports.into_iter().filter(|(_, address)| address.port() != 0);
    ports
        .map(|(name, address)| {
            let asked = Arc::clone(asked);
            Question::new(Group::Machine, format!("the {name} port"), async move {
                Examined { findings: vec![port(&asked, name, address).await], ..Examined::default() }
            })
        })
        .collect()
}

async fn port(asked: &Asked, name: &str, address: SocketAddr) -> Finding {
    let what = format!("the {name} port");
    let next = format!("stop what uses it, or choose another address: `listen.{name}`");
    match own_health(&asked.client, &format!("http://{}", within(address))).await {
        Health::Ours(version) if asked.recorder != Recorder::Nobody => {
            Finding::ok(what, format!("{address}: curiad {version} answers"))
        }
        Health::Ours(version) => {
            let detail = format!("{address}: a curiad {version} answers that does not run on this database");
            Finding::problem(what, detail, next)
        }
        Health::Anothers(said) => Finding::problem(what, format!("{address} is taken: {said}"), next),
        Health::Nobody(_) => match TcpListener::bind(address) {
            Ok(_) => Finding::ok(what, format!("{address} is free")),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Finding::problem(
                what,
                format!("{address}: {error}"),
                "ports below 1024 are for root: choose a higher one, or AmbientCapabilities=CAP_NET_BIND_SERVICE",
            ),
            Err(error) => Finding::problem(what, format!("{address}: {error}"), next),
        },
    }
}

/// Where one asks a listener that is on this machine.
fn within(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Who answers `/livez`.
pub(super) enum Health {
    /// Curiad, of this version.
    Ours(String),
    /// Something else, and how it answered.
    Anothers(String),
    /// Nobody, and why.
    Nobody(String),
}

/// Asks `/livez` of what should be Curiad.
pub(super) async fn own_health(client: &reqwest::Client, base: &str) -> Health {
    let answer = match client.get(format!("{base}/livez")).timeout(SOON).send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Health::Nobody("nobody answers".to_owned()),
        Err(error) if error.is_timeout() => return Health::Anothers("no answer in time".to_owned()),
        Err(_) => return Health::Anothers("what answers does not speak HTTP".to_owned()),
    };
    let status = answer.status();
    let kind = answer.headers().get(reqwest::header::CONTENT_TYPE);
    let is_health = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/health+json"));
    if !is_health {
        return Health::Anothers(format!("something else answers {status}"));
    }
    match answer.json::<Value>().await.ok().and_then(|said| Some(said.get("version")?.as_str()?.to_owned())) {
        Some(version) => Health::Ours(version),
        None => Health::Anothers(format!("something else answers {status}")),
    }
}

/// Whole days until a certificate ends.
pub(super) fn days(until: Timestamp, now: Timestamp) -> i64 {
    let left: SignedDuration = until.duration_since(now);
    left.as_hours() / 24
}
