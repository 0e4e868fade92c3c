//! `curiad history room`: what takes the room in the database.

use crate::{
    commands::Asking,
    exit::Failed,
    terminal::{Ink, Terminal},
};
use serde_json::json;
use store::{Kind, Room};

pub(super) async fn run(asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let room = asking.store.room().await?;
    let terminal = Terminal::new();
    if as_json {
        let kinds: serde_json::Map<_, _> = Kind::ALL
            .iter()
            .filter_map(|kind| Some((word(*kind).to_owned(), json!(room.bytes.get(kind)?))))
            .collect();
        terminal.json(&json!({
            "bytes": room.all(), "by_kind": kinds, "samples": room.samples, "bytes_a_sample": a_sample(room.all(), &room),
        }));
        return Ok(());
    }
    terminal.line(&terminal.ink(Ink::Dim, &line("", "megabytes", "of all", "bytes a sample")));
    for kind in Kind::ALL {
        if let Some(bytes) = room.bytes.get(&kind) {
            terminal.line(&figures(in_words(kind), *bytes, &room));
        }
    }
    terminal.line(&terminal.ink(Ink::Bold, &figures("all", room.all(), &room)));
    terminal.line(&format!("samples {}", room.samples));
    Ok(())
}

fn figures(what: &str, bytes: u64, room: &Room) -> String {
    let share = float(bytes) / float(room.all().max(1)) * 100.0;
    let a_sample = a_sample(bytes, room).map_or_else(String::new, |bytes| format!("{bytes:.2}"));
    line(what, &format!("{:.1}", float(bytes) / 1e6), &format!("{share:.1} %"), &a_sample)
}

fn line(what: &str, megabytes: &str, share: &str, a_sample: &str) -> String {
    format!("{what:<42}{megabytes:>11}{share:>9}{a_sample:>16}")
}

fn a_sample(bytes: u64, room: &Room) -> Option<f64> {
    (room.samples > 0).then(|| float(bytes) / float(room.samples))
}

/// Exact up to four petabytes.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
const fn float(number: u64) -> f64 {
    number as f64
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Sealed => "sealed",
        Kind::Rows => "rows",
        Kind::Failures => "failures",
        Kind::Hours => "hours",
        Kind::Days => "days",
        Kind::Phases => "phases",
        Kind::Incidents => "incidents",
        Kind::Subscriptions => "subscriptions",
        Kind::Other => "other",
        Kind::Free => "free",
    }
}

const fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Sealed => "samples in sealed hours",
        Kind::Rows => "samples that are not sealed yet",
        Kind::Failures => "failures in full",
        Kind::Hours => "sums of hours",
        Kind::Days => "sums of days",
        Kind::Phases => "how long phases took",
        Kind::Incidents => "statuses, incidents and what was told",
        Kind::Subscriptions => "subscriptions",
        Kind::Other => "the database itself",
        Kind::Free => "free",
    }
}
