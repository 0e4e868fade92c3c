//! How an instance's response times are shown: a chart of 90 days, and tables of ranges and of weeks.

use crate::{
    WordsError,
    chart::chart,
    responses::Responses,
    when::{day, short_day},
    wording::Wording,
};
use domain::{Answers, Percentiles};
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
}

/// A stretch of time; how long half, 95 and 99 of 100 answers took at the most, the longest, and how many there were.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    took: [String; 4],
    count: String,
}

pub(crate) fn speed(wording: &Wording<'_>, responses: &Responses) -> Result<Speed, WordsError> {
    let [last_day, week, quarter, year] = responses.ranges;
    let days = |count: i64| wording.say("days", &[("count", count.into())]);
    let ranges = [
        (wording.say("hours", &[("count", 24.into())])?, last_day),
        (days(7)?, week),
        (days(90)?, quarter),
        (days(365)?, year),
    ];
    let drawn: Vec<Option<Percentiles>> = responses.days.iter().map(|(_, took)| *took).collect();
    let drawing = chart(&drawn).zip(quarter.took).map(|(chart, took)| {
        let [p50, p95, p99, top] = [took.p50, took.p95, took.p99, chart.top].map(Wording::latency);
        let args =
            [("p50", p50.into()), ("p95", p95.into()), ("p99", p99.into()), ("top", top.clone().into())];
        Ok::<_, WordsError>(Drawing {
            label: wording.say("response-label", &args)?,
            key: wording.say("response-key", &[("top", top.into())])?,
            marks: chart.marks,
            width: chart.width,
        })
    });
    let from = |date| wording.say("response-week", &[("day", day(wording.language, date).into())]);
    Ok(Speed {
        title: wording.say("response-times", &[("name", responses.operation.as_str().into())])?,
        drawing: drawing.transpose()?,
        from: responses.days.first().map(|(date, _)| short_day(wording.language, *date)).unwrap_or_default(),
        ranges: ranges.into_iter().map(|(what, answers)| row(what, answers)).collect(),
        weeks: responses
            .weeks
            .iter()
            .map(|(first, answers)| Ok(row(from(*first)?, *answers)))
            .collect::<Result<_, WordsError>>()?,
    })
}

fn row(what: String, answers: Answers) -> Row {
    let took = |of: fn(&Percentiles) -> Duration| {
        answers.took.as_ref().map_or_else(|| "–".to_owned(), |took| Wording::latency(of(took)))
    };
    let took = [took(|of| of.p50), took(|of| of.p95), took(|of| of.p99), took(|of| of.max)];
    Row { what, took, count: grouped(answers.count) }
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
