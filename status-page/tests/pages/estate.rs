//! Situations made by hand: an estate, and what may befall it.

use domain::{
    Api, ApiId, Certificate, Check, CheckId, Configuration, Confirm, Cron, Dialect, Environment,
    EnvironmentPolicy, Expect, Failure, FailureKind, Health, Hold, Http, HttpRequest, IncidentStatus,
    InstanceId, Kind, Language, Latest, Layer, Lifecycle, Matches, Operation, OperationId, Outcome, Person,
    PersonId, Phases, Post, PostSays, Publish, ReferenceKey, Remembered, Request, Retention, ServiceLevel,
    Site, Situation, Status, Team, TeamId, TeamWay, Text, Track, TrackId, Vantage, VantageId, Verdict,
    Visibility, Way, Window,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

#[path = "estate/counting.rs"]
pub(crate) mod counting;
#[path = "estate/past.rs"]
pub(crate) mod past;
#[path = "estate/trouble.rs"]
pub(crate) mod trouble;

use trouble::incident;

/// When every story is told.
pub(crate) fn now() -> Timestamp {
    "2026-11-21T03:07:09.120Z".parse().unwrap()
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub(crate) const NAMES: [(&str, &str, &str, Kind); 6] = [
    ("identity", "Identity", "Hunaniaeth", Kind::Rest),
    ("patient-demographics", "Patient Demographics", "Demograffeg Cleifion", Kind::FhirR4),
    ("demographics-soap", "Demographics (SOAP)", "Demograffeg (SOAP)", Kind::Soap),
    ("documents", "Documents", "Dogfennau", Kind::Rest),
    ("results", "Results", "Canlyniadau", Kind::FhirR4),
    ("reference-data", "Reference Data", "Data Cyfeirio", Kind::Rest),
];

fn operation(id: &str, path: &str, critical: bool, health: bool) -> Arc<Operation> {
    Arc::new(Operation {
        id: OperationId::parse(id).unwrap(),
        critical,
        request: Request::Http(HttpRequest {
            dialect: if health { Dialect::Health } else { Dialect::Plain },
            ..HttpRequest::get(path)
        }),
        expect: Arc::new(Expect {
            status: if critical { vec![domain::Statuses::One(200)] } else { vec![] },
            json: if critical {
                vec![("$.resourceType".into(), Matches::Equals("Patient".into()))]
            } else {
                vec![]
            },
            certificate_days: Some(14),
            ..Expect::default()
        }),
    })
}

pub(crate) fn api(id: &str, en: &str, cy: &str, kind: Kind) -> Api {
    Api {
        id: ApiId::parse(id).unwrap(),
        name: Text::new(en, cy),
        description: Text::new(
            format!("What applications ask when they need {}.", en.to_lowercase()),
            format!("Yr hyn y mae cymwysiadau’n ei ofyn pan fo angen {} arnynt.", cy.to_lowercase()),
        ),
        kind,
        lifecycle: Lifecycle::Stable,
        service_level: ServiceLevel::Critical,
        consumers: 0,
        sensitive: true,
        team: TeamId::parse("demographics").unwrap(),
        depends_on: if id == "identity" { vec![] } else { vec![ApiId::parse("identity").unwrap()] },
        documentation: Some(format!("https://docs.example.wales/{id}")),
        desk: domain::DeskNotes {
            runbook: Some(format!("https://runbooks.example.wales/{id}")),
            ..domain::DeskNotes::default()
        },
        agreed: domain::Agreed::default(),
        operations: [
            operation("ping", "/_ping", false, false),
            operation("status", "/_status", false, true),
            operation("read", "/Patient/9990000018", true, false),
        ]
        .into(),
        instances: Environment::ALL
            .into_iter()
            .map(|environment| (environment, format!("https://{environment}.example.wales/{id}")))
            .collect(),
    }
}

pub(crate) fn configuration(apis: Vec<Api>) -> Configuration {
    let policy = |environment: Environment| EnvironmentPolicy {
        visibility: match environment {
            Environment::Sandbox | Environment::Production => Visibility::Public,
            Environment::Development | Environment::Sit | Environment::Uat => Visibility::SignedIn,
        },
        confirm: Confirm::default(),
        flapping: domain::Flapping::default(),
        storm: domain::Storm::default(),
        hold: Hold::default(),
        service_desk: None,
        tell_provider: false,
        major: None,
        publish: Publish::Automatic,
        maintenance: if environment == Environment::Sit {
            vec![Window {
                cron: Cron::parse("0 19 * * Mon-Fri").unwrap(),
                lasts: Duration::from_secs(10 * 3600),
                why: Text::new("Load tests", "Profion llwyth"),
            }]
        } else {
            vec![]
        },
        retention: Retention::default(),
    };
    let mut checks = BTreeMap::new();
    for api in &apis {
        for (environment, url) in &api.instances {
            for operation in api.operations.iter() {
                let id = CheckId {
                    instance: InstanceId { api: api.id.clone(), environment: *environment },
                    operation: operation.id.clone(),
                };
                let check = Check {
                    id: id.clone(),
                    url: url.clone(),
                    operation: operation.clone(),
                    credential: None,
                    every: Duration::from_secs(10),
                    slow: Duration::from_millis(800),
                    timeout: Duration::from_secs(5),
                    from: vec![VantageId::parse("internet").unwrap()],
                    test_patients: Arc::default(),
                    apart: None,
                };
                checks.insert(id, Arc::new(check));
            }
        }
    }
    let of = vec![Way::Text, Way::Email];
    let person =
        |name: &str, language| Person { name: name.into(), language, ways: of.clone(), in_turn: false };
    let (name, ways) = (Text::new("Demographics team", "Tîm Demograffeg"), vec![TeamWay::Email]);
    let team = Team { name, ways, hours: None, rota: None };
    Configuration {
        site: Site {
            title: Text::new("NHS Wales API status", "Statws APIs GIG Cymru"),
            url: Text::new("https://status.example.wales", "https://statws.example.cymru"),
            time_zone: TimeZone::get("Europe/London").unwrap(),
            security: Some("mailto:security@example.wales".to_owned()),
            accessibility: Some(domain::Accessibility {
                run_by: Text::new("Digital Health and Care Wales", "Iechyd a Gofal Digidol Cymru"),
                contact: "mailto:accessibility@example.wales".to_owned(),
            }),
            access: Some(domain::WayIn {
                words: Text::new("Ask the portal for access.", "Gofynnwch i’r porth am fynediad."),
                url: Text::new("https://portal.example.wales/access", "https://porth.example.cymru/mynediad"),
            }),
            subscriptions: true,
        },
        environments: Environment::ALL.into_iter().map(|e| (e, policy(e))).collect(),
        apis: apis.into_iter().map(|api| (api.id.clone(), Arc::new(api))).collect(),
        checks,
        vantages: vec![Vantage::new(VantageId::parse("internet").unwrap())],
        teams: BTreeMap::from([(TeamId::parse("demographics").unwrap(), team)]),
        people: BTreeMap::from([
            (PersonId::parse("oncall.one").unwrap(), person("Rhian Morgan", Language::Cy)),
            (PersonId::parse("oncall.two").unwrap(), person("Tom Price", Language::En)),
        ]),
        rotas: BTreeMap::new(),
        contact_proof: None,
        alerts_call_out: false,
        text_replies: false,
        text_prefix: None,
        daily_test: None,
        hours: BTreeMap::from([(counting::office(), counting::weekdays())]),
        escalations: BTreeMap::new(),
        desks: BTreeMap::new(),
        priorities: domain::Priorities::default(),
        availability: counting::policy(),
        secrets_end: BTreeMap::new(),
    }
}

/// Nothing measured yet.
pub(crate) fn fresh(apis: Vec<Api>) -> Situation {
    Situation::new(
        Arc::new(configuration(apis)),
        Remembered {
            tracks: vec![],
            latest: vec![],
            changes: vec![],
            healths: vec![],
            releases: vec![],
            incidents: vec![],
            silences: vec![],
            maintenances: vec![],
            overrides: vec![],
            proofs: vec![],
            last_incident: 0,
            last_silence: 0,
            last_maintenance: 0,
            last_override: 0,
            key: ReferenceKey([7; 32]),
        },
    )
}

pub(crate) fn instance(api: &str, environment: Environment) -> InstanceId {
    InstanceId { api: ApiId::parse(api).unwrap(), environment }
}

fn six() -> Vec<Api> {
    NAMES.iter().map(|(id, en, cy, kind)| api(id, en, cy, *kind)).collect()
}

/// All six APIs in all five environments work.
pub(crate) fn all_well() -> Situation {
    let mut situation = fresh(six());
    fill(&mut situation);
    situation
}

/// One API, in production only, works.
pub(crate) fn one_api() -> Situation {
    let mut only = api("results", "Results", "Canlyniadau", Kind::FhirR4);
    only.depends_on.clear();
    only.instances.retain(|environment, _| *environment == Environment::Production);
    let mut situation = fresh(vec![only]);
    fill(&mut situation);
    situation
}

/// Sixty APIs in five environments.
pub(crate) fn sixty() -> Situation {
    let apis = (0..60)
        .map(|n| {
            let (id, en, cy, kind) = NAMES[n % 6];
            let mut api =
                api(&format!("{id}-{n}"), &format!("{en} {}", n + 1), &format!("{cy} {}", n + 1), kind);
            api.depends_on.clear();
            api
        })
        .collect();
    let mut situation = fresh(apis);
    fill(&mut situation);
    set(&mut situation, "results-4", Environment::Production, Status::Degraded, 1500, Some(Layer::Backend));
    set(&mut situation, "documents-9", Environment::Sandbox, Status::MajorOutage, 4000, Some(Layer::Gateway));
    situation
}

fn fill(situation: &mut Situation) {
    let instances: Vec<InstanceId> = situation.configuration.instances().collect();
    for id in instances {
        set_health(situation, &id, Status::Operational, ago(40 * 86_400), None);
        outcomes(situation, &id, Verdict::Pass, None, 4);
    }
}

fn set_health(
    situation: &mut Situation,
    id: &InstanceId,
    status: Status,
    since: Timestamp,
    layer: Option<Layer>,
) {
    let health = Health { instance: id.clone(), status, since, layer, maintenance: false };
    situation.healths.insert_mut(id.clone(), Arc::new(health));
}

fn outcomes(
    situation: &mut Situation,
    id: &InstanceId,
    verdict: Verdict,
    layer: Option<Layer>,
    seconds: i64,
) {
    let checks: Vec<Arc<Check>> = situation.configuration.checks_of(id).cloned().collect();
    for (n, check) in checks.into_iter().enumerate() {
        for vantage in check.from.clone() {
            let total = Duration::from_millis(40 + 35 * u64::try_from(n).unwrap());
            let failing = !matches!(verdict, Verdict::Pass);
            let at = ago(seconds + i64::try_from(n).unwrap());
            let outcome = Outcome {
                phases: Phases {
                    dns: Some(Duration::from_millis(2)),
                    connect: Some(Duration::from_millis(8)),
                    tls: Some(Duration::from_millis(12)),
                    first_byte: Some(total),
                    body: Some(Duration::from_millis(1)),
                },
                total,
                failure: layer.filter(|_| failing).map(|layer| Failure {
                    layer,
                    kind: FailureKind::ServerError,
                    message: "the service answered 503 after 40 ms (10.1.2.3)".into(),
                }),
                http: Some(Http {
                    status: if failing { 503 } else { 200 },
                    version: "HTTP/2".into(),
                    remote_ip: None,
                    bytes: 512,
                }),
                certificate: Some(Certificate {
                    not_after: "2027-03-01T00:00:00Z".parse().unwrap(),
                    fingerprint: "00".into(),
                }),
                ..Outcome::new(check.id.clone(), vantage.clone(), at)
            };
            let track_id = TrackId { check: check.id.clone(), vantage };
            let track = Track {
                id: track_id.clone(),
                status: if failing { Status::MajorOutage } else { Status::Operational },
                since: ago(600),
                layer: layer.filter(|_| failing),
                message: None,
                round: None,
                inconclusive_since: None,
                pulse: None,
            };
            situation.tracks.insert(track_id.clone(), Arc::new(track));
            let latest = Latest { at: outcome.at, verdict, outcome: Some(Arc::new(outcome)) };
            situation.latest.insert(track_id, latest);
        }
    }
}

/// An instance gets a status, with outcomes to match.
pub(crate) fn set(
    situation: &mut Situation,
    api: &str,
    environment: Environment,
    status: Status,
    seconds: i64,
    layer: Option<Layer>,
) {
    let id = instance(api, environment);
    set_health(situation, &id, status, ago(seconds), layer);
    let verdict = match status {
        Status::Operational | Status::Maintenance => Verdict::Pass,
        Status::Degraded => Verdict::Slow,
        Status::PartialOutage | Status::MajorOutage => Verdict::Fail,
        Status::Unknown => Verdict::Inconclusive,
    };
    outcomes(situation, &id, verdict, layer, 4);
}

/// Lays maintenance over an instance.
pub(crate) fn maintain(situation: &mut Situation, api: &str, environment: Environment) {
    let id = instance(api, environment);
    let mut health = Health::clone(situation.healths.get(&id).unwrap());
    health.maintenance = true;
    situation.healths.insert_mut(id, Arc::new(health));
}

/// One API is down in production with a major incident; SIT has trouble of its own; some other things happen.
pub(crate) fn trouble() -> Situation {
    let mut situation = all_well();
    set(
        &mut situation,
        "patient-demographics",
        Environment::Production,
        Status::MajorOutage,
        1600,
        Some(Layer::Backend),
    );
    set(&mut situation, "documents", Environment::Production, Status::Degraded, 420, None);
    set(&mut situation, "results", Environment::Sit, Status::PartialOutage, 7300, Some(Layer::Contract));
    set(&mut situation, "reference-data", Environment::Uat, Status::Unknown, 900, Some(Layer::Ours));
    for (id, ..) in NAMES {
        maintain(&mut situation, id, Environment::Sit);
    }
    let mut open = incident(42, "patient-demographics", Environment::Production, 1600);
    open.status = IncidentStatus::Open;
    let mut over = incident(41, "documents", Environment::Production, 3 * 86_400);
    over.status = IncidentStatus::Resolved;
    over.worst = Status::PartialOutage;
    over.recovered_at = Some(ago(3 * 86_400 - 1800));
    over.resolved_at = Some(ago(3 * 86_400 - 1860));
    over.posts.push(Post {
        at: ago(3 * 86_400 - 900),
        says: PostSays::Words(Text::new(
            "A disk was full. It is being enlarged.",
            "Roedd disg yn llawn. Mae’n cael ei ehangu.",
        )),
        by: None,
    });
    over.posts.push(Post { at: ago(3 * 86_400 - 1860), says: PostSays::Resolved, by: None });
    over.escalation = None;
    let hidden = incident(40, "results", Environment::Sit, 7300);
    for incident in [open, over, hidden] {
        situation.incidents.insert_mut(incident.id, Arc::new(incident));
    }
    situation
}
