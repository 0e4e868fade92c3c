//! Values that a journey takes from an answer, to use them in the steps that follow.

use crate::{
    answer,
    expectation::REGEX_SIZE,
    fill::Values,
    json_path::JsonPath,
    multipart,
    xml::{self, XPath, Xml},
};
use domain::{Capture, Failure, FailureKind, Journey, Layer, Source};
use hyper::header::{HeaderMap, HeaderName};
use regex::Regex;
use serde_json::Value;

/// What is taken from one answer, compiled.
#[derive(Debug)]
pub(crate) struct Captures(Vec<One>);

#[derive(Debug)]
struct One {
    name: String,
    /// As messages name the place where it is found.
    words: String,
    place: Place,
    regex: Option<Regex>,
}

#[derive(Debug)]
enum Place {
    Json(JsonPath),
    XPath(XPath),
    Header(HeaderName),
}

impl Captures {
    /// Compiles; says what cannot be compiled.
    pub(crate) fn new(captures: &[Capture]) -> Result<Self, String> {
        captures.iter().map(One::new).collect::<Result<_, _>>().map(Self)
    }

    /// Whether no value is taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the body must be kept to look into.
    pub(crate) fn look_into_body(&self) -> bool {
        self.0.iter().any(|one| !matches!(one.place, Place::Header(_)))
    }

    /// Whether a value of this name is one of them.
    pub(crate) fn take_one_named(&self, name: &str) -> bool {
        self.0.iter().any(|one| one.name == name)
    }

    /// Takes what is there; what is not there first is the failure.
    pub(crate) fn take(&self, headers: &HeaderMap, body: &[u8], values: &mut Values) -> Result<(), Failure> {
        let any = |wanted: fn(&Place) -> bool| self.0.iter().any(|one| wanted(&one.place));
        let json = any(|place| matches!(place, Place::Json(_))).then(|| answer::parsed(body));
        let text = any(|place| matches!(place, Place::XPath(_)))
            .then(|| xml::text(multipart::document(headers, body)));
        let xml = text.as_ref().map(|text| Xml::parse(text));
        let mut taken = Ok(());
        for one in &self.0 {
            let found = match &one.place {
                Place::Header(name) => one.in_header(headers, name),
                Place::Json(path) => one.in_json(json.as_ref(), path),
                Place::XPath(path) => one.in_xml(xml.as_ref(), path),
            };
            match found.and_then(|found| one.meant(&found)) {
                Ok(value) => values.insert(&one.name, value),
                Err(why) => taken = taken.and_then(|()| Err(one.not_taken(&why))),
            }
        }
        taken
    }
}

impl One {
    fn new(Capture { name, source, regex }: &Capture) -> Result<Self, String> {
        let place = match source {
            Source::Json(path) => Place::Json(JsonPath::new(path)?),
            Source::XPath(path, namespaces) => Place::XPath(
                XPath::new(path, namespaces)
                    .map_err(|error| format!("the XPath '{path}' cannot be used: {error}"))?,
            ),
            Source::Header(name) => Place::Header(
                HeaderName::try_from(name.as_str())
                    .map_err(|_| format!("'{name}' is not the name of a header"))?,
            ),
        };
        let compiled = |text: &String| {
            let built = regex::RegexBuilder::new(text).size_limit(REGEX_SIZE).build();
            built.map_err(|error| format!("the regular expression '{text}' cannot be used: {error}"))
        };
        let regex = regex.as_ref().map(compiled).transpose()?;
        Ok(Self { name: name.clone(), words: source.words(), place, regex })
    }

    fn nothing(&self) -> String {
        format!("nothing at {}", self.words)
    }

    fn in_header(&self, headers: &HeaderMap, name: &HeaderName) -> Result<String, String> {
        let value = headers.get(name).ok_or_else(|| self.nothing())?;
        std::str::from_utf8(value.as_bytes())
            .map(str::to_owned)
            .map_err(|_| format!("{} is no text", self.words))
    }

    fn in_json(&self, json: Option<&Result<Value, &str>>, path: &JsonPath) -> Result<String, String> {
        let body = match json {
            Some(Ok(body)) => body,
            Some(Err(why)) => return Err(format!("the answer is {why}")),
            None => return Err(self.nothing()),
        };
        match path.first(body) {
            None => Err(self.nothing()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
                Err(format!("no text and no number at {}", self.words))
            }
        }
    }

    fn in_xml(&self, xml: Option<&Result<Xml<'_>, String>>, path: &XPath) -> Result<String, String> {
        match xml {
            Some(Ok(xml)) => xml.value(path)?.ok_or_else(|| self.nothing()),
            Some(Err(why)) => Err(format!("the answer is not XML to be looked into: {why}")),
            None => Err(self.nothing()),
        }
    }

