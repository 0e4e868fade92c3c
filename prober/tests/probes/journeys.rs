//! Journeys: several requests in a row, values carried from one to the next, and a clean-up whatever happens.

mod made;

use crate::{
    servers::{Server, answer, nobody, ok},
    setting::{KEY, check, check_id, failed, internet, message, noon, probe, prober, request},
};
use domain::{FailureKind::*, Layer, Matches, Request, Source, TrackId};
use made::{booked, booking, captures, journey, json, lines, post, serves, silent, step, steps};
use std::{sync::Arc, time::Duration};
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
async fn a_value_is_taken_from_xml_and_goes_into_xml_and_into_a_header() {
    let (server, mut heard) = serves(|line| {
        let etag = "HTTP/1.1 200 OK\r\nETag: W/\"3\"\r\nContent-Length: 37\r\n\r\n<s xmlns='urn:s'><id>a&lt;b</id></s>\n";
        Some(if line == "GET /login" { etag.to_owned() } else { ok("") })
    })
    .await;
    let names = vec![("s".to_owned(), "urn:s".to_owned())];
    let login = captures(step("login", "/login"), "session", Source::XPath("//s:id".to_owned(), names));
    let login = captures(login, "tag", Source::Header("etag".to_owned()));
    let mut ask = post("ask", "/", "<ask session='{session}'>{session}</ask>");
    ask.request.headers =
        vec![("Content-Type".to_owned(), "text/xml".to_owned()), ("If-Match".to_owned(), "{tag}".to_owned())];
    let outcome = probe(&journey(&server.url(), vec![login, ask], vec![])).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    heard.recv().await.unwrap();
    let asked = heard.recv().await.unwrap();
    assert!(asked.ends_with("<ask session='a&lt;b'>a&lt;b</ask>"), "{asked}");
    assert!(asked.contains("if-match: W/\"3\"\r\n"), "{asked}");
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
    let Request::Journey(journey) = &mut check.operation.request else { panic!("no journey") };
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
    let Request::Journey(journey) = &mut check.operation.request else { panic!("no journey") };
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
    let Request::Journey(journey) = &mut check.operation.request else { panic!("no journey") };
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
async fn no_value_breaks_out_of_where_it_is_put() {
    for (value, path) in [
        ("../../admin", Some("/Patient/..%2F..%2Fadmin")),
        ("1?all=true", Some("/Patient/1%3Fall%3Dtrue")),
        ("1#x", Some("/Patient/1%23x")),
        ("1 HTTP/1.1", Some("/Patient/1%20HTTP%2F1.1")),
        ("@evil.example", Some("/Patient/%40evil.example")),
        ("\",\"admin\":\"1", Some("/Patient/%22%2C%22admin%22%3A%221")),
        ("..", None),
        ("1\r\nX-Evil: 1", None),
        (&*"x".repeat(1_000_000), None),
        ("9434765919", None),
        ("943 476 5919", None),
    ] {
        let body = serde_json::json!({"id": value}).to_string();
        let said = ok(&body);
        let (server, mut heard) =
            serves(move |line| Some(if line == "GET /find" { said.clone() } else { ok("{}") })).await;
        let find = captures(step("find", "/find"), "id", json("$.id"));
        let mut tell = post("tell", "/tell", r#"{"id":"{id}"}"#);
        tell.request.headers.push(("X-Id".to_owned(), "of {uuid}".to_owned()));
        let check = journey(&server.url(), vec![find, step("read", "/Patient/{id}"), tell], vec![]);
        let outcome = probe(&check).await;
        let asked: Vec<String> = std::iter::from_fn(|| heard.try_recv().ok()).collect();
        if let Some(path) = path {
            assert_eq!(failed(&outcome), None, "{}", message(&outcome));
            assert!(asked[1].starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{}", asked[1]);
            assert!(!asked[1].contains("evil: "), "{}", asked[1]);
            let told = asked[2].split_once("\r\n\r\n").unwrap().1;
            assert_eq!(told, body, "as it was captured");
        } else {
            assert_eq!(failed(&outcome), Some((Layer::Contract, ExpectationFailed)));
            assert_eq!(asked.len(), 1, "it is not sent on");
        }
        let short: String = value.chars().take(200).collect();
        silent(&outcome, &[&short]);
    }
}

#[tokio::test]
async fn a_redirect_is_followed_where_the_step_says_so_and_leads_no_value_elsewhere() {
    let (elsewhere, mut strangers) = Server::listens().await;
    let to = format!("HTTP/1.1 307 Go\r\nLocation: {}/x\r\nContent-Length: 0\r\n\r\n", elsewhere.url());
    let (server, mut heard) = serves(move |line| {
        Some(match line {
            "GET /find" => ok(r#"{"id":"id-4711"}"#),
            "GET /Patient/id-4711" => {
                "HTTP/1.1 302 Go\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n".to_owned()
            }
            "POST /tell" => to.clone(),
            _ => ok("{}"),
        })
    })
    .await;
    let find = captures(step("find", "/find"), "id", json("$.id"));
    let mut read = step("read", "/Patient/{id}");
    read.request.redirects.at_most = 1;
    let mut tell = post("tell", "/tell", r#"{"id":"{id}"}"#);
    tell.request.redirects.at_most = 1;
    tell.request.redirects.to = vec![elsewhere.address.to_string()];
    let outcome = probe(&journey(&server.url(), vec![find, read, tell], vec![])).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, UnexpectedStatus)));
    assert!(message(&outcome).starts_with("step 'tell': status 307: a redirect that is not followed"));
    assert_eq!(lines(&mut heard), ["GET /find", "GET /Patient/id-4711", "GET /there", "POST /tell"]);
    assert!(strangers.try_recv().is_err(), "no body goes to another host");
    silent(&outcome, &["id-4711"]);
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
