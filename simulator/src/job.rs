//! A scheduled job of an API's provider, which calls Curiad itself when it has ended.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use crate::change::{Bell, Kept};
use crate::door::Tasks;

/// How long the job takes.
const TAKES: Duration = Duration::from_millis(500);

/// How the job does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// It ends well, and says so.
    #[default]
    Well,
    /// It fails, and says so.
    Fails,
    /// It says nothing more.
    Silent,
}

impl Does {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Well, Self::Fails, Self::Silent];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Fails => "fails",
            Self::Silent => "silent",
        }
    }
}

impl fmt::Display for Does {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Does {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|does| does.name() == text);
        found.ok_or_else(|| format!("'{text}' is nothing a job does: well, fails or silent"))
    }
}

/// What became of it so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// How it does.
    pub does: Does,
    /// How often it said that it had ended, and was told that this is noted.
    pub noted: u64,
}

/// The job.
#[derive(Debug, Clone)]
pub struct Job {
    runs: Kept<Runs>,
    tasks: Tasks,
}

impl Job {
    pub(crate) fn new(bell: &Bell, tasks: &Tasks) -> Self {
        Self { runs: Kept::new(Runs::default(), bell), tasks: tasks.clone() }
    }

    /// Runs every so often from now on, and calls `address` each time.
    pub fn begin(&self, address: &str, every: Duration) {
        let (address, runs) = (address.to_owned(), self.runs.clone());
        self.tasks.run(async move {
            loop {
                let does = runs.read(|runs| runs.does);
                let ended = match does {
                    Does::Well => Some(address.clone()),
                    Does::Fails => Some(format!("{address}/1")),
                    Does::Silent => None,
                };
                if let Some(ended) = ended {
                    // What is not heard is called again the next time.
                    let _heard = call(&format!("{address}/start")).await;
                    tokio::time::sleep(TAKES).await;
                    if call(&ended).await.is_some_and(|status| status == 200) {
                        runs.change(|runs| runs.noted += 1);
                    }
                }
                tokio::time::sleep(every).await;
            }
        });
    }

    /// From its next run on it does so.
    pub fn set(&self, does: Does) {
        self.runs.change(|runs| runs.does = does);
    }

    /// What became of it so far.
    pub fn runs(&self) -> Runs {
        self.runs.read(|runs| *runs)
    }
}

async fn call(address: &str) -> Option<u16> {
    crate::post::post_form(&Url::parse(address).ok()?, String::new()).await.ok()
}
