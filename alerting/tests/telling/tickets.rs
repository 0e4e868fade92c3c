//! Tickets: one per incident, whatever the desk does.

use super::{
    KEY,
    desk::{self, BadDesk, record},
    example,
    house::{Hand, House, client, desk, house, house_with},
};
use alerting::{Auth, DeskSystem, ServiceNow};
use domain::{Change, DeskId, EarlierTicket, Incident, Note, NotificationKind, Secret, Sent};
use serde_json::{Value, json};
use simulator::{DeskOptions, Trouble};
use std::{sync::Arc, time::Duration};
use store::OutboxState;
use tokio::task::JoinSet;

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
    assert_eq!(ticket.field("cmdb_ci"), "46ca0887a9fe19810191e08e51927ebf", "the item of the layer at fault");
    let group = house.world.desk().name_of(ticket.field("assignment_group")).to_owned();
    assert_eq!(group, "API Platform", "the group of the layer at fault, not the desk's default");
    assert!(ticket.field("description").contains("refused the connection"));
    let told = Sent::Ticket { number: ticket.number.clone(), record: ticket.sys_id.clone(), mismatch: None };
    assert_eq!(house.receipt().await, told);
    house.close().await;
}

/// It looks who asks: the simulated desk gives nothing to another.
#[tokio::test]
async fn a_desk_may_know_us_by_a_name_and_a_password() {
    for (password, tickets) in [(DeskOptions::default().password, 1), ("a guess".to_owned(), 0)] {
        let hand = Hand::new(example::at("02:14:10"));
        let house = house_with(hand.clone(), hand.clock(), |directory| {
            for desk in directory.desks.values_mut() {
                let Some(DeskSystem::ServiceNow(desk)) = &mut desk.system else { panic!("another system") };
                let user = DeskOptions::default().user;
                desk.auth = Auth::Basic { user, password: Secret::new(password.clone()) };
            }
        })
        .await;
        house.wants_ticket().await;
        house.deliver().await;
        assert_eq!(house.world.desk().tickets().len(), tickets);
        house.close().await;
    }
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

/// What the rules make of `incident link`: what was asked for is taken back, as far as it can be.
pub(crate) async fn links_another(house: &House, asked: &str) {
    let earlier = EarlierTicket {
        known: None,
        why: "linked by ann".to_owned(),
        given_up: false,
        mailed_at: None,
        desk: None,
        left: false,
    };
    let incident = Arc::new(Incident { earlier_tickets: vec![earlier], ..(*house.incident).clone() });
    house.record(vec![Change::Withdraw(asked.to_owned()), Change::Incident(incident)]).await;
}

#[tokio::test]
async fn a_ticket_that_may_have_been_made_before_another_was_linked_is_found_and_none_is_made_for_that() {
    for (trouble, there) in [(Trouble::AcceptThenTimeOut, 1), (Trouble::ServerError, 0)] {
        let house = house().await;
        let key = house.wants_ticket().await;
        house.world.desk().set_trouble_for(trouble, 1).await;
        house.deliver().await;
        links_another(&house, &key).await;
        house.hand.forward(60);
        assert_eq!(house.deliver().await, 1, "it is looked for");
        assert_eq!(house.world.desk().tickets().len(), there, "{trouble:?}");
        let said = house.receipt().await;
        if let Sent::GivenUp { why } = &said {
            assert!(why.contains("another ticket was linked"), "{why}");
        }
        let found = matches!(said, Sent::Ticket { .. });
        assert_eq!(found, there == 1, "{trouble:?}: the rules tell it where to look: {said:?}");
        house.close().await;
    }
}

#[tokio::test]
async fn a_desk_by_another_name_has_the_ticket_and_makes_no_other() {
    let house = house().await;
    let options = house.world.desk().options().clone();
    let url = format!("{}/api/now/table/incident", house.world.desk().url());
    let there = json!({ "correlation_id": KEY, "short_description": "made when the desk had another name" });
    let made = client().post(url).basic_auth(options.user, Some(options.password)).json(&there);
    assert_eq!(made.send().await.unwrap().status(), 201);
    let earlier = EarlierTicket {
        known: Some(("INC0010001".to_owned(), "a record".to_owned())),
        why: "INC0010001 is at old, which is not in the configuration any more".to_owned(),
        given_up: false,
        mailed_at: None,
        desk: Some(domain::DeskId::parse("old").unwrap()),
        left: true,
    };
    let incident = Arc::new(Incident { earlier_tickets: vec![earlier], ..(*house.incident).clone() });
    house.record(vec![Change::Incident(incident)]).await;
    house.wants("ticket/2", NotificationKind::TicketOpen, desk()).await;
    house.deliver().await;
    assert_eq!(house.world.desk().tickets().len(), 1);
    assert!(matches!(house.receipt().await, Sent::Ticket { .. }), "it goes on in that one");
    house.close().await;
}

#[tokio::test]
async fn a_ticket_that_was_given_up_and_is_there_all_the_same_is_taken_and_no_other_is_made() {
    let by_hand =
        json!({ "short_description": "made of a mail", "description": format!("correlation: {KEY} ") });
    let lost = json!({ "correlation_id": KEY, "short_description": "made, and never confirmed" });
    for there in [by_hand, lost] {
        let house = house().await;
        let options = house.world.desk().options().clone();
        let url = format!("{}/api/now/table/incident", house.world.desk().url());
        let made = client().post(url).basic_auth(options.user, Some(options.password)).json(&there);
        assert_eq!(made.send().await.unwrap().status(), 201);
        let why = "a ticket was asked for, and the desk did not make one".to_owned();
        let earlier =
            EarlierTicket { known: None, why, given_up: true, mailed_at: None, desk: None, left: false };
        let incident = Arc::new(Incident { earlier_tickets: vec![earlier], ..(*house.incident).clone() });
        house.record(vec![Change::Incident(incident)]).await;
        house.wants("ticket/2", NotificationKind::TicketOpen, desk()).await;
        house.deliver().await;
        let tickets = house.world.desk().tickets();
        assert_eq!(tickets.len(), 1, "{there}: {tickets:?}");
        assert_eq!(tickets[0].field("correlation_id"), KEY);
        let said = house.receipt().await;
        assert!(matches!(&said, Sent::Ticket { number, .. } if *number == tickets[0].number), "{said:?}");
        house.close().await;
    }
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
        desk.system = Some(DeskSystem::ServiceNow(ServiceNow {
            url: format!("http://{address}"),
            auth: Auth::Basic { user: "curiad".to_owned(), password: Secret::new("x") },
            ..desk.servicenow().unwrap().clone()
        }));
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
        note: Note { at: house.hand.now(), text: format!("note {n}"), with: domain::With::Nothing },
    };
    house.wants("note/1", note(1), desk()).await;
    house.deliver().await;
    assert_eq!(house.world.desk().tickets()[0].work_notes().len(), 1);

    // A credential that is refused may be mended: it is tried again, but not for ever.
    house.world.desk().set_trouble(Trouble::Unauthorised).await;
    let key = house.wants("note/2", note(2), desk()).await;
    house.deliver().await;
    let rows = house.store.notifications(house.incident.id).await.unwrap();
    let row = rows.iter().find(|row| row.notification.key == key).unwrap();
    assert!(row.last_error.as_ref().is_some_and(|why| why.contains("401")), "{row:?}");
    house.hand.forward(590);
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
async fn a_ticket_that_the_desk_made_of_our_mail_is_ours_and_one_that_only_looks_like_it_is_not() {
    for (text, adopted) in [
        (format!("From a mail:\n> correlation: {KEY}\nPriority: P1"), true),
        (format!("correlation: {KEY}1"), false),
    ] {
        let house = house().await;
        house.wants_ticket().await;
        let asked = domain::Ticket::Asked {
            desk: DeskId::parse("nsd").unwrap(),
            at: house.hand.now(),
            fallback_at: Some(house.hand.now()),
            waiting: Vec::new(),
            mailed: 0,
            given_up: false,
        };
        let incident = Arc::new(Incident { ticket: asked, ..(*house.incident).clone() });
        house.record(vec![Change::Incident(incident)]).await;
        let made =
            json!({ "short_description": "from a mail", "description": text, "impact": "1", "urgency": "1" });
        let options = house.world.desk().options().clone();
        let url = format!("{}/api/now/table/incident", house.world.desk().url());
        let made = client().post(url).basic_auth(options.user, Some(options.password)).json(&made);
        assert_eq!(made.send().await.unwrap().status(), 201);
        house.deliver().await;
        let tickets = house.world.desk().tickets();
        assert_eq!(tickets.len(), if adopted { 1 } else { 2 }, "{text}");
        let Sent::Ticket { number, .. } = house.receipt().await else { panic!("no ticket") };
        assert_eq!(number == tickets[0].number, adopted);
        house.close().await;
    }
}
