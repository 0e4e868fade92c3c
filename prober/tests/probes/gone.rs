//! Two hundred that are gone, among two thousand checks: the others are probed at every beat of theirs.

use crate::{
    names::{Does, NameServer},
    running::Running,
    servers::{Server, head, ok, swallows_everywhere},
    setting::{KEY, check, check_id, failed, internet, message, settings},
};
use domain::{
    ApiId, Check, CheckId, FailureKind, FailureKind::*, InstanceId, Layer, PrivateAddresses, TrackId,
    next_due,
};
use jiff::Timestamp;
use prober::{Limits, NameServers, Settings};
use std::{collections::BTreeMap, time::Duration};
use tokio::io::AsyncWriteExt;

const GONE: usize = 200;
const OTHERS: usize = 1_800;
const EVERY: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_millis(9_500);
/// Half of these are fewer than those that are gone want: each keeps one for half of its time.
const PLACES: usize = 160;
/// So many of each of the others are waited for: after two without a word it is known which hosts are gone.
const BEATS: usize = 3;

#[tokio::test]
async fn two_hundred_black_holes_among_two_thousand_checks_keep_none_of_the_others_from_a_beat() {
    let black_holes = swallows_everywhere().await;
    let port = black_holes.address.port();
    // Every address of 127/8 is this host.
    let gone = (0..GONE).map(|n| format!("http://127.1.0.{n}:{port}"));
    let others = |server: &Server| vec![server.url(); OTHERS];
    all_are_probed(settings(), gone.collect(), others, (Layer::Connect, ConnectTimeout)).await;
}

#[tokio::test]
async fn two_hundred_dead_names_among_two_thousand_checks_keep_none_of_the_others_from_a_beat() {
    let names = NameServer::start(Does::TellsGood).await;
    let gone = (0..GONE).map(|n| format!("http://dead-{n}.wales:1"));
    // Ten checks a name, and the same name server for all.
    let others = |server: &Server| (0..OTHERS).map(|n| named(n / 10, server)).collect();
    let mut asks = settings();
    asks.name_servers = NameServers::These(vec![names.address]);
    asks.private_addresses = PrivateAddresses::Allowed;
    all_are_probed(asks, gone.collect(), others, (Layer::Dns, NameFailed)).await;
}

fn named(host: usize, server: &Server) -> String {
    format!("http://good-{host}.wales:{}", server.address.port())
}

/// Runs until each of the others has been probed [`BEATS`] times: each time well, and at no other than its next beat.
async fn all_are_probed(
    mut settings: Settings,
    gone: Vec<String>,
    others: impl Fn(&Server) -> Vec<String>,
    fails_as: (Layer, FailureKind),
) {
    settings.limits = Limits { in_flight: PLACES, ..Limits::default() };
    let well = Server::start(|mut stream| async move {
        head(&mut stream).await;
        stream.write_all(ok("").as_bytes()).await.ok();
    })
    .await;
    let gone = gone.into_iter().enumerate().map(|(n, url)| one_of_many(&format!("gone-{n}"), &url));
    let others =
        others(&well).into_iter().enumerate().map(|(n, url)| one_of_many(&format!("well-{n}"), &url));
    let checks: Vec<Check> = gone.chain(others).collect();
    assert_eq!(checks.len(), GONE + OTHERS);
    let began = settings.clock.now();
    let mut running = Running::with(settings, checks, 4_096);
    let mut next: BTreeMap<CheckId, (usize, Timestamp)> = BTreeMap::new();
    let (mut complete, mut silent) = (0, 0);
    while complete < OTHERS {
        let outcome = running.next().await;
        if outcome.check.instance.api.as_str().starts_with("gone") {
            // They wait for each other.
            let known = [Some(fails_as), Some((Layer::Ours, NoPermit))];
            assert!(known.contains(&failed(&outcome)), "{}", message(&outcome));
            silent += 1;
            continue;
        }
        assert_eq!(failed(&outcome), None, "{}: {}", outcome.check, message(&outcome));
        let track = TrackId { check: outcome.check.clone(), vantage: internet() };
        let (seen, due) = next.entry(outcome.check).or_insert_with(|| (0, next_due(&track, EVERY, began)));
        let of = |due| Some(prober::request_id(&KEY, &track, due).to_string());
        if *seen == 0 && outcome.request_id != of(*due) {
            // It passed while all was made ready.
            *due += EVERY;
        }
        assert_eq!(outcome.request_id, of(*due), "beat {seen} of {track}");
        *due += EVERY;
        *seen += 1;
        complete += usize::from(*seen == BEATS);
    }
    assert!(silent >= GONE, "the others are told too: {silent}");
    running.stop.cancel();
    assert!(running.prober.metrics().permits_waited() > 0, "who is gone has no more than half of the places");
}

/// One check of an API of this name.
fn one_of_many(api: &str, url: &str) -> Check {
    let id = check_id("ping");
    let instance = InstanceId { api: ApiId::parse(api).unwrap(), ..id.instance };
    Check { id: CheckId { instance, ..id }, every: EVERY, timeout: TIMEOUT, ..check(url) }
}
