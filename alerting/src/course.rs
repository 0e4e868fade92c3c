//! The course of one send: what the other side is asked, in which order, and what is made of its answers.
//!
//! Pure. The deliverer takes it against the real world, and `tests/engine` against one that does its worst.

use crate::{SendError, next_try, pagerduty::Action};
use domain::{Channel, Incident, IncidentStatus, NotificationKind, Sent};
use jiff::Timestamp;
use store::{Claimed, Settlement};

/// What is to be done next about a claimed notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask whether the other side has it.
    Look,
    /// Do what it is for: make the ticket, write the note, send the message.
    Act {
        /// It may have arrived already, and nobody can tell: it says so.
        repeat: bool,
    },
    /// A ticket was made; another writer may have made one at the same time. Of two the oldest is kept.
    LookAgain(Sent),
    /// What came of it.
    End(Result<Sent, SendError>),
}

/// What the other side has of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trace {
    /// It has it.
    Taken(Sent),
    /// It took it and could not bring it to its place: another may do better.
    Failed,
    /// It took it, and it can never arrive.
    Impossible {
        /// Why.
        why: String,
    },
    /// It never saw it.
    Unknown,
    /// It cannot be asked; but however often it is told, it does it once.
    Once,
}

/// The course of one claimed notification.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a>(&'a Claimed);

impl<'a> Course<'a> {
    /// Of what was claimed.
    pub const fn of(claimed: &'a Claimed) -> Self {
        Self(claimed)
    }

    /// Every try but the first looks before it sends: a lease that ran out, a time-out and a connection that broke all
    /// leave open what the other side did. For a ticket the first looks too: somebody else may have made it.
    pub fn begin(self, now: Timestamp) -> Step {
        match (&self.0.notification.channel, &self.0.notification.kind) {
            (Channel::Desk(_), NotificationKind::TicketOpen) => match self.late(now) {
                Some(late) if !self.tried() => Step::End(Err(late)),
                Some(_) | None => Step::Look,
            },
            (
                Channel::Desk(_)
                | Channel::Text(_)
                | Channel::Voice(_)
                | Channel::Email(_)
                | Channel::Team(_),
                _,
            ) if self.tried() => Step::Look,
            // Nor can a chat, and it has no name for what is the same: a repeat says so.
            (Channel::TeamChat(_), _) => self.act(self.tried(), now),
            // A mail server cannot be asked: a repeat shares the first one's `Message-ID`; others know it by its key.
            (
                Channel::Desk(_)
                | Channel::Text(_)
                | Channel::Voice(_)
                | Channel::DeskEmail(_)
                | Channel::Email(_)
                | Channel::Team(_)
                | Channel::Webhook(_)
                | Channel::TeamWebhook(_)
                | Channel::TeamPager(_),
                _,
            ) => self.act(false, now),
        }
    }

    /// The other side was asked.
    pub fn looked(self, seen: Result<Trace, SendError>, now: Timestamp) -> Step {
        match seen {
            Ok(Trace::Taken(sent)) => Step::End(Ok(sent)),
            Ok(Trace::Impossible { why }) => Step::End(Err(SendError::Permanent { why })),
            // What it may have made is known only by telling it again, even if nobody wants it any more.
            Ok(Trace::Once) if self.tried() => match self.late(now) {
                Some(late) => Step::End(Err(late)),
                None => Step::Act { repeat: false },
            },
            Ok(Trace::Unknown | Trace::Failed | Trace::Once) => self.act(false, now),
            // A person is waited for: the text or the call goes out again and says so. Of a ticket or a note there is one.
            Err(_) if self.is_for_people() => self.act(true, now),
            Err(error) => Step::End(Err(error)),
        }
    }

    /// Before a callout is made: it was claimed a while ago, and its incident is now like this. Whoever answered or ended it
    /// meanwhile has called it off.
    pub fn as_it_is_now(self, step: Step, incident: &Incident) -> Step {
        match (step, self.called_off(incident)) {
            (Step::Act { .. }, Some(off)) => Step::End(Err(off)),
            (step, _) => step,
        }
    }

    /// It was done, or not.
    pub fn acted(self, result: Result<Sent, SendError>) -> Step {
        match result {
            Ok(made @ Sent::Ticket { .. }) => Step::LookAgain(made),
            result => Step::End(result),
        }
    }

