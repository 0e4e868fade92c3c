//! The line that a problem is about, as it may be shown: what is, or may be, a secret or a person's number is struck out.

use super::{
    credential_name,
    problem::{Place, Problem},
    tree::{Node, Value},
};
use domain::may_be_a_patients;
use regex::Regex;
use std::{ops::Range, sync::LazyLock};

/// Widest line shown, in characters.
const WIDTH: usize = 96;

/// What stands for what is not shown, however long that is.
const STRUCK: &str = "•••";

/// Words that name a secret, here or elsewhere. Whoever misspells one has written a secret all the same.
const SECRET_WORDS: [&str; 19] = [
    "api_key",
    "apikey",
    "x-api-key",
    "authorization",
    "proxy-authorization",
    "callback_token",
    "client_secret",
    "cookie",
    "credentials",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "pwd",
    "password",
    "private_key",
    "secret",
    "secret_before",
    "token",
];

/// Sections in which secrets stand: there only the values of these keys are shown.
const WITH_SECRETS: [(&str, &[&str]); 11] = [
    ("api_key", &["header"]),
    ("auth", &[]),
    ("basic", &["user"]),
    ("dead_man", &["every"]),
    ("jwt_bearer", &["kid", "algorithm"]),
    ("mail", &["host", "port", "tls", "user", "from"]),
    ("mtls", &[]),
    ("notify", &["url", "text_template", "email_template", "prefix", "sms_sender_id"]),
    ("oauth2", &["client_id", "token_url", "scope", "audience"]),
    ("people", &["name", "email", "language"]),
    ("private_key_jwt", &["kid", "algorithm"]),
];

/// Keys of curiad.yaml whose values are shown although the file could not be read, so that any word may be a secret.
const HARMLESS: [&str; 40] = [
    "http",
    "https",
    "after",
    "by",
    "call",
    "callout",
    "calls_out",
    "confirm",
    "cron",
    "cy",
    "declare",
    "degraded",
    "en",
    "every",
    "fail",
    "for",
    "hand_over",
    "hold",
    "holidays",
    "hours",
    "in_hours",
    "language",
    "last_resort",
    "layers",
    "name",
    "out_of_hours",
    "people",
    "publish",
    "recover",
    "repeat",
    "resolve",
    "same",
    "service_desk",
    "steps",
    "tell",
    "ticket",
    "time_zone",
    "visibility",
    "weekly",
    "when",
];

/// A line of a file, and which of its characters a problem is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// One line.
    pub text: String,
    /// Characters before it.
    pub from: usize,
    /// At least one.
    pub length: usize,
}

/// A file's text, and where in it are values that are not shown.
pub(super) struct Source {
    lines: Vec<String>,
    hidden: Vec<Place>,
    kind: Kind,
    /// It is YAML.
    understood: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// curiad.yaml, where most secrets are.
    Top,
    Api,
}

impl Source {
    /// `tree` is what was read of the text; `None`: it is not YAML, so that any line may hold anything.
    pub(super) fn new(name: &str, text: &str, tree: Option<&Node>) -> Self {
        let kind = if name.ends_with("curiad.yaml") { Kind::Top } else { Kind::Api };
        let mut hidden = Vec::new();
        if let Some(node) = tree {
            find_hidden(node, (kind, 0), None, false, &mut hidden);
        }
        Self { lines: text.lines().map(str::to_owned).collect(), hidden, kind, understood: tree.is_some() }
    }

    /// The line of `problem`, if it is about one.
    pub(super) fn excerpt(&self, problem: &Problem) -> Option<Excerpt> {
        let (number, column) = (problem.line?, problem.column?);
        let line: Vec<char> = self.lines.get(number.checked_sub(1)?)?.trim_end().chars().collect();
        if line.is_empty() {
            return None;
        }
        let text: String = line.iter().collect();
        let mut struck = vec![false; line.len()];
        let mut strike = |range: Range<usize>| {
            let end = range.end.min(line.len());
            struck.iter_mut().take(end).skip(range.start).for_each(|struck| *struck = true);
        };
        for place in self.hidden.iter().filter(|place| place.line == number) {
            strike(place.column - 1..if place.end > 0 { place.end - 1 } else { usize::MAX });
        }
        anywhere(&text).into_iter().for_each(&mut strike);
        // A comment may be what somebody took out, whole.
        let comment = line.windows(2).position(|two| matches!(two, [' ' | '\t', '#']));
        if let Some(at) = comment.filter(|_| self.kind == Kind::Top) {
            strike(at + 2..usize::MAX);
        }
        if !self.understood {
            unread(&text, self.kind).into_iter().for_each(&mut strike);
            // Where reading stopped, nobody knows what the rest is.
            if self.kind == Kind::Top {
                let is_word = |c: &&char| c.is_alphanumeric() || matches!(c, '_' | '-');
                let word = line.iter().skip(column - 1).take_while(is_word).count();
                let is_key = line.get(column - 1 + word) == Some(&':');
                strike(if is_key { column - 1 + word } else { column }..usize::MAX);
            }
            if self.is_below_a_secret(number - 1) {
                strike(0..usize::MAX);
            }
        }
        let end = problem.end.unwrap_or(column + 1).max(column + 1);
        Some(cropped(&line, &struck, column - 1..end - 1))
    }

