//! Which redirects of an operation are followed.

use super::{
    patients,
    reading::Reading,
    section::Section,
    tree::{Node, Value},
};
use domain::Redirects;
use url::Url;

/// Hosts that may be named.
const MAX_HOSTS: usize = 8;

/// How many, as a number; or `{ at_most: 2, to: [login.example.wales] }`.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Redirects> {
    if !matches!(node.value, Value::Map(_)) {
        return Some(Redirects { at_most: number(node, reading)?, to: Vec::new() });
    }
    let mut section = Section::open(node, "redirects", reading)?;
    let at_most = section.required("at_most", reading).and_then(|node| number(node, reading));
    let to = section.optional("to", reading).map(|node| hosts(node, reading)).unwrap_or_default();
    section.close(reading);
    Some(Redirects { at_most: at_most?, to })
}

fn number(node: &Node, reading: &mut Reading<'_>) -> Option<u8> {
    let most = u32::from(Redirects::MOST);
    reading.number(node, "how many redirects are followed", 0..=most).and_then(|most| u8::try_from(most).ok())
}

fn hosts(node: &Node, reading: &mut Reading<'_>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let items = reading.list_of_some(node, "hosts").unwrap_or_default();
    for item in items {
        match reading.parsed(item, "a host", host) {
            Some(host) if all.contains(&host) => reading.wrong(&item.place, "this is named twice"),
            Some(host) => {
                patients::note(item, &host, reading);
                all.push(host);
            }
            None => {}
        }
    }
    if let Some(first) = items.get(MAX_HOSTS) {
        reading.wrong(&first.place, format!("at most {MAX_HOSTS} hosts"));
    }
    all
}

/// A name or an address, perhaps with a port, and nothing else.
fn host(text: &str) -> Result<String, String> {
    let wrong = || format!("'{text}' is not a host such as login.example.wales or login.example.wales:8443");
    let url = Url::parse(&format!("https://{text}/")).map_err(|_| wrong())?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let plain = text.chars().all(fits)
        && url.path() == "/"
        && url.username().is_empty()
        && url.query().is_none()
        && url.fragment().is_none();
    let host = text.to_ascii_lowercase();
    // `login.example:443` is written without its port in an address, so it could never be equal to one.
    let as_written = url.as_str() == format!("https://{host}/");
    if plain && as_written { Ok(host) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_perhaps_a_port() {
        for (text, read) in [
            ("login.example.wales", "login.example.wales"),
            ("Login.Example.Wales:8443", "login.example.wales:8443"),
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("[::1]:9000", "[::1]:9000"),
        ] {
            assert_eq!(host(text).as_deref(), Ok(read));
        }
        for wrong in [
            "",
            "https://login.example",
            "login.example/x",
            "u@login.example",
            "a b",
            "login.example:443",
            "*.example",
        ] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
