//! Names to addresses, with a name server on the loopback.

use crate::{
    servers::{Server, nobody, ok},
    setting::{change, check, failed, message, noon, probe, settings},
};
use domain::{Check, DnsRequest, FailureKind::*, Layer, Outcome, PrivateAddresses, RecordType, Request};
use prober::{NameServers, Prober, Settings};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::UdpSocket, task::JoinSet};

/// What the name server does with a question about a name (the root is always answered, unless it is mute).
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Does {
    /// Tells 127.0.0.1.
    Tells,
    /// Tells 127.0.0.2 and then 127.0.0.1.
    TellsTwo,
    /// Tells 169.254.169.254, where a cloud keeps its metadata.
    TellsMetadata,
    /// Answers with this response code and nothing else.
    Code(u8),
    /// Answers for the root only.
    IgnoresTheName,
    /// Answers with this response code whatever is asked, the root too.
    Fails(u8),
    /// Answers with SERVFAIL for every name but those that begin with `good`.
    KnowsGood,
    /// Tells 127.0.0.1 for names that begin with `good`, and answers nothing for others.
    TellsGood,
    /// The same, and answers nothing for the root.
    KnowsGoodAlone,
    /// Tells 127.0.0.1 for names that begin with `good`, and answers nothing else at all.
    TellsGoodAlone,
    /// Answers nothing.
    IsMute,
}

pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    does: Arc<Mutex<Does>>,
    asked: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl NameServer {
    pub(crate) async fn start(does: Does) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let does = Arc::new(Mutex::new(does));
        let now_does = does.clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                count.fetch_add(1, Ordering::SeqCst);
                let does = *now_does.lock().unwrap();
                if let Some(reply) = reply(&buffer[..length], does) {
                    socket.send_to(&reply, from).await.unwrap();
                }
            }
        });
        Self { address, does, asked, _task: task }
    }

    fn becomes(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }

    fn prober(&self) -> Prober {
        self.prober_with(PrivateAddresses::Allowed)
    }

    pub(crate) fn prober_with(&self, private: PrivateAddresses) -> Prober {
        Prober::new(Settings { private_addresses: private, ..self.settings() }).unwrap()
    }

    fn settings(&self) -> Settings {
        let name_servers = NameServers::These(vec![self.address]);
        Settings { name_servers, private_addresses: PrivateAddresses::Allowed, ..settings() }
    }
}

/// A reply by RFC 1035 §4.1.
fn reply(query: &[u8], does: Does) -> Option<Vec<u8>> {
    let mut end = 12;
    while query[end] != 0 {
        end += usize::from(query[end]) + 1;
    }
    let root = end == 12;
    let question = &query[12..end + 5];
    let is_a = question[question.len() - 4..] == [0, 1, 0, 1];
    let (code, answers) = match does {
        Does::IsMute => return None,
        Does::IgnoresTheName if !root => return None,
        Does::KnowsGoodAlone | Does::TellsGoodAlone if root => return None,
        Does::TellsGood | Does::TellsGoodAlone if !root && query.get(13..17) != Some(b"good") => return None,
        Does::Code(code) if !root => (code, 0),
        Does::Fails(code) => (code, 0),
        Does::KnowsGood | Does::KnowsGoodAlone if query.get(13..17) == Some(b"good") => (0, u8::from(is_a)),
        Does::KnowsGood | Does::KnowsGoodAlone => (2, 0),
        Does::Tells | Does::TellsGood | Does::TellsGoodAlone | Does::TellsMetadata if is_a => (0, 1),
        Does::TellsTwo if is_a => (0, 2),
        Does::Tells
        | Does::TellsGood
        | Does::TellsGoodAlone
        | Does::TellsMetadata
        | Does::TellsTwo
        | Does::Code(_)
        | Does::IgnoresTheName => (0, 0),
    };
    let mut reply = vec![query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0];
    reply.extend_from_slice(question);
    for last in (1..=answers).rev() {
        reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4]);
        let metadata = does == Does::TellsMetadata;
        reply.extend_from_slice(&if metadata { [169, 254, 169, 254] } else { [127, 0, 0, last] });
    }
    Some(reply)
}

async fn asked_for(does: Does, check: &Check) -> Outcome {
    let name_server = NameServer::start(does).await;
    name_server.prober().probe(check, noon(), false).await
}

fn named() -> Check {
    Check { timeout: Duration::from_secs(2), ..check("http://api.results.wales:1") }
}

#[tokio::test]
async fn a_name_that_is_found_is_connected_to() {
    let server = Server::says(ok("")).await;
    let check = check(&format!("http://api.results.wales:{}", server.address.port()));
    let outcome = asked_for(Does::Tells, &check).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert!(outcome.phases.dns.is_some());
}

#[tokio::test]
async fn the_second_address_answers_when_the_first_does_not() {
    let server = Server::says(ok("")).await;
    let check = check(&format!("http://api.results.wales:{}", server.address.port()));
    let outcome = asked_for(Does::TellsTwo, &check).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.http.unwrap().remote_ip, Some(server.address.ip()));
    let port = nobody().port();
    let outcome =
        asked_for(Does::TellsTwo, &crate::setting::check(&format!("http://api.results.wales:{port}"))).await;
    assert_eq!(message(&outcome), format!("127.0.0.2:{port} refused; 127.0.0.1:{port} refused"));
}

