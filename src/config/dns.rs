//! `dns: { name, type, answers, resolver }`: a question to a resolver.

use super::{reading::Reading, section::Section, tree::Node};
use domain::{DnsRequest, PrivateAddresses, RecordType, undialled};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest name, by RFC 1035.
const MAX_NAME: usize = 253;

/// Most answers that are expected, and the longest of them.
const MAX_ANSWERS: usize = 32;
const MAX_ANSWER: usize = 1_024;

/// Reads a DNS request.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<DnsRequest> {
    let mut section = Section::open(node, "a DNS request", reading)?;
    let name = section.optional("name", reading).map(|node| reading.parsed(node, "a name", name));
    let record = section.required("type", reading).and_then(|node| {
        reading.choice(node, "a type of DNS record", &RecordType::ALL.map(|record| (record.word(), record)))
    });
    let answers = section.optional("answers", reading).map(|node| answers(node, record, reading));
    let resolver = section
        .optional("resolver", reading)
        .map(|node| reading.parsed(node, "a resolver's address", resolver));
    section.close(reading);
    Some(DnsRequest {
        name: flat(name)?,
        record: record?,
        answers: answers.unwrap_or_default(),
        resolver: flat(resolver)?,
    })
}

/// `None`: it could not be read.
#[expect(clippy::option_option, reason = "a key that is left out is no mistake")]
fn flat<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |read| read.map(Some))
}

fn name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if text.len() <= MAX_NAME && text.trim_end_matches('.').split('.').all(label) {
        return Ok(text.to_owned());
    }
    Err(format!("'{}' is not a name such as api.nhswales.example", text.chars().take(40).collect::<String>()))
}

fn resolver(text: &str) -> Result<SocketAddr, String> {
    let port = 53;
    let address = text
        .parse::<SocketAddr>()
        .or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port)))
        .map_err(|_| format!("'{text}' is not an address such as 10.1.2.3 or 10.1.2.3:5353"))?;
    match undialled(address.ip(), true, PrivateAddresses::Allowed) {
        Some(what) => Err(format!("no probe is ever sent to {what}")),
        None => Ok(address),
    }
}

fn answers(node: &Node, record: Option<RecordType>, reading: &mut Reading<'_>) -> Vec<String> {
    let items = reading.list_of_some(node, "answers").unwrap_or_default();
    if items.len() > MAX_ANSWERS {
        reading.wrong(&node.place, format!("at most {MAX_ANSWERS} answers"));
    }
    items.iter().filter_map(|item| reading.parsed(item, "an answer", |text| answer(text, record))).collect()
}

/// An answer as DNS tools write it, in the form in which it will be compared.
fn answer(text: &str, record: Option<RecordType>) -> Result<String, String> {
    let wrong = |example: &str| format!("'{text}' is not an answer such as {example}");
    let numbers = |count: usize, example: &str| {
        let mut words = text.split_ascii_whitespace();
        let good = words.by_ref().take(count).filter(|word| word.parse::<u16>().is_ok()).count() == count;
        match (good, words.next(), words.next()) {
            (true, Some(_), None) => Ok(text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")),
            _ => Err(wrong(example)),
        }
    };
    match record {
        Some(RecordType::A) => {
            text.parse::<Ipv4Addr>().map(|ip| ip.to_string()).map_err(|_| wrong("10.1.2.3"))
        }
        Some(RecordType::Aaaa) => {
            text.parse::<Ipv6Addr>().map(|ip| ip.to_string()).map_err(|_| wrong("fd00::1"))
        }
        Some(RecordType::Mx) => numbers(1, "10 mail.example"),
        Some(RecordType::Srv) => numbers(3, "0 5 5060 sip.example"),
        Some(RecordType::Cname | RecordType::Ns | RecordType::Ptr) => name(text),
        Some(RecordType::Txt) if text.starts_with('"') => {
            joined(text).ok_or_else(|| wrong(r#""v=spf1 -all": its quotes do not end"#))
        }
        Some(RecordType::Txt) | None if text.is_empty() || text.len() > MAX_ANSWER => {
            Err(format!("an answer has 1 to {MAX_ANSWER} bytes"))
        }
        Some(RecordType::Txt) | None => Ok(text.to_owned()),
    }
}

/// The strings of a TXT record as `dig` writes them, each in quotes, as the one text that they are. `None`: they are not so.
fn joined(text: &str) -> Option<String> {
    let (mut all, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let mut letters = rest.strip_prefix('"')?.chars();
        loop {
            match letters.next()? {
                '"' => break,
                '\\' => all.push(letters.next()?),
                letter => all.push(letter),
            }
        }
        rest = letters.as_str().trim_start();
    }
    (1..=MAX_ANSWER).contains(&all.len()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_written_as_dns_tools_write_it() {
        for (record, text, read) in [
            (RecordType::A, "10.1.2.3", Some("10.1.2.3")),
            (RecordType::A, "10.1.2", None),
            (RecordType::Aaaa, "FD00:0::1", Some("fd00::1")),
            (RecordType::Mx, "10  mail.example.", Some("10 mail.example.")),
            (RecordType::Mx, "mail.example", None),
            (RecordType::Srv, "0 5 5060 sip.example", Some("0 5 5060 sip.example")),
            (RecordType::Srv, "0 5 sip.example", None),
            (RecordType::Cname, "other.example.", Some("other.example.")),
            (RecordType::Cname, "a b", None),
            (RecordType::Txt, "v=spf1 -all", Some("v=spf1 -all")),
            (RecordType::Txt, "", None),
            (RecordType::Txt, r#""v=spf1 -all""#, Some("v=spf1 -all")),
            (RecordType::Txt, r#""v=s" " end""#, Some("v=s end")),
            (RecordType::Txt, r#""a \"word\"""#, Some(r#"a "word""#)),
            (RecordType::Txt, r#""not ended"#, None),
            (RecordType::Txt, r#""a" b"#, None),
            (RecordType::Txt, r#""""#, None),
        ] {
            assert_eq!(answer(text, Some(record)).ok().as_deref(), read, "{text}");
        }
        assert_eq!(resolver("10.1.2.3").unwrap().port(), 53);
        assert_eq!(resolver("[fd00::1]:5353").unwrap().port(), 5353);
        assert!(resolver("one.example").is_err());
        assert!(resolver("169.254.169.253").is_err(), "a cloud's own");
    }
}
