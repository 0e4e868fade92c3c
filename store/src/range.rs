//! What the samples of checks add up to, by local day, over any range: from the finest that is kept.

use crate::{
    Store,
    block::{self, HOUR, Packed},
    database::{Connection, Purpose},
    days::Days,
    error::Error,
    postgres,
    record::MINUTE,
    roll_up::{add, day_of_month, hours, hours_of, month, packed_days},
    rollup::Part,
    row::{Reading, to_json},
    sample::hot_minutes,
    sealed,
    slot::{of_slot, slot},
    sqlite,
};
use domain::{CheckId, Day, Rollup, VantageId};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

const DOING: &str = "read how checks did";

/// Sealed hours that one answer may be made of: some five years of one check, if no day of them was rolled up.
pub const MAX_BLOCKS: u32 = 50_000;
/// Minutes of rows, likewise: a week.
const MAX_HOT: u32 = 7 * 24 * 60;

impl Store {
    /// The samples of each of `checks` added up by local day of `zone`, in its place; of one vantage, or of all. Days without
    /// any are left out; there are at most [`domain::MAX_DAYS`].
    ///
    /// Of a day that is cut by the range `[from, to)`, the samples within it, as long as they are kept; then the hours, then
    /// the whole day, that begin in it. A sealed hour that is damaged counts as nothing, and is said. A range of which too much must be read one by one is [`Error::TooMuch`].
    pub async fn rollups(
        &self,
        checks: &[CheckId],
        vantage: Option<&VantageId>,
        range: Range<Timestamp>,
        zone: &TimeZone,
    ) -> Result<Vec<Days>, Error> {
        // One transaction: what is sealed in between would be seen twice, or not at all.
        let mut transaction = self.begin(Purpose::Read, DOING).await?;
        let read = read(&mut transaction, checks, vantage, range, zone).await;
        transaction.rollback(DOING).await?;
        read
    }
}

/// A local day that is asked for.
struct Asked {
    date: Date,
    /// The month that it is of, and its key in that.
    month: i64,
    key: u8,
    /// The hours that begin in it.
    first: i64,
    last: i64,
    /// The range begins no later than it; all of it is in the range.
    begins: bool,
    whole: bool,
}

impl Asked {
    fn of(day: &Day, range: &Range<Timestamp>) -> Self {
        let (first, last) = hours(day).into_inner();
        let begins = range.contains(&day.begins);
        let (month, key) = (month(day.date), day_of_month(day.date));
        Self { date: day.date, month, key, first, last, begins, whole: begins && day.ends <= range.end }
    }
}

