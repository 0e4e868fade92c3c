//! A limit of the whole program's memory near, while five hundred targets send bodies without end.

use crate::{
    database::{On, on_both},
    outage::{all_well, all_well_but, incidents, place_on_with},
    program::{PATIENCE, Program, client, world},
};
use simulator::Fault;
use std::{
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

const ENDLESS: usize = 500;
const MIB: u64 = 1024 * 1024;

/// What the program may have of writable memory beyond what it has while all five hundred are well (`RLIMIT_DATA`; not
/// `RLIMIT_AS`, which also counts the address space that threads and the allocator only reserve, 64 MiB an arena). The budget
/// of bodies is 32 MiB, and twice that while they grow; beside it each connection has 16 KiB of body and two buffers of 64 KiB:
/// 134 MiB together; and what five hundred incidents at once have to tell takes some 30 MiB in a build for tests. Without the budget some 450 bodies in flight, of 720 KiB in the mean, would have 316 MiB, and twice that
/// while they grow.
const ROOM: u64 = 200 * MIB;

const API: &str = "id: NAME\nname: { en: NAME, cy: NAME, same: true }\ndescription: { en: Endless., cy: Diddiwedd. }\n\
    kind: rest\nlifecycle: stable\nservice_level: standard\nteam: platform\nlatency: { slow: 8900ms, timeout: 9s }\nevery: 10s\n\
    operations:\n  status: { get: /_status, health: true, critical: true }\n\
    environments:\n  sandbox: { url: \"URL\" }\n";

/// Says that all is well; or, once it is to, a body without end, 16 KiB at a time.
async fn endless(mut stream: TcpStream, ends: bool) {
    let piece = vec![b' '; 16 * 1024];
    // The request is short, and what it asks is known.
    let _request = stream.read(&mut [0; 4_096]).await;
    if ends {
        let well = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{\"status\":\"UP\"}";
        stream.write_all(well).await.ok();
        return;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{").await.ok();
    while stream.write_all(&piece).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Serves each connection on all addresses, until it is dropped: each target is a host of its own, at an address of the loopback.
pub(crate) async fn server<Served: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> Served + Send + 'static,
) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut serves = JoinSet::new();
    serves.spawn(async move {
        let mut streams = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            streams.spawn(serve(stream));
            while streams.try_join_next().is_some() {}
        }
    });
    (port, serves)
}

/// A figure of `/proc/PID/status`, in bytes.
pub(crate) fn memory(program: &Program, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    line.split_whitespace().find_map(|word| word.parse::<u64>().ok()).expect("a number") * 1024
}

/// Of how many of the five hundred the last probe was inconclusive, by `/metrics`. Who does not answer says nothing of any:
/// whoever waits finds out why.
async fn unknown(address: &str) -> usize {
    let Ok(answer) = client().get(address).send().await else { return 0 };
    let metrics = answer.text().await.unwrap_or_default();
    let known = |line: &&str| line.starts_with("probe_success{") && line.contains("api=\"endless-");
    if metrics.is_empty() { 0 } else { ENDLESS - metrics.lines().filter(known).count() }
}

on_both!(within_a_limit_of_its_memory_endless_bodies_are_inconclusive_and_all_others_go_on);

#[expect(clippy::print_stdout, reason = "what was measured, for whoever asks to see it")]
async fn within_a_limit_of_its_memory_endless_bodies_are_inconclusive_and_all_others_go_on(on: On) {
    let world = world().await;
    // Five hundred bodies and this test share the machine: others may take their time.
    let place = place_on_with(on, &world, |text| {
        text.replace("\nevery: 1s", "\nevery: 6s")
            .replace("timeout: 900ms", "timeout: 5s")
            .replace("slow: 850ms", "slow: 4s")
    });
    let ends = Arc::new(AtomicBool::new(true));
    let now_ends = Arc::clone(&ends);
    let (port, serves) = server(move |stream| endless(stream, now_ends.load(Ordering::Relaxed))).await;
    for n in 0..ENDLESS {
        let (name, url) =
            (format!("endless-{n}"), format!("http://127.1.{}.{}:{port}", n / 200, n % 200 + 1));
        place.write(&format!("apis/{name}.yaml"), &API.replace("NAME", &name).replace("URL", &url));
    }
    let mut program = place.serve();
    all_well(&mut program).await;
    let rest = memory(&program, "VmData:");
    let limit = format!("--data={}", rest + ROOM);
    let set = Command::new("prlimit").args(["--pid", &program.id().to_string(), &limit]).status();
    assert!(set.expect("prlimit").success());

    ends.store(false, Ordering::Relaxed);
    let metrics = program.internal("/metrics");
    let refused = || async { unknown(&metrics).await >= 100 };
    program.wait(refused, "a hundred of the five hundred to find the memory used up").await;
    let refused = unknown(&metrics).await;
    let most = memory(&program, "VmHWM:");
    println!(
        "{} MiB writable at rest, {} MiB resident at most, {refused} bodies refused",
        rest / MIB,
        most / MIB
    );
    let log = fs::read_to_string(place.log()).expect("a log");
    assert!(log.contains("the memory budget for bodies is used up"), "said in the log: {log}");

    // All others are as they were; and what happens to one of them is told.
    all_well_but(&mut program, "endless-").await;
    let others = incidents(&program).await;
    assert!(others.iter().all(|one| one["environment"] == "sandbox"), "{others:?}");
    // A build for tests has its hands full with five hundred incidents on a busy machine: it may take its time.
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(3 * PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    // What five hundred incidents still have to tell may take longer than a stop waits; a lack of memory is a signal.
    assert!(program.terminate().await.code().is_some(), "it lived");
    drop(serves);
    world.stop().await;
}
