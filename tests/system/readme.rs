//! The README is held against the program: every command line in it is one that exists.

use crate::program::CURIAD;
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// The lines inside fenced blocks.
fn fenced(text: &str) -> Vec<&str> {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        inside && !fence
    });
    lines.collect()
}

/// The words between backticks outside fenced blocks.
fn quoted(text: &str) -> Vec<&str> {
    let mut inside = false;
    text.lines()
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        })
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

/// Words as a shell sees them: quotes keep words together; a comment ends the line.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('#', None) if words.last().is_some_and(String::is_empty) => break,
            (' ', None) => words.push(String::new()),
            (c, _) => words.last_mut().expect("a word").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn help(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(CURIAD).args(arguments).arg("--help").output().expect("run");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether the help lists this sub-command.
fn lists(help: &str, command: &str) -> bool {
    help.lines()
        .any(|line| line.strip_prefix("  ").is_some_and(|line| line.split(' ').next() == Some(command)))
}

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(path).expect("README.md")
}

/// What follows `curiad` in every command line of the README.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in fenced(text).into_iter().chain(quoted(text)) {
        let line = line.trim_start_matches("$ ").trim_start_matches("ExecStart=");
        let words = words(line);
        match words.first().map(String::as_str) {
            Some("curiad" | "/usr/local/bin/curiad") => found.push(words[1..].to_vec()),
            Some("cargo") if words.get(1).is_some_and(|word| word == "run") => {
                let after = words.iter().position(|word| word == "--").expect("`cargo run … -- …`");
                found.push(words[after + 1..].to_vec());
            }
            _ => {}
        }
    }
    found
}

#[test]
fn the_two_commands_stand_in_the_readme_and_are_there() {
    let text = readme();
    let lines = fenced(&text);
    for command in ["cargo run --release -- demo", "tests/run"] {
        assert!(lines.iter().any(|line| line.trim_start().starts_with(command)), "{command} is missing");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for line in lines {
        let word = line.split_whitespace().next().unwrap_or_default();
        if word.starts_with("tests/") || word.starts_with("benches/") {
            assert!(root.join(word).is_file(), "{word} is not there");
        }
    }
}

#[test]
fn every_command_line_of_the_readme_is_one_that_the_program_knows() {
    let lines = command_lines(&readme());
    assert!(lines.len() > 10, "the README names few commands: {lines:?}");
    // `curiad help` is the parser's own: it is not asked for help.
    for line in lines.into_iter().filter(|line| line.first().is_none_or(|word| word != "help")) {
        let mut path: Vec<&str> = Vec::new();
        let (_, mut said) = help(&path);
        let mut rest = line.iter().map(String::as_str).peekable();
        let mut options = Vec::new();
        while let Some(word) = rest.next() {
            if word.starts_with("--") {
                options.push(word);
                // A value is not a sub-command.
                let takes_a_value = said.contains(&format!("{word} <"));
                if takes_a_value {
                    rest.next();
                }
            } else if said.contains("Commands:") {
                assert!(lists(&said, word), "`curiad {}`: there is no '{word}' in\n{said}", line.join(" "));
                path.push(word);
                let (ok, next) = help(&path);
                assert!(ok, "`curiad {} --help` fails", path.join(" "));
                said = next;
            }
        }
        for option in options {
            assert!(said.contains(option), "`curiad {}`: there is no {option} in\n{said}", line.join(" "));
        }
    }
}

#[test]
fn every_command_of_the_program_is_in_the_readme() {
    let lines = command_lines(&readme());
    let named: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line.iter().find(|word| !word.starts_with("--")))
        .map(String::as_str)
        .collect();
    let (_, said) = help(&[]);
    let commands =
        said.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What is indented further goes on with the line before.
    let first = commands.filter(|line| line.find(|c| c != ' ') == Some(2));
    for command in first.filter_map(|line| line.split_whitespace().next()).filter(|word| *word != "help") {
        assert!(named.contains(command), "`curiad {command}` is not in the README: {named:?}");
    }
}

#[test]
fn every_file_that_the_readme_points_to_is_there() {
    let text = readme();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut links = 0;
    for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        if !target.contains("://") && !target.starts_with('#') {
            assert!(root.join(target).exists(), "{target} is not there");
            links += 1;
        }
    }
    assert!(links > 3);
}

#[test]
fn a_line_is_read_as_a_shell_reads_it() {
    assert_eq!(
        words(r#"curiad silence add --why "load test" # later"#),
        ["curiad", "silence", "add", "--why", "load test"]
    );
}
