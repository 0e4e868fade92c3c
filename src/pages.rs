//! Serves the pages: the site, its two listeners, and Curiad's own metrics.

use crate::{exit::Failed, tasks::Tasks};
use alerting::Recording;
use anyhow::Context;
use axum::Router;
use domain::{Clock, Secret, Situation, Unrecorded};
use jiff::Timestamp;
use prober::Metrics;
use status_page::{Options, Role, SetAside, Site, Standing, internal_router, public_router};
use std::{net::SocketAddr, sync::Arc};
use store::Store;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;

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
    /// What the prober counts.
    pub(crate) prober: Arc<Metrics>,
    /// "Look at the inbox", for the recorder.
    pub(crate) told: Arc<Notify>,
    /// What GOV.UK Notify sends with its receipts.
    pub(crate) callback_tokens: watch::Receiver<Arc<[Secret]>>,
    /// How the configuration stands to its files.
    pub(crate) standing: watch::Receiver<Arc<Standing>>,
    /// What the database refused for good.
    pub(crate) set_aside: watch::Receiver<SetAside>,
    /// What this program does on its database.
    pub(crate) role: watch::Receiver<Role>,
}

/// Starts the site and its listeners.
pub(crate) fn start(
    pages: Pages,
    public: TcpListener,
    internal: TcpListener,
    tasks: &mut Tasks,
) -> Result<(), Failed> {
    let registry = prometheus::Registry::new();
    let own =
        crate::metrics::Own::new(pages.recording, pages.prober, pages.standing.clone(), pages.role.clone())
            .context("Curiad's own metrics cannot be described")?;
    registry.register(Box::new(own)).context("Curiad's own metrics cannot be registered")?;
    let options = Options {
        notify_tokens: pages.callback_tokens,
        standing: pages.standing,
        role: pages.role,
        registry,
        told: pages.told,
        undelivered: pages.undelivered,
        unrecorded: Some(pages.unrecorded),
        set_aside: pages.set_aside,
    };
    let site = Site::new(pages.situation, pages.store, pages.clock, options)
        .context("the pages cannot be rendered")?;
    tasks.add("public listener", listen(public, public_router(&site), tasks.stop.clone()));
    tasks.add("internal listener", listen(internal, internal_router(&site), tasks.stop.clone()));
    let stop = tasks.stop.clone();
    tasks.add("pages", async move {
        site.run(stop).await;
        anyhow::Ok(())
    });
    Ok(())
}

async fn listen(listener: TcpListener, router: Router, stop: CancellationToken) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |stream| {
            // A page is one write: nothing is gained by waiting for more of it.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps its delay");
            }
        }),
        service,
    )
    .with_graceful_shutdown(stop.cancelled_owned())
    .await
}
