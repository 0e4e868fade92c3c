//! So many fail within seconds that it is one trouble; and the program is killed in the middle of it.
//!
//! A hundred and fifty APIs, or as many as `CURIAD_STORM` says: a build for tests has its hands full with a thousand.

use crate::{
    database::{On, on_both},
    examine::{look, one_ticket_an_incident},
    memory::{memory, server},
    outage::{all_well, incidents, place_on_with, text_to},
    program::{PATIENCE, json, world},
};
use serde_json::Value;
use simulator::{Answer, answer};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use store::Store;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const API: &str = "id: NAME\nname: { en: NAME, cy: NAME, same: true }\ndescription: { en: One of many., cy: Un o lawer. }\n\
    kind: rest\nlifecycle: stable\nservice_level: critical\nteam: platform\nlatency: { slow: 8900ms, timeout: 9s }\nevery: 10s\n\
    operations:\n  status: { get: /_status, critical: true }\n\
    environments:\n  production: { url: \"URL\" }\n";

#[expect(clippy::disallowed_methods, reason = "how large it is, for whoever measures")]
fn many() -> usize {
    std::env::var("CURIAD_STORM").ok().and_then(|word| word.parse().ok()).unwrap_or(150)
}

async fn says(mut stream: TcpStream, well: bool) {
    // The request is short, and what it asks is known.
    let _request = stream.read(&mut [0; 4_096]).await;
    let status = if well { "200 OK" } else { "503 Service Unavailable" };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
    stream.write_all(head.as_bytes()).await.ok();
}

/// How many are on the storm's list; `None`: there is no storm.
async fn listed(url: &str) -> Option<usize> {
    let all = json(url).await;
    let storm = |one: &&Value| one["cause_key"] == "storm:production" && one["status"] != "resolved";
    all.as_array()?.iter().find(storm)?["held_back"].as_array().map(Vec::len)
}

on_both!(a_storm_is_one_ticket_and_one_call_with_all_on_its_list_though_the_program_is_killed_in_it);

#[expect(clippy::print_stdout, reason = "what was measured, for whoever asks to see it")]
async fn a_storm_is_one_ticket_and_one_call_with_all_on_its_list_though_the_program_is_killed_in_it(on: On) {
    let many = many();
    let world = world().await;
    let place = place_on_with(on, &world, |text| {
        text.replace("\nevery: 1s", "\nevery: 6s")
            .replace("timeout: 900ms", "timeout: 5s")
            .replace("slow: 850ms", "slow: 4s")
            // Long enough for eleven to fail and the program to die, on a busy machine too.
            .replace("hold: { ticket: 500ms, callout: 1s,", "hold: { ticket: 15s, callout: 16s,")
            // Nobody else is called before the first has answered.
            .replace("after: 20s", "after: 11m")
            .replace("after: 2s", "after: 10m")
    });
    let well = Arc::new(AtomicBool::new(true));
    let now_well = Arc::clone(&well);
    let (port, serves) = server(move |stream| says(stream, now_well.load(Ordering::Relaxed))).await;
    for n in 0..many {
        let (name, url) = (format!("storm-{n}"), format!("http://127.2.{}.{}:{port}", n / 200, n % 200 + 1));
        place.write(&format!("apis/{name}.yaml"), &API.replace("NAME", &name).replace("URL", &url));
    }
    let mut program = place.serve();
    all_well(&mut program).await;
    let before = memory(&program, "VmRSS:");

    well.store(false, Ordering::Relaxed);
    let url = program.internal("/api/v1/incidents");
    let begun = || async { listed(&url).await.is_some_and(|listed| listed >= many / 3) };
    program.wait(begun, "a third of them to be on the list of a storm").await;
    let had = listed(&url).await;
    program.kill();
    // And once more between the ticket and the call.
    let lease = ("CURIAD_CRASH_LEASE", OsStr::new("2"));
    let mut doomed = place.serve_with(&[lease, ("CURIAD_CRASH_AT", OsStr::new("text/before-send"))]);
    assert!(!doomed.end().await.success(), "it died");
    let called = world.notify().texts().iter().filter(|text| text.body.contains("/ack/")).count();
    assert_eq!((world.desk().tickets().len(), called), (1, 0), "a ticket, and nobody called yet");
    let started = Instant::now();
    let mut program = place.serve_with(&[lease]);
    program.ready().await;
    let ready = started.elapsed();
    let whole = || async { listed(&url).await == Some(many) };
    program.wait_within(2 * PATIENCE, whole, "all of them to be on the list").await;
    let again = started.elapsed();

    let call = text_to(&world, 0).await;
    let heads = ["P1 PROD Many APIs FAIL", "P1 BYW Llawer o APIs YN METHU"];
    assert!(heads.iter().any(|head| call.body.starts_with(head)), "{}", call.body);
    assert_eq!(answer(&call.body, Answer::Mine).await.expect("an answer"), 200);
    world
        .wait_for(PATIENCE, |world| (!world.desk().tickets().is_empty()).then_some(()))
        .await
        .expect("a ticket");
    let most = memory(&program, "VmHWM:");
    println!(
        "{many} APIs: killed with {had:?} on the list, ready {ready:?} and all on it {again:?} after the start; \
         {} MiB resident before, {} MiB at most",
        before / 1024 / 1024,
        most / 1024 / 1024
    );

    well.store(true, Ordering::Relaxed);
    let over = || async {
        let all = json(&url).await;
        all.as_array().is_some_and(|all| all.iter().all(|incident| incident["status"] == "resolved"))
    };
    program.wait_within(2 * PATIENCE, over, "all to be over").await;
    let with_ticket = incidents(&program).await.into_iter().filter(|one| !one["ticket"].is_null()).count();
    assert_eq!((with_ticket, world.desk().tickets().len()), (1, 1), "one ticket");
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for text in world.notify().texts().into_iter().filter(|text| text.body.contains("/ack/")) {
        *calls.entry(text.to).or_default() += 1;
    }
    assert_eq!(calls.values().copied().collect::<Vec<_>>(), [1], "one person, once: {calls:?}");
    assert!(program.terminate().await.code().is_some(), "it lived");
    let store = Store::open(&place.url, [0; 32]).await.expect("the database is whole");
    look(&store).await;
    store.close().await;
    one_ticket_an_incident(&world);
    drop(serves);
    world.stop().await;
}
