//! How much there is, for `/metrics`.

use crate::{
    Store,
    database::Purpose,
    error::Error,
    row::{Reading, unsigned},
};
use std::sync::atomic::Ordering;

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Outcomes recorded since this store was opened; one told twice counts once.
    pub recorded: u64,
    /// Rows of the Inbox that are not folded in yet.
    pub inbox_waiting: u64,
    /// Notifications that are not settled.
    pub outbox_waiting: u64,
    /// Notifications that were given up, ever.
    pub outbox_given_up: u64,
    /// Incidents that are not resolved.
    pub incidents_open: u64,
}

impl Store {
    /// Outcomes recorded since this store was opened; one told twice counts once.
    pub fn recorded(&self) -> u64 {
        self.0.recorded.load(Ordering::Relaxed)
    }

    /// Counts what waits; cheap however long the history.
    pub async fn counts(&self) -> Result<Counts, Error> {
        let doing = "count what waits";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let row = connection
            .statement(
                "SELECT (SELECT count(*) FROM inbox WHERE accepted IS NULL) AS inbox_waiting,
                    (SELECT count(*) FROM notification WHERE state = 'waiting') AS outbox_waiting,
                    (SELECT count(*) FROM notification WHERE state = 'given_up') AS outbox_given_up,
                    (SELECT count(*) FROM incident WHERE status <> 'resolved' AND cause_key NOT LIKE 'test:%') AS incidents_open",
            )
            .row(doing)
            .await?;
        let count = |column| Reading { row: &row, doing }.get(column).map(unsigned);
        Ok(Counts {
            recorded: self.recorded(),
            inbox_waiting: count("inbox_waiting")?,
            outbox_waiting: count("outbox_waiting")?,
            outbox_given_up: count("outbox_given_up")?,
            incidents_open: count("incidents_open")?,
        })
    }
}
