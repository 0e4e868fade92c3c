//! Captured values: where they come from, where they are put, and that they stay there.

use super::{captures, journey, json, lines, post, serves, silent, step};
use crate::{
    servers::{Server, ok},
    setting::{failed, message, probe},
};
use domain::{Contract, Expect, FailureKind::*, JourneyStep, Layer, Matches, Promised, Source, Statuses};
use std::sync::Arc;

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
async fn an_answer_may_have_to_say_what_was_captured_before_and_what_that_is_is_never_said() {
    for (said, good) in [("slot-77", true), ("slot-78", false), ("{slot}", false)] {
        let body = format!(r#"{{"slot":"{said}","link":"/Slot/{said}/x"}}"#);
        let (server, _heard) = serves(move |line| {
            let etag =
                format!("HTTP/1.1 200 OK\r\nETag: {said}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            Some(if line == "GET /find" { ok(r#"{"id":"slot-77"}"#) } else { etag })
        })
        .await;
        let find = captures(step("find", "/find"), "slot", json("$.id"));
        for expect in [
            Expect {
                json: vec![("$.slot".to_owned(), Matches::Equals("{slot}".to_owned()))],
                ..Expect::default()
            },
            Expect {
                json: vec![("$.link".to_owned(), Matches::Contains("/{slot}/".to_owned()))],
                ..Expect::default()
            },
            Expect {
                headers: vec![("etag".to_owned(), Matches::Equals("{slot}".to_owned()))],
                ..Expect::default()
            },
            Expect { text: vec![Matches::Contains("\"{slot}\"".to_owned())], ..Expect::default() },
        ] {
            let read = JourneyStep { expect, ..step("read", "/read") };
            let outcome = probe(&journey(&server.url(), vec![find.clone(), read], vec![])).await;
            let expected = (!good).then_some((Layer::Contract, ExpectationFailed));
            assert_eq!(failed(&outcome), expected, "{said}: {}", message(&outcome));
            assert!(outcome.expectations.iter().any(|row| row.expected.contains("{slot}")), "{outcome:?}");
            silent(&outcome, &["slot-77"]);
        }
    }
}

#[tokio::test]
async fn the_answer_to_a_step_is_held_against_the_document() {
    let contract = Contract {
        request: "GET /Slot/{id}".to_owned(),
        document: "openapi/results.json".to_owned(),
        answers: vec![Promised {
            status: Some(Statuses::One(200)),
            bodies: vec![("application/json".to_owned(), Some(0))],
        }],
        schemas: vec![r#"{"properties":{"free":{"type":"boolean"}}}"#.into()],
    };
    for (body, good) in [(r#"{"free":true}"#, true), (r#"{"free":"slot-77"}"#, false)] {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
        let said = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let (server, _heard) = serves(move |line| {
            Some(if line == "GET /find" { ok(r#"{"id":"slot-77"}"#) } else { said.clone() })
        })
        .await;
        let mut read = step("read", "/Slot/{slot}");
        read.expect.contract = Some(Arc::new(contract.clone()));
        let find = captures(step("find", "/find"), "slot", json("$.id"));
        let outcome = probe(&journey(&server.url(), vec![find, read], vec![])).await;
        assert_eq!(failed(&outcome), (!good).then_some((Layer::Contract, ExpectationFailed)), "{outcome:?}");
        if !good {
            let words = "step 'read': schema: expected GET /Slot/{id} 200 of openapi/results.json, saw /free: should be";
            assert!(message(&outcome).starts_with(words), "{}", message(&outcome));
        }
        silent(&outcome, &["slot-77"]);
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
