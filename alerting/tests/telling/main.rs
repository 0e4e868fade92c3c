//! Telling, against the world as it is: desks that time out, carriers that lose, mail that stays away.

mod desk;
mod example;
mod house;

use alerting::{Auth, DeadMan, Limits, MailTls, ServiceNow};
use desk::{BadDesk, record};
use domain::{Channel, Clock, DeskId, Note, NotificationKind, Secret, Sent, TeamId};
use house::{Hand, House, LIMIT, client, desk, house, house_with};
use jiff::Timestamp;
use serde_json::{Value, json};
use simulator::Trouble;
use std::{sync::Arc, time::Duration};
use store::OutboxState;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

const KEY: &str = "curiad:C-42:1782007930000";

#[tokio::test]
async fn a_ticket_has_the_evidence_the_group_and_a_priority_that_is_read_back() {
    let house = house().await;
    house.wants_ticket().await;
    assert_eq!(house.deliver().await, 1);

    let tickets = house.world.desk().tickets();
    let [ticket] = tickets.as_slice() else { panic!("one ticket, not {}", tickets.len()) };
    assert_eq!(ticket.field("correlation_id"), KEY);
    assert_eq!((ticket.field("impact"), ticket.field("urgency"), ticket.field("priority")), ("1", "1", "1"));
    assert_eq!(ticket.field("contact_type"), "monitoring");
    assert_eq!(ticket.field("cmdb_ci"), "5f2a1c0ddb1f4c10a7b5d4c0a2961921");
    let group = house.world.desk().name_of(ticket.field("assignment_group")).to_owned();
    assert_eq!(group, "API Platform", "the group of the layer at fault, not the desk's default");
    assert!(ticket.field("description").contains("refused the connection"));
    let told = Sent::Ticket { number: ticket.number.clone(), record: ticket.sys_id.clone(), mismatch: None };
    assert_eq!(house.receipt().await, told);
    house.close().await;
}

#[tokio::test]
async fn a_desk_that_takes_a_ticket_and_never_answers_still_has_one() {
    let house = house().await;
    let key = house.wants_ticket().await;
    house.world.desk().set_trouble_for(Trouble::AcceptThenTimeOut, 1).await;
    house.deliver().await;
    assert_eq!(house.world.desk().tickets().len(), 1, "the desk has it");
    assert!(house.receipts().await.is_empty(), "but nobody here knows yet");

    house.hand.forward(5);
    house.deliver().await;
    assert_eq!(house.world.desk().tickets().len(), 1, "found, not made again");
    assert!(matches!(house.receipt().await, Sent::Ticket { .. }));
    let rows = house.store.notifications(house.incident.id).await.unwrap();
    assert!(
        rows.iter().any(|row| row.notification.key == key && matches!(row.state, OutboxState::Sent { .. }))
    );
    house.close().await;
}

#[tokio::test]
async fn whoever_takes_over_after_a_crash_finds_the_ticket_also_when_its_time_is_up() {
    let house = house().await;
    house.wants_ticket().await;
    // Claimed and made; then the process died before it could settle.
    let lease = Duration::from_secs(60);
    let claimed = house.store.claim(house.hand.now(), lease, 1).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let made = json!({ "correlation_id": KEY, "short_description": "made before the crash", "impact": "2" });
    let options = house.world.desk().options().clone();
    let url = format!("{}/api/now/table/incident", house.world.desk().url());
    let answer =
        client().post(url).basic_auth(options.user, Some(options.password)).json(&made).send().await.unwrap();
    assert_eq!(answer.status(), 201);

    house.hand.forward(3600);
    assert_eq!(house.deliver().await, 1);
    assert_eq!(house.world.desk().tickets().len(), 1);
    let Sent::Ticket { mismatch: Some(mismatch), .. } = house.receipt().await else {
        panic!("no mismatch told")
    };
    assert!(mismatch.contains("the desk has priority 4, ours is P1"), "{mismatch}");
    house.close().await;
}

/// A house whose desk is a worse one than the simulator's.
async fn house_of(bad: &Arc<BadDesk>, tasks: &mut JoinSet<()>) -> House {
    let address = desk::serve(Arc::clone(bad), tasks).await;
    let hand = Hand::new(example::at("02:14:10"));
    let clock = hand.clock();
    house_with(hand, clock, |directory| {
        let desk = directory.desks.get_mut(&DeskId::parse("nsd").unwrap()).unwrap();
        desk.servicenow = Some(ServiceNow {
            url: format!("http://{address}"),
            auth: Auth::Basic { user: "curiad".to_owned(), password: Secret::new("x") },
            ..desk.servicenow.clone().unwrap()
        });
    })
    .await
}

