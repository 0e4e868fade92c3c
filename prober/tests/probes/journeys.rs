//! Journeys: several requests in a row, values carried from one to the next, and a clean-up whatever happens.

mod values;

use crate::{
    servers::{Server, answer, head, nobody, ok},
    setting::{KEY, change, check, check_id, failed, internet, message, noon, probe, prober, request},
};
use domain::{
    Capture, Check, Expect, FailureKind::*, HttpRequest, Journey, JourneyStep, Layer, Matches, Method,
    Outcome, Request, Source, TrackId,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

/// Answers by the request's first line, and tells each request: its head, and its body.
pub(crate) async fn serves<F>(answer: F) -> (Server, mpsc::UnboundedReceiver<String>)
where
    F: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    let (told, heard) = mpsc::unbounded_channel();
    let answer = Arc::new(answer);
    let server = Server::start(move |mut stream| {
        let (told, answer) = (told.clone(), answer.clone());
        async move {
            let mut request = head(&mut stream).await;
            let length = request.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).await.unwrap();
            request.push_str(&String::from_utf8(body).unwrap());
            let said = answer(request.lines().next().unwrap().trim_end_matches(" HTTP/1.1"));
            told.send(request).ok();
            let Some(said) = said else { return std::future::pending().await };
            stream.write_all(said.as_bytes()).await.ok();
        }
    })
    .await;
    (server, heard)
}

fn step(name: &str, path: &str) -> JourneyStep {
    JourneyStep {
        name: name.to_owned(),
        request: HttpRequest::get(path),
        expect: Expect::default(),
        captures: Vec::new(),
        timeout: None,
    }
}

fn post(name: &str, path: &str, body: &str) -> JourneyStep {
    let mut step = step(name, path);
    step.request.method = Method::Post;
    step.request.body = Some(body.to_owned());
    step.request.headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    step
}

fn captures(mut step: JourneyStep, name: &str, source: Source) -> JourneyStep {
    step.captures.push(Capture { name: name.to_owned(), source, regex: None });
    step
}

fn json(path: &str) -> Source {
    Source::Json(path.to_owned())
}

fn journey(url: &str, steps: Vec<JourneyStep>, clean_up: Vec<JourneyStep>) -> Check {
    let mut check = check(url);
    let clean_up_timeout = Duration::from_secs(5);
    change(&mut check).request = Request::Journey(Journey { steps, clean_up, clean_up_timeout });
    check
}

