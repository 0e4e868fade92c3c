//! What weighs in a priority: the data it comes from, the cell of the matrix, and both in words.

use crate::{
    Ahead, Cause, Environment, Incident, IncidentStatus, InstanceId, Language, Matrix, Priority, Rating,
    ServiceLevel, Status, Text, duration_words, duty::signed, fold::Fold, priority::rate,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How priorities come about: all of it data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priorities {
    /// Impact × urgency.
    pub matrix: Matrix,
    /// So many instances in trouble at once weigh one step of impact more. At least 2.
    pub many_instances: usize,
    /// An API in production that so many applications use weighs one step of impact more. `None`: that weighs nothing.
    pub many_consumers: Option<u32>,
    /// What lasts weighs one step of urgency more.
    pub lasting: Lasting,
}

/// In a status for longer than this, trouble is more urgent. `None`: however long it lasts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lasting {
    /// Slow, or a part that is not critical fails.
    pub degraded: Option<Duration>,
    /// Some of it is down.
    pub partial_outage: Option<Duration>,
    /// Nothing is known of it.
    pub unknown: Option<Duration>,
}

impl Default for Priorities {
    fn default() -> Self {
        Self {
            matrix: Matrix::default(),
            many_instances: 3,
            many_consumers: None,
            lasting: Lasting::default(),
        }
    }
}

/// What of an incident weighs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weighed {
    /// Where.
    pub environment: Environment,
    /// How much depends on it; `None`: what works cannot be told, which counts as critical.
    pub level: Option<ServiceLevel>,
    /// How bad.
    pub status: Status,
    /// Instances in trouble.
    pub instances: usize,
    /// Of how many that there are in the environment.
    pub of: usize,
    /// Applications that use it in production; of several APIs, those of the one that most use.
    pub consumers: u32,
    /// It has lasted in that status for longer than this, which makes it more urgent.
    pub lasted: Option<SignedDuration>,
}

/// The cell of the matrix that an incident's priority comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Its row and column.
    pub rating: Rating,
    /// What it gives.
    pub priority: Priority,
    /// Why it is that one.
    pub weighed: Weighed,
}

impl Priorities {
    /// The cell for `weighed`.
    pub fn cell(&self, weighed: Weighed) -> Cell {
        let level = weighed.level.unwrap_or(ServiceLevel::Critical);
        let Rating { mut impact, mut urgency } = rate(weighed.environment, level, weighed.status);
        let more = |step: &mut u8| *step = step.saturating_sub(1).max(1);
        if weighed.instances >= self.many_instances {
            more(&mut impact);
        }
        let used = self.many_consumers.is_some_and(|many| weighed.consumers >= many);
        if used && weighed.environment == Environment::Production {
            more(&mut impact);
        }
        if weighed.lasted.is_some() {
            more(&mut urgency);
        }
        let rating = Rating { impact, urgency };
        Cell { rating, priority: self.matrix.priority(rating), weighed }
    }

    /// The limit beyond which `status` has lasted, if `long` is longer.
    fn lasted(&self, status: Status, long: SignedDuration) -> Option<SignedDuration> {
        let limit = match status {
            Status::Degraded => self.lasting.degraded,
            Status::PartialOutage => self.lasting.partial_outage,
            Status::Unknown => self.lasting.unknown,
            Status::Operational | Status::MajorOutage | Status::Maintenance => None,
        };
        limit.map(signed).filter(|limit| long >= *limit)
    }

    /// The cell of the gravest that can happen to an API of that level and so many consumers, among so many instances.
    pub fn gravest(
        &self,
        environment: Environment,
        level: ServiceLevel,
        consumers: u32,
        instances: usize,
    ) -> Cell {
        let (level, status, of) = (Some(level), Status::MajorOutage, instances);
        self.cell(Weighed { environment, level, status, instances, of, consumers, lasted: None })
    }
}

impl Cell {
    /// `impact 1 × urgency 2`, for where there is little room.
    pub fn short(&self, language: Language) -> String {
        let Rating { impact, urgency } = self.rating;
        match language {
            Language::En => format!("impact {impact} × urgency {urgency}"),
            Language::Cy => format!("effaith {impact} × brys {urgency}"),
        }
    }

