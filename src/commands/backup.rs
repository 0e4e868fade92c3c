//! `curiad backup FILE`: a copy of the database while it is in use, checked before it has its name.

use crate::{
    config::{is_postgres, shown},
    database::{self, directory},
    exit::{CANNOT_CREATE, DATA, Failed, TRY_AGAIN, USAGE, of_file},
    tasks::outlive_writes,
    terminal::{Progress, Terminal},
};
use domain::Secret;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use store::{Contents, Look, crash_point};
use tokio::time::{Instant, interval};

/// How far it is is shown this often.
const SHOWN: Duration = Duration::from_millis(200);

/// Copies, checks, and gives the copy its name: nothing of that name is there before it is whole and on the disk.
pub(crate) async fn run(database: &Secret, file: &Path, as_json: bool) -> Result<(), Failed> {
    if is_postgres(database.reveal()) {
        return Err(of_a_server(database, file));
    }
    database::is_there(database).await?;
    // Where that cannot be, a limit ends the copy, and what there is of it stays.
    outlive_writes().ok();
    if fs::symlink_metadata(file).is_ok() {
        return Err(is_there_already(file));
    }
    let begun = Instant::now();
    let before = store::examine(database.reveal()).await.map_err(|error| database::of(database, error))?;
    let (part, held) = begin(file)?;
    let made = make(database, &part, &before).await.and_then(|made| {
        finish(&part, &held, file)?;
        Ok(made)
    });
    if made.is_err() {
        // What is not whole must not lie about.
        fs::remove_file(&part).ok();
    }
    let (contents, look) = made?;
    say(file, contents, &look, begun.elapsed(), as_json);
    Ok(())
}

/// A server has tools of its own, which know more of it than we could.
fn of_a_server(database: &Secret, file: &Path) -> Failed {
    let what = "the database is PostgreSQL's, and its own tools back it up";
    let next = format!(
        "pg_dump --format=custom --file={} '{}' copies it while it is in use, and pg_restore brings it back; \
         to lose nothing between two copies, have the server archive its log (PITR)",
        file.display(),
        shown(database.reveal())
    );
    Failed::new(USAGE, format!("{what}\n{next}"))
}

fn is_there_already(file: &Path) -> Failed {
    let what = format!("{} is there already, and a backup overwrites nothing", file.display());
    Failed::new(CANNOT_CREATE, format!("{what}\nname another file, or move that one away"))
}

/// The file that the copy is made in, beside the one it will be, and its owner's alone. What an earlier backup that was killed
/// has left there is begun anew.
fn begin(file: &Path) -> Result<(PathBuf, File), Failed> {
    let mut part = OsString::from(file);
    part.push(".part");
    let part = PathBuf::from(part);
    let cannot = |error: io::Error| {
        let what = format!("cannot write {}: {error}", part.display());
        Failed::new(of_file(&error), format!("{what}\nchoose a directory that is there and may be written"))
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let held = options.open(&part).map_err(cannot)?;
    match held.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let what = format!("another backup is being made in {}", part.display());
            return Err(Failed::new(TRY_AGAIN, format!("{what}\nwait for it, or name another file")));
        }
        Err(TryLockError::Error(error)) => return Err(cannot(error)),
    }
    held.set_permissions(Permissions::from_mode(0o600)).and_then(|()| held.set_len(0)).map_err(cannot)?;
    Ok((part, held))
}

/// The copy, looked through: it has all that was there when it was begun.
async fn make(database: &Secret, part: &Path, before: &Look) -> Result<(Contents, Look), Failed> {
    let mut progress = Progress::new();
    let copied = {
        let mut copying = std::pin::pin!(store::back_up(database.reveal(), part));
        let mut tick = interval(SHOWN);
        loop {
            tokio::select! {
                copied = &mut copying => break copied,
                _ = tick.tick() => {
                    let bytes = fs::metadata(part).map_or(0, |found| found.len());
                    progress.show(&format!("copying: {} of at most {}", size(bytes), size(before.bytes)));
                }
            }
        }
    };
    crash_point!("backup/copied");
    progress.show("checking the copy");
    let url = Secret::new(format!("sqlite://{}", part.display()));
    let checked = async {
        copied?;
        Ok::<_, store::Error>((store::look_through(url.reveal()).await?, store::examine(url.reveal()).await?))
    };
    let checked = checked.await;
    progress.clear();
    let (contents, look) = checked.map_err(|error| database::of(database, error))?;
    if look.schema != before.schema || look.last < before.last {
        let what = "the copy is not what was to be copied, and is thrown away";
        return Err(Failed::new(DATA, format!("{what}\ntry again; if it stays so, look at the disk")));
    }
    Ok((contents, look))
}

/// Onto the disk, and under its name, if nothing else has come to have it.
fn finish(part: &Path, held: &File, file: &Path) -> Result<(), Failed> {
    let cannot = |error: io::Error| {
        let what = format!("cannot write {}: {error}", file.display());
        Failed::new(of_file(&error), format!("{what}\nlook at the disk, or name another file"))
    };
    held.sync_all().map_err(cannot)?;
    match renameat_with(CWD, part, CWD, file, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(rustix::io::Errno::EXIST) => return Err(is_there_already(file)),
        Err(error) => return Err(cannot(error.into())),
    }
    File::open(directory(file)).and_then(|directory| directory.sync_all()).map_err(cannot)
}

fn say(file: &Path, contents: Contents, look: &Look, took: Duration, as_json: bool) {
    let bytes = fs::metadata(file).map_or(look.bytes, |found| found.len());
    let Contents { samples, incidents } = contents;
    let terminal = Terminal::new();
    if as_json {
        terminal.json(&json!({
            "file": file, "bytes": bytes, "seconds": took.as_secs_f64(), "schema": look.schema,
            "samples": samples, "incidents": incidents,
            "from": look.first.map(|at| at.to_string()), "to": look.last.map(|at| at.to_string()),
        }));
        return;
    }
    let range = look.first.zip(look.last).map(|(from, to)| format!(" from {from:.0} to {to:.0}"));
    terminal.line(&format!(
        "{}: {} in {:.1} s, checked and whole\n{samples} samples{}, {incidents} incidents",
        file.display(),
        size(bytes),
        took.as_secs_f64(),
        range.unwrap_or_default()
    ));
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}
