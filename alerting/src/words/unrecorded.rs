//! What the last resort is told when nothing can be recorded, and when it can again. From memory: there is no incident.

use super::{
    Letter,
    facts::cut,
    gsm::{plain, taken},
    letter::Why,
};
use domain::{Configuration, Environment, Language, Situation, Status, Unrecorded, duration_words, scrubbed};
use jiff::{SignedDuration, Timestamp};

/// What one text holds.
const TEXT: usize = 160;
/// What a line of a letter may have.
const LINE: usize = 300;
/// Instances that a letter names.
const MOST: usize = 30;

/// What is said.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Says<'a> {
    /// Nothing can be recorded.
    Unrecorded(&'a Unrecorded),
    /// It can be again; since when it could not.
    Again(Timestamp),
}

/// What is wrong in production, the worst first.
struct Wrong {
    name: String,
    status: Status,
    since: Timestamp,
}

/// In words, with the configuration in force, for whoever reads them at `now`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain<'a> {
    pub(crate) says: Says<'a>,
    pub(crate) configuration: &'a Configuration,
    pub(crate) now: Timestamp,
}

impl Plain<'_> {
    /// One text, in the GSM alphabet; its first 40 characters say what is wrong.
    pub(crate) fn text(&self, language: Language) -> String {
        let now = self.now.to_zoned(self.configuration.site.time_zone.clone()).strftime("%H:%M").to_string();
        let (head, tail) = match (self.says, language) {
            (Says::Unrecorded(said), Language::En) => (
                format!("Curiad CANNOT RECORD since {}. No tickets, no other calls.", self.since(said.since)),
                format!(" See its database, disk and log. {now}"),
            ),
            (Says::Unrecorded(said), Language::Cy) => (
                format!("Curiad YN METHU COFNODI ers {}. Dim tocynnau na galwadau.", self.since(said.since)),
                format!(" Gweler ei gronfa ddata, disg a log. {now}"),
            ),
            (Says::Again(since), Language::En) => {
                let (now, after) = (self.clock(self.now), self.lasted(since, language));
                return plain(&format!(
                    "Curiad RECORDS AGAIN since {now}, after {after}. What was missed is recorded; tickets and calls follow."
                ));
            }
            (Says::Again(since), Language::Cy) => {
                let (now, after) = (self.clock(self.now), self.lasted(since, language));
                return plain(&format!(
                    "Curiad YN COFNODI ETO ers {now}, ar ôl {after}. Cofnodwyd yr hyn a gollwyd; daw tocynnau a galwadau."
                ));
            }
        };
        let Says::Unrecorded(said) = self.says else { return plain(&format!("{head}{tail}")) };
        let wrong = self.wrong(&said.known, language);
        // The fullest that fits.
        let texts = (0..=wrong.len().min(5)).rev().map(|named| {
            plain(&format!("{head} {}{tail}", in_short(&wrong, named, language, |at| self.short(at))))
        });
        let shortest = plain(&format!("{head}{tail}"));
        let room = TEXT.saturating_sub(taken(self.configuration));
        texts.chain([shortest.clone()]).find(|text| text.chars().count() <= room).unwrap_or(shortest)
    }

    /// The letter.
    pub(crate) fn letter(&self, language: Language) -> Letter {
        let (subject, lines) = match self.says {
            Says::Unrecorded(said) => self.cannot(said, language),
            Says::Again(since) => self.can_again(since, language),
        };
        Letter { subject, body: format!("{}\n", lines.join("\n")) }
    }

    fn cannot(&self, said: &Unrecorded, language: Language) -> (String, Vec<String>) {
        let (since, now) = (self.since(said.since), self.clock(self.now));
        let wrong = self.wrong(&said.known, language);
        let place = Environment::Production.plain(language);
        let mut lines = match language {
            Language::En => vec![
                format!("Curiad cannot write its database since {since}. It still probes, and keeps what it sees."),
                "Until it can, no ticket is raised, nobody else is called, and the status page shows nothing new."
                    .to_owned(),
                String::new(),
                format!("The database says: {}", cut(&scrubbed(&said.why), LINE)),
                "What to do: look at the database, at the disk it is on, and at Curiad's log. Curiad goes on by itself when \
                 the database can be written again."
                    .to_owned(),
                String::new(),
            ],
            Language::Cy => vec![
                format!("Ni all Curiad ysgrifennu i'w gronfa ddata ers {since}. Mae'n dal i brofi, ac yn cadw'r hyn a wêl."),
                "Hyd nes y gall, ni chodir tocyn, ni elwir neb arall, ac nid yw'r dudalen statws yn dangos dim byd newydd."
                    .to_owned(),
                String::new(),
                format!("Dywed y gronfa ddata (yn Saesneg): {}", cut(&scrubbed(&said.why), LINE)),
                "Beth i'w wneud: edrychwch ar y gronfa ddata, ar ei disg, ac ar log Curiad. Bydd Curiad yn mynd yn ei flaen \
                 ohono'i hun pan ellir ysgrifennu i'r gronfa ddata eto."
                    .to_owned(),
                String::new(),
            ],
        };
        lines.push(match (wrong.is_empty(), language) {
            (true, Language::En) => format!("By what is seen at {now}, nothing is wrong in {place}."),
            (true, Language::Cy) => {
                format!("Yn ôl yr hyn a welir am {now}, nid oes dim o'i le yn yr {place}.")
            }
            (false, Language::En) => format!("By what is seen at {now}, wrong in {place}:"),
            (false, Language::Cy) => format!("Yn ôl yr hyn a welir am {now}, o'i le yn yr {place}:"),
        });
        lines.extend(wrong.iter().take(MOST).map(|wrong| {
            let (what, since) = (effect(wrong.status, language), self.since(wrong.since));
            match language {
                Language::En => format!("- {}: {what} since {since}", wrong.name),
                Language::Cy => format!("- {}: {what} ers {since}", wrong.name),
            }
        }));
        if wrong.len() > MOST {
            lines.push(format!("- +{}", wrong.len() - MOST));
        }
        lines.push(String::new());
        let (subject, you, kept, next) = match language {
            Language::En => (
                format!("Curiad cannot record since {since}"),
                "you are a last resort of production.",
                format!("nothing has been recorded since {since}."),
                "you are told again every 15 minutes while this lasts, and when it is over.",
            ),
            Language::Cy => (
                format!("Ni all Curiad gofnodi ers {since}"),
                "rydych yn ddewis olaf ar gyfer yr amgylchedd byw.",
                format!("ni chofnodwyd dim ers {since}."),
                "dywedir wrthych eto bob 15 munud tra pery hyn, a phan fydd ar ben.",
            ),
        };
        let why = Why { you: Some(you.to_owned()), now: kept, next: next.to_owned() };
        lines.push(why.words(language));
        (subject, lines)
    }

    fn can_again(&self, since: Timestamp, language: Language) -> (String, Vec<String>) {
        let (from, to) = (self.since(since), self.clock(self.now));
        let (subject, said, [you, now, next]) = match language {
            Language::En => (
                format!("Curiad records again since {to}"),
                format!(
                    "Curiad writes its database again since {to}; it could not since {from}.\nWhat it saw meanwhile is recorded."
                ),
                [
                    "you were told that it could not.",
                    "it can again.",
                    "tickets and calls for what is still wrong follow as usual: for Curiad itself there is nothing more to do.",
                ],
            ),
            Language::Cy => (
                format!("Mae Curiad yn cofnodi eto ers {to}"),
                format!(
                    "Mae Curiad yn ysgrifennu i'w gronfa ddata eto ers {to}; ni allai ers {from}.\nMae'r hyn a welodd yn y \
                     cyfamser wedi'i gofnodi."
                ),
                [
                    "cawsoch wybod na allai.",
                    "gall eto.",
                    "daw tocynnau a galwadau am yr hyn sy'n dal o'i le fel arfer: nid oes dim mwy i'w wneud ar gyfer Curiad ei hun.",
                ],
            ),
        };
        let why = Why { you: Some(you.to_owned()), now: now.to_owned(), next: next.to_owned() };
        (subject, vec![said, String::new(), why.words(language)])
    }

    fn lasted(&self, since: Timestamp, language: Language) -> String {
        duration_words(self.now.duration_since(since), language)
    }

    fn wrong(&self, known: &Situation, language: Language) -> Vec<Wrong> {
        let mut wrong: Vec<Wrong> = known
            .healths
            .values()
            .filter(|health| {
                health.instance.environment == Environment::Production && health.shown().is_trouble()
            })
            .map(|health| Wrong {
                name: self
                    .configuration
                    .apis
                    .get(&health.instance.api)
                    .map_or_else(|| health.instance.api.to_string(), |api| scrubbed(api.name.get(language))),
                status: health.status,
                since: health.since,
            })
            .collect();
        wrong.sort_by(|a, b| (b.status, a.since, &a.name).cmp(&(a.status, b.since, &b.name)));
        wrong
    }

    /// `03:12`.
    fn short(&self, at: Timestamp) -> String {
        at.to_zoned(self.configuration.site.time_zone.clone()).strftime("%H:%M").to_string()
    }

    /// `03:12 GMT`.
    fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.configuration.site.time_zone.clone()).strftime("%H:%M %Z").to_string()
    }

    /// `03:12 GMT`, with the day when that was not within the last 18 hours.
    fn since(&self, at: Timestamp) -> String {
        if self.now.duration_since(at) < SignedDuration::from_hours(18) {
            return self.clock(at);
        }
        at.to_zoned(self.configuration.site.time_zone.clone()).strftime("%d/%m %H:%M %Z").to_string()
    }
}

