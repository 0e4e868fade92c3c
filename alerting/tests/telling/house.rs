//! What every test needs: a store, a world to tell, a clock that stands still until it is moved, and a deliverer.

use super::{example, ground::Ground};
use alerting::{
    Auth, Channels, Contact, Deliverer, DeskSettings, DeskSystem, Directory, Limits, Mail, MailTls, Notify,
    ServiceNow, Setup, TeamContact,
};
use domain::{
    Change, Channel, Clock, DeskId, Incident, Message, Notification, NotificationKind, Receipt, ReferenceKey,
    Remembered, Secret, Sent, Situation, TeamId,
};
use jiff::{SignedDuration, Timestamp};
use simulator::{NotifyOptions, World, WorldOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use store::{Batch, Store};
use tokio::sync::watch;

/// A request of ours is given up after this: short, because some answers never come.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1500);
/// Longer than anything here should take on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Stands still until it is moved.
#[derive(Debug, Clone)]
pub(crate) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(at.as_millisecond())))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let hand = self.clone();
        Clock::new(move || hand.now())
    }
}

pub(crate) struct House {
    pub(crate) world: World,
    pub(crate) hand: Hand,
    pub(crate) store: Store,
    pub(crate) deliverer: Deliverer,
    pub(crate) incident: Arc<Incident>,
    /// Drop last: channels would be closed.
    setup: watch::Sender<Setup>,
    ground: Ground,
}

pub(crate) fn client() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Everybody of the example, reached through the world.
pub(crate) fn directory(world: &World) -> Directory {
    let options = world.desk().options();
    let notify = NotifyOptions::default();
    let contact = |number: &str, name: &str| Contact {
        text: Some(Secret::new(number)),
        email: Some(format!("{name}@example.wales")),
        voice: None,
        webhook: None,
    };
    Directory {
        alertmanagers: Vec::new(),
        desks: [(
            DeskId::parse("nsd").unwrap(),
            DeskSettings {
                system: Some(DeskSystem::ServiceNow(ServiceNow {
                    url: world.desk().url(),
                    auth: Auth::OAuth2 {
                        client_id: options.client_id.clone(),
                        client_secret: Secret::new(options.client_secret.clone()),
                    },
                    certificate: None,
                    caller_id: "6816f79cc0a8016401c5a33be04be441".to_owned(),
                    assignment_group: "d625dccec0a8016700a222a0f7900d06".to_owned(),
                    contact_type: "monitoring".to_owned(),
                    close_code: Some("Solved (Permanently)".to_owned()),
                })),
                fallback_email: Some("desk@example.wales".to_owned()),
            },
        )]
        .into(),
        people: [
            (example::id("oncall.one"), contact("+447700900101", "one")),
            (example::id("oncall.two"), contact("+447700900102", "two")),
        ]
        .into(),
        teams: [(
            TeamId::parse("demographics").unwrap(),
            TeamContact { email: Some("demographics@example.wales".to_owned()), ..TeamContact::default() },
        )]
        .into(),
        twilio: None,
        notify: Some(Notify {
            url: world.notify().url(),
            api_key: Secret::new(format!("curiad-{}-{}", notify.service_id, notify.secret)),
            text_template: NotifyOptions::SMS_TEMPLATE.to_owned(),
            email_template: None,
            sms_sender_id: None,
        }),
        mail: Some(Mail {
            host: world.mail().address().ip().to_string(),
            port: world.mail().address().port(),
            tls: MailTls::None,
            credentials: None,
            from: "Curiad <curiad@status.example.wales>".to_owned(),
        }),
        dead_man: None,
    }
}

pub(crate) async fn house() -> House {
    let hand = Hand::new(example::at("02:14:10"));
    house_with(hand.clone(), hand.clock(), |_| ()).await
}

