//! What the readers ask for: every key of every section, every choice, every limit. `config/schema/` is held against it.

use std::collections::{BTreeMap, BTreeSet};

/// What was asked for in one reading of a whole configuration.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// By section, each key, and whether it was needed.
    pub keys: BTreeMap<&'static str, BTreeMap<&'static str, bool>>,
    /// By what is chosen, the words to choose from.
    pub choices: BTreeMap<String, BTreeSet<String>>,
    /// By what is counted, the least and the most.
    pub limits: BTreeMap<String, (u32, u32)>,
}

impl Asked {
    /// A section was read.
    pub(super) fn section(&mut self, what: &'static str, asked: &[&'static str], needed: &[&'static str]) {
        let keys = self.keys.entry(what).or_default();
        for key in asked {
            *keys.entry(key).or_default() |= needed.contains(key);
        }
    }

    /// One of these words was asked for.
    pub(super) fn choice<'w>(&mut self, what: &str, words: impl Iterator<Item = &'w str>) {
        self.choices.entry(what.to_owned()).or_default().extend(words.map(str::to_owned));
    }

    /// A number between these was asked for.
    pub(super) fn number(&mut self, what: &str, least: u32, most: u32) {
        self.limits.insert(what.to_owned(), (least, most));
    }
}
