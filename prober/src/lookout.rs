//! Whether our own network is there: the vantage's guards are looked at, now and then and whenever a probe gets no answer.
//!
//! A guard is connected to, and greeted where it speaks TLS. One that answers speaks for its whole side.

use crate::{
    connect::{self, Dial},
    proxy,
    resolve::Resolve,
    tls::{self, Speaks, Tls},
};
use domain::{CheckId, Egress, Failure, FailureKind, Guard, Guards, Layer, Outcome, PrivateAddresses, Sight};
use rustls::pki_types::ServerName;
use std::{
    collections::HashSet,
    fmt::Write,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

/// The guards are looked at this often when nothing fails.
pub(crate) const REGULARLY: Duration = Duration::from_secs(10);

/// One look takes at most so long.
const LOOK: Duration = Duration::from_secs(2);

/// A look that ended so shortly before a probe failed still speaks: many that fail at once do not burden the guards.
const STILL_SPEAKS: Duration = Duration::from_secs(1);

/// What guards are reached by: the same as probes.
#[derive(Clone, Copy)]
pub(crate) struct Ways<'a> {
    pub(crate) resolve: &'a Resolve,
    pub(crate) tls: &'a Tls,
    pub(crate) egress: &'a Egress,
}

/// Looks at the guards of one vantage.
pub(crate) struct Lookout {
    guards: Guards,
    seen: Mutex<Seen>,
    /// Held while somebody looks: whoever waits for it finds what was seen.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Seen {
    last: Option<Look>,
    /// The last look that found a side gone.
    gone: Option<Look>,
    /// When a probe last had a connection to somewhere else than this host.
    connected: Option<Instant>,
    /// Checks that had a connection since one side's guards fell silent, while they are.
    reached: HashSet<CheckId>,
}

/// One look at the guards.
#[derive(Debug, Clone, Copy)]
struct Look {
    began: Instant,
    ended: Instant,
    sight: Sight,
}

impl Lookout {
    pub(crate) fn new(guards: Guards) -> Self {
        Self { guards, seen: Mutex::default(), looking: tokio::sync::Mutex::default() }
    }

    /// A probe of a check has a connection.
    pub(crate) fn connected(&self, ip: IpAddr, check: &CheckId) {
        let mut seen = locked(&self.seen);
        if !ip.is_loopback() {
            seen.connected = Some(Instant::now());
        }
        if seen.last.is_some_and(|last| is_one_side(last.sight)) && !seen.reached.contains(check) {
            seen.reached.insert(check.clone());
        }
    }

    /// Looks at the guards regularly, for ever.
    pub(crate) async fn watch(&self, by: Ways<'_>) {
        loop {
            tokio::time::sleep(REGULARLY).await;
            if !self.guards.is_empty() {
                self.look(Instant::now(), by).await;
            }
        }
    }

    /// Says of an outcome that got no answer, of a probe that `began`, what the guards show; and where they show that our
    /// own network is gone, that the trouble is ours. An answer that came is never doubted.
    pub(crate) async fn judge(&self, outcome: &mut Outcome, began: Instant, by: Ways<'_>) {
        let Some(failure) = outcome.failure.as_ref().filter(|failure| is_silence(failure)) else { return };
        if self.guards.is_empty() || outcome.http.is_some() {
            return;
        }
        self.look(Instant::now(), by).await;
        let sight = {
            let seen = locked(&self.seen);
            let sight = seen.sight(began);
            // It was reached while that side's guards were silent already: it is they that are gone, and nobody speaks for
            // it now.
            if is_one_side(sight) && seen.reached.contains(&outcome.check) {
                return;
            }
            sight
        };
        outcome.sight = Some(sight);
        if proxy::is_unclear(failure)
            && sight == Sight::Clear
            && self.guards.all().any(|guard| by.egress.proxy_to(&guard.host).is_some())
        {
            let message = format!("{}; to our guards it does", failure.message);
            outcome.failure = Some(Failure { layer: Layer::Connect, message, ..*failure });
            return;
        }
        if let Some(told) = told(&self.guards, sight) {
            let message = format!("{told}; {}", failure.message);
            outcome.failure = Some(Failure { layer: Layer::Ours, kind: FailureKind::NoNetwork, message });
        }
    }

