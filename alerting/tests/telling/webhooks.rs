//! A desk that is told by signed webhooks: one ticket per incident, whatever is lost on the way.

use super::{
    KEY, example,
    house::{Hand, House, desk, house_with},
    tickets::links_another,
};
use alerting::{DeskSystem, SignedWebhook};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use domain::{DeskId, Note, NotificationKind, Secret, Sent, With};
use serde_json::Value;
use standardwebhooks::Webhook;
use std::sync::{Arc, Mutex};
use store::OutboxState;
use tokio::{net::TcpListener, task::JoinSet};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BEFORE: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A receiver as the standard wants it, on its library: what is not signed it does not take, and a repeat it knows.
#[derive(Default)]
struct Receiver {
    /// Ids and events, each once.
    events: Mutex<Vec<(String, Value)>>,
    /// How often it was asked.
    asked: Mutex<u32>,
    /// So many of the next are taken, and the answer is lost.
    mute: Mutex<u32>,
    /// What it answers instead.
    refuses: Mutex<Option<StatusCode>>,
    /// What it says of a ticket.
    says: Mutex<&'static str>,
    /// The secret that it knows.
    secret: &'static str,
}

async fn hook(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    *receiver.asked.lock().unwrap() += 1;
    if let Some(status) = *receiver.refuses.lock().unwrap() {
        return (status, "a stack trace that nobody is to see");
    }
    // The library's own check would hold the tests' time, which stands still, against today's.
    let [id, at, signatures] =
        ["id", "timestamp", "signature"].map(|name| headers[&format!("webhook-{name}")].to_str().unwrap());
    let signed = Webhook::new(receiver.secret).unwrap().sign(id, at.parse().unwrap(), &body).unwrap();
    if !signatures.split(' ').any(|one| one == signed) {
        return (StatusCode::UNAUTHORIZED, "");
    }
    let id = id.to_owned();
    {
        let mut events = receiver.events.lock().unwrap();
        if !events.iter().any(|(known, _)| *known == id) {
            events.push((id, serde_json::from_slice(&body).unwrap()));
        }
    }
    let mute = {
        let mut mute = receiver.mute.lock().unwrap();
        let now = *mute > 0;
        *mute = mute.saturating_sub(1);
        now
    };
    if mute {
        std::future::pending::<()>().await;
    }
    let says = *receiver.says.lock().unwrap();
    (StatusCode::OK, says)
}

