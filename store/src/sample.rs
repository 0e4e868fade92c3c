//! Every probe of a check over a range `[from, to)`, from the rows of late and the sealed hours before.

use crate::{
    Store,
    block::HOUR,
    database::{Connection, Purpose},
    error::Error,
    history::MAX_SAMPLES,
    record::MINUTE,
    row::{Reading, WARM, time, verdict_of},
    sealed,
    slot::of_slot,
};
use domain::{CheckId, VantageId, Verdict};
use jiff::Timestamp;
use std::time::Duration;

/// Minutes with samples that one answer may span: a little more than 90 days.
pub const MAX_MINUTES: u32 = 92 * 24 * 60;
/// Hours that are looked up first, the newest; then twice as many, until there is enough.
const HOURS: i64 = 6;

const DOING: &str = "read the samples of a check";

/// One probe, as far as history goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it started.
    pub at: Timestamp,
    /// How it was judged.
    pub verdict: Verdict,
    /// Over a connection that was kept.
    pub warm: bool,
    /// How long it took, to 64 µs.
    pub total: Duration,
}

impl Sample {
    /// Whether it is one of those that tell the latency of its check: an answer, and over the kind of connection that the check
    /// is to use. Cold and warm ones are of two kinds.
    pub fn tells_latency(&self, warm: bool) -> bool {
        matches!(self.verdict, Verdict::Pass | Verdict::Slow) && self.warm == warm
    }
}

/// A sample as it is stored. Sorts by time, then by track.
#[derive(Debug, Clone, Copy)]
struct Stored {
    at: i64,
    track: i64,
    code: i64,
    total: i64,
}

/// Whose samples, and of when, in milliseconds.
struct Wanted<'w> {
    check: &'w CheckId,
    vantage: Option<&'w VantageId>,
    from: i64,
    to: i64,
    limit: u32,
}

impl Store {
    /// The newest `limit` (at most [`MAX_SAMPLES`]) probes of `check` in the range, in order of time; of one vantage, or of all.
    /// A range with samples over more than [`MAX_MINUTES`] is [`Error::TooMuch`].
    pub async fn samples(
        &self,
        check: &CheckId,
        vantage: Option<&VantageId>,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Result<Vec<Sample>, Error> {
        let limit = limit.min(MAX_SAMPLES);
        let wanted = Wanted { check, vantage, from: from.as_millisecond(), to: to.as_millisecond(), limit };
        // One transaction: what is sealed in between would be seen twice, or not at all.
        let mut transaction = self.begin(Purpose::Read, DOING).await?;
        let read = read(&mut transaction, &wanted).await;
        transaction.rollback(DOING).await?;
        let mut all = read?;
        // Stable: of one that was told again after its hour was sealed, that of the block stays.
        all.sort_by_key(|one| (one.at, one.track));
        all.dedup_by_key(|one| (one.at, one.track));
        let too_many = all.len().saturating_sub(limit as usize);
        all.into_iter().skip(too_many).map(sample).collect()
    }
}

fn sample(stored: Stored) -> Result<Sample, Error> {
    Ok(Sample {
        at: time(stored.at, DOING)?,
        verdict: verdict_of(stored.code, DOING)?,
        warm: stored.code >= WARM,
        total: Duration::from_micros(u64::try_from(stored.total).unwrap_or(0).saturating_mul(64)),
    })
}

/// Those of sealed hours, then the rows.
async fn read(connection: &mut Connection, wanted: &Wanted<'_>) -> Result<Vec<Stored>, Error> {
    let minutes = |from: i64, to: i64, (oldest, newest): (i64, i64)| {
        let (first, last) = (from.div_euclid(MINUTE).max(oldest), to.div_euclid(MINUTE).min(newest));
        (first <= last).then_some((first, last))
    };
    let hot = hot_minutes(connection, DOING).await?;
    let hot = hot.and_then(|hot| minutes(wanted.from, wanted.to, hot));
    let cold = sealed_hours(connection, wanted).await?;
    let cold =
        cold.and_then(|(oldest, newest)| minutes(wanted.from, wanted.to, (oldest * 60, newest * 60 + 59)));
    let all = hot.into_iter().chain(cold);
    let (first, last) = all.fold((i64::MAX, i64::MIN), |all, one| (all.0.min(one.0), all.1.max(one.1)));
    if last.saturating_sub(first) >= i64::from(MAX_MINUTES) {
        return Err(Error::TooMuch { doing: DOING, limit: MAX_MINUTES, of: "minutes of samples" });
    }
    let mut samples = Vec::new();
    if let Some((first, last)) = cold {
        sealed_samples(connection, wanted, (first / 60, last / 60), &mut samples).await?;
    }
    if let Some((first, last)) = hot {
        hot_samples(connection, wanted, (first, last), &mut samples).await?;
    }
    Ok(samples)
}

/// The first and the last minute that has rows.
pub(crate) async fn hot_minutes(
    connection: &mut Connection,
    doing: &'static str,
) -> Result<Option<(i64, i64)>, Error> {
    let row = connection
        .statement(
            "SELECT CAST((SELECT min(minute) FROM outcome) AS BIGINT) AS oldest,
                    CAST((SELECT max(minute) FROM outcome) AS BIGINT) AS newest",
        )
        .row(doing)
        .await?;
    let row = Reading { row: &row, doing };
    let (oldest, newest): (Option<i64>, Option<i64>) = (row.get("oldest")?, row.get("newest")?);
    Ok(oldest.zip(newest))
}

/// The first and the last sealed hour of the check.
async fn sealed_hours(connection: &mut Connection, wanted: &Wanted<'_>) -> Result<Option<(i64, i64)>, Error> {
    let row = connection
        .statement(
            "SELECT CAST(min((SELECT min(slot) FROM sealed
                      WHERE slot >= track.id * 4194304 AND slot < (track.id + 1) * 4194304) - track.id * 4194304)
                      AS BIGINT) AS oldest,
                    CAST(max((SELECT max(slot) FROM sealed
                      WHERE slot >= track.id * 4194304 AND slot < (track.id + 1) * 4194304) - track.id * 4194304)
                      AS BIGINT) AS newest
             FROM track WHERE api = $1 AND environment = $2 AND operation = $3 AND ($4 IS NULL OR vantage = $4)",
        )
        .bind(wanted.check.instance.api.as_str())
        .bind(wanted.check.instance.environment.word())
        .bind(wanted.check.operation.as_str())
        .bind(wanted.vantage.map(VantageId::as_str))
        .row(DOING)
        .await?;
    let row = Reading { row: &row, doing: DOING };
    let (oldest, newest): (Option<i64>, Option<i64>) = (row.get("oldest")?, row.get("newest")?);
    Ok(oldest.zip(newest))
}

