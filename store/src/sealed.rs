//! Hours that are over, sealed: the rows of a track's hour become one block (`block.rs`), in one transaction.
//!
//! What comes for an hour after that is a row beside its block: whoever reads puts both together, and the next step of
//! sealing puts it in.

use crate::{
    Store,
    block::{self, HOUR, Packed},
    crash_point,
    database::{Connection, Purpose, Row},
    error::Error,
    postgres,
    record::MINUTE,
    row::{Reading, time, to_json},
    slot::{of_slot, slot},
    sqlite,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

const DOING: &str = "seal an hour";

/// What one step of sealing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Tracks of which an hour was sealed; 0: there was nothing to do.
    pub tracks: u32,
    /// Their rows that are in a block now.
    pub samples: u64,
}

impl Store {
    /// Seals one hour, the oldest that has rows, of at most `tracks` tracks, in one transaction; nothing if that hour does not
    /// end by `before`. To be repeated until there is nothing to do.
    ///
    /// A block to which rows are to be added and that is damaged is put aside. [`Error::Fenced`]: another one records.
    pub async fn seal(&self, before: Timestamp, tracks: u32) -> Result<Sealed, Error> {
        // So that the write lock is not taken in vain.
        let mut reader = self.connect(Purpose::Read, DOING).await?;
        let oldest = oldest_minute(&mut reader).await?;
        drop(reader);
        if oldest.is_none_or(|minute| !is_over(minute, before)) {
            return Ok(Sealed::default());
        }
        self.0.database.is_in_place(DOING)?;
        let mut transaction = self.begin(Purpose::Write, DOING).await?;
        self.check_lease(&mut transaction, DOING).await?;
        crash_point!("seal/begun");
        let sealed = match oldest_minute(&mut transaction).await? {
            Some(minute) if is_over(minute, before) => seal(&mut transaction, minute, tracks).await?,
            _ => Sealed::default(),
        };
        crash_point!("seal/before-commit");
        transaction.commit(DOING).await?;
        crash_point!("seal/committed");
        Ok(sealed)
    }
}

/// Whether the hour of that minute ends by `before`.
fn is_over(minute: i64, before: Timestamp) -> bool {
    (minute.div_euclid(60) + 1) * HOUR <= before.as_millisecond()
}

async fn oldest_minute(connection: &mut Connection) -> Result<Option<i64>, Error> {
    let row =
        connection.statement("SELECT CAST(min(minute) AS BIGINT) AS oldest FROM outcome").row(DOING).await?;
    Reading { row: &row, doing: DOING }.get("oldest")
}

/// Seals the hour of `minute` for tracks that have rows in that minute.
async fn seal(connection: &mut Connection, minute: i64, at_most: u32) -> Result<Sealed, Error> {
    let hour = minute.div_euclid(60);
    let rows = connection
        .statement(
            "SELECT DISTINCT CAST(track AS BIGINT) AS track FROM outcome WHERE minute = $1 ORDER BY track LIMIT $2",
        )
        .bind(minute)
        .bind(i64::from(at_most))
        .rows(DOING)
        .await?;
    let tracks =
        rows.iter().map(|row| Reading { row, doing: DOING }.get("track")).collect::<Result<Vec<i64>, _>>()?;
    let rows = connection
        .either(sqlite::TAKE_OUT, postgres::TAKE_OUT)
        .bind(hour * 60)
        .bind(hour * 60 + 59)
        .bind(to_json(&tracks, DOING)?)
        .rows(DOING)
        .await?;
    // What is deleted is what is sealed, whatever comes in between.
    let hot = hot(&rows, DOING)?;
    crash_point!("seal/taken-out");
    let mut sealed = Sealed { tracks: u32::try_from(hot.len()).unwrap_or(u32::MAX), samples: 0 };
    let mut blocks = blocks(connection, hour, &tracks).await?;
    for ((track, _), rows) in hot {
        sealed.samples += rows.len() as u64;
        let slot = slot(track, hour);
        let before = blocks.remove(&slot);
        // A second who seals the same hour at the same time is refused by the key, or waits for the lock on the block.
        let statement = if before.is_some() {
            "UPDATE sealed SET samples = $2, block = $3 WHERE slot = $1"
        } else {
            "INSERT INTO sealed (slot, samples, block) VALUES ($1, $2, $3)"
        };
        let all = block::merge(before.unwrap_or_default(), rows);
        connection
            .statement(statement)
            .bind(slot)
            .bind(i32::try_from(all.len()).unwrap_or(i32::MAX))
            .bind(block::encode(&all))
            .execute(DOING)
            .await?;
    }
    connection
        .either(sqlite::PUT_UNROLLED, postgres::PUT_UNROLLED)
        .bind(hour)
        .bind(to_json(&tracks, DOING)?)
        .execute(DOING)
        .await?;
    crash_point!("seal/put-in");
    Ok(sealed)
}

