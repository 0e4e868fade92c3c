//! What the samples of checks add up to, by local day, over any range: from the finest that is kept.

use crate::{
    Store,
    block::{self, HOUR, Packed},
    database::{Connection, Purpose},
    days::Days,
    error::Error,
    postgres,
    record::MINUTE,
    roll_up::{self, add, day_of_month, days, hours, hours_of, month},
    row::{Reading, to_json},
    sample::hot_minutes,
    sealed,
    slot::{of_slot, slot},
    sqlite,
};
use domain::{CheckId, Day, MAX_DAYS, Rollup, Summary, VantageId};
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
    /// any are left out. A range of more than [`domain::MAX_DAYS`] is [`Error::TooMuch`].
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
        let (asked, mut days) = (Asked::all(&range, zone)?, vec![Days::default(); checks.len()]);
        // One transaction: what is sealed in between would be seen twice, or not at all.
        let mut transaction = self.begin(Purpose::Read, DOING).await?;
        let places = tracks(&mut transaction, checks, vantage).await?;
        let read = rollups(&mut transaction, &asked, places, &range).await;
        transaction.rollback(DOING).await?;
        for (place, read) in read? {
            let Some(of_check) = days.get_mut(place) else { continue };
            for (date, rollup) in read {
                of_check.add(date, rollup);
            }
        }
        Ok(days)
    }

    /// What each of those days says of itself, oldest first, without its histograms: the same at a tenth of the cost, where no
    /// days are to be added up.
    pub async fn summaries(
        &self,
        checks: &[CheckId],
        vantage: Option<&VantageId>,
        range: Range<Timestamp>,
        zone: &TimeZone,
    ) -> Result<Vec<Vec<(Date, Summary)>>, Error> {
        let (asked, mut days) = (Asked::all(&range, zone)?, vec![Vec::new(); checks.len()]);
        let mut transaction = self.begin(Purpose::Read, DOING).await?;
        let places = tracks(&mut transaction, checks, vantage).await?;
        // The percentiles of several vantages come from their histograms alone.
        let mut vantages = vec![0_u32; checks.len()];
        for (_, place) in &places {
            vantages.get_mut(*place).into_iter().for_each(|vantages| *vantages += 1);
        }
        let alone = |(_, place): &(i64, usize)| vantages.get(*place) == Some(&1);
        let (alone, together): (Vec<_>, Vec<_>) = places.into_iter().partition(alone);
        let read = async {
            let alone = summaries(&mut transaction, &asked, alone, &range).await?;
            Ok((alone, rollups(&mut transaction, &asked, together, &range).await?))
        };
        let read = read.await;
        transaction.rollback(DOING).await?;
        let (alone, together) = read?;
        for (place, said) in alone {
            if let Some(of_check) = days.get_mut(place) {
                *of_check = said;
            }
        }
        let mut sums: BTreeMap<(usize, Date), Rollup> = BTreeMap::new();
        for (place, read) in together {
            for (date, rollup) in read {
                sums.entry((place, date)).or_default().merge(&rollup);
            }
        }
        for ((place, date), rollup) in sums {
            if let Some(of_check) = days.get_mut(place) {
                of_check.push((date, rollup.summary()));
            }
        }
        Ok(days)
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
    fn all(range: &Range<Timestamp>, zone: &TimeZone) -> Result<Vec<Self>, Error> {
        let days = Day::between(range.start, range.end, zone);
        // Of a range of more days, these are the first.
        if days.last().is_some_and(|last| last.ends < range.end) {
            let limit = u32::try_from(MAX_DAYS).unwrap_or(u32::MAX);
            return Err(Error::TooMuch { doing: DOING, limit, of: "days" });
        }
        Ok(days.iter().map(|day| Self::of(day, range)).collect())
    }

    fn of(day: &Day, range: &Range<Timestamp>) -> Self {
        let (first, last) = hours(day).into_inner();
        let begins = range.contains(&day.begins);
        let (month, key) = (month(day.date), day_of_month(day.date));
        Self { date: day.date, month, key, first, last, begins, whole: begins && day.ends <= range.end }
    }
}

/// What is known of the days of a track, oldest first, beside the place of its check.
type Read<T> = Vec<(usize, Vec<(Date, T)>)>;

async fn rollups(
    connection: &mut Connection,
    asked: &[Asked],
    places: Vec<(i64, usize)>,
    range: &Range<Timestamp>,
) -> Result<Read<Rollup>, Error> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let rolled = days(connection, &months(asked, &places), DOING).await?;
    let rolled = rolled.into_iter().map(|(slot, days)| (slot, days.into_iter().collect())).collect();
    read(connection, asked, places, range, rolled, (Rollup::samples, |rollup| rollup)).await
}

async fn summaries(
    connection: &mut Connection,
    asked: &[Asked],
    places: Vec<(i64, usize)>,
    range: &Range<Timestamp>,
) -> Result<Read<Summary>, Error> {
    let rolled = roll_up::summaries(connection, &months(asked, &places), DOING).await?;
    read(connection, asked, places, range, rolled, (Summary::samples, |rollup| rollup.summary())).await
}

