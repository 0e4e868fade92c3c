//! The rules that hold the house up (ARCHITECTURE.md): who may know whom, and where SQL, the clock and
//! the network may be. A rule that must change is changed here and in ARCHITECTURE.md, in one commit.

use regex::Regex;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

#[cfg(debug_assertions)]
#[path = "architecture/crash_points.rs"]
mod crash_points;
#[path = "architecture/licence.rs"]
mod licence;
#[path = "architecture/source.rs"]
mod source;

use source::{Source, rust_sources};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Which of our crates each may import: the whole list, no more and no less.
const EDGES: &[(&str, &[&str])] = &[
    ("curiad", &["alerting", "domain", "prober", "simulator", "status-page", "store"]),
    ("domain", &[]),
    ("store", &["domain"]),
    ("prober", &["domain"]),
    ("alerting", &["domain", "store"]),
    ("status-page", &["domain", "store"]),
    ("simulator", &[]),
    ("benches", &["domain", "simulator", "store"]),
];

/// The same for their tests alone.
const TEST_EDGES: &[(&str, &[&str])] = &[("alerting", &["simulator"]), ("store", &["simulator"])];

/// What the rules are written with. Nothing here opens a file or a socket, or starts a thread.
const DOMAIN_MAY_USE: &[&str] =
    &["chrono", "cron", "jiff", "ring", "rpds", "serde", "serde_json", "thiserror"];

/// Crates with one home.
const HOMES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("anyhow", &["curiad"]),
    ("chrono", &["domain"]),
    ("cron", &["domain"]),
    ("lettre", &["alerting", "simulator"]),
    ("tera", &["status-page"]),
    ("hickory-resolver", &["prober"]),
];

/// The files of the status page that know the store, each with the reason (invariant 3). No page is among them.
const STATUS_PAGE_KNOWS_STORE: &[(&str, &str)] = &[
    ("status-page/src/ack.rs", "asks what became of an answer in the inbox"),
    ("status-page/src/inbox.rs", "appends to the inbox, with a time limit"),
    (
        "status-page/src/subscribe.rs",
        "a form that was sent, and a button behind a link of an e-mail, with a time limit",
    ),
    ("status-page/src/gather.rs", "reads history for the next view, from time to time, for no request"),
    ("status-page/src/site.rs", "hands the store to these"),
    ("status-page/src/ranged.rs", "ranged history, with a time limit"),
    ("status-page/src/days.rs", "the days of an environment, with the same limit"),
    ("status-page/src/is_it_me.rs", "a question of what was at a time, with a time limit"),
    ("status-page/src/older.rs", "incidents of long ago, with a time limit"),
    ("status-page/src/files.rs", "a command's files, not a page"),
    ("status-page/src/responses.rs", "works with days that were read"),
    ("status-page/src/report.rs", "a command's document, not a page"),
    ("status-page/src/metrics.rs", "internal: counts of rows, with a time limit"),
];

/// Files over 400 lines, each with the reason.
const LONG: &[(&str, &str)] = &[];

/// Words that say nothing, so that anything fits under them.
const EMPTY_WORDS: &[&str] =
    &["manager", "helper", "helpers", "util", "utils", "common", "process", "data", "info"];

#[test]
fn our_crates_know_only_whom_they_may() {
    let seen = |tests: bool| -> BTreeMap<String, BTreeSet<String>> {
        let all = members();
        let ours: BTreeSet<String> = all.iter().map(|package| text(&package["name"])).collect();
        all.iter()
            .map(|package| {
                let knows = dependencies(package, tests).into_iter().filter(|name| ours.contains(name));
                (text(&package["name"]), knows.collect::<BTreeSet<_>>())
            })
            .filter(|(_, knows)| !tests || !knows.is_empty())
            .collect()
    };
    let allowed = |edges: &[(&str, &[&str])]| -> BTreeMap<String, BTreeSet<String>> {
        edges
            .iter()
            .map(|(name, knows)| ((*name).to_owned(), knows.iter().map(|k| (*k).to_owned()).collect()))
            .collect()
    };
    assert_eq!(seen(false), allowed(EDGES), "left: what the manifests say; right: what DESIGN §3 allows");
    assert_eq!(seen(true), allowed(TEST_EDGES), "left: dev-dependencies; right: what is allowed to tests");
}

#[test]
fn crates_with_one_home_stay_there() {
    for package in members() {
        let name = text(&package["name"]);
        for (dependency, homes) in HOMES {
            let knows = dependencies(&package, false).contains(*dependency)
                || (*dependency == "sqlx" && dependencies(&package, true).contains("sqlx"));
            assert!(
                !knows || homes.contains(&name.as_str()),
                "{name} depends on {dependency}; only {homes:?} may"
            );
        }
    }
}

