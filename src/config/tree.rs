//! A file of YAML as a tree in which every word knows its place.
//!
//! Strict on purpose: a key given twice is an error, words keep the style they were written in (so that `no`, `012` and
//! `1_000` can be questioned where they stand), and anchors, aliases and tags are refused: a file says what it says.

use super::{
    marks,
    problem::{Place, Problems, Rank},
};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use std::sync::Arc;

/// Deeper than any configuration, shallower than any stack.
const MAX_DEPTH: usize = 32;

/// A word, a list or a map, and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it begins.
    pub place: Place,
    /// Where the key stands that it belongs to; the same as `place` in a list.
    pub owner: Place,
    /// What it is.
    pub value: Value,
    /// Of a map, what stands under keys that were given before: read by nobody, but it may be a secret.
    pub twice: Vec<(Key, Node)>,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Value {
    /// Nothing at all, `~` or `null`.
    Nothing,
    /// A scalar.
    Word {
        /// As it reads.
        text: String,
        /// Written without quotes.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file; no key twice.
    Map(Vec<(Key, Node)>),
}

impl Node {
    /// The scalar, if it is one.
    pub(super) fn as_word(&self) -> Option<&str> {
        match &self.value {
            Value::Word { text, .. } => Some(text),
            Value::Nothing | Value::List(_) | Value::Map(_) => None,
        }
    }
}

impl Value {
    /// What it is, for a sentence.
    pub(super) const fn noun(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Word { .. } => "a word",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// A key of a map.
#[derive(Debug)]
pub(super) struct Key {
    /// Where it begins.
    pub place: Place,
    /// As it reads.
    pub word: String,
    /// Written without quotes.
    pub plain: bool,
}

impl Key {
    /// As much of it as can be a name. What stands behind it may be a value whose colon or space was forgotten.
    pub(super) fn name(&self) -> &str {
        let ends = self.word.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'));
        ends.filter(|ends| *ends > 0).and_then(|ends| self.word.get(..ends)).unwrap_or(&self.word)
    }
}

/// What is being put together: a list, or a map whose last key may still want its value.
enum Open {
    List(Node, Vec<Node>),
    Map(Node, Vec<(Key, Node)>, Option<Key>),
}

/// Reads one file. `None` when it is not YAML or is empty, which is then among the problems.
pub(super) fn parse(file: &Arc<str>, text: &str, problems: &mut Problems) -> Option<Node> {
    if let Some((place, message, hint)) = marks::first(file, text) {
        problems.error(Rank::Syntax, &place, message, Some(hint.to_owned()));
        return None;
    }
    let mut builder = Builder { file, problems, open: Vec::new(), root: None };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                if builder.event(event, span).is_break() {
                    return None;
                }
            }
            Err(error) => {
                let place = builder.place(*error.marker());
                let line = text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
                let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
                let hint = match error.info() {
                    info if indent.contains('\t') || info.contains("a tab") || info.contains("tabs") => {
                        "indent with spaces: YAML refuses tabs"
                    }
                    info if info.contains("mapping values") => {
                        "text with a colon in it is written in quotes; or the indent is another than above"
                    }
                    info if info.contains("quoted scalar") => "close the quote",
                    info if info.contains("anchor") => "anchors and aliases ('&' and '*') are not used here",
                    _ => "look at this line and the one above: an indent, a quote or a bracket",
                };
                let message = format!("this is not YAML: {}", error.info());
                builder.problems.error(Rank::Syntax, &place, message, Some(hint.to_owned()));
                return None;
            }
        }
    }
    let root = builder.root;
    if root.as_ref().is_none_or(|root| matches!(root.value, Value::Nothing)) {
        problems.error(Rank::Syntax, &Place::whole(file), "this file is empty", None);
        return None;
    }
    root
}

struct Builder<'a> {
    file: &'a Arc<str>,
    problems: &'a mut Problems,
    open: Vec<Open>,
    root: Option<Node>,
}

type Flow = std::ops::ControlFlow<()>;