#[tokio::test]
async fn checks_on_one_host_share_a_lookup() {
    let server = Server::says(ok("")).await;
    let name_server = NameServer::start(Does::Tells).await;
    let prober = name_server.prober();
    let check = check(&format!("http://api.results.wales:{}", server.address.port()));
    assert_eq!(failed(&prober.probe(&check, noon(), false).await), None);
    let asked = name_server.asked.load(Ordering::SeqCst);
    assert_eq!(failed(&prober.probe(&check, noon(), false).await), None);
    assert!(
        name_server.asked.load(Ordering::SeqCst) <= asked + 1,
        "at most for the address family that has none"
    );
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    let outcome = asked_for(Does::Code(3), &named()).await;
    assert_eq!(failed(&outcome), Some((Layer::Dns, NameNotFound)));
    assert_eq!(message(&outcome), "the name 'api.results.wales' does not exist");
    assert!(outcome.phases.dns.is_some() && outcome.phases.connect.is_none());
}

#[tokio::test]
async fn a_name_under_invalid_exists_nowhere_and_nobody_is_asked() {
    // RFC 6761 §6.4.
    let outcome = asked_for(Does::IsMute, &check("http://api.results.invalid:1")).await;
    assert_eq!(failed(&outcome), Some((Layer::Dns, NameNotFound)), "{}", message(&outcome));
}

#[tokio::test]
async fn a_name_without_an_address() {
    let outcome = asked_for(Does::Code(0), &named()).await;
    assert_eq!(failed(&outcome), Some((Layer::Dns, NameNotFound)));
    assert_eq!(message(&outcome), "the name 'api.results.wales' exists but has no address");
}

#[tokio::test]
async fn a_name_that_the_resolver_cannot_tell() {
    for code in [2, 5] {
        let outcome = asked_for(Does::Code(code), &named()).await;
        assert_eq!(failed(&outcome), Some((Layer::Dns, NameFailed)), "code {code}: {}", message(&outcome));
    }
}

#[tokio::test]
async fn a_name_that_gets_no_answer_from_a_resolver_that_lives() {
    let outcome = asked_for(Does::IgnoresTheName, &named()).await;
    assert_eq!(failed(&outcome), Some((Layer::Dns, NameFailed)), "{}", message(&outcome));
}

#[tokio::test]
async fn a_resolver_that_fails_for_every_name_is_our_own_trouble() {
    for code in [2, 5] {
        let outcome = asked_for(Does::Fails(code), &named()).await;
        assert_eq!(failed(&outcome), Some((Layer::Ours, NoResolver)), "code {code}: {}", message(&outcome));
        assert!(message(&outcome).contains("for the root too"), "{}", message(&outcome));
    }
}

#[tokio::test]
async fn a_resolver_that_told_another_name_just_now_fails_for_this_one_alone() {
    let server = Server::says(ok("")).await;
    let name_server = NameServer::start(Does::KnowsGood).await;
    let prober = name_server.prober();
    assert_eq!(
        failed(&prober.probe(&named(), noon(), false).await),
        Some((Layer::Ours, NoResolver)),
        "nothing shows that it can tell any"
    );
    let good = check(&format!("http://good.results.wales:{}", server.address.port()));
    assert_eq!(failed(&prober.probe(&good, noon(), false).await), None);
    assert_eq!(failed(&prober.probe(&named(), noon(), false).await), Some((Layer::Dns, NameFailed)));
}

#[tokio::test]
async fn a_resolver_that_loses_what_is_behind_it_is_ours_at_once() {
    let server = Server::says(ok("")).await;
    let name_server = NameServer::start(Does::Tells).await;
    let prober = name_server.prober();
    let good = check(&format!("http://good.results.wales:{}", server.address.port()));
    assert_eq!(failed(&prober.probe(&good, noon(), false).await), None);
    // What it told just now is remembered, and says nothing of what it can tell now.
    name_server.becomes(Does::Fails(2));
    let outcome = prober.probe(&named(), noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, NoResolver)), "{}", message(&outcome));
    assert!(message(&outcome).contains("'good.results.wales' and for the root too"), "{}", message(&outcome));
    name_server.becomes(Does::IsMute);
    let outcome = prober.probe(&named(), noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, NoResolver)), "{}", message(&outcome));
}

#[tokio::test]
async fn a_resolver_that_says_nothing_of_the_root_but_tells_names_is_not_dead() {
    let server = Server::says(ok("")).await;
    let name_server = NameServer::start(Does::KnowsGoodAlone).await;
    let prober = name_server.prober();
    let good = check(&format!("http://good.results.wales:{}", server.address.port()));
    assert_eq!(failed(&prober.probe(&good, noon(), false).await), None);
    let outcome = prober.probe(&named(), noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Dns, NameFailed)), "{}", message(&outcome));
    // The other name is one of those that are answered, the root is not, and neither is this one.
    name_server.becomes(Does::TellsGoodAlone);
    let outcome = prober.probe(&named(), noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Dns, NameFailed)), "{}", message(&outcome));
}

