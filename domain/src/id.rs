//! Names that history hangs on: short words of lower-case letters, digits, `-`, `_` and `.`.

use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Why a word is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("an id may not be empty")]
    Empty,
    /// Longer than [`MAX_LENGTH`].
    #[error("an id may have at most {MAX_LENGTH} characters")]
    TooLong,
    /// A character that would need quoting somewhere between SQL and a URL.
    #[error(
        "an id is made of a–z, 0–9, '-', '_' and '.', and starts with a letter or digit; '{0}' does not fit"
    )]
    Character(char),
}

/// Longest id: fits a label of a metric, a file name and a column of a terminal.
pub const MAX_LENGTH: usize = 64;

fn parse(word: &str) -> Result<Arc<str>, IdError> {
    let first = word.chars().next().ok_or(IdError::Empty)?;
    if word.len() > MAX_LENGTH {
        return Err(IdError::TooLong);
    }
    if !first.is_ascii_lowercase() && !first.is_ascii_digit() {
        return Err(IdError::Character(first));
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    match word.chars().find(|c| !fits(*c)) {
        Some(c) => Err(IdError::Character(c)),
        None => Ok(word.into()),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the word; see [`IdError`] for what is refused.
            pub fn parse(word: &str) -> Result<Self, IdError> {
                parse(word).map(Self)
            }

            /// The word itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(word: &str) -> Result<Self, IdError> {
                Self::parse(word)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(word: String) -> Result<Self, IdError> {
                Self::parse(&word)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
    )+ };
}

ids! {
    /// Names an Api. Immutable: a rename changes the name, not the id.
    ApiId,
    /// Names an Operation within its Api.
    OperationId,
    /// Names a Vantage.
    VantageId,
    /// Names a provider team.
    TeamId,
    /// Names a person who can be called.
    PersonId,
    /// Names a Rota.
    RotaId,
    /// Names a set of service hours.
    HoursId,
    /// Names an Escalation.
    EscalationId,
    /// Names a service desk.
    DeskId,
}

impl OperationId {
    /// Sorts before every id: the start of a range.
    pub(crate) fn lowest() -> Self {
        Self("".into())
    }
}

impl VantageId {
    /// Where heartbeats are heard.
    pub fn inbound() -> Self {
        Self(crate::Heartbeat::VANTAGE.into())
    }

    /// Whether it is where heartbeats are heard: nothing is sent from there.
    pub fn is_inbound(&self) -> bool {
        *self.0 == *crate::Heartbeat::VANTAGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_short_plain_word() {
        assert_eq!(ApiId::parse("patient-demographics").unwrap().as_str(), "patient-demographics");
        assert_eq!(PersonId::parse("oncall.one").unwrap().to_string(), "oncall.one");
        assert_eq!(ApiId::parse(""), Err(IdError::Empty));
        assert_eq!(ApiId::parse("Results"), Err(IdError::Character('R')));
        assert_eq!(ApiId::parse("-x"), Err(IdError::Character('-')));
        assert_eq!(ApiId::parse("a/b"), Err(IdError::Character('/')));
        assert_eq!(ApiId::parse(&"a".repeat(65)), Err(IdError::TooLong));
    }

    #[test]
    fn the_longest_id_is_read_and_one_more_character_is_not() {
        assert!(ApiId::parse(&"a".repeat(MAX_LENGTH)).is_ok());
        assert_eq!(ApiId::parse(&"a".repeat(MAX_LENGTH + 1)), Err(IdError::TooLong));
    }

    #[test]
    fn what_would_need_quoting_is_refused_by_name() {
        for (word, character) in
            [("a b", ' '), ("a'b", '\''), ("a%2fb", '%'), ("caffi-ŵy", 'ŵ'), (".a", '.'), ("a\n", '\n')]
        {
            assert_eq!(ApiId::parse(word), Err(IdError::Character(character)), "{word:?}");
        }
        let said = ApiId::parse("Results").unwrap_err().to_string();
        assert!(said.contains("'R' does not fit"), "{said}");
    }

    #[test]
    fn json_is_read_as_strictly_as_configuration() {
        let id: RotaId = serde_json::from_str("\"platform\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"platform\"");
        assert!(serde_json::from_str::<RotaId>("\"Platform\"").unwrap_err().to_string().contains("'P'"));
    }

    proptest::proptest! {
        #[test]
        fn every_id_survives_writing_and_reading(word in "[a-z0-9][a-z0-9._-]{0,63}") {
            let id = OperationId::parse(&word).unwrap();
            proptest::prop_assert_eq!(id.to_string().parse::<OperationId>().unwrap(), id);
        }

        #[test]
        fn nothing_that_is_read_as_an_id_needs_quoting(word in ".{0,80}") {
            if let Ok(id) = ApiId::parse(&word) {
                proptest::prop_assert!(id.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
                proptest::prop_assert!(!id.as_str().contains(['/', '\'', '"', '%', '?', '#', '&', '<', '\\']));
            }
        }
    }
}
