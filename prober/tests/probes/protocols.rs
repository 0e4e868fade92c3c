//! What is not HTTP: TCP, SMTP with STARTTLS, DNS, HL7.

use crate::{
    certificates::Authority,
    servers::{Server, nobody},
    setting::{change, check, expect, failed, message, noon, probe, settings},
};
use domain::{
    Check, DnsRequest, FailureKind::*, Layer, MllpRequest, Outcome, RecordType, Request, Security, TcpRequest,
};
use prober::{NameServers, Prober};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::UdpSocket,
    task::JoinSet,
};

/// Patient enough for a busy machine to answer, not more: some of these servers never do.
fn at(url: &str, request: Request) -> Check {
    let mut check = Check { timeout: Duration::from_secs(1), ..check(url) };
    change(&mut check).request = request;
    check
}

fn tcp(address: SocketAddr, request: TcpRequest) -> Check {
    at(&format!("tcp://{address}"), Request::Tcp(request))
}

fn asks_for(receive: &str) -> TcpRequest {
    TcpRequest { send: b"PING\r\n".to_vec(), receive: receive.as_bytes().to_vec(), ..TcpRequest::default() }
}

/// A server that reads a line and says this.
async fn line_server(says: &'static [u8], then_hangs: bool) -> Server {
    Server::start(move |mut stream| async move {
        while stream.read_u8().await.is_ok_and(|byte| byte != b'\n') {}
        stream.write_all(says).await.ok();
        if then_hangs {
            std::future::pending::<()>().await;
        }
    })
    .await
}

#[tokio::test]
async fn a_connection_is_enough_where_nothing_else_is_asked_for() {
    let server = Server::start(|_| std::future::pending()).await;
    let outcome = probe(&tcp(server.address, TcpRequest::default())).await;
    assert_eq!(failed(&outcome), None);
    assert!(outcome.phases.connect.is_some() && outcome.phases.first_byte.is_none());
    assert!(outcome.http.is_none() && outcome.expectations.is_empty());

    let outcome = probe(&tcp(nobody(), TcpRequest::default())).await;
    assert_eq!(failed(&outcome), Some((Layer::Connect, Refused)));
    let other_port = TcpRequest { port: Some(nobody().port()), ..TcpRequest::default() };
    let outcome = probe(&tcp(server.address, other_port)).await;
    assert_eq!(failed(&outcome), Some((Layer::Connect, Refused)), "the other port of the same host");
}

#[tokio::test]
async fn what_is_to_come_is_waited_for() {
    let server = line_server(b"+PONG\r\n", true).await;
    let outcome = probe(&tcp(server.address, asks_for("PONG"))).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert!(outcome.phases.first_byte.is_some() && outcome.expectations[0].ok);

    for (says, hangs, layer, kind, told) in [
        (&b""[..], true, Layer::Backend, FirstByteTimeout, "connected, but nothing came in time"),
        (b"", false, Layer::Backend, ClosedEarly, "the connection was closed before what was expected"),
        (b"-ERR 943 476 5919", true, Layer::Contract, ExpectationFailed, "17 bytes came in time, but not"),
        (b"-ERR", false, Layer::Contract, ExpectationFailed, "the connection was closed after 4 bytes"),
    ] {
        let server = line_server(says, hangs).await;
        let outcome = probe(&tcp(server.address, asks_for("PONG"))).await;
        assert_eq!(failed(&outcome), Some((layer, kind)), "{says:?}");
        assert!(message(&outcome).starts_with(told), "{}", message(&outcome));
        assert!(!format!("{outcome:?}").contains("943 476"), "what came is not repeated");
    }
}

#[tokio::test]
async fn who_talks_without_end_is_not_listened_to_for_long() {
    let server =
        Server::start(|mut stream| async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} })
            .await;
    let outcome = probe(&tcp(server.address, asks_for("PONG"))).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, TooLarge)));

    let drip = Server::start(|mut stream| async move {
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let outcome = probe(&tcp(drip.address, asks_for("PONG"))).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, ExpectationFailed)));
    assert!(outcome.total < Duration::from_secs(3), "{:?}", outcome.total);
}