/// Rows of `outcome` by track and hour, each in order of time.
pub(crate) fn hot(rows: &[Row], doing: &'static str) -> Result<BTreeMap<(i64, i64), Vec<Packed>>, Error> {
    let mut hot: BTreeMap<(i64, i64), Vec<Packed>> = BTreeMap::new();
    for row in rows {
        let row = Reading { row, doing };
        let number = |number: i64| u32::try_from(number).map_err(|error| Error::corrupt(doing, error));
        let minute: i64 = row.get("minute")?;
        let code =
            u8::try_from(number(row.get("verdict")?)?).map_err(|error| Error::corrupt(doing, error))?;
        let ms = number(minute.rem_euclid(60) * MINUTE + row.get::<i64>("ms")?)?;
        let packed = Packed { ms, code, total: number(row.get("total")?)? };
        hot.entry((row.get("track")?, minute.div_euclid(60))).or_default().push(packed);
    }
    for rows in hot.values_mut() {
        rows.sort_unstable_by_key(|one| one.ms);
    }
    Ok(hot)
}

/// What is sealed already of that hour, by slot.
async fn blocks(
    connection: &mut Connection,
    hour: i64,
    tracks: &[i64],
) -> Result<HashMap<i64, Vec<Packed>>, Error> {
    let slots: Vec<i64> = tracks.iter().map(|track| slot(*track, hour)).collect();
    let rows = connection
        .either(sqlite::SEALED_BLOCKS, postgres::SEALED_BLOCKS)
        .bind(to_json(&slots, DOING)?)
        .rows(DOING)
        .await?;
    let mut blocks = HashMap::new();
    for row in &rows {
        let row = Reading { row, doing: DOING };
        let slot: i64 = row.get("slot")?;
        if let Err(damaged) = block::decode(row.get("block")?) {
            let (track, hour) = of_slot(slot);
            tracing::error!(track, hour, %damaged, "a sealed hour to which something is added is put aside");
            put_aside(connection, slot).await?;
            continue;
        }
        blocks.insert(slot, packed(row)?);
    }
    Ok(blocks)
}

/// What nobody can read stays as it is, but in nobody's way.
async fn put_aside(connection: &mut Connection, slot: i64) -> Result<(), Error> {
    connection
        .statement(
            "INSERT INTO damaged (slot, samples, block) SELECT slot, samples, block FROM sealed WHERE slot = $1
             ON CONFLICT (slot) DO NOTHING",
        )
        .bind(slot)
        .execute(DOING)
        .await?;
    connection.statement("DELETE FROM sealed WHERE slot = $1").bind(slot).execute(DOING).await.map(drop)
}

/// The column `block`; what is damaged is said, and counts as nothing.
pub(crate) fn readable(row: Reading<'_>) -> Result<Vec<Packed>, Error> {
    let (track, hour) = of_slot(row.get("slot")?);
    let block = block::decode(row.get("block")?);
    Ok(block.unwrap_or_else(|damaged| {
        tracing::error!(track, hour, %damaged, "a sealed hour cannot be read");
        Vec::new()
    }))
}

/// The column `block`.
pub(crate) fn packed(row: Reading<'_>) -> Result<Vec<Packed>, Error> {
    block::decode(row.get("block")?).map_err(|damaged| Error::corrupt(row.doing, damaged))
}

/// The first and the last outcome of all that is sealed.
pub(crate) async fn ends(
    connection: &mut Connection,
    doing: &'static str,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Error> {
    let rows = connection
        .statement(
            "WITH ends AS (
                SELECT id,
                       (SELECT min(slot) FROM sealed WHERE slot >= id * 4194304 AND slot < (id + 1) * 4194304)
                           - id * 4194304 AS oldest,
                       (SELECT max(slot) FROM sealed WHERE slot >= id * 4194304 AND slot < (id + 1) * 4194304)
                           - id * 4194304 AS newest
                FROM track)
             SELECT sealed.slot, sealed.block
             FROM (SELECT id * 4194304 + oldest AS slot FROM ends WHERE oldest = (SELECT min(oldest) FROM ends)
                   UNION SELECT id * 4194304 + newest FROM ends WHERE newest = (SELECT max(newest) FROM ends)) AS wanted
             CROSS JOIN sealed WHERE sealed.slot = wanted.slot",
        )
        .rows(doing)
        .await?;
    let (mut first, mut last) = (None::<Timestamp>, None::<Timestamp>);
    for row in &rows {
        let row = Reading { row, doing };
        let (_, hour) = of_slot(row.get("slot")?);
        for one in packed(row)? {
            let at = time(hour * HOUR + i64::from(one.ms), doing)?;
            first = Some(first.map_or(at, |first| first.min(at)));
            last = Some(last.map_or(at, |last| last.max(at)));
        }
    }
    Ok((first, last))
}
