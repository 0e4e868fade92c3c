//! Our own network gone, as the system has it: `serve` runs in a network namespace whose only way out is a link that is taken
//! down. The names of these tests hold `namespace`: `tests/run quick` leaves them out, since iproute2 must be installed; and
//! only root may make a link.

use crate::{
    database::{On, by_socket, on_both},
    outage::{all_well, incidents, place_on_with, text_to},
    program::{Place, Program, json, text, world_with},
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;
use simulator::{Side, World};
use std::{
    fs::{self, File},
    net::{IpAddr, Ipv4Addr},
    os::fd::AsFd as _,
    path::PathBuf,
    process::{Command, Output},
    thread,
    time::Duration,
};
use tokio::{net::UdpSocket, runtime::Runtime, task::JoinHandle};

/// Blind to production for three minutes is an incident; and some more on a busy machine.
const BLIND: Duration = Duration::from_secs(240);
const NAME: &str = "apis.wales.test";

fn ip(words: &str) -> Output {
    let said = Command::new("ip").args(words.split(' ')).output();
    said.expect("`ip` runs: it is in Debian's package iproute2, and only root may make links")
}

pub(crate) fn must(words: &str) {
    let said = ip(words);
    assert!(said.status.success(), "ip {words}: {}; only root may", String::from_utf8_lossy(&said.stderr));
}

/// From now on what this thread opens, and whatever it starts, is in the namespace of this name.
pub(crate) fn enter(name: &str) {
    let place = File::open(PathBuf::from("/run/netns").join(name)).expect("the namespace");
    move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network)).expect("root may");
}

/// A namespace, a link into it, and the name server that programs in it ask.
struct Namespace {
    name: String,
    /// Of the link, outside.
    address: Ipv4Addr,
}

impl Namespace {
    /// The two stories of a process run at once: each has names and a net of its own.
    fn new(on: On) -> Self {
        let (letter, host) = match on {
            On::Sqlite => ('s', 0),
            On::Postgres => ('p', 4),
        };
        let number = std::process::id();
        let [.., third, fourth] = number.to_be_bytes();
        let number = format!("{letter}{number}");
        let name = format!("curiad-{number}");
        let net = format!("10.{}.{third}", 200 + fourth % 50);
        let (ours, theirs) = (format!("{net}.{}", host + 1), format!("{net}.{}", host + 2));
        let made = Self { address: ours.parse().expect("an address"), name: name.clone() };
        must(&format!("netns add {name}"));
        must(&format!("link add cu{number} type veth peer name inside netns {name}"));
        must(&format!("addr add {ours}/30 dev cu{number}"));
        must(&format!("link set cu{number} up"));
        must(&format!("-n {name} addr add {theirs}/30 dev inside"));
        must(&format!("-n {name} link set inside up"));
        must(&format!("-n {name} link set lo up"));
        // Where there is such a file, `ip netns exec` lays it over /etc/resolv.conf.
        fs::create_dir_all(made.settings()).expect("a directory");
        fs::write(
            made.settings().join("resolv.conf"),
            format!("nameserver {ours}\noptions timeout:1 attempts:1\n"),
        )
        .expect("a file");
        made
    }

    fn settings(&self) -> PathBuf {
        PathBuf::from("/etc/netns").join(&self.name)
    }

    fn link(&self, state: &str) {
        must(&format!("-n {} link set inside {state}", self.name));
    }

    fn serve(&self, place: &Place) -> Program {
        let mut serve = Command::new("ip");
        serve.args(["netns", "exec", &self.name, crate::program::CURIAD, "--config"]).arg(place.config());
        serve.arg("serve").arg("--listen").arg(format!("127.0.0.1:{}", place.public));
        serve.arg("--listen-internal").arg(format!("127.0.0.1:{}", place.internal));
        place.start(serve)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Its end of the link goes with it, and so does the other.
        ip(&format!("netns del {}", self.name));
        let _gone = fs::remove_dir_all(self.settings());
    }
}

/// Answers every question for an address with this one, to be forgotten at once (RFC 1035 §4.1).
async fn name_server(address: Ipv4Addr) {
    let socket = UdpSocket::bind((address, 53)).await.expect("port 53");
    let mut buffer = [0; 1_500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let query = &buffer[..length];
        let mut end = 12;
        while query[end] != 0 {
            end += usize::from(query[end]) + 1;
        }
        let question = &query[12..end + 5];
        let asks_address = end > 12 && question.ends_with(&[0, 1, 0, 1]);
        let mut reply =
            [&query[..2], &[0x81, 0x80, 0, 1, 0, u8::from(asks_address), 0, 0, 0, 0], question].concat();
        if asks_address {
            reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
            reply.extend(address.octets());
        }
        socket.send_to(&reply, from).await.ok();
    }
}

