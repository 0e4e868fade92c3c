//! What a feed or a calendar is about: all there is, one environment, or one API.

use crate::{IncidentView, Page, Planned, Snapshot, WordsError, wording::Wording};
use domain::{ApiId, Environment};

/// What a feed or a calendar is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// All that the audience sees.
    All,
    /// One environment.
    Environment(Environment),
    /// One API, wherever the audience sees it.
    Api(ApiId),
}

impl Scope {
    /// Of what a page shows alone.
    pub(crate) fn of(page: &Page) -> Option<Self> {
        if let Page::Environment(environment) = page {
            Some(Self::Environment(*environment))
        } else if let Page::Api(api) = page {
            Some(Self::Api(api.clone()))
        } else {
            (*page == Page::Front).then_some(Self::All)
        }
    }

    /// The page beside which its feeds stand.
    pub(crate) fn page(&self) -> Page {
        match self {
            Self::All => Page::Front,
            Self::Environment(environment) => Page::Environment(*environment),
            Self::Api(api) => Page::Api(api.clone()),
        }
    }

    /// Whether the snapshot's audience sees any of it.
    pub(crate) fn is_in(&self, snapshot: &Snapshot) -> bool {
        match self {
            Self::All => true,
            Self::Environment(environment) => snapshot.environments.contains(environment),
            Self::Api(api) => snapshot.api(api).is_some(),
        }
    }

    /// Its name; of all there is the site's.
    pub(crate) fn name(&self, wording: &Wording<'_>) -> Result<String, WordsError> {
        let site = wording.text(&wording.snapshot.site.title);
        match self {
            Self::All => Ok(site.to_owned()),
            Self::Environment(environment) => Ok(format!("{site} – {}", wording.environment(*environment)?)),
            Self::Api(api) => {
                let name =
                    wording.snapshot.api(api).map_or(api.as_str(), |view| wording.text(&view.api.name));
                Ok(format!("{site} – {name}"))
            }
        }
    }

    /// Whether an incident is about it, as far as the audience sees.
    pub(crate) fn has_incident(&self, view: &IncidentView) -> bool {
        let mut places = view.affects.iter().chain(&view.held_back);
        match self {
            Self::All => true,
            Self::Environment(environment) => {
                let nowhere = view.affects.is_empty() && view.held_back.is_empty();
                places.any(|id| id.environment == *environment)
                    || (nowhere && view.incident.environment == *environment)
            }
            Self::Api(api) => places.any(|id| id.api == *api),
        }
    }

    /// Whether planned work is about it: an environment's is about all APIs there.
    pub(crate) fn has_work(&self, snapshot: &Snapshot, planned: &Planned) -> bool {
        match self {
            Self::All => true,
            Self::Environment(environment) => planned.environment == *environment,
            Self::Api(api) => snapshot
                .api(api)
                .is_some_and(|view| view.instances.iter().any(|instance| planned.concerns(&instance.id))),
        }
    }
}
