//! People who can be called, and provider teams.

use super::{
    address, escalations,
    hours::time_of_day,
    names::Noun,
    ownership::{self, Owned},
    problem::{Place, Rank},
    programs,
    reading::Reading,
    secret::Use,
    section::Section,
    tree::Node,
};
use alerting::{Contact, TeamContact};
use domain::{DailyTest, HoursId, Person, PersonId, RotaId, Team, TeamWay, Way};

/// A person and how they are reached.
pub(super) struct PersonDraft {
    pub person: Person,
    pub contact: Contact,
    /// Where each way stands.
    pub ways: Vec<(Way, Place)>,
}

/// Reads a person.
pub(super) fn person(node: &Node, reading: &mut Reading<'_>) -> Option<PersonDraft> {
    let mut section = Section::open(node, "a person", reading)?;
    let name = section
        .required("name", reading)
        .and_then(|node| reading.text(node, "a person's name").map(str::to_owned));
    let language = section.required("language", reading).and_then(|node| reading.language(node));
    let mut ways = Vec::new();
    let text = section.optional("text", reading);
    let text = text.and_then(|node| {
        ways.push((Way::Text, node.owner.clone()));
        reading.secret(node, address::telephone)
    });
    let email = section.optional("email", reading);
    let email = email.and_then(|node| {
        ways.push((Way::Email, node.owner.clone()));
        reading.text_or_secret(node, "a mailbox", Use::Telling, address::mailbox)
    });
    let voice = section.optional("voice", reading);
    let voice = voice.and_then(|node| {
        ways.push((Way::Voice, node.owner.clone()));
        reading.secret(node, address::telephone)
    });
    let webhook = section.optional("webhook", reading);
    let webhook = webhook.and_then(|node| {
        ways.push((Way::Webhook, node.owner.clone()));
        programs::webhook(node, reading)
    });
    let order_node = section.optional("ways", reading);
    let order = order_node.and_then(|node| escalations::ways(node, reading));
    let place = section.place();
    section.close(reading);
    if ways.is_empty() {
        let hint = Some("give 'text', 'email', 'voice', 'webhook' or several".to_owned());
        reading.problems.error(Rank::Missing, place, "this person cannot be reached", hint);
        return None;
    }
    let has: Vec<Way> = ways.iter().map(|(way, _)| *way).collect();
    let ordered = order_node.zip(order).map(|(node, order)| in_order(node, order, &has, reading));
    let in_turn = ordered.is_some();
    let contact = Contact { text, email: email.map(|email| email.reveal().to_owned()), voice, webhook };
    let person = Person { name: name?, language: language?, ways: ordered.unwrap_or(has), in_turn };
    Some(PersonDraft { person, contact, ways })
}

/// An order of their own names all the ways they have, and no other.
fn in_order(node: &Node, order: Vec<Way>, has: &[Way], reading: &mut Reading<'_>) -> Vec<Way> {
    let words = |ways: Vec<&Way>| {
        ways.iter().map(|way| format!("'{}'", way.word())).collect::<Vec<_>>().join(" and ")
    };
    let lacks: Vec<&Way> = order.iter().filter(|way| !has.contains(way)).collect();
    let leaves: Vec<&Way> = has.iter().filter(|way| !order.contains(way)).collect();
    let message = match (lacks.is_empty(), leaves.is_empty()) {
        (false, _) => format!("this person has no {}", words(lacks)),
        (true, false) => format!("they would never be called by {}", words(leaves)),
        (true, true) => return order,
    };
    let hint = Some("name all the ways they have, in the order in which they are tried".to_owned());
    reading.problems.error(Rank::Sense, &node.owner, message, hint);
    order
}

/// Reads who is called every day, and when.
pub(super) fn daily_test(node: &Node, reading: &mut Reading<'_>) -> Option<DailyTest> {
    let mut section = Section::open(node, "a daily test call", reading)?;
    let call = section
        .required("call", reading)
        .and_then(|node| reading.reference(node, Noun::Person, PersonId::parse));
    let at = section.required("at", reading).and_then(|node| time_of_day(node, reading));
    section.close(reading);
    Some(DailyTest { call: call?, at: at? })
}

/// A team and how it is told.
pub(super) struct TeamDraft {
    pub team: Team,
    pub contact: TeamContact,
    /// Where its mailbox stands.
    pub email_place: Option<Place>,
    pub secrets: Vec<Owned>,
}

/// Reads a team.
pub(super) fn team(node: &Node, reading: &mut Reading<'_>) -> Option<TeamDraft> {
    let mut section = Section::open(node, "a team", reading)?;
    let name = section.required("name", reading).and_then(|node| reading.bilingual(node, "a team's name"));
    let mailbox = section.optional("email", reading);
    let email = mailbox.and_then(|node| reading.mailbox(node));
    let hours = section
        .optional("hours", reading)
        .and_then(|node| reading.reference(node, Noun::Hours, HoursId::parse));
    let rota =
        section.optional("rota", reading).and_then(|node| reading.reference(node, Noun::Rota, RotaId::parse));
    let chat = section.optional("chat", reading);
    let webhook = section.optional("webhook", reading);
    let pager = section.optional("pagerduty", reading);
    let contact = TeamContact {
        email,
        chat: chat.and_then(|node| programs::chat(node, reading)),
        webhook: webhook.and_then(|node| programs::webhook(node, reading)),
        pagerduty: pager.and_then(|node| programs::pagerduty(node, reading)),
    };
    let secrets = section.optional("secrets", reading).map(|node| ownership::read(node, reading));
    section.close(reading);
    let ways = [
        (TeamWay::Email, mailbox.is_some()),
        (TeamWay::Chat, chat.is_some()),
        (TeamWay::Webhook, webhook.is_some()),
        (TeamWay::Pager, pager.is_some()),
    ];
    let ways = ways.into_iter().filter(|(_, has)| *has).map(|(way, _)| way).collect();
    let team = Team { name: name?, ways, hours, rota };
    let email_place = mailbox.map(|node| node.owner.clone());
    Some(TeamDraft { team, contact, email_place, secrets: secrets.unwrap_or_default() })
}