#[tokio::test]
async fn a_handshake_names_no_protocol_and_its_certificate_is_judged() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&["hl7"]);
    let server = Server::start(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            stream.write_all(b"hello").await.ok();
            stream.shutdown().await.ok();
        }
    })
    .await;
    let prober = authority.prober();
    let mut check = tcp(server.address, TcpRequest { receive: b"hello".to_vec(), ..TcpRequest::default() });
    check.url = format!("tls://localhost:{}", server.address.port());
    check.timeout = Duration::from_secs(5);
    expect(&mut check).certificate_days = Some(3);
    let outcome = prober.probe(&check, noon(), false).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert!(outcome.phases.tls.is_some() && outcome.certificate.is_some());
    assert_eq!(outcome.expectations[1].what, "certificate");

    expect(&mut check).certificate_days = Some(397);
    let outcome = prober.probe(&check, noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, CertificateEndsSoon)));

    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), Some((Layer::Tls, CertificateUntrusted)));
    assert!(outcome.certificate.is_some(), "what was presented is told all the same");
}

/// A mail server up to the handshake: greets, offers, and agrees, each with a reply of its own.
async fn mail_server(authority: &Authority, replies: [&'static str; 3]) -> Server {
    let acceptor = authority.acceptor(&[]);
    Server::start(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            for (reply, starts) in replies.into_iter().zip(["", "EHLO ", "STARTTLS"]) {
                let mut line = String::new();
                while !starts.is_empty() && !line.ends_with('\n') {
                    let Ok(byte) = stream.read_u8().await else { return };
                    line.push(char::from(byte));
                }
                assert!(line.starts_with(starts), "{line}");
                stream.write_all(reply.as_bytes()).await.ok();
            }
            acceptor.accept(stream).await.ok();
        }
    })
    .await
}

#[tokio::test]
async fn a_mail_server_goes_on_in_tls() {
    const GREETING: &str = "220 mail.example ESMTP\r\n";
    const OFFER: &str = "250-mail.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n";
    const AGREED: &str = "220 go ahead\r\n";
    let authority = Authority::new();
    for (replies, expected, told) in [
        ([GREETING, OFFER, AGREED], None, ""),
        (
            ["421 busy\r\n", "", ""],
            Some((Layer::Backend, ServerError)),
            "the mail server answers 421, not 220",
        ),
        (
            ["554 no\r\n", "", ""],
            Some((Layer::Contract, RequestRefused)),
            "the mail server answers 554, not 220",
        ),
        (
            [GREETING, "250 mail.example\r\n", ""],
            Some((Layer::Contract, ExpectationFailed)),
            "the mail server does not offer STARTTLS",
        ),
        (
            ["SSH-2.0-OpenSSH_9.2\r\n", "", ""],
            Some((Layer::Contract, BadBody)),
            "what came in place of the mail server's greeting is not SMTP",
        ),
    ] {
        let server = mail_server(&authority, replies).await;
        let mut check = check(&format!("tcp://localhost:{}", server.address.port()));
        change(&mut check).request =
            Request::Tcp(TcpRequest { security: Security::StartTlsSmtp, ..TcpRequest::default() });
        let outcome = authority.prober().probe(&check, noon(), false).await;
        assert_eq!(failed(&outcome), expected, "{}", message(&outcome));
        assert_eq!(message(&outcome), told);
        assert_eq!(outcome.certificate.is_some(), expected.is_none());
    }
}

pub(crate) const MESSAGE: &str =
    "MSH|^~\\&|CURIAD|DHCW|HUB|DHCW|20261120||ADT^A04|1|T|2.5\rPID|1||9990000018\r";

