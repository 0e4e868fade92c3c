//! The recorder's seat: one program a database sits in it, and probes, records and tells.

use crate::{
    equipment::{Beating, Handing},
    heartbeat::{Records, beat, look_after},
    lease,
    newsroom::Newsroom,
    pulse::Pulse,
    sealer, spool,
    tasks::{GRACE, Tasks},
};
use alerting::{
    Alerter, Deliverer, DeskReader, LastResort, Limits, OutageLimits, REMEMBERED_FOR, Recorder, Recording,
    Setup, Spool,
};
use domain::{Clock, Configuration, Situation, Unrecorded};
use jiff::{SignedDuration, Timestamp};
use prober::Work;
use status_page::{Role, Site};
use std::{
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use store::{Store, crash_point};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Outcomes on their way to the recorder; more than that and probing slows.
const OUTCOMES: usize = 4_096;
/// Probes wanted out of turn on their way to the prober; hints, dropped when full.
const WANTED: usize = 1_024;

/// What is done when the store takes nothing.
#[derive(Debug)]
pub(crate) struct Outages {
    /// How long that may last before what is done.
    pub(crate) limits: OutageLimits,
    /// Where outcomes wait then.
    pub(crate) spool: Option<PathBuf>,
}

/// What is needed to take the seat.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    /// For all who show it.
    pub(crate) situation: watch::Sender<Arc<Situation>>,
    pub(crate) role: watch::Sender<Role>,
    /// "Look at the inbox."
    pub(crate) inbox: Arc<Notify>,
    /// A heartbeat could not be kept.
    pub(crate) unheard: Arc<AtomicBool>,
    pub(crate) recording: Arc<Recording>,
    /// Since when nothing can be recorded, and how things stand meanwhile.
    pub(crate) unrecorded: watch::Sender<Option<Arc<Unrecorded>>>,
    /// Since when nothing can be delivered.
    pub(crate) undelivered: watch::Sender<Option<Timestamp>>,
    /// Since when the thread of the recorder and the prober hangs.
    pub(crate) hangs: watch::Sender<Option<Timestamp>>,
    outages: Outages,
    history_every: Duration,
    configuration: watch::Receiver<Arc<Configuration>>,
    work: watch::Receiver<Work>,
    setup: watch::Receiver<Setup>,
    beating: watch::Receiver<Option<Beating>>,
    /// Others may want it: what is written looks at the lease, and they must hear that this one lives.
    leased: bool,
}

impl Seat {
    pub(crate) fn new(
        (store, leased): (Store, bool),
        clock: Clock,
        handing: &Handing,
        (situation, role): (Arc<Situation>, Role),
        outages: Outages,
        history_every: Duration,
    ) -> Self {
        Self {
            store,
            clock,
            situation: watch::Sender::new(situation),
            role: watch::Sender::new(role),
            inbox: Arc::default(),
            unheard: Arc::default(),
            recording: Arc::default(),
            unrecorded: watch::Sender::new(None),
            undelivered: watch::Sender::new(None),
            hangs: watch::Sender::new(None),
            outages,
            history_every,
            configuration: handing.configuration.subscribe(),
            work: handing.work.subscribe(),
            setup: handing.setup.subscribe(),
            beating: handing.beating.subscribe(),
            leased,
        }
    }

    /// The situation as the store has it.
    pub(crate) async fn read(&self, now: Timestamp) -> Result<Situation, store::Error> {
        let remembered = self.store.remember(now - REMEMBERED_FOR).await?;
        Ok(Situation::new(Arc::clone(&self.configuration.borrow()), remembered))
    }

    /// When nothing was read or recorded for so long, pages say so.
    pub(crate) fn tells_after(&self) -> SignedDuration {
        SignedDuration::try_from(self.outages.limits.tell_after).unwrap_or(SignedDuration::MAX)
    }

    /// The spool of who takes over. Whoever was frozen may still hold it on this machine: then outcomes wait in memory alone.
    pub(crate) fn spool(&self) -> Option<Spool> {
        spool::open(self.outages.spool.as_deref()).unwrap_or_else(|failed| {
            tracing::warn!("{}", failed.message);
            None
        })
    }

    fn newsroom(&self, site: Site) -> Newsroom {
        Newsroom {
            store: self.store.clone(),
            site,
            configuration: self.configuration.clone(),
            setup: self.setup.clone(),
            situation: self.situation.subscribe(),
            clock: self.clock.clone(),
        }
    }

