//! A router that has no way on, or a firewall that forbids it, as the system tells of them: in two network namespaces, of which
//! one is the other's only way out.

use crate::namespace::{enter, must};
use domain::{
    Access, Clock, Credential, Egress, FailureKind, Guards, Layer, OAuth2, PrivateAddresses, Proof, Secret,
    SecretBy, VantageId,
};
use prober::{Identity, Limits, NameServers, Prober, Settings};
use std::{process::Command, sync::Arc, thread, time::Duration};

/// Both end with it.
struct Pair {
    ours: String,
    router: String,
}

impl Pair {
    fn new() -> Self {
        let number = std::process::id();
        let made = Self { ours: format!("curiad-o{number}"), router: format!("curiad-r{number}") };
        let Self { ours, router } = &made;
        must(&format!("netns add {ours}"));
        must(&format!("netns add {router}"));
        must(&format!("link add out netns {ours} type veth peer name in netns {router}"));
        for (name, link, last) in [(ours, "out", 1), (router, "in", 2)] {
            must(&format!("-n {name} addr add 10.77.0.{last}/24 dev {link}"));
            must(&format!("-n {name} addr add fd77::{last}/64 dev {link} nodad"));
            must(&format!("-n {name} link set {link} up"));
        }
        let forwards =
            "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";
        let made_to = Command::new("ip").args(["netns", "exec", router, "sh", "-c", forwards]).status();
        assert!(made_to.expect("`sh` runs").success());
        must(&format!("-n {router} route add prohibit 2a00:f::/32"));
        must(&format!("-n {ours} route add default via 10.77.0.2"));
        must(&format!("-n {ours} route add default via fd77::2"));
        made
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in [&self.ours, &self.router] {
            let _gone = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

/// Of a client whose tokens come from there.
fn credential(host: &str) -> Credential {
    let client = OAuth2 {
        token_url: format!("http://{host}/token"),
        client_id: "curiad".to_owned(),
        proof: Proof::Secret { value: Secret::new("s3cret"), by: SecretBy::Form },
        scope: None,
        audience: None,
    };
    Credential { access: Some(Access::Token(Arc::new(client))), certificate: None }
}

fn prober() -> Prober {
    let settings = Settings {
        vantage: VantageId::parse("internet").expect("an id"),
        guards: Guards::default(),
        private_addresses: PrivateAddresses::Allowed,
        egress: Egress::default(),
        roots: Vec::new(),
        clock: Clock::new(|| jiff::Timestamp::UNIX_EPOCH),
        limits: Limits::default(),
        identity: Identity { request_id_key: [7; 32], user_agent: "Curiad".to_owned() },
        transcripts: false,
        name_servers: NameServers::These(Vec::new()),
    };
    Prober::new(settings).expect("a prober")
}

#[test]
fn what_a_router_in_another_namespace_refuses_is_beyond_us_and_what_our_own_routes_lack_is_ours() {
    let pair = Pair::new();
    let inside = || {
        enter(&pair.ours);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let prober = prober();
        let reach = |host: &str| {
            let reach = runtime.block_on(prober.reach((host, 443), None, false, Duration::from_secs(5)));
            let failure = reach.failure.expect("nobody is there");
            (failure.layer, failure.kind, failure.message)
        };
        let beyond = |host: &str, why: &str| {
            let said = reach(host);
            assert_eq!((said.0, said.1), (Layer::Connect, FailureKind::Unreachable), "{}", said.2);
            assert!(said.2.ends_with(why), "{}", said.2);
        };
        let token = |host: &str| {
            let signed_in = runtime.block_on(prober.sign_in(&credential(host)));
            let failure = signed_in.expect_err("nobody is there");
            (failure.layer, failure.kind, failure.message)
        };
        let token_beyond = |host: &str| {
            let said = token(host);
            assert_eq!((said.0, said.1), (Layer::Token, FailureKind::TokenUnreachable), "{}", said.2);
        };
        beyond("11.0.0.7", "unreachable: a router on the way has no route");
        beyond("2a00:e::7", "unreachable: a router on the way has no route");
        beyond("2a00:f::7", "unreachable: a firewall on the way forbids it");
        token_beyond("11.0.0.7");
        token_beyond("[2a00:f::7]");
        must(&format!("-n {} route del default", pair.ours));
        let said = reach("11.0.0.7");
        assert_eq!((said.0, said.1), (Layer::Ours, FailureKind::NoNetwork), "{}", said.2);
        assert!(said.2.ends_with("no route from here"), "{}", said.2);
        let said = token("11.0.0.8");
        assert_eq!((said.0, said.1), (Layer::Ours, FailureKind::NoNetwork), "{}", said.2);
        assert!(said.2.ends_with("no route from here"), "{}", said.2);
    };
    // A thread that has entered a namespace is no good for other stories: this one has its own.
    thread::scope(|scope| scope.spawn(inside).join())
        .unwrap_or_else(|panicked| std::panic::resume_unwind(panicked));
}
