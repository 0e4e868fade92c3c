//! How an instance's response times are shown: charts of a day, a week, 90 days and a year, and tables of ranges and of weeks.

use crate::{
    WordsError,
    chart::{Drawing, chart},
    responses::{HOURS_OF_WEEK, Responses},
    versions::{begun, drawn, named},
    when::{day, short_day},
    wording::Wording,
};
use domain::{Answers, Percentiles, Release};
use jiff::{ToSpan as _, civil::Date};
use serde::Serialize;
use std::time::Duration;

/// An instance's response times.
#[derive(Debug, Serialize)]
pub(crate) struct Speed {
    title: String,
    /// Of 90 days; `None`: nothing answered in them.
    drawing: Option<Drawing>,
    /// Of 24 hours, of a week, of a year.
    more: Vec<Drawing>,
    ranges: Vec<Row>,
    weeks: Vec<Row>,
}

/// A stretch of time; how long half, 95 and 99 of 100 answers took at the most, the longest, and how many there were.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    took: [String; 4],
    count: String,
    /// Versions that began in it.
    versions: Option<String>,
}

pub(crate) fn speed(
    wording: &Wording<'_>,
    responses: &Responses,
    releases: &[Release],
) -> Result<Speed, WordsError> {
    let answers = responses.ranges;
    let days = |count: i64| wording.say("days", &[("count", count.into())]);
    let names = [wording.say("hours", &[("count", 24.into())])?, days(7)?, days(90)?, days(365)?];
    let (dates, day_by_day): (Vec<Date>, Vec<Option<Percentiles>>) = responses.days().unzip();
    let begun = begun(wording, releases);
    let within = |from: Date, days: i64| -> Result<Option<String>, WordsError> {
        let to = from.checked_add(days.days()).unwrap_or(Date::MAX);
        let (first, end) =
            (begun.partition_point(|one| one.date < from), begun.partition_point(|one| one.date < to));
        named(wording, begun.get(first..end).unwrap_or_default())
    };
    let title = wording.say("response-times", &[("name", responses.operation.as_str().into())])?;
    let [last_day, week, quarter, year] = answers;
    let [of_day, of_week, of_quarter, of_year] = &names;
    let draw = |(steps, each): (&[Option<Percentiles>], &str), (name, all): (&str, Answers), ends| {
        let each = wording.plain(each)?;
        let drawn = chart(steps).zip(all.took());
        drawn
            .map(|(chart, took)| {
                let range = Some((name, each.as_str()));
                chart.drawing(wording, name.to_owned(), ("response-label", &took, range), ends)
            })
            .transpose()
    };
    let today = wording.plain("today")?;
    let since_hour = |count| {
        let begins = responses.hours_begin(count);
        Ok::<_, WordsError>([wording.short(begins).words, wording.plain("response-now")?])
    };
    let first = dates.first().copied().unwrap_or_default();
    let ends = [short_day(wording.language, first), today.clone()];
    let mut drawing = draw((&day_by_day, "response-by-day"), (of_quarter, quarter), ends)?;
    if let Some(drawing) = &mut drawing {
        if let Some(list) = within(first, i64::try_from(dates.len()).unwrap_or(0))? {
            let words = |key| wording.say(key, &[("list", list.clone().into())]);
            drawing.label = format!("{} {}.", drawing.label, words("response-versions")?);
            drawing.key = format!("{} {}", drawing.key, words("response-versions-key")?);
        }
        let (lines, versions) = drawn(&dates, &begun);
        drawing.marks = lines + &drawing.marks;
        drawing.versions = versions;
    }
    let hours = |count| responses.hours(count).collect::<Vec<_>>();
    let weeks: Vec<Option<Percentiles>> = responses.year().collect();
    let year_begins = [day(wording.language, responses.year_begins()), today];
    let more = [
        draw((&hours(24), "response-by-hour"), (of_day, last_day), since_hour(24)?)?,
        draw((&hours(HOURS_OF_WEEK), "response-by-hour"), (of_week, week), since_hour(HOURS_OF_WEEK)?)?,
        draw((&weeks, "response-by-week"), (of_year, year), year_begins)?,
    ];
    let from = |date| wording.say("response-week", &[("day", day(wording.language, date).into())]);
    Ok(Speed {
        title,
        drawing,
        more: more.into_iter().flatten().collect(),
        ranges: names.into_iter().zip(answers).map(|(what, answers)| row(what, answers, None)).collect(),
        weeks: responses
            .weeks()
            .map(|(first, answers)| {
                let list = within(first, 7)?;
                let says = |list: String| wording.say("response-versions", &[("list", list.into())]);
                Ok(row(from(first)?, answers, list.map(says).transpose()?))
            })
            .collect::<Result<_, WordsError>>()?,
    })
}

fn row(what: String, answers: Answers, versions: Option<String>) -> Row {
    let took = |of: fn(&Percentiles) -> Duration| {
        answers.took().map_or_else(|| "–".to_owned(), |took| Wording::latency(of(&took)))
    };
    let took = [took(|of| of.p50), took(|of| of.p95), took(|of| of.p99), took(|of| of.max)];
    Row { what, took, count: grouped(answers.count), versions }
}

/// In groups of three, as both languages write it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_in_groups_of_three() {
        let all = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(all, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
