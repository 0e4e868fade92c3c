//! Who hears Curiad's own heart: the dead-man check outside.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;

use crate::change::{Bell, Kept};
use crate::door::Door;
use crate::world::Now;

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Beats {
    /// How many beats.
    pub count: u64,
    /// When the last one came.
    pub last: Option<Timestamp>,
}

pub(crate) struct Ear {
    now: Now,
    beats: Kept<Beats>,
}

impl std::fmt::Debug for Ear {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Ear").field("beats", &self.beats).finish_non_exhaustive()
    }
}

impl Ear {
    pub(crate) fn new(now: Now, bell: &Bell) -> Self {
        Self { now, beats: Kept::new(Beats::default(), bell) }
    }
}

pub(crate) fn routes(ear: Arc<Ear>) -> axum::Router {
    axum::Router::new().route("/beat", get(hear).post(hear)).with_state(ear)
}

async fn hear(State(ear): State<Arc<Ear>>) -> &'static str {
    let now = (ear.now)();
    ear.beats.change(|beats| {
        beats.count += 1;
        beats.last = Some(now);
    });
    "OK"
}

/// The heartbeat receiver.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    ear: Arc<Ear>,
    door: Arc<Door>,
}

impl Heartbeat {
    pub(crate) fn new(ear: Arc<Ear>, door: Door) -> Self {
        Self { ear, door: Arc::new(door) }
    }

    /// The address to ask, by GET or POST.
    pub fn url(&self) -> String {
        format!("http://{}/beat", self.door.address())
    }

    /// What was heard so far.
    pub fn beats(&self) -> Beats {
        self.ear.beats.read(|beats| *beats)
    }
}
