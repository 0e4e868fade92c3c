//! Welsh and English, as equals.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One of the two languages everything public exists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// Welsh (Cymraeg).
    Cy,
}

impl Language {
    /// Both, in the order in which pages are made.
    pub const ALL: [Self; 2] = [Self::En, Self::Cy];

    /// The BCP 47 tag, as in `lang="cy"` and in the page's path.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Cy => "cy",
        }
    }

    /// The other language.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::En => Self::Cy,
            Self::Cy => Self::En,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// The same words in both languages. Neither may be empty; the configuration sees to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Text {
    /// The English words.
    pub en: String,
    /// The Welsh words.
    pub cy: String,
}

impl Text {
    /// A text from its two halves.
    pub fn new(en: impl Into<String>, cy: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            cy: cy.into(),
        }
    }

    /// The words in `language`.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Cy => &self.cy,
        }
    }
}
