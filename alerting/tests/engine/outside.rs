//! The world outside, as values: a desk, a carrier of texts, a mail server. Each may refuse, be silent, or do what it was
//! asked and not answer.

use alerting::{PagerAction, SendError, Trace};
use domain::{Channel, Incident, IncidentId, Notification, NotificationKind, Sent};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How an outside system behaves for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// 503, or nothing listens.
    Refuses,
    /// 429, come back later.
    Limits,
    /// It takes the request, does it, and the answer is lost.
    TakesAndIsSilent,
    /// The request is lost.
    IsSilent,
}

/// A ticket of the desk.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) reference: String,
    pub(crate) notes: Vec<String>,
    /// Of two for one incident, the later ones are said to be twins.
    pub(crate) twin: bool,
    /// Somebody at the desk made it of our mail.
    pub(crate) of_mail: bool,
    /// We made it, or found it.
    known: bool,
}

impl Record {
    const fn of(reference: String) -> Self {
        Self { reference, notes: Vec::new(), twin: false, of_mail: false, known: true }
    }
}

/// A message that a carrier took.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    pub(crate) notification: Notification,
    /// `None`: it is on its way.
    pub(crate) arrived: Option<bool>,
}

#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) records: Vec<Record>,
    pub(crate) carried: Vec<Carried>,
    /// By its key, whether a pager's alert is open.
    pub(crate) alerts: BTreeMap<String, bool>,
}

/// By what an incident's ticket is known: the part that the keys of all its notifications share, and which ticket it is.
fn reference(told: &Notification) -> String {
    let (incident, name) = told.key.split_once('/').expect("a key");
    match name.strip_prefix("ticket/").and_then(|rest| rest.split('/').next()) {
        Some(number) => format!("{incident}.{number}"),
        None => incident.to_owned(),
    }
}

/// What comes back, and whether something new was carried.
pub(crate) struct Answered<T> {
    pub(crate) answer: Result<T, SendError>,
    pub(crate) silent: bool,
}

fn answered<T>(mood: Mood, work: impl FnOnce() -> T) -> Answered<T> {
    let (answer, silent) = match mood {
        Mood::Well => (Ok(work()), false),
        Mood::Refuses => (Err(SendError::retryable("503")), false),
        Mood::Limits => {
            let after = Some(Duration::from_secs(40));
            (Err(SendError::Retryable { after, why: "429".into(), unclear: false }), false)
        }
        Mood::TakesAndIsSilent => {
            work();
            (Err(SendError::unclear("no answer")), true)
        }
        Mood::IsSilent => (Err(SendError::unclear("no answer")), true),
    };
    Answered { answer, silent }
}

impl Outside {
    fn ticket(&mut self, reference: &str, link: bool) -> Option<Sent> {
        let mut found =
            self.records.iter_mut().enumerate().filter(|(_, record)| record.reference == reference);
        let (at, first) = found.next()?;
        first.known = true;
        if link {
            found.for_each(|(_, twin)| twin.twin = true);
        }
        Some(ticket(at))
    }

    pub(crate) fn look(&mut self, told: &Notification, mood: Mood) -> Answered<Trace> {
        answered(mood, || match (&told.channel, &told.kind) {
            (Channel::Desk(_), NotificationKind::TicketOpen) => {
                self.ticket(&reference(told), true).map_or(Trace::Unknown, Trace::Taken)
            }
            (Channel::Desk(_), _) => {
                let there = self.records.iter().any(|record| record.notes.contains(&told.key));
                if there {
                    Trace::Taken(Sent::Accepted { provider_id: "note".into() })
                } else {
                    Trace::Unknown
                }
            }
            (Channel::Email(_) | Channel::DeskEmail(_) | Channel::Team(_), _) => Trace::Unknown,
            _ => {
                let of_it = || self.carried.iter().filter(|carried| carried.notification.key == told.key);
                if of_it().any(|carried| carried.arrived != Some(false)) {
                    Trace::Taken(Sent::Accepted { provider_id: "text".into() })
                } else if of_it().next().is_some() {
                    Trace::Failed
                } else {
                    Trace::Unknown
                }
            }
        })
    }

