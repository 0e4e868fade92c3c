//! What the readers of all sections share: the problems so far, the names, the secrets, and how words become values.

use super::{
    asked::Asked,
    names::{Names, Noun},
    nearest::did_you_mean,
    ownership::Used,
    problem::{Place, Problems, Rank},
    secret::{Ending, Secrets},
    stamps::Stamps,
    tree::{Key, Node, Value},
};
use domain::{Expect, Language, NhsNumber};
use jiff::{Timestamp, tz::TimeZone};
use std::{collections::HashSet, ops::RangeInclusive, path::Path, sync::Arc, time::Duration};

/// One reading of a whole configuration.
pub(super) struct Reading<'a> {
    /// What was found wrong so far.
    pub problems: Problems,
    /// What is defined, and what is referred to.
    pub names: Names,
    /// Which secrets this file names.
    pub used: Vec<Used>,
    /// Which secrets end, and when.
    pub ending: Vec<Ending>,
    /// The files beside this one whose texts are sent, and those texts.
    pub sent: Vec<(String, String)>,
    /// What in the operation that is read may be a real person's NHS number, and where it stands.
    pub patients: Vec<(NhsNumber, Place)>,
    /// What the readers asked for.
    pub asked: Asked,
    /// Where secrets come from.
    pub secrets: &'a Secrets,
    /// What answers must be like, each once: it is the same for most operations.
    pub expects: HashSet<Arc<Expect>>,
    /// The files that are read.
    pub stamps: Stamps,
    /// What `file:` paths are relative to.
    pub directory: &'a Path,
    /// The site's, once that is read.
    pub zone: TimeZone,
}

/// What a plain word also means to some reader of YAML.
fn trap(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" | "true" => return Some("true"),
        "n" | "no" | "off" | "false" => return Some("false"),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.chars().any(|c| c.is_ascii_digit())
        && (digits.replace('_', "").parse::<f64>().is_ok()
            || digits.starts_with("0x")
            || digits.starts_with("0o"));
    if number {
        return Some("a number");
    }
    // To YAML 1.1, 22:30 is 1350: a number to the base of 60.
    let mut parts = digits.split(':');
    let first =
        parts.next().is_some_and(|first| first.starts_with(|c| matches!(c, '1'..='9')) && is_number(first));
    let rest = |part: &str| matches!(part.len(), 1 | 2) && part.parse::<u8>().is_ok_and(|number| number < 60);
    (first && digits.contains(':') && parts.all(rest)).then_some("a number to the base of 60")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

/// Ten years in milliseconds.
const LONGEST: u64 = 87_600 * 3_600_000;

/// A time that any length of time can be added to, or taken from.
pub(crate) fn counts_from(text: &str, at: Timestamp) -> Result<Timestamp, String> {
    let year = at.to_zoned(TimeZone::UTC).year();
    if (1900..9000).contains(&year) {
        Ok(at)
    } else {
        Err(format!("'{text}' is not of our time: say a year from 1900 on, before 9000"))
    }
}

/// A length of time: a whole number and one of `ms`, `s`, `m`, `h`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" if digits > 0 => return Err(format!("'{text}' has no unit; write {text}s or {text}ms")),
        _ => return Err(format!("'{text}' is not a duration such as 800ms, 10s, 2m or 1h")),
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)) {
        Some(milliseconds) if milliseconds > LONGEST => Err(format!("'{text}' is longer than ten years")),
        Some(_) if number.len() > 1 && number.starts_with('0') => {
            Err(format!("'{text}' has a zero in front; write {}{unit}", number.trim_start_matches('0')))
        }
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        None => Err(format!("'{text}' is not a duration such as 800ms, 10s, 2m or 1h")),
    }
}

