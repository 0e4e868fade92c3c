//! Targets that would take all the memory: see also the fault suite.

use crate::{
    servers::{Server, head, ok},
    setting::{check, failed, message, noon, request, settings},
};
use domain::{Dialect, FailureKind::*, Layer};
use prober::{Limits, Prober};
use std::{sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, task::JoinSet};

#[tokio::test]
async fn a_body_that_finds_the_memory_used_up_is_our_own_trouble() {
    let mut small = settings();
    small.limits = Limits { bodies: 64 * 1024, ..Limits::default() };
    let prober = Arc::new(Prober::new(small).unwrap());
    let half = "x".repeat(70_000);
    let hangs =
        Server::says_and_hangs(format!("HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n{half}")).await;
    let mut looks_in = check(&hangs.url());
    request(&mut looks_in).dialect = Dialect::Health;
    looks_in.timeout = Duration::from_secs(3);
    let mut holds = JoinSet::new();
    let (first, patient) = (prober.clone(), looks_in.clone());
    holds.spawn(async move { first.probe(&patient, noon(), false).await });
    // Until the first holds it, a second one is told what it would be told without it.
    let short = domain::Check { timeout: Duration::from_millis(300), ..looks_in.clone() };
    loop {
        let outcome = prober.probe(&short, noon(), false).await;
        if failed(&outcome) == Some((Layer::Ours, NoMemory)) {
            assert!(message(&outcome).starts_with("the memory budget for bodies is used up"));
            break;
        }
        assert_eq!(failed(&outcome), Some((Layer::Backend, BodyTimeout)));
        assert!(holds.try_join_next().is_none(), "never while the first held it");
    }
    // What is short is read all the same.
    let well = Server::says(ok(r#"{"status":"UP"}"#)).await;
    let mut healthy = check(&well.url());
    request(&mut healthy).dialect = Dialect::Health;
    assert_eq!(failed(&prober.probe(&healthy, noon(), false).await), None);
    let first = holds.join_next().await.unwrap().unwrap();
    assert_eq!(failed(&first), Some((Layer::Backend, BodyTimeout)));
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn five_hundred_bodies_without_end_at_once_take_a_bounded_part_of_the_memory() {
    const MIB: u64 = 1024 * 1024;
    let piece = Arc::new(vec![b'x'; 4 * 1024]);
    let server = Server::start(move |mut stream| {
        let piece = piece.clone();
        async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok();
            // A little at a time, so that each of them gets its share of a thread that all share.
            while stream.write_all(&piece).await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    let mut wide = settings();
    // Bodies may be so large that only the budget stops them.
    wide.limits = Limits { per_host: 500, body: 1 << 30, bodies: 4 << 20, ..Limits::default() };
    let prober = Arc::new(Prober::new(wide).unwrap());
    let mut endless = check(&server.url());
    request(&mut endless).dialect = Dialect::Health;
    endless.timeout = Duration::from_secs(9);
    let before = resident();
    let mut flying = JoinSet::new();
    for _ in 0..500 {
        let (prober, check) = (prober.clone(), endless.clone());
        flying.spawn(async move { prober.probe(&check, noon(), false).await });
    }
    let mut most = before;
    let (mut ended, mut refused) = (0, 0_u32);
    while let Some(outcome) = flying.join_next().await {
        let outcome = outcome.unwrap();
        let seen = failed(&outcome);
        // A busy machine may be late to take a connection, or to give its first byte.
        let kinds = [
            Some((Layer::Ours, NoMemory)),
            Some((Layer::Backend, BodyTimeout)),
            Some((Layer::Backend, FirstByteTimeout)),
            Some((Layer::Connect, ConnectTimeout)),
        ];
        assert!(kinds.contains(&seen), "{seen:?} {}", message(&outcome));
        most = most.max(resident());
        ended += 1;
        refused += u32::from(seen == kinds[0]);
    }
    assert_eq!(ended, 500);
    assert!(refused > 0, "the budget was never used up");
    let grown = (most - before) / MIB;
    println!("500 endless bodies at once: {grown} MiB more resident");
    // The budget, twice while a body grows; 16 KiB and two buffers of 64 KiB for each connection, ours and the server's.
    assert!(grown < 2 * 4 + 500 * 144 / 1024 + 40, "{grown} MiB");
}
