//! Does the mail server take our connection, its protection and our password? Greeting, EHLO, STARTTLS, AUTH, NOOP and
//! QUIT: no sender, no recipient, no message.

use super::{Opened, Postbox, meaning};
use crate::{Examined, Finding, Mail, MailTls, SendError};
use lettre::transport::smtp::{Error, authentication::DEFAULT_MECHANISMS};
use std::time::Duration;
use tokio::time::timeout;

const SERVER: &str = "mail: the server";
const LOGIN: &str = "mail: our account";

impl Postbox {
    /// Talks to the server as far as one can without writing to anybody. `patience`: for all of it, the goodbye too.
    pub(crate) async fn examine(&self, patience: Duration) -> Examined {
        let settings = &self.settings;
        timeout(patience, self.talk(patience)).await.unwrap_or_else(|_| {
            let detail =
                format!("{}:{} did not come to an end within {patience:?}", settings.host, settings.port);
            let next = "see whether it is overloaded, and the network between";
            Examined { findings: vec![Finding::problem(SERVER, detail, next)], ..Examined::default() }
        })
    }

    async fn talk(&self, patience: Duration) -> Examined {
        let settings = &self.settings;
        let opened = match self.reach(patience).await {
            Ok(opened) => opened,
            Err(finding) => return Examined { findings: vec![finding], ..Examined::default() },
        };
        let at = format!("{}:{}", settings.host, settings.port);
        let how = match settings.tls {
            MailTls::None => "unprotected, as configured",
            MailTls::StartTls => "protected by STARTTLS",
            MailTls::Tls => "protected by TLS",
        };
        let mut findings = vec![Finding::ok(SERVER, format!("{at} answers, {how}"))];
        let certificate = opened.certificate();
        let mut connection = opened.connection;
        if let Some(credentials) = &self.credentials {
            findings.push(match connection.auth(DEFAULT_MECHANISMS, credentials).await {
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
        // Politeness alone: whatever it says, we are done.
        drop(connection.quit().await);
        Examined { findings, clock: None, certificate }
    }

    /// Protected, and not signed in.
    async fn reach(&self, patience: Duration) -> Result<Opened, Finding> {
        let settings = &self.settings;
        let mut opened = self.open(patience).await.map_err(|error| unconnected(settings, &error))?;
        if settings.tls == MailTls::StartTls && !opened.connection.can_starttls() {
            return Err(Finding::problem(
                SERVER,
                format!("{}:{} offers no STARTTLS", settings.host, settings.port),
                "set `mail.tls: tls` and its port (often 465), or ask who runs the server",
            ));
        }
        match opened.protect(&self.protection, &self.hello).await {
            Ok(()) => Ok(opened),
            Err(error) => Err(unconnected(settings, &meaning(&error, false))),
        }
    }
}

fn unconnected(settings: &Mail, error: &SendError) -> Finding {
    Finding::problem(
        SERVER,
        format!("{}:{}: {}", settings.host, settings.port, error.why()),
        "check `mail.host`, `mail.port` and `mail.tls`, and the network between",
    )
}

/// What a server says may quote the account: only its code is told.
fn code(error: &Error) -> String {
    error.status().map(|code| format!(" ({code})")).unwrap_or_default()
}
