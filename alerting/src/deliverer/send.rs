//! One send: its course (`course.rs`), taken against the real world, and worded from the incident as it is now.

use crate::{
    Course, SendError, Setup, Step, Trace,
    channels::System,
    notify::{MessageKind, TextService},
    servicenow::{NewTicket, correlation_id, given_up},
    twilio::VoiceService,
    words::{self, Facts, Try},
};
use domain::{Channel, Clock, DeskId, NotificationKind, PersonId, Secret, Sent};
use std::sync::Arc;
use store::{Claimed, Store, crash_point};

/// Sends what was claimed, or finds that it has arrived already.
pub(super) async fn send(
    store: &Store,
    setup: &Setup,
    claimed: &Claimed,
    clock: &Clock,
) -> Result<Sent, SendError> {
    let mut sending = Sending { setup, claimed, incident: Arc::clone(&claimed.incident), clock };
    let course = Course::of(claimed);
    let mut step = course.begin(clock.now());
    loop {
        if matches!(step, Step::Act { .. }) && (course.is_callout() || course.is_pager()) {
            // Where the store cannot be asked the call is made: one too many is safer than none.
            if let Ok(Some(incident)) = store.incident(claimed.notification.incident).await {
                step = course.as_it_is_now(step, &incident);
                sending.incident = Arc::new(incident);
            }
        }
        step = match step {
            Step::Look => course.looked(sending.look().await, clock.now()),
            Step::Act { repeat } => {
                let step = course.acted(sending.act(repeat).await);
                if course.is_pager() {
                    let now = store.incident(claimed.notification.incident).await.ok().flatten();
                    course.is_still_so(step, &sending.incident, now.as_ref())
                } else {
                    step
                }
            }
            Step::LookAgain(made) => course.looked_again(made, sending.look_again().await?),
            Step::End(ended) => return ended,
        };
    }
}

/// What is sent, and how.
pub(super) struct Sending<'a> {
    pub(super) setup: &'a Setup,
    pub(super) claimed: &'a Claimed,
    /// As it is now.
    incident: Arc<domain::Incident>,
    clock: &'a Clock,
}

impl<'a> Sending<'a> {
    async fn look(&self) -> Result<Trace, SendError> {
        let notification = &self.claimed.notification;
        match (&notification.channel, &notification.kind) {
            (Channel::Desk(desk), NotificationKind::TicketOpen) => {
                let System::Table(table) = self.system(desk)? else { return Ok(Trace::Once) };
                let priority = self.claimed.incident.priority;
                let incident = &self.claimed.incident;
                let was_mailed =
                    matches!(incident.ticket, domain::Ticket::Asked { fallback_at: Some(_), .. });
                let before = given_up(notification, incident).into_iter().map(|reference| (reference, true));
                let mut found = None;
                let own = (correlation_id(notification), was_mailed);
                for (reference, was_mailed) in std::iter::once(own).chain(before) {
                    found = table.find(&reference, priority).await?;
                    if found.is_none() && was_mailed && table.adopt(&reference).await? {
                        found = table.find(&reference, priority).await?;
                    }
                    if found.is_some() {
                        break;
                    }
                }
                if found.is_none() {
                    crash_point!("desk/looked-up");
                }
                Ok(found.map_or(Trace::Unknown, Trace::Taken))
            }
            (Channel::Desk(desk), NotificationKind::TicketNote { record, .. }) => {
                let System::Table(table) = self.system(desk)? else { return Ok(Trace::Unknown) };
                let there = table.has_note(record, &notification.key).await?;
                let taken = || Trace::Taken(Sent::Accepted { provider_id: record.clone() });
                Ok(if there { taken() } else { Trace::Unknown })
            }
            (Channel::Text(_), _) => {
                let traced =
                    self.texts()?.trace(MessageKind::Text, &notification.key, self.clock.now()).await;
                if let Err(error) = &traced {
                    tracing::warn!(key = notification.key, %error, "cannot ask for a text's fate: it may go out twice");
                }
                traced
            }
            (Channel::Voice(person), _) => {
                let traced = self.calls()?.trace(self.voice_number(person)?, notification).await;
                if let Err(error) = &traced {
                    tracing::warn!(key = notification.key, %error, "cannot ask for a call's fate: it may ring twice");
                }
                traced
            }
            (Channel::Email(_) | Channel::Team(_), _) => match self.mails_by_notify() {
                Some(notify) => notify.trace(MessageKind::Email, &notification.key, self.clock.now()).await,
                None => Ok(Trace::Unknown),
            },
            (
                Channel::Desk(_)
                | Channel::DeskEmail(_)
                | Channel::Webhook(_)
                | Channel::TeamChat(_)
                | Channel::TeamWebhook(_)
                | Channel::TeamPager(_),
                _,
            ) => Ok(Trace::Unknown),
        }
    }

