//! How an instance's response times are shown: a chart of 90 days, and tables of ranges and of weeks.

use crate::{
    WordsError,
    chart::chart,
    responses::Responses,
    versions::{Label, begun, drawn, named},
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
    /// `None`: nothing answered in 90 days.
    drawing: Option<Drawing>,
    from: String,
    ranges: Vec<Row>,
    weeks: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Drawing {
    marks: String,
    width: usize,
    label: String,
    key: String,
    versions: Vec<Label>,
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
    let [last_day, week, quarter, year] = responses.ranges;
    let days = |count: i64| wording.say("days", &[("count", count.into())]);
    let ranges = [
        (wording.say("hours", &[("count", 24.into())])?, last_day),
        (days(7)?, week),
        (days(90)?, quarter),
        (days(365)?, year),
    ];
    let (dates, day_by_day): (Vec<Date>, Vec<Option<Percentiles>>) = responses.days().unzip();
    let begun = begun(wording, releases);
    let within = |from: Date, days: i64| -> Result<Option<String>, WordsError> {
        let to = from.checked_add(days.days()).unwrap_or(Date::MAX);
        let (first, end) =
            (begun.partition_point(|one| one.date < from), begun.partition_point(|one| one.date < to));
        named(wording, begun.get(first..end).unwrap_or_default())
    };
    let drawing = chart(&day_by_day).zip(quarter.took()).map(|(chart, took)| {
        let [mut label, mut key] = chart.words(wording, "response-label", &took)?;
        let first = dates.first().copied().unwrap_or_default();
        if let Some(list) = within(first, i64::try_from(dates.len()).unwrap_or(0))? {
            let words = |key| wording.say(key, &[("list", list.clone().into())]);
            label = format!("{label} {}.", words("response-versions")?);
            key = format!("{key} {}", words("response-versions-key")?);
        }
        let (lines, versions) = drawn(&dates, &begun);
        Ok::<_, WordsError>(Drawing { label, key, marks: lines + &chart.marks, width: chart.width, versions })
    });
    let from = |date| wording.say("response-week", &[("day", day(wording.language, date).into())]);
    Ok(Speed {
        title: wording.say("response-times", &[("name", responses.operation.as_str().into())])?,
        drawing: drawing.transpose()?,
        from: dates.first().map(|date| short_day(wording.language, *date)).unwrap_or_default(),
        ranges: ranges.into_iter().map(|(what, answers)| row(what, answers, None)).collect(),
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
