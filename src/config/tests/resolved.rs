//! What comes of a configuration: the nearest setting wins, and everything lands where it belongs.

use super::minimal::{API, Directory};
use crate::config::{Listen, Loaded};
use domain::{
    Check, Dialect, Environment, Escalation, EscalationId, HandOver, Matches, Method, Priority, Publish,
    Rating, Request, Step, Target, Visibility, Way,
};
use jiff::civil::{Time, Weekday};
use std::{sync::Arc, time::Duration};

const TOP: &str = "curiad.yaml";
const FILE: &str = "apis/documents.yaml";

fn check<'l>(loaded: &'l Loaded, environment: Environment, operation: &str) -> &'l Arc<Check> {
    let named = |check: &&Arc<Check>| {
        check.id.instance.environment == environment && check.id.operation.as_str() == operation
    };
    loaded.configuration.checks.values().find(named).unwrap()
}

#[test]
fn the_nearest_setting_wins() {
    let directory = Directory::new();
    directory
        .change(FILE, "timeout: 5s }", "timeout: 5s }\nevery: 40s")
        .change(FILE, "{ get: /_ping }", "{ get: /_ping, every: 10s, slow: 200ms }")
        .change(FILE, "operations: [ping]", "every: 20s, latency: { slow: 2s, timeout: 6s }");
    let loaded = directory.load().unwrap();
    let timing = |environment, operation| {
        let check = check(&loaded, environment, operation);
        (check.every.as_secs(), check.slow.as_millis(), check.timeout.as_secs())
    };
    assert_eq!(timing(Environment::Sit, "ping"), (10, 200, 5));
    assert_eq!(timing(Environment::Sit, "list"), (40, 1_000, 5));
    assert_eq!(timing(Environment::Production, "ping"), (10, 200, 6));
    assert_eq!(timing(Environment::Production, "list"), (20, 2_000, 6));
}

#[test]
fn an_instance_has_the_operations_that_it_chooses_else_all() {
    let loaded = Directory::new().load().unwrap();
    let ids: Vec<String> = loaded.configuration.checks.keys().map(ToString::to_string).collect();
    assert_eq!(ids, ["documents/sit/list", "documents/sit/ping", "documents/production/ping"]);
    let ping = check(&loaded, Environment::Production, "ping");
    assert_eq!(ping.url, "https://api.example/documents");
    assert_eq!(ping.every, Duration::from_secs(30));
    let vantages: Vec<_> = loaded.configuration.vantages.iter().map(|vantage| vantage.id.clone()).collect();
    assert_eq!(ping.from, vantages);
}

#[test]
fn a_test_patient_may_be_sent_where_the_instance_lists_the_number_and_nowhere_else() {
    let directory = Directory::new();
    directory.change(FILE, "get: /documents\n", "get: /documents?patient=9000000009\n").change(
        FILE,
        "sit.example/documents }",
        "sit.example/documents, test_patients: [900 000 0009] }",
    );
    let loaded = directory.load().unwrap();
    let listed = |environment, operation| check(&loaded, environment, operation).test_patients.len();
    assert_eq!((listed(Environment::Sit, "list"), listed(Environment::Production, "ping")), (1, 0));
    // Production would send it, too, and does not list it.
    directory.change(FILE, "operations: [ping]", "operations: [ping, list]");
    let problems = directory.problems();
    assert!(problems.len() == 1 && problems[0].contains("a test patient's in production"), "{problems:?}");
}

#[test]
fn a_request_and_its_expectations() {
    let directory = Directory::new();
    directory.change(
        FILE,
        "    get: /documents\n    headers: { X-Request-ID: \"{uuid}\" }\n    expect: { status: 200 }\n",
        r#"    post: /_search
    critical: true
    body: |
      who=9990000018
    headers: { X-Request-ID: "{uuid}", Accept: application/json }
    expect:
      status: [200, 304]
      headers: { Content-Type: { contains: json }, ETag: { exists: true } }
      json: { $.status: UP, $.n: 3, $.ok: true, $.v: "1.10" }
      text: [{ contains: a }, { regex: "^b" }]
      certificate_days: 14
"#,
    );
    let loaded = directory.load().unwrap();
    let operation = &check(&loaded, Environment::Sit, "list").operation;
    let Request::Http(request) = &operation.request else { panic!("not over HTTP") };
    assert!(operation.critical && request.dialect == Dialect::Plain);
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.path, "/_search");
    assert_eq!(request.body.as_deref(), Some("who=9990000018\n"));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(request.headers, [header("X-Request-ID", "{uuid}"), header("Accept", "application/json")]);
    let equals = |path: &str, value: &str| (path.to_owned(), Matches::Equals(value.to_owned()));
    assert_eq!(operation.expect.status, [domain::Statuses::One(200), domain::Statuses::One(304)]);
    assert_eq!(
        operation.expect.headers,
        [
            ("content-type".to_owned(), Matches::Contains("json".to_owned())),
            ("etag".to_owned(), Matches::Exists)
        ]
    );
    assert_eq!(
        operation.expect.json,
        [equals("$.status", "UP"), equals("$.n", "3"), equals("$.ok", "true"), equals("$.v", "1.10")]
    );
    assert_eq!(operation.expect.text, [Matches::Contains("a".to_owned()), Matches::Regex("^b".to_owned())]);
    assert_eq!(operation.expect.certificate_days, Some(14));
}