    /// Looks, unless somebody looked since `wanted` or is looking now.
    async fn look(&self, wanted: Instant, by: Ways<'_>) {
        let guards = &self.guards;
        let _one = self.looking.lock().await;
        let speaks = |look: Look| look.ended + STILL_SPEAKS >= wanted;
        if locked(&self.seen).last.is_some_and(speaks) {
            return;
        }
        let began = Instant::now();
        let limit = began + LOOK;
        let (outside, inside) = tokio::join!(any(&guards.outside, limit, by), any(&guards.inside, limit, by));
        let look = Look { began, ended: Instant::now(), sight: guards.sight(outside, inside) };
        let before = locked(&self.seen).add(look);
        if before != look.sight {
            if let Some(told) = told(guards, look.sight) {
                tracing::warn!("{told}");
            } else {
                tracing::info!("our own network is there again: the guards answer");
            }
        }
    }
}

impl Seen {
    /// Keeps a look; what the one before it saw.
    fn add(&mut self, look: Look) -> Sight {
        if look.sight != Sight::Clear {
            self.gone = Some(look);
        }
        if self.last.is_none_or(|last| last.sight != look.sight) {
            self.reached.clear();
        }
        self.last.replace(look).map_or(Sight::Clear, |look| look.sight)
    }

    /// What holds of a probe that `began` then and failed now.
    fn sight(&self, began: Instant) -> Sight {
        let gone = self.gone.filter(|gone| gone.ended >= began);
        let look = self.last.filter(|last| last.sight != Sight::Clear).or(gone);
        match look {
            // Whoever has a connection has a network: then it is the guards that are gone.
            Some(look) if look.sight == Sight::Nothing && self.connected > Some(look.began) => Sight::Clear,
            Some(look) => look.sight,
            None => Sight::Clear,
        }
    }
}

const fn is_one_side(sight: Sight) -> bool {
    matches!(sight, Sight::NoInside | Sight::NoOutside)
}

/// Whether nothing was heard of the other side, so that our own network may be why.
fn is_silence(failure: &Failure) -> bool {
    match failure.layer {
        Layer::Connect => true,
        Layer::Dns => failure.kind == FailureKind::NameFailed,
        Layer::Tls => failure.kind == FailureKind::TlsTimeout,
        Layer::Backend => failure.kind == FailureKind::FirstByteTimeout,
        Layer::Ours => {
            matches!(failure.kind, FailureKind::NoNetwork | FailureKind::NoResolver | FailureKind::Proxy)
                || proxy::is_unclear(failure)
        }
        Layer::Token => failure.kind == FailureKind::TokenUnreachable,
        Layer::Gateway | Layer::Contract => false,
    }
}

/// What the guards show, for people; `None`: nothing is wrong with our network.
fn told(guards: &Guards, sight: Sight) -> Option<String> {
    let (what, gone): (_, Vec<&Guard>) = match sight {
        Sight::Clear => return None,
        Sight::Nothing => (
            "our own network is gone: no guard answers",
            guards.outside.iter().chain(&guards.inside).collect(),
        ),
        Sight::NoInside => (
            "the NHS Wales network cannot be reached from here, the internet can: no guard inside answers",
            guards.inside.iter().collect(),
        ),
        Sight::NoOutside => (
            "the internet cannot be reached from here, the NHS Wales network can: no guard outside answers",
            guards.outside.iter().collect(),
        ),
    };
    let mut told = what.to_owned();
    for (index, guard) in gone.into_iter().enumerate() {
        // Writing to a String cannot fail.
        write!(told, "{}{guard}", if index == 0 { " (" } else { ", " }).ok();
    }
    told.push(')');
    Some(told)
}

/// Whether one of these answers; each in turn, with an even share of the time.
async fn any(guards: &[Guard], limit: Instant, by: Ways<'_>) -> bool {
    for (index, guard) in guards.iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(guards.len() - index).unwrap_or(u32::MAX);
        let share = now + limit.saturating_duration_since(now) / left;
        if answers(guard, share, by).await {
            return true;
        }
    }
    false
}

