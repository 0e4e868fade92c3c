//! The one task tree (invariant 12): named tasks, one stop signal, an end within a grace period.

use crate::pulse::Pulse;
use anyhow::{Context, bail};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
    task::{JoinError, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// After the stop signal, tasks have so long to finish what they have in hand, where nothing takes longer to clean up.
pub(crate) const GRACE: Duration = Duration::from_secs(15);

/// Its number on Linux and on macOS.
const SIGXFSZ: i32 = 25;

/// What is left on a thread that ends is done within this.
const LAST_ERRANDS: Duration = Duration::from_secs(1);

/// The recorder and the prober, on their thread.
const PULSE: &str = "pulse";

/// How a task ended, and its name.
type Ended = Result<(&'static str, anyhow::Result<()>), JoinError>;

/// The tasks of a running program.
#[derive(Debug)]
pub(crate) struct Tasks {
    set: JoinSet<(&'static str, anyhow::Result<()>)>,
    /// The names of those that have not ended.
    running: Vec<&'static str>,
    /// What ended while something else was waited for.
    ended: Option<Ended>,
    /// What they have from the stop signal on.
    pub(crate) grace: Duration,
    /// Cancelled once: everything stops.
    pub(crate) stop: CancellationToken,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self {
            set: JoinSet::new(),
            running: Vec::new(),
            ended: None,
            grace: GRACE,
            stop: CancellationToken::new(),
        }
    }

    /// Adds a task. It runs until `stop`; if it ends before, the program ends.
    pub(crate) fn add<E>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Into<anyhow::Error>,
    {
        self.running.push(name);
        self.set.spawn(async move { (name, task.await.map_err(Into::into)) });
    }

    /// Adds two tasks that share one thread and nothing else: what they hand each other wakes no other thread.
    /// At 100 probes a second that is a quarter of what a probe costs (`benches/run probes`). The `pulse` says that it turns.
    pub(crate) fn add_pair<A: Into<anyhow::Error>, B: Into<anyhow::Error>>(
        &mut self,
        first: (&'static str, impl Future<Output = Result<(), A>> + Send + 'static),
        second: (&'static str, impl Future<Output = Result<(), B>> + Send + 'static),
        pulse: Pulse,
    ) {
        let stop = self.stop.clone();
        let both = async move {
            let first = until_stopped(first.0, async { first.1.await.map_err(Into::into) }, &stop);
            let second = until_stopped(second.0, async { second.1.await.map_err(Into::into) }, &stop);
            let (first, second, ()) = tokio::join!(first, second, pulse.beat(&stop));
            until_idle().await;
            first.and(second)
        };
        let thread = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.context("cannot start a thread of its own")?.block_on(both)
        });
        self.running.push(PULSE);
        self.set.spawn(async move {
            let ended =
                thread.await.unwrap_or_else(|error| Err(anyhow::Error::from(error).context("panicked")));
            (PULSE, ended)
        });
    }

    /// From now on everything stops at SIGTERM or Ctrl-C.
    pub(crate) fn stop_on_signal(&mut self) {
        let stop = self.stop.clone();
        // Listened for here, not when the task first runs: a signal in between would end the program with all it has in hand.
        let signals = stop_signals();
        self.add("signal", async move {
            let asked = tokio::select! {
                // Everything stops for another reason.
                () = stop.cancelled() => Ok(()),
                asked = signalled(signals) => asked,
            };
            stop.cancel();
            asked
        });
    }

    /// At SIGHUP whoever waits for what this gives is notified. From now on the signal ends nothing.
    pub(crate) fn hang_up(&mut self) -> anyhow::Result<Arc<Notify>> {
        let mut hung_up = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
        let (asked, stop) = (Arc::new(Notify::new()), self.stop.clone());
        let asks = Arc::clone(&asked);
        self.add("hang-up signal", async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return anyhow::Ok(()),
                    _ = hung_up.recv() => asks.notify_one(),
                }
            }
        });
        Ok(asked)
    }

    /// Waits for something while the tasks run. `None`: everything is to stop, or a task has ended by itself.
    pub(crate) async fn until<T>(&mut self, something: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            ended = self.set.join_next() => {
                self.ended = ended;
                None
            }
            done = something => Some(done),
        }
    }

    /// Waits until `stop` is cancelled or a task ends by itself, then stops the rest.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let stop = self.stop.clone();
        let first = tokio::select! {
            biased;
            Some(ended) = std::future::ready(self.ended.take()) => Some(ended),
            () = stop.cancelled() => None,
            ended = self.set.join_next() => ended,
        };
        if let Some(Ok((name, _))) = &first {
            self.running.retain(|running| running != name);
        }
        let mut outcome = match first {
            None => Ok(()),
            Some(Ok((_, Ok(())))) if stop.is_cancelled() => Ok(()),
            Some(Ok((name, Ok(())))) => Err(anyhow::anyhow!("the {name} ended unexpectedly")),
            Some(Ok((name, Err(error)))) => Err(error.context(format!("the {name} failed"))),
            Some(Err(error)) => Err(anyhow::Error::from(error).context("a task panicked")),
        };
        stop.cancel();
        let rest = async {
            while let Some(ended) = self.set.join_next().await {
                if let Ok((name, _)) = &ended {
                    self.running.retain(|running| running != name);
                }
                let ended = ended.map_or_else(
                    |error| Err(anyhow::Error::from(error).context("a task panicked")),
                    |(name, result)| result.with_context(|| format!("the {name} failed while stopping")),
                );
                if let Err(error) = ended {
                    tracing::error!("{error:#}");
                    if outcome.is_ok() {
                        outcome = Err(error);
                    }
                }
            }
        };
        let grace = self.grace;
        if timeout(grace, rest).await.is_err() {
            let late = anyhow::anyhow!(
                "not everything stopped within {} s ({}); what was in hand will be taken up at the next start",
                grace.as_secs(),
                self.running.join(", ")
            );
            if outcome.is_err() {
                tracing::warn!("{late:#}");
            }
            return outcome.and(Err(late));
        }
        outcome
    }
}

