//! How we get out: through a proxy or straight, from which address, and whom we trust there.

use super::{
    address::{never_dialled, web_url},
    auth,
    reading::Reading,
    secret::{self, Reference},
    section::Section,
    tree::Node,
};
use domain::{Egress, PrivateAddresses, Proxy, undialled};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::net::IpAddr;
use url::Host;

/// Largest file of certificates, in bytes: all public roots together have 230 KB.
const MAX_ROOTS: u64 = 1024 * 1024;

/// What holds for everything that goes out.
#[derive(Default)]
pub(super) struct Outward {
    /// Trusted beside the system's.
    pub roots: Vec<CertificateDer<'static>>,
    /// For whoever says no other.
    pub proxy: Option<Proxy>,
    /// Reached without any proxy.
    except: Vec<String>,
}

const NO_PROXY: &str = "'proxy_basic' is our name and password for 'proxy': there is no 'proxy'";

/// The section `egress`.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Outward {
    let Some(mut section) = Section::open(node, "egress", reading) else { return Outward::default() };
    let roots = section.optional("roots", reading).map(|node| roots(node, reading));
    let proxy = section.optional("proxy", reading);
    let basic = section.optional("proxy_basic", reading);
    let except = section.optional("except", reading);
    let misspelt = section.misspells(&["roots", "proxy", "proxy_basic", "except"]);
    section.close(reading);
    if let (Some(except), None) = (except, proxy) {
        reading
            .wrong(&except.owner, "'except' names hosts that 'proxy' does not lead to: there is no 'proxy'");
    } else if let (Some(basic), None) = (basic, proxy) {
        reading.wrong(&basic.owner, NO_PROXY);
    } else if roots.is_none() && proxy.is_none() && !misspelt {
        reading.wrong(&node.place, "egress is 'roots', 'proxy', or both");
    }
    let except = except.map(|node| exceptions(node, reading)).unwrap_or_default();
    let basic = basic.and_then(|node| auth::basic(node, "proxy_basic", reading));
    let proxy = proxy.and_then(|node| reading.parsed(node, "a proxy", |text| proxy_at(text, &except)));
    let proxy = proxy.map(|proxy| Proxy { basic, ..proxy });
    Outward { roots: roots.unwrap_or_default(), proxy, except }
}

/// How the probes of a vantage get out: as it says itself, or as everything does.
pub(super) fn of_vantage(section: &mut Section<'_>, outward: &Outward, reading: &mut Reading<'_>) -> Egress {
    let proxy = section.optional("proxy", reading);
    let own = proxy.and_then(|node| {
        reading.parsed(node, "a proxy", |text| match text {
            "none" => Ok(None),
            _ => proxy_at(text, &outward.except).map(Some),
        })
    });
    let basic = section.optional("proxy_basic", reading);
    if let Some(basic) = basic.filter(|_| proxy.is_none() || own == Some(None)) {
        reading.wrong(&basic.owner, NO_PROXY);
    }
    let basic = basic.and_then(|node| auth::basic(node, "proxy_basic", reading));
    let own = own.map(|own| own.map(|proxy| Proxy { basic, ..proxy }));
    let local_address = section
        .optional("local_address", reading)
        .and_then(|node| reading.parsed(node, "an address of this host", local_address));
    Egress { proxy: own.unwrap_or_else(|| outward.proxy.clone()), local_address }
}

/// `http://HOST:PORT`, and nothing after it.
fn proxy_at(text: &str, except: &[String]) -> Result<Proxy, String> {
    const WRONG: &str = "a proxy is http://HOST:PORT";
    if text.contains('@') {
        return Err(format!("{WRONG}; its name and password are 'proxy_basic'"));
    }
    let url = web_url(text).map_err(|_| WRONG)?;
    if url.scheme() != "http" {
        return Err(format!(
            "{WRONG}: it is spoken to in plain HTTP, also where what goes through it is secured"
        ));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{WRONG}, and nothing after it"));
    }
    let written = text.trim_end_matches('/').ends_with(":80").then_some(80);
    let port = url.port().or(written).ok_or("a proxy needs a port: http://HOST:PORT")?;
    if let Some(what) = never_dialled(text) {
        return Err(format!("this is {what}: nothing is sent there"));
    }
    let host = match url.host().ok_or(WRONG)? {
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
        Host::Domain(name) => name.to_owned(),
    };
    Ok(Proxy { host, port, basic: None, except: except.to_vec() })
}

