//! One recorder a database: this program stands by while another records, takes over when that one is silent, and says
//! that it lives once it records itself. Only where programs on several machines may share a database: `PostgreSQL`.

use crate::{
    holder::{Holder, plain},
    seat::Seat,
};
use alerting::Away;
use domain::{Situation, Unrecorded};
use status_page::Role;
use std::{convert::Infallible, process, sync::Arc, time::Duration};
use store::{Error, Lease, Store};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

/// Who records says so this often.
const BEAT: Duration = Duration::from_secs(2);
/// Who stands by looks this often whether it did.
const LOOK: Duration = Duration::from_secs(1);
/// Who did not for so long does not record any more: three beats were missed, and one may have been under way.
const SILENT: Duration = Duration::from_secs(8);
/// So many looks in a row must have found the silence: one who slept that long has not listened.
const LOOKS: u32 = 6;
/// A database that takes longer to say who records has not said it.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a standby shows is read this often, and in vain if it takes longer.
const READ: Duration = Duration::from_secs(3);
const READ_WITHIN: Duration = Duration::from_secs(10);

/// Takes the lease if nobody holds it, or who did was a program on this machine that is gone: started again after a crash,
/// there is nothing to wait for. `Some`: who holds it.
pub(crate) async fn take_if_free(store: &Store) -> Result<Option<Lease>, Error> {
    let lease = store.lease().await?;
    let free = lease.free || Holder::parse(&lease.holder).is_some_and(|holder| holder.is_gone());
    let taken = free && store.take(&lease, &this()).await?;
    Ok((!taken).then_some(lease))
}

/// Says that this program records, until all who write under the lease have ended: `writing` ends then. The error: another
/// program records, and this one must end.
pub(crate) async fn keep(store: Store, mut writing: mpsc::Receiver<Infallible>) -> Result<(), Error> {
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut away = Away::default();
    loop {
        tokio::select! {
            _ = writing.recv() => return Ok(()),
            _ = beat.tick() => {}
        }
        let why = match timeout(PATIENCE, store.beat()).await {
            Ok(Ok(())) => {
                away.answered();
                continue;
            }
            // It was given back in the meantime.
            Ok(Err(Error::Fenced)) if writing.is_closed() => return Ok(()),
            Ok(Err(Error::Fenced)) => return Err(Error::Fenced),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the database does not say in time that it heard it".to_owned(),
        };
        if away.failed().is_some() {
            tracing::warn!(why, "could not say that this program records");
        }
    }
}

/// Lets another program record at once.
pub(crate) async fn give_back(store: &Store) {
    match timeout(PATIENCE, store.release()).await {
        // Another has it already.
        Ok(Ok(()) | Err(Error::Fenced)) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "the lease was not given back: whoever stands by waits some seconds");
        }
        Err(_) => {
            tracing::warn!("the lease was not given back in time: whoever stands by waits some seconds");
        }
    }
}

/// Waits until the lease is taken, and keeps what is shown fresh: from then on this program alone may record.
pub(crate) async fn stand_by(seat: &Seat) {
    tokio::select! {
        () = listen(&seat.store) => {}
        () = keep_reading(seat) => {}
    }
    seat.unrecorded.send_replace(None);
}

