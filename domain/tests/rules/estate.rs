//! A small configuration and a hand that drives it: outcomes in, decisions out.

use domain::*;
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

#[path = "apis.rs"]
pub(crate) mod apis;

use apis::{api, checks};

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn start() -> Timestamp {
    "2026-11-20T02:00:00Z".parse().expect("a time")
}

fn production() -> EnvironmentPolicy {
    EnvironmentPolicy {
        visibility: Visibility::Public,
        service_desk: Some(DeskId::parse("nsd").expect("an id")),
        tell_provider: true,
        major: Some(MajorPolicy {
            when: Priority::P1,
            declare: domain::Declare::Automatic,
            answer_lasts: std::time::Duration::from_secs(45 * 60),
            hours: HoursId::parse("never").expect("an id"),
            in_hours: EscalationId::parse("night").expect("an id"),
            out_of_hours: EscalationId::parse("night").expect("an id"),
        }),
        publish: Publish::Automatic,
        ..EnvironmentPolicy::quiet()
    }
}

/// `results` (critical) and `documents` (standard) depend on `identity` (critical); production calls `one`, then `two`.
pub(crate) fn configuration() -> Configuration {
    let apis: BTreeMap<ApiId, Arc<Api>> = [
        api("identity", ServiceLevel::Critical, &[]),
        api("results", ServiceLevel::Critical, &["identity"]),
        api("documents", ServiceLevel::Standard, &["identity"]),
    ]
    .into_iter()
    .map(|api| (api.id.clone(), Arc::new(api)))
    .collect();
    let vantage = VantageId::parse("internet").expect("an id");
    let checks = checks(&apis, &vantage);
    let id = |word: &str| PersonId::parse(word).expect("an id");
    let sit = EnvironmentPolicy { tell_provider: true, ..EnvironmentPolicy::quiet() };
    let rota = RotaId::parse("platform").expect("an id");
    Configuration {
        site: Site {
            title: Text::new("Status", "Statws"),
            url: Text::new("https://status.example", "https://statws.example"),
            time_zone: TimeZone::get("Europe/London").expect("the zone"),
            security: None,
            accessibility: None,
            access: None,
            subscriptions: true,
        },
        environments: [(Environment::Sit, sit), (Environment::Production, production())].into(),
        apis,
        checks,
        vantages: vec![Vantage::new(vantage)],
        teams: [(
            TeamId::parse("team").expect("an id"),
            Team { name: Text::new("Team", "Tîm"), ways: vec![TeamWay::Email], hours: None, rota: None },
        )]
        .into(),
        people: [("one", "One"), ("two", "Two"), ("boss", "Boss")]
            .map(|(word, name)| {
                let ways = vec![Way::Text, Way::Email];
                (id(word), Person { name: name.into(), language: Language::En, ways, in_turn: false })
            })
            .into(),
        rotas: [(
            rota.clone(),
            Rota {
                time_zone: TimeZone::get("Europe/London").expect("the zone"),
                layers: vec![RotaLayer {
                    people: vec![id("one"), id("two")],
                    hand_over: HandOver::Weekly(vec![(civil::Weekday::Monday, civil::time(9, 0, 0, 0))]),
                    from: civil::date(2026, 9, 7),
                    until: None,
                }],
                overrides: Vec::new(),
                remind: None,
            },
        )]
        .into(),
        contact_proof: None,
        alerts_call_out: false,
        text_replies: false,
        text_prefix: None,
        daily_test: None,
        hours: [(
            HoursId::parse("never").expect("an id"),
            Hours {
                time_zone: TimeZone::get("Europe/London").expect("the zone"),
                weekly: Vec::new(),
                bank_holidays: Some(Arc::default()),
                closed: Vec::new(),
                opened: Vec::new(),
            },
        )]
        .into(),
        escalations: [(
            EscalationId::parse("night").expect("an id"),
            Escalation {
                id: EscalationId::parse("night").expect("an id"),
                steps: vec![
                    Step { call: Target::OnCall(rota.clone()), by: Vec::new(), after: secs(0) },
                    Step { call: Target::Next(rota), by: vec![Way::Text], after: secs(300) },
                ],
                repeat: 2,
                last_resort: vec![id("boss")],
            },
        )]
        .into(),
        desks: [(
            DeskId::parse("nsd").expect("an id"),
            Desk {
                name: Text::new("National Service Desk", "Desg Gwasanaeth Genedlaethol"),
                language: domain::Language::En,
                fallback_after: Some(secs(300)),
                resolves: false,
                targets: BTreeMap::new(),
                certificate: None,
            },
        )]
        .into(),
        priorities: domain::Priorities::default(),
        availability: domain::AvailabilityPolicy::default(),
        secrets_end: BTreeMap::new(),
    }
}

