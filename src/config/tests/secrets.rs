//! Secrets: by reference only, read, judged, and never repeated.

use super::minimal::{Directory, today};
use crate::config::{Secrets, load};

const TOP: &str = "curiad.yaml";

#[test]
fn a_file_that_is_no_secret_is_not_read_as_one() {
    for (to, why) in [
        ("file:secrets/none", "No such file"),
        ("file:secrets", "not a file"),
        ("file:secrets/large", "larger than 64 KiB"),
    ] {
        let directory = Directory::new();
        directory.change(TOP, "env:ONE", to).write("secrets/large", &"x".repeat(70_000));
        let problems = directory.problems();
        assert!(problems[0].contains(why) && problems[0].starts_with("curiad.yaml:21:"), "{problems:?}");
    }
}

/// Whoever opens a pipe to read it waits until somebody writes.
#[test]
fn a_pipe_is_no_file_and_nobody_waits_for_it() {
    let directory = Directory::new();
    for name in ["pipe", "apis/zed.yaml"] {
        let made = std::process::Command::new("mkfifo").arg(directory.0.path().join(name)).status().unwrap();
        assert!(made.success());
    }
    directory.change(TOP, "env:ONE", "file:pipe");
    let problems = directory.problems();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().all(|problem| problem.contains("not a file")), "{problems:?}");
}

#[test]
fn a_file_in_another_encoding_is_named_with_its_line() {
    let directory = Directory::new();
    let latin: Vec<u8> = b"id: letters\nname: { en: Letters, cy: Llythyr\xe2u }\n".to_vec();
    std::fs::write(directory.0.path().join("apis/letters.yaml"), latin).unwrap();
    let expected =
        "apis/letters.yaml: this file cannot be read: not text in UTF-8 (line 2); save it as UTF-8";
    assert_eq!(directory.problems(), [expected]);
}

#[test]
fn a_folder_of_apis_that_is_none_is_said_once() {
    let directory = Directory::new();
    std::fs::remove_dir_all(directory.0.path().join("apis")).unwrap();
    directory.write("apis", "id: documents\n");
    let expected = "apis: this is no folder; make it one, and put one file an API into it";
    assert_eq!(directory.problems(), [expected]);
}

#[test]
fn no_secret_is_ever_repeated() {
    let directory = Directory::new();
    directory.change(TOP, "env:ONE", "hunter2").change(TOP, "env:NOTIFY", "env:DESK");
    directory.change(TOP, "vantages:", "database: env:NO_HOST\nvantages:");
    let said = directory.problems().join("\n");
    for secret in ["hunter2", "correct horse", "secretword"] {
        assert!(!said.contains(secret), "{said}");
    }
    let directory = Directory::new();
    directory.change(TOP, "text: env:ONE", "t,t: hunter2");
    let said = directory.problems().join("\n");
    assert!(said.contains("given twice") && !said.contains("hunter2"), "{said}");
    let loaded = format!("{:?}", Directory::new().load().unwrap());
    for secret in ["correct horse", "+447700900123", "8e222534"] {
        assert!(!loaded.contains(secret), "{secret}");
    }
}

#[test]
fn a_server_may_be_the_database() {
    let directory = Directory::new();
    directory.change(TOP, "vantages:", "database: env:POSTGRES\nvantages:");
    let loaded = directory.load().unwrap();
    assert_eq!(loaded.database.reveal(), "postgres://curiad:secretword@db/curiad");
    assert!(!format!("{loaded:?}").contains("secretword"));
}

#[test]
fn a_command_that_only_asks_reads_the_databases_secret_alone() {
    let directory = Directory::new();
    directory.change(TOP, "env:ONE", "env:NOBODY").change(
        TOP,
        "vantages:",
        "database: env:DATABASE\nvantages:",
    );
    let secrets = Secrets::with(|name| (name == "DATABASE").then(|| "sqlite:///srv/curiad.db".to_owned()));
    let loaded = load(directory.0.path(), &secrets.only_the_database(), today()).unwrap();
    assert_eq!(loaded.database.reveal(), "sqlite:///srv/curiad.db");
    assert!(load(directory.0.path(), &Secrets::of_the_database(), today()).is_err());
}

#[test]
fn without_secrets_the_rest_is_checked() {
    let directory = Directory::new();
    directory.change(TOP, "env:ONE", "env:NOBODY");
    let loaded = load(directory.0.path(), &Secrets::left_out(), today()).unwrap();
    assert_eq!(loaded.configuration.people.len(), 2);
    directory.change(TOP, "env:NOBODY", "hunter2");
    assert_eq!(load(directory.0.path(), &Secrets::left_out(), today()).unwrap_err().len(), 1);
}
