//! The site: makes a Snapshot when something changed, renders the front page at once — where nothing but the time is new:
//! only if the one before was looked at — and other pages when first asked for, and keeps them. The database is not in the path of a page (invariant 3).

use crate::{
    Audience, History, RenderError, Renderer, Role, SetAside, Snapshot, Standing, beats::Addresses,
    besides::Besides, callbacks::Callbacks, days, gather::gather, instance_view::AllInstances, limit::Limits,
    view::View,
};
use domain::{Clock, Situation, Unrecorded};
use jiff::Timestamp;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::Store;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// A view that nothing changed in is made again after this, so that its time stays honest.
const QUIET: Duration = Duration::from_secs(10);
/// Views are not made more often than this, however much changes; and where one takes long, that is a fifth of the time.
const BUSY: Duration = Duration::from_millis(200);
const SHARE: u32 = 5;
/// History is read again after this, or sooner when a status changed.
const HISTORY: Duration = Duration::from_secs(30);
/// History is not read more often than this.
const HISTORY_BUSY: Duration = Duration::from_secs(5);

/// What the program decides about the site.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who may tell us something at `/hooks`.
    pub callbacks: watch::Receiver<Arc<Callbacks>>,
    /// How the configuration stands to its files.
    pub standing: watch::Receiver<Arc<Standing>>,
    /// What this program does on its database: a standby shows what it has read, with the time when it read it.
    pub role: watch::Receiver<Role>,
    /// Metrics of Curiad itself, from all rooms, shown at `/metrics` beside the probes'.
    pub registry: prometheus::Registry,
    /// Told when something was appended to the inbox, so that the recorder need not find it by looking.
    pub told: Arc<Notify>,
    /// Set when a heartbeat could not be kept: nobody is to be blamed for a silence meanwhile.
    pub unheard: Arc<AtomicBool>,
    /// Since when what is to be told cannot be read.
    pub undelivered: watch::Receiver<Option<Timestamp>>,
    /// Since when the thread that probes and records hangs.
    pub hangs: watch::Receiver<Option<Timestamp>>,
    /// Whether what is seen is recorded; `None`: it is.
    pub unrecorded: Option<watch::Receiver<Option<Arc<Unrecorded>>>>,
    /// What the database refused for good.
    pub set_aside: watch::Receiver<SetAside>,
}

impl Options {
    /// Since when nothing was recorded, while that is so.
    pub(crate) fn unrecorded_since(&self) -> Option<Timestamp> {
        self.unrecorded.as_ref()?.borrow().as_ref().map(|unrecorded| unrecorded.since)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            callbacks: watch::Sender::default().subscribe(),
            standing: watch::Sender::default().subscribe(),
            role: watch::Sender::default().subscribe(),
            registry: prometheus::Registry::default(),
            told: Arc::default(),
            unheard: Arc::default(),
            undelivered: watch::Sender::default().subscribe(),
            hangs: watch::Sender::default().subscribe(),
            unrecorded: None,
            set_aside: watch::Sender::default().subscribe(),
        }
    }
}

/// The site. Cheap to clone; all clones serve the same views.
#[derive(Debug, Clone)]
pub struct Site(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) situation: watch::Receiver<Arc<Situation>>,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) renderer: Renderer,
    pub(crate) options: Options,
    pub(crate) limits: Limits,
    pub(crate) days: days::Kept,
    pub(crate) beats: Addresses,
    started_at: Timestamp,
    history: watch::Sender<Arc<History>>,
    public: watch::Sender<Arc<View>>,
    internal: watch::Sender<Arc<View>>,
}

impl Site {
    /// A site that shows `situation`; pages answer from now on, and stay fresh while [`Site::run`] runs.
    pub fn new(
        situation: watch::Receiver<Arc<Situation>>,
        store: Store,
        clock: Clock,
        options: Options,
    ) -> Result<Self, RenderError> {
        let now = clock.now();
        let renderer = Renderer::load()?;
        let history = Arc::new(History::default());
        let current = situation.borrow().clone();
        let besides = Besides::of(&options);
        let as_of = options.role.borrow().shown_at(now);
        let all = AllInstances::of(&current, &history, as_of);
        let view = |audience| View::make(&all, (&current, &history), &besides, audience, (as_of, now));
        let (public, internal) = (view(Audience::Public), view(Audience::Internal));
        public.warm(&renderer)?;
        internal.warm(&renderer)?;
        Ok(Self(Arc::new(Inner {
            situation,
            store,
            clock,
            renderer,
            options,
            limits: Limits::default(),
            days: days::Kept::default(),
            beats: Addresses::default(),
            started_at: now,
            history: watch::channel(history).0,
            public: watch::channel(Arc::new(public)).0,
            internal: watch::channel(Arc::new(internal)).0,
        })))
    }

    /// Keeps the views and the history fresh until `stop`, or until nothing will change any more.
    pub async fn run(self, stop: CancellationToken) {
        let work = async { tokio::join!(self.keep_views(), self.keep_history()) };
        tokio::select! {
            () = stop.cancelled() => {}
            ((), ()) = work => {}
        }
    }

