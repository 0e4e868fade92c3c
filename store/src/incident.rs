//! Incidents, as pages and operators read them.

use crate::{
    Store, crash_point,
    database::{Connection, Purpose},
    error::Error,
    row::{Reading, signed, to_json},
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
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let row = connection
            .statement("SELECT state FROM incident WHERE id = $1")
            .bind(signed(id.0))
            .row_if(doing)
            .await?;
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
        let mut connection = self.connect(Purpose::Read, doing).await?;
        connection
            .statement(
                "SELECT state FROM incident
             WHERE (status <> 'resolved' OR resolved_at >= $1) AND cause_key NOT LIKE 'test:%'
             ORDER BY id DESC LIMIT $2",
            )
            .bind(since)
            .bind(i64::from(filter.limit.min(MAX_INCIDENTS)))
            .rows(doing)
            .await?
            .iter()
            .map(|row| Reading { row, doing }.json("state"))
            .collect()
    }
}

/// Incidents that are read at a time.
const PAGE: i64 = 500;

impl Store {
    /// Incidents that were open at some time in `[from, to)`, the oldest first. More than ten thousand are
    /// [`Error::TooMuch`].
    pub async fn incidents_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, Error> {
        const MOST: u32 = 10_000;
        let doing = "read the incidents of a range";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let mut incidents: Vec<Incident> = Vec::new();
        loop {
            let after = incidents.last().map_or(-1, |last| signed(last.id.0));
            let rows = connection
                .statement(
                    "SELECT state FROM incident
                     WHERE id > $1 AND opened_at < $3 AND (resolved_at IS NULL OR resolved_at >= $2)
                       AND cause_key NOT LIKE 'test:%'
                     ORDER BY id LIMIT $4",
                )
                .bind(after)
                .bind(from.as_millisecond())
                .bind(to.as_millisecond())
                .bind(PAGE)
                .rows(doing)
                .await?;
            for row in &rows {
                incidents.push(Reading { row, doing }.json("state")?);
            }
            if incidents.len() > MOST as usize {
                return Err(Error::TooMuch { doing, limit: MOST, of: "incidents" });
            }
            if rows.is_empty() {
                return Ok(incidents);
            }
        }
    }
}

/// Stores the whole state of an incident, within a transaction.
pub(crate) async fn put(connection: &mut Connection, incident: &Incident) -> Result<(), Error> {
    let doing = "record an incident";
    connection
        .statement(
            "INSERT INTO incident (id, cause_key, status, opened_at, resolved_at, state)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE
         SET cause_key = excluded.cause_key, status = excluded.status, opened_at = excluded.opened_at,
             resolved_at = excluded.resolved_at, state = excluded.state",
        )
        .bind(signed(incident.id.0))
        .bind(incident.cause.to_string())
        .bind(incident.status.word())
        .bind(incident.opened_at.as_millisecond())
        .bind(incident.resolved_at.map(jiff::Timestamp::as_millisecond))
        .bind(to_json(incident, doing)?)
        .execute(doing)
        .await?;
    crash_point!("record/incident");
    Ok(())
}