    /// Whether a line, counted from 0, is the continuation of a key that names a secret.
    fn is_below_a_secret(&self, line: usize) -> bool {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let mut depth = self.lines.get(line).map_or(0, |line| indent(line));
        for above in self.lines.iter().take(line).rev().filter(|above| !above.trim().is_empty()) {
            let word = above.trim().split(':').next().unwrap_or_default();
            if indent(above) < depth || depth == 0 {
                if names_a_secret(word.trim_matches(['"', '\'', '-', ' ', '{'])) {
                    return true;
                }
                depth = indent(above);
            }
            if depth == 0 {
                return false;
            }
        }
        false
    }
}

/// Whether a key means a secret, perhaps misspelt.
fn names_a_secret(word: &str) -> bool {
    if credential_name::is_one(word, "") {
        return true;
    }
    let word = word.to_lowercase();
    let length = word.chars().count();
    // A change of length is as many changes at least; and each key of each file is asked about.
    let near = |secret: &str| {
        secret.len().abs_diff(length) <= length / 3
            && strsim::damerau_levenshtein(secret, &word) <= length / 3
    };
    SECRET_WORDS.into_iter().any(near)
}

fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

/// In a section with secrets: the keys whose values are shown.
type Shown = Option<&'static [&'static str]>;

/// Finds the values that are not shown.
fn find_hidden(
    node: &Node,
    (kind, depth): (Kind, usize),
    shown: Shown,
    secret: bool,
    hidden: &mut Vec<Place>,
) {
    match &node.value {
        Value::Nothing => {}
        Value::Word { text, .. } => {
            if secret && !is_reference(text) && !text.starts_with("sqlite:") {
                hidden.push(node.place.clone());
            }
        }
        Value::List(items) => {
            for item in items {
                find_hidden(item, (kind, depth + 1), shown, secret, hidden);
            }
        }
        Value::Map(entries) => {
            for (key, value) in entries.iter().chain(&node.twice) {
                let word = key.word.as_str();
                if shown.is_some() && matches!(value.value, Value::Nothing) && !names_a_secret(word) {
                    hidden.push(key.place.clone());
                }
                // A key that is lost was perhaps that of a secret, whatever the rest of its line is taken for.
                if word.is_empty() {
                    hidden.push(Place { end: 0, ..key.place.clone() });
                }
                if key.name() != word && (shown.is_some() || names_a_secret(key.name())) {
                    let column = key.place.column + key.name().chars().count();
                    hidden.push(Place { column, ..key.place.clone() });
                }
                // A rota has people, too: those are names.
                let known = |section: &str| section == word && (word != "people" || depth == 0);
                let section =
                    WITH_SECRETS.iter().find(|(section, _)| known(section)).map(|(_, shown)| *shown);
                // What stands below the name of a secret says where it is, or is it.
                let within = section.or(if names_a_secret(word) { Some(&[]) } else { shown });
                let scalar = value.as_word().is_some();
                // A URL's query may hold a secret.
                let query = value.as_word().is_some_and(|text| text.contains('?'));
                let kept = shown.is_some_and(|shown| shown.contains(&word)) && !query;
                let number = kind == Kind::Top && matches!(word, "text" | "voice" | "database");
                // A key that is lost was perhaps that of a secret.
                let lost = word.is_empty();
                let secret =
                    secret || number || lost || names_a_secret(word) || (shown.is_some() && scalar && !kept);
                find_hidden(value, (kind, depth + 1), within, secret && !kept, hidden);
            }
        }
    }
}

