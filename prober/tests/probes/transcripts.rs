//! What is written down of an exchange, and of which.

use crate::{
    servers::{Server, head},
    setting::{check, failed, noon, prober},
};
use domain::{FailureKind, Layer, Outcome};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::io::AsyncWriteExt;

fn server(outcome: &Outcome) -> Option<&str> {
    let headers = &outcome.transcript.as_ref()?.headers;
    headers.iter().find(|(name, _)| name == "server").map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn what_fails_is_written_down_and_what_is_good_once_an_hour_and_after_each_failure() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = Arc::clone(&down);
    let target = Server::start(move |mut stream| {
        let status = if is_down.load(Ordering::SeqCst) { "503 No" } else { "200 OK" };
        async move {
            head(&mut stream).await;
            let answer = format!(
                "HTTP/1.1 {status}\r\nserver: nginx\r\nset-cookie: session=secret\r\ncontent-length: 0\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.ok();
        }
    })
    .await;
    let prober = prober();
    let prepared = prober.prepare(Arc::new(check(&target.url())));
    let probe = async || prober.probe_prepared(&prepared, noon(), false).await;
    let first = probe().await;
    assert_eq!((failed(&first), server(&first)), (None, Some("nginx")), "the first good one");
    assert_eq!(probe().await.transcript, None, "and then none for a while");
    down.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let seen = probe().await;
        assert_eq!(failed(&seen), Some((Layer::Gateway, FailureKind::GatewayError)));
        assert_eq!(server(&seen), Some("nginx"), "each that fails");
        assert!(!format!("{seen:?}").contains("secret"), "by the list alone");
    }
    down.store(false, Ordering::SeqCst);
    assert_eq!(server(&probe().await), Some("nginx"), "the first good one after a failure");
    assert_eq!(probe().await.transcript, None);
}
