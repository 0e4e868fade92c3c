//! Whose secret is whose: a team's files may name only that team's secrets (DESIGN §6, invariant 14), and nobody else may.

use super::{
    problem::{Place, Problems, Rank},
    reading::Reading,
    secret::Reference,
    tree::Node,
};
use domain::TeamId;

/// A reference that stands in a file.
pub(super) struct Used {
    pub reference: String,
    pub place: Place,
}

/// Secrets of a team: one by its reference, or all that begin alike (`env:RECORDS_*`).
pub(super) struct Owned {
    pattern: String,
    place: Place,
}

impl Owned {
    fn covers(&self, reference: &str) -> bool {
        match self.pattern.strip_suffix('*') {
            Some(beginning) => reference.starts_with(beginning),
            None => reference == self.pattern,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let without = |owned: &Self| owned.pattern.trim_end_matches('*').to_owned();
        self.covers(&without(other)) || other.covers(&without(self))
    }
}

/// Reads `[env:RECORDS_*, file:secrets/records/*]`.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Vec<Owned> {
    let mut all = Vec::new();
    for item in reading.list_of_some(node, "secrets").unwrap_or_default() {
        let owned = reading.parsed(item, "a secret's reference", |text| {
            let plain = text.strip_suffix('*').map_or_else(|| text.to_owned(), |begin| format!("{begin}A"));
            match Reference::parse(&plain) {
                Some(Ok(_)) => Ok(Owned { pattern: text.to_owned(), place: item.place.clone() }),
                Some(Err(why)) => Err(why),
                None => {
                    Err("a team's secrets are env:NAME, env:BEGINNING_*, file:PATH or file:FOLDER/*"
                        .to_owned())
                }
            }
        });
        all.extend(owned);
    }
    all
}

/// Says which secrets are named by whom they do not belong to.
pub(super) fn check<'a>(
    teams: &(impl Iterator<Item = (&'a TeamId, &'a [Owned])> + Clone),
    central: &[Used],
    apis: &[(TeamId, Vec<Used>)],
    problems: &mut Problems,
) {
    let patterns = || teams.clone().flat_map(|(team, all)| all.iter().map(move |owned| (team, owned)));
    for (at, (team, ours)) in patterns().enumerate() {
        if let Some((other, theirs)) = patterns().take(at).find(|(_, theirs)| theirs.overlaps(ours)) {
            let message = if team == other {
                format!("this is within '{}' above it", theirs.pattern)
            } else {
                format!("'{}' of the team '{other}' is the same secret: each has one owner", theirs.pattern)
            };
            problems.error(Rank::Sense, &ours.place, message, None);
        }
    }
    let owner = |reference: &str| patterns().find(|(_, owned)| owned.covers(reference)).map(|(team, _)| team);
    for used in central {
        if let Some(team) = owner(&used.reference) {
            let message = format!("{} is a secret of the team '{team}'", used.reference);
            let hint = Some("only files of its APIs may name it".to_owned());
            problems.error(Rank::Sense, &used.place, message, hint);
        }
    }
    for (team, uses) in apis {
        for used in uses {
            let reference = &used.reference;
            let (message, hint) = match owner(reference) {
                Some(other) if other != team => {
                    (format!("{reference} is a secret of the team '{other}', not of '{team}'"), None)
                }
                Some(_) => continue,
                None => (
                    format!("{reference} is not among the secrets of the team '{team}'"),
                    Some("see its 'secrets' in curiad.yaml".to_owned()),
                ),
            };
            problems.error(Rank::Sense, &used.place, message, hint);
        }
    }
}