impl Receiver {
    fn new(secret: &'static str) -> Arc<Self> {
        let says = Mutex::new(r#"{"number": "OPS-7", "record": "77", "more": true}"#);
        Arc::new(Self { says, secret, ..Self::default() })
    }

    fn events(&self) -> Vec<(String, Value)> {
        self.events.lock().unwrap().clone()
    }
}

/// A house whose desk is told by webhook.
async fn house_of(receiver: &Arc<Receiver>, tasks: &mut JoinSet<()>) -> House {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/hook", post(hook)).with_state(Arc::clone(receiver));
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let hand = Hand::new(example::at("02:14:10"));
    let clock = hand.clock();
    house_with(hand, clock, |directory| {
        let desk = directory.desks.get_mut(&DeskId::parse("nsd").unwrap()).unwrap();
        desk.system = Some(DeskSystem::Webhook(SignedWebhook {
            url: format!("http://{address}/hook"),
            secret: Secret::new(SECRET),
            secret_before: Some(Secret::new(BEFORE)),
        }));
    })
    .await
}

fn note(house: &House, record: &str) -> NotificationKind {
    let note = Note {
        at: house.hand.now(),
        text: "Acknowledged by Test Person Two.".to_owned(),
        with: With::Nothing,
    };
    NotificationKind::TicketNote { record: record.to_owned(), note }
}

#[tokio::test]
async fn a_desk_is_told_by_webhook_what_a_ticket_says_and_then_what_is_new() {
    // Whoever still has the secret before takes it, too.
    for secret in [SECRET, BEFORE] {
        let (receiver, mut tasks) = (Receiver::new(secret), JoinSet::new());
        let house = house_of(&receiver, &mut tasks).await;
        house.wants_ticket().await;
        house.deliver().await;
        let told = Sent::Ticket { number: "OPS-7".to_owned(), record: "77".to_owned(), mismatch: None };
        assert_eq!(house.receipt().await, told, "what the desk calls it");
        house.wants("note/1", note(&house, "77"), desk()).await;
        house.deliver().await;

        let events = receiver.events();
        let [(id, opened), (other, updated)] = events.as_slice() else { panic!("{events:?}") };
        assert!(id != other && !id.contains('.'), "{id}, {other}");
        assert_eq!(
            (&opened["type"], &updated["type"]),
            (&"incident.opened".into(), &"incident.updated".into())
        );
        let data = &opened["data"];
        assert_eq!((&data["reference"], &data["incident"]), (&KEY.into(), &"C-42".into()));
        assert_eq!((&data["priority"], &data["over"]), (&"P1".into(), &false.into()));
        assert_eq!(data["affects"][0]["environment"], "production");
        let text = data["text"].as_str().unwrap();
        assert!(text.contains("refused the connection") && data["title"].as_str().is_some(), "{text}");
        assert_eq!((&updated["data"]["record"], &updated["data"]["reference"]), (&"77".into(), &KEY.into()));
        assert!(updated["data"]["text"].as_str().unwrap().contains("Acknowledged by Test Person Two."));
        house.close().await;
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_by_the_same_id() {
    let (receiver, mut tasks) = (Receiver::new(SECRET), JoinSet::new());
    let house = house_of(&receiver, &mut tasks).await;
    *receiver.mute.lock().unwrap() = 1;
    house.wants_ticket().await;
    house.deliver().await;
    assert!(house.receipts().await.is_empty(), "nobody knows yet");
    house.hand.forward(10);
    house.deliver().await;
    assert!(matches!(house.receipt().await, Sent::Ticket { .. }));
    assert_eq!((*receiver.asked.lock().unwrap(), receiver.events().len()), (2, 1), "asked twice, one ticket");
    house.close().await;
}

#[tokio::test]
async fn what_a_receiver_may_have_made_before_another_ticket_was_linked_is_learnt_by_asking_again() {
    let (receiver, mut tasks) = (Receiver::new(SECRET), JoinSet::new());
    let house = house_of(&receiver, &mut tasks).await;
    *receiver.mute.lock().unwrap() = 1;
    let key = house.wants_ticket().await;
    house.deliver().await;
    links_another(&house, &key).await;
    house.hand.forward(10);
    house.deliver().await;
    assert!(matches!(house.receipt().await, Sent::Ticket { .. }), "so it can be told where to look");
    assert_eq!(receiver.events().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_number_that_is_no_text_is_a_number_all_the_same() {
    let (receiver, mut tasks) = (Receiver::new(SECRET), JoinSet::new());
    let house = house_of(&receiver, &mut tasks).await;
    *receiver.says.lock().unwrap() = r#"{"number": "OPS-7", "record": 77}"#;
    house.wants_ticket().await;
    house.deliver().await;
    let told = Sent::Ticket { number: "OPS-7".to_owned(), record: "77".to_owned(), mismatch: None };
    assert_eq!(house.receipt().await, told);
    house.close().await;
}

#[tokio::test]
async fn a_receiver_that_only_takes_it_has_our_own_reference() {
    for says in ["", "OK", "[]", r#"{"number": ""}"#, r#"{"number": true, "record": {}}"#] {
        let (receiver, mut tasks) = (Receiver::new(SECRET), JoinSet::new());
        let house = house_of(&receiver, &mut tasks).await;
        *receiver.says.lock().unwrap() = says;
        house.wants_ticket().await;
        house.deliver().await;
        let told = Sent::Ticket { number: KEY.to_owned(), record: KEY.to_owned(), mismatch: None };
        assert_eq!(house.receipt().await, told, "{says}");
        house.close().await;
    }
}

#[tokio::test]
async fn who_does_not_take_it_is_tried_again_unless_it_is_gone() {
    for (status, tried_again) in [
        (StatusCode::UNAUTHORIZED, true),
        (StatusCode::FOUND, true),
        (StatusCode::TOO_MANY_REQUESTS, true),
        (StatusCode::BAD_GATEWAY, true),
        (StatusCode::GONE, false),
    ] {
        let (receiver, mut tasks) = (Receiver::new(SECRET), JoinSet::new());
        let house = house_of(&receiver, &mut tasks).await;
        *receiver.refuses.lock().unwrap() = Some(status);
        house.wants_ticket().await;
        house.deliver().await;
        let rows = house.store.notifications(house.incident.id).await.unwrap();
        let waits = matches!(rows[0].state, OutboxState::Waiting { .. });
        assert_eq!(waits, tried_again, "{status}: {:?}", rows[0]);
        let why = format!("{:?}", rows[0]);
        assert!(why.contains("the service desk's webhook answered") && !why.contains("stack trace"), "{why}");
        if tried_again {
            *receiver.refuses.lock().unwrap() = None;
            house.hand.forward(120);
            house.deliver().await;
            assert_eq!(receiver.events().len(), 1, "{status}");
        }
        house.close().await;
    }
}
