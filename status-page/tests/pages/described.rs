//! `/api/v1` against its own description; parts of lists; CSV.

use crate::{
    estate,
    stage::{Answer, Stage, get, get_with, post},
};
use axum::http::StatusCode;
use serde_json::{Value, json};

async fn description(stage: &Stage) -> Value {
    get(stage.public(), "/api/v1/openapi.json").await.json()
}

/// What is wrong with `value`, held against a schema of the description.
fn wrong(description: &Value, schema: &Value, value: &Value) -> Option<String> {
    let whole = json!({ "allOf": [schema], "components": description["components"] });
    let validator = jsonschema::validator_for(&whole).expect("a schema");
    validator.validate(value).err().map(|error| format!("{error} at {}", error.instance_path()))
}

/// What the description says of an answer: the schema for its status and media type.
fn promised<'d>(description: &'d Value, path: &str, answer: &Answer) -> &'d Value {
    let responses = &description["paths"][path]["get"]["responses"];
    let mut response = &responses[answer.status.as_str()];
    if let Some(place) = response["$ref"].as_str() {
        response = description.pointer(place.trim_start_matches('#')).unwrap();
    }
    let kind = answer.header("content-type").split(';').next().unwrap();
    let schema = &response["content"][kind]["schema"];
    assert!(schema.is_object(), "{path} does not promise {} as {kind}", answer.status);
    schema
}

#[tokio::test]
async fn every_answer_is_as_it_is_described() {
    let situation = estate::trouble();
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    let description = description(&stage).await;
    for (path, query) in [
        ("/api/v1/status", ""),
        ("/api/v1/incidents", ""),
        ("/api/v1/incidents", "?limit=1"),
        ("/api/v1/incidents", "?limit=none"),
        ("/api/v1/incidents", "?cursor=none"),
        ("/api/v1/apis", ""),
        ("/api/v1/history", "?api=results&environment=production"),
        ("/api/v1/history", "?api=demographics-soap&environment=sandbox"),
        ("/api/v1/history", "?api=demographics-soap&environment=sandbox&by=month"),
        ("/api/v1/history", "?api=moon&environment=production"),
        ("/api/v1/history", "?environment=production"),
        ("/api/v1/days", "?environment=production"),
        ("/api/v1/days", "?environment=sandbox&days=7"),
        ("/api/v1/days", "?environment=moon"),
        ("/api/v1/days", "?environment=production&days=0"),
        ("/api/v1/gate/{api}/{environment}", "results/production?format=json"),
        ("/api/v1/gate/{api}/{environment}", "patient-demographics/production?format=json"),
        ("/api/v1/gate/{api}/{environment}", "moon/production"),
        ("/api/v1/openapi.json", ""),
    ] {
        let asked = match path.split_once('{') {
            Some((folder, _)) => format!("{folder}{query}"),
            None => format!("{path}{query}"),
        };
        for router in [stage.public(), stage.internal()] {
            let answer = get(router, &asked).await;
            let schema = promised(&description, path, &answer);
            assert_eq!(wrong(&description, schema, &answer.json()), None, "{asked}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn every_example_of_the_description_is_valid() {
    let description = description(&Stage::of(estate::all_well()).await).await;
    let mut examples = 0;
    let shared = description["components"]["responses"].as_object().unwrap().values();
    let operations = description["paths"].as_object().unwrap().values();
    let own = operations.flat_map(|operation| operation["get"]["responses"].as_object().unwrap().values());
    for response in own.chain(shared) {
        for (kind, content) in response["content"].as_object().into_iter().flatten() {
            let example = content.get("example").unwrap_or_else(|| panic!("no example of {kind}: {content}"));
            assert_eq!(wrong(&description, &content["schema"], example), None, "{example}");
            examples += 1;
        }
    }
    assert_eq!(examples, 14);
    // The checker does find what is wrong.
    let status = json!({ "$ref": "#/components/schemas/Status" });
    assert!(wrong(&description, &status, &json!({ "as_of": 3 })).is_some());
}

#[tokio::test]
async fn incidents_are_read_part_by_part() {
    let stage = Stage::of(estate::trouble()).await;
    let mut path = "/api/v1/incidents?limit=1".to_owned();
    let mut ids = Vec::new();
    loop {
        let answer = get(stage.internal(), &path).await;
        ids.extend(answer.json().as_array().unwrap().iter().map(|incident| incident["id"].clone()));
        let next =
            answer.header("link").strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        let Some(next) = next else { break };
        path = next.to_owned();
    }
    assert_eq!(ids, ["C-42", "C-40", "C-41"]);
    let first = get(stage.public(), "/api/v1/incidents?limit=1").await;
    assert_eq!(first.header("access-control-expose-headers"), "etag, link, retry-after");
    let known = [("if-none-match", first.header("etag"))];
    let again = get_with(stage.public(), "/api/v1/incidents?limit=1", &known).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    // An incident that the public does not see is no place to begin from, like one that never was.
    let hidden = get(stage.public(), "/api/v1/incidents?cursor=C-40").await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    assert_eq!(hidden, get(stage.public(), "/api/v1/incidents?cursor=C-4000").await);
}

#[tokio::test]
async fn history_is_a_table_for_spreadsheets_too() {
    let situation = estate::all_well();
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    let path = "/api/v1/history?api=demographics-soap&environment=sandbox&from=2026-11-17T00:00:00Z&to=2026-11-20T00:00:00Z";
    let by_query = get(stage.public(), &format!("{path}&format=csv")).await;
    let by_header = get_with(stage.public(), path, &[("accept", "text/csv")]).await;
    assert_eq!(by_query, by_header);
    assert_eq!(by_query.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(by_query.header("vary"), "accept, accept-encoding");
    let text = by_query.text();
    let lines: Vec<Vec<&str>> =
        text.strip_suffix("\r\n").unwrap().split("\r\n").map(|line| line.split(',').collect()).collect();
    assert!(lines.iter().all(|line| line.len() == 20));
    assert_eq!((lines[0][0], lines[0][3], lines[0][9]), ("date", "down_seconds", "availability"));
    assert_eq!((lines[2][0], lines[2][3]), ("2026-11-18", "1800.0"));
    assert_eq!(lines[2][13], "", "no sample of that day is kept");
    let wrong = get(stage.public(), &format!("{path}&format=xml")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nothing_can_be_written_and_that_is_said_as_a_problem() {
    let stage = Stage::of(estate::all_well()).await;
    for path in ["/api/v1/status", "/api/v1/gate/results/production", "/api/v1/openapi.json"] {
        let answer = post(stage.public(), path, &[], "{}").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.header("allow"), "GET, HEAD");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}