/// One of a pair: when it ends before anybody asked, the other is stopped and the program ends.
async fn until_stopped(
    name: &'static str,
    task: impl Future<Output = anyhow::Result<()>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let ended = task.await.with_context(|| format!("the {name} failed"));
    if stop.is_cancelled() {
        return ended;
    }
    stop.cancel();
    ended.and_then(|()| bail!("the {name} ended unexpectedly"))
}

/// What was put off, such as a connection on its way back to the pool, is done before its thread ends.
async fn until_idle() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let idle = async {
        while metrics.num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    };
    if timeout(LAST_ERRANDS, idle).await.is_err() {
        tracing::debug!("something was still to be done when its thread ended");
    }
}

/// A file that may grow no further is an error of its write, and no reason to end: by itself, SIGXFSZ would end us. Nor is
/// somebody who has gone while he was told something: where a second start failed (`allocator.rs`), SIGPIPE is deadly again.
pub(crate) fn outlive_writes() -> anyhow::Result<()> {
    // Listened to once, they never again have their own way.
    for (number, name) in [(SignalKind::from_raw(SIGXFSZ), "SIGXFSZ"), (SignalKind::pipe(), "SIGPIPE")] {
        drop(signal(number).with_context(|| format!("cannot listen for {name}"))?);
    }
    Ok(())
}

/// SIGTERM and Ctrl-C.
fn stop_signals() -> anyhow::Result<[Signal; 2]> {
    let terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    Ok([terminate, interrupt])
}

/// Until one of them comes.
async fn signalled(signals: anyhow::Result<[Signal; 2]>) -> anyhow::Result<()> {
    let [mut terminate, mut interrupt] = signals?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => tracing::info!("interrupted: stopping"),
    }
    Ok(())
}
