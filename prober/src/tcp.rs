//! TCP: a connection, perhaps secured, and perhaps a few bytes either way.

use crate::{
    conversation::{Ended, Heard, Stream, cut_short, hear, say},
    door::Door,
    permits::Permits,
    scrub::scrubbed,
    smtp,
};
use domain::{Check, Expectation, Failure, FailureKind, Layer, Outcome, Phases, Security, TcpRequest};
use tokio::time::Instant;

/// A TCP check made ready.
pub(crate) struct Tcp {
    pub(crate) door: Door,
    /// Secured only after SMTP's STARTTLS.
    pub(crate) starttls: bool,
    pub(crate) certificate_days: Option<u32>,
    send: Vec<u8>,
    receive: Vec<u8>,
}

impl Tcp {
    pub(crate) fn new(check: &Check, request: &TcpRequest, permits: &Permits) -> Result<Self, String> {
        let mut door = Door::new(&check.url, request.port, permits)?;
        match request.security {
            Security::AsUrl => {}
            Security::Plain | Security::StartTlsSmtp => door.tls = false,
            Security::Tls => door.tls = true,
        }
        Ok(Self {
            door,
            starttls: request.security == Security::StartTlsSmtp,
            certificate_days: check.operation.expect.certificate_days,
            send: request.send.clone(),
            receive: request.receive.clone(),
        })
    }

    /// Says what is to be said and waits for what is to come.
    pub(crate) async fn talk(
        &self,
        stream: &mut Stream,
        deadline: Instant,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        if !self.send.is_empty() {
            say(stream, &self.send, deadline).await?;
        }
        if self.receive.is_empty() {
            return Ok(());
        }
        let mut heard = Heard::default();
        let mut looked = 0_usize;
        let told = hear(stream, &mut heard, deadline, &mut outcome.phases, |bytes| {
            // What was looked at before is so again only where the two meet.
            let from = looked.saturating_sub(self.receive.len());
            looked = bytes.len();
            holds(bytes.get(from..).unwrap_or_default(), &self.receive).then_some(())
        })
        .await;
        let (expectation, failure) = self.judged(told, heard.bytes.len());
        outcome.expectations.push(expectation);
        failure.map_or(Ok(()), Err)
    }

    fn judged(&self, told: Result<(), Ended>, heard: usize) -> (Expectation, Option<Failure>) {
        let expected = format!("holds '{}'", readable(&self.receive));
        let ok = told.is_ok();
        let seen = if ok { "so it is".to_owned() } else { format!("not so, in {heard} bytes") };
        let failure = told.err().map(|ended| {
            let failure = cut_short(ended, heard, "what was expected");
            if heard == 0 || ended == Ended::TooMuch {
                return failure;
            }
            // Somebody answers, but not as agreed.
            Failure { layer: Layer::Contract, kind: FailureKind::ExpectationFailed, ..failure }
        });
        (Expectation { what: "received".to_owned(), expected, seen, ok }, failure)
    }
}

/// Greets a mail server and asks it to go on in TLS.
pub(crate) async fn starttls(
    stream: &mut Stream,
    deadline: Instant,
    phases: &mut Phases,
) -> Result<(), Failure> {
    smtp_reply(stream, deadline, phases, "the mail server's greeting").await?.expect(220)?;
    say(stream, b"EHLO curiad.invalid\r\n", deadline).await?;
    let offers = smtp_reply(stream, deadline, phases, "its answer to EHLO").await?;
    offers.expect(250)?;
    if !offers.starttls {
        return Err(Failure {
            layer: Layer::Contract,
            kind: FailureKind::ExpectationFailed,
            message: "the mail server does not offer STARTTLS".to_owned(),
        });
    }
    say(stream, b"STARTTLS\r\n", deadline).await?;
    smtp_reply(stream, deadline, phases, "its answer to STARTTLS").await?.expect(220)
}

async fn smtp_reply(
    stream: &mut Stream,
    deadline: Instant,
    phases: &mut Phases,
    what: &str,
) -> Result<smtp::Reply, Failure> {
    let mut heard = Heard::default();
    let reply = hear(stream, &mut heard, deadline, phases, smtp::reply).await;
    reply.map_err(|ended| cut_short(ended, heard.bytes.len(), what))?.ok_or_else(|| Failure {
        layer: Layer::Contract,
        kind: FailureKind::BadBody,
        message: format!("what came in place of {what} is not SMTP"),
    })
}

/// Whether `wanted` is anywhere in `bytes`.
fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len().max(1)).any(|window| window == wanted)
}

/// Bytes as text where they are text, else as hexadecimal digits.
fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t')) => {
            scrubbed(text.trim_end())
        }
        _ => scrubbed(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_wherever_they_are() {
        assert!(holds(b"+PONG\r\n", b"PONG"));
        assert!(holds(b"a\0\xff", b"\0\xff"));
        assert!(!holds(b"PON", b"PONG") && !holds(b"", b"x"));
    }

    #[test]
    fn what_is_no_text_is_told_in_hexadecimal() {
        assert_eq!(readable(b"+PONG\r\n"), "+PONG");
        assert_eq!(readable(b"\x0b\x1c\r"), "0b 1c 0d");
    }
}
