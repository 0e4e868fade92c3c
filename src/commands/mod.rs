//! What the command line does beside running the program.

pub(crate) mod backup;
pub(crate) mod callout;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod escalation;
pub(crate) mod explain;
pub(crate) mod heartbeat;
pub(crate) mod history;
pub(crate) mod incident;
pub(crate) mod maintenance;
pub(crate) mod migrate;
mod muted;
pub(crate) mod page;
pub(crate) mod probe;
pub(crate) mod report;
pub(crate) mod rota;
pub(crate) mod silence;
pub(crate) mod subscriptions;
pub(crate) mod unapproved;

use crate::{
    exit::{Failed, TRY_AGAIN},
    terminal::Terminal,
};
use alerting::REMEMBERED_FOR;
use domain::{Configuration, Message, Situation, Told};
use jiff::Timestamp;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::time::{Instant, sleep};

/// The recorder folds in what it is told within a second or two; longer means that it is not there.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a command beside the running program works with.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) store: Store,
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) now: Timestamp,
}

impl Asking {
    /// The situation as the store has it.
    pub(crate) async fn situation(&self) -> Result<Situation, Failed> {
        let remembered = self.store.remember(self.now - REMEMBERED_FOR).await?;
        Ok(Situation::new(Arc::clone(&self.configuration), remembered))
    }

    /// Writes to the inbox and waits for the recorder's answer. `next`: what to do when it is no.
    pub(crate) async fn tell(&self, what: Message, next: &str, as_json: bool) -> Result<(), Failed> {
        let said = self.ask(what, next).await?;
        Self::say(&said, as_json);
        Ok(())
    }

    /// What the recorder answered.
    pub(crate) fn say(said: &str, as_json: bool) {
        let terminal = Terminal::new();
        if as_json {
            terminal.json(&json!({ "ok": true, "said": said }));
        } else {
            terminal.line(said);
        }
    }

    /// The same, and gives what the recorder answered.
    pub(crate) async fn ask(&self, what: Message, next: &str) -> Result<String, Failed> {
        let id = self.store.tell(&Told { at: self.now, what }).await?;
        let limit = Instant::now() + PATIENCE;
        let answer = loop {
            if let Some(answer) = self.store.answer(id).await? {
                break answer;
            }
            if Instant::now() >= limit {
                let what = "it is written down, but nobody has answered\nis `curiad serve` running on this database? \
                            it will act on it when it starts";
                return Err(Failed::new(TRY_AGAIN, what));
            }
            sleep(LOOK_AGAIN).await;
        };
        answer.map_err(|why| Failed::new(1, format!("{why}\n{next}")))
    }
}
