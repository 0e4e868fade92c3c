//! Serves the pages: the site, its two listeners, and Curiad's own metrics.

use crate::{
    descriptors,
    exit::Failed,
    last_page,
    listener::{self, Proxies, Room},
    tasks::Tasks,
};
use alerting::Recording;
use anyhow::Context;
use domain::{Clock, Situation, Unrecorded};
use jiff::Timestamp;
use prober::ByVantage;
use status_page::{Callbacks, Options, Role, SetAside, Site, Standing, internal_router, public_router};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};
use store::Store;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};

/// What the pages are made from.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) situation: watch::Receiver<Arc<Situation>>,
    pub(crate) recording: Arc<Recording>,
    /// Whether what is seen is recorded.
    pub(crate) unrecorded: watch::Receiver<Option<Arc<Unrecorded>>>,
    /// Since when nothing can be delivered.
    pub(crate) undelivered: watch::Receiver<Option<Timestamp>>,
    /// Since when the thread of the recorder and the prober hangs.
    pub(crate) hangs: watch::Receiver<Option<Timestamp>>,
    /// What the probers count.
    pub(crate) probers: Arc<ByVantage>,
    /// "Look at the inbox", for the recorder.
    pub(crate) told: Arc<Notify>,
    /// A heartbeat could not be kept, for the recorder.
    pub(crate) unheard: Arc<AtomicBool>,
    /// What GOV.UK Notify sends with its receipts.
    pub(crate) callbacks: watch::Receiver<Arc<Callbacks>>,
    /// How the configuration stands to its files.
    pub(crate) standing: watch::Receiver<Arc<Standing>>,
    /// What the database refused for good.
    pub(crate) set_aside: watch::Receiver<SetAside>,
    /// What this program does on its database.
    pub(crate) role: watch::Receiver<Role>,
    /// How many lines of the log nobody read in time.
    pub(crate) log_lines_lost: Arc<AtomicU64>,
    /// Who may stand between us and our readers.
    pub(crate) proxies: Arc<Proxies>,
    /// Where the page is kept for a start without the database.
    pub(crate) kept_in: Option<PathBuf>,
}

/// Starts the site and its listeners; gives the site.
pub(crate) fn start(
    pages: Pages,
    public: TcpListener,
    internal: TcpListener,
    tasks: &mut Tasks,
) -> Result<Site, Failed> {
    let registry = prometheus::Registry::new();
    let [many, few] = descriptors::rooms();
    let now = tokio::time::Instant::now();
    let rooms = [Room::new("public", many, now), Room::new("internal", few, now)].map(Arc::new);
    let own = crate::metrics::Own::new(
        pages.recording,
        pages.probers,
        pages.standing.clone(),
        pages.role.clone(),
        rooms.clone(),
        pages.log_lines_lost,
    )
    .context("Curiad's own metrics cannot be described")?;
    registry.register(Box::new(own)).context("Curiad's own metrics cannot be registered")?;
    let options = Options {
        callbacks: pages.callbacks,
        standing: pages.standing,
        role: pages.role,
        registry,
        told: pages.told,
        unheard: pages.unheard,
        undelivered: pages.undelivered,
        hangs: pages.hangs,
        unrecorded: Some(pages.unrecorded),
        set_aside: pages.set_aside,
    };
    let site = Site::new(pages.situation, pages.store, pages.clock, options)
        .context("the pages cannot be rendered")?;
    let [outside, inside] = rooms;
    let stop = || tasks.stop.clone();
    let (public, internal) = (
        listener::serve(public, public_router(&site), Arc::clone(&pages.proxies), outside, stop()),
        listener::serve(internal, internal_router(&site), pages.proxies, inside, stop()),
    );
    tasks.add("public listener", public);
    tasks.add("internal listener", internal);
    if let Some(path) = pages.kept_in {
        tasks.add("keeping of the page", last_page::keep(site.clone(), path, tasks.stop.clone()));
    }
    let (stop, shown) = (tasks.stop.clone(), site.clone());
    tasks.add("pages", async move {
        shown.run(stop).await;
        anyhow::Ok(())
    });
    Ok(site)
}
