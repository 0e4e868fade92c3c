//! `curiad probe --last`: what was recorded of the last probe of each check that failed, and of the last that was good.
//! Nothing is probed.

use super::{
    Which, find,
    json::{self, ms},
    show,
};
use crate::{
    commands::Asking,
    exit::Failed,
    terminal::{Ink, Terminal},
};
use domain::{Check, InstanceId, Language, Outcome, Verdict, duration_words, judge};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use status_page::rfc3339;
use std::{collections::BTreeMap, sync::Arc};
use store::{FailureRow, MAX_SAMPLES, Sample};

/// How far back is looked.
const BACK: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Failures of one instance that are looked through.
const FAILURES: u32 = 10_000;

/// What is known of one check.
struct Last {
    check: Arc<Check>,
    failed: Option<FailureRow>,
    good: Option<Sample>,
    /// What was seen, where it was kept: of that very failure, and of a good one that was written down.
    seen: [Option<Outcome>; 2],
}

/// Looks it up and prints it.
pub(crate) async fn run(asking: &Asking, which: &Which<'_>, as_json: bool) -> Result<(), Failed> {
    let (from, to) = (asking.now - BACK, asking.now + SignedDuration::from_secs(1));
    let mut all = Vec::new();
    let mut kept: BTreeMap<InstanceId, Vec<Outcome>> = BTreeMap::new();
    for check in find(&asking.configuration, which)? {
        let instance = &check.id.instance;
        if !kept.contains_key(instance) {
            kept.insert(instance.clone(), asking.store.transcripts(instance).await?);
        }
        let kept = kept.get(instance).map(Vec::as_slice).unwrap_or_default();
        let newest = |good: bool| {
            kept.iter().find(|seen| seen.check == check.id && seen.failure.is_none() == good).cloned()
        };
        let seen = [newest(false), newest(true)];
        let failures = asking.store.failures(&check.id.instance, from, to, FAILURES).await?;
        let of_this = |row: &FailureRow| row.track.check == check.id && row.failure.is_some();
        let samples = asking.store.samples(&check.id, None, from, to, MAX_SAMPLES).await?;
        let good = |sample: &Sample| matches!(sample.verdict, Verdict::Pass | Verdict::Slow);
        all.push(Last {
            failed: failures.into_iter().find(of_this),
            good: samples.into_iter().rev().find(good),
            seen,
            check,
        });
    }
    let terminal = Terminal::new();
    if as_json {
        terminal.json(&all.iter().map(as_value).collect());
    } else {
        all.iter().flat_map(|last| lines(terminal, last, asking.now)).for_each(|line| terminal.line(&line));
    }
    Ok(())
}

/// A failure as far as it was kept: as it was seen if it is the last of its check, else without what the answer looked like
/// beyond its status.
fn outcome(row: &FailureRow, seen: Option<&Outcome>) -> Outcome {
    if let Some(seen) = seen.filter(|seen| seen.at == row.at && seen.vantage == row.track.vantage) {
        return seen.clone();
    }
    Outcome {
        confirm: row.confirm,
        phases: row.phases,
        total: row.total,
        failure: row.failure.clone(),
        request_id: row.request_id.clone(),
        ..Outcome::new(row.track.check.clone(), row.track.vantage.clone(), row.at)
    }
}

fn as_value(last: &Last) -> Value {
    let id = &last.check.id;
    let [failed, good] = &last.seen;
    json!({
        "api": id.instance.api.as_str(),
        "environment": id.instance.environment.word(),
        "operation": id.operation.as_str(),
        "failed": last.failed.as_ref().map(|row| {
            json!({
                "vantage": row.track.vantage.as_str(),
                "at": rfc3339(row.at),
                "confirm": row.confirm,
                "verdict": row.verdict.word(),
                "layer": row.failure.as_ref().map(|failure| failure.layer.word()),
                "failure": row.failure.as_ref().map(json::failure),
                "phases_ms": json::phases(&row.phases),
                "total_ms": ms(row.total),
                "http": { "status": row.http_status },
                "request_id": row.request_id,
                "seen": failed.as_ref().map(|seen| json::outcome(seen, row.verdict)),
            })
        }),
        "good": last.good.map(|sample| {
            json!({
                "at": rfc3339(sample.at),
                "verdict": sample.verdict.word(),
                "total_ms": ms(sample.total),
                "seen": good.as_ref().map(|seen| json::outcome(seen, judge(seen, last.check.slow))),
            })
        }),
    })
}

fn lines(terminal: Terminal, last: &Last, now: Timestamp) -> Vec<String> {
    let mut lines = vec![terminal.ink(Ink::Bold, &last.check.id.to_string())];
    let ago = |at: Timestamp| {
        format!("{}, {} ago", rfc3339(at), duration_words(now.duration_since(at), Language::En))
    };
    let line =
        |what: &str, words: String| format!("  {} {words}", terminal.ink(Ink::Dim, &format!("{what:<11}")));
    let [failed, good] = &last.seen;
    match &last.failed {
        None => lines.push(line("last failed", "not within 14 days".to_owned())),
        Some(row) => {
            let status = row.http_status.map_or_else(String::new, |status| format!("  status {status}"));
            let confirm = if row.confirm { "  to confirm" } else { "" };
            lines.push(line("last failed", format!("{}{status}{confirm}", ago(row.at))));
            let outcome = outcome(row, failed.as_ref());
            lines.extend(show::told(terminal, &outcome, row.verdict));
            lines.extend(show::seen(terminal, &outcome, now));
        }
    }
    lines.push(match &last.good {
        None => line("last good", "not within 14 days".to_owned()),
        Some(sample) => {
            let slow = if sample.verdict == Verdict::Slow { ", slow" } else { "" };
            line("last good", format!("{}  {:.1} ms{slow}", ago(sample.at), ms(sample.total)))
        }
    });
    if let Some(seen) = good {
        lines.push(line("as at", format!("{}, what was written down then:", ago(seen.at))));
        lines.extend(show::seen(terminal, seen, now));
    }
    lines.push(String::new());
    lines
}