#[tokio::test]
async fn what_one_check_was_told_shows_a_dns_operation_that_the_resolver_lives_and_so_the_other_way() {
    let server = Server::says(ok("")).await;
    let asks = |host: &str| {
        let mut check = check(&format!("http://{host}:{}", server.address.port()));
        let (name, record) = (None, RecordType::A);
        change(&mut check).request =
            Request::Dns(DnsRequest { name, record, answers: Vec::new(), resolver: None });
        check
    };
    let connects = |host: &str| check(&format!("http://{host}:{}", server.address.port()));
    let (good, bad) = ("good.results.wales", "api.results.wales");
    for (tells, then) in [(connects(good), asks(bad)), (asks(good), connects(bad)), (asks(good), asks(bad))] {
        let name_server = NameServer::start(Does::KnowsGoodAlone).await;
        let prober = name_server.prober();
        // Made ready before, as all checks are.
        let prepared = prober.prepare(Arc::new(then.clone()));
        let outcome = prober.probe_prepared(&prepared, noon(), false).await;
        assert_eq!(failed(&outcome), Some((Layer::Ours, NoResolver)), "nothing shows that it lives");
        assert_eq!(failed(&prober.probe(&tells, noon(), false).await), None);
        let outcome = prober.probe_prepared(&prepared, noon(), false).await;
        assert_eq!(failed(&outcome), Some((Layer::Dns, NameFailed)), "{}", message(&outcome));
        // Who takes its place knows it too.
        let again = prober.again(name_server.settings()).unwrap();
        let outcome = again.probe(&then, noon(), false).await;
        assert_eq!(failed(&outcome), Some((Layer::Dns, NameFailed)), "{}", message(&outcome));
    }
}

#[tokio::test]
async fn a_name_in_the_hosts_file_needs_nobody() {
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let names = hosts.lines().filter_map(|line| line.split('#').next()?.split_once(char::is_whitespace));
    let names = names.flat_map(|(_, names)| names.split_whitespace());
    for name in names.filter(|name| !name.eq_ignore_ascii_case("localhost")) {
        let mut check = check(&format!("http://{name}:1"));
        check.timeout = Duration::from_secs(2);
        let outcome = probe(&check).await;
        let seen = failed(&outcome);
        assert!(
            !matches!(seen, Some((Layer::Dns, _) | (Layer::Ours, NoResolver))),
            "{name}: {}",
            message(&outcome)
        );
    }
}

#[tokio::test]
async fn a_resolver_that_refuses_or_answers_nothing_at_all_is_our_own_trouble() {
    let mut refused = settings();
    refused.name_servers = NameServers::These(vec![nobody()]);
    let outcome = Prober::new(refused).unwrap().probe(&named(), noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, NoResolver)), "{}", message(&outcome));
}

#[tokio::test]
async fn a_resolver_that_answers_nothing_is_our_own_trouble() {
    let outcome = asked_for(Does::IsMute, &named()).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, NoResolver)), "{}", message(&outcome));
    assert!(outcome.total < Duration::from_secs(3), "{:?}", outcome.total);
}

#[tokio::test]
async fn no_resolver_at_all_is_our_own_trouble() {
    let outcome = probe(&named()).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, NoResolver)), "{}", message(&outcome));
}

#[tokio::test]
async fn localhost_needs_nobody() {
    let server = Server::says(ok("")).await;
    let port = server.address.port();
    for host in ["localhost", "LOCALHOST", "localhost.", "results.localhost"] {
        let outcome = probe(&check(&format!("http://{host}:{port}"))).await;
        assert_eq!(failed(&outcome), None, "{host}: {}", message(&outcome));
    }
}

#[tokio::test]
async fn a_private_address_is_dialled_only_where_that_is_meant() {
    use PrivateAddresses::{Allowed, AsWritten, Refused as Never};
    let server = Server::says(ok("")).await;
    let name_server = NameServer::start(Does::Tells).await;
    let port = server.address.port();
    let refused = Some((Layer::Ours, AddressRefused));
    for (url, private, expected) in [
        (format!("http://127.0.0.1:{port}"), AsWritten, None),
        (format!("http://localhost:{port}"), AsWritten, None),
        (format!("http://rebinds.example:{port}"), AsWritten, refused),
        (format!("http://rebinds.example:{port}"), Allowed, None),
        (format!("http://127.0.0.1:{port}"), Never, refused),
        (format!("http://localhost:{port}"), Never, refused),
    ] {
        let outcome = name_server.prober_with(private).probe(&check(&url), noon(), false).await;
        assert_eq!(failed(&outcome), expected, "{url} {private:?}: {}", message(&outcome));
        if expected.is_some() {
            assert!(message(&outcome).contains("is not dialled: it is an address of this host"));
            assert!(
                message(&outcome).contains("'private_addresses' of the vantage"),
                "{}",
                message(&outcome)
            );
        }
    }
    assert_eq!(server.accepted(), 3, "nothing was sent to what is refused");
}
