//! A night on call: the rules, the store, the deliverer and the world together, on a clock that is moved by hand.

use super::{
    example,
    ground::Ground,
    house::{Hand, client, directory},
};
use alerting::{Channels, Contact, Deliverer, DeskReader, Limits, Setup};
use domain::{
    Check, CheckId, Configuration, Environment, Escalation, EscalationId, Event, Failure, FailureKind, Hold,
    Hours, HoursId, Incident, IncidentStatus, Layer, MajorPolicy, Message, Outcome, Person, Priority, Secret,
    Situation, Step, Target, Told, VantageId, Way, decide,
};
use jiff::{Timestamp, tz::TimeZone};
use simulator::{Mail, World, WorldOptions};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use store::{Batch, InboxId, Store};
use tokio::sync::watch;

/// What fails, each an incident of its own.
pub(crate) const APIS: [&str; 3] = ["patient-demographics", "results", "referrals"];
/// Checks are made so often.
pub(crate) const EVERY: i64 = 10;
/// A request of ours is given up after this.
const PATIENCE: Duration = Duration::from_millis(250);

pub(crate) struct Night {
    pub(crate) world: World,
    pub(crate) hand: Hand,
    pub(crate) store: Store,
    pub(crate) situation: Situation,
    pub(crate) deliverer: Deliverer,
    failing: bool,
    setup: watch::Sender<Setup>,
    _ground: Ground,
}

fn person(name: &str, ways: &[Way]) -> Person {
    Person { name: name.to_owned(), language: domain::Language::En, ways: ways.to_vec(), in_turn: false }
}

fn configuration() -> Configuration {
    let mut configuration = example::configuration();
    let (api, check) = (
        configuration.apis.values().find(|api| api.id.as_str() == APIS[0]).unwrap().clone(),
        configuration.checks.values().next().unwrap().clone(),
    );
    configuration.apis.clear();
    configuration.checks.clear();
    for (name, port) in APIS.into_iter().zip(4_001..) {
        let instance = example::instance(name, Environment::Production);
        let id = CheckId { instance, operation: check.operation.id.clone() };
        let api = domain::Api { id: id.instance.api.clone(), depends_on: Vec::new(), ..(*api).clone() };
        // On one host, behind no common gateway.
        let url = format!("https://api.example.wales:{port}");
        configuration.checks.insert(id.clone(), Arc::new(Check { id, url, ..(*check).clone() }));
        configuration.apis.insert(api.id.clone(), Arc::new(api));
    }
    let (night, never) = (EscalationId::parse("night").unwrap(), HoursId::parse("never").unwrap());
    let zone = TimeZone::get("Europe/London").unwrap();
    configuration.hours.insert(
        never.clone(),
        Hours {
            time_zone: zone,
            weekly: Vec::new(),
            bank_holidays: None,
            closed: Vec::new(),
            opened: Vec::new(),
        },
    );
    let call = |who: &str, after| Step {
        call: Target::Person(example::id(who)),
        by: Vec::new(),
        after: Duration::from_secs(after),
    };
    configuration.escalations.insert(
        night.clone(),
        Escalation {
            id: night.clone(),
            steps: vec![call("oncall.one", 0), call("oncall.two", 300)],
            repeat: 1,
            last_resort: vec![example::id("duty.manager")],
        },
    );
    let both = [Way::Text, Way::Email];
    configuration.people = [
        (example::id("oncall.one"), person("Test Person One", &both)),
        (example::id("oncall.two"), person("Test Person Two", &both)),
        (example::id("duty.manager"), person("Duty Manager", &both)),
    ]
    .into();
    // The notes are counted: none is a nudge.
    configuration.desks.values_mut().for_each(|desk| desk.targets.clear());
    let policy = configuration.environments.get_mut(&Environment::Production).unwrap();
    policy.hold =
        Hold { ticket: Duration::from_secs(60), callout: Duration::from_secs(120), ..Hold::default() };
    policy.major = Some(MajorPolicy {
        when: Priority::P1,
        declare: domain::Declare::Automatic,
        // Longer than any of these nights.
        answer_lasts: std::time::Duration::from_secs(24 * 3_600),
        hours: never,
        in_hours: night.clone(),
        out_of_hours: night,
    });
    configuration
}

