//! The five environments, and what each one's policy is.

use crate::{DeskId, EscalationId, HoursId, Language, Priority, Retention, Window};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// One of the five, in this order everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Open to anyone; mimics production; no link to real data.
    Sandbox,
    /// The provider team's own.
    Development,
    /// System integration testing: load and penetration tests.
    Sit,
    /// User acceptance testing.
    Uat,
    /// Every onboarded, operational API.
    Production,
}

impl Environment {
    /// All five, in order.
    pub const ALL: [Self; 5] = [Self::Sandbox, Self::Development, Self::Sit, Self::Uat, Self::Production];

    /// The word used in configuration, SQL, JSON and paths.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Development => "development",
            Self::Sit => "sit",
            Self::Uat => "uat",
            Self::Production => "production",
        }
    }

    /// In words.
    pub const fn plain(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Sandbox, Language::En) => "sandbox",
            (Self::Sandbox, Language::Cy) => "blwch tywod",
            (Self::Development, Language::En) => "development",
            (Self::Development, Language::Cy) => "datblygu",
            (Self::Sit, Language::En) => "system integration testing",
            (Self::Sit, Language::Cy) => "profi integreiddio systemau",
            (Self::Uat, Language::En) => "user acceptance testing",
            (Self::Uat, Language::Cy) => "profion derbyn gan ddefnyddwyr",
            (Self::Production, Language::En) => "production",
            (Self::Production, Language::Cy) => "amgylchedd byw",
        }
    }

    /// The environment of that word, if it is one of the five.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.word() == word)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Who may see an environment's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Anyone.
    Public,
    /// Only people who signed in; on the public listener it does not exist.
    SignedIn,
}

/// How trouble is confirmed and how it ends (DESIGN §5, "Check, per vantage").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirm {
    /// How many probes of a round must fail.
    pub fail: u32,
    /// How many probes a round has; the failing probe is its first. `1 ≤ fail ≤ of`.
    pub of: u32,
    /// Time between the probes of a round.
    pub every: Duration,
    /// How many passes in a row end confirmed trouble. At least 1.
    pub recover: u32,
}

impl Confirm {
    /// One word is enough.
    pub const ONCE: Self = Self { fail: 1, of: 1, every: Duration::ZERO, recover: 1 };
}

impl Default for Confirm {
    fn default() -> Self {
        Self { fail: 2, of: 3, every: Duration::from_secs(5), recover: 2 }
    }
}

/// How long confirmed trouble must last before it is told (DESIGN §5, "Three holds, not one").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// From confirmation to the ticket.
    pub ticket: Duration,
    /// From confirmation to the first callout.
    pub callout: Duration,
    /// From confirmation to the ticket while nothing is down, only degraded.
    pub degraded: Duration,
    /// From recovery to resolved: trouble that returns in between is the same incident.
    pub resolve: Duration,
}

impl Default for Hold {
    fn default() -> Self {
        Self {
            ticket: Duration::from_secs(60),
            callout: Duration::from_secs(120),
            degraded: Duration::from_secs(600),
            resolve: Duration::from_secs(60),
        }
    }
}

/// What comes and goes is one incident with one ticket, not twenty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flapping {
    /// What fails again within so long of being over is the same incident. Zero: it never is.
    pub reopen: Duration,
    /// Having come back so often … At least 1.
    pub unstable: u32,
    /// … within so long, an incident is unstable.
    pub within: Duration,
    /// An unstable incident is over when it has been well for so long.
    pub steady: Duration,
}

impl Default for Flapping {
    fn default() -> Self {
        Self {
            reopen: Duration::from_secs(30 * 60),
            unstable: 3,
            within: Duration::from_secs(60 * 60),
            steady: Duration::from_secs(30 * 60),
        }
    }
}

/// What fails at once is one trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storm {
    /// More incidents of priority 2 or higher than this … At least 1.
    pub more_than: u32,
    /// … within so long are one major incident.
    pub within: Duration,
}

impl Default for Storm {
    fn default() -> Self {
        Self { more_than: 10, within: Duration::from_secs(300) }
    }
}

/// When an incident's public post appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// Together with the ticket.
    Automatic,
    /// So long after the ticket, if it is still open.
    After(Duration),
    /// When a human says so.
    ByHand,
}

/// What makes an incident a major one here, and who is then called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MajorPolicy {
    /// Incidents of this priority or a higher one are major.
    pub when: Priority,
    /// The hours that decide which escalation runs.
    pub hours: HoursId,
    /// Runs when those hours are open.
    pub in_hours: EscalationId,
    /// Runs when they are not.
    pub out_of_hours: EscalationId,
    /// Whoever has one and of whom nothing is heard for so long is asked again.
    pub answer_lasts: Duration,
    /// Whether the rule declares one, or proposes it.
    pub declare: Declare,
}

/// Who says that an incident is a major one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Declare {
    /// The rule.
    #[default]
    Automatic,
    /// A human, after the rule proposed it. It calls people out all the same: waiting for a human may wake nobody.
    Propose,
}

/// What is to happen in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentPolicy {
    /// Who may see it.
    pub visibility: Visibility,
    /// How trouble is confirmed.
    pub confirm: Confirm,
    /// How long it must last before it is told.
    pub hold: Hold,
    /// What comes and goes.
    pub flapping: Flapping,
    /// What fails at once.
    pub storm: Storm,
    /// Where tickets go, if anywhere.
    pub service_desk: Option<DeskId>,
    /// Whether the provider team gets an e-mail (in its own hours).
    pub tell_provider: bool,
    /// Whom a major incident calls. `None`: this environment never calls anyone out (invariant 11).
    pub major: Option<MajorPolicy>,
    /// When the public is told.
    pub publish: Publish,
    /// Planned windows that repeat: load tests, deployments.
    pub maintenance: Vec<Window>,
    /// How long its history is kept.
    pub retention: Retention,
}

impl EnvironmentPolicy {
    /// A policy that shows its status to signed-in people and tells nobody.
    pub fn quiet() -> Self {
        Self {
            visibility: Visibility::SignedIn,
            confirm: Confirm::default(),
            hold: Hold::default(),
            flapping: Flapping::default(),
            storm: Storm::default(),
            service_desk: None,
            tell_provider: false,
            major: None,
            publish: Publish::ByHand,
            maintenance: Vec::new(),
            retention: Retention::default(),
        }
    }
}
