//! Sending: a notification is claimed by lease and settled under a fence, with nothing held in between.

use crate::{
    Store, crash_point,
    database::{Connection, Purpose},
    error::Error,
    inbox,
    row::{Reading, signed, unsigned},
};
use domain::{Incident, IncidentId, Message, Notification, NotificationKind, Receipt, Sent, Told};
use jiff::Timestamp;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// The right to settle one notification, until somebody else claims it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The notification's key.
    pub key: String,
    /// Which claim of it this is, from 1.
    pub fence: i64,
}

/// A notification that is ours to send.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The right to settle it.
    pub claim: Claim,
    /// What is to be sent. It may have expired: then it is only to be settled as given up.
    pub notification: Notification,
    /// What it is about, as it is now.
    pub incident: Arc<Incident>,
    /// Claims before this one.
    pub attempts: u32,
    /// The claim before ran out: the other side may already have it.
    pub uncertain: bool,
}

/// What became of a claimed notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The other side has it.
    Sent {
        /// The other side's own id for it.
        provider_id: String,
    },
    /// Not now.
    RetryAt {
        /// When to try again.
        at: Timestamp,
        /// What went wrong, without secrets.
        why: String,
    },
    /// Never; visible to operators.
    GivenUp {
        /// Why, without secrets.
        why: String,
    },
}

const CLAIM: &str = "claim notifications";
const SETTLE: &str = "settle a notification";
const SET_BACK: &str = "bring back what waits for a clock that was ahead";

/// Claims those that `$due` picks.
macro_rules! claim {
    ($due:literal) => {
        concat!(
            "UPDATE notification
             SET uncertain = lease_until IS NOT NULL, lease_until = $2, fence = fence + 1
             WHERE key ",
            $due,
            " RETURNING key, incident, fence, uncertain, rank, not_before, body"
        )
    };
}

const SQLITE_CLAIM: &str = claim!(
    "IN (SELECT key FROM notification
         WHERE state = 'waiting' AND not_before <= $1 AND (lease_until IS NULL OR lease_until <= $1)
         ORDER BY rank, not_before, key LIMIT $3)"
);
/// What somebody else is claiming at this moment is left to them. An array is made once: rows of a subquery that locks them
/// could be looked up twice.
const POSTGRES_CLAIM: &str = claim!(
    "= ANY (ARRAY(SELECT key FROM notification
         WHERE state = 'waiting' AND not_before <= $1 AND (lease_until IS NULL OR lease_until <= $1)
         ORDER BY rank, not_before, key LIMIT $3 FOR UPDATE SKIP LOCKED))"
);

impl Store {
    /// Claims up to `limit` notifications that are due at `now`, until `now + lease`: people before tickets before the rest,
    /// then the longest due. Each is given to one claimer only, until its lease runs out.
    pub async fn claim(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Claimed>, Error> {
        let until = now.as_millisecond().saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX));
        let mut transaction = self.begin(Purpose::Write, CLAIM).await?;
        self.check_lease(&mut transaction, CLAIM).await?;
        crash_point!("claim/begun");
        let rows = transaction
            .either(SQLITE_CLAIM, POSTGRES_CLAIM)
            .bind(now.as_millisecond())
            .bind(until)
            .bind(i64::from(limit))
            .rows(CLAIM)
            .await?;
        let mut claimed = Vec::with_capacity(rows.len());
        let mut incidents = HashMap::new();
        for row in &rows {
            let row = Reading { row, doing: CLAIM };
            let claim = Claim { key: row.get("key")?, fence: row.get("fence")? };
            crash_point!("claim/claimed");
            note_attempt(&mut transaction, &claim, now).await?;
            crash_point!("claim/attempt");
            let notification: Notification = match row.json("body") {
                Ok(notification) => notification,
                Err(error) => {
                    // One row must not hold up all others.
                    tracing::error!(key = claim.key, %error, "a notification is given up");
                    let incident = IncidentId(unsigned(row.get("incident")?));
                    give_up_unread(&mut transaction, &claim, incident, now).await?;
                    continue;
                }
            };
            let about = notification.incident;
            let incident = if let Some(incident) = incidents.get(&about) {
                Arc::clone(incident)
            } else {
                let incident = match incident_of(&mut transaction, about).await {
                    Ok(incident) => Arc::new(incident),
                    Err(error @ Error::Corrupt { .. }) => {
                        tracing::error!(key = claim.key, %error, "a notification is given up: its incident is damaged");
                        give_up_unread(&mut transaction, &claim, about, now).await?;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                incidents.insert(about, Arc::clone(&incident));
                incident
            };
            let order: (i64, i64) = (row.get("rank")?, row.get("not_before")?);
            let one = Claimed {
                attempts: before(claim.fence),
                claim,
                notification,
                incident,
                uncertain: row.get("uncertain")?,
            };
            claimed.push((order, one));
            crash_point!("claim/prepared");
        }
        transaction.commit(CLAIM).await?;
        // RETURNING promises no order.
        claimed.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.claim.key.cmp(&y.claim.key)));
        Ok(claimed.into_iter().map(|(_, one)| one).collect())
    }

    /// Settles a claimed notification at `now`, and puts what the deliverer has to say of it into the inbox: together.
    /// `false`: somebody else claimed it since, and nothing was written.
    pub async fn settle(
        &self,
        claim: &Claim,
        settlement: &Settlement,
        receipts: &[Receipt],
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut transaction = self.begin(Purpose::Write, SETTLE).await?;
        self.check_lease(&mut transaction, SETTLE).await?;
        crash_point!("settle/begun");
        if !put_settlement(&mut transaction, claim, settlement, now).await? {
            transaction.rollback(SETTLE).await?;
            return Ok(false);
        }
        for receipt in receipts {
            let told = Told { at: now, what: Message::Receipt(receipt.clone()) };
            inbox::append(&mut transaction, &told, SETTLE).await?;
            crash_point!("settle/receipt");
        }
        transaction.commit(SETTLE).await?;
        crash_point!("settle/committed");
        Ok(true)
    }

    /// The clock was set back, or was ahead before this program began: nothing waits for times that were never to come.
    /// What waits beyond `now + waits` is due now, but not what waits for a provider team to be there; and a claim ends at
    /// `now + lease` at the latest.
    pub async fn clock_set_back(
        &self,
        now: Timestamp,
        waits: Duration,
        lease: Duration,
    ) -> Result<(), Error> {
        let after = |more: Duration| {
            now.as_millisecond().saturating_add(i64::try_from(more.as_millis()).unwrap_or(i64::MAX))
        };
        let mut transaction = self.begin(Purpose::Write, SET_BACK).await?;
        self.check_lease(&mut transaction, SET_BACK).await?;
        transaction
            .statement(
                "UPDATE notification SET not_before = $1
                 WHERE state = 'waiting' AND not_before > $2 AND rank <> $3",
            )
            .bind(now.as_millisecond())
            .bind(after(waits))
            .bind(i64::from(NotificationKind::Told.rank()))
            .execute(SET_BACK)
            .await?;
        transaction
            .statement(
                "UPDATE notification SET lease_until = $1 WHERE state = 'waiting' AND lease_until > $1",
            )
            .bind(after(lease))
            .execute(SET_BACK)
            .await?;
        transaction.commit(SET_BACK).await
    }

    /// When the deliverer should look again: when the next notification is due or the next lease runs out, `now` at the
    /// earliest. `None`: nothing waits.
    pub async fn next_delivery(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let doing = "find the next delivery";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let row = connection
            .statement(
                "SELECT min(CASE WHEN lease_until > not_before THEN lease_until ELSE not_before END) AS at
             FROM notification WHERE state = 'waiting'",
            )
            .row(doing)
            .await?;
        let at = Reading { row: &row, doing }.time_if("at")?;
        Ok(at.map(|at| at.max(now)))
    }
}

