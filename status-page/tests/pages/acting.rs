//! What acts: `/ack` and `/hooks`, which only append to the inbox.

use crate::{
    estate,
    stage::{Stage, get, post},
};
use axum::http::StatusCode;
use domain::{Acknowledgement, Answer, IncidentId, IncidentStatus, Message, Sent, Situation};
use std::sync::Arc;
use store::Batch;

pub(crate) fn path() -> String {
    format!("/ack/{}", estate::trouble::REFERENCE)
}

/// The trouble, with the open incident changed.
pub(crate) fn with_incident(change: impl FnOnce(&mut domain::Incident)) -> Situation {
    let mut situation = estate::trouble();
    let mut incident = domain::Incident::clone(situation.incidents.get(&IncidentId(42)).unwrap());
    change(&mut incident);
    situation.incidents.insert_mut(incident.id, Arc::new(incident));
    // Only C-42 has called somebody by that reference.
    let mut other = domain::Incident::clone(situation.incidents.get(&IncidentId(40)).unwrap());
    other.escalation = None;
    situation.incidents.insert_mut(other.id, Arc::new(other));
    situation
}

#[tokio::test]
async fn a_get_shows_what_is_wrong_and_never_acts() {
    let stage = Stage::of(with_incident(|_| ())).await;
    for _ in 0..3 {
        let answer = get(stage.public(), &path()).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-language"), "cy", "the language of the person");
        let html = answer.text();
        for word in [
            "Nid yw Demograffeg Cleifion yn gweithio yn yr amgylchedd byw",
            "Ers <time",
            "C-42, P1",
            "INC0010002",
            "Fi sy’n delio ag ef",
            "Ni allaf: galwch y nesaf",
            "Nid yw’n real",
            "https://runbooks.example.wales/patient-demographics",
            "caiff Tom Price ei alw am 03:09:09 GMT",
        ] {
            assert!(html.contains(word), "{word}");
        }
    }
    let english = get(stage.public(), &format!("{}?lang=en", path())).await.text();
    assert!(english.contains("I’ve got it") && english.contains("<html lang=\"en\">"));
    assert!(stage.store.inbox(10).await.unwrap().is_empty());
}

/// Plays the recorder: woken, not by looking now and then, takes the one answer in, and publishes what it did.
async fn recorder(stage: &Stage, answer: Result<String, String>, then: Situation) -> Message {
    stage.told().await;
    let (id, told) = stage.store.inbox(10).await.unwrap().into_iter().next().expect("kept before it is told");
    let batch = Batch { folded: vec![(id, answer)], ..Batch::default() };
    stage.store.record(&batch).await.unwrap();
    stage.situation.send_replace(Arc::new(then));
    told.what
}

pub(crate) fn taken_by(name: &str) -> Situation {
    with_incident(|incident| {
        incident.status = IncidentStatus::Acknowledged;
        incident.acknowledged =
            Some(Acknowledgement { at: estate::ago(30), by: name.to_owned(), person: None, until: None });
        let running = incident.escalation.as_mut().unwrap();
        running.next_at = None;
        running.callouts[0].answer = Some((estate::now(), Answer::Mine));
    })
}

#[tokio::test]
async fn a_post_appends_to_the_inbox_and_shows_the_recorders_answer() {
    for (button, said, words) in [
        ("mine", Answer::Mine, "You have it; nobody else will be called."),
        ("call_next", Answer::CallNext, "You have passed it on: others are called."),
        ("not_real", Answer::NotReal, "It is recorded as not real"),
    ] {
        let stage = Stage::of(with_incident(|_| ())).await;
        let path = format!("{}?lang=en", path());
        let form = format!("answer={button}");
        let posted = post(stage.public(), &path, &[], &form);
        let taken = recorder(&stage, Ok("taken".to_owned()), taken_by("Rhian Morgan"));
        let (answer, told) = tokio::join!(posted, taken);
        assert_eq!(answer.status, StatusCode::OK);
        let html = answer.text();
        assert!(html.contains(words), "{button}");
        assert!(!html.contains("<button"), "nothing more to press");
        let expected =
            Message::Answer { reference: estate::trouble::REFERENCE.to_owned(), answer: said, by: None };
        assert_eq!(told, expected);
        let later = get(stage.public(), &path).await.text();
        assert!(
            later.contains("I’m still on it") && later.contains("I can’t go on: call the next"),
            "{later}"
        );
    }
}

/// What whoever cannot reads, where it is like this afterwards.
async fn reads_after_a_no(then: Situation) -> String {
    let stage = Stage::of(with_incident(|_| ())).await;
    let path = format!("{}?lang=en", path());
    let posted = post(stage.public(), &path, &[], "answer=call_next");
    let (answer, _) = tokio::join!(posted, recorder(&stage, Ok("taken".to_owned()), then));
    answer.text()
}