    async fn act(&self, repeat: bool) -> Result<Sent, SendError> {
        match &self.claimed.notification.channel {
            Channel::Desk(desk) => self.to_desk(desk).await,
            Channel::Text(person) => self.to_telephone(person, repeat).await,
            Channel::Voice(person) => self.ring(person).await,
            Channel::Webhook(person) => self.to_program(person).await,
            Channel::TeamChat(team) => self.to_chat(team, repeat).await,
            Channel::TeamWebhook(team) => self.to_teams_program(team).await,
            Channel::TeamPager(team) => self.to_pager(team).await,
            Channel::DeskEmail(_) | Channel::Email(_) | Channel::Team(_) => self.to_mailbox().await,
        }
    }

    async fn look_again(&self) -> Result<Option<Sent>, SendError> {
        let Channel::Desk(desk) = &self.claimed.notification.channel else { return Ok(None) };
        let System::Table(table) = self.system(desk)? else { return Ok(None) };
        let priority = self.claimed.incident.priority;
        table.find_again(&correlation_id(&self.claimed.notification), priority).await
    }

    fn system(&self, desk: &DeskId) -> Result<&'a System, SendError> {
        self.setup.channels.system(desk).ok_or_else(|| {
            SendError::permanent(format!(
                "service desk {desk} has no system of its own: give it `servicenow` or `webhook`"
            ))
        })
    }

    fn texts(&self) -> Result<&'a TextService, SendError> {
        let texts = self.setup.channels.texts();
        texts.ok_or_else(|| SendError::permanent("no text service: configure `notify`"))
    }

    fn calls(&self) -> Result<&'a VoiceService, SendError> {
        let calls = self.setup.channels.calls();
        calls.ok_or_else(|| SendError::permanent("nobody rings people up: configure `twilio`"))
    }

    fn voice_number(&self, person: &PersonId) -> Result<&'a Secret, SendError> {
        self.setup.channels.voice_number(person).ok_or_else(|| {
            SendError::permanent(format!("{person} has no number to be rung at: give them `voice`"))
        })
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        Facts { incident: &self.incident, configuration: &self.setup.configuration, now: self.clock.now() }
    }

    async fn to_desk(&self, desk: &DeskId) -> Result<Sent, SendError> {
        let system = self.system(desk)?;
        let (incident, notification) = (&*self.claimed.incident, &self.claimed.notification);
        match &notification.kind {
            NotificationKind::TicketOpen => {
                let reference = correlation_id(notification);
                let words = words::ticket(&self.facts(), &reference);
                let table = match system {
                    System::Table(table) => table,
                    System::Webhook(webhook) => {
                        let named = (notification.key.as_str(), reference.as_str());
                        return webhook.open(named, incident, &words, self.clock.now()).await;
                    }
                };
                let notes = incident
                    .api
                    .as_ref()
                    .and_then(|api| self.setup.configuration.apis.get(api))
                    .map(|api| &api.desk);
                let group = notes.zip(incident.layer).and_then(|(notes, layer)| notes.groups.get(&layer));
                table
                    .make(&NewTicket {
                        reference: &reference,
                        priority: incident.priority,
                        words: &words,
                        group: group.map(String::as_str),
                        ci: notes.and_then(|notes| notes.item(incident.layer)),
                    })
                    .await
            }
            NotificationKind::TicketNote { record, note } => {
                let text = words::note(&self.facts(), &notification.key, note);
                match system {
                    System::Table(table) => table.note(record, &text, note.with).await,
                    System::Webhook(webhook) => {
                        let reference = correlation_id(notification);
                        let named = (notification.key.as_str(), reference.as_str());
                        webhook.note(named, record, incident, &text, self.clock.now()).await
                    }
                }
            }
            NotificationKind::TicketFallback
            | NotificationKind::FallbackNote { .. }
            | NotificationKind::Callout { .. }
            | NotificationKind::StandDown { .. }
            | NotificationKind::CalledOff { .. }
            | NotificationKind::PartOf { .. }
            | NotificationKind::Heard { .. }
            | NotificationKind::Told
            | NotificationKind::ToldTaken { .. }
            | NotificationKind::ToldOver
            | NotificationKind::DeskResolves { .. }
            | NotificationKind::Overruns { .. } => {
                Err(SendError::permanent("a desk's own system takes tickets alone"))
            }
        }
    }

    async fn to_telephone(&self, person: &PersonId, repeat: bool) -> Result<Sent, SendError> {
        let texts = self.texts()?;
        let notification = &self.claimed.notification;
        let number = self.setup.channels.number(person).ok_or_else(|| {
            SendError::permanent(format!("{person} has no telephone number: give them `text`"))
        })?;
        let language = self
            .setup
            .configuration
            .people
            .get(person)
            .map_or(domain::Language::En, |person| person.language);
        let attempt = Try { number: Course::of(self.claimed).number(), repeat };
        let text = words::text(&self.facts(), notification, language, attempt)?;
        texts.send(number, &text, &notification.key, self.clock.now()).await
    }

    async fn ring(&self, person: &PersonId) -> Result<Sent, SendError> {
        let (calls, notification) = (self.calls()?, &self.claimed.notification);
        let number = self.voice_number(person)?;
        let people = &self.setup.configuration.people;
        let language = people.get(person).map_or(domain::Language::En, |person| person.language);
        let words = words::call(&self.facts(), notification, language)?;
        let told_at = self.setup.configuration.site.url.get(domain::Language::En);
        calls.call(number, &words, &notification.key, Some(told_at)).await
    }

    /// The second road of e-mails to people and teams, or the only one.
    fn mails_by_notify(&self) -> Option<&'a TextService> {
        let to_people = matches!(self.claimed.notification.channel, Channel::Email(_) | Channel::Team(_));
        self.setup.channels.texts().filter(|texts| to_people && texts.mails())
    }

    async fn to_mailbox(&self) -> Result<Sent, SendError> {
        let channels = &self.setup.channels;
        let notification = &self.claimed.notification;
        let to = channels
            .mailbox(&notification.channel)
            .ok_or_else(|| SendError::permanent("whom it is for has no mailbox: give them `email`"))?;
        let language = match &notification.channel {
            Channel::Email(person) => {
                self.setup.configuration.people.get(person).map(|person| person.language)
            }
            Channel::DeskEmail(_)
            | Channel::Team(_)
            | Channel::Desk(_)
            | Channel::Text(_)
            | Channel::Voice(_)
            | Channel::Webhook(_)
            | Channel::TeamChat(_)
            | Channel::TeamWebhook(_)
            | Channel::TeamPager(_) => None,
        };
        let letter = words::letter(&self.facts(), notification, language, &correlation_id(notification))?;
        let now = self.clock.now();
        let sent = match channels.mail() {
            Some(mail) => mail.send(to, &letter, notification, now).await,
            None => Err(SendError::permanent("no mail server: configure `mail`")),
        };
        // Where it is not known whether it has gone out, only a person who is called has it twice.
        let again = |error: &SendError| !error.is_unclear() || Course::of(self.claimed).is_callout();
        match (sent, self.mails_by_notify()) {
            (Err(error), Some(notify)) if again(&error) => {
                let by_notify = notify.mail(to, &letter, &notification.key, now).await;
                by_notify.map_err(|other| if channels.mail().is_some() { error } else { other })
            }
            (sent, _) => sent,
        }
    }
}
