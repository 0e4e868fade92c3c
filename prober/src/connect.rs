//! TCP connections: each address in turn, each with its own limit, and what became of each.

use domain::{Failure, FailureKind, Layer, PrivateAddresses, undialled};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Instant, timeout_at},
};

/// Addresses that are tried; a name may have many more.
const TRIED: usize = 8;

/// Addresses that may be dialled, if they are fit to be.
#[derive(Debug)]
pub(crate) struct Dial<'a> {
    /// In the order to try them.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) port: u16,
    /// The configuration names them itself.
    pub(crate) written: bool,
    pub(crate) private: PrivateAddresses,
    /// From which of this host's addresses; `None`: the system chooses.
    pub(crate) local: Option<&'a IpAddr>,
}

/// From an address of this host.
async fn connect_from(local: IpAddr, address: SocketAddr) -> Result<TcpStream, Trouble> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| Trouble::of(&error))?;
    socket.bind(SocketAddr::new(local, 0)).map_err(|error| {
        if error.kind() == io::ErrorKind::AddrNotAvailable {
            return Trouble::ours(
                FailureKind::NoNetwork,
                &format!("our local address {local} is not one of this host"),
            );
        }
        Trouble::of(&error)
    })?;
    socket.connect(address).await.map_err(|error| Trouble::of_way(&error, address, Some(local)))
}

/// Whether our own routing table leads there. A datagram's socket that is connected sends nothing.
fn has_route(address: SocketAddr, local: Option<IpAddr>) -> bool {
    let any = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(local.unwrap_or(any), 0));
    socket.and_then(|socket| socket.connect(address)).is_ok()
}

/// A connection to the first address that takes one, by `limit`; and which one that is. What may not be dialled is left
/// out: the look is at the address itself, after the name was looked up and not again, so that no name leads elsewhere.
pub(crate) async fn connect(dial: &Dial<'_>, limit: Instant) -> Result<(TcpStream, IpAddr), Failure> {
    let port = dial.port;
    let mut tried: Vec<(SocketAddr, Trouble)> = Vec::new();
    let mut addresses = Vec::with_capacity(dial.addresses.len().min(TRIED));
    for ip in dial.addresses.iter().take(TRIED) {
        match undialled(*ip, dial.written, dial.private) {
            None => match dial.local.filter(|local| local.is_ipv4() != ip.is_ipv4()) {
                None => addresses.push(*ip),
                Some(local) => {
                    let why = format!("is not dialled: our local address {local} is of the other family");
                    tried
                        .push((SocketAddr::new(*ip, port), Trouble::ours(FailureKind::AddressRefused, &why)));
                }
            },
            Some(what) => {
                let never = undialled(*ip, true, PrivateAddresses::Allowed).is_some();
                let hint = if never { "" } else { " (to allow them: 'private_addresses' of the vantage)" };
                let why = format!("is not dialled: it is {what}{hint}");
                tried.push((SocketAddr::new(*ip, port), Trouble::ours(FailureKind::AddressRefused, &why)));
            }
        }
    }
    for (index, ip) in addresses.iter().enumerate() {
        let address = SocketAddr::new(*ip, port);
        // An even share of what is left, so that one dead address does not eat the time of the living.
        let now = Instant::now();
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = now + limit.saturating_duration_since(now) / left;
        let opened = match dial.local {
            None => timeout_at(share, TcpStream::connect(address))
                .await
                .map(|opened| opened.map_err(|error| Trouble::of_way(&error, address, None))),
            // The rare one apart, so that it does not make the common one's future larger.
            Some(local) => Box::pin(timeout_at(share, connect_from(*local, address))).await,
        };
        match opened {
            Ok(Ok(stream)) => {
                // Without it a small request may wait 40 ms for an acknowledgement that is being delayed.
                match stream.set_nodelay(true) {
                    Ok(()) => return Ok((stream, *ip)),
                    Err(error) => tried.push((address, Trouble::of(&error))),
                }
            }
            Ok(Err(trouble)) => tried.push((address, trouble)),
            Err(_) => tried.push((address, Trouble::peers(FailureKind::ConnectTimeout, "timed out"))),
        }
    }
    Err(failure(&tried))
}

/// Why there is no connection to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trouble {
    layer: Layer,
    kind: FailureKind,
    why: String,
}

