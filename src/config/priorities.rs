//! Impact × urgency.

use super::{problem::Rank, reading::Reading, section::Section, tree::Node};
use domain::{Lasting, Matrix, Priorities, Priority};
use std::time::Duration;

/// How many impacts, urgencies and priorities there are.
const STEPS: usize = 5;

/// Trouble that lasts is more urgent from a minute on, and within a month.
const LASTING: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_hours(24 * 31);

/// Reads `{ matrix: [[1,1,2,2,3], …], many_instances: 3, many_consumers: 10, lasting: { degraded: 4h } }`: rows are impact
/// 1–5, columns urgency 1–5.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Priorities> {
    let mut section = Section::open(node, "priorities", reading)?;
    let matrix = section.required("matrix", reading).and_then(|node| matrix(node, reading));
    let usual = Priorities::default();
    let instances = section
        .optional("many_instances", reading)
        .and_then(|node| reading.number(node, "a number of instances", 2..=10_000));
    let many_consumers = section
        .optional("many_consumers", reading)
        .and_then(|node| reading.number(node, "a number of applications", 1..=1_000_000));
    let lasting = section.optional("lasting", reading).map(|node| lasting(node, reading)).unwrap_or_default();
    section.close(reading);
    let many_instances = instances.and_then(|many| usize::try_from(many).ok());
    let many_instances = many_instances.unwrap_or(usual.many_instances);
    Some(Priorities { matrix: matrix?, many_instances, many_consumers, lasting })
}

fn lasting(node: &Node, reading: &mut Reading<'_>) -> Lasting {
    let Some(mut section) = Section::open(node, "what lasts", reading) else { return Lasting::default() };
    let mut limit = |key: &'static str, reading: &mut Reading<'_>| {
        section.optional(key, reading).and_then(|node| reading.duration(node, "so long", LASTING))
    };
    let lasting = Lasting {
        degraded: limit("degraded", reading),
        partial_outage: limit("partial_outage", reading),
        unknown: limit("unknown", reading),
    };
    section.close(reading);
    lasting
}

fn matrix(node: &Node, reading: &mut Reading<'_>) -> Option<Matrix> {
    let rows = reading.list(node, "rows")?;
    if rows.len() != STEPS {
        reading.wrong(&node.place, format!("a matrix has 5 rows, impact 1 to 5, not {}", rows.len()));
    }
    let mut cells = [[Priority::P5; STEPS]; STEPS];
    let mut whole = rows.len() == STEPS;
    for (index, row) in rows.iter().enumerate() {
        let Some(columns) = reading.list(row, "priorities") else {
            whole = false;
            continue;
        };
        if columns.len() != STEPS {
            reading.wrong(&row.place, format!("a row has 5 cells, urgency 1 to 5, not {}", columns.len()));
            whole = false;
        }
        let read: Vec<Option<Priority>> = columns
            .iter()
            .map(|cell| reading.number(cell, "a priority", 1..=5))
            .map(|number| number.and_then(|number| u8::try_from(number).ok()).and_then(Priority::new))
            .collect();
        whole &= read.iter().all(Option::is_some);
        for (cell, priority) in cells.iter_mut().skip(index).take(1).flatten().zip(read.into_iter().flatten())
        {
            *cell = priority;
        }
    }
    if whole {
        rises(&cells, rows, reading);
    }
    whole.then(|| Matrix::new(cells))
}

/// What hurts more, or is more urgent, has no lesser priority.
fn rises(cells: &[[Priority; STEPS]; STEPS], rows: &[Node], reading: &mut Reading<'_>) {
    let lesser = |first: Option<&Priority>, second: Option<&Priority>| first > second;
    for (row, node) in rows.iter().enumerate() {
        let here = cells.get(row);
        let below = cells.get(row + 1);
        for column in 0..STEPS {
            let cell = here.and_then(|row| row.get(column));
            let more_impact = below.is_some_and(|below| lesser(cell, below.get(column)));
            let more_urgency = column + 1 < STEPS && lesser(cell, here.and_then(|row| row.get(column + 1)));
            if let Some(cell) = cell.filter(|_| more_impact || more_urgency) {
                let message = format!(
                    "impact {} and urgency {} give priority {}, less than something lighter does",
                    row + 1,
                    column + 1,
                    cell.number()
                );
                reading.problems.error(Rank::Sense, &node.place, message, None);
                return;
            }
        }
    }
}