/// The slots of the months in which those days are.
fn months(asked: &[Asked], places: &[(i64, usize)]) -> Vec<[i64; 2]> {
    let (Some(first), Some(last)) = (asked.first(), asked.last()) else { return Vec::new() };
    places.iter().map(|(track, _)| [slot(*track, first.month), slot(*track, last.month)]).collect()
}

/// Days that are rolled up, whole or as summaries, by the slot of their month.
type Rolled<T> = HashMap<i64, Vec<(u8, T)>>;

/// The days that are asked for, each with what its month has of it.
fn with_rolled<'a, T, Month: Iterator<Item = (u8, T)>>(
    asked: &'a [Asked],
    mut of: impl FnMut(i64) -> Month + 'a,
) -> impl Iterator<Item = (&'a Asked, Option<T>)> {
    let mut at = None;
    asked.iter().map(move |day| {
        if at.as_ref().is_none_or(|(month, _)| *month != day.month) {
            at = Some((day.month, of(day.month).peekable()));
        }
        let rolled = at.as_mut().and_then(|(_, of_month)| {
            while of_month.next_if(|(key, _)| *key < day.key).is_some() {}
            of_month.next_if(|(key, _)| *key == day.key).map(|(_, known)| known)
        });
        (day, rolled)
    })
}

/// From `rolled`, or what is finer where a day is not in it or not all of it is asked for; beside it, how many samples one has,
/// and how to make one of what is finer.
async fn read<T>(
    connection: &mut Connection,
    asked: &[Asked],
    places: Vec<(i64, usize)>,
    range: &Range<Timestamp>,
    mut rolled: Rolled<T>,
    (samples, finer): (impl Fn(&T) -> u64, impl Fn(Rollup) -> T),
) -> Result<Read<T>, Error> {
    let (Some(first), Some(last)) = (asked.first(), asked.last()) else { return Ok(Vec::new()) };
    let tracks: Vec<i64> = places.iter().map(|(track, _)| *track).collect();
    let hot = hot(connection, &tracks, range).await?;
    let mut fresh: BTreeSet<(i64, i64)> = hot.keys().copied().collect();
    fresh.extend(unrolled(connection, &tracks, (first.first, last.last)).await?);

    // The hours that must be read for want of the day that they are of.
    let mut spans: Vec<[i64; 2]> = Vec::new();
    for track in &tracks {
        let anything = fresh.range((*track, i64::MIN)..=(*track, i64::MAX)).next().is_some();
        let of_month =
            |month| rolled.get(&slot(*track, month)).into_iter().flatten().map(|(key, _)| (*key, ()));
        for (day, rolled) in with_rolled(asked, of_month) {
            let fresh = || fresh.range((*track, day.first)..=(*track, day.last)).next().is_some();
            if rolled.is_none() || !day.whole || (anything && fresh()) {
                let [first, last] = [slot(*track, day.first), slot(*track, day.last)];
                match spans.last_mut() {
                    Some([_, end]) if *end + 1 == first => *end = last,
                    _ => spans.push([first, last]),
                }
            }
        }
    }
    let fine = fine(connection, &spans, hot, range).await?;

    let mut fine_days: BTreeMap<(i64, Date), Rollup> = BTreeMap::new();
    for ((track, hour), rollup) in fine {
        let after = asked.partition_point(|day| day.first <= hour);
        if let Some(day) = after.checked_sub(1).and_then(|place| asked.get(place)) {
            fine_days.entry((track, day.date)).or_default().merge(&rollup);
        }
    }
    let mut read = Vec::with_capacity(places.len());
    for (track, place) in places {
        let of_month = |month| rolled.remove(&slot(track, month)).into_iter().flatten();
        let mut days = Vec::with_capacity(asked.len());
        for (day, rolled) in with_rolled(asked, of_month) {
            let fine = fine_days.remove(&(track, day.date)).filter(|fine| fine.samples() > 0);
            // The day as it was rolled up: where it is all within the range, or nothing finer is left and it begins there.
            let rolled = rolled.filter(|_| day.whole || (day.begins && fine.is_none()));
            let most = fine.map(&finer).into_iter().chain(rolled).max_by_key(&samples);
            days.extend(most.filter(|most| samples(most) > 0).map(|most| (day.date, most)));
        }
        read.push((place, days));
    }
    Ok(read)
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
pub(crate) async fn hot(
    connection: &mut Connection,
    tracks: &[i64],
    range: &Range<Timestamp>,
) -> Result<BTreeMap<(i64, i64), Vec<Packed>>, Error> {
    let Some((oldest, newest)) = hot_minutes(connection, DOING).await? else { return Ok(BTreeMap::new()) };
    let first = oldest.max(range.start.as_millisecond().div_euclid(MINUTE));
    let last = newest.min((range.end.as_millisecond() - 1).div_euclid(MINUTE));
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
pub(crate) async fn fine(
    connection: &mut Connection,
    spans: &[[i64; 2]],
    mut hot: BTreeMap<(i64, i64), Vec<Packed>>,
    range: &Range<Timestamp>,
) -> Result<HashMap<(i64, i64), Rollup>, Error> {
    let mut fine: HashMap<(i64, i64), Rollup> = HashMap::new();
    if spans.is_empty() && hot.is_empty() {
        return Ok(fine);
    }
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
