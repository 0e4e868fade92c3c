//! Serves pages made from Situations made by hand, to be looked at: `cargo run -p status-page --example look`.
//! Ports from 9700 up: all well, trouble, sixty APIs, one API, nothing yet; each public, then internal.
#![expect(clippy::unwrap_used, reason = "a tool for looking at pages; where it fails, it says so and stops")]

#[path = "../tests/pages/estate.rs"]
#[expect(clippy::indexing_slicing, reason = "made by hand: what it indexes is there")]
mod estate;

use domain::{Clock, Situation};
use status_page::{Options, Site, internal_router, public_router};
use std::{net::SocketAddr, sync::Arc};
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Serves each story on its own pair of ports from 9200 up, until interrupted.
#[tokio::main]
async fn main() {
    let stories: [(&str, Situation); 5] = [
        ("well", estate::all_well()),
        ("trouble", estate::trouble()),
        ("sixty", estate::sixty()),
        ("one", estate::one_api()),
        (
            "nothing",
            estate::fresh(vec![estate::api("results", "Results", "Canlyniadau", domain::Kind::FhirR4)]),
        ),
    ];
    let mut tasks = tokio::task::JoinSet::new();
    for (n, (name, situation)) in (0_u16..).zip(stories) {
        let store = Store::open("sqlite::memory:", [1; 32]).await.unwrap();
        if name != "nothing" {
            estate::past::remember(&store, &situation).await;
        }
        let (sender, receiver) = watch::channel(Arc::new(situation));
        let site = Site::new(receiver, store, Clock::new(estate::now), Options::default()).unwrap();
        tasks.spawn(site.clone().run(CancellationToken::new()));
        for (offset, router) in [(0, public_router(&site)), (1, internal_router(&site))] {
            let address = SocketAddr::from(([127, 0, 0, 1], 9700 + 2 * n + offset));
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            tasks.spawn(async move {
                let service = router.into_make_service_with_connect_info::<SocketAddr>();
                axum::serve(listener, service).await.unwrap();
            });
        }
        tasks.spawn(async move { sender.closed().await });
    }
    tasks.join_all().await;
}
