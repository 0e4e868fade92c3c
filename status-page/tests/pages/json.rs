//! JSON, metrics and our own health.

use crate::{
    estate,
    stage::{Stage, get, get_with},
};
use axum::http::StatusCode;
use domain::{Environment, Layer, OperationId, Release, Status};
use serde_json::{Value, json};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn status_has_its_shape() {
    let stage = Stage::of(estate::trouble()).await;
    let answer = get(stage.public(), "/api/v1/status").await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("content-type"), "application/json");
    let again = get_with(stage.public(), "/api/v1/status", &[("if-none-match", answer.header("etag"))]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let status = answer.json();
    assert_eq!(status["as_of"], "2026-11-21T03:07:09.120Z");
    let instances = status["instances"].as_array().unwrap();
    assert_eq!(instances.len(), 12);
    let down = &instances[0];
    assert_eq!(keys(down), ["api", "checked_at", "environment", "layer", "release", "since", "status"]);
    assert_eq!(down["release"], Value::Null);
    assert_eq!(down["api"], "patient-demographics");
    assert_eq!((&down["status"], &down["layer"]), (&"major_outage".into(), &"backend".into()));
    assert_eq!(down["since"], "2026-11-21T02:40:29.120Z");
    let internal = get(stage.internal(), "/api/v1/status").await;
    assert_eq!(internal.json()["instances"].as_array().unwrap().len(), 30);
    assert_eq!(internal.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn the_version_that_an_api_names_is_told_with_its_time_where_that_is_known() {
    let mut situation = estate::trouble();
    for (environment, before) in [(Environment::Production, Some("2.3.0")), (Environment::Sandbox, None)] {
        let instance = estate::instance("results", environment);
        let release = Release {
            instance: instance.clone(),
            version: "2.3.1 <b>".to_owned(),
            before: before.map(str::to_owned),
            since: estate::ago(100_000),
            operation: OperationId::parse("status").unwrap(),
        };
        situation.releases.insert_mut(instance, release.into());
    }
    let stage = Stage::of(situation).await;
    let status = get(stage.public(), "/api/v1/status").await.json();
    let of = |environment: &str| {
        let instances = status["instances"].as_array().unwrap().iter();
        let mut of = instances.filter(|one| one["api"] == "results" && one["environment"] == environment);
        of.next().unwrap()["release"].clone()
    };
    let since = "2026-11-19T23:20:29.120Z";
    assert_eq!(of("production"), json!({"version": "2.3.1 <b>", "since": since, "before": "2.3.0"}));
    assert_eq!(of("sandbox"), json!({"version": "2.3.1 <b>", "since": since, "before": null}));
    for (path, known, unknown) in [
        ("/en/apis/results", "Version <b>2.3.1 &lt;b&gt;</b>, since", "Version <b>2.3.1 &lt;b&gt;</b></p>"),
        ("/cy/apis/results", "Fersiwn <b>2.3.1 &lt;b&gt;</b>, ers", "Fersiwn <b>2.3.1 &lt;b&gt;</b></p>"),
    ] {
        let page = get(stage.public(), path).await.text();
        assert_eq!((page.matches(known).count(), page.matches(unknown).count()), (1, 1), "{page}");
    }
}

#[tokio::test]
async fn incidents_have_their_shape_and_the_public_sees_no_people_tickets_or_callouts() {
    let stage = Stage::of(estate::trouble()).await;
    let internal = get(stage.internal(), "/api/v1/incidents").await.json();
    assert_eq!(internal.as_array().unwrap().len(), 3);
    let open = &internal[0];
    assert_eq!(open["id"], "C-42");
    assert_eq!(open["cause_key"], "instance:patient-demographics/production");
    assert_eq!((&open["priority"], &open["major"]), (&"P1".into(), &true.into()));
    assert_eq!(open["ticket"]["number"], "INC0010002");
    assert_eq!(open["callouts"], 1);
    assert_eq!(open["next_action"]["what"], "call");
    assert_eq!(open["next_action"]["who"], "Tom Price");
    let public = get(stage.public(), "/api/v1/incidents").await.json();
    assert_eq!(public.as_array().unwrap().len(), 2);
    assert_eq!(
        keys(&public[0]),
        [
            "acknowledged_at",
            "affects",
            "api",
            "cause_key",
            "diagnosis",
            "environment",
            "held_back",
            "id",
            "layer",
            "major",
            "opened_at",
            "priority",
            "resolved_at",
            "started_at",
            "status",
        ]
    );
}

#[tokio::test]
async fn history_is_read_by_range() {
    let situation = estate::all_well();
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    while stage.store.put_phases(99).await.unwrap() > 0 {}
    let path = "/api/v1/history?api=demographics-soap&environment=sandbox&from=2026-09-01T00:00:00Z&to=2026-11-21T03:00:00Z";
    let answer = get(stage.public(), path).await;
    assert_eq!(answer.status, StatusCode::OK);
    let history = answer.json();
    let seconds = &history["seconds"];
    assert!(seconds["down"].as_f64().unwrap() >= 5400.0);
    assert!(seconds["unknown"].as_f64().unwrap() >= 2.0 * 86_400.0);
    let availability = history["availability"].as_f64().unwrap();
    assert!((0.99..1.0).contains(&availability));
    assert!(history["coverage"].as_f64().unwrap() < 1.0);
    assert_eq!(history["days"].as_array().unwrap().len(), 82);
    assert_eq!(history["days"][0]["date"], "2026-09-01");
    assert_eq!(
        keys(&history["days"][0]),
        [
            "availability",
            "coverage",
            "date",
            "latency_ms",
            "phases_ms",
            "samples",
            "seconds",
            "seconds_in_maintenance",
            "supported"
        ]
    );
    assert_eq!(history["days"][0]["availability"], Value::Null, "what was not measured has no availability");
    let by_month = get(stage.public(), &format!("{path}&by=month")).await.json();
    let [days, months] = [&history["days"], &by_month["months"]].map(|parts| parts.as_array().unwrap());
    let dates: Vec<&str> = months.iter().map(|month| month["date"].as_str().unwrap()).collect();
    assert_eq!((dates, by_month.get("days")), (vec!["2026-09", "2026-10", "2026-11"], None));
    for of in ["/seconds/operational", "/seconds/down", "/seconds/unknown", "/samples"] {
        let number = |part: &Value| part.pointer(of).unwrap().as_f64().unwrap();
        for month in months {
            let in_it =
                |day: &&Value| day["date"].as_str().unwrap().starts_with(month["date"].as_str().unwrap());
            let sum: f64 = days.iter().filter(in_it).map(number).sum();
            assert!((number(month) - sum).abs() < 0.01, "{of} of {month}");
        }
        assert!((number(&by_month) - number(&history)).abs() < 0.01, "{of}");
    }
    let table = get(stage.public(), &format!("{path}&by=month&format=csv")).await.text();
    let first: Vec<&str> = table.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(first, ["date", "2026-09", "2026-10", "2026-11"]);
    let recent = "/api/v1/history?api=identity&environment=production&from=2026-11-21T03:00:00Z";
    let recent = get(stage.public(), recent).await.json();
    assert_eq!((&recent["samples"], &recent["latency_ms"]["p50"]), (&1.into(), &75.008.into()));
    // In steps of 64 µs, as they are kept.
    let phases = json!({
        "dns": { "mean": 2.048, "max": 2.048, "count": 1 },
        "connect": { "mean": 8.0, "max": 8.0, "count": 1 },
        "tls": { "mean": 12.032, "max": 12.032, "count": 1 },
        "first_byte": { "mean": 75.008, "max": 75.008, "count": 1 },
        "body": { "mean": 1.024, "max": 1.024, "count": 1 },
    });
    assert_eq!((&recent["phases_ms"], &recent["days"][0]["phases_ms"]), (&phases, &phases));
    assert_eq!(history["days"][0]["phases_ms"], Value::Null);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem_that_says_so() {
    let stage = Stage::of(estate::all_well()).await;
    for (path, status) in [
        ("/api/v1/history", 400),
        ("/api/v1/history?api=results&environment=production&from=yesterday", 400),
        ("/api/v1/history?api=results&environment=production&by=year", 400),
        ("/api/v1/history?api=results&environment=production&from=2027-01-01T00:00:00Z", 400),
        ("/api/v1/history?api=moon&environment=production", 404),
        ("/api/v1/history?api=results&environment=production&operation=moon", 404),
        ("/api/v1/moon", 404),
    ] {
        let answer = get(stage.public(), path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.json()["status"], status);
    }
}

#[tokio::test]
async fn the_catalogue_and_the_description_are_there() {
    let stage = Stage::of(estate::all_well()).await;
    let apis = get(stage.public(), "/api/v1/apis").await.json();
    assert_eq!(apis.as_array().unwrap().len(), 6);
    let demographics =
        apis.as_array().unwrap().iter().find(|api| api["id"] == "patient-demographics").unwrap();
    assert_eq!(demographics["name"]["cy"], "Demograffeg Cleifion");
    assert_eq!(demographics["environments"], serde_json::json!(["production", "sandbox"]));
    assert_eq!(demographics["operations"][1]["id"], "read");
    let openapi = get(stage.public(), "/api/v1/openapi.json").await.json();
    for path in ["status", "incidents", "apis", "history"] {
        assert!(openapi["paths"].get(format!("/api/v1/{path}")).is_some(), "{path}");
    }
}

#[tokio::test]
async fn metrics_are_internal_and_absent_while_it_cannot_be_told() {
    let mut situation = estate::all_well();
    estate::set(
        &mut situation,
        "documents",
        Environment::Production,
        Status::MajorOutage,
        60,
        Some(Layer::Backend),
    );
    estate::set(&mut situation, "results", Environment::Production, Status::Unknown, 60, Some(Layer::Ours));
    let stage = Stage::of(situation).await;
    assert_eq!(get(stage.public(), "/metrics").await.status, StatusCode::NOT_FOUND);
    let answer = get(stage.internal(), "/metrics").await;
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    let series = |name: &str, api: &str| {
        let start = format!("{name}{{api=\"{api}\",environment=\"production\",operation=\"read\"");
        text.lines()
            .find(|line| line.starts_with(&start))
            .map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    assert_eq!(series("probe_success", "identity").as_deref(), Some("1"));
    assert_eq!(series("probe_success", "documents").as_deref(), Some("0"));
    assert_eq!(series("probe_success", "results"), None);
    assert_eq!(series("probe_http_status_code", "documents").as_deref(), Some("503"));
    assert_eq!(series("probe_duration_seconds", "identity").as_deref(), Some("0.075"));
    assert_eq!(series("probe_ssl_earliest_cert_expiry", "identity").as_deref(), Some("1803859200"));
    for phase in ["resolve", "connect", "tls", "processing", "transfer"] {
        assert!(text.contains(&format!("phase=\"{phase}\"")), "{phase}");
    }
    let whole = "probe_http_status_code{api=\"documents\",environment=\"production\",operation=\"read\",\
                 vantage=\"internet\"} 503";
    assert!(text.lines().any(|line| line == whole), "{text}");
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{name}");
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
    }
    for name in
        ["curiad_incidents_open{priority=\"P1\"} 0", "curiad_outbox_waiting 0", "curiad_view_age_seconds 0"]
    {
        assert!(text.contains(name), "{name}");
    }
}

#[tokio::test]
async fn an_outcome_that_speaks_no_longer_is_no_success() {
    let mut situation = estate::all_well();
    let old: Vec<_> = situation.latest.keys().cloned().collect();
    for id in old {
        let mut latest = situation.latest.get(&id).unwrap().clone();
        latest.at = estate::ago(61);
        situation.latest.insert(id, latest);
    }
    let text = get(Stage::of(situation).await.internal(), "/metrics").await.text();
    assert!(!text.contains("probe_success{"));
}

#[tokio::test]
async fn our_own_health_is_health_json() {
    let stage = Stage::of(estate::all_well()).await;
    for path in ["/livez", "/readyz"] {
        let answer = get(stage.public(), path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, "application/health+json")
        );
        assert_eq!(answer.json()["status"], "pass");
    }
}