/// Find a slot, book it, read it; then cancel.
pub(crate) fn booking(url: &str) -> Check {
    let mut book = captures(
        post("book", "/Appointment", r#"{"slot":"{slot}"}"#),
        "booked",
        Source::Header("location".to_owned()),
    );
    book.captures[0].regex = Some("Appointment/([^/]+)".to_owned());
    book.expect.status = vec![201.into()];
    let mut read = step("read", "/Appointment/{booked}");
    read.expect.json = vec![("$.slot".to_owned(), Matches::Exists)];
    journey(
        url,
        vec![captures(step("find", "/Slot?status=free"), "slot", json("$.entry[0].id")), book, read],
        vec![post("cancel", "/Appointment/{booked}/$cancel", "")],
    )
}

pub(crate) fn booked(line: &str) -> String {
    match line {
        "GET /Slot?status=free" => ok(r#"{"entry":[{"id":"slot-77"}]}"#),
        "POST /Appointment" => {
            "HTTP/1.1 201 Created\r\nLocation: /Appointment/booked-88/_history/1\r\nContent-Length: 0\r\n\r\n"
                .to_owned()
        }
        "GET /Appointment/booked-88" => ok(r#"{"slot":"slot-77"}"#),
        "POST /Appointment/booked-88/$cancel" => ok("{}"),
        _ => answer("404 Not Found", "{}"),
    }
}

pub(crate) fn lines(heard: &mut mpsc::UnboundedReceiver<String>) -> Vec<String> {
    let mut all = Vec::new();
    while let Ok(request) = heard.try_recv() {
        all.push(request.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned());
    }
    all
}

/// Each step: its name, whether it was good, and its status.
fn steps(outcome: &Outcome) -> Vec<(&str, bool, Option<u16>)> {
    let of =
        |step: &'_ domain::StepSeen| (step.failure.is_none(), step.http.as_ref().map(|http| http.status));
    outcome.steps().iter().map(|step| (step.name.as_str(), of(step).0, of(step).1)).collect()
}

/// None of these words is anywhere in what was seen.
fn silent(outcome: &Outcome, words: &[&str]) {
    let all = format!("{outcome:?} {}", serde_json::to_string(outcome).unwrap());
    for word in words {
        assert!(!all.contains(word), "{word} is said: {all}");
    }
}

#[tokio::test]
async fn each_step_uses_what_those_before_it_captured_and_the_last_cleans_up() {
    let (server, mut heard) = serves(|line| Some(booked(line))).await;
    let outcome = probe(&booking(&server.url())).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    let mut requests = Vec::new();
    while let Ok(request) = heard.try_recv() {
        requests.push(request);
    }
    assert_eq!(requests.len(), 4);
    assert!(requests[1].ends_with("\r\n\r\n{\"slot\":\"slot-77\"}"), "{}", requests[1]);
    assert!(requests[3].starts_with("POST /Appointment/booked-88/$cancel "), "{}", requests[3]);
    let track = TrackId { check: check_id("ping"), vantage: internet() };
    let id = prober::request_id(&KEY, &track, noon()).to_string();
    for request in &requests {
        assert!(request.contains(&format!("x-request-id: {id}\r\n")), "all share the id: {request}");
        assert!(request.contains("user-agent: Curiad/"), "{request}");
    }
    assert_eq!(outcome.request_id.as_deref(), Some(id.as_str()));
    assert_eq!(
        steps(&outcome),
        [
            ("find", true, Some(200)),
            ("book", true, Some(201)),
            ("read", true, Some(200)),
            ("cancel", true, Some(200))
        ]
    );
    let all = outcome.steps().iter().map(|step| step.clean_up).collect::<Vec<_>>();
    assert_eq!(all, [false, false, false, true]);
    let asked = |pick: fn(&domain::Phases) -> Option<Duration>| -> Duration {
        outcome.steps().iter().filter(|step| !step.clean_up).filter_map(|step| pick(&step.phases)).sum()
    };
    assert_eq!(outcome.phases.first_byte, Some(asked(|phases| phases.first_byte)), "the sum of the steps");
    assert_eq!(outcome.phases.connect, Some(asked(|phases| phases.connect)));
    let what: Vec<(&str, bool)> =
        outcome.expectations.iter().map(|one| (one.what.as_str(), one.ok)).collect();
    assert_eq!(
        what,
        [
            ("find: status", true),
            ("book: status", true),
            ("read: status", true),
            ("read: json $.slot", true),
            ("clean-up 'cancel'", true)
        ]
    );
    silent(&outcome, &["slot-77", "booked-88"]);
}

#[tokio::test]
async fn the_first_step_that_fails_is_named_and_what_was_made_before_it_is_cleaned_up() {
    let (server, mut heard) = serves(|line| match line {
        "GET /Appointment/booked-88" => Some(answer("500 Oh", "{}")),
        _ => Some(booked(line)),
    })
    .await;
    let outcome = probe(&booking(&server.url())).await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, ServerError)));
    assert_eq!(message(&outcome), "step 'read': status 500: the service answers with a server error");
    assert_eq!(outcome.http.as_ref().unwrap().status, 500);
    assert_eq!(lines(&mut heard).last().unwrap(), "POST /Appointment/booked-88/$cancel");
    assert!(steps(&outcome).contains(&("cancel", true, Some(200))));
    silent(&outcome, &["slot-77", "booked-88"]);
}

#[tokio::test]
async fn what_a_step_made_is_cleaned_up_also_where_its_answer_is_not_as_agreed() {
    let (server, mut heard) = serves(|line| Some(booked(line))).await;
    let mut check = booking(&server.url());
    let Request::Journey(journey) = &mut change(&mut check).request else { panic!("no journey") };
    journey.steps[1].expect.headers = vec![("location".to_owned(), Matches::Equals("/elsewhere".to_owned()))];
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, ExpectationFailed)));
    assert_eq!(message(&outcome), "step 'book': header location: expected /elsewhere, saw something else");
    assert_eq!(
        lines(&mut heard),
        ["GET /Slot?status=free", "POST /Appointment", "POST /Appointment/booked-88/$cancel"]
    );
    silent(&outcome, &["slot-77", "booked-88"]);
}

#[tokio::test]
async fn a_value_that_is_not_there_is_a_failure_with_its_step_and_expression_and_needs_no_cleaning_up() {
    let (server, mut heard) = serves(|_| Some(ok(r#"{"entry":[]}"#))).await;
    let outcome = probe(&booking(&server.url())).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, ExpectationFailed)));
    assert_eq!(message(&outcome), "step 'find': 'slot' cannot be captured: nothing at json $.entry[0].id");
    assert_eq!(lines(&mut heard), ["GET /Slot?status=free"], "nothing was made");
    let cancel = outcome.steps().last().unwrap();
    assert_eq!((cancel.name.as_str(), cancel.without.as_deref()), ("cancel", Some("booked")));
    let said = outcome.expectations.last().unwrap();
    assert_eq!((said.seen.as_str(), said.ok), ("not needed: 'booked' was not captured", true));
}

