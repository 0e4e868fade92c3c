//! Names to addresses.

use crate::{NameServers, connect};
use domain::{Failure, FailureKind, Layer};
use hickory_resolver::{
    TokioResolver,
    config::{
        ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
        ServerOrderingStrategy,
    },
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RecordType},
    },
};
use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// An answer is used again for at most this long, whatever its time to live: checks on one host share a lookup, and
/// a change of name is seen at once.
const REMEMBERED: Duration = Duration::from_secs(10);

/// One query waits this long before it is sent again.
const QUERY: Duration = Duration::from_millis(1_500);

/// How long the resolver may take to answer at all, once it has not answered for a name.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// Names that are remembered as told: one, and another than that.
const TOLD: usize = 2;

/// Records that are looked at; a name may have many more.
const RECORDS: usize = 64;

/// The name of the root.
const ROOT: &str = ".";

/// Turns names into addresses.
pub(crate) struct Resolve {
    resolver: Result<Resolvers, String>,
    /// Why there is nobody to ask, if so; the hosts file needs nobody.
    nobody: Option<String>,
    servers: NameServers,
    /// The names that were told last, the last first; shared with others who ask these servers.
    told: Arc<Mutex<VecDeque<String>>>,
}

/// Who is asked for addresses, and who is asked whether anybody can be: neither what was told before nor the hosts file says
/// that.
struct Resolvers {
    remembers: TokioResolver,
    afresh: TokioResolver,
}

impl Resolve {
    pub(crate) fn new(servers: &NameServers) -> Self {
        let (remembers, nobody) = resolver(servers, |options| {
            options.positive_max_ttl = Some(REMEMBERED);
            options.negative_min_ttl = None;
            options.negative_max_ttl = Some(Duration::ZERO);
        });
        let (afresh, _) = resolver(servers, only_asks);
        let resolver = remembers.and_then(|remembers| Ok(Resolvers { remembers, afresh: afresh? }));
        Self { resolver, nobody, servers: servers.clone(), told: Arc::default() }
    }

    /// One that asks each time, and only asks: neither what was told before nor the hosts file says anything.
    pub(crate) fn only_asking(servers: &NameServers) -> Self {
        let (afresh, nobody) = resolver(servers, only_asks);
        let resolver = afresh.map(|afresh| Resolvers { remembers: afresh.clone(), afresh });
        Self { resolver, nobody, servers: servers.clone(), told: Arc::default() }
    }

    /// The same of its own servers. What either was told shows the other that they can tell names.
    pub(crate) fn afresh(&self) -> Self {
        Self { told: Arc::clone(&self.told), ..Self::only_asking(&self.servers) }
    }

    /// In the place of another, or beside it: what that one was told shows that its servers can tell names, if they are the same.
    pub(crate) fn after(self, other: &Self) -> Self {
        if self.servers == other.servers { Self { told: Arc::clone(&other.told), ..self } } else { self }
    }

    pub(crate) const fn servers(&self) -> &NameServers {
        &self.servers
    }

    fn told(&self, name: &str) {
        let told = &mut self.names();
        if told.front().is_some_and(|last| last == name) {
            return;
        }
        told.retain(|one| one != name);
        told.push_front(name.to_owned());
        told.truncate(TOLD);
    }

    /// The name that was told last beside this one.
    fn another(&self, name: &str) -> Option<String> {
        self.names().iter().find(|one| *one != name).cloned()
    }

