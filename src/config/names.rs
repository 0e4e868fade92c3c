//! What is defined and what is referred to: every reference must lead somewhere.

use super::{
    nearest::did_you_mean,
    problem::{Place, Problems, Rank},
};
use std::collections::{BTreeMap, BTreeSet};

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Noun {
    Api,
    Environment,
    Vantage,
    Team,
    Hours,
    Person,
    Rota,
    Escalation,
    Desk,
}

impl Noun {
    const fn word(self) -> &'static str {
        match self {
            Self::Api => "API",
            Self::Environment => "environment",
            Self::Vantage => "vantage",
            Self::Team => "team",
            Self::Hours => "hours",
            Self::Person => "person",
            Self::Rota => "rota",
            Self::Escalation => "escalation",
            Self::Desk => "service desk",
        }
    }

    /// Where it is defined.
    const fn section(self) -> &'static str {
        match self {
            Self::Api => "a file in apis/",
            Self::Environment => "'environments' of curiad.yaml",
            Self::Vantage => "'vantages' of curiad.yaml",
            Self::Team => "'teams' of curiad.yaml",
            Self::Hours => "'hours' of curiad.yaml",
            Self::Person => "'people' of curiad.yaml",
            Self::Rota => "'rotas' of curiad.yaml",
            Self::Escalation => "'escalations' of curiad.yaml",
            Self::Desk => "'service_desks' of curiad.yaml",
        }
    }
}

/// All names of one configuration.
#[derive(Debug, Default)]
pub(super) struct Names {
    defined: BTreeMap<Noun, BTreeMap<String, Place>>,
    referred: Vec<(Noun, String, Place)>,
    unreadable: BTreeSet<Noun>,
}

impl Names {
    /// Something has this name.
    pub(super) fn define(&mut self, noun: Noun, name: &str, place: &Place) {
        self.defined.entry(noun).or_default().entry(name.to_owned()).or_insert_with(|| place.clone());
    }

    /// Something means this name.
    pub(super) fn refer(&mut self, noun: Noun, name: &str, place: &Place) {
        self.referred.push((noun, name.to_owned(), place.clone()));
    }

    /// What is defined here could not be read: nothing can be said of references to it.
    pub(super) fn unreadable(&mut self, noun: Noun) {
        self.unreadable.insert(noun);
    }

    /// Where a name is defined.
    pub(super) fn place_of(&self, noun: Noun, name: &str) -> Option<&Place> {
        self.defined.get(&noun)?.get(name)
    }

    /// Whether a name is defined.
    pub(super) fn is_defined(&self, noun: Noun, name: &str) -> bool {
        self.place_of(noun, name).is_some()
    }

    /// Says which references lead nowhere.
    pub(super) fn dangling(&self, problems: &mut Problems) {
        let none = BTreeMap::new();
        let of = |noun: Noun| self.defined.get(&noun).unwrap_or(&none);
        for (noun, name, place) in &self.referred {
            if self.unreadable.contains(noun) || of(*noun).contains_key(name) {
                continue;
            }
            let known = of(*noun).keys().map(String::as_str);
            let hint = did_you_mean(name, known)
                .or_else(|| Some(format!("it must be defined in {}", noun.section())));
            let message = format!("unknown {} '{name}'", noun.word());
            problems.error(Rank::Reference, place, message, hint);
        }
    }

    /// Says which definitions nobody refers to.
    pub(super) fn unused(&self, problems: &mut Problems) {
        for noun in [Noun::Team, Noun::Hours, Noun::Person, Noun::Rota, Noun::Escalation, Noun::Desk] {
            for (name, place) in self.defined.get(&noun).into_iter().flatten() {
                if !self.referred.iter().any(|(kind, word, _)| *kind == noun && word == name) {
                    let message = format!("nothing refers to the {} '{name}'", noun.word());
                    problems.warning(place, message, None);
                }
            }
        }
    }
}
