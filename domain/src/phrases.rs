//! A Post put together from phrases that the page has in both languages, for whoever writes only one of them.

use crate::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why there is trouble, as far as the public is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// Nobody knows yet.
    Unknown,
    /// The API gateway.
    Gateway,
    /// The service behind the gateway.
    Backend,
    /// The network.
    Network,
    /// Access tokens cannot be had.
    SignIn,
    /// A certificate.
    Certificate,
    /// Something was changed.
    Change,
    /// A supplier's system.
    Supplier,
    /// More requests than it can answer.
    Demand,
}

/// What callers meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Every request fails.
    AllFail,
    /// Some requests fail.
    SomeFail,
    /// Answers come late.
    Slow,
    /// What is answered is not up to date.
    OldData,
    /// Callers notice nothing.
    Nothing,
}

/// What callers should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advice {
    /// Nothing.
    Nothing,
    /// Try again later.
    Retry,
    /// Keep what could not be sent, and send it later.
    Keep,
    /// Ask less often.
    AskLess,
    /// Use what was arranged for such a case.
    FallBack,
}

impl Because {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 9] = [
        Self::Unknown,
        Self::Gateway,
        Self::Backend,
        Self::Network,
        Self::SignIn,
        Self::Certificate,
        Self::Change,
        Self::Supplier,
        Self::Demand,
    ];

    /// Its word on the command line, and at the end of its message's key.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Gateway => "gateway",
            Self::Backend => "backend",
            Self::Network => "network",
            Self::SignIn => "sign-in",
            Self::Certificate => "certificate",
            Self::Change => "change",
            Self::Supplier => "supplier",
            Self::Demand => "demand",
        }
    }
}

impl Effect {
    /// All, the gravest first.
    pub const ALL: [Self; 5] = [Self::AllFail, Self::SomeFail, Self::Slow, Self::OldData, Self::Nothing];

    /// Its word on the command line, and at the end of its message's key.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AllFail => "all-fail",
            Self::SomeFail => "some-fail",
            Self::Slow => "slow",
            Self::OldData => "old-data",
            Self::Nothing => "nothing",
        }
    }
}

impl Advice {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Nothing, Self::Retry, Self::Keep, Self::AskLess, Self::FallBack];

    /// Its word on the command line, and at the end of its message's key.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Retry => "retry",
            Self::Keep => "keep",
            Self::AskLess => "ask-less",
            Self::FallBack => "fall-back",
        }
    }
}

/// What a Post says, a sentence each. At least one of them is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phrases {
    /// Why.
    pub because: Option<Because>,
    /// What callers meet.
    pub effect: Option<Effect>,
    /// What a person adds, in both languages.
    pub words: Option<Text>,
    /// What callers should do.
    pub advice: Option<Advice>,
    /// When more is said at the latest.
    pub next: Option<Timestamp>,
}

impl Phrases {
    /// In own words alone.
    pub fn own(words: Text) -> Self {
        Self { words: Some(words), ..Self::default() }
    }

    /// In plain English, for a ticket: its own words, and what was chosen by the words it is chosen by.
    pub(crate) fn plain(&self, time: impl Fn(Timestamp) -> String) -> String {
        let chosen = [
            self.because.map(|because| format!("cause: {}", because.word())),
            self.effect.map(|effect| format!("effect: {}", effect.word())),
            self.advice.map(|advice| format!("callers should do: {}", advice.word())),
            self.next.map(|next| format!("more by {}", time(next))),
        ];
        let chosen = chosen.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let own = self.words.as_ref().map(|words| words.en.trim().to_owned());
        let chosen = (!chosen.is_empty()).then(|| format!("({})", chosen.replace('-', " ")));
        own.into_iter().chain(chosen).collect::<Vec<_>>().join(" ")
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, IncidentId};

    #[test]
    fn what_was_told_to_an_earlier_curiad_is_understood() {
        let told =
            r#"{"update":{"incident":7,"by":"ann","words":{"en":"We look.","cy":"Rydym yn edrych."}}}"#;
        let phrases = Phrases::own(Text::new("We look.", "Rydym yn edrych."));
        let update = Command::Update { incident: IncidentId(7), by: "ann".to_owned(), phrases };
        assert_eq!(serde_json::from_str::<Command>(told).unwrap(), update);
        let again = serde_json::to_string(&update).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&again).unwrap(), update);
    }
}
