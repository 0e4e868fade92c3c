//! `curiad demo --history`: a made-up past that is whole, marked, and asked for like any other.

use crate::program::{Place, Program, json, text};
use serde_json::Value;
use std::{process::Command, time::Duration};

/// A demo's directory, and the program on it.
struct Demo {
    place: Place,
}

impl Demo {
    fn new() -> Self {
        Self { place: Place::new(&[]) }
    }

    fn command(&self, more: &[&str]) -> Command {
        let [public, internal] =
            [self.place.public, self.place.internal].map(|port| format!("127.0.0.1:{port}"));
        let data = self.place.directory.path().display().to_string();
        let mut command = self.place.command(&["demo", "--quiet", "--any-ports", "--data", &data]);
        command.args(["--listen", &public, "--listen-internal", &internal, "--listen-world", "127.0.0.1:0"]);
        command.args(more);
        command
    }

    fn start(&self, more: &[&str]) -> Program {
        self.place.start(self.command(more))
    }

    /// Runs it to its end.
    async fn run(&self, more: &[&str]) -> (Option<i32>, String) {
        let mut command = self.command(more);
        let ended =
            tokio::task::spawn_blocking(move || command.output()).await.expect("joined").expect("run");
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.place.log()).expect("a log")
    }
}

/// Making three days of it takes some seconds, and a debug build on a busy machine more.
const MADE_WITHIN: Duration = Duration::from_secs(300);

async fn made(program: &mut Program, demo: &Demo) {
    let whole = || async { demo.said().contains("The past is made") };
    program.wait_within(MADE_WITHIN, whole, "the past to be made").await;
    program.ready().await;
}

/// The history of these APIs in every environment, over the last `days`.
async fn histories(program: &Program, apis: &[&str], days: i64) -> Vec<Value> {
    let to = crate::program::now();
    let from = to - jiff::SignedDuration::from_hours(24 * days);
    let mut all = Vec::new();
    for api in apis {
        for environment in ["sandbox", "development", "sit", "uat", "production"] {
            let query = format!("api={api}&environment={environment}&from={from}&to={to}");
            all.push(json(&program.internal(&format!("/api/v1/history?{query}"))).await);
        }
    }
    all
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_with_a_past_shows_it_as_history_and_says_that_it_is_made_up() {
    let demo = Demo::new();
    let mut program = demo.start(&["--history", "3d"]);
    made(&mut program, &demo).await;
    let histories =
        histories(&program, &["results", "documents", "patient-demographics", "identity"], 3).await;
    for history in &histories {
        assert_eq!(history["simulated"], true);
        assert!(number(&history["coverage"]) > 0.9, "{history}");
        assert!(number(&history["availability"]) > 0.5, "{history}");
        assert!(history["samples"].as_u64() > Some(10_000), "{history}");
        let latency = &history["latency_ms"];
        assert!(number(&latency["p50"]) < number(&latency["p99"]), "{history}");
    }
    let down: f64 = histories.iter().map(|history| number(&history["seconds"]["down"])).sum();
    assert!(down > 60.0, "there were outages: {down} s");
    let incidents = demo.place.run(&["incident", "list", "--all", "--json"]).await.json();
    let incidents = incidents.as_array().expect("an array");
    assert!(!incidents.is_empty() && incidents.iter().all(|incident| incident["status"] == "resolved"));
    let page = text(&program.internal("/en/incidents")).await;
    let number = incidents[0]["id"].as_str().expect("a number");
    assert!(page.contains(number), "{number} is not on the page of incidents");
    // What is measured from now on is history too, and nobody is told of what is past.
    let url = program.internal("/metrics");
    let waiting = text(&url).await;
    assert!(waiting.contains("curiad_outbox_waiting 0"), "{waiting}");
    assert!(program.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_is_not_made_where_there_is_history_already() {
    let demo = Demo::new();
    let mut program = demo.start(&["--history", "1d"]);
    made(&mut program, &demo).await;
    assert!(program.terminate().await.success());
    let (code, said) = demo.run(&["--history", "2d"]).await;
    assert_eq!(code, Some(64), "{said}");
    assert!(said.starts_with("curiad: the demo's database has history already: a past from "), "{said}");
    let next = "leave out --history to go on with it, or choose another directory with --data DIR\n";
    assert!(said.ends_with(next), "{said}");
    // Without it, the demo goes on with what there is; and with a wrong length it says so.
    let mut program = demo.start(&[]);
    program.ready().await;
    assert!(program.terminate().await.success());
    let (code, said) = demo.run(&["--history", "3 days"]).await;
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("'3 days' is not a length of history such as 3d, 26w or 2y"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_that_was_stopped_is_gone_on_with() {
    let demo = Demo::new();
    let mut program = demo.start(&["--history", "5d"]);
    program.wait_within(MADE_WITHIN, || async { demo.said().contains("10 %") }, "some of it").await;
    assert!(program.stop().await.success());
    assert!(demo.said().contains("the same command goes on from there"), "{}", demo.said());
    let mut program = demo.start(&["--history", "5d"]);
    made(&mut program, &demo).await;
    assert!(demo.said().contains("Going on with a past of 5 days"), "{}", demo.said());
    let histories = histories(&program, &["results"], 5).await;
    assert!(histories.iter().all(|history| number(&history["coverage"]) > 0.9), "{histories:?}");
    assert!(program.terminate().await.success());
}

#[cfg(debug_assertions)]
#[tokio::test(flavor = "multi_thread")]
async fn a_past_that_was_killed_is_gone_on_with() {
    let demo = Demo::new();
    let mut command = demo.command(&["--history", "2d"]);
    command.env("CURIAD_CRASH_AT", "import/before-commit:3");
    let mut program = demo.place.start(command);
    assert!(!program.end().await.success());
    let mut program = demo.start(&["--history", "2d"]);
    made(&mut program, &demo).await;
    let histories = histories(&program, &["results"], 2).await;
    assert!(histories.iter().all(|history| number(&history["coverage"]) > 0.9), "{histories:?}");
    assert!(program.terminate().await.success());
}
