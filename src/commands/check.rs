//! `curiad check`: is the configuration right, what would it change, what load would it bring; and `curiad schema`.

mod against;
mod calling;
mod change;
mod figures;
mod probing;
mod reached;
mod telling;
#[cfg(test)]
mod tests;
mod traffic;

use crate::{
    cli::{CheckArgs, Cli, SchemaOf},
    commands::rota::Attended,
    config::{self, Loaded, Problem, Secrets, check_report},
    exit::{CONFIG, Failed, NO_INPUT},
    terminal::{Ink, Terminal, complain},
};
use change::Gravity;
use jiff::Timestamp;
use serde_json::json;
use std::{path::Path, time::Duration};
use tokio::time::timeout;
use traffic::Traffic;

/// How long the database may take to say who was reached: the files are what was asked about.
const DATABASE: Duration = Duration::from_secs(5);

/// The schemas, for editors; they lie beside the example so that editors find them without a network.
const CURIAD: &str = include_str!("../../config/schema/curiad.schema.json");
const API: &str = include_str!("../../config/schema/api.schema.json");

/// `curiad check`: the report, and 0 or 78.
pub(crate) async fn run(cli: &Cli, arguments: &CheckArgs, now: Timestamp) -> Result<u8, Failed> {
    // What load there is hangs on no secret.
    let unread = arguments.without_secrets || arguments.traffic;
    let secrets = if unread { Secrets::left_out() } else { Secrets::read() };
    let terminal = Terminal::new();
    let mut read = config::load(&cli.config, &secrets, now);
    if let Ok(loaded) = &mut read
        && !unread
        && arguments.against.is_none()
    {
        let doubts = unproven(&cli.config, loaded, now).await;
        loaded.warnings.extend(doubts);
    }
    let name = cli.config.display().to_string();
    let loaded = match &read {
        Ok(loaded) => loaded,
        Err(problems) => {
            if cli.json {
                terminal.json(&json!(problems));
            } else {
                complain(check_report(&name, &read, Terminal::of_errors()).trim_end());
            }
            return Ok(if cli.config.is_dir() { CONFIG } else { NO_INPUT });
        }
    };
    if let Some(old) = &arguments.against {
        return compared(cli, old, loaded, now);
    }
    if arguments.traffic {
        let traffic = Traffic::of(&loaded.configuration);
        if cli.json {
            terminal.json(&json!(traffic));
        } else {
            terminal.line(traffic.table(terminal).trim_end());
        }
    } else if cli.json {
        terminal.json(&json!(loaded.warnings));
    } else {
        terminal.line(check_report(&name, &read, terminal).trim_end());
    }
    Ok(0)
}

/// Who may be called soon without having shown that calls reach them, as far as the database is there to say so: a program
/// that runs knows it, a team's own CI does not.
async fn unproven(config: &Path, loaded: &Loaded, now: Timestamp) -> Vec<Problem> {
    let Ok((attended, _)) = timeout(DATABASE, Attended::of(loaded, now)).await else { return Vec::new() };
    let file = config.join("curiad.yaml");
    let doubt = |(person, said)| {
        Problem::doubt(&file, said, format!("see whether they are reached: `curiad callout test {person}`"))
    };
    attended.unproven_soon(now).into_iter().map(doubt).collect()
}

/// What changes for whom; 78 when the change would be refused.
fn compared(cli: &Cli, directory: &Path, new: &Loaded, now: Timestamp) -> Result<u8, Failed> {
    let terminal = Terminal::new();
    let read = config::load(directory, &Secrets::left_out(), now);
    let old = directory.display().to_string();
    if !directory.is_dir() {
        let next = "name the directory that holds the other curiad.yaml with --against DIR";
        return Err(Failed::new(NO_INPUT, format!("there is no configuration at {old}\n{next}")));
    }
    let report = || check_report(&old, &read, Terminal::of_errors());
    let Ok(before) = &read else {
        let message = format!("there is nothing to compare with: it cannot be used\n{}", report().trim_end());
        return Err(Failed::new(CONFIG, message));
    };
    let changes = against::changes(&cli.config, before, new, now);
    let refused = changes.iter().filter(|change| change.severity == Gravity::Error).count();
    if cli.json {
        terminal.json(&json!({ "against": old, "changes": changes }));
    } else {
        for change in &changes {
            terminal.line(&change.line(terminal));
        }
        let name = cli.config.display();
        let sum = match (changes.len(), refused) {
            (0, _) => terminal.ink(Ink::Green, "nothing changes"),
            (all, 0) => count(all, "change"),
            (all, refused) => {
                format!("{}, {}", terminal.ink(Ink::Red, &format!("{refused} refused")), count(all, "change"))
            }
        };
        let gap = if changes.is_empty() { "" } else { "\n" };
        terminal.line(&format!("{gap}{name} against {old}: {sum}"));
    }
    Ok(if refused > 0 { CONFIG } else { 0 })
}

/// `1 check`, `2 checks`.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `curiad schema`: one of the two, as it is kept beside the example.
pub(crate) fn schema(of: SchemaOf) {
    let text = match of {
        SchemaOf::Curiad => CURIAD,
        SchemaOf::Api => API,
    };
    Terminal::new().line(text.trim_end());
}
