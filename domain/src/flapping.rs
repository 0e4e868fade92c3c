//! What comes and goes: one incident with one ticket, not twenty.

use crate::{
    Cause, Cell, EnvironmentPolicy, Health, Incident, IncidentId, IncidentStatus, Language, PostSays,
    Priority, Text, Ticket, duration_words, duty, fold::Fold, telling::work_note, weight,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Times of coming back that an incident keeps.
const MAX_RETURNS: usize = 20;
/// Epochs before the present one that an incident keeps, the last ones.
const MAX_EPOCHS: usize = 20;

/// How an incident came and went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flaps {
    /// How often it was over and came back within the reopen window. It keeps its ticket.
    pub epoch: u32,
    /// First failure of the present epoch; `None`: it is the first.
    pub since: Option<Timestamp>,
    /// Up to which epoch the ticket and the public post have been gone on with.
    pub went_on: u32,
    /// The priority that it had before it came back, until the desk is told which it has now.
    pub weighed: Option<Priority>,
    /// When it came back, over or not yet: the last times.
    pub returns: Vec<Timestamp>,
    /// It comes and goes: since when that was clear.
    pub unstable: Option<Timestamp>,
    /// How it went before it came back, the last epochs, oldest first.
    pub past: Vec<Epoch>,
}

/// One stretch of an incident, from its first failure to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// First failure.
    pub since: Timestamp,
    /// Confirmed.
    pub opened_at: Timestamp,
    /// Who answered, and when.
    pub answered: Option<(String, Timestamp)>,
    /// Worked again, for good.
    pub recovered_at: Option<Timestamp>,
    /// Over.
    pub resolved_at: Option<Timestamp>,
    /// The priority it had; `None`: that was not kept.
    #[serde(default)]
    pub priority: Option<Priority>,
    /// Of the cell that this comes from; `None`: it came from none, or that was not kept.
    #[serde(default)]
    pub cell: Option<Cell>,
    /// It was a major incident.
    #[serde(default)]
    pub major: bool,
}

impl Incident {
    /// How it went, each time: the present epoch last. Of very many the first are forgotten.
    pub fn epochs(&self) -> Vec<Epoch> {
        let mut epochs = self.flaps.past.clone();
        epochs.push(self.present_epoch());
        epochs
    }

    /// The highest priority it had, now or before it came back, or what a human set; and where that comes from, as
    /// [`Incident::short_weight`] says it.
    pub fn gravest(&self, language: Language) -> (Priority, String) {
        let past = self.flaps.past.iter().filter(|_| self.rank.set.is_none());
        let before =
            past.filter_map(|epoch| Some((epoch.priority?, &epoch.cell))).min_by_key(|(was, _)| *was);
        match before.filter(|(was, _)| *was < self.priority) {
            None => (self.priority, self.short_weight(language)),
            Some((was, cell)) => (was, cell.as_ref().map_or_else(String::new, |cell| cell.short(language))),
        }
    }

    /// It is a major incident, or was one before it came back, unless a human says that it is none.
    pub fn was_major(&self) -> bool {
        self.major.is_some()
            || (self.not_major().is_none() && self.flaps.past.iter().any(|epoch| epoch.major))
    }

    fn present_epoch(&self) -> Epoch {
        Epoch {
            since: self.failing_since(),
            opened_at: self.opened_at,
            answered: self.first_answer.clone().or_else(|| {
                // One from before that was kept.
                self.acknowledged.as_ref().map(|taken| (taken.by.clone(), taken.at))
            }),
            recovered_at: self.recovered_at,
            resolved_at: self.resolved_at,
            priority: Some(self.priority),
            cell: self.rank.cell.clone(),
            major: self.major.is_some(),
        }
    }
}

/// The incident of that cause that is over, but not for so long that this is another one.
pub(crate) fn of_late(fold: &Fold, cause: &Cause) -> Option<IncidentId> {
    let mut same = fold.after.incidents.values().rev().filter(|incident| incident.cause == *cause);
    let incident = same.next().filter(|incident| !incident.is_open())?;
    let reopen = fold.after.configuration.policy(incident.environment)?.flapping.reopen;
    let over_at = over_at(fold, incident)?;
    (fold.now.duration_since(over_at) < duty::signed(reopen)).then_some(incident.id)
}

/// When it was over: what is part of another is not over before that one is.
fn over_at(fold: &Fold, incident: &Incident) -> Option<Timestamp> {
    let mut over_at = incident.resolved_at;
    let mut part_of = incident.part_of;
    // Each was opened after what it took in, or is younger still: there is no ring, and a bound costs nothing.
    for _ in 0..MAX_EPOCHS {
        let Some(whole) = part_of.and_then(|by| fold.after.incidents.get(&by)) else { break };
        over_at = over_at.max(Some(whole.resolved_at.unwrap_or(fold.now)));
        part_of = whole.part_of;
    }
    over_at
}