async fn read(
    connection: &mut Connection,
    checks: &[CheckId],
    vantage: Option<&VantageId>,
    range: Range<Timestamp>,
    zone: &TimeZone,
) -> Result<Vec<Days>, Error> {
    let mut sums = vec![Days::default(); checks.len()];
    let asked: Vec<Asked> =
        Day::between(range.start, range.end, zone).iter().map(|day| Asked::of(day, &range)).collect();
    let (Some(first), Some(last)) = (asked.first(), asked.last()) else { return Ok(sums) };
    let places = tracks(connection, checks, vantage).await?;
    let tracks: Vec<i64> = places.iter().map(|(track, _)| *track).collect();

    let hot = hot(connection, &tracks, &range).await?;
    let mut fresh: BTreeSet<(i64, i64)> = hot.keys().copied().collect();
    fresh.extend(unrolled(connection, &tracks, (first.first, last.last)).await?);
    let months: Vec<[i64; 2]> =
        tracks.iter().map(|track| [slot(*track, first.month), slot(*track, last.month)]).collect();
    let mut rolled = packed_days(connection, &months, DOING).await?;

    // Day by day, what stands for it; and the hours that must be read for want of that.
    let mut spans: Vec<[i64; 2]> = Vec::new();
    let mut known: Vec<Vec<Option<Part>>> = Vec::with_capacity(tracks.len());
    for track in &tracks {
        let (mut month, mut of_month) = (i64::MIN, Vec::new().into_iter().peekable());
        let anything = fresh.range((*track, i64::MIN)..=(*track, i64::MAX)).next().is_some();
        let mut days = Vec::with_capacity(asked.len());
        for day in &asked {
            if day.month != month {
                month = day.month;
                of_month = rolled.remove(&slot(*track, month)).unwrap_or_default().into_iter().peekable();
            }
            while of_month.next_if(|(key, _)| *key < day.key).is_some() {}
            let rollup = of_month.next_if(|(key, _)| *key == day.key).map(|(_, part)| part);
            let fresh = || fresh.range((*track, day.first)..=(*track, day.last)).next().is_some();
            if rollup.is_none() || !day.whole || (anything && fresh()) {
                let [first, last] = [slot(*track, day.first), slot(*track, day.last)];
                match spans.last_mut() {
                    Some([_, end]) if *end + 1 == first => *end = last,
                    _ => spans.push([first, last]),
                }
            }
            days.push(rollup);
        }
        known.push(days);
    }
    let fine = fine(connection, &spans, hot, &range).await?;

    let mut fine_days: HashMap<(i64, Date), Rollup> = HashMap::new();
    for ((track, hour), rollup) in fine {
        let after = asked.partition_point(|day| day.first <= hour);
        if let Some(day) = after.checked_sub(1).and_then(|place| asked.get(place)) {
            fine_days.entry((track, day.date)).or_default().merge(&rollup);
        }
    }
    for ((track, place), known) in places.into_iter().zip(known) {
        let Some(of_check) = sums.get_mut(place) else { continue };
        for (day, rolled) in asked.iter().zip(known) {
            let fine = fine_days.remove(&(track, day.date)).filter(|fine| fine.samples() > 0);
            // The day as it was rolled up: where it is all within the range, or nothing finer is left and it begins there.
            let rolled = rolled.filter(|_| day.whole || (day.begins && fine.is_none()));
            let fine = fine.map(|fine| Part::Whole(Box::new(fine)));
            let part = fine.into_iter().chain(rolled).max_by_key(Part::samples);
            if let Some(part) = part.filter(|part| part.samples() > 0) {
                of_check.add(day.date, part)?;
            }
        }
    }
    Ok(sums)
}

/// The numbers of the tracks, and the place of each one's check in the list.
pub(crate) async fn tracks(
    connection: &mut Connection,
    checks: &[CheckId],
    vantage: Option<&VantageId>,
) -> Result<Vec<(i64, usize)>, Error> {
    let wanted: Vec<[&str; 3]> = checks
        .iter()
        .map(|check| {
            [check.instance.api.as_str(), check.instance.environment.word(), check.operation.as_str()]
        })
        .collect();
    let rows = connection
        .either(sqlite::TRACKS_OF, postgres::TRACKS_OF)
        .bind(to_json(&wanted, DOING)?)
        .bind(vantage.map(VantageId::as_str))
        .rows(DOING)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, doing: DOING };
            let place =
                usize::try_from(row.get::<i64>("place")?).map_err(|error| Error::corrupt(DOING, error))?;
            Ok((row.get("id")?, place))
        })
        .collect()
}

/// The rows that are not sealed, by track and hour.
async fn hot(
    connection: &mut Connection,
    tracks: &[i64],
    range: &Range<Timestamp>,
) -> Result<BTreeMap<(i64, i64), Vec<Packed>>, Error> {
    let Some((oldest, newest)) = hot_minutes(connection, DOING).await? else { return Ok(BTreeMap::new()) };
    let first = oldest.max(range.start.as_millisecond().div_euclid(MINUTE));
    let last = newest.min(range.end.as_millisecond().div_euclid(MINUTE));
    if first > last {
        return Ok(BTreeMap::new());
    }
    if last - first > i64::from(MAX_HOT) {
        return Err(Error::TooMuch { doing: DOING, limit: MAX_HOT, of: "minutes that are not sealed" });
    }
    let rows = connection
        .either(sqlite::HOT, postgres::HOT)
        .bind(first)
        .bind(last)
        .bind(to_json(&tracks, DOING)?)
        .rows(DOING)
        .await?;
    sealed::hot(&rows, DOING)
}