    /// `None`: it cannot be asked.
    pub(crate) fn look_again(&mut self, told: &Notification, mood: Mood) -> Option<Sent> {
        (mood == Mood::Well).then(|| self.ticket(&reference(told), true)).flatten()
    }

    /// `incident`: as whoever tells it believes it to be.
    pub(crate) fn act(&mut self, told: &Notification, incident: &Incident, mood: Mood) -> Answered<Sent> {
        answered(mood, || match (&told.channel, &told.kind) {
            (Channel::Desk(_), NotificationKind::TicketOpen) => {
                let reference = reference(told);
                self.records.push(Record::of(reference));
                ticket(self.records.len() - 1)
            }
            (Channel::Desk(_), NotificationKind::TicketNote { record, .. }) => {
                let number: usize = record.parse().expect("one of ours");
                self.records.get_mut(number).expect("one of ours").notes.push(told.key.clone());
                Sent::Accepted { provider_id: record.clone() }
            }
            (Channel::TeamPager(_), kind) => {
                let alert = reference(told);
                match PagerAction::of(kind, incident) {
                    PagerAction::Trigger => drop(self.alerts.insert(alert, true)),
                    PagerAction::Resolve => drop(self.alerts.get_mut(&alert).map(|open| *open = false)),
                    // Of what is not there it makes nothing.
                    PagerAction::Acknowledge => {}
                }
                Sent::Accepted { provider_id: String::new() }
            }
            // A repeat is known by its key.
            (Channel::Webhook(_) | Channel::TeamWebhook(_), _)
                if self.carried.iter().any(|carried| carried.notification.key == told.key) =>
            {
                Sent::Accepted { provider_id: String::new() }
            }
            _ => {
                self.carried.push(Carried { notification: told.clone(), arrived: None });
                Sent::Accepted { provider_id: self.carried.len().to_string() }
            }
        })
    }

    /// Somebody rings, and an agent opens a ticket for them: its number and its record.
    pub(crate) fn rings(&mut self) -> (String, String) {
        self.records.push(Record::of("a caller".to_owned()));
        let at = self.records.len() - 1;
        (number(at), at.to_string())
    }

    /// Somebody at the desk reads the mail that stands in for a ticket, and opens one with the reference that is in it.
    pub(crate) fn reads_mail(&mut self, told: &Notification) {
        let reference = reference(told);
        if !self.records.iter().any(|record| record.reference == reference) {
            self.records.push(Record { of_mail: true, known: false, ..Record::of(reference) });
        }
    }

    /// The references by which the desk has tickets of an incident.
    pub(crate) fn references_of(&self, incident: IncidentId) -> BTreeSet<&str> {
        self.records_of(incident).map(|record| record.reference.as_str()).collect()
    }

    /// How many tickets the desk has of an incident.
    pub(crate) fn of(&self, incident: IncidentId) -> usize {
        self.records_of(incident).count()
    }

    /// How many of them are said to be twins of another.
    pub(crate) fn twins_of(&self, incident: IncidentId) -> usize {
        self.records_of(incident).filter(|record| record.twin).count()
    }

    /// Somebody at the desk made one of them of our mail: meanwhile we may have made another.
    pub(crate) fn was_mailed(&self, incident: IncidentId) -> bool {
        self.records_of(incident).any(|record| record.of_mail)
    }

    /// The desk's keys of its tickets of an incident, but for those that are said to be twins of another.
    pub(crate) fn made_for(&self, incident: IncidentId) -> impl Iterator<Item = String> {
        let prefix = format!("{incident}-");
        let ours = move |(_, record): &(usize, &Record)| {
            record.reference.starts_with(&prefix) && !record.twin && record.known
        };
        self.records.iter().enumerate().filter(ours).map(|(at, _)| at.to_string())
    }

    fn records_of(&self, incident: IncidentId) -> impl Iterator<Item = &Record> {
        let prefix = format!("{incident}-");
        self.records.iter().filter(move |record| record.reference.starts_with(&prefix) && record.known)
    }
}

fn ticket(at: usize) -> Sent {
    Sent::Ticket { number: number(at), record: at.to_string(), mismatch: None }
}

fn number(at: usize) -> String {
    format!("INC{at:07}")
}
