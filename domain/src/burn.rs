//! What may be missed of an objective is used up too fast: an incident beside those of single outages, none of which lasted.
//!
//! Two windows a rate, as the field has it: the long one says that it matters, the short one that it is still so.

use crate::{
    AvailabilityPolicy, Cause, Configuration, Health, Incident, IncidentStatus, InstanceId, Objective,
    Situation, Status, Tally, Text, Ticket, cause::open, duty, fold::Fold,
};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

/// How fast is too fast.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rate {
    /// So many times what would last as long as the objective's days.
    times: f64,
    long: SignedDuration,
    short: SignedDuration,
}

/// 2 % of what may be missed in 30 days within an hour; 5 % within six.
const RATES: [Rate; 2] = [
    Rate { times: 14.4, long: SignedDuration::from_hours(1), short: SignedDuration::from_mins(5) },
    Rate { times: 6.0, long: SignedDuration::from_hours(6), short: SignedDuration::from_mins(30) },
];

/// The longest window: changes of health of so long are to be remembered.
pub const LONGEST_BURN: SignedDuration = SignedDuration::from_hours(6);

/// Changes of status kept of an instance: one every minute of the longest window, and what is older goes.
const MOST_CHANGES: usize = 360;

/// An instance with an objective has another health: kept while there was trouble within the longest window.
pub(crate) fn noted(situation: &mut Situation, health: &Health) {
    if situation.configuration.objective(&health.instance).is_none() {
        return;
    }
    let known = situation.missed.get(&health.instance);
    if known.is_none() && !health.status.is_trouble() {
        return;
    }
    let mut changes = known.map_or_else(Vec::new, |changes| (**changes).clone());
    let from = health.since.checked_sub(LONGEST_BURN).unwrap_or(Timestamp::MIN);
    // The last of those that began before the window is in force at its beginning.
    let past = changes.partition_point(|change| change.since <= from).saturating_sub(1);
    let past = past.max((changes.len() + 1).saturating_sub(MOST_CHANGES));
    changes.drain(..past);
    changes.push(health.clone());
    situation.missed.insert_mut(health.instance.clone(), Arc::new(changes));
}

/// Opens, keeps and ends what burns.
pub(crate) fn burns(fold: &mut Fold) {
    if fold.after.missed.is_empty() {
        return;
    }
    let is_over = |changes: &[Health]| {
        let last = changes.last();
        last.is_none_or(|last| {
            !last.status.is_trouble() && fold.now.duration_since(last.since) >= LONGEST_BURN
        })
    };
    let over: Vec<InstanceId> = fold
        .after
        .missed
        .iter()
        .filter(|(_, all)| is_over(all))
        .map(|(instance, _)| instance.clone())
        .collect();
    for instance in over {
        fold.after.missed.remove_mut(&instance);
    }
    let known: Vec<Incident> = fold
        .after
        .open_incidents()
        .filter(|incident| matches!(incident.cause, Cause::Burn(_)))
        .map(|incident| (**incident).clone())
        .collect();
    for incident in known {
        goes_on(fold, incident);
    }
    for (instance, burning) in begin(fold) {
        begins(fold, instance, &burning);
    }
}

/// That an objective is missed too fast, and how fast.
struct Burning {
    times: f64,
    rate: Rate,
    objective: Objective,
}

/// What burns and is not told of yet. What is open is known, and what had a ticket was, while it is in the window.
fn begin(fold: &Fold) -> Vec<(InstanceId, Burning)> {
    let (mut open, mut told) = (BTreeSet::new(), BTreeMap::new());
    for incident in fold.after.incidents.values() {
        if matches!(incident.cause, Cause::Ahead(_)) {
            continue;
        }
        match incident.resolved_at {
            None => open.extend(incident.affects.iter().chain(&incident.held_back)),
            Some(at) if incident.ticket != Ticket::None && fold.now.duration_since(at) < LONGEST_BURN => {
                told.extend(incident.affects.iter().map(|instance| (instance, at)));
            }
            Some(_) => {}
        }
    }
    let unknown = fold.after.missed.iter().filter(|(instance, _)| !open.contains(instance));
    unknown
        .filter_map(|(instance, changes)| {
            let burning = burning(&fold.after.configuration, instance, changes, fold.now)?;
            let heard = told.get(instance).is_some_and(|at| fold.now.duration_since(*at) < burning.rate.long);
            (!heard).then(|| (instance.clone(), burning))
        })
        .collect()
}

fn begins(fold: &mut Fold, instance: InstanceId, burning: &Burning) {
    let from = fold.now.checked_sub(burning.rate.long).unwrap_or(Timestamp::MIN);
    let changes = fold.after.missed.get(&instance).cloned().unwrap_or_default();
    let first = changes.iter().find(|change| change.status.is_trouble() && change.since >= from);
    let since = first.map_or(from, |change| change.since).min(fold.now);
    let (status, layer, maintenance) = (Status::Degraded, None, false);
    let health = Health { instance: instance.clone(), status, since, layer, maintenance };
    open(fold, Cause::Burn(instance), &health, words(burning));
}