/// Tracks and hours of which the roll-up does not know all.
async fn unrolled(
    connection: &mut Connection,
    tracks: &[i64],
    (first, last): (i64, i64),
) -> Result<Vec<(i64, i64)>, Error> {
    let row = connection
        .statement(
            "SELECT CAST((SELECT min(hour) FROM unrolled) AS BIGINT) AS oldest,
                    CAST((SELECT max(hour) FROM unrolled) AS BIGINT) AS newest",
        )
        .row(DOING)
        .await?;
    let row = Reading { row: &row, doing: DOING };
    let (Some(oldest), Some(newest)) = (row.get::<Option<i64>>("oldest")?, row.get::<Option<i64>>("newest")?)
    else {
        return Ok(Vec::new());
    };
    let (first, last) = (first.max(oldest), last.min(newest));
    if first > last {
        return Ok(Vec::new());
    }
    let rows = connection
        .either(sqlite::UNROLLED, postgres::UNROLLED)
        .bind(first)
        .bind(last)
        .bind(to_json(&tracks, DOING)?)
        .rows(DOING)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, doing: DOING };
            Ok((row.get("track")?, row.get("hour")?))
        })
        .collect()
}

/// What is known hour by hour: samples that are sealed or not yet, and sums of those that are no more.
async fn fine(
    connection: &mut Connection,
    spans: &[[i64; 2]],
    mut hot: BTreeMap<(i64, i64), Vec<Packed>>,
    range: &Range<Timestamp>,
) -> Result<HashMap<(i64, i64), Rollup>, Error> {
    let mut fine: HashMap<(i64, i64), Rollup> = HashMap::new();
    let (from, to) = (range.start.as_millisecond(), range.end.as_millisecond());
    let mut add_all = |key: (i64, i64), samples: Vec<Packed>| -> Result<(), Error> {
        let sum = fine.entry(key).or_default();
        for sample in samples {
            if (from..to).contains(&(key.1 * HOUR + i64::from(sample.ms))) {
                add(sum, &sample, DOING)?;
            }
        }
        Ok(())
    };
    let rows = connection
        .either(sqlite::SEALED_SPANS, postgres::SEALED_SPANS)
        .bind(to_json(&spans, DOING)?)
        .bind(i64::from(MAX_BLOCKS) + 1)
        .rows(DOING)
        .await?;
    if rows.len() > MAX_BLOCKS as usize {
        return Err(Error::TooMuch { doing: DOING, limit: MAX_BLOCKS, of: "sealed hours" });
    }
    for row in &rows {
        let row = Reading { row, doing: DOING };
        let key = of_slot(row.get("slot")?);
        // Of one that was told again after its hour was sealed, that of the block stays.
        let late = hot.remove(&key).unwrap_or_default();
        add_all(key, block::merge(sealed::readable(row)?, late))?;
    }
    for (key, samples) in hot {
        add_all(key, samples)?;
    }
    let days: Vec<[i64; 2]> = spans
        .iter()
        .map(|[first, last]| {
            let ((track, first), (_, last)) = (of_slot(*first), of_slot(*last));
            [slot(track, first.div_euclid(24)), slot(track, last.div_euclid(24))]
        })
        .collect();
    let wanted = |slot: i64| spans.iter().any(|[first, last]| (*first..=*last).contains(&slot));
    for (of_day, rollups) in hours_of(connection, &days, DOING).await? {
        let (track, day) = of_slot(of_day);
        for (hour, rollup) in rollups {
            let hour = day * 24 + i64::from(hour);
            if (from..to).contains(&(hour * HOUR)) && wanted(slot(track, hour)) {
                fine.entry((track, hour)).or_default().merge(&rollup);
            }
        }
    }
    Ok(fine)
}
