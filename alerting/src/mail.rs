//! E-mails by SMTP: never without the protection that was asked for, each with an identity that a repeat shares.

mod examine;

use crate::{Mail, MailTls, SendError, SetupError, servicenow::correlation_id, words::Letter};
use domain::{Incident, Notification, NotificationKind, Sent};
use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use std::time::{Duration, SystemTime};

/// Sends e-mails.
pub(crate) struct Postbox {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    settings: Mail,
}

impl std::fmt::Debug for Postbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postbox").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Postbox {
    /// `patience`: for each answer of the server.
    pub(crate) fn new(settings: &Mail, patience: Duration) -> Result<Self, SetupError> {
        let from = settings.from.parse().map_err(|_| SetupError::From(settings.from.clone()))?;
        let parameters = || {
            TlsParameters::new(settings.host.clone())
                .map_err(|error| SetupError::MailTls { host: settings.host.clone(), why: error.to_string() })
        };
        let tls = match settings.tls {
            MailTls::None => Tls::None,
            MailTls::StartTls => Tls::Required(parameters()?),
            MailTls::Tls => Tls::Wrapper(parameters()?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
            .port(settings.port)
            .tls(tls)
            .timeout(Some(patience));
        let builder = match &settings.credentials {
            Some((user, password)) => {
                builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()))
            }
            None => builder,
        };
        Ok(Self { transport: builder.build(), from, settings: settings.clone() })
    }

    /// Sends `letter` about `incident`. A repeat has the same `Message-ID`, by which mailboxes know it again.
    pub(crate) async fn send(
        &self,
        to: &str,
        letter: &Letter,
        (incident, notification): (&Incident, &Notification),
        now: Timestamp,
    ) -> Result<Sent, SendError> {
        let to =
            to.parse::<Mailbox>().map_err(|_| SendError::permanent("the mail address cannot be read"))?;
        let domain = self.from.email.domain();
        let id = message_id(&notification.key, domain);
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
        // A desk's inbound mail takes a reply for news about another ticket: to it, each letter stands alone.
        if notification.kind != NotificationKind::TicketFallback {
            let thread = message_id(&correlation_id(incident), domain);
            builder = builder.in_reply_to(thread.clone()).references(thread);
        }
        let message = builder
            .body(letter.body.clone())
            .map_err(|error| SendError::permanent(format!("the e-mail cannot be written: {error}")))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(Sent::Accepted { provider_id: id }),
            Err(error) => Err(meaning(&error)),
        }
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

fn meaning(error: &lettre::transport::smtp::Error) -> SendError {
    // What a server says may quote the address: only its code is told.
    match error.status() {
        Some(code) if error.is_permanent() => SendError::permanent(format!(
            "the mail server refused the e-mail ({code}): check the address and our account"
        )),
        Some(code) => SendError::retryable(format!("the mail server cannot take the e-mail now ({code})")),
        None if error.is_timeout() => SendError::retryable("the mail server did not answer in time"),
        None if error.is_tls() => SendError::retryable(
            "no protected connection to the mail server: check its name, its certificate and `tls`",
        ),
        None => {
            let mut cause: &dyn std::error::Error = error;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            SendError::retryable(format!("the mail server cannot be reached: {cause}"))
        }
    }
}
