//! Planned work as a calendar: iCalendar (RFC 5545, RFC 7986).

use crate::{
    Page, WordsError,
    document::{absolute, host},
    icalendar::{Icalendar, Occasion},
    planned::identified,
    scope::Scope,
    wording::Wording,
};
/// Its file.
pub(crate) const FILE: &str = "maintenance.ics";

/// The calendar of planned work that runs or is to come.
pub(crate) fn calendar(wording: &Wording<'_>, scope: &Scope) -> Result<String, WordsError> {
    let snapshot = wording.snapshot;
    let language = wording.language;
    let planned_work = wording.plain("maintenance")?;
    let name = format!("{} – {planned_work}", scope.name(wording)?);
    let mut file = Icalendar::begin("Planned work", &name, language);
    let page = absolute(wording, &wording.href(&Page::Maintenance));
    for (id, planned) in identified(&snapshot.planned) {
        if !scope.has_work(snapshot, planned) {
            continue;
        }
        // What changes an event is a new reading of the configuration: the later one counts, whoever compares. What was
        // announced is never changed, only over.
        let changed = planned.announced_at.unwrap_or(snapshot.configured_at);
        let environment = wording.environment(planned.environment)?;
        let place = match planned.api.as_ref().and_then(|api| snapshot.api(api)) {
            Some(view) => format!("{}, {environment}", wording.text(&view.api.name)),
            None => environment.clone(),
        };
        let why = wording.text(&planned.why);
        file.add(&Occasion {
            uid: &format!("{id}@{}", host(wording)),
            changed,
            from: planned.from,
            to: planned.to,
            summary: &format!("{planned_work} – {place}: {why}"),
            description: None,
            category: &environment,
            url: Some(&page),
            cancelled: false,
        });
    }
    Ok(file.end())
}
