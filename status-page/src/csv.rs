//! A history as CSV (RFC 4180): a line a day, for spreadsheets.

use serde_json::Value;

/// The columns, and where each is in a day of the JSON.
const COLUMNS: [(&str, &str); 20] = [
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
    ("simulated", "/simulated"),
];

/// The days of `history`, as `/api/v1/history` gives it; what was not measured is empty.
pub(crate) fn days(history: &Value) -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut csv = names.join(",") + "\r\n";
    for day in history.get("days").and_then(Value::as_array).into_iter().flatten() {
        let cells: Vec<String> = COLUMNS
            .iter()
            // Whether any of it was made up is known of the whole alone.
            .map(
                |(name, place)| {
                    if *name == "simulated" { history.pointer(place) } else { day.pointer(place) }
                },
            )
            .map(|value| value.map_or_else(String::new, cell))
            .collect();
        csv.push_str(&cells.join(","));
        csv.push_str("\r\n");
    }
    csv
}

/// Numbers, dates and nothing: none needs quotes.
fn cell(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_null() => String::new(),
        None => value.to_string(),
    }
}
