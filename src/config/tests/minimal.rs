//! The smallest configuration in which nothing is wrong, and changes to it.

use crate::config::{Loaded, Problem, Secrets, load};
use jiff::Timestamp;
use tempfile::TempDir;

/// `curiad.yaml`.
pub(crate) const TOP: &str = include_str!("../../../tests/configuration/good/curiad.yaml");

/// `apis/documents.yaml`.
pub(crate) const API: &str = include_str!("../../../tests/configuration/good/apis/documents.yaml");

/// The environment variables that there are, a line each.
const ENVIRONMENT: &str = include_str!("../../../tests/configuration/environment");

/// The day on which it is read.
pub(crate) fn today() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// A configuration on disk.
pub(crate) struct Directory(pub TempDir);

impl Directory {
    /// The smallest configuration.
    pub(crate) fn new() -> Self {
        let directory = Self(tempfile::tempdir().unwrap());
        directory.write("curiad.yaml", TOP).write("apis/documents.yaml", API);
        directory
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Changes one place in a file; `from` must be there.
    pub(crate) fn change(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = std::fs::read_to_string(self.0.path().join(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, &text.replacen(from, to, 1))
    }

    /// Reads it, with the secrets that it names.
    pub(crate) fn load(&self) -> Result<Loaded, Vec<Problem>> {
        load(self.0.path(), &secrets(), today())
    }

    /// What is wrong with it, a line a problem, without the directory's own path.
    pub(crate) fn problems(&self) -> Vec<String> {
        let problems = match self.load() {
            Ok(loaded) => loaded.warnings,
            Err(problems) => {
                assert!(!problems.is_empty(), "an error without a problem");
                problems
            }
        };
        let path = format!("{}/", self.0.path().display());
        problems.iter().map(|problem| problem.to_string().replace(&path, "")).collect()
    }
}

/// The secrets that there are.
pub(crate) fn secrets() -> Secrets {
    Secrets::with(|name| {
        let mut known = ENVIRONMENT.lines().filter_map(|line| line.split_once('='));
        known.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    })
}
