//! Redirects that lead nowhere, or to where nobody meant to go.

use super::Fault;
use crate::{
    certificates::Authority,
    servers::{Server, head, ok},
};
use domain::{FailureKind::*, Layer, Method, Redirects};
use tokio::io::AsyncWriteExt;

fn to(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// A server that redirects so, asked by who follows twice.
async fn leads(name: &'static str, answer: String) -> Fault {
    let server = Server::says(answer).await;
    let fault = Fault::at(name, &server.url(), server).fails(Layer::Contract, UnexpectedStatus);
    fault.asks(|request| request.redirects.at_most = 2)
}

pub(super) async fn all(authority: &Authority) -> Vec<Fault> {
    let elsewhere = Server::says(ok("")).await;
    let named = elsewhere.address.to_string();
    let insecure = format!("http://localhost:{}/", elsewhere.address.port());
    let secured = authority.signs(&["localhost"], 2020, 2040).says(to(302, &insecure).as_bytes()).await;
    let url = format!("https://localhost:{}", secured.address.port());
    let downwards = Fault::at("from https to http", &url, secured)
        .asks(|request| {
            request.redirects =
                Redirects { at_most: 2, to: vec![format!("localhost:{}", elsewhere.address.port())] }
        })
        .fails(Layer::Contract, UnexpectedStatus)
        .marks("dns connect tls first_byte body");
    let nowhere = crate::servers::nobody();
    let mut all = vec![
        leads("a redirect that nobody asked for", to(302, "/ping"))
            .await
            .asks(|request| request.redirects.at_most = 0),
        leads("redirects without end", to(302, "/ping")).await,
        leads("a redirect to another host", to(307, &elsewhere.url())).await,
        leads("a redirect to another host, without a scheme", to(301, &format!("//{named}/x"))).await,
        leads("a redirect to a cloud's metadata", to(302, "http://169.254.169.254/latest")).await,
        leads(
            "a redirect that says not where to",
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        )
        .await,
        leads("a redirect to no address", to(302, "http://[::1/")).await,
        leads("a redirect to another scheme", to(302, "file:///etc/passwd")).await,
        leads("a redirect with a password", to(302, "http://user:word@127.0.0.1/")).await,
        leads("a body that would go to another host", to(307, &elsewhere.url())).await.asks(|request| {
            request.method = Method::Post;
            request.body = Some("<x/>".to_owned());
            request.redirects.to = vec![named.clone()];
        }),
        downwards,
    ];
    let letters = Server::start(|mut stream| async move {
        let asked = head(&mut stream).await;
        let said = if asked.starts_with("GET /ping ") {
            to(302, "/caf\u{e9}")
        } else if asked.starts_with("GET /caf%C3%A9 ") {
            ok("")
        } else {
            to(302, "/elsewhere")
        };
        stream.write_all(said.as_bytes()).await.ok();
        stream.shutdown().await.ok();
    })
    .await;
    let fault = Fault::at("a redirect with letters as they are", &letters.url(), letters);
    all.push(fault.asks(|request| request.redirects.at_most = 1));
    let mut gone = leads("a redirect to where nothing listens", to(302, &format!("http://{nowhere}/"))).await;
    gone.seen = vec![(Layer::Connect, Refused)];
    all.push(gone.asks(|request| request.redirects.to = vec![nowhere.to_string()]));
    all
}