fn exceptions(node: &Node, reading: &mut Reading<'_>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for item in reading.list_of_some(node, "hosts").unwrap_or_default() {
        match reading.parsed(item, "a host", exception) {
            Some(host) if all.contains(&host) => reading.wrong(&item.place, "this is named twice"),
            Some(host) => all.push(host),
            None => {}
        }
    }
    all
}

/// A host, or `.example.org` for all below it.
fn exception(text: &str) -> Result<String, String> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(ip.to_string());
    }
    let labels = text.strip_prefix('.').unwrap_or(text).split('.');
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let fit = labels.into_iter().all(|label| !label.is_empty() && label.chars().all(fits));
    if !fit {
        return Err("write a host's name, an address, or .example.org for all hosts below it".to_owned());
    }
    Ok(text.to_ascii_lowercase())
}

fn local_address(text: &str) -> Result<IpAddr, String> {
    let ip: IpAddr = text.parse().map_err(|_| "this is not an address such as 10.1.2.3")?;
    match undialled(ip, true, PrivateAddresses::Allowed) {
        Some(what) => Err(format!("this is {what}: no probe is sent from there")),
        None => Ok(ip),
    }
}

/// Certificates that are trusted beside the system's.
fn roots(node: &Node, reading: &mut Reading<'_>) -> Vec<CertificateDer<'static>> {
    let files = reading.list_of_some(node, "certificate files").unwrap_or_default();
    let directory = reading.directory;
    for file in files {
        if let Some(Ok(Reference::File(path))) = file.as_word().and_then(Reference::parse) {
            reading.stamps.note(secret::path_of(directory, path));
        }
    }
    files
        .iter()
        .filter_map(|file| {
            reading.parsed(file, "a file of certificates: file:PATH", |text| {
                let path = match Reference::parse(text) {
                    Some(Ok(Reference::File(path))) => secret::path_of(directory, path),
                    Some(Err(why)) => return Err(why),
                    Some(Ok(Reference::Environment(_))) | None => {
                        return Err(format!("certificates are in a file: write file:PATH, not '{text}'"));
                    }
                };
                secret::read_text(&path, MAX_ROOTS)
                    .and_then(|pem| certificates(&pem).map_err(str::to_owned))
                    .map_err(|why| format!("{} cannot be used: {why}", path.display()))
            })
        })
        .flatten()
        .collect()
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match all {
        Ok(all) if all.is_empty() => Err("there is no PEM certificate in it"),
        Ok(all) => Ok(all),
        Err(_) => Err("this is not PEM"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_read_from_pem() {
        let pem = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem();
        assert_eq!(certificates(&format!("{pem}\n{pem}")).unwrap().len(), 2);
        assert!(certificates("nothing").is_err());
        assert!(certificates("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").is_err());
    }

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        for (text, shown) in [
            ("http://proxy.example:3128", "proxy.example:3128"),
            ("http://Proxy.example:80/", "proxy.example:80"),
            ("http://10.1.2.3:8080", "10.1.2.3:8080"),
            ("http://[fd00::1]:3128", "[fd00::1]:3128"),
        ] {
            assert_eq!(proxy_at(text, &[]).unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "none at all",
            "proxy.example:3128",
            "http://proxy.example",
            "https://proxy.example:3128",
            "socks5://proxy.example:1080",
            "http://u:p@proxy.example:3128",
            "http://proxy.example:3128/pac",
            "http://proxy.example:3128?x",
            "http://169.254.169.254:80",
        ] {
            assert!(proxy_at(wrong, &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hosts_without_a_proxy_are_names_addresses_and_endings() {
        for (text, read) in [
            ("API.example", "api.example"),
            (".nhs.example", ".nhs.example"),
            ("10.1.2.3", "10.1.2.3"),
            ("fd00::1", "fd00::1"),
        ] {
            assert_eq!(exception(text).unwrap(), read);
        }
        for wrong in
            ["", ".", "*.example", "a..b", "http://a.example", "a.example:443", "10.0.0.0/8", "[::1]"]
        {
            assert!(exception(wrong).is_err(), "{wrong}");
        }
    }
}
