//! One send: reconciled first where an earlier try may have arrived, worded from the incident as it is now.

use crate::{
    SendError, Setup,
    notify::Trace,
    servicenow::{NewTicket, correlation_id},
    words::{self, Facts, Try},
};
use domain::{Channel, Clock, DeskId, NotificationKind, PersonId, Sent};
use store::Claimed;

/// Sends what was claimed, or finds that it has arrived already.
///
/// Every try but the first looks before it sends: a lease that ran out, a time-out and a connection that broke all
/// leave open what the other side did.
pub(super) async fn send(setup: &Setup, claimed: &Claimed, clock: &Clock) -> Result<Sent, SendError> {
    let sending = Sending { setup, claimed, clock };
    match &claimed.notification.channel {
        Channel::Desk(desk) => sending.to_desk(desk).await,
        Channel::Text(person) => sending.to_telephone(person).await,
        Channel::DeskEmail(_) | Channel::Email(_) | Channel::Team(_) => sending.to_mailbox().await,
    }
}

struct Sending<'a> {
    setup: &'a Setup,
    claimed: &'a Claimed,
    clock: &'a Clock,
}

impl<'a> Sending<'a> {
    /// An earlier try may have arrived.
    const fn tried(&self) -> bool {
        self.claimed.uncertain || self.claimed.attempts > 0
    }

    fn in_time(&self) -> Result<(), SendError> {
        if self.clock.now() < self.claimed.notification.expires_at {
            Ok(())
        } else {
            Err(SendError::permanent("its time ran out before it could be sent"))
        }
    }

    fn facts(&self) -> Facts<'a> {
        Facts {
            incident: &self.claimed.incident,
            configuration: &self.setup.configuration,
            now: self.clock.now(),
        }
    }

    async fn to_desk(&self, desk: &DeskId) -> Result<Sent, SendError> {
        let table = self.setup.channels.table(desk).ok_or_else(|| {
            SendError::permanent(format!(
                "service desk {desk} has no system of its own: give it `servicenow`"
            ))
        })?;
        let (incident, notification) = (&*self.claimed.incident, &self.claimed.notification);
        match &notification.kind {
            NotificationKind::TicketOpen => {
                let reference = correlation_id(incident);
                if let Err(late) = self.in_time() {
                    let found =
                        if self.tried() { table.find(&reference, incident.priority).await? } else { None };
                    return found.ok_or(late);
                }
                let notes = incident
                    .api
                    .as_ref()
                    .and_then(|api| self.setup.configuration.apis.get(api))
                    .map(|api| &api.desk);
                let group = notes.zip(incident.layer).and_then(|(notes, layer)| notes.groups.get(&layer));
                table
                    .open(&NewTicket {
                        reference: &reference,
                        priority: incident.priority,
                        words: &words::ticket(&self.facts(), &reference),
                        group: group.map(String::as_str),
                        ci: notes.and_then(|notes| notes.ci.as_deref()),
                    })
                    .await
            }
            NotificationKind::TicketNote { record, note } => {
                if let Err(late) = self.in_time() {
                    let there = self.tried() && table.has_note(record, &notification.key).await?;
                    return if there {
                        Ok(Sent::Accepted { provider_id: record.clone() })
                    } else {
                        Err(late)
                    };
                }
                let text = words::note(&self.facts(), &notification.key, note);
                table.note(record, &notification.key, &text, self.tried()).await
            }
            NotificationKind::TicketFallback
            | NotificationKind::FallbackNote { .. }
            | NotificationKind::Callout { .. }
            | NotificationKind::StandDown { .. }
            | NotificationKind::Told
            | NotificationKind::ToldOver => {
                Err(SendError::permanent("a desk's own system takes tickets alone"))
            }
        }
    }

    /// Why a callout is not to be made any more: it was claimed, or failed once, before its withdrawal.
    fn called_off(&self) -> Option<SendError> {
        let incident = &self.claimed.incident;
        let callout = matches!(self.claimed.notification.kind, NotificationKind::Callout { .. });
        let stopped = incident.escalation.as_ref().and_then(|running| running.stopped.as_ref());
        let why = stopped.filter(|_| callout)?;
        Some(SendError::permanent(format!("called off: {why}")))
    }

    /// At least once: when Notify cannot be asked, the text goes out again and says so.
    async fn to_telephone(&self, person: &PersonId) -> Result<Sent, SendError> {
        let channels = &self.setup.channels;
        let texts =
            channels.texts().ok_or_else(|| SendError::permanent("no text service: configure `notify`"))?;
        let notification = &self.claimed.notification;
        let mut repeat = false;
        if self.tried() {
            match texts.trace(&notification.key, self.clock.now()).await {
                Ok(Trace::Taken(sent)) => return Ok(sent),
                Ok(Trace::Impossible) => {
                    return Err(SendError::permanent(
                        "GOV.UK Notify: the number does not exist or refuses texts",
                    ));
                }
                Ok(Trace::Unknown | Trace::Failed) => {}
                Err(error) => {
                    tracing::warn!(key = notification.key, %error, "cannot ask for a text's fate: it may go out twice");
                    repeat = true;
                }
            }
        }
        self.called_off().map_or(Ok(()), Err)?;
        self.in_time()?;
        let number = channels.number(person).ok_or_else(|| {
            SendError::permanent(format!("{person} has no telephone number: give them `text`"))
        })?;
        let language = self
            .setup
            .configuration
            .people
            .get(person)
            .map_or(domain::Language::En, |person| person.language);
        let attempt = Try { number: self.claimed.attempts.saturating_add(1), repeat };
        let text = words::text(&self.facts(), notification, language, attempt)?;
        texts.send(number, &text, &notification.key, self.clock.now()).await
    }

    /// Mail cannot be asked for: a repeat shares the first one's `Message-ID`.
    async fn to_mailbox(&self) -> Result<Sent, SendError> {
        self.called_off().map_or(Ok(()), Err)?;
        self.in_time()?;
        let channels = &self.setup.channels;
        let mail = channels.mail().ok_or_else(|| SendError::permanent("no mail server: configure `mail`"))?;
        let (incident, notification) = (&*self.claimed.incident, &self.claimed.notification);
        let to = channels
            .mailbox(&notification.channel)
            .ok_or_else(|| SendError::permanent("whom it is for has no mailbox: give them `email`"))?;
        let language = match &notification.channel {
            Channel::Email(person) => {
                self.setup.configuration.people.get(person).map(|person| person.language)
            }
            Channel::DeskEmail(_) | Channel::Team(_) | Channel::Desk(_) | Channel::Text(_) => None,
        };
        let letter = words::letter(&self.facts(), notification, language, &correlation_id(incident))?;
        mail.send(to, &letter, (incident, notification), self.clock.now()).await
    }
}
