//! An incident at three in the morning, for the tests of what is said about it.

use domain::{
    Api, ApiId, Callout, Cause, Check, CheckId, Configuration, Declare, Desk, DeskId, DeskNotes, Environment,
    EnvironmentPolicy, Escalation, EscalationId, Evidence, HoursId, HttpRequest, Incident, IncidentId,
    IncidentStatus, InstanceId, Kind, Language, Layer, Lifecycle, Major, MajorPolicy, Operation, OperationId,
    Person, PersonId, Priority, Request, RequestId, Running, ServiceLevel, ServiceTarget, Site, Status, Step,
    Target, Team, TeamId, TeamWay, Text, Ticket, Vantage, VantageId, Visibility, Way,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub(crate) fn at(time: &str) -> Timestamp {
    format!("2026-06-21T{time}Z").parse().unwrap()
}

fn person(name: &str, language: Language) -> Person {
    Person { name: name.to_owned(), language, ways: vec![Way::Text, Way::Email], in_turn: false }
}

fn api(id: &str, name: Text, depends_on: &[&str]) -> Api {
    Api {
        id: ApiId::parse(id).unwrap(),
        description: Text::new("Finds a patient.", "Yn dod o hyd i glaf."),
        name,
        kind: Kind::FhirR4,
        lifecycle: Lifecycle::Stable,
        service_level: ServiceLevel::Critical,
        consumers: 42,
        sensitive: true,
        team: TeamId::parse("demographics").unwrap(),
        depends_on: depends_on.iter().map(|id| ApiId::parse(id).unwrap()).collect(),
        documentation: Some("https://portal.example.wales/apis/patient-demographics".to_owned()),
        desk: DeskNotes {
            ci: Some("5f2a1c0ddb1f4c10a7b5d4c0a2961921".to_owned()),
            cis: BTreeMap::from([(Layer::Connect, "46ca0887a9fe19810191e08e51927ebf".to_owned())]),
            groups: BTreeMap::from([(Layer::Connect, "287ebd7da9fe198100f92cc8d1d2154e".to_owned())]),
            group_names: BTreeMap::from([(Layer::Connect, "API Platform".to_owned())]),
            users: Some(Text::new(
                "Wards and GP practices cannot look patients up.",
                "Ni all wardiau a meddygfeydd chwilio am gleifion.",
            )),
            runbook: Some("https://runbooks.example.wales/patient-demographics".to_owned()),
            workaround: Some(Text::new(
                "look the patient up in the local system",
                "chwiliwch am y claf yn y system leol",
            )),
            known_errors: Some("https://runbooks.example.wales/patient-demographics/known".to_owned()),
            out_of_hours: Some(Text::new("the platform's duty desk", "desg ddyletswydd y platfform")),
            clinical_safety: Some(Text::new(
                "the safety officer of Demographics",
                "swyddog diogelwch Demograffeg",
            )),
        },
        agreed: domain::Agreed::default(),
        operations: [].into(),
        instances: Environment::ALL
            .into_iter()
            .map(|e| (e, "https://api.example.wales".to_owned()))
            .collect(),
    }
}

pub(crate) fn configuration() -> Configuration {
    let instance = instance("patient-demographics", Environment::Production);
    let operation = Operation {
        id: OperationId::parse("ping").unwrap(),
        critical: true,
        request: Request::Http(HttpRequest::get("/_ping")),
        expect: Arc::default(),
    };
    let check = Check {
        id: CheckId { instance, operation: operation.id.clone() },
        url: "https://api.example.wales".to_owned(),
        operation: operation.into(),
        credential: None,
        every: Duration::from_secs(10),
        slow: Duration::from_millis(800),
        timeout: Duration::from_secs(5),
        from: vec![VantageId::parse("internet").unwrap()],
        test_patients: Arc::default(),
        apart: None,
    };
    let escalation = EscalationId::parse("out-of-hours").unwrap();
    let public = EnvironmentPolicy {
        visibility: Visibility::Public,
        service_desk: Some(DeskId::parse("nsd").unwrap()),
        major: Some(MajorPolicy {
            when: Priority::P1,
            hours: HoursId::parse("office").unwrap(),
            in_hours: escalation.clone(),
            out_of_hours: escalation,
            answer_lasts: Duration::from_secs(2_700),
            declare: Declare::Automatic,
        }),
        ..EnvironmentPolicy::quiet()
    };
    let target = ServiceTarget {
        respond: Some(Duration::from_secs(900)),
        update: Some(Duration::from_secs(1_800)),
        hours: None,
    };
    let apis = [
        api("patient-demographics", Text::new("Patient Demographics", "Demograffeg Cleifion"), &["identity"]),
        api("identity", Text::new("Identity", "Hunaniaeth"), &[]),
    ];
    Configuration {
        site: Site {
            title: Text::new("NHS Wales API status", "Statws APIs GIG Cymru"),
            url: Text::new("https://status.example.wales", "https://statws.example.cymru"),
            time_zone: TimeZone::get("Europe/London").unwrap(),
            security: None,
            accessibility: None,
            access: None,
            subscriptions: true,
        },
        environments: BTreeMap::from([
            (Environment::Production, public),
            (Environment::Sit, EnvironmentPolicy::quiet()),
        ]),
        apis: apis.into_iter().map(|api| (api.id.clone(), Arc::new(api))).collect(),
        checks: BTreeMap::from([(check.id.clone(), Arc::new(check))]),
        vantages: vec![Vantage::new(VantageId::parse("internet").unwrap())],
        teams: BTreeMap::from([(
            TeamId::parse("demographics").unwrap(),
            Team {
                name: Text::new("Demographics", "Demograffeg"),
                ways: vec![TeamWay::Email],
                hours: None,
                rota: None,
            },
        )]),
        people: BTreeMap::from([
            (id("oncall.one"), person("Gwên Tŷ-Ŵyl", Language::Cy)),
            (id("oncall.two"), person("Test Person Two", Language::En)),
            (id("duty.manager"), person("Duty Manager", Language::En)),
        ]),
        rotas: BTreeMap::new(),
        contact_proof: None,
        alerts_call_out: false,
        text_replies: false,
        text_prefix: None,
        daily_test: None,
        hours: BTreeMap::new(),
        escalations: BTreeMap::new(),
        desks: BTreeMap::from([(
            DeskId::parse("nsd").unwrap(),
            Desk {
                name: Text::new("National Service Desk", "Y Ddesg Gwasanaeth Genedlaethol"),
                language: domain::Language::En,
                fallback_after: Some(Duration::from_secs(120)),
                resolves: false,
                targets: BTreeMap::from([(Priority::P1, target)]),
                certificate: None,
            },
        )]),
        priorities: domain::Priorities::default(),
        availability: domain::AvailabilityPolicy::default(),
        secrets_end: BTreeMap::new(),
    }
}

pub(crate) fn id(word: &str) -> PersonId {
    PersonId::parse(word).unwrap()
}

pub(crate) fn instance(api: &str, environment: Environment) -> InstanceId {
    InstanceId { api: ApiId::parse(api).unwrap(), environment }
}

fn called(number: u32, person: &str, step: u32, when: &str, reference: &str) -> Callout {
    Callout {
        number,
        person: id(person),
        ways: vec![Way::Text, Way::Email],
        step,
        at: at(when),
        reference: reference.to_owned(),
        accepted: vec![(Way::Text, at(when))],
        given_up: Vec::new(),
        delivered: Vec::new(),
        delivered_at: None,
        unclear: Vec::new(),
        stood_down: Vec::new(),
        replies: Vec::new(),
        answer: None,
    }
}

/// Demographics is down in production since 02:12 UTC; two people were called, the duty manager is next.
pub(crate) fn incident() -> Incident {
    let step = |person, after| Step {
        call: Target::Person(id(person)),
        by: Vec::new(),
        after: Duration::from_secs(after),
    };
    let cause = instance("patient-demographics", Environment::Production);
    Incident {
        id: IncidentId(42),
        cause: Cause::Instance(cause.clone()),
        status: IncidentStatus::Open,
        priority: Priority::P1,
        major: Some(Major {
            at: at("02:12:10"),
            why: "P1 in production is major at P1 or higher".to_owned(),
            proposed: false,
            by: None,
        }),
        environment: Environment::Production,
        api: Some(cause.api.clone()),
        affects: vec![cause],
        held_back: Vec::new(),
        worst: Status::MajorOutage,
        layer: Some(Layer::Connect),
        diagnosis: Text::new(
            "Nothing listens at the API's address: the connection is refused.",
            "Nid oes dim yn gwrando yng nghyfeiriad yr API: gwrthodir y cysylltiad.",
        ),
        evidence: vec![
            Evidence {
                at: at("02:12:00"),
                text: "ping from internet: 192.0.2.7:443 refused the connection".to_owned(),
                request: RequestId::parse("fc943476-5919-821f-8123-9434765919ab"),
            },
            Evidence {
                at: at("02:12:05"),
                text: "read from internet: GET /Patient/9990000018: 192.0.2.7:443 refused the connection"
                    .to_owned(),
                request: None,
            },
        ],
        started_at: at("02:12:00"),
        opened_at: at("02:12:10"),
        flaps: domain::Flaps::default(),
        acknowledged: None,
        recovered_at: None,
        resolved_at: None,
        ticket: Ticket::None,
        background: vec![
            "Planned work of Nia Rees, from 01:00:00 BST until 03:00:00 BST: New certificates on the gateway"
                .to_owned(),
            "Like it: C-31, INC0010001, over 4 days ago, lasted 12 min. The gateway refuses connections."
                .to_owned(),
        ],
        rank: domain::Rank {
            cell: Some(domain::Priorities::default().cell(domain::Weighed {
                environment: Environment::Production,
                level: Some(domain::ServiceLevel::Critical),
                status: domain::Status::MajorOutage,
                instances: 2,
                of: 9,
                consumers: 42,
                lasted: None,
            })),
            ..domain::Rank::default()
        },
        earlier_tickets: Vec::new(),
        gathered: Vec::new(),
        nudged: Vec::new(),
        escalation: Some(Running {
            escalation: Escalation {
                id: EscalationId::parse("out-of-hours").unwrap(),
                steps: vec![step("oncall.one", 0), step("oncall.two", 300), step("duty.manager", 900)],
                repeat: 3,
                last_resort: vec![id("duty.manager")],
            },
            started_at: at("02:14:10"),
            round_at: at("02:14:10"),
            round: 1,
            next_step: 2,
            next_at: Some(at("02:29:10")),
            anew_at: None,
            stopped: None,
            callouts: vec![
                called(1, "oncall.one", 1, "02:14:10", "k7m2q9x4tz1p"),
                called(2, "oncall.two", 2, "02:19:10", "w3n8r5y6ab0c"),
            ],
            desks: Vec::new(),
        }),
        first_answer: None,
        part_of: None,
        outlasted: None,
        told_at: Some(at("02:13:10")),
        told: Some(TeamId::parse("demographics").unwrap()),
        timeline: Vec::new(),
        alerts: Vec::new(),
        posts: Vec::new(),
    }
}
