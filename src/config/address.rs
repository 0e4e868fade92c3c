//! Addresses: URLs, mailboxes, telephone numbers, time zones.

use super::{problem::Rank, reading::Reading, tree::Node};
use jiff::tz::TimeZone;
use url::Url;

/// Longest mailbox, by RFC 5321.
const MAX_MAILBOX: usize = 254;

/// An absolute `http://` or `https://` URL that holds no user or password.
pub(super) fn web_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "this is not a URL such as https://api.example.wales")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("a URL starts with https:// or http:// here");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL may not hold a user or a password");
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("a URL may not hold a space");
    }
    Ok(url)
}

/// A URL that paths are put after: without query and fragment, given back without a trailing slash.
pub(super) fn base_url(text: &str) -> Result<String, &'static str> {
    let url = web_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("paths are put after this URL: it may hold neither '?' nor '#'");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Where an instance is: a URL that paths are put after, or `tcp://host:port` and `tls://host:port` for what is not HTTP.
pub(super) fn instance_url(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "write tcp:// or tls://, a host and a port, and nothing behind it";
    if !text.starts_with("tcp:") && !text.starts_with("tls:") {
        return base_url(text);
    }
    let url = Url::parse(text).map_err(|_| WRONG)?;
    let bare = url.username().is_empty() && url.password().is_none();
    let alone = url.path().is_empty() && url.query().is_none() && url.fragment().is_none();
    let host = url.host_str().unwrap_or_default();
    let plain = !host.is_empty() && !host.contains('%') && text.bytes().all(|byte| byte.is_ascii_graphic());
    if bare && alone && plain && url.port().is_some() { Ok(text.to_owned()) } else { Err(WRONG) }
}

/// Whether requests to it stay on this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// What the host of a URL is, if it is an address that no probe is sent to whatever is configured.
pub(super) fn never_dialled(url: &str) -> Option<&'static str> {
    let url = Url::parse(url).ok()?;
    let ip = match url.host()? {
        url::Host::Ipv4(ip) => ip.into(),
        url::Host::Ipv6(ip) => ip.into(),
        url::Host::Domain(_) => return None,
    };
    domain::undialled(ip, true, domain::PrivateAddresses::Allowed)
}

/// A mailbox, without a name.
pub(super) fn mailbox(text: &str) -> Result<(), &'static str> {
    const WRONG: &str = "this is not a mailbox such as team@example.wales";
    let (local, host) = text.rsplit_once('@').ok_or(WRONG)?;
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '@');
    let labels = host
        .split('.')
        .all(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    let fits = !local.is_empty() && local.chars().all(plain) && labels && text.len() <= MAX_MAILBOX;
    if fits { Ok(()) } else { Err(WRONG) }
}

/// A mailbox, perhaps with a name: `Curiad <curiad@example.wales>`.
pub(super) fn sender(text: &str) -> Result<(), &'static str> {
    match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, _)) if name.chars().any(char::is_control) => Err("a sender's name is one line"),
        Some((_, address)) => mailbox(address),
        None => mailbox(text),
    }
}

/// A telephone number with its country: E.164.
pub(super) fn telephone(text: &str) -> Result<(), &'static str> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let fits = (8..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if fits { Ok(()) } else { Err("a telephone number is '+', the country and the number, without spaces") }
}

impl Reading<'_> {
    /// A URL that paths are put after.
    pub(super) fn base_url(&mut self, node: &Node) -> Option<String> {
        self.parsed(node, "a URL", |text| base_url(text).map_err(str::to_owned))
    }

    /// Where an instance is.
    pub(super) fn instance_url(&mut self, node: &Node) -> Option<String> {
        self.parsed(node, "a URL", |text| instance_url(text).map_err(str::to_owned))
    }

    /// The same, of a system that is shown a secret: not as plain http across a network.
    pub(super) fn protected_url(&mut self, node: &Node) -> Option<String> {
        let url = self.base_url(node)?;
        self.is_protected(node, &url).then_some(url)
    }

    /// A URL to which what happens is sent, as it is written: with the slash at its end and the query that the receiver wants.
    pub(super) fn webhook_url(&mut self, node: &Node) -> Option<String> {
        let url = self.link(node)?;
        if url.contains('#') {
            self.wrong(&node.place, "nothing is sent to what stands behind '#': leave it out");
        }
        self.is_protected(node, &url).then_some(url)
    }

    fn is_protected(&mut self, node: &Node, url: &str) -> bool {
        if url.starts_with("http:") && !is_loopback(url) {
            let hint = Some("use https://".to_owned());
            let message = "our credential would cross the network unprotected";
            self.problems.error(Rank::Sense, &node.place, message, hint);
            return false;
        }
        true
    }

    /// A link for people.
    pub(super) fn link(&mut self, node: &Node) -> Option<String> {
        self.parsed(node, "a URL", |text| web_url(text).map(|_| text.to_owned()).map_err(str::to_owned))
    }

    /// A mailbox that may stand in the file.
    pub(super) fn mailbox(&mut self, node: &Node) -> Option<String> {
        self.parsed(node, "a mailbox", |text| mailbox(text).map(|()| text.to_owned()).map_err(str::to_owned))
    }

    /// A time zone by its name in the IANA database.
    pub(super) fn time_zone(&mut self, node: &Node) -> Option<TimeZone> {
        self.parsed(node, "a time zone", |text| {
            TimeZone::get(text)
                .map_err(|_| format!("unknown time zone '{text}': a name such as Europe/London"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_at_a_url_or_a_door() {
        for right in
            ["https://api.example/a", "tcp://hub.example:9000", "tls://[fd00::1]:2576", "tcp://10.1.2.3:1"]
        {
            assert_eq!(instance_url(right).as_deref(), Ok(right));
        }
        for wrong in [
            "tcp://hub.example",
            "tcp://hub.example:9000/",
            "tls://:1",
            "tcp:hub:1",
            "tcp://u@hub:1",
            "ftp://x:1",
        ] {
            assert!(instance_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_base_url_is_what_paths_are_put_after() {
        assert_eq!(base_url("https://api.example.wales/x/").unwrap(), "https://api.example.wales/x");
        for wrong in [
            "api.example.wales",
            "ftp://example.wales",
            "https://user:word@example.wales",
            "https://example.wales/?a=b",
            "https://example.wales/#x",
            "https://",
            "https://exa mple.wales/a b",
            "/x",
        ] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn mailboxes_and_numbers() {
        assert_eq!(mailbox("first.last+x@example.wales"), Ok(()));
        assert_eq!(sender("Curiad <curiad@example.wales>"), Ok(()));
        assert_eq!(sender("curiad@example.wales"), Ok(()));
        for wrong in ["", "a", "@b", "a@", "a b@c.d", "a@b..c", "Curiad <a@b.c>", "a@b@c"] {
            assert!(mailbox(wrong).is_err(), "{wrong}");
        }
        assert_eq!(telephone("+447700900123"), Ok(()));
        for wrong in ["07700900123", "+07700900123", "+44 7700 900123", "+44", ""] {
            assert!(telephone(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn loopback_is_this_machine() {
        for here in ["http://127.0.0.1:1/x", "http://localhost", "http://[::1]:80"] {
            assert!(is_loopback(here), "{here}");
        }
        assert!(!is_loopback("http://example.wales"));
    }
}