impl Trouble {
    fn peers(kind: FailureKind, why: &str) -> Self {
        Self { layer: Layer::Connect, kind, why: why.to_owned() }
    }

    fn ours(kind: FailureKind, why: &str) -> Self {
        Self { layer: Layer::Ours, kind, why: why.to_owned() }
    }

    /// Of an attempt to connect.
    fn of_way(error: &io::Error, address: SocketAddr, local: Option<IpAddr>) -> Self {
        match beyond_us(error, address.ip()).filter(|_| has_route(address, local)) {
            Some(why) => Self::peers(FailureKind::Unreachable, why),
            None => Self::of(error),
        }
    }

    fn of(error: &io::Error) -> Self {
        if let Some((kind, why)) = out_of(error) {
            return Self::ours(kind, why);
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the kinds of other systems are told in their own words"
        )]
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::peers(FailureKind::Refused, "refused"),
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                Self::peers(FailureKind::Reset, "reset")
            }
            io::ErrorKind::TimedOut => Self::peers(FailureKind::ConnectTimeout, "timed out"),
            io::ErrorKind::HostUnreachable => Self::peers(FailureKind::Unreachable, "unreachable"),
            io::ErrorKind::NetworkUnreachable => Self::ours(FailureKind::NoNetwork, "no route from here"),
            io::ErrorKind::NetworkDown => Self::ours(FailureKind::NoNetwork, "our network is down"),
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => {
                Self::ours(FailureKind::NoNetwork, "no free local address or port")
            }
            io::ErrorKind::PermissionDenied => {
                Self::ours(FailureKind::NoNetwork, "our own firewall forbids it")
            }
            io::ErrorKind::OutOfMemory => Self::ours(FailureKind::NoMemory, "out of memory"),
            _ => Self::peers(FailureKind::Unreachable, &error.to_string()),
        }
    }
}

/// What is in the way, where our own routes are not: a router's ICMP comes in the same words as a lack of our own.
fn beyond_us(error: &io::Error, to: IpAddr) -> Option<&'static str> {
    // errno of Linux and the BSDs. The other of the same kind is what our own firewall answers with.
    const EACCES: i32 = 13;
    if error.kind() == io::ErrorKind::NetworkUnreachable {
        return Some("unreachable: a router on the way has no route");
    }
    // RFC 4443 §3.1, codes 1, 5 and 6. What a router says of IPv4 is never told so.
    let forbids = error.raw_os_error() == Some(EACCES) && to.is_ipv6();
    forbids.then_some("unreachable: a firewall on the way forbids it")
}

/// What it is of our own that is in the way, if that is why there is no connection to any of `tried`: what a router says of
/// one of them is not.
pub(crate) fn ours(
    error: &io::Error,
    tried: &[SocketAddr],
    local: Option<IpAddr>,
) -> Option<(FailureKind, String)> {
    let is_ours = |trouble: &Trouble| trouble.layer == Layer::Ours;
    if !tried.iter().all(|address| is_ours(&Trouble::of_way(error, *address, local))) {
        return None;
    }
    Some(Trouble::of(error)).filter(is_ours).map(|trouble| (trouble.kind, trouble.why))
}

/// What this host has run out of, if that is why.
pub(crate) fn out_of(error: &io::Error) -> Option<(FailureKind, &'static str)> {
    // errno of Linux and the BSDs; the standard library has no kind for these.
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENOBUFS_LINUX: i32 = 105;
    match error.raw_os_error()? {
        EMFILE => Some((FailureKind::NoDescriptor, "out of file descriptors (raise `ulimit -n`)")),
        ENFILE => Some((FailureKind::NoDescriptor, "this host is out of file descriptors")),
        ENOBUFS_LINUX => Some((FailureKind::NoMemory, "this host is out of network buffers")),
        _ => None,
    }
}

