//! The example in `config/`, which explains every option, and the demo's own configuration.

use super::minimal::{Directory, today};
use crate::{
    config::{Secrets, check_report, load},
    terminal::Terminal,
};
use std::path::Path;

#[test]
fn the_example_loads() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let result = load(&directory, &Secrets::left_out(), today());
    assert_eq!(
        check_report("config", &result, Terminal::plain()),
        "config: 8 APIs, 33 instances, 91 checks; ok\n"
    );
}

#[test]
fn every_example_of_the_readme_loads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let example = std::fs::read_to_string(root.join("config/curiad.yaml")).unwrap();
    let blocks: Vec<&str> =
        readme.split("\n```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    assert!(!blocks.is_empty());
    let mut whole = String::new();
    for block in blocks {
        // One with an indent stands in place of the line that begins alike in the one before it.
        if block.starts_with(' ') {
            let key = block.split_inclusive(':').next().unwrap();
            assert_eq!(whole.lines().filter(|line| line.starts_with(key)).count(), 1, "{key}");
            let lines: Vec<&str> =
                whole.lines().map(|line| if line.starts_with(key) { block } else { line }).collect();
            whole = lines.join("\n");
        } else {
            block.clone_into(&mut whole);
        }
        let id = whole.strip_prefix("id: ").unwrap().split_whitespace().next().unwrap();
        let directory = Directory::new();
        std::fs::remove_file(directory.0.path().join("apis/documents.yaml")).unwrap();
        directory.write("curiad.yaml", &example).write(&format!("apis/{id}.yaml"), &whole);
        let result = load(directory.0.path(), &Secrets::left_out(), today());
        let report = check_report("README.md", &result, Terminal::plain());
        assert!(report.lines().last().unwrap().contains("; ok"), "{report}");
    }
}

/// What the demo fills in for `{{name}}`.
fn filled_in(name: &str) -> &'static str {
    match name {
        "mail_port" => "2525",
        "text_template" => "26785a09-ab16-4eb0-8407-a37497a57506",
        "database" => "sqlite://demo.db",
        "desk_client" | "api_client" | "api_client_key" => "curiad",
        "outside" => "127.0.0.1:9205",
        "inside" => "127.0.0.1:9206",
        name if name.ends_with(".address") => "127.0.0.1:9136",
        _ => "http://127.0.0.1:8081/x",
    }
}

/// The demo's configuration, on disk.
pub(super) fn demo() -> Directory {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulator/demo");
    let directory = Directory::new();
    std::fs::remove_file(directory.0.path().join("apis/documents.yaml")).unwrap();
    for folder in ["", "apis"] {
        for entry in std::fs::read_dir(demo.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let mut text = String::new();
            for (number, part) in std::fs::read_to_string(&path).unwrap().split("{{").enumerate() {
                let (name, rest) = if number == 0 { ("", part) } else { part.split_once("}}").unwrap() };
                text += if number == 0 { "" } else { filled_in(name) };
                text += rest;
            }
            directory.write(path.strip_prefix(&demo).unwrap().to_str().unwrap(), &text);
        }
    }
    directory
}

#[test]
fn the_demos_configuration_loads() {
    let directory = demo();
    let result = load(directory.0.path(), &Secrets::left_out(), today());
    let report = check_report("demo", &result, Terminal::plain());
    assert!(report.lines().last().unwrap().contains("8 APIs, 40 instances"), "{report}");
}
