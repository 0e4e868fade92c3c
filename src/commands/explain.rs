//! `curiad probe --explain-id`: which probe carried a request id, for those who audit access.

use super::{
    Asking,
    probe::{Which, find},
};
use crate::{
    config::duration_text,
    exit::{Failed, USAGE},
    terminal::{Ink, Progress, Terminal},
};
use domain::TrackId;
use jiff::{SignedDuration, Timestamp};
use prober::Wanted;
use serde_json::json;
use status_page::rfc3339;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// A log's time and ours differ by no more, as far as probes out of turn are looked for.
const NEAR: SignedDuration = SignedDuration::from_mins(1);

/// How far is searched where nobody says.
const USUALLY: Duration = Duration::from_secs(24 * 3_600);

/// And at most: a search over a year of many checks would take hours.
const FARTHEST: Duration = Duration::from_secs(31 * 24 * 3_600);

/// What is looked for, and where in time.
#[derive(Debug)]
pub(crate) struct Sought {
    pub(crate) id: Wanted,
    /// When it was seen, if that is known.
    pub(crate) at: Option<Timestamp>,
    /// How far from that time, or from now, probes on schedule are tried.
    pub(crate) within: Option<Duration>,
}

/// How it was found.
#[derive(Debug, Clone, Copy)]
enum By {
    Schedule,
    Failure,
    Time,
}

impl By {
    const fn word(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Failure => "failure",
            Self::Time => "time",
        }
    }
}

/// Looks the id up and prints what it was.
pub(crate) async fn run(
    asking: &Asking,
    sought: &Sought,
    which: Option<&Which<'_>>,
    as_json: bool,
) -> Result<(), Failed> {
    let tracks = tracks(asking, which)?;
    let Some((track, at, by)) = search(asking, sought, tracks).await? else {
        let within = sought.within.unwrap_or(USUALLY);
        return Err(Failed::new(
            1,
            format!(
                "no probe within {} carried {}\nits API must still be in the configuration, at the interval that it had \
                 then, and the database the same; give the time of the request with --at, or look further with --within",
                duration_text(within),
                sought.id
            ),
        ));
    };
    let terminal = Terminal::new();
    let check = &track.check;
    let out_of_turn = !matches!(by, By::Schedule);
    if as_json {
        terminal.json(&json!({
            "request_id": sought.id.to_string(),
            "api": check.instance.api.as_str(),
            "environment": check.instance.environment.word(),
            "operation": check.operation.as_str(),
            "vantage": track.vantage.as_str(),
            "at": rfc3339(at),
            "out_of_turn": out_of_turn,
            "found_by": by.word(),
        }));
        return Ok(());
    }
    terminal.line(&format!("{}  {}", terminal.ink(Ink::Bold, &check.to_string()), track.vantage));
    let why = if out_of_turn { "out of turn, to confirm trouble" } else { "on its schedule" };
    terminal.line(&format!("{}  {why}", rfc3339(at)));
    Ok(())
}

/// The tracks of the checks that were asked for, or of all.
fn tracks(asking: &Asking, which: Option<&Which<'_>>) -> Result<Vec<(TrackId, Duration)>, Failed> {
    let checks = match which {
        Some(which) => find(&asking.configuration, which)?,
        None => asking.configuration.checks.values().cloned().collect(),
    };
    let probed = checks.iter().filter(|check| check.heartbeat().is_none());
    let all = probed.flat_map(|check| {
        let track =
            |vantage: &domain::VantageId| TrackId { check: check.id.clone(), vantage: vantage.clone() };
        check.from.iter().map(move |vantage| (track(vantage), check.every))
    });
    Ok(all.collect())
}

/// First among the failures, which are kept with their ids; then on the schedule; then, near a time that was given, at every
/// millisecond.
async fn search(
    asking: &Asking,
    sought: &Sought,
    tracks: Vec<(TrackId, Duration)>,
) -> Result<Option<(TrackId, Timestamp, By)>, Failed> {
    if sought.within.is_some_and(|within| within > FARTHEST) {
        let next = "give --at the time of the request, as a log has it";
        return Err(Failed::new(USAGE, format!("--within is at most {}\n{next}", duration_text(FARTHEST))));
    }
    let mut progress = Progress::new();
    let kept = match sought.id.whole() {
        Some(id) => asking.store.failed_request(&id.to_string()).await?,
        None => None,
    };
    let (id, key) = (sought.id, asking.store.key().0);
    let within = SignedDuration::try_from(sought.within.unwrap_or(USUALLY)).unwrap_or(SignedDuration::MAX);
    let around = sought.at.unwrap_or(asking.now);
    let span = |near: SignedDuration| {
        let from = around.checked_sub(near).unwrap_or(Timestamp::MIN);
        (from, around.checked_add(near).unwrap_or(Timestamp::MAX).min(asking.now))
    };
    let (from, to) = span(within);
    if from > to {
        return Err(Failed::new(USAGE, "that time is still to come\ngive --at the time of the request"));
    }
    let near = sought.at.map(|_| span(NEAR));
    progress.show("making the ids of all probes again …");
    let found = spawn_blocking(move || {
        if let Some((track, at)) = &kept {
            // When it began is known; what it was scheduled for lies just before.
            let one = [(track.clone(), Duration::from_secs(1))];
            let exact = prober::at_any_time(&key, id, &one, *at - NEAR, *at);
            let due = tracks.iter().any(|(known, every)| {
                let on = |at: Timestamp| domain::next_due(track, *every, at - Duration::from_millis(1)) == at;
                known == track && exact.as_ref().is_some_and(|(_, at)| on(*at))
            });
            let by = if due { By::Schedule } else { By::Failure };
            return Some(exact.map_or((track.clone(), *at, by), |(track, at)| (track, at, by)));
        }
        let scheduled = prober::scheduled(&key, id, &tracks, from, to);
        let found = scheduled.map(|(track, at)| (track, at, By::Schedule));
        found.or_else(|| {
            let (from, to) = near?;
            prober::at_any_time(&key, id, &tracks, from, to).map(|(track, at)| (track, at, By::Time))
        })
    })
    .await;
    progress.clear();
    found.map_err(|error| Failed::new(crate::exit::SOFTWARE, format!("the search broke: {error}")))
}
