//! A start while the database cannot be reached: readers see the page as it last was, said as that, until it is back.

use crate::{
    database::On,
    outage::{all_well, place_on},
    program::{SERVE, json, status, text, world},
    unrecorded::{behind_a_proxy, hold, mend},
};
use simulator::Blow;
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_the_database_shows_the_page_as_it_last_was_postgres() {
    let world = world().await;
    let place = place_on(On::Postgres, &world);
    let server = behind_a_proxy(&place).await;
    let mut program = place.serve();
    all_well(&mut program).await;
    let kept = place.directory.path().join("curiad.spool.page");
    let is_kept = || fs::read_to_string(&kept).is_ok_and(|text| text.contains("Patient Demographics"));
    program.wait(|| async { is_kept() }, "the page to be kept").await;
    assert!(program.stop().await.success());

    server.refuse().await;
    server.strike(Blow::Reset).await;
    let mut program = place.serve();
    let front = program.public("/en");
    program.wait(|| async { status(&front).await == Some(200) }, "the page as it last was").await;
    let html = text(&front).await;
    assert!(html.contains("We cannot say how the APIs are: nothing recorded since "), "{html}");
    assert!(html.contains("Patient Demographics"));
    assert!(text(&program.public("/cy")).await.contains("dim wedi’i gofnodi ers "));
    assert_eq!(json(&program.public("/readyz")).await["status"], "fail");
    assert_eq!(json(&program.internal("/readyz")).await["status"], "fail");
    assert_eq!(status(&program.public("/ack/k3f9xq7mzt4a")).await, Some(503));

    server.pass().await;
    all_well(&mut program).await;
    assert!(!text(&front).await.contains("We cannot say"));
    assert!(program.stop().await.success());

    // One that is damaged is none: the start fails, and says why.
    fs::write(&kept, "curiad-page-1 00\n{}").expect("damaged");
    server.refuse().await;
    let ran = place.run(SERVE).await;
    assert_eq!(ran.code, Some(69), "{ran:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_while_another_program_has_the_file_shows_the_page_as_it_last_was_sqlite() {
    let world = world().await;
    let place = place_on(On::Sqlite, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    let kept = place.directory.path().join("curiad.db.spool.page");
    let is_kept = || fs::read_to_string(&kept).is_ok_and(|text| text.contains("Patient Demographics"));
    program.wait(|| async { is_kept() }, "the page to be kept").await;
    assert!(program.stop().await.success());

    let trouble = hold(&place).await;
    let mut program = place.serve();
    let front = program.public("/en");
    program.wait(|| async { status(&front).await == Some(200) }, "the page as it last was").await;
    assert!(text(&front).await.contains("We cannot say how the APIs are: nothing recorded since "));
    let said = fs::read_to_string(place.log()).expect("a log");
    assert!(said.contains("the database is busy"), "{said}");
    mend(trouble).await;
    all_well(&mut program).await;
    assert!(program.stop().await.success());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_waits_for_the_database_stops_when_it_is_told_to_postgres() {
    let world = world().await;
    let place = place_on(On::Postgres, &world);
    let server = behind_a_proxy(&place).await;
    let mut program = place.serve();
    let kept = place.directory.path().join("curiad.spool.page");
    program.wait(|| async { kept.exists() }, "the page to be kept").await;
    program.kill();
    server.refuse().await;
    server.strike(Blow::Reset).await;
    let mut program = place.serve();
    let front = program.public("/en");
    program.wait(|| async { status(&front).await == Some(200) }, "the page as it last was").await;
    assert!(program.stop().await.success());
    world.stop().await;
}
