//! Who is on call: what people wrote down, with what the database adds to it.

use super::local;
use crate::{
    config::{Loaded, shown},
    database,
};
use domain::{
    Configuration, ContactProof, EscalationId, Maintenance, NamedAs, PersonId, Reached, RotaId, RotaOverride,
    Silence, Way,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt, sync::Arc};
use store::OnCall;

/// What ended longer ago is not asked about.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Rotas as they are in force.
pub(crate) struct Attended {
    pub(crate) configuration: Arc<Configuration>,
    /// Without what was added.
    pub(super) written: Arc<Configuration>,
    /// What was added and ended no longer than a year ago, the earlier first.
    pub(crate) overrides: Vec<RotaOverride>,
    /// By which ways people were reached, and when last; `None`: that is not known here.
    pub(crate) proofs: Option<Vec<ContactProof>>,
    /// What mutes, and ended no longer than a year ago.
    pub(crate) silences: Vec<Silence>,
    /// Planned work that was announced, and ended no longer than a year ago.
    pub(crate) maintenances: Vec<Maintenance>,
}

/// Why it is not known what was added.
#[derive(Debug)]
pub(crate) struct UnknownOverrides(String);

impl fmt::Display for UnknownOverrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "overrides that were added with `curiad rota override` are not known here: {}", self.0)
    }
}

impl UnknownOverrides {
    /// The configuration does not say where the database is.
    pub(crate) fn without_address() -> Self {
        Self("the database's address is not to be had".to_owned())
    }
}

/// `has not answered a call for 120 days`; `None`: they have lately.
fn unproven(reached: Reached, now: Timestamp) -> Option<String> {
    match reached {
        Reached::Lately(_) => None,
        Reached::LongAgo(at) => {
            Some(format!("has not answered a call for {} days", now.duration_since(at).as_hours() / 24))
        }
        Reached::Never => Some("has never answered a call".to_owned()),
    }
}

impl Attended {
    /// Without what the database adds.
    pub(crate) fn as_written(loaded: &Loaded) -> Self {
        Self::with(&loaded.configuration, Vec::new())
    }

    /// With these overrides, and nothing else that a database knows.
    pub(super) fn with(written: &Arc<Configuration>, overrides: Vec<RotaOverride>) -> Self {
        Self {
            configuration: Configuration::with_overrides(written, &overrides),
            written: Arc::clone(written),
            overrides,
            proofs: None,
            silences: Vec::new(),
            maintenances: Vec::new(),
        }
    }

    /// With what the database adds, as far as it can be looked at; nothing is written or made.
    pub(crate) async fn of(loaded: &Loaded, now: Timestamp) -> (Self, Option<UnknownOverrides>) {
        let database = &loaded.database;
        let written = Self::as_written(loaded);
        if let Some(file) = database::file(database).filter(|file| !file.exists()) {
            let file = std::path::absolute(&file).unwrap_or(file);
            return (written, Some(UnknownOverrides(format!("there is no database at {}", file.display()))));
        }
        let since = now.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
        match store::on_call(database.reveal(), since).await {
            Ok(OnCall { overrides, proofs, silences, maintenances }) => {
                let with = Self::with(&loaded.configuration, overrides);
                (Self { proofs, silences, maintenances, ..with }, None)
            }
            Err(error) => (written, Some(UnknownOverrides(format!("{}: {error}", shown(database.reveal()))))),
        }
    }

    /// A person's name, as it is written down.
    pub(super) fn name<'a>(&'a self, person: &'a PersonId) -> &'a str {
        self.configuration.people.get(person).map_or(person.as_str(), |person| &person.name)
    }

    /// `override 3 instead of Tom Price, says Nia Rees: holiday`.
    pub(super) fn words(&self, number: Option<u64>) -> String {
        let Some(number) = number else { return "override in curiad.yaml".to_owned() };
        let Some(added) = self.overrides.iter().find(|added| added.id == number) else {
            return format!("override {number}");
        };
        let instead = added.instead_of.as_ref();
        let instead = instead.map_or_else(String::new, |absent| format!(" instead of {}", self.name(absent)));
        let why = added.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        format!("override {number}{instead}, says {}{why}", added.by)
    }