    /// A pager was told of the incident as it was `then`, and it is like this `now` (`None`: nobody can tell): whatever it was
    /// told late, and in whichever order, it is told how things stand.
    pub fn is_still_so(self, step: Step, then: &Incident, now: Option<&Incident>) -> Step {
        let Step::End(Ok(_)) = &step else { return step };
        let kind = &self.0.notification.kind;
        match now {
            Some(now) if Action::of(kind, now) == Action::of(kind, then) => step,
            Some(_) => Step::Act { repeat: false },
            None => Step::End(Err(SendError::unclear("whether that is still so could not be read"))),
        }
    }

    /// Whether it tells a pager, which has a state of its own.
    pub const fn is_pager(self) -> bool {
        matches!(self.0.notification.channel, Channel::TeamPager(_))
    }

    /// The desk was asked again. When it cannot be asked, `made` is there and known all the same.
    pub fn looked_again(self, made: Sent, found: Option<Sent>) -> Step {
        Step::End(Ok(found.unwrap_or(made)))
    }

    /// What becomes of it, and what the rules are to hear.
    pub fn ended(self, sent: Result<Sent, SendError>, now: Timestamp) -> (Settlement, Vec<Sent>) {
        let error = match sent {
            Ok(sent) => {
                let provider_id = match &sent {
                    Sent::Accepted { provider_id } | Sent::InPart { provider_id, .. } => provider_id.clone(),
                    Sent::Ticket { number, .. } => number.clone(),
                    Sent::Delivered | Sent::Unclear { .. } | Sent::GivenUp { .. } => String::new(),
                };
                return (Settlement::Sent { provider_id }, vec![sent]);
            }
            Err(error) => error,
        };
        let settlement = next_try(&self.0.notification, self.number(), &error, now);
        let mut said = Vec::new();
        if self.is_unclear(&error) {
            said.push(Sent::Unclear { why: error.why().to_owned() });
        }
        if let Settlement::GivenUp { why } = &settlement {
            said.push(Sent::GivenUp { why: why.clone() });
        }
        (settlement, said)
    }

    /// Which try it is, from 1.
    pub const fn number(self) -> u32 {
        self.0.attempts.saturating_add(1)
    }

    /// An earlier try may have arrived.
    pub const fn tried(self) -> bool {
        self.0.uncertain || self.0.attempts > 0
    }

    fn act(self, repeat: bool, now: Timestamp) -> Step {
        match self.called_off(&self.0.incident).or_else(|| self.late(now)) {
            Some(error) => Step::End(Err(error)),
            None => Step::Act { repeat },
        }
    }

    fn late(self, now: Timestamp) -> Option<SendError> {
        (now >= self.0.notification.expires_at)
            .then(|| SendError::permanent("its time ran out before it could be sent"))
    }

    /// Why a callout or a ticket is not to be made any more, or not now: it was claimed, or failed once, before that was so.
    fn called_off(self, incident: &Incident) -> Option<SendError> {
        if self.0.notification.kind == NotificationKind::TicketOpen {
            let another = incident.has_another_ticket_than(&self.0.notification.key);
            return another.then(|| SendError::permanent("called off: another ticket was linked"));
        }
        let running = incident.escalation.as_ref().filter(|_| self.is_callout())?;
        if let Some(why) = &running.stopped {
            return Some(SendError::permanent(format!("called off: {why}")));
        }
        // It goes out should it fail again in time, and is withdrawn when it is over.
        let works = incident.status == IncidentStatus::Recovering;
        works.then(|| SendError::retryable("not now: it works again"))
    }

    /// Whether it goes to a person or a team, who have it rather twice than never.
    const fn is_for_people(self) -> bool {
        matches!(
            self.0.notification.channel,
            Channel::Text(_) | Channel::Voice(_) | Channel::Email(_) | Channel::Team(_)
        )
    }

    /// Whether it calls somebody.
    pub const fn is_callout(self) -> bool {
        matches!(self.0.notification.kind, NotificationKind::Callout { .. })
    }

    /// Whether a call may have reached somebody although nothing says so: whoever answers or ends it must stand them down.
    /// Mail and programs cannot be asked about what an earlier claim did before its lease ran out.
    fn is_unclear(self, error: &SendError) -> bool {
        let unasked = matches!(self.0.notification.channel, Channel::Email(_) | Channel::Webhook(_));
        self.is_callout() && (error.is_unclear() || (self.0.uncertain && unasked))
    }
}
