//! All problems of all files at once, best first; and what is said of them.

use super::minimal::{API, Directory};
use crate::config::check_report;

#[test]
fn a_file_that_cannot_be_read_hides_nothing_in_the_others() {
    let directory = Directory::new();
    directory
        .change("curiad.yaml", "visibility: signed-in", "visibility: open")
        .change("curiad.yaml", "email: two@team.example", "email: two")
        .write("apis/broken.yaml", "id: [")
        .write(
            "apis/letters.yaml",
            &API.replace("id: documents", "id: letters").replace("slow: 1s", "slow: 1"),
        )
        .change("apis/documents.yaml", "team: records", "team: records\ndepends_on: [broken, leters]");
    assert_eq!(
        directory.problems(),
        [
            "apis/broken.yaml:2:1: this is not YAML: while parsing a node, did not find expected node content; \
             look at this line and the one above: an indent, a quote or a bracket",
            "apis/letters.yaml:8:18: '1' has no unit; write 1s or 1ms",
            "curiad.yaml:9:17: 'open' is not a visibility; one of: public, signed-in",
            "curiad.yaml:22:42: this is not a mailbox such as team@example.wales",
            "apis/documents.yaml:8:22: unknown API 'leters'; did you mean 'letters'?"
        ]
    );
}

#[test]
fn when_curiad_yaml_cannot_be_read_references_to_it_are_not_doubted() {
    let directory = Directory::new();
    directory.write("curiad.yaml", "site: {").change("apis/documents.yaml", "kind: rest", "kind: rust");
    assert_eq!(
        directory.problems(),
        [
            "curiad.yaml:2:1: this is not YAML: while parsing a node, did not find expected node content; \
             look at this line and the one above: an indent, a quote or a bracket",
            "apis/documents.yaml:4:7: 'rust' is not a kind of API; did you mean 'rest'?"
        ]
    );
}

#[test]
fn a_circle_is_said_once() {
    let directory = Directory::new();
    for (id, on) in [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")] {
        let api = API.replace("id: documents", &format!("id: {id}\ndepends_on: [{on}]"));
        directory.write(&format!("apis/{id}.yaml"), &api);
    }
    assert_eq!(
        directory.problems(),
        ["apis/a.yaml:2:13: these APIs depend on each other in a circle: a → b → c → a"]
    );
}

#[test]
fn many_problems_are_counted() {
    let directory = Directory::new();
    let wrong = (0..150).map(|number| format!("wrong{number}: 1")).collect::<Vec<_>>().join("\n");
    directory.write("apis/documents.yaml", &format!("{API}{wrong}"));
    let report = check_report("config", &directory.load());
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 102);
    assert_eq!(lines[100..], ["and 50 more", "config: 150 problems"]);
}

#[test]
fn a_report_of_warnings_is_still_ok() {
    let directory = Directory::new();
    directory.change("curiad.yaml", "hours:\n", "hours:\n  never: { weekly: never }\n");
    let report = check_report("config", &directory.load());
    let path = directory.0.path().display().to_string();
    assert_eq!(
        report.replace(&path, "config"),
        "config/curiad.yaml:19:3: warning: nothing refers to the hours 'never'\n\
         config: 1 API, 2 instances, 3 checks; ok, 1 warning\n"
    );
}

#[test]
fn problems_are_json_for_programs() {
    let directory = Directory::new();
    directory.change("apis/documents.yaml", "timeout:", "timout:");
    let problems = directory.load().unwrap_err();
    let json = serde_json::to_value(&problems).unwrap();
    let file = directory.0.path().join("apis/documents.yaml").display().to_string();
    assert_eq!(
        json,
        serde_json::json!([{
            "file": file, "line": 8, "column": 22, "severity": "error",
            "message": "unknown key 'timout'", "hint": "did you mean 'timeout'?"
        }])
    );
}