fn in_short(
    wrong: &[Wrong],
    named: usize,
    language: Language,
    short: impl Fn(Timestamp) -> String,
) -> String {
    if wrong.is_empty() {
        return match language {
            Language::En => "Nothing is wrong in PROD.".to_owned(),
            Language::Cy => "Dim o'i le yn BYW.".to_owned(),
        };
    }
    let by_name: Vec<String> =
        wrong.iter().take(named).map(|wrong| format!("{} {}", wrong.name, short(wrong.since))).collect();
    let more = wrong.len() - named.min(wrong.len());
    let rest = (more > 0).then(|| format!("+{more}"));
    let all: Vec<String> = by_name.into_iter().chain(rest).collect();
    match language {
        Language::En => format!("PROD WRONG: {}.", all.join(", ")),
        Language::Cy => format!("BYW O'I LE: {}.", all.join(", ")),
    }
}

const fn effect(status: Status, language: Language) -> &'static str {
    let (en, cy) = match status {
        Status::MajorOutage => ("down", "wedi methu"),
        Status::PartialOutage => ("partly down", "wedi methu'n rhannol"),
        Status::Degraded => ("slow or faulty", "yn araf neu'n ddiffygiol"),
        Status::Operational | Status::Maintenance | Status::Unknown => ("unknown", "anhysbys"),
    };
    match language {
        Language::En => en,
        Language::Cy => cy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{
        example::{at, configuration},
        gsm::is_plain,
    };
    use domain::{ApiId, Health, InstanceId, ReferenceKey, Remembered, Text};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn unrecorded(configuration: &Configuration, wrong: &[(&str, Status)]) -> Unrecorded {
        let healths = wrong.iter().enumerate().map(|(n, (api, status))| Health {
            instance: InstanceId { api: ApiId::parse(api).unwrap(), environment: Environment::Production },
            status: *status,
            since: at("02:20:00") + SignedDuration::from_mins(i64::try_from(n).unwrap()),
            layer: None,
            maintenance: false,
        });
        let remembered = Remembered {
            tracks: Vec::new(),
            latest: Vec::new(),
            changes: Vec::new(),
            healths: healths.collect(),
            releases: Vec::new(),
            incidents: Vec::new(),
            silences: Vec::new(),
            maintenances: Vec::new(),
            overrides: Vec::new(),
            proofs: Vec::new(),
            last_incident: 0,
            last_silence: 0,
            last_maintenance: 0,
            last_override: 0,
            key: ReferenceKey([7; 32]),
        };
        Unrecorded {
            since: at("02:14:00"),
            why: "could not record a batch: no room on the database's disk; make some".to_owned(),
            known: Situation::new(Arc::new(configuration.clone()), remembered),
        }
    }

    #[test]
    fn the_last_resort_hears_what_is_wrong_what_is_not_done_and_what_to_do() {
        let configuration = configuration();
        let wrong = [("patient-demographics", Status::MajorOutage), ("identity", Status::Degraded)];
        let (some, none) = (unrecorded(&configuration, &wrong), unrecorded(&configuration, &[]));
        let plain = |says, now| Plain { says, configuration: &configuration, now };
        let mut texts = Vec::new();
        for language in Language::ALL {
            texts.push(plain(Says::Unrecorded(&some), at("02:44:00")).text(language));
            texts.push(plain(Says::Unrecorded(&none), at("02:14:30")).text(language));
            texts.push(plain(Says::Again(some.since), at("03:05:00")).text(language));
        }
        let letter = |says, language| {
            let letter = plain(says, at("02:44:00")).letter(language);
            format!("Subject: {}\n\n{}", letter.subject, letter.body)
        };
        let (en, cy) = (Language::En, Language::Cy);
        let again = [en, cy].map(|language| letter(Says::Again(some.since), language)).join("\n");
        for (name, said, expected) in [
            ("unrecorded.txt", texts.join("\n"), include_str!("../../tests/golden/unrecorded.txt")),
            (
                "unrecorded.en.txt",
                letter(Says::Unrecorded(&some), en),
                include_str!("../../tests/golden/unrecorded.en.txt"),
            ),
            (
                "unrecorded.cy.txt",
                letter(Says::Unrecorded(&some), cy),
                include_str!("../../tests/golden/unrecorded.cy.txt"),
            ),
            ("again.txt", again, include_str!("../../tests/golden/again.txt")),
        ] {
            crate::words::tests::golden(name, &said, expected);
        }
    }

    proptest! {
        #[test]
        fn it_is_one_text_whatever_is_wrong(
            name in "[A-Za-zŵŷâêîôûïàÂŴ’ –()&/-]{1,80}",
            count in 0_usize..40,
            hours in 0_i64..400,
            welsh: bool,
        ) {
            let mut configuration = configuration();
            for api in configuration.apis.values_mut().map(std::sync::Arc::make_mut) {
                api.name = Text::new(name.clone(), name.clone());
            }
            let apis: Vec<String> = (0..count)
                .map(|n| if n == 0 { "patient-demographics".to_owned() } else { format!("api-{n}") })
                .collect();
            let wrong: Vec<_> = apis.iter().map(|api| (api.as_str(), Status::PartialOutage)).collect();
            let said = unrecorded(&configuration, &wrong);
            let now = said.since + SignedDuration::from_hours(hours);
            let language = if welsh { Language::Cy } else { Language::En };
            for says in [Says::Unrecorded(&said), Says::Again(said.since)] {
                let text = Plain { says, configuration: &configuration, now }.text(language);
                prop_assert!(text.chars().count() <= TEXT, "{} characters: {text}", text.chars().count());
                prop_assert!(is_plain(&text), "{text}");
            }
        }
    }
}
