//! A TCP proxy between a client and any server, on loopback, that cuts, stalls, delays and refuses when it is told.
//!
//! ```no_run
//! # async fn story(database: std::net::SocketAddr) -> std::io::Result<()> {
//! use simulator::{Blow, Proxy, When};
//! use std::time::Duration;
//!
//! let proxy = Proxy::postgres(database).await?;
//! // The server has committed; the client never hears of it.
//! proxy.plan(When::commit_unanswered(), Blow::Reset);
//! // … connect to `proxy.address()` and commit …
//! let words = proxy.until_struck(Duration::from_secs(10)).await.ok();
//! proxy.refuse().await; // the database is down
//! proxy.pass().await; // and back
//! proxy.stop().await;
//! # Ok(())
//! # }
//! ```

mod line;
mod plan;
mod postgres;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::DropGuard;

use crate::change::{Bell, Kept};
use crate::door::{Door, Tasks};
use crate::view::TimedOut;
use line::{Ledger, Line, Weather};
use plan::Plan;

pub use line::Traffic;
pub use plan::{Blow, Saying, Toward, When};

/// A TCP proxy: passes everything on both ways, until it is told otherwise. Dropping it hangs up.
#[derive(Debug)]
pub struct Proxy {
    line: Line,
    door: Door,
    bell: Bell,
    tasks: Tasks,
    _stop_with_it: DropGuard,
}

impl Proxy {
    /// A proxy on a free port of loopback, to this server. It knows bytes alone: of [`When`], only [`When::Bytes`].
    ///
    /// # Errors
    ///
    /// When no port can be bound.
    #[expect(clippy::unused_async, reason = "the listener belongs to the runtime that awaits this")]
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        Self::open(server, false)
    }

    /// The same to a PostgreSQL server: it tells messages apart, unless they are encrypted.
    ///
    /// # Errors
    ///
    /// When no port can be bound.
    #[expect(clippy::unused_async, reason = "the listener belongs to the runtime that awaits this")]
    pub async fn postgres(server: SocketAddr) -> io::Result<Self> {
        Self::open(server, true)
    }

    fn open(server: SocketAddr, framed: bool) -> io::Result<Self> {
        let (bell, tasks) = (Bell::new(), Tasks::new());
        let guard = tasks.stop.clone().drop_guard();
        let ledger = Kept::new(Ledger::default(), &bell);
        let line = Line { server, framed, ledger, weather: watch::Sender::new(Weather::default()) };
        let serving = line.clone();
        let serve = Arc::new(move |client| {
            let line = serving.clone();
            let work: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> =
                Box::pin(async move { line.serve(client).await });
            work
        });
        let door = Door::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &tasks, serve)?;
        Ok(Self { line, door, bell, tasks, _stop_with_it: guard })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Says what is to go wrong and when, once; it takes the place of an earlier plan that has not struck.
    pub fn plan(&self, when: When, blow: Blow) {
        self.line.ledger.change(|ledger| {
            ledger.plan = Some(Plan::new(when, blow));
            ledger.struck = None;
        });
    }

    /// Forgets the plan, if it has not struck.
    pub fn forget_plan(&self) {
        self.line.ledger.change(|ledger| ledger.plan = None);
    }

    /// Waits until the plan has struck: both sides have been cut off. Answers where, in words.
    ///
    /// # Errors
    ///
    /// When it has not within `limit`.
    pub async fn until_struck(&self, limit: Duration) -> Result<String, TimedOut> {
        self.wait_for(limit, |ledger| ledger.struck.clone()).await
    }

    /// Where the last plan struck, in words, if it has.
    pub fn struck(&self) -> Option<String> {
        self.line.ledger.read(|ledger| ledger.struck.clone())
    }

    /// Strikes at once, all connections that are there. Those it cuts are gone when this returns.
    pub async fn strike(&self, blow: Blow) {
        let last = self.line.ledger.change(|ledger| {
            ledger.traffic.blows += 1;
            ledger.traffic.accepted
        });
        self.line.weather.send_modify(|weather| match blow {
            Blow::Stall => weather.stalled = true,
            Blow::Reset | Blow::Close => weather.cut = Some((last, blow)),
        });
        if blow != Blow::Stall {
            let gone = self.wait_for(Duration::from_secs(10), |ledger| {
                let newer = ledger.traffic.accepted - last;
                (ledger.traffic.open <= newer).then_some(())
            });
            if gone.await.is_err() {
                tracing::warn!("connections that were cut are still there");
            }
        }
    }

    /// New connections are refused; those that are there stay.
    pub async fn refuse(&self) {
        self.door.set(false, false).await;
    }

    /// Every piece of at most 16 KiB waits this long, each way.
    pub fn delay(&self, by: Duration) {
        self.line.weather.send_modify(|weather| weather.delay = by);
    }

    /// Everything passes again: no stall, no delay, no refusal. A plan that has not struck stays.
    pub async fn pass(&self) {
        self.line.weather.send_modify(|weather| {
            weather.stalled = false;
            weather.delay = Duration::ZERO;
        });
        self.door.set(true, false).await;
    }

    /// What passed so far.
    pub fn traffic(&self) -> Traffic {
        self.line.ledger.read(|ledger| ledger.traffic.clone())
    }

    /// Waits until what passed is as it should be, and answers it.
    ///
    /// # Errors
    ///
    /// When it is not within `limit`.
    pub async fn until(
        &self,
        limit: Duration,
        mut is_so: impl FnMut(&Traffic) -> bool,
    ) -> Result<Traffic, TimedOut> {
        self.wait_for(limit, |ledger| is_so(&ledger.traffic).then(|| ledger.traffic.clone())).await
    }

    /// Hangs up and waits until all is still.
    pub async fn stop(self) {
        self.tasks.stop.cancel();
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
    }

    async fn wait_for<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&Ledger) -> Option<T>,
    ) -> Result<T, TimedOut> {
        let mut changes = self.bell.listen();
        let found = async {
            loop {
                if let Some(found) = self.line.ledger.read(&mut look) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(limit, found).await.ok().flatten().ok_or(TimedOut(limit))
    }
}