pub(crate) fn instance(api: &str, environment: Environment) -> InstanceId {
    InstanceId { api: ApiId::parse(api).expect("an id"), environment }
}

pub(crate) fn track(api: &str, environment: Environment, operation: &str) -> TrackId {
    TrackId {
        check: CheckId {
            instance: instance(api, environment),
            operation: OperationId::parse(operation).expect("an id"),
        },
        vantage: VantageId::parse("internet").expect("an id"),
    }
}

/// What a probe saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Pass,
    Slow,
    Fail,
    /// It answers, with an error of its own.
    Broken,
    Refused,
    Ours,
    NoToken,
    CredentialRefused,
    /// It shows a certificate that is over.
    Expired,
}

pub(crate) fn outcome(track: &TrackId, at: Timestamp, seen: Seen) -> Arc<Outcome> {
    let failure = |layer, kind| Some(Failure { layer, kind, message: format!("it {kind:?}") });
    Arc::new(Outcome {
        total: Duration::from_millis(if seen == Seen::Slow { 900 } else { 50 }),
        failure: match seen {
            Seen::Pass | Seen::Slow => None,
            Seen::Fail => failure(Layer::Connect, FailureKind::Refused),
            Seen::Broken => failure(Layer::Backend, FailureKind::BackendUnavailable),
            Seen::Refused => failure(Layer::Gateway, FailureKind::AccessRefused),
            Seen::Ours => failure(Layer::Ours, FailureKind::NoNetwork),
            Seen::NoToken => failure(Layer::Token, FailureKind::TokenBroken),
            Seen::CredentialRefused => failure(Layer::Ours, FailureKind::CredentialRefused),
            Seen::Expired => failure(Layer::Tls, FailureKind::CertificateExpired),
        },
        ..Outcome::new(track.check.clone(), track.vantage.clone(), at)
    })
}

/// Curiad by hand: a situation, a clock, and everything that was decided.
pub(crate) struct Hand {
    pub(crate) situation: Situation,
    pub(crate) now: Timestamp,
    pub(crate) changes: Vec<Change>,
    pub(crate) probes: Vec<Wanted>,
    /// All that happened, and when.
    pub(crate) events: Vec<(Event, Timestamp)>,
}

impl Hand {
    pub(crate) fn new(configuration: Configuration) -> Self {
        let remembered = Remembered::nothing(ReferenceKey([7; 32]));
        let situation = Situation::new(Arc::new(configuration), remembered);
        Self { situation, now: start(), changes: Vec::new(), probes: Vec::new(), events: Vec::new() }
    }

    /// Stops, and starts again `seconds` later with what is durable and another configuration.
    pub(crate) fn restart_with(&mut self, seconds: i64, configuration: Configuration) {
        let before = &self.situation;
        let changed = |change: &Change| {
            if let Change::Status(status) = change { Some(status.health.clone()) } else { None }
        };
        let remembered = Remembered {
            tracks: before.tracks.values().map(|track| (**track).clone()).collect(),
            latest: before
                .latest
                .iter()
                .map(|(id, latest)| (id.clone(), latest.at, latest.verdict))
                .collect(),
            healths: before.healths.values().map(|health| (**health).clone()).collect(),
            changes: self.changes.iter().filter_map(changed).collect(),
            releases: before.releases.values().map(|release| (**release).clone()).collect(),
            incidents: before.incidents.values().map(|incident| (**incident).clone()).collect(),
            silences: before.silences.values().cloned().collect(),
            maintenances: before.maintenances.values().cloned().collect(),
            overrides: before.overrides.values().cloned().collect(),
            proofs: before
                .proofs
                .iter()
                .map(|((person, way), at)| ContactProof { person: person.clone(), way: *way, at: *at })
                .collect(),
            last_incident: before.next_incident - 1,
            last_silence: before.next_silence - 1,
            last_maintenance: before.next_maintenance - 1,
            last_override: before.next_override - 1,
            key: before.key.clone(),
        };
        self.situation = Situation::new(Arc::new(configuration), remembered);
        self.now += SignedDuration::from_secs(seconds);
        self.event(&Event::Configured(Arc::clone(&self.situation.written)));
    }

