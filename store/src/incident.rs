//! Incidents, as pages and operators read them.

use crate::{
    Store,
    error::Error,
    row::{Reading, signed},
};
use domain::{Incident, IncidentId};
use jiff::Timestamp;

/// Incidents that [`Store::incidents`] gives at most, whatever was asked for.
pub const MAX_INCIDENTS: u32 = 1_000;

/// Which incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Only those that are not resolved.
    pub open_only: bool,
    /// Only those that are not resolved, or were resolved at this time or later.
    pub since: Option<Timestamp>,
    /// At most so many, and [`MAX_INCIDENTS`].
    pub limit: u32,
}

impl Store {
    /// One incident.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, Error> {
        let doing = "read an incident";
        let row = sqlx::query("SELECT state FROM incident WHERE id = $1")
            .bind(signed(id.0))
            .fetch_optional(self.reader())
            .await
            .map_err(Error::during(doing))?;
        row.as_ref().map(|row| Reading { row, doing }.json("state")).transpose()
    }

    /// Incidents, the newest first.
    pub async fn incidents(&self, filter: IncidentFilter) -> Result<Vec<Incident>, Error> {
        let doing = "read the incidents";
        let since = if filter.open_only {
            i64::MAX
        } else {
            filter.since.map_or(i64::MIN, Timestamp::as_millisecond)
        };
        sqlx::query(
            "SELECT state FROM incident WHERE status <> 'resolved' OR resolved_at >= $1
             ORDER BY id DESC LIMIT $2",
        )
        .bind(since)
        .bind(filter.limit.min(MAX_INCIDENTS))
        .fetch_all(self.reader())
        .await
        .map_err(Error::during(doing))?
        .iter()
        .map(|row| Reading { row, doing }.json("state"))
        .collect()
    }
}
