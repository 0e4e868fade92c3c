//! The files of a configuration.

use super::{
    problem::{Place, Problems, Rank},
    secret,
    tree::{self, Node},
};
use ring::digest;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Largest file, in bytes.
const MAX_BYTES: u64 = 512 * 1024;

/// Most APIs.
const MAX_APIS: usize = 2_000;

/// Of the hash over a set of files, so many are enough for people to tell it from another.
const VERSION_BYTES: usize = 6;

/// One file, read but not yet understood.
pub(super) struct File {
    /// The path as it is shown to people.
    pub name: Arc<str>,
    /// Its name without `.yaml`.
    pub stem: String,
    pub text: String,
}

impl File {
    /// Its tree; `None` when it has none, which is then among the problems.
    pub(super) fn parse(&self, problems: &mut Problems) -> Option<Node> {
        tree::parse(&self.name, &self.text, problems)
    }
}

/// All files of a configuration that could be read.
pub(super) struct Files {
    pub top: Option<File>,
    pub apis: Vec<File>,
}

impl Files {
    /// By what a set of files is told from another.
    pub(super) fn version(&self) -> Version {
        let mut version = Version(digest::Context::new(&digest::SHA256));
        for file in self.top.iter().chain(&self.apis) {
            version.add(&file.stem, &file.text);
        }
        version
    }
}

/// By what a set of files is told from another: a hash over their names and texts, the same wherever they are. Secrets are
/// no part of it.
pub(super) struct Version(digest::Context);

impl Version {
    /// A file more.
    pub(super) fn add(&mut self, name: &str, text: &str) {
        for part in [name.as_bytes(), text.as_bytes()] {
            self.0.update(&(part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
    }

    /// Its first characters.
    pub(super) fn word(self) -> String {
        let hash = self.0.finish();
        hash.as_ref().iter().take(VERSION_BYTES).fold(String::new(), |word, byte| format!("{word}{byte:02x}"))
    }
}

/// Reads `curiad.yaml` and `apis/*.yaml`, and says which other YAML files nobody reads.
pub(super) fn read(directory: &Path, problems: &mut Problems) -> Files {
    let whole = |path: &Path| Place::whole(&path.display().to_string());
    if !directory.is_dir() {
        let hint = Some("name the directory that holds curiad.yaml with --config DIR".to_owned());
        problems.error(Rank::Syntax, &whole(directory), "there is no such directory", hint);
        return Files { top: None, apis: Vec::new() };
    }
    let top = directory.join("curiad.yaml");
    for path in list(directory, problems) {
        if path != top && path.is_file() && is_yaml(&path) {
            let hint = Some("only curiad.yaml and apis/*.yaml are".to_owned());
            problems.error(Rank::Syntax, &whole(&path), "this file is not read", hint);
        }
    }
    let folder = directory.join("apis");
    let mut apis = Vec::new();
    let said_before = problems.count();
    if folder.exists() && !folder.is_dir() {
        let hint = Some("make it one, and put one file an API into it".to_owned());
        problems.error(Rank::Syntax, &whole(&folder), "this is no folder", hint);
    }
    if folder.is_dir() {
        for path in list(&folder, problems) {
            if path.is_dir() {
                let hint = Some("put its files into apis/ itself".to_owned());
                problems.error(Rank::Syntax, &whole(&path), "this folder is not read", hint);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                apis.extend(file(&path, problems));
            } else if is_yaml(&path) {
                let hint = Some("its name must end in .yaml".to_owned());
                problems.error(Rank::Syntax, &whole(&path), "this file is not read", hint);
            }
        }
    }
    if apis.is_empty() && problems.count() == said_before {
        let hint = Some("write one file an API".to_owned());
        problems.error(Rank::Missing, &whole(&folder), "there is no API", hint);
    }
    if apis.len() > MAX_APIS {
        let message = format!("at most {MAX_APIS} APIs, not {}", apis.len());
        problems.error(Rank::Sense, &whole(&folder), message, None);
        apis.truncate(MAX_APIS);
    }
    Files { top: file(&top, problems), apis }
}

/// The places where a new file would be read, or would be a problem: what to look at for a change.
pub(super) fn places(directory: &Path) -> Vec<PathBuf> {
    let folder = directory.join("apis");
    let inside = |folder: &Path| entries(folder).unwrap_or_default().into_iter().filter(|path| is_yaml(path));
    let mut all: Vec<PathBuf> = inside(directory).chain(inside(&folder)).collect();
    all.push(directory.join("curiad.yaml"));
    all
}

/// What a folder holds, in order.
fn list(folder: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    entries(folder).unwrap_or_else(|error| {
        let place = Place::whole(&folder.display().to_string());
        problems.error(Rank::Syntax, &place, format!("this folder cannot be read: {error}"), None);
        Vec::new()
    })
}

/// What a folder holds, in order, without hidden files: editors and git leave those.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    paths.sort();
    Ok(paths)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
    })
}

fn file(path: &Path, problems: &mut Problems) -> Option<File> {
    let name = path.display().to_string();
    match secret::read_text(path, MAX_BYTES) {
        Ok(text) => {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            Some(File { name: name.into(), stem, text })
        }
        Err(why) => {
            let hint = why.contains(secret::NOT_TEXT).then(|| "save it as UTF-8".to_owned());
            let message = format!("this file cannot be read: {why}");
            problems.error(Rank::Syntax, &Place::whole(&name), message, hint);
            None
        }
    }
}