#[test]
fn invariant_1_the_domain_does_no_io_reads_no_clock_and_spawns_nothing() {
    let domain =
        members().into_iter().find(|package| package["name"] == "domain").expect("domain is a member");
    let uses = dependencies(&domain, false);
    let may: BTreeSet<String> = DOMAIN_MAY_USE.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(uses, may, "left: what domain depends on; right: what it may");

    forbid(
        r"std::(fs|net|thread|process|env|io)\b|\btokio\b|::now\(|\.now\(|\basync\b|SystemTime|Instant|TimeZone::(system|get)",
        "does I/O, reads a clock or is async",
        &rust_sources()
            .into_iter()
            .filter(|file| file.path.starts_with("domain/src/"))
            .map(Source::without_tests)
            .collect::<Vec<_>>(),
        // The one way to ask for the time is declared there.
        &["domain/src/clock.rs"],
    );
}

#[test]
fn invariant_2_sql_is_in_the_store_alone() {
    let elsewhere = |file: &Source| !file.path.starts_with("store/") && !file.path.starts_with("tests/");
    forbid(
        r#"(?i)["\s](insert (or \w+ )?into \w|delete from \w|select [\w\s,.*()]+ from \w|create (table|index) \w|pragma \w)"#,
        "speaks SQL outside store",
        &rust_sources().into_iter().filter(elsewhere).collect::<Vec<_>>(),
        &[],
    );
}

#[test]
fn invariant_2_sql_never_says_now() {
    let mut files: Vec<Source> =
        rust_sources().into_iter().filter(|file| file.path.starts_with("store/src/")).collect();
    files.extend(source::under("migrations", "sql"));
    forbid(
        r"(?i)(^|[^.:\w])now\(\)|current_(timestamp|time|date)\b|(clock|statement|transaction)_timestamp|unixepoch\(|julianday\(|'now'",
        "asks the database for the time",
        &files,
        &[],
    );
}

#[test]
fn invariant_2_the_clock_is_read_in_one_place() {
    // Tests and examples are programs of their own, which hand their clock to what they start.
    let shipped = |file: &Source| !file.path.contains("tests/") && !file.path.contains("examples/");
    forbid(
        r"\b(Timestamp|Zoned|SystemTime|Utc|Local)::now\b|UNIX_EPOCH\.elapsed",
        "reads the clock",
        &rust_sources().into_iter().filter(shipped).collect::<Vec<_>>(),
        // What measures is a program of its own too: it keeps the time of the world that it measures Curiad against.
        &["src/clock.rs", "benches/src/lib.rs"],
    );
}

#[test]
fn invariant_3_pages_never_touch_the_database() {
    forbid(
        r"\bstore::|\buse store\b|\.store\b",
        "is a page that asks the store",
        &rust_sources()
            .into_iter()
            .filter(|file| file.path.starts_with("status-page/src/"))
            .collect::<Vec<_>>(),
        &STATUS_PAGE_KNOWS_STORE.iter().map(|(path, _)| *path).collect::<Vec<_>>(),
    );
}

#[test]
fn chrono_lives_in_the_file_that_wraps_cron() {
    forbid(
        r"\b(chrono::|use chrono\b|cron::Schedule\b)",
        "knows chrono or cron",
        &rust_sources(),
        &["domain/src/cron.rs", "tests/architecture.rs"],
    );
}

#[test]
fn lints_hold_everywhere_and_are_never_just_allowed() {
    for package in members() {
        let manifest = fs::read_to_string(text(&package["manifest_path"])).expect("a member has a manifest");
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} must take the workspace's lints",
            package["name"]
        );
    }
    let says_allow = Regex::new(r"#!?\[\s*(cfg_attr\([^)]*,\s*)?allow\(").expect("a valid pattern");
    let said: Vec<String> = rust_sources()
        .iter()
        .flat_map(|file| file.code().map(move |(number, line)| (file, number, line)))
        .filter(|(_, _, line)| says_allow.is_match(line))
        .map(|(file, number, line)| format!("{}:{number}: {}", file.path, line.trim()))
        .collect();
    assert!(said.is_empty(), "use #[expect(…, reason = \"…\")]:\n{}", said.join("\n"));
}

#[test]
fn one_provider_of_cryptography_and_no_build_but_cc() {
    let lock =
        fs::read_to_string(Path::new(ROOT).join("Cargo.lock")).expect("Cargo.lock is in the repository");
    let names: BTreeSet<&str> =
        lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(names.contains("ring"), "Cargo.lock reads otherwise than expected");
    for banned in ["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "cmake", "bindgen"] {
        assert!(
            !names.contains(banned),
            "{banned} is in Cargo.lock; `cargo tree -i {banned}` says who brought it"
        );
    }
}

