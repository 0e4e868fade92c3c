//! Where the database is, and what is said before it is opened when it cannot be there.

use crate::{
    config::shown,
    disk::{self, Mount},
    exit::{CANNOT_CREATE, CONFIG, DATA, Failed, NO_INPUT, NO_PERMISSION},
};
use domain::Secret;
use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What a SQLite database begins with (<https://www.sqlite.org/fileformat.html>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The file of a SQLite database; `None`: it is in memory, or not SQLite's.
pub(crate) fn file(database: &Secret) -> Option<PathBuf> {
    let path = database.reveal().strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or(path);
    (path != ":memory:").then(|| path.into())
}

/// The file whose lock says that a program records into the database: beside the file itself, by whatever name it is called.
pub(crate) fn lock(database: &Path) -> PathBuf {
    let real = || fs::canonicalize(database).ok();
    let to_be = || Some(fs::canonicalize(directory(database)).ok()?.join(database.file_name()?));
    let mut name = real().or_else(to_be).unwrap_or_else(|| database.to_owned()).into_os_string();
    name.push(".lock");
    name.into()
}

/// The directory of a file.
pub(crate) fn directory(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// For commands beside a running program, which look for its database and make none: an empty one, made where somebody
/// happens to stand, would say that all is well.
pub(crate) async fn is_there(database: &Secret) -> Result<(), Failed> {
    let Some(file) = file(database) else { return has_tables(database).await };
    let shown = std::path::absolute(&file).unwrap_or_else(|_| file.clone());
    let shown = shown.display();
    match fs::metadata(&file) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let next = "run this as root, or as the user who runs `curiad serve`";
            Err(Failed::new(NO_PERMISSION, format!("{shown} cannot be looked at: {error}\n{next}")))
        }
        Ok(found) if !found.is_file() || found.len() > 0 => Ok(()),
        Ok(_) | Err(_) => {
            let next = if file.is_relative() {
                format!(
                    "`{}` is relative to where a command runs: run it in the directory where `curiad serve` runs",
                    database.reveal()
                )
            } else {
                "`curiad serve` makes it at its first start: has it run with this configuration?".to_owned()
            };
            Err(Failed::new(NO_INPUT, format!("there is no database at {shown}\n{next}")))
        }
    }
}

/// The same of a database that is no file: it is there, and empty until the first start.
async fn has_tables(database: &Secret) -> Result<(), Failed> {
    let look = store::examine(database.reveal()).await.map_err(|error| of(database, error))?;
    if look.schema > 0 {
        return Ok(());
    }
    let next = "`curiad serve` makes its tables at its first start: has it run with this configuration?";
    Err(Failed::new(NO_INPUT, format!("there is nothing of Curiad in {}\n{next}", shown(database.reveal()))))
}

/// An error of the store, with the database that it is of.
pub(crate) fn of(database: &Secret, error: store::Error) -> Failed {
    let Failed { code, message } = Failed::from(error);
    Failed::new(code, format!("{}: {message}", shown(database.reveal())))
}

/// Whether a database can be there: what SQLite itself would say is short of a reason.
pub(crate) fn fit(database: &Secret) -> Result<(), Failed> {
    file(database).map_or(Ok(()), |file| fits(&file))
}