/// Reads one frame; gives its segments, each split into fields.
async fn read_frame(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Vec<Vec<String>> {
    let mut frame = Vec::new();
    while !frame.ends_with(b"\x1c\r") {
        frame.push(stream.read_u8().await.unwrap());
    }
    assert_eq!(frame.first(), Some(&0x0b));
    let text = String::from_utf8(frame[1..frame.len() - 2].to_vec()).unwrap();
    text.split_terminator('\r').map(|segment| segment.split('|').map(str::to_owned).collect()).collect()
}

/// An HL7 receiver that answers with this, `{id}` being MSH-10; and the ids that it saw.
pub(crate) async fn receiver(says: &'static str) -> (Server, Arc<Mutex<Vec<String>>>) {
    let ids = Arc::new(Mutex::new(Vec::new()));
    let seen = ids.clone();
    let server = Server::start(move |mut stream| {
        let seen = seen.clone();
        async move {
            let segments = read_frame(&mut stream).await;
            assert_eq!(segments[1][3], "9990000018", "the message itself is unchanged");
            let id = segments[0][9].clone();
            stream.write_all(says.replace("{id}", &id).as_bytes()).await.ok();
            seen.lock().unwrap().push(id);
            std::future::pending::<()>().await;
        }
    })
    .await;
    (server, ids)
}

fn mllp(address: SocketAddr) -> Check {
    at(&format!("tcp://{address}"), Request::Mllp(MllpRequest { message: MESSAGE.to_owned() }))
}

#[tokio::test]
async fn a_message_is_judged_by_what_acknowledges_it() {
    for (says, expected) in [
        ("\x0bMSH|^~\\&|HUB\rMSA|AA|{id}\r\x1c\r", None),
        ("\x0bMSH|^~\\&|HUB\rMSA|CA|{id}\r\x1c\r", None),
        ("\x0bMSH|^~\\&|HUB\rMSA|AE|{id}|Claf 9434765919\r\x1c\r", Some((Layer::Backend, ServerError))),
        ("\x0bMSH|^~\\&|HUB\rMSA|CE|{id}\r\x1c\r", Some((Layer::Backend, ServerError))),
        ("\x0bMSH|^~\\&|HUB\rMSA|AR|{id}\r\x1c\r", Some((Layer::Contract, RequestRefused))),
        ("\x0bMSH|^~\\&|HUB\rMSA|CR|{id}\r\x1c\r", Some((Layer::Contract, RequestRefused))),
        ("\x0bMSH|^~\\&|HUB\rMSA|AA|another\r\x1c\r", Some((Layer::Contract, ExpectationFailed))),
        ("\x0bMSH|^~\\&|HUB\rPID|1\r\x1c\r", Some((Layer::Contract, BadBody))),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", Some((Layer::Contract, BadBody))),
        ("\x0bMSH|^~\\&|HUB\rMSA|AA", Some((Layer::Backend, BodyTimeout))),
        ("", Some((Layer::Backend, FirstByteTimeout))),
    ] {
        let (server, _) = receiver(says).await;
        let outcome = probe(&mllp(server.address)).await;
        assert_eq!(failed(&outcome), expected, "{says:?}: {}", message(&outcome));
        assert!(!format!("{outcome:?}").contains("Claf"), "its text is not repeated");
    }
}

#[tokio::test]
async fn each_message_has_an_id_of_its_own() {
    let (server, ids) = receiver("\x0bMSH|^~\\&|HUB\rMSA|AA|{id}\r\x1c\r").await;
    let prober = Prober::new(settings()).unwrap();
    for seconds in 0..3 {
        let at = noon() + Duration::from_secs(seconds);
        assert_eq!(failed(&prober.probe(&mllp(server.address), at, false).await), None);
    }
    let mut ids = ids.lock().unwrap().clone();
    assert!(ids.iter().all(|id| id.len() == 20), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

/// A name server that answers each question with these records (type, data), or with a response code.
async fn name_server(code: u8, records: &'static [(u8, &'static [u8])]) -> (SocketAddr, JoinSet<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((_, from)) = socket.recv_from(&mut buffer).await {
            let end = 12 + buffer[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            let count = u8::try_from(records.len()).unwrap();
            let mut reply = vec![buffer[0], buffer[1], 0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
            reply.extend_from_slice(&buffer[12..end]);
            for (kind, data) in records {
                reply.extend_from_slice(&[0xc0, 12, 0, *kind, 0, 1, 0, 0, 1, 0]);
                reply.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
                reply.extend_from_slice(data);
            }
            socket.send_to(&reply, from).await.unwrap();
        }
    });
    (address, task)
}

async fn asked(
    (code, records): (u8, &'static [(u8, &'static [u8])]),
    record: RecordType,
    answers: &[&str],
    named: bool,
) -> Outcome {
    let (address, _task) = name_server(code, records).await;
    let mut check = check("https://api.example");
    change(&mut check).request = Request::Dns(DnsRequest {
        name: None,
        record,
        answers: answers.iter().map(|answer| (*answer).to_owned()).collect(),
        resolver: named.then_some(address),
    });
    let mut settings = settings();
    if !named {
        settings.name_servers = NameServers::These(vec![address]);
    }
    let prober = Box::new(Prober::new(settings).unwrap());
    prober.probe(&check, noon(), false).await
}

