//! E-mails by SMTP: never without the protection that was asked for, each with an identity that a repeat shares.

mod connection;
mod examine;

use crate::{Mail, SendError, SetupError, servicenow::correlation_id, words::Letter};
use connection::{Opened, Protection};
use domain::{Notification, NotificationKind, Sent};
use jiff::Timestamp;
use lettre::{
    Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::AsyncSmtpConnection,
        extension::ClientId,
    },
};
use std::time::{Duration, SystemTime};
use store::crash_point;
use tokio::time::{Instant, timeout, timeout_at};

/// How long a server that has taken a mail is waited for to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Sends e-mails, each on a connection of its own.
///
/// lettre's own transport keeps connections, and one whose send was broken off among them: what the server says late
/// to one mail would then be taken for its word on the next.
pub(crate) struct Postbox {
    settings: Mail,
    protection: Protection,
    credentials: Option<Credentials>,
    hello: ClientId,
    from: Mailbox,
    patience: Duration,
}

impl std::fmt::Debug for Postbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postbox").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Postbox {
    /// `patience`: for a mail, from the connection to the server's last word.
    pub(crate) fn new(settings: &Mail, patience: Duration) -> Result<Self, SetupError> {
        let from = settings.from.parse().map_err(|_| SetupError::From(settings.from.clone()))?;
        let protection = Protection::of(settings)
            .map_err(|why| SetupError::MailTls { host: settings.host.clone(), why })?;
        let credentials = settings.credentials.as_ref();
        Ok(Self {
            settings: settings.clone(),
            protection,
            credentials: credentials
                .map(|(user, password)| Credentials::new(user.clone(), password.reveal().to_owned())),
            hello: ClientId::default(),
            from,
            patience,
        })
    }

    /// Sends `letter`, which is what `notification` says. A repeat has the same `Message-ID`, by which mailboxes know it again.
    pub(crate) async fn send(
        &self,
        to: &str,
        letter: &Letter,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<Sent, SendError> {
        let thread = thread(notification);
        // Of a call that is refused another way, or another person, takes over.
        let calls = matches!(notification.kind, NotificationKind::Callout { .. });
        self.send_in(
            Manner { thread, patient: !calls, ..Manner::default() },
            to,
            letter,
            &notification.key,
            now,
        )
        .await
    }

    /// Sends a letter that is about no incident.
    pub(crate) async fn send_alone(
        &self,
        to: &str,
        letter: &Letter,
        key: &str,
        now: Timestamp,
    ) -> Result<Sent, SendError> {
        self.send_in(Manner::default(), to, letter, key, now).await
    }

    /// Sends a letter to somebody from outside, who ends such letters by a `POST` to `unsubscribe` (RFC 8058). What the server says
    /// before it hears of the mailbox is not its word on that.
    pub(crate) async fn send_out(
        &self,
        to: &str,
        letter: &Letter,
        (key, unsubscribe): (&str, Option<String>),
        now: Timestamp,
    ) -> Result<Sent, SendError> {
        let manner = Manner { thread: None, unsubscribe, patient: true };
        self.send_in(manner, to, letter, key, now).await
    }

    async fn send_in(
        &self,
        manner: Manner,
        to: &str,
        letter: &Letter,
        key: &str,
        now: Timestamp,
    ) -> Result<Sent, SendError> {
        let to =
            to.parse::<Mailbox>().map_err(|_| SendError::permanent("the mail address cannot be read"))?;
        let domain = self.from.email.domain();
        let id = message_id(key, domain);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&letter.subject)
            .date(SystemTime::from(now))
            .message_id(Some(id.clone()))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN);
        if let Some(thread) = &manner.thread {
            let thread = message_id(thread, domain);
            builder = builder.in_reply_to(thread.clone()).references(thread);
        }
        if let Some(url) = &manner.unsubscribe {
            for (name, value) in [
                ("List-Unsubscribe", format!("<{url}>")),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
            ] {
                builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
            }
        }
        let message = builder
            .body(letter.body.clone())
            .map_err(|error| SendError::permanent(format!("the e-mail cannot be written: {error}")))?;
        crash_point!("mail/before-send");
        self.post(&message, manner.patient).await?;
        Ok(Sent::Accepted { provider_id: id })
    }

    async fn post(&self, message: &Message, patient: bool) -> Result<(), SendError> {
        let until = Instant::now() + self.patience;
        let mut connection = match timeout_at(until, self.connect()).await {
            // A password that is no longer right says nothing of the mailbox.
            Ok(Err(SendError::Permanent { why })) if patient => return Err(SendError::retryable(why)),
            Ok(connected) => connected?,
            Err(_) => return Err(SendError::retryable("the mail server let us in too late, or not at all")),
        };
        let written = message.formatted();
        match timeout_at(until, connection.send(message.envelope(), &written)).await {
            Ok(Ok(_)) => {}
            // Any other refusal may be of our account, or of the moment.
            Ok(Err(error)) if patient && error.is_permanent() && !is_of_the_mailbox(&error) => {
                return Err(SendError::retryable(meaning(&error, true).to_string()));
            }
            Ok(Err(error)) => return Err(meaning(&error, true)),
            Err(_) => return Err(SendError::unclear("the mail server did not answer in time")),
        }
        crash_point!("mail/taken");
        // It is taken: whatever happens now changes nothing.
        if timeout(GOODBYE, connection.quit()).await.is_err() {
            tracing::debug!("the mail server did not say goodbye");
        }
        Ok(())
    }

    /// Protected as it was asked for, or not at all; and let in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let mut opened = self.open(self.patience).await?;
        let refused = |error| meaning(&error, false);
        opened.protect(&self.protection, &self.hello).await.map_err(refused)?;
        let mut connection = opened.connection;
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(refused)?;
        }
        Ok(connection)
    }

    async fn open(&self, patience: Duration) -> Result<Opened, SendError> {
        let server = (self.settings.host.as_str(), self.settings.port);
        Opened::to(server, &self.protection, &self.hello, patience).await
    }
}

