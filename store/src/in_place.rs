//! Whether the files of a SQLite database are still where they were opened. SQLite itself does not notice: it goes on
//! writing into a file that was deleted, moved or replaced, and all of that is lost with the program.
//!
//! Looked at by name and never opened: closing a file lets go of SQLite's locks on it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The database's file and its write-ahead log.
#[derive(Debug)]
pub(crate) struct InPlace {
    files: [PathBuf; 2],
    seen: Mutex<[Option<Seen>; 2]>,
}

/// Which file it was, and how long: neither of them ever shrinks while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    device: u64,
    number: u64,
    length: u64,
}

impl InPlace {
    /// Of a database that is open: what is there now is what was opened.
    pub(crate) fn new(file: &Path) -> Self {
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        let in_place = Self { files: [file.to_owned(), log.into()], seen: Mutex::default() };
        // What cannot be looked at now is not there for the first look either.
        if let Err(error) = in_place.look() {
            tracing::debug!(%error, "a database that was opened cannot be looked at");
        }
        in_place
    }

    /// The error: what became of them, and what to do.
    pub(crate) fn look(&self) -> io::Result<()> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, seen) in self.files.iter().zip(seen.iter_mut()) {
            let now = Seen::of(path)?;
            let what = match (*seen, now) {
                (Some(before), Some(now)) if (before.device, before.number) != (now.device, now.number) => {
                    "was replaced"
                }
                (Some(before), Some(now)) if now.length < before.length => {
                    // For good: whoever writes behind the cut makes it long again, with a hole in it.
                    *seen = Some(Seen { length: u64::MAX, ..now });
                    "was cut short"
                }
                (Some(_), None) => "is gone",
                (_, now) => {
                    *seen = now;
                    continue;
                }
            };
            return Err(io::Error::other(format!(
                "{} {what} while curiad had it open: put it back as it was, or stop curiad and restore a backup",
                path.display()
            )));
        }
        Ok(())
    }
}

impl Seen {
    fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(Self { device: found.dev(), number: found.ino(), length: found.len() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_replaced_or_cut_is_found_out_and_may_be_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let (file, log) = (folder.path().join("curiad.db"), folder.path().join("curiad.db-wal"));
        fs::write(&file, "0123456789").unwrap();
        let in_place = InPlace::new(&file);
        in_place.look().unwrap();
        // The log appears with the first write, and both grow.
        fs::write(&log, "01234").unwrap();
        fs::write(&file, "0123456789abcdef").unwrap();
        in_place.look().unwrap();

        let said = |in_place: &InPlace| in_place.look().unwrap_err().to_string();
        let aside = folder.path().join("aside");
        fs::rename(&file, &aside).unwrap();
        assert!(said(&in_place).contains("curiad.db is gone"), "{}", said(&in_place));
        fs::write(&file, "0123456789abcdef").unwrap();
        assert!(said(&in_place).contains("was replaced"), "{}", said(&in_place));
        fs::rename(&aside, &file).unwrap();
        in_place.look().unwrap();

        let aside = folder.path().join("aside-wal");
        fs::rename(&log, &aside).unwrap();
        assert!(said(&in_place).contains("curiad.db-wal is gone"), "{}", said(&in_place));
        fs::rename(&aside, &log).unwrap();
        in_place.look().unwrap();
        fs::write(&file, "0123").unwrap();
        assert!(said(&in_place).contains("was cut short"), "{}", said(&in_place));
        // Longer again by what is written behind the cut, it is damaged all the same.
        fs::write(&file, "0123456789abcdefghi").unwrap();
        assert!(said(&in_place).contains("was cut short"), "{}", said(&in_place));
    }
}
