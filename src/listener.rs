//! A listener for readers whom nobody knows: it has room for so many connections, and closes those that ask nothing.
//! Without that, strangers who only connect would use up the descriptors that probes, sends and the database need.

mod proxies;
mod room;

pub(crate) use proxies::{Network, Proxies};
pub(crate) use room::{Counted, Room, Size};

use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use room::Place;
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

/// A head may be so large, and so much of one is kept. Browsers send one or two kilobytes.
const HEAD: usize = 16 * 1024;
/// After a stop, what is being answered or read has so long.
const STOPS_WITHIN: Duration = Duration::from_secs(5);
/// After an accept failed for want of something that others have to give back first.
const ACCEPTS_AGAIN: Duration = Duration::from_secs(1);

/// Serves `router`, over HTTP/1.1, until `stop`; then finishes what is in hand. HTTP/2 is for those who speak it to
/// readers, in front of this: on a plain connection no browser does. `proxies`: who may stand in front.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    proxies: Arc<Proxies>,
    room: Arc<Room>,
    stop: CancellationToken,
) -> io::Result<()> {
    let router = router.with_state(());
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                // Who finds no room is closed at once.
                if let Some(place) = room.enter(from.ip(), Instant::now()) {
                    connections.spawn(attend(
                        stream,
                        (from, Arc::clone(&proxies)),
                        router.clone(),
                        place,
                        stop.clone(),
                    ));
                }
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!("accept error: {error}");
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = sleep(ACCEPTS_AGAIN) => {}
                }
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// One connection, until its reader leaves, has taken too long, or gives way to another.
async fn attend(
    stream: TcpStream,
    (from, proxies): (SocketAddr, Arc<Proxies>),
    router: Router,
    place: Place,
    stop: CancellationToken,
) {
    // A page is one write: nothing is gained by waiting for more of it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let service = service_fn(|mut request: Request<Incoming>| {
        place.asks(Instant::now());
        let client = proxies.client(from.ip(), request.headers());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, from.port())));
        let answer = router.clone().call(request);
        async {
            let answer = answer.await;
            place.answered(Instant::now());
            answer
        }
    });
    let connection = http1::Builder::new().max_buf_size(HEAD).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut late = pin!(sleep_until(place.until()));
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                return;
            }
            () = place.given_away() => return,
            () = late.as_mut() => {
                let until = place.until();
                if stopping || until <= Instant::now() {
                    place.took_too_long();
                    return;
                }
                late.as_mut().reset(until);
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
                late.as_mut().reset(Instant::now() + STOPS_WITHIN);
            }
        }
    }
}

/// Whether the one connection is gone, and the next is none the worse.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}
