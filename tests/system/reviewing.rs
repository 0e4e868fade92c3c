//! `curiad report`: a month for a service review, in numbers that can be counted again by hand.

use crate::{
    database::{On, on_both},
    outage::place_on,
    program::{Place, world},
};
use domain::{
    Acknowledgement, ApiId, Cause, Change, CheckId, Environment, Health, Incident, IncidentId,
    IncidentStatus, InstanceId, Layer, OperationId, Outcome, Priority, Release, Status, StatusChange, Text,
    Ticket, VantageId, Verdict,
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};
use store::{Batch, Store};

on_both!(a_month_is_reviewed_in_figures_that_can_be_counted_by_hand);

fn at(time: &str) -> Timestamp {
    format!("2026-{time}Z").parse().expect("a time")
}

fn results() -> InstanceId {
    InstanceId { api: ApiId::parse("results").expect("an id"), environment: Environment::Production }
}

fn operation(name: &str) -> OperationId {
    OperationId::parse(name).expect("an id")
}

fn turned(time: &str, status: Status) -> Change {
    let health = Health { instance: results(), status, since: at(time), layer: None, maintenance: false };
    Change::Status(StatusChange { decided_at: health.since, health, why: "as told".to_owned() })
}

fn released(time: &str, version: &str, before: Option<&str>) -> Change {
    Change::Release(Arc::new(Release {
        instance: results(),
        version: version.to_owned(),
        before: before.map(str::to_owned),
        since: at(time),
        operation: operation("status"),
    }))
}

fn incident(id: u64, began: &str, confirmed: &str, taken: Option<&str>, over: &str) -> Change {
    Change::Incident(Arc::new(Incident {
        id: IncidentId(id),
        cause: Cause::Instance(results()),
        status: IncidentStatus::Resolved,
        priority: Priority::P1,
        major: None,
        environment: Environment::Production,
        api: Some(results().api),
        affects: vec![results()],
        held_back: Vec::new(),
        worst: Status::MajorOutage,
        layer: Some(Layer::Backend),
        diagnosis: Text::new("the backend is down", "mae’r gweinydd i lawr"),
        evidence: Vec::new(),
        started_at: at(began),
        opened_at: at(confirmed),
        acknowledged: taken.map(|time| Acknowledgement {
            at: at(time),
            by: "Nia Rees".to_owned(),
            person: None,
            until: None,
        }),
        recovered_at: Some(at(over)),
        resolved_at: Some(at(over) + jiff::SignedDuration::from_mins(2)),
        ticket: Ticket::None,
        background: Vec::new(),
        rank: domain::Rank::default(),
        earlier_tickets: Vec::new(),
        gathered: Vec::new(),
        nudged: Vec::new(),
        escalation: None,
        flaps: domain::Flaps::default(),
        first_answer: None,
        part_of: None,
        outlasted: None,
        told_at: None,
        told: None,
        timeline: Vec::new(),
        alerts: Vec::new(),
        posts: Vec::new(),
    }))
}

fn answered(time: &str, operation_name: &str, ms: u64, verdict: Verdict) -> (Arc<Outcome>, Verdict) {
    let check = CheckId { instance: results(), operation: operation(operation_name) };
    let mut outcome = Outcome::new(check, VantageId::parse("internet").expect("an id"), at(time));
    outcome.total = Duration::from_millis(ms);
    (Arc::new(outcome), verdict)
}

/// A June: half an hour down on the 10th, in office hours; a day of which nothing is known; two incidents, and one of May.
async fn june(place: &Place) {
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    let changes = vec![
        turned("05-30T00:00:00", Status::Operational),
        turned("06-10T10:00:00", Status::MajorOutage),
        turned("06-10T10:30:00", Status::Operational),
        turned("06-20T00:00:00", Status::Unknown),
        turned("06-21T00:00:00", Status::Operational),
        turned("07-02T00:00:00", Status::MajorOutage),
        released("05-01T00:00:00", "1.8.0", None),
        released("06-10T09:58:00", "1.9.0", Some("1.8.0")),
        released("07-01T00:00:00", "2.0.0", Some("1.9.0")),
        incident(1, "05-30T01:00:00", "05-30T01:00:10", None, "05-30T02:00:00"),
        incident(2, "06-10T10:00:00", "06-10T10:00:08", Some("06-10T10:01:08"), "06-10T10:30:00"),
        incident(3, "06-22T10:00:00", "06-22T10:00:10", None, "06-22T10:01:00"),
    ];
    let outcomes = vec![
        answered("06-01T10:00:00", "ping", 32, Verdict::Pass),
        answered("06-05T10:00:00", "ping", 64, Verdict::Slow),
        answered("06-10T10:05:00", "ping", 9_000, Verdict::Fail),
        answered("06-05T10:00:00", "status", 640, Verdict::Pass),
        answered("07-05T10:00:00", "ping", 6_400, Verdict::Pass),
    ];
    store.record(&Batch { outcomes, changes, ..Batch::default() }).await.expect("recorded");
    store.close().await;
}

