//! A TCP port that can really refuse: while it is shut nothing listens on it, yet the port stays ours.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections one port serves at a time; beyond it new ones are closed at once.
const CALLS_AT_A_TIME: usize = 1_024;
const BACKLOG: u32 = 1_024;

/// What is done with each connection.
pub(crate) type Serve = Arc<dyn Fn(TcpStream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Where the world's tasks live, and how they are told to end.
#[derive(Debug, Clone)]
pub(crate) struct Tasks {
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self { tracker: TaskTracker::new(), stop: CancellationToken::new() }
    }

    /// Runs a future until it ends or the world does.
    pub(crate) fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        drop(self.tracker.spawn(async move {
            tokio::select! { () = stop.cancelled() => {}, () = work => {} }
        }));
    }
}

#[derive(Debug, Clone, Copy)]
struct Wanted {
    open: bool,
    hang_ups: u64,
    turn: u64,
}

/// One port: open, or shut.
#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    wanted: watch::Sender<Wanted>,
    settled: watch::Receiver<u64>,
}

enum Socket {
    Listening(TcpListener),
    /// Bound without listening: the kernel answers a connection with a reset, and gives the port to nobody else.
    Reserved(TcpSocket),
    /// The port could not be taken back; it is tried again when the door opens.
    Lost,
}

impl Door {
    /// Binds the address and starts to listen.
    pub(crate) fn open(address: SocketAddr, tasks: &Tasks, serve: Serve) -> io::Result<Self> {
        let listener = bind(address)?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let (wanted, orders) = watch::channel(Wanted { open: true, hang_ups: 0, turn: 0 });
        let (report, settled) = watch::channel(0);
        let keeper =
            Keeper { address, orders, report, tasks: tasks.clone(), serve, calls: tasks.stop.child_token() };
        drop(tasks.tracker.spawn(keeper.keep(Socket::Listening(listener))));
        Ok(Self { address, wanted, settled })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens or shuts the door; returns when it is so. With `hang_up`, connections already made are dropped too.
    pub(crate) async fn set(&self, open: bool, hang_up: bool) {
        let mut turn = 0;
        self.wanted.send_modify(|wanted| {
            wanted.open = open;
            wanted.hang_ups += u64::from(hang_up);
            wanted.turn += 1;
            turn = wanted.turn;
        });
        // An error means the keeper has ended with the world: there is nothing left to wait for.
        drop(self.settled.clone().wait_for(|settled| *settled >= turn).await);
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

struct Keeper {
    address: SocketAddr,
    orders: watch::Receiver<Wanted>,
    report: watch::Sender<u64>,
    tasks: Tasks,
    serve: Serve,
    calls: CancellationToken,
}

impl Keeper {
    async fn keep(mut self, mut socket: Socket) {
        let permits = Arc::new(Semaphore::new(CALLS_AT_A_TIME));
        let mut hang_ups = 0;
        let stop = self.tasks.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = self.orders.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let wanted = *self.orders.borrow_and_update();
                    socket = self.turn(socket, wanted.open).await;
                    if wanted.hang_ups != hang_ups {
                        hang_ups = wanted.hang_ups;
                        self.calls.cancel();
                        self.calls = stop.child_token();
                    }
                    self.report.send_replace(wanted.turn);
                }
                accepted = accept(&socket) => match accepted {
                    Ok(stream) => {
                        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
                            let work = (self.serve)(stream);
                            let calls = self.calls.clone();
                            drop(self.tasks.tracker.spawn(async move {
                                tokio::select! { () = calls.cancelled() => {}, () = work => {} }
                                drop(permit);
                            }));
                        }
                    }
                    Err(error) => {
                        tracing::warn!(address = %self.address, %error, "cannot accept");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
    }

    async fn turn(&self, socket: Socket, open: bool) -> Socket {
        match (socket, open) {
            (Socket::Listening(listener), false) => {
                drop(listener);
                bind(self.address).map_or(Socket::Lost, Socket::Reserved)
            }
            (Socket::Reserved(reserved), true) => match reserved.listen(BACKLOG) {
                Ok(listener) => Socket::Listening(listener),
                Err(_) => self.take_back().await,
            },
            (Socket::Lost, true) => self.take_back().await,
            (unchanged @ (Socket::Listening(_) | Socket::Reserved(_) | Socket::Lost), _) => unchanged,
        }
    }

    /// Somebody took the port in the instant between two bindings: it is asked for again for a few seconds.
    async fn take_back(&self) -> Socket {
        for _ in 0..100 {
            match bind(self.address).and_then(|socket| socket.listen(BACKLOG)) {
                Ok(listener) => return Socket::Listening(listener),
                Err(error) => {
                    tracing::warn!(address = %self.address, %error, "cannot open again yet");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        Socket::Lost
    }
}

async fn accept(socket: &Socket) -> io::Result<TcpStream> {
    match socket {
        Socket::Listening(listener) => {
            let (stream, _) = listener.accept().await?;
            // Without it, a delayed acknowledgement would look like 40 ms of the API's time.
            stream.set_nodelay(true)?;
            Ok(stream)
        }
        Socket::Reserved(_) | Socket::Lost => std::future::pending().await,
    }
}
