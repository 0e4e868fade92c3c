//! What `curiad check` says to people: each problem with its place, its line and what to do; then one line that sums up.

use super::{Loaded, Problem, Severity};
use crate::terminal::{Ink, Terminal, wrapped};

/// Most problems that are shown to a person at once.
const SHOWN: usize = 100;

/// A line is broken beyond so many characters.
const COLUMNS: usize = 110;

/// What `curiad check` says to people: the problems, best first, then one line that sums up. `name` is the directory's.
pub(crate) fn check_report(name: &str, result: &Result<Loaded, Vec<Problem>>, terminal: Terminal) -> String {
    let problems = match result {
        Ok(loaded) => &loaded.warnings,
        Err(problems) => problems,
    };
    let mut parts: Vec<String> =
        problems.iter().take(SHOWN).map(|problem| explained(problem, terminal)).collect();
    if let Some(more) = problems.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        parts.push(format!("and {more} more\n"));
    }
    let of = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    parts.push(match result {
        Ok(loaded) => {
            let configuration = &loaded.configuration;
            let counted = format!(
                "{name}: {}, {}, {}; ",
                count(configuration.apis.len(), "API"),
                count(configuration.instances().count(), "instance"),
                count(configuration.checks.len(), "check")
            );
            let also = if warnings > 0 {
                format!(", {}", terminal.ink(Ink::Yellow, &count(warnings, "warning")))
            } else {
                String::new()
            };
            format!("{counted}{}{also}\n", terminal.ink(Ink::Green, "ok"))
        }
        Err(_) => format!("{name}: {}\n", terminal.ink(Ink::Red, &count(errors, "problem"))),
    });
    parts.join("\n")
}

/// One problem: where and what, the line with a mark under what it is about, and what to do.
fn explained(problem: &Problem, terminal: Terminal) -> String {
    let place = match (problem.line, problem.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}", problem.file),
        _ => problem.file.clone(),
    };
    let (word, ink) = match problem.severity {
        Severity::Error => ("error", Ink::Red),
        Severity::Warning => ("warning", Ink::Yellow),
    };
    let mut text =
        format!("{}: {}: {}\n", terminal.ink(Ink::Bold, &place), terminal.ink(ink, word), problem.message);
    let mut hint = problem.hint.as_deref();
    let number = problem.line.map(|line| line.to_string()).unwrap_or_default();
    let gutter = |number: &str, width: usize| terminal.ink(Ink::Blue, &format!("  {number:>width$} |"));
    if let Some(excerpt) = &problem.excerpt {
        let marks = format!("{}{}", " ".repeat(excerpt.from), "^".repeat(excerpt.length));
        let room = terminal.columns(COLUMNS).saturating_sub(marks.chars().count() + number.len() + 6);
        let beside = hint.filter(|hint| hint.chars().count() <= room);
        let said = beside.map(|hint| format!(" {hint}")).unwrap_or_default();
        if beside.is_some() {
            hint = None;
        }
        text.extend([gutter(&number, number.len()), format!(" {}\n", excerpt.text)]);
        let marks = format!("{}{}", " ".repeat(excerpt.from), terminal.ink(ink, marks.trim_start()));
        text.extend([gutter("", number.len()), format!(" {marks}{said}\n")]);
    }
    if let Some(hint) = hint {
        let margin = " ".repeat(number.len() + 3);
        let lines = wrapped(hint, terminal.columns(COLUMNS) - margin.len() - 2);
        let joined = lines.join(&format!("\n{margin}  "));
        text.extend([margin, terminal.ink(Ink::Blue, "="), format!(" {joined}\n")]);
    }
    text
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