    /// What of the value is meant, if it can be sent on.
    fn meant(&self, found: &str) -> Result<String, String> {
        let meant = match &self.regex {
            None => found,
            Some(regex) => {
                let groups = regex
                    .captures(found)
                    .ok_or_else(|| format!("/{regex}/ does not match {}", self.words))?;
                groups.get(1).or_else(|| groups.get(0)).map_or("", |group| group.as_str())
            }
        };
        let longest = Journey::LONGEST_VALUE;
        if meant.trim().is_empty() {
            return Err(self.nothing());
        }
        if meant.len() > longest {
            return Err(format!("{} is longer than {longest} bytes", self.words));
        }
        if meant.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')) {
            return Err(format!("{} holds a control character", self.words));
        }
        Ok(meant.to_owned())
    }

    fn not_taken(&self, why: &str) -> Failure {
        Failure {
            layer: Layer::Contract,
            kind: FailureKind::ExpectationFailed,
            message: format!("'{}' cannot be captured: {why}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn taken(source: Source, regex: Option<&str>, body: &str) -> Result<String, String> {
        let capture = Capture { name: "it".to_owned(), source, regex: regex.map(str::to_owned) };
        let mut headers = HeaderMap::new();
        headers.insert("location", HeaderValue::from_static("/fhir/Appointment/a-1/_history/2"));
        headers.insert("etag", HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        let mut values = Values::new("id");
        let captures = Captures::new(&[capture]).unwrap();
        match captures.take(&headers, body.as_bytes(), &mut values) {
            Ok(()) => Ok(values.get("it").unwrap().to_owned()),
            Err(failure) => {
                assert_eq!((failure.layer, failure.kind), (Layer::Contract, FailureKind::ExpectationFailed));
                assert!(values.get("it").is_none());
                Err(failure.message.strip_prefix("'it' cannot be captured: ").unwrap().to_owned())
            }
        }
    }

    fn json(path: &str) -> Source {
        Source::Json(path.to_owned())
    }

    #[test]
    fn a_value_is_found_in_json_in_xml_and_in_a_header() {
        let body = r#"{"entry":[{"id":"a-1"},{"id":"a-2"}],"total":3,"ok":true}"#;
        assert_eq!(taken(json("$.entry[*].id"), None, body).unwrap(), "a-1", "the first");
        assert_eq!(taken(json("$.total"), None, body).unwrap(), "3");
        assert_eq!(taken(json("$.ok"), None, body).unwrap(), "true");
        let names = vec![("u".to_owned(), "urn:a".to_owned())];
        let xml = "<a xmlns='urn:a'><b c='x'>ŵy</b></a>";
        assert_eq!(taken(Source::XPath("//u:b".to_owned(), names.clone()), None, xml).unwrap(), "ŵy");
        assert_eq!(taken(Source::XPath("string(//u:b/@c)".to_owned(), names), None, xml).unwrap(), "x");
        let header = || Source::Header("location".to_owned());
        assert_eq!(taken(header(), Some("Appointment/([^/]+)"), "").unwrap(), "a-1");
        assert_eq!(taken(header(), Some("/fhir/[A-Z]"), "").unwrap(), "/fhir/A", "all that it matches");
    }

    #[test]
    fn what_is_not_there_is_said_with_its_place_and_never_with_what_is_there() {
        let secret = "ZZ-JONES";
        let body =
            format!(r#"{{"name":"{secret}","list":["{secret}"],"no":null,"none":"","line":"{secret}\n"}}"#);
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(Journey::LONGEST_VALUE + 1));
        for (found, why) in [
            (taken(json("$.id"), None, &body), "nothing at json $.id"),
            (taken(json("$.none"), None, &body), "nothing at json $.none"),
            (taken(json("$.list"), None, &body), "no text and no number at json $.list"),
            (taken(json("$.no"), None, &body), "no text and no number at json $.no"),
            (taken(json("$.line"), None, &body), "json $.line holds a control character"),
            (taken(json("$.name"), Some("^[0-9]+$"), &body), "/^[0-9]+$/ does not match json $.name"),
            (taken(json("$.a"), None, &long), "json $.a is longer than 1024 bytes"),
            (taken(json("$.a"), None, "<a/>"), "the answer is not JSON"),
            (taken(Source::XPath("//c".to_owned(), vec![]), None, "<a/>"), "nothing at xpath //c"),
            (
                taken(Source::XPath("//c".to_owned(), vec![]), None, "{}"),
                "the answer is not XML to be looked into: not XML",
            ),
            (taken(Source::Header("x-id".to_owned()), None, ""), "nothing at header x-id"),
            (taken(Source::Header("etag".to_owned()), None, ""), "header etag is no text"),
        ] {
            let said = found.unwrap_err();
            assert_eq!(said, why);
            assert!(!said.contains(secret));
        }
    }
}
