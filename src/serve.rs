//! Wires the rooms together: channels made, tasks started, listeners bound.

use crate::{
    config::{Listen, Loaded, shown},
    database,
    exit::{Failed, NO_PERMISSION, UNAVAILABLE, of_file},
    tasks::Tasks,
    terminal::Terminal,
};
use alerting::{Channels, Deliverer, Limits, REMEMBERED_FOR, Recorder, Recording, Setup, heartbeat};
use anyhow::Context;
use domain::{Clock, Incident, Secret, Situation, next_action};
use jiff::{SignedDuration, Timestamp};
use prober::{Identity, NameServers, Prober, Settings};
use ring::rand::SecureRandom;
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
/// One request to a desk, a carrier or a mail server.
const PATIENCE: Duration = Duration::from_secs(20);
/// A recorder that has committed nothing for so long is not well: the heartbeat stops (invariant 6).
const RECORDS_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// Folding a large write-ahead log into the database takes less.
const CLOSES_WITHIN: Duration = Duration::from_secs(10);
/// How often it is asked whether all is well.
const LOOK: Duration = Duration::from_secs(1);

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
pub(crate) async fn serve(loaded: Loaded, listen: Listen, clock: Clock) -> Result<(), Failed> {
    let mut tasks = Tasks::new();
    let database = loaded.database.clone();
    let running = start(loaded, listen, clock, &mut tasks).await?;
    let terminal = Terminal::new();
    terminal.line(&format!("public    http://{}", running.public));
    terminal.line(&format!("internal  http://{}", running.internal));
    terminal.line(&format!("database  {}", shown(database.reveal())));
    tasks.stop_on_signal();
    let ended = tasks.run().await;
    running.close().await;
    Ok(ended?)
}

