//! The database: is it there, can it be written, is there room, and does somebody record into it?

use super::{Asked, Group, Question};
use crate::{config::shown, database, disk};
use alerting::{Examined, Finding};
use domain::{Configuration, Secret};
use jiff::{SignedDuration, Timestamp};
use std::{fs, os::unix::fs::MetadataExt, path::Path, sync::Arc, time::Duration};
use store::Look;

const FILE: &str = "the database";
const ROOM: &str = "room on its disk";
const RECORDER: &str = "who records";
/// The locks that programs hold now (proc(5)).
const LOCKS: &str = "/proc/locks";

/// A probe on disk, in bytes: what `benches/run` measured, rounded up.
const BYTES_A_PROBE: f64 = 24.0;
/// History shorter than this says nothing of how fast it grows.
const TELLING: SignedDuration = SignedDuration::from_hours(24);
const DAY_SECONDS: f64 = 86_400.0;
/// Room for so many days is enough; for fewer than the second, it is a problem.
const DAYS_WELL: f64 = 30.0;
const DAYS_LEAST: f64 = 3.0;
/// Less than this is a problem however slowly it grows: the write-ahead log needs room too.
const BYTES_LEAST: u64 = 100 * 1024 * 1024;
/// A recorder that has committed nothing for so long is stuck: probes come more often.
const RECORDS_WITHIN: SignedDuration = SignedDuration::from_secs(120);

/// Who records into the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorder {
    /// This process, on this machine.
    Process(u32),
    /// Nobody.
    Nobody,
    /// Somebody may, on another machine.
    Elsewhere,
}

impl Recorder {
    /// Who holds the lock beside a SQLite database.
    pub(super) fn of(database: &Secret) -> Self {
        let Some(file) = database::file(database) else { return Self::Elsewhere };
        let held = fs::metadata(database::lock(&file)).ok().and_then(|lock| {
            let locks = fs::read_to_string(LOCKS).ok()?;
            holder(&locks, lock.ino())
        });
        held.map_or(Self::Nobody, Self::Process)
    }

    /// The process, where there is one on this machine.
    pub(super) const fn process(self) -> Option<u32> {
        match self {
            Self::Process(pid) => Some(pid),
            Self::Nobody | Self::Elsewhere => None,
        }
    }
}

/// `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234567 0 EOF`. Looking takes no lock: a `serve` that starts now is not hindered.
fn holder(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let kind = words.next()?;
        let pid = words.nth(2)?;
        let file = words.next()?;
        let held = kind == "FLOCK" && file.rsplit(':').next()?.parse() == Ok(inode);
        held.then(|| pid.parse().ok()).flatten()
    })
}

pub(super) fn question(asked: &Arc<Asked>) -> Question {
    let asked = Arc::clone(asked);
    Question::new(Group::Database, "the database", async move {
        Examined { findings: look(&asked).await, ..Examined::default() }
    })
}

async fn look(asked: &Asked) -> Vec<Finding> {
    let database = &asked.loaded.database;
    if let Err(failed) = database::fit(database) {
        let (what, next) = failed.message.split_once('\n').unwrap_or((&failed.message, ""));
        return vec![Finding::problem(FILE, what, next)];
    }
    let name = shown(database.reveal());
    let file = database::file(database);
    if let Some(file) = file.as_ref().filter(|file| !file.exists()) {
        let detail = format!("{} is not there yet; the first start makes it", file.display());
        let room = room(file, &asked.loaded.configuration, None);
        return vec![Finding::ok(FILE, detail), room, records(asked.recorder, None, asked.clock.now())];
    }
    let look = match store::examine(database.reveal()).await {
        Ok(look) => look,
        Err(error) => {
            let words = error.to_string();
            let (what, next) = words.split_once("; ").unwrap_or((&words, "see the log"));
            return vec![Finding::problem(FILE, format!("{name}: {what}"), next)];
        }
    };
    let mut findings = vec![schema(&name, &look)];
    // How much room a server has is for whoever runs it to know.
    findings.extend(file.map(|file| room(&file, &asked.loaded.configuration, Some(&look))));
    findings.push(records(asked.recorder, look.last, asked.clock.now()));
    findings
}

fn schema(shown: &str, look: &Look) -> Finding {
    let server = look.server.map_or_else(String::new, |version| format!("PostgreSQL {}, ", version / 10_000));
    let size = format!("{server}{}", bytes(look.bytes));
    if look.schema > look.known {
        return Finding::problem(
            FILE,
            format!("{shown} has schema {}, and this program knows {}", look.schema, look.known),
            "run the newer program, or restore the backup made before it",
        );
    }
    if look.schema < look.known {
        let detail =
            format!("{shown}, {size}; its schema is {}: the next start makes it {}", look.schema, look.known);
        return Finding::ok(FILE, detail);
    }
    Finding::ok(FILE, format!("{shown}, {size}, schema {}", look.schema))
}

/// Bytes it grows by in a day: as it did, or as its checks will make it.
fn growth(configuration: &Configuration, look: Option<&Look>) -> f64 {
    let history = look.and_then(|look| Some((look.bytes, look.last?.duration_since(look.first?))));
    match history {
        Some((bytes, span)) if span >= TELLING => as_float(bytes) / (span.as_secs_f64() / DAY_SECONDS),
        _ => {
            let rates = configuration.checks.values().map(|check| DAY_SECONDS / seconds(check.every));
            rates.sum::<f64>() * BYTES_A_PROBE
        }
    }
}

