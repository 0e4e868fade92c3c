//! Programs of people and of teams, a chat and a pager: told once where they know a repeat, and saying so where they cannot.

use super::{
    example,
    house::{Hand, House, house_with},
};
use alerting::{PagerDuty, SignedWebhook, TeamContact};
use domain::{Change, Channel, IncidentStatus, NotificationKind, Secret, Sent, TeamId};
use simulator::{Programs, Trouble};
use std::sync::Arc;
use store::{OutboxRow, OutboxState};
use tokio::{net::TcpListener, task::JoinSet};

const ALERT: &str = "curiad:C-42-k3f9xq";

struct Told {
    house: House,
    programs: Programs,
    _serving: JoinSet<std::io::Result<()>>,
}

async fn told_by(routing_key: &str) -> Told {
    let hand = Hand::new(example::at("02:14:10"));
    let clock = hand.clock();
    let programs = Programs::new(Arc::new(move || clock.now()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (mut serving, router) = (JoinSet::new(), programs.router());
    serving.spawn(async move { axum::serve(listener, router).await });
    let clock = hand.clock();
    let house = house_with(hand, clock, |directory| {
        let hook = SignedWebhook {
            url: format!("{url}{}", Programs::HOOK),
            secret: Secret::new(Programs::SECRET),
            secret_before: None,
        };
        directory.people.get_mut(&example::id("oncall.one")).unwrap().webhook = Some(hook.clone());
        let team = TeamContact {
            email: None,
            chat: Some(Secret::new(format!("{url}{}", Programs::WORKFLOW))),
            webhook: Some(hook),
            pagerduty: Some(PagerDuty { url: url.clone(), routing_key: Secret::new(routing_key) }),
        };
        directory.teams.insert(team_id(), team);
    })
    .await;
    Told { house, programs, _serving: serving }
}

fn team_id() -> TeamId {
    TeamId::parse("demographics").unwrap()
}

fn called() -> (&'static str, NotificationKind, Channel) {
    let one = example::id("oncall.one");
    ("callout/1/webhook", NotificationKind::Callout { callout: 1 }, Channel::Webhook(one))
}

fn taken() -> NotificationKind {
    NotificationKind::ToldTaken { by: "Test Person Two".to_owned() }
}

impl Told {
    async fn tell(&self, name: &str, kind: NotificationKind, channel: Channel) {
        self.house.wants(name, kind, channel).await;
        self.house.deliver().await;
    }

    /// A while later, until nothing waits.
    async fn later(&self) {
        self.house.hand.forward(120);
        self.house.deliver().await;
    }

    /// What became of the notification of this name.
    async fn row(&self, name: &str) -> OutboxRow {
        let rows = self.house.store.notifications(self.house.incident.id).await.unwrap();
        rows.into_iter().find(|row| row.notification.key.ends_with(name)).unwrap()
    }

    async fn waits(&self, name: &str) -> bool {
        matches!(self.row(name).await.state, OutboxState::Waiting { .. })
    }

    async fn is(&self, status: IncidentStatus) {
        let incident = domain::Incident { status, ..(*self.house.incident).clone() };
        self.house.record(vec![Change::Incident(Arc::new(incident))]).await;
    }
}

#[tokio::test]
async fn a_persons_program_is_called_in_their_language_and_answered_by_the_link() {
    let told = told_by(Programs::ROUTING_KEY).await;
    let (name, kind, channel) = called();
    told.tell(name, kind, channel.clone()).await;
    assert!(matches!(told.house.receipt().await, Sent::Accepted { .. }));
    told.tell(
        "taken/oncall.one/webhook",
        NotificationKind::StandDown { taken_by: Some("Tom".into()) },
        channel,
    )
    .await;
    let events = told.programs.events();
    let [made, over] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(made.id, "C-42-k3f9xq/callout/1/webhook");
    assert_eq!((&made.body["type"], &over.body["type"]), (&"callout.made".into(), &"callout.taken".into()));
    let data = &made.body["data"];
    assert_eq!(
        (&data["incident"], &data["language"], &data["test"]),
        (&"C-42".into(), &"cy".into(), &false.into())
    );
    let link = "https://statws.example.cymru/ack/k7m2q9x4tz1p?by=webhook";
    assert_eq!(data["ack_url"], link);
    assert!(
        data["text"].as_str().unwrap().contains(link) && data["title"].as_str().unwrap().contains("Nid yw"),
        "{data}"
    );
    assert!(
        over.body["data"]["ack_url"].is_null() && over.body["data"]["text"].as_str().unwrap().contains("Tom")
    );
    told.house.close().await;
}

#[tokio::test]
async fn a_call_that_was_lost_is_made_again_by_the_same_id_and_one_that_is_refused_is_not() {
    for (trouble, again) in [
        (Trouble::AcceptThenTimeOut, true),
        (Trouble::RateLimited, true),
        (Trouble::ServerError, true),
        (Trouble::Unauthorised, false),
        (Trouble::WebPage, false),
    ] {
        let told = told_by(Programs::ROUTING_KEY).await;
        told.programs.set_trouble_for(trouble, 1);
        let (name, kind, channel) = called();
        told.tell(name, kind, channel).await;
        assert_eq!(told.waits(name).await, again, "{trouble}: {:?}", told.row(name).await);
        told.later().await;
        let events = told.programs.events();
        assert_eq!(events.len(), usize::from(again), "{trouble}: {events:?}");
        assert_eq!(
            events.first().is_some_and(|event| event.times == 2),
            trouble == Trouble::AcceptThenTimeOut
        );
        told.house.close().await;
    }
}

#[tokio::test]
async fn a_teams_program_hears_it_in_both_languages_and_is_tried_again_when_it_refuses() {
    let told = told_by(Programs::ROUTING_KEY).await;
    told.programs.set_trouble_for(Trouble::Unauthorised, 1);
    told.tell("told/webhook", NotificationKind::Told, Channel::TeamWebhook(team_id())).await;
    assert!(told.waits("told/webhook").await, "somebody may mend the secret");
    told.later().await;
    told.tell("told-taken/1/webhook", taken(), Channel::TeamWebhook(team_id())).await;
    told.is(IncidentStatus::Resolved).await;
    told.tell("told-over/webhook", NotificationKind::ToldOver, Channel::TeamWebhook(team_id())).await;
    let events = told.programs.events();
    let kinds: Vec<&str> = events.iter().map(|event| event.body["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["incident.opened", "incident.acknowledged", "incident.resolved"]);
    let data = &events[0].body["data"];
    assert!(data["text"]["en"].as_str().unwrap().contains("is not working"), "{data}");
    assert!(data["text"]["cy"].as_str().unwrap().contains("Nid yw"), "{data}");
    assert_eq!((&data["reference"], &events[2].body["data"]["over"]), (&ALERT.into(), &true.into()));
    told.house.close().await;
}

#[tokio::test]
async fn a_card_that_may_be_there_already_says_so() {
    let told = told_by(Programs::ROUTING_KEY).await;
    told.programs.set_trouble_for(Trouble::AcceptThenTimeOut, 1);
    told.tell("told/chat", NotificationKind::Told, Channel::TeamChat(team_id())).await;
    told.later().await;
    let cards = told.programs.cards();
    let said: Vec<String> = cards.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2);
    assert!(
        !said[0].contains("(repeat)") && said[1].contains("(repeat)") && said[1].contains("(eto)"),
        "{said:?}"
    );
    told.house.close().await;
}

#[tokio::test]
async fn a_workflow_that_is_gone_is_given_up_without_a_word_of_its_address() {
    let told = told_by(Programs::ROUTING_KEY).await;
    told.programs.set_trouble(Trouble::Unauthorised);
    told.tell("told/chat", NotificationKind::Told, Channel::TeamChat(team_id())).await;
    let row = format!("{:?}", told.row("told/chat").await);
    assert!(row.contains("GivenUp") && row.contains("copy its URL anew"), "{row}");
    assert!(!row.contains("signature") && !row.contains("127.0.0.1"), "{row}");
    told.house.close().await;
}

#[tokio::test]
async fn an_alert_begins_is_taken_and_ends_once_however_often_it_is_told() {
    let told = told_by(Programs::ROUTING_KEY).await;
    let pager = Channel::TeamPager(team_id());
    told.programs.set_trouble_for(Trouble::AcceptThenTimeOut, 1);
    told.tell("told/pagerduty", NotificationKind::Told, pager.clone()).await;
    told.later().await;
    let alert = told.programs.alerts()[ALERT].clone();
    assert_eq!((alert.state, alert.severity.as_str(), alert.paged), ("triggered", "critical", 1));
    assert!(alert.summary.contains("Nid yw") && alert.summary.contains("is not working"), "{alert:?}");
    told.programs.set_trouble_for(Trouble::RateLimited, 1);
    told.tell("told-taken/1/pagerduty", taken(), pager.clone()).await;
    told.later().await;
    assert_eq!(told.programs.alerts()[ALERT].state, "acknowledged");
    told.is(IncidentStatus::Resolved).await;
    told.programs.set_trouble_for(Trouble::ServerError, 1);
    told.tell("told-over/pagerduty", NotificationKind::ToldOver, pager).await;
    told.later().await;
    let alert = told.programs.alerts()[ALERT].clone();
    assert_eq!((alert.state, alert.paged), ("resolved", 1));
    told.house.close().await;
}

#[tokio::test]
async fn what_comes_after_the_end_opens_no_alert_that_never_ends() {
    let told = told_by(Programs::ROUTING_KEY).await;
    let pager = Channel::TeamPager(team_id());
    told.programs.set_trouble_for(Trouble::AcceptThenTimeOut, 1);
    told.tell("told/pagerduty", NotificationKind::Told, pager.clone()).await;
    told.is(IncidentStatus::Resolved).await;
    told.tell("told-over/pagerduty", NotificationKind::ToldOver, pager).await;
    told.later().await;
    let alert = told.programs.alerts()[ALERT].clone();
    assert_eq!((alert.state, alert.paged), ("resolved", 1), "the beginning was told again, after the end");
    told.house.close().await;
}

#[tokio::test]
async fn a_wrong_routing_key_is_said_and_not_shown() {
    const WRONG: &str = "00000000000000000000000000000000";
    let told = told_by(WRONG).await;
    told.tell("told/pagerduty", NotificationKind::Told, Channel::TeamPager(team_id())).await;
    let row = format!("{:?}", told.row("told/pagerduty").await);
    assert!(row.contains("GivenUp") && row.contains("Invalid routing key"), "{row}");
    assert!(row.contains("pagerduty.routing_key") && !row.contains(WRONG), "{row}");
    told.house.close().await;
}
