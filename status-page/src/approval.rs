//! Welsh that no translator has approved: a message is approved as it stands, with its English; when either changes, no longer.

use crate::{
    WordsError,
    words::{Locales, sources},
};
use domain::Language;
use std::collections::{BTreeMap, BTreeSet};

/// A message whose Welsh nobody has approved as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unapproved {
    /// The file, from `locales/en/` and `locales/cy/`.
    pub file: String,
    /// Its key.
    pub key: String,
    /// Sixteen hex digits that change with either text.
    pub mark: String,
    /// Its English, as it is written: with variables and plurals.
    pub en: String,
    /// Its Welsh, likewise.
    pub cy: String,
}

impl Unapproved {
    /// The line that approves it.
    pub fn line(&self) -> String {
        format!("{} {}", self.key, self.mark)
    }
}

/// Of how many messages, those not approved, by file and in the order of the English file.
pub fn unapproved() -> Result<(usize, Vec<Unapproved>), WordsError> {
    let approved = Locales::get("approved.txt")
        .and_then(|file| String::from_utf8(file.data.into_owned()).ok())
        .ok_or_else(|| WordsError::Broken {
            file: "approved.txt".to_owned(),
            why: "it cannot be read as text".to_owned(),
        })?;
    let all = all()?;
    Ok((all.len(), without(all, &approved)))
}

fn without(all: Vec<Unapproved>, approved: &str) -> Vec<Unapproved> {
    let approved: BTreeSet<&str> = approved.lines().map(str::trim).collect();
    all.into_iter().filter(|message| !approved.contains(message.line().as_str())).collect()
}

fn all() -> Result<Vec<Unapproved>, WordsError> {
    let welsh: BTreeMap<String, String> =
        sources(Language::Cy)?.iter().flat_map(|(_, source)| messages(source)).collect();
    let mut all = Vec::new();
    for (file, source) in sources(Language::En)? {
        let file = file.rsplit('/').next().unwrap_or(&file).to_owned();
        all.extend(messages(&source).into_iter().map(|(key, en)| {
            let cy = welsh.get(&key).cloned().unwrap_or_default();
            Unapproved { file: file.clone(), mark: mark(&en, &cy), key, en, cy }
        }));
    }
    Ok(all)
}

/// Keys and texts: a message starts at the margin, and what belongs to it is indented or closes its braces.
fn messages(source: &str) -> Vec<(String, String)> {
    let mut messages: Vec<(String, String)> = Vec::new();
    for line in source.lines() {
        if let Some((key, text)) =
            line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
        {
            messages.push((key.to_owned(), text.trim().to_owned()));
        } else if let Some((_, text)) = messages.last_mut().filter(|_| line.starts_with([' ', '}'])) {
            text.push('\n');
            text.push_str(line.trim_end());
        }
    }
    messages
}

/// FNV-1a of both texts: the same in every build.
fn mark(en: &str, cy: &str) -> String {
    let bytes = en.bytes().chain([0]).chain(cy.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_approved_until_either_of_its_texts_changes() {
        let message = |en: &str, cy: &str| Unapproved {
            file: "pages.ftl".into(),
            key: "since".into(),
            mark: mark(en, cy),
            en: en.into(),
            cy: cy.into(),
        };
        let line = message("Since", "Ers").line();
        let approved = format!("# Of 1 December.\n{line}\n");
        assert_eq!(without(vec![message("Since", "Ers")], &approved), []);
        for changed in [message("Since then", "Ers"), message("Since", "Er")] {
            assert_eq!(without(vec![changed.clone()], &approved), [changed]);
        }
    }

    #[test]
    fn all_messages_of_all_files_are_looked_at_with_their_plurals() {
        let all = all().unwrap();
        let days = all.iter().find(|message| message.key == "days").unwrap();
        assert_eq!(days.file, "frame.ftl");
        assert!(days.en.contains("[one]") && days.cy.contains("[many]"), "{days:?}");
        assert!(all.iter().all(|message| !message.cy.is_empty()));
        let keys: BTreeSet<&str> = all.iter().map(|message| message.key.as_str()).collect();
        assert_eq!(keys.len(), all.len());
    }

    #[test]
    fn every_line_of_approvals_is_a_key_and_a_mark() {
        let file = Locales::get("approved.txt").unwrap();
        let text = String::from_utf8(file.data.into_owned()).unwrap();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let parts: Vec<&str> = line.split(' ').collect();
            assert!(matches!(parts[..], [_, mark] if mark.len() == 16), "{line}");
        }
    }
}
