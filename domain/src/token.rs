//! A token endpoint that does not work: one cause for all that need its tokens (DESIGN §5).

use crate::{
    ApiId, Cause, Configuration, Environment, Health, Incident, IncidentStatus, Layer, Text,
    cause::{open, worse},
    check::authority,
    children::hold_back,
    duty,
    fold::Fold,
    remark,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where the instances of an environment get tokens from. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenEndpoint {
    /// The environment of those that need its tokens.
    pub environment: Environment,
    /// Its address.
    pub url: String,
}

impl fmt::Display for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.environment, self.url)
    }
}

impl TokenEndpoint {
    /// Its host, as people know it.
    pub fn host(&self) -> &str {
        authority(&self.url)
    }

    /// The API that it is part of, if that is one of ours: its address continues that of the instance.
    pub fn issuer(&self, configuration: &Configuration) -> Option<ApiId> {
        let is_part_of = |url: &String| {
            self.url.strip_prefix(url.as_str()).is_some_and(|path| path.is_empty() || path.starts_with('/'))
        };
        let mut apis = configuration.apis.values();
        apis.find(|api| api.instances.get(&self.environment).is_some_and(is_part_of))
            .map(|api| api.id.clone())
    }

    pub(crate) fn is_cause(&self, cause: &Cause) -> bool {
        matches!(cause, Cause::Token(endpoint) if endpoint == self)
    }
}

/// The endpoint whose tokens an instance lacks, if that is where it fails.
pub(crate) fn endpoint(configuration: &Configuration, health: &Health) -> Option<TokenEndpoint> {
    if health.layer != Some(Layer::Token) {
        return None;
    }
    let mut checks = configuration.checks_of(&health.instance);
    let url = checks.find_map(|check| check.credential.as_ref()?.token_url())?;
    Some(TokenEndpoint { environment: health.instance.environment, url: url.to_owned() })
}

/// An instance fails for want of a token: it is held back by its endpoint's incident, which opens if there is none.
pub(crate) fn lacking(fold: &mut Fold, endpoint: TokenEndpoint, health: &Health, diagnosis: Text) {
    let issuer = endpoint.issuer(&fold.configuration());
    let cause = Cause::Token(endpoint);
    let known = fold.after.open_incident(&cause).map(|incident| incident.id);
    let id = known.unwrap_or_else(|| open(fold, cause, health, diagnosis));
    let Some(mut incident) = fold.incident(id) else {
        return;
    };
    incident.api = issuer;
    if incident.status == IncidentStatus::Recovering {
        duty::returned(fold, &mut incident, health.status);
    }
    if worse(health.status, incident.worst) {
        remark::worsened(&mut incident, health.status, fold.now);
    }
    hold_back(fold, incident, &health.instance);
}

/// It is over when none of those that it held back lacks a token any more.
pub(crate) fn ended(fold: &mut Fold) {
    let is_token = |incident: &Incident| matches!(incident.cause, Cause::Token(_));
    let open: Vec<Incident> = fold
        .after
        .open_incidents()
        .filter(|incident| is_token(incident) && incident.held_back.is_empty())
        .map(|incident| (**incident).clone())
        .collect();
    for mut incident in open.into_iter().filter(|incident| incident.status != IncidentStatus::Recovering) {
        let now = fold.now;
        duty::recovering(fold, &mut incident, now);
        fold.put_incident(incident);
    }
}