    fn names(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses of `name`, in the order to try them; by `limit`. What is left to the `deadline` may go into
    /// finding out whose trouble it is when there is no answer.
    pub(crate) async fn addresses(
        &self,
        name: &str,
        limit: Instant,
        deadline: Instant,
    ) -> Result<Vec<IpAddr>, Failure> {
        if is_localhost(name) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let resolver = self.resolver.as_ref().map_err(|why| no_resolver(why))?;
        let error = match timeout_at(limit, resolver.remembers.lookup_ip(name)).await {
            Ok(Ok(found)) => {
                let addresses: Vec<IpAddr> = found.iter().collect();
                self.told(name);
                return if addresses.is_empty() {
                    Err(not_found(name, "has no address"))
                } else {
                    Ok(addresses)
                };
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        Err(self.whose(name, error, resolver, deadline).await)
    }

    /// The records of one type that `name`, written `word`, has; none is an answer too. By `limit` and `deadline` as
    /// [`Resolve::addresses`].
    pub(crate) async fn records(
        &self,
        name: &Name,
        word: &str,
        record: RecordType,
        (limit, deadline): (Instant, Instant),
    ) -> Result<Vec<String>, Failure> {
        let resolver = self.resolver.as_ref().map_err(|why| no_resolver(why))?;
        let error = match timeout_at(limit, look_up(&resolver.remembers, name, record)).await {
            Ok(Ok(found)) => {
                self.told(word);
                return Ok(found);
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        Err(self.whose(word, error, resolver, deadline).await)
    }

    /// The same of a resolver that was named: whatever goes wrong is its own trouble, or ours.
    pub(crate) async fn records_of_it(
        &self,
        (name, word): (&Name, &str),
        record: RecordType,
        limit: Instant,
    ) -> Result<Vec<String>, Failure> {
        let resolver = self.resolver.as_ref().map_err(|why| no_resolver(why))?;
        match timeout_at(limit, look_up(&resolver.remembers, name, record)).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(NetError::Dns(error))) => Err(answered(word, &error)),
            Ok(Err(error)) => Err(out_of(&error).unwrap_or_else(|| name_failed(word, &error.to_string()))),
            Err(_) => Err(name_failed(word, "no answer in time")),
        }
    }

    /// Whose trouble it is that nothing is told of `name`. `None`: there was no answer in time.
    async fn whose(
        &self,
        name: &str,
        error: Option<NetError>,
        resolver: &Resolvers,
        deadline: Instant,
    ) -> Failure {
        let another = self.another(name);
        let others = another.as_ref().map(|another| format!(", for '{another}'")).unwrap_or_default();
        let asked = (&resolver.afresh, another.as_deref(), deadline);
        let why = match error {
            Some(NetError::Dns(error)) => {
                let failure = answered(name, &error);
                // It fails for this name, or for every name: then it is the resolver that fails.
                return if failure.kind == FailureKind::NameFailed && !any_is(asked, tells).await {
                    no_resolver(&format!("it fails for '{name}'{others} and for the root too: {error}"))
                } else {
                    failure
                };
            }
            Some(error) => match out_of(&error) {
                Some(failure) => return failure,
                None => error.to_string(),
            },
            None => "no answer in time".to_owned(),
        };
        if let Some(nobody) = &self.nobody {
            return no_resolver(nobody);
        }
        if any_is(asked, answers).await {
            name_failed(name, &why)
        } else {
            no_resolver(&format!("none answers, neither for '{name}'{others} nor for the root"))
        }
    }
}

/// One who asks these servers; and why there is nobody to ask, if so.
fn resolver(
    servers: &NameServers,
    change: impl FnOnce(&mut ResolverOpts),
) -> (Result<TokioResolver, String>, Option<String>) {
    let given = |addresses: &[SocketAddr]| {
        let servers = addresses.iter().map(name_server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let (mut builder, nobody) = match servers {
        NameServers::These(addresses) => (given(addresses), None),
        NameServers::System => match TokioResolver::builder_tokio() {
            Ok(builder) => (builder, None),
            Err(error) => (given(&[]), Some(format!("/etc/resolv.conf cannot be used: {error}"))),
        },
    };
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = options.timeout.min(QUERY);
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    change(options);
    (builder.build().map_err(|error| error.to_string()), nobody)
}

/// The records of exactly this type; a name without any has none.
async fn look_up(resolver: &TokioResolver, name: &Name, record: RecordType) -> Result<Vec<String>, NetError> {
    match resolver.lookup(name.clone(), record).await {
        Ok(found) => {
            let of_it = found.answers().iter().filter(|answer| answer.record_type() == record);
            Ok(of_it.take(RECORDS).map(|answer| answer.data.to_string()).collect())
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) if none.response_code == ResponseCode::NoError => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}

/// RFC 6761 §6.3: `localhost` and all below it are this host, and nobody is asked.
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let name = name.rsplit('.').next().unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
}

/// The resolver answered, with an error.
fn answered(name: &str, error: &DnsError) -> Failure {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what else it answers, also what is new, is told in its words"
    )]
    match error {
        DnsError::NoRecordsFound(none) if none.response_code == ResponseCode::NXDomain => {
            not_found(name, "does not exist")
        }
        DnsError::NoRecordsFound(none) if none.response_code == ResponseCode::NoError => {
            not_found(name, "exists but has no address")
        }
        DnsError::NoRecordsFound(none) => name_failed(name, &none.response_code.to_string()),
        DnsError::ResponseCode(code) => name_failed(name, &code.to_string()),
        other => name_failed(name, &other.to_string()),
    }
}

/// What became of a question; `None`: no answer in time.
type Asked = Option<Result<(), NetError>>;

/// Whether the resolver answers at all.
fn answers(asked: &Asked) -> bool {
    matches!(asked, Some(Ok(()) | Err(NetError::Dns(_))))
}

/// Whether the resolver, which answers, can tell anything: also that there is nothing.
fn tells(asked: &Asked) -> bool {
    match asked {
        Some(Ok(())) => true,
        Some(Err(NetError::Dns(DnsError::NoRecordsFound(none)))) => {
            matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        }
        _ => false,
    }
}

/// Whether what becomes of one of two other questions is so: that tells whose trouble it is that there is nothing of a name.
/// One is for the root's name servers, which every resolver knows, though not every one is allowed to say; the other is for
/// `another` name, which it told before.
async fn any_is(
    (resolver, another, deadline): (&TokioResolver, Option<&str>, Instant),
    is_so: fn(&Asked) -> bool,
) -> bool {
    let limit = deadline.min(Instant::now() + SIGN_OF_LIFE);
    let root = timeout_at(limit, resolver.lookup(ROOT, RecordType::NS));
    let another = async {
        let asked = timeout_at(limit, resolver.lookup(another?, RecordType::A)).await;
        Some(asked.ok()?.map(drop))
    };
    let (mut root, mut another) = (pin!(async { Some(root.await.ok()?.map(drop)) }), pin!(another));
    tokio::select! {
        asked = &mut root => is_so(&asked) || is_so(&another.await),
        asked = &mut another => is_so(&asked) || is_so(&root.await),
    }
}

/// Only asks.
fn only_asks(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
}

/// What this host has too little of to ask at all, if that is why.
fn out_of(error: &NetError) -> Option<Failure> {
    let NetError::Io(error) = error else { return None };
    let (kind, why) = connect::out_of(error)?;
    Some(Failure { layer: Layer::Ours, kind, message: format!("cannot ask a resolver: {why}") })
}

fn not_found(name: &str, why: &str) -> Failure {
    Failure {
        layer: Layer::Dns,
        kind: FailureKind::NameNotFound,
        message: format!("the name '{name}' {why}"),
    }
}

fn name_failed(name: &str, why: &str) -> Failure {
    Failure {
        layer: Layer::Dns,
        kind: FailureKind::NameFailed,
        message: format!("the resolver cannot tell of '{name}': {why}"),
    }
}

fn no_resolver(why: &str) -> Failure {
    Failure { layer: Layer::Ours, kind: FailureKind::NoResolver, message: format!("no resolver: {why}") }
}
