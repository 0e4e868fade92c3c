//! A map read key by key. The keys that were asked for are the keys there are: one that nobody asks for is unknown, so
//! a key without effect cannot be accepted.

use super::{
    nearest::{did_you_mean, nearest},
    problem::{Place, Rank},
    reading::Reading,
    tree::{Key, Node, Value},
};

/// Keys that people will expect, because the design has them, and that do nothing yet.
const NOT_YET: &[(&str, &[&str])] = &[("an operation", &["put", "patch", "delete"])];

fn is_not_yet(what: &str, word: &str) -> bool {
    NOT_YET.iter().any(|(section, keys)| *section == what && keys.contains(&word))
}

/// A map that is being read. [`Section::close`] says which keys are missing or unknown.
pub(super) struct Section<'n> {
    what: &'static str,
    owner: &'n Place,
    entries: &'n [(Key, Node)],
    asked: Vec<&'static str>,
    needed: Vec<&'static str>,
    missing: Vec<&'static str>,
}

impl<'n> Section<'n> {
    /// Opens a node that must be a map; `what` names it in sentences: "a rota".
    pub(super) fn open(node: &'n Node, what: &'static str, reading: &mut Reading<'_>) -> Option<Self> {
        let entries = reading.map(node, what)?;
        Some(Self {
            what,
            owner: &node.owner,
            entries,
            asked: Vec::new(),
            needed: Vec::new(),
            missing: Vec::new(),
        })
    }

    /// Where the key of the whole section stands.
    pub(super) const fn place(&self) -> &'n Place {
        self.owner
    }

    /// The value of a key that may be left out. A key without a value is a problem.
    pub(super) fn optional(&mut self, key: &'static str, reading: &mut Reading<'_>) -> Option<&'n Node> {
        let node = self.find(key)?;
        if matches!(node.value, Value::Nothing) {
            let hint = Some("give it one, or leave the key out".to_owned());
            reading.problems.error(Rank::Shape, &node.owner, format!("'{key}' has no value"), hint);
            return None;
        }
        Some(node)
    }

    /// The value of a key that must be there.
    pub(super) fn required(&mut self, key: &'static str, reading: &mut Reading<'_>) -> Option<&'n Node> {
        self.needed.push(key);
        if !self.has(key) {
            self.missing.push(key);
        }
        self.optional(key, reading)
    }

    /// Whether the key is there, with or without a value. Does not count as asking for it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(known, _)| known.word == key)
    }

    /// Where the value of a key begins.
    pub(super) fn place_of(&self, key: &str) -> Option<&'n Place> {
        self.entries.iter().find(|(known, _)| known.word == key).map(|(_, node)| &node.place)
    }

    /// Whether a key is there that will be said to mean one of these, or not to be supported yet.
    pub(super) fn misspells(&self, keys: &[&str]) -> bool {
        let later = |word: &str| is_not_yet(self.what, word);
        self.entries
            .iter()
            .any(|(key, _)| later(&key.word) || nearest(&key.word, keys.iter().copied()).is_some())
    }

    fn find(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        self.entries.iter().find(|(known, _)| known.word == key).map(|(_, node)| node)
    }

    /// Says which keys are missing and which are unknown. A missing key that was only misspelt is said once.
    pub(super) fn close(mut self, reading: &mut Reading<'_>) {
        reading.asked.section(self.what, &self.asked, &self.needed);
        for (key, value) in self.entries.iter().filter(|(key, _)| !self.asked.contains(&key.word.as_str())) {
            let free = self.asked.iter().copied().filter(|asked| !self.has(asked));
            let near = nearest(&key.word, free);
            self.missing.retain(|missing| Some(*missing) != near);
            let word = key.word.as_str();
            // What follows may be a value: of `password:value` and of `password value` too.
            let said = key.name();
            let alone = matches!(value.value, Value::Nothing) && near.is_none();
            let shown = if alone { said.chars().take(4).chain(['…']).collect() } else { said.to_owned() };
            let near = near.or_else(|| nearest(said, self.asked.iter().copied()).filter(|_| said != word));
            let hint = match near {
                Some(near) if said != word => {
                    Some(format!("write '{near}: …', with a space behind the colon"))
                }
                _ if is_not_yet(self.what, word) => Some("it is not supported yet".to_owned()),
                Some(near) => Some(format!("did you mean '{near}'?")),
                None => did_you_mean(word, self.asked.iter().copied()),
            };
            reading.problems.error(Rank::Shape, &key.place, format!("unknown key '{shown}'"), hint);
        }
        // What a whole file lacks is nowhere in it.
        let whole =
            matches!(self.what, "the configuration" | "an API").then(|| Place::whole(&self.owner.file));
        for key in self.missing {
            let message = format!("{} needs the key '{key}'", self.what);
            reading.problems.error(Rank::Missing, whole.as_ref().unwrap_or(self.owner), message, None);
        }
    }
}
