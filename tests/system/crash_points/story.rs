//! One outage, told from its beginning to its end, with a death in it.

use super::after;
use crate::{
    database::On,
    examine, poison,
    program::{PATIENCE, Place, Program, now, tail, world},
};
use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, Outcome, VantageId, Verdict};
use jiff::SignedDuration;
use serde_json::Value;
use simulator::{Answer, Fault, Message, Trouble, World, answer};
use std::{
    ffi::OsStr,
    fmt,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};
use store::{Batch, Store};
use tokio::time::{Instant, sleep};

pub(super) const API: &str = "patient-demographics";
/// How long a send is leased here, in seconds.
const LEASE: &str = "4";
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const LISTEN_AGAIN: Duration = Duration::from_millis(100);
/// Stops that find nothing to drain are tried again so often.
const MOST_STOPS: u32 = 20;

/// Where the program dies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) point: &'static str,
    pub(crate) passing: u32,
    pub(crate) way: Way,
}

/// What has to happen so that it comes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The outage alone.
    Trouble,
    /// Somebody tells of something else.
    Tells(&'static str),
    /// The desk's first answer is an error.
    DeskRefusesOnce,
    /// It dies at that other point before.
    DiesTwice(&'static str),
    /// It is told to stop.
    Stop,
    /// Somebody else holds the database until outcomes wait in the spool.
    StoreHeld,
    /// The database refuses an outcome for good.
    StoreRefuses,
    /// There are hours of days that are over, and not sealed yet; one of them was long ago.
    OldHours,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.passing {
            1 => f.write_str(self.point),
            passing => write!(f, "{}:{passing}", self.point),
        }
    }
}

/// How a story went.
#[derive(Debug)]
pub(crate) struct Told {
    took: Duration,
    /// Outcomes that it had said were recorded, in all its lives.
    pub(crate) recorded: usize,
    tickets: usize,
    texts: usize,
    mails: usize,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { took, tickets, texts, mails, recorded } = self;
        let took = took.as_secs_f64();
        write!(f, "ok  {tickets} ticket, {texts} texts, {mails} mails, {recorded} outcomes, {took:.1} s")
    }
}

/// The running program, which is started again when it dies as it was told to.
struct Life {
    case: Case,
    world: World,
    place: Place,
    program: Program,
    client: reqwest::Client,
    /// The points it has yet to die at, the next one first.
    doomed: Vec<String>,
    /// Outcomes that it said were recorded: in this life, and in those before.
    recorded: usize,
    recorded_before: usize,
    listened_at: Instant,
}

/// The demo's estate cut down to what the outage needs: one API and what it depends on, in production.
fn small(place: &Place, world: &World) {
    let left_out = ["development:", "sit:", "uat:", "sandbox:"];
    for file in simulator::configuration(world, "{{public}}", "{{database}}") {
        let api = file.path.strip_prefix("apis/");
        if api.is_some_and(|name| name != "patient-demographics.yaml" && name != "identity.yaml") {
            continue;
        }
        let kept = |line: &&str| {
            let key = line.trim_start();
            !(api.is_some() && left_out.iter().any(|name| key.starts_with(name)))
        };
        let text = file.text.lines().filter(kept).collect::<Vec<_>>().join("\n");
        let short = text
            .replace("every: 5s", "every: 2s")
            .replace("timeout: 3s", "timeout: 1900ms")
            .replace("timeout: 4s", "timeout: 1900ms")
            .replace("slow: 800ms", "slow: 1800ms")
            .replace("every: 2s, recover: 2", "every: 200ms, recover: 1")
            .replace(
                "ticket: 10s, callout: 15s, resolve: 15s",
                "ticket: 300ms, callout: 600ms, resolve: 500ms",
            )
            .replace("    tell: [provider]\n", "");
        place.write(file.path, &short);
    }
}

