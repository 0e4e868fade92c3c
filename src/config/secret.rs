//! Secrets: only ever `env:NAME` or `file:PATH`, and read here alone.

use super::{
    hours::parse_date,
    ownership::Used,
    problem::{Place, Rank},
    reading::Reading,
    section::Section,
    tree::{Node, Value},
};
use domain::{InstanceId, Secret};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rustix::fs::OFlags;
use std::{
    collections::BTreeMap,
    fmt,
    fs::OpenOptions,
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Longest secret, in bytes: a private key fits, a disk image does not.
const MAX_BYTES: u64 = 64 * 1024;

/// A secret of which it is said when it ends.
pub(super) struct Ending {
    pub reference: String,
    /// The first day on which it is not good any more.
    pub on: Date,
    /// The instance that asks for it, if it is one.
    pub of: Option<InstanceId>,
    /// Where that stands.
    pub place: Place,
}

impl Ending {
    /// From when on it is not good any more, for people in that zone.
    pub(super) fn ends(&self, zone: &TimeZone) -> Option<Timestamp> {
        Some(self.on.to_zoned(zone.clone()).ok()?.timestamp())
    }
}

/// What is said of a file in another encoding.
pub(super) const NOT_TEXT: &str = "not text in UTF-8";

type Environment = Box<dyn Fn(&str) -> Option<String>>;

/// Where secrets come from, and which of them are read.
pub(crate) struct Secrets {
    environment: Environment,
    scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    Database,
    Nothing,
}

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Database,
    Telling,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Secrets {
    /// All of them: `env:` from the process's environment, `file:` from files.
    pub(crate) fn read() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is where `env:` references are read")]
        let environment = |name: &str| std::env::var(name).ok();
        Self { environment: Box::new(environment), scope: Scope::All }
    }

    /// Only the database's: for commands that ask a running system and tell nobody.
    pub(crate) fn of_the_database() -> Self {
        Self { scope: Scope::Database, ..Self::read() }
    }

    /// None (`--without-secrets`): every secret is empty. For checking a configuration, not for running it.
    pub(crate) fn left_out() -> Self {
        Self { scope: Scope::Nothing, ..Self::read() }
    }

    /// All of them, `env:` from a world of the test's own.
    #[cfg(test)]
    pub(crate) fn with(environment: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self { environment: Box::new(environment), scope: Scope::All }
    }

    /// The same source, fewer of them.
    #[cfg(test)]
    pub(super) fn only_the_database(self) -> Self {
        Self { scope: Scope::Database, ..self }
    }

    fn are_read_for(&self, purpose: Use) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Database => purpose == Use::Database,
            Scope::Nothing => false,
        }
    }
}

