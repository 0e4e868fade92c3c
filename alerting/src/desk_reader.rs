//! Reads back how tickets stand in their desks, and tells the rules what is new.

use crate::{Away, Setup, servicenow::MOST_READ};
use domain::{Channel, Clock, DeskId, Incident, IncidentId, Message, SeenTicket, Situation, Ticket, Told};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::Store;
use store::crash_point;
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// Desks are asked this often.
const EVERY: Duration = Duration::from_secs(60);
/// The ticket of an incident that is over is looked at for so long: it may come back.
const LATELY: SignedDuration = SignedDuration::from_hours(1);
/// A turn at a desk is waited for no longer than this.
const TURN: Duration = Duration::from_secs(10);
/// Tickets of one desk that are read in one look; the newest.
const MOST: usize = 500;

/// Reads tickets back.
#[derive(Debug, Clone)]
pub struct DeskReader {
    /// Where the inbox is.
    pub store: Store,
    /// Configuration and channels, as they now are.
    pub setup: watch::Receiver<Setup>,
    /// Which incidents have a ticket, and how it was seen last.
    pub situation: watch::Receiver<Arc<Situation>>,
    /// The time.
    pub clock: Clock,
    /// We hint here when something was put into the inbox.
    pub told: Arc<Notify>,
}

/// A ticket that is to be read: its record, its incident, and how it stood.
type Wanted = (String, IncidentId, Option<SeenTicket>);

impl DeskReader {
    /// Reads until `stop`, each desk once a minute while it has a ticket of ours.
    pub async fn run(&self, stop: CancellationToken) {
        let mut away: BTreeMap<DeskId, Away> = BTreeMap::new();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look(&mut away) => {}
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(EVERY) => {}
            }
        }
    }

    /// One look at every desk that has a ticket of ours.
    pub async fn read_once(&self) {
        self.look(&mut BTreeMap::new()).await;
    }

    async fn look(&self, away: &mut BTreeMap<DeskId, Away>) {
        let wanted = wanted(&self.situation.borrow(), self.clock.now());
        for (desk, tickets) in wanted {
            let away = away.entry(desk.clone()).or_default();
            match self.read(&desk, &tickets).await {
                Ok(()) => {
                    away.answered();
                }
                Err(why) => {
                    if away.failed().is_some() {
                        tracing::warn!(%desk, why, "how tickets stand cannot be read; it is tried again");
                    }
                }
            }
        }
    }

    async fn read(&self, desk: &DeskId, tickets: &[Wanted]) -> Result<(), String> {
        let channels = Arc::clone(&self.setup.borrow().channels);
        let Some(table) = channels.table(desk) else { return Ok(()) };
        for some in tickets.chunks(MOST_READ) {
            let records: Vec<&str> = some.iter().map(|(record, ..)| record.as_str()).collect();
            let turn = channels.turn(&Channel::Desk(desk.clone()), TURN).await;
            let _turn = turn.ok_or("as much goes through this desk as may at a time")?;
            let rows = table.read(&records).await.map_err(|error| error.why().to_owned())?;
            crash_point!("desk/read");
            for (record, incident, before) in some {
                let row = rows.iter().find(|(key, _)| key == record);
                if let Some((_, seen)) = row.filter(|(_, seen)| before.as_ref() != Some(seen)) {
                    self.tell(*incident, record, seen).await.map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(())
    }

    async fn tell(&self, incident: IncidentId, record: &str, seen: &SeenTicket) -> Result<(), store::Error> {
        let what = Message::Ticket { incident, record: record.to_owned(), seen: seen.clone() };
        self.store.tell(&Told { at: self.clock.now(), what }).await?;
        crash_point!("desk/read-back");
        self.told.notify_one();
        Ok(())
    }
}

/// The tickets of each desk, the newest incident first.
fn wanted(situation: &Situation, now: Timestamp) -> BTreeMap<DeskId, Vec<Wanted>> {
    let mut wanted: BTreeMap<DeskId, Vec<Wanted>> = BTreeMap::new();
    let of_late = |incident: &Incident| {
        incident.resolved_at.is_none_or(|resolved_at| now.duration_since(resolved_at) < LATELY)
    };
    for incident in situation.incidents.values().rev().filter(|incident| of_late(incident)) {
        if let Ticket::Raised { desk, record, seen, .. } = &incident.ticket {
            let tickets = wanted.entry(desk.clone()).or_default();
            if tickets.len() < MOST {
                tickets.push((record.clone(), incident.id, seen.as_deref().cloned()));
            }
        }
    }
    wanted
}