/// Tells the story, and looks at everything when it is over.
pub(crate) async fn tell(case: Case, on: On) -> Told {
    let began = Instant::now();
    let world = world().await;
    let place = Place::on(on, &[]);
    small(&place, &world);
    world.set_fault(API, "production", Fault::GatewayUnavailable).await.expect("a fault");
    if case.way == Way::DeskRefusesOnce {
        world.desk().set_trouble_for(Trouble::ServerError, 1).await;
    }
    let old = if case.way == Way::OldHours { old_hours(&place).await } else { 0 };
    let mut life = Life::begin(case, world, place);

    let called = life
        .until("a ticket and a text", |life| {
            let text = life.world.notify().texts().into_iter().find(is_call);
            text.filter(|_| !life.world.desk().tickets().is_empty())
        })
        .await;
    life.meet().await;
    while answer(&called.body, Answer::Mine).await.ok() != Some(200) {
        life.look();
        sleep(LOOK_AGAIN).await;
    }
    life.until_incident("acknowledged", "to be taken").await;
    life.world.set_fault(API, "production", Fault::None).await.expect("no fault");
    life.until_incident("resolved", "to end").await;
    life.until("its death", |life| life.doomed.is_empty().then_some(())).await;
    life.until_settled().await;

    life.listen().await;
    let Life { world, place, program, recorded, recorded_before, .. } = life;
    let ended = program.terminate().await;
    assert!(ended.success(), "{ended}\n{}", tail(&place.log()));
    let store = Store::open(&place.url, [0; 32]).await.expect("the database is whole");
    examine::look(&store).await;
    after::once(&store, &world).await;
    let recorded = recorded + recorded_before + old;
    after::unbroken(&store, recorded).await;
    store.close().await;
    let told = Told {
        took: began.elapsed(),
        recorded,
        tickets: world.desk().tickets().len(),
        texts: world.notify().texts().len(),
        mails: world.mail().mails().len(),
    };
    world.stop().await;
    told
}

/// Has the database hold what somebody who is gone saw in two hours that are over; how many outcomes that is.
pub(crate) async fn old_hours(place: &Place) -> usize {
    let instance =
        InstanceId { api: ApiId::parse("identity").expect("an id"), environment: Environment::Production };
    let operation = OperationId::parse("status").expect("an id");
    let check = CheckId { instance, operation };
    let vantage = VantageId::parse("gone").expect("an id");
    // To be sealed and rolled up; and to be kept as sums alone.
    let begins = [50, 100 * 24].map(|hours| now() - SignedDuration::from_hours(hours));
    let outcomes: Vec<_> = begins
        .into_iter()
        .flat_map(|from| (0..400).map(move |number| from + SignedDuration::from_secs(number * 10)))
        .map(|at| (Arc::new(Outcome::new(check.clone(), vantage.clone(), at)), Verdict::Pass))
        .collect();
    let recorded = outcomes.len();
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    store.record(&Batch { outcomes, ..Batch::default() }).await.expect("recorded");
    store.close().await;
    recorded
}

/// How often the world's APIs were asked.
fn requests(world: &World) -> u64 {
    world.instances().iter().map(|instance| instance.requests).sum()
}

pub(super) fn is_call(text: &Message) -> bool {
    text.body.contains("/ack/")
}

impl Life {
    fn begin(case: Case, world: World, place: Place) -> Self {
        let mut doomed = match case.way {
            Way::DiesTwice(before) => vec![before.to_owned()],
            Way::Trouble
            | Way::Tells(_)
            | Way::DeskRefusesOnce
            | Way::Stop
            | Way::StoreHeld
            | Way::StoreRefuses
            | Way::OldHours => Vec::new(),
        };
        doomed.push(format!("{}:{}", case.point, case.passing));
        let program = start(&place, doomed.first());
        let client = crate::program::client();
        let listened_at = Instant::now();
        Self { case, world, place, program, client, doomed, recorded: 0, recorded_before: 0, listened_at }
    }

    /// Starts it again when it has died as it was told to; nothing else may end it.
    fn look(&mut self) {
        if let Some(ended) = self.program.ended() {
            self.mourn(ended);
        }
    }

    fn mourn(&mut self, ended: ExitStatus) {
        let log = tail(&self.place.log());
        assert!(!self.doomed.is_empty(), "it ended with {ended}\n{log}");
        let name = self.doomed.remove(0);
        let died = format!("crash point {}", name.split(':').next().unwrap_or_default());
        assert!(ended.signal() == Some(9) && log.contains(&died), "{name}: it ended with {ended}\n{log}");
        self.born();
    }

    fn born(&mut self) {
        self.recorded_before += std::mem::take(&mut self.recorded);
        self.program = start(&self.place, self.doomed.first());
    }

    /// Hears from time to time how many outcomes it says it has recorded: those must be there in the end.
    async fn listen(&mut self) {
        self.listened_at = Instant::now();
        let said = self.ask("/metrics").await.unwrap_or_default();
        let recorded = said.lines().find_map(|line| line.strip_prefix("curiad_outcomes_recorded_total "));
        self.recorded = recorded.and_then(|number| number.parse().ok()).unwrap_or(self.recorded);
    }

