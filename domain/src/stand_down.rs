//! Whoever was called hears that they can stand down, and why.

use crate::{
    Incident, IncidentId, IncidentStatus, NotificationKind, PersonId, Way,
    fold::Fold,
    telling::{key, person_channel, send},
};
use jiff::SignedDuration;
use std::collections::BTreeSet;

const EXPIRES: SignedDuration = SignedDuration::from_hours(4);

/// The ways by which nobody is woken, the first that they have first.
const QUIET: [Way; 3] = [Way::Text, Way::Email, Way::Webhook];

/// Why whoever was called can stand down.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Relief<'a> {
    /// It is over.
    Over,
    /// They have it.
    Taken(&'a str),
    /// It is part of that one, which goes on.
    PartOf(IncidentId),
    /// They say that it is no major incident: nobody is called any more.
    NotMajor(&'a str),
}

/// Everybody whom a call reached hears why they can stand down, `but` those (by their id and name).
/// Callouts not yet sent are withdrawn; one that had gone out after all is stood down when that is known.
pub(crate) fn stand_down(
    fold: &mut Fold,
    incident: &mut Incident,
    why: Relief<'_>,
    but: impl Fn(&PersonId, &str) -> bool,
) {
    let Some(mut running) = incident.escalation.take() else {
        return;
    };
    let mut reached: BTreeSet<(PersonId, Way)> = BTreeSet::new();
    for callout in &mut running.callouts {
        let spared = but(&callout.person, &fold.person(&callout.person));
        for way in callout.ways.clone() {
            let unsent = key(fold, incident.id, &format!("callout/{}/{}", callout.number, way.word()));
            fold.withdraw(unsent);
            // Of an incident that came back, who was called before has heard.
            if !spared && callout.reached_by(way) && !callout.stood_down.contains(&way) {
                reached.insert((callout.person.clone(), quiet(fold, &callout.person, way)));
                // Whoever has it may give it back; of the rest nobody hears again.
                callout.stood_down.extend((!matches!(why, Relief::Taken(_))).then_some(way));
            }
        }
    }
    incident.escalation = Some(running);
    for (person, way) in reached {
        send_stand_down(fold, incident, why, person, way);
    }
}

/// Whoever had it without having been called hears that `by` has it now.
pub(crate) fn relieved(fold: &mut Fold, incident: &Incident, by: &str, before: PersonId) {
    let mut calls = incident.escalation.iter().flat_map(|running| &running.callouts);
    let was_called = calls
        .any(|callout| callout.person == before && callout.ways.iter().any(|way| callout.reached_by(*way)));
    let configuration = fold.configuration();
    let known = configuration.people.get(&before);
    let way = QUIET.into_iter().find(|way| known.is_some_and(|known| known.ways.contains(way)));
    if let Some(way) = way.filter(|_| !was_called) {
        send_stand_down(fold, incident, Relief::Taken(by), before, way);
    }
}

/// A call reached somebody after the calls had stopped.
pub(crate) fn stand_down_late(fold: &mut Fold, incident: &Incident, person: PersonId, way: Way) {
    let configuration = fold.configuration();
    let name = configuration.people.get(&person).map(|person| &person.name);
    match (incident.status, &incident.acknowledged, incident.not_major()) {
        (IncidentStatus::Resolved, ..) if let Some(by) = incident.part_of => {
            send_stand_down(fold, incident, Relief::PartOf(by), person, way);
        }
        (IncidentStatus::Resolved, ..) => send_stand_down(fold, incident, Relief::Over, person, way),
        (_, Some(taken), _) if !taken.is_of(Some(&person), name.map_or("", String::as_str)) => {
            send_stand_down(fold, incident, Relief::Taken(&taken.by), person, way);
        }
        (_, None, Some(said)) if name != Some(&said.by) => {
            send_stand_down(fold, incident, Relief::NotMajor(&said.by), person, way);
        }
        (IncidentStatus::Open | IncidentStatus::Acknowledged | IncidentStatus::Recovering, ..) => {}
    }
}

/// What tells somebody that nothing is left for them to do does not arrive: by their next quiet way.
pub(crate) fn otherwise(fold: &mut Fold, incident: &Incident, person: PersonId, way: Way) {
    let configuration = fold.configuration();
    let Some(known) = configuration.people.get(&person) else { return };
    let mut quieter = QUIET.into_iter();
    // None comes before a telephone that rings.
    if way != Way::Voice {
        quieter.find(|one| *one == way);
    }
    let next = quieter.find(|one| known.ways.contains(one));
    if let Some(next) = next {
        stand_down_late(fold, incident, person, next);
    }
}

/// Nobody is rung up to hear that they may sleep, where there is another way to them.
fn quiet(fold: &Fold, person: &PersonId, way: Way) -> Way {
    let configuration = fold.configuration();
    let known = configuration.people.get(person);
    let has = |way: &Way| known.is_some_and(|known| known.ways.contains(way));
    match way {
        Way::Voice => QUIET.into_iter().find(has).unwrap_or(way),
        Way::Text | Way::Email | Way::Webhook => way,
    }
}

fn send_stand_down(fold: &mut Fold, incident: &Incident, why: Relief<'_>, person: PersonId, way: Way) {
    let way = quiet(fold, &person, way);
    let calls = incident.escalation.iter().flat_map(|running| &running.callouts);
    let (what, kind) = match why {
        Relief::Over => ("stand-down".to_owned(), NotificationKind::StandDown { taken_by: None }),
        Relief::Taken(by) => {
            ("taken".to_owned(), NotificationKind::StandDown { taken_by: Some(by.to_owned()) })
        }
        Relief::PartOf(incident) => ("part-of".to_owned(), NotificationKind::PartOf { incident }),
        // It may be declared and taken back again: then there were calls in between.
        Relief::NotMajor(by) => (
            format!("called-off/{}", calls.map(|callout| callout.number).max().unwrap_or(0)),
            NotificationKind::CalledOff { by: by.to_owned() },
        ),
    };
    // Whoever it is taken from once more hears that once more.
    let taken = incident.acknowledged.as_ref().filter(|_| matches!(why, Relief::Taken(_)));
    let taken = taken.map_or_else(String::new, |taken| format!("/{}", taken.at.as_millisecond()));
    let name = incident.named(&format!("{what}/{person}/{}{taken}", way.word()));
    send(fold, incident.id, &name, kind, person_channel(way, person), EXPIRES);
}
