//! Crash points (`store/src/crash_point.rs`): each stands in the code once, and no release knows of them.

use crate::{ROOT, source::rust_sources};
use regex::Regex;
use std::{collections::BTreeMap, fs, path::Path, process::Command};
use store::crash_point::POINTS;

#[test]
fn every_crash_point_stands_in_the_code_once() {
    let passed = Regex::new(r#"\bcrash_point!\("([^"]+)"\)"#).expect("a valid pattern");
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in rust_sources().iter().filter(|file| file.path.contains("src/")) {
        for (number, line) in file.code() {
            for name in passed.captures_iter(line) {
                found.entry(name[1].to_owned()).or_default().push(format!("{}:{number}", file.path));
            }
        }
    }
    for (name, places) in &found {
        assert!(POINTS.contains(&name.as_str()), "{name} at {places:?} is not in the list");
        assert_eq!(places.len(), 1, "{name} is in several places: {places:?}");
    }
    let nowhere: Vec<_> = POINTS.iter().filter(|point| !found.contains_key(**point)).collect();
    assert!(nowhere.is_empty(), "in the list and not in the code: {nowhere:?}");
}

#[test]
fn a_release_has_neither_crash_points_nor_their_switch() {
    let folder = tempfile::tempdir().expect("a directory");
    let source = folder.path().join("probe.rs");
    let module = Path::new(ROOT).join("store/src/crash_point.rs");
    let text = format!(
        "#[path = {module:?}]\npub mod crash_point;\n\
         #[unsafe(no_mangle)]\npub fn passes_by() {{ crate::crash_point!(\"recorder/committed\"); }}\n"
    );
    fs::write(&source, text).expect("a file");
    let object = folder.path().join("probe.o");
    let built = Command::new(Path::new(env!("CARGO")).with_file_name("rustc"))
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "obj",
            "-C",
            "debug-assertions=no",
            "-o",
        ])
        .args([&object, &source])
        .output()
        .expect("the compiler runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let has = |path: &Path, word: &str| {
        let bytes = fs::read(path).expect("an object");
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    };
    assert!(has(&object, "passes_by"), "the function that passes by the point is in it");
    for word in ["recorder/committed", "crash point"] {
        assert!(!has(&object, word), "a release knows {word}");
        assert!(has(Path::new(env!("CARGO_BIN_EXE_curiad")), word), "so would this have been found");
    }
}
