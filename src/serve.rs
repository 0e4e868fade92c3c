//! Wires the rooms together: channels made, tasks started, listeners bound.

use crate::{
    config::{Listen, Loaded, shown},
    database,
    equipment::{Equipment, Handing},
    exit::{Failed, NO_PERMISSION, UNAVAILABLE, of_file},
    heartbeat::{beat, look_after},
    reload::{Fixed, Reload, Source, say_left},
    tasks::Tasks,
    terminal::Terminal,
};
use alerting::{Deliverer, Limits, REMEMBERED_FOR, Recorder, Recording};
use anyhow::Context;
use domain::{ApiId, Clock, Remembered, Secret, Situation};
use jiff::Timestamp;
use ring::rand::SecureRandom;
use status_page::Standing;
use std::{
    fs::{File, TryLockError},
    io,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};
use store::Store;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, watch},
};
use tokio_util::sync::CancellationToken;

/// Outcomes on their way to the recorder; more than that and probing slows.
const OUTCOMES: usize = 4_096;
/// Probes wanted out of turn on their way to the prober; hints, dropped when full.
const WANTED: usize = 1_024;
/// Folding a large write-ahead log into the database takes less.
const CLOSES_WITHIN: Duration = Duration::from_secs(10);
/// What runs, for those who watch it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    pub(crate) situation: watch::Receiver<Arc<Situation>>,
    store: Store,
    /// Kept until everything has stopped: the system lets go of the lock with the file.
    held: Option<File>,
}

impl Running {
    /// Closes the store, once all tasks have ended: what was written since is folded into the one file.
    pub(crate) async fn close(self) {
        if tokio::time::timeout(CLOSES_WITHIN, self.store.close()).await.is_err() {
            tracing::warn!(
                "the database did not close in time; nothing is lost, its log is read at the next start"
            );
        }
        // After the database: another may take it from now on.
        drop(self.held);
    }
}

/// `curiad serve`.
pub(crate) async fn serve(
    loaded: Loaded,
    source: Source,
    listen: Listen,
    clock: Clock,
) -> Result<(), Failed> {
    let mut tasks = Tasks::new();
    let reread = tasks.hang_up()?;
    let database = loaded.database.clone();
    let running = start((loaded, source), listen, clock, reread, &mut tasks).await?;
    let terminal = Terminal::new();
    terminal.line(&format!("public    http://{}", running.public));
    terminal.line(&format!("internal  http://{}", running.internal));
    terminal.line(&format!("database  {}", shown(database.reveal())));
    tasks.stop_on_signal();
    let ended = tasks.run().await;
    running.close().await;
    Ok(ended?)
}

/// Binds, opens, wires and starts everything. Fails before anything runs, or not at all. `reread`: "read the
/// configuration now".
pub(crate) async fn start(
    (loaded, source): (Loaded, Source),
    listen: Listen,
    clock: Clock,
    reread: Arc<Notify>,
    tasks: &mut Tasks,
) -> Result<Running, Failed> {
    let public = bind(listen.public, "--listen").await?;
    let internal = bind(listen.internal, "--listen-internal").await?;
    let store = open(&loaded.database).await?;
    let held = hold(&loaded.database)?;
    let now = clock.now();
    let remembered = store.remember(now - REMEMBERED_FOR).await?;
    let request_id_key = remembered.key.0;
    let equipment = Equipment::new(&loaded, &clock, request_id_key)?;
    let handing = Handing::new(&equipment);
    let standing = watch::Sender::new(Arc::new(first_standing(&loaded, &remembered, now)));
    let situation = Situation::new(Arc::clone(&loaded.configuration), remembered);

    let (outcomes_in, outcomes) = mpsc::channel(OUTCOMES);
    let (wanted_in, wanted) = mpsc::channel(WANTED);
    let (situation_in, situation_watch) = watch::channel(Arc::new(situation.clone()));
    let (inbox, outbox) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let recording = Arc::new(Recording::default());

    let recorder = Recorder {
        store: store.clone(),
        clock: clock.clone(),
        outcomes,
        configuration: handing.configuration.subscribe(),
        wanted: wanted_in,
        situation: situation_in,
        inbox: Arc::clone(&inbox),
        outbox: Arc::clone(&outbox),
        recording: Arc::clone(&recording),
    };
    let deliverer = Deliverer {
        store: store.clone(),
        setup: handing.setup.subscribe(),
        clock: clock.clone(),
        look: outbox,
        told: Arc::clone(&inbox),
        limits: Limits::default(),
    };

    let stop = tasks.stop.clone();
    // Who records stops after who probes: what was in flight when the signal came is recorded too.
    let (landed, landing) = (CancellationToken::new(), stop.clone());
    let recording_until = landed.clone();
    let work = handing.work.subscribe();
    let probing = async move {
        let _landed = landed.drop_guard();
        prober::run(work, wanted, outcomes_in, landing).await
    };
    tasks.add_pair(("recorder", recorder.run(situation, recording_until)), ("prober", probing));
    let stopping = stop.clone();
    tasks.add("deliverer", async move {
        deliverer.run(stopping).await;
        anyhow::Ok(())
    });
    let (well_in, well) = watch::channel(false);
    let watching =
        look_after(well_in, situation_watch.clone(), Arc::clone(&recording), clock.clone(), stop.clone());
    tasks.add("watch over itself", watching);
    tasks.add("heartbeat", beat(handing.beating.subscribe(), well, stop.clone()));
    let running = Running {
        public: public.local_addr().context("the public listener has no address")?,
        internal: internal.local_addr().context("the internal listener has no address")?,
        situation: situation_watch.clone(),
        store: store.clone(),
        held,
    };
    let pages = crate::pages::Pages {
        store,
        clock: clock.clone(),
        situation: situation_watch,
        recording,
        prober: Arc::clone(equipment.prober.metrics()),
        told: inbox,
        callback_tokens: handing.callback_tokens.subscribe(),
        standing: standing.subscribe(),
    };
    crate::pages::start(pages, public, internal, tasks)?;
    let fixed = Fixed::of(&loaded);
    let reload = Reload { source, fixed, equipment, handing, standing, asked: reread, clock, request_id_key };
    tasks.add("reading of the configuration", reload.run(stop));
    Ok(running)
}

