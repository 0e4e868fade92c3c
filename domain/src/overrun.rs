//! Planned work that does not end in time: whoever announced it is told, and has the minutes of grace until it is an incident.

use crate::{
    Channel, Configuration, Incident, IncidentStatus, Maintenance, NotificationKind, PersonId, TeamId,
    TeamWay, Way,
    fold::Fold,
    muting::{is_all_of, troubled},
    telling,
};
use std::{collections::BTreeSet, sync::Arc};

/// Tells of each work that was to be over by now and still shows as trouble, once.
pub(crate) fn overruns(fold: &mut Fold) {
    if fold.late {
        return;
    }
    windows(fold);
    let now = fold.now;
    let late = |planned: &&Maintenance| {
        planned.overran_at.is_none() && planned.until <= now && now < planned.overruns_until()
    };
    let late: Vec<Maintenance> = fold.after.maintenances.values().filter(late).cloned().collect();
    for planned in late {
        let of_it: Vec<Arc<Incident>> =
            fold.after.open_incidents().filter(|incident| is_of(&planned, incident)).cloned().collect();
        if !of_it.is_empty() {
            tell(fold, &planned, &of_it);
            fold.put_maintenance(Maintenance { overran_at: Some(now), ..planned });
        }
    }
}

/// A window that repeats has no owner but the teams that answer for what still fails after it: each hears of each incident
/// once.
fn windows(fold: &mut Fold) {
    let (now, configuration) = (fold.now, fold.configuration());
    let zone = &configuration.site.time_zone;
    let open: Vec<Arc<Incident>> = fold.after.open_incidents().cloned().collect();
    for incident in open {
        let Some(policy) = configuration.policy(incident.environment) else { continue };
        let ended = policy.maintenance.iter().filter_map(|window| window.overruns_until(now, zone)).max();
        let Some((to, until)) = ended.filter(|(to, _)| outlasts(&incident, *to)) else { continue };
        if incident.outlasted == Some(to) || fold.in_window(incident.environment) {
            continue;
        }
        let mut incident = (*incident).clone();
        incident.outlasted = Some(to);
        let team =
            incident.api.as_ref().and_then(|api| configuration.apis.get(api)).map(|api| api.team.clone());
        let told = |team: crate::TeamId| Some((configuration.teams.get(&team)?.told_in_words()?, team));
        let team = team.and_then(told);
        let whom = match &team {
            Some((_, team)) => format!("the team {} is told", fold.team(team)),
            None => "nobody was told: no team with a mailbox answers for it".to_owned(),
        };
        if let Some((way, team)) = team {
            let kind = NotificationKind::Overruns { work: None, was_to_end_at: to, told_at: until };
            let name = format!("overruns/window/{}/{team}", to.as_second());
            telling::send(fold, incident.id, &name, kind, way.channel(team), until.duration_since(now));
        }
        let ended = fold.time(to);
        incident.note(now, format!("the planned window was to end at {ended}: {whom}"));
        fold.put_incident(incident);
    }
}

/// Still there, and it was when the window ended.
fn outlasts(incident: &Incident, ended: jiff::Timestamp) -> bool {
    let is_there = matches!(incident.status, IncidentStatus::Open | IncidentStatus::Acknowledged);
    is_there
        && incident.failing_since() < ended
        && troubled(incident).is_some_and(|troubled| !troubled.is_empty())
}

/// Trouble that is still there, and of which nobody hears because of the work.
fn is_of(planned: &Maintenance, incident: &Incident) -> bool {
    let is_there = matches!(incident.status, IncidentStatus::Open | IncidentStatus::Acknowledged);
    is_there && incident.failing_since() < planned.until && is_all_of(planned, incident)
}

/// One message, about the first incident of it.
fn tell(fold: &mut Fold, planned: &Maintenance, of_it: &[Arc<Incident>]) {
    let Some(first) = of_it.first() else { return };
    let mut incident = (**first).clone();
    let lasts = planned.overruns_until().duration_since(fold.now);
    let owners = owners(&fold.configuration(), planned, of_it);
    let mut names = Vec::new();
    for owner in &owners {
        let (name, channel) = match owner {
            Owner::Person(person) => (fold.person(person), Channel::Email(person.clone())),
            Owner::Team(team, way) => (format!("the team {}", fold.team(team)), way.channel(team.clone())),
        };
        let key = match owner {
            Owner::Person(_) => format!("overruns/{}", planned.id),
            Owner::Team(team, _) => format!("overruns/{}/{team}", planned.id),
        };
        let kind = NotificationKind::Overruns {
            work: Some(planned.id),
            was_to_end_at: planned.until,
            told_at: planned.overruns_until(),
        };
        telling::send(fold, incident.id, &key, kind, channel, lasts);
        names.push(name);
    }
    let whom = match names.as_slice() {
        [] => format!("nobody was told: {} is no person with a mailbox, and no team has one", planned.by),
        [only] => format!("{only} is told"),
        all => format!("{} are told", all.join(", ")),
    };
    let ended = fold.time(planned.until);
    incident.note(fold.now, format!("planned work {} was to end at {ended}: {whom}", planned.id));
    fold.put_incident(incident);
}

enum Owner {
    Person(PersonId),
    Team(TeamId, TeamWay),
}

/// Who announced it, where that is somebody with a mailbox; else the teams that answer for what still fails.
fn owners(configuration: &Configuration, planned: &Maintenance, of_it: &[Arc<Incident>]) -> Vec<Owner> {
    let person = configuration.person_named(&planned.by);
    if let Some((id, _)) = person.filter(|(_, person)| person.ways.contains(&Way::Email)) {
        return vec![Owner::Person(id.clone())];
    }
    let apis = of_it.iter().filter_map(|incident| configuration.apis.get(incident.api.as_ref()?));
    let teams: BTreeSet<&TeamId> = apis.map(|api| &api.team).collect();
    let told =
        |team: &TeamId| Some(Owner::Team(team.clone(), configuration.teams.get(team)?.told_in_words()?));
    teams.into_iter().filter_map(told).collect()
}
