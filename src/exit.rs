//! How the program ends when it cannot do what was asked: sysexits codes, one line on what and one on what to do.

use std::fmt::Display;

/// Why a command failed, and the code it exits with.
#[derive(Debug)]
pub(crate) struct Failed {
    /// sysexits.h, or the command's own code.
    pub(crate) code: u8,
    /// What failed and what to do next.
    pub(crate) message: String,
}

/// `EX_USAGE`: the command line is wrong.
pub(crate) const USAGE: u8 = 64;
/// `EX_UNAVAILABLE`: something it needs is not there.
pub(crate) const UNAVAILABLE: u8 = 69;
/// `EX_SOFTWARE`: a fault in Curiad.
pub(crate) const SOFTWARE: u8 = 70;
/// `EX_TEMPFAIL`: try again later.
pub(crate) const TRY_AGAIN: u8 = 75;
/// `EX_CONFIG`: the configuration is wrong.
pub(crate) const CONFIG: u8 = 78;

impl Failed {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::new(UNAVAILABLE, error.to_string())
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::new(SOFTWARE, format!("{error:#}"))
    }
}

/// Words on the command line that name nothing.
pub(crate) struct Usage;

impl Usage {
    /// `word` names no `what`; the known ones are listed, the nearest first.
    pub(crate) fn unknown(what: &str, word: &str, known: impl Iterator<Item = impl Display>) -> Failed {
        let mut known: Vec<String> = known.map(|known| known.to_string()).collect();
        known.sort_by_key(|known| strsim::damerau_levenshtein(known, word));
        let choices = if known.is_empty() {
            format!("the configuration has no {what}")
        } else {
            format!("there is: {}", known.join(", "))
        };
        Failed::new(USAGE, format!("no {what} is called '{word}'\n{choices}"))
    }
}
