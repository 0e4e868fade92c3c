//! Everything the rules need to know that people wrote down. Parsed and checked by the program; cannot exist broken.
//! Holds no address of a person, and no secret but what probes prove with who asks: the others stay with who sends.

use crate::{
    Api, ApiId, AvailabilityPolicy, Check, CheckId, DeskId, Environment, EnvironmentPolicy, Escalation,
    EscalationId, Hours, HoursId, InstanceId, Language, Lifecycle, Objective, PersonId, Priorities, Rota,
    RotaId, TeamId, Text, TrackId, Vantage, VantageId, Way,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Everything the rules need to know that people wrote down. Every reference in it resolves.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// What the site is called and where it is.
    pub site: Site,
    /// The environments in use.
    pub environments: BTreeMap<Environment, EnvironmentPolicy>,
    /// All APIs.
    pub apis: BTreeMap<ApiId, Arc<Api>>,
    /// All checks, resolved.
    pub checks: BTreeMap<CheckId, Arc<Check>>,
    /// Where probes are sent from.
    pub vantages: Vec<Vantage>,
    /// Provider teams.
    pub teams: BTreeMap<TeamId, Team>,
    /// People who can be called.
    pub people: BTreeMap<PersonId, Person>,
    /// Who is on call when.
    pub rotas: BTreeMap<RotaId, Rota>,
    /// For how long an answer to a call proves that somebody is reached; `None`: for ever, and nobody has to answer one.
    pub contact_proof: Option<std::time::Duration>,
    /// Alerts of others may make a major incident, and so call people out.
    pub alerts_call_out: bool,
    /// People may answer a call by text.
    pub text_replies: bool,
    /// What the text service puts before each text, with a colon and a space behind it; `None`: nothing.
    pub text_prefix: Option<String>,
    /// Who is called every day, so that it is known that calls leave; `None`: nobody.
    pub daily_test: Option<crate::DailyTest>,
    /// Service hours.
    pub hours: BTreeMap<HoursId, Hours>,
    /// The ordered steps of callouts.
    pub escalations: BTreeMap<EscalationId, Escalation>,
    /// Service desks.
    pub desks: BTreeMap<DeskId, Desk>,
    /// Impact × urgency.
    pub priorities: Priorities,
    /// What counts as available.
    pub availability: AvailabilityPolicy,
    /// Of our own secrets those that end, by their references, and when: what is looked at is said, not what they are.
    pub secrets_end: BTreeMap<String, SecretEnd>,
}

/// A secret of ours that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretEnd {
    /// From when on it is not good any more.
    pub at: Timestamp,
    /// Whose probes show it; empty: it is for something else.
    pub shown_to: BTreeSet<InstanceId>,
}

/// What the site is called and where it is.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its title.
    pub title: Text,
    /// Its base URLs, one a language, without a trailing slash. People called follow them to `/ack/…`.
    pub url: Text,
    /// Local time for people: Europe/London.
    pub time_zone: TimeZone,
    /// Where those write who find a hole in its security: an https or mailto URI. `None`: nowhere is said.
    pub security: Option<String>,
    /// Who answers for its being accessible.
    pub accessibility: Option<Accessibility>,
    /// What is said publicly of instances that are not public; `None`: nothing.
    pub access: Option<WayIn>,
    /// People may ask to be told by e-mail.
    pub subscriptions: bool,
}

/// How developers come by environments that are not public, in the words of the portal that gives access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayIn {
    /// A sentence or two.
    pub words: Text,
    /// Where access is asked for, one a language.
    pub url: Text,
}

/// What the law wants said of a public body's site (SI 2018/952, regulation 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accessibility {
    /// The body that runs it.
    pub run_by: Text,
    /// Where those write who cannot use a page: an https or mailto URI.
    pub contact: String,
}

impl Site {
    /// `at` for people who read it at `now`: `03:12:09 GMT`, with the day when that is another one.
    pub fn time(&self, at: Timestamp, now: Timestamp) -> String {
        let local = at.to_zoned(self.time_zone.clone());
        let today = now.to_zoned(self.time_zone.clone()).date();
        let with = if local.date() == today { "%H:%M:%S %Z" } else { "%H:%M:%S %Z on %a %-d %b %Y" };
        local.strftime(with).to_string()
    }
}

/// A provider team.
#[derive(Debug, Clone)]
pub struct Team {
    /// Its name.
    pub name: Text,
    /// How it is told; each once.
    pub ways: Vec<crate::TeamWay>,
    /// When it is there; `None`: always.
    pub hours: Option<HoursId>,
    /// Who of it is on call when.
    pub rota: Option<RotaId>,
}

