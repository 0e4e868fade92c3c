//! The ways out, made from the directory: what a channel's name means, and how much goes through each at a time.

use crate::{
    DeskSystem, Directory, Examined, FoundTicket, Records, SendError, mail::Postbox, notify::TextService,
    servicenow::TableApi, twilio::VoiceService, webhook::Webhook,
};
use domain::{Channel, Clock, Configuration, DeskId, PersonId, Secret, TeamId};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one desk and each carrier get at a time; more waits its turn.
const DESK_AT_A_TIME: usize = 4;
const TEXTS_AT_A_TIME: usize = 16;
const MAILS_AT_A_TIME: usize = 8;
/// They wait for each other's second anyway.
const CALLS_AT_A_TIME: usize = 4;
/// What goes to programs: of people, for whom nobody waits behind a team's; of teams, their chats and pagers among them.
const PEOPLES_AT_A_TIME: usize = 16;
const TEAMS_AT_A_TIME: usize = 16;

/// What the deliverer needs to know, exchanged as one when the configuration is read again.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What people wrote down.
    pub configuration: Arc<Configuration>,
    /// The ways out.
    pub channels: Arc<Channels>,
}

/// Why the directory cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The Notify API key has not the shape of one.
    #[error(
        "the GOV.UK Notify API key must end in two UUIDs, service id and secret: copy it whole from Notify's API settings"
    )]
    NotifyKey,
    /// Our mail address cannot be read.
    #[error(
        "'{0}' is no mail address to send from: write curiad@example.wales or Curiad <curiad@example.wales>"
    )]
    From(String),
    /// TLS cannot be set up for the mail server.
    #[error("cannot prepare TLS for the mail server {host}: {why}")]
    MailTls {
        /// Its name.
        host: String,
        /// What went wrong.
        why: String,
    },
}

/// What requests are made with.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Shows no certificate.
    pub plain: reqwest::Client,
    /// For desks to which we show one.
    pub desks: BTreeMap<DeskId, reqwest::Client>,
}

impl From<reqwest::Client> for Clients {
    fn from(plain: reqwest::Client) -> Self {
        Self { plain, desks: BTreeMap::new() }
    }
}

/// The ways out.
#[derive(Debug)]
pub struct Channels {
    desks: BTreeMap<DeskId, DeskWay>,
    people: BTreeMap<PersonId, crate::Contact>,
    teams: BTreeMap<TeamId, crate::TeamContact>,
    alertmanagers: Vec<crate::Alertmanager>,
    client: reqwest::Client,
    patience: Duration,
    texts: Option<TextService>,
    mail: Option<Postbox>,
    calls: Option<VoiceService>,
    text_turns: Arc<Semaphore>,
    call_turns: Arc<Semaphore>,
    mail_turns: Arc<Semaphore>,
    peoples_turns: Arc<Semaphore>,
    teams_turns: Arc<Semaphore>,
}

#[derive(Debug)]
struct DeskWay {
    system: Option<System>,
    email: Option<String>,
    turns: Arc<Semaphore>,
}

/// A desk's own system.
#[derive(Debug)]
pub(crate) enum System {
    Table(Box<TableApi>),
    Webhook(Webhook),
}

impl Channels {
    /// Makes the ways out. No client may follow redirects or have cookies; a single request that has no
    /// answer after `patience` is given up.
    pub fn new(directory: Directory, clients: &Clients, patience: Duration) -> Result<Self, SetupError> {
        let client = &clients.plain;
        let desks = directory.desks.into_iter().map(|(id, desk)| {
            let system = desk.system.map(|system| match system {
                DeskSystem::ServiceNow(settings) => {
                    let own = clients.desks.get(&id).unwrap_or(client);
                    System::Table(Box::new(TableApi::new(settings, own.clone(), patience)))
                }
                DeskSystem::Webhook(settings) => {
                    System::Webhook(Webhook::new(settings, client.clone(), patience))
                }
            });
            let turns = Arc::new(Semaphore::new(DESK_AT_A_TIME));
            (id, DeskWay { system, email: desk.fallback_email, turns })
        });
        let texts = directory.notify.map(|settings| TextService::new(settings, client.clone(), patience));
        Ok(Self {
            desks: desks.collect(),
            people: directory.people,
            teams: directory.teams,
            alertmanagers: directory.alertmanagers,
            client: client.clone(),
            patience,
            texts: texts.transpose()?,
            mail: directory.mail.map(|settings| Postbox::new(&settings, patience)).transpose()?,
            calls: directory.twilio.map(|settings| VoiceService::new(settings, client.clone(), patience)),
            text_turns: Arc::new(Semaphore::new(TEXTS_AT_A_TIME)),
            call_turns: Arc::new(Semaphore::new(CALLS_AT_A_TIME)),
            mail_turns: Arc::new(Semaphore::new(MAILS_AT_A_TIME)),
            peoples_turns: Arc::new(Semaphore::new(PEOPLES_AT_A_TIME)),
            teams_turns: Arc::new(Semaphore::new(TEAMS_AT_A_TIME)),
        })
    }