/// How a letter is sent.
#[derive(Debug, Default)]
struct Manner {
    /// What it continues.
    thread: Option<String>,
    /// Where it is said that no more are wanted.
    unsubscribe: Option<String>,
    /// Nobody else is told instead: only that there is no such mailbox is final.
    patient: bool,
}

/// What a letter continues.
fn thread(notification: &Notification) -> Option<String> {
    match &notification.kind {
        // A desk's inbound mail takes a reply for news about another ticket: to it, this one stands alone.
        NotificationKind::TicketFallback => None,
        NotificationKind::FallbackNote { .. } => {
            let mut parts = notification.key.split('/');
            let ours = parts.next()?;
            // Of a ticket that is not the incident's first.
            match (parts.next(), parts.next()) {
                (Some("ticket"), Some(number)) => Some(format!("{ours}/ticket/{number}/fallback")),
                _ => Some(format!("{ours}/fallback")),
            }
        }
        NotificationKind::TicketOpen
        | NotificationKind::TicketNote { .. }
        | NotificationKind::Callout { .. }
        | NotificationKind::StandDown { .. }
        | NotificationKind::CalledOff { .. }
        | NotificationKind::PartOf { .. }
        | NotificationKind::Heard { .. }
        | NotificationKind::Told
        | NotificationKind::ToldTaken { .. }
        | NotificationKind::ToldOver
        | NotificationKind::DeskResolves { .. }
        | NotificationKind::Overruns { .. } => Some(correlation_id(notification)),
    }
}

/// Keys are unique over databases, and so are these.
fn message_id(key: &str, domain: &str) -> String {
    let local: String = key
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/') { c } else { '_' })
        .collect();
    format!("<{local}@{domain}>")
}

/// Whether a refusal is of the mailbox that was named. By its enhanced code (RFC 3463 §3.2: 5.1.x is of an address, of which 5.1.7
/// and 5.1.8 are the sender's), or else 551: it has moved (RFC 5321 §4.2.3). A bare 550 or 553 may be of us, "relay not permitted":
/// nobody is forgotten for that.
fn is_of_the_mailbox(error: &lettre::transport::smtp::Error) -> bool {
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let mut code = said.split_whitespace().next().unwrap_or_default().split('.').map(str::parse::<u16>);
    match [code.next(), code.next(), code.next()] {
        [Some(Ok(5)), Some(Ok(1)), Some(Ok(detail))] => !matches!(detail, 7 | 8),
        [Some(Ok(5)), Some(Ok(_)), Some(Ok(_))] => false,
        _ => error.status().is_some_and(|code| u16::from(code) == 551),
    }
}

/// `handed`: the mail itself may have been handed over.
fn meaning(error: &lettre::transport::smtp::Error, handed: bool) -> SendError {
    // What a server says may quote the address: only its code is told.
    match error.status() {
        Some(code) if error.is_permanent() => SendError::permanent(format!(
            "the mail server refused the e-mail ({code}): check the address and our account"
        )),
        Some(code) => SendError::retryable(format!("the mail server cannot take the e-mail now ({code})")),
        None if error.is_timeout() => SendError::retryable("the mail server cannot be reached in time"),
        None if error.is_tls() => SendError::retryable(
            "no protected connection to the mail server: check its name, its certificate and `tls`",
        ),
        None => {
            let mut cause: &dyn std::error::Error = error;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            if handed {
                SendError::unclear(format!("the mail server broke off: {cause}"))
            } else {
                SendError::retryable(format!("the mail server cannot be reached: {cause}"))
            }
        }
    }
}
