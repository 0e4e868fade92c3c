//! All problems of all files at once, best first; and what is said of them.

use super::minimal::{API, Directory};
use crate::{config::check_report, terminal::Terminal};

#[test]
fn many_problems_are_counted() {
    let directory = Directory::new();
    let wrong = (0..150).map(|number| format!("wrong{number}: 1")).collect::<Vec<_>>().join("\n");
    directory.write("apis/documents.yaml", &format!("{API}{wrong}"));
    let report = check_report("config", &directory.load(), Terminal::plain());
    assert_eq!(report.matches(": error: ").count(), 100);
    assert!(report.ends_with("\n\nand 50 more\n\nconfig: 150 problems\n"), "{report}");
}

#[test]
fn problems_are_json_for_programs() {
    let directory = Directory::new();
    directory.change("apis/documents.yaml", "timeout:", "timout:");
    let problems = directory.load().unwrap_err();
    // A program may rely on these names and these codes.
    let json = serde_json::to_value(&problems).unwrap();
    let file = directory.0.path().join("apis/documents.yaml").display().to_string();
    assert_eq!(
        json,
        serde_json::json!([{
            "file": file, "line": 8, "column": 22, "end": 28, "severity": "error", "code": "shape",
            "message": "unknown key 'timout'", "hint": "did you mean 'timeout'?"
        }])
    );
}

#[test]
fn colour_adds_nothing_but_colour() {
    let directory = Directory::new();
    directory.change("apis/documents.yaml", "timeout:", "timout:");
    let problems = directory.load();
    let mut coloured = check_report("config", &problems, Terminal::coloured());
    assert!(coloured.contains("\u{1b}[31merror\u{1b}[0m: unknown key 'timout'"), "{coloured:?}");
    assert!(coloured.contains("\u{1b}[31m^^^^^^\u{1b}[0m did you mean 'timeout'?"), "{coloured:?}");
    for code in ["31", "33", "34", "1", "0"] {
        coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(coloured, check_report("config", &problems, Terminal::plain()));
}
