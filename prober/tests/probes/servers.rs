//! Servers that do as a test says.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    task::JoinSet,
};

/// A server; ends when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) accepted: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Gives each connection to `serve`.
    pub(crate) async fn start<F, S>(serve: S) -> Self
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, serve)
    }

    pub(crate) fn on<F, S>(listener: TcpListener, serve: S) -> Self
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counted = accepted.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                stream.set_nodelay(true).unwrap();
                connections.spawn(serve(stream));
            }
        });
        Self { address, accepted, _tasks: tasks }
    }

    /// Reads a request, then sends these bytes and closes.
    pub(crate) async fn says(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |mut stream| {
            let answer = answer.clone();
            async move {
                head(&mut stream).await;
                stream.write_all(&answer).await.ok();
                stream.shutdown().await.ok();
            }
        })
        .await
    }

    /// Reads a request, sends these bytes, then keeps the connection and says no more.
    pub(crate) async fn says_and_hangs(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |mut stream| {
            let answer = answer.clone();
            async move {
                head(&mut stream).await;
                stream.write_all(&answer).await.ok();
                std::future::pending::<()>().await;
            }
        })
        .await
    }

    /// Answers 200, and tells what it was sent: the head, and the body it announced.
    pub(crate) async fn listens() -> (Self, mpsc::UnboundedReceiver<String>) {
        let (told, heard) = mpsc::unbounded_channel();
        let server = Self::start(move |mut stream| {
            let told = told.clone();
            async move {
                let mut request = head(&mut stream).await;
                let length = request
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |length| length.parse::<usize>().unwrap());
                let mut body = vec![0; length];
                stream.read_exact(&mut body).await.unwrap();
                request.push_str(&String::from_utf8(body).unwrap());
                told.send(request).ok();
                stream.write_all(ok("").as_bytes()).await.ok();
            }
        })
        .await;
        (server, heard)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// A 200 with a body.
pub(crate) fn ok(body: &str) -> String {
    answer("200 OK", body)
}

pub(crate) fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads a request's head, no byte more; its header names in lower case.
pub(crate) async fn head(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// An address where nothing listens, nor ever will: the port is taken, and kept to the end of the tests.
pub(crate) fn nobody() -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    std::mem::forget(socket);
    address
}

/// A port whose packets are swallowed: a connection to it is neither made nor refused.
pub(crate) struct Swallows {
    pub(crate) address: SocketAddr,
    _full: (TcpListener, Vec<TcpStream>),
}

/// A listener that accepts nobody and whose queue is full: the kernel drops what else arrives.
pub(crate) async fn swallows() -> Swallows {
    swallows_on("127.0.0.1:0").await
}

/// The same at every address of this host.
pub(crate) async fn swallows_everywhere() -> Swallows {
    swallows_on("0.0.0.0:0").await
}

async fn swallows_on(address: &str) -> Swallows {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address.parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(made) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        queued.push(made.unwrap());
    }
    Swallows { address, _full: (listener, queued) }
}
