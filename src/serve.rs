//! Wires the rooms together: channels made, tasks started, listeners bound.

use crate::{
    config::{Listen, Loaded, is_postgres, shown},
    database,
    equipment::{Equipment, Handing},
    exit::{Failed, NO_PERMISSION, TRY_AGAIN, UNAVAILABLE, of_file},
    holder::plain,
    last_page,
    lease::{give_back, stand_by, take_if_free},
    reload::{Fixed, Reload, Source, say_left},
    seat::{Outages, Seat},
    spool,
    tasks::{Tasks, outlive_writes},
    terminal::Terminal,
};
use alerting::REMEMBERED_FOR;
use anyhow::Context;
use domain::{ApiId, Clock, Remembered, Secret, Situation};
use jiff::Timestamp;
use ring::rand::SecureRandom;
use status_page::{Role, SetAside, Site, Standing};
use std::{
    fs::{File, OpenOptions, Permissions, TryLockError},
    io,
    net::SocketAddr,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use store::{Store, crash_point};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};

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
    /// Until this program records; and who does, for people.
    waiting: Option<(Seat, Site, String)>,
}

impl Running {
    /// Shows pages until this program is the one that records, or is to stop; at once where it is already.
    pub(crate) async fn stand_by(&mut self, tasks: &mut Tasks) -> Result<(), Failed> {
        let Some((seat, site, _)) = self.waiting.take() else { return Ok(()) };
        if tasks.until(Box::pin(stand_by(&seat))).await.is_some() {
            match seat.read(seat.clock.now()).await {
                Ok(situation) => {
                    let spool = seat.spool();
                    seat.take(situation, site, spool, tasks);
                }
                Err(error) => {
                    give_back(&seat.store).await;
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

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
    log_lines_lost: Arc<AtomicU64>,
) -> Result<(), Failed> {
    outlive_writes()?;
    let mut tasks = Tasks::new();
    let reread = tasks.hang_up()?;
    let database = loaded.database.clone();
    tasks.stop_on_signal();
    let stop = tasks.stop.clone();
    let mut running = tokio::select! {
        biased;
        // Nothing runs yet.
        () = stop.cancelled() => return Ok(()),
        running = start((loaded, source), listen, (clock, log_lines_lost), reread, &mut tasks) => running?,
    };
    let mut said = vec![
        format!("public    http://{}", running.public),
        format!("internal  http://{}", running.internal),
        format!("database  {}", shown(database.reveal())),
    ];
    if let Some((_, _, holder)) = &running.waiting {
        said.push(format!(
            "standby   for {holder}, which records: pages are shown, nothing is probed or told"
        ));
    }
    // On a thread of its own: nobody may be reading, and we must stop all the same when we are told to.
    drop(tokio::task::spawn_blocking(move || Terminal::new().line(&said.join("\n"))));
    let stood_by = running.stand_by(&mut tasks).await;
    if stood_by.is_err() {
        tasks.stop.cancel();
    }
    let ended = tasks.run().await.map_err(why);
    crash_point!("stop/drained");
    running.close().await;
    crash_point!("stop/closed");
    stood_by.and(ended)
}

/// One that was taken over is no fault: started again, it stands by.
fn why(error: anyhow::Error) -> Failed {
    let fenced = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<store::Error>(), Some(store::Error::Fenced))
    };
    if error.chain().any(fenced) {
        let what = "another curiad records on this database now, so this one has stopped\n\
                    start it again, and it stands by";
        return Failed::new(TRY_AGAIN, what);
    }
    error.into()
}

/// Binds, opens, wires and starts everything. Fails before anything runs, or not at all. `reread`: "read the
/// configuration now".
pub(crate) async fn start(
    (loaded, source): (Loaded, Source),
    listen: Listen,
    (clock, log_lines_lost): (Clock, Arc<AtomicU64>),
    reread: Arc<Notify>,
    tasks: &mut Tasks,
) -> Result<Running, Failed> {
    let public = bind(listen.public, "--listen").await.map_err(|failed| taken(&loaded.database, failed))?;
    let internal =
        bind(listen.internal, "--listen-internal").await.map_err(|failed| taken(&loaded.database, failed))?;
    let spool_path = spool::path(&loaded);
    let page = last_page::path(spool_path.as_deref());
    let (store, [public, internal]) =
        last_page::open_or_show(&loaded.database, page.clone(), [public, internal]).await?;
    crash_point!("start/opened");
    let held = hold(&loaded.database)?;
    crash_point!("start/held");
    // A file is ours by the lock; elsewhere others may record, and must be asked.
    let leased = is_postgres(loaded.database.reveal());
    let other = if leased { take_if_free(&store).await? } else { None };
    // Who stands by has nothing to put there, and may share it with who records.
    let spool = if other.is_none() { spool::open(spool_path.as_deref())? } else { None };
    let now = clock.now();
    let remembered = store.remember(now - REMEMBERED_FOR).await?;
    crash_point!("start/remembered");
    let request_id_key = remembered.key.0;
    let equipment = Equipment::new(&loaded, &clock, request_id_key)?;
    let handing = Handing::new(&equipment);
    let standing = watch::Sender::new(Arc::new(first_standing(&loaded, &remembered, now)));
    let situation = Situation::new(Arc::clone(&loaded.configuration), remembered);
    let role = if other.is_some() { Role::Standby { read_at: now } } else { Role::Recorder };
    let shown = Arc::new(situation.clone());
    let set_aside = watch::Sender::new(SetAside::default());
    let refused = set_aside.subscribe();
    if let Some(spool) = spool_path.clone() {
        tasks.add("look at what is set aside", crate::set_aside::look(spool, set_aside, tasks.stop.clone()));
    }
    let outages = Outages { limits: loaded.outage, spool: spool_path };
    let every = loaded.history_every;
    let seat = Seat::new((store.clone(), leased), clock.clone(), &handing, (shown, role), outages, every);

    let pages = crate::pages::Pages {
        store: store.clone(),
        clock: clock.clone(),
        situation: seat.situation.subscribe(),
        recording: Arc::clone(&seat.recording),
        unrecorded: seat.unrecorded.subscribe(),
        undelivered: seat.undelivered.subscribe(),
        hangs: seat.hangs.subscribe(),
        probers: Arc::clone(equipment.prober.by_vantage()),
        told: Arc::clone(&seat.inbox),
        unheard: Arc::clone(&seat.unheard),
        callbacks: handing.callbacks.subscribe(),
        standing: standing.subscribe(),
        role: seat.role.subscribe(),
        set_aside: refused,
        log_lines_lost,
        proxies: Arc::new(listen.proxies),
        kept_in: page,
    };
    let mut running = Running {
        public: public.local_addr().context("the public listener has no address")?,
        internal: internal.local_addr().context("the internal listener has no address")?,
        situation: seat.situation.subscribe(),
        store,
        held,
        waiting: None,
    };
    let site = crate::pages::start(pages, public, internal, tasks)?;
    let fixed = Fixed::of(&loaded);
    let reload = Reload { source, fixed, equipment, handing, standing, asked: reread, clock, request_id_key };
    tasks.add("reading of the configuration", reload.run(tasks.stop.clone()));
    match other {
        None => seat.take(situation, site, spool, tasks),
        Some(lease) => running.waiting = Some((seat, site, plain(&lease.holder).to_owned())),
    }
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
    Store::open(database.reveal(), fresh_key()?).await.map_err(|error| database::of(database, error))
}

/// One recorder a database: a second one would call people twice and lose what the first knows. The lock is the system's
/// own, on a file beside the database, so that it goes with the program however that ends.
pub(crate) fn hold(database: &Secret) -> Result<Option<File>, Failed> {
    let Some(file) = database::file(database) else { return Ok(None) };
    // Its owner's alone: whoever may open it can lock it.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let make = |path: &Path| {
        options.open(path).map_err(|error| {
            let next = "make its directory writable for the user who runs curiad";
            Failed::new(of_file(&error), format!("cannot write {}: {error}\n{next}", path.display()))
        })
    };
    // What a link leads to has a name only once it is there.
    if !file.exists() {
        make(&file)?;
    }
    let path = database::lock(&file);
    let (file, lock) = (make(&path)?, path.display());
    if let Err(error) = file.set_permissions(Permissions::from_mode(0o600)) {
        tracing::debug!(%error, "a lock of somebody else's stays as it is");
    }
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

/// Why a port is not free: another `serve` has the database too, and that is to be said first.
fn taken(database: &Secret, failed: Failed) -> Failed {
    let lock = database::file(database).map(|file| database::lock(&file));
    if lock.is_some_and(|lock| lock.exists()) { hold(database).err().unwrap_or(failed) } else { failed }
}

/// Listens there; `flag` is what chooses another place.
pub(crate) async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, Failed> {
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