    /// Looks at a desk's own system, without changing anything; `None`: it has none that can be asked. `name`: what people call it.
    pub async fn examine_desk(
        &self,
        desk: &DeskId,
        name: &str,
        records: &Records,
        clock: &Clock,
    ) -> Option<Examined> {
        Some(self.table(desk)?.examine(name, records, clock).await)
    }

    /// The ticket of that number in a desk; `None`: it has none that we may see.
    pub async fn find_ticket(&self, desk: &DeskId, number: &str) -> Result<Option<FoundTicket>, SendError> {
        let table = self
            .table(desk)
            .ok_or_else(|| SendError::permanent("it has no system that can be asked for it"))?;
        table.numbered(number).await
    }

    /// Looks at the text service, without sending anything; `None`: there is none.
    pub async fn examine_texts(&self, clock: &Clock) -> Option<Examined> {
        Some(self.texts()?.examine(clock).await)
    }

    /// Looks at who rings people up, without ringing anybody; `None`: there is nobody.
    pub async fn examine_calls(&self, clock: &Clock) -> Option<Examined> {
        Some(self.calls()?.examine(clock).await)
    }

    /// Asks an Alertmanager that hears of our incidents how it is; `None`: there is none of that number.
    pub async fn examine_alertmanager(&self, number: usize) -> Option<Examined> {
        Some(crate::alertmanager::examine(&self.client, self.alertmanagers.get(number)?).await)
    }

    /// Looks at the mail server, without sending anything; `None`: there is none.
    pub async fn examine_mail(&self, patience: Duration) -> Option<Examined> {
        Some(self.mail()?.examine(patience).await)
    }

    /// A turn on the channel, waited for no longer than `patience`; `None`: none came.
    pub(crate) async fn turn(&self, channel: &Channel, patience: Duration) -> Option<OwnedSemaphorePermit> {
        let turns = match channel {
            // What goes to an unknown desk fails at once: any turn will do.
            Channel::Desk(desk) => self.desks.get(desk).map_or(&self.mail_turns, |desk| &desk.turns),
            Channel::Text(_) => &self.text_turns,
            Channel::Voice(_) => &self.call_turns,
            Channel::DeskEmail(_) | Channel::Email(_) | Channel::Team(_) => &self.mail_turns,
            Channel::Webhook(_) => &self.peoples_turns,
            Channel::TeamChat(_) | Channel::TeamWebhook(_) | Channel::TeamPager(_) => &self.teams_turns,
        };
        tokio::time::timeout(patience, Arc::clone(turns).acquire_owned()).await.ok()?.ok()
    }

    /// A turn at the mail server, for what is sent to people from outside.
    pub(crate) async fn mail_turn(&self, patience: Duration) -> Option<OwnedSemaphorePermit> {
        tokio::time::timeout(patience, Arc::clone(&self.mail_turns).acquire_owned()).await.ok()?.ok()
    }

    /// A desk's own system.
    pub(crate) fn system(&self, desk: &DeskId) -> Option<&System> {
        self.desks.get(desk)?.system.as_ref()
    }

    /// A desk's own system, where it can be asked how its tickets stand.
    pub(crate) fn table(&self, desk: &DeskId) -> Option<&TableApi> {
        match self.system(desk)? {
            System::Table(table) => Some(table),
            System::Webhook(_) => None,
        }
    }

    /// Those that hear of our incidents.
    pub(crate) fn alertmanagers(&self) -> &[crate::Alertmanager] {
        &self.alertmanagers
    }

    /// How long a single request may take.
    pub(crate) const fn patience(&self) -> Duration {
        self.patience
    }

    /// What asks over HTTP.
    pub(crate) const fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The text service.
    pub(crate) fn texts(&self) -> Option<&TextService> {
        self.texts.as_ref()
    }

    /// Who rings people up.
    pub(crate) const fn calls(&self) -> Option<&VoiceService> {
        self.calls.as_ref()
    }

    /// The mail server.
    pub(crate) fn mail(&self) -> Option<&Postbox> {
        self.mail.as_ref()
    }

    /// A person's telephone number for texts.
    pub(crate) fn number(&self, person: &PersonId) -> Option<&Secret> {
        self.people.get(person)?.text.as_ref()
    }

    /// A person's own program.
    pub(crate) fn program(&self, person: &PersonId) -> Option<&crate::SignedWebhook> {
        self.people.get(person)?.webhook.as_ref()
    }

    /// How a team is told.
    pub(crate) fn team(&self, team: &TeamId) -> Option<&crate::TeamContact> {
        self.teams.get(team)
    }

    /// A person's telephone number for calls.
    pub(crate) fn voice_number(&self, person: &PersonId) -> Option<&Secret> {
        self.people.get(person)?.voice.as_ref()
    }

    /// The mailbox a channel means.
    pub(crate) fn mailbox(&self, channel: &Channel) -> Option<&str> {
        match channel {
            Channel::Email(person) => self.people.get(person)?.email.as_deref(),
            Channel::DeskEmail(desk) => self.desks.get(desk)?.email.as_deref(),
            Channel::Team(team) => self.teams.get(team)?.email.as_deref(),
            Channel::Desk(_)
            | Channel::Text(_)
            | Channel::Voice(_)
            | Channel::Webhook(_)
            | Channel::TeamChat(_)
            | Channel::TeamWebhook(_)
            | Channel::TeamPager(_) => None,
        }
    }
}