/// A person who can be called.
#[derive(Debug, Clone)]
pub struct Person {
    /// For the timeline and for colleagues; never public.
    pub name: String,
    /// The language they want to be called in.
    pub language: Language,
    /// How they can be reached, in the order in which it is tried; at least one.
    pub ways: Vec<Way>,
    /// The order is their own: a step that names no ways tries one after another, instead of all at once.
    pub in_turn: bool,
}

/// A service desk, as far as the rules care.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Its name.
    pub name: Text,
    /// What its tickets are written in.
    pub language: Language,
    /// After so long without a confirmed ticket, tell the people there by e-mail; `None`: no such address.
    pub fallback_after: Option<std::time::Duration>,
    /// It wants its tickets resolved by us when the trouble is over. Else that is for its people.
    pub resolves: bool,
    /// How soon incidents of each priority are answered and heard of. One that is not named has no such times.
    pub targets: BTreeMap<crate::Priority, crate::ServiceTarget>,
    /// What we show there in the handshake: it ends some day.
    pub certificate: Option<crate::ClientCertificate>,
}

impl Configuration {
    /// All that an API cannot work without, directly or not.
    pub(crate) fn ancestors(&self, api: &ApiId) -> BTreeSet<ApiId> {
        let mut found = BTreeSet::new();
        let mut next: Vec<&ApiId> =
            self.apis.get(api).map_or_else(Vec::new, |api| api.depends_on.iter().collect());
        while let Some(id) = next.pop() {
            if found.insert(id.clone()) {
                next.extend(self.apis.get(id).into_iter().flat_map(|api| &api.depends_on));
            }
        }
        found
    }

    /// Whoever can be called and is meant by what somebody typed: their id, or their whole name.
    pub fn person_named(&self, typed: &str) -> Option<(&PersonId, &Person)> {
        let typed = typed.trim().to_lowercase();
        self.people.iter().find(|(id, person)| id.as_str() == typed || person.name.to_lowercase() == typed)
    }

    /// The instances in use, ordered by API and environment.
    pub fn instances(&self) -> impl Iterator<Item = InstanceId> + '_ {
        self.apis.values().flat_map(|api| {
            api.instances
                .keys()
                .map(|environment| InstanceId { api: api.id.clone(), environment: *environment })
        })
    }

    /// Of the APIs that `had` an instance in production, those that have none here though they were not retired: an
    /// instance in production leaves only by `lifecycle: retired` (DESIGN §7).
    pub fn not_retired<'a>(
        &'a self,
        had: impl Iterator<Item = &'a ApiId> + 'a,
    ) -> impl Iterator<Item = &'a ApiId> + 'a {
        had.filter(|id| {
            self.apis.get(id).is_none_or(|api| {
                api.lifecycle != Lifecycle::Retired && !api.instances.contains_key(&Environment::Production)
            })
        })
    }

    /// The APIs that have an instance in production.
    pub fn in_production(&self) -> impl Iterator<Item = &ApiId> {
        let runs = |api: &&Arc<Api>| api.instances.contains_key(&Environment::Production);
        self.apis.values().filter(runs).map(|api| &api.id)
    }

    /// All that is seen of an instance: each of its checks from each vantage.
    pub fn tracks_of<'a>(&'a self, instance: &'a InstanceId) -> impl Iterator<Item = TrackId> + 'a {
        self.checks_of(instance).flat_map(|check| {
            check.from.iter().map(|vantage| TrackId { check: check.id.clone(), vantage: vantage.clone() })
        })
    }

    /// The checks of one instance, in order.
    pub fn checks_of<'a>(&'a self, instance: &'a InstanceId) -> impl Iterator<Item = &'a Arc<Check>> + 'a {
        let first = CheckId { instance: instance.clone(), operation: crate::OperationId::lowest() };
        self.checks
            .range(first..)
            .map(|(_, check)| check)
            .take_while(move |check| check.id.instance == *instance)
    }

    /// A vantage by its name.
    pub fn vantage(&self, id: &VantageId) -> Option<&Vantage> {
        self.vantages.iter().find(|vantage| vantage.id == *id)
    }

    /// The supported hours of an API: its own, else those of the site; `None`: all hours are alike.
    pub fn supported_hours(&self, api: &ApiId) -> Option<(&HoursId, &Hours)> {
        let own = self.apis.get(api).and_then(|api| api.agreed.hours.as_ref());
        self.hours.get_key_value(own.or(self.availability.hours.as_ref())?)
    }

    /// What is promised of an instance: in production alone.
    pub fn objective(&self, instance: &InstanceId) -> Option<Objective> {
        let api = self.apis.get(&instance.api).filter(|_| instance.environment == Environment::Production)?;
        api.agreed.objective.or_else(|| self.availability.objective(api.service_level))
    }

    /// The policy of an environment.
    pub fn policy(&self, environment: Environment) -> Option<&EnvironmentPolicy> {
        self.environments.get(&environment)
    }
}