#[tokio::test]
async fn whoever_cannot_reads_what_follows_from_it_and_may_say_so_while_it_works() {
    let works = |incident: &mut domain::Incident| {
        incident.status = IncidentStatus::Recovering;
        incident.recovered_at = Some(estate::ago(20));
    };
    let watched = with_incident(|incident| {
        works(incident);
        incident.escalation.as_mut().unwrap().callouts[0].answer = Some((estate::now(), Answer::CallNext));
    });
    let html = reads_after_a_no(watched).await;
    assert!(html.contains("nobody is called unless it fails again"), "{html}");
    let nobody_else = with_incident(|incident| {
        let running = incident.escalation.as_mut().unwrap();
        running.round = running.escalation.repeat + 1;
        running.next_at = Some(estate::now() + jiff::SignedDuration::from_mins(14));
        let callout = running.callouts[0].clone();
        let answer = Some((estate::now(), Answer::CallNext));
        running.callouts = vec![domain::Callout { step: 0, answer, ..callout }];
    });
    let html = reads_after_a_no(nobody_else).await;
    assert!(html.contains("There is nobody else to call: you are called again at"), "{html}");

    let mut held = taken_by("Rhian Morgan");
    let mut incident = (*held.incidents.values().next().unwrap().as_ref()).clone();
    works(&mut incident);
    held.incidents.insert_mut(incident.id, Arc::new(incident));
    let stage = Stage::of(held).await;
    let html = get(stage.public(), &format!("{}?lang=en", path())).await.text();
    assert!(html.contains("I can’t go on: call the next"), "{html}");
}

#[tokio::test]
async fn by_which_way_somebody_came_goes_with_all_links_of_the_page() {
    let stage = Stage::of(with_incident(|_| ())).await;
    let html = get(stage.public(), &format!("{}?by=email&lang=cy", path())).await.text();
    for language in ["en", "cy"] {
        let link = format!("{}?by=email&amp;lang={language}", path());
        assert!(html.contains(&link), "{link}: {html}");
    }
    let link = format!("{}?by=email&lang=cy", path());
    let posted = post(stage.public(), &link, &[], "answer=mine");
    let (_, told) = tokio::join!(posted, recorder(&stage, Ok("taken".to_owned()), taken_by("Rhian Morgan")));
    assert!(matches!(told, Message::Answer { by: Some(domain::Way::Email), .. }), "{told:?}");
}

#[tokio::test]
async fn a_late_answer_says_who_has_it() {
    let stage = Stage::of(with_incident(|_| ())).await;
    let path = format!("{}?lang=en", path());
    let posted = post(stage.public(), &path, &[], "answer=mine");
    let refused = recorder(&stage, Err("Tom Price has it".to_owned()), taken_by("Tom Price"));
    let (answer, _) = tokio::join!(posted, refused);
    assert!(answer.text().contains("Tom Price has had it since 03:06 GMT. There is nothing to do."));
    let later = get(stage.public(), &path).await.text();
    assert!(later.contains("Tom Price has had it since 03:06 GMT") && !later.contains("<button"));
}

#[tokio::test]
async fn an_answer_that_is_over_has_nothing_to_do() {
    let stage = Stage::of(with_incident(|incident| {
        incident.status = IncidentStatus::Resolved;
        incident.recovered_at = Some(estate::ago(120));
        incident.resolved_at = Some(estate::ago(60));
    }))
    .await;
    let html = get(stage.public(), &format!("{}?lang=en", path())).await.text();
    assert!(html.contains("It is over since 03:06 GMT.") && !html.contains("<button"));
    assert!(html.contains("Patient Demographics was not working in production"));
}