/// How the configuration that the program starts with stands. One that lost an instance in production is taken all the
/// same: to refuse it would leave everything else without a watch too.
fn first_standing(loaded: &Loaded, remembered: &Remembered, now: Timestamp) -> Standing {
    let left = loaded.configuration.not_retired(remembered.in_production());
    let left_production: Vec<ApiId> = left.cloned().collect();
    for api in &left_production {
        say_left(api);
    }
    Standing { version: loaded.version.clone(), taken_at: Some(now), left_production, ..Standing::default() }
}

/// Opens the database, and says which one where that fails.
pub(crate) async fn open(database: &Secret) -> Result<Store, Failed> {
    // Before anything of it is open: what it reads of the file would let go of SQLite's locks on it.
    database::fit(database)?;
    Store::open(database.reveal(), fresh_key()?).await.map_err(|error| {
        let Failed { code, message } = Failed::from(error);
        Failed::new(code, format!("{}: {message}", shown(database.reveal())))
    })
}

/// One recorder a database: a second one would call people twice and lose what the first knows. The lock is the system's
/// own, on a file beside the database, so that it goes with the program however that ends.
pub(crate) fn hold(database: &Secret) -> Result<Option<File>, Failed> {
    let Some(path) = database::file(database).map(|file| database::lock(&file)) else { return Ok(None) };
    let lock = path.display();
    let file = File::create(&path).map_err(|error| {
        let next = "make its directory writable for the user who runs curiad";
        Failed::new(of_file(&error), format!("cannot write {lock}: {error}\n{next}"))
    })?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            let what = format!(
                "another curiad runs on {}\nstop it first, or give this one a database of its own",
                shown(database.reveal())
            );
            Err(Failed::new(UNAVAILABLE, what))
        }
        Err(TryLockError::Error(error)) => {
            let what = format!("cannot lock {lock}: {error}\nkeep the database on a local disk");
            Err(Failed::new(UNAVAILABLE, what))
        }
    }
}

async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, Failed> {
    TcpListener::bind(address).await.map_err(|error| {
        #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else is wrong, another address may do")]
        let (code, next) = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                (NO_PERMISSION, "ports below 1024 are for root: choose a higher one")
            }
            io::ErrorKind::AddrNotAvailable => {
                (UNAVAILABLE, "this machine has no such address: choose one it has")
            }
            _ => (UNAVAILABLE, "stop what uses it, or choose another address"),
        };
        Failed::new(code, format!("cannot listen on {address}: {error}\n{next} with {flag}"))
    })
}

pub(crate) fn fresh_key() -> Result<[u8; 32], Failed> {
    let mut key = [0; 32];
    ring::rand::SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| Failed::new(UNAVAILABLE, "the system gives no random numbers"))?;
    Ok(key)
}
