//! Journeys, and servers for them.

use crate::{
    servers::{Server, answer, head, ok},
    setting::check,
};
use domain::{
    Capture, Check, Expect, HttpRequest, Journey, JourneyStep, Matches, Method, Outcome, Request, Source,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

/// Answers by the request's first line, and tells each request: its head, and its body.
pub(super) async fn serves<F>(answer: F) -> (Server, mpsc::UnboundedReceiver<String>)
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

pub(super) fn step(name: &str, path: &str) -> JourneyStep {
    JourneyStep {
        name: name.to_owned(),
        request: HttpRequest::get(path),
        expect: Expect::default(),
        captures: Vec::new(),
        timeout: None,
    }
}

pub(super) fn post(name: &str, path: &str, body: &str) -> JourneyStep {
    let mut step = step(name, path);
    step.request.method = Method::Post;
    step.request.body = Some(body.to_owned());
    step.request.headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    step
}

pub(super) fn captures(mut step: JourneyStep, name: &str, source: Source) -> JourneyStep {
    step.captures.push(Capture { name: name.to_owned(), source, regex: None });
    step
}

pub(super) fn json(path: &str) -> Source {
    Source::Json(path.to_owned())
}

pub(super) fn journey(url: &str, steps: Vec<JourneyStep>, clean_up: Vec<JourneyStep>) -> Check {
    let mut check = check(url);
    let clean_up_timeout = Duration::from_secs(5);
    check.operation.request = Request::Journey(Journey { steps, clean_up, clean_up_timeout });
    check
}

/// Find a slot, book it, read it; then cancel.
pub(super) fn booking(url: &str) -> Check {
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

pub(super) fn booked(line: &str) -> String {
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

pub(super) fn lines(heard: &mut mpsc::UnboundedReceiver<String>) -> Vec<String> {
    let mut all = Vec::new();
    while let Ok(request) = heard.try_recv() {
        all.push(request.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned());
    }
    all
}

/// Each step: its name, whether it was good, and its status.
pub(super) fn steps(outcome: &Outcome) -> Vec<(&str, bool, Option<u16>)> {
    let of =
        |step: &'_ domain::StepSeen| (step.failure.is_none(), step.http.as_ref().map(|http| http.status));
    outcome.steps().iter().map(|step| (step.name.as_str(), of(step).0, of(step).1)).collect()
}

/// None of these words is anywhere in what was seen.
pub(super) fn silent(outcome: &Outcome, words: &[&str]) {
    let all = format!("{outcome:?} {}", serde_json::to_string(outcome).unwrap());
    for word in words {
        assert!(!all.contains(word), "{word} is said: {all}");
    }
}
