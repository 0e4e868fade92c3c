//! Strangers at the public listener: however many connect and ask nothing, readers get their pages, APIs are probed, and
//! who must be told is told.

use crate::{
    database::{On, on_both},
    outage::{all_well, place_on, place_on_with},
    program::{CURIAD, PATIENCE, Place, Program, client, status, text, world},
};
use simulator::Fault;
use std::{fs, io::ErrorKind, process::Command, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// So many descriptors leave room for 64 readers, 32 of them from one address.
const DESCRIPTORS: usize = 512;
/// The program's own grace.
const GRACE: Duration = Duration::from_secs(15);

fn serve_with_few_descriptors(place: &Place) -> Program {
    let mut few = Command::new("prlimit");
    few.arg(format!("--nofile={DESCRIPTORS}:{DESCRIPTORS}")).arg(CURIAD);
    few.args(place.serving().get_args()).current_dir(place.directory.path());
    place.start(few)
}

/// Connects from 127.0.0.`last`, and says this.
async fn stranger(port: u16, last: u8, says: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, last], 0).into()).expect("an address");
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.expect("connected");
    // It may have given way by now.
    drop(stream.write_all(says).await);
    stream
}

/// Many of them, each with a head that does not end.
async fn crowd(port: u16) -> Vec<TcpStream> {
    let head = format!("GET /en HTTP/1.1\r\nHost: x\r\nX-Long: {}", "a".repeat(12_000));
    let mut crowd = Vec::new();
    for number in 0..300_u16 {
        let last = u8::try_from(number % 20 + 1).expect("small");
        crowd.push(stranger(port, last, head.as_bytes()).await);
    }
    crowd
}

/// Whether the other side closes it, without a word.
async fn is_closed(stream: &mut TcpStream) -> bool {
    match timeout(PATIENCE, stream.read(&mut [0; 16])).await.expect("it is closed") {
        Ok(read) => read == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

async fn metric(program: &Program, name: &str) -> u64 {
    let text = text(&program.internal("/metrics")).await;
    let line = format!("{name}{{listener=\"public\"}} ");
    let value = text.lines().find_map(|found| found.strip_prefix(&line)).unwrap_or_else(|| panic!("{name}"));
    value.parse().expect("a number")
}

on_both!(
    strangers_who_connect_and_ask_nothing_keep_nobody_from_anything,
    one_address_fills_a_part_and_a_new_request_from_it_is_answered_all_the_same,
    behind_a_proxy_each_reader_has_a_limit_of_their_own_and_nobody_talks_their_way_out_of_it
);

async fn strangers_who_connect_and_ask_nothing_keep_nobody_from_anything(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = serve_with_few_descriptors(&place);
    all_well(&mut program).await;
    let mut crowd = crowd(place.public).await;
    assert_eq!(status(&program.public("/en")).await, Some(200), "a reader gets in");
    assert!(metric(&program, "curiad_connections_displaced_total").await >= 200);
    assert!(metric(&program, "curiad_connections").await <= 64);
    let open = fs::read_dir(format!("/proc/{}/fd", program.id())).expect("its descriptors").count();
    assert!(open < DESCRIPTORS / 2, "{open}");
    let log = fs::read_to_string(place.log()).expect("a log");
    assert!(log.contains("the public listener"), "{log}");
    assert!(!log.contains("accept error"), "{log}");

    // Whoever must be told is told meanwhile.
    world.set_fault("results", "production", Fault::Refuse).await.expect("a fault");
    world.wait_for(PATIENCE, |world| world.desk().tickets().into_iter().next()).await.expect("a ticket");
    // None of them is waited for any longer than a reader needs.
    for stream in &mut crowd {
        assert!(is_closed(stream).await);
    }
    assert!(metric(&program, "curiad_connections_timed_out_total").await > 0);
    world.stop().await;
}

async fn one_address_fills_a_part_and_a_new_request_from_it_is_answered_all_the_same(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let mut program = serve_with_few_descriptors(&place);
    all_well(&mut program).await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(stranger(place.public, 1, b"G").await);
    }
    // This one comes from the same address, as all readers behind a proxy do.
    assert_eq!(status(&program.public("/en")).await, Some(200));
    assert!(metric(&program, "curiad_connections").await <= 32);
    // The first have given way, long before their time.
    assert!(is_closed(&mut idle[0]).await);

    let head = format!("GET /en HTTP/1.1\r\nHost: x\r\nX-Long: {}", "a".repeat(400_000));
    let mut large = stranger(place.public, 9, head.as_bytes()).await;
    let mut answer = Vec::new();
    // It may be reset before it is read: what is not read is not kept either.
    let _reset = timeout(PATIENCE, large.read_to_end(&mut answer)).await.expect("an end");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");

    let ended = timeout(GRACE, program.terminate()).await.expect("who asks nothing holds up no end");
    assert!(ended.success(), "{ended}");
    world.stop().await;
}

/// Guesses at a link, `times` times, as a proxy passes them on; how many were let in.
async fn guesses(program: &Program, times: usize, forwarded: impl Fn(usize) -> String) -> usize {
    let (client, mut let_in) = (client(), 0);
    for time in 0..times {
        let request = client.get(program.public("/ack/aaaaaaaaaaaa"));
        let answer = request.header("x-forwarded-for", forwarded(time)).send().await.expect("an answer");
        let_in += usize::from(answer.status() != 429);
    }
    let_in
}

async fn behind_a_proxy_each_reader_has_a_limit_of_their_own_and_nobody_talks_their_way_out_of_it(on: On) {
    let world = world().await;
    let place = place_on_with(on, &world, |text| {
        text.replacen("site:", "listen: { proxies: [ 127.0.0.1, 10.0.0.0/8 ] }\nsite:", 1)
    });
    let mut program = place.serve();
    all_well(&mut program).await;
    let invented = |time| format!("198.51.100.{time}, 203.0.113.7, 10.0.0.1");
    let hasty = guesses(&program, 60, invented).await;
    assert!((20..50).contains(&hasty), "{hasty} of 60");
    assert_eq!(guesses(&program, 5, |_| "203.0.113.8".to_owned()).await, 5, "somebody else");
    drop(program);

    // Who is named by nobody is not believed.
    let place = place_on(on, &world);
    let mut program = place.serve();
    program.ready().await;
    let hasty = guesses(&program, 60, |time| format!("198.51.100.{time}")).await;
    assert!((20..50).contains(&hasty), "{hasty} of 60");
    world.stop().await;
}
