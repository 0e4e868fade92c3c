//! What counts as good.

use super::{
    patients,
    problem::Rank,
    reading::Reading,
    section::Section,
    tree::{Node, Value},
};
use domain::{Dialect, Expect, Matches, Statuses};
use std::{ops::RangeInclusive, time::Duration};

/// Largest compiled regular expression, in bytes.
const MAX_REGEX: usize = 256 * 1024;

/// JSONPath expressions of one answer.
const MAX_PATHS: usize = 32;

/// A latency that is a failure; beyond the longest, the timeout ends the probe first.
const SHORTEST_LATENCY: Duration = Duration::from_millis(1);
const LONGEST_LATENCY: Duration = Duration::from_secs(120);

/// Whether `name` is a token as HTTP wants it (RFC 9110 §5.6.2).
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// What counts as good, as it is written: what some of it means depends on what is asked, which the caller knows.
#[derive(Default)]
pub(super) struct Written<'n> {
    pub(super) expect: Expect,
    /// Where it says that a schema is held against.
    pub(super) schema: Option<&'n Node>,
    size: Option<&'n Node>,
}

impl Written<'_> {
    /// Whether the body of an answer is looked into for it.
    pub(super) fn looks_into_body(&self) -> bool {
        let Expect { json, xpath, text, .. } = &self.expect;
        !json.is_empty() || !xpath.is_empty() || !text.is_empty() || self.schema.is_some()
    }

    /// Whether no answer without a body can be as expected.
    pub(super) fn needs_body(&self) -> bool {
        self.looks_into_body() || self.expect.size.as_ref().is_some_and(|size| *size.start() > 0)
    }

    /// Says of a size that no body which is looked into has; it may be so for another reason than what is expected.
    pub(super) fn check_size(&self, reason: Option<&str>, reading: &mut Reading<'_>) {
        let Some((size, node)) = self.expect.size.as_ref().zip(self.size) else { return };
        let bound = if *size.end() == u64::MAX { *size.start() } else { *size.end() };
        if bound > LOOKED_INTO && (reason.is_some() || self.looks_into_body()) {
            let message = "a body that is looked into is not read beyond 2MiB, so this size tests nothing";
            reading.problems.error(Rank::Value, &node.place, message, reason.map(str::to_owned));
        }
    }
}

/// Why the body of such an answer is looked into, whatever is expected.
pub(super) const fn read_as(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Plain => None,
        Dialect::Health => Some("it is read as an answer on health"),
        Dialect::Fhir => Some("it is read as FHIR"),
        Dialect::Capabilities => Some("it is read as a CapabilityStatement"),
        Dialect::Soap => Some("it is read as SOAP"),
        Dialect::Graphql => Some("it is read as GraphQL"),
    }
}

/// Reads what counts as good.
pub(super) fn read<'n>(node: &'n Node, reading: &mut Reading<'_>) -> Option<Written<'n>> {
    let mut section = Section::open(node, "an expectation", reading)?;
    let status = section.optional("status", reading).map(|node| status(node, reading)).unwrap_or_default();
    let headers = section.optional("headers", reading).map(|node| headers(node, reading)).unwrap_or_default();
    let json = section.optional("json", reading).map(|node| json(node, reading)).unwrap_or_default();
    let namespaces =
        section.optional("namespaces", reading).map(|node| namespaces(node, reading)).unwrap_or_default();
    let xpath = section.optional("xpath", reading);
    let xpath = xpath.map(|node| self::xpath(node, &namespaces, reading)).unwrap_or_default();
    let text = section.optional("text", reading).map(|node| text(node, reading)).unwrap_or_default();
    let size_node = section.optional("size", reading);
    let size = size_node.and_then(|node| size(node, reading));
    let latency = section.optional("latency", reading).and_then(|node| {
        reading.duration(node, "the latency that is a failure", SHORTEST_LATENCY..=LONGEST_LATENCY)
    });
    let certificate_days = section
        .optional("certificate_days", reading)
        .and_then(|node| reading.number(node, "'certificate_days'", 1..=397));
    let schema = section
        .optional("schema", reading)
        .filter(|node| reading.choice(node, "a schema", &[("openapi", ())]).is_some());
    section.close(reading);
    let contract = None;
    let expect =
        Expect { status, headers, json, xpath, namespaces, text, size, latency, certificate_days, contract };
    Some(Written { expect, schema, size: size_node })
}

