//! Whose addresses are readers', and whose are of proxies before us: what readers may ask for is limited by address, and
//! behind a proxy all would share one.

use axum::http::{HeaderMap, HeaderName};
use std::net::IpAddr;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// `10.1.0.0/16`, `2001:db8::/32`, or one address.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is neither an address nor a network such as 10.1.0.0/16");
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let base: IpAddr = address.parse().map_err(|_| wrong())?;
        // As readers' addresses are compared: one of IPv4, however it is written.
        let mapped = base.to_canonical();
        if mapped != base {
            let bits = bits.and_then(|bits| bits.parse().ok()).unwrap_or(128_u8).saturating_sub(96);
            return Err(format!("'{text}' is of IPv4: write {mapped}, or {mapped}/{}", bits.min(32)));
        }
        let all = width(base);
        let bits = match bits {
            None => all,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= all).ok_or_else(wrong)?,
        };
        let first = first(base, bits);
        if bits == 0 {
            return Err("that is everybody: whoever asks could say that they are somebody else".to_owned());
        }
        if first != base {
            return Err(format!("'{text}' is an address within a network: write {base}, or {first}/{bits}"));
        }
        Ok(Self { base, bits })
    }

    fn holds(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.base.is_ipv4() && first(address, self.bits) == self.base
    }
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first address of the network of so many bits in which this one is.
fn first(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let mask = u32::MAX.checked_shl(u32::from(32 - bits.min(32))).unwrap_or(0);
            IpAddr::V4((four.to_bits() & mask).into())
        }
        IpAddr::V6(six) => {
            let mask = u128::MAX.checked_shl(u32::from(128 - bits.min(128))).unwrap_or(0);
            IpAddr::V6((six.to_bits() & mask).into())
        }
    }
}

/// The proxies whose word on who asks is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Proxies(pub(crate) Vec<Network>);

impl Proxies {
    /// Who asks: the last that a proxy of ours names and that is none itself. What stands further left was written by
    /// whoever asks, and may say anything.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        while self.0.iter().any(|network| network.holds(client)) {
            let Some(before) = hops.next().and_then(|hop| address(hop.trim())) else { break };
            client = before;
        }
        client
    }
}

/// As proxies write it: some with the port, some in brackets.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let with_port = || hop.parse::<std::net::SocketAddr>().map(|address| address.ip());
    bare.parse().or_else(|_| with_port()).ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(proxies: &[&str], peer: &str, forwarded: &[&[u8]]) -> String {
        let proxies = Proxies(proxies.iter().map(|text| Network::parse(text).unwrap()).collect());
        let lines = forwarded.iter().map(|line| (FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap()));
        let mut headers = HeaderMap::new();
        lines.for_each(|(name, value)| {
            headers.append(name, value);
        });
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        assert_eq!(client(&[], "127.0.0.1", &[b"192.0.2.1"]), "127.0.0.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.9", &[b"192.0.2.1"]), "192.0.2.9");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &[b"192.0.2.1"]), "192.0.2.1");
        assert_eq!(client(&["10.0.0.0/8"], "::ffff:10.1.2.3", &[b"192.0.2.1"]), "192.0.2.1");
        assert_eq!(client(&["127.0.0.1"], "127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn what_the_reader_wrote_is_not_believed() {
        let ours = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];
        let is = |forwarded: &[&[u8]], expected: &str| {
            assert_eq!(client(&ours, "127.0.0.1", forwarded), expected, "{forwarded:?}");
        };
        is(&[b"198.51.100.1, 192.0.2.1"], "192.0.2.1");
        is(&[b"198.51.100.1", b"192.0.2.1"], "192.0.2.1");
        is(&[b"198.51.100.1, 192.0.2.1, 10.0.0.7"], "192.0.2.1");
        is(&[b"192.0.2.1, fd00::7"], "192.0.2.1");
        // It says that it comes from a proxy of ours: that is one hop more, and no way out.
        is(&[b"10.9.9.9, 192.0.2.1"], "192.0.2.1");
        is(&[b"10.9.9.9"], "10.9.9.9");
        for nonsense in [
            &b"unknown"[..],
            b"",
            b",",
            b"192.0.2.1,",
            b"192.0.2.1 192.0.2.2",
            b"1.2.3",
            b"\xff",
            b"::1%eth0",
        ] {
            is(&[nonsense], "127.0.0.1");
        }
        is(&[b"192.0.2.1, nonsense, 10.0.0.7"], "10.0.0.7");
    }

    #[test]
    fn an_address_is_read_however_proxies_write_it() {
        let is = |forwarded: &[u8], expected: &str| {
            assert_eq!(client(&["::1"], "::1", &[forwarded]), expected);
        };
        is(b"192.0.2.1:4711", "192.0.2.1");
        is(b"[2001:db8::1]:4711", "2001:db8::1");
        is(b"[2001:db8::1]", "2001:db8::1");
        is(b"::ffff:192.0.2.1", "192.0.2.1");
    }

    #[test]
    fn a_network_is_written_as_it_begins() {
        for good in ["10.1.0.0/16", "127.0.0.1", "::1", "2001:db8::/32", "192.0.2.128/25", "128.0.0.0/1"] {
            assert!(Network::parse(good).is_ok(), "{good}");
        }
        for wrong in [
            "",
            "nginx",
            "10.1.0.0/33",
            "10.1.0.0/-1",
            "10.1.0.0/",
            "10.1.2.3/16",
            "0.0.0.0/0",
            "::/0",
            "::/129",
            "::ffff:10.1.2.3",
            "::ffff:10.0.0.0/104",
        ] {
            assert!(Network::parse(wrong).is_err(), "{wrong}");
        }
    }
}
