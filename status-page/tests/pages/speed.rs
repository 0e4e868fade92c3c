//! Response times over long ranges: drawn, and in a table, from whatever is kept of them.

use crate::{
    estate::{self, ago},
    stage::{Stage, get},
};
use domain::{
    ApiId, Change, CheckId, Environment, InstanceId, OperationId, Outcome, Release, VantageId, Verdict,
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const DAY: i64 = 86_400;

/// Of one check, so many seconds ago, in milliseconds.
fn answer(seconds: i64, verdict: Verdict, ms: u64) -> (Arc<Outcome>, Verdict) {
    let instance = InstanceId {
        api: ApiId::parse("patient-demographics").unwrap(),
        environment: Environment::Production,
    };
    let check = CheckId { instance, operation: OperationId::parse("read").unwrap() };
    let mut outcome = Outcome::new(check, VantageId::parse("internet").unwrap(), ago(seconds));
    outcome.total = Duration::from_millis(ms);
    (Arc::new(outcome), verdict)
}

#[tokio::test]
async fn response_times_of_a_year_are_drawn_and_in_a_table_with_the_versions_that_began() {
    let mut situation = estate::all_well();
    let place = estate::instance("patient-demographics", Environment::Production);
    // The first that was seen may have run for long.
    let versions = [(300, None, "2.1.0"), (70, Some("2.1.0"), "2.2.0"), (2, Some("2.2.0"), "2.3.0")];
    let releases = versions.map(|(days, before, version)| {
        Arc::new(Release {
            instance: place.clone(),
            version: version.to_owned(),
            before: before.map(str::to_owned),
            since: ago(days * DAY),
            operation: OperationId::parse("status").unwrap(),
        })
    });
    situation.releases.insert_mut(place, Arc::clone(&releases[2]));
    let stage = Stage::of(situation.clone()).await;
    estate::past::remember(&stage.store, &situation).await;
    let mut outcomes = Vec::new();
    for (days, ms, count) in [(200, 640, 50), (60, 320, 50), (5, 160, 50), (3, 80, 60)] {
        outcomes.extend((0..count).map(|n| answer(days * DAY - n * 30, Verdict::Pass, ms)));
        outcomes.push(answer(days * DAY - 7, Verdict::Fail, 9_000));
    }
    let changes = releases.into_iter().map(Change::Release).collect();
    stage.store.record(&store::Batch { outcomes, changes, ..store::Batch::default() }).await.unwrap();
    let zone = &situation.configuration.site.time_zone;
    let before = ago(DAY);
    while stage.store.seal(before, 9).await.unwrap().tracks > 0 {}
    while stage.store.roll_up(before, zone, 9).await.unwrap() > 0 {}

    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(stage.site.clone().run(stop.clone()));
    let en = loop {
        let page = get(stage.public(), "/en/apis/patient-demographics").await.text();
        if page.contains("Response times of") {
            break page;
        }
        tokio::task::yield_now().await;
    };
    for words in [
        "Response times of “read”",
        "<title>Over 90 days half of the good answers took at most 160 ms, 95 of 100 at most 3",
        "New here: version 2.3.0 (19 November), 2.2.0 (12 September).</title>",
        r#"<text x="97.7%" y="14" text-anchor="end">2.3.0</text><text x="21.3%" y="14">2.2.0</text>"#,
        r#"<path class="l4" d="M870 0v100M190 0v100"/>"#,
        "Upright lines, a version begins: 2.3.0 (19 November), 2.2.0 (12 September).",
        r#"<span class="sub">New here: version 2.3.0 (19 November)</span>"#,
        "Drawn day by day, from zero to 500 ms.",
        "<h4>7 days</h4>",
        "<title>Over 7 days half of the good answers took at most 80 ms",
        "Drawn hour by hour, from zero to 200 ms.",
        "<h4>365 days</h4>",
        "Drawn week by week, from zero to 1.0 s.",
        r#"<th scope="row">7 days</th><td data-h="Half within">80 ms"#,
        r#"<th scope="row">90 days</th><td data-h="Half within">160 ms"#,
        r#"<td data-h="Longest">640 ms</td><td data-h="Good answers">21"#,
        "Seven days from",
    ] {
        assert!(en.contains(words), "no {words}: {en}");
    }
    let cy = get(stage.public(), "/cy/apis/patient-demographics").await.text();
    assert!(!en.contains("2.1.0"), "nobody knows when it began");
    for words in [
        "Newydd yma: fersiwn 2.3.0 (19 Tachwedd)",
        "Amseroedd ymateb “read”",
        r#"<th scope="row">365 diwrnod</th>"#,
        "Saith diwrnod o",
    ] {
        assert!(cy.contains(words), "no {words}");
    }
    stop.cancel();
    running.join_all().await;
}
