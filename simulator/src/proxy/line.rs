//! One connection through the proxy: what comes in on one side goes out on the other, as far as it may.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::plan::{Blow, Met, Plan, Toward};
use super::postgres::{Head, Stage, head};
use crate::change::Kept;

/// Read at a time.
const PIECE: usize = 16 * 1_024;
/// How long two sides that were told of the end have to hang up too.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What holds for all connections now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weather {
    pub(super) stalled: bool,
    pub(super) delay: Duration,
    /// Connections with a number up to this one are cut, so.
    pub(super) cut: Option<(u64, Blow)>,
}

/// What a proxy counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections that clients made.
    pub accepted: u64,
    /// Those that are there now.
    pub open: u64,
    /// Blows that fell, planned and at once.
    pub blows: u64,
    /// Bytes passed on to the server.
    pub to_server: u64,
    /// Bytes passed on to the client.
    pub to_client: u64,
    /// Messages that were met on the way to the server, where they can be told apart.
    pub messages_to_server: u64,
    /// Messages that were met on the way to the client, where they can be told apart.
    pub messages_to_client: u64,
}

/// What all connections share.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) traffic: Traffic,
    pub(super) plan: Option<Plan>,
    /// What the plan came to: in words.
    pub(super) struck: Option<String>,
}

/// How a connection ended.
enum End {
    Over,
    Struck(Blow, Option<String>),
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) server: SocketAddr,
    pub(super) framed: bool,
    pub(super) ledger: Kept<Ledger>,
    pub(super) weather: watch::Sender<Weather>,
}

impl Line {
    pub(super) async fn serve(&self, mut client: TcpStream) {
        let number = self.ledger.change(|ledger| {
            ledger.traffic.accepted += 1;
            ledger.traffic.open += 1;
            ledger.traffic.accepted
        });
        let open = Open(&self.ledger);
        let mut weather = self.weather.subscribe();
        let connected = async {
            clear(&mut weather).await;
            TcpStream::connect(self.server).await.and_then(|server| {
                server.set_nodelay(true)?;
                Ok(server)
            })
        };
        let connected = tokio::select! {
            connected = connected => connected,
            blow = self.cut(number) => return self.end(number, End::Struck(blow, None), (client, None), open).await,
        };
        let Ok(mut server) = connected else {
            return self.end(number, End::Struck(Blow::Reset, None), (client, None), open).await;
        };
        let stage = Mutex::new(if self.framed { Stage::Opening } else { Stage::Opaque });
        let end = {
            let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
            let there = self.pump(Toward::Server, &stage, from_client, to_server);
            let back = self.pump(Toward::Client, &stage, from_server, to_client);
            tokio::select! {
                end = both(there, back) => end,
                blow = self.cut(number) => End::Struck(blow, None),
            }
        };
        self.end(number, end, (client, Some(server)), open).await;
    }

    /// Comes when this connection is to be cut at once.
    async fn cut(&self, number: u64) -> Blow {
        let mut weather = self.weather.subscribe();
        let mine = |weather: &Weather| weather.cut.filter(|(last, _)| number <= *last);
        let cut =
            weather.wait_for(|weather| mine(weather).is_some()).await.ok().and_then(|weather| mine(&weather));
        match cut {
            Some((_, blow)) => blow,
            None => std::future::pending().await,
        }
    }

    async fn end(&self, number: u64, end: End, sides: (TcpStream, Option<TcpStream>), open: Open<'_>) {
        let (mut client, server) = sides;
        let (blow, words) = match end {
            End::Over => return,
            End::Struck(blow, words) => (blow, words),
        };
        let struck = |line: &Self| {
            if let Some(words) = words {
                line.strike(format!("{words}, on connection {number}"));
            }
        };
        if blow == Blow::Close {
            let Some(mut server) = server else { return drop(client.shutdown().await) };
            // A side that is gone already needs no goodbye.
            drop((client.shutdown().await, server.shutdown().await));
            struck(self);
            drop(open);
            // Closing with something unread would reset the connection.
            let read = async { tokio::join!(drain(&mut client), drain(&mut server)) };
            drop(tokio::time::timeout(LAST_WORDS, read).await);
            return;
        }
        for stream in [Some(client), server].into_iter().flatten() {
            if let Err(error) = stream.set_zero_linger() {
                tracing::warn!(%error, "cannot reset a connection");
            }
        }
        struck(self);
    }

    fn strike(&self, words: String) {
        self.ledger.change(|ledger| {
            ledger.traffic.blows += 1;
            ledger.struck = Some(words);
        });
    }

