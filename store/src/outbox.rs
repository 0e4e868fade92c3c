//! The Outbox: notifications, from decided to settled.

use crate::{
    Store, crash_point,
    database::{Connection, Purpose},
    error::Error,
    row::{Reading, signed, to_json},
};
use domain::{IncidentId, Notification, NotificationKind};
use jiff::Timestamp;

/// A notification as the outbox has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// What was decided.
    pub notification: Notification,
    /// Where it stands.
    pub state: OutboxState,
    /// Claims so far.
    pub attempts: u32,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
}

/// Where a notification stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxState {
    /// Not settled.
    Waiting {
        /// Not to be sent earlier: moved by every retry.
        not_before: Timestamp,
        /// Somebody sends it, until then at the longest.
        lease_until: Option<Timestamp>,
    },
    /// The other side has it.
    Sent {
        /// When it was settled.
        at: Timestamp,
        /// The other side's own id for it.
        provider_id: String,
    },
    /// Will not be sent any more; `last_error` says why.
    GivenUp {
        /// When it was settled.
        at: Timestamp,
    },
    /// The rules took it back before anybody sent it.
    Withdrawn,
}

impl Store {
    /// All notifications about an incident, in the order in which they were decided.
    pub async fn notifications(&self, incident: IncidentId) -> Result<Vec<OutboxRow>, Error> {
        let doing = "read the notifications of an incident";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        connection
            .statement(
                "SELECT key, state, not_before, lease_until, fence, provider_id, why, settled_at, body
             FROM notification WHERE incident = $1",
            )
            .bind(signed(incident.0))
            .rows(doing)
            .await?
            .iter()
            .map(|row| outbox_row(Reading { row, doing }))
            .collect::<Result<Vec<_>, _>>()
            .map(|mut rows| {
                rows.sort_by(|a, b| {
                    let order = |row: &OutboxRow| (row.notification.at, row.notification.kind.rank());
                    order(a).cmp(&order(b)).then_with(|| a.notification.key.cmp(&b.notification.key))
                });
                rows
            })
    }
}

fn outbox_row(row: Reading<'_>) -> Result<OutboxRow, Error> {
    let settled_at =
        || row.time_if("settled_at")?.ok_or_else(|| Error::corrupt(row.doing, "settled, but not when"));
    let state = match row.get("state")? {
        "waiting" => OutboxState::Waiting {
            not_before: row.time("not_before")?,
            lease_until: row.time_if("lease_until")?,
        },
        "sent" => OutboxState::Sent {
            at: settled_at()?,
            provider_id: row.get::<Option<String>>("provider_id")?.unwrap_or_default(),
        },
        "given_up" => OutboxState::GivenUp { at: settled_at()? },
        "withdrawn" => OutboxState::Withdrawn,
        other => return Err(Error::corrupt(row.doing, format!("'{other}' is no state"))),
    };
    let fence: i64 = row.get("fence")?;
    Ok(OutboxRow {
        notification: row.json("body")?,
        state,
        attempts: u32::try_from(fence).unwrap_or(u32::MAX),
        last_error: row.get("why")?,
    })
}

/// Adds a notification within a transaction. One of that key is not added again, unless it was withdrawn before:
/// then it is wanted again.
pub(crate) async fn put(connection: &mut Connection, notification: &Notification) -> Result<(), Error> {
    let doing = "put a notification into the outbox";
    connection.statement(
        "INSERT INTO notification (key, incident, rank, state, not_before, body) VALUES ($1, $2, $3, 'waiting', $4, $5)
         ON CONFLICT (key) DO UPDATE
         SET rank = excluded.rank, state = 'waiting', not_before = excluded.not_before, body = excluded.body
         WHERE notification.state = 'withdrawn'",
    )
    .bind(notification.key.as_str())
    .bind(signed(notification.incident.0))
    .bind(i64::from(notification.kind.rank()))
    .bind(notification.not_before.as_millisecond())
    .bind(to_json(notification, doing)?)
    .execute(doing)
    .await?;
    crash_point!("record/notification");
    Ok(())
}

/// Takes a notification back within a transaction, unless it is settled, or somebody sends it or may have sent it:
/// whose lease ran out is reconciled first, or the other side keeps what nobody here knows of. What asks for a ticket
/// is not taken back once it was claimed, even if it failed: whoever claims it next looks for what came of it.
pub(crate) async fn withdraw(connection: &mut Connection, key: &str) -> Result<(), Error> {
    connection
        .statement(
            "UPDATE notification SET state = 'withdrawn'
         WHERE key = $1 AND state = 'waiting' AND lease_until IS NULL AND (fence = 0 OR rank <> $2)",
        )
        .bind(key)
        .bind(i64::from(NotificationKind::TicketOpen.rank()))
        .execute("withdraw a notification")
        .await?;
    crash_point!("record/withdrawn");
    Ok(())
}