    async fn until<T>(&mut self, what: &str, mut found: impl FnMut(&Self) -> Option<T>) -> T {
        let limit = Instant::now() + PATIENCE;
        loop {
            self.look();
            if let Some(found) = found(self) {
                return found;
            }
            assert!(Instant::now() < limit, "waiting for {what}\n{}", tail(&self.place.log()));
            if self.listened_at.elapsed() > LISTEN_AGAIN {
                self.listen().await;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// What only some stories have in them.
    async fn meet(&mut self) {
        match self.case.way {
            Way::Trouble | Way::DeskRefusesOnce | Way::OldHours => {}
            Way::StoreHeld => {
                let store = Store::open(&self.place.url, [0; 32]).await.expect("the database");
                let limit = Instant::now() + PATIENCE;
                let hold = store.hold().await.expect("held");
                while self.program.ended().is_none() && !self.spools().await {
                    assert!(Instant::now() < limit, "nothing was spooled\n{}", tail(&self.place.log()));
                    sleep(LOOK_AGAIN).await;
                }
                drop(hold);
                store.close().await;
                self.until("its death", |life| life.doomed.is_empty().then_some(())).await;
            }
            Way::StoreRefuses => {
                let store = Store::open(&self.place.url, [0; 32]).await.expect("the database");
                store.refuse_poison().await.expect("a trigger");
                store.close().await;
                self.place.write("apis/poison.yaml", &poison::api(&self.world));
                self.until("its death", |life| life.doomed.is_empty().then_some(())).await;
                std::fs::remove_file(self.place.config().join("apis/poison.yaml")).expect("gone");
            }
            Way::DiesTwice(_) => {
                self.until("both deaths", |life| life.doomed.is_empty().then_some(())).await;
            }
            Way::Tells(words) => {
                let tomorrow = crate::program::now() + jiff::SignedDuration::from_hours(24);
                let words = words.replace("{tomorrow}", &tomorrow.to_string());
                let mut command = self.place.command(&words.split(' ').collect::<Vec<_>>());
                let mut asking = command.stdout(Stdio::null()).spawn().expect("the command runs");
                let answered = self.until("the answer", |_| asking.try_wait().expect("a status")).await;
                assert!(answered.success(), "{answered}");
            }
            Way::Stop => {
                for _ in 0..MOST_STOPS {
                    self.until_answer("/readyz", "it to be ready", |_| true).await;
                    // Something is in hand: what was asked a moment ago is not recorded yet.
                    let asked = requests(&self.world);
                    self.until("a probe", |life| (requests(&life.world) > asked).then_some(())).await;
                    let ended = self.program.stop().await;
                    if !ended.success() {
                        self.mourn(ended);
                        break;
                    }
                    // There was nothing in hand.
                    self.born();
                }
            }
        }
    }

    async fn ask(&self, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.place.internal);
        let answer = self.client.get(url).send().await.ok()?;
        if answer.status().is_success() { answer.text().await.ok() } else { None }
    }

    async fn spools(&self) -> bool {
        let said = self.ask("/metrics").await.unwrap_or_default();
        said.lines()
            .any(|line| line.strip_prefix("curiad_outcomes_spooled ").is_some_and(|number| number != "0"))
    }

    async fn until_answer(&mut self, path: &str, what: &str, holds: impl Fn(&str) -> bool) {
        let limit = Instant::now() + PATIENCE;
        while !self.ask(path).await.is_some_and(|said| holds(&said)) {
            self.look();
            assert!(Instant::now() < limit, "waiting for {what}\n{}", tail(&self.place.log()));
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn until_incident(&mut self, status: &str, what: &str) {
        let is = |incident: &Value| incident["status"] == status || incident["status"] == "resolved";
        let all = |said: &str| {
            let read: Value = serde_json::from_str(said).unwrap_or_default();
            read.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is))
        };
        self.until_answer("/api/v1/incidents", &format!("the incident {what}"), all).await;
    }

    /// Everything is told and folded in, and it died as often as it was to.
    async fn until_settled(&mut self) {
        let nothing = |said: &str| {
            ["curiad_outbox_waiting 0", "curiad_inbox_waiting 0"]
                .iter()
                .all(|line| said.lines().any(|found| found == *line))
        };
        self.until_answer("/metrics", "everything to be told", nothing).await;
    }
}

fn start(place: &Place, doomed: Option<&String>) -> Program {
    let mut environment = vec![("CURIAD_CRASH_LEASE", OsStr::new(LEASE))];
    environment.extend(doomed.map(|point| ("CURIAD_CRASH_AT", OsStr::new(point))));
    place.serve_with(&environment)
}
