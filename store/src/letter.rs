//! E-mails to those who asked for them: news is put to all who wish for it in one transaction, then claimed by lease, a subscription
//! at a time, and settled. What was claimed once says the same when it is claimed again, so that mailboxes know a repeat.

use crate::{
    Store, crash_point,
    database::Purpose,
    error::Error,
    row::{Reading, to_json},
};
use domain::{News, SubscriptionId, Wish};
use jiff::{Timestamp, tz::TimeZone};
use std::{collections::BTreeMap, time::Duration};

/// News in one e-mail; more comes in the next.
pub const NEWS_A_LETTER: u32 = 20;

const ANNOUNCE: &str = "tell those who asked for it";
const CLAIM: &str = "claim an e-mail to somebody who asked for it";
const SETTLE: &str = "settle an e-mail to somebody who asked for it";

macro_rules! of_list {
    ($text:literal) => {
        (
            concat!($text, " (SELECT value FROM json_each($1))"),
            concat!(
                $text,
                " (SELECT value::bigint FROM json_array_elements_text($1::json) AS given (value))"
            ),
        )
    };
}

/// An e-mail that is to be sent now.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Whose.
    pub subscription: SubscriptionId,
    /// The mailbox: a secret to all but the mail server.
    pub address: String,
    /// What they wished for.
    pub wish: Wish,
    /// What it is to say.
    pub about: About,
    /// How often it was tried and failed.
    pub tries: u32,
    fence: i64,
    upto: Option<i64>,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("subscription", &self.subscription).finish_non_exhaustive()
    }
}

/// What an e-mail is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Whether they really asked.
    Confirmation,
    /// That what they wait for works again.
    Back,
    /// What happened, the oldest first; none: somebody else has sent it.
    News(Vec<News>),
}

impl Letter {
    /// The same for the same e-mail, whoever sends it; on this database no other's.
    pub fn key(&self) -> String {
        match self.about {
            About::Confirmation => format!("subscription/{}/confirm", self.subscription.0),
            About::Back => format!("subscription/{}/back", self.subscription.0),
            About::News(_) => {
                format!("subscription/{}/news/{}", self.subscription.0, self.upto.unwrap_or_default())
            }
        }
    }
}

/// What became of an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// It was taken, or is given up: what it said is not sent again. More may wait, which is due then.
    Done {
        /// When more is due.
        next: Timestamp,
    },
    /// It is tried again.
    Again {
        /// When.
        at: Timestamp,
    },
    /// Nobody is there: the subscription ends, if nobody ever confirmed it.
    NoSuchMailbox {
        /// When more is due.
        next: Timestamp,
    },
}

impl Store {
    /// Puts news to all who wish for it, once: `0` if it was told before. How many e-mails are due by that.
    pub async fn announce(&self, news: &News, zone: &TimeZone, now: Timestamp) -> Result<u64, Error> {
        let mut transaction = self.begin(Purpose::Write, ANNOUNCE).await?;
        self.check_lease(&mut transaction, ANNOUNCE).await?;
        let row = transaction
            .statement(
                "INSERT INTO news (key, at, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
            )
            .bind(news.key.as_str())
            .bind(news.at.as_millisecond())
            .bind(to_json(news, ANNOUNCE)?)
            .row_if(ANNOUNCE)
            .await?;
        let Some(row) = row else {
            transaction.rollback(ANNOUNCE).await?;
            return Ok(0);
        };
        let id: i64 = Reading { row: &row, doing: ANNOUNCE }.get("id")?;
        let rows = transaction
            .statement("SELECT id, wish FROM subscription WHERE state = 'confirmed' AND since <= $1")
            .bind(news.at.as_millisecond())
            .rows(ANNOUNCE)
            .await?;
        let mut by_time: BTreeMap<Timestamp, Vec<i64>> = BTreeMap::new();
        for row in &rows {
            let row = Reading { row, doing: ANNOUNCE };
            let wish: Wish = row.json("wish")?;
            if wish.is_for(news) {
                by_time.entry(wish.pace.due(now, zone)).or_default().push(row.get("id")?);
            }
        }
        let mut due = 0;
        for (at, readers) in by_time {
            let list = to_json(&readers, ANNOUNCE)?;
            let (sqlite, postgres) = of_list!(
                "INSERT INTO letter (subscription, news) SELECT id, $2 FROM subscription WHERE id IN"
            );
            due +=
                transaction.either(sqlite, postgres).bind(list.as_str()).bind(id).execute(ANNOUNCE).await?;
            let (sqlite, postgres) = of_list!("UPDATE subscription SET due = coalesce(due, $2) WHERE id IN");
            let statement = transaction.either(sqlite, postgres).bind(list);
            statement.bind(at.as_millisecond()).execute(ANNOUNCE).await?;
        }
        crash_point!("letter/announced");
        transaction.commit(ANNOUNCE).await?;
        Ok(due)
    }

    /// What these waited for works again: each is told so, now.
    pub async fn is_back(&self, waiting: &[SubscriptionId], now: Timestamp) -> Result<(), Error> {
        let list: Vec<i64> = waiting.iter().map(|id| id.0).collect();
        let mut transaction = self.begin(Purpose::Write, ANNOUNCE).await?;
        self.check_lease(&mut transaction, ANNOUNCE).await?;
        let (sqlite, postgres) =
            of_list!("UPDATE subscription SET due = coalesce(due, $2) WHERE state = 'back' AND id IN");
        transaction
            .either(sqlite, postgres)
            .bind(to_json(&list, ANNOUNCE)?)
            .bind(now.as_millisecond())
            .execute(ANNOUNCE)
            .await?;
        transaction.commit(ANNOUNCE).await
    }

