//! People who can be called, and provider teams.

use super::{
    address,
    hours::time_of_day,
    names::Noun,
    ownership::{self, Owned},
    problem::{Place, Rank},
    reading::Reading,
    secret::Use,
    section::Section,
    tree::Node,
};
use alerting::Contact;
use domain::{DailyTest, HoursId, Language, Person, PersonId, RotaId, Team, Way};

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
    let language = section
        .required("language", reading)
        .and_then(|node| reading.choice(node, "a language", &[("en", Language::En), ("cy", Language::Cy)]));
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
    let place = section.place();
    section.close(reading);
    if ways.is_empty() {
        let hint = Some("give 'text', 'email', 'voice' or several".to_owned());
        reading.problems.error(Rank::Missing, place, "this person cannot be reached", hint);
        return None;
    }
    let contact = Contact { text, email: email.map(|email| email.reveal().to_owned()), voice };
    let person =
        Person { name: name?, language: language?, ways: ways.iter().map(|(way, _)| *way).collect() };
    Some(PersonDraft { person, contact, ways })
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

/// A team and its mailbox.
pub(super) struct TeamDraft {
    pub team: Team,
    pub email: Option<String>,
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
    let secrets = section.optional("secrets", reading).map(|node| ownership::read(node, reading));
    section.close(reading);
    let team = Team { name: name?, has_email: email.is_some(), hours, rota };
    let email_place = mailbox.map(|node| node.owner.clone());
    Some(TeamDraft { team, email, email_place, secrets: secrets.unwrap_or_default() })
}
