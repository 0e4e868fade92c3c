//! What figures of availability mean, and what they are held against.

use super::change::{About, Change, instead};
use domain::{Configuration, Environment, InstanceId, Objective};

pub(super) fn compare(old: &Configuration, new: &Configuration, all: &mut Vec<Change>) {
    let (was, is) = (&old.availability, &new.availability);
    let of_all = (was.maintenance, was.degraded) != (is.maintenance, is.degraded);
    let both = || new.apis.values().filter(|api| old.apis.contains_key(&api.id));
    // By whatever name.
    let hours = |of: &Configuration, api| of.supported_hours(api).map(|(_, hours)| hours.clone());
    let hours = both().any(|api| hours(old, &api.id) != hours(new, &api.id));
    if (of_all || hours) && was.version == is.version {
        let message = format!(
            "availability is counted otherwise, but its version is '{}' as before: give it another",
            is.version
        );
        all.push(Change::warning(About::Figures, message));
    } else if was.version != is.version || was.name != is.name {
        let named = |name: &str, version: &str| format!("'{name}', version {version}");
        let message = instead(named(&is.name.en, &is.version), named(&was.name.en, &was.version));
        all.push(Change::note(About::Figures, format!("availability is counted by {message}")));
    }
    for api in both() {
        let production = InstanceId { api: api.id.clone(), environment: Environment::Production };
        let (was, is) = (old.objective(&production), new.objective(&production));
        if was != is {
            let word = |objective: Option<Objective>| {
                objective.map_or_else(|| "none".to_owned(), |objective| objective.to_string())
            };
            let message = format!("{}: the objective is {}", api.id, instead(word(is), word(was)));
            all.push(Change::note(About::Figures, message).of(&api.id));
        }
    }
}
