//! Those who want to be told by e-mail: asked for, confirmed, forgotten. A request is durable when it is answered, and nothing that
//! is decided depends on it: so it goes into its own table, not through the recorder.

use crate::{
    Store,
    database::{Connection, Purpose},
    error::Error,
    row::{Reading, to_json, unsigned},
};
use domain::{InstanceId, MailAddress, SubscriptionId, Wish};
use jiff::{SignedDuration, Timestamp};

/// Not confirmed for so long, an address is forgotten.
pub const UNCONFIRMED: SignedDuration = SignedDuration::from_hours(48);
/// Nobody waits longer to be told that something works again.
pub const WAITS: SignedDuration = SignedDuration::from_hours(24 * 14);
/// News is kept for so long, so that it is not told again.
const NEWS: SignedDuration = SignedDuration::from_hours(48);
/// So often one mailbox is asked to confirm, in [`UNCONFIRMED`].
const UNASKED_A_MAILBOX: i64 = 3;
/// What one mailbox can wait for.
const BACK_A_MAILBOX: i64 = 5;
/// What one mailbox can have confirmed.
const CONFIRMED_A_MAILBOX: i64 = 20;
/// Not confirmed, in all.
const UNASKED: i64 = 2_000;
/// Those who wait, in all.
const BACK: i64 = 2_000;
/// Subscriptions, in all.
const SUBSCRIPTIONS: i64 = 20_000;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscribed {
    /// It is kept, or the mailbox has all that it may have: who asks is not told which.
    Taken,
    /// There are as many as there may be.
    Full,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Subscribers {
    /// Asked for and not confirmed.
    pub asked: u64,
    /// Confirmed.
    pub confirmed: u64,
    /// To be told once, when something works again.
    pub back: u64,
    /// E-mails that are to be sent.
    pub due: u64,
}

impl Store {
    /// Somebody asks to be told. Durable when it returns; its e-mail asks for confirmation.
    pub async fn subscribe(
        &self,
        address: &MailAddress,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<Subscribed, Error> {
        self.ask(address, wish, ("asked", Some(now)), now).await
    }

    /// Somebody asks to be told once, when the instance that `wish` names works again.
    pub async fn tell_when_back(
        &self,
        address: &MailAddress,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<Subscribed, Error> {
        self.ask(address, wish, ("back", None), now).await
    }

    async fn ask(
        &self,
        address: &MailAddress,
        wish: &Wish,
        (state, due): (&'static str, Option<Timestamp>),
        now: Timestamp,
    ) -> Result<Subscribed, Error> {
        let doing = "keep a subscription";
        let (mailbox, wish) = (address.mailbox(), to_json(wish, doing)?);
        let mut transaction = self.begin(Purpose::Write, doing).await?;
        let row = transaction
            .statement(
                "SELECT count(*) AS all_there_are, count(CASE WHEN state = $2 THEN 1 END) AS like_it,
                 count(CASE WHEN mailbox = $1 AND state = $2 THEN 1 END) AS like_it_here,
                 count(CASE WHEN mailbox = $1 AND state = 'confirmed' THEN 1 END) AS confirmed_here,
                 count(CASE WHEN mailbox = $1 AND state = $2 AND wish = $3
                            AND (due IS NOT NULL OR state = 'back') THEN 1 END) AS alike
                 FROM subscription",
            )
            .bind(mailbox.as_str())
            .bind(state)
            .bind(wish.as_str())
            .row(doing)
            .await?;
        let count = |name| Reading { row: &row, doing }.get::<i64>(name);
        let (here, in_all) =
            if state == "back" { (BACK_A_MAILBOX, BACK) } else { (UNASKED_A_MAILBOX, UNASKED) };
        if count("alike")? > 0
            || count("like_it_here")? >= here
            || count("confirmed_here")? >= CONFIRMED_A_MAILBOX
        {
            transaction.rollback(doing).await?;
            return Ok(Subscribed::Taken);
        }
        if count("all_there_are")? >= SUBSCRIPTIONS || count("like_it")? >= in_all {
            transaction.rollback(doing).await?;
            return Ok(Subscribed::Full);
        }
        transaction
            .statement(
                "INSERT INTO subscription (address, mailbox, state, since, wish, due) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(address.reveal())
            .bind(mailbox.as_str())
            .bind(state)
            .bind(now.as_millisecond())
            .bind(wish)
            .bind(due.map(Timestamp::as_millisecond))
            .execute(doing)
            .await?;
        transaction.commit(doing).await?;
        Ok(Subscribed::Taken)
    }

    /// Who has the mailbox confirms. `false`: there is no such subscription any more. Others of that mailbox that wish for the same
    /// give way.
    pub async fn confirm(&self, id: SubscriptionId, now: Timestamp) -> Result<bool, Error> {
        let doing = "confirm a subscription";
        let mut transaction = self.begin(Purpose::Write, doing).await?;
        let row = transaction
            .statement(
                "UPDATE subscription SET state = 'confirmed', since = $2, due = NULL, lease_until = NULL, tries = 0,
                                         fence = fence + 1
                 WHERE id = $1 AND state = 'asked' AND since > $3 RETURNING mailbox, wish",
            )
            .bind(id.0)
            .bind(now.as_millisecond())
            .bind((now - UNCONFIRMED).as_millisecond())
            .row_if(doing)
            .await?;
        let Some(row) = row else {
            // Pressed once more, or there is none.
            let statement = "SELECT id FROM subscription WHERE id = $1 AND state = 'confirmed'";
            let known = transaction.statement(statement).bind(id.0).row_if(doing).await?;
            transaction.rollback(doing).await?;
            return Ok(known.is_some());
        };
        let row = Reading { row: &row, doing };
        transaction
            .statement(
                "DELETE FROM subscription WHERE mailbox = $1 AND wish = $2 AND id <> $3 AND state <> 'back'",
            )
            .bind(row.get::<String>("mailbox")?)
            .bind(row.get::<String>("wish")?)
            .bind(id.0)
            .execute(doing)
            .await?;
        transaction.commit(doing).await?;
        Ok(true)
    }

    /// Ends a subscription; nothing is kept of it. Of one that nobody confirmed: its mailbox ([`MailAddress::mailbox`]).
    pub async fn unsubscribe(&self, id: SubscriptionId) -> Result<Option<String>, Error> {
        let doing = "end a subscription";
        let mut connection = self.connect(Purpose::Write, doing).await?;
        let row = connection
            .statement("DELETE FROM subscription WHERE id = $1 RETURNING mailbox, state")
            .bind(id.0)
            .row_if(doing)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let row = Reading { row: &row, doing };
        if row.get::<&str>("state")? == "asked" { row.get("mailbox").map(Some) } else { Ok(None) }
    }

    /// Forgets all that was asked for of a mailbox; how many subscriptions that were.
    pub async fn forget(&self, address: &MailAddress) -> Result<u64, Error> {
        let doing = "forget an address";
        let mut connection = self.connect(Purpose::Write, doing).await?;
        connection
            .statement("DELETE FROM subscription WHERE mailbox = $1")
            .bind(address.mailbox())
            .execute(doing)
            .await
    }

    /// How many there are.
    pub async fn subscribers(&self) -> Result<Subscribers, Error> {
        let doing = "count the subscriptions";
        let row = self
            .connect(Purpose::Read, doing)
            .await?
            .statement(
                "SELECT count(CASE WHEN state = 'asked' THEN 1 END) AS asked,
                 count(CASE WHEN state = 'confirmed' THEN 1 END) AS confirmed,
                 count(CASE WHEN state = 'back' THEN 1 END) AS back, count(due) AS due FROM subscription",
            )
            .row(doing)
            .await?;
        let count = |name| Reading { row: &row, doing }.get::<i64>(name).map(unsigned);
        Ok(Subscribers {
            asked: count("asked")?,
            confirmed: count("confirmed")?,
            back: count("back")?,
            due: count("due")?,
        })
    }

    /// Those who wait for an instance to work again, and whether they asked on the trusted network.
    pub async fn waiting_for(&self) -> Result<Vec<(SubscriptionId, InstanceId, bool)>, Error> {
        let doing = "read who waits for an API";
        let rows = self
            .connect(Purpose::Read, doing)
            .await?
            .statement("SELECT id, wish FROM subscription WHERE state = 'back' AND due IS NULL")
            .rows(doing)
            .await?;
        let mut waiting = Vec::with_capacity(rows.len());
        for row in &rows {
            let row = Reading { row, doing };
            let wish: Wish = row.json("wish")?;
            if let (Some(api), Some(environment)) = (wish.api, wish.environment) {
                let instance = InstanceId { api, environment };
                waiting.push((SubscriptionId(row.get("id")?), instance, wish.internal));
            }
        }
        Ok(waiting)
    }

    /// Forgets who did not confirm in time, who waited for too long, and news that was sent.
    pub async fn forget_old(&self, now: Timestamp) -> Result<(), Error> {
        let doing = "forget what is over of subscriptions";
        let mut transaction = self.begin(Purpose::Write, doing).await?;
        self.check_lease(&mut transaction, doing).await?;
        for (statement, before) in [
            ("DELETE FROM subscription WHERE state = 'asked' AND since <= $1", UNCONFIRMED),
            ("DELETE FROM subscription WHERE state = 'back' AND since <= $1", WAITS),
            (
                "DELETE FROM news WHERE at <= $1 AND NOT EXISTS (SELECT 1 FROM letter WHERE letter.news = news.id)",
                NEWS,
            ),
        ] {
            delete(&mut transaction, statement, now - before, doing).await?;
        }
        transaction.commit(doing).await
    }
}

async fn delete(
    connection: &mut Connection,
    statement: &'static str,
    before: Timestamp,
    doing: &'static str,
) -> Result<(), Error> {
    connection.statement(statement).bind(before.as_millisecond()).execute(doing).await.map(drop)
}