/// Where one secret is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reference<'t> {
    Environment(&'t str),
    File(&'t str),
}

impl<'t> Reference<'t> {
    /// `None`: this is no reference.
    pub(super) fn parse(text: &'t str) -> Option<Result<Self, String>> {
        if let Some(name) = text.strip_prefix("env:") {
            let fits = !name.starts_with(|c: char| c.is_ascii_digit())
                && !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let wrong = || format!("'{text}' names no environment variable: letters, digits and '_' only");
            return Some(if fits { Ok(Self::Environment(name)) } else { Err(wrong()) });
        }
        let path = text.strip_prefix("file:")?;
        Some(if path.trim().is_empty() {
            Err("'file:' names no file".to_owned())
        } else {
            Ok(Self::File(path))
        })
    }
}

/// Every reference below a node, by the keys that lead to it, with '/' between them.
pub(super) fn references(node: &Node) -> BTreeMap<String, String> {
    fn collect(node: &Node, path: &str, all: &mut BTreeMap<String, String>) {
        match &node.value {
            Value::Nothing => {}
            Value::Word { text, .. } => {
                if Reference::parse(text).is_some() {
                    all.insert(path.to_owned(), text.clone());
                }
            }
            Value::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    collect(item, &format!("{path}/{number}"), all);
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    let path =
                        if path.is_empty() { key.word.clone() } else { format!("{path}/{}", key.word) };
                    collect(value, &path, all);
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    collect(node, "", &mut all);
    all
}

/// What `file:PATH` means: relative to the configuration's directory.
pub(super) fn path_of(directory: &Path, path: &str) -> PathBuf {
    directory.join(path)
}

/// A whole file of at most `limit` bytes, as text. The error does not name the file.
pub(super) fn read_text(path: &Path, limit: u64) -> Result<String, String> {
    let failed = |error: std::io::Error| error.to_string();
    // Whoever opens a pipe waits for its other end, unless told not to.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err("not a file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(format!("larger than {} KiB", limit / 1024));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        format!("{NOT_TEXT} (line {line})")
    })
}

impl Reading<'_> {
    /// A secret, by reference; or `{ from: REFERENCE, ends: DAY }` of one that whoever gave it out lets end.
    /// `check` judges its value and must not repeat it. Empty when secrets are left out.
    pub(super) fn secret(
        &mut self,
        node: &Node,
        check: impl FnOnce(&str) -> Result<(), &'static str>,
    ) -> Option<Secret> {
        if let Value::Map(_) = &node.value {
            let mut section = Section::open(node, "a secret that ends", self)?;
            let from = section.required("from", self);
            let ends = section.required("ends", self);
            section.close(self);
            let (from, ends) = (from?, ends?);
            let reference = from.as_word().unwrap_or_default().to_owned();
            // Somebody may have put the secret itself there.
            let day =
                |text: &str| parse_date(text).map_err(|_| "this is no day such as 2027-06-18".to_owned());
            let on = self.parsed(ends, "a day", day);
            let ending = |on| Ending { reference, on, of: None, place: ends.place.clone() };
            self.ending.extend(on.map(ending));
            return self.secret_from(from, check);
        }
        self.secret_from(node, check)
    }

    fn secret_from(
        &mut self,
        node: &Node,
        check: impl FnOnce(&str) -> Result<(), &'static str>,
    ) -> Option<Secret> {
        let text = self.word(node, "a secret: env:NAME or file:PATH")?;
        let Some(reference) = Reference::parse(text) else {
            let hint = Some("write env:NAME or file:PATH, never the value itself".to_owned());
            self.problems.error(Rank::Value, &node.place, "this is a secret", hint);
            return None;
        };
        self.referred(node, Use::Telling, reference, check)
    }

    /// A text that may be written out, or be a secret by reference.
    pub(super) fn text_or_secret(
        &mut self,
        node: &Node,
        what: &str,
        purpose: Use,
        check: impl FnOnce(&str) -> Result<(), &'static str>,
    ) -> Option<Secret> {
        let text = self.text(node, what)?;
        if let Some(reference) = Reference::parse(text) {
            return self.referred(node, purpose, reference, check);
        }
        if let Err(why) = check(text) {
            self.wrong(&node.place, why);
            return None;
        }
        Some(Secret::new(text))
    }

    fn referred(
        &mut self,
        node: &Node,
        purpose: Use,
        reference: Result<Reference<'_>, String>,
        check: impl FnOnce(&str) -> Result<(), &'static str>,
    ) -> Option<Secret> {
        let (place, text) = (&node.place, node.as_word().unwrap_or_default());
        self.used.push(Used { reference: text.to_owned(), place: place.clone() });
        let found = reference.and_then(|reference| match reference {
            _ if !self.secrets.are_read_for(purpose) => Ok(None),
            Reference::Environment(name) => (self.secrets.environment)(name)
                .map(Some)
                .ok_or_else(|| format!("the environment variable {name} is not set, or is not text")),
            Reference::File(path) => {
                let path = path_of(self.directory, path);
                self.stamps.note(path.clone());
                read_text(&path, MAX_BYTES)
                    .map(Some)
                    .map_err(|why| format!("the secret at {text} cannot be used: {why}"))
            }
        });
        let value = match found {
            Ok(Some(value)) => value,
            Ok(None) => return Some(Secret::new("")),
            Err(why) => {
                let hint = match Reference::parse(text) {
                    Some(Ok(Reference::Environment(_))) => Some("set it where curiad runs"),
                    Some(Ok(Reference::File(_))) => Some("whoever runs curiad must be able to read it there"),
                    Some(Err(_)) | None => None,
                };
                let hint = hint.map(|hint| format!("{hint}; or check with --without-secrets"));
                self.problems.error(Rank::Value, place, why, hint);
                return None;
            }
        };
        let value = value.trim_end_matches(['\r', '\n']);
        let judged = if value.is_empty() { Err("it is empty") } else { check(value) };
        match judged {
            Ok(()) => Some(Secret::new(value)),
            Err(why) => {
                self.wrong(place, format!("the secret at {text} cannot be used: {why}"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_variable_or_a_file() {
        assert_eq!(Reference::parse("env:A_1"), Some(Ok(Reference::Environment("A_1"))));
        assert_eq!(Reference::parse("file:/run/x"), Some(Ok(Reference::File("/run/x"))));
        assert_eq!(Reference::parse("hunter2"), None);
        for text in ["env:", "env:1A", "env:A-B", "file:", "file: "] {
            assert!(Reference::parse(text).unwrap().is_err(), "{text}");
        }
    }

    #[test]
    fn where_secrets_come_from_is_not_printed() {
        let secrets = Secrets::with(|_| Some("hunter2".to_owned()));
        assert_eq!(format!("{secrets:?}"), "Secrets { scope: All, .. }");
    }
}
