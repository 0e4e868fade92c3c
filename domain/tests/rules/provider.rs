//! What the provider team hears, by every way it has: that it began, that somebody has it, that it is over.

use crate::estate::{Hand, Seen, configuration};
use domain::{Channel, Command, Environment, IncidentId, Message, TeamId, TeamWay};

const RESULTS: (&str, Environment) = ("results", Environment::Production);
const ALL: [TeamWay; 4] = [TeamWay::Email, TeamWay::Chat, TeamWay::Webhook, TeamWay::Pager];

/// Production tells the provider, who has these.
fn told_by(ways: &[TeamWay]) -> Hand {
    let mut configuration = configuration();
    configuration.teams.values_mut().for_each(|team| team.ways = ways.to_vec());
    configuration.environments.values_mut().for_each(|policy| policy.tell_provider = true);
    let mut hand = Hand::new(configuration);
    hand.rounds(2, &[], Seen::Pass);
    hand.rounds(14, &[RESULTS], Seen::Fail);
    hand
}

/// The names of what the team is told, without when somebody took it.
fn told(hand: &Hand) -> Vec<String> {
    let mut told: Vec<String> = hand
        .told()
        .into_iter()
        .filter(|name| name.starts_with("told"))
        .map(|name| name.chars().filter(|letter| !letter.is_ascii_digit()).collect())
        .collect();
    told.sort();
    told
}

fn takes(hand: &mut Hand, by: &str) {
    hand.restart(1);
    let command = Command::Acknowledge { incident: IncidentId(1), by: by.into() };
    hand.tell(Message::Command(command)).expect("theirs");
}

#[test]
fn a_team_hears_by_every_way_it_has_and_its_mailbox_not_who_has_it() {
    let mut hand = told_by(&ALL);
    assert_eq!(told(&hand), ["told", "told/chat", "told/pagerduty", "told/webhook"]);
    takes(&mut hand, "ann");
    let taken = ["told-taken//chat", "told-taken//pagerduty", "told-taken//webhook"];
    assert_eq!(told(&hand)[1..4], taken.map(str::to_owned));
    takes(&mut hand, "bob");
    let again = told(&hand).iter().filter(|name| name.starts_with("told-taken")).count();
    assert_eq!(again, 6, "it has gone from one to another");
    hand.rounds(14, &[], Seen::Pass);
    let over: Vec<String> = told(&hand).into_iter().filter(|name| name.starts_with("told-over")).collect();
    assert_eq!(over, ["told-over", "told-over/chat", "told-over/pagerduty", "told-over/webhook"]);
}

#[test]
fn a_team_hears_only_by_what_it_has() {
    for (way, name) in ALL.into_iter().zip(["told", "told/chat", "told/webhook", "told/pagerduty"]) {
        assert_eq!(told(&told_by(&[way])), [name]);
    }
    assert_eq!(told(&told_by(&[])), Vec::<String>::new());
    let hand = told_by(&[]);
    let said = &hand.incident(1).timeline;
    assert!(said.iter().any(|entry| entry.text.contains("has no mailbox: not told")), "{said:#?}");
}

#[test]
fn each_way_is_a_channel_of_its_own() {
    let team = TeamId::parse("team").expect("an id");
    let channels = ALL.map(|way| way.channel(team.clone()));
    assert_eq!(
        channels,
        [
            Channel::Team(team.clone()),
            Channel::TeamChat(team.clone()),
            Channel::TeamWebhook(team.clone()),
            Channel::TeamPager(team),
        ]
    );
}