/// What the troubles with all addresses come to: what a peer did says more than what we could not try.
fn failure(tried: &[(SocketAddr, Trouble)]) -> Failure {
    let told: Vec<String> =
        tried.iter().map(|(address, trouble)| format!("{address} {}", trouble.why)).collect();
    let telling = tried.iter().rev().map(|(_, trouble)| trouble);
    let telling = telling.clone().find(|trouble| trouble.layer == Layer::Connect).or(telling.clone().next());
    Failure {
        layer: telling.map_or(Layer::Connect, |trouble| trouble.layer),
        kind: telling.map_or(FailureKind::ConnectTimeout, |trouble| trouble.kind),
        message: told.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_the_system_is_the_peers_or_ours() {
        for (errno, layer, kind) in [
            (111, Layer::Connect, FailureKind::Refused),
            (104, Layer::Connect, FailureKind::Reset),
            (110, Layer::Connect, FailureKind::ConnectTimeout),
            (113, Layer::Connect, FailureKind::Unreachable),
            (101, Layer::Ours, FailureKind::NoNetwork),
            (100, Layer::Ours, FailureKind::NoNetwork),
            (99, Layer::Ours, FailureKind::NoNetwork),
            (98, Layer::Ours, FailureKind::NoNetwork),
            (23, Layer::Ours, FailureKind::NoDescriptor),
            (24, Layer::Ours, FailureKind::NoDescriptor),
            (105, Layer::Ours, FailureKind::NoMemory),
            (12, Layer::Ours, FailureKind::NoMemory),
            (1, Layer::Ours, FailureKind::NoNetwork),
            (13, Layer::Ours, FailureKind::NoNetwork),
            (22, Layer::Connect, FailureKind::Unreachable),
        ] {
            let trouble = Trouble::of(&io::Error::from_raw_os_error(errno));
            assert_eq!((trouble.layer, trouble.kind), (layer, kind), "errno {errno}: {}", trouble.why);
        }
    }

    #[test]
    fn what_a_router_says_is_beyond_us_where_we_have_a_route() {
        let four: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let six: SocketAddr = "[::1]:1".parse().unwrap();
        let no_route: SocketAddr = "[ff05::1:3]:1".parse().unwrap();
        for (errno, address, said) in [
            (101, four, Some("unreachable: a router on the way has no route")),
            (101, six, Some("unreachable: a router on the way has no route")),
            (13, six, Some("unreachable: a firewall on the way forbids it")),
            (13, four, None),
            (1, six, None),
            (100, four, None),
            (111, four, None),
        ] {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!(beyond_us(&error, address.ip()), said, "errno {errno} of {address}");
        }
        assert!(has_route(four, None) && has_route(four, Some(four.ip())));
        assert!(!has_route(no_route, Some(four.ip())), "not from an address of the other family");
        let unreachable = io::Error::from_raw_os_error(101);
        let seen = Trouble::of_way(&unreachable, four, None);
        assert_eq!((seen.layer, seen.kind), (Layer::Connect, FailureKind::Unreachable));
        let seen = Trouble::of_way(&unreachable, no_route, Some(four.ip()));
        assert_eq!((seen.layer, seen.kind), (Layer::Ours, FailureKind::NoNetwork));
        let by = |tried: &[SocketAddr]| ours(&unreachable, tried, Some(four.ip())).map(|(kind, _)| kind);
        assert_eq!(by(&[no_route, four]), None);
        assert_eq!([by(&[no_route]), by(&[])], [Some(FailureKind::NoNetwork); 2]);
    }

    #[test]
    fn what_a_peer_did_says_more_than_what_we_could_not_try() {
        let four: SocketAddr = "10.0.0.1:443".parse().unwrap();
        let six: SocketAddr = "[::1]:443".parse().unwrap();
        let refused = Trouble::peers(FailureKind::Refused, "refused");
        let timed_out = Trouble::peers(FailureKind::ConnectTimeout, "timed out");
        let no_route = Trouble::ours(FailureKind::NoNetwork, "no route from here");

        let seen = failure(&[(four, refused.clone()), (six, timed_out.clone())]);
        assert_eq!(seen.message, "10.0.0.1:443 refused; [::1]:443 timed out");
        assert_eq!((seen.layer, seen.kind), (Layer::Connect, FailureKind::ConnectTimeout));

        let seen = failure(&[(four, refused.clone()), (six, no_route.clone())]);
        assert_eq!((seen.layer, seen.kind), (Layer::Connect, FailureKind::Refused));

        let seen = failure(&[(four, no_route.clone()), (six, no_route)]);
        assert_eq!((seen.layer, seen.kind), (Layer::Ours, FailureKind::NoNetwork));
    }
}