#[test]
fn every_licence_is_on_the_list() {
    let allowed =
        licence::allowed(&fs::read_to_string(Path::new(ROOT).join("deny.toml")).expect("deny.toml"));
    // The platforms deny.toml names; Cargo asks for no crate that only another system needs.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let all = metadata(&["--filter-platform", &platform]);
    let used: BTreeSet<String> =
        list(&all["resolve"]["nodes"]).iter().map(|node| text(&node["id"])).collect();
    let refused: Vec<String> = list(&all["packages"])
        .iter()
        .filter(|package| used.contains(package["id"].as_str().unwrap_or_default()))
        .filter(|package| !licence::satisfied(package["license"].as_str().unwrap_or_default(), &allowed))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(refused.is_empty(), "not allowed by deny.toml: {refused:#?}");
}

#[test]
fn a_file_over_400_lines_has_a_reason() {
    let reasons: BTreeMap<&str, &str> = LONG.iter().copied().collect();
    let long: BTreeMap<String, usize> = rust_sources()
        .iter()
        .map(|file| (file.path.clone(), file.text.lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .collect();
    for path in reasons.keys() {
        assert!(long.contains_key(*path), "{path} is not long, or gone: strike its reason");
    }
    let without: Vec<_> = long.iter().filter(|(path, _)| !reasons.contains_key(path.as_str())).collect();
    assert!(without.is_empty(), "are they two nouns each? {without:#?}");
}

#[test]
fn names_say_what_things_are() {
    // An associated type is named by its trait: an indented `type` is not a name of ours.
    let declared = Regex::new(
        r"^(?:type|\s*(?:pub(?:\(\w+\))? )?(?:struct|enum|trait|union|mod)|pub(?:\(\w+\))? type) (\w+)",
    )
    .expect("a valid pattern");
    let function = Regex::new(r"\bfn (do_\w+|\w+_impl)\b").expect("a valid pattern");
    let mut found = Vec::new();
    for file in rust_sources() {
        if file.path.trim_end_matches(".rs").split('/').any(is_empty_word) {
            found.push(file.path.clone());
        }
        for (number, line) in file.code() {
            if declared.captures(line).is_some_and(|name| is_empty_word(&name[1])) || function.is_match(line)
            {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "names that say nothing:\n{}", found.join("\n"));
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |of: &str| -> Vec<String> {
        source::under(&format!("migrations/{of}"), "sql")
            .iter()
            .filter_map(|file| file.path.rsplit('/').next().map(str::to_owned))
            .collect()
    };
    let sqlite = names("sqlite");
    assert_eq!(sqlite, names("postgres"), "left: migrations/sqlite; right: migrations/postgres");
    for (place, name) in sqlite.iter().enumerate() {
        let number = name.split_once('_').and_then(|(digits, _)| digits.parse::<usize>().ok());
        assert_eq!(number, Some(place + 1), "migrations/sqlite/{name}: numbers run from 1 without a gap");
    }
}

/// No line of code in `files`, but those of `except`, matches `pattern`.
fn forbid(pattern: &str, what: &str, files: &[Source], except: &[&str]) {
    let pattern = Regex::new(pattern).expect("a valid pattern");
    let found: Vec<String> = files
        .iter()
        .filter(|file| !except.contains(&file.path.as_str()))
        .flat_map(|file| file.code().map(move |(number, line)| (file, number, line)))
        .filter(|(_, _, line)| pattern.is_match(line))
        .map(|(file, number, line)| format!("{}:{number}: {}", file.path, line.trim()))
        .collect();
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// Whether a word of `name`, in `snake_case`, `kebab-case` or `CamelCase`, says nothing.
fn is_empty_word(name: &str) -> bool {
    let word = Regex::new("[A-Z]?[a-z0-9]+|[A-Z]+").expect("a valid pattern");
    word.find_iter(name).any(|found| EMPTY_WORDS.contains(&found.as_str().to_lowercase().as_str()))
}

fn metadata(more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(more)
        .current_dir(ROOT)
        .output()
        .expect("cargo runs: it built this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn members() -> Vec<Value> {
    list(metadata(&["--no-deps"]).get("packages").expect("cargo metadata lists packages")).to_vec()
}

/// The direct dependencies of a package: those of its tests, or the others.
fn dependencies(package: &Value, tests: bool) -> BTreeSet<String> {
    list(&package["dependencies"])
        .iter()
        .filter(|dependency| (dependency["kind"] == "dev") == tests)
        .map(|dependency| text(&dependency["name"]))
        .collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
