//! What counts as good, compiled once per check, and whether it held.

use crate::{
    fill::Values,
    json_path::JsonPath,
    schema::{Held, Schemas},
    scrub::scrubbed,
    seen::{seen, unsaid},
    transcript,
    xml::{XPath, Xml},
};
use domain::{Expect, Expectation, Matches, Piece, Statuses, pieces};
use hyper::header::{self, HeaderMap, HeaderName};
use regex::Regex;
use serde_json::Value;
use std::{ops::RangeInclusive, sync::Arc, time::Duration};

/// Largest compiled regular expression, in bytes.
pub(crate) const REGEX_SIZE: usize = 256 * 1024;

/// What counts as good, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Expectations {
    status: Vec<Statuses>,
    headers: Vec<(HeaderName, Test)>,
    json: Vec<(JsonPath, Test)>,
    xpath: Vec<(Arc<XPath>, Test)>,
    text: Vec<Test>,
    size: Option<RangeInclusive<u64>>,
    latency: Option<Duration>,
    contract: Option<Held>,
    pub(crate) certificate_days: Option<u32>,
}

/// A test on one value.
#[derive(Debug, Clone)]
enum Test {
    Equals(Words),
    Contains(Words),
    Matches(Regex),
    Exists,
}

/// Words that are held against a value.
#[derive(Debug, Clone)]
struct Words {
    /// As the configuration has them; this is what is said of them.
    written: String,
    /// The same with what a journey captured in its place: never said.
    meant: Option<String>,
}

impl Words {
    fn new(written: &str) -> Self {
        Self { written: written.to_owned(), meant: None }
    }

    fn meant(&self) -> &str {
        self.meant.as_ref().unwrap_or(&self.written)
    }

    fn fill(&mut self, values: &Values) {
        self.meant = Some(
            pieces(&self.written)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text,
                    Piece::Value(name) => values.get(name).unwrap_or_default(),
                })
                .collect(),
        );
    }
}

impl Test {
    fn new(matches: &Matches) -> Result<Self, String> {
        Ok(match matches {
            Matches::Equals(text) => Self::Equals(Words::new(text)),
            Matches::Contains(text) => Self::Contains(Words::new(text)),
            Matches::Exists => Self::Exists,
            Matches::Regex(text) => Self::Matches(
                regex::RegexBuilder::new(text)
                    .size_limit(REGEX_SIZE)
                    .build()
                    .map_err(|error| format!("the regular expression '{text}' cannot be used: {error}"))?,
            ),
        })
    }

    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Equals(words) => value == words.meant(),
            Self::Contains(words) => value.contains(words.meant()),
            Self::Matches(regex) => regex.is_match(value),
            Self::Exists => true,
        }
    }

    fn expected(&self) -> String {
        match self {
            Self::Equals(words) => words.written.clone(),
            Self::Contains(words) => format!("contains '{}'", words.written),
            Self::Matches(regex) => format!("matches /{regex}/"),
            Self::Exists => "there".to_owned(),
        }
    }

    fn words(&self) -> Option<&Words> {
        match self {
            Self::Equals(words) | Self::Contains(words) => Some(words),
            Self::Matches(_) | Self::Exists => None,
        }
    }

    fn words_mut(&mut self) -> Option<&mut Words> {
        match self {
            Self::Equals(words) | Self::Contains(words) => Some(words),
            Self::Matches(_) | Self::Exists => None,
        }
    }

    /// Of a value in a body, which may not be there at all.
    fn on_body(&self, what: String, path: &str, value: Option<&str>) -> Expectation {
        let expectation = self.on(what, value);
        let Some(value) = value else { return expectation };
        let seen = self.seen(value).unwrap_or_else(|| seen(path, value, expectation.ok));
        Expectation { seen, ..expectation }
    }

    /// Of a header that may not be there at all. One that is not on the list may hold a session, or name somebody.
    fn on_header(&self, name: &HeaderName, value: Option<&str>) -> Expectation {
        let expectation = self.on(format!("header {name}"), value);
        let Some(value) = value.filter(|_| !transcript::is_listed(name)) else { return expectation };
        let seen = self.seen(value).unwrap_or_else(|| unsaid(value, expectation.ok));
        Expectation { seen, ..expectation }
    }

    /// What is said of a value without saying more than the configuration does.
    fn seen(&self, value: &str) -> Option<String> {
        match self {
            Self::Equals(words) if words.meant() == value => Some(scrubbed(&words.written)),
            Self::Exists => Some("there".to_owned()),
            Self::Equals(_) | Self::Contains(_) | Self::Matches(_) => None,
        }
    }

    /// Of a value that may not be there at all.
    fn on(&self, what: String, value: Option<&str>) -> Expectation {
        Expectation {
            what,
            expected: self.expected(),
            seen: value.map_or_else(|| "nothing".to_owned(), scrubbed),
            ok: value.is_some_and(|value| self.holds(value)),
        }
    }
}

