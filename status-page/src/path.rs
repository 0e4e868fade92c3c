//! The pages and their paths: English words under `/en`, Welsh words under `/cy`, paired one to one.

use crate::Month;
use domain::{ApiId, Environment, IncidentId, Language};

/// A page that exists in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Page {
    /// The sentence, what is wrong now, the matrix.
    Front,
    /// One API in all its environments.
    Api(ApiId),
    /// One environment with all its APIs.
    Environment(Environment),
    /// All incidents that are kept in memory.
    Incidents,
    /// Incidents that began in one month.
    Month(Month),
    /// One incident.
    Incident(IncidentId),
    /// Planned work and test windows.
    Maintenance,
    /// How we measure, and what the words mean.
    Measuring,
    /// What our own probes saw when a caller met an error.
    IsItMe,
    /// To be told by e-mail.
    Subscribe,
    /// The front page for a team's screen.
    Wall,
    /// The statement that the accessibility regulations ask for.
    Accessibility,
}

const fn environment_word(language: Language, environment: Environment) -> &'static str {
    match (language, environment) {
        (Language::En, _) | (_, Environment::Sit | Environment::Uat) => environment.word(),
        (Language::Cy, Environment::Sandbox) => "blwch-tywod",
        (Language::Cy, Environment::Development) => "datblygu",
        (Language::Cy, Environment::Production) => "byw",
    }
}

/// The fixed words of paths, by language.
struct PathWords {
    apis: &'static str,
    environments: &'static str,
    incidents: &'static str,
    maintenance: &'static str,
    measuring: &'static str,
    is_it_me: &'static str,
    subscribe: &'static str,
    wall: &'static str,
    accessibility: &'static str,
}

const fn words(language: Language) -> PathWords {
    match language {
        Language::En => PathWords {
            apis: "apis",
            environments: "environments",
            incidents: "incidents",
            maintenance: "maintenance",
            measuring: "how-we-measure",
            is_it_me: "is-it-me",
            subscribe: "subscribe",
            wall: "wall",
            accessibility: "accessibility-statement",
        },
        Language::Cy => PathWords {
            apis: "apis",
            environments: "amgylcheddau",
            incidents: "digwyddiadau",
            maintenance: "gwaith-cynnal-a-chadw",
            measuring: "sut-rydym-yn-mesur",
            is_it_me: "ai-fi-sydd-ar-fai",
            subscribe: "tanysgrifio",
            wall: "wal",
            accessibility: "datganiad-hygyrchedd",
        },
    }
}

impl Page {
    /// Its path in `language`, with a leading slash and none at the end.
    pub fn path(&self, language: Language) -> String {
        let words = words(language);
        let root = language.tag();
        match self {
            Self::Front => format!("/{root}"),
            Self::Api(api) => format!("/{root}/{}/{api}", words.apis),
            Self::Environment(environment) => {
                format!("/{root}/{}/{}", words.environments, environment_word(language, *environment))
            }
            Self::Incidents => format!("/{root}/{}", words.incidents),
            Self::Month(month) => format!("/{root}/{}/{}", words.incidents, month.slug(language)),
            Self::Incident(id) => format!("/{root}/{}/{id}", words.incidents),
            Self::Maintenance => format!("/{root}/{}", words.maintenance),
            Self::Measuring => format!("/{root}/{}", words.measuring),
            Self::IsItMe => format!("/{root}/{}", words.is_it_me),
            Self::Subscribe => format!("/{root}/{}", words.subscribe),
            Self::Wall => format!("/{root}/{}", words.wall),
            Self::Accessibility => format!("/{root}/{}", words.accessibility),
        }
    }

    /// The page that `path` names, whether or not there is such an API or incident.
    /// Each page has exactly one path a language: other spellings are unknown.
    pub fn parse(path: &str) -> Option<(Language, Self)> {
        let language = language_of(path)?;
        let words = words(language);
        let mut parts = path.split('/').skip(2);
        let page = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Self::Front,
            (Some(word), None, _) if word == words.incidents => Self::Incidents,
            (Some(word), None, _) if word == words.maintenance => Self::Maintenance,
            (Some(word), None, _) if word == words.measuring => Self::Measuring,
            (Some(word), None, _) if word == words.is_it_me => Self::IsItMe,
            (Some(word), None, _) if word == words.subscribe => Self::Subscribe,
            (Some(word), None, _) if word == words.wall => Self::Wall,
            (Some(word), None, _) if word == words.accessibility => Self::Accessibility,
            (Some(word), Some(api), None) if word == words.apis => Self::Api(ApiId::parse(api).ok()?),
            (Some(word), Some(name), None) if word == words.environments => Self::Environment(
                Environment::ALL
                    .into_iter()
                    .find(|environment| environment_word(language, *environment) == name)?,
            ),
            (Some(word), Some(name), None) if word == words.incidents => {
                let incident = IncidentId::parse(name).filter(|parsed| parsed.to_string() == name);
                let month = || Month::parse(language, name).map(Self::Month);
                incident.map(Self::Incident).or_else(month)?
            }
            _ => return None,
        };
        Some((language, page))
    }
}

/// The language that the first part of `path` names.
pub(crate) fn language_of(path: &str) -> Option<Language> {
    let first = path.strip_prefix('/')?.split('/').next()?;
    Language::ALL.into_iter().find(|language| language.tag() == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Vec<Page> {
        let mut pages = vec![
            Page::Front,
            Page::Api(ApiId::parse("patient-demographics").unwrap()),
            Page::Incidents,
            Page::Incident(IncidentId(42)),
            Page::Month(Month::parse(Language::En, "november-2026").unwrap()),
            Page::Maintenance,
            Page::Measuring,
            Page::IsItMe,
            Page::Subscribe,
            Page::Wall,
            Page::Accessibility,
        ];
        pages.extend(Environment::ALL.map(Page::Environment));
        pages
    }

    #[test]
    fn every_page_has_one_path_a_language_and_is_found_by_it() {
        for page in pages() {
            for language in Language::ALL {
                assert_eq!(Page::parse(&page.path(language)), Some((language, page.clone())));
            }
            assert_ne!(page.path(Language::En), page.path(Language::Cy));
        }
    }

    #[test]
    fn other_spellings_are_unknown() {
        for path in [
            "/",
            "/en/",
            "/EN",
            "/fr",
            "/en/digwyddiadau",
            "/cy/incidents",
            "/en/incidents/42",
            "/en/incidents/c-42",
            "/en/incidents/tachwedd-2026",
            "/en/apis",
            "/en/apis/",
            "/en/apis/A",
            "/en/environments/byw",
            "/cy/amgylcheddau/production",
            "/en/apis/a/b",
            "en",
            "",
        ] {
            assert_eq!(Page::parse(path), None, "{path}");
        }
    }
}
