//! Does the mail server take our connection, its protection and our password? Greeting, EHLO, STARTTLS, AUTH, NOOP and
//! QUIT: no sender, no recipient, no message.

use super::Postbox;
use crate::{Examined, Finding, Mail, MailTls};
use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, TlsParameters},
    extension::ClientId,
};
use std::time::Duration;
use tokio::time::timeout;

const SERVER: &str = "mail: the server";
const LOGIN: &str = "mail: our account";

impl Postbox {
    /// Talks to the server as far as one can without writing to anybody. `patience`: for all of it, the goodbye too.
    pub(crate) async fn examine(&self, patience: Duration) -> Examined {
        let settings = &self.settings;
        timeout(patience, talk(settings, patience)).await.unwrap_or_else(|_| {
            let detail =
                format!("{}:{} did not come to an end within {patience:?}", settings.host, settings.port);
            let next = "see whether it is overloaded, and the network between";
            Examined { findings: vec![Finding::problem(SERVER, detail, next)], ..Examined::default() }
        })
    }
}

async fn talk(settings: &Mail, patience: Duration) -> Examined {
    let mut connection = match connect(settings, patience).await {
        Ok(connection) => connection,
        Err(finding) => return Examined { findings: vec![finding], ..Examined::default() },
    };
    let at = format!("{}:{}", settings.host, settings.port);
    let how = match settings.tls {
        MailTls::None => "unprotected, as configured",
        MailTls::StartTls => "protected by STARTTLS",
        MailTls::Tls => "protected by TLS",
    };
    let mut findings = vec![Finding::ok(SERVER, format!("{at} answers, {how}"))];
    if let Some((user, password)) = &settings.credentials {
        let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
        findings.push(match connection.auth(DEFAULT_MECHANISMS, &credentials).await {
            Ok(_) => Finding::ok(LOGIN, "the server takes our user and password"),
            Err(error) => Finding::problem(
                LOGIN,
                format!("the server refuses our user and password{}", code(&error)),
                "check `mail.user` and `mail.password`, and that the account may sign in by PLAIN or LOGIN",
            ),
        });
    }
    if !connection.test_connected().await {
        findings.push(Finding::problem(
            SERVER,
            format!("{at} does not answer NOOP"),
            "look into the mail server's log",
        ));
    }
    let certificate = connection.peer_certificate().ok();
    // Politeness alone: whatever it says, we are done.
    drop(connection.quit().await);
    Examined { findings, clock: None, certificate }
}

async fn connect(settings: &Mail, patience: Duration) -> Result<AsyncSmtpConnection, Finding> {
    let parameters = || {
        TlsParameters::new(settings.host.clone()).map_err(|error| {
            Finding::problem(SERVER, format!("no TLS for {}: {error}", settings.host), "check `mail.host`")
        })
    };
    let wrapped = match settings.tls {
        MailTls::Tls => Some(parameters()?),
        MailTls::StartTls | MailTls::None => None,
    };
    let hello = ClientId::default();
    let at = (settings.host.as_str(), settings.port);
    let mut connection = AsyncSmtpConnection::connect_tokio1(at, Some(patience), &hello, wrapped, None)
        .await
        .map_err(|error| unconnected(settings, &error))?;
    if settings.tls == MailTls::StartTls {
        if !connection.can_starttls() {
            return Err(Finding::problem(
                SERVER,
                format!("{}:{} offers no STARTTLS", settings.host, settings.port),
                "set `mail.tls: tls` and its port (often 465), or ask who runs the server",
            ));
        }
        connection.starttls(parameters()?, &hello).await.map_err(|error| unconnected(settings, &error))?;
    }
    Ok(connection)
}

fn unconnected(settings: &Mail, error: &Error) -> Finding {
    Finding::problem(
        SERVER,
        format!("{}:{}: {}", settings.host, settings.port, super::meaning(error, false).why()),
        "check `mail.host`, `mail.port` and `mail.tls`, and the network between",
    )
}

/// What a server says may quote the account: only its code is told.
fn code(error: &Error) -> String {
    error.status().map(|code| format!(" ({code})")).unwrap_or_default()
}
