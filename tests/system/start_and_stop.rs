//! Starting and stopping: at any moment, and nothing is lost.

use crate::{
    database::{On, on_both},
    outage::{all_well, place, place_on, place_on_with},
    program::{CURIAD, PATIENCE, json, status, world},
};
use simulator::Fault;
use std::{os::fd::AsRawFd as _, path::Path, process::Command};

/// Its number on Linux and on macOS.
const SIGPIPE: u32 = 13;

on_both!(
    sigterm_drains_within_the_grace_period_and_a_restart_goes_on_where_it_was,
    the_heartbeat_beats_while_the_program_records_and_stops_with_it
);

async fn sigterm_drains_within_the_grace_period_and_a_restart_goes_on_where_it_was(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = place.serve();
    all_well(&mut program).await;
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    let ended = program.terminate().await;
    assert!(ended.success(), "{ended}\n{}", crate::program::tail(&place.log()));
    let log = place.database().with_extension("db-wal");
    assert!(!log.exists(), "one file holds everything: the write-ahead log was folded in");
    assert_eq!(place.database().exists(), on == On::Sqlite, "all is kept where the configuration says");

    let mut program = place.serve();
    program.ready().await;
    let open = json(&program.internal("/api/v1/incidents")).await;
    assert_eq!(open[0]["cause_key"], "instance:results/production");
    world.set_fault("results", "production", Fault::None).await.expect("no fault");
    let url = program.internal("/api/v1/incidents");
    program.wait(|| async { json(&url).await[0]["status"] == "resolved" }, "the incident to end").await;
    assert_eq!(world.desk().tickets().len(), 1, "the same ticket");
    world.stop().await;
}

async fn the_heartbeat_beats_while_the_program_records_and_stops_with_it(on: On) {
    let world = world().await;
    let place = place_on_with(on, &world, |text| text.replace("every: 10s }", "every: 1s }"));
    let mut program = place.serve();
    program.ready().await;
    world
        .wait_for(PATIENCE, |world| (world.heartbeat().beats().count > 1).then_some(()))
        .await
        .expect("a heartbeat");
    assert_eq!(status(&program.public("/livez")).await, Some(200));
    program.kill();
    world.stop().await;
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_asked_for_sparingly_unless_somebody_says_how() {
    let world = world().await;
    let place = place(&world);
    let four = [("MALLOC_ARENA_MAX", std::ffi::OsStr::new("4"))];
    for (said, arenas) in [(&[][..], "1"), (&four, "4")] {
        let mut program = place.serve_with(said);
        program.ready().await;
        let environment = std::fs::read(format!("/proc/{}/environ", program.pid())).expect("an environment");
        for expected in [format!("MALLOC_ARENA_MAX={arenas}"), "MALLOC_MMAP_THRESHOLD_=65536".to_owned()] {
            assert!(environment.split(|byte| *byte == 0).any(|one| one == expected.as_bytes()), "{expected}");
        }
        assert!(program.stop().await.success());
    }
    world.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_begun_again_goes_on_and_outlives_whoever_hangs_up() {
    let world = world().await;
    let place = place(&world);
    let file = place.database().with_file_name("a-file-that-is-gone");
    // Not written by this process: what another thread begins meanwhile would hold it open for writing, and nobody could run it.
    assert!(Command::new("cp").args([CURIAD.as_ref(), file.as_os_str()]).status().expect("cp").success());
    let open = std::fs::File::open(&file).expect("a file");
    std::fs::remove_file(&file).expect("no file");
    let like = place.serving();
    let mut serve = Command::new(format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd()));
    serve.args(like.get_args());
    serve.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    serve.current_dir(like.get_current_dir().unwrap_or(Path::new(".")));
    let mut program = place.start(serve);
    program.ready().await;
    let environment = std::fs::read(format!("/proc/{}/environ", program.pid())).expect("an environment");
    assert!(!String::from_utf8_lossy(&environment).contains("MALLOC_"), "it is as it was begun");
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.pid())).expect("a status");
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("signals");
    let caught = u64::from_str_radix(caught.trim(), 16).expect("a mask");
    assert_ne!(caught & (1 << (SIGPIPE - 1)), 0, "{status}");
    assert!(program.stop().await.success());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_said_in_words() {
    let world = world().await;
    let place = place(&world);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let ran = place.run(&["serve", "--listen", &address]).await;
    assert_eq!(ran.code, Some(69), "{ran:?}");
    assert!(ran.err.contains(&address) && ran.err.contains("--listen"), "{ran:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_on_the_same_database_is_refused() {
    let world = world().await;
    let place = place(&world);
    let mut program = place.serve();
    program.ready().await;
    let ran = place.run(&["serve", "--listen", "127.0.0.1:0", "--listen-internal", "127.0.0.1:0"]).await;
    assert_eq!(ran.code, Some(69), "{ran:?}");
    assert!(ran.err.contains("another curiad runs on") && ran.err.contains("curiad.db"), "{ran:?}");
    program.kill();
    let mut program = place.serve();
    program.ready().await;
    world.stop().await;
}
