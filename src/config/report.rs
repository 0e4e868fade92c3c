//! What `curiad check` says.

use super::{Loaded, Problem, Severity};

/// Most problems that are shown to a person at once.
const SHOWN: usize = 100;

/// What `curiad check` says to people: the problems, best first, then one line that sums up. `name` is the directory's.
pub fn check_report(name: &str, result: &Result<Loaded, Vec<Problem>>) -> String {
    let problems = match result {
        Ok(loaded) => &loaded.warnings,
        Err(problems) => problems,
    };
    let mut report = String::new();
    for problem in problems.iter().take(SHOWN) {
        report.push_str(&problem.to_string());
        report.push('\n');
    }
    if let Some(more) = problems.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        report.push_str(&format!("and {more} more\n"));
    }
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    let mut sum = match result {
        Ok(loaded) => {
            let configuration = &loaded.configuration;
            format!(
                "{name}: {}, {}, {}; ok",
                count(configuration.apis.len(), "API"),
                count(configuration.instances().count(), "instance"),
                count(configuration.checks.len(), "check")
            )
        }
        Err(_) => format!("{name}: {}", count(errors, "problem")),
    };
    if warnings > 0 {
        sum.push_str(&format!(", {}", count(warnings, "warning")));
    }
    report.push_str(&sum);
    report.push('\n');
    report
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
