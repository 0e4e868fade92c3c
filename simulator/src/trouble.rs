//! What can be wrong with the service desk, the text service or the mail server.

use std::fmt;
use std::str::FromStr;

/// What is wrong with a part of the world that Curiad talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Trouble {
    /// Nothing: it works as documented.
    #[default]
    None,
    /// Its port refuses connections.
    Refuse,
    /// Too many requests: HTTP 429 (with `Retry-After` at the desk, `RateLimitError` at Notify), SMTP 421.
    RateLimited,
    /// The day's allowance is used up: Notify's 429 `TooManyRequestsError`. Elsewhere the same as [`Trouble::RateLimited`].
    DailyLimit,
    /// HTTP 500, SMTP 451.
    ServerError,
    /// Our credential is refused: HTTP 401 at the desk, 403 at Notify, SMTP 535.
    Unauthorised,
    /// The request is carried out and never answered: the caller cannot know.
    AcceptThenTimeOut,
    /// Every answer takes five seconds more.
    Slow,
    /// Connections are taken and nothing is ever said or done.
    Hang,
    /// The request is carried out and the connection closed without an answer: the caller cannot know.
    AcceptThenHangUp,
    /// HTTP 200 with a web page where JSON should be: a sign-in page, a captive portal. Nothing is done. SMTP 421.
    WebPage,
    /// HTTP 503 with a maintenance page and `Retry-After`. SMTP 421.
    Maintenance,
}

impl Trouble {
    /// Every trouble, in the order the page shows them.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::Refuse,
        Self::RateLimited,
        Self::DailyLimit,
        Self::ServerError,
        Self::Unauthorised,
        Self::AcceptThenTimeOut,
        Self::Slow,
        Self::Hang,
        Self::AcceptThenHangUp,
        Self::WebPage,
        Self::Maintenance,
    ];

    /// Its name in the control API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Refuse => "refuse",
            Self::RateLimited => "rate-limited",
            Self::DailyLimit => "daily-limit",
            Self::ServerError => "server-error",
            Self::Unauthorised => "unauthorised",
            Self::AcceptThenTimeOut => "accept-then-time-out",
            Self::Slow => "slow",
            Self::Hang => "hang",
            Self::AcceptThenHangUp => "accept-then-hang-up",
            Self::WebPage => "web-page",
            Self::Maintenance => "maintenance",
        }
    }

    /// What it looks like from outside, in a few words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::None => "works",
            Self::Refuse => "refuses connections",
            Self::RateLimited => "too many requests",
            Self::DailyLimit => "day's limit reached",
            Self::ServerError => "server error",
            Self::Unauthorised => "refuses our credential",
            Self::AcceptThenTimeOut => "accepts, never answers",
            Self::Slow => "five seconds slower",
            Self::Hang => "hangs",
            Self::AcceptThenHangUp => "accepts, hangs up",
            Self::WebPage => "a web page for JSON",
            Self::Maintenance => "maintenance page",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Trouble {
    type Err = UnknownTrouble;

    fn from_str(text: &str) -> Result<Self, UnknownTrouble> {
        Self::ALL
            .into_iter()
            .find(|trouble| trouble.name() == text)
            .ok_or_else(|| UnknownTrouble(text.to_owned()))
    }
}

/// A name that no trouble has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTrouble(String);

impl fmt::Display for UnknownTrouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = Trouble::ALL.iter().map(|trouble| trouble.name()).collect();
        write!(out, "no trouble is called {:?}; there are {}", self.0, known.join(", "))
    }
}

impl std::error::Error for UnknownTrouble {}

impl Trouble {
    /// The request is carried out, and the caller cannot know.
    pub(crate) const fn accepts(self) -> bool {
        matches!(self, Self::AcceptThenTimeOut | Self::AcceptThenHangUp)
    }
}

/// A trouble that lasts until it is taken away, or for the next few requests.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spell {
    pub(crate) trouble: Trouble,
    pub(crate) remaining: Option<u32>,
}

impl Spell {
    pub(crate) fn lasting(trouble: Trouble) -> Self {
        Self { trouble, remaining: None }
    }

    pub(crate) fn next(trouble: Trouble, requests: u32) -> Self {
        Self { trouble, remaining: Some(requests) }
    }

    /// The trouble that this request meets.
    pub(crate) fn meet(&mut self) -> Trouble {
        match &mut self.remaining {
            None => self.trouble,
            Some(0) => {
                *self = Self::default();
                Trouble::None
            }
            Some(left) => {
                *left -= 1;
                let met = self.trouble;
                if *left == 0 {
                    *self = Self::default();
                }
                met
            }
        }
    }
}
