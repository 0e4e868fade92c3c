//! What of the matrix a visitor wants to see: by name, environment, kind and provider team. It works by URL.

use crate::{ApiView, Snapshot, WordsError, form::value, wording::Wording};
use domain::{Environment, Kind, TeamId};
use serde::Serialize;

/// APIs from which on the front page offers a filter.
const FILTER_FROM: usize = 6;
/// Letters of a name that is looked for.
const MOST_LETTERS: usize = 64;

/// What is asked for; what is empty or not known filters nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    /// A part of a name.
    find: Option<String>,
    environment: Option<Environment>,
    kind: Option<Kind>,
    team: Option<TeamId>,
}

/// The form.
#[derive(Debug, Serialize)]
pub(crate) struct FilterForm {
    text: String,
    environments: Vec<Item>,
    kinds: Vec<Item>,
    teams: Vec<Item>,
    shown: usize,
    all: usize,
    /// Something is filtered.
    on: bool,
}

/// One choice.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Item {
    value: String,
    text: String,
    chosen: bool,
}

impl Filter {
    /// From a query. An environment that `snapshot` does not have is as one that was never there.
    pub(crate) fn parse(query: &str, snapshot: &Snapshot) -> Self {
        let given =
            |name| value(query, name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let environment = given("environment").and_then(|text| Environment::parse(&text));
        let kind = given("kind");
        let team = given("team").and_then(|text| TeamId::parse(&text).ok());
        Self {
            find: given("find").filter(|text| text.chars().count() <= MOST_LETTERS),
            environment: environment.filter(|one| snapshot.environments.contains(one)),
            kind: Kind::ALL.into_iter().find(|one| kind.as_deref() == Some(one.word())),
            team: team.filter(|one| snapshot.apis.iter().any(|view| view.api.team == *one)),
        }
    }

    /// Nothing is filtered.
    pub(crate) fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it shows `environment`.
    pub(crate) fn shows(&self, environment: Environment) -> bool {
        self.environment.is_none_or(|one| one == environment)
    }

    /// The APIs that it lets through, the worst first.
    pub(crate) fn apis<'s>(&self, snapshot: &'s Snapshot) -> Vec<&'s ApiView> {
        let matches = |view: &&ApiView| {
            self.kind.is_none_or(|kind| kind == view.api.kind)
                && self.team.as_ref().is_none_or(|team| *team == view.api.team)
                && view.instances.iter().any(|instance| self.shows(instance.id.environment))
                && self.find.as_ref().is_none_or(|text| is_called(view, text))
        };
        let mut apis: Vec<&ApiView> = snapshot.apis.iter().filter(matches).collect();
        if self.environment.is_some() {
            // Stable: of those that are as bad, the order of the whole matrix stays.
            apis.sort_by_key(|view| {
                let here = view.instances.iter().find(|instance| self.shows(instance.id.environment));
                here.map(|instance| crate::past::rank(instance.shown))
            });
        }
        apis
    }

    /// The form; `None`: there is too little to filter.
    pub(crate) fn form(&self, wording: &Wording<'_>, shown: usize) -> Result<Option<FilterForm>, WordsError> {
        let snapshot = wording.snapshot;
        if snapshot.apis.len() < FILTER_FROM && self.is_off() {
            return Ok(None);
        }
        let environments = snapshot.environments.iter().map(|one| {
            Ok::<_, WordsError>(Item {
                value: one.word().to_owned(),
                text: wording.environment(*one)?,
                chosen: self.environment == Some(*one),
            })
        });
        let has = |kind: &Kind| snapshot.apis.iter().any(|view| view.api.kind == *kind);
        let kinds = Kind::ALL.into_iter().filter(has).map(|kind| {
            Ok::<_, WordsError>(Item {
                value: kind.word().to_owned(),
                text: wording.kind(kind)?,
                chosen: self.kind == Some(kind),
            })
        });
        let mut teams: Vec<Item> = snapshot
            .apis
            .iter()
            .filter_map(|view| {
                Some(Item {
                    value: view.api.team.to_string(),
                    text: wording.text(view.team.as_ref()?).to_owned(),
                    chosen: self.team.as_ref() == Some(&view.api.team),
                })
            })
            .collect();
        teams.sort_by(|a, b| (&a.text, &a.value).cmp(&(&b.text, &b.value)));
        teams.dedup();
        Ok(Some(FilterForm {
            text: self.find.clone().unwrap_or_default(),
            environments: environments.collect::<Result<_, _>>()?,
            kinds: kinds.collect::<Result<_, _>>()?,
            teams,
            shown,
            all: snapshot.apis.len(),
            on: !self.is_off(),
        }))
    }

    /// As it stands in a URL: the same in both languages.
    pub(crate) fn query(&self) -> String {
        let find = self.find.as_deref().map(crate::form::encode);
        let pairs = [
            ("find", find),
            ("environment", self.environment.map(|one| one.word().to_owned())),
            ("kind", self.kind.map(|one| one.word().to_owned())),
            ("team", self.team.as_ref().map(ToString::to_string)),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

fn is_called(view: &ApiView, text: &str) -> bool {
    let text = text.to_lowercase();
    [view.api.name.en.as_str(), view.api.name.cy.as_str(), view.api.id.as_str()]
        .iter()
        .any(|name| name.to_lowercase().contains(&text))
}