/// A length of time as people would write it here.
pub(crate) fn duration_text(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    match milliseconds {
        0 => "0s".to_owned(),
        ms if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        ms if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        ms if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

impl Reading<'_> {
    /// What was read before and is the same, or this.
    pub(super) fn alike(&mut self, expect: Expect) -> Arc<Expect> {
        if let Some(one) = self.expects.get(&expect) {
            return Arc::clone(one);
        }
        let one = Arc::new(expect);
        self.expects.insert(Arc::clone(&one));
        one
    }

    /// Adds an error about a value.
    pub(super) fn wrong(&mut self, place: &Place, message: impl Into<String>) {
        self.problems.error(Rank::Value, place, message, None);
    }

    fn shape(&mut self, node: &Node, wanted: &str) {
        let message = format!("expected {wanted}, found {}", node.value.noun());
        let place = if matches!(node.value, Value::Nothing) { &node.owner } else { &node.place };
        self.problems.error(Rank::Shape, place, message, None);
    }

    /// The entries of a map.
    pub(super) fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [(Key, Node)]> {
        if let Value::Map(entries) = &node.value {
            return Some(entries);
        }
        self.shape(node, &format!("{what} (a map)"));
        None
    }

    /// The items of a list; `of` names what it is a list of.
    pub(super) fn list<'n>(&mut self, node: &'n Node, of: &str) -> Option<&'n [Node]> {
        if let Value::List(items) = &node.value {
            return Some(items);
        }
        self.shape(node, &format!("a list of {of}"));
        None
    }

    /// The items of a list that may not be empty.
    pub(super) fn list_of_some<'n>(&mut self, node: &'n Node, of: &str) -> Option<&'n [Node]> {
        let items = self.list(node, of)?;
        if items.is_empty() {
            self.wrong(&node.place, format!("this list of {of} is empty"));
            return None;
        }
        Some(items)
    }

    /// A scalar as it reads, and whether it was written without quotes; for values with a syntax of their own.
    pub(super) fn scalar<'n>(&mut self, node: &'n Node, what: &str) -> Option<(&'n str, bool)> {
        if let Value::Word { text, plain } = &node.value {
            return Some((text, *plain));
        }
        self.shape(node, what);
        None
    }

    /// One of the words that `parse` knows.
    pub(super) fn word<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        self.scalar(node, what).map(|(text, _)| text)
    }

    /// Text for people, or for machines: not empty, and not something that YAML may read as another type.
    pub(super) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let (text, plain) = self.scalar(node, what)?;
        if text.trim().is_empty() {
            self.wrong(&node.place, format!("{what} may not be empty"));
            return None;
        }
        // It is shown on terminals and sent in texts and mails.
        if let Some(control) = text.chars().find(|c| c.is_control() && *c != '\n') {
            let code = u32::from(control);
            self.wrong(&node.place, format!("{what} holds a control character, U+{code:04X}: take it out"));
            return None;
        }
        if let Some(other) = trap(text).filter(|_| plain) {
            let message = format!("'{text}' may be read as {other}");
            let hint = Some(format!("where text is meant, write it in quotes: \"{text}\""));
            self.problems.error(Rank::Value, &node.place, message, hint);
            return None;
        }
        Some(text)
    }

    /// The name of something, as the key of a map.
    pub(super) fn name<Id>(
        &mut self,
        key: &Key,
        parse: impl FnOnce(&str) -> Result<Id, domain::IdError>,
    ) -> Option<Id> {
        if let Some(other) = trap(&key.word).filter(|_| key.plain) {
            let message = format!("'{}' may be read as {other}", key.word);
            let hint = Some("choose another name, or write it in quotes".to_owned());
            self.problems.error(Rank::Value, &key.place, message, hint);
            return None;
        }
        match parse(&key.word) {
            Ok(id) => Some(id),
            Err(error) => {
                self.wrong(&key.place, error.to_string());
                None
            }
        }
    }

    /// `true` or `false`, and nothing that only looks like it.
    pub(super) fn boolean(&mut self, node: &Node) -> Option<bool> {
        match self.scalar(node, "true or false")? {
            ("true", true) => Some(true),
            ("false", true) => Some(false),
            (text, _) => {
                let hint = trap(text).filter(|word| matches!(*word, "true" | "false"));
                let hint = hint.map(|word| format!("write {word}"));
                let message = format!("'{text}' is neither true nor false");
                self.problems.error(Rank::Value, &node.place, message, hint);
                None
            }
        }
    }

    /// A whole number within limits.
    pub(super) fn number(&mut self, node: &Node, what: &str, limits: RangeInclusive<u32>) -> Option<u32> {
        self.asked.number(what, *limits.start(), *limits.end());
        let (text, plain) = self.scalar(node, what)?;
        let limit = format!("{what} is a number from {} to {}", limits.start(), limits.end());
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u32>().ok().filter(|number| digits && limits.contains(number));
        match number {
            Some(_) if text.len() > 1 && text.starts_with('0') => {
                let hint = Some(format!("write {}", text.trim_start_matches('0')));
                let message =
                    format!("'{text}' has a zero in front, which makes it another number to some readers");
                self.problems.error(Rank::Value, &node.place, message, hint);
                None
            }
            Some(_) if !plain => {
                self.wrong(&node.place, format!("{limit}, written without quotes"));
                None
            }
            Some(number) => Some(number),
            None => {
                self.wrong(&node.place, format!("{limit}, not '{text}'"));
                None
            }
        }
    }

    /// A length of time within limits.
    pub(super) fn duration(
        &mut self,
        node: &Node,
        what: &str,
        limits: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let text = self.word(node, "a duration such as 10s")?;
        match parse_duration(text) {
            Ok(duration) if limits.contains(&duration) => Some(duration),
            Ok(_) => {
                let (from, to) = (duration_text(*limits.start()), duration_text(*limits.end()));
                self.wrong(&node.place, format!("{what} is from {from} to {to}, not {text}"));
                None
            }
            Err(why) => {
                self.wrong(&node.place, why);
                None
            }
        }
    }

    /// One of the two.
    pub(super) fn language(&mut self, node: &Node) -> Option<Language> {
        self.choice(node, "a language", &[("en", Language::En), ("cy", Language::Cy)])
    }

    /// One of a few words; the nearest is named when it is none of them.
    pub(super) fn choice<T: Copy>(&mut self, node: &Node, what: &str, choices: &[(&str, T)]) -> Option<T> {
        self.asked.choice(what, choices.iter().map(|(word, _)| *word));
        let text = self.word(node, what)?;
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*choice);
        }
        let hint = did_you_mean(text, choices.iter().map(|(word, _)| *word));
        self.problems.error(Rank::Value, &node.place, format!("'{text}' is not {what}"), hint);
        None
    }

    /// The name of something that is defined elsewhere.
    pub(super) fn reference<Id>(
        &mut self,
        node: &Node,
        noun: Noun,
        parse: impl FnOnce(&str) -> Result<Id, domain::IdError>,
    ) -> Option<Id> {
        let id = self.parsed(node, "a name", |text| parse(text).map_err(|error| error.to_string()))?;
        self.names.refer(noun, node.as_word().unwrap_or_default(), &node.place);
        Some(id)
    }

    /// Names of things that are defined elsewhere; none twice.
    pub(super) fn references<Id: PartialEq>(
        &mut self,
        node: &Node,
        noun: Noun,
        parse: impl Fn(&str) -> Result<Id, domain::IdError>,
    ) -> Option<Vec<Id>> {
        let mut all = Vec::new();
        for item in self.list(node, "names")? {
            match self.reference(item, noun, &parse) {
                Some(id) if all.contains(&id) => self.wrong(&item.place, "this is named twice"),
                Some(id) => all.push(id),
                None => {}
            }
        }
        Some(all)
    }

    /// A value with a syntax of its own.
    pub(super) fn parsed<T>(
        &mut self,
        node: &Node,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.word(node, what)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.wrong(&node.place, why);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        let check = |text, milliseconds| {
            let duration = Duration::from_millis(milliseconds);
            assert_eq!(parse_duration(text), Ok(duration), "{text}");
            assert_eq!(duration_text(duration), text);
        };
        check("800ms", 800);
        check("10s", 10_000);
        check("2m", 120_000);
        check("1h", 3_600_000);
        check("0s", 0);
    }

    #[test]
    fn a_duration_is_nothing_else() {
        assert_eq!(parse_duration("87601h"), Err("'87601h' is longer than ten years".to_owned()));
        let check = |text, why: &str| assert_eq!(parse_duration(text).unwrap_err(), why);
        check("10", "'10' has no unit; write 10s or 10ms");
        check("05s", "'05s' has a zero in front; write 5s");
        for text in ["", "s", "10 s", "1m30s", "-5s", "1.5s", "1d", "99999999999999999999h"] {
            check(text, &format!("'{text}' is not a duration such as 800ms, 10s, 2m or 1h"));
        }
    }

    #[test]
    fn words_that_yaml_may_take_for_something_else() {
        for word in [
            "no", "Yes", "on", "OFF", "y", "true", "012", "1_000", "1.10", "1e3", "0x1F", ".5", "-7",
            "22:30", "1:5:30",
        ] {
            assert!(trap(word).is_some(), "{word}");
        }
        for word in
            ["nsd", "09:30", "22:61", "2026-09-07", "one", "1.2.3", "-", "...", "Norwy", "127.0.0.1:8080"]
        {
            assert_eq!(trap(word), None, "{word}");
        }
    }
}
