//! What is known of an incident, in the words people use for it.

use domain::{
    Api, Callout, Cause, Configuration, Desk, Incident, InstanceId, Language, PersonId, Target, scrubbed,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use std::collections::BTreeSet;

/// What is known of an incident now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// As it is now.
    pub(crate) incident: &'a Incident,
    /// What people wrote down.
    pub(crate) configuration: &'a Configuration,
    /// When the words are made.
    pub(crate) now: Timestamp,
}

const DAYS_CY: [&str; 7] = ["Llun", "Mawrth", "Mercher", "Iau", "Gwener", "Sadwrn", "Sul"];
impl<'a> Facts<'a> {
    /// The API at fault.
    pub(super) fn api(&self) -> Option<&'a Api> {
        self.configuration.apis.get(self.incident.api.as_ref()?).map(AsRef::as_ref)
    }

    /// The API at fault; of what several share, each of those that fail. None where it is we who cannot see them.
    pub(super) fn apis(&self) -> Vec<&'a Api> {
        let all = self.incident.affects.iter().chain(&self.incident.held_back).map(|instance| &instance.api);
        let all = match &self.incident.api {
            Some(api) => vec![api],
            None if matches!(self.incident.cause, Cause::Blind(_) | Cause::Refused(_) | Cause::Behind(_)) => {
                vec![]
            }
            None => all.collect(),
        };
        let mut seen = BTreeSet::new();
        all.into_iter()
            .filter(|api| seen.insert(*api))
            .filter_map(|api| self.configuration.apis.get(api).map(AsRef::as_ref))
            .collect()
    }

    /// The desk that has its ticket.
    pub(super) fn desk(&self) -> Option<&'a Desk> {
        let policy = self.configuration.policy(self.incident.environment)?;
        self.configuration.desks.get(policy.service_desk.as_ref()?)
    }

    /// What the people at that desk read.
    pub(super) fn desk_language(&self) -> Language {
        self.desk().map_or(Language::En, |desk| desk.language)
    }

    /// `03:12 GMT`.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.configuration.site.time_zone.clone()).strftime("%H:%M %Z").to_string()
    }

    /// `03:12 GMT`, of what is to come; with the day where that is another than now's: `03:12 GMT on Mon 7 Dec`.
    pub(super) fn clock_to_come(&self, at: Timestamp, language: Language) -> String {
        let zone = &self.configuration.site.time_zone;
        let (local, clock) = (at.to_zoned(zone.clone()), self.clock(at));
        if local.date() == self.now.to_zoned(zone.clone()).date() {
            return clock;
        }
        match language {
            Language::En => format!("{clock} on {}", local.strftime("%a %-d %b")),
            Language::Cy => {
                let month = language.month(local.date());
                format!("{clock} ddydd {} {} {month}", day_cy(local.date()), local.day())
            }
        }
    }

    /// `03:12`, for where every character counts.
    pub(super) fn short_clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.configuration.site.time_zone.clone()).strftime("%H:%M").to_string()
    }

    /// `03:12 GMT`, of the present stretch of trouble, with the day when that was not within the last 18 hours: a text may
    /// arrive late.
    pub(super) fn since(&self) -> String {
        let at = self.incident.failing_since();
        if self.now.duration_since(at) < SignedDuration::from_hours(18) {
            return self.clock(at);
        }
        at.to_zoned(self.configuration.site.time_zone.clone()).strftime("%d/%m %H:%M %Z").to_string()
    }

    /// `Saturday 21 November 2026, 03:12 GMT`.
    pub(super) fn date(&self, at: Timestamp, language: Language) -> String {
        let local = at.to_zoned(self.configuration.site.time_zone.clone());
        match language {
            Language::En => local.strftime("%A %-d %B %Y, %H:%M %Z").to_string(),
            Language::Cy => {
                let day = day_cy(local.date());
                let month = language.month(local.date());
                format!("dydd {day} {} {month} {}, {}", local.day(), local.year(), local.strftime("%H:%M %Z"))
            }
        }
    }

    /// The same where something was done then: in Welsh the day's first letter is another.
    pub(super) fn on_date(&self, at: Timestamp, language: Language) -> String {
        let date = self.date(at, language);
        match language {
            Language::En => format!("on {date}"),
            Language::Cy => format!("d{date}"),
        }
    }

    /// An instance's API by its name.
    pub(super) fn name(&self, instance: &InstanceId, language: Language) -> String {
        match self.configuration.apis.get(&instance.api) {
            Some(api) => scrubbed(api.name.get(language)),
            None => instance.api.to_string(),
        }
    }

    /// Instances by name, with their environment where it is another than the incident's; at most twenty.
    pub(super) fn names(&self, instances: &[InstanceId], language: Language) -> String {
        const MOST: usize = 20;
        let mut names: Vec<String> = instances
            .iter()
            .take(MOST)
            .map(|instance| {
                let name = self.name(instance, language);
                if instance.environment == self.incident.environment {
                    name
                } else {
                    format!("{name} ({})", instance.environment.plain(language))
                }
            })
            .collect();
        if let Some(more) = instances.len().checked_sub(MOST).filter(|more| *more > 0) {
            names.push(match language {
                Language::En => format!("and {more} more"),
                Language::Cy => format!("a {more} arall"),
            });
        }
        names.join(", ")
    }

    /// A person's name, or their id when they left the configuration.
    pub(super) fn person(&self, id: &PersonId) -> String {
        self.configuration.people.get(id).map_or_else(|| id.to_string(), |person| scrubbed(&person.name))
    }

    /// Why it has the priority it has: the cell of the matrix and what weighed, or what stands in its place.
    pub(super) fn weight(&self, language: Language) -> String {
        let weight = self.incident.weight(language);
        match language {
            _ if !weight.is_empty() => weight,
            Language::En => "the highest it has had".to_owned(),
            Language::Cy => "yr uchaf a fu".to_owned(),
        }
    }

    /// In Welsh, by which rule it is a major one: its own words are kept in English. `None`: another one than its environment's.
    pub(super) fn major_rule(&self) -> Option<String> {
        if let Cause::Rota(rota) = &self.incident.cause {
            return Some(format!("nid oes neb ar alw ar {rota}"));
        }
        let environment = self.incident.environment;
        let rule = self.configuration.policy(environment)?.major.as_ref()?;
        Some(format!("{}: un mawr o {} i fyny", environment.plain(Language::Cy), rule.when))
    }

    /// The callout of that number.
    pub(crate) fn callout(&self, number: u32) -> Option<&'a Callout> {
        let running = self.incident.escalation.as_ref()?;
        running.callouts.iter().find(|callout| callout.number == number)
    }

    /// Who is called first, and when, while nobody has been.
    pub(super) fn first_call(&self, language: Language) -> Option<(String, Timestamp)> {
        let (target, at) = domain::first_call(self.configuration, self.incident)?;
        Some((self.target(&target, at, language), at))
    }

    /// Who is called next, and when, if nobody answers.
    pub(super) fn next_call(&self, language: Language) -> Option<(String, Timestamp)> {
        let running = self.incident.escalation.as_ref()?;
        let at = running.next_at?;
        // As the rules take it: beyond the last round, the last resort.
        let step = (running.round <= running.escalation.repeat)
            .then(|| running.escalation.steps.get(running.next_step))
            .flatten();
        let who = if let Some(step) = step {
            self.target(&step.call, at, language)
        } else {
            let people: Vec<_> = running.escalation.last_resort.iter().map(|id| self.person(id)).collect();
            people.join(", ")
        };
        Some((who, at))
    }

    fn target(&self, target: &Target, at: Timestamp, language: Language) -> String {
        let rota = |id: &domain::RotaId, person: Option<PersonId>| {
            person.map_or_else(|| format!("rota {id}"), |person| self.person(&person))
        };
        let rotas = &self.configuration.rotas;
        match target {
            Target::OnCall(id) => {
                rota(id, rotas.get(id).and_then(|rota| rota.on_call(at)).map(|shift| shift.person))
            }
            Target::Next(id) => {
                let next = match &self.incident.escalation {
                    Some(running) => domain::next_of(self.configuration, running, id, at),
                    None => rotas.get(id).and_then(|rota| rota.next(at)),
                };
                rota(id, next)
            }
            Target::Person(id) => self.person(id),
            Target::Team(_) | Target::Provider => match language {
                Language::En => "the provider team".to_owned(),
                Language::Cy => "tîm y darparwr".to_owned(),
            },
            Target::Desk(id) => self
                .configuration
                .desks
                .get(id)
                .map_or_else(|| id.to_string(), |desk| desk.name.get(language).to_owned()),
        }
    }

    /// Where a person who was called answers.
    pub(super) fn ack_url(&self, callout: &Callout, language: Language) -> String {
        format!("{}/ack/{}", self.configuration.site.url.get(language), callout.reference)
    }

    /// The incident's own page.
    pub(crate) fn page_url(&self, language: Language) -> String {
        let path = match language {
            Language::En => "en/incidents",
            Language::Cy => "cy/digwyddiadau",
        };
        format!("{}/{path}/{}", self.configuration.site.url.get(language), self.incident.id)
    }

    /// Where it is, in a sentence.
    pub(super) fn diagnosis(&self, language: Language) -> String {
        scrubbed(self.incident.diagnosis.get(language))
    }
}

