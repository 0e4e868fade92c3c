//! Addresses and secrets of everybody who can be told: kept by who sends, never seen by the rules.

use domain::{ClientCertificate, DeskId, PersonId, Secret, TeamId};
use std::{collections::BTreeMap, time::Duration};

/// Where everybody who can be told is reached. Cannot be printed by accident: secrets hide themselves.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// Service desks.
    pub desks: BTreeMap<DeskId, DeskSettings>,
    /// People who can be called.
    pub people: BTreeMap<PersonId, Contact>,
    /// Provider teams that can be told.
    pub teams: BTreeMap<TeamId, TeamContact>,
    /// GOV.UK Notify, which carries texts.
    pub notify: Option<Notify>,
    /// Twilio, which rings people up.
    pub twilio: Option<Twilio>,
    /// The mail server that takes our e-mails.
    pub mail: Option<Mail>,
    /// Whom the dead-man heartbeat goes to.
    pub dead_man: Option<DeadMan>,
    /// Alertmanagers that hear of our incidents.
    pub alertmanagers: Vec<Alertmanager>,
}

/// An Alertmanager that hears of our incidents.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    /// Without a trailing slash.
    pub url: String,
    /// A bearer token, where what stands before it wants one.
    pub token: Option<Secret>,
}

/// How a service desk is reached.
#[derive(Debug, Clone, Default)]
pub struct DeskSettings {
    /// Its own system.
    pub system: Option<DeskSystem>,
    /// The people there, for when that system cannot be reached.
    pub fallback_email: Option<String>,
}

impl DeskSettings {
    /// Its system, where it is that.
    pub const fn servicenow(&self) -> Option<&ServiceNow> {
        match &self.system {
            Some(DeskSystem::ServiceNow(settings)) => Some(settings),
            Some(DeskSystem::Webhook(_)) | None => None,
        }
    }
}

/// Where a desk keeps its tickets.
#[derive(Debug, Clone)]
pub enum DeskSystem {
    /// In `ServiceNow`.
    ServiceNow(ServiceNow),
    /// Wherever a program of the desk puts them.
    Webhook(SignedWebhook),
}

impl DeskSystem {
    /// Where it is.
    pub fn url(&self) -> &str {
        match self {
            Self::ServiceNow(ServiceNow { url, .. }) | Self::Webhook(SignedWebhook { url, .. }) => url,
        }
    }

    /// What we show there in the handshake.
    pub const fn certificate(&self) -> Option<&ClientCertificate> {
        match self {
            Self::ServiceNow(settings) => settings.certificate.as_ref(),
            Self::Webhook(_) => None,
        }
    }
}

/// A program that is told by signed webhooks (Standard Webhooks 1.0.0).
#[derive(Debug, Clone)]
pub struct SignedWebhook {
    /// Where they go.
    pub url: String,
    /// What they are signed with: `whsec_…`.
    pub secret: Secret,
    /// The secret before it, while both are to be good.
    pub secret_before: Option<Secret>,
}

/// A `ServiceNow` instance, through its Table API.
#[derive(Debug, Clone)]
pub struct ServiceNow {
    /// `https://<instance>.service-now.com`, without a trailing slash.
    pub url: String,
    /// Who we are there.
    pub auth: Auth,
    /// Shown in the handshake, alone or beside another proof.
    pub certificate: Option<ClientCertificate>,
    /// The caller of our tickets: a user's `sys_id`.
    pub caller_id: String,
    /// Who gets a ticket whose API names no group for the layer at fault: a group's `sys_id`.
    pub assignment_group: String,
    /// How the desk says that a machine asked: `monitoring`, or what the instance has instead.
    pub contact_type: String,
    /// How a ticket is closed that we resolve when the trouble is over; `None`: that is for the people there.
    pub close_code: Option<String>,
}

/// How we prove to a desk who we are.
#[derive(Debug, Clone)]
pub enum Auth {
    /// A service account.
    Basic {
        /// Its name.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// OAuth 2 client credentials, at `/oauth_token.do`.
    OAuth2 {
        /// The client's id.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// Our certificate alone, by which the instance knows the account.
    Certificate,
}

/// How a person is reached.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    /// Telephone number for texts, as `+447…`.
    pub text: Option<Secret>,
    /// Mailbox.
    pub email: Option<String>,
    /// Telephone number for calls, as `+447…`.
    pub voice: Option<Secret>,
    /// A program of their own.
    pub webhook: Option<SignedWebhook>,
}

/// How a provider team is told.
#[derive(Debug, Clone, Default)]
pub struct TeamContact {
    /// Mailbox.
    pub email: Option<String>,
    /// The URL of a workflow that posts to its channel in Microsoft Teams; whoever knows it can post there.
    pub chat: Option<Secret>,
    /// A program of its own.
    pub webhook: Option<SignedWebhook>,
    /// Its service at `PagerDuty`.
    pub pagerduty: Option<PagerDuty>,
}

/// A service at `PagerDuty`, by its Events API v2.
#[derive(Debug, Clone)]
pub struct PagerDuty {
    /// `https://events.pagerduty.com`, or that of the region, without a trailing slash.
    pub url: String,
    /// The service's integration key: 32 characters.
    pub routing_key: Secret,
}

/// GOV.UK Notify.
#[derive(Debug, Clone)]
pub struct Notify {
    /// `https://api.notifications.service.gov.uk`, without a trailing slash.
    pub url: String,
    /// `{name}-{service id}-{secret}`.
    pub api_key: Secret,
    /// The id of a text template whose whole body is `((message))`.
    pub text_template: String,
    /// The id of an e-mail template with the subject `((subject))` and the body `((message))`; `None`: it sends no e-mails.
    pub email_template: Option<String>,
    /// Which of the service's senders; `None`: its default.
    pub sms_sender_id: Option<String>,
}

/// Twilio's account, and who calls.
#[derive(Debug, Clone)]
pub struct Twilio {
    /// `https://api.twilio.com`, without a trailing slash.
    pub url: String,
    /// The account's SID: `AC…`.
    pub account: String,
    /// The SID of an API key: `SK…`.
    pub key: String,
    /// That key's secret.
    pub secret: Secret,
    /// The number that rings people up, as `+441…`.
    pub from: String,
}

/// The mail server that takes our e-mails.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its name; the certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// User and password, where the server wants them.
    pub credentials: Option<(String, Secret)>,
    /// Our address, used by nobody else: desks know us by it. May have a name: `Curiad <curiad@example.wales>`.
    pub from: String,
}

/// How the connection to the mail server is protected. There is no "if the server offers it":
/// whoever is in between could take the offer away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailTls {
    /// Not at all: for a relay on this machine or a protected network.
    None,
    /// Must be taken up by STARTTLS.
    #[default]
    StartTls,
    /// From the first byte.
    Tls,
}

/// Whom the dead-man heartbeat goes to: a system that tells humans when it stops.
#[derive(Debug, Clone)]
pub struct DeadMan {
    /// Asked by GET; who knows it can keep us alive in name, so it is a secret.
    pub url: Secret,
    /// From one beat to the next.
    pub every: Duration,
}