    /// Stops, and starts again `seconds` later.
    pub(crate) fn restart(&mut self, seconds: i64) {
        self.restart_with(seconds, (*self.situation.written).clone());
    }

    pub(crate) fn event(&mut self, event: &Event) -> Decision {
        let decision = decide(&self.situation, event, self.now);
        let configuration = &self.situation.configuration;
        if matches!(event, Event::Due)
            && self.situation.healths.keys().all(|id| configuration.apis.contains_key(&id.api))
        {
            // What is not looked at again when only time passes would be the same if it were.
            let same = Event::Configured(Arc::clone(&self.situation.written));
            let whole = decide(&self.situation, &same, self.now);
            assert_eq!(decision.changes, whole.changes, "at {}", self.now);
            assert_eq!(decision.probes, whole.probes, "at {}", self.now);
        }
        self.events.push((event.clone(), self.now));
        self.situation = decision.after.clone();
        self.changes.extend(decision.changes.clone());
        self.probes.extend(decision.probes.clone());
        decision
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.event(&Event::Due);
    }

    pub(crate) fn see(&mut self, track: &TrackId, seen: Seen) {
        self.event(&Event::Outcome(outcome(track, self.now, seen)));
    }

    /// Every check of every instance is seen: `seen` for those of `failing`, else Pass.
    pub(crate) fn round(&mut self, failing: &[(&str, Environment)], seen: Seen) {
        let all: Vec<TrackId> = self
            .situation
            .configuration
            .checks
            .keys()
            .map(|check| TrackId {
                check: check.clone(),
                vantage: VantageId::parse("internet").expect("an id"),
            })
            .collect();
        for track in all {
            let of_these =
                failing.iter().any(|(api, environment)| track.check.instance == instance(api, *environment));
            self.see(&track, if of_these { seen } else { Seen::Pass });
        }
    }

    /// Rounds ten seconds apart.
    pub(crate) fn rounds(&mut self, count: usize, failing: &[(&str, Environment)], seen: Seen) {
        for _ in 0..count {
            self.wait(10);
            self.round(failing, seen);
        }
    }

    pub(crate) fn tell(&mut self, what: Message) -> Result<String, String> {
        self.tell_at(self.now, what)
    }

    /// What somebody wrote down at another time, and is folded in now.
    pub(crate) fn tell_at(&mut self, at: Timestamp, what: Message) -> Result<String, String> {
        let told = Told { at, what };
        self.event(&Event::Told(told)).answer.expect("an answer")
    }

    pub(crate) fn status(&self, api: &str, environment: Environment) -> Status {
        self.situation.status(&instance(api, environment))
    }

    pub(crate) fn open(&self) -> Vec<Arc<Incident>> {
        self.situation.open_incidents().cloned().collect()
    }

    pub(crate) fn incident(&self, number: u64) -> Arc<Incident> {
        Arc::clone(self.situation.incidents.get(&IncidentId(number)).expect("the incident"))
    }

    /// The notifications decided so far, as `name → channel`.
    pub(crate) fn told(&self) -> Vec<String> {
        self.changes
            .iter()
            .filter_map(|change| {
                let Change::Notify(notification) = change else { return None };
                Some(notification.key.split_once('/').expect("a key").1.to_owned())
            })
            .collect()
    }

    /// A notification's key by its name.
    pub(crate) fn key(&self, number: u64, name: &str) -> String {
        let told = self.changes.iter().find_map(|change| {
            let Change::Notify(told) = change else { return None };
            told.key.split_once('/').filter(|_| told.incident == IncidentId(number))
        });
        format!("{}/{name}", told.expect("something was told").0)
    }

    pub(crate) fn ticket_raised(&mut self, number: u64) {
        let raised = Sent::Ticket { number: "INC0010001".into(), record: "abc".into(), mismatch: None };
        self.receipt(number, "ticket", raised);
    }

    pub(crate) fn receipt(&mut self, number: u64, name: &str, outcome: Sent) {
        let receipt = Receipt {
            notification: self.key(number, name),
            incident: IncidentId(number),
            at: self.now,
            outcome,
        };
        self.tell(Message::Receipt(receipt)).expect("folded in");
    }
}
