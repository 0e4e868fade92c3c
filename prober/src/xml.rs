//! XML as others send it: parsed within limits, and looked into by XPath 1.0 with namespaces.
//!
//! Refused are a document type (so no entity of its own, no external file, no expansion), what nests deeper than
//! [`DEPTH`], and what is larger than [`SIZE`] or has more tags than [`TAGS`]. An expression visits at most [`VISITS`]
//! nodes. Messages never repeat what was read: it may be about a patient.

use std::borrow::Cow;
use uppsala::{Document, NodeId, Parser, XPathEvaluator, XPathValue, XmlError};

/// Bytes.
const SIZE: usize = 1024 * 1024;

/// Tags, comments and the like: what makes a tree large.
const TAGS: usize = 60_000;

/// Attributes of one element: the parser compares each with each. Counted by their `=` from one `<` to the next, which no
/// trick with quotes escapes.
const ATTRIBUTES: usize = 500;

/// Elements within elements.
const DEPTH: u32 = 100;

/// Nodes that one expression visits.
const VISITS: usize = 200_000;

/// The same while an expression is only tried out.
const TRIAL: &str = "<trial/>";

/// The text of a document: UTF-16 with the mark that it must have, UTF-8, or else the one byte a character that older systems
/// write.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => return wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return wide(rest, u16::from_be_bytes),
        _ => {}
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
        Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}

/// Text in UTF-16; half of a character at its end is none.
fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'_, str> {
    let (units, left) = bytes.as_chunks::<2>();
    let units = units.iter().map(|pair| unit(*pair));
    let text = char::decode_utf16(units).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER));
    text.chain(left.first().map(|_| char::REPLACEMENT_CHARACTER)).collect()
}

/// A document that could be read.
#[derive(Debug)]
pub(crate) struct Xml<'t>(Document<'t>);

impl<'t> Xml<'t> {
    /// Reads a document.
    pub(crate) fn parse(text: &'t str) -> Result<Self, String> {
        if text.len() > SIZE {
            return Err(format!("larger than {} KiB", SIZE / 1024));
        }
        let (mut tags, mut attributes) = (0, 0);
        for byte in text.bytes() {
            match byte {
                b'<' => (tags, attributes) = (tags + 1, 0),
                b'=' => attributes += 1,
                _ => {}
            }
            if tags > TAGS {
                return Err(format!("more than {TAGS} tags"));
            }
            if attributes > ATTRIBUTES {
                return Err(format!("more than {ATTRIBUTES} attributes, or '=', from one tag to the next"));
            }
        }
        if !text.trim_start().starts_with('<') {
            return Err("not XML".to_owned());
        }
        let parser = Parser::new().with_forbid_dtd(true).with_max_depth(DEPTH);
        match parser.parse(text) {
            Ok(mut document) => {
                document.prepare_xpath();
                Ok(Self(document))
            }
            Err(_) if text.contains("<!DOCTYPE") => {
                Err("it may not have a document type (<!DOCTYPE …>)".to_owned())
            }
            Err(error) => Err(not_well_formed(&error)),
        }
    }

    /// The root element's namespace and name.
    pub(crate) fn root(&self) -> Option<(&str, &str)> {
        self.name(self.0.document_element()?)
    }

    /// The first child element of this name along each step from the root element.
    pub(crate) fn find(&self, path: &[(&str, &str)]) -> Option<NodeId> {
        let mut at = self.0.document_element()?;
        for step in path {
            at = self.children(at).find(|child| self.name(*child) == Some(*step))?;
        }
        Some(at)
    }

    /// A child element by its name in any namespace.
    pub(crate) fn child(&self, of: NodeId, local: &str) -> Option<NodeId> {
        self.children(of).find(|child| self.name(*child).is_some_and(|(_, name)| name == local))
    }

    /// The child elements of this name, in any namespace.
    pub(crate) fn all(&self, of: NodeId, local: &str) -> impl Iterator<Item = NodeId> {
        self.children(of).filter(move |child| self.name(*child).is_some_and(|(_, name)| name == local))
    }

    /// An attribute of an element.
    pub(crate) fn attribute(&self, of: NodeId, local: &str) -> Option<&str> {
        self.0.element(of)?.get_attribute(local)
    }

    /// All the text in a node.
    pub(crate) fn text_of(&self, node: NodeId) -> String {
        self.0.text_content_deep(node)
    }

    fn children(&self, of: NodeId) -> impl Iterator<Item = NodeId> {
        self.0.children_iter(of)
    }

    fn name(&self, node: NodeId) -> Option<(&str, &str)> {
        let name = &self.0.element(node)?.name;
        Some((name.namespace_uri.as_deref().unwrap_or_default(), name.local_name.as_ref()))
    }

