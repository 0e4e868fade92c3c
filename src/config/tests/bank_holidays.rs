//! `bank_holidays`: a list in GOV.UK's own shape.

use super::minimal::Directory;
use serde_json::json;

/// Eight days of 2026: one that nobody knew of before, and not Christmas.
fn list() -> String {
    let event = |day: u8| {
        let date = format!("2026-11-{day:02}");
        json!({ "title": "Bank holiday for a feast", "date": date, "notes": "", "bunting": true })
    };
    let events: Vec<_> = [23, 2, 3, 4, 5, 6, 9, 10].into_iter().map(event).collect();
    let none =
        json!({ "division": "scotland", "events": [{ "title": "St Andrew’s Day", "date": "2026-11-30" }] });
    json!({ "england-and-wales": { "division": "england-and-wales", "events": events }, "scotland": none })
        .to_string()
}

#[test]
fn hours_close_on_the_days_of_the_list_and_on_no_other_of_its_years() {
    let directory = Directory::new();
    let office = "office: { weekly: \"Mon-Fri 09:00-17:00\"";
    directory
        .change("curiad.yaml", office, &format!("{office}, holidays: england-and-wales"))
        .change("curiad.yaml", "vantages:", "bank_holidays: bank-holidays.json\nvantages:")
        .write("bank-holidays.json", &list());
    let loaded = directory.load().unwrap();
    let hours = loaded.configuration.hours.values().next().unwrap();
    let at = |time: &str| hours.at(time.parse().unwrap());
    assert!(at("2026-11-23T10:00:00Z").why.starts_with("closed: bank holiday (Bank holiday for a feast)"));
    assert!(at("2026-11-30T10:00:00Z").open, "another nation's");
    assert!(at("2026-12-25T10:00:00Z").open, "not in the list");
    assert!(!at("2027-03-26T10:00:00Z").open, "a year that the list says nothing of");

    directory.write("bank-holidays.json", &list().replace("feast", "funeral"));
    assert_ne!(directory.load().unwrap().version, loaded.version, "the list is part of what is configured");
}