    /// Takes it, with the `situation` as it was read since nobody else can write.
    #[expect(clippy::too_many_lines, reason = "who speaks to whom, in one place")]
    pub(crate) fn take(self, situation: Situation, site: Site, spool: Option<Spool>, tasks: &mut Tasks) {
        let stop = tasks.stop.clone();
        tasks.grace = GRACE + longest_clean_up(&situation.configuration);
        // Held by who writes under the lease, which is kept while one of them does.
        let (writing, written) = mpsc::channel(1);
        let leased = self.leased.then(|| self.store.clone());
        if let Some(store) = leased.clone() {
            tasks.add("lease", lease::keep(store, written));
        }
        // Held by the deliverer, the sealer, the newsroom and the postman until they have ended.
        let (delivering, mut sends) = mpsc::channel::<Infallible>(1);
        self.situation.send_replace(Arc::new(situation.clone()));
        self.role.send_replace(Role::Recorder);
        let (outcomes_in, outcomes) = mpsc::channel(OUTCOMES);
        let (wanted_in, wanted) = mpsc::channel(WANTED);
        let outbox = Arc::new(Notify::new());
        let (well_in, well) = watch::channel(false);
        let pulse = Pulse::default();
        let watching = look_after(
            well_in,
            self.situation.subscribe(),
            Records {
                recording: Arc::clone(&self.recording),
                undelivered: self.undelivered.subscribe(),
                within: self.tells_after(),
                pulse: pulse.clone(),
                hangs: self.hangs.clone(),
            },
            self.clock.clone(),
            stop.clone(),
        );
        let last_resort = LastResort {
            setup: self.setup.clone(),
            unrecorded: self.unrecorded.subscribe(),
            undelivered: self.undelivered.subscribe(),
            situation: self.situation.subscribe(),
            tell_after: self.tells_after(),
            clock: self.clock.clone(),
            recording: Arc::clone(&self.recording),
        };
        let standing = self.situation.subscribe();
        let desk_reader = DeskReader {
            store: self.store.clone(),
            setup: self.setup.clone(),
            situation: self.situation.subscribe(),
            clock: self.clock.clone(),
            told: Arc::clone(&self.inbox),
        };
        let alerter = Alerter {
            setup: self.setup.clone(),
            situation: self.situation.subscribe(),
            clock: self.clock.clone(),
        };
        let (store, inbox, clock) = (self.store.clone(), Arc::clone(&self.inbox), self.clock.clone());
        tasks.add("watch over the clock", crate::clock::watch(store, inbox, clock, stop.clone()));
        let configuration = self.configuration.clone();
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let sealing = sealer::run(store, configuration, clock, self.history_every, stop.clone());
        let phases = self.store.clone();
        let newsroom = self.newsroom(site);
        let recorder = Recorder {
            store: self.store.clone(),
            clock: self.clock.clone(),
            outcomes,
            configuration: self.configuration,
            wanted: wanted_in,
            situation: self.situation,
            inbox: Arc::clone(&self.inbox),
            unheard: self.unheard,
            outbox: Arc::clone(&outbox),
            recording: self.recording,
            spool,
            unrecorded: self.unrecorded,
            limits: self.outages.limits,
        };
        let deliverer = Deliverer {
            store: self.store,
            setup: self.setup,
            situation: standing,
            clock: self.clock,
            look: outbox,
            told: self.inbox,
            undelivered: self.undelivered,
            under_way: alerting::UnderWay::default(),
            limits: Limits::default(),
        };
        crash_point!("start/wired");
        // Who records stops after who probes: what was in flight when the signal came is recorded too.
        let (landed, landing) = (CancellationToken::new(), stop.clone());
        let (recording_until, stopping) = (landed.clone(), stop.clone());
        let recording = async move {
            let ended = recorder.run(situation, recording_until).await;
            stopping.cancel();
            sealer::put_phases(&phases).await;
            // Whoever writes last gives the lease back, and on the thread that its connection belongs to.
            sends.recv().await;
            drop(writing);
            if let Some(store) = leased {
                lease::give_back(&store).await;
            }
            ended
        };
        let work = self.work;
        let probing = async move {
            let _landed = landed.drop_guard();
            prober::run(work, wanted, outcomes_in, landing).await
        };
        tasks.add_pair(("recorder", recording), ("prober", probing), pulse);
        newsroom.start(&delivering, tasks);
        let stopping = stop.clone();
        let sealed = delivering.clone();
        tasks.add("sealer", async move {
            let _sealed = sealed;
            sealing.await;
            anyhow::Ok(())
        });
        tasks.add("deliverer", async move {
            let _delivering = delivering;
            deliverer.run(stopping).await;
            anyhow::Ok(())
        });
        let stopping = stop.clone();
        tasks.add("desk reader", async move {
            desk_reader.run(stopping).await;
            anyhow::Ok(())
        });
        let stopping = stop.clone();
        tasks.add("last resort", async move {
            last_resort.run(stopping).await;
            anyhow::Ok(())
        });
        let stopping = stop.clone();
        tasks.add("alerts", async move {
            alerter.run(stopping).await;
            anyhow::Ok(())
        });
        tasks.add("watch over itself", watching);
        tasks.add("heartbeat", beat(self.beating, well, stop));
    }
}

/// What the journeys that are probed may take to clean up after a stop, beyond what there is time for anyway.
fn longest_clean_up(configuration: &Configuration) -> Duration {
    let of = |check: &Arc<domain::Check>| {
        let domain::Request::Journey(journey) = &check.operation.request else { return None };
        Some(journey.clean_up_timeout)
    };
    configuration.checks.values().filter_map(of).max().unwrap_or_default()
}
