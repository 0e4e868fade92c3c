//! Where probes are sent from, and the guards by which a vantage knows its own network.

use super::{
    egress::{self, Outward},
    names::Noun,
    problem::Rank,
    reading::Reading,
    section::Section,
    tree::{Node, Value},
};
use domain::{Egress, Guard, Guards, PrivateAddresses, Vantage, VantageId};
use url::{Host, Url};

/// Vantages: each check is probed from all of them, unless its instance chooses.
const MAX_VANTAGES: usize = 8;

/// Guards of one side: one that answers is enough, and all are tried within two seconds.
const MAX_GUARDS: usize = 4;

/// Where probes are sent from: this host, by ways that differ.
pub(super) fn read(node: &Node, outward: &Outward, reading: &mut Reading<'_>) -> Vec<Vantage> {
    let Some(entries) = reading.map(node, "vantages") else {
        reading.names.unreadable(Noun::Vantage);
        return Vec::new();
    };
    let mut all: Vec<Vantage> = Vec::new();
    for (name, node) in entries {
        reading.names.define(Noun::Vantage, &name.word, &name.place);
        let id = reading.name(name, VantageId::parse);
        if id.as_ref().is_some_and(VantageId::is_inbound) {
            let message = "'inbound' is where heartbeats are heard: no probe is sent from there";
            let hint = Some("give this vantage another name".to_owned());
            reading.problems.error(Rank::Value, &name.place, message, hint);
        }
        let settings =
            if matches!(node.value, Value::Nothing) { None } else { vantage(node, outward, reading) };
        let (guards, private_addresses, egress) = settings.unwrap_or_else(|| {
            let egress = Egress { proxy: outward.proxy.clone(), local_address: None };
            (Guards::default(), PrivateAddresses::default(), egress)
        });
        all.extend(id.map(|id| Vantage { id, guards, private_addresses, egress }));
    }
    if entries.is_empty() {
        reading.wrong(&node.place, "no vantage: probes need a place to be sent from, such as 'internet: {}'");
    }
    if let Some((name, _)) = entries.get(MAX_VANTAGES) {
        reading.wrong(&name.place, format!("there are at most {MAX_VANTAGES} vantages"));
    }
    for (index, vantage) in all.iter().enumerate() {
        let same = all.iter().take(index).find(|other| other.egress == vantage.egress);
        let name = entries.iter().find(|(name, _)| name.word == vantage.id.as_str());
        if let (Some(same), Some((name, _))) = (same, name) {
            reading.problems.error(
                Rank::Sense,
                &name.place,
                format!("this vantage leaves this host as '{}' does: it would see the same", same.id),
                Some("give it a 'proxy' or a 'local_address' of its own".to_owned()),
            );
        }
    }
    all
}

fn vantage(
    node: &Node,
    outward: &Outward,
    reading: &mut Reading<'_>,
) -> Option<(Guards, PrivateAddresses, Egress)> {
    const CHOICES: [(&str, PrivateAddresses); 3] = [
        ("refused", PrivateAddresses::Refused),
        ("as-written", PrivateAddresses::AsWritten),
        ("allowed", PrivateAddresses::Allowed),
    ];
    let mut section = Section::open(node, "a vantage", reading)?;
    let guards = section.optional("guards", reading).and_then(|node| guards(node, reading));
    let private = section
        .optional("private_addresses", reading)
        .and_then(|node| reading.choice(node, "what to do with private addresses", &CHOICES));
    let egress = egress::of_vantage(&mut section, outward, reading);
    section.close(reading);
    Some((guards.unwrap_or_default(), private.unwrap_or_default(), egress))
}

fn guards(node: &Node, reading: &mut Reading<'_>) -> Option<Guards> {
    let mut section = Section::open(node, "guards", reading)?;
    let outside = section.optional("outside", reading).map(|node| side(node, reading));
    let inside = section.optional("inside", reading).map(|node| side(node, reading));
    let misspelt = section.misspells(&["outside", "inside"]);
    section.close(reading);
    if outside.is_none() && inside.is_none() && !misspelt {
        reading.wrong(&node.place, "guards are addresses outside the NHS network, inside it, or both");
    }
    Some(Guards { outside: outside.unwrap_or_default(), inside: inside.unwrap_or_default() })
}

fn side(node: &Node, reading: &mut Reading<'_>) -> Vec<Guard> {
    let mut all: Vec<Guard> = Vec::new();
    let items = reading.list_of_some(node, "guards").unwrap_or_default();
    for item in items {
        match reading.parsed(item, "a guard", |text| guard(text).map_err(str::to_owned)) {
            Some(guard) if all.contains(&guard) => reading.wrong(&item.place, "this is named twice"),
            Some(guard) => all.push(guard),
            None => {}
        }
    }
    if let Some(first) = items.get(MAX_GUARDS) {
        reading.wrong(&first.place, format!("one side has at most {MAX_GUARDS} guards"));
    }
    all
}

/// `https://HOST[:PORT]` or `tcp://HOST:PORT`, and nothing after it: a guard is connected to and asked nothing.
fn guard(text: &str) -> Result<Guard, &'static str> {
    const WRONG: &str = "a guard is https://HOST or tcp://HOST:PORT";
    let url = Url::parse(text).map_err(|_| WRONG)?;
    let tls = match url.scheme() {
        "https" => true,
        "tcp" => false,
        _ => return Err(WRONG),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a guard may not hold a user or a password");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(
            "a guard is connected to and asked nothing: leave out what follows the host and the port",
        );
    }
    let host = match url.host().ok_or(WRONG)? {
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
        Host::Domain(name) => name.to_ascii_lowercase(),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(fits) {
        return Err(WRONG);
    }
    let port = url.port_or_known_default().ok_or("a guard at tcp:// needs a port: tcp://HOST:PORT")?;
    Ok(Guard { tls, host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_a_host_and_a_port_to_connect_to() {
        for (text, shown) in [
            ("https://www.wales.example", "https://www.wales.example"),
            ("https://www.wales.example/", "https://www.wales.example"),
            ("https://WWW.Wales.example:8443", "https://www.wales.example:8443"),
            ("tcp://10.1.2.3:53", "tcp://10.1.2.3:53"),
            ("tcp://dns.nhs.example:53", "tcp://dns.nhs.example:53"),
            ("tcp://[fd00::1]:53", "tcp://[fd00::1]:53"),
        ] {
            assert_eq!(guard(text).unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "www.wales.example",
            "http://www.wales.example",
            "udp://10.1.2.3:53",
            "tcp://10.1.2.3",
            "tcp://:53",
            "https://",
            "https://u:p@www.wales.example",
            "https://www.wales.example/health",
            "https://www.wales.example?x",
            "tcp://a b:53",
        ] {
            assert!(guard(wrong).is_err(), "{wrong}");
        }
    }
}
