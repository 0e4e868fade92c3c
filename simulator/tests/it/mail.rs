//! The mail server, through lettre and by hand.

use crate::support::{Clock, world};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use simulator::{MailOptions, Trouble, World, WorldOptions};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

fn transport(world: &World) -> lettre::transport::smtp::AsyncSmtpTransportBuilder {
    let address = world.mail().address();
    Transport::builder_dangerous(address.ip().to_string()).port(address.port())
}

fn letter(subject: &str, text: &str) -> Message {
    let from: Mailbox = "Curiad <curiad@example.wales>".parse().expect("an address");
    let to: Mailbox = "Siân Dŵr <sian@example.wales>".parse().expect("an address");
    Message::builder()
        .from(from)
        .to(to)
        .subject(subject)
        .multipart(MultiPart::alternative_plain_html(text.to_owned(), format!("<p>{text}</p>")))
        .expect("a mail")
}

#[tokio::test]
async fn a_mail_in_welsh_is_read_as_it_was_written() {
    let world = world().await;
    let subject = "P1: Canlyniadau – ddim yn gweithio (tŷ, gŵr, sïo) and a subject long enough to be folded more than once";
    let text = ".starts with a dot\nŵŷ and a very long line ".to_owned() + &"x".repeat(200);
    transport(&world).build::<Tokio1Executor>().send(letter(subject, &text)).await.expect("taken");
    let mail = world.mail().mails().pop().expect("a mail");
    assert_eq!((mail.subject.as_str(), mail.text.as_str()), (subject, text.as_str()));
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("curiad@example.wales", ["sian@example.wales".to_owned()].as_slice())
    );
    assert!(mail.header("TO").expect("a header").contains("Siân Dŵr"), "{:?}", mail.headers);
    world.stop().await;
}

#[tokio::test]
async fn the_server_can_be_in_trouble() {
    let world = world().await;
    let send = || async { transport(&world).build::<Tokio1Executor>().send(letter("x", "y")).await };
    for (trouble, code) in
        [(Trouble::RateLimited, "421"), (Trouble::ServerError, "451"), (Trouble::Unauthorised, "550")]
    {
        world.mail().set_trouble_for(trouble, 1).await;
        let error = send().await.expect_err(code);
        assert!(error.to_string().contains(code) || format!("{error:?}").contains(code), "{error:?}");
        send().await.expect("well again");
    }
    world.mail().set_trouble(Trouble::Refuse).await;
    send().await.expect_err("refused");
    assert_eq!(world.mail().mails().len(), 3);
    world.stop().await;
}

#[tokio::test]
async fn credentials_are_asked_for_when_there_are_any() {
    let mut options = WorldOptions::new(Clock::new().now());
    options.mail =
        MailOptions { credentials: Some(("curiad".to_owned(), "secret".to_owned())), start_tls: false };
    let world = World::start(options).await.expect("the world starts");
    let with = |password: &str| {
        transport(&world)
            .credentials(Credentials::new("curiad".to_owned(), password.to_owned()))
            .build::<Tokio1Executor>()
    };
    with("secret").send(letter("x", "y")).await.expect("taken");
    with("guess").send(letter("x", "y")).await.expect_err("a wrong password");
    transport(&world).build::<Tokio1Executor>().send(letter("x", "y")).await.expect_err("no password");
    assert_eq!(world.mail().mails().len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_wants_protection_takes_nothing_without_it_nor_from_who_does_not_trust_it() {
    let mut options = WorldOptions::new(crate::support::machine_clock());
    options.mail =
        MailOptions { credentials: Some(("curiad".to_owned(), "secret".to_owned())), start_tls: true };
    let world = World::start(options).await.expect("the world starts");
    let with = |tls: Tls| {
        let address = world.mail().address();
        Transport::builder_dangerous("localhost")
            .port(address.port())
            .tls(tls)
            .credentials(Credentials::new("curiad".to_owned(), "secret".to_owned()))
            .build::<Tokio1Executor>()
    };
    with(Tls::None).send(letter("x", "y")).await.expect_err("in the clear");
    let strangers = TlsParameters::new("localhost".to_owned()).expect("parameters");
    with(Tls::Required(strangers)).send(letter("x", "y")).await.expect_err("an authority it does not know");
    assert!(world.mail().mails().is_empty());
    let authority = Certificate::from_pem(world.authority().as_bytes()).expect("a certificate");
    let trusting = TlsParameters::builder("localhost".to_owned()).add_root_certificate(authority).build();
    with(Tls::Required(trusting.expect("parameters"))).send(letter("x", "y")).await.expect("taken");
    assert_eq!(world.mail().mails().len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn one_recipient_can_be_refused_while_others_are_not() {
    let world = world().await;
    world.mail().set_recipient("sian@example.wales", Some("450 4.2.0 Greylisted, try again later"));
    let send = || async { transport(&world).build::<Tokio1Executor>().send(letter("x", "y")).await };
    assert!(send().await.expect_err("greylisted").is_transient());
    world.mail().set_recipient("sian@example.wales", Some("550 5.1.1 No such user"));
    assert!(send().await.expect_err("unknown").is_permanent());
    world.mail().set_recipient("else@example.wales", Some("550 5.1.1 No such user"));
    world.mail().set_recipient("sian@example.wales", None);
    send().await.expect("taken");
    world.mail().set_trouble_for(Trouble::AcceptThenHangUp, 1).await;
    send().await.expect_err("hung up on");
    assert_eq!(world.mail().mails().len(), 2, "but taken");
    world.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_keep_the_order_is_told_so() {
    let world = world().await;
    let stream = TcpStream::connect(world.mail().address()).await.expect("connected");
    let mut stream = BufReader::new(stream);
    let mut said = String::new();
    stream.read_line(&mut said).await.expect("a greeting");
    for (line, code) in [
        ("DATA", "503"),
        ("RCPT TO:<a@b.wales>", "503"),
        ("MAIL FROM:a@b.wales", "501"),
        ("MAIL FROM:<a@b.wales> SIZE=99999999", "552"),
        ("MAIL FROM:<a@b.wales>", "250"),
        ("RCPT TO:<nobody>", "501"),
        ("EXPN all", "500"),
        ("QUIT", "221"),
    ] {
        stream.write_all(format!("{line}\r\n").as_bytes()).await.expect("written");
        said.clear();
        stream.read_line(&mut said).await.expect("an answer");
        assert!(said.starts_with(code), "{line}: {said}");
    }
    world.stop().await;
}