async fn listen(store: &Store) {
    let (mut silence, mut away) = (Silence::default(), Away::default());
    loop {
        let why = match timeout(PATIENCE, store.lease()).await {
            Ok(Ok(lease)) => {
                away.answered();
                if silence.is_over(&lease, Instant::now()) && take(store, &lease).await {
                    return;
                }
                None
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the database does not say in time".to_owned()),
        };
        if let Some(why) = why {
            silence = Silence::default();
            if away.failed().is_some() {
                tracing::warn!(why, "cannot see whether the other program still records");
            }
        }
        sleep(LOOK).await;
    }
}

async fn take(store: &Store, lease: &Lease) -> bool {
    let before = plain(&lease.holder);
    match store.take(lease, &this()).await {
        Ok(true) if lease.free => {
            tracing::info!(before, "the other program stopped: this one records from now on");
            true
        }
        Ok(true) => {
            let silent = SILENT.as_secs();
            tracing::warn!(before, "nothing heard for {silent} s: this program records from now on");
            true
        }
        Ok(false) => {
            tracing::info!("somebody else was faster, or goes on after all: standing by");
            false
        }
        Err(error) => {
            tracing::warn!(%error, "could not take over; it is tried again");
            false
        }
    }
}

async fn keep_reading(seat: &Seat) {
    let (mut read_at, mut away) = (seat.clock.now(), Away::default());
    loop {
        sleep(READ).await;
        let now = seat.clock.now();
        let read = timeout(READ_WITHIN, seat.read(now)).await;
        let why = match read {
            Ok(Ok(situation)) => {
                read_at = now;
                seat.situation.send_replace(Arc::new(situation));
                seat.role.send_replace(Role::Standby { read_at });
                if away.answered().is_some() {
                    tracing::info!("what is shown is read again");
                    seat.unrecorded.send_replace(None);
                }
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the database has not answered within {} s", READ_WITHIN.as_secs()),
        };
        if away.failed().is_some() {
            tracing::warn!(why, "what is shown cannot be read again, and grows old");
        }
        // The one who records may be cut off from it, too: nobody is to take what stands there for how things are.
        if now.duration_since(read_at) >= seat.tells_after() {
            let known = Situation::clone(&seat.situation.borrow());
            seat.unrecorded.send_replace(Some(Arc::new(Unrecorded { since: read_at, why, known })));
        }
    }
}

/// How long nothing was heard of who records.
#[derive(Debug, Default)]
struct Silence {
    /// What was seen at first, when, and how often since.
    began: Option<(Lease, Instant, u32)>,
}

impl Silence {
    /// `lease` is seen now: whether it may be taken.
    fn is_over(&mut self, lease: &Lease, at: Instant) -> bool {
        match &mut self.began {
            Some((first, since, looks)) if first == lease => {
                *looks += 1;
                lease.free || (*looks >= LOOKS && at.duration_since(*since) >= SILENT)
            }
            Some(_) | None => {
                self.began = Some((lease.clone(), at, 1));
                lease.free
            }
        }
    }
}

/// Who this is.
fn this() -> String {
    Holder::this().map_or_else(|| format!("process {}", process::id()), |holder| holder.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(beat: i64, free: bool) -> Lease {
        Lease { fence: 1, holder: "other (process 1)".to_owned(), beat, free }
    }

    /// What is seen each second, and after how many of them the lease may be taken.
    fn taken_after(seen: impl Iterator<Item = Lease>) -> Option<usize> {
        let (mut silence, began) = (Silence::default(), Instant::now());
        seen.enumerate().position(|(n, lease)| {
            silence.is_over(&lease, began + Duration::from_secs(u64::try_from(n).unwrap()))
        })
    }

    #[test]
    fn who_is_silent_for_eight_seconds_is_taken_over_and_who_beats_is_not() {
        assert_eq!(taken_after((0..60).map(|_| lease(7, false))), Some(8));
        assert_eq!(taken_after((0..60).map(|n| lease(n / 7, false))), None);
        assert_eq!(taken_after((0..60).map(|n| lease(if n < 5 { 1 } else { 2 }, false))), Some(13));
    }

    #[test]
    fn what_was_given_back_is_taken_at_once() {
        assert_eq!(taken_after((0..60).map(|_| lease(7, true))), Some(0));
        assert_eq!(taken_after((0..60).map(|n| lease(n / 2, n >= 6))), Some(6));
    }

    #[test]
    fn who_slept_has_not_listened() {
        let (mut silence, began) = (Silence::default(), Instant::now());
        assert!(!silence.is_over(&lease(7, false), began));
        assert!(!silence.is_over(&lease(7, false), began + Duration::from_secs(3_600)));
    }
}
