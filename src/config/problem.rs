//! What is wrong with a configuration, where, and what to do about it.

use super::excerpt::{Excerpt, Source};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

/// A place in a file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The file's path as it is shown to people.
    pub(crate) file: Arc<str>,
    /// From 1; 0: the file as a whole.
    pub(crate) line: usize,
    /// In characters, from 1; 0: the file as a whole.
    pub(crate) column: usize,
    /// The column behind its last character; 0: it does not end on this line.
    pub(crate) end: usize,
}

impl Place {
    /// A file as a whole.
    pub(super) fn whole(file: &str) -> Self {
        Self { file: file.into(), line: 0, column: 0, end: 0 }
    }
}

/// Whether a configuration can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// It cannot be used.
    Error,
    /// It can, but somebody probably meant something else.
    Warning,
}

/// What sort of mistake: causes come before what may only follow from them. Programs know it as `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rank {
    /// Not a file of YAML at all.
    Syntax,
    /// A key nobody knows, a key given twice, a list where a word belongs.
    Shape,
    /// A word that does not mean what it must.
    Value,
    /// A key that is not there.
    Missing,
    /// A name that nothing has.
    Reference,
    /// Each word is right, together they are not.
    Sense,
}

/// One thing that is wrong with a configuration. Never holds a secret, nor the digits of a person's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// The file's path, as given to the program.
    pub(crate) file: String,
    /// From 1; `None`: the file, or the folder, as a whole.
    pub(crate) line: Option<usize>,
    /// In characters, from 1; `None`: the file, or the folder, as a whole.
    pub(crate) column: Option<usize>,
    /// The column behind its last character; `None`: unknown, or on a later line.
    pub(crate) end: Option<usize>,
    /// Whether the configuration can be used all the same.
    pub(crate) severity: Severity,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do, or what was probably meant.
    pub(crate) hint: Option<String>,
    /// What sort of mistake.
    #[serde(rename = "code")]
    pub(crate) rank: Rank,
    /// The line as it may be shown.
    #[serde(skip)]
    pub(super) excerpt: Option<Excerpt>,
}

impl Problem {
    /// A configuration that can be read, but not put in force.
    pub(crate) fn unfit(file: &Path, message: impl Into<String>, hint: Option<String>) -> Self {
        Self::of_the_whole(Severity::Error, file, message.into(), hint)
    }

    /// A configuration that is right in itself, but not as things stand.
    pub(crate) fn doubt(file: &Path, message: String, hint: String) -> Self {
        Self::of_the_whole(Severity::Warning, file, message, Some(hint))
    }

    fn of_the_whole(severity: Severity, file: &Path, message: String, hint: Option<String>) -> Self {
        Self {
            file: file.display().to_string(),
            line: None,
            column: None,
            end: None,
            severity,
            message,
            hint,
            rank: Rank::Sense,
            excerpt: None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        f.write_str(match self.severity {
            Severity::Error => ": ",
            Severity::Warning => ": warning: ",
        })?;
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// All that was found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds an error.
    pub(super) fn error(
        &mut self,
        rank: Rank,
        place: &Place,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.push(Severity::Error, rank, place, message.into(), hint);
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, place: &Place, message: impl Into<String>, hint: Option<String>) {
        self.push(Severity::Warning, Rank::Sense, place, message.into(), hint);
    }

    fn push(&mut self, severity: Severity, rank: Rank, place: &Place, message: String, hint: Option<String>) {
        let position = |number: usize| (number > 0).then_some(number);
        self.0.push(Problem {
            file: place.file.as_ref().to_owned(),
            line: position(place.line),
            column: position(place.column),
            end: position(place.end),
            severity,
            message,
            hint,
            rank,
            excerpt: None,
        });
    }

    /// All of them, best first: causes before consequences, then as one reads. Warnings only where there are no errors,
    /// which would be their cause.
    /// Each gets its line, as far as that may be shown.
    pub(super) fn sorted(mut self, sources: &BTreeMap<String, Source>) -> Vec<Problem> {
        if self.has_errors() {
            self.0.retain(|problem| problem.severity == Severity::Error);
        }
        self.0.sort_by(|a, b| (a.rank, &a.file, a.line, a.column).cmp(&(b.rank, &b.file, b.line, b.column)));
        self.0.dedup();
        for problem in &mut self.0 {
            problem.excerpt = sources.get(&problem.file).and_then(|source| source.excerpt(problem));
        }
        self.0
    }

    /// How many there are so far.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether the configuration cannot be used.
    pub(super) fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }
}
