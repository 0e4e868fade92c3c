//! Exceptions to rotas that somebody said on the command line: git has the pattern, the database has the exceptions.

use crate::{Configuration, Override, PersonId, Rota, RotaId, Shift, due, fold::Fold};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// Who is away for longer leaves the pattern itself.
const LONGEST: SignedDuration = SignedDuration::from_hours(92 * 24);
/// Said further ahead it is a mistyped year.
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Somebody stands in on a rota for a while, because somebody said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotaOverride {
    /// A running number.
    pub id: u64,
    /// On which rota.
    pub rota: RotaId,
    /// Who stands in.
    pub person: PersonId,
    /// Only while this person would be on call; `None`: whoever would be.
    pub instead_of: Option<PersonId>,
    /// From (inclusive).
    pub from: Timestamp,
    /// Until (exclusive); ended early, this is when.
    pub until: Timestamp,
    /// Why, if that was said.
    pub why: Option<String>,
    /// Who said so.
    pub by: String,
    /// When.
    pub added_at: Timestamp,
    /// Who ended it before its time, or called it off.
    #[serde(default)]
    pub ended_by: Option<String>,
    /// From when until when it was to be, before it was ended.
    #[serde(default)]
    pub planned: Option<(Timestamp, Timestamp)>,
}

impl RotaOverride {
    /// What it makes of `rota` as that is without it.
    fn stretches(&self, rota: &Rota) -> Vec<Override> {
        let swap = |from, to| Override { person: self.person.clone(), from, to, added: Some(self.id) };
        match &self.instead_of {
            None if self.from < self.until => vec![swap(self.from, self.until)],
            None => Vec::new(),
            Some(absent) => rota
                .shifts(self.from, self.until)
                .into_iter()
                .filter(|shift| shift.person == *absent)
                .map(|shift| swap(shift.from, shift.to))
                .collect(),
        }
    }

    /// Puts it above what `rota` has.
    fn add_to(&self, rota: &mut Rota) {
        let stretches = self.stretches(rota);
        rota.overrides.extend(stretches);
    }
}

/// What `all` of it was at `at`: what was added later was not there, what was ended later was whole.
fn as_of(all: &[RotaOverride], at: Timestamp) -> Vec<RotaOverride> {
    let known = all.iter().filter(|one| one.added_at <= at);
    let then = known.map(|one| match one.planned.filter(|_| at < one.until) {
        Some((from, until)) => RotaOverride { from, until, ..one.clone() },
        None => one.clone(),
    });
    then.collect()
}

impl Configuration {
    /// Shifts of a rota between `from` (inclusive) and `to` (exclusive) that were in force once, as far as that is of what was
    /// `added` since: each whole. Whoever put them into a calendar looks for them there. Of another pattern nothing is known.
    pub fn shifts_once(
        written: &Self,
        added: &[RotaOverride],
        rota: &RotaId,
        (from, to): (Timestamp, Timestamp),
    ) -> BTreeSet<(Timestamp, Timestamp, PersonId)> {
        let Some(pattern) = written.rotas.get(rota) else { return BTreeSet::new() };
        let of_it = |one: &&RotaOverride| one.rota == *rota && written.people.contains_key(&one.person);
        let of_it: Vec<RotaOverride> = added.iter().filter(of_it).cloned().collect();
        let ended = of_it.iter().filter(|one| one.planned.is_some()).map(|one| one.until);
        let moments: BTreeSet<Timestamp> = of_it.iter().map(|one| one.added_at).chain(ended).collect();
        std::iter::once(Timestamp::MIN)
            .chain(moments)
            .flat_map(|at| {
                let mut then = pattern.clone();
                for one in as_of(&of_it, at) {
                    one.add_to(&mut then);
                }
                let whole = |shift: Shift| then.on_call(shift.from);
                then.shifts(from, to).into_iter().filter_map(whole).collect::<Vec<_>>()
            })
            .map(|shift| (shift.from, shift.to, shift.person))
            .collect()
    }

