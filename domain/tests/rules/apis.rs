//! The APIs of the small configuration, and what probes ask of them.

use super::*;

/// On one host, behind no common gateway.
pub(crate) fn address(api: &str) -> String {
    let port = api.bytes().fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte)));
    format!("http://127.0.0.1:{port}")
}

pub(super) fn api(id: &str, level: ServiceLevel, depends_on: &[&str]) -> Api {
    let get = |id: &str, health: bool| {
        Arc::new(Operation {
            id: OperationId::parse(id).expect("an id"),
            critical: true,
            request: Request::Http(HttpRequest {
                dialect: if health { Dialect::Health } else { Dialect::Plain },
                ..HttpRequest::get(format!("/_{id}"))
            }),
            expect: Arc::default(),
        })
    };
    Api {
        id: ApiId::parse(id).expect("an id"),
        name: Text::new(id, format!("{id} (cy)")),
        description: Text::new("What it does.", "Beth mae'n ei wneud."),
        kind: Kind::Rest,
        lifecycle: Lifecycle::Stable,
        service_level: level,
        consumers: 0,
        sensitive: false,
        team: TeamId::parse("team").expect("an id"),
        depends_on: depends_on.iter().map(|id| ApiId::parse(id).expect("an id")).collect(),
        documentation: None,
        desk: DeskNotes::default(),
        agreed: domain::Agreed::default(),
        operations: [get("ping", false), get("status", true)].into(),
        instances: [Environment::Sit, Environment::Production]
            .into_iter()
            .map(|environment| (environment, format!("{}/{environment}/{id}", address(id))))
            .collect(),
    }
}

pub(super) fn checks(apis: &BTreeMap<ApiId, Arc<Api>>, vantage: &VantageId) -> BTreeMap<CheckId, Arc<Check>> {
    let mut checks = BTreeMap::new();
    for api in apis.values() {
        for (environment, url) in &api.instances {
            for operation in api.operations.iter() {
                let instance = InstanceId { api: api.id.clone(), environment: *environment };
                let id = CheckId { instance, operation: operation.id.clone() };
                let check = Check {
                    id: id.clone(),
                    url: url.clone(),
                    operation: operation.clone(),
                    credential: None,
                    every: secs(10),
                    slow: Duration::from_millis(800),
                    timeout: secs(5),
                    from: vec![vantage.clone()],
                    test_patients: std::sync::Arc::default(),
                    apart: None,
                };
                checks.insert(id, Arc::new(check));
            }
        }
    }
    checks
}