#[test]
fn what_operations_expect_alike_is_kept_once() {
    let directory = Directory::new();
    directory.change(FILE, "{ get: /_ping }", "{ get: /_ping, expect: { status: 204 } }").change(
        FILE,
        "operations:\n",
        "operations:\n  pong: { get: /_pong, expect: { status: [204] } }\n",
    );
    let loaded = directory.load().unwrap();
    let expect = |operation: &str| &check(&loaded, Environment::Sit, operation).operation.expect;
    assert!(Arc::ptr_eq(expect("ping"), expect("pong")));
    assert!(!Arc::ptr_eq(expect("ping"), expect("list")));
}

#[test]
fn an_environments_policy() {
    let directory = Directory::new();
    directory.change(
        TOP,
        "    tell: [provider]\n",
        r#"    confirm: { fail: 3 of 5, every: 2s }
    hold: { ticket: 10s, resolve: 1m }
    publish: after 10m
    maintenance: [{ cron: "0 19 * * Mon-Fri", for: 10h, why: { en: Load tests, cy: Profion llwyth } }]
"#,
    );
    let loaded = directory.load().unwrap();
    let sit = loaded.configuration.policy(Environment::Sit).unwrap();
    assert_eq!(sit.visibility, Visibility::SignedIn);
    assert_eq!((sit.confirm.fail, sit.confirm.of, sit.confirm.recover), (3, 5, 2));
    assert_eq!(sit.confirm.every, Duration::from_secs(2));
    assert_eq!(sit.hold.ticket, Duration::from_secs(10));
    assert_eq!(sit.hold.callout, Duration::from_secs(120));
    assert_eq!(sit.publish, Publish::After(Duration::from_secs(600)));
    assert_eq!(sit.maintenance[0].lasts, Duration::from_secs(36_000));
    assert!(!sit.tell_provider && sit.major.is_none());
    let production = loaded.configuration.policy(Environment::Production).unwrap();
    assert_eq!(production.publish, Publish::ByHand);
    assert_eq!(production.major.as_ref().unwrap().when, Priority::P1);
    assert_eq!(loaded.configuration.policy(Environment::Uat), None);
}

#[test]
fn people_rotas_and_escalations() {
    let directory = Directory::new();
    directory
        .change(TOP, "daily 09:00", "weekly Fri 17:30")
        .change(
            TOP,
            "}] }\nescalations",
            "}], overrides: [{ person: two, from: 2026-07-01T09:00, to: 2026-07-02T09:00Z }] }\nescalations",
        )
        .change(TOP, "after: 5m }", "after: 5m, by: [email, text] }");
    let loaded = directory.load().unwrap();
    let rota = loaded.configuration.rotas.values().next().unwrap();
    assert_eq!(
        rota.layers[0].hand_over,
        HandOver::Weekly(vec![(Weekday::Friday, Time::constant(17, 30, 0, 0))])
    );
    assert_eq!(rota.overrides[0].from.to_string(), "2026-07-01T08:00:00Z"); // on the rota's clock: summer time
    assert_eq!(rota.overrides[0].to.to_string(), "2026-07-02T09:00:00Z");
    let id = EscalationId::parse("calls").unwrap();
    let rota = domain::RotaId::parse("platform").unwrap();
    let two = domain::PersonId::parse("two").unwrap();
    let step =
        |call, by: &[Way], seconds| Step { call, by: by.to_vec(), after: Duration::from_secs(seconds) };
    assert_eq!(
        loaded.configuration.escalations[&id],
        Escalation {
            id,
            steps: vec![
                step(Target::OnCall(rota.clone()), &[], 0),
                step(Target::Next(rota), &[Way::Email, Way::Text], 300)
            ],
            repeat: 1,
            last_resort: vec![two.clone()],
        }
    );
    assert_eq!(loaded.configuration.people[&two].ways, [Way::Text, Way::Email]);
    assert_eq!(loaded.directory.people[&two].email.as_deref(), Some("two@team.example"));
}

#[test]
fn what_is_left_out_has_a_default() {
    let loaded = Directory::new().load().unwrap();
    assert_eq!(loaded.database.reveal(), "sqlite://curiad.db");
    assert_eq!(loaded.spool, None);
    assert_eq!(loaded.listen, Listen::default());
    assert_eq!(loaded.configuration.priorities, domain::Priorities::default());
    assert_eq!(loaded.directory.mail.as_ref().unwrap().port, 25);
    assert_eq!(loaded.directory.notify.as_ref().unwrap().url, "https://api.notifications.service.gov.uk");
    assert!(
        loaded.roots.is_empty() && loaded.callback_token.is_none() && loaded.directory.dead_man.is_none()
    );
}

#[test]
fn impact_and_urgency_land_in_their_cells() {
    let directory = Directory::new();
    let matrix = "priorities: { matrix: [[1,2,3,4,5], [2,2,3,4,5], [3,3,3,4,5], [4,4,4,4,5], [5,5,5,5,5]] }";
    directory.change(TOP, "vantages:", &format!("{matrix}\nvantages:"));
    let matrix = directory.load().unwrap().configuration.priorities.matrix.clone();
    let number = |impact, urgency| matrix.priority(Rating { impact, urgency }).number();
    assert_eq!((number(1, 1), number(1, 4), number(4, 1), number(3, 5)), (1, 4, 4, 5));
}

#[test]
fn an_api_that_retired_stays_without_instances() {
    let directory = Directory::new();
    let retired = API
        .replace("documents\n", "letters\n")
        .replace("lifecycle: stable", "lifecycle: retired")
        .split("operations:")
        .next()
        .unwrap()
        .to_owned();
    directory.write("apis/letters.yaml", &retired);
    let loaded = directory.load().unwrap();
    assert_eq!(loaded.configuration.apis.len(), 2);
    assert_eq!(loaded.configuration.instances().count(), 2);
}