#[tokio::test]
async fn a_script_of_another_site_may_ask_with_what_it_has_already_and_learns_nothing_by_asking() {
    let stage = Stage::of(with_incident(|_| ())).await;
    let ask = |router, path: &str| {
        let request = axum::http::Request::builder()
            .method("OPTIONS")
            .header("access-control-request-method", "GET")
            .uri(path)
            .body(axum::body::Body::empty());
        crate::stage::send(router, request.unwrap())
    };
    let known = ask(stage.public(), "/api/v1/apis").await;
    assert_eq!(known.status, StatusCode::NO_CONTENT);
    assert_eq!(known.headers["access-control-allow-origin"], "*");
    assert_eq!(known.headers["access-control-allow-headers"], "if-none-match");
    assert_eq!(ask(stage.public(), "/api/v1/nowhere").await, known);
    assert_ne!(ask(stage.internal(), "/api/v1/apis").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_unknown_reference_is_a_page_like_any_that_is_not_there() {
    let stage = Stage::of(with_incident(|_| ())).await;
    let missing = get(stage.public(), "/nowhere").await;
    assert_eq!(get(stage.public(), "/ack/aaaaaaaaaaaa").await, missing);
    let posted = post(stage.public(), "/ack/aaaaaaaaaaaa", &[], "answer=mine").await;
    assert_eq!((posted.status, posted.body), (missing.status, missing.body));
    assert_eq!(get(stage.internal(), &path()).await.status, StatusCode::NOT_FOUND);
    let unclear = post(stage.public(), &path(), &[], "answer=perhaps").await;
    assert_eq!(unclear.status, StatusCode::BAD_REQUEST);
    assert!(unclear.text().contains("<button"));
    assert!(stage.store.inbox(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn guessing_is_limited() {
    let stage = Stage::of(with_incident(|_| ())).await;
    let mut limited = 0;
    for n in 0..150 {
        let answer = get(stage.public(), &format!("/ack/guess{n}")).await;
        limited += u32::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(limited > 0);
    assert_eq!(get(stage.public(), "/en").await.status, StatusCode::OK, "pages are not limited");
    // Nor is who was called kept from answering by those who guess.
    let path = path();
    for _ in 0..10 {
        while get(stage.public(), "/ack/guess").await.status != StatusCode::TOO_MANY_REQUESTS {}
        assert_eq!(get(stage.public(), &path).await.status, StatusCode::OK);
        while get(stage.public(), "/ack/guess").await.status != StatusCode::TOO_MANY_REQUESTS {}
        let unclear = post(stage.public(), &path, &[], "answer=perhaps").await;
        assert_eq!(unclear.status, StatusCode::BAD_REQUEST, "it was read");
    }
}

#[tokio::test]
async fn even_a_known_link_is_not_asked_for_without_end() {
    let stage = Stage::of(with_incident(|_| ())).await;
    let mut limited = false;
    for _ in 0..200 {
        limited |= get(stage.public(), &path()).await.status == StatusCode::TOO_MANY_REQUESTS;
        if limited {
            break;
        }
    }
    assert!(limited);
}

const DELIVERED: &str = r#"{"id":"740e5834-3a29-46b4-9a6f-16142fde533a","reference":"C-42-k3f9xq/callout/1/text","to":"07700900123",
    "status":"delivered","completed_at":"2026-11-21T03:00:05.000000Z","notification_type":"sms"}"#;

#[tokio::test]
async fn a_receipt_of_notify_goes_into_the_inbox() {
    let stage = Stage::of(estate::trouble()).await;
    for token in ["Bearer old-token", "Bearer new-token"] {
        let answer = post(stage.public(), "/hooks/notify", &[("authorization", token)], DELIVERED).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        stage.told().await;
    }
    let inbox = stage.store.inbox(10).await.unwrap();
    assert_eq!(inbox.len(), 2);
    let Message::Receipt(receipt) = &inbox[0].1.what else {
        panic!("not a receipt: {:?}", inbox[0]);
    };
    assert_eq!((receipt.incident, &receipt.outcome), (IncidentId(42), &Sent::Delivered));
    for headers in [&[][..], &[("authorization", "Bearer wrong-one")]] {
        let answer = post(stage.public(), "/hooks/notify", headers, DELIVERED).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let allowed = [("authorization", "Bearer new-token")];
    assert_eq!(post(stage.public(), "/hooks/notify", &allowed, "{").await.status, StatusCode::BAD_REQUEST);
    let large = "x".repeat(20_000);
    assert_eq!(post(stage.public(), "/hooks/notify", &allowed, &large).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(stage.store.inbox(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_receipt_that_cannot_be_kept_is_asked_for_again() {
    let stage = Stage::of(estate::trouble()).await;
    stage.store.clone().close().await;
    let allowed = [("authorization", "Bearer new-token")];
    let answer = post(stage.public(), "/hooks/notify", &allowed, DELIVERED).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let mine = post(stage.public(), &path(), &[], "answer=mine").await;
    assert_eq!(mine.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(stage.public(), "/en").await.status, StatusCode::OK, "pages need no database");
}

#[tokio::test]
async fn the_cell_stands_beside_the_priority_wherever_that_is_and_neither_is_public() {
    let stage = Stage::of(with_incident(|incident| {
        incident.rank.cell = Some(domain::Priorities::default().cell(domain::Weighed {
            environment: domain::Environment::Production,
            level: Some(domain::ServiceLevel::Critical),
            status: domain::Status::MajorOutage,
            instances: 1,
            of: 3,
            consumers: 0,
            lasted: None,
        }));
    }))
    .await;
    for (path, words) in [
        ("/en", "C-42, P1 (impact 1 × urgency 1)"),
        ("/en/incidents", "C-42, P1 (impact 1 × urgency 1)"),
        ("/cy", "C-42, P1 (effaith 1 × brys 1)"),
    ] {
        let html = get(stage.internal(), path).await.text();
        assert!(html.contains(words), "{words} on {path}");
        assert!(!get(stage.public(), path).await.text().contains("P1"), "{path}");
    }
}