    async fn keep_views(&self) {
        let mut situation = self.0.situation.clone();
        let mut history = self.0.history.subscribe();
        let (mut standing, mut role) = (self.0.options.standing.clone(), self.0.options.role.clone());
        let current = situation.borrow_and_update().clone();
        let mut took = self.show(&current, true);
        let mut shown = current.without_outcomes();
        drop(current);
        let mut unrecorded = self.0.options.unrecorded.clone();
        let mut set_aside = self.0.options.set_aside.clone();
        loop {
            let made = Instant::now();
            let since = self.view(Audience::Public).snapshot.unrecorded_since;
            let quiet = made + QUIET;
            let news = loop {
                let news = tokio::select! {
                    changed = situation.changed() => match changed {
                        Ok(()) => looks_different(&shown, &situation.borrow_and_update()).then_some(true),
                        Err(_) => return,
                    },
                    changed = history.changed() => changed.is_ok().then_some(false),
                    Ok(()) = standing.changed() => Some(true),
                    Ok(()) = set_aside.changed() => Some(true),
                    () = changed(unrecorded.as_mut()) =>
                        (self.0.options.unrecorded_since() != since).then_some(true),
                    // What is shown was read again: its time at least is another.
                    Ok(()) = role.changed() => Some(false),
                    () = tokio::time::sleep_until(quiet) => Some(false),
                };
                if let Some(news) = news {
                    break news;
                }
            };
            tokio::time::sleep_until(made + BUSY.max(took * (SHARE - 1))).await;
            let current = situation.borrow_and_update().clone();
            took = self.show(&current, news);
            shown = current.without_outcomes();
        }
    }

    async fn keep_history(&self) {
        let mut situation = self.0.situation.clone();
        loop {
            let begun = Instant::now();
            let current = situation.borrow_and_update().without_outcomes();
            let before = self.0.history.borrow().clone();
            match gather(&self.0.store, &current, self.0.clock.now(), &before).await {
                Ok(history) => {
                    self.0.history.send_replace(Arc::new(history));
                }
                Err(error) => {
                    tracing::warn!(%error, "the status page keeps the history it has: the store could not be read");
                }
            }
            let due = begun + HISTORY;
            loop {
                let changed = tokio::select! {
                    changed = situation.changed() => match changed {
                        Ok(()) => looks_different(&current, &situation.borrow_and_update()),
                        Err(_) => return,
                    },
                    () = tokio::time::sleep_until(due) => true,
                };
                if changed {
                    break;
                }
            }
            tokio::time::sleep_until(begun + HISTORY_BUSY).await;
        }
    }

    /// Makes both audiences' views of `situation` now. Without `news`, a view that nobody looks at is not rendered: with a
    /// thousand checks that is a fifth of all that the program does. Says how long it took.
    fn show(&self, situation: &Situation, news: bool) -> Duration {
        let began = Instant::now();
        let history = self.0.history.borrow().clone();
        let options = &self.0.options;
        let besides = Besides::of(options);
        let now = options.role.borrow().shown_at(self.0.clock.now());
        let all = AllInstances::of(situation, &history, now);
        for (audience, sender) in [(Audience::Public, &self.0.public), (Audience::Internal, &self.0.internal)]
        {
            let times = (now, self.0.started_at);
            let view = View::make(&all, (situation, &history), &besides, audience, times);
            let warm = news || sender.borrow().looked_at.load(Ordering::Relaxed);
            // A page that cannot be rendered is our mistake; the last good view stays, and its time tells.
            match if warm { view.warm(&self.0.renderer) } else { Ok(()) } {
                Ok(()) => {
                    sender.send_replace(Arc::new(view));
                }
                Err(error) => tracing::error!(%error, "the status page could not be rendered"),
            }
        }
        began.elapsed()
    }

    /// The newest view for `audience`.
    pub(crate) fn view(&self, audience: Audience) -> Arc<View> {
        match audience {
            Audience::Public => self.0.public.borrow().clone(),
            Audience::Internal => self.0.internal.borrow().clone(),
        }
    }

    /// All views for `audience` from now on.
    pub(crate) fn views(&self, audience: Audience) -> watch::Receiver<Arc<View>> {
        match audience {
            Audience::Public => self.0.public.subscribe(),
            Audience::Internal => self.0.internal.subscribe(),
        }
    }

    /// Whether what the store remembers was read.
    pub(crate) fn has_history(&self) -> bool {
        self.0.history.borrow().taken_at.is_some()
    }

    /// The newest Snapshot for `audience`.
    pub fn snapshot(&self, audience: Audience) -> Snapshot {
        self.view(audience).snapshot.clone()
    }
}

/// Until something is said of what is not recorded.
async fn changed(unrecorded: Option<&mut watch::Receiver<Option<Arc<Unrecorded>>>>) {
    let said = match unrecorded {
        Some(unrecorded) => unrecorded.changed().await.is_ok(),
        None => false,
    };
    if !said {
        std::future::pending::<()>().await;
    }
}

/// Whether a reader would see a difference beyond newer times: statuses, incidents, planned work, configuration.
fn looks_different(before: &Situation, after: &Situation) -> bool {
    !Arc::ptr_eq(&before.configuration, &after.configuration)
        || before.healths.size() != after.healths.size()
        || before.incidents.size() != after.incidents.size()
        || before.maintenances.size() != after.maintenances.size()
        || after.healths.iter().zip(before.healths.iter()).any(|((id, health), (next, old))| {
            // Mostly in the same order, which spares the search.
            let old = if id == next { Some(old) } else { before.healths.get(id) };
            old.is_none_or(|old| !same(old, health))
        })
        || after
            .incidents
            .iter()
            .any(|(id, incident)| before.incidents.get(id).is_none_or(|old| !same(old, incident)))
        || after
            .maintenances
            .iter()
            .any(|(id, planned)| before.maintenances.get(id).is_none_or(|old| old != planned))
}

/// A standby reads everything anew, though little of it changed.
fn same<T: PartialEq>(a: &Arc<T>, b: &Arc<T>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}