#[tokio::test]
async fn a_desk_that_ignores_the_look_up_gets_no_ticket_and_another_channel_takes_over() {
    let found =
        vec![json!([record("x", "INC0000001", &Value::from("somebody-elses"), "2026-06-20 08:00:00")])];
    let bad = Arc::new(BadDesk { found, ..BadDesk::default() });
    let mut tasks = JoinSet::new();
    let house = house_of(&bad, &mut tasks).await;
    house.wants_ticket().await;
    house.deliver().await;
    assert_eq!(bad.made(), 0, "the next look-up could not find it either");
    assert!(bad.written.lock().unwrap().is_empty(), "somebody else's ticket is left alone");
    let Sent::GivenUp { why } = house.receipt().await else { panic!("not given up") };
    assert!(why.contains("read access to incident.correlation_id"), "{why}");
    house.close().await;
}

#[tokio::test]
async fn of_two_tickets_the_oldest_is_kept_and_the_other_says_so() {
    let key = Value::from(KEY);
    let ours = record("b", "INC0010009", &key, "2026-06-21 02:14:12");
    let theirs = record("a", "INC0010008", &key, "2026-06-21 02:14:11");
    let bad = Arc::new(BadDesk { found: vec![json!([]), json!([ours, theirs])], ..BadDesk::default() });
    let mut tasks = JoinSet::new();
    let house = house_of(&bad, &mut tasks).await;
    house.wants_ticket().await;
    house.deliver().await;
    assert_eq!(bad.made(), 1);
    assert!(matches!(house.receipt().await, Sent::Ticket { number, .. } if number == "INC0010008"));
    let written = bad.written.lock().unwrap().clone();
    let [(id, fields)] = written.as_slice() else { panic!("one note, not {written:?}") };
    assert_eq!(id, "b");
    assert_eq!(fields["parent_incident"], "a");
    assert!(fields["work_notes"].as_str().unwrap().contains("the ticket for this is INC0010008"));
    assert!(fields.get("state").is_none(), "never resolved by us");
    house.close().await;
}

#[tokio::test]
async fn a_token_that_was_revoked_is_fetched_anew_once() {
    let house = house().await;
    house.wants_ticket().await;
    house.deliver().await;
    house.world.desk().revoke_tokens();
    let note = |n: u32| NotificationKind::TicketNote {
        record: house.world.desk().tickets()[0].sys_id.clone(),
        note: Note { at: house.hand.now(), text: format!("note {n}") },
    };
    house.wants("note/1", note(1), desk()).await;
    house.deliver().await;
    assert_eq!(house.world.desk().tickets()[0].work_notes().len(), 1);

    // A credential that is refused for good is told, not tried for ever.
    house.world.desk().set_trouble(Trouble::Unauthorised).await;
    house.wants("note/2", note(2), desk()).await;
    house.deliver().await;
    let last = house.receipts().await.pop().unwrap();
    assert!(matches!(last.outcome, Sent::GivenUp { why } if why.contains("401")));
    house.close().await;
}

