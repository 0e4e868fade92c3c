//! File descriptors used up: said so, survived, and nobody is told that an API is down.

use crate::{
    database::{On, on_both},
    outage::{all_well, incidents, place, place_on},
    program::{PATIENCE, Program, world},
};
use simulator::Fault;
use std::{fs, process::Command};

/// Sets how many file descriptors the running program may have. What it has it keeps.
fn allow(program: &Program, soft: u32) {
    let limit = format!("--nofile={soft}:");
    let set = Command::new("prlimit").args(["--pid", &program.id().to_string(), &limit]).status();
    assert!(set.expect("prlimit").success());
}

on_both!(without_file_descriptors_nothing_is_known_and_nobody_is_told_and_then_it_goes_on);

async fn without_file_descriptors_nothing_is_known_and_nobody_is_told_and_then_it_goes_on(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    allow(&program, 3);
    // The pages take no connection now: its log says what it knows.
    let said = |word: &str| fs::read_to_string(place.log()).unwrap_or_default().matches(word).count();
    program.wait(|| async { said("out of file descriptors") > 0 }, "the log to say so").await;
    let asked = |api: &str| {
        world.instances().into_iter().filter(|one| one.api == api).map(|one| one.requests).sum::<u64>()
    };
    let before = asked("results");
    // Somebody asks for a page meanwhile: who accepts for it has no descriptor either, and must not end of it.
    let page = program.public("/en");
    let mut asks = tokio::task::JoinSet::new();
    asks.spawn(async move { crate::program::status(&page).await });
    program.wait(|| async { said("accept error") > 0 }, "a listener to find none left").await;
    assert_eq!(asked("results"), before, "no probe goes out");
    allow(&program, 1_024);
    program.wait(|| async { asked("results") > before + 20 }, "probes to go out again").await;
    all_well(&mut program).await;
    let page = asks.join_next().await.expect("one").expect("joined");
    assert!(page.is_none_or(|status| status < 400), "{page:?}");
    let all = incidents(&program).await;
    assert!(all.is_empty(), "{all:?}");
    assert!(world.desk().tickets().is_empty() && world.notify().texts().is_empty());
    assert!(said("our own trouble") <= 2, "said once a minute");

    // And what happens from now on is told as ever.
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_soft_limit_is_raised_at_the_start_and_few_descriptors_are_said() {
    let world = world().await;
    let place = place(&world);
    let mut program = place.serve();
    program.ready().await;
    let limits = fs::read_to_string(format!("/proc/{}/limits", program.id())).expect("its limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers.first(), numbers.last().map(|hard| hard.min(&65_536)), "{line}");
    program.kill();

    // What the system does not give is not asked for: fewer probes at a time, and all is well.
    let mut few = Command::new("prlimit");
    few.arg("--nofile=100:100").arg(crate::program::CURIAD).arg("--config").arg(place.config()).arg("serve");
    few.arg("--listen").arg(format!("127.0.0.1:{}", place.public));
    few.arg("--listen-internal").arg(format!("127.0.0.1:{}", place.internal));
    let mut program = place.start(few);
    all_well(&mut program).await;
    let log = fs::read_to_string(place.log()).expect("a log");
    assert!(log.contains("100 files and connections may be open at once"), "{log}");
    world.stop().await;
}
