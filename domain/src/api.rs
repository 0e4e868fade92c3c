//! A published API: what it is, who provides it, what it depends on.

use crate::{Agreed, ApiId, Environment, Operation, TeamId, Text};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// One published API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Immutable: history hangs on it.
    pub id: ApiId,
    /// What people call it.
    pub name: Text,
    /// One plain sentence.
    pub description: Text,
    /// The protocol it speaks.
    pub kind: Kind,
    /// Where it stands between alpha and retired.
    pub lifecycle: Lifecycle,
    /// How much depends on it.
    pub service_level: ServiceLevel,
    /// How many applications use it in production; 0: none, or that is not known.
    pub consumers: u32,
    /// Audited: probes carry the registered application's identity.
    pub sensitive: bool,
    /// The provider team.
    pub team: TeamId,
    /// APIs this one cannot work without, in the same environment. Free of cycles.
    pub depends_on: Vec<ApiId>,
    /// Where its documentation is.
    pub documentation: Option<String>,
    /// What the service desk needs to know.
    pub desk: DeskNotes,
    /// Its own supported hours and objective.
    pub agreed: Agreed,
    /// What exercising it does; shared by all views of it, and each by its checks.
    pub operations: Arc<[Arc<Operation>]>,
    /// Where it runs: base URL by environment, `http://` or `https://`, without a trailing slash.
    pub instances: BTreeMap<Environment, String>,
}

/// What the service desk needs in a ticket about this API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeskNotes {
    /// The configuration item's id in the desk's own system.
    pub ci: Option<String>,
    /// Others in its place, by the layer at fault.
    pub cis: BTreeMap<crate::Layer, String>,
    /// Assignment groups by the layer at fault; `None` as key is the default group.
    pub groups: BTreeMap<crate::Layer, String>,
    /// What people call those groups.
    pub group_names: BTreeMap<crate::Layer, String>,
    /// Who uses it and what its absence means to them, in a caller's words.
    pub users: Option<Text>,
    /// What to do; a link.
    pub runbook: Option<String>,
    /// What its users can do meanwhile, in words to callers.
    pub workaround: Option<Text>,
    /// Where the errors that are known of it are listed; a link.
    pub known_errors: Option<String>,
    /// Whom the desk rings about it when nobody is at work.
    pub out_of_hours: Option<Text>,
    /// Who answers for its clinical safety (DCB0129), where care may be affected.
    pub clinical_safety: Option<Text>,
}

impl DeskNotes {
    /// The configuration item of what fails at that layer.
    pub fn item(&self, layer: Option<crate::Layer>) -> Option<&str> {
        layer.and_then(|layer| self.cis.get(&layer)).or(self.ci.as_ref()).map(String::as_str)
    }
}

/// The protocol an API speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Plain REST.
    Rest,
    /// HL7 FHIR R4.
    FhirR4,
    /// SOAP 1.1 or 1.2.
    Soap,
    /// HL7 version 2.
    Hl7,
    /// GraphQL.
    Graphql,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Rest, Self::FhirR4, Self::Soap, Self::Hl7, Self::Graphql];

    /// The word used in configuration and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::FhirR4 => "fhir-r4",
            Self::Soap => "soap",
            Self::Hl7 => "hl7",
            Self::Graphql => "graphql",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Lifecycle stages of the DHCW RESTful API standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Not in production.
    Alpha,
    /// May be in production.
    Beta,
    /// Normal service.
    Stable,
    /// Kept, not developed.
    Legacy,
    /// Leaving; normal service until then.
    Deprecated,
    /// Gone: must be in no environment.
    Retired,
}

impl Lifecycle {
    /// All stages, in order.
    pub const ALL: [Self; 6] =
        [Self::Alpha, Self::Beta, Self::Stable, Self::Legacy, Self::Deprecated, Self::Retired];

    /// The word used in configuration and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Stable => "stable",
            Self::Legacy => "legacy",
            Self::Deprecated => "deprecated",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Service level as in DHCW-POL-5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceLevel {
    /// Care is at risk without it.
    Critical,
    /// Everything else.
    Standard,
}

impl ServiceLevel {
    /// The word used in configuration and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Standard => "standard",
        }
    }
}

impl fmt::Display for ServiceLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layer;

    #[test]
    fn a_layer_may_have_a_configuration_item_of_its_own() {
        let notes = DeskNotes {
            ci: Some("the API".to_owned()),
            cis: [(Layer::Gateway, "the gateway".to_owned())].into(),
            ..DeskNotes::default()
        };
        assert_eq!(notes.item(Some(Layer::Gateway)), Some("the gateway"));
        assert_eq!(notes.item(Some(Layer::Backend)), Some("the API"));
        assert_eq!(notes.item(None), Some("the API"));
        assert_eq!(DeskNotes::default().item(Some(Layer::Gateway)), None);
    }
}
