//! A sample takes little room.

use crate::made::{Made, instance, outcomes, passed, track_id};
use crate::place::On;
use domain::Environment;

/// 1,000 tracks every 10 s, each at its own phase, as they arrive: mixed over all tracks, a little late.
#[tokio::test]
async fn a_probe_takes_at_most_24_bytes() {
    const ROUNDS: i64 = 200;
    let made = Made::new(On::Sqlite).await;
    let tracks: Vec<_> = (0..1_000)
        .map(|number| {
            let api = instance(&format!("api-{}", number / 5), Environment::ALL[number % 5]);
            track_id(api, "ping", "internet")
        })
        .collect();
    for round in 0..ROUNDS {
        let told = (0..1_000).map(|place| {
            // 617 and 1,000 share no divisor: every track comes once a round, at the same place of each.
            let track = &tracks[place * 617 % 1_000];
            let place = i64::try_from(place).unwrap();
            passed(track, round * 10_000 + place * 10 + (place * 7 + round * 13) % 4)
        });
        made.store.record(&outcomes(told)).await.unwrap();
    }
    let sizes: Vec<(i64, i64)> = made
        .place
        .ask("SELECT (SELECT sum(pgsize) FROM dbstat WHERE name = 'outcome'), (SELECT count(*) FROM outcome)")
        .await;
    let (bytes, rows) = sizes[0];
    assert_eq!(rows, 1_000 * ROUNDS);
    assert!(bytes <= 24 * rows, "{bytes} bytes for {rows} probes");
}
