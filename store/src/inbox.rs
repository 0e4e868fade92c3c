//! The Inbox: what people and outside systems told us, in order, until the recorder has folded it in.

use crate::{
    Store, crash_point,
    database::{Connection, Purpose},
    error::Error,
    row::{Reading, to_json},
};
use domain::Told;
use std::error::Error as _;

/// Rows that [`Store::inbox`] gives at most, whatever was asked for.
pub const MAX_INBOX: u32 = 1_000;

const ANSWER: &str = "answer the inbox";

/// Names a row of the Inbox. Later rows have higher numbers; a number is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InboxId(pub i64);

impl Store {
    /// Appends to the Inbox. Durable when it returns.
    pub async fn tell(&self, told: &Told) -> Result<InboxId, Error> {
        let doing = "write into the inbox";
        let mut connection = self.connect(Purpose::Write, doing).await?;
        crash_point!("inbox/before-append");
        let id = append(&mut connection, told, doing).await;
        crash_point!("inbox/appended");
        id
    }

    /// What is not folded in yet, in order: at most `limit` rows and [`MAX_INBOX`].
    ///
    /// A row that cannot be read (a newer program wrote it, or the disk is damaged) is refused and logged: answers of
    /// people wait behind it.
    pub async fn inbox(&self, limit: u32) -> Result<Vec<(InboxId, Told)>, Error> {
        let doing = "read the inbox";
        loop {
            let rows = self
                .connect(Purpose::Read, doing)
                .await?
                .statement("SELECT id, at, what FROM inbox WHERE accepted IS NULL ORDER BY id LIMIT $1")
                .bind(i64::from(limit.min(MAX_INBOX)))
                .rows(doing)
                .await?;
            let mut read = Vec::with_capacity(rows.len());
            let mut refused = false;
            for row in &rows {
                let row = Reading { row, doing };
                let id = InboxId(row.get("id")?);
                match told(row) {
                    Ok(told) => read.push((id, told)),
                    Err(error) => {
                        tracing::error!(row = id.0, %error, cause = ?error.source(), "a row of the inbox is refused");
                        self.refuse(id).await?;
                        refused = true;
                    }
                }
            }
            // Those that were refused took the places of others.
            if !(refused && read.is_empty()) {
                return Ok(read);
            }
        }
    }

    async fn refuse(&self, id: InboxId) -> Result<(), Error> {
        let mut connection = self.connect(Purpose::Write, ANSWER).await?;
        let why = "it cannot be read by this program: say it again".to_owned();
        fold(&mut connection, id, Err(&why)).await
    }

    /// What the recorder answered: done, or why not. `None`: not folded in yet, or there is no such row.
    pub async fn answer(&self, id: InboxId) -> Result<Option<Result<String, String>>, Error> {
        let doing = "read an answer from the inbox";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let row = connection
            .statement("SELECT accepted, answer FROM inbox WHERE id = $1 AND accepted IS NOT NULL")
            .bind(id.0)
            .row_if(doing)
            .await?;
        row.as_ref()
            .map(|row| {
                let row = Reading { row, doing };
                let words = row.get("answer")?;
                Ok(if row.get("accepted")? { Ok(words) } else { Err(words) })
            })
            .transpose()
    }
}

fn told(row: Reading<'_>) -> Result<Told, Error> {
    Ok(Told { at: row.time("at")?, what: row.json("what")? })
}

/// Appends within a transaction.
pub(crate) async fn append(
    connection: &mut Connection,
    told: &Told,
    doing: &'static str,
) -> Result<InboxId, Error> {
    let row = connection
        .statement("INSERT INTO inbox (at, what) VALUES ($1, $2) RETURNING id")
        .bind(told.at.as_millisecond())
        .bind(to_json(&told.what, doing)?)
        .row(doing)
        .await?;
    Reading { row: &row, doing }.get("id").map(InboxId)
}

/// Marks a row as folded in, with the answer.
pub(crate) async fn fold(
    connection: &mut Connection,
    id: InboxId,
    answer: Result<&String, &String>,
) -> Result<(), Error> {
    let (Ok(words) | Err(words)) = answer;
    connection
        .statement("UPDATE inbox SET accepted = $2, answer = $3 WHERE id = $1")
        .bind(id.0)
        .bind(answer.is_ok())
        .bind_words(words.as_str())
        .execute(ANSWER)
        .await?;
    crash_point!("record/answer");
    Ok(())
}

/// Takes a row out that was folded in.
pub(crate) async fn take_out(connection: &mut Connection, id: InboxId) -> Result<(), Error> {
    let doing = "take a heartbeat out of the inbox";
    connection.statement("DELETE FROM inbox WHERE id = $1").bind(id.0).execute(doing).await?;
    crash_point!("record/heard");
    Ok(())
}