async fn a_month_is_reviewed_in_figures_that_can_be_counted_by_hand(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    june(&place).await;
    let report = async |more: &[&str]| {
        let asked = ["report", "--from", "2026-06-01", "--to", "2026-06-30", "--api", "results"];
        place.run(&[&asked[..], more].concat()).await
    };

    let all = report(&["--json"]).await.json();
    let thirty_days = 30.0 * 86_400.0;
    let one = &all["instances"][0];
    assert_eq!(
        (&all["from"], &all["to"]),
        (&"2026-05-31T23:00:00.000Z".into(), &"2026-06-30T23:00:00.000Z".into())
    );
    assert_eq!(one["seconds"]["down"], 1_800.0);
    assert_eq!(one["seconds"]["unknown"], 86_400.0);
    assert_eq!(one["seconds"]["operational"], thirty_days - 86_400.0 - 1_800.0);
    let share = one["availability"].as_f64().expect("a share");
    assert!((share - (1.0 - 1_800.0 / (thirty_days - 86_400.0))).abs() < 1e-12, "{share}");
    assert_eq!(one["coverage"].as_f64(), Some(1.0 - 1.0 / 30.0));
    // 22 working days of eight hours; the unmeasured day was a Saturday.
    let supported = one["supported"]["availability"].as_f64().expect("a share");
    assert!((supported - (1.0 - 1_800.0 / (22.0 * 8.0 * 3_600.0))).abs() < 1e-12, "{supported}");
    assert_eq!((&one["supported"]["coverage"], &one["objective"]["reached"]), (&1.0.into(), &false.into()));
    assert_eq!(one["incidents"], 2);
    let days = one["days"].as_array().expect("days");
    assert_eq!(
        (days.len(), &days[0]["date"], &days[29]["date"]),
        (30, &"2026-06-01".into(), &"2026-06-30".into())
    );
    assert_eq!(days[9]["seconds"]["down"], 1_800.0);
    let ping = &one["operations"][0];
    assert_eq!(
        (&ping["operation"], &ping["samples"], &ping["latency_ms"]["max"]),
        (&"ping".into(), &3.into(), &64.0.into())
    );
    assert_eq!(ping["verdicts"], serde_json::json!({"pass": 1, "slow": 1, "fail": 1, "inconclusive": 0}));
    let versions: Vec<_> =
        one["releases"].as_array().expect("releases").iter().map(|one| &one["version"]).collect();
    assert_eq!(versions, ["1.8.0", "1.9.0"]);
    let incidents = all["incidents"].as_array().expect("incidents");
    let seconds: Vec<_> = incidents.iter().map(|one| (&one["id"], &one["seconds"])).collect();
    let stages = |detect: f64, take: Option<f64>, over: f64| serde_json::json!({"to_detect": detect, "to_acknowledge": take, "to_recover": over});
    assert_eq!(
        seconds,
        [(&"C-2".into(), &stages(8.0, Some(60.0), 1_800.0)), (&"C-3".into(), &stages(10.0, None, 60.0))]
    );
    assert_eq!(all["median_seconds"], stages(10.0, Some(60.0), 1_800.0));
    assert!(!all.to_string().contains("Nia"), "a review names nobody");

    let csv = report(&["--format", "csv"]).await.out;
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(
        (lines.len(), lines[0].matches(',').count(), lines[1].matches(',').count()),
        (2, 23, 23),
        "{csv}"
    );
    assert!(
        lines[1].starts_with("results,production,2026-05-31T23:00:00.000Z,2026-06-30T23:00:00.000Z,"),
        "{csv}"
    );
    assert!(lines[1].ends_with(",2503800,0,1800,0,86400,2,ping,2,32.128,64.000,64.000,64.000"), "{csv}");

    for (language, words) in [
        (
            "en",
            ["Service review: 1 June 2026 to 30 June 2026", "99.92%", "C-2 Results", "1.9.0", "30 minutes"],
        ),
        (
            "cy",
            [
                "Adolygiad o’r gwasanaeth: 1 Mehefin 2026 hyd at 30 Mehefin 2026",
                "99.92%",
                "C-2 ",
                "1.9.0",
                "30 munud",
            ],
        ),
    ] {
        let html = report(&["--language", language]).await.out;
        for words in words {
            assert!(html.contains(words), "no {words} in {html}");
        }
        for not in ["C-1 ", "2.0.0", "Nia", "<script", "http:", "https:"] {
            assert!(!html.contains(not), "{not} in {html}");
        }
    }
    for (wrong, words) in [
        (&["report", "--environment", "moon"][..], "there is no environment 'moon'"),
        (&["report", "--api", "moon"][..], "there is no API 'moon'"),
        (&["report", "--from", "2999-01-01"][..], "the range is empty"),
        (&["report", "--from", "june"][..], "'june' is neither a day such as"),
    ] {
        let ran = place.run(wrong).await;
        assert!(ran.code == Some(64) && ran.err.contains(words), "{wrong:?}: {ran:?}");
    }
    world.stop().await;
}
