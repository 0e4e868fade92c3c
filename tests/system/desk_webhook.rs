//! A desk that is told by signed webhooks: whatever dies in between, it has one ticket by the `webhook-id`.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on_with},
    program::{PATIENCE, Place, Program, json, text, world},
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::Value;
use simulator::Fault;
use standardwebhooks::Webhook;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinSet};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TICKET: &str = r#"{"number": "OPS-7", "record": "77"}"#;

/// A receiver as the standard wants it: what is not signed it does not take, and a repeat it knows by its id.
#[derive(Default)]
struct Receiver {
    /// By `webhook-id`: the event, and how often it came.
    taken: Mutex<BTreeMap<String, (Value, u32)>>,
    /// It takes what comes, and does not answer.
    silent: AtomicBool,
}

async fn hook(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    if Webhook::new(SECRET).expect("a secret").verify(&body, &headers).is_err() {
        return (StatusCode::UNAUTHORIZED, "");
    }
    let id = headers["webhook-id"].to_str().expect("an id").to_owned();
    let event = serde_json::from_slice(&body).expect("JSON");
    receiver.taken.lock().expect("a lock").entry(id).or_insert((event, 0)).1 += 1;
    if receiver.silent.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    (StatusCode::OK, TICKET)
}

impl Receiver {
    /// How often each event of this kind came.
    fn came(&self, kind: &str) -> Vec<u32> {
        let taken = self.taken.lock().expect("a lock");
        taken.values().filter(|(event, _)| event["type"] == kind).map(|(_, times)| *times).collect()
    }
}

/// A send that nobody settles any more is taken up after a second or two, not after a minute.
fn start(place: &Place) -> Program {
    place.serve_with(&[("CURIAD_CRASH_LEASE", OsStr::new("2"))])
}

on_both!(killed_while_it_asks_and_again_while_it_says_more_it_has_one_ticket_by_its_id);

async fn killed_while_it_asks_and_again_while_it_says_more_it_has_one_ticket_by_its_id(on: On) {
    const NATIVE: (&str, &str) = ("    servicenow:\n", "    fallback:");
    let receiver = Arc::new(Receiver::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let router = Router::new().route("/hook", post(hook)).with_state(Arc::clone(&receiver));
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await });
    let world = world().await;
    let place = place_on_with(on, &world, |text| {
        let Some((before, rest)) = text.split_once(NATIVE.0) else { return text };
        let (_, after) = rest.split_once(NATIVE.1).expect("the demo's desk");
        let webhook = format!("    webhook: {{ url: \"{url}\", secret: \"file:secrets/desk-hook\" }}\n");
        format!("{before}{webhook}{}{after}", NATIVE.1)
    });
    place.write("secrets/desk-hook", SECRET);

    let mut program = start(&place);
    all_well(&mut program).await;
    let doctor = place.run(&["--json", "doctor"]).await.json();
    let found = doctor.as_array().and_then(|all| all.iter().find(|one| one["what"] == "service desk nsd"));
    assert_eq!(found.expect("it is looked at")["state"], "ok", "{doctor}");
    assert!(receiver.came("incident.opened").is_empty(), "and is not disturbed");
    receiver.silent.store(true, Ordering::SeqCst);
    world.set_fault("patient-demographics", "production", Fault::Refuse).await.expect("a fault");
    program.wait(|| async { receiver.came("incident.opened") == [1] }, "the desk to be asked").await;
    program.kill();

    receiver.silent.store(false, Ordering::SeqCst);
    let mut program = start(&place);
    program.ready().await;
    let incidents = program.internal("/api/v1/incidents");
    let raised = || async { json(&incidents).await[0]["ticket"]["number"] == "OPS-7" };
    program.wait(raised, "the ticket to be known").await;
    let opened = receiver.came("incident.opened");
    assert!(opened.len() == 1 && opened[0] > 1, "one ticket, asked for again by the same id: {opened:?}");

    receiver.silent.store(true, Ordering::SeqCst);
    world.set_fault("patient-demographics", "production", Fault::None).await.expect("mended");
    let before = receiver.came("incident.updated").len();
    let more = || async { receiver.came("incident.updated").len() > before };
    program.wait_within(PATIENCE * 2, more, "the desk to be told more").await;
    program.kill();

    receiver.silent.store(false, Ordering::SeqCst);
    let mut program = start(&place);
    program.ready().await;
    let metrics = program.internal("/metrics");
    let settled = || async { text(&metrics).await.lines().any(|line| line == "curiad_outbox_waiting 0") };
    program.wait(settled, "everything to be told").await;
    assert_eq!(receiver.came("incident.opened").len(), 1, "one ticket, to the end");
    assert!(program.terminate().await.success());
    serving.shutdown().await;
    world.stop().await;
}
