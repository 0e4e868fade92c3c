//! Names, connections and certificates of the systems outside, and whether our own page is where people are told it is.

use super::{
    Asked, Group, PATIENCE, Question,
    memory::Recorder,
    place::{CERTIFICATE_DAYS, Health, days, own_health, plural},
};
use alerting::{DeskSystem, Examined, Finding, MailTls};
use domain::{Failure, FailureKind, Layer, Proxy, Request};
use jiff::Timestamp;
use prober::Reach;
use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use url::{Host, Url};

/// Names that are asked for at the same time.
const AT_ONCE: usize = 32;
/// Names that are shown one by one.
const SHOWN: usize = 10;
const NAMES: &str = "names";
const MAIL_SERVER: &str = "the mail server";
const DEAD_MAN: &str = "the dead man";
/// A name, or a connection.
const SOON: Duration = Duration::from_secs(6);

/// A system outside, by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outside {
    /// What people call it.
    name: String,
    host: String,
    port: u16,
    secured: bool,
}

impl Outside {
    fn at(name: impl Into<String>, url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
        Some(Self { name: name.into(), host, port, secured: matches!(url.scheme(), "https" | "tls") })
    }

    /// Through whom it is reached: mail always straight.
    fn proxy<'a>(&self, asked: &'a Asked) -> Option<&'a Proxy> {
        let proxy = asked.loaded.proxy.as_ref().filter(|_| self.name != MAIL_SERVER)?;
        proxy.leads_to(&self.host).then_some(proxy)
    }

    fn is_named(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_err() && bare != "localhost"
    }
}

/// Everything that Curiad talks to, but the APIs. Of the dead man's URL only the host: the rest is a secret.
fn outside(asked: &Asked) -> Vec<Outside> {
    let directory = &asked.loaded.directory;
    let desks = directory
        .desks
        .iter()
        .filter_map(|(id, desk)| Outside::at(format!("service desk {id}"), &desk.servicenow()?.url));
    let notify = directory.notify.iter().filter_map(|notify| Outside::at("GOV.UK Notify", &notify.url));
    let mail = directory.mail.iter().map(|mail| Outside {
        name: MAIL_SERVER.to_owned(),
        host: mail.host.clone(),
        port: mail.port,
        secured: mail.tls == MailTls::Tls,
    });
    let twilio = directory.twilio.iter().filter_map(|twilio| Outside::at("Twilio", &twilio.url));
    desks.chain(notify).chain(twilio).chain(mail).chain(dead_man(asked)).collect()
}

/// What people and teams have of their own. None of it is asked: whatever it is sent may disturb somebody.
fn programs(asked: &Asked) -> Vec<Outside> {
    let directory = &asked.loaded.directory;
    let people = directory
        .people
        .iter()
        .filter_map(|(id, one)| Outside::at(format!("{id}'s webhook"), &one.webhook.as_ref()?.url));
    let desks = directory.desks.iter().filter_map(|(id, desk)| match desk.system.as_ref()? {
        DeskSystem::Webhook(to) => Outside::at(format!("service desk {id}"), &to.url),
        DeskSystem::ServiceNow(_) => None,
    });
    let mut programs: Vec<Outside> = desks.chain(people).collect();
    for (id, team) in &directory.teams {
        let all = [
            team.chat.as_ref().and_then(|url| Outside::at(format!("the team {id}'s chat"), url.reveal())),
            team.webhook.as_ref().and_then(|to| Outside::at(format!("the team {id}'s webhook"), &to.url)),
            team.pagerduty.as_ref().and_then(|to| Outside::at(format!("the team {id}'s PagerDuty"), &to.url)),
        ];
        programs.extend(all.into_iter().flatten());
    }
    programs
}

fn dead_man(asked: &Asked) -> Option<Outside> {
    Outside::at(DEAD_MAN, asked.loaded.directory.dead_man.as_ref()?.url.reveal())
}

