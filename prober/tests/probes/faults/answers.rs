//! Whole answers that are not what was agreed.

use super::Fault;
use crate::{
    servers::{Server, answer, ok},
    setting::expect,
};
use domain::{Check, Dialect, FailureKind::*, Layer, Matches, Verdict};
use flate2::{Compression, write::GzEncoder};
use std::{io::Write, time::Duration};

async fn says(name: &'static str, sent: impl Into<Vec<u8>>) -> Fault {
    let server = Server::says(sent).await;
    Fault::at(name, &server.url(), server)
}

/// A 200 whose body is packed so, or is said to be.
async fn packed(name: &'static str, coding: &str, body: &[u8]) -> Fault {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", body.len());
    says(name, [head.as_bytes(), body].concat()).await
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn looks_into(check: &mut Check) {
    expect(check).text = vec![Matches::Exists];
}

/// A 200 in which a member is looked for.
async fn json(name: &'static str, body: &[u8]) -> Fault {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let fault = says(name, [head.as_bytes(), body].concat()).await;
    fault.with(|check| expect(check).json = vec![("$.status".to_owned(), Matches::Exists)])
}

async fn health(name: &'static str, status: &str, body: &str) -> Fault {
    says(name, answer(status, body)).await.asks(|request| request.dialect = Dialect::Health)
}

pub(super) async fn all() -> Vec<Fault> {
    let mut all = statuses().await;
    all.extend(packings().await);
    all.extend(bodies().await);
    all
}

async fn statuses() -> Vec<Fault> {
    let mut all = Vec::new();
    for (name, status, verdict, layer, kind) in [
        ("401", "401 Unauthorized", Verdict::Inconclusive, Layer::Gateway, AccessRefused),
        ("403", "403 Forbidden", Verdict::Inconclusive, Layer::Gateway, AccessRefused),
        ("429", "429 Too Many Requests", Verdict::Inconclusive, Layer::Gateway, RateLimited),
        ("500", "500 Internal Server Error", Verdict::Fail, Layer::Backend, ServerError),
        ("502", "502 Bad Gateway", Verdict::Fail, Layer::Gateway, BackendUnavailable),
        ("503", "503 Service Unavailable", Verdict::Fail, Layer::Gateway, GatewayError),
        ("504", "504 Gateway Timeout", Verdict::Fail, Layer::Gateway, BackendUnavailable),
        ("404", "404 Not Found", Verdict::Fail, Layer::Contract, UnexpectedStatus),
        ("a status beyond all classes", "999 What", Verdict::Fail, Layer::Contract, UnexpectedStatus),
    ] {
        all.push(says(name, answer(status, "")).await.is(verdict, layer, kind));
    }
    let fault = |code: &str| format!(r#"{{"fault":{{"detail":{{"errorcode":"{code}"}}}}}}"#);
    let target = fault("messaging.adaptors.http.flow.ServiceUnavailable");
    let quota = fault("policies.ratelimit.SpikeArrestViolation");
    all.push(
        says("a gateway that cannot reach its target", answer("503 Service Unavailable", &target))
            .await
            .fails(Layer::Backend, BackendUnavailable),
    );
    all.push(says("a gateway that arrests a spike", answer("500 Oh", &quota)).await.is(
        Verdict::Inconclusive,
        Layer::Gateway,
        RateLimited,
    ));
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nabc";
    all.push(says("another protocol from here on", switching).await.fails(Layer::Contract, UnexpectedStatus));
    all.push(
        says("a good status that is not the one agreed", ok(""))
            .await
            .with(|check| expect(check).status = vec![204.into()])
            .fails(Layer::Contract, UnexpectedStatus),
    );
    all.push(
        says("a bad status whose body breaks off", "HTTP/1.1 500 Oh\r\nContent-Length: 10\r\n\r\nabc")
            .await
            .fails(Layer::Backend, ServerError),
    );
    all
}

async fn packings() -> Vec<Fault> {
    let good = gzip(b"{\"status\":\"UP\"}");
    let mut wrong_sum = good.clone();
    let sum = wrong_sum.len() - 6;
    wrong_sum[sum] ^= 1;
    let bomb = gzip(&vec![b' '; 16 * 1024 * 1024]);
    let mut all = Vec::new();
    for (name, coding, body, kind) in [
        ("a gzip bomb", "gzip", &bomb[..], TooLarge),
        ("gzip that breaks off", "gzip", &good[..good.len() - 3], BadBody),
        ("gzip with a wrong checksum", "gzip", &wrong_sum, BadBody),
        ("plain text that is said to be gzip", "gzip", b"pong", BadBody),
        ("plain text that is said to be deflate", "deflate", b"pong", BadBody),
        ("plain text that is said to be brotli", "br", b"pong pong", BadBody),
        ("brotli with a window of a gigabyte", "br", &[0x11, 0x1e, 0x80, 0, 0, 0], BadBody),
        ("packed in a way that nobody asked for", "zstd", b"pong", BadBody),
        ("packed twice", "gzip, gzip", &gzip(&good), BadBody),
    ] {
        all.push(packed(name, coding, body).await.with(looks_into).fails(Layer::Contract, kind));
    }
    all
}

async fn bodies() -> Vec<Fault> {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let huge = format!(r#"{{"status":"UP","x":"{}"}}"#, "y".repeat(3 * 1024 * 1024));
    vec![
        says("a header that is folded", "HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\nok")
            .await,
        packed("a body said to be packed as its letters", "UTF-8", b"ok").await.with(looks_into),
        packed("a body said to be packed as none", "none", b"ok").await.with(looks_into),
        json("JSON behind a byte order mark", b"\xef\xbb\xbf{\"status\":\"UP\"}").await,
        json("an empty body where JSON is agreed", b"").await.fails(Layer::Contract, BadBody),
        json("JSON that ends too early", b"{\"status\":").await.fails(Layer::Contract, BadBody),
        json("JSON that is not UTF-8", b"{\"status\":\"\xff\xfe\"}").await.fails(Layer::Contract, BadBody),
        json("JSON a hundred thousand levels deep", deep.as_bytes()).await.fails(Layer::Contract, BadBody),
        json("JSON of three megabytes", huge.as_bytes()).await.fails(Layer::Contract, TooLarge),
        json("JSON with a number beyond all bounds", b"{\"status\":1e999}")
            .await
            .fails(Layer::Contract, BadBody),
        json("JSON without what is looked for", b"{\"state\":1}")
            .await
            .fails(Layer::Contract, ExpectationFailed),
        health("a health body that is empty", "200 OK", "").await.fails(Layer::Contract, BadBody),
        health("a health body that is a page", "200 OK", "<html>OK</html>")
            .await
            .fails(Layer::Contract, BadBody),
        health("200 that says that it is down", "200 OK", r#"{"status":"DOWN"}"#)
            .await
            .fails(Layer::Backend, HealthFail),
        health("503 that says that it is down", "503 Oh", r#"{"status":"fail"}"#)
            .await
            .fails(Layer::Backend, HealthFail),
        health("503 that says that it is well", "503 Oh", r#"{"status":"pass"}"#).await,
        health("200 that says that it is degraded", "200 OK", r#"{"status":"warn"}"#).await.is(
            Verdict::Slow,
            Layer::Backend,
            HealthWarn,
        ),
        says("text that is not there", ok("ping"))
            .await
            .with(|check| expect(check).text = vec![Matches::Contains("pong".to_owned())])
            .fails(Layer::Contract, ExpectationFailed),
        says("a header that is not there", ok(""))
            .await
            .with(|check| expect(check).headers = vec![("etag".to_owned(), Matches::Exists)])
            .fails(Layer::Contract, ExpectationFailed),
        says("a body that is too small", ok("x"))
            .await
            .with(|check| expect(check).size = Some(2..=10))
            .fails(Layer::Contract, ExpectationFailed),
        says("an answer later than agreed", ok(""))
            .await
            .with(|check| expect(check).latency = Some(Duration::from_nanos(1)))
            .fails(Layer::Contract, ExpectationFailed),
        says("no certificate where days of one are agreed", ok(""))
            .await
            .with(|check| expect(check).certificate_days = Some(1))
            .fails(Layer::Contract, CertificateEndsSoon),
    ]
}