#[tokio::test]
async fn who_is_asked_to_come_back_later_does_not_before() {
    let house = house().await;
    house.wants_ticket().await;
    house.world.desk().set_trouble_for(Trouble::RateLimited, 1).await;
    house.deliver().await;
    house.hand.forward(2);
    assert_eq!(house.deliver().await, 0, "the desk said three seconds");
    let next = house.store.next_delivery(house.hand.now()).await.unwrap().unwrap();
    assert!(next >= example::at("02:14:13"), "{next}");
    house.hand.forward(2);
    assert_eq!(house.deliver().await, 1);
    assert_eq!(house.world.desk().tickets().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_work_note_whose_fate_is_unknown_is_looked_for_before_it_is_sent_again() {
    let house = house().await;
    house.wants_ticket().await;
    house.deliver().await;
    let record = house.world.desk().tickets()[0].sys_id.clone();
    let note = Note { at: house.hand.now(), text: "Acknowledged by Test Person Two.".to_owned() };
    house.wants("note/1", NotificationKind::TicketNote { record, note }, desk()).await;
    house.world.desk().set_trouble_for(Trouble::AcceptThenTimeOut, 1).await;
    house.deliver().await;
    house.hand.forward(10);
    house.deliver().await;
    let tickets = house.world.desk().tickets();
    let notes = tickets[0].work_notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("Acknowledged by Test Person Two."));
    assert_eq!(house.receipts().await.len(), 2);
    assert_eq!(tickets[0].state(), "New", "never resolved by us");
    house.close().await;
}

#[tokio::test]
async fn a_text_goes_out_once_in_the_language_of_whoever_is_called() {
    let house = house().await;
    let key = house.wants_text().await;
    house.deliver().await;
    let texts = house.world.notify().messages();
    let [text] = texts.as_slice() else { panic!("one text, not {}", texts.len()) };
    assert_eq!(text.to, "+447700900101");
    assert_eq!(text.reference.as_deref(), Some(key.as_str()));
    assert!(text.body.starts_with("P1 BYW Demograffeg Cleifion WEDI METHU ers 03:12 BST."), "{}", text.body);
    assert!(text.body.contains("https://statws.example.cymru/ack/k7m2q9x4tz1p"));
    assert_eq!(house.receipt().await, Sent::Accepted { provider_id: text.id.clone() });
    house.close().await;
}

#[tokio::test]
async fn a_text_whose_fate_is_unknown_is_asked_for_by_its_reference_before_it_is_sent_again() {
    let house = house().await;
    house.wants_text().await;
    house.world.notify().set_trouble_for(Trouble::AcceptThenTimeOut, 1).await;
    house.deliver().await;
    assert_eq!(house.world.notify().messages().len(), 1);
    house.hand.forward(3);
    house.deliver().await;
    assert_eq!(house.world.notify().messages().len(), 1, "nobody is woken twice by one call");
    assert!(matches!(house.receipt().await, Sent::Accepted { .. }));
    house.close().await;
}

#[tokio::test]
async fn a_text_that_never_arrived_is_sent_again_and_one_that_nobody_can_be_asked_about_says_so() {
    let house = house().await;
    house.wants_text().await;
    house.world.notify().set_trouble_for(Trouble::ServerError, 1).await;
    house.deliver().await;
    assert!(house.world.notify().messages().is_empty());
    house.hand.forward(3);
    // The question fails, the text does not.
    house.world.notify().set_trouble_for(Trouble::ServerError, 1).await;
    house.deliver().await;
    let texts = house.world.notify().messages();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].body.contains(" #1/2 eto "), "{}", texts[0].body);
    house.close().await;
}

#[tokio::test]
async fn a_carrier_that_refuses_for_good_is_given_up_at_once_so_that_another_way_takes_over() {
    for (trouble, skew, expected) in [
        (Trouble::DailyLimit, 0, "the day's limit is reached"),
        (Trouble::Unauthorised, 0, "403"),
        (Trouble::None, 60, "within 30 seconds"),
    ] {
        let hand = Hand::new(example::at("02:14:10"));
        let mut house = house_with(hand.clone(), hand.clock(), |_| ()).await;
        let ahead = hand.clone();
        house.deliverer.clock = Clock::new(move || ahead.now() + jiff::SignedDuration::from_secs(skew));
        house.world.notify().set_trouble(trouble).await;
        house.wants_text().await;
        house.deliver().await;
        let Sent::GivenUp { why } = house.receipt().await else { panic!("{trouble}: not given up") };
        assert!(why.contains(expected), "{trouble}: {why}");
        assert!(!why.contains("447700900101"), "no number in words: {why}");
        house.close().await;
    }
}

#[tokio::test]
async fn a_callout_that_nobody_takes_in_its_time_is_given_up_with_a_receipt() {
    let house = house().await;
    house.world.notify().set_trouble(Trouble::Refuse).await;
    house.wants_text().await;
    let mut tries = 0;
    while house.receipts().await.is_empty() {
        tries += house.deliver().await;
        house.hand.forward(5);
        assert!(tries < 100, "never given up");
    }
    assert!(tries > 10, "tried {tries} times in ten minutes");
    assert!(house.hand.now() < example::at("02:24:20"), "not tried beyond its time");
    let Sent::GivenUp { why } = house.receipt().await else { panic!("not given up") };
    assert!(why.contains("cannot be reached"), "{why}");
    house.close().await;
}

