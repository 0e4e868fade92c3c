//! What is known of an incident, in the words people use for it.

use super::scrub::scrub;
use domain::{
    Api, Callout, Cause, Configuration, Environment, Incident, InstanceId, Language, PersonId, ServiceLevel,
    Status, Target, Text, rate,
};
use jiff::{SignedDuration, Timestamp};

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
const MONTHS_CY: [&str; 12] = [
    "Ionawr",
    "Chwefror",
    "Mawrth",
    "Ebrill",
    "Mai",
    "Mehefin",
    "Gorffennaf",
    "Awst",
    "Medi",
    "Hydref",
    "Tachwedd",
    "Rhagfyr",
];

impl<'a> Facts<'a> {
    /// The API at fault.
    pub(super) fn api(&self) -> Option<&'a Api> {
        self.configuration.apis.get(self.incident.api.as_ref()?)
    }

    /// `03:12 GMT`.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.configuration.site.time_zone.clone()).strftime("%H:%M %Z").to_string()
    }

    /// `03:12`, for where every character counts.
    pub(super) fn short_clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.configuration.site.time_zone.clone()).strftime("%H:%M").to_string()
    }

    /// `03:12 GMT`, with the day when that was not within the last 18 hours: a text may arrive late.
    pub(super) fn since(&self) -> String {
        let at = self.incident.started_at;
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
                let word = |words: &[&'static str], index: i8| {
                    usize::try_from(index)
                        .ok()
                        .and_then(|index| words.get(index).copied())
                        .unwrap_or_default()
                };
                let day = word(&DAYS_CY, local.weekday().to_monday_zero_offset());
                let month = word(&MONTHS_CY, local.month() - 1);
                format!("dydd {day} {} {month} {}, {}", local.day(), local.year(), local.strftime("%H:%M %Z"))
            }
        }
    }

    /// The environment as users say it.
    pub(super) fn environment(&self, language: Language) -> &'static str {
        environment(self.incident.environment, language)
    }

    /// The environment in one short word, for texts and subjects.
    pub(super) const fn tag(&self, language: Language) -> &'static str {
        match (self.incident.environment, language) {
            (Environment::Sandbox, Language::En) => "SANDBOX",
            (Environment::Sandbox, Language::Cy) => "TYWOD",
            (Environment::Development, Language::En) => "DEV",
            (Environment::Development, Language::Cy) => "DATBLYGU",
            (Environment::Sit, _) => "SIT",
            (Environment::Uat, _) => "UAT",
            (Environment::Production, Language::En) => "PROD",
            (Environment::Production, Language::Cy) => "BYW",
        }
    }

    /// What is troubled, as users name it.
    pub(super) fn subject(&self, language: Language) -> String {
        let words = match &self.incident.cause {
            Cause::Instance(instance) => return self.name(instance, language),
            Cause::Refused(_) => Text::new("APIs", "APIs"),
            Cause::Blind(vantage) => Text::new(format!("view from {vantage}"), format!("golwg o {vantage}")),
            Cause::Rota(rota) => Text::new(format!("rota {rota}"), format!("rota {rota}")),
        };
        words.get(language).to_owned()
    }

    /// What has become of it, in a word or two.
    pub(super) const fn effect(&self, language: Language) -> &'static str {
        let (en, cy) = match (&self.incident.cause, self.incident.worst) {
            (Cause::Refused(_), _) => ("REFUSE US", "YN GWRTHOD"),
            (Cause::Blind(_), _) => ("LOST", "AR GOLL"),
            (Cause::Rota(_), _) => ("EMPTY", "YN WAG"),
            (Cause::Instance(_), Status::MajorOutage) => ("DOWN", "WEDI METHU"),
            (Cause::Instance(_), Status::PartialOutage) => ("PART DOWN", "RHAN WEDI METHU"),
            (Cause::Instance(_), Status::Degraded) => ("SLOW", "YN ARAF"),
            (Cause::Instance(_), Status::Operational | Status::Maintenance | Status::Unknown) => {
                ("UNKNOWN", "ANHYSBYS")
            }
        };
        match language {
            Language::En => en,
            Language::Cy => cy,
        }
    }

    /// What is wrong, as a sentence without its capital and its full stop.
    pub(super) fn symptom(&self, language: Language) -> String {
        let name = self.subject(language);
        match (language, &self.incident.cause, self.incident.worst) {
            (Language::En, Cause::Refused(_), _) => {
                "the APIs refuse Curiad's own access, so it cannot tell whether they work".to_owned()
            }
            (Language::Cy, Cause::Refused(_), _) => {
                "mae'r APIs yn gwrthod mynediad Curiad ei hun, felly ni all ddweud a ydynt yn gweithio"
                    .to_owned()
            }
            (Language::En, Cause::Blind(vantage), _) => {
                format!(
                    "Curiad cannot see production from {vantage}: it may be the NHS network, it may be Curiad"
                )
            }
            (Language::Cy, Cause::Blind(vantage), _) => {
                format!(
                    "ni all Curiad weld yr amgylchedd byw o {vantage}: efallai rhwydwaith y GIG, efallai Curiad"
                )
            }
            (Language::En, Cause::Rota(rota), _) => format!("nobody is on call in rota {rota}"),
            (Language::Cy, Cause::Rota(rota), _) => format!("nid oes neb ar alw yn rota {rota}"),
            (Language::En, Cause::Instance(_), Status::MajorOutage) => format!("{name} is not working"),
            (Language::Cy, Cause::Instance(_), Status::MajorOutage) => format!("nid yw {name} yn gweithio"),
            (Language::En, Cause::Instance(_), Status::PartialOutage) => {
                format!("only part of {name} is working")
            }
            (Language::Cy, Cause::Instance(_), Status::PartialOutage) => {
                format!("dim ond rhan o {name} sy'n gweithio")
            }
            (Language::En, Cause::Instance(_), Status::Degraded) => {
                format!("{name} is running slowly, or not in every part")
            }
            (Language::Cy, Cause::Instance(_), Status::Degraded) => {
                format!("mae {name} yn rhedeg yn araf, neu nid ym mhob rhan")
            }
            (
                Language::En,
                Cause::Instance(_),
                Status::Operational | Status::Maintenance | Status::Unknown,
            ) => {
                format!("we cannot tell whether {name} is working")
            }
            (
                Language::Cy,
                Cause::Instance(_),
                Status::Operational | Status::Maintenance | Status::Unknown,
            ) => {
                format!("ni allwn ddweud a yw {name} yn gweithio")
            }
        }
    }

    /// What is wrong, and since when.
    pub(super) fn symptom_since(&self, language: Language) -> String {
        capital(&format!("{} ({} {})", self.symptom(language), since(language), self.since()))
    }

    /// What is wrong, where, and since when.
    pub(super) fn symptom_where(&self, language: Language) -> String {
        let (place, when) = (self.environment(language), self.since());
        capital(&format!("{} ({place}, {} {when})", self.symptom(language), since(language)))
    }

    /// An instance's API by its name.
    pub(super) fn name(&self, instance: &InstanceId, language: Language) -> String {
        match self.configuration.apis.get(&instance.api) {
            Some(api) => scrub(api.name.get(language)),
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
                    format!("{name} ({})", environment(instance.environment, language))
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
        self.configuration.people.get(id).map_or_else(|| id.to_string(), |person| scrub(&person.name))
    }

    /// The priority's cell of the matrix, and why it is that one.
    pub(super) fn priority_why(&self) -> String {
        let incident = self.incident;
        let level = self.api().map_or(ServiceLevel::Critical, |api| api.service_level);
        let rating = rate(incident.environment, level, incident.worst, incident.affects.len());
        let many = if incident.affects.len() >= 3 { ", several APIs at once" } else { "" };
        let matrix = self.configuration.priorities.priority(rating);
        let cell = format!(
            "impact {} ({}, {level} service level{many}) × urgency {} ({}) = {matrix}",
            rating.impact,
            incident.environment,
            rating.urgency,
            incident.worst.word().replace('_', " "),
        );
        if matrix == incident.priority {
            cell
        } else {
            format!("{} is the highest it has had or a human's choice; now {cell}", incident.priority)
        }
    }

    /// The callout of that number.
    pub(super) fn callout(&self, number: u32) -> Option<&'a Callout> {
        let running = self.incident.escalation.as_ref()?;
        running.callouts.iter().find(|callout| callout.number == number)
    }

    /// Who is called next, and when, if nobody answers.
    pub(super) fn next_call(&self, language: Language) -> Option<(String, Timestamp)> {
        let running = self.incident.escalation.as_ref()?;
        let at = running.next_at?;
        // As the rules take it: beyond the last round, the last resort.
        let step = (running.round <= running.escalation.repeat)
            .then(|| running.escalation.steps.get(running.next_step))
            .flatten();
        let who = match step {
            Some(step) => self.target(&step.call, at, language),
            None => {
                let people: Vec<_> =
                    running.escalation.last_resort.iter().map(|id| self.person(id)).collect();
                people.join(", ")
            }
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
            Target::Next(id) => rota(id, rotas.get(id).and_then(|rota| rota.next(at))),
            Target::Person(id) => self.person(id),
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
    pub(super) fn page_url(&self, language: Language) -> String {
        let path = match language {
            Language::En => "en/incidents",
            Language::Cy => "cy/digwyddiadau",
        };
        format!("{}/{path}/{}", self.configuration.site.url.get(language), self.incident.id)
    }

    /// Where it is, in a sentence.
    pub(super) fn diagnosis(&self, language: Language) -> String {
        scrub(self.incident.diagnosis.get(language))
    }
}

/// An environment as users say it.
const fn environment(environment: Environment, language: Language) -> &'static str {
    match (environment, language) {
        (Environment::Sandbox, Language::En) => "sandbox",
        (Environment::Sandbox, Language::Cy) => "blwch tywod",
        (Environment::Development, Language::En) => "development",
        (Environment::Development, Language::Cy) => "datblygu",
        (Environment::Sit, Language::En) => "system integration testing",
        (Environment::Sit, Language::Cy) => "profi integreiddio systemau",
        (Environment::Uat, Language::En) => "user acceptance testing",
        (Environment::Uat, Language::Cy) => "profion derbyn gan ddefnyddwyr",
        (Environment::Production, Language::En) => "production",
        (Environment::Production, Language::Cy) => "amgylchedd byw",
    }
}

const fn since(language: Language) -> &'static str {
    match language {
        Language::En => "since",
        Language::Cy => "ers",
    }
}

/// With a capital letter at its start.
pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// At most `most` characters; what was cut short ends in a dot.
pub(super) fn cut(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    let kept: String = words.chars().take(most.saturating_sub(1)).collect();
    format!("{}.", kept.trim_end())
}
