//! Curiad's own network, as far as it can tell: an address outside the NHS Wales network and one inside it. They accept
//! connections and say nothing; a side that is cut off refuses them.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;

use crate::door::{Door, Serve};

/// One side of the NHS Wales network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The internet.
    Outside,
    /// The NHS Wales network.
    Inside,
}

/// The two addresses.
#[derive(Debug, Clone)]
pub struct Network {
    outside: Arc<Door>,
    inside: Arc<Door>,
}

impl Network {
    pub(crate) fn new(outside: Door, inside: Door) -> Self {
        Self { outside: Arc::new(outside), inside: Arc::new(inside) }
    }

    fn door(&self, side: Side) -> &Door {
        match side {
            Side::Outside => &self.outside,
            Side::Inside => &self.inside,
        }
    }

    /// The address of a side.
    pub fn address(&self, side: Side) -> SocketAddr {
        self.door(side).address()
    }

    /// Cuts a side off, or joins it again; it holds when this returns.
    pub async fn cut_off(&self, side: Side, cut: bool) {
        self.door(side).set(!cut, cut).await;
    }
}

/// Listens to whatever comes, until the other side is done.
pub(crate) fn silence() -> Serve {
    Arc::new(|mut stream| {
        Box::pin(async move { while stream.read(&mut [0; 512]).await.is_ok_and(|bytes| bytes > 0) {} })
    })
}