pub(super) fn questions(asked: &Arc<Asked>) -> Vec<Question> {
    let all = outside(asked);
    let programs = programs(asked);
    let mut questions = Vec::new();
    let to_look_up: Vec<&Outside> = all.iter().chain(&programs).collect();
    let (asking, names) = (Arc::clone(asked), names(asked, &to_look_up));
    questions.push(Question::new(Group::Network, "names", async move {
        Examined { findings: resolve(&asking, names).await, ..Examined::default() }
    }));
    for system in all.into_iter().filter(|system| system.secured && system.name != DEAD_MAN) {
        let asking = Arc::clone(asked);
        questions.push(Question::new(Group::Network, system.name.clone(), async move {
            let reach =
                asking.prober.reach((&system.host, system.port), system.proxy(&asking), true, SOON).await;
            let finding = certificate(&system, &reach, asking.clock.now());
            Examined { findings: vec![finding], ..Examined::default() }
        }));
    }
    questions.extend(programs.into_iter().map(|program| unasked(asked, program)));
    questions.extend(proxies(asked));
    questions.push(heartbeat(asked));
    let asking = Arc::clone(asked);
    questions.push(Question::new(Group::Network, "our own page", async move {
        Examined { findings: own_page(&asking).await, ..Examined::default() }
    }));
    questions
}

/// Names to look up, each with who needs it, and whether that is a system of ours (else: an API).
fn names(asked: &Asked, all: &[&Outside]) -> BTreeMap<String, (String, bool)> {
    let mut names = BTreeMap::new();
    for check in asked.loaded.configuration.checks.values() {
        if let Ok(url) = Url::parse(&check.url)
            && let Some(Host::Domain(name)) = url.host()
            && name != "localhost"
            // The URL of another scheme than HTTP's has a number where a name stands.
            && name.parse::<IpAddr>().is_err()
            && check.heartbeat().is_none()
            && (matches!(check.operation.request, Request::Dns(_)) || !proxied(asked, name))
        {
            names.entry(name.to_owned()).or_insert_with(|| (check.id.instance.to_string(), false));
        }
    }
    for system in all.iter().filter(|system| system.is_named() && system.proxy(asked).is_none()) {
        names.insert(system.host.clone(), (system.name.clone(), true));
    }
    names
}

/// Whether a proxy looks the name up wherever it is probed from.
fn proxied(asked: &Asked, name: &str) -> bool {
    asked.loaded.configuration.vantages.iter().all(|vantage| vantage.egress.proxy_to(name).is_some())
}

/// Each proxy that anything goes through: one that cannot be reached hides all behind it.
fn proxies(asked: &Arc<Asked>) -> Vec<Question> {
    let vantages = &asked.loaded.configuration.vantages;
    let mut all: Vec<&Proxy> = Vec::new();
    for proxy in
        asked.loaded.proxy.iter().chain(vantages.iter().filter_map(|vantage| vantage.egress.proxy.as_ref()))
    {
        if !all.contains(&proxy) {
            all.push(proxy);
        }
    }
    let question = |proxy: &Proxy| {
        let (asking, proxy, what) = (Arc::clone(asked), proxy.clone(), format!("the proxy {proxy}"));
        Question::new(Group::Network, what.clone(), async move {
            let finding = match asking.prober.reach_proxy(&proxy, SOON).await {
                Ok(address) => {
                    Finding::ok(what, format!("{address} takes connections; no tunnel was asked for"))
                }
                Err(failure) => Finding::problem(
                    what,
                    failure.message,
                    "check `egress.proxy`, the vantage's `proxy`, and the network between",
                ),
            };
            Examined { findings: vec![finding], ..Examined::default() }
        })
    };
    all.into_iter().map(question).collect()
}

