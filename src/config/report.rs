//! What `curiad check` says.

use super::{Loaded, Problem, Severity};

/// Most problems that are shown to a person at once.
const SHOWN: usize = 100;

/// What `curiad check` says to people: the problems, best first, then one line that sums up. `name` is the directory's.
pub(crate) fn check_report(name: &str, result: &Result<Loaded, Vec<Problem>>) -> String {
    let problems = match result {
        Ok(loaded) => &loaded.warnings,
        Err(problems) => problems,
    };
    let mut lines: Vec<String> = problems.iter().take(SHOWN).map(Problem::to_string).collect();
    if let Some(more) = problems.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    let of = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    lines.push(match result {
        Ok(loaded) => {
            let configuration = &loaded.configuration;
            let also = if warnings > 0 { format!(", {}", count(warnings, "warning")) } else { String::new() };
            format!(
                "{name}: {}, {}, {}; ok{also}\n",
                count(configuration.apis.len(), "API"),
                count(configuration.instances().count(), "instance"),
                count(configuration.checks.len(), "check")
            )
        }
        Err(_) => format!("{name}: {}\n", count(errors, "problem")),
    });
    lines.join("\n")
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