    /// Claims the e-mail that is due longest, until `now + lease`; what is no news, and somebody waits for, before news, until it was
    /// refused once: mailboxes that are made up must not keep news from those there are. `None`: none is due.
    pub async fn claim_letter(&self, now: Timestamp, lease: Duration) -> Result<Option<Letter>, Error> {
        let until = now.as_millisecond().saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX));
        let mut transaction = self.begin(Purpose::Write, CLAIM).await?;
        self.check_lease(&mut transaction, CLAIM).await?;
        let row = transaction
            .statement(
                "UPDATE subscription SET lease_until = $2, fence = fence + 1, upto = coalesce(upto, (
                     SELECT max(first.news) FROM (SELECT letter.news FROM letter WHERE letter.subscription = subscription.id
                                                  ORDER BY letter.news LIMIT $3) AS first))
                 WHERE id = coalesce(
                     (SELECT id FROM subscription WHERE state <> 'confirmed' AND due <= $1 AND tries = 0
                      AND (lease_until IS NULL OR lease_until <= $1) ORDER BY due, id LIMIT 1),
                     (SELECT id FROM subscription WHERE due <= $1
                      AND (lease_until IS NULL OR lease_until <= $1) ORDER BY due, id LIMIT 1))
                 RETURNING id, address, state, wish, fence, tries, upto",
            )
            .bind(now.as_millisecond())
            .bind(until)
            .bind(i64::from(NEWS_A_LETTER))
            .row_if(CLAIM)
            .await?;
        let Some(row) = row else {
            transaction.rollback(CLAIM).await?;
            return Ok(None);
        };
        let row = Reading { row: &row, doing: CLAIM };
        let (id, upto): (i64, Option<i64>) = (row.get("id")?, row.get("upto")?);
        let about = match row.get::<&str>("state")? {
            "asked" => About::Confirmation,
            "back" => About::Back,
            _ => {
                let rows = transaction
                    .statement(
                        "SELECT news.body FROM letter JOIN news ON news.id = letter.news
                         WHERE letter.subscription = $1 AND letter.news <= $2 ORDER BY letter.news",
                    )
                    .bind(id)
                    .bind(upto.unwrap_or_default())
                    .rows(CLAIM)
                    .await?;
                let news = rows.iter().map(|row| Reading { row, doing: CLAIM }.json("body"));
                About::News(news.collect::<Result<_, _>>()?)
            }
        };
        let letter = Letter {
            subscription: SubscriptionId(id),
            address: row.get("address")?,
            wish: row.json("wish")?,
            about,
            tries: u32::try_from(row.get::<i64>("tries")?).unwrap_or(u32::MAX),
            fence: row.get("fence")?,
            upto,
        };
        transaction.commit(CLAIM).await?;
        crash_point!("letter/claimed");
        Ok(Some(letter))
    }

    /// Settles a claimed e-mail. `false`: somebody else claimed it since, or it was called off, and nothing was written.
    pub async fn settle_letter(&self, letter: &Letter, posted: Posted) -> Result<bool, Error> {
        let mut transaction = self.begin(Purpose::Write, SETTLE).await?;
        self.check_lease(&mut transaction, SETTLE).await?;
        let of_none = match letter.about {
            About::Back => matches!(posted, Posted::Done { .. } | Posted::NoSuchMailbox { .. }),
            About::Confirmation => matches!(posted, Posted::NoSuchMailbox { .. }),
            About::News(_) => false,
        };
        let (id, fence) = (letter.subscription.0, letter.fence);
        let settled = match posted {
            _ if of_none => {
                let statement = "DELETE FROM subscription WHERE id = $1 AND fence = $2";
                transaction.statement(statement).bind(id).bind(fence).execute(SETTLE).await?
            }
            Posted::Again { at } => {
                let statement = "UPDATE subscription SET due = $3, lease_until = NULL, tries = tries + 1
                                 WHERE id = $1 AND fence = $2";
                let statement = transaction.statement(statement).bind(id).bind(fence);
                statement.bind(at.as_millisecond()).execute(SETTLE).await?
            }
            Posted::Done { next } | Posted::NoSuchMailbox { next } => {
                transaction
                    .statement(
                        "DELETE FROM letter WHERE subscription = $1 AND news <= $3
                         AND EXISTS (SELECT 1 FROM subscription WHERE id = $1 AND fence = $2)",
                    )
                    .bind(id)
                    .bind(fence)
                    .bind(letter.upto.unwrap_or_default())
                    .execute(SETTLE)
                    .await?;
                let statement =
                    "UPDATE subscription SET lease_until = NULL, tries = 0, upto = NULL, due = NULL
                                 WHERE id = $1 AND fence = $2";
                let settled = transaction.statement(statement).bind(id).bind(fence).execute(SETTLE).await?;
                // A statement of its own: PostgreSQL lets it see what came while the one before waited for the row.
                transaction
                    .statement(
                        "UPDATE subscription SET due = $3 WHERE id = $1 AND fence = $2
                         AND EXISTS (SELECT 1 FROM letter WHERE letter.subscription = $1)",
                    )
                    .bind(id)
                    .bind(fence)
                    .bind(next.as_millisecond())
                    .execute(SETTLE)
                    .await?;
                settled
            }
        };
        transaction.commit(SETTLE).await?;
        crash_point!("letter/settled");
        Ok(settled == 1)
    }
}