/// One code, or a class such as `2xx`.
fn statuses(node: &Node, reading: &mut Reading<'_>) -> Option<Statuses> {
    let class = node.as_word().and_then(|word| word.strip_suffix("xx"));
    if let Some(class) = class.and_then(|class| class.parse().ok()).filter(|class| (1..=5).contains(class)) {
        return Some(Statuses::Class(class));
    }
    let code = reading.number(node, "a status code", 100..=599)?;
    u16::try_from(code).ok().map(Statuses::One)
}

/// `{ at_least: 1B, at_most: 64KiB }`, or one of them.
fn size(node: &Node, reading: &mut Reading<'_>) -> Option<RangeInclusive<u64>> {
    let mut section = Section::open(node, "a size", reading)?;
    let mut side = |key, reading: &mut Reading<'_>| {
        let node = section.optional(key, reading)?;
        reading.parsed(node, "a size", parse_size)
    };
    let (least, most) = (side("at_least", reading), side("at_most", reading));
    let named = section.has("at_least") || section.has("at_most");
    let misspelt = section.misspells(&["at_least", "at_most"]);
    section.close(reading);
    if !named && !misspelt {
        reading.wrong(&node.place, "a size is 'at_least', 'at_most', or both");
    }
    let (least, most) = (least.unwrap_or(0), most.unwrap_or(u64::MAX));
    if least > most {
        reading.wrong(&node.place, "no size is at least and at most that");
    }
    Some(least..=most)
}

/// Bytes of a body that are looked into at most, and bytes that are read at most.
const LOOKED_INTO: u64 = 2 * 1024 * 1024;
const READ: u64 = 10 * 1024 * 1024;

/// A number of bytes: `512B`, `64KiB`, `2MiB`. No body is read beyond 10 MiB.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => return Err(format!("'{text}' is not a size such as 512B, 64KiB or 2MiB")),
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)) {
        Some(size) if size <= READ => Ok(size),
        Some(_) => Err(format!("no body is read beyond 10MiB, so '{text}' tests nothing")),
        None => Err(format!("'{text}' is not a size such as 512B, 64KiB or 2MiB")),
    }
}

fn status(node: &Node, reading: &mut Reading<'_>) -> Vec<Statuses> {
    match &node.value {
        Value::List(_) => {
            let items = reading.list_of_some(node, "status codes").unwrap_or_default();
            items.iter().filter_map(|item| statuses(item, reading)).collect()
        }
        Value::Nothing | Value::Word { .. } | Value::Map(_) => statuses(node, reading).into_iter().collect(),
    }
}

fn headers(node: &Node, reading: &mut Reading<'_>) -> Vec<(String, Matches)> {
    let mut all = Vec::new();
    for (name, node) in reading.map(node, "headers").unwrap_or_default() {
        if !is_header_name(&name.word) {
            reading.wrong(&name.place, format!("'{}' is not the name of a header", name.word));
        }
        let test = matches(node, true, reading);
        all.extend(test.map(|test| (name.word.to_ascii_lowercase(), test)));
    }
    all
}

fn json(node: &Node, reading: &mut Reading<'_>) -> Vec<(String, Matches)> {
    let paths = reading.map(node, "JSONPath expressions").unwrap_or_default();
    if paths.len() > MAX_PATHS {
        // Each is looked for in the whole body.
        reading.wrong(&node.place, format!("at most {MAX_PATHS} JSONPath expressions"));
    }
    let mut all = Vec::new();
    for (path, node) in paths {
        if let Err(why) = prober::check_json_path(&path.word) {
            reading.wrong(&path.place, why);
        }
        let test = matches(node, true, reading);
        all.extend(test.map(|test| (path.word.clone(), test)));
    }
    all
}

pub(super) fn namespaces(node: &Node, reading: &mut Reading<'_>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (prefix, node) in reading.map(node, "namespaces").unwrap_or_default() {
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let begins = prefix.word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins || !prefix.word.chars().all(name) || prefix.word.eq_ignore_ascii_case("xml") {
            reading.wrong(&prefix.place, format!("'{}' cannot be the prefix of a namespace", prefix.word));
        }
        let namespace = reading.text(node, "a namespace");
        all.extend(namespace.map(|namespace| (prefix.word.clone(), namespace.to_owned())));
    }
    all
}