impl Night {
    /// All is well, and measured.
    pub(crate) async fn begin() -> Self {
        Self::begin_with(PATIENCE, |_| ()).await
    }

    /// The same with only the first of [`APIS`], and with something else configured.
    pub(crate) async fn begin_with_one(change: impl FnOnce(&mut Configuration)) -> Self {
        let first = |id: &domain::ApiId| id.as_str() == APIS[0];
        Self::begin_with(PATIENCE, |configuration| {
            configuration.apis.retain(|id, _| first(id));
            configuration.checks.retain(|id, _| first(&id.instance.api));
            change(configuration);
        })
        .await
    }

    /// The same with another patience for requests, and with something else configured.
    pub(crate) async fn begin_with(patience: Duration, change: impl FnOnce(&mut Configuration)) -> Self {
        let hand = Hand::new(example::at("01:00:00"));
        let clock = hand.clock();
        let of_world = clock.clone();
        let world = World::start(WorldOptions::new(Arc::new(move || of_world.now()))).await.unwrap();
        let mut directory = directory(&world);
        let manager = Contact {
            text: Some(Secret::new("+447700900103")),
            email: Some("manager@example.wales".to_owned()),
            voice: None,
            webhook: None,
        };
        directory.people.insert(example::id("duty.manager"), manager);
        let ground = Ground::new();
        let store = ground.open().await;
        let mut configuration = configuration();
        change(&mut configuration);
        let configuration = Arc::new(configuration);
        let situation = Situation::new(Arc::clone(&configuration), store.remember(hand.now()).await.unwrap());
        let channels = Arc::new(Channels::new(directory, &client().into(), patience).unwrap());
        let (setup, receiver) = watch::channel(Setup { configuration, channels });
        let deliverer = Deliverer {
            store: store.clone(),
            setup: receiver,
            situation: watch::channel(Arc::new(situation.clone())).1,
            clock,
            look: Arc::default(),
            told: Arc::default(),
            undelivered: watch::Sender::default(),
            under_way: alerting::UnderWay::default(),
            limits: Limits::default(),
        };
        let mut night =
            Self { world, hand, store, situation, deliverer, failing: false, setup, _ground: ground };
        night.pass(30).await;
        night
    }

    pub(crate) fn fail(&mut self, failing: bool) {
        self.failing = failing;
    }