    /// Passes on what comes one way, until that side is done or a plan strikes.
    async fn pump(
        &self,
        toward: Toward,
        stage: &Mutex<Stage>,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> io::Result<End> {
        let mut weather = self.weather.subscribe();
        let mut held = Vec::new();
        let mut message = Message::default();
        loop {
            clear(&mut weather).await;
            held.reserve(PIECE);
            let read = tokio::select! {
                biased;
                // A stall may have begun: nothing is read while it lasts.
                _ = weather.changed() => continue,
                read = from.read_buf(&mut held) => read?,
            };
            let delay = weather.borrow().delay;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            clear(&mut weather).await;
            if read == 0 {
                // A message that will never be whole passes as far as it came.
                to.write_all(&held).await?;
                self.count(toward, held.len());
                to.shutdown().await?;
                return Ok(End::Over);
            }
            while !held.is_empty() {
                if message.left == 0 {
                    match self.meet(toward, stage, &held) {
                        None => break,
                        Some(met) => message = met,
                    }
                    if let Some((blow, words)) = message.before.take() {
                        if blow != Blow::Stall {
                            return Ok(End::Struck(blow, Some(words)));
                        }
                        self.stall(&mut weather, words).await;
                    }
                }
                let (pass, struck) = self.allow(toward, message.left.min(held.len()));
                let passed: Vec<u8> = held.drain(..pass).collect();
                to.write_all(&passed).await?;
                self.count(toward, pass);
                message.left -= pass;
                let after = if message.left == 0 { message.after.take() } else { None };
                match struck.or(after) {
                    None => {}
                    Some((Blow::Stall, words)) => self.stall(&mut weather, words).await,
                    Some((blow, words)) => return Ok(End::Struck(blow, Some(words))),
                }
            }
        }
    }

    async fn stall(&self, weather: &mut watch::Receiver<Weather>, words: String) {
        self.weather.send_modify(|weather| weather.stalled = true);
        self.strike(words);
        clear(weather).await;
    }

    /// The message at the head of `held`, and what the plan has for it; `None`: more is needed to say.
    fn meet(&self, toward: Toward, stage: &Mutex<Stage>, held: &[u8]) -> Option<Message> {
        let found = head(&mut stage.lock().unwrap_or_else(PoisonError::into_inner), toward, held);
        let (kind, length, body) = match found {
            Head::Incomplete => return None,
            Head::Opaque => return Some(Message { left: held.len(), ..Message::default() }),
            Head::Message { kind, length, body } => (kind, length, body),
        };
        let met = self.ledger.change(|ledger| {
            match toward {
                Toward::Server => ledger.traffic.messages_to_server += 1,
                Toward::Client => ledger.traffic.messages_to_client += 1,
            }
            let met = ledger.plan.as_mut().map_or(Met::Nothing, |plan| plan.meet(toward, kind, body));
            if met != Met::Nothing {
                ledger.plan = None;
            }
            met
        });
        let mut message = Message { left: length, ..Message::default() };
        match met {
            Met::Nothing => {}
            Met::Before(blow, words) => message.before = Some((blow, words)),
            Met::After(blow, words) => message.after = Some((blow, words)),
        }
        Some(message)
    }

    fn allow(&self, toward: Toward, bytes: usize) -> (usize, Option<(Blow, String)>) {
        self.ledger.change(|ledger| {
            let Some(plan) = &mut ledger.plan else { return (bytes, None) };
            let allowed = plan.allow(toward, bytes);
            if allowed.1.is_some() {
                ledger.plan = None;
            }
            allowed
        })
    }

    fn count(&self, toward: Toward, bytes: usize) {
        self.ledger.change(|ledger| match toward {
            Toward::Server => ledger.traffic.to_server += bytes as u64,
            Toward::Client => ledger.traffic.to_client += bytes as u64,
        });
    }
}

/// A message on its way: how much of it is still to pass, and what is planned for it.
#[derive(Debug, Default)]
struct Message {
    left: usize,
    before: Option<(Blow, String)>,
    after: Option<(Blow, String)>,
}

/// Counts a connection as open while it lives.
struct Open<'a>(&'a Kept<Ledger>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.change(|ledger| ledger.traffic.open -= 1);
    }
}

async fn clear(weather: &mut watch::Receiver<Weather>) {
    if weather.wait_for(|weather| !weather.stalled).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Until both ways are done, or one is struck. A side that broke off breaks the other.
async fn both(
    there: impl Future<Output = io::Result<End>>,
    back: impl Future<Output = io::Result<End>>,
) -> End {
    let ended = async |way: io::Result<End>| match way {
        Ok(End::Over) => Ok(()),
        Ok(struck @ End::Struck(..)) => Err(struck),
        Err(_) => Err(End::Struck(Blow::Reset, None)),
    };
    let there = async { ended(there.await).await };
    let back = async { ended(back.await).await };
    match tokio::try_join!(there, back) {
        Ok(((), ())) => End::Over,
        Err(end) => end,
    }
}

async fn drain(stream: &mut TcpStream) {
    let mut bytes = [0; 1_024];
    while matches!(stream.read(&mut bytes).await, Ok(1..)) {}
}