/// What is struck out wherever it stands: credentials in a URL and in a path's query, all of a URL's query, telephone numbers, what may be a patient's number.
fn anywhere(line: &str) -> Vec<Range<usize>> {
    static CREDENTIAL: Pattern = LazyLock::new(|| Regex::new(r"://([^/\s]+)@").ok());
    static TELEPHONE: Pattern = LazyLock::new(|| Regex::new(r"(\+\d{8,15})").ok());
    static DIGITS: Pattern = LazyLock::new(|| Regex::new(r"(\d[\d %+-]*\d)").ok());
    static QUERY: Pattern = LazyLock::new(|| Regex::new(r#"://[^\s"'?]*\?([^\s"'}]+)"#).ok());
    let mut found = matches(line, &CREDENTIAL);
    found.extend(matches(line, &QUERY));
    found.extend(in_queries(line));
    found.extend(matches(line, &TELEPHONE));
    if may_be_a_patients(line) {
        found.extend(matches(line, &DIGITS));
    }
    found
}

/// The values of credentials in the query of a path.
fn in_queries(line: &str) -> Vec<Range<usize>> {
    static PAIR: Pattern = LazyLock::new(|| Regex::new(r#"[?&]([\w.%-]+)=([^\s"'&}]+)"#).ok());
    let Some(pair) = PAIR.as_ref() else { return std::iter::once(0..usize::MAX).collect() };
    let count = |bytes: usize| line.get(..bytes).unwrap_or_default().chars().count();
    let values = pair.captures_iter(line).filter_map(|captures| {
        let (name, value) = (captures.get(1)?, captures.get(2)?);
        credential_name::is_one(name.as_str(), value.as_str()).then_some(value)
    });
    values.map(|value| count(value.start())..count(value.end())).collect()
}

/// What is struck out of a line that could not be read: the value of everything that may name a secret.
fn unread(line: &str, kind: Kind) -> Vec<Range<usize>> {
    static KEY: Pattern = LazyLock::new(|| Regex::new(r"([\w-]*)[^\w\s:]*\s*:\s*").ok());
    let Some(key) = KEY.as_ref() else { return std::iter::once(0..usize::MAX).collect() };
    let count = |bytes: usize| line.get(..bytes).unwrap_or_default().chars().count();
    let mut found = Vec::new();
    for captures in key.captures_iter(line) {
        let (Some(whole), Some(word)) = (captures.get(0), captures.get(1)) else { continue };
        let value = line.get(whole.end()..).unwrap_or_default();
        if value.starts_with(['{', '[']) {
            if names_a_secret(word.as_str())
                && !value.contains("from: env:")
                && !value.contains("from: file:")
            {
                found.push(count(whole.end())..usize::MAX);
            }
            continue;
        }
        let ends = value.find([',', '}']).filter(|_| line.contains('{')).unwrap_or(value.len());
        let bare = value.get(..ends).unwrap_or_default().trim().trim_matches(['"', '\'']);
        let word = word.as_str();
        let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let harmless = digits || HARMLESS.contains(&word);
        let may_be_one = names_a_secret(word) || (kind == Kind::Top && !harmless);
        if may_be_one && !is_reference(bare) {
            found.push(count(whole.end())..usize::MAX);
        }
    }
    found
}

/// Compiled once; nothing is shown where it could not be.
type Pattern = LazyLock<Option<Regex>>;

/// Where the first group of `pattern` is, in characters.
fn matches(line: &str, pattern: &Pattern) -> Vec<Range<usize>> {
    let Some(pattern) = pattern.as_ref() else { return std::iter::once(0..usize::MAX).collect() };
    let count = |bytes: usize| line.get(..bytes).unwrap_or_default().chars().count();
    let groups = pattern.captures_iter(line).filter_map(|captures| captures.get(1));
    groups.map(|group| count(group.start())..count(group.end())).collect()
}

/// The line without what is struck out, cut to fit around what it is about.
fn cropped(line: &[char], struck: &[bool], about: Range<usize>) -> Excerpt {
    let (mut shown, mut from, mut to) = (Vec::new(), None, None);
    let mut before = false;
    for (at, (c, struck)) in line.iter().zip(struck).enumerate() {
        if at == about.start {
            from = Some(if *struck && before { shown.len() - STRUCK.chars().count() } else { shown.len() });
        }
        if at == about.end {
            to = Some(shown.len());
        }
        if !*struck {
            shown.push(match c {
                '\t' => '→',
                c if c.is_control() => '\u{fffd}',
                c => *c,
            });
        } else if !before {
            shown.extend(STRUCK.chars());
        }
        before = *struck;
    }
    let from = from.unwrap_or(shown.len());
    let length = to.unwrap_or(shown.len()).saturating_sub(from).max(1);
    // What stands before matters more than what follows: the key is there.
    let start = match (from + length.min(WIDTH / 2) + 2).checked_sub(WIDTH) {
        Some(over) if shown.len() > WIDTH => over,
        Some(_) | None => 0,
    };
    let mut text: String = shown.iter().skip(start).take(WIDTH).collect();
    if shown.len() > start + WIDTH {
        text.push('…');
    }
    if start > 0 {
        text = format!("…{}", text.chars().skip(1).collect::<String>());
    }
    let room = (WIDTH + 1).saturating_sub(from - start).max(1);
    Excerpt { text, from: from - start, length: length.min(room) }
}
