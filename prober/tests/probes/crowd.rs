//! Two hundred hosts that say nothing take no place from those that answer.

use crate::{
    schedule::Running,
    servers::{Server, head, ok},
    setting::{check, check_id, failed, message, settings},
};
use domain::{ApiId, Check, CheckId, FailureKind::*, InstanceId, Layer};
use prober::Limits;
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpListener};

/// One check of an API of this name.
fn named(api: &str, url: &str, every: Duration, timeout: Duration) -> Check {
    let id = check_id("ping");
    let instance = InstanceId { api: ApiId::parse(api).unwrap(), ..id.instance };
    Check { id: CheckId { instance, ..id }, every, timeout, ..check(url) }
}

#[tokio::test]
async fn two_hundred_hosts_that_swallow_leave_the_others_as_they_were() {
    const ANSWERS: usize = 600;
    // Every address of 127/8 is this host: two hundred hosts behind one listener.
    let silent = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let _silent = Server::on(silent, |mut stream| async move {
        head(&mut stream).await;
        std::future::pending::<()>().await;
    });
    let well = Server::start(|mut stream| async move {
        head(&mut stream).await;
        stream.write_all(ok("").as_bytes()).await.ok();
    })
    .await;
    let mut checks = Vec::new();
    for host in 1..=200 {
        for each in 0..4 {
            let url = format!("http://127.1.0.{host}:{port}");
            let name = format!("silent-{host}-{each}");
            checks.push(named(&name, &url, Duration::from_secs(2), Duration::from_millis(1_900)));
        }
    }
    for each in 0..20 {
        let every = Duration::from_millis(200);
        checks.push(named(&format!("well-{each}"), &well.url(), every, Duration::from_secs(5)));
    }
    // Two probes of each silent host at a time are as many as there are places.
    let mut crowded = settings();
    crowded.limits = Limits { in_flight: 400, ..Limits::default() };
    let mut running = Running::with(crowded, checks, 4_096);
    let (mut answered, mut unanswered) = (0, 0);
    while answered < ANSWERS {
        let outcome = running.next().await;
        if outcome.check.instance.api.as_str().starts_with("well") {
            assert_eq!(failed(&outcome), None, "after {answered}: {}", message(&outcome));
            answered += 1;
        } else {
            let known = [Some((Layer::Backend, FirstByteTimeout)), Some((Layer::Ours, NoPermit))];
            assert!(known.contains(&failed(&outcome)), "{}", message(&outcome));
            unanswered += 1;
        }
    }
    let skipped = running.prober.metrics().beats_skipped();
    println!("{answered} answered, {unanswered} did not, {skipped} beats left out");
    assert!(unanswered > 0, "the silent ones are told too");
    // Who answers keeps its pace: starved, it would see eight of them for each of its own.
    assert!(unanswered < 4 * answered, "{unanswered} for {answered}");
    running.stop.cancel();
}
