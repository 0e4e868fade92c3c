//! `/beats`: jobs that call us. It only appends to the inbox, and says OK only when that is done.

use crate::{
    estate,
    stage::{Stage, get, post, send},
};
use axum::{
    body::Body,
    http::{Request as HttpRequest, StatusCode},
};
use domain::{
    Beat, Check, Heartbeat, Message, Operation, OperationId, Request, Rhythm, Situation, VantageId,
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// The one API with a job, and the address of that.
fn with_job() -> (Situation, String) {
    let mut situation = estate::one_api();
    let mut configuration = (*situation.configuration).clone();
    let mut check = Check::clone(configuration.checks.values().next().unwrap());
    let heartbeat = Heartbeat {
        rhythm: Rhythm::Every(Duration::from_secs(3_600)),
        grace: Duration::from_secs(60),
        address: 1,
    };
    check.operation = Arc::new(Operation {
        id: OperationId::parse("nightly").unwrap(),
        critical: true,
        request: Request::Heartbeat(heartbeat),
        expect: Arc::default(),
    });
    check.id.operation = check.operation.id.clone();
    check.from = vec![VantageId::inbound()];
    let reference = check.beat_reference(&situation.key).unwrap();
    let api = configuration.apis.get_mut(&check.id.instance.api).map(Arc::make_mut).unwrap();
    api.operations = api.operations.iter().chain([&check.operation]).cloned().collect();
    configuration.checks.insert(check.id.clone(), Arc::new(check));
    situation.configuration = Arc::new(configuration);
    (situation, format!("/beats/{reference}"))
}

async fn heard(stage: &Stage) -> Vec<Beat> {
    let inbox = stage.store.inbox(100).await.unwrap();
    let beats = inbox.into_iter().map(|(_, told)| match told.what {
        Message::Beat { check, beat } => {
            assert_eq!(check.to_string(), "results/production/nightly");
            beat
        }
        Message::Receipt(_)
        | Message::Answer { .. }
        | Message::Reply { .. }
        | Message::Alerts(_)
        | Message::Command(_)
        | Message::ClockSet { .. }
        | Message::Ticket { .. } => {
            unreachable!("nobody else tells")
        }
    });
    beats.collect()
}

#[tokio::test]
async fn a_job_says_how_it_does_by_any_method_and_is_told_ok_when_that_is_kept() {
    let (situation, address) = with_job();
    let stage = Stage::of(situation).await;
    let head = HttpRequest::head(&address).body(Body::empty()).unwrap();
    assert_eq!(send(stage.public(), head).await.status, StatusCode::OK);
    stage.told().await;
    for (says, beat) in [
        ("", Beat::Ended),
        ("/start", Beat::Started),
        ("/0", Beat::Ended),
        ("/fail", Beat::Failed(None)),
        ("/3", Beat::Failed(Some(3))),
    ] {
        let answer = get(stage.public(), &format!("{address}{says}")).await;
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "OK\n"), "{says}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let answer = post(stage.public(), &format!("{address}{says}"), &[], "what it said").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(heard(&stage).await.last(), Some(&beat), "{says}");
    }
    let large = "x".repeat(1_000_000);
    assert_eq!(
        post(stage.public(), &address, &[], &large).await.status,
        StatusCode::OK,
        "it was to be heard"
    );
    assert_eq!(heard(&stage).await.len(), 12);
}

#[tokio::test]
async fn who_has_no_address_learns_nothing_and_is_heard_by_nobody() {
    let (situation, address) = with_job();
    let stage = Stage::of(situation).await;
    let wrong = get(stage.public(), &format!("/beats/{}", "0".repeat(32))).await;
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    for path in [format!("{address}/whenever"), format!("{address}/256"), "/beats/x/start".to_owned()] {
        assert_eq!(get(stage.public(), &path).await.text(), wrong.text(), "{path}");
    }
    assert_eq!(get(stage.internal(), &address).await.status, StatusCode::NOT_FOUND);
    assert!(heard(&stage).await.is_empty());
}

#[tokio::test]
async fn a_job_that_calls_without_end_is_limited_and_a_flood_of_guesses_keeps_none_from_being_heard() {
    let (situation, address) = with_job();
    let stage = Stage::of(situation).await;
    let mut limited = false;
    for _ in 0..200 {
        limited |= get(stage.public(), "/beats/0123").await.status == StatusCode::TOO_MANY_REQUESTS;
    }
    assert!(limited);
    assert_eq!(get(stage.public(), &address).await.status, StatusCode::OK);
    let mut statuses = Vec::new();
    for _ in 0..60 {
        statuses.push(get(stage.public(), &address).await.status);
    }
    assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn a_beat_that_cannot_be_kept_is_asked_for_again_and_excuses_the_job() {
    let (situation, address) = with_job();
    let stage = Stage::of(situation).await;
    assert!(!stage.unheard.load(Ordering::Acquire));
    stage.store.clone().close().await;
    let answer = get(stage.public(), &address).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(stage.unheard.load(Ordering::Acquire));
}

#[tokio::test]
async fn the_page_says_what_is_awaited_and_when_it_was_heard_in_both_languages() {
    let (situation, address) = with_job();
    let stage = Stage::of(situation).await;
    let english = get(stage.internal(), "/en/apis/results").await.text();
    let welsh = get(stage.internal(), "/cy/apis/results").await.text();
    assert!(
        english.contains(
            "a scheduled job tells us itself when it has ended: every 1 hour, at most 1 minute late"
        )
    );
    assert!(welsh.contains("tasg gyfnodol sy’n dweud wrthym ei hun pan ddaw i ben: bob 1 awr"));
    for page in [english, welsh] {
        assert!(!page.contains(address.trim_start_matches("/beats/")), "it is a secret");
    }
}