#[tokio::test]
async fn letters_form_a_thread_know_themselves_again_and_are_no_invitation_to_robots() {
    let house = house().await;
    let one = Channel::Email(example::id("oncall.one"));
    house.wants("callout/1/email", NotificationKind::Callout { callout: 1 }, one.clone()).await;
    house.wants("stand-down/oncall.one/email", NotificationKind::StandDown { taken_by: None }, one).await;
    let team = Channel::Team(TeamId::parse("demographics").unwrap());
    house.wants("told", NotificationKind::Told, team).await;
    let people_at_desk = Channel::DeskEmail(DeskId::parse("nsd").unwrap());
    house.wants("fallback", NotificationKind::TicketFallback, people_at_desk).await;
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
async fn more_than_a_channel_takes_at_a_time_waits_for_its_turn_and_goes_out_in_the_same_step() {
    let house = house().await;
    house.wants_ticket().await;
    house.deliver().await;
    let record = house.world.desk().tickets()[0].sys_id.clone();
    for n in 0..20 {
        let note = Note { at: house.hand.now(), text: format!("note {n}") };
        house
            .wants(
                &format!("note/{n}"),
                NotificationKind::TicketNote { record: record.clone(), note },
                desk(),
            )
            .await;
    }
    assert_eq!(house.deliver().await, 20);
    assert_eq!(house.world.desk().tickets()[0].work_notes().len(), 20);
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
        assert!(matches!(row.state, OutboxState::Waiting { .. }), "{tls:?}: {row:?}");
        house.close().await;
    }
}

fn machine_clock() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "the deliverer's own waiting is real time here")]
    Clock::new(Timestamp::now)
}

#[tokio::test]
async fn a_desk_that_does_not_answer_holds_up_no_callout_and_stopping_ends_what_is_under_way() {
    let house = house_with(Hand::new(example::at("02:14:10")), machine_clock(), |_| ()).await;
    house.world.desk().set_trouble(Trouble::AcceptThenTimeOut).await;
    for n in 0..40 {
        let note = Note { at: house.deliverer.clock.now(), text: format!("note {n}") };
        let kind = NotificationKind::TicketNote { record: "00".to_owned(), note };
        house.wants(&format!("note/{n}"), kind, desk()).await;
    }
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    // The poll is long: it is the hint that brings the callout out.
    let limits = Limits { poll: Duration::from_secs(60), ..Limits::default() };
    let deliverer = alerting::Deliverer { limits, ..house.deliverer.clone() };
    let (look, stopped) = (Arc::clone(&deliverer.look), stop.clone());
    tasks.spawn(async move { deliverer.run(stopped).await });

    house.wants_text().await;
    let asked = tokio::time::Instant::now();
    look.notify_one();
    house.world.wait_for(LIMIT, |world| world.notify().messages().pop()).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5), "the callout waited {:?}", asked.elapsed());

    stop.cancel();
    tokio::time::timeout(LIMIT, tasks.join_next()).await.expect("the deliverer ends").unwrap().unwrap();
    house.close().await;
}

#[tokio::test]
async fn the_heart_beats_only_while_curiad_is_well() {
    let house = house().await;
    let (well, receiver) = watch::channel(true);
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let every = Duration::from_millis(50);
    let settings = DeadMan { url: Secret::new(house.world.heartbeat().url()), every };
    let (client, stopped) = (client(), stop.clone());
    tasks.spawn(async move { alerting::heartbeat(&settings, &client, receiver, stopped).await });
    let beats =
        |least: u64| move |world: &simulator::World| (world.heartbeat().beats().count >= least).then_some(());
    house.world.wait_for(LIMIT, beats(2)).await.unwrap();

    well.send(false).unwrap();
    // One beat may be on its way; after it there is none for many times their interval.
    let quiet = house.world.heartbeat().beats().count + 2;
    let more = house.world.wait_for(every * 20, beats(quiet)).await;
    assert!(more.is_err(), "it beats although it is not well");
    well.send(true).unwrap();
    house.world.wait_for(LIMIT, beats(quiet)).await.unwrap();
    stop.cancel();
    tokio::time::timeout(LIMIT, tasks.join_next()).await.expect("the heartbeat ends").unwrap().unwrap();
    house.close().await;
}