/// It was over and failed again: a new epoch of the same incident. Its holds begin anew, and who had it before has to be
/// asked again; it keeps its ticket.
pub(crate) fn reopen(fold: &mut Fold, incident: &mut Incident, health: &Health) {
    if incident.flaps.past.len() >= MAX_EPOCHS {
        incident.flaps.past.remove(0);
    }
    incident.flaps.past.push(incident.present_epoch());
    incident.status = IncidentStatus::Open;
    incident.flaps.epoch += 1;
    incident.flaps.since = Some(health.since.min(fold.now));
    incident.opened_at = fold.now;
    incident.resolved_at = None;
    incident.recovered_at = None;
    incident.acknowledged = None;
    incident.told_at = None;
    if let Ticket::Raised { resolved_early, .. } = &mut incident.ticket {
        *resolved_early = 0;
    }
    incident.first_answer = None;
    incident.part_of = None;
    incident.worst = health.status;
    incident.layer = health.layer;
    let since = fold.time(health.since);
    incident.note(fold.now, format!("{} again since {since}: the same incident", health.status.plain()));
    weigh_anew(fold, incident);
    came_back(fold, incident, health.since);
}

/// What it weighed before it was over says nothing of how it is now: only what a human decided stays.
fn weigh_anew(fold: &mut Fold, incident: &mut Incident) {
    if incident.major.as_ref().is_some_and(|major| major.by.is_none()) {
        incident.major = None;
    }
    if incident.rank.set.is_some() {
        return;
    }
    incident.rank.cell = None;
    let Some((priority, why, cell)) = weight::weigh(fold, incident) else { return };
    incident.rank.cell = cell;
    if priority > incident.priority {
        incident.note(fold.now, format!("{} → {priority}: {why}", incident.priority));
        // The desk hears of it with what is news to it: that it is back.
        let before = std::mem::replace(&mut incident.priority, priority);
        incident.flaps.weighed.get_or_insert(before);
    }
}

/// Notes that it came back at `since`, and whether it is unstable by now.
pub(crate) fn came_back(fold: &mut Fold, incident: &mut Incident, since: Timestamp) {
    if incident.flaps.returns.len() >= MAX_RETURNS {
        incident.flaps.returns.remove(0);
    }
    incident.flaps.returns.push(since.min(fold.now));
    let configuration = fold.configuration();
    let policy = configuration.policy(incident.environment).filter(|_| incident.flaps.unstable.is_none());
    let Some(flapping) = policy.map(|policy| policy.flapping) else { return };
    let within = fold.now.checked_sub(duty::signed(flapping.within)).unwrap_or(Timestamp::MIN);
    let times = incident.flaps.returns.iter().filter(|at| **at >= within).count();
    if times < usize::try_from(flapping.unstable).unwrap_or(usize::MAX) {
        return;
    }
    incident.flaps.unstable = Some(fold.now);
    let words = |language| {
        let duration = |duration| duration_words(duty::signed(duration), language);
        (duration(flapping.within), duration(flapping.steady))
    };
    let (within, steady) = words(Language::En);
    let text = format!(
        "Unstable: it came back {times} times within {within}. It stays open until it has been well for {steady}; \
         until then nothing is said of each time."
    );
    incident.note(fold.now, text.clone());
    if !incident.posts.is_empty() {
        let (_, steady_cy) = words(Language::Cy);
        let says = Text::new(
            format!("It works and fails by turns. We call it over when it has worked for {steady}."),
            format!(
                "Mae’n gweithio ac yn methu bob yn ail. Byddwn yn dweud ei fod ar ben pan fydd wedi gweithio am {steady_cy}."
            ),
        );
        duty::publish(incident, PostSays::Words(says), fold.now);
    }
    work_note(fold, incident, text);
}

/// When what it holds back answers for itself, though it is not called over yet: once it has been well for as long as any. `None`:
/// not before its end.
pub(crate) fn lets_go_at(policy: &EnvironmentPolicy, incident: &Incident) -> Option<Timestamp> {
    let unstable = incident.flaps.unstable.is_some() && incident.status == IncidentStatus::Recovering;
    incident.recovered_at.filter(|_| unstable).map(|at| at + duty::signed(policy.hold.resolve))
}

/// How long it must be well before it is called over.
pub(crate) fn resolve_hold(policy: &EnvironmentPolicy, incident: &Incident) -> std::time::Duration {
    if incident.flaps.unstable.is_some() {
        policy.hold.resolve.max(policy.flapping.steady)
    } else {
        policy.hold.resolve
    }
}