    /// Time passes: checks are made, what is due is done, what waits is told, what was told is folded in.
    pub(crate) async fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds / EVERY {
            self.hand.forward(EVERY);
            let mut events = vec![(Event::Due, None)];
            for check in self.situation.configuration.checks.values() {
                let at = self.hand.now();
                let vantage = VantageId::parse("internet").unwrap();
                let outcome = Outcome {
                    failure: self.failing.then(|| Failure {
                        layer: Layer::Connect,
                        kind: FailureKind::Refused,
                        message: "192.0.2.7:443 refused the connection".to_owned(),
                    }),
                    total: Duration::from_millis(20),
                    ..Outcome::new(check.id.clone(), vantage, at)
                };
                events.push((Event::Outcome(Arc::new(outcome)), None));
            }
            self.record(events).await;
            self.settle().await;
        }
    }

    /// What is due now is told, and what became of it is folded in, until there is nothing more.
    pub(crate) async fn settle(&mut self) {
        loop {
            let sent = self.deliverer.deliver_once().await.unwrap();
            let told: Vec<(InboxId, Told)> = self.store.inbox(1_000).await.unwrap();
            if sent == 0 && told.is_empty() {
                return;
            }
            self.record(told.into_iter().map(|(id, told)| (Event::Told(told), Some(id))).collect()).await;
        }
    }

    /// How tickets stand is read back, and what follows from it is told.
    pub(crate) async fn read_desk(&mut self) {
        let (_shown, situation) = watch::channel(Arc::new(self.situation.clone()));
        let reader = DeskReader {
            store: self.store.clone(),
            setup: self.deliverer.setup.clone(),
            situation,
            clock: self.deliverer.clock.clone(),
            told: Arc::default(),
        };
        reader.read_once().await;
        self.settle().await;
    }

    /// Folds and commits, as the recorder does.
    async fn record(&mut self, events: Vec<(Event, Option<InboxId>)>) {
        let (now, mut batch) = (self.hand.now(), Batch::default());
        for (event, inbox) in events {
            let decision = decide(&self.situation, &event, now);
            self.situation = decision.after;
            batch.changes.extend(decision.changes);
            batch.outcomes.extend(decision.made);
            if let (Event::Outcome(outcome), Some(verdict)) = (&event, decision.verdict) {
                batch.outcomes.push((Arc::clone(outcome), verdict));
            }
            batch.folded.extend(inbox.zip(decision.answer));
        }
        self.store.record(&batch).await.unwrap();
    }

    pub(crate) async fn tell(&mut self, what: Message) {
        self.store.tell(&Told { at: self.hand.now(), what }).await.unwrap();
        self.settle().await;
    }

    /// Everybody says "I've got it" to the newest call of each incident.
    pub(crate) async fn answer_all(&mut self) {
        for incident in self.incidents() {
            let callouts = incident.escalation.as_ref().map(|running| running.callouts.clone());
            let reference = callouts.unwrap_or_default().last().unwrap().reference.clone();
            self.tell(Message::Answer { reference, answer: domain::Answer::Mine, by: None }).await;
        }
    }

    pub(crate) fn incidents(&self) -> Vec<Arc<Incident>> {
        self.situation.incidents.values().cloned().collect()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.incidents().iter().all(|incident| incident.status == IncidentStatus::Resolved)
    }

    /// When the first text to this number about each incident was taken by Notify.
    pub(crate) fn first_texts(&self, number: &str) -> Vec<Timestamp> {
        let mut seen = BTreeSet::new();
        let texts = self.world.notify().texts().into_iter().filter(|text| text.to == number);
        texts
            .filter(|text| {
                let reference = text.reference.as_deref().unwrap_or_default();
                seen.insert(reference.split('/').next().unwrap_or_default().to_owned())
            })
            .map(|text| text.created_at)
            .collect()
    }

    pub(crate) fn mails_to(&self, mailbox: &str) -> Vec<Mail> {
        let to = |mail: &Mail| mail.to.iter().any(|to| to.contains(mailbox));
        self.world.mail().mails().into_iter().filter(to).collect()
    }

    pub(crate) async fn close(self) {
        drop(self.setup);
        drop(self.deliverer);
        self.store.close().await;
        self.world.stop().await;
    }
}

/// One ticket for each incident, and each knows its own.
pub(crate) fn one_ticket_each(night: &Night) {
    let tickets = night.world.desk().tickets();
    let keys: BTreeSet<&str> = tickets.iter().map(|ticket| ticket.field("correlation_id")).collect();
    assert_eq!((tickets.len(), keys.len()), (APIS.len(), APIS.len()), "a ticket twice, or not at all");
    let mut numbers = BTreeSet::new();
    for incident in night.incidents() {
        let domain::Ticket::Raised { number, .. } = &incident.ticket else {
            panic!("{}: {:?}", incident.id, incident.ticket);
        };
        assert!(tickets.iter().any(|ticket| ticket.number == *number));
        numbers.insert(number.clone());
    }
    assert_eq!(numbers.len(), APIS.len());
}
