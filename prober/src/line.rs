//! A connection that is kept from one probe of a check to the next (`connection: warm`).

use crate::{
    exchange::{Ended, Message, Received, Terms, alongside, receive},
    tls,
};
use bytes::Bytes;
use domain::{Failure, Phases};
use http_body_util::Full;
use hyper::{
    Version,
    client::conn::{http1, http2},
};
use socket2::{SockRef, TcpKeepalive};
use std::{
    fmt,
    net::IpAddr,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// A connection is used for so long: then the name is looked up again, and the certificate seen again.
const KEPT_FOR: Duration = Duration::from_mins(10);

/// Polls of a connection after which it has seen that an answer is over.
const LOOKS: usize = 3;

/// How long a kept connection is idle before the other side's system is asked whether it is still there; how often it is asked
/// again; and how often in vain before the connection is over.
const IDLE: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_secs(5);
const IN_VAIN: u32 = 3;

/// Keeps an idle connection known to what is on its way. Translators of addresses, firewalls and balancers forget one that is
/// silent for some minutes, and drop what comes over it later without a word: the next probe would time out, though the
/// service is well. One that is gone all the same is noticed before it is used.
pub(crate) fn stays(stream: &TcpStream) {
    let how = TcpKeepalive::new().with_time(IDLE).with_interval(AGAIN).with_retries(IN_VAIN);
    // A system that cannot do it has its connections as they are.
    SockRef::from(stream).set_tcp_keepalive(&how).ok();
}

/// One that stands, and what was seen when it was made.
pub(crate) struct Line {
    sender: Sender,
    driver: Driver,
    /// End with it.
    _tasks: Option<Ended>,
    pub(crate) witness: Option<Arc<tls::Witness>>,
    pub(crate) remote_ip: IpAddr,
    since: Instant,
    /// Of those that may be kept.
    place: Option<OwnedSemaphorePermit>,
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// What moves bytes over it, within the probe that uses it; nothing once it is over.
struct Driver(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Driver {
    fn of<C: Future<Output = hyper::Result<()>> + Send + 'static>(connection: C) -> Self {
        // What went wrong with it is told by who asks over it.
        Self(Some(Box::pin(async { drop(connection.await) })))
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let over = self.0.as_mut().is_none_or(|driver| driver.as_mut().poll(context).is_ready());
        if over {
            self.0 = None;
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("remote_ip", &self.remote_ip).finish_non_exhaustive()
    }
}

impl Line {
    /// Over HTTP/1.1.
    pub(crate) fn one<C: Future<Output = hyper::Result<()>> + Send + 'static>(
        sender: http1::SendRequest<Full<Bytes>>,
        connection: C,
        (remote_ip, witness): (IpAddr, Option<Arc<tls::Witness>>),
    ) -> Self {
        Self::new(Sender::One(sender), Driver::of(connection), None, (remote_ip, witness))
    }

    /// Over HTTP/2, with the tasks that hyper has for it.
    pub(crate) fn two<C: Future<Output = hyper::Result<()>> + Send + 'static>(
        sender: http2::SendRequest<Full<Bytes>>,
        (connection, tasks): (C, Ended),
        (remote_ip, witness): (IpAddr, Option<Arc<tls::Witness>>),
    ) -> Self {
        Self::new(Sender::Two(sender), Driver::of(connection), Some(tasks), (remote_ip, witness))
    }

    fn new(
        sender: Sender,
        driver: Driver,
        tasks: Option<Ended>,
        (remote_ip, witness): (IpAddr, Option<Arc<tls::Witness>>),
    ) -> Self {
        Self { sender, driver, _tasks: tasks, witness, remote_ip, since: Instant::now(), place: None }
    }

    /// How a request is written for it.
    pub(crate) const fn version(&self) -> Version {
        match &self.sender {
            Sender::One(_) => Version::HTTP_11,
            Sender::Two(_) => Version::HTTP_2,
        }
    }

    /// One request and its answer.
    pub(crate) async fn ask<'a>(
        &mut self,
        request: Message,
        terms: &Terms<'a>,
        phases: &mut Phases,
    ) -> Result<Received<'a>, Failure> {
        let driver = Pin::new(&mut self.driver);
        match &mut self.sender {
            Sender::One(sender) => {
                let answer = pin!(sender.send_request(request));
                alongside(driver, pin!(receive(answer, terms, phases))).await
            }
            Sender::Two(sender) => {
                let answer = pin!(sender.send_request(request));
                alongside(driver, pin!(receive(answer, terms, phases))).await
            }
        }
    }

    /// Whether another request may be sent over it, as far as is known by now.
    async fn is_ready(&mut self) -> bool {
        std::future::poll_fn(|context| {
            for _ in 0..LOOKS {
                if Pin::new(&mut self.driver).poll(context).is_ready() {
                    return Poll::Ready(false);
                }
            }
            let ready = match &mut self.sender {
                Sender::One(sender) => sender.poll_ready(context),
                Sender::Two(sender) => sender.poll_ready(context),
            };
            Poll::Ready(matches!(ready, Poll::Ready(Ok(()))))
        })
        .await
    }
}

/// The place of one check's connection between its probes.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Option<Line>>);

impl Kept {
    /// The connection, if it still stands. Whoever takes it has it alone.
    pub(crate) async fn take(&self) -> Option<Line> {
        let mut line = self.locked().take().filter(|line| line.since.elapsed() < KEPT_FOR)?;
        line.is_ready().await.then_some(line)
    }

    /// Keeps it for the next probe, if the other side does and there is a place.
    pub(crate) async fn keep(&self, mut line: Line, places: &Arc<Semaphore>) {
        if line.place.is_none() {
            line.place = Arc::clone(places).try_acquire_owned().ok();
        }
        if line.place.is_some() && line.is_ready().await {
            *self.locked() = Some(line);
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_is_kept_is_kept_alive() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        stays(&stream);
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), IDLE);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), AGAIN);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), IN_VAIN);
    }
}
