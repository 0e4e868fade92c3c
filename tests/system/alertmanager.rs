//! Debian's Alertmanager, which we did not write: its alerts become incidents, and our incidents its alerts.

use crate::{
    database::{On, on_both},
    outage::{all_well, incidents, place_on_with},
    program::{PATIENCE, Place, client, free_ports, json, world},
};
use serde_json::{Value, json};
use simulator::Fault;
use std::{
    ffi::OsStr,
    process::{Child, Command, Stdio},
};

const API: &str = "patient-demographics";
const TOKEN: &str = "an-alertmanager-token-of-the-simulated-world";

on_both!(alertmanager_tells_of_alerts_and_hears_of_incidents_whoever_dies_meanwhile);

/// Ends with the story.
struct Alertmanager {
    child: Child,
    url: String,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Alertmanager {
    /// Sends to `hook` what it is told, at once and again each second.
    fn start(place: &Place, port: u16, hook: &str) -> Self {
        let directory = place.directory.path().join("alertmanager");
        std::fs::create_dir_all(&directory).expect("a directory");
        let configuration = json!({
            "route": { "receiver": "curiad", "group_by": ["alertname", "api"], "group_wait": "1s", "group_interval": "1s",
                       "repeat_interval": "5s" },
            "receivers": [{ "name": "curiad", "webhook_configs": [{
                "url": hook, "send_resolved": true,
                "http_config": { "authorization": { "type": "Bearer", "credentials": TOKEN } },
            }] }],
        });
        let file = directory.join("alertmanager.yml");
        std::fs::write(&file, configuration.to_string()).expect("a file");
        let child = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", directory.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Debian's prometheus-alertmanager: tests/run installs it");
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    async fn is_ready(&self) -> bool {
        let answer = client().get(format!("{}/-/ready", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Whether it has our incident about that API.
    async fn has_ours(&self) -> bool {
        self.ours().await.is_some()
    }

    /// What a Prometheus would tell it.
    async fn told(&self, ends: Option<&str>) {
        let mut alert = json!({
            "labels": { "alertname": "QueueTooLong", "api": "results", "environment": "production", "severity": "warning" },
            "annotations": { "summary": "words about Mrs Jones" },
            "startsAt": "2026-11-21T00:00:00Z",
        });
        if let (Some(alert), Some(ends)) = (alert.as_object_mut(), ends) {
            alert.insert("endsAt".to_owned(), ends.into());
        }
        let post = client().post(format!("{}/api/v2/alerts", self.url)).json(&json!([alert]));
        assert!(post.send().await.expect("an answer").status().is_success());
    }

    async fn ours(&self) -> Option<Value> {
        let all = json(&format!("{}/api/v2/alerts", self.url)).await;
        let labels = |alert: &&Value| {
            alert["labels"]["alertname"] == "CuriadIncident" && alert["labels"]["api"] == API
        };
        all.as_array().expect("a list").iter().find(labels).cloned()
    }
}

async fn alertmanager_tells_of_alerts_and_hears_of_incidents_whoever_dies_meanwhile(on: On) {
    let world = world().await;
    let [port, _] = free_ports();
    let section = format!(
        "alertmanager: {{ callback_token: \"file:secrets/alertmanager\", send: [ {{ url: \"http://127.0.0.1:{port}\" }} ] }}\n"
    );
    let place = place_on_with(on, &world, |text| {
        if text.contains("service_desks:") { format!("{text}{section}") } else { text }
    });
    place.write("secrets/alertmanager", TOKEN);
    let mut program = place.serve();
    all_well(&mut program).await;
    let hook = program.public("/hooks/alertmanager");
    let alertmanager = Alertmanager::start(&place, port, &hook);
    let is_ready = || alertmanager.is_ready();
    program.wait(is_ready, "Alertmanager").await;
    let doctor = place.run(&["--json", "doctor"]).await.json();
    let about = format!("Alertmanager {}", alertmanager.url);
    let found = doctor.as_array().and_then(|all| all.iter().find(|one| one["what"] == *about));
    assert_eq!(found.expect("it is looked at")["state"], "ok", "{doctor}");
    assert_eq!(
        client().post(&hook).send().await.expect("an answer").status(),
        401,
        "who is nobody is not heard"
    );

    // Theirs to us: one incident, one ticket; nobody is called, and their words are nowhere.
    alertmanager.told(None).await;
    let url = program.internal("/api/v1/incidents");
    let count = async || json(&url).await.as_array().map_or(0, Vec::len);
    program.wait(async || count().await == 1, "an incident").await;
    let incident = incidents(&program).await.remove(0);
    assert_eq!(incident["cause_key"], "alert:results/production:QueueTooLong");
    let ticket =
        world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    let said = format!("{:?}", ticket.fields);
    assert!(said.contains("QueueTooLong") && !said.contains("Jones"), "{}", said);
    assert!(world.notify().texts().is_empty());

    // Killed; Alertmanager says it again, and it is the same.
    program.kill();
    if cfg!(debug_assertions) {
        // It says at its start what is open, and dies when that is said.
        let mut doomed = place.serve_with(&[("CURIAD_CRASH_AT", OsStr::new("alertmanager/told"))]);
        assert!(!doomed.end().await.success());
    }
    let mut program = place.serve();
    all_well(&mut program).await;
    assert_eq!(incidents(&program).await.len(), 1);

    // Ours to them, and what they send back of it is not heard as another.
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    program.wait(|| alertmanager.has_ours(), "our incident there").await;
    let ours = alertmanager.ours().await.expect("ours");
    assert_eq!(ours["labels"]["severity"], "critical", "{ours}");
    assert_eq!(ours["status"]["state"], "active", "{ours}");
    world.set_fault(API, "production", Fault::None).await.expect("well again");
    program.wait(async || !alertmanager.has_ours().await, "its end there").await;

    alertmanager.told(Some("2026-11-21T00:01:00Z")).await;
    let url = program.internal("/api/v1/incidents");
    let over = async || {
        json(&url).await.as_array().is_some_and(|all| all.iter().all(|one| one["status"] == "resolved"))
    };
    program.wait(over, "the end of the alert").await;
    let tickets = world.desk().tickets();
    assert_eq!(tickets.len(), 2, "one ticket each: {tickets:?}");
    assert!(program.terminate().await.success());
    world.stop().await;
}