fn xpath(node: &Node, namespaces: &[(String, String)], reading: &mut Reading<'_>) -> Vec<(String, Matches)> {
    let mut all = Vec::new();
    for (path, node) in reading.map(node, "XPath expressions").unwrap_or_default() {
        if let Err(why) = prober::check_xpath(&path.word, namespaces) {
            let message = format!("'{}' is not an XPath such as //s:Body/*: {why}", path.word);
            reading.wrong(&path.place, message);
        }
        patients::note(node, &path.word, reading);
        let test = matches(node, true, reading);
        all.extend(test.map(|test| (path.word.clone(), test)));
    }
    all
}

/// One test, or a list of them.
fn text(node: &Node, reading: &mut Reading<'_>) -> Vec<Matches> {
    match &node.value {
        Value::List(_) => {
            let items = reading.list_of_some(node, "tests").unwrap_or_default();
            items.iter().filter_map(|item| matches(item, false, reading)).collect()
        }
        Value::Nothing | Value::Word { .. } | Value::Map(_) => {
            matches(node, false, reading).into_iter().collect()
        }
    }
}

/// A value that must be equal, or `{ contains: … }`, `{ regex: … }`, `{ exists: true }`. A whole body is never meant to
/// be equal to a word, nor merely to be there.
fn matches(node: &Node, single_value: bool, reading: &mut Reading<'_>) -> Option<Matches> {
    if single_value && !matches!(node.value, Value::Map(_)) {
        return equals(node, reading);
    }
    if let Some(text) = node.as_word() {
        let hint = Some(format!("write {{ contains: {text} }} or {{ regex: … }}"));
        reading.problems.error(Rank::Shape, &node.place, "a whole body is not equal to a word", hint);
        return None;
    }
    let mut section = Section::open(node, "a test", reading)?;
    let place = section.place();
    let mut found = Vec::new();
    let mut asked = 0;
    if let Some(node) = section.optional("contains", reading) {
        asked += 1;
        let contains = reading.word(node, "a text").map(str::to_owned);
        if let Some(contains) = &contains {
            patients::note(node, contains, reading);
        }
        found.extend(contains.filter(|text| !text.is_empty()).map(Matches::Contains));
    }
    if let Some(node) = section.optional("regex", reading) {
        asked += 1;
        found.extend(reading.parsed(node, "a regular expression", regex).map(Matches::Regex));
    }
    if single_value {
        if let Some(node) = section.optional("equals", reading) {
            asked += 1;
            found.extend(equals(node, reading));
        }
        if let Some(node) = section.optional("exists", reading) {
            asked += 1;
            match reading.boolean(node) {
                Some(true) => found.push(Matches::Exists),
                Some(false) => reading.wrong(&node.place, "only 'exists: true' can be tested"),
                None => {}
            }
        }
    }
    section.close(reading);
    match (asked, found.pop()) {
        (1, Some(test)) => Some(test),
        (1, None) => None,
        _ => {
            let choices = if single_value { "equals, contains, regex, exists" } else { "contains, regex" };
            let message = format!("a test has exactly one of: {choices}");
            reading.problems.error(Rank::Shape, place, message, None);
            None
        }
    }
}

pub(super) fn regex(text: &str) -> Result<String, String> {
    match regex::RegexBuilder::new(text).size_limit(MAX_REGEX).build() {
        Ok(_) => Ok(text.to_owned()),
        Err(regex::Error::CompiledTooBig(_)) => Err("this regular expression is too big".to_owned()),
        Err(error) => {
            let why = error.to_string();
            let last = why.lines().last().unwrap_or_default();
            Err(format!("this is not a regular expression: {}", last.trim_start_matches("error: ")))
        }
    }
}

/// A value as JSON writes it: text, a number, `true` or `false`.
fn equals(node: &Node, reading: &mut Reading<'_>) -> Option<Matches> {
    let (text, plain) = reading.scalar(node, "a value")?;
    patients::note(node, text, reading);
    let as_json_writes_it = matches!(text, "true" | "false")
        || serde_json::from_str::<serde_json::Number>(text).is_ok_and(|number| number.to_string() == text);
    if plain && !as_json_writes_it {
        return reading.text(node, "a value").map(|text| Matches::Equals(text.to_owned()));
    }
    Some(Matches::Equals(text.to_owned()))
}