fn fits(file: &Path) -> Result<(), Failed> {
    let shown = file.display();
    let folder = directory(file);
    let fail = |code, what: String, next: String| Err(Failed::new(code, format!("{what}\n{next}")));
    if file.is_dir() {
        let next = format!("name a file in it: database: sqlite://{shown}/curiad.db");
        return fail(CONFIG, format!("the database {shown} is a directory"), next);
    }
    let Ok(real) = fs::canonicalize(file).or_else(|_| fs::canonicalize(folder)) else {
        let next =
            format!("make it (mkdir -p {}), or choose another place with `database`", folder.display());
        return fail(CANNOT_CREATE, format!("there is no directory for the database {shown}"), next);
    };
    if let Some(mount) = Mount::of(&real) {
        let at = mount.at.display();
        if mount.is_share() {
            let next =
                "move it to a local disk: on a share two programs may write at once, and call people twice";
            let what = format!("the database {shown} is on a network share ({} at {at})", mount.kind);
            return fail(CONFIG, what, next.to_owned());
        }
        if mount.read_only {
            let next = "mount it for writing, or choose another place with `database`".to_owned();
            return fail(
                CANNOT_CREATE,
                format!("the database {shown} is on a read-only file system ({at})"),
                next,
            );
        }
    }
    if let Ok(found) = fs::metadata(file)
        && found.nlink() > 1
    {
        let what = format!("the database {shown} has {} names (hard links)", found.nlink());
        let next = "leave it one: by another a second curiad would not know of this one, and people would be called twice";
        return fail(CONFIG, what, next.to_owned());
    }
    // SQLite writes a log beside the file: the directory matters also when the file is there.
    if let Some(path) = [folder, file].into_iter().find(|path| path.exists() && !disk::may_write(path)) {
        let next = "run curiad as its owner, or give it to the user who runs curiad (chown)";
        let what = format!("{} cannot be written, and the database needs it", path.display());
        return fail(NO_PERMISSION, what, format!("{}{next}", owner(path)));
    }
    if !is_ours_to_open(file) {
        let next =
            "choose another place with `database`, or move that file away; it was not touched".to_owned();
        return fail(DATA, format!("{shown} is not a SQLite database"), next);
    }
    Ok(())
}

/// Nothing there, nothing in it yet, or a database.
fn is_ours_to_open(file: &Path) -> bool {
    // Whoever opens a pipe waits for its other end.
    if fs::metadata(file).is_ok_and(|found| !found.is_file()) {
        return false;
    }
    let Ok(mut opened) = File::open(file) else { return true };
    let mut begins = Vec::new();
    let read = opened.by_ref().take(MAGIC.len() as u64).read_to_end(&mut begins);
    read.is_err() || begins.is_empty() || begins == MAGIC
}

fn owner(path: &Path) -> String {
    fs::metadata(path).map_or_else(|_| String::new(), |found| format!("user {} owns it: ", found.uid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(file: &Path) -> (u8, String) {
        let url = Secret::new(format!("sqlite://{}", file.display()));
        fit(&url).map_or_else(|failed| (failed.code, failed.message), |()| (0, String::new()))
    }

    #[test]
    fn a_url_names_a_file_or_none() {
        let file = |url: &str| file(&Secret::new(url));
        assert_eq!(file("sqlite://curiad.db"), Some("curiad.db".into()));
        assert_eq!(file("sqlite:///var/lib/curiad.db?mode=rwc"), Some("/var/lib/curiad.db".into()));
        assert_eq!(file("sqlite:curiad.db"), Some("curiad.db".into()));
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://db/curiad"), None);
        assert_eq!(lock(Path::new("/a/curiad.db")), Path::new("/a/curiad.db.lock"));
        assert_eq!(directory(Path::new("curiad.db")), Path::new("."));
    }

    #[test]
    fn a_file_has_one_lock_by_whatever_name_it_is_called_and_no_second_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("curiad.db"), folder.path().join("link.db"));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(lock(&link).file_name().unwrap(), "link.db.lock", "what it leads to is not there yet");
        fs::write(&file, "").unwrap();
        assert_eq!(lock(&link), lock(&file));
        assert_eq!(lock(&folder.path().join(".").join("curiad.db")), lock(&file));
        assert_eq!(said(&link).0, 0);
        fs::hard_link(&file, folder.path().join("second.db")).unwrap();
        let (code, words) = said(&file);
        assert!(code == CONFIG && words.contains("2 names"), "{words}");
    }

    #[test]
    fn what_is_there_is_a_database_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(said(&at("new.db")).0, 0);
        fs::write(at("empty.db"), "").unwrap();
        assert_eq!(said(&at("empty.db")).0, 0);
        fs::write(at("ours.db"), [MAGIC.as_slice(), &[0; 100]].concat()).unwrap();
        assert_eq!(said(&at("ours.db")).0, 0);
        fs::write(at("letter.txt"), "Dear all").unwrap();
        assert_eq!(said(&at("letter.txt")).0, DATA);
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        assert_eq!(said(&at("pipe")).0, DATA, "and nobody waits for its other end");
        assert_eq!(said(folder.path()).0, CONFIG);
        assert_eq!(said(&at("nowhere/curiad.db")).0, CANNOT_CREATE);
    }
}
