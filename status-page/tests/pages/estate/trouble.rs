//! A major incident, as the rules would make it.

use super::{ago, instance, now};
use domain::{
    Callout, Cause, Entry, Environment, Escalation, EscalationId, Evidence, Incident, IncidentId,
    IncidentStatus, Layer, Major, PersonId, Post, PostSays, Priorities, Priority, Running, ServiceLevel,
    Status, Step, Target, Text, Ticket, Way,
};
use jiff::SignedDuration;
use std::time::Duration;

/// The reference by which the person called first answers.
pub(crate) const REFERENCE: &str = "k3f9xq7mzt4a";

/// A major incident, as the rules would make it.
pub(crate) fn incident(number: u64, api: &str, environment: Environment, started: i64) -> Incident {
    let id = instance(api, environment);
    let cell = Priorities::default().gravest(environment, ServiceLevel::Critical, 14, 1);
    Incident {
        id: IncidentId(number),
        cause: Cause::Instance(id.clone()),
        status: IncidentStatus::Open,
        priority: Priority::P1,
        major: Some(Major {
            at: ago(started - 10),
            why: "priority 1 in production".into(),
            proposed: false,
            by: None,
        }),
        environment,
        api: Some(id.api.clone()),
        affects: vec![id],
        held_back: vec![],
        worst: Status::MajorOutage,
        layer: Some(Layer::Backend),
        diagnosis: Text::new(
            "The gateway answers, the service behind it does not: the fault is in the backend.",
            "Mae’r porth yn ateb, nid yw’r gwasanaeth y tu ôl iddo: yn y cefn mae’r nam.",
        ),
        evidence: vec![Evidence {
            at: ago(started - 10),
            text: "read from internet: 503 after 40 ms, three times in 10 s".into(),
            request: None,
        }],
        started_at: ago(started),
        opened_at: ago(started - 10),
        flaps: domain::Flaps::default(),
        acknowledged: None,
        recovered_at: None,
        resolved_at: None,
        ticket: Ticket::raised(
            domain::DeskId::parse("nsd").unwrap(),
            "INC0010002".into(),
            "9d385017c611228701d22104cc95c371".into(),
            ago(started - 70),
        ),
        background: Vec::new(),
        rank: domain::Rank { cell: Some(cell), ..domain::Rank::default() },
        earlier_tickets: vec![],
        gathered: Vec::new(),
        nudged: Vec::new(),
        escalation: Some(running(started)),
        first_answer: None,
        part_of: None,
        outlasted: None,
        told_at: None,
        told: None,
        alerts: Vec::new(),
        timeline: vec![
            Entry { at: ago(started - 10), text: "confirmed: 2 of 3 probes failed".into() },
            Entry { at: ago(started - 70), text: "ticket INC0010002 at nsd".into() },
            Entry { at: ago(started - 130), text: "Rhian Morgan called by text and e-mail".into() },
        ],
        posts: vec![Post {
            at: ago(started - 70),
            says: PostSays::Investigating { status: Status::MajorOutage, layer: Some(Layer::Backend) },
            by: None,
        }],
    }
}

fn running(started: i64) -> Running {
    let person = |id: &str| PersonId::parse(id).unwrap();
    Running {
        escalation: Escalation {
            id: EscalationId::parse("out-of-hours").unwrap(),
            steps: vec![
                Step { call: Target::Person(person("oncall.one")), by: vec![], after: Duration::ZERO },
                Step {
                    call: Target::Person(person("oncall.two")),
                    by: vec![],
                    after: Duration::from_secs(300),
                },
            ],
            repeat: 2,
            last_resort: vec![person("oncall.two")],
        },
        started_at: ago(started - 130),
        round_at: ago(started - 130),
        round: 1,
        next_step: 1,
        next_at: Some(now() + SignedDuration::from_secs(120)),
        anew_at: None,
        stopped: None,
        callouts: vec![Callout {
            number: 1,
            person: person("oncall.one"),
            ways: vec![Way::Text, Way::Email],
            step: 1,
            at: ago(started - 130),
            reference: REFERENCE.into(),
            accepted: vec![],
            given_up: vec![],
            delivered: vec![],
            delivered_at: None,
            unclear: vec![],
            stood_down: vec![],
            replies: Vec::new(),
            answer: None,
        }],
        desks: Vec::new(),
    }
}