/// The demo's configuration, with the APIs and the guards beyond the link; who is told is on this side of it.
fn place(on: On, far: &World, near: &World) -> Place {
    place_on_with(on, near, |mut text| {
        if on == On::Postgres {
            text = text.replace("{{database}}", &by_socket("{{database}}"));
        }
        for (far, near) in far.instances().into_iter().zip(near.instances()) {
            let host = |url: &str| url.split('/').nth(2).expect("a host").to_owned();
            let port = host(&far.url).rsplit_once(':').expect("a port").1.to_owned();
            text = text.replace(&format!("//{}/", host(&near.url)), &format!("//{NAME}:{port}/"));
            text = text.replace(&format!("tcp://{}", host(&near.url)), &format!("tcp://{NAME}:{port}"));
        }
        for side in [Side::Outside, Side::Inside] {
            let (far, near) = (far.network().address(side), near.network().address(side));
            text = text.replace(&format!("tcp://{near}"), &format!("tcp://{far}"));
        }
        // The name leads into a private network, as it does for a vantage within the NHS's.
        text = text.replace("internet: { guards:", "internet: { private_addresses: allowed, guards:");
        // No credential crosses a network unprotected: these APIs ask for none.
        let without = |line: &str| {
            line.split_once(", auth: {").map_or(line.to_owned(), |(open, _)| format!("{open} }}"))
        };
        text.lines()
            .map(|line| {
                if line.contains("token_url") && line.contains(NAME) {
                    without(line)
                } else {
                    line.to_owned()
                }
            })
            .collect::<Vec<_>>()
            .join("\n")
    })
}

fn known(metrics: &str) -> usize {
    let known =
        |line: &&str| line.starts_with("probe_success{") && line.contains("environment=\"production\"");
    metrics.lines().filter(known).count()
}

on_both!(a_network_that_goes_in_its_namespace_is_one_incident_that_says_so_and_blames_no_api);

async fn a_network_that_goes_in_its_namespace_is_one_incident_that_says_so_and_blames_no_api(on: On) {
    // A thread that has entered a namespace is no good for other stories: this one has its own.
    tokio::task::spawn_blocking(move || in_a_namespace(on)).await.expect("it holds");
}

fn in_a_namespace(on: On) {
    let (namespace, outside) = (Namespace::new(on), Runtime::new().expect("a runtime"));
    let address = namespace.address;
    let far = outside.block_on(world_with(|options| {
        options.host = IpAddr::V4(address);
        options.estate.apis.iter_mut().for_each(|api| api.needs_token = false);
    }));
    let names = outside.spawn(name_server(address));
    let again = || outside.spawn(name_server(address));
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            enter(&namespace.name);
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(story(on, &namespace, &far, names, again));
        });
        inside.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked));
    });
    outside.block_on(far.stop());
}

async fn story(
    on: On,
    namespace: &Namespace,
    far: &World,
    names: JoinHandle<()>,
    again: impl Fn() -> JoinHandle<()>,
) {
    let near = crate::program::world().await;
    let place = place(on, far, &near);
    let mut program = namespace.serve(&place);
    all_well(&mut program).await;
    assert!(far.instances().iter().all(|one| one.requests > 0), "by way of the link");
    assert!(near.instances().iter().all(|one| one.requests == 0), "and no other");

    // First the resolver goes. The guards, which have addresses, still answer.
    names.abort();
    assert!(names.await.expect_err("it ends").is_cancelled());
    let metrics = program.internal("/metrics");
    program.wait(|| async { known(&text(&metrics).await) == 0 }, "every probe to be inconclusive").await;
    let all = incidents(&program).await;
    assert!(all.is_empty(), "no name server is no API's trouble: {all:?}");

    // Then the link.
    namespace.link("down");
    let log = || fs::read_to_string(place.log()).expect("a log");
    program
        .wait(|| async { log().contains("our own network is gone: no guard answers") }, "the log to say so")
        .await;
    let all = incidents(&program).await;
    assert!(all.is_empty(), "it takes three minutes: {all:?}");
    let url = program.internal("/api/v1/incidents");
    program
        .wait_within(
            BLIND,
            || async { json(&url).await.as_array().is_some_and(|all| !all.is_empty()) },
            "an incident",
        )
        .await;
    let call = text_to(&near, 0).await;
    assert!(call.body.contains("P1"), "{call:?}");
    let blind = sole(&program).await;
    assert!(blind["cause_key"].as_str().is_some_and(|cause| cause.starts_with("vantage:")), "{blind}");
    assert_eq!((&blind["priority"], &blind["layer"]), (&"P1".into(), &"ours".into()), "{blind}");
    let words = blind["diagnosis"]["en"].as_str().unwrap_or_default();
    assert!(words.contains("We cannot see production") && words.contains("most likely us"), "{words}");
    let affects = blind["affects"].as_array().map_or(0, Vec::len);
    assert_eq!(affects, 8, "all of production: {blind}");
    let status = json(&program.internal("/api/v1/status")).await;
    for one in status["instances"].as_array().expect("instances") {
        assert_eq!(one["status"], "unknown", "never invented: {one}");
    }

    // Both are back: it is over, and nothing else ever was.
    namespace.link("up");
    let names = again();
    all_well(&mut program).await;
    program.wait(|| async { json(&url).await[0]["status"] == "resolved" }, "it to be over").await;
    sole(&program).await;
    assert_eq!(near.desk().tickets().len(), 1, "one ticket");
    assert!(program.terminate().await.success());
    names.abort();
    near.stop().await;
}

/// The one incident there is and was.
async fn sole(program: &Program) -> Value {
    let all = incidents(program).await;
    let [one] = all.as_slice() else { panic!("one incident: {all:?}") };
    one.clone()
}