async fn answers(guard: &Guard, limit: Instant, by: Ways<'_>) -> bool {
    let stream = match timeout_at(limit, connected(guard, limit, by)).await {
        Ok(Ok(stream)) => stream,
        // Nothing is known of a network that we have nothing left to ask with.
        Ok(Err(failure)) => return matches!(failure.kind, FailureKind::NoDescriptor | FailureKind::NoMemory),
        Err(_) => return false,
    };
    if !guard.tls {
        return true;
    }
    let (Some(witness), Ok(name)) = (by.tls.witness(), ServerName::try_from(guard.host.clone())) else {
        return true;
    };
    match timeout_at(limit, Box::pin(by.tls.handshake(witness.clone(), name, stream, Speaks::Http))).await {
        Ok(Ok(_)) => true,
        // Whoever shows a certificate that we do not like is there all the same.
        Ok(Err(error)) => tls::failure(&error, &witness).kind != FailureKind::Handshake,
        Err(_) => false,
    }
}

/// As probes are connected.
async fn connected(guard: &Guard, limit: Instant, by: Ways<'_>) -> Result<TcpStream, Failure> {
    if let Some(proxy) = by.egress.proxy_to(&guard.host) {
        let to = (guard.host.as_str(), guard.port);
        let tunnel = proxy::tunnel(proxy, (by.egress, by.resolve), to, limit);
        return Box::pin(tunnel).await.map(|(stream, _)| stream);
    }
    let addresses = match guard.host.parse::<IpAddr>() {
        Ok(ip) => vec![ip],
        Err(_) => by.resolve.addresses(&guard.host, limit, limit).await?,
    };
    // Guards are the platform's own, and those inside are private by nature.
    let private = PrivateAddresses::Allowed;
    let dial =
        Dial { addresses, port: guard.port, written: true, private, local: by.egress.local_address.as_ref() };
    connect::connect(&dial, limit).await.map(|(stream, _)| stream)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(began: Instant, seconds: u64, sight: Sight) -> Look {
        Look { began, ended: began + Duration::from_secs(seconds), sight }
    }

    #[test]
    fn what_a_look_after_the_probe_began_saw_holds_of_it() {
        let start = Instant::now();
        let mut seen = Seen::default();
        assert_eq!(seen.sight(start), Sight::Clear);
        seen.add(look(start, 1, Sight::NoInside));
        assert_eq!(seen.sight(start), Sight::NoInside);
        // The network is back, but was gone while the probe tried.
        seen.add(look(start + Duration::from_secs(5), 1, Sight::Clear));
        assert_eq!(seen.sight(start), Sight::NoInside);
        assert_eq!(seen.sight(start + Duration::from_secs(4)), Sight::Clear);
    }

    #[test]
    fn whoever_has_a_connection_has_a_network() {
        let start = Instant::now();
        let mut seen = Seen::default();
        seen.add(look(start + Duration::from_secs(1), 2, Sight::Nothing));
        seen.connected = Some(start);
        assert_eq!(seen.sight(start), Sight::Nothing, "that was before");
        seen.connected = Some(start + Duration::from_secs(2));
        assert_eq!(seen.sight(start), Sight::Clear, "the guards themselves are gone");
    }

    #[test]
    fn what_is_gone_is_told_with_the_guards_that_were_tried() {
        let guard = |host: &str| Guard { tls: false, host: host.to_owned(), port: 53 };
        let guards = Guards { outside: vec![guard("a"), guard("b")], inside: vec![guard("c")] };
        assert_eq!(told(&guards, Sight::Clear), None);
        assert_eq!(
            told(&guards, Sight::Nothing).unwrap(),
            "our own network is gone: no guard answers (tcp://a:53, tcp://b:53, tcp://c:53)"
        );
        assert!(told(&guards, Sight::NoInside).unwrap().ends_with("no guard inside answers (tcp://c:53)"));
    }
}