async fn resolve(asked: &Arc<Asked>, names: BTreeMap<String, (String, bool)>) -> Vec<Finding> {
    if names.is_empty() {
        return vec![Finding::skipped(
            NAMES,
            "there is none to look up: every address is a number or localhost",
        )];
    }
    let count = names.len();
    let (mut failed, mut private) = (Vec::new(), Vec::new());
    let mut waiting = names.into_iter();
    let mut asking = JoinSet::new();
    loop {
        while asking.len() < AT_ONCE
            && let Some((name, who)) = waiting.next()
        {
            let asked = Arc::clone(asked);
            asking.spawn(async move {
                let found = asked.prober.resolve(&name, SOON).await;
                let undialled = found.as_ref().ok().and_then(|found| undialled(&asked, &who, &name, found));
                (who, found.err(), undialled)
            });
        }
        match asking.join_next().await {
            None => break,
            Some(Ok((who, failure, undialled))) => {
                failed.extend(failure.map(|failure| (who, failure)));
                private.extend(undialled);
            }
            Some(Err(_)) => {}
        }
    }
    if let Some((_, failure)) = failed.iter().find(|(_, failure)| failure.layer == Layer::Ours) {
        let next =
            "look at /etc/resolv.conf and the network; without names nothing is probed and nobody is told";
        return vec![Finding::problem(NAMES, failure.message.clone(), next)];
    }
    private.truncate(SHOWN);
    if failed.is_empty() {
        private.insert(0, Finding::ok(NAMES, format!("{} found", plural(count, "name"))));
        return private;
    }
    // What we tell people by comes before what we look at.
    failed.sort_by_key(|((who, ours), _)| (!ours, who.clone()));
    let more = failed.len().saturating_sub(SHOWN);
    let mut findings: Vec<Finding> = failed.into_iter().take(SHOWN).map(unknown).collect();
    if more > 0 {
        findings.push(Finding::warning(
            NAMES,
            format!("{more} more are not found"),
            "`curiad probe` says more",
        ));
    }
    findings.extend(private);
    findings
}

/// An API whose name leads only to addresses that its probes are not sent to.
fn undialled(asked: &Asked, (who, ours): &(String, bool), name: &str, found: &[IpAddr]) -> Option<Finding> {
    let private = asked.loaded.configuration.vantages.first()?.private_addresses;
    let (ip, what) =
        found.iter().find_map(|ip| domain::undialled(*ip, false, private).map(|what| (ip, what)))?;
    if *ours || found.iter().any(|ip| domain::undialled(*ip, false, private).is_none()) {
        return None;
    }
    let detail = format!("{who}: '{name}' leads to {ip}, {what}: no probe is sent there");
    Some(Finding::problem(
        NAMES,
        detail,
        "if it stands in a private network that is meant, set `private_addresses: allowed` at the vantage",
    ))
}

fn unknown(((who, ours), failure): ((String, bool), Failure)) -> Finding {
    let detail = format!("{who}: {}", failure.message);
    if ours {
        Finding::problem(NAMES, detail, "check the address in the configuration, and the name's owner")
    } else {
        Finding::warning(NAMES, detail, "its probes fail in dns: check its `url`, or tell its provider")
    }
}

/// A certificate as a finding; `whose`: what people call the system.
pub(super) fn ends(whose: &str, not_after: Timestamp, now: Timestamp) -> Finding {
    let what = format!("{whose}: certificate");
    let days = days(not_after, now);
    let detail = format!("trusted; ends in {days} days");
    if days < CERTIFICATE_DAYS {
        return Finding::warning(
            what,
            detail,
            "see that it is renewed: without it we cannot tell anybody there",
        );
    }
    Finding::ok(what, detail)
}