async fn sealed_samples(
    connection: &mut Connection,
    wanted: &Wanted<'_>,
    (first, mut last): (i64, i64),
    samples: &mut Vec<Stored>,
) -> Result<(), Error> {
    let mut hours = HOURS;
    while last >= first && samples.len() < wanted.limit as usize {
        let from = first.max(last - hours + 1);
        let rows = connection
            .statement(
                "SELECT sealed.slot, sealed.block FROM track CROSS JOIN sealed
                 WHERE track.api = $1 AND track.environment = $2 AND track.operation = $3
                   AND ($4 IS NULL OR track.vantage = $4)
                   AND sealed.slot BETWEEN track.id * 4194304 + $5 AND track.id * 4194304 + $6",
            )
            .bind(wanted.check.instance.api.as_str())
            .bind(wanted.check.instance.environment.word())
            .bind(wanted.check.operation.as_str())
            .bind(wanted.vantage.map(VantageId::as_str))
            .bind(from)
            .bind(last)
            .rows(DOING)
            .await?;
        for row in &rows {
            let row = Reading { row, doing: DOING };
            let (track, hour) = of_slot(row.get("slot")?);
            let packed = sealed::packed(row)?;
            let stored = packed.iter().map(|one| Stored {
                at: hour * HOUR + i64::from(one.ms),
                track,
                code: i64::from(one.code),
                total: i64::from(one.total),
            });
            samples.extend(stored.filter(|one| (wanted.from..wanted.to).contains(&one.at)));
        }
        (last, hours) = (from - 1, hours * 2);
    }
    Ok(())
}

async fn hot_samples(
    connection: &mut Connection,
    wanted: &Wanted<'_>,
    (first, last): (i64, i64),
    samples: &mut Vec<Stored>,
) -> Result<(), Error> {
    // CROSS JOIN keeps the order: for each track, look every minute up by the key.
    let rows = connection
        .statement(
            "WITH RECURSIVE span (minute) AS (SELECT $5 UNION ALL SELECT minute - 1 FROM span WHERE minute > $6)
             SELECT CAST(outcome.minute AS BIGINT) * 60000 + outcome.ms AS at, track.id AS track,
                    CAST(outcome.verdict AS BIGINT) AS verdict, CAST(outcome.total AS BIGINT) AS total
             FROM track CROSS JOIN span CROSS JOIN outcome
             WHERE track.api = $1 AND track.environment = $2 AND track.operation = $3
               AND ($4 IS NULL OR track.vantage = $4)
               AND outcome.minute = span.minute AND outcome.track = track.id
               AND CAST(outcome.minute AS BIGINT) * 60000 + outcome.ms >= $7
               AND CAST(outcome.minute AS BIGINT) * 60000 + outcome.ms < $8
             ORDER BY at DESC LIMIT $9",
        )
        .bind(wanted.check.instance.api.as_str())
        .bind(wanted.check.instance.environment.word())
        .bind(wanted.check.operation.as_str())
        .bind(wanted.vantage.map(VantageId::as_str))
        .bind(last)
        .bind(first)
        .bind(wanted.from)
        .bind(wanted.to)
        .bind(i64::from(wanted.limit))
        .rows(DOING)
        .await?;
    for row in &rows {
        let row = Reading { row, doing: DOING };
        samples.push(Stored {
            at: row.get("at")?,
            track: row.get("track")?,
            code: row.get("verdict")?,
            total: row.get("total")?,
        });
    }
    Ok(())
}
