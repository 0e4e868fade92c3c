//! What the files of a configuration look like from outside: enough to see that one was changed, without reading any.

use super::files;
use std::{
    collections::BTreeMap,
    fs::Metadata,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Every file that a configuration is read from, those that secrets are in among them. `None`: not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stamps(BTreeMap<PathBuf, Option<Stamp>>);

/// A file that is written, replaced or linked to another gets another one, however fast and whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamps {
    /// The files of `directory` as they now are, and those elsewhere that `before` knows.
    pub(crate) fn now(directory: &Path, before: &Self) -> Self {
        let mut now = Self::default();
        for path in files::places(directory) {
            now.note(path);
        }
        for path in before.0.keys() {
            // Each file is asked about once.
            if !now.0.contains_key(path) {
                now.note(path.clone());
            }
        }
        now
    }

    /// A file is about to be read.
    pub(super) fn note(&mut self, path: PathBuf) {
        let stamp = std::fs::metadata(&path).ok().map(|found| Stamp::of(&found));
        self.0.insert(path, stamp);
    }
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_way_to_change_a_file_is_seen() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path();
        fs::create_dir(directory.join("apis")).unwrap();
        let (top, api, secret) =
            (directory.join("curiad.yaml"), directory.join("apis/a.yaml"), directory.join("secret"));
        fs::write(&top, "a").unwrap();
        fs::write(&secret, "x").unwrap();
        let mut stamps = Stamps::default();
        stamps.note(secret.clone());
        let mut last = Stamps::now(directory, &stamps);
        let mut changes = |what: &str, change: &dyn Fn()| {
            change();
            let now = Stamps::now(directory, &last);
            assert_ne!(now, last, "{what}");
            assert_eq!(now, Stamps::now(directory, &now), "{what}: and then still");
            last = now;
        };
        changes("longer", &|| fs::write(&top, "ab").unwrap());
        changes("a new file", &|| fs::write(&api, "a").unwrap());
        changes("replaced by a rename, of the same size", &|| {
            fs::write(directory.join(".new"), "cd").unwrap();
            fs::rename(directory.join(".new"), &top).unwrap();
        });
        changes("a secret", &|| fs::write(&secret, "longer").unwrap());
        changes("gone", &|| fs::remove_file(&api).unwrap());
        changes("linked", &|| {
            fs::write(directory.join(".elsewhere"), "ab").unwrap();
            fs::remove_file(&top).unwrap();
            std::os::unix::fs::symlink(".elsewhere", &top).unwrap();
        });
        fs::write(directory.join("notes.txt"), "nobody reads this").unwrap();
        fs::write(directory.join(".curiad.yaml.swp"), "nor this").unwrap();
        assert_eq!(Stamps::now(directory, &last), last);
    }
}
