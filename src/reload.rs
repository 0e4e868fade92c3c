//! Takes a changed configuration while everything runs: the files are read and checked, then everybody is handed what is
//! made from them. Files that cannot be used change nothing: the configuration before them stays in force.

use crate::{
    config::{self, Listen, Loaded, Problem, Secrets, Stamps},
    equipment::{Equipment, Handing},
};
use domain::{ApiId, Clock, Secret};
use status_page::{Refused, Standing};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::{JoinError, spawn_blocking},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// The files are looked at so often.
const LOOK: Duration = Duration::from_secs(1);
/// Where there are so many files that a look takes long, it is taken more seldom: a four-hundredth of a core at most, but
/// never more seldom than this.
const SHARE: u32 = 400;
const LOOK_AT_MOST: Duration = Duration::from_secs(10);
/// Files that nobody touched for so long are finished: a check-out, or an editor, takes less between two of them.
const STILL: Duration = Duration::from_secs(2);
/// Problems of one reading that the log takes.
const LOGGED: usize = 100;

/// Where a configuration is read from, and what its files looked like just before they were.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) directory: PathBuf,
    pub(crate) stamps: Stamps,
}

/// What only a start puts in force.
#[derive(Debug, Clone)]
pub(crate) struct Fixed {
    database: Secret,
    spool: Option<PathBuf>,
    listen: Listen,
}

impl Fixed {
    pub(crate) fn of(loaded: &Loaded) -> Self {
        Self { database: loaded.database.clone(), spool: loaded.spool.clone(), listen: loaded.listen.clone() }
    }

    /// The keys in which `loaded` differs.
    fn changed(&self, loaded: &Loaded) -> Vec<&'static str> {
        let database = loaded.database.reveal() != self.database.reveal();
        let listen = loaded.listen != self.listen;
        let spool = loaded.spool != self.spool;
        [(database, "database"), (spool, "spool"), (listen, "listen")]
            .into_iter()
            .filter_map(|(is, key)| is.then_some(key))
            .collect()
    }
}

/// Takes a changed configuration while everything runs.
#[derive(Debug)]
pub(crate) struct Reload {
    pub(crate) source: Source,
    pub(crate) fixed: Fixed,
    /// What is in force.
    pub(crate) equipment: Equipment,
    pub(crate) handing: Handing,
    pub(crate) standing: watch::Sender<Arc<Standing>>,
    /// "Read the files now."
    pub(crate) asked: Arc<Notify>,
    pub(crate) clock: Clock,
    pub(crate) request_id_key: [u8; 32],
}

/// What came of reading the files: what is made from them, or what is wrong.
type Made = Result<(Loaded, Equipment), Vec<Problem>>;

impl Reload {
    /// Reads the files when asked, and whenever they were changed and have been still for a moment, until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            biased;
            // Also while it reads: a file system that gives no answer must not hold up the stop.
            () = stop.cancelled() => Ok(()),
            ended = self.watch() => ended,
        }
    }

    async fn watch(mut self) -> anyhow::Result<()> {
        let mut stillness = Stillness::new(self.source.stamps.clone());
        let mut pause = LOOK;
        loop {
            let asked = tokio::select! {
                biased;
                () = self.asked.notified() => true,
                () = tokio::time::sleep(pause) => false,
            };
            let began = Instant::now();
            let seen = self.look(&stillness.seen).await?;
            pause = (began.elapsed() * SHARE).clamp(LOOK, LOOK_AT_MOST);
            let still = stillness.is_due(seen, Instant::now());
            if !asked && !still {
                continue;
            }
            let (made, read) = self.read().await?;
            if self.look(&read).await? == read {
                stillness = Stillness::new(read);
                self.take(made);
            } else {
                tracing::info!(
                    "the configuration's files are being written; they are read once they are still"
                );
                stillness.again();
            }
        }
    }

    /// What the files look like now, and those elsewhere that are known.
    async fn look(&self, known: &Stamps) -> Result<Stamps, JoinError> {
        let (directory, known) = (self.source.directory.clone(), known.clone());
        spawn_blocking(move || Stamps::now(&directory, &known)).await
    }

    async fn read(&self) -> Result<(Made, Stamps), JoinError> {
        let (source, before) = (self.source.clone(), self.equipment.clone());
        let (clock, key) = (self.clock.clone(), self.request_id_key);
        let read = spawn_blocking(move || {
            let (loaded, stamps) = config::read(&source.directory, &Secrets::read(), clock.now());
            (loaded.and_then(|loaded| make(&source.directory, loaded, &before, &clock, key)), stamps)
        });
        match read.await {
            Ok(read) => Ok(read),
            Err(error) => {
                let hint = Some("this is a fault in Curiad: report it with the files".to_owned());
                let broke =
                    Problem::unfit(&self.source.directory, format!("reading it broke: {error}"), hint);
                Ok((Err(vec![broke]), self.look(&self.source.stamps).await?))
            }
        }
    }

    /// Puts what was made in force, or says why it cannot be.
    fn take(&mut self, made: Made) {
        let before = Arc::clone(&self.standing.borrow());
        let now = self.clock.now();
        let mut standing = Standing { readings: before.readings + 1, ..(*before).clone() };
        match made {
            Ok((loaded, equipment)) => {
                self.handing.hand_out(&equipment);
                standing.waits_for_restart = self.fixed.changed(&loaded);
                let still_gone = loaded.configuration.not_retired(before.left_production.iter());
                standing.left_production = still_gone.cloned().collect();
                standing.refused = None;
                standing.taken_at = Some(now);
                standing.version.clone_from(&loaded.version);
                self.equipment = equipment;
                say_taken(&loaded, &standing);
            }
            Err(problems) => {
                say_refused(&self.source.directory, &problems, &before.version);
                let problems = problems.iter().map(ToString::to_string).collect();
                standing.refused = Some(Refused { at: now, problems });
            }
        }
        self.standing.send_replace(Arc::new(standing));
    }
}

