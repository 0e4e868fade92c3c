//! The smallest configuration in which nothing is wrong, and changes to it.

use crate::config::{Loaded, Problem, Secrets, load};
use tempfile::TempDir;

/// `curiad.yaml`.
pub(super) const TOP: &str = r#"site:
  title: { en: Status, cy: Statws }
  url: { en: https://status.example, cy: https://statws.example }
  time_zone: Europe/London
notify: { api_key: env:NOTIFY, text_template: 26785a09-ab16-4eb0-8407-a37497a57506 }
mail: { host: localhost, tls: none, from: curiad@status.example }
environments:
  sit:
    visibility: signed-in
    tell: [provider]
  production:
    visibility: public
    service_desk: nsd
    major: { when: priority 1, hours: office, in_hours: calls, out_of_hours: calls }
vantages: { internet: {} }
teams:
  records: { name: { en: Records, cy: Cofnodion }, email: records@team.example }
hours:
  office: { weekly: "Mon-Fri 09:00-17:00" }
people:
  one: { name: One, language: cy, text: env:ONE }
  two: { name: Two, language: en, email: two@team.example }
rotas:
  platform: { layers: [{ people: [one, two], hand_over: daily 09:00, from: 2026-01-05 }] }
escalations:
  calls:
    steps:
      - { call: rota platform, after: 0s }
      - { call: rota platform next, after: 5m }
    last_resort: [two]
service_desks:
  nsd:
    name: { en: National Service Desk, cy: Y Ddesg Gwasanaeth Genedlaethol }
    servicenow:
      url: https://desk.example
      auth: { basic: { user: curiad, password: env:DESK } }
      caller_id: 6816f79cc0a8016401c5a33be04be441
      assignment_group: 287ebd7da9fe198100f92cc8d1d2154e
"#;

/// `apis/documents.yaml`.
pub(super) const API: &str = r#"id: documents
name: { en: Documents, cy: Dogfennau }
description: { en: Letters., cy: Llythyrau. }
kind: rest
lifecycle: stable
service_level: critical
team: records
latency: { slow: 1s, timeout: 5s }
operations:
  ping: { get: /_ping }
  list:
    get: /documents
    headers: { X-Request-ID: "{uuid}" }
    expect: { status: 200 }
environments:
  sit: { url: https://sit.example/documents }
  production: { url: https://api.example/documents, operations: [ping] }
"#;

/// A configuration on disk.
pub(super) struct Directory(pub TempDir);

impl Directory {
    /// The smallest configuration.
    pub(super) fn new() -> Self {
        let directory = Self(tempfile::tempdir().unwrap());
        directory.write("curiad.yaml", TOP).write("apis/documents.yaml", API);
        directory
    }

    /// Writes a file.
    pub(super) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Changes one place in a file; `from` must be there.
    pub(super) fn change(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = std::fs::read_to_string(self.0.path().join(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, &text.replacen(from, to, 1))
    }

    /// Reads it, with the secrets that it names.
    pub(super) fn load(&self) -> Result<Loaded, Vec<Problem>> {
        load(self.0.path(), &Secrets::with(environment))
    }

    /// What is wrong with it, a line a problem, without the directory's own path.
    pub(super) fn problems(&self) -> Vec<String> {
        let problems = match self.load() {
            Ok(loaded) => loaded.warnings,
            Err(problems) => {
                assert!(!problems.is_empty(), "an error without a problem");
                problems
            }
        };
        let path = format!("{}/", self.0.path().display());
        problems.iter().map(|problem| problem.to_string().replace(&path, "")).collect()
    }
}

/// The environment variables that there are.
fn environment(name: &str) -> Option<String> {
    let value = match name {
        "NOTIFY" => "curiad-26785a09-ab16-4eb0-8407-a37497a57506-8e222534-7f05-4972-86e3-17c5d9f894e2",
        "ONE" => "+447700900123",
        "DESK" => "correct horse",
        "EMPTY" => "\n",
        "POSTGRES" => "postgres://curiad:secretword@db/curiad",
        "NO_HOST" => "postgres://curiad:secretword@/curiad",
        _ => return None,
    };
    Some(value.to_owned())
}