fn certificate(system: &Outside, reach: &Reach, now: Timestamp) -> Finding {
    match (&reach.failure, &reach.certificate) {
        (None, Some(certificate)) => ends(&system.name, certificate.not_after, now),
        (None, None) => Finding::ok(format!("{}: certificate", system.name), "trusted"),
        // Where it cannot be reached at all, that is said where it was asked.
        (Some(failure), None) if failure.layer != Layer::Tls => {
            Finding::skipped(format!("{}: certificate", system.name), "not seen: no connection")
        }
        (Some(failure), _) => {
            let what = format!("{}: certificate", system.name);
            Finding::problem(what, format!("{}: {}", system.host, failure.message), mend(failure.kind))
        }
    }
}

fn mend(kind: FailureKind) -> &'static str {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "for whatever else keeps us away, these two are looked at first"
    )]
    match kind {
        FailureKind::CertificateExpired => "it must be renewed by those who run the system",
        FailureKind::CertificateNotYetValid => "check our clock first, then theirs",
        FailureKind::CertificateUntrusted => "if it is of a private authority, add that to `egress.roots`",
        FailureKind::CertificateName => "check the name in the configuration",
        _ => "check the address in the configuration, and the network between",
    }
}

/// The dead man is not asked: one beat would tell it that Curiad is well, and might switch it on.
fn heartbeat(asked: &Arc<Asked>) -> Question {
    let Some(system) = dead_man(asked) else {
        let finding = Finding::warning(
            DEAD_MAN,
            "there is none: nobody hears when Curiad itself stops",
            "give `dead_man.url` an address at a system that calls people when the requests stop",
        );
        let answer = async { Examined { findings: vec![finding], ..Examined::default() } };
        return Question::new(Group::Network, DEAD_MAN, answer);
    };
    untold(asked, Group::Network, system, "no beat was sent, as it would say that we are well")
}

/// A program of a person, of a team or of a desk: whatever it is sent may disturb somebody.
fn unasked(asked: &Arc<Asked>, system: Outside) -> Question {
    untold(asked, Group::Telling, system, "nothing was sent, as it might disturb somebody")
}

/// Whether a system can be reached that is told nothing, and `why` not.
fn untold(asked: &Arc<Asked>, group: Group, system: Outside, why: &'static str) -> Question {
    let asking = Arc::clone(asked);
    Question::new(group, system.name.clone(), async move {
        let reach = asking
            .prober
            .reach((&system.host, system.port), system.proxy(&asking), system.secured, SOON)
            .await;
        let (host, what) = (&system.host, system.name.as_str());
        let finding = match reach.failure {
            None => Finding::ok(what, format!("{host} can be reached; {why}")),
            Some(failure) => {
                Finding::problem(what, format!("{host}: {}", failure.message), mend(failure.kind))
            }
        };
        let mut findings = vec![finding];
        findings.extend(reach.certificate.map(|found| ends(what, found.not_after, asking.clock.now())));
        Examined { findings, ..Examined::default() }
    })
}

/// A hint only: from here the world may look otherwise than from outside.
async fn own_page(asked: &Asked) -> Vec<Finding> {
    let url = &asked.loaded.configuration.site.url;
    let mut addresses = vec![("en", &url.en)];
    if url.cy != url.en {
        addresses.push(("cy", &url.cy));
    }
    let next =
        "links in texts lead there: pass every path of the public listener through, /ack and /hooks too";
    let mut findings = Vec::new();
    for (language, base) in addresses {
        let what = format!("site.url.{language}");
        if asked.recorder == Recorder::Nobody {
            findings
                .push(Finding::skipped(what, format!("{base}: not asked, because no `curiad serve` runs")));
            continue;
        }
        findings.push(match tokio::time::timeout(PATIENCE / 2, own_health(&asked.client, base)).await {
            Ok(Health::Ours(version)) => Finding::ok(what, format!("{base}: curiad {version} answers")),
            Ok(Health::Anothers(said) | Health::Nobody(said)) => {
                Finding::warning(what, format!("{base}, asked from here: {said}"), next)
            }
            Err(_) => Finding::warning(what, format!("{base}, asked from here: no answer in time"), next),
        });
    }
    findings
}
