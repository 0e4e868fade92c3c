//! Secrets: by reference only, read, judged, and never repeated.

use super::minimal::Directory;
use crate::config::{Secrets, load};

const TOP: &str = "curiad.yaml";

fn check(from: &str, to: &str, expected: &[&str]) {
    let directory = Directory::new();
    directory.change(TOP, from, to).write("secrets/empty", "").write("secrets/number", "+447700900999\n");
    directory.write("secrets/large", &"x".repeat(70_000));
    assert_eq!(directory.problems(), expected, "{to}");
}

#[test]
fn a_secret_is_a_reference_that_leads_to_something_of_use() {
    check("env:ONE", "file:secrets/number", &[]);
    check(
        "env:ONE",
        "07700900123",
        &["curiad.yaml:21:41: this is a secret; write env:NAME or file:PATH, never the value itself"],
    );
    check(
        "env:ONE",
        "env:NOBODY",
        &["curiad.yaml:21:41: the environment variable NOBODY is not set, or is not text"],
    );
    check(
        "env:ONE",
        "env:EMPTY",
        &["curiad.yaml:21:41: the secret at env:EMPTY cannot be used: it is empty"],
    );
    check(
        "env:ONE",
        "env:DESK",
        &[
            "curiad.yaml:21:41: the secret at env:DESK cannot be used: a telephone number is '+', the country and the number, without spaces",
        ],
    );
    check(
        "env:ONE",
        "env:2-3",
        &["curiad.yaml:21:41: 'env:2-3' names no environment variable: letters, digits and '_' only"],
    );
    check(
        "env:ONE",
        "file:secrets/empty",
        &["curiad.yaml:21:41: the secret at file:secrets/empty cannot be used: it is empty"],
    );
    check(
        "env:NOTIFY",
        "env:ONE",
        &[
            "curiad.yaml:5:20: the secret at env:ONE cannot be used: a Notify API key ends in two UUIDs; copy it whole",
        ],
    );
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
    let loaded = load(directory.0.path(), &secrets.only_the_database()).unwrap();
    assert_eq!(loaded.database.reveal(), "sqlite:///srv/curiad.db");
    assert!(load(directory.0.path(), &Secrets::of_the_database()).is_err());
}

#[test]
fn without_secrets_the_rest_is_checked() {
    let directory = Directory::new();
    directory.change(TOP, "env:ONE", "env:NOBODY");
    let loaded = load(directory.0.path(), &Secrets::left_out()).unwrap();
    assert_eq!(loaded.configuration.people.len(), 2);
    directory.change(TOP, "env:NOBODY", "hunter2");
    assert_eq!(load(directory.0.path(), &Secrets::left_out()).unwrap_err().len(), 1);
}
