//! Journeys: several requests over HTTP in a row, as data. What one answers may go into the next.

use crate::{Expect, Failure, Http, HttpRequest, Phases};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};

/// Several requests over HTTP to one instance, one after the other: one Operation, one Outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// In their order, until one fails; from one to [`Journey::MOST_STEPS`].
    pub steps: Vec<Step>,
    /// Sent whatever became of the steps, all of them, but one that needs a value which was not captured; at most
    /// [`Journey::MOST_CLEAN_UP`]. None captures anything.
    pub clean_up: Vec<Step>,
    /// What all of `clean_up` may take together; no part of the check's timeout.
    pub clean_up_timeout: Duration,
}

/// One request of a journey.
///
/// In its path, its body and the values of its headers `{name}` stands for a value that was captured before, and `{uuid}` for
/// the request id; see [`pieces`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name within the journey.
    pub name: String,
    /// What is sent.
    pub request: HttpRequest,
    /// What counts as good.
    pub expect: Expect,
    /// What is taken from the answer.
    pub captures: Vec<Capture>,
    /// It ends here, if the journey does not end sooner; `None`: with the journey.
    pub timeout: Option<Duration>,
}

/// A value that is taken from an answer. It may be about a patient, and is never said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// What stands for it in the steps that follow; see [`Journey::is_name`].
    pub name: String,
    /// Where it is found.
    pub source: Source,
    /// What of it is meant: the first group of this regular expression, or all that it matches; `None`: the whole.
    pub regex: Option<String>,
}

/// Where a value is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// By an RFC 9535 JSONPath: the first value, which is a text, a number, `true` or `false`.
    Json(String),
    /// By an XPath 1.0 expression, with the namespaces of its prefixes: the first node, as text.
    XPath(String, Vec<(String, String)>),
    /// In the first header of this name (lower case).
    Header(String),
}

impl Source {
    /// As messages name it: `json $.id`, `header location`.
    pub fn words(&self) -> String {
        match self {
            Self::Json(path) => format!("json {path}"),
            Self::XPath(path, _) => format!("xpath {path}"),
            Self::Header(name) => format!("header {name}"),
        }
    }
}

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSeen {
    /// Its name.
    pub name: String,
    /// Whether it is one of the clean-up.
    pub clean_up: bool,
    /// Not sent, because of a value that was not captured; `None`: it was sent.
    pub without: Option<String>,
    /// What was wrong, if anything.
    pub failure: Option<Failure>,
    /// What HTTP said, when an answer came.
    pub http: Option<Http>,
    /// How long each phase took.
    pub phases: Phases,
    /// From its start to its verdict.
    pub total: Duration,
}

impl StepSeen {
    /// One that has not begun.
    pub fn new(name: &str, clean_up: bool) -> Self {
        Self {
            name: name.to_owned(),
            clean_up,
            without: None,
            failure: None,
            http: None,
            phases: Phases::default(),
            total: Duration::ZERO,
        }
    }
}

impl Journey {
    /// More are a test suite.
    pub const MOST_STEPS: usize = 10;
    /// More to clean up is more than a probe should make.
    pub const MOST_CLEAN_UP: usize = 5;
    /// Bytes of a captured value.
    pub const LONGEST_VALUE: usize = 1_024;
    /// Stands for the request id wherever a value may stand; no value can be called so.
    pub const UUID: &str = "uuid";

    /// Whether a value can be called so: a–z, then a–z, 0–9 and `_`, at most 32 characters.
    pub fn is_name(word: &str) -> bool {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.len() <= 32 && word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(fits)
    }

    /// In one line, for people.
    pub(crate) fn line(&self) -> String {
        let named = |steps: &[Step]| {
            let one = |step: &Step| format!("{} ({})", step.name, step.request.line());
            steps.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let then = if self.clean_up.is_empty() {
            String::new()
        } else {
            format!("; clean-up: {}", named(&self.clean_up))
        };
        format!("journey: {}{then}", named(&self.steps))
    }

    /// How many requests one probe sends at most, with the redirects that its steps follow.
    pub(crate) fn requests(&self) -> u32 {
        self.steps.iter().chain(&self.clean_up).map(|step| step.request.requests()).sum()
    }

    /// What is asked, as words that are the same only where it is the same: also what a later step is filled with.
    pub(crate) fn words(&self) -> Vec<Cow<'_, str>> {
        let mut words = vec![format!("journey {} {}", self.steps.len(), self.clean_up.len()).into()];
        for step in self.steps.iter().chain(&self.clean_up) {
            // How many words follow, so that no two lists of steps read the same.
            let of_request = step.request.words();
            words.push(format!("step {} {}", of_request.len(), step.captures.len()).into());
            words.extend(of_request);
            for Capture { name, source, regex } in &step.captures {
                words.push(format!("{name} {source:?} {regex:?}").into());
            }
        }
        words
    }
}

