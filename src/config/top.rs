//! `curiad.yaml`: everything but the APIs.

use super::{
    alertmanager::{self, Alertmanagers},
    availability::{self, Supported},
    bank_holidays,
    channels::{self, MailText, Texts},
    database,
    desks::{self, DeskDraft},
    egress::{self, Outward},
    environments::{self, EnvironmentDraft},
    escalations::{self, EscalationDraft},
    hours,
    listen::{self, Listen},
    names::Noun,
    people::{self, PersonDraft, TeamDraft},
    priorities,
    reading::Reading,
    rotas::{self, RotaDraft},
    section::Section,
    site,
    tree::{Node, Value},
    twilio, vantages,
};
use domain::{
    AvailabilityPolicy, DeskId, Environment, EscalationId, Hours, HoursId, IdError, PersonId, Priorities,
    RotaId, Secret, Site, TeamId, Vantage,
};
use jiff::tz::TimeZone;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

/// What could be read of `curiad.yaml`. What could not is among the problems.
#[derive(Default)]
pub(super) struct Top {
    pub site: Option<Site>,
    pub database: Option<Secret>,
    pub spool: Option<PathBuf>,
    pub outward: Outward,
    pub listen: Listen,
    pub dead_man: Option<alerting::DeadMan>,
    pub notify: Option<alerting::Notify>,
    pub callback_token: Option<Secret>,
    pub texts: Texts,
    pub twilio: Option<alerting::Twilio>,
    pub twilio_tokens: Vec<Secret>,
    pub alertmanager: Alertmanagers,
    pub mail: Option<alerting::Mail>,
    /// Whether the sections are there, readable or not.
    pub has: MailText,
    pub environments: BTreeMap<Environment, EnvironmentDraft>,
    pub vantages: Vec<Vantage>,
    pub teams: BTreeMap<TeamId, TeamDraft>,
    pub hours: BTreeMap<HoursId, Hours>,
    pub priorities: Priorities,
    /// `None`: it says nothing.
    pub availability: Option<(AvailabilityPolicy, Supported)>,
    pub people: BTreeMap<PersonId, PersonDraft>,
    pub rotas: BTreeMap<RotaId, RotaDraft>,
    pub contact_proof: Option<Duration>,
    pub daily_test: Option<domain::DailyTest>,
    pub escalations: BTreeMap<EscalationId, EscalationDraft>,
    pub desks: BTreeMap<DeskId, DeskDraft>,
}

/// Everything that `curiad.yaml` defines.
const DEFINED_HERE: [Noun; 8] = [
    Noun::Environment,
    Noun::Vantage,
    Noun::Team,
    Noun::Hours,
    Noun::Person,
    Noun::Rota,
    Noun::Escalation,
    Noun::Desk,
];

/// `curiad.yaml` cannot be read: whether references to what it defines lead anywhere cannot be said.
pub(super) fn unreadable(reading: &mut Reading<'_>) {
    for noun in DEFINED_HERE {
        reading.names.unreadable(noun);
    }
}

/// Reads `curiad.yaml`.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Top {
    let Some(mut sheet) = Section::open(node, "the configuration", reading) else {
        unreadable(reading);
        return Top::default();
    };
    let section = &mut sheet;
    let has =
        MailText { mail: section.has("mail"), text: section.has("notify"), voice: section.has("twilio") };
    let site = section.required("site", reading).and_then(|node| site::read(node, has.mail, reading));
    let zone = site.as_ref().map_or(TimeZone::UTC, |site| site.time_zone.clone());
    let notify = section.optional("notify", reading).and_then(|node| channels::notify(node, reading));
    let (notify, callback_token, texts) =
        notify.map_or((None, None, Texts::default()), |(notify, token, texts)| (Some(notify), token, texts));
    let twilio = section.optional("twilio", reading).and_then(|node| twilio::read(node, reading));
    let (twilio, twilio_tokens) =
        twilio.map_or((None, Vec::new()), |(twilio, tokens)| (Some(twilio), tokens));
    let outward =
        section.optional("egress", reading).map(|node| egress::read(node, reading)).unwrap_or_default();
    let vantages = section
        .required("vantages", reading)
        .map(|node| vantages::read(node, &outward, reading))
        .unwrap_or_default();
    let holidays = section.optional("bank_holidays", reading);
    let holidays = holidays.and_then(|node| bank_holidays::read(node, reading)).unwrap_or_default();
    let holidays = Arc::new(holidays);
    let top = Top {
        site,
        database: database::read(section.optional("database", reading), reading),
        spool: section.optional("spool", reading).and_then(|node| site::spool(node, reading)),
        outward,
        listen: section
            .optional("listen", reading)
            .and_then(|node| listen::read(node, reading))
            .unwrap_or_default(),
        dead_man: section.optional("dead_man", reading).and_then(|node| channels::dead_man(node, reading)),
        notify,
        callback_token,
        texts,
        twilio,
        twilio_tokens,
        alertmanager: section
            .optional("alertmanager", reading)
            .and_then(|node| alertmanager::read(node, reading))
            .unwrap_or_default(),
        mail: section.optional("mail", reading).and_then(|node| channels::mail(node, reading)),
        has,
        environments: section
            .required("environments", reading)
            .map(|node| environments::read(node, reading))
            .unwrap_or_default(),
        vantages,
        teams: named(section, "teams", (Noun::Team, TeamId::parse), reading, people::team),
        hours: named(section, "hours", (Noun::Hours, HoursId::parse), reading, |node, reading| {
            hours::read(node, (&zone, &holidays), reading)
        }),
        priorities: section
            .optional("priorities", reading)
            .and_then(|node| priorities::read(node, reading))
            .unwrap_or_default(),
        availability: section
            .optional("availability", reading)
            .and_then(|node| availability::read(node, reading)),
        people: named(section, "people", (Noun::Person, PersonId::parse), reading, people::person),
        rotas: named(section, "rotas", (Noun::Rota, RotaId::parse), reading, |node, reading| {
            rotas::read(node, &zone, reading)
        }),
        daily_test: section
            .optional("test_callout", reading)
            .and_then(|node| people::daily_test(node, reading)),
        contact_proof: rotas::contact_proof(section.optional("contact_proof", reading), reading),
        escalations: named(
            section,
            "escalations",
            (Noun::Escalation, EscalationId::parse),
            reading,
            escalations::read,
        ),
        desks: named(section, "service_desks", (Noun::Desk, DeskId::parse), reading, desks::read),
    };
    sheet.close(reading);
    top
}

type ParseId<Id> = fn(&str) -> Result<Id, IdError>;

/// A section whose keys are names. Each name counts as defined, even when what it names cannot be read.
fn named<Id: Ord, T>(
    section: &mut Section<'_>,
    key: &'static str,
    (noun, parse): (Noun, ParseId<Id>),
    reading: &mut Reading<'_>,
    mut read: impl FnMut(&Node, &mut Reading<'_>) -> Option<T>,
) -> BTreeMap<Id, T> {
    let Some(node) = section.optional(key, reading) else { return BTreeMap::new() };
    if !matches!(node.value, Value::Map(_)) {
        reading.names.unreadable(noun);
    }
    let Some(entries) = reading.map(node, key) else { return BTreeMap::new() };
    let mut all = BTreeMap::new();
    for (name, node) in entries {
        reading.names.define(noun, &name.word, &name.place);
        let id = reading.name(name, parse);
        let value = read(node, reading);
        if let (Some(id), Some(value)) = (id, value) {
            all.insert(id, value);
        }
    }
    all
}
