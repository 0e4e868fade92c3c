//! Addresses that no probe may be sent to, whoever wrote them down and whatever name leads there.
//!
//! A program that sends requests to where its configuration, a name server or a redirect says can be turned against the
//! network that it stands in. So the address that is dialled is looked at, not the name.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a vantage lets its probes do with addresses that are not public: those of this host (127.0.0.0/8, `::1`), of
/// private networks (RFC 1918, RFC 4193, RFC 6598) and of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PrivateAddresses {
    /// None is dialled.
    Refused,
    /// One is dialled where the configuration itself names it, as an address or as `localhost`; never because a name
    /// leads there.
    #[default]
    AsWritten,
    /// Any is dialled: for a vantage within a private network.
    Allowed,
}

/// Addresses at which a cloud tells secrets to whoever asks, beyond the link-local ones: AWS and Google over IPv6, Alibaba,
/// Oracle, and Azure's host.
const METADATA: [IpAddr; 5] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// Why `ip` is not dialled; `None`: it is. `written`: the configuration names it itself.
///
/// ```
/// # use domain::{PrivateAddresses, undialled};
/// let metadata = "169.254.169.254".parse().unwrap();
/// assert_eq!(undialled(metadata, true, PrivateAddresses::Allowed), Some("a link-local address"));
/// let inside = "10.1.2.3".parse().unwrap();
/// assert_eq!(undialled(inside, false, PrivateAddresses::AsWritten), Some("a private address"));
/// assert_eq!(undialled(inside, true, PrivateAddresses::AsWritten), None);
/// ```
pub fn undialled(ip: IpAddr, written: bool, private: PrivateAddresses) -> Option<&'static str> {
    let ip = embedded(ip);
    never(ip).or_else(|| {
        let kind = not_public(ip)?;
        let dialled = match private {
            PrivateAddresses::Refused => false,
            PrivateAddresses::AsWritten => written,
            PrivateAddresses::Allowed => true,
        };
        (!dialled).then_some(kind)
    })
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291), translated (NAT64, RFC 6052) or tunnelled (6to4,
/// RFC 3056).
fn embedded(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = ip else { return ip };
    if let Some(four) = six.to_ipv4_mapped() {
        return four.into();
    }
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::from([a, b, c, d])
    };
    match six.segments() {
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => four(high, low),
        _ => ip,
    }
}

/// Never, whatever is configured.
fn never(ip: IpAddr) -> Option<&'static str> {
    if METADATA.contains(&ip) {
        return Some("an address of a cloud's metadata");
    }
    match ip {
        IpAddr::V4(ip) => match ip.octets() {
            [0, ..] => Some("no address of a host"),
            [169, 254, ..] => Some("a link-local address"),
            [224..=239, ..] => Some("a multicast address"),
            [240..=255, ..] => Some("a reserved address"),
            _ => None,
        },
        IpAddr::V6(ip) if ip.is_unspecified() => Some("no address of a host"),
        IpAddr::V6(ip) => match ip.segments() {
            [0xfe80..=0xfebf, ..] => Some("a link-local address"),
            [0xff00..=0xffff, ..] => Some("a multicast address"),
            _ => None,
        },
    }
}

/// What it is, if it is not one of the internet.
fn not_public(ip: IpAddr) -> Option<&'static str> {
    if ip.is_loopback() {
        return Some("an address of this host");
    }
    let private = match ip {
        IpAddr::V4(ip) => matches!(
            ip.octets(),
            [10, ..]
                | [172, 16..=31, ..]
                | [192, 168, ..]
                | [100, 64..=127, ..]
                | [198, 18..=19, ..]
                | [192, 0, 0, _]
        ),
        IpAddr::V6(ip) => matches!(ip.segments(), [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..]),
    };
    private.then_some("a private address")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ip: &str, written: bool, private: PrivateAddresses) -> Option<&'static str> {
        undialled(ip.parse().unwrap(), written, private)
    }

    #[test]
    fn link_local_and_metadata_addresses_are_never_dialled() {
        for ip in [
            "169.254.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "240.0.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            // The same, dressed up.
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::ffff:0.0.0.0",
        ] {
            assert!(seen(ip, true, PrivateAddresses::Allowed).is_some(), "{ip}");
        }
    }

    #[test]
    fn private_addresses_are_dialled_where_that_is_meant() {
        for ip in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "fc00::1",
            "fdff::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
        ] {
            assert_eq!(seen(ip, true, PrivateAddresses::AsWritten), None, "{ip}");
            assert!(seen(ip, false, PrivateAddresses::AsWritten).is_some(), "{ip}");
            assert_eq!(seen(ip, false, PrivateAddresses::Allowed), None, "{ip}");
            assert!(seen(ip, true, PrivateAddresses::Refused).is_some(), "{ip}");
        }
    }

    #[test]
    fn public_addresses_are_always_dialled() {
        for ip in [
            "1.1.1.1",
            "172.32.0.1",
            "172.15.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "11.0.0.1",
            "2606:4700::1",
            "::2",
        ] {
            assert_eq!(seen(ip, false, PrivateAddresses::Refused), None, "{ip}");
        }
    }
}