    /// The cell and all that weighed.
    pub fn words(&self, language: Language) -> String {
        let Weighed { environment, level, status, instances, of, consumers, lasted } = &self.weighed;
        let Rating { impact, urgency } = self.rating;
        let lasted = lasted.map(|lasted| duration_words(lasted, language));
        let environment = environment.plain(language);
        match language {
            Language::En => {
                let level = match level {
                    Some(level) => format!("{level} service level"),
                    None => "counts as critical: what works cannot be told".to_owned(),
                };
                let many = if *instances == 1 { "instance" } else { "instances" };
                let consumers = match consumers {
                    0 => String::new(),
                    1 => ", 1 consumer".to_owned(),
                    many => format!(", {many} consumers"),
                };
                let lasted = lasted.map_or_else(String::new, |lasted| format!(" for more than {lasted}"));
                format!(
                    "impact {impact} ({environment}, {level}, {instances} {many} of {of}{consumers}) × urgency {urgency} \
                     ({}{lasted})",
                    status.plain()
                )
            }
            Language::Cy => {
                let level = match level {
                    Some(ServiceLevel::Critical) => "lefel gwasanaeth hanfodol",
                    Some(ServiceLevel::Standard) => "lefel gwasanaeth safonol",
                    None => "yn cyfrif fel hanfodol: ni ellir dweud beth sy’n gweithio",
                };
                let status = match status {
                    Status::Operational => "yn gweithio",
                    Status::Degraded => "yn araf neu’n annibynadwy",
                    Status::PartialOutage => "ddim yn gweithio’n llawn",
                    Status::MajorOutage => "ddim yn gweithio",
                    Status::Maintenance => "gwaith wedi’i gynllunio",
                    Status::Unknown => "anhysbys",
                };
                let consumers = match consumers {
                    0 => String::new(),
                    many => format!(", defnyddwyr: {many}"),
                };
                let lasted = lasted.map_or_else(String::new, |lasted| format!(" ers mwy na {lasted}"));
                format!(
                    "effaith {impact} ({environment}, {level}, enghreifftiau: {instances} o {of}{consumers}) × brys {urgency} \
                     ({status}{lasted})"
                )
            }
        }
    }
}

/// The priority of what is in no cell of the matrix, and why.
fn fixed(cause: &Cause, priority: Priority) -> Option<(Priority, Text)> {
    Some(match cause {
        // Nobody sees, or nobody would come: the highest, whatever the matrix says (DESIGN §5, invariant 10).
        Cause::Blind(_) => {
            (Priority::P1, Text::new("production cannot be seen", "ni ellir gweld yr amgylchedd byw"))
        }
        Cause::Rota(_) => (Priority::P1, Text::new("nobody is on call", "nid oes neb ar alw")),
        // What it is late by is still seen; what is not seen any more is the cause above.
        Cause::Storm(_) => {
            (Priority::P1, Text::new("much of it fails at once", "mae llawer ohono’n methu ar unwaith"))
        }
        Cause::Ahead(Ahead::Rota(_)) if priority.is_at_least(Priority::P2) => (
            Priority::P2,
            Text::new("nobody will be on call within 72 hours", "ni fydd neb ar alw o fewn 72 awr"),
        ),
        Cause::Ahead(Ahead::Clock) => {
            (Priority::P4, Text::new("no API is affected", "nid oes unrhyw API wedi’i effeithio"))
        }
        Cause::Ahead(_) => {
            (Priority::P4, Text::new("nothing has happened yet", "nid oes dim wedi digwydd eto"))
        }
        Cause::Test(_) => (Priority::P5, Text::new("nothing is wrong", "nid oes dim o’i le")),
        Cause::Behind(_) => (
            Priority::P2,
            Text::new("Curiad’s own probes begin late", "mae profion Curiad ei hun yn dechrau’n hwyr"),
        ),
        Cause::Refused(_)
        | Cause::Instance(_)
        | Cause::Burn(_)
        | Cause::Alert(_)
        | Cause::Token(_)
        | Cause::Certificate(_)
        | Cause::Gateway(_) => return None,
    })
}

