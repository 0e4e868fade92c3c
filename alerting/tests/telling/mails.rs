//! Letters: in threads, known again when repeated, never in the clear.

use super::{
    KEY, example,
    house::{Hand, house, house_with},
};
use alerting::MailTls;
use domain::{Channel, DeskId, Note, NotificationKind, Sent, TeamId, With};
use simulator::Trouble;
use store::OutboxState;

#[tokio::test]
async fn letters_form_a_thread_know_themselves_again_and_are_no_invitation_to_robots() {
    let house = house().await;
    let one = Channel::Email(example::id("oncall.one"));
    house.wants("callout/1/email", NotificationKind::Callout { callout: 1 }, one.clone()).await;
    house.wants("stand-down/oncall.one/email", NotificationKind::StandDown { taken_by: None }, one).await;
    let team = Channel::Team(TeamId::parse("demographics").unwrap());
    house.wants("told", NotificationKind::Told, team).await;
    let people_at_desk = Channel::DeskEmail(DeskId::parse("nsd").unwrap());
    house.wants("fallback", NotificationKind::TicketFallback, people_at_desk.clone()).await;
    assert_eq!(house.deliver().await, 4);

    let mails = house.world.mail().mails();
    let to = |address: &'static str| {
        mails.iter().filter(move |mail| mail.to.iter().any(|to| to.contains(address)))
    };
    let mine: Vec<_> = to("one@").collect();
    assert_eq!(mine.len(), 2);
    let ids: Vec<_> = mine.iter().map(|mail| mail.header("message-id").unwrap()).collect();
    assert!(ids.contains(&"<C-42-k3f9xq/callout/1/email@status.example.wales>"), "{ids:?}");
    assert_ne!(ids[0], ids[1]);
    for mail in &mails {
        assert_eq!(mail.header("auto-submitted"), Some("auto-generated"));
        assert!(mail.from.contains("curiad@status.example.wales"));
        let subject = mail.subject.to_lowercase();
        assert!(!subject.starts_with("re:") && !subject.starts_with("fw"), "{subject}");
    }
    assert_eq!(mine[0].header("references"), mine[1].header("references"));
    assert!(mine[0].header("references").is_some());
    assert!(mine.iter().all(|mail| mail.subject.contains("Demograffeg Cleifion")), "Welsh, as asked for");

    let told = to("demographics@").next().unwrap();
    assert!(told.text.contains("Patient Demographics is not working"), "{}", told.text);
    assert!(
        told.text.contains("Nid yw Demograffeg Cleifion yn gweithio"),
        "both: the preference is not known"
    );

    let fallback = to("desk@").next().unwrap();
    assert!(fallback.text.lines().any(|line| line == format!("correlation: {KEY}")), "{}", fallback.text);
    assert_eq!(fallback.header("references"), None, "a desk would take it for an answer");
    let first = fallback.header("message-id").unwrap().to_owned();
    let note = Note { at: house.hand.now(), text: "Acknowledged.".to_owned(), with: With::Nothing };
    house.wants("fallback/note/1", NotificationKind::FallbackNote { note }, people_at_desk).await;
    assert_eq!(house.deliver().await, 1);
    let mails = house.world.mail().mails();
    let note = mails.last().unwrap();
    assert_eq!(note.header("references"), Some(first.as_str()), "what is said later follows it");
    assert!(note.text.contains("Acknowledged."), "{}", note.text);
    house.close().await;
}

#[tokio::test]
async fn mail_that_is_put_off_is_tried_again_and_mail_that_is_refused_is_not() {
    let house = house().await;
    let one = Channel::Email(example::id("oncall.one"));
    let over = NotificationKind::StandDown { taken_by: None };
    house.world.mail().set_trouble_for(Trouble::ServerError, 1).await;
    house.wants("stand-down/oncall.one/email", over.clone(), one).await;
    house.deliver().await;
    assert!(house.world.mail().mails().is_empty());
    house.hand.forward(10);
    house.deliver().await;
    assert_eq!(house.world.mail().mails().len(), 1);
    assert!(matches!(house.receipt().await, Sent::Accepted { .. }));

    let nobody = Channel::Email(example::id("duty.manager"));
    house.wants("stand-down/duty.manager/email", over, nobody).await;
    house.deliver().await;
    let last = house.receipts().await.pop().unwrap();
    assert!(matches!(last.outcome, Sent::GivenUp { why } if why.contains("no mailbox")));
    house.close().await;
}

#[tokio::test]
async fn mail_is_never_sent_without_the_protection_that_was_asked_for() {
    for tls in [MailTls::StartTls, MailTls::Tls] {
        let hand = Hand::new(example::at("02:14:10"));
        let house = house_with(hand.clone(), hand.clock(), |directory| {
            let mail = directory.mail.as_mut().unwrap();
            mail.tls = tls;
            mail.host = "localhost".to_owned();
        })
        .await;
        let one = Channel::Email(example::id("oncall.one"));
        let key = house.wants("callout/1/email", NotificationKind::Callout { callout: 1 }, one).await;
        assert_eq!(house.deliver().await, 1);
        assert!(house.world.mail().mails().is_empty(), "{tls:?}: sent in the clear");
        let rows = house.store.notifications(house.incident.id).await.unwrap();
        let row = rows.iter().find(|row| row.notification.key == key).unwrap();
        assert!(matches!(row.state, OutboxState::Waiting { lease_until: None, .. }), "{tls:?}: {row:?}");
        house.close().await;
    }
}

#[tokio::test]
async fn a_mail_server_that_stops_talking_is_looked_at_no_longer_than_was_said() {
    use tokio::io::AsyncWriteExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut serves = tokio::task::JoinSet::new();
    serves.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        // It takes the greeting, and says nothing more.
        std::future::pending::<()>().await;
    });
    let hand = Hand::new(example::at("02:14:10"));
    let clock = hand.clock();
    let house = house_with(hand, clock, |directory| directory.mail.as_mut().unwrap().port = port).await;
    let patience = std::time::Duration::from_millis(300);
    let channels = house.deliverer.setup.borrow().channels.clone();
    let looked =
        tokio::time::timeout(std::time::Duration::from_secs(30), channels.examine_mail(patience)).await;
    let examined = looked.expect("in time").expect("there is a mail server");
    let [finding] = examined.findings.as_slice() else { panic!("{examined:?}") };
    assert!(finding.detail.contains("within 300ms"), "{finding:?}");
    house.close().await;
}