/// A part of a text in which values are to be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// As it stands.
    Text(&'t str),
    /// In its place goes the value of this name.
    Value(&'t str),
}

/// Takes apart a text: `{name}` stands for a value where the name is one ([`Journey::is_name`]); any other brace is itself.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut all = Vec::new();
    let (mut begin, mut from) = (0, 0);
    while let Some(open) = text.get(from..).and_then(|rest| rest.find('{')).map(|at| from + at) {
        from = open + 1;
        let inside = text.get(from..).unwrap_or_default();
        let Some(name) = inside.split_once('}').map(|(name, _)| name).filter(|name| Journey::is_name(name))
        else {
            continue;
        };
        all.extend(text.get(begin..open).filter(|text| !text.is_empty()).map(Piece::Text));
        all.push(Piece::Value(name));
        from += name.len() + 1;
        begin = from;
    }
    all.extend(text.get(begin..).filter(|text| !text.is_empty()).map(Piece::Text));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use Piece::{Text, Value};
    use proptest::prelude::*;

    fn step(path: &str) -> Step {
        Step {
            name: "find".to_owned(),
            request: HttpRequest::get(path),
            expect: Expect::default(),
            captures: Vec::new(),
            timeout: None,
        }
    }

    fn journey() -> Journey {
        Journey {
            steps: vec![step("/a"), step("/b")],
            clean_up: vec![step("/c")],
            clean_up_timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_name_in_braces_is_a_value_and_other_braces_are_themselves() {
        for (text, expected) in [
            ("", vec![]),
            ("/a/b", vec![Text("/a/b")]),
            ("/a/{id}", vec![Text("/a/"), Value("id")]),
            ("{id}{id}b", vec![Value("id"), Value("id"), Text("b")]),
            ("{\"a\":\"{the_id2}\"}", vec![Text("{\"a\":\""), Value("the_id2"), Text("\"}")]),
            ("{{id}}", vec![Text("{"), Value("id"), Text("}")]),
            ("{ id } {} {Id} {2} {id", vec![Text("{ id } {} {Id} {2} {id")]),
            ("ŵ{ŵ}{a}", vec![Text("ŵ{ŵ}"), Value("a")]),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn another_step_another_value_or_another_order_is_another_question() {
        let mut all = vec![journey()];
        let mut change = |change: &dyn Fn(&mut Journey)| {
            let mut changed = journey();
            change(&mut changed);
            all.push(changed);
        };
        change(&|journey| journey.steps[1].request.path = "/z".to_owned());
        change(&|journey| journey.steps.swap(0, 1));
        change(&|journey| journey.clean_up.clear());
        change(&|journey| journey.steps[0].request.body = Some("x".to_owned()));
        let moved = |journey: &mut Journey| journey.steps.push(step("/c"));
        change(&|journey| {
            journey.clean_up.clear();
            moved(journey);
        });
        for source in [Source::Json("$.id".to_owned()), Source::Header("location".to_owned())] {
            let capture = Capture { name: "id".to_owned(), source, regex: None };
            change(&|journey| journey.steps[0].captures = vec![capture.clone()]);
        }
        let words: std::collections::BTreeSet<_> = all.iter().map(Journey::words).collect();
        assert_eq!(words.len(), all.len());
        let mut renamed = journey();
        renamed.steps[0].name = "other".to_owned();
        renamed.steps[0].expect.latency = Some(Duration::from_secs(1));
        assert_eq!(renamed.words(), journey().words(), "neither a name nor what is good is asked");
    }

    #[test]
    fn a_line_names_each_step_and_what_it_asks() {
        assert_eq!(journey().line(), "journey: find (GET /a), find (GET /b); clean-up: find (GET /c)");
        assert_eq!(journey().requests(), 3);
        let mut led_on = journey();
        led_on.steps[0].request.redirects.at_most = 2;
        assert_eq!(led_on.requests(), 5, "a redirect that is followed is a request too");
    }

    proptest! {
        #[test]
        fn pieces_put_together_are_the_text(text in "(\\PC|[{}a-z]){0,40}") {
            let whole: String = pieces(&text)
                .into_iter()
                .map(|piece| match piece {
                    Text(text) => text.to_owned(),
                    Value(name) => format!("{{{name}}}"),
                })
                .collect();
            prop_assert_eq!(whole, text);
        }
    }
}