/// It is over when it burns no more, and part of what the desk has a ticket of.
fn goes_on(fold: &mut Fold, mut incident: Incident) {
    let Cause::Burn(instance) = incident.cause.clone() else { return };
    let covers = |other: &&Arc<Incident>| {
        other.id != incident.id
            && other.ticket != Ticket::None
            && !matches!(other.cause, Cause::Ahead(_))
            && (other.affects.contains(&instance) || other.held_back.contains(&instance))
    };
    let by = fold.after.open_incidents().find(covers).map(|other| other.id);
    if let Some(by) = by {
        return duty::taken_in(fold, incident, by, "it is out, and does not come back");
    }
    let changes = fold.after.missed.get(&instance);
    let burns =
        changes.and_then(|all| burning(&fold.after.configuration, &instance, all, fold.now)).is_some();
    let now = fold.now;
    match (burns, incident.status == IncidentStatus::Recovering) {
        (false, false) => duty::recovering(fold, &mut incident, now),
        (true, true) => duty::returned(fold, &mut incident, Status::Degraded),
        (false, true) | (true, false) => {}
    }
    fold.put_incident(incident);
}

/// The first of the rates at which an instance burns, if it does.
fn burning(
    configuration: &Configuration,
    instance: &InstanceId,
    changes: &[Health],
    now: Timestamp,
) -> Option<Burning> {
    let objective = configuration.objective(instance)?;
    let from = now.checked_sub(LONGEST_BURN).ok()?;
    let hours = configuration.supported_hours(&instance.api);
    let open = hours.map(|(_, hours)| hours.between(from, now).unwrap_or_default());
    let speed = |window| speed(&configuration.availability, objective, open.as_deref(), changes, window, now);
    let mut rates = RATES.into_iter().filter(|rate| speed(rate.short) >= rate.times);
    let rate = rates.find(|rate| speed(rate.long) >= rate.times)?;
    Some(Burning { times: speed(rate.long), rate, objective })
}

/// How many times as fast as the objective allows it was missed in a window: what was not measured, or was not in the
/// supported hours (`open`), was not missed.
fn speed(
    policy: &AvailabilityPolicy,
    objective: Objective,
    open: Option<&[Range<Timestamp>]>,
    changes: &[Health],
    window: SignedDuration,
    now: Timestamp,
) -> f64 {
    let from = now.checked_sub(window).unwrap_or(Timestamp::MIN);
    let tally = match open {
        Some(open) => Tally::within(open, None, changes, from, now),
        None => Tally::of(None, changes, from, now),
    };
    policy.missed(&tally) / (window.as_secs_f64() * (1.0 - objective.share()))
}

fn words(burning: &Burning) -> Text {
    let (times, objective, hours) = (burning.times, burning.objective, burning.rate.long.as_hours());
    let agreed = format!("{}% mewn {} diwrnod", objective.percent(), objective.days());
    let (en, cy) = if times.is_finite() {
        (
            format!(
                "by the last {hours} h it uses up what its objective ({objective}) lets it miss {times:.0} times too fast"
            ),
            format!(
                "yn ôl y {hours} awr ddiwethaf mae’n defnyddio’r hyn y caiff ei golli o’i amcan ({agreed}) {times:.0} \
                 gwaith yn rhy gyflym"
            ),
        )
    } else {
        (
            format!("its objective ({objective}) lets it miss nothing"),
            format!("nid yw ei amcan ({agreed}) yn caniatáu colli dim"),
        )
    };
    Text::new(
        format!("It fails now and again, each time for a while: {en}."),
        format!("Mae’n methu bob hyn a hyn, am ychydig bob tro: {cy}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiId, Environment};
    use proptest::prelude::*;

    const STATUSES: [Status; 5] =
        [Status::Operational, Status::Degraded, Status::PartialOutage, Status::MajorOutage, Status::Unknown];

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn ago(seconds: i64) -> Timestamp {
        now() - SignedDuration::from_secs(seconds)
    }

    fn healths(changes: &[(i64, usize, bool)]) -> Vec<Health> {
        let instance =
            InstanceId { api: ApiId::parse("results").unwrap(), environment: Environment::Production };
        let health = |&(seconds, status, maintenance): &(i64, usize, bool)| Health {
            instance: instance.clone(),
            status: STATUSES[status],
            since: ago(seconds),
            layer: None,
            maintenance,
        };
        changes.iter().map(health).collect()
    }

    proptest! {
        /// The windows, second by second.
        #[test]
        fn it_is_what_a_plain_loop_counts(
            mut changes in prop::collection::vec((0..30_000_i64, 0..5_usize, any::<bool>()), 0..12),
            window in prop::sample::select(vec![300_i64, 1_800, 3_600, 21_600]),
            opens in 0..22_000_i64,
            has_hours: bool,
        ) {
            changes.sort_by_key(|(seconds, ..)| std::cmp::Reverse(*seconds));
            let healths = healths(&changes);
            let objective = Objective::parse("99.9% in 30d").unwrap();
            let open = [ago(opens)..now()];
            let open = has_hours.then_some(&open[..]);
            let policy = AvailabilityPolicy::default();
            let window_of = SignedDuration::from_secs(window);
            let seen = speed(&policy, objective, open, &healths, window_of, now());
            let mut missed = 0.0;
            for second in 1..=window {
                let in_force = healths.iter().rev().find(|health| health.since <= ago(second));
                let down = in_force.is_some_and(|health| health.status.is_down() && !health.maintenance);
                missed += if down && (!has_hours || second <= opens) { 1.0 } else { 0.0 };
            }
            let plain = missed / f64::from(i32::try_from(window).unwrap()) / 0.001;
            prop_assert!((seen - plain).abs() < 1e-6, "{seen} is not {plain}");
        }
    }
}