    /// What an expression finds, as text: of nodes, the first; `None` where there is none.
    pub(crate) fn value(&self, xpath: &XPath) -> Result<Option<String>, String> {
        let found = xpath.evaluator.evaluate(&self.0, self.0.root(), &xpath.expression);
        let found = found.map_err(|error| problem(&error))?;
        Ok(match &found {
            XPathValue::NodeSet(nodes) => {
                let first = nodes.first();
                first.map(|node| XPathValue::NodeSet(vec![*node]).to_string_value(&self.0))
            }
            XPathValue::Boolean(_) | XPathValue::Number(_) | XPathValue::String(_) => {
                Some(found.to_string_value(&self.0))
            }
        })
    }
}

/// An expression with its namespaces, tried out.
pub(crate) struct XPath {
    expression: String,
    evaluator: XPathEvaluator,
}

impl std::fmt::Debug for XPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("XPath").field(&self.expression).finish()
    }
}

impl XPath {
    /// Compiles an expression; says what is wrong with it.
    pub(crate) fn new(expression: &str, namespaces: &[(String, String)]) -> Result<Self, String> {
        let mut evaluator = XPathEvaluator::new().with_max_node_visits(VISITS);
        names_are_known(expression, namespaces)?;
        for (prefix, namespace) in namespaces {
            evaluator.add_namespace(prefix.clone(), namespace.clone());
        }
        let xpath = Self { expression: expression.to_owned(), evaluator };
        Xml::parse(TRIAL)?.value(&xpath)?;
        Ok(xpath)
    }

    /// As it was written.
    pub(crate) fn expression(&self) -> &str {
        &self.expression
    }
}

/// Whether an expression can be used with these namespaces, and if not, why.
pub fn check_xpath(expression: &str, namespaces: &[(String, String)]) -> Result<(), String> {
    XPath::new(expression, namespaces).map(drop)
}

/// XPath's functions and node tests: what may stand before a bracket.
const FUNCTIONS: [&str; 35] = [
    "last",
    "position",
    "count",
    "id",
    "local-name",
    "namespace-uri",
    "name",
    "string",
    "concat",
    "starts-with",
    "contains",
    "substring-before",
    "substring-after",
    "substring",
    "string-length",
    "normalize-space",
    "translate",
    "boolean",
    "not",
    "true",
    "false",
    "lang",
    "number",
    "sum",
    "floor",
    "ceiling",
    "round",
    "text",
    "node",
    "comment",
    "processing-instruction",
    "and",
    "or",
    "mod",
    "div",
];

/// Whether every prefix is bound and every function there is: an expression that is tried out where it finds nothing does
/// not come so far as to tell.
fn names_are_known(expression: &str, namespaces: &[(String, String)]) -> Result<(), String> {
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if matches!(first, '"' | '\'') {
            let inside = rest.get(1..).unwrap_or_default();
            let (_, after) = inside.split_once(first).ok_or("a quote is not closed")?;
            rest = after;
        } else if first.is_alphabetic() || first == '_' {
            let (name, after) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
            if after.starts_with(':') && !after.starts_with("::") {
                if name != "xml" && !namespaces.iter().any(|(prefix, _)| prefix == name) {
                    return Err(format!("the prefix '{name}' is not among its namespaces"));
                }
            } else if after.trim_start().starts_with('(') && !FUNCTIONS.contains(&name) {
                return Err(format!("XPath 1.0 has no function '{name}'"));
            }
            rest = after;
        } else if first == '$' {
            return Err("there are no variables".to_owned());
        } else {
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    Ok(())
}

/// What is wrong with an expression, which is our own.
fn problem(error: &XmlError) -> String {
    match error {
        XmlError::XPath(error) => error.message.clone(),
        XmlError::Parse(_)
        | XmlError::UnexpectedEof
        | XmlError::WellFormedness(_)
        | XmlError::Namespace(_)
        | XmlError::Validation(_) => "it cannot be evaluated".to_owned(),
    }
}

fn not_well_formed(error: &XmlError) -> String {
    let (line, column) = match error {
        XmlError::Parse(error) => (error.line, error.column),
        XmlError::WellFormedness(error) => (error.line, error.column),
        XmlError::Namespace(error) => (error.line, error.column),
        XmlError::UnexpectedEof | XmlError::XPath(_) | XmlError::Validation(_) => {
            return "not well-formed XML".to_owned();
        }
    };
    format!("not well-formed XML at line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_in_utf_16_by_its_mark_in_utf_8_or_byte_by_byte() {
        let written = "<?xml version=\"1.0\" encoding=\"utf-16\"?><tŷ>𝄞</tŷ>";
        let wide = |to_bytes: fn(u16) -> [u8; 2]| {
            format!("\u{feff}{written}").encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>()
        };
        let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
        let marked = format!("\u{feff}{written}");
        for bytes in [little.as_slice(), big.as_slice(), written.as_bytes(), marked.as_bytes()] {
            let text = text(bytes);
            assert_eq!(text, written);
            assert_eq!(Xml::parse(&text).unwrap().root(), Some(("", "tŷ")));
        }
        assert_eq!(text(b"<a>t\xea</a>"), "<a>tê</a>");
        assert!(Xml::parse(&text(&little[..little.len() - 1])).is_err(), "half of its last character");
        assert_eq!(text(b"\xff\xfe\x00\xd8"), "\u{fffd}");
    }
}
