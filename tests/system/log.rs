//! A log that nobody reads: a pipe whose reader is stuck holds up neither probes nor the end.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on},
    program::{Place, Program, text, world},
};
use simulator::World;
use std::{
    io::{BufRead, BufReader, PipeReader},
    process::Stdio,
    time::Duration,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// The program's own grace.
const GRACE: Duration = Duration::from_secs(15);

/// A program that says much, to nobody, until there is no room for more of it.
async fn unread(place: &Place) -> (Program, PipeReader) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut serve = place.serving();
    serve.args(["--log", "trace"]);
    let mut program = place.start_into(serve, Stdio::null(), writer.into());
    all_well(&mut program).await;
    let metrics = program.internal("/metrics");
    let public = program.public("").replace("http://", "");
    let lost = || async {
        // Each of these is a line, at this level.
        for _ in 0..50 {
            let mut stranger = TcpStream::connect(&public).await.expect("connected");
            stranger.write_all(b"no request\r\n\r\n").await.expect("said");
        }
        let text = text(&metrics).await;
        let line = text.lines().find_map(|line| line.strip_prefix("curiad_log_lines_lost_total "));
        line.expect("counted") != "0"
    };
    program.wait(lost, "lines to be lost").await;
    (program, reader)
}

async fn goes_on(world: &World, program: &mut Program) {
    let asked = || world.instances().into_iter().map(|one| one.requests).sum::<u64>();
    let before = asked();
    program.wait(|| async { asked() > before + 20 }, "probes to go on").await;
    all_well(program).await;
}

on_both!(
    a_log_that_nobody_reads_holds_up_neither_probes_nor_the_end,
    a_log_that_is_read_again_says_how_much_was_missed
);

async fn a_log_that_nobody_reads_holds_up_neither_probes_nor_the_end(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let (mut program, reader) = unread(&place).await;
    goes_on(&world, &mut program).await;
    let ended = tokio::time::timeout(GRACE, program.terminate()).await.expect("it ends within its grace");
    assert!(ended.success(), "{ended}");
    drop(reader);
    world.stop().await;
}

async fn a_log_that_is_read_again_says_how_much_was_missed(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let (mut program, reader) = unread(&place).await;
    let read = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(reader).lines().map_while(Result::ok);
        let missed = lines.find(|line| line.contains("lines of the log are lost here"));
        // To the end, so that the program is not held up again.
        (missed, lines.any(|line| line.contains("SIGTERM: stopping")))
    });
    goes_on(&world, &mut program).await;
    let ended = tokio::time::timeout(GRACE, program.terminate()).await.expect("it ends within its grace");
    assert!(ended.success(), "{ended}");
    let (missed, last) = read.await.expect("read");
    assert!(missed.is_some() && last, "{missed:?} {last}");
    world.stop().await;
}
