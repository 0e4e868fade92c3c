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