/// A house whose directory was changed before anybody moved in.
pub(crate) async fn house_with(hand: Hand, clock: Clock, change: impl FnOnce(&mut Directory)) -> House {
    let of_world = clock.clone();
    let world = World::start(WorldOptions::new(Arc::new(move || of_world.now()))).await.unwrap();
    let mut directory = directory(&world);
    change(&mut directory);
    let client = client();
    let ground = Ground::new();
    let store = ground.open().await;
    let (setup, receiver) = watch::channel(Setup {
        configuration: Arc::new(example::configuration()),
        channels: Arc::new(Channels::new(directory, &client.into(), PATIENCE).unwrap()),
    });
    let remembered = Remembered::nothing(ReferenceKey([7; 32]));
    let situation = Situation::new(Arc::new(example::configuration()), remembered);
    let deliverer = Deliverer {
        store: store.clone(),
        setup: receiver,
        situation: watch::channel(Arc::new(situation)).1,
        clock,
        look: Arc::default(),
        told: Arc::default(),
        undelivered: watch::Sender::default(),
        under_way: alerting::UnderWay::default(),
        limits: Limits::default(),
    };
    let incident = Arc::new(example::incident());
    let house = House { world, hand, store, deliverer, incident, setup, ground };
    house.record(vec![Change::Incident(Arc::clone(&house.incident))]).await;
    house
}

impl House {
    pub(crate) async fn record(&self, changes: Vec<Change>) {
        self.store.record(&Batch { changes, ..Batch::default() }).await.unwrap();
    }

    /// Where its database is.
    pub(crate) fn url(&self) -> String {
        self.ground.url()
    }

    /// Puts a notification into the outbox, due now, good for ten minutes.
    pub(crate) async fn wants(&self, name: &str, kind: NotificationKind, channel: Channel) -> String {
        let notification = self.notification(name, kind, channel);
        let key = notification.key.clone();
        self.record(vec![Change::Notify(notification)]).await;
        key
    }

    pub(crate) fn notification(&self, name: &str, kind: NotificationKind, channel: Channel) -> Notification {
        let at = self.deliverer.clock.now();
        Notification {
            key: format!("C-42-k3f9xq/{name}"),
            incident: self.incident.id,
            kind,
            channel,
            at,
            not_before: at,
            expires_at: at + SignedDuration::from_mins(10),
        }
    }

    pub(crate) async fn wants_ticket(&self) -> String {
        self.wants("ticket", NotificationKind::TicketOpen, desk()).await
    }

    pub(crate) async fn wants_text(&self) -> String {
        let kind = NotificationKind::Callout { callout: 1 };
        self.wants("callout/1/text", kind, Channel::Text(example::id("oncall.one"))).await
    }

    pub(crate) async fn deliver(&self) -> usize {
        self.deliverer.deliver_once().await.unwrap()
    }

    /// What the inbox was told, oldest first.
    pub(crate) async fn receipts(&self) -> Vec<Receipt> {
        let inbox = self.store.inbox(100).await.unwrap();
        inbox
            .into_iter()
            .filter_map(|(_, told)| match told.what {
                Message::Receipt(receipt) => Some(receipt),
                Message::Answer { .. }
                | Message::Reply { .. }
                | Message::Alerts(_)
                | Message::Command(_)
                | Message::ClockSet { .. }
                | Message::Beat { .. }
                | Message::Ticket { .. } => None,
            })
            .collect()
    }

    /// The one receipt there is, but for tries that had no clear end.
    pub(crate) async fn receipt(&self) -> Sent {
        let mut receipts = self.receipts().await;
        receipts.retain(|receipt| !matches!(receipt.outcome, Sent::Unclear { .. }));
        assert_eq!(receipts.len(), 1, "{receipts:?}");
        receipts.remove(0).outcome
    }

    pub(crate) async fn close(self) {
        drop(self.setup);
        drop(self.deliverer);
        self.store.close().await;
        self.world.stop().await;
    }
}

pub(crate) fn desk() -> Channel {
    Channel::Desk(DeskId::parse("nsd").unwrap())
}
