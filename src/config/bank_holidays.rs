//! `bank_holidays: bank-holidays.json`: the list that GOV.UK publishes at <https://www.gov.uk/bank-holidays.json>, over the
//! table that the program was built with. Days of other nations are not read.

use super::{beside, reading::Reading, tree::Node};
use domain::BankHolidays;
use jiff::civil::Date;
use serde::Deserialize;

/// Largest list, in bytes: GOV.UK's has some 20 kB.
const MAX_BYTES: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Published {
    #[serde(rename = "england-and-wales")]
    england_and_wales: Division,
}

#[derive(Deserialize)]
struct Division {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    title: String,
    date: Date,
    /// `Substitute day`, or nothing.
    #[serde(default)]
    notes: String,
}

/// Reads the list that a file names; `None`: it is said what is wrong.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<BankHolidays> {
    let name = reading.text(node, "a list of bank holidays")?;
    let text =
        beside::read(node, (name, "a list of bank holidays", "bank-holidays.json"), MAX_BYTES, reading)?;
    let known = serde_json::from_str::<Published>(&text)
        .map_err(|why| format!("is not as https://www.gov.uk/bank-holidays.json: {why}"))
        .and_then(|published| {
            let events = published.england_and_wales.events.into_iter();
            BankHolidays::published(events.map(|event| (event.date, event.title, !event.notes.is_empty())))
        });
    known.map_err(|why| reading.wrong(&node.place, format!("{name} {why}"))).ok()
}
