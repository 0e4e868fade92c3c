//! The page as it last was, in a file beside the spool: shown at a start while the database cannot be reached, so that
//! readers meet something that says how old it is, and not a closed door.

use crate::{
    descriptors,
    exit::{Failed, IO, TRY_AGAIN, UNAVAILABLE},
    listener::{self, Room},
    serve::open,
};
use anyhow::Context as _;
use domain::Secret;
use jiff::Timestamp;
use ring::digest::{Context, SHA256, digest};
use status_page::{PublicFile, Saved, Site, saved_router};
use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::Store;
use tokio::{
    net::TcpListener,
    task::spawn_blocking,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// First word of the file; the number changes with its form.
const MAGIC: &str = "curiad-page-2";
/// Larger ones are neither kept nor read.
const MOST: u64 = 64 * 1024 * 1024;
/// What changed is kept within this, and the file is written no more often; where there are many APIs, so seldom that it takes
/// a hundredth of a core at most: it says of when it is.
const BUSY: Duration = Duration::from_secs(3);
const SHARE: u32 = 100;
/// It is written again after this, so that its time does not grow old; some megabytes where there are many APIs.
const QUIET: Duration = Duration::from_secs(600);
/// The database is asked for again this often.
const AGAIN: Duration = Duration::from_secs(1);

/// Where it is: beside the spool.
pub(crate) fn path(spool: Option<&Path>) -> Option<PathBuf> {
    let mut name = spool?.as_os_str().to_owned();
    name.push(".page");
    Some(name.into())
}

/// Keeps the file as the page is, until `stop`. One that cannot be written is done without.
pub(crate) async fn keep(site: Site, path: PathBuf, stop: CancellationToken) -> anyhow::Result<()> {
    let mut last: Option<(String, Instant)> = None;
    let (mut failing, mut pause) = (false, BUSY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = sleep(pause) => {}
        }
        let fingerprint = site.fingerprint().context("the page cannot be compared")?;
        if last.as_ref().is_some_and(|(before, at)| *before == fingerprint && at.elapsed() < QUIET) {
            continue;
        }
        let (site, path) = (site.clone(), path.clone());
        // Rendering all pages and waiting for a disk are no work for the threads that serve.
        let began = Instant::now();
        let kept = spawn_blocking(move || save(&site, &path)).await?;
        pause = (began.elapsed() * SHARE).clamp(BUSY, QUIET);
        match kept {
            Ok(true) => {
                last = Some((fingerprint, Instant::now()));
                failing = false;
            }
            Ok(false) => {}
            Err(error) if failing => tracing::debug!("the page still cannot be kept: {error:#}"),
            Err(error) => {
                tracing::warn!("the page cannot be kept for a start without the database: {error:#}");
                failing = true;
            }
        }
    }
}

fn save(site: &Site, path: &Path) -> anyhow::Result<bool> {
    let mut page = Writing::begin(path)?;
    let Some(as_of) = site.save(|file| page.add(&file))? else {
        fs::remove_file(&page.part)?;
        return Ok(false);
    };
    page.end(as_of, path)?;
    Ok(true)
}

/// The file as it grows: a line a page, so that never more than one of them is in memory; then their time and checksum.
struct Writing {
    part: PathBuf,
    file: BufWriter<File>,
    digest: Context,
    size: u64,
}

