//! The catalogue of mistakes: `tests/configuration/wrong/`, a file each, with what `curiad check` says of it, word for
//! word. `tests/configuration/README.md` explains the form and lists them all.
//!
//! `CURIAD_REWRITE=1 cargo test catalogue` writes down what is said now. Read the difference before you keep it.

use super::minimal::{Directory, secrets, today};
use crate::{
    config::{Secrets, check_report, load},
    terminal::Terminal,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configuration");

/// Where the list of all mistakes begins in the README.
const LIST: &str = "## The mistakes\n";

/// One file of the catalogue.
pub(super) struct Mistake {
    path: PathBuf,
    title: String,
    /// Up to and with the line `$ curiad check`.
    before: String,
    changes: Vec<Change>,
    without_secrets: bool,
    said: String,
}

/// What it does to one file of the good configuration.
enum Change {
    /// Each first text becomes the second.
    Edit(String, Vec<(String, String)>),
    Add(String, String),
    Remove(String),
}

/// The text between two marks.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let start = text.find(from).unwrap_or_else(|| panic!("no {from:?} in {text}")) + from.len();
    &text[start..start + text[start..].find(to).unwrap_or_else(|| panic!("no {to:?} in {text}"))]
}

fn read(path: PathBuf) -> Mistake {
    let text = fs::read_to_string(&path).unwrap();
    let title = text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a title").to_owned();
    let command = between(&text, "```console\n$ curiad check", "\n");
    let before = between(&text, "", "\n```console\n");
    Mistake {
        title,
        before: format!("{before}\n```console\n$ curiad check{command}\n"),
        changes: changes(between(&text, "```diff\n", "```\n")),
        without_secrets: command.contains("--without-secrets"),
        said: between(&text, &format!("$ curiad check{command}\n"), "```\n").to_owned(),
        path,
    }
}

fn changes(diff: &str) -> Vec<Change> {
    let mut all = Vec::new();
    for line in diff.lines() {
        if let Some(file) = line.strip_prefix("--- ") {
            all.push(Change::Edit(file.to_owned(), vec![(String::new(), String::new())]));
        } else if line == "+++ /dev/null" {
            let Some(Change::Edit(file, _)) = all.pop() else { panic!("nothing to remove: {line}") };
            all.push(Change::Remove(file));
        } else if let Some(file) = line.strip_prefix("+++ ") {
            all.push(Change::Add(file.to_owned(), String::new()));
        } else {
            let (sign, rest) = line.split_at(line.len().min(1));
            match all.last_mut() {
                Some(Change::Edit(_, hunks)) if line == "@@" => hunks.push((String::new(), String::new())),
                Some(Change::Edit(_, hunks)) => {
                    let (old, new) = hunks.last_mut().expect("a hunk");
                    if matches!(sign, " " | "" | "-") {
                        old.extend([rest, "\n"]);
                    }
                    if matches!(sign, " " | "" | "+") {
                        new.extend([rest, "\n"]);
                    }
                }
                Some(Change::Add(_, text)) if sign == "+" => text.extend([rest, "\n"]),
                Some(Change::Add(..) | Change::Remove(_)) | None => panic!("{line:?} belongs to no file"),
            }
        }
    }
    all
}

impl Mistake {
    pub(super) fn name(&self) -> String {
        self.path.strip_prefix(ROOT).unwrap().display().to_string()
    }

    /// The configuration with this mistake.
    pub(super) fn written(&self) -> Directory {
        let directory = Directory::new();
        for change in &self.changes {
            match change {
                Change::Edit(file, hunks) => {
                    for (old, new) in hunks {
                        let path = directory.0.path().join(file);
                        let text = fs::read_to_string(&path).unwrap();
                        let found = text.matches(old.as_str()).count();
                        assert_eq!(found, 1, "{}: these lines must be in {file} once:\n{old}", self.name());
                        fs::write(&path, text.replacen(old.as_str(), new, 1)).unwrap();
                    }
                }
                Change::Add(file, text) => {
                    directory.write(file, text);
                }
                Change::Remove(file) => fs::remove_file(directory.0.path().join(file)).unwrap(),
            }
        }
        directory
    }

    /// What `curiad check` says of it today.
    fn says(&self) -> String {
        let directory = self.written();
        let secrets = if self.without_secrets { Secrets::left_out() } else { secrets() };
        let result = load(directory.0.path(), &secrets, today());
        let problems = result.as_ref().map_or_else(Vec::len, |loaded| loaded.warnings.len());
        assert!(problems > 0, "{}: nothing is wrong with it", self.name());
        let report = check_report("config", &result, Terminal::plain());
        report.replace(&directory.0.path().display().to_string(), "config")
    }
}

/// All of them, in the order of their names.
pub(super) fn all() -> Vec<Mistake> {
    let mut paths = Vec::new();
    for folder in fs::read_dir(Path::new(ROOT).join("wrong")).unwrap() {
        paths.extend(fs::read_dir(folder.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    paths.sort();
    paths.into_iter().map(read).collect()
}

/// The list of the README: a heading a folder, a line a mistake.
fn list(all: &[Mistake]) -> String {
    let mut text = String::new();
    let mut folder = String::new();
    for mistake in all {
        let name = mistake.name();
        let here = name.split('/').nth(1).unwrap();
        if here != folder {
            text.extend(["\n**", here, "**\n\n"]);
            here.clone_into(&mut folder);
        }
        text.extend(["- [", &mistake.title, "](", &name, ")\n"]);
    }
    text
}

#[test]
fn every_mistake_is_explained_in_these_words() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch that writes the catalogue anew is for this test alone"
    )]
    let rewrite = std::env::var("CURIAD_REWRITE").is_ok();
    let all = all();
    assert!(all.len() >= 60, "only {} mistakes", all.len());
    let mut other = Vec::new();
    for mistake in &all {
        let says = mistake.says();
        if rewrite {
            fs::write(&mistake.path, format!("{}{says}```\n", mistake.before)).unwrap();
        } else if says != mistake.said {
            other.push(format!("{}: expected\n{}but it says\n{says}", mistake.name(), mistake.said));
        }
    }
    let readme = Path::new(ROOT).join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let (head, listed) = text.split_once(LIST).expect("the list of the README");
    if rewrite {
        fs::write(&readme, format!("{head}{LIST}{}", list(&all))).unwrap();
    } else if listed != list(&all) {
        other.push("README.md: the list of mistakes is not that of the files".to_owned());
    }
    assert!(
        other.is_empty(),
        "{} of {} are explained in other words (CURIAD_REWRITE=1 writes them down):\n\n{}",
        other.len(),
        all.len(),
        other.join("\n")
    );
}

#[test]
fn no_two_mistakes_have_the_same_title() {
    let mut titles: BTreeMap<String, String> = BTreeMap::new();
    for mistake in all() {
        let name = mistake.name();
        if let Some(other) = titles.insert(mistake.title, name.clone()) {
            panic!("{name} and {other} have the same title");
        }
    }
}

#[test]
fn the_good_configuration_is_good() {
    assert_eq!(Directory::new().problems(), Vec::<String>::new());
}