/// Makes what everybody works with, where nothing stands against it.
fn make(directory: &Path, loaded: Loaded, before: &Equipment, clock: &Clock, key: [u8; 32]) -> Made {
    let had = before.configuration.in_production();
    let left = config::left_production(directory, had, &loaded.configuration);
    if !left.is_empty() {
        return Err(left);
    }
    match before.again(&loaded, clock, key) {
        Ok(equipment) => Ok((loaded, equipment)),
        Err(failed) => Err(vec![Problem::unfit(&directory.join("curiad.yaml"), failed.message, None)]),
    }
}

fn say_taken(loaded: &Loaded, standing: &Standing) {
    let (version, configuration) = (&loaded.version, &loaded.configuration);
    let (apis, checks) = (configuration.apis.len(), configuration.checks.len());
    tracing::info!(version, apis, checks, "the configuration was read again and is in force");
    for warning in loaded.warnings.iter().take(LOGGED) {
        tracing::warn!("{warning}");
    }
    for key in &standing.waits_for_restart {
        tracing::warn!("'{key}' was changed and needs a restart; everything else is in force");
    }
    for api in &standing.left_production {
        say_left(api);
    }
}

fn say_refused(directory: &Path, problems: &[Problem], version: &str) {
    let (shown, count) = (directory.display(), problems.len());
    let noun = if count == 1 { "problem" } else { "problems" };
    tracing::error!(
        in_force = version,
        "{shown} was changed and cannot be used: {count} {noun}; what was in force stays"
    );
    for problem in problems.iter().take(LOGGED) {
        tracing::error!("{problem}");
    }
    if count > LOGGED {
        tracing::error!("and {} more; `curiad check` says them all", count - LOGGED);
    }
}

/// Loudly: nobody watches over it.
pub(crate) fn say_left(api: &ApiId) {
    tracing::error!(
        api = %api,
        "this API had an instance in production and has none now, though it was not retired: nobody watches over it; \
         put it back, or say 'lifecycle: retired' and 'environments: {{}}'"
    );
}

/// When files that were changed are finished.
#[derive(Debug)]
struct Stillness {
    /// As they were when they were last read; `None`: they are to be read again in any case.
    read: Option<Stamps>,
    /// As they were last seen.
    seen: Stamps,
    /// Since when they look so.
    since: Instant,
}

impl Stillness {
    fn new(read: Stamps) -> Self {
        Self { seen: read.clone(), read: Some(read), since: Instant::now() }
    }

    /// The files look like this now: whether they are to be read.
    fn is_due(&mut self, now: Stamps, at: Instant) -> bool {
        if now != self.seen {
            self.seen = now;
            self.since = at;
        }
        self.read.as_ref() != Some(&self.seen) && at.duration_since(self.since) >= STILL
    }

    /// They were written to while they were read.
    fn again(&mut self) {
        self.read = None;
        self.since = Instant::now();
    }
}