/// Binds, opens, wires and starts everything. Fails before anything runs, or not at all.
pub(crate) async fn start(
    loaded: Loaded,
    listen: Listen,
    clock: Clock,
    tasks: &mut Tasks,
) -> Result<Running, Failed> {
    let public = bind(listen.public, "--listen").await?;
    let internal = bind(listen.internal, "--listen-internal").await?;
    let store = open(&loaded.database).await?;
    let held = hold(&loaded.database)?;
    let now = clock.now();
    let remembered = store.remember(now - REMEMBERED_FOR).await?;
    let request_id_key = remembered.key.0;
    let configuration = Arc::clone(&loaded.configuration);
    let situation = Situation::new(Arc::clone(&configuration), remembered);

    let (outcomes_in, outcomes) = mpsc::channel(OUTCOMES);
    let (wanted_in, wanted) = mpsc::channel(WANTED);
    let (configured, configuration_watch) = watch::channel(Arc::clone(&configuration));
    let (situation_in, situation_watch) = watch::channel(Arc::new(situation.clone()));
    let (inbox, outbox) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let recording = Arc::new(Recording::default());

    let prober = Arc::new(prober(&loaded, &clock, request_id_key)?);
    let client = client(&loaded)?;
    let channels = Channels::new(loaded.directory.clone(), &client, PATIENCE)
        .map_err(|error| Failed::new(crate::exit::CONFIG, error.to_string()))?;
    let setup = Setup { configuration: Arc::clone(&configuration), channels: Arc::new(channels) };
    let (set_up, setup_watch) = watch::channel(setup);

    let recorder = Recorder {
        store: store.clone(),
        clock: clock.clone(),
        outcomes,
        configuration: configuration_watch.clone(),
        wanted: wanted_in,
        situation: situation_in,
        inbox: Arc::clone(&inbox),
        outbox: Arc::clone(&outbox),
        recording: Arc::clone(&recording),
    };
    let deliverer = Deliverer {
        store: store.clone(),
        setup: setup_watch,
        clock: clock.clone(),
        look: outbox,
        told: Arc::clone(&inbox),
        limits: Limits::default(),
    };

    let stop = tasks.stop.clone();
    let probing = prober::run(Arc::clone(&prober), configuration_watch, wanted, outcomes_in, stop.clone());
    tasks.add_pair(("recorder", recorder.run(situation, stop.clone())), ("prober", probing));
    let (stopping, keep) = (stop.clone(), (configured, set_up));
    tasks.add("deliverer", async move {
        deliverer.run(stopping).await;
        drop(keep);
        anyhow::Ok(())
    });
    if let Some(dead_man) = loaded.directory.dead_man.clone() {
        let (well_in, well) = watch::channel(false);
        let watching =
            look_after(well_in, situation_watch.clone(), Arc::clone(&recording), clock.clone(), stop.clone());
        tasks.add("watch over itself", watching);
        let stopping = stop.clone();
        tasks.add("heartbeat", async move {
            // Nothing can be said of a program that has only begun.
            let mut first = well.clone();
            tokio::select! {
                () = stopping.cancelled() => {}
                _ = first.changed() => {}
            }
            heartbeat(&dead_man, &client, well, stopping).await;
            anyhow::Ok(())
        });
    }
    let running = Running {
        public: public.local_addr().context("the public listener has no address")?,
        internal: internal.local_addr().context("the internal listener has no address")?,
        situation: situation_watch.clone(),
        store: store.clone(),
        held,
    };
    let pages = crate::pages::Pages {
        store,
        clock,
        situation: situation_watch,
        recording,
        prober,
        told: inbox,
        callback_tokens: loaded.callback_token.into_iter().collect(),
    };
    crate::pages::start(pages, public, internal, tasks)?;
    Ok(running)
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

/// A prober for the configuration's vantage.
pub(crate) fn prober(loaded: &Loaded, clock: &Clock, request_id_key: [u8; 32]) -> Result<Prober, Failed> {
    let vantage = loaded.configuration.vantages.first().context("the configuration has no vantage")?;
    let settings = Settings {
        vantage: vantage.id.clone(),
        guards: vantage.guards.clone(),
        roots: loaded.roots.clone(),
        clock: clock.clone(),
        limits: crate::descriptors::limits(),
        identity: Identity {
            request_id_key,
            user_agent: format!(
                "Curiad/{} (+{})",
                env!("CARGO_PKG_VERSION"),
                loaded.configuration.site.url.en
            ),
        },
        name_servers: NameServers::System,
    };
    Prober::new(settings).map_err(|error| Failed::new(crate::exit::CONFIG, error.to_string()))
}

/// Everything that goes out except probes: no redirects, no cookies, the host's roots and the configured ones.
pub(crate) fn client(loaded: &Loaded) -> Result<reqwest::Client, Failed> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("Curiad/", env!("CARGO_PKG_VERSION")));
    for root in &loaded.roots {
        builder = builder
            .add_root_certificate(reqwest::Certificate::from_der(root).context("an extra root certificate")?);
    }
    Ok(builder.build().context("cannot set up the HTTP client")?)
}

pub(crate) fn fresh_key() -> Result<[u8; 32], Failed> {
    let mut key = [0; 32];
    ring::rand::SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| Failed::new(UNAVAILABLE, "the system gives no random numbers"))?;
    Ok(key)
}

/// Says whether Curiad itself is well: the recorder commits, and nobody waits for a human in vain (invariant 10).
async fn look_after(
    well: watch::Sender<bool>,
    situation: watch::Receiver<Arc<Situation>>,
    recording: Arc<Recording>,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(LOOK);
    let began = clock.now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = look.tick() => {}
        }
        let now = clock.now();
        let committed_at = recording.committed_at();
        if committed_at.is_none() && now.duration_since(began) < RECORDS_WITHIN {
            continue;
        }
        let current = Arc::clone(&situation.borrow());
        well.send_replace(is_well(&current, committed_at, now));
    }
}

fn is_well(situation: &Situation, committed_at: Option<Timestamp>, now: Timestamp) -> bool {
    let records = committed_at.is_some_and(|at| now.duration_since(at).abs() < RECORDS_WITHIN);
    let attended = |incident: &Incident| {
        !Situation::is_waiting_for_a_human(incident) || next_action(situation, incident, now).is_some()
    };
    records && situation.open_incidents().all(|incident| attended(incident))
}