#[tokio::test]
async fn a_name_has_the_records_that_were_agreed() {
    const TWO: (u8, &[(u8, &[u8])]) = (0, &[(1, &[10, 0, 0, 2]), (1, &[10, 0, 0, 1])]);
    const MAIL: (u8, &[(u8, &[u8])]) = (0, &[(15, b"\x00\x0a\x04mail\xc0\x0c")]);
    for named in [true, false] {
        let outcome = asked(TWO, RecordType::A, &["10.0.0.1", "10.0.0.2"], named).await;
        assert_eq!(failed(&outcome), None, "{}", message(&outcome));
        assert!(outcome.phases.dns.is_some() && outcome.phases.connect.is_none());
        assert_eq!(failed(&asked(TWO, RecordType::A, &[], named).await), None);

        let outcome = asked(TWO, RecordType::A, &["10.0.0.1"], named).await;
        assert_eq!(failed(&outcome), Some((Layer::Contract, ExpectationFailed)));
        assert_eq!(message(&outcome), "answers: expected 10.0.0.1, saw 10.0.0.1, 10.0.0.2");

        let outcome = asked(MAIL, RecordType::Mx, &["10 mail.api.example"], named).await;
        assert_eq!(failed(&outcome), None, "{}", message(&outcome));

        let outcome = asked((3, &[]), RecordType::A, &[], named).await;
        assert_eq!(failed(&outcome), Some((Layer::Dns, NameNotFound)), "{}", message(&outcome));
        let outcome = asked((0, &[]), RecordType::A, &[], named).await;
        assert_eq!(failed(&outcome), Some((Layer::Dns, NameNotFound)), "{}", message(&outcome));
    }
    let outcome = asked((2, &[]), RecordType::A, &[], true).await;
    assert_eq!(failed(&outcome), Some((Layer::Dns, NameFailed)), "a resolver that is exercised itself fails");
    let outcome = asked((2, &[]), RecordType::A, &[], false).await;
    assert_eq!(
        failed(&outcome),
        Some((Layer::Ours, NoResolver)),
        "one that fails for all is our own trouble"
    );
}

#[tokio::test]
async fn a_named_resolver_that_says_nothing_fails() {
    let mute = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let resolver = mute.local_addr().unwrap();
    let request =
        DnsRequest { name: None, record: RecordType::A, answers: Vec::new(), resolver: Some(resolver) };
    let check = at("https://api.example", Request::Dns(request));
    let outcome = probe(&check).await;
    assert_eq!(failed(&outcome), Some((Layer::Dns, NameFailed)), "{}", message(&outcome));
    assert!(message(&outcome).contains(&resolver.to_string()), "{}", message(&outcome));
}