    /// When somebody was last reached, by each of their ways.
    pub(crate) fn reached(&self, person: &PersonId) -> Vec<(Way, Option<Timestamp>)> {
        let ways = self.configuration.people.get(person).map_or(&[][..], |person| &person.ways);
        let last = |way: Way| {
            let mut known = self.proofs.iter().flatten();
            known.find(|proof| proof.person == *person && proof.way == way).map(|proof| proof.at)
        };
        ways.iter().map(|way| (*way, last(*way))).collect()
    }

    /// Whether somebody answered a call in the time for which that is believed; `None`: that is not known here, or nobody
    /// has to.
    pub(crate) fn reached_lately(&self, person: &PersonId, now: Timestamp) -> Option<Reached> {
        let within = self.configuration.contact_proof?;
        Some(Reached::of(self.proofs.as_ref()?, person, within, now))
    }

    /// Who may be called within a fortnight: on call by a rota then, or named in an escalation; and what they are, each in
    /// words.
    pub(crate) fn soon_called(&self, now: Timestamp) -> BTreeMap<PersonId, Vec<String>> {
        let mut people: BTreeMap<PersonId, Vec<String>> = BTreeMap::new();
        for (person, rotas) in self.configuration.soon_on_call(now) {
            let rotas: Vec<&str> = rotas.iter().map(RotaId::as_str).collect();
            let what = format!("is on call on {} within 14 days", rotas.join(", "));
            people.entry(person).or_default().push(what);
        }
        for (person, named) in self.configuration.named_in_escalations() {
            let what = |(named, escalation): (NamedAs, EscalationId)| match named {
                NamedAs::Step => format!("is a step of the escalation {escalation}"),
                NamedAs::LastResort => format!("is the last resort of the escalation {escalation}"),
            };
            people.entry(person).or_default().extend(named.into_iter().map(what));
        }
        people
    }

    /// Of those the ones who have not shown that calls reach them, and what there is to say of each; empty, too, where that
    /// is not known or nobody has to.
    pub(crate) fn unproven_soon(&self, now: Timestamp) -> Vec<(PersonId, String)> {
        let told = |(person, mut what): (PersonId, Vec<String>)| {
            let seen = unproven(self.reached_lately(&person, now)?, now)?;
            let last = what.pop()?;
            what.insert(0, format!("{} {seen}", self.name(&person)));
            Some((person, format!("{}, and {last}", what.join(", "))))
        };
        self.soon_called(now).into_iter().filter_map(told).collect()
    }

    /// What to do about somebody of whom it is not proven that they are reached; `None`: it is, or that is not known.
    pub(super) fn doubt(&self, person: &PersonId, now: Timestamp) -> Option<String> {
        let seen = unproven(self.reached_lately(person, now)?, now)?;
        Some(format!("  {seen}: see whether they are reached with `curiad callout test {person}`"))
    }

    /// One that was added, for programs.
    pub(super) fn json(added: &RotaOverride) -> Value {
        json!({
            "id": added.id,
            "rota": added.rota.as_str(),
            "person": added.person.as_str(),
            "instead_of": added.instead_of.as_ref().map(PersonId::as_str),
            "from": status_page::rfc3339(added.from),
            "until": status_page::rfc3339(added.until),
            "why": added.why,
            "by": added.by,
            "added_at": status_page::rfc3339(added.added_at),
        })
    }

    /// One that was added, for people.
    pub(super) fn line(&self, added: &RotaOverride, now: Timestamp, zone: &TimeZone) -> String {
        let since = if added.from <= now { "since" } else { "from" };
        let instead = added.instead_of.as_ref();
        let instead = instead.map_or_else(String::new, |absent| format!(" instead of {}", self.name(absent)));
        format!(
            "{:>4}  {}: {}{instead} {since} {} until {}",
            added.id,
            added.rota,
            self.name(&added.person),
            local(added.from, zone),
            local(added.until, zone)
        )
    }
}
