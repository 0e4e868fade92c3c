//! A POST from the world to Curiad: receipts, replies, and a person's answer. Plain HTTP: it never leaves the machine.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

/// Posts a body with a bearer token and answers the HTTP status, within five seconds, as GOV.UK Notify does.
pub(crate) async fn post(url: &Url, token: &str, body: String) -> io::Result<u16> {
    limited(send(url, "application/json", Some(token), body)).await
}

/// Posts a form as a browser does, and answers the HTTP status.
pub(crate) async fn post_form(url: &Url, body: String) -> io::Result<u16> {
    limited(send(url, "application/x-www-form-urlencoded", None, body)).await
}

async fn limited(answer: impl Future<Output = io::Result<u16>>) -> io::Result<u16> {
    match tokio::time::timeout(Duration::from_secs(5), answer).await {
        Ok(answered) => answered,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
    }
}

async fn send(url: &Url, kind: &str, token: Option<&str>, body: String) -> io::Result<u16> {
    if url.scheme() != "http" {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "callbacks of the simulated world go by plain http",
        ));
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request = Request::post(target)
        .header(header::HOST, format!("{host}:{port}"))
        .header(header::CONTENT_TYPE, kind);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(io::Error::other)?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(io::Error::other)?;
        Ok(answer.status().as_u16())
    };
    tokio::select! {
        answered = answer => answered,
        ended = connection => Err(ended.err().map_or_else(|| io::ErrorKind::UnexpectedEof.into(), io::Error::other)),
    }
}
