//! `curiad history prune`: lets go now, and in the open, of what the running program would let go of bit by bit.

use crate::{
    cli::PruneArgs,
    commands::Asking,
    exit::Failed,
    terminal::{Progress, Terminal},
};
use domain::{Environment, Retention};
use serde_json::json;
use std::time::Duration;
use store::Prunable;
use tokio::time::{Instant, sleep};

/// A step that takes longer is followed by one of fewer tracks.
const LONG: Duration = Duration::from_millis(20);
/// Tracks of one step, at most.
const TRACKS: u32 = 32;
/// What a step gives back to the disk.
const GIVEN: u64 = 1 << 20;

pub(super) async fn run(arguments: PruneArgs, asking: &Asking, as_json: bool) -> Result<(), Failed> {
    let mut found = Vec::new();
    for environment in Environment::ALL {
        let retention = asking.configuration.policy(environment).map(|policy| policy.retention);
        let retention = retention.unwrap_or_default();
        let prunable = asking.store.prunable(environment, &retention, asking.now).await?;
        found.push((environment, retention, prunable));
    }
    found.retain(|(_, _, prunable)| !prunable.is_empty());
    let given = if arguments.dry_run { 0 } else { let_go(&found, asking).await? };
    let terminal = Terminal::new();
    if as_json {
        let by_environment: serde_json::Map<_, _> =
            found.iter().map(|(of, _, prunable)| (of.word().to_owned(), json_of(prunable))).collect();
        terminal.json(&json!({
            "dry_run": arguments.dry_run, "environments": by_environment, "bytes_given_back": given,
        }));
        return Ok(());
    }
    for (environment, _, prunable) in &found {
        terminal.line(&format!("{}: {}", environment.word(), in_words(prunable)));
    }
    terminal.line(match (found.is_empty(), arguments.dry_run) {
        (true, _) => "all that is there is to be kept",
        (false, true) => "that is kept no more; nothing was changed",
        (false, false) => {
            "that was kept no more, and is gone (days and months are those of each operation and vantage)"
        }
    });
    if given > 0 {
        terminal.line(&format!("the file is {} MB smaller", given / 1_000_000));
    }
    Ok(())
}

/// How many bytes went back to the disk. Between two steps it waits for as long as one took: whoever records comes in between.
async fn let_go(found: &[(Environment, Retention, Prunable)], asking: &Asking) -> Result<u64, Failed> {
    let (mut progress, mut tracks, mut given) = (Progress::new(), TRACKS / 4, 0);
    let worked = async {
        for (environment, retention, prunable) in found {
            let (mut done, all) = (0_u64, steps(prunable));
            loop {
                progress.show(&format!("{}: {} of {all}", environment.word(), done.min(all)));
                let began = Instant::now();
                let some = asking.store.prune(*environment, retention, asking.now, tracks).await?;
                if some == 0 {
                    break;
                }
                done += u64::from(some);
                tracks = if began.elapsed() > LONG { tracks.div_ceil(2) } else { (tracks + 1).min(TRACKS) };
                sleep(began.elapsed()).await;
            }
        }
        loop {
            let began = Instant::now();
            if !asking.store.give_back().await? {
                return Ok(());
            }
            given += GIVEN;
            progress.show(&format!("{} MB given back to the disk", given / 1_000_000));
            sleep(began.elapsed()).await;
        }
    };
    let worked: Result<(), store::Error> = worked.await;
    progress.clear();
    worked?;
    Ok(given)
}

/// About how many steps of one track there are.
const fn steps(prunable: &Prunable) -> u64 {
    let Prunable { sampled_days, hours, months, failures, .. } = *prunable;
    sampled_days + hours.div_ceil(31) + months.div_ceil(31) + failures.div_ceil(500)
}

fn json_of(prunable: &Prunable) -> serde_json::Value {
    let Prunable { samples, sampled_days, hours, months, failures } = *prunable;
    json!({
        "samples": samples, "days_of_samples": sampled_days, "days_of_hours": hours, "months_of_days": months,
        "failures": failures,
    })
}

fn in_words(prunable: &Prunable) -> String {
    let Prunable { samples, sampled_days, hours, months, failures } = *prunable;
    format!(
        "samples {samples} in days {sampled_days}, of which sums of hours stay; days of hours {hours}; \
         months of days {months}; failures in full {failures}"
    )
}
