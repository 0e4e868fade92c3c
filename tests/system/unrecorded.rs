//! The database cannot be written (invariant 6): probing goes on, the last resort is told, and nothing that was seen is lost.

#[cfg(debug_assertions)]
use crate::program::tail;
use crate::{
    database::On,
    outage::{all_well, place_on_with, place_with},
    program::{PATIENCE, Place, Program, SERVE, json, now, status, text, world},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use simulator::{Blow, Fault, InstanceView, Message, Proxy, World};
#[cfg(debug_assertions)]
use std::time::{Duration, Instant};
use std::{collections::BTreeMap, fs, path::PathBuf, process::Command, sync::Arc};
use store::{Hold, Store};

const API: &str = "patient-demographics";
/// Instead of half a minute.
pub(crate) const SOON: &[&str] = &["--unrecorded-after", "4"];
/// Probes of one instance that a stop or a kill cuts off, or that were in memory alone for a quarter of a second.
const CUT_OFF: u64 = 6;

/// What is wrong with the database, until it is mended.
pub(crate) enum Trouble {
    /// Another program writes and does not end.
    Locked(Store, Hold),
    /// Its file may grow no further.
    NoRoom(u32),
    /// It may have no more pages (`max_page_count`) while this file is there.
    #[cfg(debug_assertions)]
    Full(PathBuf),
    /// Nobody may change it.
    Unchangeable(Fixed),
    /// Its file is somewhere else: where it belongs, and where it is.
    Moved(PathBuf, PathBuf),
    /// Its server is gone, or hangs.
    Away(Arc<Proxy>),
}

/// Files that nobody may change, until this is dropped: a test that fails must not leave them behind so.
pub(crate) struct Fixed(Vec<PathBuf>);

impl Drop for Fixed {
    fn drop(&mut self) {
        for file in &self.0 {
            run("chattr", &["-i", &file.display().to_string()]);
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn beside(place: &Place, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", place.database().display()))
}

pub(crate) async fn hold(place: &Place) -> Trouble {
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    let hold = store.hold().await.expect("held");
    Trouble::Locked(store, hold)
}

async fn locked(place: &Place, _: &Program) -> Option<Trouble> {
    Some(hold(place).await)
}

pub(crate) async fn no_room(place: &Place, program: &Program) -> Option<Trouble> {
    let size = fs::metadata(beside(place, "-wal")).expect("a log").len();
    let limit = format!("--fsize={size}:");
    let pid = program.pid();
    assert!(run("prlimit", &[&format!("--pid={pid}"), &limit]), "prlimit is there, and may");
    Some(Trouble::NoRoom(pid))
}

/// SQLite says that it is full, though the disk is not. What it has room for in the pages it has, it still takes.
#[cfg(debug_assertions)]
async fn full(place: &Place, _: &Program) -> Option<Trouble> {
    let file = full_while(place);
    fs::write(&file, "").expect("written");
    let limit = Instant::now() + PATIENCE;
    let says_so = || {
        let log = fs::read_to_string(place.log()).expect("a log");
        log.lines()
            .any(|line| line.contains("nothing can be recorded") && line.contains("database or disk is full"))
    };
    while !says_so() {
        assert!(Instant::now() < limit, "{}", tail(&place.log()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Some(Trouble::Full(file))
}

pub(crate) fn full_while(place: &Place) -> PathBuf {
    beside(place, ".full")
}

/// Only root may say so, and not on every file system.
async fn unchangeable(place: &Place, _: &Program) -> Option<Trouble> {
    let mut fixed = Fixed(Vec::new());
    for file in [place.database(), beside(place, "-wal")] {
        if !run("chattr", &["+i", &file.display().to_string()]) {
            return None;
        }
        fixed.0.push(file);
    }
    Some(Trouble::Unchangeable(fixed))
}

async fn moved(place: &Place, _: &Program) -> Option<Trouble> {
    let (file, elsewhere) = (place.database(), beside(place, ".aside"));
    fs::rename(&file, &elsewhere).expect("moved");
    Some(Trouble::Moved(file, elsewhere))
}

pub(crate) async fn mend(trouble: Trouble) {
    match trouble {
        Trouble::Locked(store, hold) => {
            drop(hold);
            store.close().await;
        }
        Trouble::NoRoom(pid) => {
            assert!(run("prlimit", &[&format!("--pid={pid}"), "--fsize=unlimited:"]), "mended");
        }
        #[cfg(debug_assertions)]
        Trouble::Full(file) => fs::remove_file(file).expect("room again"),
        Trouble::Unchangeable(fixed) => drop(fixed),
        Trouble::Moved(file, elsewhere) => fs::rename(elsewhere, file).expect("moved back"),
        Trouble::Away(server) => server.pass().await,
    }
}

fn asked(world: &World) -> u64 {
    world.instances().iter().map(|instance| instance.requests).sum()
}

/// Until the world was asked so many times more: that much time has passed, and probing goes on.
pub(crate) async fn until_asked(world: &World, more: u64) {
    let goal = asked(world) + more;
    world.wait_for(PATIENCE, |world| (asked(world) >= goal).then_some(())).await.expect("probing goes on");
}

fn texts(world: &World, start: &str) -> Vec<Message> {
    world.notify().texts().into_iter().filter(|text| text.body.starts_with(start)).collect()
}

pub(crate) async fn until_text(world: &World, start: &str) -> Message {
    let text = world.wait_for(PATIENCE, |world| texts(world, start).into_iter().next()).await;
    text.unwrap_or_else(|_| panic!("no text begins with {start}"))
}

fn beats(world: &World) -> u64 {
    world.heartbeat().beats().count
}

/// Probes in the record, by instance.
async fn recorded(place: &Place, from: Timestamp) -> BTreeMap<(String, String), u64> {
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    let remembered = store.remember(from).await.expect("remembered");
    let mut recorded = BTreeMap::new();
    for (track, ..) in remembered.latest {
        let to = now() + SignedDuration::from_mins(1);
        let samples = store.samples(&track.check, None, from, to, 10_000).await.expect("samples");
        let instance = track.check.instance;
        let count: &mut u64 =
            recorded.entry((instance.api.to_string(), instance.environment.to_string())).or_default();
        *count += samples.len() as u64;
    }
    store.close().await;
    recorded
}

/// An instance with a journey: each of its probes asks several times.
const JOURNEY: (&str, &str) = ("documents", "sandbox");

/// Every probe that the world was asked is in the record; but of those APIs, which somebody else asks too.
pub(crate) async fn nothing_is_missing(world: &World, place: &Place, from: Timestamp, but: &[&str]) {
    let recorded = recorded(place, from).await;
    let counted = |one: &InstanceView| {
        let (api, environment) = (one.api.as_str(), one.environment.as_str());
        (api, environment) != JOURNEY && !but.contains(&api)
    };
    for instance in world.instances().into_iter().filter(counted) {
        let kept = recorded.get(&(instance.api.clone(), instance.environment.clone())).copied().unwrap_or(0);
        let name = format!("{}/{}", instance.api, instance.environment);
        assert!(
            kept + CUT_OFF >= instance.requests - instance.tokens
                && kept <= instance.requests - instance.tokens + CUT_OFF,
            "{name}: the world was asked {} times, {kept} are recorded",
            instance.requests - instance.tokens
        );
    }
}

pub(crate) fn place(world: &World) -> Place {
    place_with(world, |text| text.replace("\", every: 10s }", "\", every: 1s }"))
}

/// While it lasts: what is said, and what is not.
async fn says_so(program: &mut Program, world: &World, place: &Place) {
    let readyz = program.internal("/readyz");
    program.wait(|| async { status(&readyz).await == Some(503) }, "not to be ready").await;
    assert!(text(&readyz).await.contains("nothing can be recorded since"));
    for (path, said) in [("/en", "nothing recorded since"), ("/cy", "dim wedi’i gofnodi ers")] {
        let page = program.public(path);
        program.wait(|| async { text(&page).await.contains(said) }, &format!("{path} to say so")).await;
        let front = text(&page).await;
        assert!(!front.contains("All APIs are working") && !front.contains("All 8 APIs"), "{front}");
    }
    until_text(world, "Curiad CANNOT RECORD since").await;
    // Nothing beats, however long the world is probed.
    let mut silent = beats(world);
    // What was on its way still arrives.
    for _ in 0..10 {
        until_asked(world, 100).await;
        if std::mem::replace(&mut silent, beats(world)) == beats(world) {
            break;
        }
    }
    until_asked(world, 200).await;
    assert_eq!(beats(world), silent, "the heart stands still");
    assert_eq!(texts(world, "Curiad CANNOT RECORD").len(), 1, "told once");
    assert!(world.desk().tickets().is_empty() && texts(world, "P1").is_empty(), "nobody else is told");
    let metrics = text(&program.internal("/metrics")).await;
    let waiting = metrics.lines().find_map(|line| line.strip_prefix("curiad_outcomes_waiting "));
    assert!(
        waiting.is_some_and(|count| count.parse::<f64>().is_ok_and(|count| count > 100.0)),
        "{waiting:?}"
    );
    let refused = place
        .run(&[
            "silence",
            "add",
            "--api",
            "documents",
            "--environment",
            "sit",
            "--for",
            "1h",
            "--why",
            "test",
        ])
        .await;
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(refused.err.contains("curiad: "), "{refused:?}");
}

/// Once it is mended: all that did not happen happens, and what began began when it did.
async fn catches_up(program: &mut Program, world: &World, broke: Timestamp) {
    program.wait(|| async { !world.desk().tickets().is_empty() }, "a ticket").await;
    until_text(world, "P1").await;
    until_text(world, "Curiad RECORDS AGAIN").await;
    program.ready().await;
    let heard = beats(world);
    world.wait_for(PATIENCE, |world| (beats(world) > heard + 1).then_some(())).await.expect("it beats again");
    let incidents = json(&program.internal("/api/v1/incidents")).await;
    // On a machine that has much to do, others may have answered slowly.
    let of_it = |one: &&Value| (&one["api"], &one["environment"]) == (&API.into(), &"production".into());
    let all: Vec<&Value> = incidents.as_array().expect("an array").iter().filter(of_it).collect();
    let [incident] = all.as_slice() else { panic!("one incident: {all:?}") };
    let started: Timestamp = incident["started_at"].as_str().expect("a time").parse().expect("a time");
    assert!(
        // A probe may have been under way.
        started > broke - SignedDuration::from_secs(1) && started < broke + SignedDuration::from_secs(5),
        "broken at {broke}, said to have begun at {started}"
    );
    assert_eq!(texts(world, "Curiad CANNOT RECORD").len(), 1, "told once");
    assert_eq!(texts(world, "Curiad RECORDS AGAIN").len(), 1, "told once");
    assert_eq!(world.desk().tickets().len(), 1);
}

async fn outlasts(breaks: impl AsyncFn(&Place, &Program) -> Option<Trouble>) {
    let world = world().await;
    let place = place(&world);
    outlasted(world, place, breaks).await;
}

async fn outlasted(
    world: World,
    place: Place,
    breaks: impl AsyncFnOnce(&Place, &Program) -> Option<Trouble>,
) {
    let began = now();
    // A release knows no such switch, and needs none: no story there is of it.
    let full = full_while(&place);
    let mut program = place.serve_as(SOON, &[("CURIAD_DATABASE_FULL", full.as_os_str())]);
    all_well(&mut program).await;
    world.wait_for(PATIENCE, |world| (beats(world) > 0).then_some(())).await.expect("it beats");
    let Some(trouble) = breaks(&place, &program).await else { return };
    let broke = now();
    world.set_fault(API, "production", Fault::Backend(503)).await.expect("a fault");
    says_so(&mut program, &world, &place).await;
    mend(trouble).await;
    catches_up(&mut program, &world, broke).await;
    world.set_fault(API, "production", Fault::None).await.expect("no fault");
    all_well(&mut program).await;
    assert!(program.terminate().await.success());
    nothing_is_missing(&world, &place, began, &[]).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_another_program_holds_is_outlasted() {
    outlasts(locked).await;
}

/// From now on the place's configuration leads through this proxy to its server.
pub(crate) async fn behind_a_proxy(place: &Place) -> Arc<Proxy> {
    let mut url = url::Url::parse(&place.url).expect("a URL");
    let address = format!("127.0.0.1:{}", url.port().expect("a port")).parse().expect("an address");
    let proxy = Arc::new(Proxy::start(address).await.expect("a proxy"));
    url.set_port(Some(proxy.address().port())).expect("a port");
    let file = place.config().join("curiad.yaml");
    let text = fs::read_to_string(&file).expect("a configuration").replace(&place.url, url.as_str());
    fs::write(&file, text).expect("written");
    proxy
}

/// The program reaches its server through a proxy, which gives the server's `trouble` and takes it away.
async fn server_outlasted(trouble: impl AsyncFnOnce(&Proxy)) {
    let world = world().await;
    let place =
        place_on_with(On::Postgres, &world, |text| text.replace("\", every: 10s }", "\", every: 1s }"));
    let proxy = behind_a_proxy(&place).await;
    outlasted(world, place, async |_: &Place, _: &Program| {
        trouble(&proxy).await;
        Some(Trouble::Away(Arc::clone(&proxy)))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_is_outlasted_postgres() {
    server_outlasted(async |server| {
        server.refuse().await;
        server.strike(Blow::Reset).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_outlasted_postgres() {
    server_outlasted(async |server| server.strike(Blow::Stall).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_has_no_room_is_outlasted() {
    outlasts(no_room).await;
}

#[cfg(debug_assertions)]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_full_is_outlasted() {
    outlasts(full).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_nobody_may_change_is_outlasted() {
    outlasts(unchangeable).await;
}

/// Nothing else tells: SQLite itself goes on writing into a file that nobody will find again.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_moved_away_is_outlasted_once_it_is_put_back() {
    outlasts(moved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_nothing_can_be_recorded_loses_next_to_nothing() {
    let world = world().await;
    let (place, began) = (place(&world), now());
    let mut program = place.serve_as(SOON, &[]);
    all_well(&mut program).await;
    let trouble = no_room(&place, &program).await;
    let broke = now();
    world.set_fault(API, "production", Fault::Backend(503)).await.expect("a fault");
    until_text(&world, "Curiad CANNOT RECORD since").await;
    until_asked(&world, 100).await;
    program.kill();
    drop(trouble);

    // A start while the database still cannot be written, and without a page to show, says so and keeps what waits.
    fs::remove_file(beside(&place, ".spool.page")).ok();
    let trouble = hold(&place).await;
    let refused = place.run(SERVE).await;
    assert_eq!(refused.code, Some(75), "{refused:?}");
    assert!(refused.err.contains("the database is busy"), "{refused:?}");
    mend(trouble).await;

    let mut program = place.serve_as(SOON, &[]);
    catches_up(&mut program, &world, broke).await;
    assert!(program.terminate().await.success());
    nothing_is_missing(&world, &place, began, &[]).await;
    world.stop().await;
}
