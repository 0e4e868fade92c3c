//! The last time that something did not work stands on its page once it works again.

use crate::{
    estate::{self, ago},
    stage::{Stage, get},
};
use domain::{Change, Environment, Health, Layer, Situation, Status, StatusChange};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The public pages of Results in both languages, with such healths of production in the store.
async fn pages(situation: Situation, healths: &[(i64, Status, Option<Layer>)]) -> [String; 2] {
    let stage = Stage::of(situation).await;
    let instance = estate::instance("results", Environment::Production);
    let changes = healths.iter().map(|(seconds, status, layer)| {
        let since = ago(*seconds);
        let health =
            Health { instance: instance.clone(), status: *status, since, layer: *layer, maintenance: false };
        Change::Status(StatusChange { decided_at: since, why: "made by hand".into(), health })
    });
    let batch = store::Batch { changes: changes.collect(), ..store::Batch::default() };
    stage.store.record(&batch).await.unwrap();
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(stage.site.clone().run(stop.clone()));
    while !get(stage.public(), "/en/apis/results").await.text().contains("The 90 days as a table") {
        tokio::task::yield_now().await;
    }
    let page = async |path| get(stage.public(), path).await.text();
    let both = [page("/en/apis/results").await, page("/cy/apis/results").await];
    stop.cancel();
    running.join_all().await;
    both
}

const WORKED: (i64, Status, Option<Layer>) = (80 * 86_400, Status::Operational, None);

#[tokio::test]
async fn what_works_again_says_when_it_last_did_not_and_where_it_failed() {
    // 13:00 GMT on 18 November, for seven minutes.
    let began = 2 * 86_400 + 14 * 3600 + 7 * 60 + 9;
    let failed = (began, Status::MajorOutage, Some(Layer::Backend));
    let [en, cy] =
        pages(estate::all_well(), &[WORKED, failed, (began - 420, Status::Operational, None)]).await;
    let times = r#"<time datetime="2026-11-18T13:00:00.120Z">13:00</time> – <time datetime="2026-11-18T13:07:00.120Z">"#;
    for (page, words) in [(&en, "Last time not working: "), (&cy, "Y tro diwethaf nad oedd yn gweithio: ")] {
        assert!(page.contains(&format!("{words}{times}")), "{page}");
    }
    assert!(
        en.contains("13:07 GMT, 18 November</time> (7 minutes): the service behind the gateway failed</p>")
    );
    assert!(cy.contains(
        "13:07 GMT, 18 Tachwedd</time> (7 munud): roedd y gwasanaeth y tu ôl i borth yr API yn methu</p>"
    ));
}

#[tokio::test]
async fn while_it_does_not_work_that_is_what_is_said() {
    let mut situation = estate::all_well();
    let layer = Some(Layer::Gateway);
    estate::set(&mut situation, "results", Environment::Production, Status::MajorOutage, 600, layer);
    let failed = |seconds| (seconds, Status::MajorOutage, layer);
    let over = (8_000, Status::Operational, None);
    let [en, _] = pages(situation, &[WORKED, failed(9_000), over, failed(600)]).await;
    assert!(en.contains("The API gateway answers with an error") && !en.contains("Last time not working"));
}