impl Writing {
    /// What was of that name stays until the new one is whole and on the disk.
    fn begin(path: &Path) -> anyhow::Result<Self> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let file = BufWriter::new(opened.with_context(|| format!("cannot write {}", part.display()))?);
        let mut page = Self { part, file, digest: Context::new(&SHA256), size: 0 };
        page.line(MAGIC.as_bytes())?;
        Ok(page)
    }

    fn add(&mut self, file: &PublicFile) -> anyhow::Result<()> {
        self.line(&serde_json::to_vec(file)?)
    }

    fn line(&mut self, text: &[u8]) -> anyhow::Result<()> {
        self.size = self.size.saturating_add(u64::try_from(text.len())? + 1);
        anyhow::ensure!(self.size <= MOST, "it is too large");
        for bytes in [text, b"\n"] {
            self.digest.update(bytes);
            self.file.write_all(bytes)?;
        }
        Ok(())
    }

    fn end(mut self, as_of: Timestamp, path: &Path) -> anyhow::Result<()> {
        self.line(as_of.to_string().as_bytes())?;
        let digest = self.digest.finish();
        writeln!(self.file, "{}", hex(digest.as_ref()))?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(self.part, path).with_context(|| format!("cannot write {}", path.display()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

/// What was kept; `None`: nothing, or nothing whole.
fn read(path: &Path) -> Option<Saved> {
    let file = File::open(path).ok()?;
    let known = file.metadata().ok()?;
    if !known.is_file() || known.len() > MOST {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    let whole = bytes.strip_suffix(b"\n").and_then(|rest| {
        let (text, sum) = rest.split_at_checked(rest.iter().rposition(|byte| *byte == b'\n')? + 1)?;
        (sum == hex(digest(&SHA256, text).as_ref()).as_bytes()).then_some(text)
    });
    let saved = whole.and_then(parse);
    if saved.is_none() {
        tracing::warn!("{} is damaged or of another version: it is not shown", path.display());
    }
    saved
}

fn parse(text: &[u8]) -> Option<Saved> {
    let mut lines = std::str::from_utf8(text).ok()?.lines();
    let (magic, as_of) = (lines.next()?, lines.next_back()?.parse().ok()?);
    let files = lines.map(|line| serde_json::from_str(line).ok()).collect::<Option<_>>()?;
    (magic == MAGIC).then_some(Saved { as_of, files })
}

/// Opens the database. While it is away and there is a page that was kept, that is shown on both listeners, and the
/// database is asked for again; without one, or where waiting helps nothing, the start fails.
pub(crate) async fn open_or_show(
    database: &Secret,
    page: Option<PathBuf>,
    [public, internal]: [TcpListener; 2],
) -> Result<(Store, [TcpListener; 2]), Failed> {
    let first = match open(database).await {
        Ok(store) => return Ok((store, [public, internal])),
        Err(failed) => failed,
    };
    let saved = if passes(&first) { page.as_deref().and_then(read) } else { None };
    let Some(saved) = saved else { return Err(first) };
    tracing::error!(
        "{}: the page is shown as it was at {}, nothing is probed and nobody is told",
        first.message.replace('\n', "; "),
        saved.as_of
    );
    let (stop, router) = (CancellationToken::new(), saved_router(saved));
    let ([public, shown], [internal, shown_inside]) = (twice(public)?, twice(internal)?);
    let [many, few] = descriptors::rooms();
    let now = Instant::now();
    // A page as it was is the same for everybody: nothing there is limited by who asks.
    let show = |listener, room: Room| {
        listener::serve(listener, router.clone(), Arc::default(), Arc::new(room), stop.clone())
    };
    let store = tokio::select! {
        store = until_open(database) => store?,
        ended = show(shown, Room::new("public", many, now)) => return Err(lost(ended)),
        ended = show(shown_inside, Room::new("internal", few, now)) => return Err(lost(ended)),
    };
    // Who is being answered is answered to the end.
    stop.cancel();
    tracing::info!("the database is back: the start goes on");
    Ok((store, [public, internal]))
}

fn lost(ended: io::Result<()>) -> Failed {
    let why = ended.err().map_or_else(String::new, |error| format!(": {error}"));
    Failed::new(IO, format!("a listener ended{why}\nstart it again"))
}

/// Whether it may be over without anybody's doing.
const fn passes(failed: &Failed) -> bool {
    matches!(failed.code, UNAVAILABLE | TRY_AGAIN | IO)
}

async fn until_open(database: &Secret) -> Result<Store, Failed> {
    loop {
        sleep(AGAIN).await;
        match open(database).await {
            Err(failed) if passes(&failed) => tracing::debug!(why = failed.message, "the database is away"),
            opened => return opened,
        }
    }
}

/// The same listener twice: whoever connects while one is left for the other is kept waiting, not refused.
fn twice(listener: TcpListener) -> Result<[TcpListener; 2], Failed> {
    let twins = || {
        let own = listener.into_std()?;
        let twin = own.try_clone()?;
        io::Result::Ok([TcpListener::from_std(own)?, TcpListener::from_std(twin)?])
    };
    twins()
        .map_err(|error| Failed::new(IO, format!("a listener cannot be handed on: {error}\nstart it again")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        let file = PublicFile {
            path: "/en".to_owned(),
            kind: "text/html; charset=utf-8".into(),
            language: Some(domain::Language::En),
            framed: false,
            text: "Statws: â\n".repeat(100),
        };
        Saved { as_of: "2026-11-21T12:03:00Z".parse().unwrap(), files: vec![file] }
    }

    #[test]
    fn what_is_kept_is_read_again_and_nothing_that_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("curiad.spool");
        assert_eq!(path(None), None);
        let path = path(Some(&spool)).unwrap();
        assert_eq!(path.file_name().unwrap(), "curiad.spool.page");
        assert_eq!(read(&path), None, "there is none");
        for _ in 0..2 {
            let mut page = Writing::begin(&path).unwrap();
            saved().files.iter().for_each(|file| page.add(file).unwrap());
            page.end(saved().as_of, &path).unwrap();
            assert_eq!(read(&path), Some(saved()));
        }
        let whole = fs::read(&path).unwrap();
        for damage in [&whole[..whole.len() - 1], &whole[..10], b"", b"curiad-page-1 00\n{}"] {
            fs::write(&path, damage).unwrap();
            assert_eq!(read(&path), None);
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(read(&path), None, "a directory");
    }
}