impl Incident {
    /// Why the rules give it the priority they do: the cell of the matrix with what weighed, or what stands in its place.
    /// Where a human set another priority, it says which one the rules give. Empty: not known.
    pub fn weight(&self, language: Language) -> String {
        let (priority, words) = match (fixed(&self.cause, self.priority), &self.rank.cell) {
            (Some((priority, words)), _) => (priority, words.get(language).to_owned()),
            (None, Some(cell)) => (cell.priority, cell.words(language)),
            (None, None) => return String::new(),
        };
        match (&self.rank.set, language) {
            (Some(_), Language::En) => format!("by rule {priority}: {words}"),
            (Some(_), Language::Cy) => format!("yn ôl y rheol {priority}: {words}"),
            (None, _) => words,
        }
    }

    /// The same in a few words.
    pub fn short_weight(&self, language: Language) -> String {
        match (&self.rank.cell, fixed(&self.cause, self.priority)) {
            (Some(cell), None) => cell.short(language),
            (_, fixed) => fixed.map_or_else(String::new, |(_, words)| words.get(language).to_owned()),
        }
    }
}

/// `P1 (impact 1 × urgency 1)`: a priority and, in short, where it comes from, where there is anything to say of that.
pub fn weighed((priority, weight): (Priority, String)) -> String {
    if weight.is_empty() { priority.to_string() } else { format!("{priority} ({weight})") }
}

/// What the rules make of an incident as it now is, and why; the cell, where it is one.
pub(crate) fn weigh(fold: &mut Fold, incident: &Incident) -> Option<(Priority, String, Option<Cell>)> {
    if let Some((priority, words)) = fixed(&incident.cause, incident.priority) {
        return Some((priority, words.en, None));
    }
    let instance = incident.affects.first()?.clone();
    let lasted_since = in_status_since(fold, incident, &instance);
    let own = cell(fold, &incident.cause, &instance, incident.worst, &incident.affects, lasted_since);
    // What is held back has no ticket and no calls of its own: this one stands for the gravest of all.
    let others: &[InstanceId] = if own.priority == Priority::P1 { &[] } else { &incident.held_back };
    let gravest = others.iter().fold(own, |gravest, held| {
        let (cause, status) = (Cause::Instance(held.clone()), fold.after.status(held));
        let one = cell(fold, &cause, held, status, &incident.affects, None);
        if one.priority < gravest.priority { one } else { gravest }
    });
    Some((gravest.priority, gravest.words(Language::En), Some(gravest)))
}

/// Since when the incident is as bad as it has been; `None`: it is not now.
fn in_status_since(fold: &Fold, incident: &Incident, instance: &InstanceId) -> Option<Timestamp> {
    let began = incident.failing_since();
    if incident.status == IncidentStatus::Recovering {
        return None;
    }
    if !matches!(incident.cause, Cause::Instance(_)) {
        return Some(began);
    }
    let health = fold.after.healths.get(instance).filter(|health| health.status == incident.worst)?;
    Some(health.since.max(began))
}

/// The cell of one instance in `status`, with all that is in trouble together with it.
pub(crate) fn cell(
    fold: &mut Fold,
    cause: &Cause,
    instance: &InstanceId,
    status: Status,
    affects: &[InstanceId],
    since: Option<Timestamp>,
) -> Cell {
    let configuration = fold.configuration();
    let (level, status) = if matches!(cause, Cause::Refused(_)) {
        (None, Status::Unknown)
    } else {
        let api = configuration.apis.get(&instance.api);
        (Some(api.map_or(ServiceLevel::Standard, |api| api.service_level)), status)
    };
    let consumers = affects.iter().chain([instance]).filter_map(|one| configuration.apis.get(&one.api));
    let priorities = &configuration.priorities;
    let long = since.map(|since| fold.now.duration_since(since));
    priorities.cell(Weighed {
        environment: instance.environment,
        level,
        status,
        instances: affects.len().max(1),
        of: fold.instances_in(instance.environment),
        consumers: consumers.map(|api| api.consumers).max().unwrap_or(0),
        lasted: long.and_then(|long| priorities.lasted(status, long)),
    })
}