#[tokio::test]
async fn what_may_have_been_made_and_cannot_be_cleaned_up_is_said_so() {
    let created =
        |place: &str| Some(format!("HTTP/1.1 201 Created\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"));
    let may_be_left = "cannot: 'l' was not captured, something may be left behind";
    let not_needed = "not needed: 'l' was not captured";
    for (said, seen) in [
        (created("urn:uuid:5"), may_be_left),
        (None, may_be_left),
        (Some(answer("500 Oh", "{}")), may_be_left),
        (Some(answer("403 No", "{}")), not_needed),
    ] {
        let told = said.clone();
        let (server, mut heard) = serves(move |_| told.clone()).await;
        let mut make = captures(post("make", "/x", "{}"), "l", Source::Header("location".to_owned()));
        make.captures[0].regex = Some("/x/(\\d+)$".to_owned());
        let mut check = journey(&server.url(), vec![make], vec![step("remove", "/x/{l}")]);
        check.timeout = Duration::from_millis(500);
        let outcome = probe(&check).await;
        assert_eq!(lines(&mut heard), ["POST /x"], "{said:?}");
        let last = outcome.expectations.last().unwrap();
        assert_eq!((last.seen.as_str(), last.ok), (seen, seen == not_needed), "{said:?}");
        let remove = outcome.steps().last().unwrap();
        assert_eq!((remove.without.as_deref(), remove.failure.is_none()), (Some("l"), seen == not_needed));
    }
    let nowhere = captures(post("make", "/x", "{}"), "l", Source::Header("location".to_owned()));
    let check = journey(&format!("http://{}", nobody()), vec![nowhere], vec![step("remove", "/x/{l}")]);
    assert_eq!(probe(&check).await.expectations.last().unwrap().seen, not_needed, "nothing was sent");
}

#[tokio::test]
async fn what_a_step_made_that_only_a_later_one_would_have_found_may_be_left_behind() {
    let may_be_left = "cannot: 'l' was not captured, something may be left behind";
    let not_needed = "not needed: 'l' was not captured";
    let never = || None::<String>;
    for (made, found, seen) in [
        (Some(answer("201 Created", "{}")), Some(answer("500 Oh", "{}")), may_be_left),
        (Some(answer("500 Oh", "{}")), never(), may_be_left),
        (Some(answer("403 No", "{}")), never(), not_needed),
    ] {
        let (server, _heard) =
            serves(move |line| if line == "POST /x" { made.clone() } else { found.clone() }).await;
        let find = captures(step("find", "/x/mine"), "l", Source::Json("$.id".to_owned()));
        let steps = vec![post("make", "/x", "{}"), find];
        let outcome = probe(&journey(&server.url(), steps, vec![step("remove", "/x/{l}")])).await;
        assert_eq!(outcome.expectations.last().unwrap().seen, seen, "{seen}");
    }
    // Nor is a clean-up taken for the step that was never reached.
    let (server, _heard) = serves(|line| (line != "GET /a").then(|| ok("{}"))).await;
    let make = captures(post("make", "/x", "{}"), "l", Source::Json("$.id".to_owned()));
    let clean_up = vec![step("tidy", "/tidy"), step("remove", "/x/{l}")];
    let mut check = journey(&server.url(), vec![step("ask", "/a"), make], clean_up);
    check.timeout = Duration::from_millis(500);
    assert_eq!(probe(&check).await.expectations.last().unwrap().seen, not_needed);
}

#[tokio::test]
async fn it_cleans_up_after_its_time_has_run_out_in_a_time_of_its_own() {
    let (server, mut heard) = serves(|line| match line {
        "GET /Appointment/booked-88" => None,
        _ => Some(booked(line)),
    })
    .await;
    let mut check = booking(&server.url());
    check.timeout = Duration::from_millis(400);
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), Some((Layer::Backend, FirstByteTimeout)));
    assert!(
        message(&outcome).starts_with("step 'read': connected, but no whole head"),
        "{}",
        message(&outcome)
    );
    assert!(message(&outcome).contains("; the steps before it took "), "{}", message(&outcome));
    assert_eq!(lines(&mut heard).last().unwrap(), "POST /Appointment/booked-88/$cancel");

    // A step may have less time than the whole.
    let Request::Journey(journey) = &mut change(&mut check).request else { panic!("no journey") };
    journey.steps[2].timeout = Some(Duration::from_millis(50));
    check.timeout = Duration::from_secs(60);
    assert_eq!(failed(&probe(&check).await), Some((Layer::Backend, FirstByteTimeout)));
}