    /// The configuration as it is in force: `written`, with what was `added` to its rotas, the later above the earlier.
    /// Who has left the configuration stands in for nobody.
    pub fn with_overrides<'o>(
        written: &Arc<Self>,
        added: impl IntoIterator<Item = &'o RotaOverride>,
    ) -> Arc<Self> {
        let mut changed: Option<Self> = None;
        for one in added {
            if !written.rotas.contains_key(&one.rota) || !written.people.contains_key(&one.person) {
                continue;
            }
            let configuration = changed.get_or_insert_with(|| (**written).clone());
            if let Some(rota) = configuration.rotas.get_mut(&one.rota) {
                one.add_to(rota);
            }
        }
        changed.map_or_else(|| Arc::clone(written), Arc::new)
    }
}

/// Adds one, unless it can be no plan.
pub(crate) fn add(fold: &mut Fold, mut added: RotaOverride) -> Result<String, String> {
    let configuration = fold.configuration();
    let (id, rota) = (&added.rota, configuration.rotas.get(&added.rota));
    let rota = rota.ok_or_else(|| format!("there is no rota {id}"))?;
    for person in [Some(&added.person), added.instead_of.as_ref()].into_iter().flatten() {
        if !configuration.people.contains_key(person) {
            return Err(format!("there is nobody called {person}"));
        }
    }
    if added.until <= fold.now {
        return Err(format!("it would be over: it ends at {}", fold.time(added.until)));
    }
    if added.until <= added.from {
        return Err(format!("it ends at {}, before it begins", fold.time(added.until)));
    }
    added.from = added.from.max(fold.now);
    if added.until.duration_since(added.from) > LONGEST {
        let days = LONGEST.as_hours() / 24;
        return Err(format!("an override lasts {days} days at most; for longer, change the rota's layers"));
    }
    if added.from.duration_since(fold.now) > FURTHEST_AHEAD {
        return Err(format!("{} is more than 400 days ahead", fold.time(added.from)));
    }
    let name = fold.person(&added.person);
    if added.instead_of.as_ref() == Some(&added.person) {
        return Err(format!("{name} cannot stand in for themselves"));
    }
    let stretches = added.stretches(rota);
    if let Some(absent) = added.instead_of.as_ref().filter(|_| stretches.is_empty()) {
        return Err(format!("{} is not on call on {id} in that time", fold.person(absent)));
    }
    let instead = added
        .instead_of
        .as_ref()
        .map_or_else(String::new, |absent| format!(" instead of {}", fold.person(absent)));
    let (from, until) = (fold.time(added.from), fold.time(added.until));
    let before =
        goes_before(rota, &stretches).map_or_else(String::new, |others| format!("; it goes before {others}"));
    let said = format!("override {} on {id}: {name}{instead} from {from} until {until}{before}", added.id);
    fold.after.next_override += 1;
    fold.put_override(added);
    due::anew(fold);
    Ok(said)
}

/// The overrides that the new one overlaps: of two the later one wins.
fn goes_before(rota: &Rota, stretches: &[Override]) -> Option<String> {
    let overlapped = rota
        .overrides
        .iter()
        .filter(|other| stretches.iter().any(|new| other.from < new.to && new.from < other.to));
    let mut others: Vec<String> = overlapped
        .map(|other| match other.added {
            Some(number) => format!("override {number}, which overlaps it"),
            None => format!("the one of '{}' in curiad.yaml, which overlaps it", other.person),
        })
        .collect();
    others.dedup();
    (!others.is_empty()).then(|| others.join(" and "))
}

/// Ends one before its time, or calls it off.
pub(crate) fn end(fold: &mut Fold, number: u64, by: &str) -> Result<String, String> {
    let mut found = fold.after.overrides.get(&number).cloned().ok_or("there is no such override")?;
    if found.until <= fold.now {
        return Err(format!("override {number} ended at {}", fold.time(found.until)));
    }
    let what = if found.from <= fold.now { "ended" } else { "called off" };
    found.planned.get_or_insert((found.from, found.until));
    found.until = fold.now;
    found.from = found.from.min(fold.now);
    found.ended_by = Some(by.to_owned());
    fold.put_override(found);
    due::anew(fold);
    Ok(format!("override {number} is {what}"))
}
