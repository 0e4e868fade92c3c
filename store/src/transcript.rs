//! What was seen of each check the last time that it failed, and the last time that it was noted while it was well.

use crate::{
    Store,
    database::{Connection, Purpose},
    error::Error,
    postgres,
    record::Batch,
    row::{Reading, to_json},
    sqlite,
    track::Number,
};
use domain::{InstanceId, Outcome};
use std::collections::BTreeMap;

/// Whether an outcome is kept as it was seen: what failed, and what is good where somebody wrote it down.
pub(crate) fn is_kept(outcome: &Outcome) -> bool {
    outcome.failure.is_some() || outcome.transcript.is_some()
}

/// Puts the newest of a batch in the place of what was kept before.
pub(crate) async fn put(
    connection: &mut Connection,
    batch: &Batch,
    numbers: &[Number],
    doing: &'static str,
) -> Result<(), Error> {
    let mut newest: BTreeMap<(i64, bool), &Outcome> = BTreeMap::new();
    for ((outcome, _), number) in batch.outcomes.iter().zip(numbers) {
        if is_kept(outcome) {
            let kept = newest.entry((number.id, outcome.failure.is_none())).or_insert(outcome);
            if kept.at < outcome.at {
                *kept = outcome;
            }
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let row = |((track, good), outcome): (&(i64, bool), &&Outcome)| {
        let state = to_json(outcome, doing)?;
        Ok(serde_json::json!([track, i64::from(*good), outcome.at.as_millisecond(), state]))
    };
    let rows: Vec<serde_json::Value> = newest.iter().map(row).collect::<Result<_, Error>>()?;
    connection
        .either(sqlite::PUT_TRANSCRIPTS, postgres::PUT_TRANSCRIPTS)
        .bind(to_json(&rows, doing)?)
        .execute(doing)
        .await?;
    Ok(())
}

impl Store {
    /// What is kept of an instance's checks: of each, from each vantage, at most one outcome that failed and one that did not.
    pub async fn transcripts(&self, instance: &InstanceId) -> Result<Vec<Outcome>, Error> {
        let doing = "read what was seen of an instance";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        connection
            .statement(
                "SELECT transcript.state FROM track JOIN transcript ON transcript.track = track.id
                 WHERE track.api = $1 AND track.environment = $2 ORDER BY transcript.at DESC, transcript.track",
            )
            .bind(instance.api.as_str())
            .bind(instance.environment.word())
            .rows(doing)
            .await?
            .iter()
            .map(|row| Reading { row, doing }.json("state"))
            .collect()
    }
}
