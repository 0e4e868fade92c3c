//! Our source files, as the rules read them.

use std::{fs, path::Path};

/// One file: its path from the repository's root, with `/`, and what it says.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The file up to its tests, which stand at its end or in a `tests.rs` of their own.
    pub(crate) fn without_tests(mut self) -> Self {
        if self.path.ends_with("/tests.rs") {
            self.text.clear();
        } else if let Some(end) = self.text.find("#[cfg(test)]\nmod ") {
            self.text.truncate(end);
        }
        self
    }

    /// The lines of code with their numbers from 1: no comments, so that prose may name what code may not.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//") && !line.trim_start().starts_with("--"))
            .map(|(number, line)| (number, line.split(" // ").next().unwrap_or(line)))
    }
}

/// Every Rust file of the workspace, in order of path.
pub(crate) fn rust_sources() -> Vec<Source> {
    let found = under("", "rs");
    assert!(found.len() > 20, "the sources are not where they are looked for");
    found
}

/// Every file below `directory` that ends in `extension`, in order of path; none if there is no such directory.
pub(crate) fn under(directory: &str, extension: &str) -> Vec<Source> {
    let root = Path::new(super::ROOT);
    let mut found = Vec::new();
    let mut open = vec![root.join(directory)];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.expect("a readable directory").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|is| is == extension) {
                let text = fs::read_to_string(&path).expect("source is UTF-8");
                let path = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}