/// The day of the week, as it follows `dydd`.
fn day_cy(date: Date) -> &'static str {
    let index = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
    DAYS_CY.get(index).copied().unwrap_or_default()
}

/// With a capital letter at its start.
pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// At most `most` characters; what was cut short ends in two dots, which no alphabet of a text lacks.
pub(crate) fn cut(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    let kept: String = words.chars().take(most.saturating_sub(2)).collect();
    // Between words, unless that would take much more away.
    let between = kept.rfind(' ').filter(|at| at * 4 >= kept.len() * 3);
    let kept = between.and_then(|at| kept.get(..at)).unwrap_or(&kept);
    format!("{}..", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{
        example::{at, configuration, incident},
        ticket,
    };

    #[test]
    fn a_ticket_that_comes_before_the_calls_says_who_will_be_called() {
        let (mut incident, mut configuration) = (incident(), configuration());
        let running = incident.escalation.take().unwrap();
        incident.acknowledged = None;
        incident.status = domain::IncidentStatus::Open;
        configuration.escalations.insert(running.escalation.id.clone(), running.escalation);
        let facts = Facts { incident: &incident, configuration: &configuration, now: at("02:13:30") };
        let said = ticket(&facts, "C-42-k3f9xq").description;
        let line =
            said.lines().find(|line| line.starts_with("If it goes on, ")).unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains(" is called at 03:1") && line.ends_with("You need not ring them."), "{line}");
    }

    #[test]
    fn of_many_who_were_called_the_last_are_named_and_a_group_by_its_name_alone() {
        let (mut incident, mut configuration) = (incident(), configuration());
        let running = incident.escalation.as_mut().unwrap();
        let mut called = running.callouts.last().unwrap().clone();
        called.answer = None;
        running.callouts.clear();
        for minute in 0..14 {
            called.at = at(&format!("03:{minute:02}:00"));
            running.callouts.push(called.clone());
        }
        incident.told_at = None;
        let said = |incident: &Incident, configuration: &Configuration| {
            ticket(&Facts { incident, configuration, now: at("04:00:00") }, "C-42-k3f9xq").description
        };
        let words = said(&incident, &configuration);
        assert!(words.contains("(and 4 more before). You need not ring them."), "{words}");
        assert!(
            words.contains("04:13 ") && !words.contains("04:03 "),
            "the newest, by the clock of the site: {words}"
        );
        assert!(words.contains("Resolver group for this layer: API Platform."), "{words}");
        for api in configuration.apis.values_mut().map(std::sync::Arc::make_mut) {
            api.desk.group_names.clear();
        }
        let words = said(&incident, &configuration);
        assert!(!words.contains("Resolver group") && !words.contains("287ebd7da9fe"), "{words}");
    }
}