fn room(file: &Path, configuration: &Configuration, look: Option<&Look>) -> Finding {
    let folder = database::directory(file);
    let free = match disk::free(folder) {
        Ok(free) => free,
        Err(error) => {
            let detail = format!("{} does not say how much is free: {error}", folder.display());
            return Finding::warning(ROOM, detail, "look yourself: `df -h`");
        }
    };
    let growth = growth(configuration, look);
    let days = as_float(free) / growth.max(1.0);
    let long = if days > 3_650.0 { "more than 10 years".to_owned() } else { format!("{days:.0} days") };
    let detail = format!("{} free: {long} at {} a day", bytes(free), bytes(whole(growth)));
    let next =
        "make room, or put the database on a larger disk; a full disk stops the recorder, and the heartbeat";
    if free < BYTES_LEAST || days < DAYS_LEAST {
        Finding::problem(ROOM, detail, next)
    } else if days < DAYS_WELL {
        Finding::warning(ROOM, detail, next)
    } else {
        Finding::ok(ROOM, detail)
    }
}

fn records(recorder: Recorder, last: Option<Timestamp>, now: Timestamp) -> Finding {
    let ago = last.map(|last| now.duration_since(last));
    let last =
        ago.map_or_else(|| "nothing is recorded yet".to_owned(), |ago| format!("last {} ago", span(ago)));
    match recorder {
        Recorder::Elsewhere if ago.is_some_and(|ago| ago <= RECORDS_WITHIN) => {
            Finding::ok(RECORDER, format!("somebody; {last}"))
        }
        Recorder::Elsewhere => Finding::skipped(RECORDER, format!("nobody, it seems; {last}")),
        Recorder::Nobody => Finding::skipped(RECORDER, format!("no `curiad serve` runs on it now; {last}")),
        Recorder::Process(pid) if ago.is_some_and(|ago| ago > RECORDS_WITHIN) => Finding::problem(
            RECORDER,
            format!("process {pid} runs on it, and records nothing: {last}"),
            "look into its log; a restart loses nothing",
        ),
        Recorder::Process(pid) => Finding::ok(RECORDER, format!("process {pid}; {last}")),
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64().max(0.001)
}

fn span(span: SignedDuration) -> String {
    match span.as_secs().max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// As people say it: `24 kB`, `1.3 GB`.
fn bytes(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let size = as_float(bytes);
    units.into_iter().find(|(_, unit)| size >= *unit).map_or_else(
        || format!("{bytes} bytes"),
        |(name, unit)| {
            let many = size / unit;
            if many < 10.0 { format!("{many:.1} {name}") } else { format!("{many:.0} {name}") }
        },
    )
}

#[expect(clippy::cast_precision_loss, reason = "shown in three digits")]
fn as_float(bytes: u64) -> f64 {
    bytes as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shown in three digits, and never negative"
)]
fn whole(bytes: f64) -> u64 {
    bytes as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_the_lock_is_read_and_no_lock_is_taken() {
        let locks = "1: POSIX  ADVISORY  READ  811 fe:00:42 128 128\n\
                     2: FLOCK  ADVISORY  WRITE 4711 fe:00:42 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 4712 fe:00:42 0 EOF\n";
        assert_eq!(holder(locks, 42), Some(4711));
        assert_eq!(holder(locks, 43), None);
        assert_eq!(holder("", 42), None);
    }

    #[test]
    fn a_recorder_that_records_nothing_is_a_problem() {
        let now: Timestamp = "2026-11-21T03:14:00Z".parse().unwrap();
        let last = |ago: i64| Some(now - SignedDuration::from_secs(ago));
        let state = |pid, ago| records(pid, last(ago), now).state;
        assert_eq!(state(Recorder::Process(1), 3), alerting::State::Ok);
        assert_eq!(state(Recorder::Process(1), 300), alerting::State::Problem);
        assert_eq!(state(Recorder::Nobody, 300), alerting::State::Skipped);
        assert_eq!(state(Recorder::Elsewhere, 3), alerting::State::Ok);
        assert_eq!(state(Recorder::Elsewhere, 300), alerting::State::Skipped);
    }

    #[test]
    fn a_newer_schema_is_a_problem_and_an_older_one_is_not() {
        let look =
            |schema| Look { server: None, schema, known: 3, bytes: 4_200_000, first: None, last: None };
        let state = |schema| schema_of(schema, &look);
        assert_eq!(state(3), (alerting::State::Ok, "curiad.db, 4.2 MB, schema 3".to_owned()));
        assert_eq!(state(2).0, alerting::State::Ok);
        assert_eq!(state(4).0, alerting::State::Problem);
    }

    fn schema_of(version: i64, look: &dyn Fn(i64) -> Look) -> (alerting::State, String) {
        let finding = schema("curiad.db", &look(version));
        (finding.state, finding.detail)
    }

    #[test]
    fn sizes_are_said_as_people_say_them() {
        assert_eq!(bytes(512), "512 bytes");
        assert_eq!(bytes(4_200_000), "4.2 MB");
        assert_eq!(bytes(98_000_000_000), "98 GB");
    }
}
