//! What a journey comes to, and what its requests count for.

use super::minimal::Directory;
use crate::config::Loaded;
use domain::{Capture, Check, Dialect, Journey, Method, Request, Source};
use std::{sync::Arc, time::Duration};

const FILE: &str = "apis/documents.yaml";

const BOOK: &str = r#"
    every: 20s
    journey:
      - find: { get: "/Slot?status=free", timeout: 2s, capture: { slot: { json: "$.entry[0].id" } } }
      - book:
          post: /Appointment
          headers: { Content-Type: application/fhir+json }
          body: '{"slot":"{slot}","of":"{uuid}"}'
          capture: { booked: { header: Location, regex: "Appointment/([^/]+)" } }
    clean_up:
      - cancel: { put: "/Appointment/{booked}" }
"#;

fn with(directory: &Directory) -> Loaded {
    directory
        .change(FILE, "kind: rest", "kind: fhir-r4")
        .change(FILE, "  list:\n    get: /documents\n    headers: { X-Request-ID: \"{uuid}\" }\n    expect: { status: 200 }\n", &format!("  list:{BOOK}"));
    directory.load().unwrap()
}

fn booking(loaded: &Loaded) -> &Arc<Check> {
    loaded.configuration.checks.values().find(|check| check.id.operation.as_str() == "list").unwrap()
}

fn journey(check: &Check) -> &Journey {
    let Request::Journey(journey) = &check.operation.request else { panic!("no journey") };
    journey
}

#[test]
fn steps_come_in_their_order_with_what_they_capture() {
    let directory = Directory::new();
    directory.change(
        FILE,
        "service_level: critical",
        "service_level: critical\nsensitive: true\naudit: { user: { system: https://a.example, value: x } }",
    );
    let loaded = with(&directory);
    let journey = journey(booking(&loaded));
    let names: Vec<&str> = journey.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["find", "book"]);
    assert_eq!(
        (journey.clean_up[0].name.as_str(), journey.clean_up_timeout),
        ("cancel", Duration::from_secs(5))
    );
    assert_eq!(journey.clean_up[0].request.method, Method::Put);
    assert_eq!(journey.steps[0].timeout, Some(Duration::from_secs(2)));
    let booked = Capture {
        name: "booked".to_owned(),
        source: Source::Header("location".to_owned()),
        regex: Some("Appointment/([^/]+)".to_owned()),
    };
    assert_eq!(journey.steps[1].captures, [booked]);
    for step in journey.steps.iter().chain(&journey.clean_up) {
        assert_eq!(step.request.dialect, Dialect::Fhir, "{}", step.name);
        let audited = step.request.headers.iter().any(|(name, _)| name == "X-Audit-User");
        assert!(audited, "each says who is registered to ask: {}", step.name);
    }
}

#[test]
fn a_journey_counts_as_often_as_it_asks() {
    let directory = Directory::new();
    directory.change(
        FILE,
        "  sit: { url: https://sit.example/documents }",
        "  sit: { url: https://sit.example/documents, operations: [list], max_rate: 20/m }",
    );
    let loaded = with(&directory);
    let check = booking(&loaded);
    assert_eq!(check.operation.request.requests(), 3);
    assert_eq!(check.apart, Some(Duration::from_secs(9)), "three times 3 s");
}

#[test]
fn a_step_or_a_value_that_changes_is_another_question() {
    let question = |from: &str, to: &str| {
        let directory = Directory::new();
        with(&directory);
        if !from.is_empty() {
            directory.change(FILE, from, to);
        }
        booking(&directory.load().unwrap()).question()
    };
    let first = question("", "");
    assert_eq!(question("", ""), first);
    for (from, to) in [
        ("status=free", "status=busy"),
        ("$.entry[0].id", "$.entry[1].id"),
        ("put: \"/Appointment", "delete: \"/Appointment"),
        ("Appointment/([^/]+)", "Appointment/(.+)"),
    ] {
        assert_ne!(question(from, to), first, "{from}");
    }
}
