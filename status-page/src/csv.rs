//! Histories as CSV (RFC 4180): a line a day, or a month, for spreadsheets.

use serde_json::Value;

/// Columns, and where each is: after a slash in a day (or month) of the JSON, else in what the day is of.
type Columns = &'static [(&'static str, &'static str)];

const OF_ONE: Columns = &[
    ("date", "/date"),
    ("operational_seconds", "/seconds/operational"),
    ("degraded_seconds", "/seconds/degraded"),
    ("down_seconds", "/seconds/down"),
    ("maintenance_seconds", "/seconds/maintenance"),
    ("unknown_seconds", "/seconds/unknown"),
    ("maintenance_operational_seconds", "/seconds_in_maintenance/operational"),
    ("maintenance_degraded_seconds", "/seconds_in_maintenance/degraded"),
    ("maintenance_down_seconds", "/seconds_in_maintenance/down"),
    ("availability", "/availability"),
    ("coverage", "/coverage"),
    ("supported_availability", "/supported/availability"),
    ("supported_coverage", "/supported/coverage"),
    ("p50_ms", "/latency_ms/p50"),
    ("p90_ms", "/latency_ms/p90"),
    ("p95_ms", "/latency_ms/p95"),
    ("p99_ms", "/latency_ms/p99"),
    ("max_ms", "/latency_ms/max"),
    ("samples", "/samples"),
    ("simulated", "simulated"),
];

const OF_MANY: Columns = &[
    ("api", "api"),
    ("environment", "environment"),
    ("date", "/date"),
    ("operational_seconds", "/seconds/operational"),
    ("degraded_seconds", "/seconds/degraded"),
    ("down_seconds", "/seconds/down"),
    ("maintenance_seconds", "/seconds/maintenance"),
    ("unknown_seconds", "/seconds/unknown"),
    ("availability", "/availability"),
    ("coverage", "/coverage"),
    ("p50_ms", "/latency_ms/p50"),
    ("p90_ms", "/latency_ms/p90"),
    ("p95_ms", "/latency_ms/p95"),
    ("p99_ms", "/latency_ms/p99"),
    ("max_ms", "/latency_ms/max"),
    ("samples", "/samples"),
    ("simulated", "simulated"),
];

/// The days of a history, as `/api/v1/history` gives it; what was not measured is empty.
pub(crate) fn days(history: &Value) -> String {
    table(OF_ONE, std::iter::once(history))
}

/// The days of many instances, as `/api/v1/days` gives them.
pub(crate) fn days_of_many(all: &Value) -> String {
    table(OF_MANY, all.get("instances").and_then(Value::as_array).into_iter().flatten())
}

fn table<'a>(columns: Columns, histories: impl Iterator<Item = &'a Value>) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut csv = names.join(",") + "\r\n";
    for history in histories {
        let parts = history.get("days").or_else(|| history.get("months"));
        for part in parts.and_then(Value::as_array).into_iter().flatten() {
            let place =
                |place: &str| if place.starts_with('/') { part.pointer(place) } else { history.get(place) };
            let cells: Vec<String> =
                columns.iter().map(|(_, at)| place(at).map_or_else(String::new, cell)).collect();
            csv.push_str(&cells.join(","));
            csv.push_str("\r\n");
        }
    }
    csv
}

/// Numbers, dates, ids and nothing: none needs quotes.
fn cell(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_null() => String::new(),
        None => value.to_string(),
    }
}
