//! One client's conversation with the mail server.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;

use super::PostOffice;
use crate::trouble::Trouble;

/// The largest mail taken, in bytes.
const SIZE: usize = 2 * 1_048_576;
const LINE: u64 = 4_096;
const RECIPIENTS: usize = 100;
const SILENCE: Duration = Duration::from_mins(5);
const SLOWER: Duration = Duration::from_secs(5);
const NEVER: Duration = Duration::from_mins(2);

/// A connection, plain or protected.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

pub(super) struct Session<'o> {
    office: &'o PostOffice,
    stream: BufReader<Box<dyn Wire>>,
    protected: bool,
    from: Option<String>,
    to: Vec<String>,
    known: bool,
}

impl<'o> Session<'o> {
    pub(super) fn new(office: &'o PostOffice, stream: TcpStream) -> Self {
        let known = office.options.credentials.is_none();
        let stream: Box<dyn Wire> = Box::new(stream);
        Self { office, stream: BufReader::new(stream), protected: false, from: None, to: Vec::new(), known }
    }

    async fn say(&mut self, words: &str) -> io::Result<()> {
        self.stream.write_all(format!("{words}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LINE);
        let read = tokio::time::timeout(SILENCE, limited.read_until(b'\n', &mut line)).await??;
        if read == 0 {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()))
    }

    pub(super) async fn talk(mut self) -> io::Result<()> {
        let trouble = self.office.bag.read(|bag| bag.spell.trouble);
        if trouble == Trouble::Hang {
            tokio::time::sleep(NEVER).await;
        }
        if matches!(
            trouble,
            Trouble::RateLimited | Trouble::DailyLimit | Trouble::WebPage | Trouble::Maintenance
        ) {
            self.office.bag.change(|bag| bag.spell.meet());
            return self.say("421 4.7.0 mail.example.wales too many connections, try again later").await;
        }
        self.say("220 mail.example.wales ESMTP").await?;
        while let Some(line) = self.line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
            let bare = self.office.options.start_tls && !self.protected;
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    let last = if bare { "STARTTLS" } else { "AUTH PLAIN" };
                    let offers = ["mail.example.wales", &format!("SIZE {SIZE}"), "8BITMIME", "SMTPUTF8"];
                    self.say(&format!("250-{}\r\n250 {last}", offers.join("\r\n250-"))).await?;
                }
                "HELO" => self.say("250 mail.example.wales").await?,
                "STARTTLS" if bare => self.protect().await?,
                "AUTH" | "MAIL" if bare => self.say("530 5.7.0 Must issue a STARTTLS command first").await?,
                "AUTH" => self.authenticate(rest).await?,
                "MAIL" if !self.known => self.say("530 5.7.0 Authentication required").await?,
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.recipient(rest).await?,
                "DATA" if self.to.is_empty() => self.say("503 5.5.1 RCPT first").await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    self.forget();
                    self.say("250 2.0.0 Ok").await?;
                }
                "NOOP" => self.say("250 2.0.0 Ok").await?,
                "QUIT" => return self.say("221 2.0.0 Bye").await,
                _ => self.say("500 5.5.2 Command not recognised").await?,
            }
        }
        Ok(())
    }

    /// What was said before counts no longer.
    async fn protect(&mut self) -> io::Result<()> {
        self.say("220 2.0.0 Ready to start TLS").await?;
        let nothing: Box<dyn Wire> = Box::new(tokio::io::join(tokio::io::empty(), tokio::io::sink()));
        let bare = std::mem::replace(&mut self.stream, BufReader::new(nothing)).into_inner();
        let protected: Box<dyn Wire> = Box::new(self.office.tls.accept(bare).await?);
        self.stream = BufReader::new(protected);
        self.protected = true;
        self.forget();
        Ok(())
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }

    async fn authenticate(&mut self, rest: &str) -> io::Result<()> {
        let mut words = rest.split(' ');
        if !words.next().is_some_and(|mechanism| mechanism.eq_ignore_ascii_case("PLAIN")) {
            return self.say("504 5.5.4 Only PLAIN").await;
        }
        let response = if let Some(initial) = words.next() {
            initial.to_owned()
        } else {
            self.say("334 ").await?;
            self.line().await?.unwrap_or_default()
        };
        let refused = self.office.bag.read(|bag| bag.spell.trouble) == Trouble::Unauthorised;
        self.known = !refused
            && self.office.options.credentials.as_ref().is_none_or(|(user, password)| {
                let expected = format!("\0{user}\0{password}");
                STANDARD.decode(response).is_ok_and(|given| given == expected.as_bytes())
            });
        let words = if self.known {
            "235 2.7.0 Authentication succeeded"
        } else {
            "535 5.7.8 Authentication credentials invalid"
        };
        self.say(words).await
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        let size = rest
            .split(' ')
            .filter_map(|part| part.strip_prefix("SIZE="))
            .find_map(|size| size.parse::<usize>().ok());
        if size.is_some_and(|size| size > SIZE) {
            return self.say("552 5.3.4 Message size exceeds fixed limit").await;
        }
        match address(rest, "FROM:") {
            Some(from) => {
                self.forget();
                self.from = Some(from);
                self.say("250 2.1.0 Ok").await
            }
            None => self.say("501 5.1.7 Bad sender address syntax").await,
        }
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        if self.from.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        if self.to.len() >= RECIPIENTS {
            return self.say("452 4.5.3 Too many recipients").await;
        }
        match address(rest, "TO:").filter(|to| to.contains('@')) {
            Some(to) => {
                let told = self.office.bag.read(|bag| {
                    bag.recipients.iter().find(|(known, _)| *known == to).map(|(_, answer)| answer.clone())
                });
                if let Some(told) = told {
                    return self.say(&told).await;
                }
                self.to.push(to);
                self.say("250 2.1.5 Ok").await
            }
            None => self.say("501 5.1.3 Bad recipient address syntax").await,
        }
    }

    async fn data(&mut self) -> io::Result<()> {
        self.say("354 End data with <CR><LF>.<CR><LF>").await?;
        let mut raw = Vec::new();
        let mut too_large = false;
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.stream).take(SIZE as u64);
            if tokio::time::timeout(SILENCE, limited.read_until(b'\n', &mut line)).await?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == b".\r\n" || line == b".\n" {
                break;
            }
            // A line that begins with a dot was given another by the sender.
            let line = line.strip_prefix(b".").unwrap_or(&line);
            too_large |= raw.len() + line.len() > SIZE;
            if !too_large {
                raw.extend_from_slice(line);
            }
        }
        let (from, to) = (self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        if too_large {
            return self.say("552 5.3.4 Message size exceeds fixed limit").await;
        }
        let trouble = self.office.bag.change(|bag| bag.spell.meet());
        match trouble {
            Trouble::ServerError => {
                return self.say("451 4.3.0 Local error in processing, try again later").await;
            }
            Trouble::Unauthorised => return self.say("550 5.7.1 Sender not allowed").await,
            Trouble::Slow => tokio::time::sleep(SLOWER).await,
            Trouble::None
            | Trouble::Refuse
            | Trouble::RateLimited
            | Trouble::DailyLimit
            | Trouble::Hang
            | Trouble::WebPage
            | Trouble::Maintenance
            | Trouble::AcceptThenHangUp
            | Trouble::AcceptThenTimeOut => {}
        }
        let id = self.office.take(from, to, &raw);
        if trouble == Trouble::AcceptThenTimeOut {
            tokio::time::sleep(NEVER).await;
        }
        if trouble == Trouble::AcceptThenHangUp {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.say(&format!("250 2.0.0 Ok: queued as {id:08X}")).await
    }
}

/// The address between `<` and `>` after the keyword.
fn address(rest: &str, keyword: &str) -> Option<String> {
    let (head, tail) = rest.split_at_checked(keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let tail = tail.trim_start().strip_prefix('<')?;
    tail.split_once('>').map(|(address, _)| address.to_owned())
}
