//! `curiad page export DIR`: the public page as files, for a second host outside the failure domain.

use super::Asking;
use crate::{
    exit::{CANNOT_CREATE, Failed, of_file},
    terminal::Terminal,
};
use serde_json::json;
use status_page::{FilesError, PublicFile, public_files};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write as _},
    path::{Component, Path, PathBuf},
};

/// Names every file that was written here: what is no page any more goes, and nobody else's file does.
const LIST: &str = ".curiad-page";

pub(crate) async fn run(directory: &Path, asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let situation = asking.situation().await?;
    let files = public_files(&asking.store, &situation, asking.now).await.map_err(|error| match error {
        FilesError::Store(error) => Failed::from(error),
        FilesError::Render(error) => Failed::from(anyhow::Error::from(error)),
    })?;
    let done = write_all(directory, &files).map_err(|failed| match failed {
        Broken::Io(path, error) => Failed::new(
            of_file(&error),
            format!("cannot write {}: {error}\nmake it writable for the user who runs this", path.display()),
        ),
        Broken::Foreign => Failed::new(
            CANNOT_CREATE,
            format!(
                "there are files in {} that are not of an export\nname a new or an empty directory; nothing was changed",
                directory.display()
            ),
        ),
    })?;
    let terminal = Terminal::new();
    if as_json {
        let Done { written, same, removed } = done;
        terminal.json(&json!({ "ok": true, "written": written, "unchanged": same, "removed": removed }));
    } else {
        let Done { written, same, removed } = done;
        terminal.line(&format!(
            "{}: {written} files written, {same} as they were, {removed} removed",
            directory.display()
        ));
    }
    Ok(())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Done {
    written: usize,
    same: usize,
    removed: usize,
}

#[derive(Debug)]
enum Broken {
    Io(PathBuf, io::Error),
    Foreign,
}

/// Where a file is in the directory: pages are an `index.html` each, which every server of files finds by their path.
fn place(file: &PublicFile) -> String {
    let path = file.path.trim_start_matches('/');
    let is_page = file.kind.starts_with("text/html") && !path.contains('.');
    if is_page { format!("{path}/index.html") } else { path.to_owned() }
}

fn write_all(directory: &Path, files: &[PublicFile]) -> Result<Done, Broken> {
    let mut all: Vec<(String, &str)> = files.iter().map(|file| (place(file), file.text.as_str())).collect();
    // Whoever asks for nothing in particular gets the front page, from which Welsh is one step.
    let front = files.iter().find(|file| file.path == "/en");
    all.extend(front.map(|file| ("index.html".to_owned(), file.text.as_str())));
    let list = directory.join(LIST);
    let before = listed(directory, &list)?;
    let now: BTreeSet<String> = all.iter().map(|(place, _)| place.clone()).collect();
    // First, so that what an export that is cut short leaves is known to the next.
    put(&list, &lines(before.union(&now)))?;
    let mut done = Done::default();
    for (place, text) in &all {
        if put(&directory.join(place), text)? { done.written += 1 } else { done.same += 1 }
    }
    for gone in before.difference(&now).filter(|place| is_within(place)) {
        let path = directory.join(gone);
        match fs::remove_file(&path) {
            Ok(()) => done.removed += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Broken::Io(path, error)),
        }
        // Its directory too: the system removes none in which there is anything else.
        path.parent().map(fs::remove_dir).and_then(Result::ok);
    }
    put(&list, &lines(now.iter()))?;
    Ok(done)
}

fn lines<'p>(places: impl Iterator<Item = &'p String>) -> String {
    places.fold(String::new(), |text, place| text + place + "\n")
}

/// What an earlier export wrote; a directory with anything else in it is somebody else's.
fn listed(directory: &Path, list: &Path) -> Result<BTreeSet<String>, Broken> {
    match fs::read_to_string(list) {
        Ok(text) => return Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Broken::Io(list.to_owned(), error)),
    }
    match fs::read_dir(directory).map(Iterator::count) {
        Ok(0) => Ok(BTreeSet::new()),
        Ok(_) => Err(Broken::Foreign),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(Broken::Io(directory.to_owned(), error)),
    }
}

/// The list may have been written by others: nothing outside the directory is removed.
fn is_within(place: &str) -> bool {
    !place.is_empty() && Path::new(place).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Whoever reads meanwhile gets the file as it was or as it is, whole. What says the same is left alone.
fn put(path: &Path, text: &str) -> Result<bool, Broken> {
    let broken = |error| Broken::Io(path.to_owned(), error);
    if fs::read(path).is_ok_and(|known| known == text.as_bytes()) {
        return Ok(false);
    }
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(broken)?;
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    let part = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        fs::rename(&part, path)
    };
    write().map_err(broken)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, kind: &'static str, text: &str) -> PublicFile {
        let (path, text) = (path.to_owned(), text.to_owned());
        PublicFile { path, kind: kind.into(), language: None, framed: false, text }
    }

    const HTML: &str = "text/html; charset=utf-8";

    #[test]
    fn what_changed_is_written_what_is_gone_is_removed_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let (site, outside) = (folder.path().join("site"), folder.path().join("outside"));
        fs::write(&outside, "").unwrap();
        let first =
            [file("/en", HTML, "a"), file("/en/incidents/C-1", HTML, "b"), file("/robots.txt", "", "c")];
        assert_eq!(write_all(&site, &first).unwrap(), Done { written: 4, same: 0, removed: 0 });
        let read = |place: &str| fs::read_to_string(site.join(place)).ok();
        assert_eq!(read("index.html").as_deref(), Some("a"));
        assert_eq!(read("en/incidents/C-1/index.html").as_deref(), Some("b"));
        fs::write(site.join("theirs.txt"), "").unwrap();
        let known = read(LIST).unwrap();
        fs::write(site.join(LIST), format!("{known}../outside\n")).unwrap();
        let then = [file("/en", HTML, "a"), file("/robots.txt", "", "d")];
        assert_eq!(write_all(&site, &then).unwrap(), Done { written: 1, same: 2, removed: 1 });
        assert_eq!(read("en/incidents/C-1/index.html"), None);
        assert!(!site.join("en/incidents/C-1").exists());
        assert_eq!(read("robots.txt").as_deref(), Some("d"));
        assert!(site.join("theirs.txt").exists() && outside.exists());
    }

    #[test]
    fn a_directory_with_other_things_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.html"), "theirs").unwrap();
        assert!(matches!(write_all(folder.path(), &[file("/en", HTML, "a")]), Err(Broken::Foreign)));
        assert_eq!(fs::read_to_string(folder.path().join("index.html")).unwrap(), "theirs");
    }
}