impl Builder<'_> {
    fn place(&self, marker: Marker) -> Place {
        Place { file: self.file.clone(), line: marker.line().max(1), column: marker.col() + 1, end: 0 }
    }

    /// Where a word begins, and where it ends when that is on the same line.
    fn stretch(&self, span: Span) -> Place {
        let begins = self.place(span.start);
        let ends_here = span.end.line() == span.start.line() && span.end.col() > span.start.col();
        Place { end: if ends_here { span.end.col() + 1 } else { 0 }, ..begins }
    }

    fn refuse(&mut self, place: &Place, message: &str, hint: &str) -> Flow {
        self.problems.error(Rank::Syntax, place, message, Some(hint.to_owned()));
        Flow::Break(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Flow {
        let place = self.stretch(span);
        let (anchor, tagged) = match &event {
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(anchor, tag)
            | Event::MappingStart(anchor, tag) => (*anchor, tag.is_some()),
            Event::Alias(_) => (1, false),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => (0, false),
        };
        if anchor != 0 {
            return self.refuse(
                &place,
                "anchors and aliases ('&' and '*') are not used here",
                "write it out",
            );
        }
        if tagged {
            return self.refuse(&place, "tags ('!') are not used here", "leave it out, or put it in quotes");
        }
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                return self.refuse(&place, "a file holds one document", "leave out the second '---'");
            }
            Event::Scalar(text, style, ..) => return self.scalar(place, text.into_owned(), style),
            Event::SequenceStart(..) => {
                let place = Place { end: 0, ..place };
                let node = self.node(place, Value::Nothing);
                return self.start(Open::List(node, Vec::new()));
            }
            Event::MappingStart(..) => {
                let place = Place { end: 0, ..place };
                let node = self.node(place, Value::Nothing);
                return self.start(Open::Map(node, Vec::new(), None));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.open.pop() {
                    Some(Open::List(node, items)) => Node { value: Value::List(items), ..node },
                    Some(Open::Map(node, entries, _)) => Node { value: Value::Map(entries), ..node },
                    None => return Flow::Continue(()),
                };
                self.add(node);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::Alias(_) => {}
        }
        Flow::Continue(())
    }

    fn start(&mut self, open: Open) -> Flow {
        let node = match &open {
            Open::List(node, _) | Open::Map(node, ..) => node,
        };
        if self.open.len() >= MAX_DEPTH {
            let place = node.place.clone();
            return self.refuse(&place, "too many levels", "nothing here goes deeper than ten");
        }
        if let Some(Open::Map(_, _, None)) = self.open.last() {
            let place = node.place.clone();
            return self.refuse(
                &place,
                "a key is a word",
                "put it in quotes, if a value such as '{uuid}' was meant",
            );
        }
        self.open.push(open);
        Flow::Continue(())
    }

    fn scalar(&mut self, place: Place, text: String, style: ScalarStyle) -> Flow {
        let plain = style == ScalarStyle::Plain;
        if let Some(Open::Map(_, _, key @ None)) = self.open.last_mut() {
            *key = Some(Key { place, word: text, plain });
            return Flow::Continue(());
        }
        if plain && marks::is_in_curly_quotes(&text) {
            let message = "curly quotes are part of the text to YAML";
            let hint = "write straight ones; or put those around it too, if the curly ones are meant";
            self.problems.error(Rank::Value, &place, message, Some(hint.to_owned()));
        }
        let nothing = plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
        let value = if nothing { Value::Nothing } else { Value::Word { text, plain } };
        let node = self.node(place, value);
        self.add(node);
        Flow::Continue(())
    }

    /// A node under the key that waits for it, if one does.
    fn node(&self, place: Place, value: Value) -> Node {
        let owner = match self.open.last() {
            Some(Open::Map(_, _, Some(key))) => key.place.clone(),
            Some(Open::Map(_, _, None) | Open::List(..)) | None => place.clone(),
        };
        Node { place, owner, value, twice: Vec::new() }
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(map, entries, key)) => {
                let Some(key) = key.take() else { return };
                match entries.iter().find(|(earlier, _)| earlier.word == key.word) {
                    Some((earlier, _)) => {
                        let message = format!("the key '{}' is given twice", key.word);
                        let hint = format!("the first is at line {}", earlier.place.line);
                        self.problems.error(Rank::Shape, &key.place, message, Some(hint));
                        map.twice.push((key, node));
                    }
                    None => entries.push((key, node)),
                }
            }
        }
    }
}
