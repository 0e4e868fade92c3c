//! A rota drawn week by week, as on a wall: who is on call, who stands in, and when nobody is.

use super::Attended;
use crate::terminal::{Ink, Terminal};
use domain::{PersonId, Rota, Shift};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time, Weekday},
};
use std::{fmt::Write as _, iter::once, ops::Range};

/// So many columns a day: three hours each.
const A_DAY: usize = 8;
const HOURS: i8 = 3;
/// Before the first day of a week.
const MARGIN: usize = 9;
/// People in turn, so that neighbours differ.
const INKS: [Ink; 3] = [Ink::Blue, Ink::Green, Ink::Yellow];

/// Who is on call in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    /// Before or after what was asked for.
    Outside,
    Nobody,
    Turn(PersonId),
    StandsIn(PersonId),
}

/// The lines of a drawing of `range`: a line a week, and under it the pattern where somebody stands in.
pub(super) fn draw(
    terminal: Terminal,
    attended: &Attended,
    rota: &Rota,
    range: &Range<Timestamp>,
    now: Timestamp,
) -> Vec<String> {
    let served = rota.shifts(range.start, range.end);
    let pattern = rota.pattern(range.start, range.end);
    let zone = &rota.time_zone;
    let [first, last] =
        [range.start, range.end - SignedDuration::from_nanos(1)].map(|at| zone.to_datetime(at).date());
    let monday = monday(first);
    let mut days = " ".repeat(MARGIN);
    for day in 0..7 {
        let _infallible = write!(days, "{:<A_DAY$}", plus(monday, day).strftime("%a").to_string());
    }
    let mut lines = vec![terminal.ink(Ink::Dim, days.trim_end())];
    let mut before = (None, None);
    for week in (0..).map(|week| plus(monday, 7 * week)).take_while(|week| *week <= last) {
        let columns: Vec<Timestamp> = (0..7).flat_map(|day| instants(rota, plus(week, day))).collect();
        let cells =
            |shifts: &[Shift]| -> Vec<Cell> { columns.iter().map(|at| cell(shifts, range, *at)).collect() };
        let (is, would_be) = (cells(&served), cells(&pattern));
        if is.iter().all(|cell| *cell == Cell::Outside) {
            continue;
        }
        if let Some(column) =
            columns.iter().rposition(|at| *at <= now).filter(|_| zone_week(rota, now) == week)
        {
            lines.push(format!("{:width$}▼ now", "", width = MARGIN + column));
        }
        let label = format!("{:<MARGIN$}", week.strftime("%-d %b").to_string());
        let drawn = row(terminal, attended, rota, &is, before.0.as_ref());
        lines.push(format!("{}{drawn}", terminal.ink(Ink::Dim, &label)));
        if is != would_be {
            let label = format!("{:<MARGIN$}", "by turns");
            let drawn = row(Terminal::plain(), attended, rota, &would_be, before.1.as_ref());
            lines.push(terminal.ink(Ink::Dim, &format!("{label}{drawn}")));
        }
        before = (is.last().cloned(), would_be.last().cloned());
    }
    lines
}

fn plus(day: Date, days: i64) -> Date {
    day.saturating_add(SignedDuration::from_hours(24 * days))
}

fn monday(day: Date) -> Date {
    plus(day, -i64::from(day.weekday().since(Weekday::Monday)))
}

fn zone_week(rota: &Rota, at: Timestamp) -> Date {
    monday(rota.time_zone.to_datetime(at).date())
}

/// When the columns of a day begin.
fn instants(rota: &Rota, day: Date) -> impl Iterator<Item = Timestamp> {
    (0..24 / HOURS).filter_map(move |column| {
        let time = Time::new(column * HOURS, 0, 0, 0).ok()?;
        rota.time_zone.to_timestamp(day.to_datetime(time)).ok()
    })
}

/// Who is on call for most of the column that begins at `at`.
fn cell(shifts: &[Shift], range: &Range<Timestamp>, at: Timestamp) -> Cell {
    let middle = at + SignedDuration::from_mins(30 * i64::from(HOURS));
    if !range.contains(&middle) {
        return Cell::Outside;
    }
    match shifts.iter().find(|shift| shift.from <= middle && middle < shift.to) {
        None => Cell::Nobody,
        Some(Shift { person, layer: None, .. }) => Cell::StandsIn(person.clone()),
        Some(Shift { person, .. }) => Cell::Turn(person.clone()),
    }
}

/// Stretches, each with the name at its beginning as far as there is room; `before` is the column that the first one follows.
fn row(
    terminal: Terminal,
    attended: &Attended,
    rota: &Rota,
    cells: &[Cell],
    before: Option<&Cell>,
) -> String {
    let stretches = cells.chunk_by(|one, next| one == next).enumerate().map(|(place, stretch)| {
        let Some(cell) = stretch.first() else { return String::new() };
        let (begins, line, name, ink) = match cell {
            Cell::Outside => return " ".repeat(stretch.len()),
            Cell::Nobody => ('╳', '╳', "nobody", Ink::Red),
            Cell::Turn(person) => ('├', '─', attended.name(person), ink(rota, person)),
            Cell::StandsIn(person) => ('╞', '═', attended.name(person), ink(rota, person)),
        };
        let begins = if place == 0 && before == Some(cell) { line } else { begins };
        let filled = once(begins).chain(name.chars().take(stretch.len().saturating_sub(2)));
        let drawn: String = filled.chain(std::iter::repeat(line)).take(stretch.len()).collect();
        terminal.ink(ink, &drawn)
    });
    stretches.collect::<String>().trim_end().to_owned()
}

/// Their own colour, the same in every week.
fn ink(rota: &Rota, person: &PersonId) -> Ink {
    let people = rota.layers.iter().flat_map(|layer| &layer.people);
    let standing_in = rota.overrides.iter().map(|swap| &swap.person);
    let mut all: Vec<&PersonId> = Vec::new();
    for one in people.chain(standing_in) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    let place = all.iter().position(|one| *one == person).unwrap_or_default();
    INKS.get(place % INKS.len()).copied().unwrap_or(Ink::Bold)
}
