//! One thing that a new configuration changes for somebody.

use crate::terminal::{Ink, Terminal, wrapped};
use domain::{ApiId, Environment};
use serde::Serialize;

/// A line is broken beyond so many characters.
const COLUMNS: usize = 110;

/// The width of the first column: the longest word of [`About`] and two spaces.
const MARGIN: usize = 12;

/// Whom or what a change is about, in the order of its weight: what reaches humans comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum About {
    /// An instance in production that would leave without a word.
    Leaving,
    /// Who may see what.
    Visibility,
    /// Who is called.
    Callouts,
    /// Who is on call when.
    OnCall,
    /// Where tickets go.
    Tickets,
    /// Who else is told, and what the public is.
    Telling,
    /// When: confirmation, holds, hours, priorities.
    Timing,
    /// What is probed.
    Probing,
    /// What the program needs: secrets, a database, addresses.
    Needs,
    /// What figures mean.
    Figures,
    /// What things are called.
    Words,
}

impl About {
    const fn word(self) -> &'static str {
        match self {
            Self::Leaving => "leaving",
            Self::Visibility => "visibility",
            Self::Callouts => "callouts",
            Self::OnCall => "on call",
            Self::Tickets => "tickets",
            Self::Telling => "telling",
            Self::Timing => "timing",
            Self::Probing => "probing",
            Self::Needs => "needs",
            Self::Figures => "figures",
            Self::Words => "words",
        }
    }
}

/// How much it matters that somebody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gravity {
    /// It is refused.
    Error,
    /// Look twice.
    Warning,
    /// For the record.
    Note,
}

/// One thing that a new configuration changes for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// Whom or what it is about.
    pub(crate) about: About,
    /// How much it matters.
    pub(crate) severity: Gravity,
    /// The API, where it is about one.
    pub(crate) api: Option<ApiId>,
    /// The environment, where it is about one.
    pub(crate) environment: Option<Environment>,
    /// What changes, in words.
    pub(crate) message: String,
}

impl Change {
    /// A change for the record.
    pub(crate) fn note(about: About, message: impl Into<String>) -> Self {
        Self { about, severity: Gravity::Note, api: None, environment: None, message: message.into() }
    }

    /// A change to look at twice.
    pub(crate) fn warning(about: About, message: impl Into<String>) -> Self {
        Self { severity: Gravity::Warning, ..Self::note(about, message) }
    }

    /// The same, about an API.
    #[must_use]
    pub(crate) fn of(self, api: &ApiId) -> Self {
        Self { api: Some(api.clone()), ..self }
    }

    /// The same, in an environment.
    #[must_use]
    pub(crate) fn within(self, environment: Environment) -> Self {
        Self { environment: Some(environment), ..self }
    }

    /// A line for people.
    pub(crate) fn line(&self, terminal: Terminal) -> String {
        let ink = match self.severity {
            Gravity::Error => Ink::Red,
            Gravity::Warning => Ink::Yellow,
            Gravity::Note => Ink::Blue,
        };
        let mark = match self.severity {
            Gravity::Error => "error: ",
            Gravity::Warning => "! ",
            Gravity::Note => "",
        };
        let text = wrapped(&format!("{mark}{}", self.message), terminal.columns(COLUMNS) - MARGIN);
        let word = terminal.ink(ink, &format!("{:<MARGIN$}", self.about.word()));
        format!("{word}{}", text.join(&format!("\n{}", " ".repeat(MARGIN))))
    }
}

/// What gravity a value has that changes: from one word to another.
pub(crate) fn instead(new: impl std::fmt::Display, old: impl std::fmt::Display) -> String {
    format!("{new}, no longer {old}")
}
