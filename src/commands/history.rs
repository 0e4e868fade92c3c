//! `curiad history`: proves what is kept, gives it to other programs, and lets go of what is kept no more.

mod export;
mod prune;
mod room;

use super::Asking;
use crate::{
    cli::HistoryCommand,
    exit::{DATA, Failed},
    terminal::{Ink, Progress, Terminal},
};
use serde_json::json;
use store::Verified;

pub(crate) async fn run(command: &HistoryCommand, asking: &Asking, as_json: bool) -> Result<u8, Failed> {
    match command {
        HistoryCommand::Verify => verify(asking, as_json).await,
        HistoryCommand::Room => room::run(asking, as_json).await.map(|()| 0),
        HistoryCommand::Export(arguments) => export::run(arguments, asking).await.map(|()| 0),
        HistoryCommand::Prune(arguments) => prune::run(*arguments, asking, as_json).await.map(|()| 0),
    }
}

/// Problems that are named for one track, at most.
const NAMED: usize = 20;

async fn verify(asking: &Asking, as_json: bool) -> Result<u8, Failed> {
    let tracks = asking.store.tracks().await?;
    let zone = &asking.configuration.site.time_zone;
    let (mut progress, mut all) = (Progress::new(), Verified::default());
    let mut wrong = Vec::new();
    for (number, track) in tracks.iter().enumerate() {
        let name = track.to_string();
        progress.show(&format!("{} of {}: {name}", number + 1, tracks.len()));
        let Verified { hours, samples, days, failures, problems } = asking.store.verify(track, zone).await?;
        all.hours += hours;
        all.samples += samples;
        all.days += days;
        all.failures += failures;
        if !problems.is_empty() {
            wrong.push((name, problems));
        }
    }
    progress.clear();
    let count: usize = wrong.iter().map(|(_, problems)| problems.len()).sum();
    let terminal = Terminal::new();
    if as_json {
        let wrong: Vec<_> =
            wrong.iter().map(|(track, problems)| json!({ "track": track, "problems": problems })).collect();
        terminal.json(&json!({
            "ok": count == 0,
            "tracks": tracks.len(),
            "samples": all.samples,
            "hours": all.hours,
            "days": all.days,
            "failures": all.failures,
            "wrong": wrong,
        }));
    } else {
        for (track, problems) in &wrong {
            terminal.line(&terminal.ink(Ink::Bold, track));
            for problem in problems.iter().take(NAMED) {
                terminal.line(&format!("  {problem}"));
            }
            if problems.len() > NAMED {
                terminal.line(&format!("  and {} more", problems.len() - NAMED));
            }
        }
        let Verified { hours, samples, days, failures, .. } = all;
        terminal.line(&format!(
            "samples {samples}, in sealed hours {hours}; days added up again {days}, failures in full {failures}"
        ));
        if count == 0 {
            terminal.line(&terminal.ink(Ink::Green, "nothing is lost, and nothing is there twice"));
        }
    }
    if count == 0 {
        return Ok(0);
    }
    if as_json {
        return Ok(DATA);
    }
    let message =
        "the history is not as it should be\nkeep the database as it is, and compare it with a backup";
    Err(Failed::new(DATA, message))
}