impl Expectations {
    /// Compiles all; says what cannot be compiled.
    #[cfg(test)]
    pub(crate) fn new(expect: &Expect) -> Result<Self, String> {
        Self::sharing(expect, &Schemas::default())
    }

    /// Compiles what is not among these schemas already; says what cannot be compiled.
    pub(crate) fn sharing(expect: &Expect, schemas: &Schemas) -> Result<Self, String> {
        let header = |(name, matches): &(String, Matches)| {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| format!("'{name}' is not the name of a header"))?;
            Ok::<_, String>((name, Test::new(matches)?))
        };
        let json = |(path, matches): &(String, Matches)| {
            Ok::<_, String>((JsonPath::new(path)?, Test::new(matches)?))
        };
        let xpath = |(path, matches): &(String, Matches)| {
            let compiled = XPath::new(path, &expect.namespaces)
                .map_err(|error| format!("the XPath '{path}' cannot be used: {error}"))?;
            Ok::<_, String>((Arc::new(compiled), Test::new(matches)?))
        };
        Ok(Self {
            status: expect.status.clone(),
            headers: expect.headers.iter().map(header).collect::<Result<_, _>>()?,
            json: expect.json.iter().map(json).collect::<Result<_, _>>()?,
            xpath: expect.xpath.iter().map(xpath).collect::<Result<_, _>>()?,
            text: expect.text.iter().map(Test::new).collect::<Result<_, _>>()?,
            size: expect.size.clone(),
            latency: expect.latency,
            contract: expect.contract.as_ref().map(|contract| schemas.ready(contract)).transpose()?,
            certificate_days: expect.certificate_days,
        })
    }

    /// The words of all tests.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter().map(|(_, test)| test);
        let json = self.json.iter().map(|(_, test)| test);
        let xpath = self.xpath.iter().map(|(_, test)| test);
        let tests = headers.chain(json).chain(xpath).chain(&self.text);
        tests.filter_map(Test::words).map(|words| words.written.as_str())
    }

    /// The same with the values of a journey in their places.
    pub(crate) fn filled(&self, values: &Values) -> Self {
        let mut filled = self.clone();
        let headers = filled.headers.iter_mut().map(|(_, test)| test);
        let json = filled.json.iter_mut().map(|(_, test)| test);
        let xpath = filled.xpath.iter_mut().map(|(_, test)| test);
        let tests = headers.chain(json).chain(xpath).chain(&mut filled.text);
        tests.filter_map(Test::words_mut).for_each(|words| words.fill(values));
        filled
    }

    /// Whether this status is a good one.
    pub(crate) fn accepts(&self, status: u16) -> bool {
        let any_of = |all: &[Statuses]| all.iter().any(|statuses| statuses.contain(status));
        if self.status.is_empty() { any_of(&[Statuses::Class(2)]) } else { any_of(&self.status) }
    }

    /// Whether the body must be kept to look into.
    pub(crate) fn look_into_body(&self) -> bool {
        self.look_at_json() || !self.xpath.is_empty() || !self.text.is_empty()
    }

    /// Whether the answer is to be of a media type that is neither JSON nor XML.
    pub(crate) fn names_another_type(&self) -> bool {
        let mut types = self.headers.iter().filter(|(name, _)| *name == header::CONTENT_TYPE);
        let other = |test: &Test| {
            test.words().is_some_and(|words| {
                !["json", "xml", "fhir"].iter().any(|known| words.meant().contains(known))
            })
        };
        types.any(|(_, test)| other(test))
    }

    pub(crate) fn look_at_json(&self) -> bool {
        !self.json.is_empty() || self.contract.is_some()
    }

    pub(crate) fn look_at_xml(&self) -> bool {
        !self.xpath.is_empty()
    }

    pub(crate) fn look_at_size(&self) -> bool {
        self.size.is_some()
    }

    /// On the status.
    pub(crate) fn of_status(&self, status: u16) -> Expectation {
        let expected = if self.status.is_empty() {
            Statuses::Class(2).to_string()
        } else {
            self.status.iter().map(Statuses::to_string).collect::<Vec<_>>().join(", ")
        };
        Expectation {
            what: "status".to_owned(),
            expected,
            seen: status.to_string(),
            ok: self.accepts(status),
        }
    }

    /// On each header.
    pub(crate) fn of_headers<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = Expectation> + 'a {
        self.headers.iter().map(|(name, test)| {
            let mut values =
                headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
            let first = values.next();
            // A header may be sent more than once; one that holds is enough.
            let good = first.iter().cloned().chain(values).find(|value| test.holds(value));
            test.on_header(name, good.or(first).as_deref())
        })
    }

    /// On the first value that each JSONPath finds; or why the body is no JSON.
    pub(crate) fn of_json<'a>(
        &'a self,
        body: Result<&'a Value, &'a str>,
    ) -> impl Iterator<Item = Expectation> + 'a {
        self.json.iter().map(move |(path, test)| {
            let what = format!("json {path}");
            let body = match body {
                Ok(body) => body,
                Err(why) => {
                    return Expectation { what, expected: test.expected(), seen: why.to_owned(), ok: false };
                }
            };
            let at = path.to_string();
            match path.first(body) {
                Some(Value::String(text)) => test.on_body(what, &at, Some(text)),
                // What is in it may be about somebody, whatever leads to it.
                Some(value @ (Value::Object(_) | Value::Array(_))) => {
                    let kind = if value.is_object() { "an object" } else { "a list" };
                    Expectation { seen: kind.to_owned(), ..test.on(what, Some(&value.to_string())) }
                }
                Some(value) => test.on_body(what, &at, Some(&value.to_string())),
                None => test.on_body(what, &at, None),
            }
        })
    }

    /// On the schema that the body is held against; or why the body is no JSON.
    pub(crate) fn of_contract(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: Result<&Value, &str>,
    ) -> Option<Expectation> {
        self.contract.as_ref().map(|held| held.of_body(status, headers, body))
    }

    /// On what each XPath finds; `None` or an error where the body is no XML.
    pub(crate) fn of_xpath<'a>(
        &'a self,
        body: Option<&'a Result<Xml<'a>, String>>,
    ) -> impl Iterator<Item = Expectation> + 'a {
        self.xpath.iter().map(move |(path, test)| {
            let what = format!("xpath {}", path.expression());
            let found = match body {
                None => Err("not XML".to_owned()),
                Some(Err(why)) => Err(why.clone()),
                Some(Ok(xml)) => xml.value(path),
            };
            match found {
                Ok(value) => test.on_body(what, path.expression(), value.as_deref()),
                Err(seen) => Expectation { what, expected: test.expected(), seen, ok: false },
            }
        })
    }

    /// On the size of the body, in bytes.
    pub(crate) fn of_size(&self, size: u64) -> Option<Expectation> {
        let wanted = self.size.as_ref()?;
        let expected = match (*wanted.start(), *wanted.end()) {
            (0, most) => format!("at most {most} bytes"),
            (least, u64::MAX) => format!("at least {least} bytes"),
            (least, most) => format!("{least} to {most} bytes"),
        };
        let seen = format!("{size} bytes");
        Some(Expectation { what: "size".to_owned(), expected, seen, ok: wanted.contains(&size) })
    }

    /// On the time that the answer took.
    pub(crate) fn of_latency(&self, took: Duration) -> Option<Expectation> {
        let limit = self.latency?;
        Some(Expectation {
            what: "latency".to_owned(),
            expected: format!("at most {} ms", limit.as_millis()),
            seen: format!("{} ms", took.as_millis()),
            ok: took <= limit,
        })
    }

    /// On the body as text.
    pub(crate) fn of_text<'a>(&'a self, body: &'a str) -> impl Iterator<Item = Expectation> + 'a {
        self.text.iter().map(move |test| {
            let ok = match test {
                Test::Exists => !body.is_empty(),
                Test::Equals(words) => body.trim() == words.meant().trim(),
                Test::Contains(_) | Test::Matches(_) => test.holds(body),
            };
            // Never the text itself: a body may be about a patient.
            let seen = if ok { "so it is".to_owned() } else { format!("not so, in {} bytes", body.len()) };
            Expectation { what: "text".to_owned(), expected: test.expected(), seen, ok }
        })
    }
}