#[tokio::test]
async fn a_clean_up_that_fails_is_said_fails_nothing_and_keeps_the_next_from_nothing() {
    let (server, mut heard) = serves(|line| match line {
        "GET /hangs" => None,
        "GET /broken" => Some(answer("500 Oh", "{}")),
        _ => Some(ok("{}")),
    })
    .await;
    let clean_up = vec![step("hangs", "/hangs"), step("broken", "/broken"), step("last", "/last")];
    let mut check = journey(&server.url(), vec![step("ask", "/ask")], clean_up);
    let Request::Journey(journey) = &mut change(&mut check).request else { panic!("no journey") };
    journey.clean_up_timeout = Duration::from_millis(600);
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), None);
    assert!(
        outcome.total < outcome.steps().iter().map(|step| step.total).sum::<Duration>(),
        "no part of the latency"
    );
    assert_eq!(lines(&mut heard), ["GET /ask", "GET /hangs", "GET /broken", "GET /last"]);
    assert_eq!(
        steps(&outcome),
        [
            ("ask", true, Some(200)),
            ("hangs", false, None),
            ("broken", false, Some(500)),
            ("last", true, Some(200))
        ]
    );
    let bad: Vec<&str> =
        outcome.expectations.iter().filter(|one| !one.ok).map(|one| one.what.as_str()).collect();
    assert_eq!(bad, ["clean-up 'hangs'", "clean-up 'broken'"]);
}

#[tokio::test]
async fn of_journeys_that_go_well_the_steps_are_written_down_once_an_hour() {
    let (server, _heard) = serves(|line| Some(booked(line))).await;
    let prober = prober();
    let prepared = prober.prepare(Arc::new(booking(&server.url())));
    let probe = async || prober.probe_prepared(&prepared, noon(), false).await;
    assert_eq!(probe().await.steps().len(), 4);
    let next = probe().await;
    assert_eq!((failed(&next), next.transcript.is_none()), (None, true), "{}", message(&next));
}

#[tokio::test]
async fn where_nobody_listens_the_first_step_says_so_and_no_neighbour_is_disturbed() {
    let neighbour = Server::says(ok("{}")).await;
    let prober = prober();
    let broken = booking(&format!("http://{}", nobody()));
    let mut other = check(&neighbour.url());
    request(&mut other).path = "/".to_owned();
    let (outcome, well) =
        tokio::join!(prober.probe(&broken, noon(), false), prober.probe(&other, noon(), false));
    assert_eq!(failed(&outcome), Some((Layer::Connect, Refused)));
    assert!(message(&outcome).starts_with("step 'find': "), "{}", message(&outcome));
    assert!(outcome.http.is_none());
    assert_eq!(failed(&well), None);
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn a_journey_that_breaks_cleans_up_all_the_same() {
    let (server, mut heard) = serves(|_| Some(ok("{}"))).await;
    let clean_up = vec![step("rest", "/rest"), step("all", "/all")];
    let mut check = journey(&server.url(), vec![step("ask", "/ask"), step("more", "/more")], clean_up);
    check.id = check_id("breaks");
    prober::break_point::arm(Some(check.id.to_string()));
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), Some((Layer::Ours, ProbeBroke)));
    assert_eq!(lines(&mut heard), ["GET /ask", "GET /rest", "GET /all"]);
    let bad = outcome.expectations.iter().filter(|one| !one.ok).count();
    assert_eq!(bad, 2, "neither can be said to have been done");
}

#[tokio::test]
async fn a_step_that_is_refused_is_what_the_journey_was_answered() {
    let (server, mut heard) = serves(|line| match line {
        "GET /read" => Some(answer("401 No", "{}")),
        _ => Some(ok("{}")),
    })
    .await;
    let check = journey(&server.url(), vec![step("find", "/find"), step("read", "/read")], vec![]);
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), Some((Layer::Gateway, AccessRefused)));
    assert_eq!(outcome.http.as_ref().unwrap().status, 401, "which is what a fresh token is fetched for");
    assert_eq!(lines(&mut heard), ["GET /find", "GET /read"], "without a token there is none to renew");
}
