//! What `curiad doctor` prints: one line a thing, and what to do where something is to be done.

use super::{Group, place::plural};
use crate::terminal::{Ink, Terminal, wrapped};
use alerting::{Finding, State};
use serde_json::{Value, json};

/// The width of a terminal that everybody has.
const COLUMNS: usize = 110;
/// The state and the blanks around it.
const STATE: usize = 11;
/// Names of things that are longer push their line to the right.
const LONGEST_NAME: usize = 40;

impl Group {
    const fn title(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::Machine => "This machine",
            Self::Database => "Database",
            Self::Telling => "Who is told",
            Self::Network => "Network",
            Self::Credentials => "Credentials",
            Self::OnCall => "On call",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Machine => "machine",
            Self::Database => "database",
            Self::Telling => "telling",
            Self::Network => "network",
            Self::Credentials => "credentials",
            Self::OnCall => "on_call",
        }
    }
}

const fn word(state: State) -> (&'static str, Ink) {
    match state {
        State::Ok => ("ok", Ink::Green),
        State::Skipped => ("skipped", Ink::Dim),
        State::Warning => ("warning", Ink::Yellow),
        State::Problem => ("problem", Ink::Red),
    }
}

pub(super) fn print(found: &[(Group, Finding)], as_json: bool) {
    let terminal = Terminal::new();
    if as_json {
        terminal.json(&found.iter().map(|(group, finding)| json_of(*group, finding)).collect());
        return;
    }
    let names = found.iter().map(|(_, finding)| finding.what.chars().count());
    let width = names.max().unwrap_or(0).min(LONGEST_NAME);
    let mut under = None;
    for (group, finding) in found {
        if under != Some(*group) {
            if under.is_some() {
                terminal.line("");
            }
            terminal.line(&terminal.ink(Ink::Bold, group.title()));
            under = Some(*group);
        }
        for line in lines(terminal, finding, width) {
            terminal.line(&line);
        }
    }
    terminal.line("");
    terminal.line(&summary(terminal, found));
}

fn lines(terminal: Terminal, finding: &Finding, width: usize) -> Vec<String> {
    let (word, ink) = word(finding.state);
    let margin = STATE + width + 2;
    let columns = COLUMNS.saturating_sub(margin);
    let mut detail = wrapped(&finding.detail, columns).into_iter();
    let name = format!("{:<width$}", finding.what);
    let state = terminal.ink(ink, &format!("{word:<7}"));
    let mut lines = vec![format!("  {state}  {name}  {}", detail.next().unwrap_or_default())];
    let blank = " ".repeat(margin);
    lines.extend(detail.map(|line| format!("{blank}{line}")));
    for (number, line) in wrapped(finding.next.as_deref().unwrap_or_default(), columns).iter().enumerate() {
        let arrow = if number == 0 { "→ " } else { "  " };
        lines.push(format!("{}{}", " ".repeat(margin - 2), terminal.ink(ink, &format!("{arrow}{line}"))));
    }
    lines
}

fn summary(terminal: Terminal, found: &[(Group, Finding)]) -> String {
    let of = |state| found.iter().filter(|(_, finding)| finding.state == state).count();
    let (problems, warnings, skipped) = (of(State::Problem), of(State::Warning), of(State::Skipped));
    let left_out = if skipped > 0 { format!("; {skipped} not looked at") } else { String::new() };
    match (problems, warnings) {
        (0, 0) => terminal.ink(Ink::Green, &format!("all well{left_out}")),
        (0, _) => terminal.ink(Ink::Yellow, &format!("{}{left_out}", plural(warnings, "warning"))),
        (_, 0) => terminal.ink(Ink::Red, &format!("{}{left_out}", plural(problems, "problem"))),
        _ => {
            let both = format!("{}, {}{left_out}", plural(problems, "problem"), plural(warnings, "warning"));
            terminal.ink(Ink::Red, &both)
        }
    }
}

fn json_of(group: Group, finding: &Finding) -> Value {
    json!({
        "group": group.word(),
        "what": finding.what,
        "state": word(finding.state).0,
        "detail": finding.detail,
        "next": finding.next,
    })
}