/// Whether the claim was still good.
async fn put_settlement(
    connection: &mut Connection,
    claim: &Claim,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<bool, Error> {
    let (state, result, at, provider_id, why) = match settlement {
        Settlement::Sent { provider_id } => ("sent", "sent", None, Some(provider_id.as_str()), None),
        Settlement::RetryAt { at, why } => ("waiting", "retry", Some(*at), None, Some(why.as_str())),
        Settlement::GivenUp { why } => ("given_up", "given_up", None, None, Some(why.as_str())),
    };
    let settled_at = (state != "waiting").then(|| now.as_millisecond());
    let done = connection
        .statement(
            "UPDATE notification
             SET state = $3, not_before = coalesce($4, not_before), provider_id = $5, why = coalesce($6, why),
                 settled_at = $7, lease_until = NULL
             WHERE key = $1 AND fence = $2 AND state = 'waiting' AND lease_until IS NOT NULL",
        )
        .bind(claim.key.as_str())
        .bind(claim.fence)
        .bind(state)
        .bind(at.map(Timestamp::as_millisecond))
        .bind_words(provider_id)
        .bind_words(why)
        .bind(settled_at)
        .execute(SETTLE)
        .await?;
    if done == 0 {
        return Ok(false);
    }
    crash_point!("settle/notification");
    connection.statement(
        "UPDATE attempt SET settled_at = $3, result = $4, detail = $5 WHERE notification = $1 AND fence = $2",
    )
    .bind(claim.key.as_str())
    .bind(claim.fence)
    .bind(now.as_millisecond())
    .bind(result)
    .bind_words(provider_id.or(why))
    .execute(SETTLE)
    .await?;
    crash_point!("settle/attempt");
    Ok(true)
}

/// A row whose contents cannot be read: the rules hear that it reached nobody.
async fn give_up_unread(
    connection: &mut Connection,
    claim: &Claim,
    incident: IncidentId,
    now: Timestamp,
) -> Result<(), Error> {
    let why = "it cannot be read by this program".to_owned();
    put_settlement(connection, claim, &Settlement::GivenUp { why: why.clone() }, now).await?;
    let receipt =
        Receipt { notification: claim.key.clone(), incident, at: now, outcome: Sent::GivenUp { why } };
    inbox::append(connection, &Told { at: now, what: Message::Receipt(receipt) }, CLAIM).await?;
    Ok(())
}

/// Claims before the one of this fence.
fn before(fence: i64) -> u32 {
    u32::try_from(fence.saturating_sub(1)).unwrap_or(0)
}

async fn note_attempt(connection: &mut Connection, claim: &Claim, now: Timestamp) -> Result<(), Error> {
    connection
        .statement("INSERT INTO attempt (notification, fence, claimed_at) VALUES ($1, $2, $3)")
        .bind(claim.key.as_str())
        .bind(claim.fence)
        .bind(now.as_millisecond())
        .execute(CLAIM)
        .await?;
    Ok(())
}

async fn incident_of(connection: &mut Connection, id: IncidentId) -> Result<Incident, Error> {
    let row = connection
        .statement("SELECT state FROM incident WHERE id = $1")
        .bind(signed(id.0))
        .row(CLAIM)
        .await?;
    Reading { row: &row, doing: CLAIM }.json("state")
}
